"""The blocks of a network: the parts of it that no one CI takes apart.

They are found by R. Tarjan, U. Vishkin, "An Efficient Parallel Biconnectivity Algorithm", for it needs whole arrays
only. Any two blocks have at most one CI in common; so they hang together as a tree does, each from its top.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmdb.impact.forest import Flags, Forest, Integers, spread

MANY: Final = 2
"""Any number of cables above one: none of them separates."""


class Blocks:
    """The blocks of an intact network, each known by the lowest place that hangs in it; a place hangs in one block.

    The root is the top of the gateways' blocks. In arrays by place it stands next to last; the last is for who has no
    place.
    """

    def __init__(self, forest: Forest) -> None:
        size = forest.order.size
        gateways = np.where(forest.up == size, np.int32(MANY), np.int32(0))
        block, above, bridge = separated(forest, gateways, np.full(size, -1, np.int32))
        self.forest = forest
        self.root = size
        self.of = np.append(block, np.array([-1, -1], np.int32))
        """The block of each place."""
        self.top = np.append(above, np.array([size, size], np.int32))
        """Of the block that a place hangs in: the nearest CI that separates it, or the root."""
        self.bridge = np.append(bridge, np.array([-1, -1], np.int32))
        """The cable to that one, where the block is nothing else; else -1."""
        self.sizes = np.bincount(block, minlength=size).astype(np.int32)
        self._firsts = (np.cumsum(self.sizes) - self.sizes).astype(np.int32)
        self._members = np.argsort(block, kind="stable").astype(np.int32)
        self.local = np.empty(size + 2, np.int32)
        """Room for a number for each place, of any content."""

    def members(self, blocks: Integers) -> Integers:
        """Who hangs in these blocks."""
        return self._members[spread(self._firsts[blocks], self.sizes[blocks])]


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


def is_among(numbers: Integers, some: Integers) -> Flags:
    """Which of these are among some others; those are sorted and not empty."""
    places = some.searchsorted(numbers)
    found: Flags = some.take(places, mode="clip") == numbers
    return found


def separated(forest: Forest, entries: NDArray[np.integer], entry: Integers) -> tuple[Integers, Integers, Integers]:
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


def counted(above: Integers, bridge: Integers) -> Integers:
    """How many CIs and cables separate each, below the root."""
    return summed((bridge >= 0).astype(np.int32) + 1, above) - 1


def summed(values: Integers, above: Integers) -> Integers:
    """The sum of the values of each and all above it; the root's number is their count."""
    root = values.size
    values, above = np.append(values, 0).astype(np.int32), np.append(above, root)
    while (above != root).any():
        values = values + values[above]
        above = above[above]
    return values[:-1]
