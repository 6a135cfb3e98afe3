"""Unknown is not unaffected: who may be affected by what was never collected, and why nobody can tell (impact.md)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from cmdb.coding import TYPES
from cmdb.impact import tables
from cmdb.impact.adjacency import distinct
from cmdb.impact.cells import Cells, Touched
from cmdb.impact.kinds import Ints, Words
from cmdb.impact.settle import BESIDE
from cmdb.impact.sites import SEVERAL

if TYPE_CHECKING:
    from cmdb.impact.networks import Networks
    from cmdb.impact.topology import Topology

LEANS: Final = "leans on what is unknown"
_MEANS_SOMETHING: Final = tables.DOWN_WHEN_CUT_OFF | tables.UNMANAGED_WHEN_CUT_OFF
_NEVER: Final = 65_535
_PAGE: Final = 1_000
"""So many are put in order at least: the next page, and the next question, ask for no more."""
_KEPT: Final = 4_000_000
"""So many CIs in all stand in the closures that are kept."""
_MOST: Final = 10_000
"""For so many kinds of touching it is kept which closure is theirs."""

Leading: TypeAlias = npt.NDArray[np.uint32]


class Doubt(NamedTuple):
    """Why nobody can tell: `reason` in words, `root` the part of it that is counted, a list to work off."""

    reason: str
    root: str


class Closure:
    """Everybody of whom nobody can tell, affected or not: I, and whoever has too few legs outside.

    Many questions share one: it hangs on the classes that they touch, and where, not on whom.
    """

    def __init__(
        self, topology: Topology, networks: Networks, cells: Cells, touched: Touched, leading: Leading, *,
        down: Collection[int], network: bool,
    ) -> None:  # fmt: skip
        self._topology = topology
        self._networks = networks
        self._cells = cells
        self._touched = touched
        self._leading = leading
        self._down = down
        self._network = network
        self._roots: list[str] = []
        self._first: Ints = np.empty(0, np.int32)
        self._told: dict[int, Doubt] = {}
        own = [self._missing(), self._not_connected(), *self._with_gaps()]
        turns = np.full(len(topology.key), _NEVER, np.uint16)
        roots = np.zeros(len(topology.key), np.uint16)
        for nodes, root in reversed(own):  # what comes first counts
            turns[nodes] = 0
            roots[nodes] = self._root(root)
        leaning = self._root(LEANS)
        self._spread(np.flatnonzero(turns == 0).astype(np.int32), turns, roots, leaning)
        nodes = np.flatnonzero(turns != _NEVER).astype(np.int32)
        self._all, self._turns = nodes, turns[nodes]
        kept = topology.cls[nodes] != tables.GROUP
        self.nodes: Ints = nodes[kept]
        """By number, groups that stand as legs left out."""
        self.root_of: Words = roots[self.nodes]
        self._counts = np.bincount(self.root_of, minlength=len(self._roots))

    @cached_property
    def digest(self) -> bytes:
        return hashlib.sha256(np.sort(self._topology.key[self.nodes]).tobytes()).digest()

    def _root(self, text: str) -> int:
        if text not in self._roots:
            self._roots.append(text)
        return self._roots.index(text)

    def counts_without(self, places: Ints) -> Mapping[str, int]:
        """How many are so for which first reason, some of them left out."""
        left = self._counts - np.bincount(self.root_of[places], minlength=len(self._roots))
        return {root: int(count) for root, count in sorted(zip(self._roots, left.tolist(), strict=True)) if count}

    def _turn(self, nodes: Ints) -> Ints:
        """In which round each joined: 0 by itself."""
        places = np.minimum(np.searchsorted(self._all, nodes), max(len(self._all) - 1, 0))
        if not len(self._all):
            return np.full(len(nodes), _NEVER, np.int32)
        return np.where(self._all[places] == nodes, self._turns[places], _NEVER).astype(np.int32)

    def _missing(self) -> tuple[Ints, str]:
        missing = self._topology.missing().tolist()
        return np.array([one for one in missing if one not in self._down], np.int32), "missing"

    def _not_connected(self) -> tuple[Ints, str]:
        if not self._network:
            return np.empty(0, np.int32), LEANS
        topology = self._topology
        outside = _MEANS_SOMETHING[topology.cls] & topology.live
        outside &= ~self._networks.ethernet.connected[: len(outside)]
        return np.flatnonzero(outside).astype(np.int32), self._no_cable()

    def _with_gaps(self) -> Iterator[tuple[Ints, str]]:
        """The CIs with gaps that may lead to what is touched, by the reason of the first such gap."""
        cells = self._cells
        by_reason: dict[str, list[Ints]] = {}
        for cell in np.flatnonzero(self._leading).tolist():
            nodes, gap = cells.nodes(cell), int(cells.gap[cell])
            if cells.at[cell] != SEVERAL:
                by_reason.setdefault(self._first_reason(gap, int(self._leading[cell])), []).append(nodes)
                continue
            for node in nodes.tolist():
                if types := cells.leads(node, self._touched):
                    by_reason.setdefault(self._first_reason(gap, types), []).append(np.array([node], np.int32))
        for reason, found in by_reason.items():
            yield np.concatenate(found), reason

    def _spread(self, edge: Ints, turns: Words, roots: Words, leaning: int) -> None:
        """Add whoever has a requirement with fewer than k legs outside, round by round, until nobody is added."""
        topology = self._topology
        inside = np.zeros(len(topology.owner), np.int32)
        turn = 0
        while len(edge):
            turn = min(turn + 1, _NEVER - 1)
            rows = topology.into.gather(edge)
            rows = rows[(topology.req[rows] >= 0) & (topology.leg[rows] & BESIDE == 0)]
            requirements = topology.req[rows]
            np.add.at(inside, requirements, np.int32(1))
            owners = topology.owner[requirements[inside[requirements] > topology.margin[requirements]]]
            edge = distinct(owners[turns[owners] == _NEVER])
            turns[edge] = turn
            roots[edge] = leaning

    def _first_reason(self, gap: int, types: int) -> str:
        reasons: tuple[tuple[int, str], ...] = self._cells.gaps[gap].reasons
        return next(reason for type_, reason in reasons if types >> type_ & 1)

    def _no_cable(self) -> str:
        if not len(self._networks.ethernet.gateways):
            return "no gateway is known: every question of the network is open"
        return "no cable that is known connects it to a gateway"

    def first(self, count: int) -> Ints:
        """So many of them, by name and id."""
        if len(self._first) < min(count, len(self.nodes)):
            topology = self._topology
            some = topology.names.first(self.nodes, max(count, _PAGE)).tolist()
            some.sort(key=lambda node: (topology.names[node], topology.id(node)))
            self._first = np.array(some, np.int32)
        return self._first[:count]

    def of(self, node: int) -> Doubt:
        """Why nobody can tell of one that is unknown."""
        doubt = self._told.get(node)
        if doubt is None:
            doubt = self._told[node] = self._of(node)
        return doubt

    def _of(self, node: int) -> Doubt:
        turn = int(self._turn(np.array([node], np.int32))[0])
        if turn:
            return self._inherited(node, turn)
        topology, cells = self._topology, self._cells
        found: list[Doubt] = []
        if topology.is_missing(node) and node not in self._down:
            since = topology.extra_of(node).missing_since
            found.append(Doubt(f"missing since {since}" if since else "missing", "missing"))
        if self._network and _MEANS_SOMETHING[topology.cls[node]] and not self._networks.ethernet.connected[node]:
            found.append(Doubt(self._no_cable(), self._no_cable()))
        types = cells.leads(node, self._touched)
        by_reason: dict[str, list[str]] = {}
        for type_, reason in cells.gaps[int(topology.gap[node])].reasons:
            if types >> type_ & 1:
                by_reason.setdefault(reason, []).append(TYPES[type_])
        found += [Doubt(f"{reason} ({', '.join(names)})", reason) for reason, names in by_reason.items()]
        return Doubt("; ".join(doubt.reason for doubt in found), found[0].root)

    def _inherited(self, node: int, turn: int) -> Doubt:
        """By the first requirement with too few legs outside what was unknown in the rounds before."""
        topology = self._topology
        for requirement in topology.ordered_requirements(node):
            legs = [leg for leg in topology.ordered_legs(requirement) if not topology.leg[leg] & BESIDE]
            targets = topology.dst[np.array(legs, np.int32)]
            inside = targets[self._turn(targets) < turn].tolist()
            if len(inside) > topology.margin[requirement] and inside:
                first = min(map(topology.name, inside))
                return Doubt(f"{topology.requirement_title(requirement)}: {first} is unknown", LEANS)
        return Doubt(LEANS, LEANS)


class Doubts:
    """Everybody who is unknown to one question: a closure, less the affected."""

    def __init__(self, topology: Topology, closure: Closure, affected: Ints) -> None:
        self._topology = topology
        self._closure = closure
        known = closure.nodes
        places = np.searchsorted(known, affected)
        places[places == len(known)] = 0
        self._taken: Ints = places[known[places] == affected] if len(known) else np.empty(0, np.int32)
        self.because: Mapping[str, int] = closure.counts_without(self._taken)
        self.count = len(known) - len(self._taken)

    @property
    def digest(self) -> bytes:
        """The same where the same are unknown, of the same affected."""
        return self._closure.digest

    @cached_property
    def nodes(self) -> Ints:
        """The unknown, by number."""
        kept = np.ones(len(self._closure.nodes), np.bool_)
        kept[self._taken] = False
        found: Ints = self._closure.nodes[kept]
        return found

    def page(self, places: range) -> Sequence[int]:
        """Some of the unknown, which are in the order of name and id."""
        known = self._closure.first(places.stop + len(self._taken))
        if len(self._taken):
            taken = np.isin(known, self._closure.nodes[self._taken], assume_unique=True)
            known = known[~taken]
        found: list[int] = known[places.start : places.stop : places.step].tolist()
        return found

    def of(self, node: int) -> Doubt:
        """Why nobody can tell of one that is unknown."""
        return self._closure.of(node)


class Closures:
    """The closures that were asked for last, of one state of a topology."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], Closure] = OrderedDict()
        self._by_touched: dict[tuple[object, ...], Closure] = {}
        self._size = 0

    def of(
        self, topology: Topology, networks: Networks, cells: Cells, nodes: Ints, *, down: Collection[int], network: bool
    ) -> Closure:
        """The closure of questions that touch such nodes."""
        touched = cells.touched(nodes)
        missing = frozenset(one for one in down if topology.is_missing(one))
        asked = (touched.everywhere, touched.anywhere, frozenset(touched.by_site.items()), missing, network)
        closure = self._by_touched.get(asked)
        if closure is None:
            leading = cells.leading(touched)
            sure = asked if (cells.at[np.flatnonzero(leading)] == SEVERAL).any() else None
            key = (leading.tobytes(), network, missing, sure)
            closure = self._known.get(key)
            if closure is None:
                closure = Closure(topology, networks, cells, touched, leading, down=missing, network=network)
                self._size += len(closure.nodes)
                self._known[key] = closure
            self._by_touched[asked] = closure
            self._forget()
        return closure

    def _forget(self) -> None:
        """Whatever was asked for first, where too much is kept."""
        while len(self._known) > 1 and (self._size > _KEPT or len(self._by_touched) > _MOST):
            _, gone = self._known.popitem(last=False)
            self._size -= len(gone.nodes)
            self._by_touched = {asked: kept for asked, kept in self._by_touched.items() if kept is not gone}
