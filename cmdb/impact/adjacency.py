"""Rows of numbers by node, edited in place: which relations lead from a node, and which lead to it."""

from __future__ import annotations

from typing import Final

import numpy as np

from cmdb.impact.kinds import Bools, Ints

_SLACK: Final = 4
"""So much room a row gets more than it needs when it moves."""
_DEAD_SHARE: Final = 0.3
"""From this share of room that nobody uses on, the rows are laid out anew."""
_NONE: Final = np.empty(0, np.int32)


class Adjacency:
    """Rows with slack in one pool. Numbers in a row are in no order, except after `laid`."""

    __slots__ = ("_dead", "_length", "_pool", "_room", "_start", "_used")

    def __init__(self, start: Ints, length: Ints, pool: Ints) -> None:
        self._start = start
        self._length = length
        self._room = length.copy()
        self._pool = pool
        self._used = len(pool)
        self._dead = 0

    @classmethod
    def laid(cls, nodes: int, of: Ints, numbers: Ints) -> Adjacency:
        """From numbers sorted by the node `of` which each is."""
        length = np.bincount(of, minlength=nodes).astype(np.int32)
        start = np.zeros(nodes, np.int32)
        np.cumsum(length[:-1], out=start[1:])
        return cls(start, length, numbers.astype(np.int32, copy=True))

    def copy(self) -> Adjacency:
        made = Adjacency(self._start.copy(), self._length.copy(), self._pool.copy())
        made._room, made._used, made._dead = self._room.copy(), self._used, self._dead
        return made

    def grow(self, nodes: int) -> None:
        """Make room for nodes up to this number."""
        more = nodes - len(self._start)
        if more > 0:
            zeros = np.zeros(more, np.int32)
            self._start = np.concatenate((self._start, zeros))
            self._length = np.concatenate((self._length, zeros))
            self._room = np.concatenate((self._room, zeros))

    def row(self, node: int) -> Ints:
        """The numbers of one node; a view, not to be kept while rows are edited."""
        start = self._start[node]
        return self._pool[start : start + self._length[node]]

    def gather(self, nodes: Ints) -> Ints:
        """The rows of many nodes, one after the other."""
        if len(nodes) == 1:
            return self.row(int(nodes[0]))
        lengths = self._length.take(nodes)
        total = int(lengths.sum())
        if not total:
            return _NONE
        # The place in the pool of each: its row's start, less what lies before its row in the answer, plus its place.
        ends = lengths.cumsum(dtype=np.int32)
        places = np.repeat(self._start.take(nodes) - ends + lengths, lengths)
        places += np.arange(total, dtype=np.int32)
        return self._pool.take(places)

    def lengths(self, nodes: Ints) -> Ints:
        return self._length.take(nodes)

    def add(self, node: int, number: int) -> None:
        length, room = int(self._length[node]), int(self._room[node])
        if length == room:
            self._move(node, length + 1 + _SLACK + length // 4)
        self._pool[int(self._start[node]) + length] = number
        self._length[node] = length + 1

    def remove(self, node: int, number: int) -> None:
        row = self.row(node)
        place = int((row == number).argmax())
        row[place] = row[-1]
        self._length[node] -= 1

    def _move(self, node: int, room: int) -> None:
        length, start = int(self._length[node]), int(self._start[node])
        if self._used + room > len(self._pool):
            self._pool = np.concatenate((self._pool, np.zeros(max(room, len(self._pool) // 16 + 1024), np.int32)))
        self._pool[self._used : self._used + length] = self._pool[start : start + length]
        self._dead += int(self._room[node])
        self._start[node], self._room[node] = self._used, room
        self._used += room
        if self._dead > _DEAD_SHARE * len(self._pool):
            self._compact(node, room)

    def _compact(self, node: int, room: int) -> None:
        """Lay out all rows without slack, but the one that was moved just now with its own."""
        nodes = np.arange(len(self._start), dtype=np.int32)
        pool = self.gather(nodes)
        rooms = self._length.copy()
        rooms[node] = room
        start = np.zeros(len(rooms), np.int32)
        np.cumsum(rooms[:-1], out=start[1:])
        made = np.zeros(int(rooms.sum()) + 1024, np.int32)
        places = np.repeat(start - (self._length.cumsum(dtype=np.int32) - self._length), self._length)
        made[places + np.arange(len(pool), dtype=np.int32)] = pool
        self._start, self._room, self._pool = start, rooms, made
        self._used, self._dead = len(made) - 1024, 0


def first_of_each(numbers: Ints, mark: Bools) -> Ints:
    """Those whose mark is not set, each once; the marks are set. Quicker than sorting them (facts.md)."""
    fresh = numbers[~mark[numbers]]
    if len(fresh) > 1:
        mark[fresh] = True
        fresh = np.unique(fresh)
    elif len(fresh):
        mark[fresh] = True
    return fresh
