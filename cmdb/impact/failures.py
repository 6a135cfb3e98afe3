"""Next failures: which one more failure takes a CI down after the change, and would not have done so before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.answer import NextFailures
from cmdb.impact.fabric_wiring import CARRYING, PART_OF
from cmdb.impact.falling import Falling
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import AXIS_SHIFT, BESIDE, MADE
from cmdb.impact.suspects import Element, Suspects

if TYPE_CHECKING:
    from cmdb.impact.engine import Engine
    from cmdb.impact.levels import Change
    from cmdb.impact.topology import Topology


class Failures:
    """The next failures of whichever CIs are asked about, after one change."""

    def __init__(self, engine: Engine, already: Change, changed: Change) -> None:
        self._topology = engine.topology
        self._before = Falling(engine, already)
        self._after = Falling(engine, already | changed)
        self._touched = _Touched(self._before, self._after)
        self._suspects_before = Suspects(self._before)
        self._suspects_after = Suspects(self._after)

    def of(self, node: int, enough: Callable[[], bool]) -> NextFailures:
        """Every CI or cable x with the CI ∉ D(B ∪ {x}) and ∈ D(B ∪ T ∪ {x}). `enough` says when the time is up."""
        topology = self._topology
        cis: list[str] = []
        cables: list[str] = []
        complete = True
        for one in self._suspects(node):
            if enough():
                complete = False
                break
            if self._only_after(one, node):
                kind, number = one
                if kind == "ci":
                    cis.append(topology.id(number))
                else:
                    cables.append(topology.relation_id(number))
        return NextFailures(topology.id(node), tuple(sorted(cis)), tuple(sorted(cables)), complete)

    def _suspects(self, node: int) -> list[Element]:
        if self._before.is_down(node) or not self._touched.reaches(node):
            return []
        if self._after.is_down(node):
            return upstream(self._topology, node)
        return sorted(self._suspects_after.of(node)[0])

    def _only_after(self, one: Element, node: int) -> bool:
        may, must = self._suspects_before.of(node)
        if one in must or (one in may and node in _with(self._before, one)):
            return False
        if self._after.is_down(node):
            return True
        return one in self._suspects_after.of(node)[1] or node in _with(self._after, one)


class _Touched:
    """Whether a change touches anything that may take a CI down: where it does not, nothing follows from it."""

    def __init__(self, before: Falling, after: Falling) -> None:
        topology = self._topology = after.topology
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
        for some in (topology.src[legs], lost, topology.src[cables], topology.dst[cables]):
            self._nodes[some] = True
        passing = self._reached(self._net.number)
        self._ethernet = len(cables) > 0 or bool(self._nodes[passing].any())
        switches = self._reached(np.flatnonzero(self._wiring.switch).astype(np.int32))
        self._fabrics = len(cables) > 0 or bool(self._nodes[switches].any())

    def reaches(self, node: int) -> bool:
        found = self._reached(np.array([node], np.int32))
        return bool(
            self._nodes[found].any()
            or (self._ethernet and self._net.connected[found].any())
            or (self._fabrics and self._wiring.above[found].any())
        )

    def _reached(self, edge: Ints) -> Ints:
        """All that some CIs lean on, or that stands for them; what networks are made of only where they lean on it."""
        topology, seen = self._topology, self._seen
        found: list[Ints] = []
        while len(edge):
            seen[edge] = True
            found.append(edge)
            rows = topology.out.gather(edge)
            flags = topology.leg[rows]
            rows = rows[
                ((topology.req[rows] >= 0) & (flags & BESIDE == 0) & (flags >> AXIS_SHIFT == tables.AVAILABILITY))
                | (CARRYING | PART_OF)[topology.rcode[rows] & TYPE_BITS]
            ]
            edge = np.unique(topology.dst[rows])
            edge = edge[~seen[edge]]
        reached = np.concatenate(found) if found else edge
        seen[reached] = False
        return reached


def _with(falling: Falling, one: Element) -> Ints:
    kind, number = one
    return falling.with_ci(number) if kind == "ci" else falling.with_cable(number)


def upstream(topology: Topology, node: int) -> list[Element]:
    """Every CI and cable whose failure can reach a CI: down along its relations, and along cables either way."""
    seen: Bools = np.zeros(len(topology.key), np.bool_)
    edge = np.array([node], np.int32)
    cables: list[Ints] = []
    found: list[Ints] = []
    while len(edge):
        seen[edge] = True
        found.append(edge)
        out = _of_the_graph(topology, topology.out.gather(edge))
        into = _of_the_graph(topology, topology.into.gather(edge))
        into = into[(topology.rcode[into] & TYPE_BITS) == tables.CABLE]
        cables += [out[(topology.rcode[out] & TYPE_BITS) == tables.CABLE], into]
        edge = np.unique(np.concatenate((topology.dst[out], topology.src[into])))
        edge = edge[~seen[edge]]
    cis = np.concatenate(found).tolist()
    return [("ci", one) for one in cis] + [("cable", one) for one in np.unique(np.concatenate(cables)).tolist()]


def _of_the_graph(topology: Topology, rows: Ints) -> Ints:
    rows = rows[(topology.rcode[rows] & MADE) == 0]
    kept: Ints = rows[topology.live[topology.src[rows]] & topology.live[topology.dst[rows]]]
    return kept
