"""The fc layer of the impact engine: which legs no path joins any more, and which hang on one switch or cable.

Everything is a number of the topology. A question that touches nothing of fc costs a few microseconds here. Not for
several threads at once: what was worked out is kept. After the topology changed, there has to be another.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cmdb.impact.fabric_open import Open
from cmdb.impact.fabric_paths import Element
from cmdb.impact.fabric_routes import Key, Route, Routes, Shape
from cmdb.impact.fabric_wiring import Wiring

if TYPE_CHECKING:
    from cmdb.impact.fabric_batch import Batch
    from cmdb.impact.kinds import Ints
    from cmdb.impact.topology import Topology

__all__ = ["Element", "Fabric", "FcOutage"]

Numbers: TypeAlias = Collection[int] | NDArray[np.int32]

_NONE: Final = np.empty(0, np.int32)
_NOTHING: Final[frozenset[Element]] = frozenset()


class Fabric:
    """The fc cables, zones and legs of a topology."""

    def __init__(self, topology: Topology, before: Fabric | None = None, changed: Collection[int] = ()) -> None:
        """Of a topology; sooner read where one from `before` is known, since when the relations of the `changed` CIs
        alone changed, or which legs they have."""
        self.size: Final = len(topology.key)
        """For so many numbers of CIs this was made."""
        self.wiring: Final[Wiring] = Wiring(topology, None if before is None else before.wiring, changed)
        self.routes: Final = Routes(self.wiring)
        self.intact: Final = Open(self.routes.trunks)

    def mattering(self, numbers: Numbers) -> list[int]:
        """Those of some CIs on which a path may hang; nobody else costs anything when it fails."""
        return self.wiring.mattering(numbers)

    def outage(self, out: Collection[int] = ()) -> FcOutage:
        """What happens when these relations are taken out; those that are neither fc cables nor zones are ignored."""
        return FcOutage(self, out)

    def zones_of(self, cis: Iterable[int]) -> Iterator[int]:
        """The zoned_to relations of these CIs."""
        for zones in self.wiring.zones(np.array(list(cis), np.int32)).values():
            yield from (zone.relation for zone in zones)

    def is_beside(self, ci: int, elements: Iterable[Element]) -> bool:
        """Whether an fc cable of a CI, or a switch at the far end of one, is among what parts a leg of it."""
        if not self.wiring.cabled[ci]:
            return False
        return any(
            number in self.routes.switches_at(ci) if kind == "ci" else ci in (self.wiring.ends(number) or ())
            for kind, number in sorted(elements)
        )

    def lost_near(
        self, starts: Mapping[int, int], lost: Container[int], out: Collection[int]
    ) -> list[tuple[Element, int]]:
        """Walk from the ends of a path over all cables and switches, whatever is down, to what is lost.

        `starts` are the ends, each with its number of relations from the owner. Found are the cables of `out` and the
        switches of `lost`, each with the fewest relations on the way there.
        """
        wiring = self.wiring
        steps = {ci: steps for ci, steps in starts.items() if wiring.cabled[ci]}
        found: dict[Element, int] = {}
        waiting = sorted(steps, key=lambda ci: steps[ci])
        for here in waiting:
            far = steps[here] + 1
            for other in self._switches_beside(here):
                if other in lost:
                    found["ci", other] = min(far, found.get(("ci", other), far))
                if other not in steps:
                    steps[other] = far
                    waiting.append(other)
        for relation in out:
            near = [steps[end] + 1 for end in wiring.ends(relation) or () if end in steps]
            if near:
                found["cable", relation] = min(near)
        return list(found.items())

    def _switches_beside(self, ci: int) -> Iterable[int]:
        if self.wiring.switch[ci]:
            self.routes.trunks.fabric_of(ci)
            return self.routes.trunks.beside[ci]
        return self.routes.switches_at(ci)


class FcOutage:
    """What fc loses in one question: first `begin_legs`, then `fail_legs` while more is down; then the rest.

    Legs are named by their heads. A leg is pure where it is one of availability, all its relations being fc.
    """

    __slots__ = ("_altered", "_down", "_fabric", "_now", "_parted", "_risk", "_risky", "_taken", "_touched")

    def __init__(self, fabric: Fabric, out: Collection[int]) -> None:
        self._fabric = fabric
        self._taken = out
        self._now: Open | None = None
        self._risk: Open | None = None
        self._down: set[int] = set()
        self._parted: set[int] = set()
        self._risky: set[int] = set()
        self._altered: dict[Key, Route] = {}
        self._touched: dict[int, None] = {}

    def further(self) -> FcOutage:
        """Another that begins as this stands, and goes its own way."""
        other = FcOutage(self._fabric, self._taken)
        other._now = None if self._now is None else self._now.copy()
        other._down, other._altered, other._touched = {*self._down}, {**self._altered}, {**self._touched}
        other._parted = {*self._parted}
        return other

    def is_parted(self, owner: int, target: int) -> bool:
        """A path joined the two in the intact graph, and none does now."""
        return not self._parted.isdisjoint(self._fabric.wiring.legs_between(owner, target).tolist())

    def begin_legs(self) -> Ints:
        """The legs that are parted by what is taken out alone."""
        trunks, wiring = self._fabric.routes.trunks, self._fabric.wiring
        ends: dict[int, None] = {}
        fabrics: dict[int, None] = {}
        out: set[int] = set()
        for relation in self._taken:
            cable, source = wiring.ends(relation), wiring.zone_source(relation)
            if cable is not None:
                out.add(relation)
                ends |= dict.fromkeys(cable)
                if wiring.switch[cable[0]] and wiring.switch[cable[1]]:
                    fabrics[trunks.fabric_of(cable[0])] = None
            elif source is not None:
                out.add(relation)
                ends[source] = None
        return self._lose((), out, fabrics, ends) if out else _NONE

    def fail_legs(self, numbers: Numbers) -> Ints:
        """These are down now, too: the legs that are parted newly. Targets without cables are not looked at: their legs
        fail when they do."""
        fresh = [one for one in self._fabric.wiring.mattering(numbers) if one not in self._down]
        if not fresh:
            return _NONE
        trunks, switch = self._fabric.routes.trunks, self._fabric.wiring.switch
        fabrics = {trunks.fabric_of(one): None for one in fresh if switch[one]}
        return self._lose(fresh, (), fabrics, fresh)

    def _lose(self, down: Collection[int], out: Collection[int], fabrics: dict[int, None], ends: Iterable[int]) -> Ints:
        routes = self._fabric.routes
        if self._now is None:
            self._now = Open(routes.trunks)
        now = self._now
        now.lose(down, out, fabrics)
        self._down.update(down)
        self._touched |= fabrics
        altered = {key: route for end in ends for key, route in routes.at(end).items()}
        self._altered |= altered
        found = [route.legs for route in (self._changed(fabrics) | altered).values() if not now.holds(route)]
        for shape in self._shapes(fabrics):
            if not now.joins(shape):
                found += [routes.batches[number].legs_of_all(places) for number, places in shape.routes]
        return _newly(self._parted, found)

    def _changed(self, fabrics: Iterable[int]) -> dict[Key, Route]:
        """The routes over some fabrics that have to be looked at each by itself."""
        fabrics, routes = frozenset(fabrics), self._fabric.routes
        found = {key: routes.route(key) for fabric in fabrics for key in routes.specials(fabric)}
        return found | {key: route for key, route in self._altered.items() if not route.fabrics.isdisjoint(fabrics)}

    def _shapes(self, fabrics: Iterable[int]) -> dict[Shape, None]:
        return {shape: None for fabric in fabrics for shape in self._fabric.routes.shapes(fabric)}

    def _unaltered(self, shape: Shape) -> Iterator[tuple[Batch, int]]:
        """The routes of a shape whose ends and their cables are as they were, each by its batch and its place there."""
        altered, batches = self._altered, self._fabric.routes.batches
        for number, places in shape.routes:
            for place in places.tolist():
                if (number, place) not in altered:
                    yield batches[number], place

    def parting_legs(self) -> dict[int, frozenset[Element]]:
        """Of each pure leg that has a path: what now parts it alone, and did not in the intact graph."""
        if self._now is None:
            return {}
        now, intact = self._now, self._fabric.intact
        found = [
            (route.legs, new)
            for route in (self._changed(self._touched) | self._altered).values()
            if now.holds(route) and (by := now.cuts(route)) and (new := by - intact.cuts(route))
        ]
        for shape in self._shapes(self._touched):
            core = now.core(shape)
            if core is not None and core != (before := intact.core(shape)):
                for batch, place in self._unaltered(shape):
                    new = core.of(batch, place) - (before.of(batch, place) if before is not None else _NOTHING)
                    if new:
                        found.append((batch.legs_of(place), new))
        legs = np.concatenate([_NONE, *(legs for legs, _ in found)])
        pure = self._fabric.wiring.are_pure(legs).tolist()
        each = (by for some, by in found for _ in range(len(some)))
        return {leg: by for leg, by, is_pure in zip(legs.tolist(), each, pure, strict=True) if is_pure}

    def further_risk_legs(self, numbers: Numbers) -> Ints:
        """The pure legs that have a path, and would have none were these and those of earlier calls down but what
        stands for their own ends; each once."""
        wiring, trunks = self._fabric.wiring, self._fabric.routes.trunks
        lost = [one for one in wiring.mattering(numbers) if wiring.switch[one] and one not in self._down]
        if not lost:
            return _NONE
        if self._risk is None:
            self._risk = Open(trunks) if self._now is None else self._now.copy()
        risk, now = self._risk, self._now or self._fabric.intact
        fabrics = {trunks.fabric_of(one): None for one in lost}
        risk.lose(lost, (), fabrics)
        found = [
            route.legs for route in self._changed(fabrics).values() if now.holds(route) and not self._held(route, risk)
        ]
        for shape in self._shapes(fabrics):
            if not risk.joins(shape) and now.joins(shape):
                found += [batch.legs_of(place) for batch, place in self._unaltered(shape)]
        return _newly(self._risky, [legs[wiring.are_pure(legs)] for legs in found])

    def _held(self, route: Route, risk: Open) -> bool:
        """Whether a path is left of a route, though all at risk but what stands for its ends were down."""
        spared = (risk.down - self._down) & route.odd
        return (risk.with_up(spared) if spared else risk).holds(route)


def _newly(known: set[int], found: list[Ints]) -> Ints:
    """Those of some legs that are not known so far; they are now."""
    if not found:
        return _NONE
    legs = np.unique(np.concatenate(found))
    if known:
        legs = np.array([leg for leg in legs.tolist() if leg not in known], np.int32)
    known.update(legs.tolist())
    return legs
