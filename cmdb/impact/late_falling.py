"""Who falls with one more CI, with the fabrics asked last and as little as possible: for failures that take much down.

Most of the ends of fc paths that fall take their owners or targets with them, so that nobody is left to be parted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cmdb.impact.falling import Falling
from cmdb.impact.kinds import Ints
from cmdb.impact.levels import Change

if TYPE_CHECKING:
    from cmdb.impact.engine import Engine
    from cmdb.impact.sure_falls import SureFalls

_NONE: Ints = np.empty(0, np.int32)


class LateFalling(Falling):
    """D of one failure in a state in which no CI that networks are made of is down."""

    def __init__(self, engine: Engine, sure: SureFalls) -> None:
        self._sure = sure
        super().__init__(engine, Change())

    def _parted_by(self, nodes: Ints) -> Ints:
        asked = nodes[self.networks.fabric.wiring.switch[nodes] | self._sure.doubtful[nodes]]
        return super()._parted_by(asked) if len(asked) else _NONE

    def _fall(self, waiting: list[Ints]) -> Ints:
        down = super()._fall(waiting)
        while self.networks.has_fc:
            ends = self._ends(down)
            parted = super()._parted_by(ends) if len(ends) else _NONE
            if not len(parted):
                break
            down = np.concatenate((down, super()._fall([self._fail(self._of_parted(parted))])))
        return down

    def _ends(self, down: Ints) -> Ints:
        """Who stood for somebody who is up, where too few are left who could take his place."""
        spares = self._sure.spares
        at = spares.entries.gather(down)
        if not len(at):
            return _NONE
        lost = np.bincount(spares.group_of[at], minlength=len(spares.size))
        group = spares.group[down]
        up = spares.size > np.bincount(group[group >= 0], minlength=len(spares.size))
        owner = np.repeat(down, spares.entries.lengths(down))
        short = np.zeros(len(spares.size), np.bool_)
        short[spares.group_of[at[lost[spares.group_of[at]] > spares.others[at]]]] = True
        return owner[(short & up)[spares.group_of[at]]]
