"""What alone separates the CIs that pass traffic on from all gateways: other such CIs, and cables.

A CI that separates v is an articulation point between v and the gateways (one more node, the root, stands above
those), a cable that does is a bridge. Both follow from the blocks, the parts of the network that no one CI takes
apart: the nearest separator of v is the top of the block that v hangs in. Blocks are found by R. Tarjan, U. Vishkin,
"An Efficient Parallel Biconnectivity Algorithm", for it needs whole arrays only.

What fails changes the blocks that it is in, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmdb.impact.forest import Flags, Forest, Integers, Rows, forest_of, spread

MANY: Final = 2
"""Any number of cables above one: none of them separates."""
_LARGE: Final = 8
"""A block of more CIs is first asked for a proof that nothing changed, which costs a numbering once."""


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


class Loss(NamedTuple):
    """What those that pass traffic lost: who has a way left (the root has, the last has not), and cables taken out."""

    left: Flags
    lost: Integers
    out: Integers
    """Sorted."""
    out_ends: tuple[Integers, Integers]
    """The places of those that were taken out between CIs that pass traffic."""

    @property
    def loose(self) -> tuple[Integers, Integers]:
        """Of the cables taken out those between CIs that have a way left."""
        one, other = self.out_ends
        if not one.size:
            return one, other
        both = self.left[one] & self.left[other]
        return one[both], other[both]

    def usable(self, other: Integers, cable: Integers) -> Flags:
        """Whether these cables, that lead to these CIs, lead anywhere."""
        return self.left[other] & ~is_among(cable, self.out) if self.out.size else self.left[other]


class Separators:
    """Of one network when it is intact, and what a loss makes of it."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest
        size = forest.order.size
        gateways = forest.up == size
        block, above, bridge = _separated(
            forest, np.where(gateways, np.int32(MANY), np.int32(0)), np.full(size, -1, np.int32)
        )
        self.intact = Separation(
            np.concatenate((above, [size, size])).astype(np.int32),
            np.concatenate((bridge, [-1, -1])).astype(np.int32),
            np.concatenate((_counted(above, bridge), [-1, -1])).astype(np.int32),
        )
        self._block = np.concatenate((block, [-1, -1])).astype(np.int32)
        """Which block each hangs in, by the lowest place of those that do."""
        self._members = np.argsort(block, kind="stable").astype(np.int32)
        self._sizes = np.bincount(block, minlength=size).astype(np.int32)
        self._firsts = (np.cumsum(self._sizes) - self._sizes).astype(np.int32)
        self._local = np.empty(size + 2, np.int32)
        self._ranks = np.zeros(size + 2, np.int32)
        self._lower, self._higher = np.zeros(size + 2, np.int32), np.zeros(size + 2, np.int32)
        """How many cables lead to neighbours of the same block (or its top) of lower rank, and of higher."""
        self._last: dict[int, tuple[int, int]] = {}
        """Of each block that was numbered its last CI, and the number of cables from that to the top."""

    def after(self, loss: Loss) -> Separation | None:
        """What separates whom now; None: the same as before."""
        if loss.lost.size == 1 and not loss.out_ends[0].size:
            place = loss.lost.item()
            number = self._block.item(place)
            if self._sizes[number] == 1 or not loss.left[self.intact.above[place]]:
                return None
            blocks, fewer = self._block[loss.lost], loss.lost
        else:
            blocks, fewer = self._touched(loss)
        large = self._sizes[blocks] > _LARGE
        if large.any():
            kept = [number for number in blocks[large].tolist() if not self._holds(number, fewer, loss)]
            blocks = np.concatenate((blocks[~large], np.array(kept, np.int32)))
        return self._changed(blocks, loss) if blocks.size else None

    def _touched(self, loss: Loss) -> tuple[Integers, Integers]:
        """The blocks that lost a CI or a cable but not their top, and the CIs that they lost."""
        fewer = loss.lost[loss.left[self.intact.above[loss.lost]]]
        one, other = loss.loose
        blocks = np.unique(self._block[np.concatenate((fewer, np.maximum(one, other)))])
        # Of one CI behind one other nothing is left when it is lost, and nobody else hangs there.
        return blocks[(self._sizes[blocks] > 1) | loss.left[blocks]], fewer

    def _changed(self, blocks: Integers, loss: Loss) -> Separation | None:
        """These blocks anew, all at once, each below its top."""
        forest, intact, root = self._forest, self.intact, self._forest.order.size
        members = self._members[spread(self._firsts[blocks], self._sizes[blocks])]
        members = members[loss.left[members]]
        self._local[members] = np.arange(members.size)
        places, owner = forest.rows.of(members)
        other, cable = forest.rows.other[places], forest.rows.cable[places]
        usable = loss.usable(other, cable)
        inside = np.flatnonzero(usable & (self._block[other] == self._block[members][owner]))
        entering = np.flatnonzero(usable & (other == intact.above[members][owner]))
        entries = np.bincount(owner[entering], minlength=members.size)
        entries[forest.up[members] == root] = MANY
        entry = np.full(members.size, -1, np.int32)
        entry[owner[entering]] = cable[entering]
        ends = np.cumsum(np.bincount(owner[inside], minlength=members.size)).astype(np.int32)
        rows = Rows(np.append(0, ends[:-1]).astype(np.int32), ends, self._local[other[inside]], cable[inside])
        part = forest_of(rows, np.flatnonzero(entries))

        _, above, bridge = _separated(part, entries[part.order], entry[part.order])
        members = members[part.order]
        more = _counted(above, bridge) - (intact.bridge[members] >= 0)
        if not more.any():
            return None
        now = Separation(intact.above.copy(), intact.bridge.copy(), intact.depth.copy())
        now.above[members] = np.where(above == members.size, intact.above[members], np.append(members, root)[above])
        now.bridge[members] = bridge
        self._add_below(now.depth, members, more)
        return now

    def _add_below(self, depth: Integers, members: Integers, more: Integers) -> None:
        """Whoever a CI separated already is separated by what separates that CI, too."""
        grown = np.flatnonzero(more)
        first = int(members[grown].min())
        end = int((members[grown] + self._forest.size[members[grown]]).max())
        above = self.intact.above[first:end] - first
        above[(above < 0) | (above >= end - first)] = end - first
        values = np.zeros(end - first, np.int32)
        values[members[grown] - first] = more[grown]
        depth[first:end] += _summed(values, above)

    # A proof that a block stays one

    def _holds(self, block: int, lost: Integers, loss: Loss) -> bool:
        """Whether each CI of a block has certainly two ways up still that meet in its top only.

        In an st-numbering of the block each CI but the top, the lowest, and the last, a neighbour of the top, has a
        lower neighbour and a higher one. So one way leads down to the top, and another up to the last and over to the
        top. As long as all who lost a neighbour have another of that kind, that is so still.
        """
        if block not in self._last:
            self._number(block)
        last, to_top = self._last[block]
        if not loss.left[last]:
            return False
        losing, top = self._losing(block, lost, loss), self.intact.above.item(block)
        lower: dict[int, int] = {}
        higher: dict[int, int] = {}
        for from_, to, is_lower in losing:
            if to == last and from_ == top:
                to_top -= 1
            kind, had = (lower, self._lower) if is_lower else (higher, self._higher)
            left = kind[to] = kind.get(to, had.item(to)) - 1
            if left < 1 and to != last:
                return False
        return to_top > 0 and lower.get(last, MANY) > 1

    def _losing(self, block: int, lost: Integers, loss: Loss) -> Iterator[tuple[int, int, bool]]:
        """Each cable that a CI of a block lost: from whom, the CI, and whether the other is the lower one."""
        ranks, rows, top = self._ranks, self._forest.rows, self.intact.above[block]
        if lost.size > 1:
            lost = lost[self._block[lost] == block]
        places, owner = rows.of(lost)
        from_, to = lost[owner], rows.other[places]
        one, other = loss.loose
        if one.size:
            from_, to = np.concatenate((from_, one, other)), np.concatenate((to, other, one))
        inside = np.flatnonzero((self._block[to] == block) & loss.left[to])
        from_, to = from_[inside], to[inside]
        if one.size:
            inside = np.flatnonzero((self._block[from_] == block) | (from_ == top))
            from_, to = from_[inside], to[inside]
        down = (ranks[from_] < ranks[to]) | (from_ == top)
        return zip(from_.tolist(), to.tolist(), down.tolist(), strict=True)

    def _number(self, block: int) -> None:
        """Rank the CIs of a block by an st-numbering from its top on."""
        forest, top = self._forest, int(self.intact.above[block])
        first = int(self._firsts[block])
        members = self._members[first : first + int(self._sizes[block])]
        self._local[members] = np.arange(1, members.size + 1)
        places, owner = forest.rows.of(members)
        other = forest.rows.other[places]
        inside = self._block[other] == block
        below_top = (
            np.flatnonzero(forest.up[members] == top)
            if top == forest.order.size
            else np.unique(owner[np.flatnonzero(other == top)])
        ) + 1
        near: list[list[int]] = [[] for _ in range(members.size + 1)]
        near[0] = below_top.tolist()
        for one, two in zip((owner[inside] + 1).tolist(), self._local[other[inside]].tolist(), strict=True):
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


def is_among(numbers: Integers, some: Integers) -> Flags:
    """Which of these are among some others; those are sorted and not empty."""
    places = some.searchsorted(numbers)
    found: Flags = some.take(places, mode="clip") == numbers
    return found


def _separated(forest: Forest, entries: NDArray[np.integer], entry: Integers) -> tuple[Integers, Integers, Integers]:
    """Of each node: the first node of its block, what separates it next, and the cable to that, where it does too.

    `entries` are the numbers of cables from the roots to the node above them all, and `entry` is one of them.
    """
    size = forest.order.size
    block = _blocks(forest)
    above = forest.up[block]
    alone = np.flatnonzero(np.bincount(block, minlength=size)[block] == 1)
    cables = np.zeros(size, np.int32)
    upwards = np.flatnonzero(forest.rows.other == forest.up[forest.owner])
    if alone.size:
        cables += np.bincount(forest.owner[upwards], minlength=size).astype(np.int32)
    roots = forest.up == size
    cables[roots] = entries[roots]
    alone = alone[cables[alone] == 1]
    bridge = np.full(size, -1, np.int32)
    bridge[alone] = np.where(roots[alone], entry[alone], forest.cable[alone])
    return block, above, bridge


def _blocks(forest: Forest) -> Integers:
    """The block in which each node hangs from the node above it, by its first node."""
    size = forest.order.size
    numbers = np.arange(size, dtype=np.int32)
    after = numbers + forest.size
    lowest, highest = numbers.copy(), numbers.copy()
    rows = np.flatnonzero(forest.rows.end > forest.rows.start)
    if rows.size:
        starts = forest.rows.start[rows]
        lowest[rows] = np.minimum(numbers[rows], np.minimum.reduceat(forest.rows.other, starts))
        highest[rows] = np.maximum(numbers[rows], np.maximum.reduceat(forest.rows.other, starts))
    lowest = _over_stretches(np.minimum, lowest, forest.size)
    highest = _over_stretches(np.maximum, highest, forest.size)
    below = np.flatnonzero(forest.up < size)
    up = forest.up[below]
    joined = below[(lowest[below] < up) | (highest[below] >= after[up])]
    across = np.flatnonzero(forest.rows.other >= after[forest.owner])
    return _components(
        size,
        np.concatenate((joined.astype(np.int32), forest.owner[across])),
        np.concatenate((forest.up[joined], forest.rows.other[across])),
    )


def _over_stretches(best: Callable[..., Integers], values: Integers, sizes: Integers) -> Integers:
    """The least (or greatest) of the values from each place on, as many as `sizes` says."""
    found = values.copy()
    many = np.flatnonzero(sizes > 1)
    doublings = np.frexp(sizes[many])[1] - 1
    for power in range(1, int(doublings.max(initial=0)) + 1):
        half = 1 << (power - 1)
        values = best(values[:-half], values[half:])
        here = many[doublings == power]
        found[here] = best(values[here], values[here + sizes[here] - 2 * half])
    return found


def _components(size: int, one: Integers, other: Integers) -> Integers:
    """For each node the least that the pairs join it with."""
    least = np.arange(size, dtype=np.int32)
    while one.size:
        one, other = least[one], least[other]
        apart = np.flatnonzero(one != other)
        one, other = one[apart], other[apart]
        least[np.maximum(one, other)] = np.minimum(one, other)
        while not np.array_equal(least, further := least[least]):
            least = further
    return least


def _counted(above: Integers, bridge: Integers) -> Integers:
    """How many CIs and cables separate each, below the root."""
    return _summed((bridge >= 0).astype(np.int32) + 1, above) - 1


def _summed(values: Integers, above: Integers) -> Integers:
    """The sum of the values of each and all above it; the root's number is their count."""
    root = values.size
    values, above = np.append(values, 0).astype(np.int32), np.append(above, root)
    while (above != root).any():
        values = values + values[above]
        above = above[above]
    return values[:-1]


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
    first = order[1]
    before, after = [-1] * len(order), [-1] * len(order)
    after[0], before[first] = first, 0
    minus: Collection[int] = {0}
    minus = set(minus)
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
