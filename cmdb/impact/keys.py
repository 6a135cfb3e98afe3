"""Which number has a key: the keys that were there at the beginning lie in order, mostly one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Final, Self

import numpy as np

from cmdb.impact.kinds import Ints

NO_KEY: Final = -(2**31)
"""The key of what has no id."""

_BLOCK: Final = 1 << 18


class Keys:
    """Numbers by key, as runs of keys that follow one another; and, beside, those that came later.

    Who has the number now may have got another key since: that is for the asker to see.
    """

    def __init__(self, keys: Ints) -> None:
        begins = np.ones(len(keys), np.bool_)
        np.not_equal(keys[1:], keys[:-1] + 1, out=begins[1:])
        starts = np.flatnonzero(begins).astype(np.int32)
        self._keys = keys[starts]
        self._places: Ints = np.append(starts, np.int32(len(keys)))
        self.later: dict[int, int] = {}

    def number(self, key: int) -> int:
        """The number that the key has, or had at the beginning; -1 where it never had one."""
        later = self.later.get(key)
        if later is not None:
            return later
        # Given as one of their kind, since they would be copied as its.
        run = int(self._keys.searchsorted(np.int32(key), "right")) - 1
        if run < 0:
            return -1
        place = int(self._places[run]) + key - int(self._keys[run])
        return place if place < self._places[run + 1] else -1

    def replace(self, keys: Ints) -> Ints:
        """Put, in place of keys that had one at the beginning, their numbers."""
        keys = keys if keys.flags.writeable else keys.copy()
        for start in range(0, len(keys), _BLOCK):
            some = keys[start : start + _BLOCK]
            some += (self._places[:-1] - self._keys)[self._keys.searchsorted(some, "right") - 1]
        return keys

    def held(self, keys: Sequence[int], now: Ints) -> Ints:
        """The numbers that have these keys now; -1 for 0, and those that none has. `now`: the key of each number."""
        wanted = np.array(keys, np.int32)
        found: Ints = np.zeros(len(wanted), np.int32)
        if len(self._keys):
            runs = np.maximum(self._keys.searchsorted(wanted, "right") - 1, 0)
            np.clip(wanted + (self._places[:-1] - self._keys)[runs], 0, self._places[-1] - 1, out=found)
        later = [(place, self.later[key]) for place, key in enumerate(keys) if key in self.later]
        if later:
            places, numbers = zip(*later, strict=True)
            found[list(places)] = numbers
        found[(now[found] != wanted) | (wanted == 0)] = -1
        return found

    def copy(self) -> Self:
        made = copy(self)
        made.later = dict(self.later)
        return made
