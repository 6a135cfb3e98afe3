"""Some ways that are open after a change: from a CI to gateways, and from fc owners to what they are stored on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact.fabric_wiring import CARRYING, PART_OF
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.levels import CUT_OFF, DOWN

if TYPE_CHECKING:
    from cmdb.impact.fabric_routes import Route, Way
    from cmdb.impact.falling import Falling

Element: TypeAlias = tuple[str, int]
_Path: TypeAlias = tuple[Element, ...]
_LOST: Final = DOWN | CUT_OFF


class OpenWays:
    """Of each CI or leg one way, and another that shares as little with it as was easily found."""

    def __init__(self, falling: Falling) -> None:
        self._falling = falling
        self._ethernet = falling.networks.ethernet
        self._out = falling.change.out
        self._out_cables = np.array(
            sorted(one for one in (falling.networks.cable(relation) for relation in self._out) if one >= 0), np.int32
        )
        self._gateways: Bools = np.zeros(self._ethernet.nodes, np.bool_)
        self._gateways[self._ethernet.gateways] = True
        self._came: Ints = np.full(self._ethernet.nodes, -1, np.int32)
        """Of each CI that a search came to, the cable of the last step."""
        self._carriers: dict[int, frozenset[int]] = {}
        self._parts: dict[int, frozenset[int]] = {}
        self._one_of: dict[tuple[frozenset[int], ...], int] = {}

    def is_cabled(self, node: int) -> bool:
        return bool(self._ethernet.cabled[node])

    def is_connected(self, node: int) -> bool:
        """Whether a CI is connected to a gateway in the intact graph."""
        return bool(self._ethernet.connected[node])

    def may_be_cut_off(self, node: int) -> bool:
        """Whether a CI that is up is connected now, and no gateway."""
        return bool(
            self._ethernet.connected[node] and not self._falling.mark[node] & _LOST and not self._gateways[node]
        )

    # Ethernet

    def to_gateways(self, node: int) -> tuple[_Path, ...]:
        """What the ways of a CI to a gateway are made of, itself left out; whoever is cut off lost each of them."""
        if not self._ethernet.passes[node]:
            return tuple(self._steps(node))
        first = self._way(node, ())
        if first is None:
            return ()
        cis = [number for kind, number in first if kind == "ci"]
        second = self._way(node, cis)
        for shared in cis[::-1] if second is None else ():
            second = second or self._way(node, [one for one in cis if one != shared])
        return (first,) if second is None else (first, second)

    def _steps(self, node: int) -> Iterator[_Path]:
        """All ways of a CI that passes no traffic on, as far as the next CI, which may be cut off itself."""
        net = self._ethernet
        places = net.rows.of(np.array([node], np.int32))[0]
        places = places[self._usable_steps(net.rows.other[places], net.rows.cable[places])]
        for cable, other in zip(net.rows.cable[places].tolist(), net.rows.other[places].tolist(), strict=True):
            step: _Path = ("cable", int(self._falling.networks.cables[cable])), ("ci", other)
            yield (*step, ("cut", other)) if self.may_be_cut_off(other) else step

    def _usable_steps(self, other: Ints, cable: Ints) -> Bools:
        net = self._ethernet
        usable: Bools = net.passes[other] & net.connected[other] & (self._falling.mark[other] & _LOST == 0)
        return usable & ~np.isin(cable, self._out_cables) if len(self._out_cables) else usable

    def _way(self, node: int, without: Collection[int]) -> _Path | None:
        """A shortest way that does not lead through some CIs."""
        net, came = self._ethernet, self._came
        avoided = np.fromiter((node, *without), np.int32, 1 + len(without))
        came[avoided] = 0
        touched = [avoided]
        edge = avoided[:1]
        found = -1
        while len(edge) and found < 0:
            places = net.rows.of(edge)[0]
            other, cable = net.rows.other[places], net.rows.cable[places]
            usable = self._usable_steps(other, cable) & (came[other] < 0)
            other, cable = other[usable], cable[usable]
            came[other] = cable
            touched.append(other)
            ends = other[self._gateways[other]]
            if len(ends):
                found = int(ends[0])
            edge = np.unique(other) if len(other) > 1 else other
        way = self._walked(node, found) if found >= 0 else None
        for some in touched:
            came[some] = -1
        return way

    def _walked(self, node: int, end: int) -> _Path:
        """Back from the end."""
        (one, other), here = self._ethernet.ends, end
        path: list[Element] = []
        while here != node:
            cable = int(self._came[here])
            path += [("ci", here), ("cable", int(self._falling.networks.cables[cable]))]
            here = int(other[cable] if one[cable] == here else one[cable])
        return tuple(path)

    # Fabrics

    def as_one(self, leg: int) -> int:
        """One fc leg for all whose ends are joined in the same ways."""
        near, far = self._standing_for(leg)
        key = (self._cabled(near), self._cabled(far), near & far)
        return self._one_of.setdefault(key, leg)

    def _standing_for(self, leg: int) -> tuple[frozenset[int], frozenset[int]]:
        topology = self._falling.topology
        return self._above(int(topology.src[leg]), CARRYING), self._above(int(topology.dst[leg]), PART_OF)

    def _above(self, node: int, types: Bools) -> frozenset[int]:
        known = self._carriers if types is CARRYING else self._parts
        if node not in known:
            topology = self._falling.topology
            found = {node}
            waiting = [node]
            for here in waiting:
                row = topology.out.row(here)
                for other in topology.dst[row[types[topology.rcode[row] & TYPE_BITS]]].tolist():
                    if other not in found and topology.live[other]:
                        found.add(other)
                        waiting.append(other)
            known[node] = frozenset(found)
        return known[node]

    def _cabled(self, cis: frozenset[int]) -> frozenset[int]:
        cabled = self._falling.networks.fabric.wiring.cabled
        return frozenset([one for one in cis if cabled[one]])

    def over_fabrics(self, leg: int) -> tuple[_Path, ...]:
        """What the paths of an fc leg are made of; none where none joined its ends in the intact graph."""
        near, far = self._standing_for(leg)
        starts, ends = sorted(self._cabled(near)), sorted(self._cabled(far))
        route = self._falling.networks.fabric.routes.joining(starts, ends, near & far)
        if route is None:
            return ()
        first = self._path(route, frozenset())
        if first is None:
            return ()
        for shared in (frozenset[Element](), frozenset(first[-1:]), frozenset((first[0], first[-1]))):
            second = self._path(route, frozenset(first) - shared)
            if second is not None:
                return first, second
        return (first,)

    def _path(self, route: Route, without: frozenset[Element]) -> _Path | None:
        """A path that does without some elements: start, cables and switches, end."""
        for one in sorted(route.common):
            if self._usable("ci", one, without):
                return (("ci", one),)
        found = (self._path_of(way, without) for way in route.ways if way.zone not in self._out)
        return next((path for path in found if path is not None), None)

    def _path_of(self, way: Way, without: frozenset[Element]) -> _Path | None:
        for relation, one, other in way.direct:
            path = (("ci", one), ("cable", relation), ("ci", other))
            if all(self._usable(*element, without) for element in path):
                return path
        beside = self._falling.networks.fabric.routes.trunks.beside
        closing = {switch: (relation, member) for relation, member, switch in self._open(way.last.cables, without)}
        came: dict[int, _Path] = {}
        for relation, member, switch in self._open(way.first.cables, without):
            came.setdefault(switch, (("ci", member), ("cable", relation), ("ci", switch)))
        waiting = list(came)
        for switch in waiting:
            if switch in closing:
                relation, member = closing[switch]
                return (*came[switch], ("cable", relation), ("ci", member))
            for other, trunks in beside[switch].items():
                if other not in came and self._usable("ci", other, without):
                    trunk = next((one for one in trunks if self._usable("cable", one, without)), None)
                    if trunk is not None:
                        came[other] = (*came[switch], ("cable", trunk), ("ci", other))
                        waiting.append(other)
        return None

    def _open(
        self, cables: Iterable[tuple[int, int, int]], without: frozenset[Element]
    ) -> Iterable[tuple[int, int, int]]:
        for relation, member, switch in cables:
            if (
                self._usable("cable", relation, without)
                and self._usable("ci", member, without)
                and self._usable("ci", switch, without)
            ):
                yield relation, member, switch

    def _usable(self, kind: str, number: int, without: frozenset[Element]) -> bool:
        if (kind, number) in without:
            return False
        return number not in self._out if kind == "cable" else not self._falling.is_down(number)
