"""The affected of an answer counted by way, class and building, and chosen by them: on arrays, for they may be all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cmdb.coding import CLASSES, TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.answer import NAMED, NOWHERE, WORSE, Census, Concern, Located, Ways
from cmdb.impact.levels import AT_RISK, DEGRADED, DOWN, UNMANAGED, UNPROTECTED
from cmdb.impact.reasons import standing
from cmdb.impact.sites import SEVERAL

if TYPE_CHECKING:
    from cmdb.impact.engine import Case
    from cmdb.impact.kinds import Bools, Ints
    from cmdb.impact.topology import Topology

Longs: TypeAlias = NDArray[np.int64]

_AVAILABILITY: Final = DOWN | DEGRADED | AT_RISK
_UNPROTECTED, _UNMANAGED = 4, 8
_CODES: Final = 16
"""A code: 0 to 3, the place of the level of availability in `WORSE` from 1 on; more where the others got worse."""
_READ: Final = tuple(tables.class_number(name) for name in ("service", "application"))


def _ways(code: int) -> Ways:
    found = [WORSE[(code & 3) - 1]] if code & 3 else []
    return tuple(found + ["unprotected"] * bool(code & _UNPROTECTED) + ["unmanaged"] * bool(code & _UNMANAGED))


_WAYS: Final = tuple(_ways(code) for code in range(_CODES))
_RANK: Final = np.array([WORSE.index(ways[0]) if ways else len(WORSE) for ways in _WAYS], np.int64)


class Counted:
    """The affected in the order of the answer: in which ways each is worse, and in which building it stands."""

    def __init__(self, case: Case) -> None:
        self._case = case
        order = case.order
        self.nodes: Ints = case.nodes[order]
        self.codes = _codes(case)[order]
        self.sites = case.engine.cells.site[self.nodes].astype(np.int32)
        for place in np.flatnonzero(self.sites == SEVERAL).tolist():
            self.sites[place] = min(case.engine.cells.several[int(self.nodes[place])], key=case.topology.id)

    def census(self) -> Census:
        """Who they are, counted."""
        topology = self._case.topology
        cls = topology.cls[self.nodes]
        of_class = {CLASSES[number]: _counts(self.codes[cls == number]) for number in _READ}
        return Census(_counts(self.codes), of_class, self._located(), self._concerned(np.isin(cls, _READ)))

    def chosen(self, levels: Collection[str], classes: Collection[str], site: str | None) -> Sequence[int]:
        """The places of those at any of some levels, of some classes, in a building; what is empty asks nothing."""
        fits = np.ones(len(self.nodes), np.bool_)
        if levels:
            wanted = np.array([not set(ways).isdisjoint(levels) for ways in _WAYS], np.bool_)
            fits &= wanted[self.codes]
        if classes:
            numbers = [tables.class_number(name) for name in classes]
            fits &= np.isin(self._case.topology.cls[self.nodes], numbers)
        if site is not None:
            fits &= self.sites < 0 if site == NOWHERE else self.sites == self._case.topology.number(site)
        found: list[int] = np.flatnonzero(fits).tolist()
        return found

    def _located(self) -> tuple[Located, ...]:
        """By building, None for those that stand in none that is known."""
        topology = self._case.topology
        sites, group = np.unique(np.maximum(self.sites, -1), return_inverse=True)
        counts = np.bincount(group * _CODES + self.codes, minlength=len(sites) * _CODES).reshape(-1, _CODES)
        # Of those that are equally bad, in the order of the answer.
        order = np.lexsort((_RANK[self.codes], group))
        starts = np.searchsorted(group[order], np.arange(len(sites))).tolist()
        ends = [*starts, len(order)][1:]
        return tuple(
            Located(
                topology.item(site) if site >= 0 else None,
                {_WAYS[code]: int(row[code]) for code in np.flatnonzero(row).tolist()},
                tuple(topology.item(node) for node in self.nodes[order[start : min(end, start + NAMED)]].tolist()),
            )
            for site, row, start, end in zip(sites.tolist(), counts, starts, ends, strict=True)
        )

    def _concerned(self, read: Bools) -> tuple[Concern, ...]:
        """Services, applications, and whoever a team owns."""
        case = self._case
        teams = _teams(case.topology, case.nodes)
        chosen = read.copy()
        if teams:
            chosen |= np.isin(self.nodes, np.fromiter(teams, np.int32, len(teams)))
        places = np.flatnonzero(chosen)
        columns = (self.nodes, self.codes, case.order, read)
        rows = zip(*(column[places].tolist() for column in columns), strict=True)
        return tuple(
            Concern(
                case.topology.item(node), _WAYS[code], standing(int(case.now[at])), standing(int(case.was[at])),
                tuple(case.topology.item(team) for team in teams.get(node, ())), is_read,
            )
            for node, code, at, is_read in rows
        )  # fmt: skip


def _codes(case: Case) -> Longs:
    now, more = case.now, case.now & ~case.was
    fell = (now & _AVAILABILITY) > (case.was & _AVAILABILITY)
    level = np.where(now & DOWN, 1, np.where(now & DEGRADED, 2, np.where(now & AT_RISK, 3, 0)))
    return (
        np.where(fell, level, 0)
        + np.where(more & UNPROTECTED, _UNPROTECTED, 0)
        + np.where(more & UNMANAGED, _UNMANAGED, 0)
    ).astype(np.int64)


def _counts(codes: Longs) -> Mapping[Ways, int]:
    found = np.bincount(codes, minlength=_CODES).tolist()
    return {_WAYS[code]: count for code, count in enumerate(found) if count}


def _teams(topology: Topology, nodes: Ints) -> dict[int, list[int]]:
    """The teams by the nodes that they own."""
    rows = topology.out.gather(np.unique(nodes)) if len(nodes) else nodes
    rows = rows[(topology.rcode[rows] & TYPE_BITS) == tables.OWNED_BY]
    found: dict[int, list[int]] = {}
    for source, target in zip(topology.src[rows].tolist(), topology.dst[rows].tolist(), strict=True):
        if topology.live[target]:
            found.setdefault(source, []).append(target)
    return {node: sorted(set(teams), key=topology.id) for node, teams in found.items()}
