"""The first cause of every effect, and how many relations away: shortest chains of causes from the targets, as arrays.

An effect is a level of a node (availability, protection, management), or what happens to it in a network (cut off, cut
off from management, left with fewer ways). A value is a distance and the rank of the target: the smaller of two is the
nearer cause and, at one distance, the first by name and id. Values only ever get smaller: what got smaller
is looked through again until nothing does.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.impact import tables
from cmdb.impact.adjacency import distinct
from cmdb.impact.kinds import Bools, Bytes, Ints
from cmdb.impact.levels import (
    AT_RISK,
    CUT_OFF,
    CUT_OFF_FROM_MANAGEMENT,
    DEGRADED,
    DOWN,
    UNMANAGED,
    UNPROTECTED,
    Levels,
    joined,
)
from cmdb.impact.settle import ACTIVE_LEG, AXIS_SHIFT, BESIDE, FROM_SIDE, HAS_PROTECTION, MADE, TO_SIDE
from cmdb.impact.tables import AVAILABILITY, GROUP, MANAGEMENT, PROTECTION

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

RANK_BITS: Final = 12
MOST_TARGETS: Final = 1 << RANK_BITS
STEP: Final = np.int32(1 << RANK_BITS)
"""One relation further."""
NEVER: Final = np.int32(2**31 - 1)
"""No chain of causes leads there from a target."""

_NONE: Final = np.empty(0, np.int32)
_BY_ETHERNET: Final = 1 << 5
_MEDIUM: Final = 3 << 5

_NEVER: Final = int(NEVER)

Pair = tuple[int, int]


class Origins:
    """Of one L(X) and its targets."""

    def __init__(
        self, levels: Levels, targets: Mapping[int, int], relations: Mapping[int, int], down_targets: Collection[int]
    ) -> None:
        """`targets` and `relations` give each target its rank; relations are those taken out, or configured.

        `down_targets` are the targets that the change itself takes down; the other down seeds were so before.
        """
        self._levels = levels
        self._topology = levels.topology
        self.target_nodes = targets
        self.target_relations = relations
        self.down_targets = down_targets
        self.singled = frozenset(levels.singled_out.tolist())
        self._taken = {
            int(self._topology.rkey[one]): rank for one, rank in relations.items() if one in levels.change.out
        }
        nodes = len(self._topology.key)
        self.availability: Ints = np.full(nodes, NEVER, np.int32)
        self.protection = self.management = self.cut_off = self.cut_off_management = self.fewer_ways = _NONE
        if len(levels.unprotected):
            self.protection = np.full(nodes, NEVER, np.int32)
        if len(levels.unmanaged) or len(levels.managed_lost):
            self.management = np.full(nodes, NEVER, np.int32)
            self.cut_off_management = np.full(nodes, NEVER, np.int32)
        if levels.outage is not None:
            self.cut_off = np.full(nodes, NEVER, np.int32)
        self.losing_ways = self._losing_ways()
        """Who is at risk because only one way to the gateways is left, or none that is not at risk itself."""
        self.all_ways_at_risk = frozenset(self.losing_ways.tolist()) - self.singled
        if len(self.losing_ways):
            self.fewer_ways = np.full(nodes, NEVER, np.int32)
        self._needs_ways: Bools | None = None
        self._since: list[Ints] | None = None
        """Whose availability got nearer since the fc paths were worked out."""
        self._above: dict[tuple[int, frozenset[int]], dict[int, int]] = {}
        self._switches: dict[int, bool] = {}
        self.no_path: dict[Pair, int] = {}
        self.fewer_paths: dict[Pair, int] = {}
        self._run(targets)

    def value(self, array: Ints, node: int) -> int:
        return int(array[node]) if len(array) else int(NEVER)

    def taken(self, relation: int) -> int | None:
        """The rank of a relation that was taken out, or of what it is a copy of."""
        return self._taken.get(int(self._topology.rkey[relation])) if self._taken else None

    # Who loses ways

    def _losing_ways(self) -> Ints:
        levels, topology = self._levels, self._topology
        singled = levels.singled_out
        candidates = levels.at_risk[tables.DOWN_WHEN_CUT_OFF[topology.cls[levels.at_risk]]]
        candidates = candidates[levels.networks.touching[candidates]]
        candidates = candidates[(levels.mark[candidates] & DEGRADED) == 0]
        candidates = candidates[levels.networks.ethernet.connected[candidates]]
        singled = singled[(levels.mark[singled] & DEGRADED) == 0].astype(np.int32)
        if not len(candidates):
            alone: Ints = singled
            return alone
        held = self._held(candidates)
        found: Ints = distinct(np.concatenate((singled, candidates[~held])))
        return found

    def _held(self, nodes: Ints) -> Bools:
        """Of each whether it is a gateway, or has a cable to one that passes, connected were all at risk down."""
        levels, networks = self._levels, self._levels.networks
        held = np.isin(nodes, networks.ethernet.gateways)
        near, far, cables, managed = beside(self._topology, nodes)
        good = networks.passes[far] & networks.ethernet.connected[far] & ~managed
        good &= (levels.mark[far] & AT_RISK) == 0
        good &= self._there(cables)
        lost = levels.risk if levels.risk is not None else levels.outage
        if lost is not None and len(lost.cut_off):
            good &= ~np.isin(far, lost.cut_off)
        found: Bools = held | np.isin(nodes, near[good])
        return found

    def _there(self, cables: Ints) -> Bools:
        """Of each relation whether it was not taken out."""
        out = self._levels.change.out
        found: Bools = ~np.isin(cables, np.fromiter(out, np.int32)) if out else np.ones(len(cables), np.bool_)
        return found

    # Shortest chains

    def _run(self, targets: Mapping[int, int]) -> None:
        levels = self._levels
        nodes = np.fromiter(targets, np.int32)
        ranks = np.fromiter(targets.values(), np.int32)
        following = {
            "availability": self._from_availability,
            "cut_off": self._from_cut_off,
            "cut_off_management": self._from_cut_off_management,
            "fewer_ways": self._from_fewer_ways,
            "protection": self._from_protection,
        }
        waiting: dict[str, list[Ints]] = {name: [] for name in following}
        for name in (*following, "management"):  # being unmanaged has no effect on others
            self._improve(waiting, name, nodes, ranks)
        for relation, rank in self.target_relations.items():
            self._from_relation(waiting, relation, np.int32(rank) + STEP)
        while True:
            while any(waiting.values()):
                for name, go_on in following.items():
                    if improved := waiting[name]:
                        waiting[name] = []
                        go_on(waiting, distinct(np.concatenate(improved)))
            if levels.fc is None or not self._paths(waiting):
                return

    def _improve(self, waiting: dict[str, list[Ints]], name: str, nodes: Ints, values: Ints) -> None:
        """Take over values that are smaller than those known; who changed waits to be looked through."""
        array: Ints = getattr(self, name)
        if not len(array) or not len(nodes):
            return
        better = values < array[nodes]
        if not better.any():
            return
        nodes, values = nodes[better], values[better]
        np.minimum.at(array, nodes, values)
        if name in waiting:
            waiting[name].append(nodes)
        if self._since is not None and name == "availability":
            self._since.append(nodes)

    def _from_relation(self, waiting: dict[str, list[Ints]], relation: int, value: np.int32) -> None:
        levels, topology = self._levels, self._topology
        ends = np.array([topology.src[relation], topology.dst[relation]], np.int32)
        values = np.full(2, value, np.int32)
        if relation not in levels.change.out:
            seeded = np.array([node in levels.change.at_risk for node in ends.tolist()])
            seeded &= (levels.mark[ends] & (AT_RISK | DEGRADED)) == AT_RISK
            self._improve(waiting, "availability", ends[seeded], values[seeded])
            return
        for one in (relation, *topology.copies.get(relation, ())):
            number = int(topology.req[one])
            if number != -1:
                head = np.array([one if number >= 0 else -2 - number], np.int32)
                self._through_legs(waiting, head, values[:1], levels.failed[head])
        code = int(topology.rcode[relation])
        if code & 31 != tables.CABLE or code & _MEDIUM != _BY_ETHERNET:
            return
        plain = not code & (FROM_SIDE | TO_SIDE)
        own = np.array([plain or bool(code & FROM_SIDE), plain or bool(code & TO_SIDE)])
        cut = (levels.mark[ends] & CUT_OFF) != 0
        self._improve(waiting, "cut_off", ends[cut & plain], values[cut & plain])
        managed = ((levels.mark[ends] & CUT_OFF_FROM_MANAGEMENT) != 0) & own
        self._improve(waiting, "cut_off_management", ends[managed], values[managed])
        if plain:
            self._improve(waiting, "fewer_ways", ends, values)

    def _through_legs(
        self, waiting: dict[str, list[Ints]], legs: Ints, values: Ints, failing: Bools, target: str = ""
    ) -> None:
        """From causes to whose requirements they broke: legs that fail because of them, or (`target`) that stand in the
        same set as their owner."""
        levels, topology = self._levels, self._topology
        requirements = topology.req[legs]
        owners = topology.owner[requirements]
        flags = topology.leg[legs]
        lost, margin = levels.lost[requirements], topology.margin[requirements]
        now = levels.mark[owners]
        axis = flags >> AXIS_SHIFT
        if target == "protection":
            own = (axis == PROTECTION) & (lost + levels.bare[requirements] > margin)
            passed = tables.PASSES_PROTECTION_ON[topology.rtype[requirements]]
            passed &= ((topology.flags[owners] & HAS_PROTECTION) == 0) & (levels.bare[requirements] > margin)
            taken = (own | passed) & ((now & UNPROTECTED) != 0) & ((flags & BESIDE) == 0)
            self._improve(waiting, "protection", owners[taken], values[taken])
            return
        beside_ = (flags & BESIDE) != 0
        available = axis == AVAILABILITY
        down = (now & DOWN) != 0
        taken = available & down & ~beside_ & failing & (lost > margin)
        standing = levels.mark[topology.dst[legs]] if target else np.zeros(len(legs), np.uint8)
        degraded = available & ~down & ((now & DEGRADED) != 0)
        if degraded.any():
            to_blame = (lost + levels.short[requirements] > margin) & ~beside_
            to_blame |= (flags & (ACTIVE_LEG | BESIDE)) != 0
            short = (lost > topology.spare[requirements]) & ~beside_
            taken |= degraded & ((to_blame & ((standing & DEGRADED) != 0)) | ((to_blame | short) & failing))
        risky = available & ((now & (DEGRADED | AT_RISK)) == AT_RISK) & ~beside_
        if risky.any():
            shaky = lost + levels.shaky[requirements] > margin
            few = (lost == margin) & (lost > 0)
            taken |= risky & ((shaky & ((standing & AT_RISK) != 0)) | ((shaky | few) & failing))
        self._improve(waiting, "availability", owners[taken], values[taken])
        bare = (axis == PROTECTION) & ((now & UNPROTECTED) != 0) & failing & (lost + levels.bare[requirements] > margin)
        self._improve(waiting, "protection", owners[bare], values[bare])
        unmanaged = (axis == MANAGEMENT) & ((now & UNMANAGED) != 0) & failing & (lost > margin)
        self._improve(waiting, "management", owners[unmanaged], values[unmanaged])

    def _legs_to(self, nodes: Ints, values: Ints) -> tuple[Ints, Ints]:
        """The legs to some nodes, each with the value of its owner: one relation further, but for groups."""
        topology = self._topology
        rows = topology.into.gather(nodes)
        values = np.repeat(values, topology.into.lengths(nodes))
        legs = topology.req[rows] >= 0
        rows, values = rows[legs], values[legs]
        return rows, values + np.where(topology.cls[topology.dst[rows]] == GROUP, np.int32(0), STEP)

    def _from_availability(self, waiting: dict[str, list[Ints]], nodes: Ints) -> None:
        levels, networks = self._levels, self._levels.networks
        values = self.availability[nodes]
        legs, further = self._legs_to(nodes, values)
        down = (levels.mark[self._topology.dst[legs]] & DOWN) != 0
        self._through_legs(waiting, legs, further, levels.failed[legs] & down, "availability")
        down = (levels.mark[nodes] & DOWN) != 0
        if len(self.cut_off):
            cut = down & ((levels.mark[nodes] & CUT_OFF) != 0)
            self._improve(waiting, "cut_off", nodes[cut], values[cut])
        if len(self.cut_off_management):
            cut = down & ((levels.mark[nodes] & CUT_OFF_FROM_MANAGEMENT) != 0)
            self._improve(waiting, "cut_off_management", nodes[cut], values[cut])
        passing = networks.passes[nodes]
        if not passing.any():
            return
        self._to_neighbours(waiting, nodes[passing & down], "availability", managed=True)
        if len(self.fewer_ways):
            risky = passing & ((levels.mark[nodes] & AT_RISK) != 0)
            self._to_fewer_ways(waiting, nodes[risky], self.availability)

    def _to_neighbours(self, waiting: dict[str, list[Ints]], nodes: Ints, name: str, *, managed: bool) -> None:
        """Who is cut off behind some that are down, or cut off themselves."""
        if not len(nodes) or not len(self.cut_off):
            return
        levels = self._levels
        near, far, cables, side = beside(self._topology, nodes)
        there = self._there(cables)
        values = getattr(self, name)[near] + STEP
        cut = there & ~side & ((levels.mark[far] & CUT_OFF) != 0)
        self._improve(waiting, "cut_off", far[cut], values[cut])
        if managed and len(self.cut_off_management):
            own = np.where(self._topology.src[cables] == far, FROM_SIDE, TO_SIDE)
            own = ~side | ((self._topology.rcode[cables] & own) != 0)
            cut = there & own & ((levels.mark[far] & CUT_OFF_FROM_MANAGEMENT) != 0)
            self._improve(waiting, "cut_off_management", far[cut], values[cut])

    def _from_cut_off(self, waiting: dict[str, list[Ints]], nodes: Ints) -> None:
        levels, topology = self._levels, self._topology
        nodes = nodes[(levels.mark[nodes] & CUT_OFF) != 0]
        values = self.cut_off[nodes]
        fallen = ((levels.mark[nodes] & DOWN) != 0) & tables.DOWN_WHEN_CUT_OFF[topology.cls[nodes]]
        fallen &= ~np.isin(nodes, np.fromiter(levels.change.down, np.int32))
        self._improve(waiting, "availability", nodes[fallen], values[fallen])
        cabled = levels.networks.ethernet.cabled
        own = cabled[nodes]
        self._cut_legs(waiting, nodes[own], values[own])
        for part, via in self._uncabled(nodes):
            steps = topology.part_of(part)[via]
            value = np.array([self.cut_off[via] + steps * STEP], np.int32)
            self._cut_legs(waiting, np.array([part], np.int32), value)
        on = levels.networks.passes[nodes] & ((levels.mark[nodes] & DOWN) == 0)
        self._to_neighbours(waiting, nodes[on], "cut_off", managed=True)

    def _uncabled(self, nodes: Ints) -> Iterator[tuple[int, int]]:
        """What has no cable and fails with one of these, that being the nearest cut off of all that it is part of."""
        levels, topology = self._levels, self._topology
        cabled = levels.networks.ethernet.cabled
        chosen = frozenset(nodes.tolist())
        edge, seen = nodes, set[int](chosen)
        for node in nodes[~cabled[nodes]].tolist():
            yield node, node
        while len(edge):
            rows = topology.into.gather(edge)
            rows = rows[(topology.rcode[rows] & (31 | MADE)) == tables.PART_OF]
            parts = distinct(topology.src[rows])
            parts = parts[topology.live[parts]]
            edge = np.array([one for one in parts.tolist() if one not in seen], np.int32)
            seen.update(edge.tolist())
            for part in edge[~cabled[edge]].tolist():
                via = levels.cut_off_by(part)
                if via is not None and via in chosen:
                    yield part, via

    def _cut_legs(self, waiting: dict[str, list[Ints]], nodes: Ints, values: Ints) -> None:
        """Legs that fail because their target is cut off, and for no reason that comes before that."""
        levels = self._levels
        legs, further = self._legs_to(nodes, values)
        kept = levels.failed[legs] & ((levels.mark[self._topology.dst[legs]] & DOWN) == 0)
        legs, further = legs[kept], further[kept]
        cut = np.array([levels.failure(leg) == "cut_off" for leg in legs.tolist()], np.bool_)
        legs, further = legs[cut], further[cut]
        if len(legs):
            self._through_legs(waiting, legs, further, np.ones(len(legs), np.bool_))

    def _from_cut_off_management(self, waiting: dict[str, list[Ints]], nodes: Ints) -> None:
        levels, topology = self._levels, self._topology
        nodes = nodes[(levels.mark[nodes] & CUT_OFF_FROM_MANAGEMENT) != 0]
        values = self.cut_off_management[nodes]
        unmanaged = tables.UNMANAGED_WHEN_CUT_OFF[topology.cls[nodes]]
        self._improve(waiting, "management", nodes[unmanaged], values[unmanaged])
        legs, further = self._legs_to(nodes, values)
        of_management = (topology.leg[legs] >> AXIS_SHIFT == MANAGEMENT) & levels.failed[legs]
        legs, further = legs[of_management], further[of_management]
        self._through_legs(waiting, legs, further, np.ones(len(legs), np.bool_))

    def _from_fewer_ways(self, waiting: dict[str, list[Ints]], nodes: Ints) -> None:
        levels, networks = self._levels, self._levels.networks
        losing = nodes[np.isin(nodes, self.losing_ways)]
        self._improve(waiting, "availability", losing, self.fewer_ways[losing])
        on = networks.passes[nodes] & ((levels.mark[nodes] & DOWN) == 0)
        on &= ~np.isin(nodes, networks.ethernet.gateways)
        self._to_fewer_ways(waiting, nodes[on], self.fewer_ways)

    def _to_fewer_ways(self, waiting: dict[str, list[Ints]], nodes: Ints, values: Ints) -> None:
        """To the neighbours, and on through what passes; of the rest only who loses ways itself counts."""
        if not len(nodes):
            return
        levels = self._levels
        near, far, cables, side = beside(self._topology, nodes)
        if self._needs_ways is None:
            self._needs_ways = levels.networks.passes.copy()
            self._needs_ways[self.losing_ways] = True
        kept = ~side & self._needs_ways[far]
        kept &= self._there(cables)
        self._improve(waiting, "fewer_ways", far[kept], values[near[kept]] + STEP)

    def _from_protection(self, waiting: dict[str, list[Ints]], nodes: Ints) -> None:
        nodes = nodes[(self._levels.mark[nodes] & UNPROTECTED) != 0]
        legs, further = self._legs_to(nodes, self.protection[nodes])
        self._through_legs(waiting, legs, further, np.zeros(len(legs), np.bool_), "protection")

    # Fibre channel

    def _paths(self, waiting: dict[str, list[Ints]]) -> bool:
        """What parts fc legs, worked out from the values so far; whether anything got nearer by that."""
        levels, topology = self._levels, self._topology
        if self._since is not None and not len(levels.networks.fabric.mattering(joined(self._since))):
            return False
        self._since = []
        owners: list[int] = []
        nearer: list[int] = []
        for pair in {*levels.parting, *levels.parted_at_risk}:
            value = self._path_value(pair, AT_RISK)
            if value < self.fewer_paths.get(pair, _NEVER):
                self.fewer_paths[pair] = value
                for owner in topology.owner[topology.req[levels.holding_fc_legs(pair)]].tolist():
                    if levels.mark[owner] & (DEGRADED | AT_RISK) == AT_RISK:
                        owners.append(owner)
                        nearer.append(value)
        self._improve(waiting, "availability", np.array(owners, np.int32), np.array(nearer, np.int32))
        legs: list[int] = []
        values: list[int] = []
        for leg in levels.parted_legs():
            pair = int(topology.src[leg]), int(topology.dst[leg])
            value = self._path_value(pair, DOWN)
            if value < self.no_path.get(pair, _NEVER):
                self.no_path[pair] = value
            if pair in self.no_path:
                legs.append(leg)
                values.append(self.no_path[pair])
        parted = np.array(legs, np.int32)
        self._through_legs(waiting, parted, np.array(values, np.int32), np.ones(len(parted), np.bool_))
        return any(waiting.values())

    def _path_value(self, pair: Pair, lost: int) -> int:
        if pair[0] in self.target_nodes:
            return self.target_nodes[pair[0]]
        return min((value for value, _, _ in self.lost_near(pair, lost)), default=int(NEVER))

    def lost_near(self, pair: Pair, lost: int) -> Iterator[tuple[int, int | None, int | None]]:
        """From both ends along the fabrics to what is lost: the value that it gives, and the CI or the relation."""
        levels = self._levels
        owner, target = pair
        steps = {one: far + 1 for one, far in self._steps(target, _PART_OF).items()} | self._steps(owner, _CARRYING)
        for one, far in steps.items():
            if one != owner and levels.mark[one] & lost and self.availability[one] < NEVER:
                yield int(self.availability[one]) + far * int(STEP), one, None
        fabric = levels.networks.fabric
        if self._taken or self._a_switch_is(lost):
            for (kind, one), far in fabric.lost_near(steps, _Marked(levels.mark, lost), levels.change.out):
                if kind == "cable":
                    rank = self.taken(one)
                    if rank is not None:
                        yield rank + far * int(STEP), None, one
                elif self.availability[one] < NEVER:
                    yield int(self.availability[one]) + far * int(STEP), one, None
        for zone in fabric.zones_of(steps) if self._taken else ():
            rank = self.taken(zone)
            if rank is not None:
                yield rank + int(STEP), None, zone

    def _steps(self, node: int, types: frozenset[int]) -> dict[int, int]:
        """A CI and all that relations of these types lead to from it, with how many relations away."""
        if (node, types) not in self._above:
            self._above[node, types] = self._topology.above(node, types)
        return self._above[node, types]

    def _a_switch_is(self, lost: int) -> bool:
        """Whether any FC switch is in a set."""
        if lost not in self._switches:
            topology = self._topology
            switches = tables.FORWARDS_FC[topology.cls] & topology.live
            self._switches[lost] = bool(((self._levels.mark & lost) != 0)[switches].any())
        return self._switches[lost]


_PART_OF: Final = frozenset({tables.PART_OF})
_CARRYING: Final = frozenset(tables.CARRYING)


class _Marked(Container[int]):
    """The nodes of a set, as the levels mark them."""

    def __init__(self, mark: Bytes, bit: int) -> None:
        self._mark = mark
        self._bit = bit

    def __contains__(self, node: object) -> bool:
        return isinstance(node, int) and bool(self._mark[node] & self._bit)


def beside(topology: Topology, nodes: Ints) -> tuple[Ints, Ints, Ints, Bools]:
    """The ethernet cables of some nodes: near end, far end, relation, and whether either end is a management port."""
    found: list[tuple[Ints, Ints]] = []
    for rows, near in ((topology.out, topology.src), (topology.into, topology.dst)):
        cables = rows.gather(nodes)
        code = topology.rcode[cables]
        cables = cables[(code & (31 | _MEDIUM | MADE)) == tables.CABLE | _BY_ETHERNET]
        found.append((near[cables], cables))
    near_ends = np.concatenate([near for near, _ in found])
    cables = np.concatenate([cables for _, cables in found])
    far_ends = topology.src[cables] + topology.dst[cables] - near_ends
    there = topology.live[far_ends] & (far_ends != near_ends)
    side = (topology.rcode[cables] & (FROM_SIDE | TO_SIDE)) != 0
    return near_ends[there], far_ends[there], cables[there], side[there]
