"""Undirected graphs as rows of integers, and spanning forests of them, all at once rather than node by node."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]

NONE: Final[Integers] = np.empty(0, np.int32)
NONE.flags.writeable = False

_LEVELS: Final = 64
"""A forest deeper than this is grown node by node from there on: a level costs some 30 µs, a node one."""


def spread(starts: NDArray[np.integer], counts: NDArray[np.integer]) -> Places:
    """The places of many stretches, one after another."""
    ends = np.cumsum(counts, dtype=np.int64)
    total = int(ends[-1]) if ends.size else 0
    places = np.repeat(starts - (ends - counts), counts)
    places += np.arange(total)
    return places


class Rows(NamedTuple):
    """A graph: the neighbours of node n stand at start[n] … end[n] - 1 of `other`, and beside each its cable."""

    start: Integers
    end: Integers
    other: Integers
    cable: Integers

    def of(self, nodes: NDArray[np.integer]) -> tuple[Places, Places]:
        """The places of the rows of these nodes, and at which place of `nodes` each one's owner stands."""
        if nodes.size == 1:
            places = np.arange(self.start.item(node := nodes.item()), self.end.item(node))
            return places, np.zeros(places.size, np.int64)
        starts = self.start[nodes]
        counts = self.end[nodes] - starts
        return spread(starts, counts), np.repeat(np.arange(counts.size), counts)


def rows_of(nodes: int, a: Integers, b: Integers, cable: Integers, last: Flags | None = None) -> Rows:
    """Rows for all nodes; neighbours of whom `last` holds come last, else all are in the order of the cables."""
    return _sorted_rows(nodes, np.concatenate((a, b)), np.concatenate((b, a)), np.concatenate((cable, cable)), last)


def one_way_rows_of(nodes: int, owner: Integers, other: Integers, cable: Integers) -> Rows:
    """Rows of the cables' owners alone."""
    return _sorted_rows(nodes, owner, other, cable, None)


def _sorted_rows(nodes: int, owner: Integers, other: Integers, cable: Integers, last: Flags | None) -> Rows:
    start, end = np.zeros(nodes, np.int32), np.zeros(nodes, np.int32)
    if not owner.size:
        return Rows(start, end, NONE, NONE)
    key = owner.astype(np.int64)
    key <<= 1
    if last is not None:
        key |= last.take(other)
    key <<= 32
    key |= np.arange(owner.size)
    key.sort()
    place = key & 0xFFFFFFFF
    key >>= 33
    owner = key.astype(np.int32)
    first = np.flatnonzero(owner[1:] != owner[:-1])
    first += 1
    start[owner[first]] = first
    end[owner[first - 1]] = first
    end[owner[-1]] = owner.size
    other, cable = other.take(place), cable.take(place)
    other.flags.writeable = cable.flags.writeable = False  # parts of them are handed out
    return Rows(start, end, other, cable)


class Forest(NamedTuple):
    """A breadth-first spanning forest and the graph that it spans, numbered in preorder.

    So what hangs below node v is v + 1 … v + size[v] - 1. Above the roots is one more node: its number is their count.
    """

    order: Integers
    """The number that each node had before; nodes that no root reaches are left out."""
    up: Integers
    """The node above."""
    cable: Integers
    """The cable to the node above; -1 at a root."""
    size: Integers
    rows: Rows
    owner: Integers
    """Whose row each place of `rows` is in."""


def forest_of(rows: Rows, roots: NDArray[np.integer]) -> Forest:
    nodes = rows.start.size
    up, entry, levels = _grown(rows, roots)
    order = np.concatenate([NONE, *levels])
    size = np.ones(nodes + 1, np.int32)
    before = np.full(nodes + 1, -1, np.int32)
    if len(levels) <= _LEVELS:
        _number(up, levels, size, before)
    else:
        _number_one_by_one(up, order, size, before)
    preorder = np.empty(order.size, np.int32)
    rank = np.full(nodes + 1, -1, np.int32)
    rank[order] = before[order]
    rank[nodes] = order.size
    preorder[rank[order]] = order
    counts = rows.end[preorder] - rows.start[preorder]
    places = spread(rows.start[preorder], counts)
    ends = np.cumsum(counts).astype(np.int32)
    return Forest(
        order=preorder,
        up=rank[up[preorder]],
        cable=np.where(
            entry[preorder] >= 0, rows.cable.take(entry[preorder], mode="clip") if rows.cable.size else -1, -1
        ).astype(np.int32),
        size=size[preorder],
        rows=Rows((ends - counts).astype(np.int32), ends, rank[rows.other[places]], rows.cable[places]),
        owner=np.repeat(np.arange(order.size, dtype=np.int32), counts),
    )


def _grown(rows: Rows, roots: NDArray[np.integer]) -> tuple[Integers, Integers, list[Integers]]:
    """Breadth first from the roots: the node above each, the place of the step from there, and the levels."""
    nodes = rows.start.size
    up = np.full(nodes, -1, np.int32)
    entry = np.full(nodes, -1, np.int32)
    mark = np.empty(nodes, np.int32)
    frontier = roots.astype(np.int32)
    up[frontier] = nodes
    levels = [frontier]
    while frontier.size:
        if len(levels) > _LEVELS:
            levels.append(_rest(rows, frontier, up, entry))
            break
        places, owner = rows.of(frontier)
        other = rows.other[places]
        fresh = np.flatnonzero(up[other] == -1)
        other = other[fresh]
        turn = np.arange(fresh.size, dtype=np.int32)
        mark[other[::-1]] = turn[::-1]
        first = mark[other] == turn
        other, fresh = other[first], fresh[first]
        up[other] = frontier[owner[fresh]]
        entry[other] = places[fresh]
        frontier = other
        levels.append(frontier)
    return up, entry, levels


def _rest(rows: Rows, frontier: Integers, up: Integers, entry: Integers) -> Integers:
    """The rest of a deep forest, node by node."""
    starts, ends, others = rows.start.tolist(), rows.end.tolist(), rows.other.tolist()
    above, steps = up.tolist(), entry.tolist()
    waiting = frontier.tolist()
    known = len(waiting)
    for node in waiting:  # grows meanwhile
        for place in range(starts[node], ends[node]):
            other = others[place]
            if above[other] == -1:
                above[other], steps[other] = node, place
                waiting.append(other)
    up[:], entry[:] = above, steps
    return np.array(waiting[known:], np.int32)


def _number(up: Integers, levels: list[Integers], size: Integers, before: Integers) -> None:
    """Sizes from below, then how many come before each in preorder from above; levels hold siblings together."""
    for level in reversed(levels):
        np.add.at(size, up[level], size[level])
    for level in levels:
        if level.size:
            above = up[level]
            sizes = size[level]
            earlier = np.cumsum(sizes) - sizes
            first = np.concatenate(([True], above[1:] != above[:-1]))
            base = earlier[first].repeat(np.diff(np.append(np.flatnonzero(first), level.size)))
            before[level] = before[above] + 1 + earlier - base


def _number_one_by_one(up: Integers, order: Integers, size: Integers, before: Integers) -> None:
    above, nodes = up.tolist(), order.tolist()
    sizes, places = size.tolist(), before.tolist()
    for node in reversed(nodes):
        sizes[above[node]] += sizes[node]
    following = [place + 1 for place in places]
    for node in nodes:
        places[node] = following[above[node]]
        following[above[node]] += sizes[node]
        following[node] = places[node] + 1
    size[:], before[:] = sizes, places
