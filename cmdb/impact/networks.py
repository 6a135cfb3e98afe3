"""The networks of a topology: built when they are first asked for, and again after what they are made of changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmdb.coding import GATEWAY, MEDIA
from cmdb.impact import tables
from cmdb.impact.ethernet import Ethernet
from cmdb.impact.fabric import Fabric
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import FROM_SIDE, TO_SIDE

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_MANY = 10_000
"""From so many changed CIs on, all is read again sooner than what changed."""
_ETHERNET = MEDIA.index("ethernet")


class Networks:
    """Ethernet and fabrics of one state of a topology."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._ethernet: Ethernet | None = None
        self._fabric: Fabric | None = None
        self.cables: Ints = np.empty(0, np.int32)
        """The relations that are ethernet cables; the place here is the number that `Ethernet` knows a cable by."""
        self.touching: Bools = np.empty(0, np.bool_)
        """Who has an ethernet cable, or is a gateway."""
        self.passes: Bools = np.empty(0, np.bool_)
        self.has_fc = False

    @property
    def ethernet(self) -> Ethernet:
        topology = self._topology
        if self._ethernet is None or topology.networks_changed or len(self.passes) < len(topology.key):
            self._ethernet = self._of_cables()
            topology.networks_changed = False
        return self._ethernet

    @property
    def fabric(self) -> Fabric:
        topology = self._topology
        if self._fabric is None or topology.fabrics_changed or self._fabric.size < len(topology.key):
            self._fabric = self._of_fc()
            topology.fabrics_changed = False
        return self._fabric

    def cable(self, relation: int) -> int:
        """The number by which `Ethernet` knows a relation; -1 for one that is no ethernet cable."""
        place = int(np.searchsorted(self.cables, np.int32(relation)))
        return place if place < len(self.cables) and self.cables[place] == relation else -1

    def _of_cables(self) -> Ethernet:
        topology = self._topology
        self.cables = topology.of_type(tables.CABLE, _ETHERNET)
        code = topology.rcode[self.cables]
        marked = np.flatnonzero((topology.code & np.uint16(GATEWAY)) != 0)
        gateways = marked[topology.live[marked]].astype(np.int32)
        self.passes = tables.FORWARDS_ETHERNET[topology.cls] & topology.live
        self.passes[gateways] = True
        made = Ethernet(
            len(topology.key),
            topology.src[self.cables],
            topology.dst[self.cables],
            (code & FROM_SIDE) != 0,
            (code & TO_SIDE) != 0,
            self.passes,
            gateways,
        )
        self.touching = made.cabled.copy()
        self.touching[gateways] = True
        return made

    def _of_fc(self) -> Fabric:
        topology = self._topology
        before = self._fabric if len(topology.resettled) < _MANY else None
        made = Fabric(topology, before, topology.resettled if before is not None else ())
        topology.resettled.clear()
        self.has_fc = made.wiring.has_legs
        topology.paths_end_at = made.wiring.standing
        return made
