"""Who else falls when one more thing fails on top of a change: D alone, worked out and taken back, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmdb.impact.kinds import Ints
from cmdb.impact.levels import AT_RISK, CUT_OFF, DEGRADED, DOWN, Change, Levels, Scratch

if TYPE_CHECKING:
    from cmdb.impact.engine import Engine

_FALLEN = DOWN | DEGRADED | AT_RISK


class Falling(Levels):
    """D of a change, and of the change with one CI or cable more."""

    def __init__(self, engine: Engine, change: Change) -> None:
        """It has a scratch of its own, so that it lasts while other questions are asked."""
        self._engine = engine
        self._cuts: list[Ints] = []
        self._own = Scratch(engine.topology)
        super().__init__(engine.topology, engine.networks, self._own, change, down_only=True)
        self._spare: Scratch | None = None

    def is_down(self, node: int) -> bool:
        return bool(self.mark[node] & DOWN)

    def with_ci(self, node: int) -> Ints:
        """Who is down besides when this CI fails, too, itself included."""
        if self.is_down(node):
            return _NONE
        marked, failures, counted = len(self._marked), len(self._failures), len(self._counted)
        outage, fc = self.outage, self.fc
        self._cuts.clear()
        if outage is not None:
            self.outage = outage.further()
        if fc is not None:
            self.fc = fc.further()
        found = self._fall([np.array([node], np.int32)])
        self.mark[found] &= np.uint8(~_FALLEN & 0xFF)
        for nodes in self._cuts:
            self.mark[nodes] &= np.uint8(~CUT_OFF & 0xFF)
        for legs in self._failures[failures:]:
            self.failed[legs] = False
        for requirements in self._counted[counted:]:
            np.subtract.at(self.lost, requirements, np.int32(1))
        del self._marked[marked:], self._failures[failures:], self._counted[counted:]
        self.outage, self.fc = outage, fc
        return found

    def with_cable(self, relation: int) -> Ints:
        """Who is down besides when this cable is out, too."""
        if relation in self.change.out:
            return _NONE
        if self._spare is None:
            self._spare = Scratch(self.topology)
        change = self.change | Change(out=frozenset({relation}))
        with_it = Levels(self.topology, self.networks, self._spare, change, down_only=True)
        found: Ints = with_it.down[(self.mark[with_it.down] & DOWN) == 0]
        with_it.wipe()
        return found

    def _cut(self, nodes: Ints) -> list[Ints]:
        self._cuts.append(nodes)
        return super()._cut(nodes)


_NONE: Ints = np.empty(0, np.int32)
