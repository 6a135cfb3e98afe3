"""Named groups (impact.md, "Requirements") of some CIs, settled together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.groups import GROUP, group_legs, group_type
from cmdb.impact import tables
from cmdb.impact.kinds import Ints
from cmdb.impact.settle import ACTIVE_LEG, AXIS_SHIFT, NO_MEDIUM, OF_NONE, keys_of, legs_of_rows, make_legs, sorted_rows
from cmdb.impact.tables import AXES

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology
    from cmdb.model import Component


class _Group(NamedTuple):
    """A group of a CI. `inner`: its place among those that stand as legs, else -1."""

    name: str
    owner: int
    inner: int
    type_: int
    told: int
    """How many legs it names."""
    needs: int | None
    full: int | None


class _Told:
    """What CIs say of their groups."""

    def __init__(self) -> None:
        self.groups: list[_Group] = []
        self.inner: list[tuple[int, str]] = []
        """Groups that stand as legs: whose they are, and their names."""
        self.named: list[tuple[int, int, int, str, bool]] = []
        """Legs that are CIs: the place of the group, the owner, the type, the id, and whether it is the active one."""
        self.nested: list[tuple[int, int, int, int, bool]] = []
        """Legs that are groups: alike, with the place among the inner groups."""

    def read(self, node: int, groups: Iterable[Component]) -> None:
        """Take in the groups of a CI."""
        known = {group.name: (group, group_legs(group)) for group in groups}
        inner: dict[str, int] = {}
        for name in sorted({leg for _, legs in known.values() for leg in legs if leg.startswith(GROUP)}):
            if name.removeprefix(GROUP) in known:
                inner[name] = len(self.inner)
                self.inner.append((node, name.removeprefix(GROUP)))
        for name, (group, legs) in known.items():
            type_, active, place = (
                tables.type_number(group_type(group)),
                group.attributes.get("active"),
                len(self.groups),
            )
            needs, full = _number(group, "needs"), _number(group, "full")
            self.groups.append(_Group(name, node, inner.get(GROUP + name, -1), type_, len(legs), needs, full))
            for leg in legs:
                if not leg.startswith(GROUP):
                    self.named.append((place, node, type_, leg, leg == active))
                elif leg in inner:
                    self.nested.append((place, node, type_, inner[leg], leg == active))


def settle_groups(topology: Topology, nodes: Iterable[int]) -> None:
    """What CIs require by their groups, of which no relation is a leg yet; nothing of those that are retired."""
    told = _Told()
    owners = [node for node in nodes if topology.live[node]]
    for node in owners:
        told.read(node, topology.extra_of(node).groups)
    if not told.groups:
        return
    inner = topology.new_groups(told.inner)
    heads, of = _named_legs(topology, owners, told)
    if told.nested:
        made, groups = _group_legs(topology, told, inner)
        heads, of = np.concatenate((heads, made)), np.concatenate((of, groups))
    number = np.bincount(of, minlength=len(told.groups)).astype(np.int32)
    topology.req[heads] = _new_requirements(topology, told.groups, inner, number)[of]


def _number(group: Component, attribute: str) -> int | None:
    said = group.attributes.get(attribute)
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _columns(*columns: Iterable[int]) -> list[Ints]:
    return [np.array(column, np.int32) for column in columns]


def _named_legs(topology: Topology, owners: list[int], told: _Told) -> tuple[Ints, Ints]:
    """The legs that are CIs, by their heads, and of which group each is; without those whose relations are gone."""
    legs = legs_of_rows(topology, sorted_rows(topology, topology.out.gather(np.array(owners, np.int32))))
    if not told.named or not len(legs.heads):
        return np.empty(0, np.int32), np.empty(0, np.int32)
    groups, sources, types, ids, actives = zip(*told.named, strict=True)
    group, owner, type_ = _columns(groups, sources, types)
    active, target = np.array(actives, np.bool_), topology.numbers(ids)
    known = target >= 0
    group, owner, type_, active, target = group[known], owner[known], type_[known], active[known], target[known]
    heads = legs.heads
    keys = keys_of(topology.src[heads], topology.rcode[heads] & TYPE_BITS, topology.dst[heads])
    wanted = keys_of(owner, type_, target)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = np.flatnonzero(keys[places] == wanted)
    places, group, active = places[found], group[found], active[found]
    _, firsts = np.unique(places, return_index=True)
    # Legs that no group names are left to whoever settles by default.
    requirements = np.full(len(heads), OF_NONE, np.int32)
    requirements[places[firsts]] = 0
    make_legs(topology, legs, requirements)
    chosen = heads[places]
    again = np.ones(len(places), np.bool_)
    again[firsts] = False
    for place in np.flatnonzero(again).tolist():
        chosen[place] = topology.copy_leg(int(chosen[place]))
    topology.leg[chosen[active]] |= np.uint8(ACTIVE_LEG)
    return chosen, group


def _group_legs(topology: Topology, told: _Told, inner: Ints) -> tuple[Ints, Ints]:
    """The legs that are groups, and of which group each is."""
    group, owner, type_, place, active = _columns(*zip(*told.nested, strict=True))
    made = topology.new_group_legs(owner, inner[place], type_)
    topology.leg[made] = NO_MEDIUM | np.where(active, ACTIVE_LEG, 0) | AXES[type_].astype(np.int32) << AXIS_SHIFT
    return made, group


def _new_requirements(topology: Topology, groups: list[_Group], inner: Ints, number: Ints) -> Ints:
    """The requirement of each group; none of those that have no leg left."""
    k = np.array([number[i] if group.needs is None else group.needs for i, group in enumerate(groups)], np.int32)
    m = np.array([k[i] if group.full is None else group.full for i, group in enumerate(groups)], np.int32)
    cut = number < np.array([group.told for group in groups], np.int32)
    # Legs that are gone cut k and m down to those left.
    k, m = np.where(cut, np.minimum(k, number), k), np.where(cut, np.minimum(m, number), m)
    held = np.flatnonzero(number)
    of = np.array([one.owner if one.inner < 0 else inner[one.inner] for one in groups], np.int32)
    type_ = np.array([one.type_ for one in groups], np.uint8)
    made = topology.new_requirements(of[held], type_[held], number[held], k[held], m[held])
    for requirement, place in zip(made.tolist(), held.tolist(), strict=True):
        topology.titles[requirement] = groups[place].name, True
    short = (k > number) | (m > number)
    topology.short_at_birth.update(made[short[held]].tolist())
    found = np.full(len(groups), OF_NONE, np.int32)
    found[held] = made
    return found
