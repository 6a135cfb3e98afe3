"""Which fc routes are open while some CIs are down and some relations out, and what each hangs on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from cmdb.impact.fabric_paths import Element, Joins, Trunks
from cmdb.impact.fabric_routes import Route, Shape, Side, Way


class Core(NamedTuple):
    """Of one way that is open over one part of a fabric: its place in the route, the switches at its two sides that are
    of that part, and what parts them."""

    place: int
    first: frozenset[int]
    last: frozenset[int]
    cuts: frozenset[Element]


class Open:
    """The state of all routes; `lose` may be called again and again."""

    def __init__(self, trunks: Trunks, joins: Joins | None = None) -> None:
        self.down: set[int] = set()
        self.out: set[int] = set()
        self._joins = Joins(trunks) if joins is None else joins
        self._reached: dict[Side, frozenset[int]] = {}

    def copy(self) -> Open:
        """Another that begins as this stands, and goes its own way."""
        other = Open(self._joins.trunks, self._joins.copy())
        other.down, other.out = set(self.down), set(self.out)
        return other

    def with_up(self, numbers: Collection[int]) -> Open:
        """Another in which these are up."""
        return self._anew(self.down.difference(numbers), self.out, self._joins.touched)

    def _anew(self, down: Collection[int], out: Collection[int], fabrics: Collection[int]) -> Open:
        other = Open(self._joins.trunks)
        other.lose(down, out, fabrics)
        return other

    def lose(self, down: Collection[int], out: Collection[int], fabrics: Collection[int]) -> None:
        """These CIs are down and these relations out now, too; `fabrics` are those of their switches and trunks."""
        self.down.update(down)
        self.out.update(out)
        self._reached.clear()
        if fabrics:
            self._joins.lose(down, out, fabrics)

    def joins(self, shape: Shape) -> bool:
        """Whether a path is open for the routes of a shape whose ends and their cables are as they were."""
        parts = self._joins.parts
        return any(not parts(first).isdisjoint(parts(last)) for first, last in shape.sides)

    def holds(self, route: Route) -> bool:
        """Whether a path is open for a route."""
        return self._is_trivial(route) or any(self._is_open(way) for way in route.ways)

    def _is_trivial(self, route: Route) -> bool:
        return bool(route.common) and not route.common <= self.down

    def _is_open(self, way: Way) -> bool:
        return way.zone not in self.out and (
            not self._reach(way.first).isdisjoint(self._reach(way.last)) or any(self._direct(way))
        )

    def _direct(self, way: Way) -> Iterator[tuple[int, int, int]]:
        for cable in way.direct:
            relation, one, other = cable
            if relation not in self.out and one not in self.down and other not in self.down:
                yield cable

    def _reach(self, side: Side) -> frozenset[int]:
        """The parts of fabrics in which a side has a cable to a switch."""
        found = self._reached.get(side)
        if found is None:
            if side.members.isdisjoint(self.down) and side.relations.isdisjoint(self.out):
                found = self._joins.parts(side.switches)
            else:
                found = self._joins.parts(frozenset([switch for _, switch in self._usable(side)]))
            self._reached[side] = found
        return found

    def _usable(self, side: Side) -> Iterator[tuple[int, int]]:
        """The cables of a side that are not out, of members that are up, each with its switch."""
        for relation, member, switch in side.cables:
            if relation not in self.out and member not in self.down:
                yield relation, switch

    # What a route hangs on

    def cuts(self, route: Route) -> frozenset[Element]:
        """Every one switch and one cable without which no path would be left for a route that has one."""
        if self._is_trivial(route):
            return frozenset()
        if route.odd:
            return self._odd_cuts(route)
        found: frozenset[Element] | None = None
        for way in route.ways:
            if self._is_open(way):
                found = self._cuts_of_way(way) if found is None else found & self._cuts_of_way(way)
                if not found:
                    break
        return found or frozenset()

    def _cuts_of_way(self, way: Way) -> frozenset[Element]:
        direct = list(self._direct(way))
        parts = self._reach(way.first) & self._reach(way.last)
        if len(direct) + len(parts) > 1:
            return frozenset()
        if direct:
            return frozenset({("cable", direct[0][0])})
        (part,) = parts
        first = [one for one in self._usable(way.first) if self._joins.part(one[1]) == part]
        last = [one for one in self._usable(way.last) if self._joins.part(one[1]) == part]
        cuts = self._joins.cuts(frozenset([s for _, s in first]), frozenset([s for _, s in last]))
        return cuts.union([("cable", some[0][0]) for some in (first, last) if len(some) == 1])

    def cores(self, shape: Shape) -> tuple[Core, ...]:
        """What parts the sides of a shape; empty where nothing alone does, or no path is open."""
        found: list[Core] = []
        for place, (first, last) in enumerate(shape.sides):
            parts = self._joins.parts(first) & self._joins.parts(last)
            if len(parts) > 1:
                return ()
            for part in parts:
                near = frozenset([switch for switch in first if self._joins.part(switch) == part])
                far = frozenset([switch for switch in last if self._joins.part(switch) == part])
                found.append(Core(place, near, far, self._joins.cuts(near, far)))
        return tuple(found)

    @staticmethod
    def cuts_of(route: Route, cores: tuple[Core, ...]) -> frozenset[Element]:
        """The cuts of a route whose ends and their cables are as they were, by the cores of its shape."""
        found: frozenset[Element] | None = None
        for core in cores:
            cuts, way = core.cuts, route.ways[core.place]
            for switches, side in ((core.first, way.first), (core.last, way.last)):
                if len(switches) == 1:
                    cables = [relation for relation, _, switch in side.cables if switch in switches]
                    if len(cables) == 1:
                        cuts |= {("cable", cables[0])}
            found = cuts if found is None else found & cuts
        return found or frozenset()

    # Where a switch is an end

    def _odd_cuts(self, route: Route) -> frozenset[Element]:
        """Whatever parts a route lies on each path, so on the one found; its ends do not count."""
        return frozenset(one for one in self._path(route) if self._is_needed(one, route))

    def _is_needed(self, one: Element, route: Route) -> bool:
        kind, number = one
        fabrics = self._joins.touched | route.fabrics
        if kind == "cable":
            return not self._anew(self.down, {*self.out, number}, fabrics).holds(route)
        return number not in route.members and not self._anew({*self.down, number}, self.out, fabrics).holds(route)

    def _path(self, route: Route) -> tuple[Element, ...]:
        """A path of a way that is open, without its ends; empty where there is none."""
        way = next((way for way in route.ways if self._is_open(way)), None)
        if way is None:
            return ()
        for relation, _, _ in self._direct(way):
            return (("cable", relation),)
        came: dict[int, tuple[Element, ...]] = {}
        closing = {switch: relation for relation, switch in self._usable(way.last)}
        for relation, switch in self._usable(way.first):
            if self._joins.part(switch) >= 0:
                came.setdefault(switch, (("cable", relation), ("ci", switch)))
        waiting = list(came)
        for switch in waiting:
            if switch in closing:
                return (*came[switch], ("cable", closing[switch]))
            for other in self._joins.beside(switch):
                if other not in came:
                    trunk = self._joins.trunks_between(switch, other)[0]
                    came[other] = (*came[switch], ("cable", trunk), ("ci", other))
                    waiting.append(other)
        return ()
