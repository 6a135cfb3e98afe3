"""A table that shares most of itself with the one it was made from: a new version costs what changed, not what is."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from math import isqrt
from typing import Generic, TypeVar

Item = TypeVar("Item")

_SMALLEST = 256
"""A layer up to this size is never folded into a new table."""


class Layered(Mapping[str, Item], Generic[Item]):
    """A table and a layer of changes over it, where None is what is no longer there. Immutable, so safe for threads."""

    __slots__ = ("_layer", "_length", "_table")

    def __init__(self, table: Mapping[str, Item]) -> None:
        self._table: Mapping[str, Item] = table
        self._layer: Mapping[str, Item | None] = {}
        self._length = len(table)

    def changed(self, changes: Mapping[str, Item | None]) -> Layered[Item]:
        """The next version; None takes a key away."""
        made: Layered[Item] = Layered(self._table)
        made._layer = {**self._layer, **changes}
        come = sum(value is not None and key not in self for key, value in changes.items())
        gone = sum(value is None and key in self for key, value in changes.items())
        made._length = self._length + come - gone
        # Copying a layer of about the root of all, time and again, and all now and then, cost about the same.
        return made if len(made._layer) <= _SMALLEST + 4 * isqrt(made._length) else Layered(dict(made.items()))

    def __getitem__(self, key: str) -> Item:
        if key not in self._layer:
            return self._table[key]
        found = self._layer[key]
        if found is None:
            raise KeyError(key)
        return found

    def __contains__(self, key: object) -> bool:
        return self._layer[key] is not None if isinstance(key, str) and key in self._layer else key in self._table

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.pairs())

    def items(self) -> ItemsView[str, Item]:
        return _Items(self)

    def values(self) -> ValuesView[Item]:
        return _Values(self)

    def pairs(self) -> Iterator[tuple[str, Item]]:
        """Each key with its item, without a look-up for each."""
        layer = self._layer
        for pair in self._table.items():
            if pair[0] not in layer:
                yield pair
        for key, value in layer.items():
            if value is not None:
                yield key, value

    def __repr__(self) -> str:
        return repr(dict(self.pairs()))


class _Items(ItemsView[str, Item]):
    def __init__(self, table: Layered[Item]) -> None:
        super().__init__(table)
        self._pairs = table.pairs

    def __iter__(self) -> Iterator[tuple[str, Item]]:
        return self._pairs()


class _Values(ValuesView[Item]):
    def __init__(self, table: Layered[Item]) -> None:
        super().__init__(table)
        self._pairs = table.pairs

    def __iter__(self) -> Iterator[Item]:
        return (value for _, value in self._pairs())
