"""What a report or a run would end, and whether that is too much to be believed unasked. Pure.

A claim here is what can end: a component, a relation, a group, or a subject that is named. A value that is another now
ends nothing. What stands is compared line by line, so that a new device at an address ends nothing of the old one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from cmdb.evidence import Sighting, head_of, ordered_runs, sighting_id, taken_in
from cmdb.lines import Line, Said, lines_of
from cmdb.model import (
    SCHEMES,
    Completeness,
    Component,
    GroupClaim,
    Identifier,
    RelationClaim,
    Report,
    RunSection,
    Section,
    Statement,
    Subject,
    Value,
)
from cmdb.rules import Brake
from cmdb.schema import RELATION_TYPES

_HELD: Final = "waits for a person: it would end too much"


class Claim(NamedTuple):
    """A claim by what it is about: `what` is component, relation, group or subject. Names are no part of it."""

    what: str
    about: tuple[object, ...]
    key: tuple[object, ...]


class Ended(NamedTuple):
    """A claim for people: its kind (of component or relation, the class of a subject), and the rest in words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Loss:
    """What a report ends under one section name, sorted; `of` claims stood there, `new` ones came."""

    section: str
    claims: tuple[Ended, ...]
    of: int
    new: int

    @property
    def net(self) -> int:
        """How many claims fewer there are; a table that breaks off loses without gaining."""
        return len(self.claims) - self.new


class Silence(NamedTuple):
    """A line that a run would make past, when it was last seen, and what identifies it best."""

    source: str
    seen: datetime
    known_by: Identifier | None


def too_much(brake: Brake | None, ended: int, stood: int) -> bool:
    """Whether this ends more than the set share and more than the set number."""
    return brake is not None and ended > brake.number and ended > brake.share * stood


def broken_off(brake: Brake | None, losses: Iterable[Loss]) -> frozenset[str]:
    """The sections that alone lose too much: an agent that ends its table early hides in a large run."""
    return frozenset(loss.section for loss in losses if too_much(brake, loss.net, loss.of))


def confirms(sightings: Sequence[Sighting], report: Report) -> bool:
    """Whether a (normalised) report says in its full sections what its address said last: then it ends nothing."""
    if not sightings:
        return True
    newest = max(sightings, key=lambda one: (one.time, one.id))
    if newest.id != sighting_id(report.space, report.source, report.port, head_of(report)):
        return False
    if report.time < newest.time:
        return False
    for section in report.sections:
        if section.completeness is not Completeness.FULL:
            continue
        kept = newest.sections.get(section.name)
        if kept is None or kept.full is None or _content(kept.full.section) != _content(section):
            return False
    return True


def _content(section: Section) -> tuple[object, ...]:
    return section.statements, section.relations, section.groups


def losses(
    sightings: Sequence[Sighting], report: Report, runs: Sequence[RunSection], missing_after: int
) -> tuple[Loss, ...]:
    """What a (normalised) report would end of what stands at its address, by section name."""
    later = lines_of(with_report(sightings, report), runs, missing_after)
    found: dict[str, Loss] = {}
    for line in lines_of(sightings, runs, missing_after):
        one = line.sightings[0].id
        now = next(each for each in later if any(of.id == one for of in (*each.sightings, *each.silent)))
        stood, stands = _standing(line), _standing(now)
        for name, claims in stood.items():
            kept = stands.get(name, {})
            ended = claims.keys() - kept.keys()
            if ended:
                before = found.get(name, Loss(name, (), 0, 0))
                found[name] = Loss(
                    name,
                    tuple(sorted((*before.claims, *(_words(claims[claim]) for claim in ended)))),
                    before.of + len(claims),
                    before.new + len(kept.keys() - claims.keys()),
                )
    return tuple(found[name] for name in sorted(found))


def with_report(sightings: Sequence[Sighting], report: Report) -> list[Sighting]:
    """What is kept of an address, with a (normalised) report taken in."""
    at = {one.id: one for one in sightings}
    sighting, _ = taken_in(at, report)
    return list({**at, sighting.id: sighting}.values())


def stood(sightings: Iterable[Sighting], runs: Sequence[RunSection], missing_after: int) -> int:
    """How many claims stand at one address."""
    return sum(len(claims) for line in lines_of(sightings, runs, missing_after) for claims in _standing(line).values())


def _standing(line: Line) -> dict[str, dict[Claim, _Told]]:
    """The claims of a line by section name."""
    found: dict[str, dict[Claim, _Told]] = {}
    for said in chain(line.said, line.aside):
        found.setdefault(said.name, {}).update(_claims(said))
    return found


_Told: TypeAlias = "tuple[Subject, RelationClaim | GroupClaim | Component | Subject]"
"""Whom a claim is about and what it says, to be put in words."""


def _claims(said: Said) -> Iterator[tuple[Claim, _Told]]:
    section = said.held.section
    for statement in section.statements:
        yield from _stated(statement)
    for claim in section.relations:
        keys = tuple((key, str(claim.columns[key])) for key in RELATION_TYPES[claim.type].keys if key in claim.columns)
        yield Claim("relation", _who(claim.source), (claim.type, _who(claim.target), keys)), (claim.source, claim)
    for group in section.groups:
        yield Claim("group", _who(group.of), (group.type, group.name)), (group.of, group)


def _stated(statement: Statement) -> Iterator[tuple[Claim, _Told]]:
    who = _who(statement.about)
    if not statement.about.itself:
        yield Claim("subject", who, ()), (statement.about, statement.about)
    for part in statement.components:
        yield Claim("component", who, (part.kind, part.name)), (statement.about, part)


def _who(subject: Subject) -> tuple[object, ...]:
    """What tells a subject from others of its section: never a name where there is anything better."""
    if subject.itself:
        return ("itself",)
    if subject.owner is not None:
        return ("in", _who(subject.owner), subject.cls, subject.key)
    if subject.identifiers:
        return ("identifiers", *sorted(subject.identifiers))
    return ("weak", subject.address, subject.port, None if subject.address else subject.name)


def _words(told: _Told) -> Ended:
    """A claim for people: (interface, Gi1/0/3), (connects_to, Te1/1 → access-17 Gi0/1), (process, sshd:22)."""
    about, what = told
    match what:
        case RelationClaim():
            return Ended(what.type, _relation(what))
        case GroupClaim():
            return Ended("group", f"{what.name} of {_name(about)}")
        case Component():
            return Ended(what.kind, what.name if about.itself else f"{what.name} of {_name(about)}")
        case Subject():
            return Ended(what.cls or "unknown_device", _name(what))


def _relation(claim: RelationClaim) -> str:
    near, far = _text(claim.columns.get("from_port")), _text(claim.columns.get("to_port"))
    source = near if claim.source.itself and near else " ".join(filter(None, (_name(claim.source), near)))
    return f"{source} → {' '.join(filter(None, (_name(claim.target), far)))}"


def _text(value: Value | None) -> str:
    return "" if value is None else str(value)


def _name(subject: Subject) -> str:
    """How people know a subject best."""
    if subject.itself:
        return "itself"
    if subject.address is not None and subject.name is None:
        return subject.address if subject.port is None else f"{subject.address} port {subject.port}"
    known = subject.name or subject.key or next((one.value for one in sorted(subject.identifiers)), None)
    return known or "something unnamed"


def without(report: Report, names: frozenset[str]) -> Report:
    """The report less the sections of these names: of them only stays who answered, which replaces nothing."""
    return replace(
        report,
        sections=tuple(
            reduced
            for section in report.sections
            if (reduced := _reduced(section) if _counts(section, names) else section) is not None
        ),
    )


def _counts(section: Section, names: frozenset[str]) -> bool:
    return section.name in names and section.completeness is Completeness.FULL


def _reduced(section: Section) -> Section | None:
    """A partial section of the identifiers alone, so that the device is known as the one that it was."""
    who = tuple(
        Statement(one.about) for one in section.statements if one.about.itself and one.about.identifiers
    )  # fmt: skip
    if not who:
        return None
    return replace(
        section, completeness=Completeness.PARTIAL, statements=who, relations=(), groups=(), problem=_HELD
    )  # fmt: skip


def silenced(
    places: Mapping[str, Sequence[Sighting]],
    known: Sequence[RunSection],
    more: Sequence[RunSection],
    missing_after: int,
) -> tuple[Silence, ...]:
    """The lines of one space, by source, that more runs would make past."""
    after = ordered_runs((*known, *more))
    found: list[Silence] = []
    for source, sightings in sorted(places.items()):
        past = {line.key for line in lines_of(sightings, after, missing_after) if line.past is not None}
        found += [
            Silence(source, line.seen, strongest(line.identifiers))
            for line in lines_of(sightings, known, missing_after)
            if line.past is None and line.key in past
        ]
    return tuple(found)


def strongest(identifiers: Iterable[Identifier]) -> Identifier | None:
    """The one that counts most; None where there is none."""
    return min(identifiers, key=lambda one: (SCHEMES.index(one.scheme), one.value), default=None)


def lines_not_past(sightings: Iterable[Sighting], runs: Sequence[RunSection], missing_after: int) -> int:
    """How many lines of one address are not past."""
    return sum(line.past is None for line in lines_of(sightings, runs, missing_after))
