"""What may take a CI down alone, on top of a change: a few too many, and none too few, so that only these are tried.

A CI falls when a requirement loses more legs than it can spare, so whatever takes that many legs down takes it down. In
networks one failure at a time is not enough to ask for: whoever is cut off lost each of its ways, so a failure that
cuts it off hits each of some ways that are open now. Two that share as little as possible leave few suspects.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from cmdb.impact.open_ways import OpenWays
from cmdb.impact.settle import AXIS_SHIFT, BESIDE, BY_ETHERNET, BY_FC
from cmdb.impact.tables import AVAILABILITY, DOWN_WHEN_CUT_OFF, GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cmdb.impact.falling import Falling

Element: TypeAlias = tuple[str, int]
"""Something that happens: ("ci", number) falls, ("cable", number) is out, ("cut", number of a CI) is cut off while it
is up, ("parted", number of a leg by its head) has no fc path left."""

_MANY: Final = 20_000
"""From so many elements on, what was found for one CI is not kept for the next."""


class _Some(NamedTuple):
    """`least` of the groups are hit; a group is when one of its elements happens."""

    least: int
    groups: tuple[tuple[Element, ...], ...]


class Suspects:
    """The suspects of whichever CIs are asked about, after one change."""

    def __init__(self, falling: Falling) -> None:
        self._falling = falling
        self._ways = OpenWays(falling)
        self._forget()

    def _forget(self) -> None:
        self._causes: dict[Element, tuple[_Some, ...]] = {}
        self._leaning: dict[Element, list[Element]] = {}
        self._bits: dict[Element, int] = {}
        self._known: list[Element] = []
        self._may: dict[Element, int] = {}

    def of(self, node: int) -> frozenset[Element]:
        """The CIs and cables that may take a CI down alone."""
        wanted = ("ci", node)
        if wanted not in self._may:
            if len(self._bits) > _MANY:
                self._forget()
            self._solve(self._discovered(wanted))
        return frozenset(self._named(self._may[wanted]))

    def _named(self, bits: int) -> Iterator[Element]:
        while bits:
            lowest = bits & -bits
            yield self._known[lowest.bit_length() - 1]
            bits ^= lowest

    def _discovered(self, wanted: Element) -> list[Element]:
        """What the wanted one hangs on and was not known so far, nearest first."""
        found = [wanted]
        self._causes[wanted] = ()
        for element in found:
            causes = self._causes[element] = tuple(self._causes_of(element))
            for cause in causes:
                for group in cause.groups:
                    for one in group:
                        self._leaning.setdefault(one, []).append(element)
                        if one not in self._causes:
                            self._causes[one] = ()
                            found.append(one)
        return found

    def _solve(self, new: list[Element]) -> None:
        """The least solution for new elements; what they lean on is among them, or solved."""
        values = self._may
        for element in new:
            values[element] = self._bit(element)
        waiting = deque(reversed(new))
        queued = set(new)
        while waiting:
            element = waiting.popleft()
            queued.discard(element)
            value = values[element]
            for cause in self._causes[element]:
                value |= _at_least(cause, values)
            if value != values[element]:
                values[element] = value
                for other in self._leaning.get(element, ()):
                    if other not in queued:
                        queued.add(other)
                        waiting.append(other)

    def _bit(self, element: Element) -> int:
        kind, number = element
        if kind not in {"ci", "cable"} or (kind == "ci" and self._falling.topology.cls[number] == GROUP):
            return 0
        if element not in self._bits:
            self._bits[element] = len(self._known)
            self._known.append(element)
        return 1 << self._bits[element]

    def _causes_of(self, element: Element) -> Iterator[_Some]:
        kind, number = element
        match kind:
            case "ci":
                yield from self._of_requirements(number)
                if DOWN_WHEN_CUT_OFF[self._falling.topology.cls[number]] and self._ways.may_be_cut_off(number):
                    yield _Some(1, ((("cut", number),),))
            case "cut":
                ways = self._ways.to_gateways(number)
                if ways:
                    yield _Some(len(ways), ways)
            case "parted":
                ways = self._ways.over_fabrics(number)
                if ways:
                    yield _Some(len(ways), ways)

    def _of_requirements(self, node: int) -> Iterator[_Some]:
        for requirement, legs in self._requirements(node):
            yield from self._broken(requirement, legs)

    def _broken(self, requirement: int, legs: list[int]) -> Iterator[_Some]:
        spare = int(self._falling.topology.margin[requirement] - self._falling.lost[requirement])
        if spare < len(legs):
            yield _Some(spare + 1, tuple(tuple(self._of_leg(leg)) for leg in legs))

    def _requirements(self, node: int) -> Iterable[tuple[int, list[int]]]:
        """The requirements of availability of a node, each with the legs that hold."""
        falling, topology = self._falling, self._falling.topology
        rows = topology.out.row(topology.group_of[node][0] if node in topology.group_of else node)
        rows = rows[(topology.req[rows] >= 0) & ~falling.failed[rows]]
        flags = topology.leg[rows]
        rows = rows[(flags & BESIDE == 0) & (flags >> AXIS_SHIFT == AVAILABILITY)]
        rows = rows[topology.owner[topology.req[rows]] == node]
        found: dict[int, list[int]] = {}
        for leg, requirement in zip(rows.tolist(), topology.req[rows].tolist(), strict=True):
            found.setdefault(requirement, []).append(leg)
        return found.items()

    def _of_leg(self, leg: int) -> Iterator[Element]:
        topology, ways = self._falling.topology, self._ways
        target, media = int(topology.dst[leg]), int(topology.leg[leg])
        yield ("ci", target)
        if media & BY_ETHERNET:
            for one in (target,) if ways.is_cabled(target) else topology.part_of(target):
                if ways.is_connected(one) and one != target:
                    yield ("ci", one)
                if ways.may_be_cut_off(one):
                    yield ("cut", one)
        if media & BY_FC:
            yield ("parted", ways.as_one(leg))


def _at_least(cause: _Some, values: dict[Element, int]) -> int:
    """What hits at least so many of the groups."""
    hit = [0] * cause.least
    for group in cause.groups:
        by = 0
        for element in group:
            by |= values[element]
        for place in range(cause.least - 1, 0, -1):
            hit[place] |= hit[place - 1] & by
        hit[0] |= by
    return hit[-1]
