"""The yardstick of the impact engine: a plain breadth-first search in numpy over the same arrays, which judges nothing.

It follows each relation that needs something from its target to its source, and each cable both ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmdb.coding import TYPE_BITS, TYPES
from cmdb.impact.rows import Rows
from cmdb.schema import CABLE, RELATION_TYPES

Ints = NDArray[np.int32]


class Reach:
    """Who is reached from some CIs: everything in int32, neighbours of one CI side by side."""

    def __init__(self, rows: Rows) -> None:
        self._keys = rows.ci_keys
        count = len(rows.ci_keys)
        type_ = rows.relation_codes & TYPE_BITS
        needs = np.array([RELATION_TYPES[name].needs is not None for name in TYPES])[type_]
        cables = type_ == TYPES.index(CABLE)
        sources, targets = (
            np.searchsorted(rows.ci_keys, ends).astype(np.int32) for ends in (rows.sources, rows.targets)
        )
        start = np.concatenate([targets[needs], targets[cables], sources[cables]])
        end = np.concatenate([sources[needs], sources[cables], targets[cables]])
        order = np.argsort(start, kind="stable")
        self._ends: Ints = end[order]
        self._first: Ints = np.searchsorted(start[order], np.arange(count + 1)).astype(np.int32)

    def numbers(self, ids: Sequence[str]) -> Ints:
        """The places of `ci-N`."""
        return np.searchsorted(self._keys, [int(id_[3:]) for id_ in ids]).astype(np.int32)

    def count(self, start: Ints) -> int:
        """How many are reached, themselves included."""
        seen = np.zeros(len(self._keys), np.bool_)
        mark = np.empty(len(self._keys), np.int32)
        seen[start] = True
        edge = start
        while len(edge):
            first = self._first.take(edge)
            counts = self._first.take(edge + 1) - first
            total = int(counts.sum())
            shift = first - np.cumsum(counts, dtype=np.int32) + counts
            found = self._ends.take(np.repeat(shift, counts) + np.arange(total, dtype=np.int32))
            found = found.compress(~seen.take(found))
            seen[found] = True
            places = np.arange(len(found), dtype=np.int32)
            mark[found] = places
            edge = found.compress(mark.take(found) == places)
        return int(seen.sum())
