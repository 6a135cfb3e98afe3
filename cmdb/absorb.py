"""One write transaction: what was said goes in, what it makes of the graph comes out, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cmdb import codec, lookup
from cmdb.evidence import (
    CONFIRMATION,
    DECISION,
    RUN,
    SIGHTING,
    Merge,
    Sighting,
    World,
    check,
    confirmation_record,
    decision_record,
    merged,
    normalised,
    ordered_runs,
    packed,
    run_record,
    sighting_record,
    unpacked,
    world_of,
)
from cmdb.identity import IDENTITY, Identity, assign, former_ids, identity_of, identity_record
from cmdb.lines import Line
from cmdb.model import CI, Change, Component, Decision, Graph, Relation, Report, RunSection, State, Value
from cmdb.nodes import Voice
from cmdb.project import GROUP, Projected, Shapes, project
from cmdb.project_gaps import is_stale
from cmdb.project_relations import CABLE, Bond, turned
from cmdb.project_values import order_key
from cmdb.resolve import Memory, Resolution, resolve
from cmdb.rules import Rules
from cmdb.schema import RELATION_TYPES
from cmdb.store.base import Batch, Handle, Record, Transaction

PROBLEMS: Final = "problem"
EMPTY_PLACES: Final[Mapping[tuple[str, str], set[str]]] = MappingProxyType({})
_PAGE: Final = 2000


class Told(NamedTuple):
    """A problem as it is kept: since when, about which CIs, and in words."""

    kind: str
    about: tuple[str, ...]
    text: str
    since: datetime


@dataclass(slots=True)
class Known:
    """What the records say, parsed, as of one count of evidence; and what was worked out of it last."""

    evidence: int
    world: World
    identities: Mapping[str, Identity]
    cis_of: dict[tuple[str, str], frozenset[str]]
    problems: Mapping[str, Told]
    memory: Memory = field(default_factory=Memory)
    shapes: Shapes = field(default_factory=Shapes)
    resolution: Resolution | None = None
    projected: Projected | None = None
    ids: Mapping[int, str] = field(default_factory=dict)
    named: dict[str, tuple[CI, CI]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction did, and what is known after it."""

    known: Known
    revision: int | None
    changes: tuple[Change, ...]


def load(tx: Transaction) -> Known:
    """Everything from the records, under the lock."""
    return load_from(tx.records, tx.position.evidence)


def absorb(
    tx: Transaction, known: Known, graph: Graph, report: Report, rules: Rules, now: datetime, actor: str
) -> Outcome:
    """Take in a report."""
    check(report)
    merge = merged(known.world, normalised(report))
    place = (report.space, report.source)
    known.world, before = merge.world, known.world
    if not merge.new and _only_confirms(known, before, merge, rules, now):
        tx.put([confirmation_record(_sightings(known.world, place), known.cis_of.get(place, frozenset()))])
        known.evidence = tx.position.evidence
        # Its times are of before; whoever asks for claims has them worked out again.
        known.projected = None
        return Outcome(known, None, ())
    reason = f"{'declared by' if report.declared else 'report of'} {report.source.removeprefix('declared:')}"
    work = _Work(tx, known, graph, rules, now)
    return work.done(actor, reason, report.run, {place: {merge.sighting.id} if merge.new else set()})


def absorb_all(
    tx: Transaction, known: Known, graph: Graph, reports: Sequence[Report], rules: Rules, now: datetime, actor: str,
    reason: str,
) -> Outcome:  # fmt: skip
    """Take in several reports as one revision."""
    new: dict[tuple[str, str], set[str]] = {}
    for report in reports:
        check(report)
        merge = merged(known.world, normalised(report))
        known.world = merge.world
        new.setdefault((report.space, report.source), set()).update({merge.sighting.id} if merge.new else ())
    return _Work(tx, known, graph, rules, now).done(actor, reason, None, new)


def decide(
    tx: Transaction, known: Known, graph: Graph, decisions: Sequence[Decision], rules: Rules, now: datetime, actor: str,
    reason: str,
) -> Outcome:  # fmt: skip
    """Take in what people decided; a decision replaces the one of its id."""
    tx.put([decision_record(one) for one in decisions])
    kept = {one.id: one for one in (*known.world.decisions, *decisions)}
    known.world = replace(known.world, decisions=tuple(kept[id_] for id_ in sorted(kept)))
    return _Work(tx, known, graph, rules, now).done(actor, reason, None)


def after_before(known: Known, report: Report) -> Report:
    """A report that somebody enters now: later than all that its source said, however the clock stands."""
    said = [one.time for one in _sightings(known.world, (report.space, report.source))]
    if not said or max(said) < report.time:
        return report
    time = max(said) + timedelta(microseconds=1)
    return replace(report, time=time, sections=tuple(replace(section, time=time) for section in report.sections))


def close_run(
    tx: Transaction, known: Known, graph: Graph, run: RunSection, rules: Rules, now: datetime, actor: str
) -> Outcome:
    """Take in what a run covered."""
    if run not in known.world.runs:
        tx.put([run_record(run)])
        known.world = replace(known.world, runs=ordered_runs((*known.world.runs, run)))
    return _Work(tx, known, graph, rules, now).done(actor, f"end of run {run.run}", run.run)


def again(tx: Transaction, known: Known, graph: Graph, rules: Rules, now: datetime, actor: str, reason: str) -> Outcome:
    """Project once more: time has passed, or the rules are others."""
    return _Work(tx, known, graph, rules, now).done(actor, reason, None)


def _sightings(world: World, place: tuple[str, str]) -> list[Sighting]:
    return [one for one in world.sightings.values() if (one.space, one.source) == place]


def _only_confirms(known: Known, before: World, merge: Merge, rules: Rules, now: datetime) -> bool:
    """Whether a report that says nothing new changes nothing but times, and ends no staleness and no absence."""
    resolution = known.resolution
    old = before.sightings.get(merge.sighting.id)
    if resolution is None or old is None or merge.sighting.time < old.time:
        return False
    for name, kept in old.sections.items():
        limit = rules.staleness.get(name.partition(".")[0])
        if limit is not None and any(is_stale(held.confirmed, limit, now) for held in kept.held):
            return False
    if old.declared:
        return True
    voices = [voice for voice in resolution.voices if (voice.space, voice.source) == (old.space, old.source)]
    if len(voices) != 1 or voices[0].line is None:
        return False
    return _is_in_force(voices[0], voices[0].line, merge) and not _near_past(resolution, voices[0].line)


def _is_in_force(voice: Voice, line: Line, merge: Merge) -> bool:
    """Whether all that the sighting holds is what counts of its address already."""
    counting = {(said.name, said.held.digest) for said in (*voice.said, *voice.asides)}
    return merge.sighting.id in {line.sightings[0].id, *(one.id for one in line.silent)} and all(
        (name, held.digest) in counting for name, kept in merge.sighting.sections.items() for held in kept.held
    )


def _near_past(resolution: Resolution, line: Line) -> bool:
    """Whether a line of this CI is past, or one that shares a value with it: when it was last seen counts then."""
    if line.past is not None:
        return True
    group = resolution.group_of[line.key]
    carried = {one for key in resolution.groups[group] for one in resolution.nodes[key].identifiers}
    past = [voice.line for voice in resolution.voices if voice.line is not None and voice.line.past is not None]
    return any(resolution.group_of[one.key] == group or not carried.isdisjoint(one.identifiers) for one in past)


class _Work:
    """From a world to the changes of the graph, inside one transaction."""

    def __init__(self, tx: Transaction, known: Known, graph: Graph, rules: Rules, now: datetime) -> None:
        self._tx = tx
        self._known = known
        self._graph = graph
        self._rules = rules
        self._now = now
        self._resolution = resolve(known.world, rules.missing_after, known.memory)
        self._projected = project(known.world, self._resolution, rules, now, known.shapes)
        self._assigned = assign(self._resolution, self._projected.cis, known.identities, self._reserve)
        self._ids = self._assigned.ids
        self._identities = dict(self._assigned.identities)

    def _reserve(self, count: int) -> Sequence[str]:
        first = self._tx.reserve("ci", count)
        return [f"ci-{number}" for number in range(first, first + count)]

    def done(
        self, actor: str, reason: str, run: str | None, heard: Mapping[tuple[str, str], set[str]] = EMPTY_PLACES
    ) -> Outcome:
        """Commit the changes, and keep what was said: at which places, and which sightings say something new."""
        changes = (*self._cis(), *self._relations())
        handles = self._handles(changes)
        batch = Batch(changes, handles, actor, reason, self._now, run)
        revision = self._tx.apply(batch) if changes or handles else None
        self._keep(heard)
        known = self._known
        known.evidence = self._tx.position.evidence
        known.resolution, known.projected, known.ids = self._resolution, self._projected, self._ids
        return Outcome(known, None if revision is None else revision.n, changes)

    # CIs

    def _cis(self) -> list[Change]:
        """What becomes of each CI; one that no claim names any more is retired, one that was joined is gone."""
        stored = self._graph.cis
        found = []
        present = set()
        known, fresh = self._known.named, {}
        for group, ci in self._projected.cis.items():
            id_ = self._ids[group]
            present.add(id_)
            before = stored.get(id_)
            last = known.get(id_)
            if last is not None and last[0] is ci and last[1] is before:
                # Nobody said anything new of it, and it is inside nothing that could have got another id.
                fresh[id_] = last
                continue
            now = self._named(id_, ci)
            if before is None or not _same_ci(before, now):
                found.append(Change(id_, before, now))
            elif now.owner is None and all(part.kind != "group" for part in ci.components):
                fresh[id_] = (ci, before)
        self._known.named = fresh
        for id_, before in stored.items():
            if id_ in present:
                continue
            if self._identities[id_].joined is not None:
                found.append(Change(id_, before, None))
            elif before.state is not State.RETIRED:
                since = before.missing_since or self._now
                retired = replace(before, state=State.RETIRED, gaps={}, missing_since=since)
                found.append(Change(id_, before, retired))
        self._remember_labels(found)
        return sorted(found, key=lambda change: _order(change.id))

    def _named(self, id_: str, ci: CI) -> CI:
        owner = None if ci.owner is None else self._ids.get(int(ci.owner))
        components = ci.components
        if any(part.kind == "group" for part in components):
            components = tuple(self._part(part) if part.kind == "group" else part for part in components)
        return replace(ci, id=id_, owner=owner, key=None if owner is None else ci.key, components=components)

    def _part(self, part: Component) -> Component:
        values: dict[str, Value] = dict(part.attributes)
        legs = values["legs"]
        values["legs"] = (
            tuple(sorted(filter(None, (self._leg(leg) for leg in legs if isinstance(leg, str)))))
            if (isinstance(legs, tuple))
            else legs
        )
        if isinstance(active := values.get("active"), str):
            values["active"] = self._leg(active) or active
        return Component(part.kind, part.name, values)

    def _leg(self, leg: str) -> str | None:
        return leg if leg.startswith(GROUP) else self._ids.get(int(leg))

    def _remember_labels(self, changes: Iterable[Change]) -> None:
        """A label that a CI no longer has keeps leading to it."""
        for change in changes:
            before, after = change.before, change.after
            if not isinstance(before, CI):
                continue
            heir = after.id if isinstance(after, CI) else self._survivor(change.id)
            identity = self._identities[heir]
            lost = {before.label} if before.label is not None else set()
            labels = {**identity.labels, **dict.fromkeys(lost, self._now)}
            if after is None:
                labels |= self._identities[change.id].labels
            current = self._label_now(heir, after)
            labels.pop(current or "", None)
            if labels != dict(identity.labels):
                self._identities[heir] = replace(identity, labels=labels)

    def _survivor(self, id_: str) -> str:
        while (joined := self._identities[id_].joined) is not None:
            id_ = joined
        return id_

    def _label_now(self, id_: str, after: CI | Relation | None) -> str | None:
        if isinstance(after, CI):
            return after.label
        group = next((group for group, of in self._ids.items() if of == id_), None)
        return None if group is None else self._projected.cis[group].label

    # Relations

    def _relations(self) -> list[Change]:
        stored = {
            _natural(one.type, one.source, one.target, one.columns): one for one in self._graph.relations.values()
        }
        wanted: dict[Any, tuple[str, str, str, Mapping[str, Value]]] = {}
        for bond in self._projected.relations:
            type_, source, target, columns = self._ends(bond)
            wanted[_natural(type_, source, target, columns)] = (type_, source, target, columns)
        new = sorted(wanted.keys() - stored.keys(), key=repr)
        first = self._tx.reserve("relation", len(new)) if new else 0
        numbers = {key: f"rel-{first + place}" for place, key in enumerate(new)}
        found = [Change(stored[key].id, stored[key], None) for key in stored.keys() - wanted.keys()]
        for key, (type_, source, target, columns) in wanted.items():
            before = stored.get(key)
            if before is None:
                found.append(Change(numbers[key], None, Relation(numbers[key], type_, source, target, columns)))
            elif not _same_values(before.columns, columns):
                found.append(Change(before.id, before, replace(before, columns=columns)))
        return sorted(found, key=lambda change: _order(change.id))

    def _ends(self, bond: Bond) -> tuple[str, str, str, Mapping[str, Value]]:
        """A relation with its ids; the ends of a cable sorted by (CI id, port)."""
        source, target, columns = self._ids[bond.source], self._ids[bond.target], dict(bond.columns)
        if bond.type == CABLE:
            ends = [
                (_order(source), str(columns.get("from_port", ""))),
                (_order(target), str(columns.get("to_port", ""))),
            ]
            if ends[1] < ends[0]:
                return bond.type, target, source, turned(columns)
        return bond.type, source, target, columns

    # Handles

    def _handles(self, changes: Iterable[Change]) -> dict[str, frozenset[Handle]]:
        """All that each changed CI is found by; also where only a former id or label came or went."""
        former = former_ids(self._identities)
        now = {change.id: change.after for change in changes if isinstance(change.after, CI)}
        gone = {change.id for change in changes if change.after is None}
        for id_ in self._changed_identities():
            lasting = self._survivor(id_)
            ci = self._graph.cis.get(lasting)
            if lasting not in now and lasting not in gone and ci is not None:
                now[lasting] = ci
        return {
            id_: lookup.handles(ci)
            | {Handle("former_id", old) for old in former.get(id_, ())}
            | {Handle("former_label", label) for label in self._identities[id_].labels}
            for id_, ci in now.items()
        }

    def _changed_identities(self) -> set[str]:
        """Whose former ids or labels may have changed."""
        before = self._known.identities
        found = set()
        for id_, identity in self._identities.items():
            old = before.get(id_)
            if old is None or (identity.joined, dict(identity.labels)) != (old.joined, dict(old.labels)):
                found.add(id_)
                if old is not None and old.joined is not None:
                    found.add(old.joined)
        return found

    # Records

    def _keep(self, heard: Mapping[tuple[str, str], set[str]]) -> None:
        known = self._known
        records: list[Record] = []
        spoken = {at: frozenset(self._ids[group] for group in groups) for at, groups in self._projected.spoken.items()}
        again = {at for at, cis in spoken.items() if known.cis_of.get(at, frozenset()) != cis}
        for at in sorted(again | heard.keys()):
            cis = spoken.get(at, frozenset())
            sightings = _sightings(known.world, at)
            records += [sighting_record(one, cis) for one in sightings if at in again or one.id in heard[at]]
            records.append(confirmation_record(sightings, cis))
            known.cis_of[at] = cis
        for id_, identity in sorted(self._identities.items()):
            if known.identities.get(id_) != identity:
                records.append(identity_record(identity))
        known.identities = self._identities
        records += self._problems()
        for start in range(0, len(records), _PAGE):
            self._tx.put(records[start : start + _PAGE])

    def _problems(self) -> list[Record]:
        """Those that are new; those that were mended go."""
        before = self._known.problems
        now: dict[str, Told] = {}
        for problem in self._projected.problems:
            about = tuple(sorted((self._ids[group] for group in problem.about if group in self._ids), key=_order))
            id_ = codec.digest([problem.kind, about, problem.text])[:32]
            now[id_] = before.get(id_) or Told(problem.kind, about, problem.text, self._now)
        mended = sorted(before.keys() - now.keys())
        if mended:
            self._tx.drop(PROBLEMS, mended)
        self._known.problems = now
        return [_problem_record(id_, now[id_]) for id_ in sorted(now.keys() - before.keys())]


def _problem_record(id_: str, told: Told) -> Record:
    document = {"kind": told.kind, "about": list(told.about), "text": told.text, "since": codec.time_out(told.since)}
    return Record(PROBLEMS, id_, packed(document))


def told_of(record: Record) -> Told:
    """A problem from its record."""
    document = unpacked(record.doc)
    return Told(document["kind"], tuple(document["about"]), document["text"], codec.time_in(document["since"]))


def _order(id_: str) -> tuple[str, int]:
    kind, _, number = id_.rpartition("-")
    return kind, int(number)


def _natural(type_: str, source: str, target: str, columns: Mapping[str, Value]) -> Any:
    keys = RELATION_TYPES[type_].keys
    return type_, source, target, tuple(order_key(columns[key]) if key in columns else () for key in keys)


def _same_ci(one: CI, other: CI) -> bool:
    """Whether two images are equal, types of values included: 1 is not true."""
    return one == other and (one.attributes is other.attributes or _same_values(one.attributes, other.attributes))


def _same_values(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return dict(one) == dict(other) and all(order_key(one[name]) == order_key(other[name]) for name in one)


def load_from(records: Callable[[str], list[Record]], evidence: int) -> Known:
    """Everything from the records, at one count of evidence."""
    confirmations = records(CONFIRMATION)
    world = world_of(records(SIGHTING), confirmations, records(RUN), records(DECISION))
    cis_of = {}
    for record in confirmations:
        document = unpacked(record.doc)
        cis_of[document["space"], document["source"]] = record.cis
    identities = {record.id: identity_of(record) for record in records(IDENTITY)}
    return Known(evidence, world, identities, cis_of, {record.id: told_of(record) for record in records(PROBLEMS)})


def work_out(known: Known, rules: Rules, now: datetime) -> None:
    """Resolve and project what is known, without writing: the ids are those that are kept."""
    known.resolution = resolve(known.world, rules.missing_after, known.memory)
    known.projected = project(known.world, known.resolution, rules, now, known.shapes)
    known.ids = assign(known.resolution, known.projected.cis, known.identities, _unnamed).ids


def group_of(known: Known, ci: str) -> int | None:
    """The group of a CI in what was worked out last."""
    return next((group for group, id_ in known.ids.items() if id_ == ci), None)


def _unnamed(count: int) -> Sequence[str]:
    """Ids for groups that have none yet: a deadline passed, and nobody has projected since."""
    return [f"new-{number}" for number in range(count)]
