"""Plain fc routes as arrays: two sides, each the cables of what stands for one end, and the legs between."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from cmdb.impact.fabric_wiring import Wiring
    from cmdb.impact.kinds import Bools, Ints


class Ends:
    """What stands for each of some CIs and has fc cables. CIs for which the same stands share a set."""

    def __init__(self, wiring: Wiring, cis: Ints, types: Bools) -> None:
        members = wiring.members(cis, types)
        self._ci: Final = members.ci
        self._start: Final = np.searchsorted(members.place, np.arange(len(cis) + 1))
        self.shared: Final = np.zeros(len(cis), np.bool_)
        """Of each CI, whether something stands for it that may stand for a far end, too."""
        self.shared[members.place[wiring.shared[members.ci]]] = True
        cabled = wiring.cabled[members.ci]
        place, ci = members.place[cabled], members.ci[cabled]
        bounds = np.searchsorted(place, np.arange(len(cis) + 1)).tolist()
        sets: dict[bytes, int] = {}
        self.of: Final = np.array(
            [sets.setdefault(ci[a:b].tobytes(), len(sets)) for a, b in pairwise(bounds)], np.int32
        )
        """Of each CI the number of its set."""
        self.count: Final = len(sets)
        found = [np.frombuffer(key, np.int32) for key in sets]
        self._members: Final = np.concatenate(found)
        self._set: Final = np.repeat(np.arange(len(sets), dtype=np.int32), [len(one) for one in found])
        self.odd: Final = np.zeros(len(sets), np.bool_)
        """Of each set, whether a switch is in it."""
        self.odd[self._set[wiring.switch[self._members]]] = True
        self.special: Final = self.odd.copy()
        """Of each set, whether a switch is in it, or something with zones, or with a cable straight to a far end."""
        self.special[self._set[wiring.zoned[self._members]]] = True
        cables = wiring.cables(self._members)
        to_switch = wiring.switch[cables.other]
        self.special[self._set[cables.place[~to_switch & wiring.below[cables.other]]]] = True
        self.cables: Final = _CablesOfSets(
            self._set[cables.place[to_switch]],
            cables.relation[to_switch],
            self._members[cables.place[to_switch]],
            cables.other[to_switch],
            len(sets),
        )

    def everyone(self, place: int) -> frozenset[int]:
        """All that stands for one of the CIs, with fc cables or without."""
        return frozenset(self._ci[self._start[place] : self._start[place + 1]].tolist())

    def members(self, number: int) -> list[int]:
        """What is in a set."""
        found: list[int] = self._members[self._set == number].tolist()
        return found


class _CablesOfSets:
    """The cables to switches of each set, sorted by sets."""

    __slots__ = ("_start", "member", "relation", "switch")

    def __init__(self, sets: Ints, relation: Ints, member: Ints, switch: Ints, count: int) -> None:
        order = np.argsort(sets, kind="stable")
        self._start = np.searchsorted(sets[order], np.arange(count + 1)).astype(np.int32)
        self.relation, self.member, self.switch = relation[order], member[order], switch[order]

    def of(self, number: int) -> list[tuple[int, int, int]]:
        """The cables of a set: relation, CI, switch."""
        a, b = int(self._start[number]), int(self._start[number + 1])
        return list(zip(self.relation[a:b].tolist(), self.member[a:b].tolist(), self.switch[a:b].tolist(), strict=True))

    def switches(self) -> list[frozenset[int]]:
        """The switches of each set; equal ones are one object."""
        bounds, switches = self._start.tolist(), self.switch.tolist()
        known: dict[frozenset[int], frozenset[int]] = {}
        return [known.setdefault(one, one) for one in (frozenset(switches[a:b]) for a, b in pairwise(bounds))]

    def sets_with(self, ci: int) -> Ints:
        """The sets in which a CI has a cable."""
        found: Ints = np.unique(np.searchsorted(self._start, np.flatnonzero(self.member == ci), side="right") - 1)
        return found


class Batch:
    """Plain routes that were found together: a set of near ends, a set of far ends and legs of each."""

    __slots__ = ("_far", "_joined", "_legs", "_near", "_start", "fars", "nears")

    def __init__(self, legs: Ints, route: Ints, nears: Ints, fars: Ints, starts: Ends, ends: Ends) -> None:
        """`route` is the place of each leg's route in `nears` and `fars`, which are the numbers of their sets."""
        order = np.argsort(route, kind="stable")
        self._legs = legs[order]
        self._start = np.searchsorted(route[order], np.arange(len(nears) + 1)).astype(np.int32)
        self.nears = nears
        self.fars = fars
        self._near = starts.cables
        self._far = ends.cables
        self._joined = np.zeros(len(nears), np.bool_)

    def join(self, places: Ints) -> None:
        """A path joins the ends of these routes; those that none joins do not count."""
        self._joined[places] = True

    def legs_of(self, place: int) -> Ints:
        """The legs of a route, by their heads."""
        return self._legs[self._start[place] : self._start[place + 1]]

    def legs_of_all(self, places: Ints) -> Ints:
        """The legs of some routes."""
        chosen = np.zeros(len(self.nears), np.bool_)
        chosen[places] = True
        found: Ints = self._legs[np.repeat(chosen, np.diff(self._start))]
        return found

    def near_cables(self, place: int) -> list[tuple[int, int, int]]:
        return self._near.of(int(self.nears[place]))

    def far_cables(self, place: int) -> list[tuple[int, int, int]]:
        return self._far.of(int(self.fars[place]))

    def routes_at(self, ci: int) -> Ints:
        """The routes with cables of this CI."""
        hit = np.isin(self.nears, self._near.sets_with(ci)) | np.isin(self.fars, self._far.sets_with(ci))
        return np.flatnonzero(hit & self._joined).astype(np.int32)
