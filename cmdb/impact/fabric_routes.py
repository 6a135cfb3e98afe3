"""The fc routes of a topology: how the ends of each leg may be joined, found when first asked for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from cmdb.impact.fabric_paths import Trunks

Pair: TypeAlias = tuple[int, int]
"""The owner of a leg and its target."""


class FcCable(NamedTuple):
    """An fc cable; the ports are WWPNs (16 hexadecimal digits), or None where nothing tells which."""

    relation: int
    a: int
    a_port: str | None
    b: int
    b_port: str | None


class FcZone(NamedTuple):
    """A zone; None stands for any port. Only those of sources whose zoning was collected in full belong here."""

    relation: int
    source: int
    port: str | None
    target: int
    target_port: str | None


class FcLeg(NamedTuple):
    """A leg with at least one fc relation from the CI `owner` to the CI `target`.

    `node` is whose requirement it is (the owner, or the number of a nested group of it), `leg` the engine's number of
    the leg. `pure`: it is a leg of availability, and all its relations are fc.
    """

    owner: int
    target: int
    node: int
    leg: int
    pure: bool


class Above(NamedTuple):
    """What stands for a CI, itself included, each with the number of relations between.

    `carriers`: all that it runs on, is hosted on, is served by or is composed of; `part_of`: all that it is part of.
    """

    carriers: Callable[[int], Mapping[int, int]]
    part_of: Callable[[int], Mapping[int, int]]


class Side:
    """The cables with which paths may begin, or end: those of some CIs, in a zone those of one port."""

    __slots__ = ("cables", "members", "relations", "switches")

    def __init__(self, cables: Iterable[tuple[int, int, int]]) -> None:
        """`cables` are (relation, CI, switch)."""
        self.cables = tuple(cables)
        self.members = frozenset(member for _, member, _ in self.cables)
        self.relations = frozenset(relation for relation, _, _ in self.cables)
        self.switches = frozenset(switch for _, _, switch in self.cables)


class Way:
    """Paths from one side to the other, in one zone or without any; `direct` are cables (relation, CI, CI) that are a
    path by themselves."""

    __slots__ = ("direct", "first", "last", "zone")

    def __init__(self, zone: int | None, first: Side, last: Side, direct: tuple[tuple[int, int, int], ...]) -> None:
        self.zone = zone
        self.first = first
        self.last = last
        self.direct = direct


class Route:
    """All ways by which some pairs, those whose ends are the same, are joined in the intact graph.

    `common` are CIs that stand for both ends. `odd`: a switch is an end, so that it may not count as what parts them.
    """

    __slots__ = ("common", "fabrics", "members", "odd", "pairs", "pure", "ways")

    def __init__(
        self, members: frozenset[int], common: frozenset[int], ways: tuple[Way, ...], fabrics: frozenset[int], odd: bool
    ) -> None:
        self.members = members
        self.common = common
        self.ways = ways
        self.fabrics = fabrics
        self.odd = odd
        self.pairs: list[Pair] = []
        self.pure: list[Pair] = []

    @property
    def plain(self) -> bool:
        """Whether the switches at its two sides are all that matters of it, while its ends and their cables hold."""
        return not self.odd and not self.common and not any(way.direct for way in self.ways)


Sides: TypeAlias = tuple[tuple[frozenset[int], frozenset[int]], ...]


class Shape:
    """Plain routes with the same switches at the same sides."""

    __slots__ = ("fabrics", "routes", "sides")

    def __init__(self, sides: Sides, fabrics: frozenset[int]) -> None:
        self.sides = sides
        self.fabrics = fabrics
        self.routes: list[Route] = []


class Routes:
    """The routes of all legs. What they hang on is worked out a fabric at a time, when that is first touched."""

    def __init__(
        self, switches: Collection[int], cables: Iterable[FcCable], zones: Iterable[FcZone], legs: Iterable[FcLeg],
        above: Above,
    ) -> None:  # fmt: skip
        self.cables: Final = {cable.relation: cable for cable in cables}
        self.zones: Final = {zone.relation: zone for zone in zones}
        self.cabled: Final[dict[int, list[FcCable]]] = defaultdict(list)
        self.zoned: Final[dict[int, list[FcZone]]] = defaultdict(list)
        switches = frozenset(switches)
        trunks: list[tuple[int, int, int]] = []
        for cable in self.cables.values():
            self.cabled[cable.a].append(cable)
            self.cabled[cable.b].append(cable)
            if cable.a in switches and cable.b in switches:
                trunks.append((cable.relation, cable.a, cable.b))
        self.trunks: Final = Trunks(switches, trunks)
        for zone in self.zones.values():
            self.zoned[zone.source].append(zone)
        self._pure: dict[int, dict[int, bool]] = defaultdict(dict)
        for leg in legs:
            owners = self._pure[leg.target]
            owners[leg.owner] = leg.pure or owners.get(leg.owner, False)
        self._above = above
        self._below: dict[int, list[int]] | None = None
        self._ends: dict[int, tuple[int, ...]] = {}
        self._of_pair: dict[Pair, Route | None] = {}
        self._routes: dict[tuple[tuple[int, ...], tuple[int, ...], frozenset[int]], Route | None] = {}
        self._sides: dict[tuple[tuple[int, ...], str | None], Side] = {}
        self._shapes: dict[Sides, Shape] = {}
        self._shapes_of: dict[int, list[Shape]] = defaultdict(list)
        self._singles_of: dict[int, list[Route]] = defaultdict(list)
        self._routes_at: dict[int, list[Route]] = defaultdict(list)
        self._explored: set[int] = set()
        self._explored_fabrics: set[int] = set()

    @property
    def below(self) -> Mapping[int, list[int]]:
        """The targets of legs below each CI that they are part of, and those that are cabled themselves."""
        if self._below is None:
            found: dict[int, list[int]] = defaultdict(list)
            known: dict[tuple[int, ...], tuple[int, ...]] = {}
            for target in self._pure:
                ends: list[int] = []
                for end in self._above.part_of(target):
                    if end in self.cabled:
                        ends.append(end)
                        found[end].append(target)
                    elif end != target:
                        found[end].append(target)
                self._ends[target] = known.setdefault(tuple(ends), tuple(ends))
            self._below = dict(found)
        return self._below

    def matters(self, number: int) -> bool:
        """Whether any path may hang on this CI. A target without cables is left out: its legs fail when it does."""
        return number in self.cabled or number in self.below

    def of(self, pair: Pair) -> Route | None:
        """The route of a pair; None where no path joins it in the intact graph."""
        if pair not in self._of_pair:
            owner, target = pair
            pure = self._pure.get(target, {}).get(owner)
            route = self._route(pair)
            if pure is None:
                return route
            self._of_pair[pair] = route
            if route is not None:
                route.pairs.append(pair)
                if pure:
                    route.pure.append(pair)
        return self._of_pair[pair]

    def shapes(self, fabric: int) -> Sequence[Shape]:
        """The shapes with a way over a fabric."""
        self._explore_fabric(fabric)
        return self._shapes_of.get(fabric, ())

    def singles(self, fabric: int) -> Sequence[Route]:
        """The routes with a way over a fabric that are not plain."""
        self._explore_fabric(fabric)
        return self._singles_of.get(fabric, ())

    def at(self, number: int) -> Sequence[Route]:
        """The routes of which this CI is an end, by standing for the owner, the target or both."""
        self._explore(number)
        for cable in self.cabled.get(number, ()):
            other = cable.b if cable.a == number else cable.a
            fabric = self.trunks.fabric.get(other)
            if fabric is None:
                self._explore(other)
            else:
                self._explore_fabric(fabric)
        return self._routes_at.get(number, ())

    def _explore_fabric(self, fabric: int) -> None:
        if fabric not in self._explored_fabrics:
            self._explored_fabrics.add(fabric)
            for switch in self.trunks.switches[fabric]:
                self._explore(switch)
                for cable in self.cabled.get(switch, ()):
                    self._explore(cable.b if cable.a == switch else cable.a)

    def _explore(self, end: int) -> None:
        """Find the routes to all targets that are part of a CI."""
        if end not in self._explored:
            self._explored.add(end)
            for target in self.below.get(end, ()):
                for owner in self._pure[target]:
                    self.of((owner, target))

    def _route(self, pair: Pair) -> Route | None:
        owner, target = pair
        carriers = self._above.carriers(owner)
        below = self.below
        starts = tuple(one for one in carriers if one in self.cabled)
        common: frozenset[int] = frozenset()
        if target not in self._ends:
            parts = self._above.part_of(target)
            ends = tuple(one for one in parts if one in self.cabled)
            common = frozenset(carriers.keys() & parts.keys())
        else:
            ends = self._ends[target]
            if target in carriers or any(one in below for one in carriers):
                common = frozenset(carriers.keys() & self._above.part_of(target).keys())
        key = (starts, ends, common)
        if key not in self._routes:
            self._routes[key] = self._made(starts, ends, common)
        return self._routes[key]

    def _made(self, starts: tuple[int, ...], ends: tuple[int, ...], common: frozenset[int]) -> Route | None:
        ways: list[Way] = []
        fabrics: set[int] = set()
        for way in self._ways(starts, ends):
            joining = self._fabrics(way.first) & self._fabrics(way.last)
            if joining or way.direct:
                ways.append(way)
                fabrics |= joining
        if not ways and not common:
            return None
        # The same shape whatever the order of zones.
        ways.sort(key=lambda way: (sorted(way.first.switches), sorted(way.last.switches)))
        members = frozenset({*starts, *ends, *common})
        odd = not members.isdisjoint(self.trunks.fabric)
        route = Route(members, common, tuple(ways), frozenset(fabrics), odd)
        self._register(route)
        return route

    def _register(self, route: Route) -> None:
        for member in route.members:
            self._routes_at[member].append(route)
        if not route.plain:
            for fabric in route.fabrics:
                self._singles_of[fabric].append(route)
            return
        sides = tuple((way.first.switches, way.last.switches) for way in route.ways)
        shape = self._shapes.get(sides)
        if shape is None:
            shape = self._shapes[sides] = Shape(sides, route.fabrics)
            for fabric in route.fabrics:
                self._shapes_of[fabric].append(shape)
        shape.routes.append(route)

    def _ways(self, starts: tuple[int, ...], ends: tuple[int, ...]) -> Iterator[Way]:
        free = tuple(start for start in starts if start not in self.zoned)
        if free:
            direct = tuple(
                (cable.relation, start, other)
                for start in free
                for cable, other, _, _ in self.seen_from(start)
                if other in ends
            )
            yield Way(None, self._side(free, None), self._side(ends, None), direct)
        for start in starts:
            for zone in self.zoned.get(start, ()):
                if zone.target in ends:
                    direct = tuple(
                        (cable.relation, start, other)
                        for cable, other, near, far in self.seen_from(start)
                        if other == zone.target and _same(near, zone.port) and _same(far, zone.target_port)
                    )
                    first, last = self._side((start,), zone.port), self._side((zone.target,), zone.target_port)
                    yield Way(zone.relation, first, last, direct)

    def _side(self, members: tuple[int, ...], port: str | None) -> Side:
        key = (members, port)
        if key not in self._sides:
            self._sides[key] = Side(
                (cable.relation, member, other)
                for member in members
                for cable, other, near, _ in self.seen_from(member)
                if other in self.trunks.fabric and _same(near, port)
            )
        return self._sides[key]

    def seen_from(self, end: int) -> Iterator[tuple[FcCable, int, str | None, str | None]]:
        """The cables of a CI, each with the CI at the far end, the port here and the port there."""
        for cable in self.cabled.get(end, ()):
            if cable.a == end:
                yield cable, cable.b, cable.a_port, cable.b_port
            else:
                yield cable, cable.a, cable.b_port, cable.a_port

    def switches_at(self, end: int) -> set[int]:
        """The switches to which a CI has a cable."""
        return {other for _, other, _, _ in self.seen_from(end) if other in self.trunks.fabric}

    def _fabrics(self, side: Side) -> set[int]:
        return {self.trunks.fabric[switch] for switch in side.switches}


def _same(port: str | None, zoned: str | None) -> bool:
    return port is None or zoned is None or port == zoned
