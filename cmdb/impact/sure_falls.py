"""What falls for sure when one CI does, as edges: a leg that cannot be spared, a network's only way. And what edges do
not show: CIs with whose fall something more may follow, which has to be worked out in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact.adjacency import Adjacency
from cmdb.impact.fabric_wiring import CARRYING, PART_OF
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import AXIS_SHIFT, BESIDE, BY_ETHERNET
from cmdb.impact.spares import Spares
from cmdb.impact.tables import AVAILABILITY, DOWN_WHEN_CUT_OFF, SERVICE

if TYPE_CHECKING:
    from cmdb.impact.falling import Falling

_NONE: Ints = np.empty(0, np.int32)


class Lost(NamedTuple):
    """Cables, by their relations, with whom the loss of each takes down at once."""

    cable: Ints
    node: Ints


class SureFalls:
    """The edges of a state in which no CI that networks are made of is down."""

    def __init__(self, falling: Falling) -> None:
        topology = self._topology = falling.topology
        self._falling = falling
        net = self._net = falling.networks.ethernet
        nodes = len(topology.key)
        self.doubtful: Bools = np.zeros(nodes, np.bool_)
        """With whose fall something may follow that no edge shows."""
        self._sources: list[Ints] = []
        self._fallen: list[Ints] = []
        self._legs()
        self._parts()
        self.cables: list[Lost] = []
        """Ethernet cables that alone separate whom."""
        self.doubtful_cables: list[Ints] = []
        """Cables whose loss has to be worked out in full."""
        self.above: Ints = np.full(nodes, -1, np.int32)
        """Of each CI that traffic passes the one that separates it from all gateways; -1: none does, nobody else."""
        if net.gateways.size:
            self._ethernet()
        self.spares = Spares(falling, self._loose_carried)
        self._fabrics()
        sources, fallen = np.concatenate([_NONE, *self._sources]), np.concatenate([_NONE, *self._fallen])
        self.edges = _rows(nodes, sources, fallen)
        self.upwards = _rows(nodes, fallen, sources)

    # Legs

    def _legs(self) -> None:
        topology, falling = self._topology, self._falling
        legs = np.flatnonzero(topology.req[: topology.relations] >= 0).astype(np.int32)
        flags = topology.leg[legs]
        legs = legs[(flags & BESIDE == 0) & (flags >> AXIS_SHIFT == AVAILABILITY) & ~falling.failed[legs]]
        requirements = topology.req[legs]
        owner = topology.owner[requirements]
        spare = topology.margin[requirements] - falling.lost[requirements]
        up = (falling.mark[owner] & 1) == 0
        self.sure = np.zeros(topology.relations, np.bool_)
        """Of each leg, by its head, whether its owner falls with its target."""
        sure = up & (spare <= 0)
        self.sure[legs[sure]] = True
        self._add(topology.dst[legs[sure]], owner[sure])
        spared = up & (spare > 0)
        self.spared = _rows(len(topology.key), topology.dst[legs[spared]], requirements[spared])
        """Of each target the requirements that lose a leg when it falls, and can spare it."""
        self.spare: Ints = topology.margin - falling.lost
        self.leaning = _rows(len(topology.key), owner[up], topology.dst[legs[up]])
        """Of each owner the targets."""
        self._ethernet_legs = legs[(topology.leg[legs] & BY_ETHERNET) != 0]

    def _add(self, sources: Ints, fallen: Ints) -> None:
        self._sources.append(sources.astype(np.int32))
        self._fallen.append(fallen.astype(np.int32))

    def _is_sure(self, relations: Ints) -> Bools:
        """Of relations, whether their source itself falls with their target."""
        topology = self._topology
        requirement = topology.req[relations]
        head = np.where(requirement < -1, -2 - requirement, relations)
        of = topology.req[head]
        found: Bools = (of >= 0) & self.sure[head]
        found[found] = topology.owner[of[found]] == topology.src[relations[found]]
        return found

    def _parts(self) -> None:
        """Relations that stand something for something else, and with whose target the source need not fall."""
        topology = self._topology
        rows = np.flatnonzero((CARRYING | PART_OF)[topology.rcode[: topology.relations] & TYPE_BITS]).astype(np.int32)
        source, target = topology.src[rows], topology.dst[rows]
        rows = rows[topology.live[source] & topology.live[target] & (source != target)]
        loose = rows[~self._is_sure(rows)]
        part = PART_OF[topology.rcode[loose] & TYPE_BITS]
        self._loose_parts = loose[part]
        self._loose_carried = loose[~part]
        wiring = self._falling.networks.fabric.wiring
        upper = np.unique(topology.dst[self._loose_parts])
        if len(upper):
            above = wiring.members(upper, PART_OF).ci
            self.doubtful[above[wiring.matters[above]]] = True

    # Ethernet

    def _ethernet(self) -> None:
        net = self._net
        sensitive = self._sensitive()
        intact = net.separators.intact
        root = net.number.size
        above = intact.above[:root]
        self.above[net.number] = np.where(above == root, -1, net.number[np.minimum(above, root - 1)])
        gateway = np.zeros(net.nodes, np.bool_)
        gateway[net.gateways] = True
        below = np.flatnonzero((above != root) & ~gateway[net.number])
        self._hangs(net.number[below], net.number[above[below]], sensitive)
        bridged = np.flatnonzero((intact.bridge[:root] >= 0) & ~gateway[net.number])
        self._bridges(net.number[bridged], intact.bridge[bridged], sensitive)
        leaves = np.flatnonzero(net.connected & (net.place < 0)).astype(np.int32)
        places, owner = net.rows.of(leaves)
        way = net.place[net.rows.other[places]] >= 0
        places, owner = places[way], owner[way]
        near = net.place[net.rows.other[places]]
        many = np.bincount(owner, minlength=leaves.size)
        first = np.cumsum(many) - many
        common = near[first]
        for turn in range(1, int(many.max(initial=1))):
            more = np.flatnonzero((many > turn) & (common != root))
            if not more.size:
                break
            common[more] = intact.nearest(common[more], near[first[more] + turn])
        below = np.flatnonzero(common != root)
        self._hangs(leaves[below], net.number[common[below]], sensitive)
        alone = np.flatnonzero(many == 1)
        self._bridges(leaves[alone], net.rows.cable[places[first[alone]]], sensitive)

    def _sensitive(self) -> Bools:
        """Who, cut off, makes legs fail that lead to him, or to a part of him."""
        topology, net = self._topology, self._net
        found: Bools = np.zeros(net.nodes, np.bool_)
        targets = np.unique(topology.dst[self._ethernet_legs])
        found[targets[net.cabled[targets]]] = True
        loose = targets[~net.cabled[targets]]
        row = topology.out.gather(loose)
        loose = np.unique(topology.src[row[PART_OF[topology.rcode[row] & TYPE_BITS]]])
        loose = loose[~net.cabled[loose]]
        if len(loose):
            of = self._falling.networks.fabric.wiring.members(loose, PART_OF)
            upper = of.ci != loose[of.place]
            found[of.ci[upper]] = True
            unsure = np.zeros(net.nodes, np.bool_)
            unsure[topology.src[self._loose_parts]] = True
            wavering = np.zeros(len(loose), np.bool_)
            wavering[of.place[unsure[of.ci]]] = True
            self.doubtful[of.ci[upper & wavering[of.place]]] = True
        return found

    def _hangs(self, hanging: Ints, by: Ints, sensitive: Bools) -> None:
        """CIs that are cut off when another fails."""
        down = DOWN_WHEN_CUT_OFF[self._topology.cls[hanging]]
        self._add(by[down], hanging[down])
        self.doubtful[by[~down & sensitive[hanging]]] = True

    def _bridges(self, hanging: Ints, cables: Ints, sensitive: Bools) -> None:
        """CIs that are cut off without a cable."""
        down = DOWN_WHEN_CUT_OFF[self._topology.cls[hanging]]
        relations = self._falling.networks.cables[cables]
        self.cables.append(Lost(relations[down], hanging[down]))
        self.doubtful_cables.append(relations[~down & sensitive[hanging]])

    # Fabrics

    def _fabrics(self) -> None:
        """Switches and cables that each path of a leg leads over."""
        topology = self._topology
        is_ci, number, leg = self.spares.cuts()
        sure = self.sure[leg]
        owner = topology.owner[topology.req[leg]]
        self._add(number[is_ci & sure], owner[is_ci & sure])
        self.doubtful[number[is_ci & ~sure]] = True
        self.fc_cables = Lost(number[~is_ci & sure], owner[~is_ci & sure])
        self.doubtful_cables.append(number[~is_ci & ~sure])

    # Who may matter

    def upstream(self) -> Bools:
        """Whose fall may take a service down, and perhaps a few more."""
        topology, net = self._topology, self._net
        found: Bools = np.zeros(len(topology.key), np.bool_)
        edge = np.flatnonzero((topology.cls == SERVICE) & topology.live).astype(np.int32)
        passing, ends = False, False
        wiring = self._falling.networks.fabric.wiring
        while len(edge):
            found[edge] = True
            next_ = [self.leaning.gather(edge), self.upwards.gather(edge)]
            if not passing and net.connected[edge].any():
                passing = True
                next_.append(net.number)
            if not ends and wiring.above[edge].any():
                ends = True
                next_.append(np.flatnonzero(wiring.matters).astype(np.int32))
            if passing or ends:
                next_.append(np.flatnonzero(self.doubtful).astype(np.int32))
            edge = np.unique(np.concatenate(next_))
            edge = edge[~found[edge]]
        return found


def _rows(nodes: int, of: Ints, numbers: Ints) -> Adjacency:
    order = np.argsort(of, kind="stable")
    return Adjacency.laid(nodes, of[order], numbers[order])
