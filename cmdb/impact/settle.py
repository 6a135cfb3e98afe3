"""Which relations make a leg, and what is said of a relation and a leg (impact.md, "Requirements")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cmdb.coding import ACTIVE, MEDIUM_SHIFT, TYPE_BITS
from cmdb.impact.kinds import Bools, Bytes, Ints
from cmdb.impact.tables import AXES, NEEDS, NOTHING

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

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

_BLOCK: Final = 1 << 17
"""Nodes whose relations are sorted at once."""
_NODE_BITS: Final = 26
"""Bits of a node's number, and of whatever is sorted by it, a type, and a place of 32 bits."""
_TYPE_BITS: Final = 5


class Legs(NamedTuple):
    """Relations sorted so that those of one leg lie together; and the legs, each by the first of its relations."""

    rows: Ints
    new: Bools
    """Of each relation: whether it begins a leg."""
    heads: Ints
    flags: Bytes
    """What `Topology.leg` says of a leg."""


def sorted_by(numbers: Ints, highest: int, room: int, types: Bytes | None = None) -> tuple[Ints, Ints]:
    """The places of numbers below `highest` in order, then of types, then as they come; and how often each occurs.
    There is room for more places behind them.

    Sorts whole keys, some numbers at a time: quicker than argsort, and in little memory beside.
    """
    found: Ints = np.empty(len(numbers) + room, np.int32)
    often: Ints = np.empty(highest, np.int32)
    done = 0
    for low in range(0, highest, _BLOCK):
        places = np.flatnonzero((numbers >= low) & (numbers < low + _BLOCK))
        some = numbers[places]
        often[low : low + _BLOCK] = np.bincount(some - np.int32(low), minlength=min(_BLOCK, highest - low))
        keys = some.astype(np.int64)
        if types is not None:
            keys <<= _TYPE_BITS
            keys |= types[places]
        keys <<= 32
        keys |= places
        keys.sort()
        found[done : done + len(keys)] = keys  # the lower bits, which are the places
        done += len(keys)
    return found, often


def sorted_rows(topology: Topology, rows: Ints) -> Ints:
    """Relations by source, type and target, and those of one leg by number."""
    rows = np.sort(rows)
    keys = keys_of(topology.src[rows], topology.rcode[rows] & TYPE_BITS, topology.dst[rows])
    return rows[np.argsort(keys, kind="stable")]


def keys_of(source: Ints, type_: Ints, target: Ints) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """What relations are sorted by."""
    keys = source.astype(np.int64)
    keys <<= _TYPE_BITS
    keys |= type_
    keys <<= _NODE_BITS
    keys |= target
    return keys


def legs_of_rows(topology: Topology, rows: Ints, roles: Ints | None = None) -> Legs:
    """Of sorted relations those that make legs, in G; `roles` part legs, too."""
    code, source, target = topology.rcode[rows], topology.src[rows], topology.dst[rows]
    kept = (NEEDS[code & TYPE_BITS] != NOTHING) & (source != target)
    kept &= topology.live[source] & topology.live[target]
    if not kept.all():
        rows, code, source, target = rows[kept], code[kept], source[kept], target[kept]
        roles = None if roles is None else roles[kept]
    type_ = code & TYPE_BITS
    new = np.ones(len(rows), np.bool_)
    if len(rows):
        new[1:] = (source[1:] != source[:-1]) | (type_[1:] != type_[:-1]) | (target[1:] != target[:-1])
        if roles is not None:
            new[1:] |= roles[1:] != roles[:-1]
    flags = (np.uint8(1) << ((code >> MEDIUM_SHIFT) & 3).astype(np.uint8)).astype(np.uint8)
    flags |= np.where(code & ACTIVE, np.uint8(ACTIVE_LEG), np.uint8(0))
    starts = np.flatnonzero(new)
    if len(starts) < len(rows):
        flags = np.bitwise_or.reduceat(flags, starts)
        flags[np.diff(starts, append=len(rows)) > 1] |= np.uint8(MULTI)
    flags |= AXES[type_[starts]] << np.uint8(AXIS_SHIFT)
    return Legs(rows, new, rows[starts], flags)


def make_legs(topology: Topology, legs: Legs, requirements: Ints) -> None:
    """Say of which requirement each leg is; OF_NONE: it is none."""
    topology.req[legs.heads] = requirements
    topology.leg[legs.heads] = np.where(requirements == OF_NONE, np.uint8(0), legs.flags)
    if len(legs.heads) < len(legs.rows):
        more = ~legs.new
        of = np.cumsum(legs.new)[more] - 1
        topology.req[legs.rows[more]] = np.where(requirements[of] == OF_NONE, OF_NONE, -2 - legs.heads[of])
