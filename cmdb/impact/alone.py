"""Who hangs by one CI or one cable alone since a loss: the separators of those that pass no traffic, too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cmdb.impact.blocks import Loss, is_among
from cmdb.impact.forest import NONE, Flags, Integers, Places
from cmdb.impact.separators import Separation

if TYPE_CHECKING:
    from cmdb.impact.ethernet import Ethernet


class Alone:
    """What newly separates whom from all gateways, after one loss."""

    def __init__(
        self, ethernet: Ethernet, loss: Loss, spared: Integers, ends: Integers, cut_off: Callable[[Integers], Flags]
    ) -> None:
        """Of the CIs that pass no traffic `spared` lost a way and had another then, and `ends` had a cable taken out.

        `cut_off` tells which of them are.
        """
        self._ethernet = ethernet
        self._loss = loss
        self._spared = spared
        self._ends = ends
        self._cut_off = cut_off

    @cached_property
    def _intact(self) -> Separation:
        return self._ethernet.separators.intact

    @cached_property
    def _changed(self) -> Separation | None:
        """Of the CIs that pass traffic; None: nothing changed for any."""
        return self._ethernet.separators.after(self._loss)

    @cached_property
    def _now(self) -> Separation:
        return self._intact if self._changed is None else self._changed

    @cached_property
    def _passing(self) -> Integers:
        """The places of those that pass traffic and are singled out."""
        if self._changed is None:
            return NONE
        return np.flatnonzero((self._changed.depth > self._intact.depth) & self._loss.left).astype(np.int32)

    @cached_property
    def singled_out(self) -> Integers:
        return np.concatenate((self._ethernet.number[self._passing], *self._leaves[:2]))

    @cached_property
    def beside(self) -> Integers:
        """Those singled out whose own cable does it, or the CI at the other end of one (a cable taken out, too)."""
        net, now, before, passing = self._ethernet, self._now, self._intact, self._passing
        rows = net.forest.rows
        places, owner = rows.of(passing)
        next_up = np.bincount(owner[rows.other[places] == now.above[passing][owner]], minlength=passing.size) > 0
        next_up &= now.above[passing] != before.above[passing]
        own = passing[next_up | (now.bridge[passing] != before.bridge[passing])]
        found = np.concatenate((net.number[own], self._leaves[2]))
        loose = net.once(np.concatenate((net.number[np.concatenate(self._loss.loose)], self._ends)))
        exact = [n for n in loose.tolist() if self._is_beside(n)]
        return net.once(np.concatenate((found, np.array(exact, np.int32))))

    def newly(self, n: int) -> tuple[frozenset[int], frozenset[int]]:
        """The CIs and cables that separate a connected CI now and did not before, itself left out."""
        now, before = self._separators(n, self._now, intact=False), self._separators(n, self._intact, intact=True)
        places = np.array(sorted(now[0] - before[0]), np.int32)
        return frozenset(self._ethernet.number[places].tolist()), frozenset(now[1] - before[1])

    def _is_beside(self, n: int) -> bool:
        if self._ethernet.place[n] < 0 and self._cut_off(np.array([n], np.int32)).any():
            return False
        cis, cables = self.newly(n)
        return any(cable in cables or other in cis for cable, other in self._ethernet.cables_of(n))

    def _separators(self, n: int, separation: Separation, *, intact: bool) -> tuple[set[int], set[int]]:
        net = self._ethernet
        place = net.place.item(n)
        if place >= 0:
            cis, cables = separation.of(place)
            return cis - {place}, cables
        rows = net.rows
        places, _ = rows.of(np.array([n]))
        ways = places[net.place[rows.other[places]] >= 0] if intact else places[self._usable(places)]
        near = net.place[rows.other[ways]]
        common = near[:1]
        for other in near[1:]:
            common = separation.nearest(common, other[None])
        cis, cables = separation.of(common.item())
        return cis, cables | ({rows.cable.item(ways[0])} if ways.size == 1 else set())

    def _usable(self, places: Places) -> Flags:
        rows = self._ethernet.rows
        usable = self._loss.left[self._ethernet.place[rows.other[places]]]
        return usable & ~is_among(rows.cable[places], self._loss.out) if self._loss.out.size else usable

    @cached_property
    def _leaves(self) -> tuple[Integers, Integers, Integers]:
        """Those singled out that pass no traffic: of one cable, of several, and which of these by what is beside."""
        net, alone, leaves = self._ethernet, NONE, self._spared
        if self._passing.size:
            near = net.leaves_at(self._passing)
            sole = self._has_one_cable(near)
            alone = near[sole]
            alone = alone[~self._cut_off(alone)]
            leaves = np.concatenate((near[~sole], leaves))
        if not leaves.size:
            return alone, NONE, NONE
        leaves = net.once(leaves)
        leaves = leaves[~self._cut_off(leaves)]
        singled, beside = self._judged(leaves)
        return alone, leaves[singled], leaves[beside]

    def _judged(self, leaves: Integers) -> tuple[Flags, Flags]:
        """Which of these are singled out, and which by what is beside."""
        net, now, before = self._ethernet, self._now, self._intact
        places, owner = net.rows.of(leaves)
        near = net.place[net.rows.other[places]]
        ways_before, ways = near >= 0, self._usable(places)
        many_before = np.bincount(owner[ways_before], minlength=leaves.size)
        many = np.bincount(owner[ways], minlength=leaves.size)
        beside = (many == 1) & (many_before > 1)
        if beside.all():
            return beside, beside
        near_before, near, owner = near[ways_before], near[ways], owner[ways]
        first = near[np.cumsum(many) - many]
        singled = beside | ((many == 1) & (now.depth[first] > before.depth[first]))
        several = np.flatnonzero(many > 1)
        if not several.size:
            return singled, beside
        common = _meeting(now, near, many, several)
        common_before = _meeting(before, near_before, many_before, several)
        singled[several] = now.depth[common] > before.depth[common_before]
        # The next CI up, if it is beside: what separates all ways of several is one of them, or farther.
        whole = np.full(leaves.size, -1, np.int32)
        whole[several] = common
        by_next = np.bincount(owner[near == whole[owner]], minlength=leaves.size)[several] > 0
        beside[several] = by_next & (common != common_before) & singled[several]
        return singled, beside

    def _has_one_cable(self, leaves: Integers) -> Flags:
        rows = self._ethernet.rows
        found: Flags = rows.end[leaves] - rows.start[leaves] == 1
        return found


def _meeting(separation: Separation, near: Integers, many: Places, several: Places) -> Integers:
    """For some CIs the nearest that separates it from all gateways, of which it has several neighbours.

    `near` are the neighbours of all CIs, one CI after another, `many` of each.
    """
    first = (np.cumsum(many) - many)[several]
    common: Integers = near[first]
    for turn in range(1, int(many[several].max(initial=1))):
        more = np.flatnonzero(many[several] > turn)
        common[more] = separation.nearest(common[more], near[first[more] + turn])
    return common
