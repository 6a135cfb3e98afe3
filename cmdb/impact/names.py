"""The names of a great many CIs, end to end in one piece of memory."""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np

from cmdb.impact.kinds import Ints


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

    def __setitem__(self, number: int, name: str) -> None:
        self.renamed[number] = name

    def copy(self) -> Self:
        made = copy(self)
        made.renamed = dict(self.renamed)
        return made
