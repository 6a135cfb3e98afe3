"""What a change touches, so that nothing is looked for where nothing is different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.fabric_wiring import CARRYING, PART_OF
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import AXIS_SHIFT, BESIDE

if TYPE_CHECKING:
    from cmdb.impact.falling import Falling


class Touched:
    """Whether a change touches anything that may take a CI down: where it does not, nothing follows from it."""

    def __init__(self, before: Falling, after: Falling) -> None:
        topology = self._topology = after.topology
        self.before = before
        networks = after.networks
        self._wiring, self._net = networks.fabric.wiring, networks.ethernet
        self._seen: Bools = np.zeros(len(topology.key), np.bool_)
        legs = after.failures()
        legs = legs[~before.failed[legs]]
        lost = after.lost_nodes()
        lost = lost[after.mark[lost] != before.mark[lost]]
        cables = np.array(
            [one for one in after.change.out if topology.rcode[one] & TYPE_BITS == tables.CABLE], np.int32
        )
        self._nodes: Bools = np.zeros(len(topology.key), np.bool_)
        owners = topology.owner[topology.req[legs]]  # groups that stand as legs among them
        for some in (topology.src[legs], owners, lost, topology.src[cables], topology.dst[cables]):
            self._nodes[some] = True
        self._passing = self._reached(self._net.number)
        self._switches = self._reached(np.flatnonzero(self._wiring.switch).astype(np.int32))
        self.ethernet = len(cables) > 0 or bool(self._nodes[self._passing].any())
        self._fabrics = len(cables) > 0 or bool(self._nodes[self._switches].any())
        self.ethernet |= self._fabrics and bool(self._wiring.above[self._passing].any())
        self._fabrics |= self.ethernet and bool(self._net.connected[self._switches].any())
        ends = self._nodes & (self._net.connected | self._wiring.matters)
        self.networks = self.ethernet or self._fabrics or bool(ends.any())
        """Whether anything that networks are made of is touched, or anybody at their ends."""
        self.below = self._leaning()
        """Who may fall for another reason now."""

    def reaches(self, node: int) -> bool:
        found = self._reached(np.array([node], np.int32))
        return bool(
            self._nodes[found].any()
            or (self.ethernet and self._net.connected[found].any())
            or (self._fabrics and self._wiring.above[found].any())
        )

    def bearing(self, node: int) -> Bools:
        """Whose fall may matter to a CI."""
        found: Bools = np.zeros(len(self._seen), np.bool_)
        own = self._reached(np.array([node], np.int32))
        found[own] = True
        by_fabrics = self._wiring.above[own].any()
        if self._net.connected[own].any() or (by_fabrics and self._net.connected[self._switches].any()):
            found[self._passing] = True
            by_fabrics = by_fabrics or self._wiring.above[self._passing].any()
        if by_fabrics:
            found[self._switches] = True
        return found

    def _leaning(self) -> Bools:
        """Who leans on anything that is touched, or stands on it."""
        topology = self._topology
        found = self._nodes.copy()
        if self.ethernet:
            found |= self._net.connected
        if self._fabrics:
            found |= self._wiring.above
        if self.networks:
            found |= topology.cls == tables.GROUP  # of whose legs those of networks are not told apart
        edge = np.flatnonzero(found).astype(np.int32)
        while len(edge):
            rows = self._bearing(topology.into.gather(edge))
            owner, requirements = topology.src[rows], topology.req[rows]
            owner[requirements >= 0] = topology.owner[requirements[requirements >= 0]]
            edge = np.unique(np.concatenate((topology.src[rows], owner)))
            edge = edge[~found[edge]]
            found[edge] = True
        return found

    def _bearing(self, rows: Ints) -> Ints:
        """Those of some relations by which somebody leans on another, or stands on him."""
        topology = self._topology
        flags = topology.leg[rows]
        leg = (topology.req[rows] >= 0) & (flags & BESIDE == 0) & (flags >> AXIS_SHIFT == tables.AVAILABILITY)
        kept: Ints = rows[leg | (CARRYING | PART_OF)[topology.rcode[rows] & TYPE_BITS]]
        return kept

    def _reached(self, edge: Ints) -> Ints:
        """All that some CIs lean on, or that stands for them; what networks are made of only where they lean on it."""
        topology, seen = self._topology, self._seen
        found: list[Ints] = []
        while len(edge):
            seen[edge] = True
            found.append(edge)
            rows = self._bearing(topology.out.gather(edge))
            edge = np.unique(topology.dst[rows])
            edge = edge[~seen[edge]]
        reached = np.concatenate(found) if found else edge
        seen[reached] = False
        return reached
