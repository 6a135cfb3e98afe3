"""In which building each CI stands, by its located_in relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.impact import tables
from cmdb.impact.kinds import Ints

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

NOWHERE: Final = -1
"""Nothing says where it stands."""
SEVERAL: Final = -2
"""It stands in more than one building, as far as is said."""


def sites(topology: Topology) -> Ints:
    """Of each node its building, NOWHERE, or SEVERAL."""
    found = np.full(len(topology.key), NOWHERE, np.int32)
    buildings = np.flatnonzero((topology.cls == tables.BUILDING) & topology.live).astype(np.int32)
    found[buildings] = buildings
    rows = topology.of_type(tables.LOCATED_IN)
    source, target = topology.src[rows], topology.dst[rows]
    edge = buildings
    marked = np.zeros(len(topology.key), np.bool_)
    while len(edge):
        # What is in what found its building, or another one, just now.
        marked[:] = False
        marked[edge] = True
        inside = marked[target]
        sources, theirs = source[inside], found[target[inside]]
        before = found[sources]
        new = (before != theirs) & (before != SEVERAL)
        sources, theirs, before = sources[new], theirs[new], before[new]
        found[sources] = np.where(before == NOWHERE, theirs, np.int32(SEVERAL))
        # Two that came at once: the last one was kept, which is wrong for all but one of them.
        found[sources[found[sources] != np.where(before == NOWHERE, theirs, np.int32(SEVERAL))]] = SEVERAL
        edge = np.unique(sources)
    return found


def buildings_of(topology: Topology, node: int) -> frozenset[int]:
    """All buildings that a CI stands in, or is."""
    places = topology.above(node, frozenset({tables.LOCATED_IN}))
    return frozenset(place for place in places if topology.cls[place] == tables.BUILDING)
