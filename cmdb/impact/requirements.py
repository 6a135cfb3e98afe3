"""What each CI requires by the relations that lead from it (impact.md, "Requirements"), worked out anew for some CIs.

The legs of named groups are taken first; what relations are left are legs by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.coding import TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.adjacency import Adjacency
from cmdb.impact.groups import settle_groups
from cmdb.impact.kinds import Bools, Bytes, Ints
from cmdb.impact.settle import (
    ACTIVE_LEG,
    BESIDE,
    HAS_PROTECTION,
    MADE,
    OF_NONE,
    Legs,
    legs_of_rows,
    make_legs,
    sorted_by,
    sorted_rows,
)
from cmdb.impact.tables import EVERY, NEEDS

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_BLOCK: Final = 1 << 16
"""Nodes that are settled at once at the beginning, so that it takes little memory beside."""


def settle_all(topology: Topology, by_target: Ints) -> None:
    """Lay out what leads from each node, and settle everything, for the first time."""
    types = (topology.rcode & TYPE_BITS).astype(np.uint8)[by_target]
    room = len(topology.src) - len(by_target)
    places, often = sorted_by(topology.src[by_target], len(topology.key), room, types)
    count = len(by_target)
    np.take(by_target, places[:count], out=places[:count], mode="clip")
    topology.out = Adjacency.of_lengths(often, places, count)
    del types, places
    settle_groups(topology, topology.grouped)
    for start in range(0, topology.nodes, _BLOCK):
        nodes = np.arange(start, min(start + _BLOCK, topology.nodes), dtype=np.int32)
        _settle_by_default(topology, topology.out.gather(nodes))
    topology.trim_requirements()


def settle(topology: Topology, nodes: Iterable[int]) -> None:
    """Settle some CIs again, after relations from them, or what those lead to, changed."""
    sources = np.fromiter(nodes, np.int32)
    take_back(topology, sources)
    sources = sources[topology.live[sources]]
    rows = sorted_rows(topology, topology.out.gather(sources))
    settle_groups(topology, topology.grouped.intersection(sources.tolist()) if topology.grouped else ())
    _settle_by_default(topology, rows)


def take_back(topology: Topology, sources: Ints) -> None:
    """Forget what CIs require, and their groups that stood as legs."""
    rows = topology.out.gather(sources).copy()
    requirements = topology.req[rows]
    topology.drop_requirements(np.unique(requirements[requirements >= 0]))
    topology.req[rows] = OF_NONE
    topology.leg[rows] = 0
    topology.flags[sources] &= ~np.uint8(HAS_PROTECTION)
    topology.drop_made(rows[(topology.rcode[rows] & MADE) != 0])


def _settle_by_default(topology: Topology, rows: Ints) -> None:
    """Settle sorted relations that are not a group's: a requirement of each type, of some types one of each role."""
    rows = rows[topology.req[rows] == OF_NONE]
    per_role = tables.PER_ROLE[topology.rcode[rows] & TYPE_BITS]
    if per_role.any():
        _settle_roles(topology, rows[per_role])
        rows = rows[~per_role]
    legs = legs_of_rows(topology, rows)
    if not len(legs.heads):
        return
    source, type_ = topology.src[legs.heads], topology.rcode[legs.heads] & TYPE_BITS
    new = np.ones(len(source), np.bool_)
    new[1:] = (source[1:] != source[:-1]) | (type_[1:] != type_[:-1])
    firsts: Ints = np.flatnonzero(new).astype(np.int32)
    of = np.cumsum(new, dtype=np.int32) - np.int32(1)
    number = np.diff(firsts, append=len(source)).astype(np.int32)
    beside = _beside(topology, legs, firsts, of)
    if beside is not None:
        legs.flags[beside] |= np.uint8(BESIDE)
        number -= np.add.reduceat(beside, firsts, dtype=np.int32)
    requirements = _new_requirements(topology, source[firsts], type_[firsts].astype(np.uint8), number)[of]
    if beside is not None:
        requirements[beside & ((legs.flags & ACTIVE_LEG) == 0)] = OF_NONE
    make_legs(topology, legs, requirements)


def _settle_roles(topology: Topology, rows: Ints) -> None:
    """A requirement of each role."""
    words = [topology.words_of(one)[0] for one in rows.tolist()]
    names = sorted(set(words))
    place_of = {name: place for place, name in enumerate(names)}
    roles = np.array([place_of[word] for word in words], np.int32)
    order = np.lexsort((topology.dst[rows], roles, topology.rcode[rows] & TYPE_BITS, topology.src[rows]))
    role_of = dict(zip(rows.tolist(), roles.tolist(), strict=True))
    legs = legs_of_rows(topology, rows[order], roles[order])
    if not len(legs.heads):
        return
    source, type_ = topology.src[legs.heads], topology.rcode[legs.heads] & TYPE_BITS
    role = np.array([role_of[head] for head in legs.heads.tolist()], np.int32)
    new = np.ones(len(source), np.bool_)
    new[1:] = (source[1:] != source[:-1]) | (type_[1:] != type_[:-1]) | (role[1:] != role[:-1])
    firsts = np.flatnonzero(new)
    number = np.diff(firsts, append=len(source)).astype(np.int32)
    made = _new_requirements(topology, source[firsts], type_[firsts].astype(np.uint8), number)
    topology.titles.update(
        (one, (names[place], False)) for one, place in zip(made.tolist(), role[firsts].tolist(), strict=True)
    )
    make_legs(topology, legs, made[np.cumsum(new) - 1])


def _beside(topology: Topology, legs: Legs, firsts: Ints, of: Ints) -> Bools | None:
    """Of virtual machines that are hosted on a cluster: the legs that are servers; None without any."""
    hosted = (topology.rcode[legs.heads] & TYPE_BITS) == tables.HOSTED_ON
    hosted &= topology.cls[topology.src[legs.heads]] == tables.VIRTUAL_MACHINE
    cluster = tables.CLUSTERS[topology.cls[topology.dst[legs.heads]]]
    if not (hosted & cluster).any():
        return None
    clustered = np.logical_or.reduceat(hosted & cluster, firsts)
    found: Bools = clustered[of] & ~cluster
    return found


def _new_requirements(topology: Topology, owners: Ints, types: Bytes, number: Ints) -> Ints:
    """By default: k of the table, for a cluster its quorum; never more than there are legs."""
    needs = NEEDS[types]
    k = np.where(needs == EVERY, number, np.minimum(needs, number))
    clusters = np.flatnonzero((types == tables.COMPOSED_OF) & tables.CLUSTERS[topology.cls[owners]])
    if len(clusters):
        k[clusters] = _quorums(topology, owners[clusters], number[clusters])
    return topology.new_requirements(owners, types, number, k, k)


def _quorums(topology: Topology, clusters: Ints, members: Ints) -> Ints:
    """What each cluster says, else 1 of up to two or where machines are hosted on it, else more than half."""
    one = (members <= 2) | topology.host_machines(clusters)
    found = np.where(one, np.int32(1), members // 2 + 1)
    for place, node in enumerate(clusters.tolist()):
        quorum = topology.quorum_of(node)
        if quorum is not None:
            found[place] = min(quorum, int(members[place]))
    return found.astype(np.int32)
