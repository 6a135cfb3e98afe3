"""Levels of L(X): five least fixpoints, in the order and the words of impact.md."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from typing import Final, NamedTuple

from cmdb.model import Relation
from tests.naive.ethernet import Separators
from tests.naive.intact import Intact, Leg, Node, Requirement, means_when_cut_off, medium
from tests.naive.question import Change

AVAILABILITY: Final = ("up", "at_risk", "degraded", "down")
PROTECTION: Final = ("kept", "unprotected")
MANAGEMENT: Final = ("kept", "unmanaged")
"""The levels of each axis, best first."""

_PASSED_ON: Final = frozenset({"depends_on", "runs_on", "stored_on", "part_of"})
"""The types of requirements whose legs' lost protection is one's own, where one has no protection requirement."""


class Failure(StrEnum):
    """Why a leg fails."""

    DOWN = "down"
    TAKEN_OUT = "taken_out"
    CUT_OFF = "cut_off"
    NO_PATH = "no_path"


class Standing(NamedTuple):
    """The level of a CI on each axis."""

    availability: str
    protection: str
    management: str

    def worse_than(self, other: Standing) -> tuple[str, ...]:
        """The axes on which this is worse."""
        scales = zip(("availability", "protection", "management"), (AVAILABILITY, PROTECTION, MANAGEMENT), strict=True)
        return tuple(
            axis
            for (axis, scale), now, was in zip(scales, self, other, strict=True)
            if scale.index(now) > scale.index(was)
        )


class Now:
    """The graph with some CIs down and some relations taken out: which legs fail.

    `down` is read anew at each question, so that it may grow; the networks are those when this was made.
    """

    def __init__(self, intact: Intact, down: Collection[Node], out: frozenset[str]) -> None:
        self.intact = intact
        self.down = down
        self.out = out
        self._paths: dict[tuple[str, str], bool] = {}

    @cached_property
    def cut_off(self) -> frozenset[str]:
        """Who was connected to a gateway in the intact graph and is not now."""
        return self.intact.ethernet.connected_intact - self.intact.ethernet.connected(self.down, self.out)

    @cached_property
    def cut_off_from_management(self) -> frozenset[str]:
        return self.intact.ethernet.managed_intact - self.intact.ethernet.managed(self.down, self.out)

    def cut_off_by(self, target: str) -> str | None:
        """What is cut off when this leg is: itself or, where it has no ethernet cable, something that it is part of."""
        if target in self.intact.ethernet.cabled:
            return target if target in self.cut_off else None
        return next((id_ for id_ in self.intact.part_of(target) if id_ in self.cut_off), None)

    def failure(self, requirement: Requirement, leg: Leg) -> Failure | None:
        """Why a leg fails, or None: it holds."""
        if leg.target in self.down:
            return Failure.DOWN
        if requirement.axis == "management" and leg.target in self.cut_off_from_management:
            return Failure.CUT_OFF
        failures = [self._relation_failure(relation) for relation in leg.relations]
        return failures[0] if failures and all(failures) else None

    def fails(self, requirement: Requirement, leg: Leg) -> bool:
        return self.failure(requirement, leg) is not None

    def holding(self, requirement: Requirement, bad: Collection[Node] = frozenset()) -> int:
        """How many legs neither fail nor are in `bad`."""
        return sum(leg.target not in bad and not self.fails(requirement, leg) for leg in requirement.legs)

    def _relation_failure(self, relation: Relation) -> Failure | None:
        if relation.id in self.out:
            return Failure.TAKEN_OUT
        match medium(relation):
            case "ethernet":
                return Failure.CUT_OFF if self.cut_off_by(relation.target) is not None else None
            case "fc":
                return Failure.NO_PATH if self._parted(relation.source, relation.target) else None
            case _:
                return None

    def _parted(self, source: str, target: str) -> bool:
        """A path joined the two in the intact graph, and none does now."""
        key = (source, target)
        if key not in self._paths:
            intact = self.intact
            self._paths[key] = intact.joined(source, target) and (
                intact.fabric.path(intact.carriers(source), intact.part_of(target), self.down, self.out) is None
            )
        return self._paths[key]


@dataclass(frozen=True, slots=True)
class Levels:
    """L(X): the five sets, what is newly the only way of whom, and what each leg's failure is judged by."""

    change: Change
    now: Now
    down: frozenset[Node]
    degraded: frozenset[Node]
    at_risk: frozenset[Node]
    unprotected: frozenset[Node]
    unmanaged: frozenset[Node]
    singled_out: dict[str, frozenset[str]]
    """Of each connected CI for which being cut off means down: the CIs and cables that newly separate it alone."""
    parting: dict[tuple[str, str], frozenset[str]]
    """Of each fc leg (its CI, its target): the switches and cables that newly part the two alone."""
    fc_legs: tuple[tuple[Node, Leg], ...]
    """The legs that hold by fc alone, each with whose they are."""

    def of(self, node: Node) -> Standing:
        return Standing(
            "down"
            if node in self.down
            else "degraded"
            if node in self.degraded
            else "at_risk"
            if node in self.at_risk
            else "up",
            "unprotected" if node in self.unprotected else "kept",
            "unmanaged" if node in self.unmanaged else "kept",
        )

    def own_risk(self, id_: str) -> bool:
        """Whether a CI at risk is so by itself: a leg lost, a seed, or its own cable or next CI the last."""
        if id_ in self.change.at_risk or any(
            lost_a_leg(self.now, one) for one in _of_axis(self.now, id_, "availability")
        ):
            return True
        ethernet, fabric = self.now.intact.ethernet, self.now.intact.fabric
        beside = {one for cable in ethernet.cables.get(id_, ()) for one in (cable.id, cable.other)}
        beside_fc = {one for cable in fabric.cables.get(id_, ()) for one in (cable.id, cable.other)}
        parted = [parting for (source, _), parting in self.parting.items() if source == id_]
        return bool(beside & self.singled_out.get(id_, frozenset())) or any(beside_fc & one for one in parted)


def levels(intact: Intact, change: Change) -> Levels:
    """The state of everything when `change` is done to an otherwise intact graph."""
    down = _down(intact, change)
    now = Now(intact, down, change.out)
    degraded = _degraded(now)
    singled_out = _singled_out(now)
    fc_legs = _fc_legs(now)
    parting = _parting(now, fc_legs)
    at_risk = _at_risk(now, degraded | change.at_risk, singled_out, parting, fc_legs)
    return Levels(
        change=change,
        now=now,
        down=down,
        degraded=degraded,
        at_risk=at_risk,
        unprotected=_unprotected(now),
        unmanaged=_unmanaged(now),
        singled_out=singled_out,
        parting=parting,
        fc_legs=fc_legs,
    )


def down_of(intact: Intact, change: Change) -> frozenset[Node]:
    """D alone, for whoever asks of a great many changes only what is down."""
    return _down(intact, change)


def _close(intact: Intact, found: set[Node], belongs: Callable[[Node], bool]) -> None:
    """Add to `found` every node that belongs, until none does; `belongs` looks at `found` through legs only."""
    waiting: Iterable[Node] = intact.nodes
    while new := [node for node in waiting if node not in found and belongs(node)]:
        found.update(new)
        waiting = {other for node in new for other in intact.leaning_on.get(node, ())}


def _of_axis(now: Now, node: Node, axis: str) -> list[Requirement]:
    return [requirement for requirement in now.intact.requirements[node] if requirement.axis == axis]


def _some(now: Now, axis: str, test: Callable[[Requirement], bool]) -> Callable[[Node], bool]:
    """Whether some requirement of a node on an axis passes a test."""
    return lambda node: any(test(one) for one in _of_axis(now, node, axis))


def lost_a_leg(now: Now, requirement: Requirement) -> bool:
    return any(now.fails(requirement, leg) for leg in requirement.legs)


def _means(intact: Intact, ids: Iterable[str], meaning: str) -> set[str]:
    return {id_ for id_ in ids if means_when_cut_off(intact.cis[id_]) == meaning}


def _down(intact: Intact, change: Change) -> frozenset[Node]:
    """D: the down seeds, whoever has too few legs that do not fail, and whom being cut off means down."""
    down: set[Node] = set(change.down)
    while True:
        now = Now(intact, down, change.out)
        before = len(down)
        down |= _means(intact, now.cut_off, "down")
        _close(intact, down, _some(now, "availability", partial(is_broken, now)))
        if len(down) == before:
            return frozenset(down)


def is_broken(now: Now, requirement: Requirement) -> bool:
    """Fewer than k legs do not fail."""
    return now.holding(requirement) < requirement.needs


def _degraded(now: Now) -> frozenset[Node]:
    """Z ⊇ D: too few to serve in full, too few legs that are not degraded themselves, or an active leg to replace."""
    degraded = set(now.down)
    _close(now.intact, degraded, _some(now, "availability", partial(is_short, now, degraded)))
    return frozenset(degraded)


def is_short(now: Now, degraded: Collection[Node], requirement: Requirement) -> bool:
    """Fewer than m legs do not fail, or fewer than k neither fail nor are degraded, or an active one does."""
    return (
        now.holding(requirement) < requirement.full
        or now.holding(requirement, degraded) < requirement.needs
        or any(leg.target in degraded or now.fails(requirement, leg) for leg in requirement.active)
    )


def _at_risk(
    now: Now, seeds: frozenset[Node], singled_out: dict[str, frozenset[str]],
    parting: dict[tuple[str, str], frozenset[str]], fc_legs: tuple[tuple[Node, Leg], ...],
) -> frozenset[Node]:  # fmt: skip
    """R ⊇ Z and the seeds at risk: a spare lost, too few legs not at risk, or only one way left in a network."""
    at_risk: set[Node] = {*seeds, *singled_out}
    at_risk |= {node for node, leg in fc_legs if (owner_of(node), str(leg.target)) in parting}
    while True:
        before = len(at_risk)
        at_risk |= _cut_off_without(now, at_risk)
        at_risk |= {node for node, leg in fc_legs if parted_without(now, at_risk, owner_of(node), leg)}
        _close(now.intact, at_risk, _some(now, "availability", partial(is_shaky, now, at_risk)))
        if len(at_risk) == before:
            return frozenset(at_risk)


def is_shaky(now: Now, at_risk: Collection[Node], requirement: Requirement) -> bool:
    """It lost a leg and has exactly k left, or fewer than k neither fail nor are at risk."""
    left = now.holding(requirement)
    return (left == requirement.needs and left < len(requirement.legs)) or (
        now.holding(requirement, at_risk) < requirement.needs
    )


def _singled_out(now: Now) -> dict[str, frozenset[str]]:
    """Of whom some one CI or cable now is the only way to all gateways, and was not in the intact graph."""
    ethernet = now.intact.ethernet
    connected = ethernet.connected_intact - now.cut_off
    if connected == ethernet.connected_intact and not now.out:
        return {}
    separators, intact = Separators(ethernet, now.down, now.out), ethernet.separators_intact
    return {
        id_: new
        for id_ in sorted(_means(now.intact, connected, "down"))
        if (new := separators.of(id_) - intact.of(id_))
    }


def _cut_off_without(now: Now, at_risk: Collection[Node]) -> set[str]:
    """Who would be cut off were all at risk down, of those for whom that means down."""
    ethernet = now.intact.ethernet
    lost = ethernet.connected_intact - ethernet.connected(at_risk, now.out)
    return {id_ for id_ in _means(now.intact, lost, "down") if id_ not in at_risk}


def owner_of(node: Node) -> str:
    return node if isinstance(node, str) else node.of


def _fc_legs(now: Now) -> tuple[tuple[Node, Leg], ...]:
    """The legs that hold by fc alone: all their relations are fc, and a path joins their ends."""
    return tuple(
        (node, leg)
        for node in now.intact.nodes
        for requirement in _of_axis(now, node, "availability")
        for leg in requirement.legs
        if leg.relations
        and all(medium(relation) == "fc" for relation in leg.relations)
        and not now.fails(requirement, leg)
        and now.intact.joined(owner_of(node), str(leg.target))
    )


def _parting(now: Now, fc_legs: tuple[tuple[Node, Leg], ...]) -> dict[tuple[str, str], frozenset[str]]:
    """Of each fc leg that holds: what now parts it alone, and did not in the intact graph."""
    intact, found = now.intact, {}
    for node, leg in fc_legs:
        source, target = owner_of(node), str(leg.target)
        ends = intact.carriers(source), intact.part_of(target)
        parting = intact.fabric.parting(*ends, now.down, now.out)
        if parting and (new := parting - intact.fabric.parting(*ends)):
            found[source, target] = new
    return found


def parted_without(now: Now, at_risk: Collection[Node], source: str, leg: Leg) -> bool:
    """Whether no path would be left were all at risk down but the two ends and what they stand for."""
    intact = now.intact
    switches = {id_ for id_ in intact.fabric.switches if id_ in at_risk and id_ not in now.down}
    ends = intact.carriers(source), intact.part_of(str(leg.target))
    lost = switches - ends[0].keys() - ends[1].keys()
    return bool(lost) and intact.fabric.path(*ends, {*now.down, *lost}, now.out) is None


def _unprotected(now: Now) -> frozenset[Node]:
    """U: too few legs that back it up; or, where it has no protection of its own, what it stands on lost its own."""
    unprotected: set[Node] = set()

    def belongs(node: Node) -> bool:
        return any(is_unprotected(now, unprotected, one) for one in protecting(now, node))

    _close(now.intact, unprotected, belongs)
    return frozenset(unprotected)


def protecting(now: Now, node: Node) -> list[Requirement]:
    """The requirements that decide on protection: its own or, where it has none, those whose legs pass theirs on."""
    return _of_axis(now, node, "protection") or [
        requirement for requirement in now.intact.requirements[node] if requirement.type in _PASSED_ON
    ]


def is_unprotected(now: Now, unprotected: Collection[Node], requirement: Requirement) -> bool:
    if requirement.axis == "protection":
        return now.holding(requirement, unprotected) < requirement.needs
    return sum(leg.target not in unprotected for leg in requirement.legs) < requirement.needs


def unmanaged_when_cut_off(now: Now) -> set[str]:
    """Who is cut off from management, of those for whom that means unmanaged."""
    return _means(now.intact, now.cut_off_from_management, "unmanaged")


def _unmanaged(now: Now) -> frozenset[Node]:
    """M: too few legs that manage it, or cut off from management where that means unmanaged."""
    intact = now.intact
    return frozenset(unmanaged_when_cut_off(now)) | {
        node for node in intact.nodes if any(is_broken(now, one) for one in _of_axis(now, node, "management"))
    }
