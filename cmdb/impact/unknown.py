"""Unknown is not unaffected: who may be affected by what was never collected, and why nobody can tell (impact.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cmdb.coding import TYPES
from cmdb.impact import tables
from cmdb.impact.cells import Cells
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import BESIDE
from cmdb.impact.sites import SEVERAL

if TYPE_CHECKING:
    from cmdb.impact.networks import Networks
    from cmdb.impact.topology import Topology

LEANS: Final = "leans on what is unknown"
_MEANS_SOMETHING: Final = tables.DOWN_WHEN_CUT_OFF | tables.UNMANAGED_WHEN_CUT_OFF
_NEVER: Final = 65_535


class Doubt(NamedTuple):
    """Why nobody can tell: `reason` in words, `root` the part of it that is counted, a list to work off."""

    reason: str
    root: str


class Doubts:
    """Everybody who is unknown: I, and whoever has too few legs outside it, less the affected."""

    def __init__(
        self, topology: Topology, networks: Networks, cells: Cells, touched: Ints, *, down: Collection[int],
        affected: Ints, network: bool,
    ) -> None:  # fmt: skip
        """`touched` are the targets and the affected; `network`: whether the network is in question."""
        self._topology = topology
        self._networks = networks
        self._cells = cells
        self._down = down
        self._network = network
        self._touched = cells.touched(touched)
        leading = cells.leading(self._touched)
        own = [self._missing(), self._not_connected(), self._with_gaps(leading)]
        self._round = np.full(len(topology.key), _NEVER, np.uint16)
        first = np.concatenate(own)
        self._round[first] = 0
        self._spread(np.unique(first))
        outside = np.ones(len(topology.key), np.bool_)
        outside[affected] = False
        unknown = np.flatnonzero((self._round != _NEVER) & outside).astype(np.int32)
        self.nodes: Ints = unknown[topology.cls[unknown] != tables.GROUP]
        self.because: Mapping[str, int] = self._roots(own, leading)

    @cached_property
    def ordered(self) -> Ints:
        """The unknown by name and id."""
        topology = self._topology
        nodes = sorted(self.nodes.tolist(), key=lambda node: (topology.names[node], topology.id(node)))
        return np.array(nodes, np.int32)

    def _missing(self) -> Ints:
        topology = self._topology
        missing = topology.missing()
        return np.array([one for one in missing.tolist() if one not in self._down], np.int32)

    def _not_connected(self) -> Ints:
        if not self._network:
            return np.empty(0, np.int32)
        topology = self._topology
        outside = _MEANS_SOMETHING[topology.cls] & topology.live & ~self._networks.ethernet.connected
        return np.flatnonzero(outside).astype(np.int32)

    def _with_gaps(self, leading: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> Ints:
        cells = self._cells
        chosen = np.flatnonzero(leading)
        several = cells.at[chosen] == SEVERAL
        nodes = cells.nodes(chosen[~several].astype(np.int32))
        unsure = cells.nodes(chosen[several].astype(np.int32))
        sure = [one for one in unsure.tolist() if cells.leads(one, self._touched)]
        return np.concatenate((nodes, np.array(sure, np.int32)))

    def _spread(self, edge: Ints) -> None:
        """Add whoever has a requirement with fewer than k legs outside, round by round, until nobody is added."""
        topology = self._topology
        inside = np.zeros(len(topology.owner), np.int32)
        turn = 0
        while len(edge):
            turn = min(turn + 1, _NEVER - 1)
            rows = topology.into.gather(edge)
            rows = rows[(topology.req[rows] >= 0) & (topology.leg[rows] & BESIDE == 0)]
            requirements = topology.req[rows]
            np.add.at(inside, requirements, np.int32(1))
            owners = topology.owner[requirements[inside[requirements] > topology.margin[requirements]]]
            edge = np.unique(owners[self._round[owners] == _NEVER])
            self._round[edge] = turn

    def _roots(self, own: list[Ints], leading: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> Mapping[str, int]:
        """How many are unknown for which first reason."""
        topology, cells = self._topology, self._cells
        mine: Bools = np.zeros(len(topology.key), np.bool_)
        mine[self.nodes] = True
        found: Counter[str] = Counter()
        missing, unconnected, _ = own
        counted = np.count_nonzero(mine[missing])
        if counted:
            found["missing"] = int(counted)
        mine[missing] = False
        counted = np.count_nonzero(mine[unconnected])
        if counted:
            found[self._no_cable()] = int(counted)
        mine[unconnected] = False
        chosen = np.flatnonzero(leading).astype(np.int32)
        for cell in chosen.tolist():
            nodes = cells.nodes(np.array([cell], np.int32))
            nodes = nodes[mine[nodes]]
            if not len(nodes):
                continue
            if cells.at[cell] == SEVERAL:
                for node in nodes.tolist():
                    types = cells.leads(node, self._touched)
                    if types:
                        found[self._first_reason(int(cells.gap[cell]), types)] += 1
                        mine[node] = False
                continue
            found[self._first_reason(int(cells.gap[cell]), int(leading[cell]))] += len(nodes)
            mine[nodes] = False
        leaning = int(np.count_nonzero(mine))
        if leaning:
            found[LEANS] = leaning
        return dict(sorted(found.items()))

    def _first_reason(self, gap: int, types: int) -> str:
        return next(reason for type_, reason in self._cells.gaps[gap].reasons if types >> type_ & 1)

    def _no_cable(self) -> str:
        if not len(self._networks.ethernet.gateways):
            return "no gateway is known: every question of the network is open"
        return "no cable that is known connects it to a gateway"

    def of(self, node: int) -> Doubt:
        """Why nobody can tell of one that is unknown."""
        if self._round[node]:
            return self._inherited(node)
        topology, cells = self._topology, self._cells
        found: list[Doubt] = []
        if topology.is_missing(node) and node not in self._down:
            since = topology.extra_of(node).missing_since
            found.append(Doubt(f"missing since {since}" if since else "missing", "missing"))
        if self._network and _MEANS_SOMETHING[topology.cls[node]] and not self._networks.ethernet.connected[node]:
            found.append(Doubt(self._no_cable(), self._no_cable()))
        types = cells.leads(node, self._touched)
        by_reason: dict[str, list[str]] = {}
        for type_, reason in cells.gaps[int(topology.gap[node])].reasons:
            if types >> type_ & 1:
                by_reason.setdefault(reason, []).append(TYPES[type_])
        found += [Doubt(f"{reason} ({', '.join(names)})", reason) for reason, names in by_reason.items()]
        return Doubt("; ".join(doubt.reason for doubt in found), found[0].root)

    def _inherited(self, node: int) -> Doubt:
        """By the first requirement with too few legs outside what was unknown in the rounds before."""
        topology = self._topology
        for requirement in topology.ordered_requirements(node):
            legs = [leg for leg in topology.ordered_legs(requirement) if not topology.leg[leg] & BESIDE]
            inside = [int(topology.dst[leg]) for leg in legs if self._round[topology.dst[leg]] < self._round[node]]
            if len(inside) > topology.margin[requirement] and inside:
                first = min(map(topology.name, inside))
                return Doubt(f"{topology.requirement_title(requirement)}: {first} is unknown", LEANS)
        return Doubt(LEANS, LEANS)
