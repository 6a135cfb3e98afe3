"""The ethernet: who is connected to a gateway, whom a failure cuts off, and what alone separates whom now.

A network is some thousand CIs that pass traffic on and many that do not. Only the former are searched, in a numbering
of their own ("places": preorder of a spanning forest below the gateways); the others follow from their neighbours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cmdb.impact.alone import Alone
from cmdb.impact.blocks import Loss, is_among
from cmdb.impact.forest import NONE, Flags, Integers, Places, Rows, forest_of, one_way_rows_of, rows_of, spread
from cmdb.impact.separators import Separators

States = NDArray[np.uint8]

_FEW: Final = 512
"""So many marks are a set; more are one flag for each CI."""
_ROUNDS: Final = 32
"""Ways longer than this are searched for CI by CI."""

_LOST: Final = 0
_SURE: Final = 1
"""The way that the spanning forest shows is whole."""
_FOUND: Final = 2
"""There is another way."""
_OPEN: Final = 3


class Ethernet:
    """The undirected graph of the ethernet cables; CIs and cables are numbers. VLANs are not told apart.

    It keeps room for what one call works out: no two threads may ask it at once.
    """

    def __init__(
        self, nodes: int, a: Integers, b: Integers, management_a: Flags, management_b: Flags, passes: Flags,
        gateways: Integers,
    ) -> None:  # fmt: skip
        self.nodes = nodes
        self.gateways = gateways
        self.ends = a, b
        self.passes = passes
        joining = a != b
        self.is_plain = joining & ~(management_a | management_b)
        """Which cables are in no management port."""
        plain = np.flatnonzero(self.is_plain).astype(np.int32)
        some = slice(None) if plain.size == a.size else plain
        self.rows = rows_of(nodes, a[some], b[some], plain, last=~passes)
        """The plain cables; those to CIs that pass traffic first."""
        own_a, own_b = np.flatnonzero(joining & management_a), np.flatnonzero(joining & management_b)
        self.management_ends = np.concatenate((a[own_a], b[own_b])), np.concatenate((b[own_a], a[own_b]))
        """Who has a management port, and what its cable leads to."""
        self.management_cables = np.concatenate((own_a, own_b)).astype(np.int32)
        self.cabled = self.rows.end > 0
        for ends in self.management_ends:
            self.cabled[ends] = True
        self._connect()

    def _connect(self) -> None:
        passing = np.flatnonzero(self.passes).astype(np.int32)
        self.place = np.full(self.nodes, -1, np.int32)
        self.place[passing] = np.arange(passing.size)
        start, end = self.rows.start[passing], self.rows.end[passing]
        places = spread(start, end - start)
        onwards = np.flatnonzero(self.passes[self.rows.other[places]])
        counts = np.bincount(np.repeat(np.arange(passing.size), end - start)[onwards], minlength=passing.size)
        ends = np.cumsum(counts).astype(np.int32)
        self.forest = forest_of(
            Rows((ends - counts).astype(np.int32), ends, self.place[self.rows.other[places[onwards]]],
                 self.rows.cable[places[onwards]]),
            self.place[self.gateways],
        )  # fmt: skip
        """The connected CIs that pass traffic."""
        self.number = passing[self.forest.order]
        """Of each place."""
        self.place[passing] = -1
        self.place[self.number] = np.arange(self.number.size)
        """Of each CI; -1 where no traffic passes."""
        self._middle = (start + counts)[self.forest.order].astype(np.int32)
        """Of each place, where in its row the cables begin that lead to CIs that pass no traffic."""
        self.connected = np.zeros(self.nodes, np.bool_)
        self.connected[self.number] = True
        self.connected[self.leaves_at(np.arange(self.number.size))] = True
        self.managed = self.connected.copy()
        own, other = self.management_ends
        self.managed[own[self.place[other] >= 0]] = True

    def leaves_at(self, places: NDArray[np.integer]) -> Integers:
        """The neighbours of the CIs at these places that pass no traffic; one may come several times."""
        if places.size == 1:
            place = places.item()
            return self.rows.other[self._middle.item(place) : self.rows.end.item(self.number.item(place))]
        start, end = self._middle[places], self.rows.end[self.number[places]]
        return self.rows.other[spread(start, end - start)]

    def cables_of(self, n: int) -> list[tuple[int, int]]:
        """Its cables in no management port at either end, each with the CI at the other end."""
        return _listed(self.rows, n)

    def management_cables_of(self, n: int) -> list[tuple[int, int]]:
        """The cables in its own management ports, each with the CI at the other end."""
        return _listed(self.management, n)

    @cached_property
    def management(self) -> Rows:
        return one_way_rows_of(self.nodes, *self.management_ends, self.management_cables)

    @cached_property
    def managed_through(self) -> Rows:
        """Of each CI, the cables that lead from it to management ports of others."""
        own, other = self.management_ends
        return one_way_rows_of(self.nodes, other, own, self.management_cables)

    @cached_property
    def separators(self) -> Separators:
        return Separators(self.forest)

    @cached_property
    def scratch(self) -> Integers:
        """Room for a number for each CI, of any content."""
        return np.empty(self.nodes, np.int32)

    def once(self, numbers: Integers) -> Integers:
        """Each of them once, in the order of their first places."""
        if numbers.size < 2:
            return numbers
        turn = np.arange(numbers.size, dtype=np.int32)
        self.scratch[numbers[::-1]] = turn[::-1]
        first: Integers = numbers[self.scratch[numbers] == turn]
        return first

    def outage(self, out: Collection[int] = ()) -> Outage:
        return Outage(self, np.array(sorted(set(out)), np.int32))


class Outage:
    """What one question makes of the network: CIs fail, some more each time, and cables are taken out."""

    def __init__(self, ethernet: Ethernet, out: Integers) -> None:
        self._ethernet = ethernet
        self._out = out
        self._states: States | None = None
        """Of each place, and of the root; the last is for who has no place. None: no passing CI lost anything."""
        self._lost: list[Integers] = []
        """Places of those cut off."""
        self._detours = False
        """Whether any are connected by another way than the spanning forest's."""
        self._leaves = _Marks(ethernet)
        """Those cut off that pass no traffic."""
        self._spared: list[Integers] = []
        """Those that pass no traffic and lost a way, when they had another still."""
        self._cut_off: list[Integers] = []
        self._failed: list[Integers] = []
        """Those that were managed; nobody needs them where there is no management port."""
        self._seen: Alone | None = None

    def further(self) -> Outage:
        """A copy to go on from."""
        copy = Outage(self._ethernet, self._out)
        copy._states = None if self._states is None else self._states.copy()
        copy._detours, copy._leaves = self._detours, self._leaves.copy()
        copy._lost, copy._cut_off, copy._failed = [*self._lost], [*self._cut_off], [*self._failed]
        copy._spared = [*self._spared]
        return copy

    @property
    def cut_off(self) -> Integers:
        """All so far, in no order."""
        self._cut_off = _joined(self._cut_off)
        return self._cut_off[0]

    def is_cut_off(self, n: int) -> bool:
        place = self._ethernet.place.item(n)
        if place < 0:
            return n in self._leaves
        return self._states is not None and self._states.item(place) == _LOST

    def begin(self) -> Integers:
        """Who is cut off by the cables taken out alone; to be called once, before any fails."""
        if not self._out.size:
            return NONE
        forest = self._ethernet.forest
        (one, other), leaves = self._out_ends()
        suspects = np.concatenate([end[is_among(forest.cable[end], self._out)] for end in (one, other)])
        cut = self._lose(NONE, suspects) if suspects.size else NONE
        return self._take(np.concatenate((cut, self._parted(leaves))))

    def fail(self, numbers: Integers) -> Integers:
        """These CIs fail now: every CI newly cut off thereby, themselves included if they were connected."""
        if self._ethernet.management_cables.size:
            self._failed.append(numbers[self._ethernet.managed[numbers]])
        places = self._ethernet.place[numbers]
        passing = places[places >= 0]
        if not passing.size:
            return self._take(self._leaves.add(numbers[self._ethernet.connected[numbers]]))
        cut = NONE
        if passing.size < numbers.size:
            leaves = numbers[places < 0]
            cut = self._leaves.add(leaves[self._ethernet.connected[leaves]])
        if self._states is not None:
            passing = passing[self._states[passing] != _LOST]
        if passing.size > 1:
            passing = np.unique(passing)
        if passing.size:
            more = self._lose(passing, passing)
            cut = np.concatenate((cut, more)) if cut.size else more
        return self._take(cut)

    def _take(self, cut: Integers) -> Integers:
        if cut.size:
            self._cut_off.append(cut)
            self._seen = None
        return cut

    def _out_ends(self) -> tuple[tuple[Integers, Integers], Integers]:
        """Of the cables taken out: the places of both ends where both pass traffic, else the end that passes none."""
        net = self._ethernet
        if not self._out.size:
            return (NONE, NONE), NONE
        out = self._out[net.is_plain[self._out]]
        a, b = net.ends[0][out], net.ends[1][out]
        one, other = net.place[a], net.place[b]
        both = (one >= 0) & (other >= 0)
        leaves = np.concatenate((a[(one < 0) & (other >= 0)], b[(one >= 0) & (other < 0)]))
        return (one[both], other[both]), leaves

    # Connection

    def _lose(self, failed: Integers, suspects: Integers) -> Integers:
        """Who is cut off when these places fail and nobody knows about those below the suspects."""
        net, size = self._ethernet, self._ethernet.forest.size
        if self._states is None:
            self._states = np.full(net.number.size + 2, _SURE, np.uint8)
            self._states[-1] = _LOST
        states = self._states
        states[failed] = _LOST
        lost = failed
        self._seen = None
        if self._detours or failed.size < suspects.size or (size[suspects] > 1).any():
            if self._detours:
                states[states == _FOUND] = _OPEN
            self._open(states, suspects)
            lost = np.concatenate((failed, self._searched(states, np.flatnonzero(states == _OPEN))))
        self._lost.append(lost)
        leaves = self._parted(net.leaves_at(lost))
        return np.concatenate((net.number[lost], leaves)) if leaves.size else net.number[lost]

    def _open(self, states: States, suspects: Integers) -> None:
        """Doubt all below the suspects in the spanning forest."""
        size = self._ethernet.forest.size
        for first, length in zip(suspects.tolist(), size[suspects].tolist(), strict=True):
            stretch = states[first : first + length]
            stretch[stretch != _LOST] = _OPEN

    def _searched(self, states: States, doubted: Places) -> Integers:
        """Which of those in doubt have no other way."""
        rows = self._ethernet.forest.rows
        places, owner = rows.of(doubted)
        own, other = doubted[owner], rows.other[places]
        usable = states[other] != _LOST
        if self._out.size:
            usable &= ~is_among(rows.cable[places], self._out)
        own, other = own[usable], other[usable]
        for _ in range(_ROUNDS):
            found = np.flatnonzero(states[other] != _OPEN)
            if not found.size:
                break
            states[own[found]] = _FOUND
            rest = np.flatnonzero(states[own] == _OPEN)
            own, other = own[rest], other[rest]
        else:
            _search_one_by_one(states, own, other)
        lost: Integers = doubted[states[doubted] == _OPEN].astype(np.int32)
        states[lost] = _LOST
        self._detours = lost.size < doubted.size
        return lost

    def _parted(self, leaves: Integers) -> Integers:
        """Which of these CIs that pass no traffic, and lost a way, are cut off newly."""
        if not leaves.size:
            return NONE
        rows = self._ethernet.rows
        several = rows.end[leaves] - rows.start[leaves] > 1
        others = leaves[several]
        if not others.size:
            return self._leaves.add(leaves, distinct=True)
        places, owner = rows.of(others)
        held = np.bincount(owner[self._usable(places)], minlength=others.size) > 0
        self._spared.append(others[held])
        cut = self._leaves.add(leaves[~several], distinct=True)
        more = self._leaves.add(others[~held])
        return np.concatenate((cut, more)) if more.size else cut

    def _usable(self, places: Places) -> Flags:
        """Which cables, by their places in the rows of all CIs, lead to a connected CI that passes traffic."""
        rows, near = self._ethernet.rows, self._ethernet.place[self._ethernet.rows.other[places]]
        usable = near >= 0 if self._states is None else self._states[near] != _LOST
        return usable & ~is_among(rows.cable[places], self._out) if self._out.size else usable

    # Management

    def cut_off_from_management(self) -> Integers:
        """Who was connected with its management port's cable as a last step, and is not now."""
        net = self._ethernet
        cut = self.cut_off
        if not net.management_cables.size:
            return cut
        failed = np.concatenate((NONE, *self._failed))
        loose = self._out[~net.is_plain[self._out]]
        lost = net.number[np.concatenate((NONE, *self._lost))]
        through = net.managed_through
        near = through.other[through.of(lost)[0]]
        near = np.concatenate((near, net.ends[0][loose], net.ends[1][loose]))
        near = near[net.managed[near]]
        near = near[~net.connected[near] | self._are_cut_off(near)]
        doubted = np.concatenate((cut, near))
        places, owner = net.management.of(doubted)
        place = net.place[net.management.other[places]]
        usable = place >= 0 if self._states is None else self._states[place] != _LOST
        if self._out.size:
            usable &= ~is_among(net.management.cable[places], self._out)
        held = np.bincount(owner[usable], minlength=doubted.size) > 0
        return net.once(np.concatenate((failed, doubted[~held])))

    def _are_cut_off(self, numbers: Integers) -> Flags:
        places = self._ethernet.place[numbers]
        passing = False if self._states is None else self._states[places] == _LOST
        return np.where(places >= 0, passing, self._leaves.among(numbers))

    # Separators

    def singled_out(self) -> Integers:
        """Every connected CI that some one CI or cable newly separates from all gateways."""
        return self._alone.singled_out if self._states is not None or self._out.size else NONE

    def singled_out_beside(self) -> Integers:
        """Those of them for whom that is a cable of their own, or the CI at the other end of one."""
        return self._alone.beside if self._states is not None or self._out.size else NONE

    def separators(self, n: int) -> tuple[frozenset[int], frozenset[int]]:
        """The CIs and the cables that newly separate this one from all gateways, itself left out."""
        known = self._ethernet.connected[n] and not self.is_cut_off(n)
        if not known or (self._states is None and not self._out.size):
            return frozenset(), frozenset()
        return self._alone.newly(n)

    @property
    def _alone(self) -> Alone:
        if self._seen is None:
            net = self._ethernet
            left = np.ones(net.number.size + 2, np.bool_) if self._states is None else self._states != _LOST
            left[-1] = False
            ends, leaves = self._out_ends()
            self._lost, self._spared = _joined(self._lost), _joined(self._spared)
            loss = Loss(left, self._lost[0], self._out, ends)
            self._seen = Alone(net, loss, self._spared[0], leaves, self._leaves.among)
        return self._seen


class _Marks:
    """CIs that are marked, in a set while they are few: most questions are small."""

    def __init__(self, ethernet: Ethernet) -> None:
        self._ethernet = ethernet
        self._few: set[int] = set()
        self._many: Flags | None = None

    def copy(self) -> _Marks:
        copy = _Marks(self._ethernet)
        copy._few = self._few.copy()
        copy._many = None if self._many is None else self._many.copy()
        return copy

    def add(self, numbers: Integers, *, distinct: bool = False) -> Integers:
        """Mark them; those that were not marked before, once each. `distinct`: none comes twice."""
        if self._many is None and len(self._few) + numbers.size <= _FEW:
            new = [number for number in dict.fromkeys(numbers.tolist()) if number not in self._few]
            self._few.update(new)
            return numbers if len(new) == numbers.size else np.array(new, np.int32)
        if self._many is None:
            self._many = np.zeros(self._ethernet.nodes, np.bool_)
            self._many[list(self._few)] = True
            self._few.clear()
        fresh = numbers[~self._many[numbers]]
        if not distinct:
            fresh = self._ethernet.once(fresh)
        self._many[fresh] = True
        return fresh

    def among(self, numbers: Integers) -> Flags:
        """Which of these are marked."""
        if self._many is None:
            few = self._few
            if not few:
                return np.zeros(numbers.size, np.bool_)
            if numbers.size > len(few):
                return is_among(numbers, np.array(sorted(few), np.int32))
            return np.array([number in few for number in numbers.tolist()], np.bool_)
        return self._many[numbers]

    def __contains__(self, number: int) -> bool:
        return number in self._few if self._many is None else self._many.item(number)


def _search_one_by_one(states: States, own: Places, other: Integers) -> None:
    """Spread over the cables between CIs in doubt from those that are so no more."""
    near = defaultdict(list)
    for one, two in zip(own.tolist(), other.tolist(), strict=True):
        near[two].append(one)
    waiting = [place for place in near if states[place] != _OPEN]
    while waiting:
        for one in near[waiting.pop()]:
            if states[one] == _OPEN:
                states[one] = _FOUND
                waiting.append(one)


def _joined(parts: list[Integers]) -> list[Integers]:
    return parts if len(parts) == 1 else [np.concatenate((NONE, *parts))]


def _listed(rows: Rows, n: int) -> list[tuple[int, int]]:
    part = slice(rows.start.item(n), rows.end.item(n))
    return list(zip(rows.cable[part].tolist(), rows.other[part].tolist(), strict=True))
