"""What was never collected, in cells: CIs of one class, with the same gaps, in the same building. Few are different."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from cmdb.coding import TYPES
from cmdb.impact import tables
from cmdb.impact.adjacency import Adjacency
from cmdb.impact.kinds import Ints
from cmdb.impact.sites import NOWHERE, SEVERAL, buildings_of, sites

if TYPE_CHECKING:
    from collections.abc import Collection

    from cmdb.impact.topology import Topology

_OF_ONE_BUILDING = frozenset(tables.type_number(name) for name in ("located_in", "powered_by", "connects_to"))
"""Places, power and cables do not lead out of a building."""
_LEADS = np.array(
    [
        [
            sum(1 << type_ for type_ in range(len(TYPES)) if tables.FITS[type_, source, target])
            for target in range(tables.FITS.shape[1])
        ]
        for source in range(tables.FITS.shape[1])
    ],
    np.uint32,
)
"""By class of source and class of target: the types that may lead from one to the other, as bits."""
_FEW = 200
"""Up to so many are looked at one by one."""
_IN_BUILDING = np.uint32(sum(1 << type_ for type_ in _OF_ONE_BUILDING))


class Gap(NamedTuple):
    """What one text of gaps says: the types as bits, and the reason of each, in the order of the types' names."""

    types: int
    reasons: tuple[tuple[int, str], ...]


class Touched(NamedTuple):
    """The classes that are touched, and where: `anywhere` those of which some stand nobody knows where."""

    everywhere: frozenset[int]
    anywhere: frozenset[int]
    by_site: dict[int, frozenset[int]]


class Cells:
    """The cells of one state of a topology."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.site = sites(topology)
        self.several = {int(node): buildings_of(topology, int(node)) for node in np.flatnonzero(self.site == SEVERAL)}
        nodes = np.flatnonzero((topology.gap != 0) & topology.live).astype(np.int32)
        used = np.unique(topology.gap[nodes]).tolist()
        self.gaps: dict[int, Gap] = {0: Gap(0, ())} | {number: _read(topology, number) for number in used}
        key = topology.cls[nodes].astype(np.int64) << 56 | topology.gap[nodes].astype(np.int64) << 28
        key |= (self.site[nodes] + 2).astype(np.int64)
        cells, cell_of = np.unique(key, return_inverse=True)
        order = np.argsort(cell_of, kind="stable")
        self._rows = Adjacency.laid(len(cells), cell_of[order].astype(np.int32), nodes[order])
        self._numbers = {cell: number for number, cell in enumerate(cells.tolist())}
        self._cell_of = np.full(len(topology.key), -1, np.int32)
        self._cell_of[nodes] = cell_of
        self._lay()

    def _lay(self) -> None:
        cells = np.array(list(self._numbers), np.int64)
        self.cls = (cells >> 56).astype(np.int32)
        self.gap = (cells >> 28 & (1 << 28) - 1).astype(np.int32)
        self.at = (cells & (1 << 28) - 1).astype(np.int32) - 2
        self.types = np.array([self.gaps[gap].types for gap in self.gap.tolist()], np.uint32)

    def update(self, nodes: Collection[int]) -> None:
        """Some CIs have other gaps, another class or state, or stand elsewhere now. Places themselves do not."""
        topology = self._topology
        more = len(topology.key) - len(self.site)
        if more > 0:
            self.site = np.concatenate((self.site, np.full(more, NOWHERE, np.int32)))
            self._cell_of = np.concatenate((self._cell_of, np.full(more, -1, np.int32)))
        known = len(self._numbers)
        for node in nodes:
            if (before := int(self._cell_of[node])) >= 0:
                self._rows.remove(before, node)
                self._cell_of[node] = -1
            live = bool(topology.live[node]) and topology.cls[node] < tables.GROUP
            self._place(node, buildings_of(topology, node) if live else frozenset())
            gap = int(topology.gap[node])
            if not gap or not live:
                continue
            if gap not in self.gaps:
                self.gaps[gap] = _read(topology, gap)
            key = int(topology.cls[node]) << 56 | gap << 28 | (int(self.site[node]) + 2)
            number = self._numbers.setdefault(key, len(self._numbers))
            self._rows.grow(len(self._numbers))
            self._rows.add(number, node)
            self._cell_of[node] = number
        if len(self._numbers) > known:
            self._lay()

    def _place(self, node: int, buildings: frozenset[int]) -> None:
        self.several.pop(node, None)
        self.site[node] = next(iter(buildings)) if len(buildings) == 1 else SEVERAL if buildings else NOWHERE
        if len(buildings) > 1:
            self.several[node] = buildings

    def touched(self, nodes: Ints) -> Touched:
        """The classes that occur among some nodes, and in which buildings."""
        cls, site = self._topology.cls[nodes], self.site[nodes]
        if len(nodes) > _FEW:
            both = np.unique(cls.astype(np.int64) << 32 | (site.astype(np.int64) + 2))
            pairs = {(pair >> 32, (pair & 0xFFFFFFFF) - 2) for pair in both.tolist()}
        else:
            pairs = set(zip(cls.tolist(), site.tolist(), strict=True))
        everywhere, anywhere = set[int](), set[int]()
        by_site: dict[int, set[int]] = {}
        for class_, at in pairs:
            everywhere.add(class_)
            if at == NOWHERE:
                anywhere.add(class_)
            elif at != SEVERAL:
                by_site.setdefault(at, set()).add(class_)
        for node in nodes[site == SEVERAL].tolist() if self.several else ():
            for at in self.several[node]:
                by_site.setdefault(at, set()).add(int(self._topology.cls[node]))
        return Touched(
            frozenset(everywhere), frozenset(anywhere), {at: frozenset(classes) for at, classes in by_site.items()}
        )

    def leading(self, touched: Touched) -> npt.NDArray[np.uint32]:
        """Of each cell the types of gaps that may lead to what is touched, as bits."""
        there = (
            self.types
            & ((_leads(touched.everywhere) & ~_IN_BUILDING) | (_leads(touched.anywhere) & _IN_BUILDING))[self.cls]
        )
        inside = self.types & (_leads(touched.everywhere) & _IN_BUILDING)[self.cls]
        there |= np.where(self.at == NOWHERE, inside, np.uint32(0))
        for at, classes in touched.by_site.items():
            here = np.flatnonzero(self.at == at)
            there[here] |= self.types[here] & (_leads(classes) & _IN_BUILDING)[self.cls[here]]
        # Who stands in several buildings is looked at one by one.
        there[self.at == SEVERAL] |= inside[self.at == SEVERAL]
        return there

    def nodes(self, cell: int) -> Ints:
        """The CIs of a cell; a copy."""
        return self._rows.row(cell).copy()

    def leads(self, node: int, touched: Touched) -> int:
        """The types of gaps of one CI that may lead to what is touched, as bits."""
        topology = self._topology
        types, class_ = self.gaps[int(topology.gap[node])].types, int(topology.cls[node])
        found: int = types & int(_leads(touched.everywhere)[class_]) & ~int(_IN_BUILDING)
        inside = types & int(_IN_BUILDING)
        at = int(self.site[node])
        if at == NOWHERE:
            return found | (inside & int(_leads(touched.everywhere)[class_]))
        found |= inside & int(_leads(touched.anywhere)[class_])
        for site in self.several[node] if at == SEVERAL else (at,):
            found |= inside & int(_leads(touched.by_site.get(site, ()))[class_])
        return found


def _leads(classes: Collection[int]) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """By class: the types that may lead to one of some classes, as bits."""
    if not classes:
        return np.zeros(256, np.uint32)
    found = np.zeros(256, np.uint32)
    found[: len(_LEADS)] = np.bitwise_or.reduce(_LEADS[:, sorted(classes)], axis=1)
    return found


def _read(topology: Topology, number: int) -> Gap:
    gaps: dict[str, str] = json.loads(topology.words[number])
    reasons = tuple((TYPES.index(type_), reason) for type_, reason in sorted(gaps.items()) if type_ in TYPES)
    return Gap(sum(1 << type_ for type_, _ in reasons), reasons)
