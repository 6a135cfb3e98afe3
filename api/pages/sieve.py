"""Who of an answer a reader wants to see: by level, class and site, and how many there are of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from api.impacts import Wanted
from cmdb.impact import Answer, Outline
from cmdb.impact.answer import NOWHERE
from cmdb.impact.who import ways_of

MARKS: Final = ("down", "degraded", "at_risk", "leaning", "unprotected", "unmanaged")
"""How a CI is drawn, the worst first: its availability where that got worse, `leaning` where its risk is inherited."""
LOOKED_THROUGH: Final = 100_000
"""So many rows of an answer are looked through, the worst first; beyond it its own counts stand."""
DRAWN: Final = 2_000
"""So many CIs are drawn at most; of the others a grid says how many they are."""
_SLICE: Final = 4_000


class Heap(NamedTuple):
    """CIs of one class at one distance; None is a distance that nobody knows."""

    distance: int | None
    cls: str


@dataclass(slots=True)
class Sifted:
    """What a pass found. `looked` rows of `of` were looked through; `places` are those that are wanted, in order.

    `heaps` counts the wanted by mark, `members` are the first of each heap, who may be drawn. `classes`, `sites` and
    `levels` count everybody that was looked at.
    """

    looked: int
    of: int
    places: list[int] = field(default_factory=list)
    heaps: dict[Heap, Counter[str]] = field(default_factory=dict)
    members: dict[Heap, list[Outline]] = field(default_factory=dict)
    levels: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    sites: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def short_of(self) -> int:
        """How many rows nobody looked at."""
        return self.of - self.looked


def worse(one: Outline) -> tuple[str, ...]:
    """The levels at which a CI is worse off than before."""
    now, was = one.now, one.was
    if now.protection == was.protection and now.management == was.management:
        return (now.availability,)
    return ways_of(now, was)


def mark(one: Outline, levels: Sequence[str]) -> str:
    """The mark of a CI that is worse at these levels."""
    first = levels[0]
    return "leaning" if first == "at_risk" and one.own is False else first


def sift(answer: Answer, wanted: Wanted, most: int = LOOKED_THROUGH) -> Sifted:
    """Look through an answer once."""
    found = Sifted(min(len(answer.outlines), most), len(answer.outlines))
    for place, one in enumerate(_rows(answer.outlines, found.looked)):
        levels = worse(one)
        site = NOWHERE if one.site is None else one.site.id
        found.levels.update(levels)
        found.classes[one.ci.cls] += 1
        found.sites[site, "" if one.site is None else one.site.name] += 1
        if not wanted.fits(one):
            continue
        heap = Heap(one.distance, one.ci.cls)
        found.places.append(place)
        if heap not in found.heaps:
            found.heaps[heap], found.members[heap] = Counter(), []
        found.heaps[heap][mark(one, levels)] += 1
        if len(found.members[heap]) < DRAWN:
            found.members[heap].append(one)
    return found


def _rows(outlines: Sequence[Outline], most: int) -> Iterator[Outline]:
    """Rows are made when they are looked at: a slice at a time costs least."""
    for start in range(0, most, _SLICE):
        yield from islice(outlines[start : start + _SLICE], most - start)
