"""The names of a great many CIs, end to end in one piece of memory."""

from __future__ import annotations

from copy import copy
from typing import Final, Self

import numpy as np

from cmdb.impact.kinds import Ints

_BLOCK: Final = 50_000
"""Names in memory one by one at a time."""


class Names:
    """Names by number. What is renamed later lies beside."""

    def __init__(self, text: bytes, lengths: Ints) -> None:
        self._text = text
        self._ends: Ints = np.cumsum(lengths, dtype=np.int32)
        self.renamed: dict[int, str] = {}

    def __getitem__(self, number: int) -> str:
        later = self.renamed.get(number) if self.renamed else None
        if later is not None:
            return later
        start = int(self._ends[number - 1]) if number else 0
        return self._text[start : int(self._ends[number])].decode()

    def encoded(self, numbers: Ints) -> tuple[bytes, Ints]:
        """The names of some, in their order, as they came: end to end, and how long each is in bytes."""
        lengths = np.empty(len(numbers), np.int32)
        blocks, later = [], self.renamed
        ends = np.append(self._ends, np.int32(0))  # where number 0 starts; what came later has no end
        for begin in range(0, len(numbers), _BLOCK):
            some = numbers[begin : begin + _BLOCK]
            spans = zip(ends.take(some - 1, mode="wrap").tolist(), ends.take(some, mode="clip").tolist(), strict=True)
            names = [
                later[number].encode() if number in later else self._text[start:end]
                for number, (start, end) in zip(some.tolist(), spans, strict=True)
            ]
            lengths[begin : begin + _BLOCK] = [len(name) for name in names]
            blocks.append(b"".join(names))
        return b"".join(blocks), lengths

    def __setitem__(self, number: int, name: str) -> None:
        if number >= len(self._ends) or self[number] != name:
            self.renamed[number] = name

    def copy(self) -> Self:
        made = copy(self)
        made.renamed = dict(self.renamed)
        return made
