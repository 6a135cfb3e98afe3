"""Named groups (impact.md, "Requirements") of some CIs, settled together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.kinds import Ints
from cmdb.impact.settle import ACTIVE_LEG, AXIS_SHIFT, OF_NONE, keys_of, legs_of_rows, make_legs, sorted_rows
from cmdb.impact.tables import AXES

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology
    from cmdb.model import Component

GROUP_LEG: Final = "group:"
"""What stands before the name of a group where a leg may be a CI or a group."""


class _Group(NamedTuple):
    """A group of a CI. `of`: whose requirement it is, the CI's or, where it stands as a leg, its own."""

    name: str
    of: int
    type_: int
    told: int
    """How many legs it names."""
    needs: int | None
    full: int | None


class _Named(NamedTuple):
    """A leg: the number of the group among all, its CI and type, what it leads to, and whether it is the active one."""

    group: int
    owner: int
    type_: int
    target: int
    active: bool


def legs_of(group: Component) -> tuple[str, ...]:
    """The legs of a group as they are stored: ids of CIs, or `group:NAME`; each once."""
    said = group.attributes.get("legs", ())
    return tuple(dict.fromkeys(str(leg) for leg in said)) if isinstance(said, tuple) else (str(said),)


def settle_groups(topology: Topology, nodes: Iterable[int]) -> None:
    """What CIs require by their groups, of which no relation is a leg yet; nothing of those that are retired."""
    groups: list[_Group] = []
    named: list[_Named] = []
    nested: list[_Named] = []
    owners = [node for node in nodes if topology.live[node]]
    for node in owners:
        _read(topology, node, groups, named, nested)
    if not groups:
        return
    heads, of = _named_legs(topology, owners, named)
    made = _group_legs(topology, nested)
    heads, of = np.concatenate((heads, made)), np.concatenate((of, np.array([leg.group for leg in nested], np.int32)))
    number = np.bincount(of, minlength=len(groups)).astype(np.int32)
    topology.req[heads] = _new_requirements(topology, groups, number)[of]


def _read(
    topology: Topology, node: int, groups: list[_Group], named: list[_Named], nested: list[_Named]
) -> None:  # fmt: skip
    known: Mapping[str, Component] = {group.name: group for group in topology.extra_of(node).groups}
    legs = {name: legs_of(group) for name, group in known.items()}
    inner = {leg.removeprefix(GROUP_LEG) for some in legs.values() for leg in some if leg.startswith(GROUP_LEG)}
    nodes = {name: topology.new_group(node, name) for name in sorted(inner & known.keys())}
    for name, group in known.items():
        type_, active = _type_of(group), group.attributes.get("active")
        place = len(groups)
        groups.append(
            _Group(name, nodes.get(name, node), type_, len(legs[name]), _number(group, "needs"), _number(group, "full"))
        )
        for leg in legs[name]:
            if not leg.startswith(GROUP_LEG):
                named.append(_Named(place, node, type_, topology.number(leg), leg == active))
            elif (target := nodes.get(leg.removeprefix(GROUP_LEG))) is not None:
                nested.append(_Named(place, node, type_, target, leg == active))


def _type_of(group: Component) -> int:
    said = group.attributes.get("type")
    return tables.type_number(said if isinstance(said, str) else "depends_on")


def _number(group: Component, attribute: str) -> int | None:
    said = group.attributes.get(attribute)
    return said if isinstance(said, int) and not isinstance(said, bool) else None


def _named_legs(topology: Topology, owners: list[int], named: list[_Named]) -> tuple[Ints, Ints]:
    """The legs that are CIs, by their heads, and of which group each is; without those whose relations are gone."""
    legs = legs_of_rows(topology, sorted_rows(topology, topology.out.gather(np.array(owners, np.int32))))
    named = [leg for leg in named if leg.target >= 0]
    if not named or not len(legs.heads):
        return np.empty(0, np.int32), np.empty(0, np.int32)
    group, owner, type_, target = (np.array(column, np.int32) for column in list(zip(*named, strict=True))[:4])
    active = np.array([leg.active for leg in named])
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


def _group_legs(topology: Topology, nested: list[_Named]) -> Ints:
    """The legs that are groups."""
    if not nested:
        return np.empty(0, np.int32)
    _, owner, type_, target = (np.array(column, np.int32) for column in list(zip(*nested, strict=True))[:4])
    made = topology.new_group_legs(owner, target, type_)
    active = np.array([leg.active for leg in nested])
    topology.leg[made] = 1 | np.where(active, ACTIVE_LEG, 0) | AXES[type_].astype(np.int32) << AXIS_SHIFT
    return made


def _new_requirements(topology: Topology, groups: list[_Group], number: Ints) -> Ints:
    """The requirement of each group; none of those that have no leg left."""
    k = np.array([number[i] if group.needs is None else group.needs for i, group in enumerate(groups)], np.int32)
    m = np.array([k[i] if group.full is None else group.full for i, group in enumerate(groups)], np.int32)
    cut = number < np.array([group.told for group in groups], np.int32)
    # Legs that are gone cut k and m down to those left.
    k, m = np.where(cut, np.minimum(k, number), k), np.where(cut, np.minimum(m, number), m)
    held = np.flatnonzero(number)
    of, type_ = np.array([group.of for group in groups], np.int32), np.array([one.type_ for one in groups], np.uint8)
    made = topology.new_requirements(of[held], type_[held], number[held], k[held], m[held])
    for requirement, place in zip(made.tolist(), held.tolist(), strict=True):
        topology.titles[requirement] = groups[place].name, True
    short = (k > number) | (m > number)
    topology.short_at_birth.update(made[short[held]].tolist())
    found = np.full(len(groups), OF_NONE, np.int32)
    found[held] = made
    return found
