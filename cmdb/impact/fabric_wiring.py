"""What fc paths are made of, read from a topology when asked for: cables, zones, legs, what stands for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cmdb.coding import MEDIA, MEDIUM_SHIFT, TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.settle import AXIS_SHIFT, BY_FC, MADE, MEDIA_MASK
from cmdb.lookup import wwn

if TYPE_CHECKING:
    from cmdb.impact.kinds import Bools, Ints
    from cmdb.impact.topology import Topology

_FC: Final = MEDIA.index("fc")
_FC_CABLE: Final = tables.CABLE | _FC << MEDIUM_SHIFT
_CABLE_MASK: Final = np.uint16(TYPE_BITS | MADE | 3 << MEDIUM_SHIFT)
_TYPE_MASK: Final = np.uint16(TYPE_BITS | MADE)
_NONE: Final = np.empty(0, np.int32)
_NOBODY: Final = np.empty(0, np.bool_)


def _of_types(*types: int) -> Bools:
    """Of each code, cut by `_TYPE_MASK`, whether it is a relation of the graph of one of these types."""
    found = np.zeros(int(_TYPE_MASK) + 1, np.bool_)
    found[list(types)] = True
    return found


CARRYING: Final = _of_types(*tables.CARRYING)
PART_OF: Final = _of_types(tables.PART_OF)


class Cables(NamedTuple):
    """FC cables as seen from some CIs: the place of the CI among those asked about, the relation, the far end."""

    place: Ints
    relation: Ints
    other: Ints


class Members(NamedTuple):
    """What stands for some CIs: the place of the CI among those asked about, and what stands for it, sorted."""

    place: Ints
    ci: Ints


class Seen(NamedTuple):
    """A cable as one of its ends sees it; the ports are WWPNs, or None where nothing tells which."""

    relation: int
    port: str | None
    other: int
    other_port: str | None


class Zone(NamedTuple):
    """Between which ports a zone lets traffic pass; None stands for any."""

    relation: int
    port: str | None
    target: int
    target_port: str | None


class Marks(NamedTuple):
    """What is marked of each CI, kept from one reading to the next."""

    cabled: Bools
    target: Bools
    below: Bools
    above: Bools
    zoned: Bools


class Wiring:
    """The fc relations of a topology, which must not change while this is used."""

    def __init__(self, topology: Topology, before: Wiring | None = None, changed: Collection[int] = ()) -> None:
        """Read the topology; `before` is what was read before the relations of the `changed` CIs, or who has an fc leg,
        changed. What is marked too much does no harm: who looks closer reads the relations."""
        self._topology = topology
        old = Marks(_NOBODY, _NOBODY, _NOBODY, _NOBODY, _NOBODY) if before is None else before.marks
        nodes = np.fromiter(changed, np.int32, len(changed))
        rows = self._of_fc() if before is None else topology.out.gather(nodes)
        codes = topology.rcode[rows] & _CABLE_MASK
        cables = rows[codes == _FC_CABLE]
        self.cabled: Final = self._marked(old.cabled, topology.src[cables], topology.dst[cables])
        """Who has an fc cable."""
        legs = self._heads(rows[(topology.leg[rows] & np.uint8(BY_FC)) != 0])
        self.has_legs: Final[bool] = bool(len(legs)) or (before is not None and before.has_legs)
        self.switch: Final = self._of_classes(tables.FORWARDS_FC)
        self.target: Final = self._marked(old.target, topology.dst[legs])
        """Who is the target of an fc leg."""
        self.below: Final = self._closed(self.target, old.below, nodes, (tables.PART_OF,))
        """The targets of fc legs, and all that they are part of."""
        owners = self._marked(_NOBODY, topology.src[legs])
        self.above: Final = self._closed(owners, old.above, nodes, tables.CARRYING)
        """The owners of fc legs, and all that they stand on."""
        self.shared: Final = self.above & self.below
        """Who may stand for both ends of a leg."""
        self.matters: Final = self.cabled | self.switch | self.shared
        """On whom a path may hang."""
        self.standing: Final = self.above | self.below
        """Whoever owns an fc leg or is its target, and all that stands for one."""
        zones = rows[(codes & _TYPE_MASK) == tables.ZONE]
        self.zoned: Final = self._marked(old.zoned, topology.src[zones])
        """Who has zones."""
        self.marks: Final[Marks] = Marks(self.cabled, self.target, self.below, self.above, self.zoned)

    def _of_fc(self) -> Ints:
        """All fc cables, relations that are an fc leg, and zones."""
        topology = self._topology
        codes = topology.rcode[: topology.relations] & _CABLE_MASK
        found = (topology.leg[: topology.relations] & np.uint8(BY_FC)) != 0
        found |= codes == _FC_CABLE
        codes &= _TYPE_MASK
        found |= codes == tables.ZONE
        return np.flatnonzero(found).astype(np.int32)

    def _marked(self, before: Bools, *cis: Ints) -> Bools:
        found = np.zeros(len(self._topology.key), np.bool_)
        found[: len(before)] = before
        for some in cis:
            found[some] = True
        return found

    def _of_classes(self, table: Bools) -> Bools:
        topology = self._topology
        found = np.zeros(len(topology.key), np.bool_)
        for number in np.flatnonzero(table).tolist():
            found |= topology.cls == number
        return found & topology.live

    def _zoned_in_full(self, gaps: Ints) -> Bools:
        """Of places of gaps among the words, whether zones are not among these gaps."""
        full = [one for one in np.unique(gaps).tolist() if '"zoned_to":' not in self._topology.words[one]]
        return np.isin(gaps, full)

    def _heads(self, legs: Ints) -> Ints:
        return legs[self._topology.req[legs] >= 0]

    def _closed(self, start: Bools, before: Bools, changed: Ints, types: Collection[int]) -> Bools:
        """Some CIs, and all that relations of these types lead to from them."""
        if not len(before):
            return self._all_closed(start, types)
        found = self._marked(before)
        edge = np.concatenate((np.flatnonzero(start & ~found).astype(np.int32), changed[found[changed]]))
        found |= start
        leading = _of_types(*types)
        while len(edge):
            found[edge] = True
            rows = self._leading(self._topology.out.gather(edge), leading)
            edge = np.unique(self._topology.dst[rows])
            edge = edge[~found[edge]]
        return found

    def _all_closed(self, start: Bools, types: Iterable[int]) -> Bools:
        topology = self._topology
        codes = topology.rcode[: topology.relations] & _TYPE_MASK
        leading = np.zeros(len(codes), np.bool_)
        for type_ in types:
            leading |= codes == type_
        relations = np.flatnonzero(leading)
        source, target = topology.src[relations], topology.dst[relations]
        found = start.copy()
        while len(hit := np.flatnonzero(found[source])):
            found[target[hit]] = True
            left = np.ones(len(source), np.bool_)
            left[hit] = False
            source, target = source[left], target[left]
        return found

    def _leading(self, rows: Ints, types: Bools) -> Ints:
        """Those of some relations that are in G, of these types, and lead elsewhere."""
        topology = self._topology
        rows = rows[types[topology.rcode[rows] & _TYPE_MASK]]
        source, target = topology.src[rows], topology.dst[rows]
        kept: Ints = rows[topology.live[source] & topology.live[target] & (source != target)]
        return kept

    def switches(self) -> list[int]:
        found: list[int] = np.flatnonzero(self.switch).tolist()
        return found

    def mattering(self, numbers: Collection[int] | Ints) -> list[int]:
        """Those of some CIs on which a path may hang. Targets without cables are left out."""
        if not isinstance(numbers, np.ndarray):
            numbers = np.fromiter(numbers, np.int32, len(numbers))
        found: list[int] = numbers[self.matters[numbers]].tolist()
        return found

    # Cables and zones

    def cables(self, cis: Ints) -> Cables:
        """The fc cables of some CIs; of those that lead from a CI to itself none."""
        topology = self._topology
        found = []
        for adjacency, far in ((topology.out, topology.dst), (topology.into, topology.src)):
            rows = adjacency.gather(cis)
            place = np.repeat(np.arange(len(cis), dtype=np.int32), adjacency.lengths(cis))
            kept = (topology.rcode[rows] & _CABLE_MASK) == _FC_CABLE
            rows, place = rows[kept], place[kept]
            other = far[rows]
            kept = topology.live[other] & (other != cis[place])
            found.append(Cables(place[kept], rows[kept], other[kept]))
        return Cables(*(np.concatenate(both) for both in zip(*found, strict=True)))

    def ends(self, relation: int) -> tuple[int, int] | None:
        """The ends of an fc cable between two CIs; None for any other relation."""
        topology = self._topology
        if int(topology.rcode[relation]) & int(_CABLE_MASK) != _FC_CABLE:
            return None
        ends = int(topology.src[relation]), int(topology.dst[relation])
        return ends if topology.live[ends[0]] and topology.live[ends[1]] and ends[0] != ends[1] else None

    def seen_from(self, cis: Ints, ports: Bools) -> dict[int, list[Seen]]:
        """The fc cables of some CIs, with the ports of those of which `ports` says so."""
        cables = self.cables(cis)
        near = cis[cables.place]
        wanted = np.flatnonzero(ports[cables.place])
        from_ports, to_ports = self._words(cables.relation[wanted])
        leads = (self._topology.src[cables.relation[wanted]] == near[wanted]).tolist()
        said = {
            place: both if leading else both[::-1]
            for place, leading, *both in zip(wanted.tolist(), leads, from_ports, to_ports, strict=True)
        }
        known: dict[int, Mapping[str, str]] = {}
        found: dict[int, list[Seen]] = {ci: [] for ci in cis.tolist()}
        ends = zip(cables.relation.tolist(), near.tolist(), cables.other.tolist(), strict=True)
        for place, (relation, ci, other) in enumerate(ends):
            port = far = None
            if place in said:
                port, far = (self._port(*one, known) for one in zip((ci, other), said[place], strict=True))
            found[ci].append(Seen(relation, port, other, far))
        return found

    def _port(self, ci: int, said: str, known: dict[int, Mapping[str, str]]) -> str | None:
        """The WWPN of a cable's port at a CI: what the FC port of that name says, else the port's own name."""
        if ci not in known:
            known[ci] = self._topology.extra_of(ci).wwpns if ci in self._topology.extras else {}
        if said in known[ci]:
            return known[ci][said] or None
        return wwn(said) if said else None

    def _words(self, relations: Ints) -> tuple[list[str], list[str]]:
        """The two words of each of some relations."""
        topology = self._topology
        if not len(topology.worded):
            both = [topology.words_of(one) for one in relations.tolist()]
            return [one for one, _ in both], [other for _, other in both]
        places = np.minimum(np.searchsorted(topology.worded, relations), len(topology.worded) - 1)
        known = topology.worded[places] == relations
        found = []
        for numbers, later in ((topology.word_a, 0), (topology.word_b, 1)):
            words = [topology.words[one] for one in np.where(known, numbers[places], 0).tolist()]
            for place, relation in enumerate(relations.tolist()) if topology.later_words else ():
                if relation in topology.later_words:
                    words[place] = topology.words[topology.later_words[relation][later]]
            found.append(words)
        return found[0], found[1]

    def zones(self, cis: Ints) -> dict[int, list[Zone]]:
        """The zones of those of some CIs that have any, and of which they were collected in full."""
        topology = self._topology
        cis = cis[self.zoned[cis]]
        rows = topology.out.gather(cis[self._zoned_in_full(topology.gap[cis])])
        rows = rows[(topology.rcode[rows] & _TYPE_MASK) == tables.ZONE]
        rows = np.sort(rows[topology.live[topology.dst[rows]]])
        found: dict[int, list[Zone]] = {}
        ends = zip(rows.tolist(), topology.src[rows].tolist(), topology.dst[rows].tolist(), strict=True)
        for (relation, source, target), near, far in zip(ends, *self._words(rows), strict=True):
            zone = Zone(relation, wwn(near) if near else None, target, wwn(far) if far else None)
            found.setdefault(source, []).append(zone)
        return found

    def zone_source(self, relation: int) -> int | None:
        """The source of a zone that was collected in full; None for any other relation."""
        topology = self._topology
        source = int(topology.src[relation])
        if int(topology.rcode[relation]) & int(_TYPE_MASK) != tables.ZONE:
            return None
        alone = np.array([source], np.int32)
        in_full = bool(topology.live[topology.dst[relation]]) and bool(self._zoned_in_full(topology.gap[alone])[0])
        return source if in_full else None

    # Legs and what stands for their ends

    def targets_below(self, cis: Ints) -> Ints:
        """The targets of fc legs that are one of some CIs or part of one."""
        topology = self._topology
        found: list[Ints] = []
        seen: set[int] = set()
        edge = cis
        while len(edge):
            seen.update(edge.tolist())
            found.append(edge[self.target[edge]])
            rows = self._leading(topology.into.gather(edge), PART_OF)
            edge = np.unique(topology.src[rows])
            edge = np.array([one for one in edge.tolist() if one not in seen], np.int32)
        return np.concatenate(found) if found else _NONE

    def legs_to(self, targets: Ints) -> Ints:
        """The fc legs to some CIs, by their heads."""
        rows = self._topology.into.gather(targets)
        return self._heads(rows[(self._topology.leg[rows] & np.uint8(BY_FC)) != 0])

    def owners_of(self, legs: Ints) -> Ints:
        return self._topology.src[legs]

    def targets_of(self, legs: Ints) -> Ints:
        return self._topology.dst[legs]

    def are_pure(self, legs: Ints) -> Bools:
        """Whether these are legs of availability, all their relations being fc."""
        flags = self._topology.leg[legs]
        pure: Bools = (flags & np.uint8(MEDIA_MASK) == BY_FC) & (flags >> AXIS_SHIFT == tables.AVAILABILITY)
        return pure

    def legs_between(self, owner: int, target: int) -> Ints:
        """The fc legs from one CI to another."""
        row = self._topology.out.row(owner)
        return self._heads(
            row[(self._topology.dst[row] == target) & ((self._topology.leg[row] & np.uint8(BY_FC)) != 0)]
        )

    def members(self, cis: Ints, types: Bools) -> Members:
        """What stands for each of some CIs, itself included: by relations of these types."""
        topology = self._topology
        place = np.arange(len(cis), dtype=np.int64)
        width = np.int64(len(topology.key))
        known = np.sort(place * width + cis)
        edge = known
        while len(edge):
            nodes = (edge % width).astype(np.int32)
            rows = topology.out.gather(nodes)
            place = np.repeat(edge // width, topology.out.lengths(nodes))
            kept = types[topology.rcode[rows] & _TYPE_MASK]
            rows, place = rows[kept], place[kept]
            source, target = topology.src[rows], topology.dst[rows]
            kept = topology.live[source] & topology.live[target] & (source != target)
            found = np.unique(place[kept] * width + target[kept])
            edge = found[~np.isin(found, known, assume_unique=True)]
            known = np.sort(np.concatenate((known, edge)))
        return Members((known // width).astype(np.int32), (known % width).astype(np.int32))
