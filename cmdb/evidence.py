"""What is stored of what was said: reports become sightings, sightings records, and all of them together a World.

A sighting is kept by its *head*: all its identifiers, its full MAC list, the names of its full sections. Two sightings
of one address with equal heads are one; it holds, for each name, the newest full section, the partial ones after it,
and the newest refusal. Every rule of `taken_in` takes the newest (or the greater of two at one time), so that it gives
the same for any order, repetition and delay of the same reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from cmdb import codec, identifiers
from cmdb.codec import Json
from cmdb.inside import told_apart
from cmdb.model import (
    Completeness,
    Decision,
    GroupClaim,
    Identifier,
    ModelError,
    Report,
    RunSection,
    Section,
    Subject,
    Value,
    check_value,
)
from cmdb.schema import COLUMN_TYPES, class_row, relation_row

INTERFACES: Final = ".interfaces"
"""The end of the name of a section that lists a device's interfaces, and with them its MACs."""


@dataclass(frozen=True, slots=True)
class Held:
    """A section as it is kept: `digest` of what it says, first said and last confirmed when, by which reply last.

    `ages` has the values (`value_token`) that were said longer than the section as a whole, and since when.
    """

    section: Section
    digest: str
    since: datetime
    confirmed: datetime
    evidence: str | None
    ages: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def since_of(self, subject: Subject, attribute: str, value: Value) -> datetime:
        """Since when this source says that a subject has a value."""
        return self.ages.get(value_token(subject, attribute, value), self.since) if self.ages else self.since


class Refusal(NamedTuple):
    """The newest time that a section was denied or failed, and why."""

    time: datetime
    completeness: Completeness
    problem: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept under one section name of one sighting; the partial ones are newer than the full one."""

    full: Held | None = None
    partials: tuple[Held, ...] = ()
    refusal: Refusal | None = None

    @property
    def held(self) -> tuple[Held, ...]:
        return self.partials if self.full is None else (self.full, *self.partials)


@dataclass(frozen=True, slots=True)
class Head:
    """What tells one thing at an address from another. `macs` is None where no interface section was full."""

    identifiers: frozenset[Identifier]
    macs: frozenset[str] | None
    full: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one address said, once or as often as its head stayed the same. Times are of the first and the last.

    `runs` are the last runs that it was seen in (a run is closed after its last sighting). `away` are the longest times
    between the first and the last in which it was not seen, each from when to when.
    """

    id: str
    space: str
    source: str
    port: int
    head: Head
    first: datetime
    time: datetime
    runs: frozenset[str]
    sections: Mapping[str, Kept]
    away: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def declared(self) -> bool:
        return self.source.startswith("declared:")


Place: TypeAlias = tuple[str, str]
"""An address space and a source in it."""


@dataclass(frozen=True, slots=True)
class World:
    """All that was said and decided, by place and id: what resolution and projection are functions of."""

    places: Mapping[Place, Mapping[str, Sighting]] = field(default_factory=lambda: MappingProxyType({}))
    runs: tuple[RunSection, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def sightings(self) -> Iterator[Sighting]:
        """Every sighting."""
        return (one for at in self.places.values() for one in at.values())

    def at(self, space: str, source: str) -> list[Sighting]:
        """What is kept of one source."""
        return list(self.places.get((space, source), {}).values())


RUNS_KEPT: Final = 4
SHORT: Final = timedelta(days=1)
"""Nothing is retired for being away no longer than this: deadlines are in days."""
_LONGEST: Final = 16
"""So many of the longest absences are kept."""


EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


def check_time(time: datetime, where: str) -> None:
    """Refuse a time that no clock shows which is set: deadlines are reckoned from it."""
    if not EARLIEST <= time <= LATEST:
        raise ModelError(f"{where}: {time:%Y-%m-%d} is no time of a scan; set the clock of whatever made it")


def check(report: Report) -> None:
    """Refuse what the tables do not know. ModelError says which section, and what in it."""
    check_time(report.time, f"report of {report.source}")
    for section in report.sections:
        where = f"report of {report.source}, section {section.name}"
        check_time(section.time, where)
        for statement in section.statements:
            _check_subject(statement.about)
            for name, value in statement.attributes.items():
                check_value(value, f"{where}, {name}")
        for claim in section.relations:
            relation_row(claim.type)
            _check_subject(claim.source)
            _check_subject(claim.target)
            for name, value in claim.columns.items():
                if name not in COLUMN_TYPES:
                    raise ModelError(f"{where}: {claim.type}: unknown key {name!r}; known: {', '.join(COLUMN_TYPES)}")
                check_value(value, f"{where}, {claim.type}, {name}")
        for group in section.groups:
            relation_row(group.type)
            _check_subject(group.of)


def _check_subject(subject: Subject) -> None:
    if subject.cls is not None:
        class_row(subject.cls)
    if subject.owner is not None:
        _check_subject(subject.owner)


def normalised(report: Report) -> Report:
    """The report with every identifier in its one spelling, placeholders and shared addresses left out."""
    return told_apart(replace(report, sections=tuple(_section(section) for section in report.sections)))


def _section(section: Section) -> Section:
    return replace(
        section,
        statements=tuple(replace(statement, about=_subject(statement.about)) for statement in section.statements),
        relations=tuple(
            replace(claim, source=_subject(claim.source), target=_subject(claim.target)) for claim in section.relations
        ),
        groups=tuple(_group(group) for group in section.groups),
    )


def _group(group: GroupClaim) -> GroupClaim:
    legs = tuple(leg if isinstance(leg, str) else _subject(leg) for leg in group.legs)
    active = group.active if group.active is None or isinstance(group.active, str) else _subject(group.active)
    return replace(group, of=_subject(group.of), legs=legs, active=active)


def _subject(subject: Subject) -> Subject:
    found = frozenset(one for given in subject.identifiers if (one := identifiers.normalise(*given)) is not None)
    address = identifiers.address(subject.address) if subject.address is not None else None
    owner = None if subject.owner is None else _subject(subject.owner)
    if found == subject.identifiers and address == subject.address and owner == subject.owner:
        return subject
    return replace(subject, identifiers=found, address=address, owner=owner)


def effective(found: Iterable[Identifier]) -> frozenset[Identifier]:
    """What identifies: a serial is also a member serial, and who gives member serials has only those."""
    given = frozenset(found)
    serials = {one.value for one in given if one.scheme == "serial"}
    if not serials:
        return given
    members = frozenset(Identifier("member_serial", value) for value in serials)
    if any(one.scheme == "member_serial" for one in given):
        given = frozenset(one for one in given if one.scheme != "serial")
    return given | members


def own_identifiers(sections: Iterable[Section]) -> frozenset[Identifier]:
    """The identifiers that sections give of what answered itself."""
    return frozenset(
        one
        for section in sections
        for statement in section.statements
        if statement.about.itself
        for one in statement.about.identifiers
    )


def macs_of(sections: Iterable[Section]) -> frozenset[str] | None:
    """The full MAC list: of the interface sections among full ones; None where none of them has a MAC."""
    listing = [section for section in sections if section.name.endswith(INTERFACES)]
    return frozenset(one.value for one in own_identifiers(listing) if one.scheme == "mac") or None


def head_of(report: Report) -> Head:
    if report.declared:
        return Head(frozenset(), None, frozenset())
    full = [section for section in report.sections if section.completeness is Completeness.FULL]
    partial = [section for section in report.sections if section.completeness is Completeness.PARTIAL]
    return Head(
        effective(own_identifiers([*full, *partial])), macs_of(full), frozenset(section.name for section in full)
    )


def head_out(head: Head) -> Json:
    """A head as JSON."""
    macs = None if head.macs is None else sorted(head.macs)
    return {"identifiers": codec.identifiers_out(head.identifiers), "macs": macs, "full": sorted(head.full)}


def head_in(document: Json) -> Head:
    """The head of its JSON."""
    macs = None if document["macs"] is None else frozenset(document["macs"])
    return Head(codec.identifiers_in(document["identifiers"]), macs, frozenset(document["full"]))


def sighting_id(space: str, source: str, port: int, head: Head) -> str:
    """Without any identifier a thing is known by its address and port; with one, the port says nothing."""
    known_by = 0 if head.identifiers else port
    return codec.digest([space, source, known_by, head_out(head)])[:32]


def taken_in(at: Mapping[str, Sighting], report: Report) -> tuple[Sighting, bool]:
    """The sighting in which a (normalised) report is kept beside those of its place; whether it says anything new."""
    head = head_of(report)
    id_ = sighting_id(report.space, report.source, report.port, head)
    old = at.get(id_)
    sections = dict(old.sections) if old is not None else {}
    said: dict[str, list[Section]] = {}
    for section in report.sections:
        said.setdefault(section.name, []).append(section)
    for name, given in said.items():
        for section in sorted(given, key=lambda one: (one.time, one.completeness.value)):
            sections[name] = _kept(sections.get(name, Kept()), section)
    runs = frozenset() if report.run is None else frozenset({report.run})
    if old is None:
        now = Sighting(
            id_, report.space, report.source, report.port, head, report.time, report.time, runs,
            MappingProxyType(sections),
        )  # fmt: skip
    else:
        newest = report if report.time >= old.time else old
        runs = frozenset(sorted(old.runs | runs)[-RUNS_KEPT:])
        now = replace(
            old, port=newest.port, first=min(old.first, report.time), time=max(old.time, report.time), runs=runs,
            sections=MappingProxyType(sections), away=_away(old, report.time),
        )  # fmt: skip
    return now, old is None or _content(old) != _content(now)


def _away(old: Sighting, time: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """The times in which it was not seen, with one more at which it was."""
    found = list(old.away)
    if time > old.time:
        found.append((old.time, time))
    elif time < old.first:
        found.append((time, old.first))
    else:
        found = [
            part
            for start, end in found
            for part in ([(start, time), (time, end)] if start < time < end else [(start, end)])
        ]
    long = [part for part in found if part[1] - part[0] > SHORT]
    return tuple(sorted(sorted(long, key=lambda part: (part[0] - part[1], part[0]))[:_LONGEST]))


def _content(sighting: Sighting) -> Json:
    """What a sighting says, without when."""
    return {
        name: (
            None if kept.full is None else kept.full.digest,
            [one.digest for one in kept.partials],
            None if kept.refusal is None else (kept.refusal.completeness, _is_newest(kept)),
        )
        for name, kept in sighting.sections.items()
    }


def _is_newest(kept: Kept) -> bool:
    """Whether a refusal is the last that was heard of a section."""
    return kept.refusal is not None and all(held.confirmed <= kept.refusal.time for held in kept.held)


def _kept(kept: Kept, section: Section) -> Kept:
    if section.completeness in {Completeness.DENIED, Completeness.FAILED}:
        refusal = Refusal(section.time, section.completeness, section.problem)
        if kept.refusal is None or (refusal.time, refusal.completeness) > kept.refusal[:2]:
            return replace(kept, refusal=refusal)
        return kept
    digest = codec.digest(codec.content_out(section))
    new = Held(section, digest, section.time, section.time, section.evidence)
    if section.completeness is Completeness.FULL:
        return _with_full(kept, new)
    if kept.full is not None and new.confirmed <= kept.full.confirmed:
        return kept
    others = [held for held in kept.partials if held.digest != digest]
    same = [held for held in kept.partials if held.digest == digest]
    return replace(kept, partials=in_order([*others, _confirmed([*same, new])]))


def _with_full(kept: Kept, new: Held) -> Kept:
    old = kept.full
    if old is None:
        full = new
    elif old.digest == new.digest:
        full = _confirmed([old, new])
    else:
        earlier, later = sorted((old, new), key=lambda held: (held.confirmed, held.digest))
        full = replace(later, ages=_ages(earlier, later))
    return replace(
        kept, full=full, partials=in_order(held for held in kept.partials if held.confirmed > full.confirmed)
    )


def value_token(subject: Subject, attribute: str, value: Value) -> str:
    """What tells one said value from another; what answered stays itself whatever it is called or known by."""
    if subject.itself:
        subject = replace(subject, cls=None, name=None, identifiers=frozenset())
    return codec.digest([codec.subject_out(subject), attribute, codec.value_out(value)])[:16]


def _tokens(section: Section) -> Iterator[str]:
    for statement in section.statements:
        about = statement.about
        said = {"class": about.cls, "name": about.name, **statement.attributes}
        yield from (value_token(about, name, value) for name, value in said.items() if value is not None)
        yield from (value_token(about, scheme, value) for scheme, value in about.identifiers)


def _ages(earlier: Held, later: Held) -> Mapping[str, datetime]:
    """Of a section that replaces another: which of its values the other said already, and since when."""
    before = {token: earlier.ages.get(token, earlier.since) for token in _tokens(earlier.section)}
    found = dict(later.ages)
    for token in _tokens(later.section):
        if token in before and before[token] < found.get(token, later.since):
            found[token] = before[token]
    return MappingProxyType(found)


def _confirmed(same: list[Held]) -> Held:
    """One of several that say the same, confirmed when the newest was. The first object stays: memories hang on it."""
    newest = max(same, key=lambda held: held.confirmed)
    since = min(held.since for held in same)
    return replace(same[0], since=since, confirmed=newest.confirmed, evidence=newest.evidence)


def in_order(partials: Iterable[Held]) -> tuple[Held, ...]:
    """Partial sections in the order in which they were confirmed."""
    return tuple(sorted(partials, key=lambda held: (held.confirmed, held.digest)))


def ordered_runs(runs: Iterable[RunSection]) -> tuple[RunSection, ...]:
    return tuple(sorted(runs, key=lambda run: (run.time, run.space, run.run, run.networks)))
