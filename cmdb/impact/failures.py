"""Next failures: which one more failure takes a CI down after the change, and would not have done so before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.answer import NextFailures
from cmdb.impact.falling import Falling
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import MADE

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

    def of(self, node: int, enough: Callable[[], bool]) -> NextFailures:
        """Every CI or cable x with the CI ∉ D(B ∪ {x}) and ∈ D(B ∪ T ∪ {x}). `enough` says when the time is up."""
        topology = self._topology
        cis, cables = upstream(topology, node)
        found_cis: list[int] = []
        found_cables: list[int] = []
        complete = True
        if not self._before.is_down(node):
            for one, is_cable in _both(cis, cables):
                if enough():
                    complete = False
                    break
                if self._takes_down(self._after, one, node, is_cable=is_cable) and not self._takes_down(
                    self._before, one, node, is_cable=is_cable
                ):
                    (found_cables if is_cable else found_cis).append(one)
        return NextFailures(
            topology.id(node),
            tuple(sorted(topology.id(one) for one in found_cis)),
            tuple(sorted(topology.relation_id(one) for one in found_cables)),
            complete,
        )

    @staticmethod
    def _takes_down(falling: Falling, one: int, node: int, *, is_cable: bool) -> bool:
        if falling.is_down(node):
            return True
        return node in (falling.with_cable(one) if is_cable else falling.with_ci(one))


def _both(cis: Ints, cables: Ints) -> Iterable[tuple[int, bool]]:
    yield from ((one, False) for one in cis.tolist())
    yield from ((one, True) for one in cables.tolist())


def upstream(topology: Topology, node: int) -> tuple[Ints, Ints]:
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
    return np.concatenate(found), np.unique(np.concatenate(cables))


def _of_the_graph(topology: Topology, rows: Ints) -> Ints:
    rows = rows[(topology.rcode[rows] & MADE) == 0]
    kept: Ints = rows[topology.live[topology.src[rows]] & topology.live[topology.dst[rows]]]
    return kept
