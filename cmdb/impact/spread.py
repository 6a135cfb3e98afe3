"""The affected heaped by distance, class and mark: what a picture of a million needs to know. On arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cmdb.coding import CLASSES
from cmdb.impact.answer import WORSE, Item
from cmdb.impact.census import Counted

if TYPE_CHECKING:
    from cmdb.impact.census import Longs
    from cmdb.impact.engine import Case
    from cmdb.impact.kinds import Bools

MARKS: Final = ("down", "degraded", "at_risk", "leaning", "unprotected", "unmanaged")
"""How a CI is drawn, the worst first: by its availability where that got worse, `leaning` where its risk is
inherited; else by its protection, else by its management."""
_AT_RISK, _LEANING, _UNPROTECTED, _UNMANAGED = 2, 3, 4, 5
_AVAILABILITY, _BACKUP, _CONTROL = 3, 4, 8
"""Of the codes of `census`: the bits of availability, that of protection, that of management."""


class Heap(NamedTuple):
    """CIs of one class at one distance, None: at none that is known. `counts` by mark; `first` are places of the first
    of them in the answer."""

    distance: int | None
    cls: str
    counts: Mapping[str, int]
    first: tuple[int, ...]


class Spread(NamedTuple):
    """`places` are all that were chosen, in the order of the answer, `heaps` tell of those. `levels`, `classes` and
    `sites` (None: no building that is known) count everybody, by what one may choose."""

    places: Sequence[int]
    heaps: tuple[Heap, ...]
    levels: Mapping[str, int]
    classes: Mapping[str, int]
    sites: tuple[tuple[Item | None, int], ...]


def spread(case: Case, levels: Collection[str], classes: Collection[str], site: str | None, first: int) -> Spread:
    """Those at any of some levels, of some classes, in a building, heaped; of each heap the first few are named."""
    counted = Counted(case)
    chosen = counted.chosen(levels, classes, site)
    places = np.asarray(chosen, np.int64)
    cls = case.topology.cls[counted.nodes].astype(np.int64)
    by_class = np.bincount(cls, minlength=len(CLASSES)).tolist()
    return Spread(
        chosen,
        _heaps(case, counted.codes[places], cls[places], places, first),
        dict(zip(WORSE, _levels(counted.codes), strict=True)),
        {CLASSES[number]: count for number, count in enumerate(by_class) if count},
        tuple(_sites(case, counted)),
    )


def _levels(codes: Longs) -> list[int]:
    """How many are at each level of `WORSE`."""
    fell = np.bincount(codes & _AVAILABILITY, minlength=4).tolist()
    return [*fell[1:4], int(np.count_nonzero(codes & _BACKUP)), int(np.count_nonzero(codes & _CONTROL))]


def _sites(case: Case, counted: Counted) -> Iterator[tuple[Item | None, int]]:
    for site, count in zip(
        *(one.tolist() for one in np.unique(np.maximum(counted.sites, -1), return_counts=True)), strict=True
    ):
        yield (case.topology.item(site) if site >= 0 else None), count


def _heaps(case: Case, codes: Longs, cls: Longs, places: Longs, first: int) -> tuple[Heap, ...]:
    chosen = case.order[places]
    distance = case.distances[chosen].astype(np.int64)
    marks = _marks(codes, leaning=~case.own_risk[chosen])
    keys, group = np.unique((distance + 1) * len(CLASSES) + cls, return_inverse=True)
    counts = np.bincount(group * len(MARKS) + marks, minlength=len(keys) * len(MARKS)).reshape(-1, len(MARKS)).tolist()
    # Stable: in each heap in the order of the answer.
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(keys))).tolist()
    ends = [*starts[1:], len(order)] if starts else []
    return tuple(
        Heap(
            key // len(CLASSES) - 1 if key >= len(CLASSES) else None,
            CLASSES[key % len(CLASSES)],
            {mark: count for mark, count in zip(MARKS, row, strict=True) if count},
            tuple(places[order[start : min(end, start + first)]].tolist()),
        )
        for key, row, start, end in zip(keys.tolist(), counts, starts, ends, strict=True)
    )


def _marks(codes: Longs, leaning: Bools) -> Longs:
    fell = codes & _AVAILABILITY
    other = np.where(codes & _BACKUP, _UNPROTECTED, _UNMANAGED)
    found = np.where(fell, fell - 1, other)
    return np.where((found == _AT_RISK) & leaning, _LEANING, found).astype(np.int64)
