"""The queue of conflicts: values that join nothing, who carries them, and what speaks for one thing or for several.

Derived from what is known now: what was answered, or contradicts no more, is not in it. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from cmdb import codec
from cmdb.claims import ClaimView
from cmdb.identity import number_of
from cmdb.index import ValueKey
from cmdb.lines import Line
from cmdb.model import CI, SCHEMES, Decision, Identifier, State
from cmdb.nodes import component_address
from cmdb.schema import never_one
from cmdb.standing import Standing

SAME: Final = "same"
DIFFERENT: Final = "different"
SHOWN: Final = 20
"""So many candidates stand in one conflict; `total` counts all."""
_EVIDENCED: Final = 6
"""Of so many of them it is told who said so: of those that contradict first."""


class Trait(NamedTuple):
    """What two CIs have in common, or how they differ: a scheme, `name`, `label`, `disk`, `class` or `answers`."""

    kind: str
    a: tuple[str, ...]
    b: tuple[str, ...]

    @property
    def common(self) -> tuple[str, ...]:
        return tuple(sorted({*self.a} & {*self.b}))


class Reason(NamedTuple):
    """Why two CIs may be one or two: `kind` names the sentence, `weight` is positive for one, negative for two."""

    kind: str
    weight: int
    what: str

    @property
    def text(self) -> str:
        return REASONS[self.kind].format(what=self.what)


REASONS: Final[Mapping[str, str]] = {
    "classes": "{what}: things of these classes are never one",
    "both_answer": "both answer now, at {what}",
    "one_place": "they answered one after the other at {what}",
    "one_silent": "{what} does not answer any more",
    "name": "both are called {what}",
    "names": "they are called {what}",
    "label": "both have the label {what}",
    "labels": "their labels are {what}",
    "disk": "both hold the disks {what}",
    "disks": "none of their disks is common",
    "mac": "they have MACs in common: {what}",
    "macs": "none of their MACs is common",
    "identifiers": "they differ in {what}",
    "model": "both are a {what}",
}
"""The sentences of `Reason`; pages say them from their catalogue."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A CI that carries the value; `said` is who said so, when, and by which reply."""

    ci: CI
    said: tuple[ClaimView, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two CIs beside each other, and what that suggests: `same`, `different`, or None where nobody can tell."""

    a: str
    b: str
    shared: tuple[Trait, ...]
    contradicts: tuple[Trait, ...]
    reasons: tuple[Reason, ...]
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class ConflictView:
    """What a person should decide: whether the `candidates` (of `total`) that carry the `values` are one thing.

    `pairs` are up to three disjoint ones that contradict, their CIs the first of the candidates. `since` is when a
    second candidate first carried a value; it comes with the evidence.
    """

    id: str
    values: tuple[Identifier, ...]
    candidates: tuple[Candidate, ...]
    total: int
    pairs: tuple[Comparison, ...]
    suggestion: str | None
    since: datetime | None


Claims = Callable[[str], Sequence[ClaimView]]
"""Every claim on a CI."""


def conflicts(standing: Standing, cis: Mapping[str, CI], decisions: Iterable[Decision]) -> list[ConflictView]:
    """The queue, the one that the fewest things are in first."""
    apart = [one for one in decisions if one.verdict == DIFFERENT]
    rows = [row for row in _rows(standing, cis) if not _is_answered(row, standing, apart)]
    rows.sort(key=lambda row: (len(row.members), [number_of(id_) for id_ in row.members[:SHOWN]]))
    return [_view(row, standing, cis) for row in rows]


def answered(standing: Standing, cis: Mapping[str, CI], decisions: Iterable[Decision]) -> frozenset[ValueKey]:
    """The values that join nothing, of which nobody need be asked any more."""
    apart = [one for one in decisions if one.verdict == DIFFERENT]
    rows = _rows(standing, cis) if apart else ()
    return frozenset(value for row in rows if _is_answered(row, standing, apart) for value in row.values)


def conflict_id(members: Iterable[str]) -> str:
    """What a conflict between these CIs is called: the same as long as they are the same."""
    return f"conflict-{codec.digest(sorted(members, key=number_of))[:12]}"


class _Row(NamedTuple):
    members: tuple[str, ...]
    values: tuple[ValueKey, ...]
    witnesses: tuple[tuple[str, str], ...]


def _rows(standing: Standing, cis: Mapping[str, CI]) -> Iterator[_Row]:
    """The burnt values, those that the same CIs carry as one row."""
    values: dict[tuple[str, ...], list[ValueKey]] = {}
    witnesses: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for conflict in standing.conflicts:
        members = tuple(sorted((id_ for id_ in standing.carriers(conflict.value) if id_ in cis), key=number_of))
        if len(members) < 2:
            continue
        values.setdefault(members, []).append(conflict.value)
        pairs = witnesses.setdefault(members, [])
        for one, other in conflict.witnesses:
            a, b = standing.ci_of(one), standing.ci_of(other)
            if a != b and a in cis and b in cis and not any({a, b} & {*pair} for pair in pairs):
                pairs.append((a, b) if number_of(a) < number_of(b) else (b, a))
    for members, found in values.items():
        serials = {(value, domain) for scheme, value, domain in found if scheme == "serial"}
        # A serial is a member serial, too: that says nothing more.
        kept = [one for one in found if one[0] != "member_serial" or one[1:] not in serials]
        kept.sort(key=lambda one: (SCHEMES.index(one[0]), one))
        yield _Row(members, tuple(kept), tuple(witnesses[members][:3]))


def _is_answered(row: _Row, standing: Standing, apart: Sequence[Decision]) -> bool:
    """Whether a person said that the values tell nothing, or that each two of the CIs are different."""
    values = {Identifier(scheme, value) for scheme, value, _ in row.values}
    told = {one for decision in apart if decision.a == decision.b for one in decision.a}
    if values <= told:
        return True
    members = {*row.members}
    decided = {
        frozenset((a, b))
        for decision in apart
        for a in standing.holders_of(decision.a - decision.b) & members
        for b in standing.holders_of(decision.b - decision.a) & members
        if a != b
    }
    return len(decided) == len(members) * (len(members) - 1) // 2


def _view(row: _Row, standing: Standing, cis: Mapping[str, CI]) -> ConflictView:
    pairs = tuple(compared(cis[a], cis[b], standing) for a, b in row.witnesses)
    shown = list(dict.fromkeys([*(id_ for pair in row.witnesses for id_ in pair), *row.members]))[:SHOWN]
    suggestions = {pair.suggestion for pair in pairs}
    agreed = suggestions.pop() if len(suggestions) == 1 else None
    if agreed == SAME and len(row.members) > 2:
        agreed = None
    values = tuple(Identifier(scheme, value) for scheme, value, _ in row.values)
    candidates = tuple(Candidate(cis[id_]) for id_ in shown)
    return ConflictView(conflict_id(row.members), values, candidates, len(row.members), pairs, agreed, None)


def with_evidence(view: ConflictView, claims: Claims) -> ConflictView:
    """The same with who said so of its first candidates, and since when: for those that somebody looks at."""
    candidates = tuple(
        replace(one, said=_said(claims(one.ci.id), view.values)) if place < _EVIDENCED else one
        for place, one in enumerate(view.candidates)
    )
    first = sorted(min(claim.since for claim in one.said) for one in candidates if one.said)
    return replace(view, candidates=candidates, since=first[1] if len(first) > 1 else None)


def _said(claims: Iterable[ClaimView], values: Iterable[Identifier]) -> tuple[ClaimView, ...]:
    """Who said that a CI carries one of the values; the newest first."""
    wanted = {(scheme, value) for scheme, value in values}
    # A serial counts as a member serial: who said the one said the other.
    wanted |= {("serial", value) for scheme, value in wanted if scheme == "member_serial"}
    found = {(claim.source, claim.section): claim for claim in claims if (claim.attribute, claim.value) in wanted}
    return tuple(sorted(found.values(), key=lambda claim: (claim.confirmed, claim.source, claim.section), reverse=True))


# Two beside each other


def compared(a: CI, b: CI, standing: Standing) -> Comparison:
    """What two CIs share, what contradicts, and what both suggest."""
    traits = [*_identifying(a, b), *_described(a, b), *_disks(a, b), *_answering(a, b, standing)]
    shared = tuple(trait for trait in traits if trait.common)
    contradicts = tuple(trait for trait in traits if not trait.common)
    reasons = tuple(_reasons(a, b, shared, contradicts))
    return Comparison(a.id, b.id, shared, contradicts, reasons, _suggestion(reasons))


def _identifying(a: CI, b: CI) -> Iterator[Trait]:
    """Identifiers of one scheme on both; a member serial says nothing beside a serial."""
    for scheme in SCHEMES:
        mine, theirs = _values(a, scheme), _values(b, scheme)
        if scheme == "member_serial" and (_values(a, "serial") or _values(b, "serial")):
            continue
        if mine and theirs:
            yield Trait(scheme, mine, theirs)


def _values(ci: CI, scheme: str) -> tuple[str, ...]:
    found = {one.value for one in ci.identifiers if one.scheme == scheme}
    if scheme == "mac":
        found |= {str(part.attributes["mac"]) for part in ci.components if part.attributes.get("mac")}
    return tuple(sorted(found))


def _described(a: CI, b: CI) -> Iterator[Trait]:
    if never_one(a.cls, b.cls):
        yield Trait("class", (a.cls,), (b.cls,))
    yield Trait("name", (a.name.casefold(),), (b.name.casefold(),))
    if a.label and b.label:
        yield Trait("label", (a.label,), (b.label,))
    models = [
        f"{ci.attributes.get('vendor', '')} {ci.attributes['model']}".strip()
        for ci in (a, b)
        if ci.attributes.get("model")
    ]
    if len(models) == 2 and models[0] == models[1]:
        yield Trait("model", (models[0],), (models[1],))


def _disks(a: CI, b: CI) -> Iterator[Trait]:
    mine, theirs = (
        tuple(sorted({
            str(part.attributes.get("serial") or part.attributes["wwn"])
            for part in ci.components
            if part.kind == "disk" and (part.attributes.get("serial") or part.attributes.get("wwn"))
        }))
        for ci in (a, b)
    )  # fmt: skip
    if mine and theirs:
        yield Trait("disk", mine, theirs)


def _answering(a: CI, b: CI, standing: Standing) -> Iterator[Trait]:
    """Where both answer, if both do; and the addresses that both list."""
    mine, theirs = _places(a, standing.lines(a.id)), _places(b, standing.lines(b.id))
    if mine and theirs:
        yield Trait("answers", mine, theirs)
    listed = [
        tuple(sorted({found for part in ci.components if (found := component_address(part)) is not None}))
        for ci in (a, b)
    ]
    if {*listed[0]} & {*listed[1]} and a.space == b.space:
        yield Trait("address", listed[0], listed[1])


def _places(ci: CI, lines: Iterable[Line]) -> tuple[str, ...]:
    """Where a CI answers."""
    if ci.state is not State.PRESENT:
        return ()
    return tuple(sorted({line.source for line in lines if line.past is None}))


_FOR: Final = 4
_AGAINST: Final = -3
_NEVER: Final = -100
"""Weights from which on something is suggested; and what outweighs all else."""


def _reasons(a: CI, b: CI, shared: Iterable[Trait], contradicts: Iterable[Trait]) -> Iterator[Reason]:
    same = {trait.kind: trait for trait in shared}
    other = {trait.kind: trait for trait in contradicts}
    if "class" in other:
        yield Reason("classes", _NEVER, f"{a.cls}, {b.cls}".replace("_", " "))
    apart = "answers" in other
    if apart:
        places = ", ".join((*other["answers"].a, *other["answers"].b))
        yield Reason("both_answer", _NEVER if "mac" in other else -3, places)
    elif "answers" in same:
        yield Reason("one_place", 2, ", ".join(same["answers"].common))
    elif silent := [ci.name for ci in (a, b) if ci.state is not State.PRESENT]:
        yield Reason("one_silent", 1, ", ".join(silent))
    for kind, plural, weight in (("disk", "disks", 3), ("label", "labels", 2), ("mac", "macs", 2)):
        if kind in same:
            yield Reason(kind, weight, _listed(same[kind].common))
        elif kind in other:
            yield Reason(plural, -1 if kind == "label" else -2, f"{_listed(other[kind].a)} / {_listed(other[kind].b)}")
    if "name" in same:
        yield Reason("name", 2, a.name)
    elif "name" in other:
        yield Reason("names", -1, f"{a.name}, {b.name}")
    if "model" in same:
        yield Reason("model", 1, same["model"].a[0])
    differing = [kind for kind in ("serial", "uuid") if kind in other]
    if differing:
        yield Reason("identifiers", -len(differing), ", ".join(differing))


def _listed(values: Sequence[str]) -> str:
    more = f" (+{len(values) - 3})" if len(values) > 3 else ""
    return ", ".join(values[:3]) + more


def _suggestion(reasons: Iterable[Reason]) -> str | None:
    weight = sum(reason.weight for reason in reasons)
    return SAME if weight >= _FOR else DIFFERENT if weight <= _AGAINST else None
