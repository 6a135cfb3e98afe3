"""All that is known, in memory: what was said, who is who, and what is stored of it. It follows the records.

Every change of it leaves its inverse behind until the transaction is committed: what fails leaves nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cmdb import codec
from cmdb.evidence import Place, Sighting, World, ordered_runs
from cmdb.evidence_records import CONFIRMATION, DECISION, RUN, SIGHTING, packed, unpacked, world_of
from cmdb.identity import IDENTITY, Identities, Identity, assign, identity_of
from cmdb.index import Index, ValueKey, index_of, voices_at
from cmdb.model import CI, Change, Decision, Graph, Relation, RunSection
from cmdb.nodes import Key, Node, Voice
from cmdb.project import utterances
from cmdb.resolution import Part, Resolution
from cmdb.resolve import resolve_all
from cmdb.rules import Rules
from cmdb.settled import Card, Conflict, Settled
from cmdb.store.base import Record
from cmdb.surroundings import Surroundings
from cmdb.tables import enter

PROBLEMS: Final = "problem"
CLOCK: Final = "clock"


_MOMENT: Final = timedelta(microseconds=1)
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class Told(NamedTuple):
    """A problem as it is kept: since when, about which CIs, and in words; `homes` say when it is looked at again."""

    kind: str
    about: tuple[str, ...]
    text: str
    since: datetime
    homes: tuple[tuple[str, ...], ...] = ()


def problem_record(id_: str, told: Told) -> Record:
    """A problem as a record."""
    document = {
        "kind": told.kind, "about": list(told.about), "text": told.text, "since": codec.time_out(told.since),
        "homes": [list(home) for home in told.homes],
    }  # fmt: skip
    return Record(PROBLEMS, id_, packed(document), frozenset({id_}))


def told_of(record: Record) -> Told:
    """A problem from its record."""
    document = unpacked(record.doc)
    homes = tuple(tuple(home) for home in document.get("homes", []))
    return Told(document["kind"], tuple(document["about"]), document["text"], codec.time_in(document["since"]), homes)


class Problems:
    """The problems by id, and by home."""

    def __init__(self, given: Mapping[str, Told]) -> None:
        self._all: dict[str, Told] = {}
        self._at: dict[tuple[str, ...], set[str]] = {}
        for id_, told in given.items():
            self.put(id_, told)

    def get(self, id_: str) -> Told | None:
        return self._all.get(id_)

    def at(self, homes: Iterable[tuple[str, ...]]) -> set[str]:
        """The ids of the problems that have one of these homes; those without any are always looked at."""
        return {id_ for home in (*homes, ()) for id_ in self._at.get(home, ())}

    def put(self, id_: str, told: Told | None) -> None:
        before = self._all.pop(id_, None)
        if before is not None:
            enter(((self._at, home) for home in before.homes or ((),)), id_, add=False)
        if told is not None:
            self._all[id_] = told
            enter(((self._at, home) for home in told.homes or ((),)), id_, add=True)


@dataclass(slots=True)
class Written:
    """What a transaction wrote, for other processes that follow: which places, ids and problems."""

    places: set[Place] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    problems: set[str] = field(default_factory=set)
    runs: bool = False
    decisions: bool = False
    whole: bool = False


@dataclass(slots=True)
class Known:
    """Everything, as of one count of evidence. `whole`: what is stored was not projected from what is known yet."""

    evidence: int
    revision: int
    world: World
    places: dict[Place, dict[str, Sighting]]
    identities: Identities
    cis_of: dict[Place, frozenset[str]]
    problems: Problems
    index: Index
    settled: Settled
    beside: Surroundings
    missing_after: int
    clock: datetime | None = None
    whole: bool = False
    due: dict[Place, datetime] = field(default_factory=dict)
    next_due: datetime | None = None
    undo: list[Callable[[], None]] = field(default_factory=list)
    written: Written = field(default_factory=Written)

    # Changing, each with its inverse

    def take(self, place: Place, sighting: Sighting) -> None:
        at = self.places.setdefault(place, {})
        before = at.get(sighting.id)
        at[sighting.id] = sighting
        self.written.places.add(place)

        def back() -> None:
            if before is None:
                del at[sighting.id]
                if not at:
                    del self.places[place]
            else:
                at[sighting.id] = before

        self.undo.append(back)

    def close(self, run: RunSection) -> None:
        before = self.world
        self.written.runs = True
        others = (one for one in before.runs if not one.is_again(run))
        self.world = replace(before, runs=ordered_runs((*others, run)))
        self.undo.append(lambda: setattr(self, "world", before))

    def decide(self, decisions: Iterable[Decision]) -> None:
        before = self.world
        self.written.decisions = True
        kept = {one.id: one for one in (*before.decisions, *decisions)}
        self.world = replace(before, decisions=tuple(kept[id_] for id_ in sorted(kept)))
        self.undo.append(lambda: setattr(self, "world", before))

    def voices(self, place: Place) -> tuple[Voice, ...]:
        """The voices of a place, worked out from what is kept there."""
        return voices_at(self.places.get(place, {}).values(), self.world.runs, self.missing_after)

    def renew(self, place: Place) -> dict[Key, Node | None]:
        """Bring a place's voices up to date; gives the nodes that are others now as they were."""
        before = self.index.voices.get(place, ())
        self.undo.append(lambda: self._put_back(place, before))
        return self.index.replace(place, self.voices(place))

    def _put_back(self, place: Place, voices: tuple[Voice, ...]) -> None:
        self.index.replace(place, voices)

    def confirm(self, place: Place) -> None:
        """Note that a place said the same again."""
        self.index.confirm(place, lambda: self.voices(place))

    def settle(self, gone: Iterable[str], cards: Mapping[str, Card]) -> None:
        gone = set(gone)
        before = {id_: card for id_ in {*gone, *cards} if (card := self.settled.cards.get(id_)) is not None}
        new = cards.keys() - before.keys()
        self.undo.append(lambda: self.settled.settle(new, before))
        self.settled.settle(gone, cards)

    def identify(self, changed: Mapping[str, Identity]) -> None:
        before = {id_: self.identities.get(id_) for id_ in changed}
        self.undo.append(lambda: self._identify(before))
        self.written.ids |= changed.keys()
        self._identify(changed)

    def _identify(self, changed: Mapping[str, Identity | None]) -> None:
        for id_, one in changed.items():
            self.identities.put(id_, one)

    def store(self, changes: Iterable[Change]) -> None:
        every = list(changes)
        self.undo.append(lambda: _store(self.beside, [Change(one.id, one.after, one.before) for one in every]))
        _store(self.beside, every)

    def tell(self, problems: Mapping[str, Told | None]) -> None:
        before = {id_: self.problems.get(id_) for id_ in problems}
        self.undo.append(lambda: self._tell(before))
        self.written.problems |= problems.keys()
        self._tell(problems)

    def _tell(self, problems: Mapping[str, Told | None]) -> None:
        for id_, told in problems.items():
            self.problems.put(id_, told)

    def burn(self, judged: Iterable[ValueKey], conflicts: Mapping[ValueKey, Conflict]) -> None:
        """Put conflicts in the stead of those of the values that were judged."""
        burnt = self.settled.burnt
        before = {value: burnt[value] for value in judged if value in burnt}
        for value in before:
            del burnt[value]
        burnt.update(conflicts)

        def back() -> None:
            for value in conflicts:
                burnt.pop(value, None)
            burnt.update(before)

        self.undo.append(back)

    def fall_back(self, judged: Iterable[Key], found: Iterable[Key]) -> None:
        """Note which nodes only a name or an address led to, of those that were judged."""
        before = set(self.settled.fallen_back)
        self.settled.fallen_back = (before - set(judged)) | set(found)
        self.undo.append(lambda: setattr(self.settled, "fallen_back", before))

    def speak_of(self, place: Place, cis: frozenset[str]) -> None:
        before = self.cis_of.get(place, frozenset())
        self.undo.append(lambda: self.cis_of.update({place: before}))
        self.written.places.add(place)
        self.cis_of[place] = cis

    def roll_back(self) -> None:
        """Take back all that was changed since the last commit."""
        while self.undo:
            self.undo.pop()()
        self.written = Written()

    def committed(self, evidence: int, revision: int) -> None:
        """Keep what was changed."""
        self.evidence, self.revision = evidence, revision
        self.undo.clear()
        self.written = Written()

    def plan(self, place: Place, rules: Rules, now: datetime) -> None:
        """Note when time alone changes what a place says: a claim gets stale, somebody missing is retired."""
        found: list[datetime] = []
        for voice in self.index.voices.get(place, ()):
            for said in (*voice.said, *voice.asides):
                stale_from = rules.stale_from(said.name, said.held.confirmed)
                if stale_from is not None:
                    found.append(stale_from)
            if voice.line is not None and voice.line.past is not None:
                ci = self.beside.cis.get(self.settled.ci_of.get(voice.line.key, ""))
                if ci is not None:
                    found.append(voice.line.past + rules.retired_after(ci.cls))
        left = [at for at in found if at >= now]
        before, next_before = self.due.get(place), self.next_due
        if left:
            self.due[place] = min(left) + _MOMENT
            self.next_due = min(self.due[place], self.next_due or self.due[place])
        else:
            self.due.pop(place, None)

        def back() -> None:
            self.next_due = next_before
            if before is None:
                self.due.pop(place, None)
            else:
                self.due[place] = before

        self.undo.append(back)

    def due_by(self, now: datetime) -> list[Place]:
        """The places whose deadline has passed."""
        if self.next_due is None or self.next_due > now:
            return []
        found = sorted(place for place, at in self.due.items() if at <= now)
        if not found:
            # Whose deadline it was said the same again meanwhile; nobody need look through all for it once more.
            self.next_due = min(self.due.values(), default=None)
        return found

    def passed(self, now: datetime) -> None:
        """All deadlines up to now have been seen to."""
        clock, next_before = self.clock, self.next_due

        def back() -> None:
            self.clock, self.next_due = clock, next_before

        self.undo.append(back)
        self.clock = now
        self.next_due = min(self.due.values(), default=None)

    def made_whole(self) -> None:
        """What is stored was projected from what is known."""
        before = self.whole
        self.undo.append(lambda: setattr(self, "whole", before))
        self.whole = False

    # Reading

    def view(self) -> Resolution:
        """Who is who, as it is settled: CIs are numbered as they are asked for."""
        return Resolution(
            self.index, self.settled, Part((), ()), burnt=frozenset(self.settled.burnt),
            fallen_back=frozenset(self.settled.fallen_back), decisions=self.world.decisions,
        )  # fmt: skip


def _store(beside: Surroundings, changes: Iterable[Change]) -> None:
    for change in changes:
        before, after = change.before, change.after
        if isinstance(before, CI) or isinstance(after, CI):
            beside.put(change.id, after if isinstance(after, CI) else None)
    for change in changes:
        before, after = change.before, change.after
        if isinstance(before, Relation) or isinstance(after, Relation):
            beside.relate(
                before if isinstance(before, Relation) else None, after if isinstance(after, Relation) else None
            )


def load(records: Callable[[str], Sequence[Record]], graph: Graph, rules: Rules, evidence: int) -> Known:
    """Everything from the records and the graph, at one count of evidence."""
    # Nothing of what is made here is garbage: to look for some, again and again, took a third of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _loaded(records, graph, rules, evidence)
    finally:
        if collecting:
            gc.freeze()
            gc.enable()


def _loaded(records: Callable[[str], Sequence[Record]], graph: Graph, rules: Rules, evidence: int) -> Known:
    confirmations = records(CONFIRMATION)
    world = world_of(records(SIGHTING), confirmations, records(RUN), records(DECISION))
    places = {place: dict(at) for place, at in world.places.items()}
    world = replace(world, places=places)
    cis_of: dict[Place, frozenset[str]] = {}
    for record in confirmations:
        document = unpacked(record.doc)
        cis_of[document["space"], document["source"]] = record.cis
    clocks = [record.at for record in records(CLOCK)]
    found = Known(
        evidence, graph.revision, world, places,
        Identities(identity_of(record) for record in records(IDENTITY)), cis_of,
        Problems({record.id: told_of(record) for record in records(PROBLEMS)}),
        index_of(places, world.runs, rules.missing_after), Settled(),
        Surroundings(graph.cis.values(), graph.relations.values()), rules.missing_after,
        clocks[0] if clocks else None,
    )  # fmt: skip
    _settle(found, rules)
    return found


def _settle(known: Known, rules: Rules) -> None:
    """Who is who, from scratch, by the ids that they have."""
    resolution = resolve_all(known.index, known.world.decisions, known.settled)
    told = [group for group in range(len(resolution.groups)) if _is_told(resolution, group)]
    assigned = assign(resolution, told, known.identities, _unnamed)
    found = {group: id_ for group, id_ in assigned.ids.items() if id_ in known.beside.cis}
    # Problems that an earlier version kept do not say when to look at them again.
    known.whole = len(found) < len(assigned.ids) or bool(known.problems.at(()))
    known.settled.settle((), cards_of(resolution, found))
    known.settled.burnt = {conflict.value: conflict for conflict in resolution.conflicts}
    known.settled.fallen_back = set(resolution.fallen_back)
    for place in known.index.voices:
        known.plan(place, rules, known.clock or _EVER)
    known.undo.clear()


def _is_told(resolution: Resolution, group: int) -> bool:
    """Whether a claim in force names a group; only the lines of one CI revoke each other's sections."""
    if resolution.lines(group):
        return True
    index = resolution.index
    for key in resolution.keys(group):
        for voice in index.speakers(key):
            speaker = None if voice.key is None else resolution.number(voice.key)
            if speaker is None or len(resolution.lines(speaker)) == 1:
                return True
    return bool(utterances(resolution, group, Rules(), _EVER))


def cards_of(resolution: Resolution, ids: Mapping[int, str]) -> dict[str, Card]:
    """The cards of the groups of a part that have ids, with whom they are in, and which weak keys mean them."""
    found: dict[int, set[Key]] = {}
    for key, group in resolution.group_of.items():
        if key[0] == "weak" or key in resolution.fallen_back:
            found.setdefault(group, set()).add(key)
    cards: dict[str, Card] = {}
    for group, id_ in ids.items():
        owner = resolution.owner(group)
        card = resolution.cards[group]
        owner_id = None if owner is None else ids.get(owner[0]) if owner[0] >= 0 else resolution.id_of(owner[0])
        cards[id_] = replace(
            card,
            found=frozenset(found.get(group, ())),
            owner=None if owner is None or owner_id is None else (owner_id, owner[1]),
        )
    return cards


def _unnamed(count: int) -> Sequence[str]:
    """Ids for groups that have none yet."""
    return [f"new-{number}" for number in range(count)]
