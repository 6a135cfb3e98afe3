"""Rows of numbers by node, edited in place: which relations lead from a node, and which lead to it."""

from __future__ import annotations

from typing import Final

import numpy as np

from cmdb.impact.kinds import Ints, Words

_SLACK: Final = 4
"""So much room a row gets more than it needs when it moves."""
_MOST_SLACK: Final = 0xFFFF
_DEAD_SHARE: Final = 0.3
"""From this share of room that nobody uses on, the rows are laid out anew."""
_NONE: Final = np.empty(0, np.int32)


class Adjacency:
    """Rows with slack in one pool. Numbers in a row are in no order, except after `laid`."""

    __slots__ = ("_dead", "_length", "_pool", "_slack", "_start", "_used")

    def __init__(self, start: Ints, length: Ints, pool: Ints) -> None:
        self._start = start
        self._length = length
        self._slack: Words = np.zeros(len(length), np.uint16)
        """How many more numbers have room where a row is."""
        self._pool = pool
        self._used = len(pool)
        self._dead = 0

    @classmethod
    def laid(cls, nodes: int, of: Ints, numbers: Ints) -> Adjacency:
        """From numbers sorted by the node `of` which each is."""
        length = np.bincount(of, minlength=nodes).astype(np.int32)
        return cls(_starts(length), length, numbers.astype(np.int32, copy=False))

    @classmethod
    def of_lengths(cls, length: Ints, pool: Ints, used: int) -> Adjacency:
        """From rows of these lengths, one after the other, with room behind them. Keeps both."""
        made = cls(_starts(length), length, pool)
        made._used = used
        return made

    def copy(self) -> Adjacency:
        made = Adjacency(self._start.copy(), self._length.copy(), self._pool.copy())
        made._slack, made._used, made._dead = self._slack.copy(), self._used, self._dead
        return made

    def grow(self, nodes: int) -> None:
        """Make room for nodes up to this number."""
        more = nodes - len(self._start)
        if more > 0:
            zeros = np.zeros(more, np.int32)
            self._start = np.concatenate((self._start, zeros))
            self._length = np.concatenate((self._length, zeros))
            self._slack = np.concatenate((self._slack, np.zeros(more, np.uint16)))

    def row(self, node: int) -> Ints:
        """The numbers of one node; a view, not to be kept while rows are edited."""
        start = self._start[node]
        return self._pool[start : start + self._length[node]]

    def gather(self, nodes: Ints) -> Ints:
        """The rows of many nodes, one after the other."""
        if len(nodes) == 1:
            return self.row(int(nodes[0]))
        lengths = self._length.take(nodes)
        if not lengths.any():
            return _NONE
        return self._pool.take(_spread(self._start.take(nodes), lengths))

    def lengths(self, nodes: Ints) -> Ints:
        return self._length.take(nodes)

    def add(self, node: int, number: int) -> None:
        if not self._slack[node]:
            self._move(np.array([node], np.int32), np.ones(1, np.int32))
        length = int(self._length[node])
        self._pool[int(self._start[node]) + length] = number
        self._length[node] = length + 1
        self._slack[node] -= np.uint16(1)

    def remove(self, node: int, number: int) -> None:
        row = self.row(node)
        row[int((row == number).argmax())] = row[-1]
        self._length[node] -= 1
        if self._slack[node] < _MOST_SLACK:
            self._slack[node] += np.uint16(1)
        else:
            self._dead += 1

    def add_all(self, nodes: Ints, numbers: Ints) -> None:
        """Put each number into the row of its node."""
        if not len(nodes):
            return
        order = np.argsort(nodes, kind="stable")
        rows, found = np.unique(nodes, return_counts=True)
        counts: Ints = found.astype(np.int32)
        tight = counts > self._slack[rows]
        if tight.any():
            self._move(rows[tight], counts[tight])
        self._pool[_spread(self._start[rows] + self._length[rows], counts)] = numbers[order]
        self._length[rows] += counts
        self._slack[rows] -= counts.astype(np.uint16)

    def remove_all(self, nodes: Ints, numbers: Ints) -> None:
        """Take each number out of the row of its node, where it is; it is in no other."""
        if not len(nodes):
            return
        rows = np.unique(nodes)
        rows = rows[self._length[rows] > 0]
        if not len(rows):
            return
        lengths = self._length[rows]
        pool = self._pool.take(_spread(self._start[rows], lengths))
        kept = ~np.isin(pool, numbers)
        left = np.add.reduceat(kept, _starts(lengths), dtype=np.int32)
        self._pool[_spread(self._start[rows], left)] = pool[kept]
        self._length[rows] = left
        slack = self._slack[rows] + (lengths - left)
        self._dead += int(np.maximum(slack - _MOST_SLACK, 0).sum())
        self._slack[rows] = np.minimum(slack, _MOST_SLACK)

    def _move(self, rows: Ints, counts: Ints) -> None:
        """Move rows to where so many more numbers have room."""
        lengths, starts = self._length[rows], self._start[rows]
        slack = np.minimum(counts + _SLACK + lengths // 4, np.maximum(counts, _MOST_SLACK))
        rooms = lengths + slack
        more = int(rooms.sum())
        if self._used + more > len(self._pool):
            self._pool = np.concatenate((self._pool, np.zeros(max(more, len(self._pool) // 16 + 1024), np.int32)))
        made = self._used + _starts(rooms)
        self._pool[_spread(made, lengths)] = self._pool.take(_spread(starts, lengths))
        self._dead += int((lengths + self._slack[rows]).sum())
        self._start[rows], self._slack[rows] = made, slack
        self._used += more
        if self._dead > _DEAD_SHARE * len(self._pool):
            self._compact(rows)

    def _compact(self, rows: Ints) -> None:
        """Lay out all rows without slack, but those that were moved just now with theirs."""
        slack = np.zeros(len(self._slack), np.uint16)
        slack[rows] = self._slack[rows]
        rooms = self._length + slack
        start = _starts(rooms)
        used = int(rooms.sum())
        made = np.zeros(used + 1024, np.int32)
        made[_spread(start, self._length)] = self._pool.take(_spread(self._start, self._length))
        self._start, self._slack, self._pool = start, slack, made
        self._used, self._dead = used, 0


def _starts(lengths: Ints) -> Ints:
    """Where rows of these lengths start that lie one after the other."""
    start = np.zeros(len(lengths), np.int32)
    np.cumsum(lengths[:-1], out=start[1:])
    return start


def _spread(starts: Ints, lengths: Ints) -> Ints:
    """The places of all numbers of rows that start there and are so long."""
    # Each: its row's start, less what lies before its row in the answer, plus its place in the answer.
    ends = lengths.cumsum(dtype=np.int32)
    places = np.repeat(starts - ends + lengths, lengths)
    places += np.arange(len(places), dtype=np.int32)
    return places


def distinct(numbers: Ints) -> Ints:
    """Each number once, in order. By sorting: `np.unique` hashes, which takes ten times as long for many."""
    if len(numbers) < 2:
        return numbers
    found = np.sort(numbers)
    new = np.ones(len(found), np.bool_)
    np.not_equal(found[1:], found[:-1], out=new[1:])
    once: Ints = found[new]
    return once
