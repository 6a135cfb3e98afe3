"""What the impact engine answers, as values: who is worse, who is unknown, why, and how sure (impact.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar, overload

from cmdb.codec import Json
from cmdb.impact.question import Question

AXES: Final = ("availability", "protection", "management")
AVAILABILITY: Final = ("up", "at_risk", "degraded", "down")
PROTECTION: Final = ("kept", "unprotected")
MANAGEMENT: Final = ("kept", "unmanaged")
"""The levels of each axis, best first."""
WORSE: Final = ("down", "degraded", "at_risk", "unprotected", "unmanaged")
"""How a CI may be worse, the worst first: availability, then what recovery rests on."""
NAMED: Final = 5
"""So many CIs of a building are named, and of an owner."""
NOWHERE: Final = "-"
"""Stands for the building of whoever stands in none that is known."""
VLAN_NOTE: Final = "VLANs are not told apart: every cable is taken to carry all of them"
ASSUMED_NOTE: Final = "some reasons hang on an assumed redundancy: connections were seen, no group was declared"

_BLOCK: Final = 1000
"""Who goes through rows has so many made at once."""

Row = TypeVar("Row")


class Item(NamedTuple):
    """A CI as answers name it."""

    id: str
    cls: str
    name: str


class Standing(NamedTuple):
    """The level of a CI on each axis."""

    availability: str
    protection: str
    management: str

    def worse_than(self, other: Standing) -> tuple[str, ...]:
        """The axes on which this is worse."""
        scales = zip(AXES, (AVAILABILITY, PROTECTION, MANAGEMENT), strict=True)
        return tuple(
            axis
            for (axis, scale), now, was in zip(scales, self, other, strict=True)
            if scale.index(now) > scale.index(was)
        )


@dataclass(frozen=True, slots=True)
class LegState:
    """How a leg of a requirement stands: `up`, `at_risk`, `degraded`, `down`, `taken_out`, `cut_off`, `no_path`, or
    `unprotected`. `id` is None for a group. `relations` are the ids of the relations that make the leg; `stale` says
    since when nobody confirmed them, in the words of the gap of their source."""

    id: str | None
    name: str
    cls: str
    state: str
    active: bool = False
    assumed: bool = False
    relations: tuple[str, ...] = ()
    stale: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a level is what it is.

    `kind` is `target`, `assumed` (down already), `requirement`, `cut_off`, `cut_off_from_management`, `only_way` (one
    CI or cable newly is the only way to all gateways), `ways_at_risk`, `only_path` or `paths_at_risk` (the same of fc).
    `by` are (id, name) of what separates or parts.
    """

    axis: str
    kind: str
    text: str
    requirement: str | None = None
    needs: int | None = None
    full: int | None = None
    holding: int | None = None
    legs: tuple[LegState, ...] = ()
    by: tuple[tuple[str, str], ...] = ()
    distance: int | None = None
    first_cause: tuple[str, str] | None = None

    @property
    def assumed(self) -> bool:
        return any(leg.assumed for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Affected:
    """A CI that is worse on some axis. `own` tells apart the two ways of being at risk; None where it is not."""

    ci: Item
    now: Standing
    was: Standing
    distance: int | None
    because: tuple[Reason, ...]
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """An affected CI without its reasons, for whoever lists or draws many. `site`: the building it stands in."""

    ci: Item
    now: Standing
    was: Standing
    distance: int | None
    own: bool | None
    site: Item | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """`root` is the part of the reason that is counted."""

    ci: Item
    reason: str
    root: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step on the shortest chain of causes from a target: this CI is `state`, because of the step before it.

    `relations` are the ids of the relations between the two; empty at the target, and where they are far apart.
    """

    ci: Item
    state: str
    relations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """What decided on one CI: `affected`, `unknown` or `unaffected`; `path` leads from the first cause to it."""

    ci: Item
    verdict: str
    now: Standing
    was: Standing
    because: tuple[Reason, ...]
    path: tuple[Step, ...] = ()
    unknown: str | None = None


class StaleRelation(NamedTuple):
    """A relation that an answer rests on, and that nobody confirmed in time; `since` in the words of the gap."""

    id: str
    type: str
    source: Item
    target: Item
    since: str


@dataclass(frozen=True, slots=True)
class NextFailures:
    """The CIs and cables, by id, whose failure alone takes `of` down after the change, and would not have before.

    `complete` is False where a limit of time cut it short.
    """

    of: str
    cis: tuple[str, ...]
    cables: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class SinglePoint:
    """A CI or cable whose loss alone takes services down. `takes_down` counts everything, `services` are named."""

    id: str
    kind: str
    name: str
    services: Sequence[Item]
    takes_down: int


class Rows(Sequence[Row], Generic[Row]):
    """Rows that are made when they are looked at: a hub has a million, and a page shows a thousand."""

    def __init__(self, length: int, make: Callable[[range], Sequence[Row]]) -> None:
        self._length = length
        self._make = make

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Row]:
        for first in range(0, self._length, _BLOCK):
            yield from self._make(range(first, min(first + _BLOCK, self._length)))

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return self._make(range(self._length)[place])
        return self._make(range(self._length)[place : place + 1 or None])[0]


Ways: TypeAlias = tuple[str, ...]
"""In which ways a CI is worse, of `WORSE` and in its order."""


class Concern(NamedTuple):
    """An affected CI that somebody may answer for: a team that it is owned by, or what it says of itself.

    `is_read`: it is a service or an application, whose document names people.
    """

    ci: Item
    ways: Ways
    now: Standing
    was: Standing
    teams: tuple[Item, ...]
    is_read: bool


class Located(NamedTuple):
    """How many CIs of a building are worse, and how; None: of none that is known. `worst` are the first of them."""

    site: Item | None
    counts: Mapping[Ways, int]
    worst: tuple[Item, ...]


class Census(NamedTuple):
    """The affected counted: all, services and applications, by building; and in the order of the answer all services
    and applications, and whoever a team owns."""

    counts: Mapping[Ways, int]
    by_class: Mapping[str, Mapping[Ways, int]]
    located: tuple[Located, ...]
    concerned: tuple[Concern, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question is answered with. `affected` lists services, then what is so by itself, then the inherited.

    `outlines` are the same CIs in the same order. `rules` is the version of model and rules, `hash` covers who is
    affected, how, and who is unknown: the same question at the same revision has the same. `stale` are the relations
    without timely confirmation that decided, `assumed` counts the CIs whose reasons hang on an assumed redundancy.
    `census` counts the affected; `chosen` gives the places of those at any of some levels, of some classes, and in a
    building (its id, or `NOWHERE`): what is empty asks nothing.
    """

    revision: int
    rules: str
    hash: str
    question: Question
    counts: Mapping[str, int]
    affected: Sequence[Affected]
    outlines: Sequence[Outline]
    unknown: Sequence[Unknown]
    unknown_because: Mapping[str, int]
    stale: Sequence[StaleRelation]
    assumed: int
    temporary: bool
    notes: tuple[str, ...]
    census: Callable[[], Census]
    chosen: Callable[[Collection[str], Collection[str], str | None], Sequence[int]]

    @property
    def head(self) -> str:
        """The coverage in one line: `143 affected, 12 unknown: 9 never logged in, 3 stale`."""
        most_first = sorted(self.unknown_because.items(), key=lambda pair: (-pair[1], pair[0]))
        because = ", ".join(f"{count} {root}" for root, count in most_first)
        return (
            f"{self.counts['affected']} affected, {self.counts['unknown']} unknown{f': {because}' if because else ''}"
        )

    def as_json(self) -> dict[str, Json]:
        """The whole answer, every row of it."""
        return {
            "revision": self.revision,
            "counts": dict(self.counts),
            "affected": [affected_out(one) for one in self.affected],
            "unknown": [_item_out(one.ci) | {"reason": one.reason} for one in self.unknown],
            "unknown_because": dict(self.unknown_because),
            "notes": list(self.notes),
        } | ({"temporary": True} if self.temporary else {})


def _item_out(ci: Item) -> dict[str, Json]:
    return {"id": ci.id, "class": ci.cls, "name": ci.name}


def affected_out(one: Affected) -> dict[str, Json]:
    """An affected CI as JSON."""
    own: dict[str, Json] = {} if one.own is None else {"own": one.own}
    return _item_out(one.ci) | own | {
        **one.now._asdict(),
        "was": one.was._asdict(),
        "distance": one.distance,
        "because": [reason_out(reason) for reason in one.because],
    }  # fmt: skip


def reason_out(reason: Reason) -> dict[str, Json]:
    """A reason as JSON; what it does not have is left out."""
    document: dict[str, Json] = {"axis": reason.axis, "kind": reason.kind, "text": reason.text}
    if reason.requirement is not None:
        document |= {
            "requirement": reason.requirement,
            "needs": reason.needs,
            "full": reason.full,
            "holding": reason.holding,
            "legs": [_leg_out(leg) for leg in reason.legs],
        }
    if reason.by:
        document["by"] = [{"id": id_, "name": name} for id_, name in reason.by]
    if reason.assumed:
        document["assumed"] = True
    if reason.first_cause is not None:
        id_, name = reason.first_cause
        document |= {"distance": reason.distance, "first_cause": {"id": id_, "name": name}}
    return document


def _leg_out(leg: LegState) -> dict[str, Json]:
    document: dict[str, Json] = {} if leg.id is None else {"id": leg.id}
    document |= {"name": leg.name, "class": leg.cls, "state": leg.state}
    document |= {flag: True for flag in ("active", "assumed") if getattr(leg, flag)}
    if leg.stale is not None:
        document["stale"] = leg.stale
    return document
