"""What fc legs hang on: switches and cables that every path of one leads over; and among the CIs that stand for one
owner, how many could take the place of each."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmdb.impact.adjacency import Adjacency
from cmdb.impact.fabric_wiring import CARRYING
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.settle import AXIS_SHIFT, BESIDE, BY_FC, MEDIA_MASK
from cmdb.impact.tables import AVAILABILITY

if TYPE_CHECKING:
    from cmdb.impact.fabric_paths import Element
    from cmdb.impact.falling import Falling

_NONE: Final = np.empty(0, np.int32)
_ENOUGH: Final = 1 << 20


class Cuts(NamedTuple):
    """Of each of some legs, by its head, something without which no path is left: a CI or a cable."""

    is_ci: Bools
    number: Ints
    leg: Ints


class Spares:
    """Of the intact fabrics."""

    def __init__(self, falling: Falling, loose: Ints) -> None:
        """`loose` are the relations by which somebody stands for another who need not fall with him."""
        self._topology = falling.topology
        self._fabric = falling.networks.fabric
        wiring = self._wiring = self._fabric.wiring
        loose = loose[wiring.above[self._topology.src[loose]]]
        standing = np.unique(self._topology.src[loose])
        self.group: Ints = np.full(len(self._topology.key), -1, np.int32)
        """Of whoever stands on others that he can spare, for whom the same stand: the number of his group."""
        sets = self._sets(standing)
        self.group[standing] = sets.of
        self.size: Ints = np.bincount(sets.of, minlength=len(sets.members)).astype(np.int32)
        """Of each group how many they are."""
        self._lay(sets.members, self._spared(loose))

    def _sets(self, standing: Ints) -> _Sets:
        """The CIs on which paths may hang that stand for each."""
        if not len(standing):
            return _Sets(_NONE, [])
        of = self._wiring.members(standing, CARRYING)
        kept = self._wiring.matters[of.ci]
        place, ci = of.place[kept], of.ci[kept]
        bounds = np.searchsorted(place, np.arange(len(standing) + 1)).tolist()
        known: dict[bytes, int] = {}
        numbers = [known.setdefault(ci[a:b].tobytes(), len(known)) for a, b in pairwise(bounds)]
        return _Sets(np.array(numbers, np.int32), [np.frombuffer(one, np.int32) for one in known])

    def _spared(self, loose: Ints) -> NDArray[np.int64]:
        """Who stands for somebody of a group that can spare him, as group and CI in one number, sorted."""
        if not len(loose):
            return np.empty(0, np.int64)
        topology = self._topology
        targets = np.unique(topology.dst[loose])
        of = self._wiring.members(targets, CARRYING)
        kept = self._wiring.matters[of.ci]
        under = _rows(len(topology.key), targets[of.place[kept]], of.ci[kept])
        width = np.int64(len(topology.key))
        group = np.repeat(self.group[topology.src[loose]], under.lengths(topology.dst[loose])).astype(np.int64)
        found: NDArray[np.int64] = np.unique(group * width + under.gather(topology.dst[loose]))
        return found

    def _lay(self, sets: list[Ints], spared: NDArray[np.int64]) -> None:
        ends = np.unique(np.concatenate([_NONE, *sets]))
        self._plain, self._reach_of = plain, reach = self._reach(ends)
        self._sets_of = [members.tolist() for members in sets]
        width = len(self._topology.key)
        cis: list[int] = []
        groups: list[int] = []
        others: list[int] = []
        for group, listed in enumerate(self._sets_of):
            free = [reach[one] for one in listed if plain.get(one)]
            for one in listed:
                cis.append(one)
                groups.append(group)
                wide = sum(reach[one] <= other for other in free)
                others.append((wide - bool(plain[one])) if one in plain else 0)
        made = np.array(groups, np.int64) * width + np.array(cis, np.int64)
        place = np.minimum(np.searchsorted(spared, made), max(len(spared) - 1, 0))
        is_spared = spared[place] == made if len(spared) else np.zeros(len(made), np.bool_)
        numbers = np.arange(len(cis), dtype=np.int32)
        self._ci: Ints = np.array(cis, np.int32)
        self.entries = _rows(width, self._ci, numbers)
        """Of each CI its places in groups: numbers of the following."""
        self.group_of: Ints = np.array(groups, np.int32)
        self.others: Ints = np.where(is_spared, np.array(others, np.int32), _ENOUGH).astype(np.int32)
        """At each place how many could take over; very many where whoever stands on him falls with him."""

    def can_do_without(self, group: int, lost: Ints) -> bool:
        """Whether for each at these places of a group, all lost, another is left with cables to the same switches."""
        gone = set(self._ci[lost].tolist())
        free = [self._reach_of[one] for one in self._sets_of[group] if one not in gone and self._plain.get(one)]
        return all(
            one in self._plain and any(self._reach_of[one] <= other for other in free)
            for one in self._ci[lost[self.others[lost] < _ENOUGH]].tolist()
        )

    def _reach(self, ends: Ints) -> tuple[dict[int, bool], dict[int, frozenset[int]]]:
        """The ends with cables to switches only, whether they are in no zone; and the switches of all."""
        wiring = self._wiring
        cables = wiring.cables(ends)
        to_switch = wiring.switch[cables.other]
        odd = np.zeros(len(ends), np.bool_)
        odd[cables.place[~to_switch]] = True
        odd |= wiring.switch[ends] | wiring.shared[ends] | ~wiring.cabled[ends]
        order = np.argsort(cables.place, kind="stable")
        switches = cables.other[order].tolist()
        bounds = np.searchsorted(cables.place[order], np.arange(len(ends) + 1)).tolist()
        known: dict[frozenset[int], frozenset[int]] = {}
        reach = {
            end: known.setdefault(found, found)
            for end, found in zip(ends.tolist(), (frozenset(switches[a:b]) for a, b in pairwise(bounds)), strict=True)
        }
        free = ~wiring.zoned[ends]
        plain = {
            end: is_free
            for end, is_free, is_odd in zip(ends.tolist(), free.tolist(), odd.tolist(), strict=True)
            if not is_odd
        }
        return plain, reach

    def cuts(self) -> Cuts:
        """Of all fc legs of availability that a path joins in the intact graph."""
        fabric, intact = self._fabric, self._fabric.intact
        shapes, specials = fabric.routes.everything()
        found: list[tuple[Element, Ints]] = []
        for shape in shapes:
            core = intact.core(shape)
            if core is not None:
                for number, places in shape.routes:
                    batch = fabric.routes.batches[number]
                    for place in places.tolist():
                        legs = batch.legs_of(place)
                        found += [(element, legs) for element in core.of(batch, place)]
        for route in specials:
            found += [(element, route.legs) for element in intact.cuts(route)]
        return self._joined(found)

    def _joined(self, found: Iterable[tuple[Element, Ints]]) -> Cuts:
        found = list(found)
        lengths = [len(legs) for _, legs in found]
        leg = np.concatenate([_NONE, *(legs for _, legs in found)])
        number = np.repeat(np.array([number for (_, number), _ in found], np.int32), lengths)
        is_ci = np.repeat(np.array([kind == "ci" for (kind, _), _ in found], np.bool_), lengths)
        flags = self._topology.leg[leg]
        kept = (flags >> AXIS_SHIFT == AVAILABILITY) & (flags & BESIDE == 0) & (flags & MEDIA_MASK == BY_FC)
        return Cuts(is_ci[kept], number[kept], leg[kept])


class _Sets(NamedTuple):
    of: Ints
    members: list[Ints]


def _rows(nodes: int, of: Ints, numbers: Ints) -> Adjacency:
    order = np.argsort(of, kind="stable")
    return Adjacency.laid(nodes, of[order], numbers[order])
