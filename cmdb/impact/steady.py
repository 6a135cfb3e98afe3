"""A proof that a block stays one but for some CIs at its rim, from what it lost alone."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cmdb.impact.blocks import MANY, Blocks, Loss
from cmdb.impact.forest import Flags, Integers

_SHARE: Final = 16
_SOME: Final = 64
"""Where a block lost more cables than these, or than that share of its CIs, looking at it anew costs less."""


class Pendant(NamedTuple):
    """A CI that hangs by one cable on another (or on the top) of its block since a loss."""

    place: int
    above: int
    cable: int


class Steady:
    """Rankings of blocks by which it is seen that what they lost separates nobody.

    In an st-numbering of a block each CI but the top, the lowest, and the last, a neighbour of the top, has a lower
    neighbour and a higher one. So one way leads down to the top, and another up to the last and over to the top, and
    they meet nowhere else. As long as all who lost a neighbour have another of that kind, that is so still. Those with
    one cable left are no part of others' ways: they count as lost, too, and hang where that cable leads.
    """

    def __init__(self, blocks: Blocks) -> None:
        size = blocks.root
        self._blocks = blocks
        self._ranks = np.zeros(size + 2, np.int32)
        self._lower, self._higher = np.zeros(size + 2, np.int32), np.zeros(size + 2, np.int32)
        """How many cables lead to neighbours of the same block (or its top) of lower rank, and of higher."""
        self._last: dict[int, tuple[int, int]] = {}
        """Of each block that was numbered its last CI, and the number of cables from that to the top."""

    def pendants(self, block: int, lost: Integers, loss: Loss) -> list[Pendant] | None:
        """Who hangs by one cable now, each before whom it hangs on, while no more changed; None: that is not sure."""
        if block not in self._last:
            self._number(block)
        last, to_top = self._last[block]
        if not loss.left[last]:
            return None
        top = self._blocks.top.item(block)
        from_, to, is_lower = self._losing(block, lost, loss)
        if to.size > max(_SOME, self._blocks.sizes.item(block) // _SHARE):
            return None
        ways: dict[int, list[int]] = {}
        for one, other, low in zip(from_.tolist(), to.tolist(), is_lower.tolist(), strict=True):
            left = ways.setdefault(other, [self._higher.item(other), self._lower.item(other)])
            left[low] -= 1
            to_top -= other == last and one == top
        found = self._hanging(block, ways, last, loss)
        steady = all(min(left) > 0 for place, left in ways.items() if place != last)
        return found if steady and to_top > 0 and (last not in ways or ways[last][1] > 1) else None

    def _hanging(self, block: int, ways: dict[int, list[int]], last: int, loss: Loss) -> list[Pendant]:
        """Take those with one way left from the `ways` of the others, one after another."""
        found: dict[int, Pendant] = {}
        waiting = [place for place, left in ways.items() if sum(left) == 1 and place != last]
        while waiting:
            place = waiting.pop()
            above, cable = self._only_way(block, place, found, loss)
            found[place] = Pendant(place, above, cable)
            del ways[place]
            if self._blocks.of.item(above) == block:
                left = ways.setdefault(above, [self._higher.item(above), self._lower.item(above)])
                left[self._ranks.item(place) < self._ranks.item(above)] -= 1
                if sum(left) == 1 and above != last:
                    waiting.append(above)
        return list(found.values())

    def _only_way(self, block: int, place: int, gone: dict[int, Pendant], loss: Loss) -> tuple[int, int]:
        blocks, rows = self._blocks, self._blocks.forest.rows
        part = slice(rows.start.item(place), rows.end.item(place))
        usable = loss.usable(rows.other[part], rows.cable[part]).tolist()
        return next(
            (other, cable)
            for other, cable, is_usable in zip(
                rows.other[part].tolist(), rows.cable[part].tolist(), usable, strict=True
            )
            if is_usable and other not in gone and (blocks.of.item(other) == block or other == blocks.top.item(block))
        )

    def _losing(self, block: int, lost: Integers, loss: Loss) -> tuple[Integers, Integers, Flags]:
        """Each cable that a CI of a block lost: from whom, the CI, and whether the other is the lower one."""
        ranks, rows, top = self._ranks, self._blocks.forest.rows, self._blocks.top[block]
        if lost.size > 1:
            lost = lost[self._blocks.of[lost] == block]
        places, owner = rows.of(lost)
        from_, to = lost[owner], rows.other[places]
        one, other = loss.loose
        if one.size:
            from_, to = np.concatenate((from_, one, other)), np.concatenate((to, other, one))
        inside = np.flatnonzero((self._blocks.of[to] == block) & loss.left[to])
        from_, to = from_[inside], to[inside]
        if one.size:
            inside = np.flatnonzero((self._blocks.of[from_] == block) | (from_ == top))
            from_, to = from_[inside], to[inside]
        down = (ranks[from_] < ranks[to]) | (from_ == top)
        return from_, to, down

    def _number(self, block: int) -> None:
        """Rank the CIs of a block by an st-numbering from its top on."""
        forest, top, local = self._blocks.forest, self._blocks.top.item(block), self._blocks.local
        members = self._blocks.members(np.array([block], np.int32))
        local[members] = np.arange(1, members.size + 1)
        places, owner = forest.rows.of(members)
        other = forest.rows.other[places]
        inside = self._blocks.of[other] == block
        below_top = (
            np.flatnonzero(forest.up[members] == top)
            if top == forest.order.size
            else np.unique(owner[np.flatnonzero(other == top)])
        ) + 1
        near: list[list[int]] = [[] for _ in range(members.size + 1)]
        near[0] = below_top.tolist()
        for one, two in zip((owner[inside] + 1).tolist(), local[other[inside]].tolist(), strict=True):
            near[one].append(two)
        for one in near[0]:
            near[one].append(0)
        sequence = _st_sequence(near)
        ranks = self._ranks
        ranks[members[np.array(sequence[1:]) - 1]] = np.arange(1, members.size + 1)
        last = int(members[sequence[-1] - 1])
        low = (other == top) | (inside & (ranks[other] < ranks[members][owner]))
        self._lower[members] = np.bincount(owner[low], minlength=members.size)
        self._higher[members] = np.bincount(owner[inside & ~low], minlength=members.size)
        to_top = int(np.count_nonzero((other == top) & (members[owner] == last)))
        if top == forest.order.size:
            self._lower[members[below_top - 1]] += MANY
            to_top = MANY
        self._last[block] = last, to_top


def _st_sequence(near: list[list[int]]) -> list[int]:
    """The nodes of a block from 0 to a neighbour of it, each of the others after one neighbour and before another.

    R. Tarjan, "Two streamlined depth-first search algorithms". `near[0][0]` becomes the last.
    """
    first = near[0][0]
    order = [0, first]
    number = [-1] * len(near)
    number[0], number[first] = 0, 1
    up = [0] * len(near)
    low = [0] * len(near)
    low[first] = 0
    path, rest = [first], [iter(near[first])]
    while path:
        node = path[-1]
        for other in rest[-1]:
            if number[other] < 0:
                number[other] = low[other] = len(order)
                order.append(other)
                up[other] = node
                path.append(other)
                rest.append(iter(near[other]))
                break
            low[node] = min(low[node], number[other])
        else:
            path.pop()
            rest.pop()
            if path:
                low[path[-1]] = min(low[path[-1]], low[node])
    return _laid_out(order, up, low)


def _laid_out(order: list[int], up: list[int], low: list[int]) -> list[int]:
    """Put each node, in the order found, next to the one above it: on which side, its `low` (a number) decides."""
    first = order[1]
    before, after = [-1] * len(order), [-1] * len(order)
    after[0], before[first] = first, 0
    minus = {0}
    for node in order[2:]:
        above = up[node]
        if order[low[node]] in minus:
            left, right = before[above], above
            minus.discard(above)
        else:
            left, right = above, after[above]
            minus.add(above)
        before[node], after[node] = left, right
        after[left] = node
        if right >= 0:
            before[right] = node
    found = [0]
    while (node := after[found[-1]]) >= 0:
        found.append(node)
    return found
