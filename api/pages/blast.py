"""The blast radius laid out: columns by distance, in each a wrapped grid per class, fitted to a window.

Stock layered layouts give every CI a row of its own: two thousand of them make a ribbon that nobody reads. Here a class
at one distance is a block of marks, and the window decides how large a mark is, and which of them have room for names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from cmdb.impact.spread import MARKS, Heap

DRAWN: Final = 2_000
"""So many CIs are drawn at most; of the others a grid says how many they are."""
LEAST_HEIGHT: Final = 320
_HEAD: Final = 26
_TITLE: Final = 18
_STUB: Final = 16
_GAP: Final = 10
_BETWEEN: Final = 20
_WIDEST_BETWEEN: Final = 72
_NARROWEST: Final = 92
_FIRST: Final = "service"
OTHERS: Final = ""
"""The class of a grid that holds what is left of several classes."""


class Scale(NamedTuple):
    """How large things are: a grid of services, or of at most `few`, has names; the others have marks alone."""

    few: int
    name: int
    row: int
    mark: int


_SCALES: Final = (
    Scale(DRAWN, 190, 24, 20), Scale(DRAWN, 160, 21, 18), Scale(DRAWN, 130, 19, 18), Scale(24, 130, 18, 18),
    Scale(12, 120, 17, 18), Scale(8, 116, 17, 16), Scale(6, 112, 16, 15), Scale(4, 108, 16, 14), Scale(3, 104, 15, 13),
    Scale(2, 100, 15, 12), Scale(2, 96, 14, 11), Scale(1, 96, 14, 10), Scale(1, 92, 14, 9), Scale(1, 92, 13, 8),
    Scale(1, 92, 13, 7),
)  # fmt: skip
_CUTS: Final = (1_500, 1_000, 750, 500, 250, 120, 60, 30, 15, 8)


@dataclass(frozen=True, slots=True)
class Grid:
    """CIs of one class at one distance. `drawn` are places in the answer; `total` is how many there are, `marks` of
    which mark. Its box begins under its title; `cell` is the width and height of a cell, `across` are in a row."""

    cls: str
    total: int
    marks: Mapping[str, int]
    drawn: tuple[int, ...]
    x: int = 0
    y: int = 0
    across: int = 1
    cell: tuple[int, int] = (0, 0)
    named: bool = False

    @property
    def more(self) -> int:
        return self.total - len(self.drawn)

    @property
    def rows(self) -> int:
        return -(-len(self.drawn) // self.across)

    @property
    def height(self) -> int:
        """Without its title."""
        return self.rows * self.cell[1] + (_STUB if self.more else 0)

    def at(self, number: int) -> tuple[int, int]:
        """The corner of a cell."""
        return self.x + number % self.across * self.cell[0], self.y + number // self.across * self.cell[1]


@dataclass(frozen=True, slots=True)
class Column:
    """All at one distance; `beyond`: and all that are farther away."""

    distance: int | None
    beyond: bool
    grids: tuple[Grid, ...]
    x: int = 0
    width: int = 0

    @property
    def total(self) -> int:
        return sum(grid.total for grid in self.grids)


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything in its place, in CSS pixels."""

    width: int
    height: int
    columns: tuple[Column, ...]
    scale: Scale

    @property
    def grids(self) -> tuple[Grid, ...]:
        return tuple(grid for column in self.columns for grid in column.grids)


def laid_out(
    heaps: Collection[Heap], width: int, height: int, titles: Mapping[str, int] = MappingProxyType({})
) -> Layout:
    """Lay out the heaps of an answer in a window of this size; in a small one one will have to scroll.

    `titles` says how wide the title of a class is; where there is room, its column is no narrower. What does not fit
    however small it is drawn is cut.
    """
    # Six columns are worth scrolling for; what is farther shares the last one, where there is no room.
    width = max(width, min(6, len({heap.distance for heap in heaps})) * (_NARROWEST + _BETWEEN))
    height = max(height, LEAST_HEIGHT)
    columns = _columns(heaps, (width + _BETWEEN) // (_NARROWEST + _BETWEEN), (height - _HEAD) // 44)
    tries = ((DRAWN, titles, _SCALES), (DRAWN, {}, _SCALES), *((cut, {}, _SCALES[-3:]) for cut in _CUTS))
    for cut, least, scales in tries:
        shown = [replace(column, grids=tuple(_cut(grid, cut) for grid in column.grids)) for column in columns]
        for scale in scales:
            if (widths := _widths(shown, scale, width, height - _HEAD, least)) is not None:
                return _placed(shown, widths, scale, width)
    widths = None
    while widths is None:
        height += height // 4
        widths = _widths(shown, scale, width, height, {})
    return _placed(shown, widths, scale, width)


def _widths(
    columns: Sequence[Column], scale: Scale, width: int, height: int, titles: Mapping[str, int]
) -> list[int] | None:
    """How wide each column is at least; None where they do not fit."""
    widths = [
        max(_width(column, scale, width, height), *(titles.get(grid.cls, 0) for grid in column.grids))
        for column in columns
    ]
    return widths if sum(widths) + _BETWEEN * (len(widths) - 1) <= width else None


def _columns(heaps: Collection[Heap], most: int, grids: int) -> list[Column]:
    """At most so many columns with so many grids each: what is farther, and what is fewer, is put together."""
    distances = sorted({heap.distance for heap in heaps if heap.distance is not None})
    unknown = any(heap.distance is None for heap in heaps)
    room = most - unknown
    last = distances[room - 1] if len(distances) > room else None
    cap = _cap([len(heap.first) for heap in heaps])
    columns: dict[int | None, dict[str, list[Heap]]] = {}
    for heap in heaps:
        distance = heap.distance if heap.distance is None or last is None else min(heap.distance, last)
        columns.setdefault(distance, {}).setdefault(heap.cls, []).append(heap)
    found = []
    for distance in (*(one for one in distances if one in columns), *([None] if unknown else [])):
        own = sorted((_grid(cls, some, cap) for cls, some in columns[distance].items()), key=_order)
        found.append(Column(distance, distance is not None and distance == last, _folded(own, grids)))
    return found


def _cap(sizes: Sequence[int]) -> int:
    """How many of each heap may be drawn so that all together are not too many: the small are drawn whole."""
    left, waiting = DRAWN, sorted(sizes)
    while waiting and waiting[0] * len(waiting) <= left:
        left -= waiting.pop(0)
    return max(1, left // len(waiting)) if waiting else DRAWN


def _grid(cls: str, heaps: Iterable[Heap], cap: int) -> Grid:
    marks: dict[str, int] = {}
    drawn: list[int] = []
    for heap in heaps:
        drawn += heap.first[:cap]
        for mark, count in heap.counts.items():
            marks[mark] = marks.get(mark, 0) + count
    return Grid(cls, sum(marks.values()), _in_order(marks), tuple(sorted(drawn)))


def _in_order(marks: Mapping[str, int]) -> dict[str, int]:
    return {str(mark): marks[mark] for mark in MARKS if marks.get(mark)}


def _order(grid: Grid) -> tuple[bool, int, int, str]:
    """Services, then what has the worst marks, then the smaller: a core switch is not to be looked for."""
    return grid.cls != _FIRST, MARKS.index(next(iter(grid.marks))), grid.total, grid.cls


def _folded(grids: list[Grid], most: int) -> tuple[Grid, ...]:
    """At most so many grids: the last ones become one of several classes."""
    if len(grids) <= most:
        return tuple(grids)
    kept, rest = grids[: most - 1], grids[most - 1 :]
    marks: dict[str, int] = {mark: sum(grid.marks.get(mark, 0) for grid in rest) for mark in MARKS}
    drawn = tuple(sorted(place for grid in rest for place in grid.drawn))
    return *kept, Grid(OTHERS, sum(grid.total for grid in rest), _in_order(marks), drawn)


def _cut(grid: Grid, most: int) -> Grid:
    return grid if len(grid.drawn) <= most else replace(grid, drawn=grid.drawn[:most])


def _celled(grid: Grid, scale: Scale, width: int) -> Grid:
    """The grid in a column of this width."""
    named = grid.cls == _FIRST or len(grid.drawn) <= scale.few
    if not named:
        return replace(grid, named=False, cell=(scale.mark, scale.mark), across=max(1, width // scale.mark))
    across = max(1, min(width // scale.name, len(grid.drawn)))
    return replace(grid, named=True, cell=(width // across, scale.row), across=across)


def _tall(column: Column, scale: Scale, width: int) -> int:
    """How high a column is when it is so wide."""
    return sum(_TITLE + _celled(grid, scale, width).height + _GAP for grid in column.grids)


def _width(column: Column, scale: Scale, widest: int, height: int) -> int:
    """The least width at which a column is no higher than that; more than `widest` where there is none."""
    low, high = max(_NARROWEST, scale.name), widest + 1
    while low < high:
        middle = (low + high) // 2
        if _tall(column, scale, middle) <= height:
            high = middle
        else:
            low = middle + 1
    return low


def _placed(columns: Sequence[Column], widths: Sequence[int], scale: Scale, width: int) -> Layout:
    gaps = max(1, len(columns) - 1)
    spare = width - sum(widths)
    between = max(_BETWEEN, min(_WIDEST_BETWEEN, spare // gaps))
    # What is left over makes the columns wider, and so lower, as far as they have more than a row.
    wider = max(0, (spare - between * gaps) // max(1, len(columns)))
    placed, x, lowest = [], 0, 0
    for column, least in zip(columns, widths, strict=True):
        own = least + (wider if any(_celled(grid, scale, least).rows > 1 for grid in column.grids) else 0)
        grids, y = [], _HEAD
        for grid in column.grids:
            celled = _celled(grid, scale, own)
            grids.append(replace(celled, x=x, y=y + _TITLE))
            y += _TITLE + celled.height + _GAP
        placed.append(replace(column, x=x, width=own, grids=tuple(grids)))
        x, lowest = x + own + between, max(lowest, y)
    return Layout(width, max(lowest, 120), tuple(placed), scale)
