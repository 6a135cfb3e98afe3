"""What alone separates the CIs that pass traffic on from all gateways: other such CIs, and cables.

A CI that separates v is an articulation point between v and the gateways (one more node, the root, stands above
those), a cable that does is a bridge. Both follow from the blocks: the nearest separator of v is the top of the block
that v hangs in. What fails changes the blocks that it is in, and no others.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cmdb.impact.blocks import MANY, Blocks, Loss, counted, separated, summed
from cmdb.impact.forest import NONE, Forest, Integers, Rows, forest_of
from cmdb.impact.steady import Pendant, Steady

_LARGE: Final = 8
"""A block of more CIs is first asked for a proof that little changed, which costs a numbering once."""


class Separation(NamedTuple):
    """For each passing CI the nearest that separates it; in each array, the root stands next to last.

    The last place is for who has no place, and means nothing.
    """

    above: Integers
    """The nearest CI that separates it, or the root."""
    bridge: Integers
    """The cable between it and that one, where it is the only way; else -1."""
    depth: Integers
    """How many CIs and cables separate it; -1 at the root."""

    def nearest(self, one: Integers, other: Integers) -> Integers:
        """The nearest CI that separates each of a pair of CIs, or is one of them and separates the other."""
        one, other = one.copy(), other.copy()
        differ = np.flatnonzero(one != other)
        while differ.size:
            left, right = one[differ], other[differ]
            far = self.depth[left] - self.depth[right]
            one[differ] = left = np.where(far >= 0, self.above[left], left)
            other[differ] = right = np.where(far <= 0, self.above[right], right)
            differ = differ[left != right]
        return one

    def of(self, place: int) -> tuple[set[int], set[int]]:
        """The places of the CIs that separate this one, itself among them, and the cables; none of the root."""
        cis, cables, root = set(), set(), self.above.size - 2
        while place != root:
            cis.add(place)
            if (bridge := int(self.bridge[place])) >= 0:
                cables.add(bridge)
            place = int(self.above[place])
        return cis, cables


class _Part(NamedTuple):
    """What changed for some CIs, within their blocks."""

    places: Integers
    above: Integers
    bridge: Integers
    more: Integers
    """By how many CIs and cables more each is separated from the top of its block."""


class Separators:
    """Of one network when it is intact, and what a loss makes of it."""

    def __init__(self, forest: Forest) -> None:
        self._blocks = Blocks(forest)
        self._steady = Steady(self._blocks)
        above, bridge, root = self._blocks.top, self._blocks.bridge, self._blocks.root
        depth = counted(above[:root], bridge[:root])
        self.intact = Separation(above, bridge, np.append(depth, np.array([-1, -1], np.int32)))

    def after(self, loss: Loss) -> Separation | None:
        """What separates whom now; None: the same as before."""
        blocks, fewer = self._touched(loss)
        parts: list[_Part] = []
        large = self._blocks.sizes[blocks] > _LARGE
        if large.any():
            anew = [NONE, blocks[~large]]
            for number in blocks[large].tolist():
                pendants = self._steady.pendants(number, fewer, loss)
                if pendants is None:
                    anew.append(np.array([number], np.int32))
                elif pendants:
                    parts.append(self._part_of(pendants))
            blocks = np.concatenate(anew)
        if blocks.size:
            parts.append(self._anew(blocks, loss))
        parts = [part for part in parts if part.more.any()]
        return self._with(parts) if parts else None

    def _touched(self, loss: Loss) -> tuple[Integers, Integers]:
        """The blocks that lost a CI or a cable but not their top, and the CIs that they lost."""
        block, sizes = self._blocks.of, self._blocks.sizes
        if loss.lost.size == 1 and not loss.out_ends[0].size:
            place = loss.lost.item()
            some = sizes[block[place]] > 1 and loss.left[self._blocks.top[place]]
            return (block[loss.lost], loss.lost) if some else (NONE, NONE)
        fewer = loss.lost[loss.left[self._blocks.top[loss.lost]]]
        one, other = loss.loose
        blocks = np.unique(block[np.concatenate((fewer, np.maximum(one, other)))])
        # Of one CI behind one other nothing is left when it is lost, and nobody else hangs there.
        return blocks[(sizes[blocks] > 1) | loss.left[blocks]], fewer

    def _part_of(self, pendants: list[Pendant]) -> _Part:
        more: dict[int, int] = {}
        for place, above, _ in reversed(pendants):
            in_block = self._blocks.of.item(above) == self._blocks.of.item(place)
            more[place] = more.get(above, 0) + 2 if in_block else 1
        columns = np.array(pendants, np.int32)
        return _Part(columns[:, 0], columns[:, 1], columns[:, 2], np.array([more[p.place] for p in pendants], np.int32))

    def _anew(self, blocks: Integers, loss: Loss) -> _Part:
        """These blocks anew, all at once, each below its top."""
        forest, top, local = self._blocks.forest, self._blocks.top, self._blocks.local
        members = self._blocks.members(blocks)
        members = members[loss.left[members]]
        local[members] = np.arange(members.size)
        places, owner = forest.rows.of(members)
        other, cable = forest.rows.other[places], forest.rows.cable[places]
        usable = loss.usable(other, cable)
        inside = np.flatnonzero(usable & (self._blocks.of[other] == self._blocks.of[members][owner]))
        entering = np.flatnonzero(usable & (other == top[members][owner]))
        entries = np.bincount(owner[entering], minlength=members.size)
        entries[forest.up[members] == self._blocks.root] = MANY
        entry = np.full(members.size, -1, np.int32)
        entry[owner[entering]] = cable[entering]
        ends = np.cumsum(np.bincount(owner[inside], minlength=members.size)).astype(np.int32)
        rows = Rows(np.append(0, ends[:-1]).astype(np.int32), ends, local[other[inside]], cable[inside])
        part = forest_of(rows, np.flatnonzero(entries))

        _, above, bridge = separated(part, entries[part.order], entry[part.order])
        more = counted(above, bridge)
        members = members[part.order]
        above = np.where(above == members.size, top[members], np.append(members, self._blocks.root)[above])
        return _Part(members, above.astype(np.int32), bridge, more - (self._blocks.bridge[members] >= 0))

    def _with(self, parts: list[_Part]) -> Separation:
        """The intact network with these changes; blocks change one apart from another."""
        changed = parts[0] if len(parts) == 1 else _Part(*map(np.concatenate, zip(*parts, strict=True)))
        intact = self.intact
        now = Separation(intact.above.copy(), intact.bridge.copy(), intact.depth.copy())
        now.above[changed.places], now.bridge[changed.places] = changed.above, changed.bridge
        self._add_below(now.depth, changed.places, changed.more)
        return now

    def _add_below(self, depth: Integers, members: Integers, more: Integers) -> None:
        """Whoever a CI separated already is separated by what separates that CI, too."""
        grown = np.flatnonzero(more)
        first = int(members[grown].min())
        end = int((members[grown] + self._blocks.forest.size[members[grown]]).max())
        above = self._blocks.top[first:end] - first
        above[(above < 0) | (above >= end - first)] = end - first
        values = np.zeros(end - first, np.int32)
        values[members[grown] - first] = more[grown]
        depth[first:end] += summed(values, above)
