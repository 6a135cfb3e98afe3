"""Which number has a key: the keys that were there at the beginning lie in order, mostly one after the other."""

from __future__ import annotations

from copy import copy
from typing import Final, Self

import numpy as np

from cmdb.impact.kinds import Ints

NO_KEY: Final = -(2**31)
"""The key of what has no id."""


class Keys:
    """Numbers by key, as runs of keys that follow one another; and, beside, those that came later.

    Who has the number now may have got another key since: that is for the asker to see.
    """

    def __init__(self, keys: Ints) -> None:
        starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 2) != 1).astype(np.int32)
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

    def numbers(self, keys: Ints) -> Ints:
        """The numbers of keys that had one at the beginning."""
        if len(self._keys) == 1:
            numbers: Ints = keys - (self._keys[0] - self._places[0])
            return numbers
        runs = self._keys.searchsorted(keys, "right") - 1
        return keys + (self._places[:-1] - self._keys)[runs]

    def __setitem__(self, key: int, number: int) -> None:
        self.later[key] = number

    def forget(self, key: int) -> None:
        """The key of one that came later is gone."""
        self.later.pop(key, None)

    def copy(self) -> Self:
        made = copy(self)
        made.later = dict(self.later)
        return made
