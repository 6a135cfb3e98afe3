"""Which fc routes are open while some CIs are down and some relations out, and what each hangs on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cmdb.impact.fabric_paths import Element, Joins, Trunks
from cmdb.impact.fabric_routes import Route, Shape, Side, Way

if TYPE_CHECKING:
    from cmdb.impact.fabric_batch import Batch


class Core(NamedTuple):
    """Of routes that are open over one part of a fabric only: the switches of that part at their two sides, and what
    parts these."""

    first: frozenset[int]
    last: frozenset[int]
    cuts: frozenset[Element]

    def of(self, batch: Batch, place: int) -> frozenset[Element]:
        """What parts one of the routes."""
        single = []
        if len(self.first) == 1:
            single.append([relation for relation, _, switch in batch.near_cables(place) if switch in self.first])
        if len(self.last) == 1:
            single.append([relation for relation, _, switch in batch.far_cables(place) if switch in self.last])
        return self.cuts.union([("cable", cables[0]) for cables in single if len(cables) == 1])


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
        return not self._joins.parts(shape.first).isdisjoint(self._joins.parts(shape.last))

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
            if not self.down and not self.out:
                return self._joins.parts(side.switches)
            usable = frozenset([switch for _, switch in self._usable(side)])
            found = self._reached[side] = self._joins.parts(usable)
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

    def core(self, shape: Shape) -> Core | None:
        """What parts the sides of a shape; None where nothing alone does, or no path is open."""
        parts = self._joins.parts(shape.first) & self._joins.parts(shape.last)
        if len(parts) != 1:
            return None
        near = frozenset([switch for switch in shape.first if self._joins.part(switch) in parts])
        far = frozenset([switch for switch in shape.last if self._joins.part(switch) in parts])
        return Core(near, far, self._joins.cuts(near, far))

    # Where a switch is an end

    def _odd_cuts(self, route: Route) -> frozenset[Element]:
        """Whatever parts a route lies on each path, so on the one found; its ends do not count."""
        return frozenset(one for one in self._path(route) if self._is_needed(one, route))

    def _is_needed(self, one: Element, route: Route) -> bool:
        kind, number = one
        fabrics = self._joins.touched | route.fabrics
        if kind == "cable":
            return not self._anew(self.down, {*self.out, number}, fabrics).holds(route)
        return number not in route.odd and not self._anew({*self.down, number}, self.out, fabrics).holds(route)

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
