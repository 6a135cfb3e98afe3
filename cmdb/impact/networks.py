"""The networks of a topology: built when they are first asked for, and again after what they are made of changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmdb.coding import GATEWAY, MEDIA
from cmdb.impact import tables
from cmdb.impact.ethernet import Ethernet
from cmdb.impact.fabric import Above, Fabric, FcCable, FcLeg, FcZone
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import BY_FC, FROM_SIDE, TO_SIDE
from cmdb.lookup import wwn

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_ETHERNET = MEDIA.index("ethernet")
_FC = MEDIA.index("fc")


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
        if self._ethernet is None or topology.networks_changed:
            self._ethernet = self._of_cables()
            topology.networks_changed = False
        return self._ethernet

    @property
    def fabric(self) -> Fabric:
        topology = self._topology
        if self._fabric is None or topology.fabrics_changed:
            self._fabric = self._of_fc()
            topology.fabrics_changed = False
        return self._fabric

    def cable(self, relation: int) -> int:
        """The number by which `Ethernet` knows a relation; -1 for one that is no ethernet cable."""
        place = int(np.searchsorted(self.cables, relation))
        return place if place < len(self.cables) and self.cables[place] == relation else -1

    def _of_cables(self) -> Ethernet:
        topology = self._topology
        self.cables = topology.of_type(tables.CABLE, _ETHERNET)
        code = topology.rcode[self.cables]
        gateways = np.flatnonzero((topology.code & np.uint16(GATEWAY)) != 0)
        gateways = gateways[topology.live[gateways]].astype(np.int32)
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
        switches = np.flatnonzero(tables.FORWARDS_FC[topology.cls] & topology.live).tolist()
        legs = np.flatnonzero((topology.leg[: topology.relations] & BY_FC) != 0)
        legs = legs[topology.req[legs] >= 0].astype(np.int32)
        cables = topology.of_type(tables.CABLE, _FC)
        zones = topology.of_type(tables.ZONE)
        self.has_fc = bool(len(legs))
        above = Above(topology.carriers, topology.part_of)
        topology.paths_end_at = self._ends(legs)
        return Fabric(
            switches,
            [self._fc_cable(one) for one in cables.tolist()],
            [self._zone(one) for one in zones.tolist() if self._zoned_in_full(int(topology.src[one]))],
            [self._fc_leg(one) for one in legs.tolist()],
            above,
        )

    def _ends(self, legs: Ints) -> Bools:
        """Who owns an fc leg or is its target, and all that they stand on or are part of."""
        topology = self._topology
        found = np.zeros(len(topology.key), np.bool_)
        edge = np.unique(np.concatenate((topology.src[legs], topology.dst[legs])))
        upward = np.zeros(32, np.bool_)
        upward[[*tables.CARRYING, tables.PART_OF]] = True
        while len(edge):
            found[edge] = True
            rows = topology.out.gather(edge)
            rows = rows[upward[topology.rcode[rows] & 31]]
            edge = np.unique(topology.dst[rows])
            edge = edge[~found[edge]]
        return found

    def _fc_cable(self, relation: int) -> FcCable:
        topology = self._topology
        a, b = int(topology.src[relation]), int(topology.dst[relation])
        near, far = topology.words_of(relation)
        return FcCable(relation, a, self._port(a, near), b, self._port(b, far))

    def _port(self, node: int, said: str) -> str | None:
        """The WWPN of a cable's port: what the FC port of that name says, else the port's own name."""
        if node in self._topology.extras:
            known = self._topology.extra_of(node).wwpns
            if said in known:
                return known[said] or None
        return wwn(said) if said else None

    def _zone(self, relation: int) -> FcZone:
        topology = self._topology
        from_port, to_port = (wwn(word) if word else None for word in topology.words_of(relation))
        return FcZone(relation, int(topology.src[relation]), from_port, int(topology.dst[relation]), to_port)

    def _zoned_in_full(self, node: int) -> bool:
        return "zoned_to" not in self._topology.gaps_of(node)

    def _fc_leg(self, head: int) -> FcLeg:
        topology = self._topology
        node = int(topology.owner[topology.req[head]])
        media = int(topology.leg[head]) & 7
        return FcLeg(int(topology.src[head]), int(topology.dst[head]), node, head, pure=media == BY_FC)
