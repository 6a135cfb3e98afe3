"""One write transaction: what was said goes in, what it makes of the graph comes out, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cmdb import codec, lookup
from cmdb.changes import changes_of, labelled, order_of
from cmdb.evidence import Place, Sighting, check, check_time, normalised, taken_in
from cmdb.evidence_records import confirmation_record, decision_record, run_record, sighting_record
from cmdb.identity import Identity, identity_record
from cmdb.known import CLOCK, PROBLEMS, Known, Told, cards_of, load, problem_record, told_of
from cmdb.lines import covers
from cmdb.model import CI, SCHEMES, Change, Decision, Report, RunSection
from cmdb.nodes import Key
from cmdb.project_problems import Home, node_home, value_home
from cmdb.readings import put_aside
from cmdb.rules import Rules
from cmdb.settled import Card
from cmdb.step import News, Stepped, stepped
from cmdb.store.base import Batch, Handle, Record, Transaction
from cmdb.surroundings import shared_by

__all__ = [
    "PROBLEMS", "Known", "Outcome", "absorb", "absorb_all", "again", "close_run", "decide", "later", "load", "told_of",
]  # fmt: skip
_PAGE: Final = 2000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did, and what is known after it."""

    known: Known
    revision: int | None
    changes: tuple[Change, ...]


def absorb(tx: Transaction, known: Known, report: Report, rules: Rules, now: datetime, actor: str) -> Outcome:
    """Take in a report."""
    check(report)
    report = put_aside(tx, normalised(report), rules)
    place = (report.space, report.source)
    before = known.places.get(place, {})
    sighting, new = taken_in(before, report)
    if not new and _only_confirms(known, before[sighting.id], sighting, rules, now):
        known.take(place, sighting)
        known.confirm(place)
        cis = known.cis_of.get(place, frozenset())
        tx.put([confirmation_record(known.places[place].values(), cis)])
        return Outcome(known, None, ())
    known.take(place, sighting)
    work = _Work(tx, known, rules, now)
    work.news.at(place)
    reason = f"{'declared by' if report.declared else 'report of'} {report.source.removeprefix('declared:')}"
    return work.done(actor, reason, report.run, {place: {sighting.id} if new else set()})


def absorb_all(
    tx: Transaction, known: Known, reports: Sequence[Report], rules: Rules, now: datetime, actor: str, reason: str
) -> Outcome:
    """Take in several reports as one revision."""
    told: dict[Place, set[str]] = {}
    for report in reports:
        check(report)
        given = put_aside(tx, normalised(report), rules)
        place = (given.space, given.source)
        sighting, new = taken_in(known.places.get(place, {}), given)
        known.take(place, sighting)
        told.setdefault(place, set()).update({sighting.id} if new else ())
    work = _Work(tx, known, rules, now)
    for place in sorted(told):
        work.news.at(place)
    return work.done(actor, reason, None, told)


def decide(
    tx: Transaction, known: Known, decisions: Sequence[Decision], rules: Rules, now: datetime, actor: str, reason: str
) -> Outcome:
    """Take in what people decided; a decision replaces the one of its id."""
    tx.put([decision_record(one) for one in decisions])
    ids = {one.id for one in decisions}
    replaced = [one for one in known.world.decisions if one.id in ids]
    known.decide(decisions)
    work = _Work(tx, known, rules, now)
    work.news.nodes.update(dict.fromkeys(of_decisions(known, (*replaced, *decisions))))
    return work.done(actor, reason, None, {})


def of_decisions(known: Known, decisions: Iterable[Decision]) -> set[Key]:
    """The nodes that decisions are about."""
    return {key for one in decisions for identifier in (*one.a, *one.b) for key in known.index.holders(identifier)}


def later(known: Known, report: Report) -> Report:
    """A report that somebody enters now: later than all that its source said, however the clock stands."""
    said = [one.time + timedelta(microseconds=1) for one in known.world.at(report.space, report.source)]
    time = max((report.time, *said))
    if time == report.time:
        return report
    return replace(report, time=time, sections=tuple(replace(section, time=time) for section in report.sections))


def close_run(tx: Transaction, known: Known, run: RunSection, rules: Rules, now: datetime, actor: str) -> Outcome:
    """Take in what a run covered."""
    check_time(run.time, f"run {run.run}")
    work = _Work(tx, known, rules, now)
    before = next((one for one in known.world.runs if one.is_again(run)), None)
    # Told twice, a run closed when it first did: whichever is told first.
    if before is None or (run.time, run.complete) < (before.time, before.complete):
        tx.put([run_record(run)])
        known.close(run)
        for place in {place for one in (run, before) if one is not None for place in unanswered(known, one)}:
            work.news.at(place)
    return work.done(actor, f"end of run {run.run}", run.run, {})


def unanswered(known: Known, run: RunSection) -> list[Place]:
    """The places that a run covered where something was seen before that did not answer it."""
    return [
        place
        for place, sightings in known.places.items()
        if place[0] == run.space
        and run.complete
        and any(run.run not in one.runs and one.time < run.time for one in sightings.values())
        and covers(run.networks, place[1])
    ]


def again(tx: Transaction, known: Known, rules: Rules, now: datetime, actor: str, reason: str) -> Outcome:
    """Resolve and project everything once more: the rules are others."""
    return _Work(tx, known, rules, now).done(actor, reason, None, {}, whole=True)


def tick(tx: Transaction, known: Known, rules: Rules, now: datetime, actor: str, reason: str) -> Outcome:
    """Project again what a deadline has passed of."""
    return _Work(tx, known, rules, now).done(actor, reason, None, {})


def _only_confirms(known: Known, old: Sighting, new: Sighting, rules: Rules, now: datetime) -> bool:
    """Whether a report that says nothing new changes nothing but times, and ends no staleness and no absence."""
    if known.whole or new.time < old.time or known.due_by(now):
        return False
    for name, kept in old.sections.items():
        if any(rules.is_stale(name, held.confirmed, now) for held in kept.held):
            return False
    if old.declared:
        return True
    voices = known.index.voices.get((old.space, old.source), ())
    if len(voices) != 1 or voices[0].line is None:
        return False
    counting = {(said.name, said.held.digest) for said in (*voices[0].said, *voices[0].asides)}
    line = voices[0].line
    if new.id not in {line.sightings[0].id, *(one.id for one in line.silent)}:
        return False
    if any((name, held.digest) not in counting for name, kept in new.sections.items() for held in kept.held):
        return False
    news = News(known, rules, now)
    return not any(news.is_near_past(key) for key in known.index.named(voices[0]))


class _Work:
    """From the news to the changes of the graph, inside one transaction."""

    def __init__(self, tx: Transaction, known: Known, rules: Rules, now: datetime) -> None:
        self._tx = tx
        self._known = known
        self._rules = rules
        self._now = now
        self.news = News(known, rules, now)

    def done(
        self, actor: str, reason: str, run: str | None, told: Mapping[Place, set[str]], *, whole: bool = False
    ) -> Outcome:
        """Commit the changes, and keep what was said: at which places, and which sightings say something new."""
        known = self._known
        due = known.due_by(self._now)
        for place in due:
            self.news.at(place, all_of_it=True)
        whole = whole or known.whole
        step = stepped(known, self.news, self._rules, self._now, self._reserve, whole=whole)
        changes = changes_of(known, step, self._tx, self._now)
        changed, touched = settle(known, step, self.news.places)
        identities = labelled(known, step, changes, self._now)
        renamed = self._renamed(identities)
        known.identify(identities)
        known.store(changes)
        batch = Batch(changes, self._handles(changes, renamed), actor, reason, self._now, run)
        revision = self._tx.apply(batch) if changes or batch.handles else None
        self._keep(step, told, changed, identities, changes)
        for place in touched:
            known.plan(place, self._rules, self._now)
        if due or whole:
            known.passed(self._now)
            self._tx.put([Record(CLOCK, CLOCK, b"", at=self._now)])
            known.written.whole = whole
        known.made_whole()
        return Outcome(known, None if revision is None else revision.n, changes)

    def _reserve(self, count: int) -> Sequence[str]:
        first = self._tx.reserve("ci", count)
        return [f"ci-{number}" for number in range(first, first + count)]

    # Handles

    def _renamed(self, identities: Mapping[str, Identity]) -> set[str]:
        """The ids that lead elsewhere now, or have other former labels; and where they led before."""
        found: set[str] = set()
        for id_, identity in identities.items():
            old = self._known.identities.get(id_)
            if old is not None and (old.joined, dict(old.labels)) != (identity.joined, dict(identity.labels)):
                found |= {id_, old.joined or id_}
        return found

    def _handles(self, changes: Iterable[Change], renamed: Iterable[str]) -> dict[str, frozenset[Handle]]:
        """All that each changed CI is found by; also where only a former id or label came or went."""
        known = self._known
        wanted = {change.id for change in changes if isinstance(change.after, CI)}
        wanted |= {known.identities.survivor(id_) for id_ in renamed}
        return {
            id_: lookup.handles(ci)
            | {Handle("former_id", old) for old in known.identities.former(id_)}
            | {Handle("former_label", label) for label in known.identities[id_].labels}
            | self._merged_handles(id_)
            for id_ in wanted
            if (ci := known.beside.cis.get(id_)) is not None
        }

    def _merged_handles(self, id_: str) -> set[Handle]:
        """What a merged CI was known by, in force or not: the serial of a board that was replaced leads to it."""
        if next(self._known.identities.former(id_), None) is None:
            return set()
        found = {Handle(token[0], token[1]) for token in self._known.identities[id_].known if token[0] in SCHEMES}
        return {one for one in found if one.kind != "member_serial" or Handle("serial", one.value) not in found}

    # Records

    def _keep(
        self, step: Stepped, told: Mapping[Place, set[str]], changed: set[Place], identities: Mapping[str, Identity],
        changes: Iterable[Change],
    ) -> None:  # fmt: skip
        known = self._known
        records: list[Record] = []
        for place in sorted({*told, *changed}):
            cis = known.cis_of.get(place, frozenset())
            sightings = known.places[place]
            records += [sighting_record(sightings[id_]) for id_ in sorted(told.get(place, ()))]
            records.append(confirmation_record(sightings.values(), cis))
        records += [identity_record(one) for _, one in sorted(identities.items())]
        records += self._problems(step, changes)
        for start in range(0, len(records), _PAGE):
            self._tx.put(records[start : start + _PAGE])

    def _problems(self, step: Stepped, changes: Iterable[Change]) -> list[Record]:
        """Those that are new; those that were mended go."""
        known = self._known
        now: dict[str, Told] = {}
        for problem in step.projected.problems:
            about = tuple(sorted((step.ids[group] for group in problem.about if group in step.ids), key=order_of))
            homes = tuple(sorted(_home(home, step.ids) for home in problem.homes))
            id_ = codec.digest([problem.kind, about, problem.text, homes])[:32]
            now[id_] = known.problems.get(id_) or Told(
                problem.kind, about, problem.text, self._since(problem.kind, homes), homes
            )
        mended = sorted(known.problems.at(_homes(step, self.news, changes)) - now.keys())
        if mended:
            self._tx.drop(PROBLEMS, mended)
        new = {id_: told for id_, told in now.items() if known.problems.get(id_) is None}
        known.tell({**dict.fromkeys(mended), **new})
        return [problem_record(id_, told) for id_, told in sorted(new.items())]

    def _since(self, kind: str, homes: tuple[tuple[str, ...], ...]) -> datetime:
        """Since when something shared is a problem: as long as it was told of fewer CIs, or in other words."""
        if all(home[0] == "ci" for home in homes):
            return self._now
        problems = self._known.problems
        before = [told for id_ in problems.at(homes) if (told := problems.get(id_)) is not None]
        return min([told.since for told in before if (told.kind, told.homes) == (kind, homes)], default=self._now)


def _home(home: Home, ids: Mapping[int, str]) -> tuple[str, ...]:
    """A home by the id of its CI."""
    return ("ci", ids[home]) if isinstance(home, int) else home


def _homes(step: Stepped, news: News, changes: Iterable[Change]) -> set[tuple[str, ...]]:
    """What was looked at in a step."""
    part = step.resolution.part
    judged = step.region.values - step.region.skipped
    found = {value_home(value) for value in (*judged, *(conflict.value for conflict in part.left))}
    found |= {node_home(key) for key in (*part.keys, *part.sought, *news.nodes)}
    found |= {("ci", id_) for id_ in (*step.before, *(step.ids[group] for group in step.groups))}
    images = [*(change.before for change in changes), *(step.projected.cis[group] for group in step.groups)]
    return found | {shared for ci in images if isinstance(ci, CI) for shared in shared_by(ci)}


def settle(known: Known, step: Stepped, places: Iterable[Place]) -> tuple[set[Place], set[Place]]:
    """Settle who is who now; gives the places that speak of other CIs than before, and those that were touched."""
    resolution, settled = step.resolution, known.settled
    keys = {*resolution.part.keys, *resolution.part.sought}
    old = {key: settled.ci_of.get(key) for key in keys}
    cards = cards_of(resolution, step.assigned.ids) | _found_beside(step)
    gone = step.before - {step.ids[group] for group in step.projected.cis}
    conflicts = {one.value: one for one in resolution.conflicts}
    conflicts |= {value: step.region.left(value) for value in step.region.skipped}
    known.settle({*gone, *step.region.cis}, cards)
    known.burn(step.region.values, conflicts)
    known.fall_back(keys, resolution.fallen_back)
    moved = [key for key in keys if old[key] != settled.ci_of.get(key)]
    touched = {(voice.space, voice.source) for key in moved for voice in known.index.speakers(key)} | set(places)
    return _spoken(known, touched), touched


def _found_beside(step: Stepped) -> dict[str, Card]:
    """The cards of CIs beside the part that other names and addresses mean now."""
    resolution = step.resolution
    cards = resolution.settled.cards
    part = step.region.cis
    found: dict[str, Card] = {}
    fallen_back = resolution.fallen_back | (resolution.settled.fallen_back & set(resolution.part.keys))
    for key in {*resolution.part.sought, *fallen_back}:
        old, group = resolution.settled.ci_of.get(key), resolution.group_of.get(key)
        new = resolution.id_of(group) if group is not None and group < 0 else None
        if old != new:
            if old is not None and old not in part:
                card = found.get(old, cards[old])
                found[old] = replace(card, found=card.found - {key})
            if new is not None:
                card = found.get(new, cards[new])
                found[new] = replace(card, found=card.found | {key})
    return found


def _spoken(known: Known, touched: Iterable[Place]) -> set[Place]:
    """Note whom places speak of; gives those where that has changed."""
    changed = set()
    for place in touched:
        cis = frozenset(
            id_
            for voice in known.index.voices.get(place, ())
            for key in known.index.named(voice)
            if (id_ := known.settled.ci_of.get(key)) is not None
        )
        if known.cis_of.get(place, frozenset()) != cis:
            known.speak_of(place, cis)
            changed.add(place)
    return changed
