"""The fc layer of the impact engine: which legs no path joins any more, and which hang on one switch or cable. Pure.

Everything is a number: CIs, groups and legs of the engine, relations. A question that touches nothing of fc costs about
a microsecond here. Not for several threads at once: what was worked out is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cmdb.impact.fabric_open import Core, Open
from cmdb.impact.fabric_paths import Element
from cmdb.impact.fabric_routes import Above, FcCable, FcLeg, FcZone, Pair, Route, Routes, Shape

__all__ = ["Above", "Element", "Fabric", "FcCable", "FcLeg", "FcOutage", "FcZone", "Pair"]

Numbers: TypeAlias = Iterable[int] | NDArray[np.integer]
_FEW: Final = 32
"""As many numbers are looked at one by one sooner than as an array."""


class Fabric:
    """The fc cables, zones and legs of the intact graph."""

    def __init__(
        self, switches: Collection[int], cables: Iterable[FcCable], zones: Iterable[FcZone], legs: Iterable[FcLeg],
        above: Above,
    ) -> None:  # fmt: skip
        self.routes: Final = Routes(switches, cables, zones, legs, above)
        self.intact: Final = Open(self.routes.trunks)
        self._mattering: NDArray[np.bool_] | None = None
        self._cores: dict[Shape, tuple[Core, ...]] = {}

    def joined(self, owner: int, target: int) -> bool:
        """Whether a path joins the two in the intact graph; where none does, a leg is unknown, never failed."""
        return self.routes.of((owner, target)) is not None

    def outage(self, out: Collection[int] = ()) -> FcOutage:
        """What happens when these relations are taken out; those that are neither fc cables nor zones are ignored."""
        return FcOutage(self, out)

    def zones_of(self, cis: Iterable[int]) -> Iterator[int]:
        """The zoned_to relations of these CIs."""
        for ci in cis:
            yield from (zone.relation for zone in self.routes.zoned.get(ci, ()))

    def beside(self, ci: int) -> frozenset[Element]:
        """The fc cables of a CI and the CIs at their far ends: what parts it by itself, if it parts it."""
        cables = self.routes.cabled.get(ci, ())
        return frozenset(
            one
            for cable in cables
            for one in (("cable", cable.relation), ("ci", cable.b if cable.a == ci else cable.a))
        )

    def lost_near(
        self, starts: Mapping[int, int], lost: Container[int], out: Collection[int]
    ) -> list[tuple[Element, int]]:
        """Walk from the ends of a path over all cables and switches, whatever is down, to what is lost.

        `starts` are the ends, each with its number of relations from the owner. Found are the cables of `out` and the
        switches of `lost`, each with the fewest relations on the way there.
        """
        trunks, cabled = self.routes.trunks.beside, self.routes.cabled
        steps = {ci: steps for ci, steps in starts.items() if ci in cabled}
        found: dict[Element, int] = {}
        waiting = sorted(steps, key=lambda ci: steps[ci])
        for here in waiting:
            far = steps[here] + 1
            for other in trunks[here] if here in trunks else self.routes.switches_at(here):
                if other in lost:
                    found["ci", other] = min(far, found.get(("ci", other), far))
                if other not in steps:
                    steps[other] = far
                    waiting.append(other)
        for relation in out:
            cable = self.routes.cables.get(relation)
            ends = () if cable is None else [steps[end] + 1 for end in (cable.a, cable.b) if end in steps]
            if ends:
                found["cable", relation] = min(ends)
        return list(found.items())

    def mattering(self, numbers: Numbers) -> list[int]:
        """Those of the numbers on which any path may hang."""
        if isinstance(numbers, np.ndarray):
            if len(numbers) > _FEW:
                numbers = self._mattering_of(numbers)
            numbers = numbers.tolist()
        matters = self.routes.matters
        return [number for number in numbers if matters(number)]

    def _mattering_of(self, numbers: NDArray[np.integer]) -> NDArray[np.integer]:
        if self._mattering is None:
            known = np.fromiter({*self.routes.cabled, *self.routes.below, *self.routes.trunks.fabric}, np.int64)
            self._mattering = np.zeros(int(known.max(initial=-1)) + 2, np.bool_)
            self._mattering[known] = True
        # The last place stands for all numbers beyond.
        return numbers.compress(self._mattering[np.minimum(numbers, len(self._mattering) - 1)])

    def cores(self, shape: Shape) -> tuple[Core, ...]:
        """What parts the sides of a shape in the intact graph."""
        if shape not in self._cores:
            self._cores[shape] = self.intact.cores(shape)
        return self._cores[shape]


class FcOutage:
    """What fc loses in one question: first `begin`, then `fail` while more is down; then the rest, in any order."""

    __slots__ = ("_altered", "_down", "_fabric", "_now", "_out", "_parted", "_risk", "_risky", "_taken", "_touched")

    def __init__(self, fabric: Fabric, out: Collection[int]) -> None:
        self._fabric = fabric
        self._taken = out
        self._now: Open | None = None
        self._risk: Open | None = None
        self._down: set[int] = set()
        self._out: frozenset[int] = frozenset()
        self._parted: set[Pair] = set()
        self._altered: dict[Route, None] = {}
        self._touched: dict[int, None] = {}
        self._risky: set[Pair] = set()

    def begin(self) -> list[Pair]:
        """The pairs that are parted by what is taken out alone."""
        routes = self._fabric.routes
        cables = [routes.cables[one] for one in self._taken if one in routes.cables]
        zones = [routes.zones[one] for one in self._taken if one in routes.zones]
        if not cables and not zones:
            return []
        self._out = frozenset([one.relation for some in (cables, zones) for one in some])
        ends = {end: None for cable in cables for end in (cable.a, cable.b)}
        ends |= {zone.source: None for zone in zones}
        fabrics = {
            routes.trunks.fabric[cable.a]: None
            for cable in cables
            if cable.a in routes.trunks.fabric and cable.b in routes.trunks.fabric
        }
        altered = {route: None for end in ends for route in routes.at(end)}
        return self._lose((), self._out, fabrics, altered)

    def fail(self, numbers: Numbers) -> list[Pair]:
        """These are down now, too: the pairs that are parted newly. A target that is down is not looked at."""
        down = self._down
        fresh = [number for number in self._fabric.mattering(numbers) if number not in down]
        if not fresh:
            return []
        routes = self._fabric.routes
        fabrics = {routes.trunks.fabric[one]: None for one in fresh if one in routes.trunks.fabric}
        altered = {route: None for one in fresh for route in routes.at(one)}
        return self._lose(fresh, (), fabrics, altered)

    def is_parted(self, owner: int, target: int) -> bool:
        """A path joined the two in the intact graph, and none does now."""
        return (owner, target) in self._parted

    def _lose(
        self, down: Collection[int], out: Collection[int], fabrics: dict[int, None], altered: dict[Route, None]
    ) -> list[Pair]:
        if self._now is None:
            self._now = Open(self._fabric.routes.trunks)
        now = self._now
        now.lose(down, out, fabrics)
        self._down.update(down)
        self._touched |= fabrics
        self._altered |= altered
        newly: dict[Pair, None] = {}
        for route in self._changed(fabrics) | altered:
            if not now.holds(route):
                newly |= dict.fromkeys(route.pairs)
        for shape in self._shapes(fabrics):
            if not now.joins(shape):
                for route in shape.routes:
                    newly |= dict.fromkeys(route.pairs)
        fresh = [pair for pair in newly if pair not in self._parted]
        self._parted.update(fresh)
        return fresh

    def _changed(self, fabrics: Iterable[int]) -> dict[Route, None]:
        """The routes over some fabrics that have to be looked at each by itself."""
        fabrics = frozenset(fabrics)
        found = {route: None for fabric in fabrics for route in self._fabric.routes.singles(fabric)}
        return found | {route: None for route in self._altered if not route.fabrics.isdisjoint(fabrics)}

    def _shapes(self, fabrics: Iterable[int]) -> dict[Shape, None]:
        return {shape: None for fabric in fabrics for shape in self._fabric.routes.shapes(fabric)}

    def parting(self) -> dict[Pair, frozenset[Element]]:
        """Of each pair of a pure leg that has a path: what now parts it alone, and did not in the intact graph."""
        found: dict[Pair, frozenset[Element]] = {}
        now, intact = self._now, self._fabric.intact
        if now is None:
            return found
        for route in self._changed(self._touched) | self._altered:
            if route.pure and now.holds(route) and (by := now.cuts(route)) and (new := by - intact.cuts(route)):
                found |= dict.fromkeys(route.pure, new)
        for shape in self._shapes(self._touched):
            cores = now.cores(shape)
            if not cores or cores == (before := self._fabric.cores(shape)):
                continue
            for route in shape.routes:
                if route.pure and route not in self._altered:
                    new = now.cuts_of(route, cores) - intact.cuts_of(route, before)
                    if new:
                        found |= dict.fromkeys(route.pure, new)
        return found

    def parted_without(self, at_risk: Numbers | Callable[[int], bool]) -> list[Pair]:
        """The pairs of pure legs that have a path, and would have none were all of these down but their own ends."""
        self._risk = None
        self._risky = set()
        if callable(at_risk):
            return self.further_risk([one for one in self._fabric.routes.trunks.fabric if at_risk(one)])
        return self.further_risk(at_risk)

    def further_risk(self, numbers: Numbers) -> list[Pair]:
        """The same when these are at risk, too: the pairs that were not such before."""
        trunks = self._fabric.routes.trunks
        lost = [one for one in self._fabric.mattering(numbers) if one in trunks.fabric and one not in self._down]
        if not lost:
            return []
        if self._risk is None:
            self._risk = Open(trunks) if self._now is None else self._now.copy()
        risk, now = self._risk, self._now or self._fabric.intact
        fabrics = {trunks.fabric[one]: None for one in lost}
        risk.lose(lost, (), fabrics)
        newly: dict[Pair, None] = {}
        for route in self._changed(fabrics):
            if route.pure and now.holds(route) and not self._held(route, risk):
                newly |= dict.fromkeys(route.pure)
        for shape in self._shapes(fabrics):
            if not risk.joins(shape) and now.joins(shape):
                for route in shape.routes:
                    if route not in self._altered:
                        newly |= dict.fromkeys(route.pure)
        fresh = [pair for pair in newly if pair not in self._risky]
        self._risky.update(fresh)
        return fresh

    def _held(self, route: Route, risk: Open) -> bool:
        """Whether a path is left of a route, though all at risk but its own ends were down."""
        spared = (risk.down - self._down) & route.members
        return (risk.with_up(spared) if spared else risk).holds(route)

    def is_risky(self, owner: int, target: int) -> bool:
        """Whether the pair is among those that `parted_without` and `further_risk` found."""
        return (owner, target) in self._risky
