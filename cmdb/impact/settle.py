"""What each CI requires by the relations that lead from it (impact.md, "Requirements"), worked out anew for some CIs.

Most follow from type, source and target alone and are settled all at once. Clusters, roles and named groups are few,
and are settled one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.coding import ACTIVE, MEDIUM_SHIFT, TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.kinds import Bools, Ints
from cmdb.impact.tables import AXES, EVERY, NEEDS, NOTHING

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology
    from cmdb.model import Component

GROUP_LEG: Final = "group:"
"""What stands before the name of a group where a leg may be a CI or a group."""

OF_NONE: Final = -1
"""No leg of any requirement; from -2 down: a further relation of the leg whose head is -2 - this."""

MEDIA_MASK: Final = 0b111
NO_MEDIUM: Final = 0b001
BY_ETHERNET: Final = 0b010
BY_FC: Final = 0b100
"""The media that occur among the relations of a leg."""
ACTIVE_LEG: Final = 1 << 3
BESIDE: Final = 1 << 4
"""In no k, but its failure degrades: the server on which a virtual machine of a cluster runs now."""
MULTI: Final = 1 << 5
"""Several relations: it fails when each of them does."""
AXIS_SHIFT: Final = 6
HAS_PROTECTION: Final = 1
"""A node with a protection requirement of its own."""
FROM_SIDE: Final = 1 << 11
TO_SIDE: Final = 1 << 12
"""A cable sits in a management port at its source, or at its target: it says so, or the port is one."""
MADE: Final = 1 << 13
"""No relation of the graph: a group as a leg, or the copy of a relation that a second group names."""

_NODE_BITS: Final = 24
_TYPE_SHIFT: Final = _NODE_BITS
_SOURCE_SHIFT: Final = _NODE_BITS + 5


def settle_all(topology: Topology) -> None:
    """Lay out what leads from each node, and settle everything, for the first time."""
    rows = np.arange(topology.relations, dtype=np.int32)
    keys = _keys(topology, rows)
    order = np.argsort(keys, kind="stable").astype(np.int32)
    keys = keys[order]
    topology.lay_out(order)
    special = _special(topology, rows)
    _settle_plain(topology, order, keys, special)
    for node in np.flatnonzero(special).tolist():
        _settle_special(topology, node)


def settle(topology: Topology, nodes: Iterable[int]) -> None:
    """Settle some CIs again, after relations from them, or what those lead to, changed."""
    sources = np.fromiter(nodes, np.int32)
    take_back(topology, sources)
    sources = sources[topology.live[sources]]
    rows = topology.out.gather(sources).copy()
    keys = _keys(topology, rows)
    order = np.argsort(keys, kind="stable")
    special = _special(topology, rows, sources)
    _settle_plain(topology, rows[order], keys[order], special)
    for node in sources[special[sources]].tolist():
        _settle_special(topology, node)


def take_back(topology: Topology, sources: Ints) -> None:
    """Forget what CIs require, and their groups that stood as legs."""
    rows = topology.out.gather(sources).copy()
    requirements = topology.req[rows]
    topology.drop_requirements(np.unique(requirements[requirements >= 0]))
    topology.req[rows] = OF_NONE
    topology.leg[rows] = 0
    topology.flags[sources] &= ~np.uint8(HAS_PROTECTION)
    topology.drop_made(rows[(topology.rcode[rows] & MADE) != 0])


def _keys(topology: Topology, rows: Ints) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """By source, then type, then target."""
    keys = topology.src[rows].astype(np.int64)
    keys <<= 5
    keys |= topology.rcode[rows] & TYPE_BITS
    keys <<= _NODE_BITS
    keys |= topology.dst[rows]
    return keys


def _special(topology: Topology, rows: Ints, sources: Ints | None = None) -> Bools:
    """Which nodes are settled one by one."""
    found = np.zeros(topology.nodes, np.bool_)
    found[topology.src[rows[tables.PER_ROLE[topology.rcode[rows] & TYPE_BITS]]]] = True
    if sources is None:
        found |= tables.CLUSTERS[topology.cls[: topology.nodes]]
    else:
        found[sources[tables.CLUSTERS[topology.cls[sources]]]] = True
    grouped = topology.grouped if sources is None else topology.grouped.intersection(sources.tolist())
    found[list(grouped)] = True
    return found & topology.live[: topology.nodes]


def _settle_plain(
    topology: Topology, rows: Ints, keys: np.ndarray[tuple[int], np.dtype[np.int64]], special: Bools
) -> None:
    """Settle the sources of rows that are sorted by their keys, the special ones left out."""
    source, target = topology.src[rows], topology.dst[rows]
    type_ = topology.rcode[rows] & TYPE_BITS
    kept = (NEEDS[type_] != NOTHING) & (source != target) & ~special[source]
    kept &= topology.live[source] & topology.live[target]
    rows, keys = rows[kept], keys[kept]
    if not len(rows):
        return
    beside = _not_the_cluster(topology, rows)
    if beside is not None:
        dropped = beside & ~_active_targets(topology, rows, keys)
        rows, keys, beside = rows[~dropped], keys[~dropped], beside[~dropped]
    new_leg = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new_leg[1:])
    starts = np.flatnonzero(new_leg)
    heads = rows[starts]
    code = topology.rcode[rows]
    media = (np.uint8(1) << ((code >> MEDIUM_SHIFT) & 3)).astype(np.uint8)
    flags = media | np.where(code & ACTIVE, np.uint8(ACTIVE_LEG), np.uint8(0))
    leg_flags = np.bitwise_or.reduceat(flags, starts)
    sizes = np.diff(starts, append=len(rows))
    leg_flags[sizes > 1] |= MULTI
    leg_keys = keys[starts] >> _TYPE_SHIFT
    leg_type = (leg_keys & TYPE_BITS).astype(np.uint8)
    leg_flags |= AXES[leg_type] << AXIS_SHIFT
    if beside is not None:
        leg_flags[beside[starts]] |= BESIDE
    new_requirement = np.ones(len(leg_keys), np.bool_)
    np.not_equal(leg_keys[1:], leg_keys[:-1], out=new_requirement[1:])
    firsts = np.flatnonzero(new_requirement)
    counted = np.ones(len(heads), np.int32) if beside is None else (~beside[starts]).astype(np.int32)
    number = np.add.reduceat(counted, firsts)
    types = leg_type[firsts]
    needs = NEEDS[types]
    k = np.where(needs == EVERY, number, np.minimum(needs, number))
    requirements = topology.new_requirements(topology.src[heads[firsts]], types, number, k, k)
    of_leg = requirements[np.cumsum(new_requirement) - 1]
    topology.req[heads] = of_leg
    topology.leg[heads] = leg_flags
    if len(heads) < len(rows):
        more = ~new_leg
        topology.req[rows[more]] = -2 - heads[np.cumsum(new_leg)[more] - 1]


def _not_the_cluster(topology: Topology, rows: Ints) -> Bools | None:
    """Of virtual machines that are hosted on a cluster: the relations to the servers it runs on; None without any."""
    code = topology.rcode[rows] & TYPE_BITS
    hosted = np.flatnonzero((code == tables.HOSTED_ON) & (topology.cls[topology.src[rows]] == tables.VIRTUAL_MACHINE))
    if not len(hosted):
        return None
    to_cluster = tables.CLUSTERS[topology.cls[topology.dst[rows[hosted]]]]
    if not to_cluster.any():
        return None
    clustered = np.unique(topology.src[rows[hosted[to_cluster]]])
    others = hosted[~to_cluster]
    sources = topology.src[rows[others]]
    places = np.minimum(np.searchsorted(clustered, sources), len(clustered) - 1)
    found: Bools = np.zeros(len(rows), np.bool_)
    found[others[clustered[places] == sources]] = True
    return found


def _active_targets(topology: Topology, rows: Ints, keys: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Bools:
    """Of each relation: whether it, or another of the same source, type and target, is marked active."""
    active = (topology.rcode[rows] & ACTIVE) != 0
    wanted = np.unique(keys[active])
    if not len(wanted):
        return active
    places = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    found: Bools = wanted[places] == keys
    return found


# One by one


def _settle_special(topology: Topology, node: int) -> None:
    """What one CI requires by its groups and, for the relations in none, by default; and its groups that are legs."""
    by_type: dict[int, list[int]] = defaultdict(list)
    for relation in topology.out.row(node).tolist():
        type_ = int(topology.rcode[relation]) & TYPE_BITS
        if NEEDS[type_] != NOTHING and topology.in_graph(relation):
            by_type[type_].append(relation)
    groups = {group.name: group for group in topology.extra_of(node).groups}
    inner = {name for group in groups.values() for name in _inner(group) if name in groups}
    nodes = {name: topology.new_group(node, name) for name in sorted(inner)}
    taken = {(_type_of(group), leg) for group in groups.values() for leg in legs_of(group)}
    used: set[int] = set()
    for name, group in groups.items():
        _settle_group(topology, node, group, nodes, nodes.get(name, node), by_type, used)
    for type_, relations in by_type.items():
        free = [one for one in relations if (type_, topology.id(int(topology.dst[one]))) not in taken]
        for role, some in _by_role(topology, type_, free).items():
            _settle_default(topology, node, type_, role, some)


def _inner(group: Component) -> list[str]:
    return [leg.removeprefix(GROUP_LEG) for leg in legs_of(group) if leg.startswith(GROUP_LEG)]


def _type_of(group: Component) -> int:
    said = group.attributes.get("type")
    name = said if isinstance(said, str) else "depends_on"
    return tables.type_number(name)


def legs_of(group: Component) -> tuple[str, ...]:
    """The legs of a group as they are stored: ids of CIs, or `group:NAME`; each once."""
    said = group.attributes.get("legs", ())
    return tuple(dict.fromkeys(str(leg) for leg in said)) if isinstance(said, tuple) else (str(said),)


def _settle_group(
    topology: Topology, node: int, group: Component, nodes: Mapping[str, int], of: int,
    by_type: Mapping[int, list[int]], used: set[int],
) -> None:  # fmt: skip
    """A named group as a requirement of the CI or, where it stands as a leg, of itself; none where no leg is left."""
    type_, active = _type_of(group), group.attributes.get("active")
    legs: list[int] = []
    for name in legs_of(group):
        if name.startswith(GROUP_LEG):
            inner = name.removeprefix(GROUP_LEG)
            if inner in nodes:
                legs.append(topology.new_group_leg(node, nodes[inner], type_))
                topology.leg[legs[-1]] = _leg_flags(topology, [legs[-1]], active=name == active)
            continue
        target = topology.number(name)
        relations = [one for one in by_type.get(type_, ()) if topology.dst[one] == target]
        if relations:
            if used.intersection(relations):
                relations = topology.new_copies(relations)
            used.update(relations)
            legs.append(_leg(topology, relations, active=name == active))
    if not legs:
        return
    k = _number(group, "needs", len(legs))
    m = _number(group, "full", k)
    if len(legs) < len(legs_of(group)):
        # Legs that are gone cut k and m down to those left.
        k, m = min(k, len(legs)), min(m, len(legs))
    requirement = topology.new_requirement(of, type_, len(legs), k, m, (group.name, True))
    topology.req[legs] = requirement


def _number(group: Component, attribute: str, default: int) -> int:
    said = group.attributes.get(attribute)
    return said if isinstance(said, int) and not isinstance(said, bool) else default


def _by_role(topology: Topology, type_: int, relations: list[int]) -> Mapping[str | None, list[int]]:
    found: dict[str | None, list[int]] = defaultdict(list)
    for relation in relations:
        found[topology.words_of(relation)[0] if tables.PER_ROLE[type_] else None].append(relation)
    return found


def _settle_default(topology: Topology, node: int, type_: int, role: str | None, relations: list[int]) -> None:
    by_target: dict[int, list[int]] = defaultdict(list)
    for relation in relations:
        by_target[int(topology.dst[relation])].append(relation)
    clusters = [target for target in by_target if tables.CLUSTERS[topology.cls[target]]]
    narrowed = type_ == tables.HOSTED_ON and topology.cls[node] == tables.VIRTUAL_MACHINE and bool(clusters)
    legs, counted = [], 0
    for target, some in by_target.items():
        beside = narrowed and target not in clusters
        if beside and not any(int(topology.rcode[one]) & ACTIVE for one in some):
            continue
        legs.append(_leg(topology, some, beside=beside))
        counted += not beside
    k = _needs(topology, node, type_, counted)
    requirement = topology.new_requirement(node, type_, counted, k, k, None if role is None else (role, False))
    topology.req[legs] = requirement


def _leg(topology: Topology, relations: list[int], *, active: bool = False, beside: bool = False) -> int:
    head, *more = sorted(relations)
    topology.leg[head] = _leg_flags(topology, [head, *more], active=active) | (BESIDE if beside else 0)
    topology.req[more] = -2 - head
    return head


def _leg_flags(topology: Topology, relations: list[int], *, active: bool) -> int:
    flags = MULTI if len(relations) > 1 else 0
    for relation in relations:
        code = int(topology.rcode[relation])
        active = active or bool(code & ACTIVE)
        flags |= 1 << (code >> MEDIUM_SHIFT & 3)
    axis = int(AXES[int(topology.rcode[relations[0]]) & TYPE_BITS])
    return flags | (ACTIVE_LEG if active else 0) | axis << AXIS_SHIFT


def _needs(topology: Topology, node: int, type_: int, legs: int) -> int:
    """What a default requirement needs: k of the table, for a cluster its quorum; never more than there are legs."""
    if type_ == tables.COMPOSED_OF and tables.CLUSTERS[topology.cls[node]]:
        quorum = topology.extra_of(node).quorum
        if quorum is not None:
            return min(quorum, legs)
        return 1 if legs <= 2 or topology.hosts_machines(node) else legs // 2 + 1
    needs = int(NEEDS[type_])
    return legs if needs == EVERY else min(needs, legs)
