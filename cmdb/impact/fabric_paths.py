"""FC switches and the trunks between them: which are still joined, and what alone would part them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from cmdb.impact.fabric_wiring import Wiring

Element: TypeAlias = tuple[str, int]
"""What may part a path: ("ci", number of a switch) or ("cable", number of its relation)."""

_DOWN: Final = -1


class Trunks:
    """The fabrics of the intact graph, each read when one of its switches is first asked for, and named by a switch."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self.beside: dict[int, dict[int, list[int]]] = {}
        """Of each switch its neighbours, with the trunks to each."""
        self.fabric: dict[int, int] = {}
        """The fabrics of the switches read so far."""
        self.switches: dict[int, list[int]] = {}
        """The switches of each fabric."""

    def fabric_of(self, switch: int) -> int:
        if switch not in self.fabric:
            self._read(switch)
        return self.fabric[switch]

    def fabrics(self, switches: Iterable[int]) -> frozenset[int]:
        """The fabrics of some switches, all known already."""
        return frozenset([self.fabric[switch] for switch in switches])

    def know(self, switches: Iterable[int]) -> None:
        """Read the fabrics of some switches."""
        for switch in switches:
            if switch not in self.fabric:
                self._read(switch)

    def _read(self, switch: int) -> None:
        self.fabric[switch] = switch
        self.beside[switch] = {}
        found = edge = [switch]
        while edge:
            cables = self._wiring.cables(np.array(edge, np.int32))
            trunks = self._wiring.switch[cables.other]
            new: list[int] = []
            for place, relation, other in zip(
                cables.place[trunks].tolist(), cables.relation[trunks].tolist(), cables.other[trunks].tolist(),
                strict=True,
            ):  # fmt: skip
                self.beside[edge[place]].setdefault(other, []).append(relation)
                if other not in self.fabric:
                    self.fabric[other] = switch
                    self.beside[other] = {}
                    new.append(other)
            edge = new
            found = found + new
        self.switches[switch] = found


class Joins:
    """Which switches are joined with some down and some trunks out: parts of fabrics, each named by a switch of it.

    Only fabrics that lost something are looked at; the parts of all others are the fabrics themselves.
    """

    def __init__(self, trunks: Trunks) -> None:
        self.trunks = trunks
        self.touched: set[int] = set()
        self._down: set[int] = set()
        self._out: set[int] = set()
        self._part: dict[int, int] = {}
        self._parts: dict[frozenset[int], frozenset[int]] = {}
        self._cuts: dict[tuple[frozenset[int], frozenset[int]], frozenset[Element]] = {}
        self._weak: dict[int, _Weak] = {}

    def copy(self) -> Joins:
        """Another that begins as this stands, and goes its own way."""
        other = Joins(self.trunks)
        other.touched, other._down, other._out = set(self.touched), set(self._down), set(self._out)
        other._part = dict(self._part)
        return other

    def lose(self, switches: Collection[int], trunks: Collection[int], fabrics: Collection[int]) -> None:
        """These are down, and out, now too; they are of these fabrics."""
        self._down.update(switches)
        self._out.update(trunks)
        self.touched.update(fabrics)
        self._parts.clear()
        self._cuts.clear()
        self._weak.clear()
        for fabric in fabrics:
            self._divide(fabric)

    def _divide(self, fabric: int) -> None:
        part = dict.fromkeys(self.trunks.switches[fabric], _DOWN)
        for switch in part:
            if part[switch] == _DOWN and switch not in self._down:
                part[switch] = switch
                waiting = [switch]
                for here in waiting:
                    for other in self.beside(here):
                        if part[other] == _DOWN:
                            part[other] = switch
                            waiting.append(other)
        self._part.update(part)

    def beside(self, switch: int) -> Iterator[int]:
        """The switches that are up, with a trunk to this one that is not out."""
        out, down = self._out, self._down
        for other, relations in self.trunks.beside[switch].items():
            if other not in down and not (out and out.issuperset(relations)):
                yield other

    def trunks_between(self, one: int, other: int) -> list[int]:
        """The trunks between two switches that are not out."""
        return [relation for relation in self.trunks.beside[one][other] if relation not in self._out]

    def part(self, switch: int) -> int:
        """The part of a switch; negative where it is down."""
        found = self._part.get(switch)
        return self.trunks.fabric[switch] if found is None else found

    def parts(self, switches: frozenset[int]) -> frozenset[int]:
        """The parts of some switches, without those that are down."""
        found = self._parts.get(switches)
        if found is None:
            part, fabric = self._part, self.trunks.fabric
            found = frozenset([part.get(switch, fabric[switch]) for switch in switches]) - _NONE
            self._parts[switches] = found
        return found

    def cuts(self, first: frozenset[int], last: frozenset[int]) -> frozenset[Element]:
        """Each one switch and one trunk without which none of `first` is joined to any of `last`; all are of one part.

        A switch that is the only one of `first` or of `last` is such.
        """
        key = (first, last)
        if key not in self._cuts:
            part = self.part(next(iter(first)))
            if part not in self._weak:
                self._weak[part] = _Weak(self, part)
            self._cuts[key] = self._weak[part].between(first, last)
        return self._cuts[key]


_NONE: Final = frozenset({_DOWN})


class _Weak:
    """Of one part: the switches and trunks without which it would fall apart, with what it would fall into."""

    def __init__(self, joins: Joins, part: int) -> None:
        beside: dict[int, list[int]] = {}
        waiting = [part]
        for here in waiting:
            if here not in beside:
                beside[here] = list(joins.beside(here))
                waiting += beside[here]
        switches, pairs = _weak_places(beside, part)
        self._pieces = {switch: _pieces(beside, switch) for switch in switches}
        self._sides: dict[int, frozenset[int]] = {}
        for one, other in pairs:
            between = joins.trunks_between(one, other)
            if len(between) == 1:
                self._sides[between[0]] = _side(beside, one, other)

    def between(self, first: frozenset[int], last: frozenset[int]) -> frozenset[Element]:
        found = {("ci", switch) for some in (first, last) if len(some) == 1 for switch in some}
        for switch, piece in self._pieces.items():
            if {piece.get(one) for one in first if one != switch}.isdisjoint(
                [piece.get(one) for one in last if one != switch]
            ):
                found.add(("ci", switch))
        for trunk, side in self._sides.items():
            if (first <= side and side.isdisjoint(last)) or (last <= side and side.isdisjoint(first)):
                found.add(("cable", trunk))
        return frozenset(found)


def _weak_places(beside: Mapping[int, list[int]], start: int) -> tuple[list[int], list[tuple[int, int]]]:
    """The switches, and the pairs of neighbours, whose loss takes a connected graph apart (Tarjan's low links)."""
    order = {start: 0}
    low = {start: 0}
    above = {start: start}
    branches: dict[int, int] = defaultdict(int)
    switches: set[int] = set()
    pairs: list[tuple[int, int]] = []
    walk = [(start, iter(beside[start]))]
    while walk:
        here, others = walk[-1]
        for other in others:
            if other not in order:
                order[other] = low[other] = len(order)
                above[other] = here
                walk.append((other, iter(beside[other])))
                break
            if other != above[here]:
                low[here] = min(low[here], order[other])
        else:
            walk.pop()
            upper = above[here]
            if here != start:
                low[upper] = min(low[upper], low[here])
                branches[upper] += 1
                if low[here] > order[upper]:
                    pairs.append((upper, here))
                if low[here] >= order[upper] and upper != start:
                    switches.add(upper)
    if branches[start] > 1:
        switches.add(start)
    return sorted(switches), pairs


def _pieces(beside: Mapping[int, list[int]], without: int) -> dict[int, int]:
    """What is left joined without one switch: of each other, one by which its piece is named."""
    piece: dict[int, int] = {}
    for switch in beside[without]:
        if switch not in piece:
            piece[switch] = switch
            waiting = [switch]
            for here in waiting:
                for other in beside[here]:
                    if other != without and other not in piece:
                        piece[other] = switch
                        waiting.append(other)
    return piece


def _side(beside: Mapping[int, list[int]], one: int, other: int) -> frozenset[int]:
    """All that is joined to `one` where what lies between it and `other` is gone."""
    seen = {one}
    waiting = [one]
    for here in waiting:
        for next_ in beside[here]:
            if next_ not in seen and {here, next_} != {one, other}:
                seen.add(next_)
                waiting.append(next_)
    return frozenset(seen)
