"""The names of a great many CIs, end to end in one piece of memory."""

from __future__ import annotations

from copy import copy
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from cmdb.impact.kinds import Ints

_BLOCK: Final = 50_000
"""Names in memory one by one at a time."""
_FEW: Final = 2_000
"""So many are sorted as fast as they are sifted."""
_LONG: Final = 64
"""Names that are alike for so many bytes are not sifted any further."""


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

    def first(self, numbers: Ints, count: int) -> Ints:
        """So many of some whose names come first, in no order; where that cannot be told soon, a few more."""
        sure: list[Ints] = []
        offset = 0
        while count < len(numbers) and len(numbers) > _FEW and offset < _LONG:
            keys = self._keys(numbers, offset)
            bound = np.partition(keys, count - 1)[count - 1]
            before = keys < bound
            sure.append(numbers[before])
            count -= int(np.count_nonzero(before))
            numbers = numbers[keys == bound]
            offset += 8
        return np.concatenate((*sure, numbers))

    def _keys(self, numbers: Ints, offset: int) -> npt.NDArray[np.uint64]:
        """Eight bytes of each name as a number, which is in the order of the text, as UTF-8 is."""
        text, ends = np.frombuffer(self._text, np.uint8), self._ends
        found = np.zeros(len(numbers), np.uint64)
        known = np.flatnonzero(numbers < len(ends))
        places = np.arange(8)
        for begin in range(0, len(known), _BLOCK):
            some = numbers[known[begin : begin + _BLOCK]]
            starts = np.where(some > 0, ends[some - 1], 0)[:, None] + offset + places
            inside = starts < ends[some][:, None]
            octets = np.where(inside, text[np.minimum(starts, len(text) - 1)], np.uint8(0))
            found[known[begin : begin + _BLOCK]] = np.ascontiguousarray(octets).view(">u8").ravel()
        if self.renamed:
            for place in np.flatnonzero(np.isin(numbers, np.fromiter(self.renamed, np.int32))).tolist():
                octets_ = self.renamed[int(numbers[place])].encode()[offset : offset + 8]
                found[place] = int.from_bytes(octets_.ljust(8, b"\0"), "big")
        return found

    def __setitem__(self, number: int, name: str) -> None:
        if number >= len(self._ends) or self[number] != name:
            self.renamed[number] = name

    def copy(self) -> Self:
        made = copy(self)
        made.renamed = dict(self.renamed)
        return made
