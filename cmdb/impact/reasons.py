"""Why a level is what it is, in words: the requirements that failed or held, what was cut off, and the first cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from cmdb.coding import ASSUMED
from cmdb.impact import tables
from cmdb.impact.answer import AXES, LegState, Reason, Standing
from cmdb.impact.levels import (
    AT_RISK,
    CUT_OFF,
    CUT_OFF_FROM_MANAGEMENT,
    DEGRADED,
    DOWN,
    UNMANAGED,
    UNPROTECTED,
    Levels,
)
from cmdb.impact.origins import NEVER, RANK_BITS, STEP, Origins
from cmdb.impact.settle import ACTIVE_LEG, BESIDE, HAS_PROTECTION

_STEP: Final = int(STEP)
_NEVER: Final = int(NEVER)

_TEXTS: Final = {
    "target": "the change itself",
    "assumed": "down already",
    "cut_off": "cut off from all gateways by {by}",
    "cut_off_from_management": "cut off from management by {by}",
    "only_way": "newly the only way to all gateways: {by}",
    "ways_at_risk": "every way to the gateways leads through what is at risk",
    "only_path": "newly the only fibre-channel path: {by}",
    "paths_at_risk": "every fibre-channel path leads through what is at risk",
}


class Cause(NamedTuple):
    """A direct cause: the value that it gives its effect, which node it is of (None: a relation), on which axis or in
    which network, and the relations between."""

    value: int
    node: int | None
    effect: str
    relations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a level rests on; kinds as in `Reason`."""

    axis: str
    kind: str
    requirement: int | None = None
    by: tuple[tuple[str, int], ...] = ()
    causes: tuple[Cause, ...] = ()

    @property
    def value(self) -> int:
        return min((cause.value for cause in self.causes), default=_NEVER)


def standing(mark: int) -> Standing:
    """A mark as levels."""
    availability = "down" if mark & DOWN else "degraded" if mark & DEGRADED else "at_risk" if mark & AT_RISK else "up"
    return Standing(
        availability, "unprotected" if mark & UNPROTECTED else "kept", "unmanaged" if mark & UNMANAGED else "kept"
    )


class Reasons:
    """The grounds of one L(X) as reasons. `targets` are those of the question, by rank: (id, name)."""

    def __init__(self, levels: Levels, origins: Origins, targets: Sequence[tuple[str, str]]) -> None:
        self._levels = levels
        self._topology = levels.topology
        self._origins = origins
        self._targets = targets

    def because(self, node: int, axes: Iterable[str]) -> tuple[Reason, ...]:
        """The grounds of the axes that got worse, by (distance, name, id) of the first cause."""
        found = []
        for axis in axes:
            for ground in self.grounds(node, axis):
                if ground.kind == "target":
                    value = ground.value
                    own = self._own_value(node)
                    found.append((value if value < _NEVER else own, axis, ground))
                elif ground.value < _NEVER:
                    found.append((ground.value, axis, ground))
        found.sort(key=lambda one: (one[0], AXES.index(one[1]), self._title(one[2])))
        return tuple(self._reason(ground, node, value) for value, _, ground in found)

    def _own_value(self, node: int) -> int:
        """Of a target itself: itself at no distance, whether or not it is the first by name."""
        return self._origins.target_nodes.get(node, _NEVER)

    def _title(self, ground: Ground) -> str:
        return "" if ground.requirement is None else self._topology.requirement_title(ground.requirement)

    def held(self, node: int) -> tuple[Reason, ...]:
        """Of one that is not affected: which requirements held, and by how much."""
        topology = self._topology
        requirements = topology.ordered_requirements(node)
        return tuple(
            self._of_requirement(one, _AXIS_NAMES[int(tables.AXES[topology.rtype[one]])], None, None)
            for one in requirements
        )

    # The grounds of the levels

    def grounds(self, node: int, axis: str) -> list[Ground]:
        """What the level of a CI on an axis rests on; empty where the level is the best."""
        mark = int(self._levels.mark[node])
        if axis == "protection":
            return self._of_protection(node) if mark & UNPROTECTED else []
        if axis == "management":
            return self._of_management(node) if mark & UNMANAGED else []
        if mark & DOWN:
            return self._of_down(node)
        if mark & DEGRADED:
            return [self._short(one) for one in self._available(node) if self._is_short(one)]
        return self._of_risk(node) if mark & AT_RISK else []

    def _available(self, node: int) -> list[int]:
        topology = self._topology
        return [one for one in topology.requirements_of(node) if tables.AXES[topology.rtype[one]] == 0]

    def _of_down(self, node: int) -> list[Ground]:
        levels = self._levels
        found = []
        if node in levels.change.down:
            found.append(Ground("availability", "target" if node in self._origins.down_targets else "assumed"))
        elif levels.mark[node] & CUT_OFF and tables.DOWN_WHEN_CUT_OFF[self._topology.cls[node]]:
            found.append(self._by_cut(node, "availability", "cut_off"))
        found += [self._by_requirement("availability", one) for one in self._available(node) if self._is_broken(one)]
        return found

    def _is_broken(self, requirement: int) -> bool:
        return bool(self._levels.lost[requirement] > self._topology.margin[requirement])

    def _is_short(self, requirement: int) -> bool:
        """Fewer than m legs do not fail, or fewer than k neither fail nor are degraded, or an active one does."""
        levels, topology = self._levels, self._topology
        lost = int(levels.lost[requirement])
        if lost > topology.spare[requirement] or lost + levels.short[requirement] > topology.margin[requirement]:
            return True
        return any(
            topology.leg[leg] & (ACTIVE_LEG | BESIDE)
            and (levels.failed[leg] or levels.mark[topology.dst[leg]] & DEGRADED)
            for leg in topology.heads(requirement)
        )

    def _short(self, requirement: int) -> Ground:
        lost = bool(self._levels.lost[requirement] > self._topology.spare[requirement])
        return self._by_requirement("availability", requirement, DEGRADED, lost=lost, active=True)

    def _of_risk(self, node: int) -> list[Ground]:
        levels, topology = self._levels, self._topology
        found = []
        if node in levels.change.at_risk:
            causes = [
                Cause(rank + _STEP, None, "relation", (relation,))
                for relation, rank in self._origins.target_relations.items()
                if relation not in levels.change.out and node in (topology.src[relation], topology.dst[relation])
            ]
            found.append(Ground("availability", "target", causes=tuple(causes)))
        for one in self._available(node):
            lost, margin = int(levels.lost[one]), int(topology.margin[one])
            if (lost == margin and lost) or lost + levels.shaky[one] > margin:
                found.append(self._by_requirement("availability", one, AT_RISK, lost=lost == margin))
        return found + self._of_fewer_ways(node) + self._of_fewer_paths(node)

    def _of_fewer_ways(self, node: int) -> list[Ground]:
        origins = self._origins
        causes = (Cause(origins.value(origins.fewer_ways, node), node, "fewer_ways"),)
        if node in origins.singled:
            by = self._separators(node)
            return [Ground("availability", "only_way", by=by, causes=causes)]
        if node in origins.all_ways_at_risk:
            return [Ground("availability", "ways_at_risk", causes=causes)]
        return []

    def _separators(self, node: int) -> tuple[tuple[str, int], ...]:
        outage = self._levels.outage
        if outage is None:
            return ()
        cis, cables = outage.separators(node)
        relations = self._levels.networks.cables
        return tuple([("ci", one) for one in cis] + [("cable", int(relations[one])) for one in cables])

    def _of_fewer_paths(self, node: int) -> list[Ground]:
        levels, topology = self._levels, self._topology
        owner = topology.group_of[node][0] if node in topology.group_of else node
        found = []
        for kind, pairs in (("only_path", levels.parting), ("paths_at_risk", levels.parted_at_risk)):
            known = [(levels.holding_fc_legs(one), one) for one in pairs if one[0] == owner]
            mine = [
                (topology.order_of_leg(int(legs[0])), pair)
                for legs, pair in known
                if node in topology.owner[topology.req[legs]]
            ]
            for _, pair in sorted(mine):
                if kind == "paths_at_risk" and pair in levels.parting:
                    continue
                by = tuple(levels.parting[pair]) if kind == "only_path" else ()
                value = self._origins.fewer_paths.get(pair, _NEVER)
                found.append(Ground("availability", kind, by=by, causes=(Cause(value, owner, "fewer_paths"),)))
        return found

    def _of_protection(self, node: int) -> list[Ground]:
        levels, topology = self._levels, self._topology
        found = []
        own = bool(topology.flags[node] & HAS_PROTECTION)
        for one in topology.requirements_of(node):
            lost = 0
            if own:
                if tables.AXES[topology.rtype[one]] != tables.PROTECTION:
                    continue
                lost = int(levels.lost[one])
            elif not tables.PASSES_PROTECTION_ON[topology.rtype[one]]:
                continue
            if lost + levels.bare[one] > topology.margin[one]:
                found.append(self._by_requirement("protection", one, UNPROTECTED))
        return found

    def _of_management(self, node: int) -> list[Ground]:
        levels, topology = self._levels, self._topology
        found = [
            self._by_requirement("management", one)
            for one in topology.requirements_of(node)
            if tables.AXES[topology.rtype[one]] == tables.MANAGEMENT and self._is_broken(one)
        ]
        if levels.mark[node] & CUT_OFF_FROM_MANAGEMENT and tables.UNMANAGED_WHEN_CUT_OFF[topology.cls[node]]:
            found.append(self._by_cut(node, "management", "cut_off_from_management"))
        return found

    def _by_requirement(
        self, axis: str, requirement: int, bad: int = 0, *, lost: bool = True, active: bool = False
    ) -> Ground:
        """A requirement with the causes of each leg to blame.

        Those are, where too few are outside `bad`, the legs that fail or are in `bad`; where it `lost` too many, those
        that fail; and of the active ones, where these count, those that do either.
        """
        levels, topology = self._levels, self._topology
        passed_on = axis == "protection" and tables.AXES[topology.rtype[requirement]] != tables.PROTECTION
        further = {0: None, DEGRADED: levels.short, AT_RISK: levels.shaky, UNPROTECTED: levels.bare}[bad]
        gone = int(levels.lost[requirement]) + (0 if further is None else int(further[requirement]))
        short = passed_on or gone > topology.margin[requirement]
        values = self._origins.protection if axis == "protection" else self._origins.availability
        causes: list[Cause] = []
        for leg in topology.heads(requirement):
            flags, target = int(topology.leg[leg]), int(topology.dst[leg])
            if flags & BESIDE and not active:
                continue
            step = 0 if target in topology.group_of else _STEP
            to_blame = short or (active and bool(flags & (ACTIVE_LEG | BESIDE)))
            if to_blame and levels.mark[target] & bad:
                value = self._origins.value(values, target)
                causes.append(Cause(_added(value, step), target, axis, tuple(topology.relations_of_leg(leg))))
            # What stands on something that lost its backup has lost it too, whether or not the leg fails.
            if (to_blame or lost) and not passed_on:
                causes += self._failure_causes(requirement, leg, step)
        return Ground(axis, "requirement", requirement, causes=tuple(causes))

    def _failure_causes(self, requirement: int, leg: int, step: int) -> Iterator[Cause]:
        levels, topology, origins = self._levels, self._topology, self._origins
        failure = levels.failure(leg)
        if failure is None:
            return
        target = int(topology.dst[leg])
        relations = tuple(topology.relations_of_leg(leg))
        if failure == "down":
            value = origins.value(origins.availability, target)
            yield Cause(_added(value, step), target, "availability", relations)
        managed = tables.AXES[topology.rtype[requirement]] == tables.MANAGEMENT
        if managed and levels.mark[target] & CUT_OFF_FROM_MANAGEMENT:
            value = origins.value(origins.cut_off_management, target)
            yield Cause(_added(value, step), target, "cut_off_from_management", relations)
        for one in relations:
            rank = origins.taken(one)
            if rank is not None:
                yield Cause(rank + _STEP, None, "relation", (one,))
        if failure == "cut_off" and (cut := levels.cut_off_by(target)) is not None:
            steps = step + topology.part_of(target)[cut] * _STEP
            yield Cause(_added(origins.value(origins.cut_off, cut), steps), cut, "cut_off", relations)
        if failure == "no_path":
            owner = int(topology.src[leg])
            yield Cause(origins.no_path.get((owner, target), _NEVER), owner, "no_path", relations)

    def _by_cut(self, node: int, axis: str, kind: str) -> Ground:
        levels, origins = self._levels, self._origins
        managed = axis == "management"
        cables = [*levels.networks.ethernet.cables_of(node)]
        if managed:
            cables += levels.networks.ethernet.management_cables_of(node)
        by: dict[tuple[str, int], None] = {}
        for cable, other in cables:
            relation = int(levels.networks.cables[cable])
            if relation in levels.change.out:
                by["cable", relation] = None
            if levels.mark[other] & DOWN and levels.networks.passes[other]:
                by["ci", other] = None
        if levels.mark[node] & DOWN and managed:
            by = {("ci", node): None}
        value = origins.value(origins.cut_off_management if managed else origins.cut_off, node)
        return Ground(axis, kind, by=tuple(by), causes=(Cause(value, node, kind),))

    # In words

    def _reason(self, ground: Ground, node: int, value: int) -> Reason:
        if ground.kind == "target" and ground.value == _NEVER:
            first_cause, distance = (self._topology.id(node), self._topology.name(node)), 0
        else:
            first_cause, distance = self._targets[value & ((1 << RANK_BITS) - 1)], value >> RANK_BITS
        if ground.requirement is not None:
            return self._of_requirement(ground.requirement, ground.axis, distance, first_cause)
        by = sorted(self._name(kind, number) for kind, number in ground.by)
        text = _TEXTS[ground.kind].format(by=", ".join(name for name, _ in by) or "what lies between")
        return Reason(
            ground.axis, ground.kind, text, by=tuple((id_, name) for name, id_ in by), distance=distance,
            first_cause=first_cause,
        )  # fmt: skip

    def _name(self, kind: str, number: int) -> tuple[str, str]:
        topology = self._topology
        if kind == "ci":
            return topology.name(number), topology.id(number)
        return topology.title(number), topology.relation_id(number)

    def _of_requirement(
        self, requirement: int, axis: str, distance: int | None, first_cause: tuple[str, str] | None
    ) -> Reason:
        topology, levels = self._topology, self._levels
        heads = topology.ordered_legs(requirement)
        states = {leg: self._leg(leg, axis) for leg in heads}
        legs = tuple(states[leg] for leg in heads)
        number = int(topology.legs[requirement])
        needs = number - int(topology.margin[requirement])
        full = number - int(topology.spare[requirement])
        holding = number - int(levels.lost[requirement])
        title = topology.requirement_title(requirement)
        in_full = "" if full == needs else f" ({full} to serve in full)"
        ill = ", ".join(f"{leg.name} {leg.state.replace('_', ' ')}" for leg in legs if leg.state != "up")
        text = (
            f"{title} needs {needs}{in_full} of {number}: "
            f"{holding} hold{'s' if holding == 1 else ''}{f'; {ill}' if ill else ''}"
        )
        if first_cause is None:
            text += f"; {holding - needs} to spare"
        return Reason(
            axis, "requirement", text, title, needs, full, holding, legs, distance=distance, first_cause=first_cause
        )

    def _leg(self, leg: int, axis: str) -> LegState:
        topology, levels = self._topology, self._levels
        target, flags = int(topology.dst[leg]), int(topology.leg[leg])
        failure = levels.failure(leg)
        mark = int(levels.mark[target])
        if axis == "protection" and mark & UNPROTECTED and failure is None:
            state = "unprotected"
        else:
            state = standing(mark).availability if failure is None else failure
        name, active = topology.name(target), bool(flags & ACTIVE_LEG)
        if target in topology.group_of:
            return LegState(None, name, "group", state, active)
        relations = topology.relations_of_leg(leg)
        assumed = all(int(topology.rcode[one]) & ASSUMED for one in relations)
        return LegState(
            topology.id(target), name, topology.class_name(target), state, active, assumed,
            tuple(sorted(topology.relation_id(one) for one in relations)), topology.stale(relations[0]),
        )  # fmt: skip


_AXIS_NAMES: Final = ("availability", "protection", "management", "")


def _added(value: int, steps: int) -> int:
    return value if value >= _NEVER else value + steps
