"""The inventory: the one door through which other packages reach claims, graph, journal and answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cmdb import absorb as absorbing
from cmdb import export, history, lookup, rehearsal, schema, speakers, what
from cmdb.absorb import Known, Outcome
from cmdb.amend import amended
from cmdb.brake import Loss, Silence
from cmdb.claims import ClaimView, claims_on, contested_columns, on_relations
from cmdb.codec import Json
from cmdb.declare import Estate, read_document, read_estate
from cmdb.difference import difference
from cmdb.directory import InStore
from cmdb.evidence_records import CONFIRMATION, DECISION
from cmdb.graph_cache import GraphCache, changed
from cmdb.history import Difference
from cmdb.impact import Answer, Evaluation, LiveTopology, Question, SinglePoints, single_points
from cmdb.impact.who import Who, who
from cmdb.judging import Judged, Judging, standing_of
from cmdb.kept_rules import kept_digest, rules_record
from cmdb.mending import Mending, Wanted, Witness, heard, mendings, witnesses
from cmdb.model import CI, Change, Graph, ModelError, Relation, Report, Revision, RunSection, Value
from cmdb.parked import Asked, Parked, question_by_id, questions
from cmdb.parking import Parking, Refused, Taken
from cmdb.project import claimed_relations, utterances
from cmdb.project_values import Utterance
from cmdb.readings import READING, Reading, places_of, readings_on
from cmdb.rules import Rules
from cmdb.scratch import from_scratch
from cmdb.sift import sifted
from cmdb.store.base import GraphStore, Handle, Match, Query, StoredCI, Verification
from cmdb.tags import TagHolder, holder_of
from cmdb.touches import Touches, touches_of
from cmdb.transactions import Transactions
from cmdb.verify import verified
from cmdb.what import NotFound, Target

__all__ = [
    "Absorbed", "ClaimView", "Declared", "Inventory", "Refused", "TagHolder",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Absorbed:
    """The revision that a write took, None where nothing changed; and the CIs that it touched.

    `waits`: what a report would end, and therefore waits for the end of its run. `question`: what a person is asked;
    `parked` and `silent` are what a run added to it.
    """

    revision: int | None
    cis: tuple[str, ...]
    waits: tuple[Loss, ...] = ()
    question: str | None = None
    parked: tuple[Parked, ...] = ()
    silent: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """What a declaration changed, or (dry run, without a revision) would change; `difference` says it in words."""

    revision: int | None
    changes: tuple[Change, ...]
    difference: tuple[str, ...]
    warnings: tuple[str, ...]


class Inventory:
    """All that is known. Every write is one transaction; reading never waits for one.

    Raises StoreError and its subclasses where the store fails, ModelError for bad input.
    """

    def __init__(
        self, store: GraphStore, rules: Rules, clock: Callable[[], datetime], snapshots: Path | None = None
    ) -> None:
        """`snapshots`: a folder for what saves reading all of a store that is slow to read."""
        self._store = store
        self._rules = rules
        self._version = rules.digest
        self._clock = clock
        self._cache = GraphCache(store)
        self._topologies = LiveTopology(store, snapshots)
        self._transactions = Transactions(store, self._cache, rules, clock)
        self._write = self._transactions.write
        self._parking = Parking(self._write, self._transactions.lock, rules, clock)
        self.judging = Judging(self._write, self._judged, store.lookup, self.claims, rules, clock)

    # Writing

    def absorb(self, report: Report, actor: str = "discovery") -> Absorbed:
        """Take in what one source said in one run; what would end something may wait for the end of its run."""
        return _taken(self._parking.absorb(report, actor))

    def close_run(self, run: RunSection, actor: str = "discovery") -> Absorbed:
        """Take in what a run covered: what did not answer complete ones becomes missing. Too much of it is parked."""
        return _taken(self._parking.close(run, actor))

    def tick(self) -> Absorbed:
        """The clock pass: project again what became stale, missing or retired by time alone."""
        taken = self._parking.tick()
        with self._write() as (tx, known, _):
            outcome = absorbing.tick(tx, known, self._rules, self._clock(), "clock", "time passed")
        return _taken(taken.then(outcome))

    def answer_parked(self, question: str, *, yes: bool, by: str, reason: str) -> Absorbed:
        """Apply what is parked, or discard it. Raises NotFound, Refused where it is answered, ModelError."""
        return _taken(self._parking.answer(question, yes=yes, by=by, reason=reason))

    def declare(self, text: str, name: str, actor: str, dry_run: bool = False) -> Declared:
        """Take in an estate file; what it said before under that name, and says no more, is no longer said."""
        return self._declare(lambda graph: read_estate(text, name, graph, self._clock()), actor, dry_run=dry_run)

    def declare_document(self, document: Mapping[str, Json], name: str, actor: str, dry_run: bool = False) -> Declared:
        """Take in the same as JSON, as an API write brings it."""
        return self._declare(lambda graph: read_document(document, name, graph, self._clock()), actor, dry_run=dry_run)

    def _declare(self, read: Callable[[Graph], Estate], actor: str, *, dry_run: bool) -> Declared:
        with self._write(keep=not dry_run) as (tx, known, graph):
            before, estate = _copy(graph), read(graph)
            report = absorbing.later(known, estate.report)
            speakers.note(tx, report.space, report.source, (), actor, self._clock())
            outcome = absorbing.absorb(tx, known, report, self._rules, self._clock(), actor)
        return _declared(before, outcome, estate.warnings, dry_run=dry_run)

    def recompute(self, actor: str, *, dry_run: bool) -> Declared:
        """Bring every CI to what the rules of now say, as one ordinary revision; a dry run only says what would change.

        Other processes that run with older rules go on with them until they are started again.
        """
        with self._write(keep=not dry_run) as (tx, known, graph):
            before = _copy(graph)
            outcome = absorbing.again(tx, known, self._rules, self._clock(), actor, "rules changed")
            tx.put([rules_record(self._rules)])
        return _declared(before, outcome, dry_run=dry_run)

    def rehearse(self, reports: Sequence[Report], actor: str, reason: str, *, apply: bool) -> Declared:
        """Take in, as one revision, what was read anew from replies of before; else only say what that would change."""
        with self._write(keep=apply) as (tx, known, graph):
            before, outcome = _copy(graph), Outcome(known, None, ())
            news = rehearsal.news(known, rehearsal.less_held(tx.records, reports))
            if news:
                outcome = absorbing.absorb_all(tx, known, news, self._rules, self._clock(), actor, reason)
        return _declared(before, outcome, dry_run=not apply)

    def evidence_in_use(self) -> frozenset[str]:
        """The hashes of the replies that what is kept still comes from."""
        with self._transactions.lock:
            sightings = self._transactions.read().world.sightings
            held = (held for one in sightings for kept in one.sections.values() for held in kept.held)
            return frozenset(one.evidence for one in held if one.evidence is not None)

    @property
    def rules_changed(self) -> bool:
        """Whether the graph was last projected as a whole by other rules than those of now: recompute is due."""
        if not self._store.position().revision:
            return False
        return kept_digest(self._store.records) != self._rules.digest

    def amend(self, ci: str, values: Mapping[str, Value | None], actor: str, if_revision: int | None) -> Absorbed:
        """Enter values of one CI by hand; None takes back what was entered. Raises NotFound and Refused."""
        with self._write() as (tx, known, graph):
            found = self.stored(ci)
            if found is None:
                raise NotFound(f"there is no CI {ci!r}; look it up by what you know of it")
            if if_revision is not None and found.revision != if_revision:
                raise Refused(
                    f"{found.ci.name!r} has changed: its revision is {found.revision} now, not {if_revision}; "
                    "look again, then repeat"
                )
            for name in values:
                if values[name] is not None and self._rules.is_volatile(found.ci.cls, name):
                    raise ModelError(f"{found.ci.name}, {name}: it is measured and flaps, so it is not entered by hand")
            report = absorbing.later(known, amended(known, graph, found.ci, values, self._clock()))
            speakers.note(tx, report.space, report.source, values, actor, self._clock())
            outcome = absorbing.absorb(tx, known, report, self._rules, self._clock(), actor)
        return _absorbed(outcome)

    # Reading

    def graph(self, at: int | None = None) -> Graph:
        """Everything that is known now, or was at a revision, the retired included. Raises Gone."""
        return self._cache.graph() if at is None else self._cache.at(at)

    def stored(self, ci: str) -> StoredCI | None:
        """A CI by its id; a former id leads to the CI that it was joined to."""
        found = self._store.get([ci]).get(ci)
        if found is not None:
            return found
        heirs = self._store.lookup([Handle("former_id", ci)])
        return self._store.get([heirs[0].ci]).get(heirs[0].ci) if heirs else None

    def several(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        """CIs by their ids; those that are not there are left out."""
        return self._store.get(ids)

    def find(self, query: Query, at: int | None = None) -> list[StoredCI]:
        """The CIs that fit a query, now or at a revision. Raises Gone."""
        if at is None:
            return self._store.find(query)
        ids = [ci.id for ci in sifted(self.graph(at), query)]
        found = self._store.get_at(ids, at)
        return [found[id_] for id_ in ids]

    def count(self, query: Query) -> int:
        """How many fit."""
        return self._store.count(query)

    def lookup(self, text: str, space: str | None = None) -> list[Match]:
        """Every CI that a text may mean, and as what; the most telling first."""
        meanings = lookup.meanings(text)
        order = {handle: place for place, handle in enumerate(meanings)}
        return sorted(self._store.lookup(meanings, space), key=lambda match: (order[match.handle], match.ci))

    def tag(self, text: str) -> TagHolder | None:
        """Who has a label now, else who had it last, else None."""
        return holder_of(self._store, text)

    def relations(self, ci: str) -> list[Relation]:
        """The relations of a CI, both ways."""
        return self._store.relations([ci])

    def relations_by_id(self, ids: Iterable[str]) -> dict[str, Relation]:
        """Relations by their ids; those that are not there are left out."""
        return self._store.relations_by_id(ids)

    # Reading what was

    def point(self, text: str) -> int:
        """The revision that a text means: a number, `now` or an ISO time. Raises ModelError and Gone."""
        return history.point(self._store, text)

    def stored_at(self, ci: str, at: int) -> StoredCI | None:
        """A CI as it was at a revision, by the id that it had then or has now. Raises Gone."""
        found = self._store.get_at([ci], at).get(ci)
        if found is not None:
            return found
        heirs = self._store.lookup([Handle("former_id", ci)])
        return self._store.get_at([heirs[0].ci], at).get(heirs[0].ci) if heirs else None

    def relations_at(self, ci: str, at: int) -> list[Relation]:
        """The relations of a CI at a revision, both ways. Raises Gone."""
        return self._store.relations_at([ci], at)

    def touches(self, ci: str, before: int | None = None, limit: int = 20) -> Touches:
        """The history of a CI, newest first: the revisions that changed it or its relations, and what they changed."""
        return touches_of(self._store, ci, before if before is not None else self._store.position().revision + 1, limit)

    def diff(self, a: int, b: int) -> Difference:
        """What is not the same at revision `b` as at `a`, and who made it so. Raises ModelError and Gone."""
        return history.difference_between(self._store, a, b)

    def newest(self) -> int:
        """The newest revision."""
        return self._store.position().revision

    def oldest(self) -> int:
        """The oldest revision that can be asked for; 0, when nothing was known, where nothing was trimmed."""
        return self._store.base().revision

    def trim(self, before: int | timedelta) -> int:
        """Forget what was before a revision, or longer ago than an age; returns the oldest revision that is left."""
        return history.trimmed(self._store, before, self._clock())

    def neighbourhood(self, ci: str, depth: int, limit: int, at: int | None = None) -> Graph:
        """What stands around a CI, up to `depth` relations away, at most `limit` CIs, the nearest first."""
        return history.neighbourhood(self._store, ci, depth, limit, at)

    def claims(self, ci: str) -> list[ClaimView]:
        """Every claim on a value of a CI, the losing ones included, with the reason."""
        found = self.stored(ci)
        if found is None:
            return []
        with self._transactions.lock:
            known = self._transactions.read()
            if found.ci.id not in known.settled.cards:
                return []
            own = claims_on(self._said_of(known, found.ci.id), found.ci, self._rules)
            view = known.view()
            claimed = claimed_relations(view, view.number_of(found.ci.id), self._rules, self._clock())
            columns = contested_columns(self.relations(found.ci.id), claimed, view.id_of, self.graph().cis)
            return speakers.named([*own, *columns], found.ci.space, self._store.records)

    def links(self, ids: Collection[str], ends: Collection[str], at: int) -> dict[str, Relation]:
        """Relations as they were at a revision; `ends` are CIs that each of them has at an end."""
        if self._store.position().revision == at:
            found = self._store.relations_by_id(ids)
            if self._store.position().revision == at:
                return found
        return {one.id: one for one in self._store.relations_at(ends, at) if one.id in ids}

    def named(self, ids: Collection[str], at: int) -> dict[str, CI]:
        """CIs as they were at a revision."""
        if not ids:
            return {}
        if self._store.position().revision == at:
            found = self._store.get(ids)
            if self._store.position().revision == at:
                return {id_: stored.ci for id_, stored in found.items()}
        return {id_: stored.ci for id_, stored in self._store.get_at(ids, at).items()}

    def vouched(self, relations: Collection[Relation]) -> dict[str, list[ClaimView]]:
        """Who says now that there are these relations, in which section, and when last, by their ids."""
        cis = {id_: stored.ci for id_, stored in self._store.get(_ends(relations)).items()}
        there = [one for one in relations if {one.source, one.target} <= cis.keys()]
        found: dict[str, list[ClaimView]] = {one.id: [] for one in relations}
        with self._transactions.lock:
            known = self._transactions.read()
            for source in sorted({one.source for one in there} & known.settled.cards.keys()):
                view = known.view()
                claimed = claimed_relations(view, view.number_of(source), self._rules, self._clock())
                own = [one for one in there if one.source == source]
                for id_, claims in on_relations(own, claimed, view.id_of, cis).items():
                    found[id_] = speakers.named(claims, cis[source].space, self._store.records)
        return found

    def readings(self, ci: str) -> list[Reading]:
        """The newest measured values of a CI and its parts, which flap and make no history."""
        found = self.stored(ci)
        if found is None:
            return []
        with self._transactions.lock:
            known = self._transactions.read()
            if found.ci.id not in known.settled.cards:
                return []
            said = self._said_of(known, found.ci.id)
            return readings_on(said, self._store.records(READING, places_of(said)), found.ci, self._rules)

    def _said_of(self, known: Known, ci: str) -> list[Utterance]:
        view = known.view()
        return utterances(view, view.number_of(ci), self._rules, self._clock())

    def problems(self) -> list[Mending]:
        """What a person should mend: conflicts, data problems, and what waits unidentified; without owners."""
        found = [absorbing.told_of(record) for record in self._store.records(absorbing.PROBLEMS)]
        if any(told.kind == "conflict" for told in found) and self._store.records(DECISION):
            answered = self.judging.answered()
            found = [told for told in found if not any(home[1:] in answered for home in told.homes)]
        return [Mending(*told[:4]) for told in sorted(found, key=lambda told: (told.kind, told.text, told.about))]

    def mendings(
        self, kind: str | None = None, cls: str | None = None, place: str | None = None, owner: str | None = None
    ) -> list[Mending]:
        """The same with owners, filtered by any of these; an owner "" asks for what nobody owns. Raises ModelError."""
        wanted = Wanted(kind, cls, None if place is None else self.within(place), owner)
        return mendings(self.problems(), self.graph(), self._store.relations, wanted)

    def witnesses(self, problem: Mending) -> list[Witness]:
        """Who says what a problem hangs on, in which section, and by which reply."""
        if not problem.about:
            return []
        claims = {ci: self.claims(ci) for ci in problem.about}
        with self._transactions.lock:
            said = heard(self._store.records(CONFIRMATION, cis=problem.about), self._transactions.read().world)
        return witnesses(problem, claims, said)

    def parked(self, *, finished: bool = False) -> list[Asked]:
        """What a person is asked, the oldest first; then, where wanted, what was answered, the last one first."""
        return questions(self._store.records, finished=finished)

    def parked_question(self, id_: str) -> Asked:
        """One question. Raises NotFound."""
        if (found := question_by_id(self._store.records, id_)) is None:
            raise NotFound(f"there is no question {id_!r}; list them: GET /api/v1/parked, or cmdb parked")
        return found

    @contextmanager
    def _judged(self) -> Iterator[Judged]:
        with self._transactions.lock:
            known = self._transactions.read()
            yield Judged(standing_of(known), self._cache.graph(), known.world.decisions)

    def target(self, text: str) -> Target:
        """What a WHAT means. Raises NotFound, or Ambiguous with the candidates."""
        return what.meant(text, InStore(self._store, [text]))

    def ci_of(self, text: str) -> str:
        """The id of the CI that a text means. Raises NotFound, Ambiguous, and ModelError where it means a relation."""
        target = self.target(text)
        if not target.cis:
            raise ModelError(f"{text!r} is a relation, not a CI: name one of its ends")
        return target.cis[0]

    def question(
        self,
        texts: Sequence[str],
        kind: str,
        down: Sequence[str] = (),
        *,
        restarts: bool = False,
        at: int | None = None,
    ) -> Question:
        """A question with targets and what is down already named as people name them. Raises NotFound, Ambiguous.

        Things are named as they are called now, also where the question is about another time; ids and cables are those
        of that time.
        """
        directory = InStore(self._store, [*texts, *down], at)
        target, assumed = Target(), Target()
        for text in texts:
            target = target + what.meant(text, directory)
        for text in down:
            assumed = assumed + what.meant(text, directory)
        if assumed.relations:
            raise ModelError("down: only CIs can be down already, not relations")
        once = [tuple(dict.fromkeys(ids)) for ids in (target.cis, target.relations, assumed.cis)]
        return Question(once[0], once[1], kind, once[2], restarts)

    def impact(self, question: Question, at: int | None = None) -> Evaluation:
        """What a change would do, now or at a revision: worked out when it is first asked for something.

        That raises ModelError where the question does not fit the graph, and Gone.
        """
        return Evaluation(self._topologies.at, question, self._version, at)

    def ask(self, texts: Sequence[str], kind: str, down: Sequence[str] = (), *, restarts: bool = False) -> Answer:
        """The answer to a question as people ask it."""
        return self.impact(self.question(texts, kind, down, restarts=restarts)).answer()

    def close(self) -> None:
        """Save what makes the next start faster. The store stays open."""
        self._topologies.close()

    def who(self, answer: Answer) -> Who:
        """Whom an answer concerns, as was known at its revision."""
        return who(answer.census(), lambda ids: self.named(ids, answer.revision))

    def single_points(self, enough: Callable[[], bool] = lambda: False) -> SinglePoints:
        """The CIs and cables whose loss alone takes a service down, now, the worst first."""
        return single_points(self._topologies.at, enough)

    def within(self, place: str, at: int | None = None) -> frozenset[str]:
        """A place, as it is called now, and all places in it, now or at a revision, by id: what filters take."""
        found = set(self.target(place).cis)
        graph = self.graph(at)
        inside: dict[str, list[str]] = {}
        for relation in graph.relations.values():
            if relation.type == "located_in" and schema.is_a(graph.cis[relation.source].cls, "location"):
                inside.setdefault(relation.target, []).append(relation.source)
        edge = list(found)
        while edge:
            edge = [one for outer in edge for one in inside.get(outer, ()) if one not in found]
            found.update(edge)
        return frozenset(found)

    def labels(self, prefix: str) -> list[str]:
        """The labels that start so, those of the retired and former ones included: none of them is free."""
        graph = self.graph()
        handles = self._store.handles(graph.cis)
        return sorted(
            {
                handle.value
                for found in handles.values()
                for handle in found
                if handle.kind in {"label", "former_label"} and handle.value.startswith(prefix)
            }
        )

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        """The journal after a revision."""
        return self._store.changes(after, limit)

    def verify(self) -> Verification:
        """Whether the journal's chain holds, and gives the graph that is stored."""
        return verified(self._store)

    def canonical(self, *, scratch: bool = False) -> Json:
        """The graph named by what things are: equal for equal graphs; `scratch`: as all that was said projects now."""
        if not scratch:
            return export.canonical(self.graph())
        with self._transactions.lock:
            return export.canonical(from_scratch(self._transactions.read().world, self._rules, self._clock()))


def _ends(relations: Iterable[Relation]) -> set[str]:
    return {end for relation in relations for end in (relation.source, relation.target)}


def _copy(graph: Graph) -> Graph:
    """A graph that stays as it is while more is written."""
    return Graph(graph.revision, dict(graph.cis), dict(graph.relations))


def _declared(before: Graph, outcome: Outcome, warnings: tuple[str, ...] = (), *, dry_run: bool) -> Declared:
    after = changed(before, outcome.changes, before.revision)
    return Declared(None if dry_run else outcome.revision, outcome.changes, difference(before, after), warnings)


def _absorbed(outcome: Outcome | Taken) -> Absorbed:
    touched = (change.id for change in outcome.changes if isinstance(change.after or change.before, CI))
    return Absorbed(outcome.revision, tuple(dict.fromkeys(touched)))


def _taken(taken: Taken) -> Absorbed:
    return replace(
        _absorbed(taken), waits=taken.waits, question=taken.question, parked=taken.parked, silent=taken.silent
    )
