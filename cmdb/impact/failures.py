"""Next failures: which one more failure takes a CI down after the change, and would not have done so before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.answer import NextFailures
from cmdb.impact.falling import Falling
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import MADE
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
        self._suspects = Suspects(self._after)

    def of(self, node: int, enough: Callable[[], bool]) -> NextFailures:
        """Every CI or cable x with the CI ∉ D(B ∪ {x}) and ∈ D(B ∪ T ∪ {x}). `enough` says when the time is up."""
        topology = self._topology
        cis: list[str] = []
        cables: list[str] = []
        complete = True
        for one in self._candidates(node):
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

    def _candidates(self, node: int) -> list[Element]:
        if self._before.is_down(node):
            return []
        if self._after.is_down(node):
            return upstream(self._topology, node)
        return sorted(self._suspects.of(node))

    def _only_after(self, one: Element, node: int) -> bool:
        if not self._after.is_down(node) and node not in _with(self._after, one):
            return False
        return node not in _with(self._before, one)


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
