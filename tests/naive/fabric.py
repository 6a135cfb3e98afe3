"""The fibre-channel fabrics of a graph: whether a path joins two CIs through switches that are up, within one zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from cmdb.lookup import wwn
from cmdb.model import CI, Relation
from cmdb.schema import CI_CLASSES


class _Cable(NamedTuple):
    """An fc cable as one of its ends sees it; the ports are WWPNs, or None where nothing tells which."""

    id: str
    port: str | None
    other: str
    other_port: str | None


class _Zone(NamedTuple):
    """The ports between which a zone lets traffic pass; None stands for any."""

    relation: str
    port: str | None
    target: str
    target_port: str | None


class Fabric:
    """The undirected graph of the fc cables, and the zones where zoning was collected in full."""

    def __init__(self, cis: Mapping[str, CI], cables: Iterable[Relation], zones: Iterable[Relation]) -> None:
        self.switches = frozenset(ci.id for ci in cis.values() if "fc" in CI_CLASSES[ci.cls].forwards)
        self.cables: dict[str, list[_Cable]] = defaultdict(list)
        self._trunks: dict[str, list[_Cable]] = defaultdict(list)
        self._zones: dict[str, list[_Zone]] = defaultdict(list)
        for cable in cables:
            near, far = _port(cis[cable.source], cable, "from_port"), _port(cis[cable.target], cable, "to_port")
            self._add(cable.source, _Cable(cable.id, near, cable.target, far))
            self._add(cable.target, _Cable(cable.id, far, cable.source, near))
        for zone in zones:
            # Without any zone, or with a gap, nothing was collected that could narrow the paths of this CI.
            if "zoned_to" not in cis[zone.source].gaps:
                ports = _wwpn(zone.columns.get("from_wwpn")), _wwpn(zone.columns.get("to_wwpn"))
                self._zones[zone.source].append(_Zone(zone.id, ports[0], zone.target, ports[1]))

    def _add(self, end: str, cable: _Cable) -> None:
        self.cables[end].append(cable)
        if end in self.switches and cable.other in self.switches:
            self._trunks[end].append(cable)

    def zones_of(self, sources: Iterable[str]) -> Iterator[str]:
        """The ids of the zoned_to relations of these CIs."""
        for id_ in sources:
            yield from (zone.relation for zone in self._zones.get(id_, ()))

    def path(
        self,
        sources: Collection[str],
        targets: Collection[str],
        down: Collection[object] = frozenset(),
        out: Collection[str] = frozenset(),
    ) -> tuple[str, ...] | None:
        """A shortest path from one of `sources` to one of `targets`: ids of its cables and of the switches between.

        What is down is left out at the ends as well. None where there is no path; one that is both is a path already.
        """
        starts = [id_ for id_ in sources if id_ not in down]
        ends = {id_ for id_ in targets if id_ not in down}
        if not ends.isdisjoint(starts):
            return ()
        free = [cable for id_ in starts if id_ not in self._zones for cable in self.cables[id_]]
        path = self._search(free, [cable for id_ in sorted(ends) for cable in self.cables[id_]], ends, down, out)
        for id_ in starts:
            for zone in self._zones.get(id_, ()):
                if path is None and zone.target in ends and zone.relation not in out:
                    first = [cable for cable in self.cables[id_] if _same(cable.port, zone.port)]
                    last = [cable for cable in self.cables[zone.target] if _same(cable.port, zone.target_port)]
                    path = self._search(first, last, {zone.target}, down, out)
        return path

    def _search(
        self,
        first: Iterable[_Cable],
        last: Iterable[_Cable],
        ends: Collection[str],
        down: Collection[object],
        out: Collection[str],
    ) -> tuple[str, ...] | None:
        """A path that begins with one of the cables `first` (seen from the start) and ends with one of `last`."""
        closing = {cable.id: cable for cable in last if cable.id not in out}
        entries = {cable.other: cable.id for cable in closing.values()}
        came: dict[str, tuple[str, ...]] = {}
        waiting: list[str] = []
        for cable in first:
            if cable.id in out:
                continue
            if cable.other in ends and cable.id in closing:
                return (cable.id,)
            if cable.other in self.switches and cable.other not in down and cable.other not in came:
                came[cable.other] = (cable.id, cable.other)
                waiting.append(cable.other)
        for switch in waiting:
            if switch in entries:
                return (*came[switch], entries[switch])
            for cable in self._trunks[switch]:
                if cable.id not in out and cable.other not in down and cable.other not in came:
                    came[cable.other] = (*came[switch], cable.id, cable.other)
                    waiting.append(cable.other)
        return None

    def parting(
        self,
        sources: Collection[str],
        targets: Collection[str],
        down: Collection[object] = frozenset(),
        out: Collection[str] = frozenset(),
    ) -> frozenset[str]:
        """Every one switch and every one cable without which no path would be left; empty where there is none now.

        Whatever parts the two lies on each path, so on the one found; the ends themselves do not count.
        """
        path = self.path(sources, targets, down, out) or ()
        return frozenset(one for one in path if self._needed(one, sources, targets, down, out))

    def _needed(
        self, one: str, sources: Collection[str], targets: Collection[str], down: Collection[object],
        out: Collection[str],
    ) -> bool:  # fmt: skip
        if one in self.switches:
            if one in sources or one in targets:
                return False
            return self.path(sources, targets, {*down, one}, out) is None
        return self.path(sources, targets, down, {*out, one}) is None


def _port(ci: CI, cable: Relation, column: str) -> str | None:
    """The WWPN of a cable's port: the port's own name, or what the FC port of that name says."""
    said = cable.columns.get(column)
    for component in ci.components:
        if component.kind == "fc_port" and component.name == said and "wwpn" in component.attributes:
            return _wwpn(component.attributes["wwpn"])
    return _wwpn(said)


def _wwpn(said: object) -> str | None:
    return wwn(said) if isinstance(said, str) else None


def _same(port: str | None, zoned: str | None) -> bool:
    return port is None or zoned is None or port == zoned


def lost_near(fabric: Fabric, starts: Mapping[str, int]) -> Iterator[tuple[str, str, int]]:
    """Walk from the ends of a path over all cables and switches; (cable, CI at its far end, relations on the way)."""
    steps = dict(starts)
    waiting = sorted(steps, key=lambda id_: steps[id_])
    for here in waiting:
        for cable in fabric.cables[here]:
            yield cable.id, cable.other, steps[here] + 1
            if cable.other in fabric.switches and cable.other not in steps:
                steps[cable.other] = steps[here] + 1
                waiting.append(cable.other)
