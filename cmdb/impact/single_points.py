"""Single points of failure: every CI and cable whose loss alone takes a service down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from cmdb.coding import CI_IDS, CLASSES
from cmdb.impact import tables
from cmdb.impact.answer import Item, Rows, SinglePoint
from cmdb.impact.engine import Engine
from cmdb.impact.evaluation import Opened
from cmdb.impact.falling import Falling
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.late_falling import LateFalling
from cmdb.impact.levels import Change
from cmdb.impact.mass_falls import MassFalls
from cmdb.impact.sure_falls import SureFalls
from cmdb.impact.tables import GROUP, SERVICE
from cmdb.impact.topology import Topology

_TOGETHER: Final = 5_000
"""Failures that are worked out side by side."""
_NONE: Final = np.empty(0, np.int32)


class SinglePoints(NamedTuple):
    """Those of a revision, what takes most services down first; not `complete` where the time was up."""

    points: Sequence[SinglePoint]
    complete: bool
    revision: int


def single_points(opened: Opened, enough: Callable[[], bool]) -> SinglePoints:
    """All of now.

    Works on a copy, so that others ask and write meanwhile.
    """
    with opened(None) as topology:
        copy = topology.copy()
    return SinglePoints(*points_of(Engine(copy), enough), copy.revision)


def points_of(engine: Engine, enough: Callable[[], bool]) -> tuple[Sequence[SinglePoint], bool]:
    """Those of one topology that nobody else uses, and whether that is all, or the time was up."""
    search = _Search(engine, enough)
    complete = search.run()
    return _Points(engine.topology, search.found).rows(), complete


class _Found:
    """The points so far: CIs by their numbers, cables by -1 - theirs; with what each takes down."""

    def __init__(self) -> None:
        self.point: list[int] = []
        self.services: list[Ints] = []
        self.down: list[int] = []

    def add(self, point: int, services: Ints, down: int) -> None:
        self.point.append(point)
        self.services.append(services)
        self.down.append(down)


class _Search:
    def __init__(self, engine: Engine, enough: Callable[[], bool]) -> None:
        self._engine = engine
        self._topology = engine.topology
        self._falling = Falling(engine, Change())
        self._enough = enough
        self.found = _Found()

    def run(self) -> bool:
        """Whether all was looked at."""
        topology, falling = self._topology, self._falling
        networks = falling.networks
        everything = np.flatnonzero(self._may_fail()).astype(np.int32)
        if networks.touching[falling.down].any() or networks.fabric.wiring.matters[falling.down].any():
            # Nothing is intact where something is down whatever happens.
            return self._one_by_one(falling, everything.tolist(), topology.of_type(tables.CABLE).tolist())
        sure = SureFalls(falling)
        mass = MassFalls(falling, sure)
        upstream = sure.upstream()
        moving = (sure.edges.lengths(everything) > 0) | (sure.spares.entries.lengths(everything) > 0)
        cis = everything[upstream[everything] & (moving | sure.doubtful[everything])]
        left: list[int] = []
        for first in range(0, len(cis), _TOGETHER):
            if self._enough():
                return False
            left += self._together(mass, cis[first : first + _TOGETHER])
        doubtful = np.unique(np.concatenate([_NONE, *sure.doubtful_cables]))
        cables: list[int] = doubtful.tolist()
        for lost, is_fc in [*((one, False) for one in sure.cables), (sure.fc_cables, True)]:
            kept = np.isin(lost.cable, lost.cable[upstream[lost.node]]) & ~np.isin(lost.cable, doubtful)
            cables += self._cables(mass, lost.cable[kept], lost.node[kept], is_fc=is_fc)
        return self._one_by_one(LateFalling(self._engine, sure), left, cables)

    def _may_fail(self) -> Bools:
        topology = self._topology
        found: Bools = topology.live[: topology.nodes] & (topology.cls[: topology.nodes] != GROUP)
        found &= (self._falling.mark[: topology.nodes] & 1) == 0
        return found

    def _together(self, mass: MassFalls, cis: Ints) -> list[int]:
        """Take in what CIs take down; returns those that have to be looked at one by one."""
        fallen = mass.of(np.arange(len(cis), dtype=np.int32), cis, len(cis))
        self._take(fallen.place, fallen.node, cis, cis)
        left: list[int] = cis[fallen.unfinished].tolist()
        return left

    def _cables(self, mass: MassFalls, lost: Ints, node: Ints, *, is_fc: bool) -> list[int]:
        cables, place = np.unique(lost, return_inverse=True)
        if not len(cables):
            return []
        fallen = mass.of(place.astype(np.int32), node, len(cables), cables if is_fc else None)
        self._take(fallen.place, fallen.node, -1 - cables, np.full(len(cables), -1, np.int32))
        left: list[int] = cables[fallen.unfinished].tolist()
        return left

    def _take(self, place: Ints, node: Ints, points: Ints, own: Ints) -> None:
        """`points` by place; a service that fails itself (`own`) does not count."""
        cls = self._topology.cls[node]
        down = np.bincount(place[cls != GROUP], minlength=len(points))
        kept = (cls == SERVICE) & (node != own[place])
        place, node = place[kept], node[kept]
        bounds = [*np.flatnonzero(np.diff(place, prepend=-1)).tolist(), len(place)]
        for start, end in pairwise(bounds):
            one = int(place[start])
            self.found.add(int(points[one]), node[start:end], int(down[one]))

    def _one_by_one(self, falling: Falling, cis: Sequence[int], cables: Sequence[int]) -> bool:
        for point in _points(cis, cables):
            if self._enough():
                return False
            lost = falling.with_ci(point) if point >= 0 else falling.with_cable(-1 - point)
            cls = self._topology.cls[lost]
            services = lost[(cls == SERVICE) & (lost != point)]
            if len(services):
                self.found.add(point, services, int(np.count_nonzero(cls != GROUP)))
        return True


def _points(cis: Sequence[int], cables: Sequence[int]) -> Iterator[int]:
    yield from cis
    yield from (-1 - cable for cable in cables)


class _Points:
    """The points in order, and no more of the topology than it takes to name them."""

    def __init__(self, topology: Topology, found: _Found) -> None:
        self._key, self._cls, self._names = topology.key, topology.cls, topology.names
        self._strange = topology.strange_ids
        self._found = found
        cables = (-1 - point for point in found.point if point < 0)
        self._cables = {-1 - cable: (topology.title(cable), topology.relation_id(cable)) for cable in cables}
        keys = [
            (-len(services), -down, *self._named(point))
            for point, services, down in zip(found.point, found.services, found.down, strict=True)
        ]
        self._order = sorted(range(len(keys)), key=keys.__getitem__)

    def rows(self) -> Sequence[SinglePoint]:
        return Rows(len(self._order), lambda places: [self._made(self._order[place]) for place in places])

    def _made(self, place: int) -> SinglePoint:
        found, point = self._found, self._found.point[place]
        name, id_ = self._named(point)
        kind = "connects_to" if point < 0 else CLASSES[self._cls[point]]
        return SinglePoint(id_, kind, name, self._services(found.services[place]), found.down[place])

    def _services(self, nodes: Ints) -> Sequence[Item]:
        def made(places: range) -> list[Item]:
            return [Item(id_, "service", name) for name, id_ in named[places.start : places.stop : places.step]]

        named = sorted(self._named(node) for node in nodes.tolist())
        return Rows(len(named), made)

    def _named(self, point: int) -> tuple[str, str]:
        """Name and id."""
        if point < 0:
            return self._cables[point]
        key = int(self._key[point])
        return self._names[point], f"{CI_IDS}{key}" if key >= 0 else self._strange[-1 - key]
