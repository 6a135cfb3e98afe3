"""The fc routes of a topology: how the ends of each leg may be joined, found a fabric at a time when asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

import numpy as np

from cmdb.impact.fabric_batch import Batch, Ends
from cmdb.impact.fabric_paths import Trunks
from cmdb.impact.fabric_wiring import CARRYING, PART_OF, Wiring

if TYPE_CHECKING:
    from cmdb.impact.kinds import Ints

NOBODY: Final[frozenset[int]] = frozenset()
SPECIAL: Final = -1
_KEPT: Final = 4096

Found = TypeVar("Found")


class Side:
    """The cables with which paths may begin, or end: those of some CIs, in a zone those of one port."""

    __slots__ = ("cables", "switches")

    def __init__(self, cables: Iterable[tuple[int, int, int]]) -> None:
        """`cables` are (relation, CI, switch)."""
        self.cables = tuple(cables)
        self.switches = frozenset([switch for _, _, switch in self.cables])


class Way(NamedTuple):
    """Paths from one side to the other, in one zone or without any; `direct` are cables (relation, CI, CI) that are a
    path by themselves."""

    first: Side
    last: Side
    zone: int | None = None
    direct: tuple[tuple[int, int, int], ...] = ()


class Route(NamedTuple):
    """All ways by which the ends of some legs, by their heads, are joined in the intact graph.

    `common` are CIs that stand for both ends; `odd` the switches that stand for one, which do not count as what parts
    the two.
    """

    legs: Ints
    ways: tuple[Way, ...]
    fabrics: frozenset[int]
    common: frozenset[int] = NOBODY
    odd: frozenset[int] = NOBODY


Key: TypeAlias = tuple[int, int]
"""What a route is known by: the number of its batch and its place there, or SPECIAL and its place among those."""


class Shape:
    """Plain routes, by batch and place, with the same switches at the same sides: while their ends and their cables
    hold, these are all that matters of them."""

    __slots__ = ("fabrics", "first", "last", "routes")

    def __init__(self, first: frozenset[int], last: frozenset[int], fabrics: frozenset[int]) -> None:
        self.first = first
        self.last = last
        self.fabrics = fabrics
        self.routes: list[tuple[int, Ints]] = []


class Routes:
    """The routes of all legs. Most are plain, and kept in batches; the others are special."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring: Final = wiring
        self.trunks: Final = Trunks(wiring)
        self.batches: Final[list[Batch]] = []
        self._shapes: dict[tuple[frozenset[int], frozenset[int]], Shape | None] = {}
        self._shapes_of: dict[int, list[Shape]] = defaultdict(list)
        self._batches_of: dict[int, dict[int, None]] = defaultdict(dict)
        self._specials: list[Route] = []
        self._specials_of: dict[int, list[Key]] = defaultdict(list)
        self._specials_at: dict[int, list[Key]] = defaultdict(list)
        self._switches_at: dict[int, tuple[int, ...]] = {}
        self._at: dict[int, Mapping[Key, Route]] = {}
        self._explored: set[int] = set()
        self._explored_ends = np.zeros(len(wiring.cabled), np.bool_)
        self._explored_targets = np.zeros(len(wiring.cabled), np.bool_)

    def shapes(self, fabric: int) -> Sequence[Shape]:
        """The shapes with a way over a fabric."""
        self._explore_fabric(fabric)
        return self._shapes_of.get(fabric, ())

    def specials(self, fabric: int) -> Sequence[Key]:
        """The special routes with a way over a fabric."""
        self._explore_fabric(fabric)
        return self._specials_of.get(fabric, ())

    def everything(self) -> tuple[list[Shape], list[Route]]:
        """All shapes, and all special routes."""
        for switch in self.wiring.switches():
            self._explore_fabric(self.trunks.fabric_of(switch))
        self._explore(np.flatnonzero(self.wiring.below).astype(np.int32))
        return [shape for shape in self._shapes.values() if shape is not None], self._specials

    def switches_at(self, ci: int) -> Sequence[int]:
        """The switches to which a CI has a cable."""
        found = self._switches_at.get(ci)
        if found is None:
            others = self.wiring.cables(np.array([ci], np.int32)).other
            found = tuple(dict.fromkeys(others[self.wiring.switch[others]].tolist()))
            _keep(self._switches_at, ci, found)
        return found

    def at(self, ci: int) -> Mapping[Key, Route]:
        """The routes of which a CI is an end, by standing for the owner, the target or both."""
        found = self._at.get(ci)
        if found is None:
            found = {key: self.route(key) for key in self._keys_at(ci)}
            _keep(self._at, ci, found)
        return found

    def _keys_at(self, ci: int) -> Iterable[Key]:
        one = np.array([ci], np.int32)
        around = self.wiring.cables(one).other
        fabrics = {self.trunks.fabric_of(switch) for switch in self.switches_at(ci)}
        for fabric in fabrics:
            self._explore_fabric(fabric)
        self._explore(np.concatenate((one, around[~self.wiring.switch[around]])))
        found = dict.fromkeys(self._specials_at.get(ci, ()))
        for number in {number: None for fabric in fabrics for number in self._batches_of.get(fabric, ())}:
            found |= dict.fromkeys((number, place) for place in self.batches[number].routes_at(ci).tolist())
        return found

    def route(self, key: Key) -> Route:
        number, place = key
        if number == SPECIAL:
            return self._specials[place]
        batch = self.batches[number]
        way = Way(Side(batch.near_cables(place)), Side(batch.far_cables(place)))
        fabrics = self.trunks.fabrics(way.first.switches) & self.trunks.fabrics(way.last.switches)
        return Route(batch.legs_of(place), (way,), fabrics)

    def between(self, owner: int, target: int) -> Route | None:
        """The route of two CIs, whether or not a leg joins them; without legs."""
        wiring = self.wiring
        near = wiring.members(np.array([owner], np.int32), CARRYING).ci
        far = wiring.members(np.array([target], np.int32), PART_OF).ci
        common = frozenset(np.intersect1d(near, far).tolist())
        return self.joining(near[wiring.cabled[near]].tolist(), far[wiring.cabled[far]].tolist(), common)

    def joining(self, starts: Sequence[int], ends: Sequence[int], common: frozenset[int]) -> Route | None:
        """The route between what has fc cables and stands for one CI, or for another; without legs."""
        return _Making(self.wiring, self.trunks, [*starts, *ends]).route(np.empty(0, np.int32), starts, ends, common)

    # Exploring

    def _explore_fabric(self, fabric: int) -> None:
        if fabric not in self._explored:
            self._explored.add(fabric)
            switches = np.array(self.trunks.switches[fabric], np.int32)
            self._explore(np.concatenate((switches, self.wiring.cables(switches).other)))

    def _explore(self, ends: Ints) -> None:
        """Find the routes to all targets that some CIs are, or that are part of them."""
        ends = ends[self.wiring.below[ends] & ~self._explored_ends[ends]]
        if len(ends):
            self._explored_ends[ends] = True
            targets = self.wiring.targets_below(np.unique(ends))
            targets = np.unique(targets[~self._explored_targets[targets]])
            self._explored_targets[targets] = True
            legs = self.wiring.legs_to(targets)
            if len(legs):
                self._take(legs)

    def _take(self, legs: Ints) -> None:
        wiring = self.wiring
        owners, owner = np.unique(wiring.owners_of(legs), return_inverse=True)
        targets, target = np.unique(wiring.targets_of(legs), return_inverse=True)
        starts, ends = Ends(wiring, owners, CARRYING), Ends(wiring, targets, PART_OF)
        self.trunks.know(np.unique(np.concatenate((starts.cables.switch, ends.cables.switch))).tolist())
        first, last = starts.of[owner], ends.of[target]
        shared = starts.shared[owner] & ends.shared[target]
        special = starts.special[first] | ends.odd[last] | shared
        self._take_plain(legs[~special], first[~special], last[~special], starts, ends)
        grouped: dict[tuple[int, int, frozenset[int]], list[int]] = defaultdict(list)
        for place in np.flatnonzero(special).tolist():
            common = starts.everyone(int(owner[place])) & ends.everyone(int(target[place])) if shared[place] else NOBODY
            grouped[int(first[place]), int(last[place]), common].append(int(legs[place]))
        if grouped:
            nears = {near: starts.members(near) for near, _, _ in grouped}
            fars = {far: ends.members(far) for _, far, _ in grouped}
            cis = (ci for some in (nears, fars) for members in some.values() for ci in members)
            making = _Making(wiring, self.trunks, cis)
            for (near, far, common), heads in grouped.items():
                route = making.route(np.array(heads, np.int32), nears[near], fars[far], common)
                if route is not None:
                    self._keep(route, {*nears[near], *fars[far], *common})

    def _keep(self, route: Route, members: Iterable[int]) -> None:
        key = (SPECIAL, len(self._specials))
        self._specials.append(route)
        for fabric in route.fabrics:
            self._specials_of[fabric].append(key)
        for member in members:
            self._specials_at[member].append(key)

    def _take_plain(self, legs: Ints, first: Ints, last: Ints, starts: Ends, ends: Ends) -> None:
        pairs, route = np.unique(first.astype(np.int64) * ends.count + last, return_inverse=True)
        nears, fars = (pairs // ends.count).astype(np.int32), (pairs % ends.count).astype(np.int32)
        near_sets, far_sets = starts.cables.switches(), ends.cables.switches()
        batch, number = Batch(legs, route, nears, fars, starts, ends), len(self.batches)
        self.batches.append(batch)
        places: dict[Shape, list[int]] = defaultdict(list)
        for place, (near, far) in enumerate(zip(nears.tolist(), fars.tolist(), strict=True)):
            shape = self._shape(near_sets[near], far_sets[far])
            if shape is not None:
                places[shape].append(place)
        for shape, some in places.items():
            joined = np.array(some, np.int32)
            batch.join(joined)
            shape.routes.append((number, joined))
            for fabric in shape.fabrics:
                self._batches_of[fabric][number] = None

    def _shape(self, first: frozenset[int], last: frozenset[int]) -> Shape | None:
        """The shape with these sides; None where no path joins them."""
        key = (first, last)
        if key not in self._shapes:
            fabrics = self.trunks.fabrics(first) & self.trunks.fabrics(last)
            shape = self._shapes[key] = Shape(first, last, fabrics) if fabrics else None
            if shape is not None:
                for fabric in fabrics:
                    self._shapes_of[fabric].append(shape)
        return self._shapes[key]


def _keep(kept: dict[int, Found], ci: int, found: Found) -> None:
    """Keep what was found for a CI, of so many CIs only."""
    if len(kept) >= _KEPT:
        kept.clear()
    kept[ci] = found


class _Making:
    """Makes special routes between some CIs, of which it reads all at once what that takes."""

    def __init__(self, wiring: Wiring, trunks: Trunks, cis: Iterable[int]) -> None:
        self._wiring = wiring
        self._trunks = trunks
        ends = np.array(sorted(set(cis)), np.int32)
        self._zones = wiring.zones(ends)
        zoned = {*self._zones, *(zone.target for zones in self._zones.values() for zone in zones)}
        self._seen = wiring.seen_from(ends, np.array([one in zoned for one in ends.tolist()], np.bool_))
        trunks.know({cable.other for cables in self._seen.values() for cable in cables if wiring.switch[cable.other]})
        self._sides: dict[tuple[tuple[int, ...], str | None], Side] = {}

    def route(self, legs: Ints, starts: Sequence[int], ends: Sequence[int], common: frozenset[int]) -> Route | None:
        """The route between all that stands for two ends and has fc cables; None where no path joins them."""
        ways: list[Way] = []
        fabrics: set[int] = set()
        for way in self._ways(starts, ends):
            joining = self._trunks.fabrics(way.first.switches) & self._trunks.fabrics(way.last.switches)
            if joining or way.direct:
                ways.append(way)
                fabrics |= joining
        if not ways and not common:
            return None
        members = {*starts, *ends, *common}
        odd = frozenset([one for one in members if self._wiring.switch[one]])
        return Route(legs, tuple(ways), frozenset(fabrics), common, odd)

    def _ways(self, starts: Sequence[int], ends: Sequence[int]) -> Iterator[Way]:
        free = tuple(start for start in starts if start not in self._zones)
        if free:
            direct = tuple(
                (cable.relation, start, cable.other)
                for start in free
                for cable in self._seen[start]
                if cable.other in ends
            )
            yield Way(self._side(free, None), self._side(tuple(ends), None), None, direct)
        for start in starts:
            for zone in self._zones.get(start, ()):
                if zone.target in ends:
                    direct = tuple(
                        (cable.relation, start, cable.other)
                        for cable in self._seen[start]
                        if cable.other == zone.target
                        and _same(cable.port, zone.port)
                        and _same(cable.other_port, zone.target_port)
                    )
                    first, last = self._side((start,), zone.port), self._side((zone.target,), zone.target_port)
                    yield Way(first, last, zone.relation, direct)

    def _side(self, members: tuple[int, ...], port: str | None) -> Side:
        key = (members, port)
        if key not in self._sides:
            self._sides[key] = Side(
                (cable.relation, member, cable.other)
                for member in members
                for cable in self._seen[member]
                if self._wiring.switch[cable.other] and _same(cable.port, port)
            )
        return self._sides[key]


def _same(port: str | None, zoned: str | None) -> bool:
    return port is None or zoned is None or port == zoned
