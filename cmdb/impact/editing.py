"""A topology follows the graph: what a revision changed is edited in place, and what hangs on it is settled again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb import coding
from cmdb.coding import GATEWAY, MEDIA, MEDIUM_SHIFT, TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.requirements import settle, take_back
from cmdb.impact.settle import BY_FC
from cmdb.model import CI, Change, Relation

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_FC: Final = MEDIA.index("fc")
_OF_PATHS: Final = tables.CARRYING | {tables.PART_OF, tables.ZONE}
"""What fc paths hang on besides cables."""
_NO_ZONES: Final = '"zoned_to":'
"""In the gaps of a CI of which zones were not collected in full."""


def edit(topology: Topology, changes: Iterable[Change], revision: int) -> None:
    """Take over changes, of which there is one for each CI or relation."""
    touched: set[int] = set()
    gone: list[int] = []
    relations: list[Change] = []
    for change in changes:
        if isinstance(change.after, CI):
            _put(topology, change.after, touched)
        elif isinstance(change.before, CI):
            gone.append(topology.number(change.id))
        else:
            relations.append(change)
    old = [topology.relation_number(change.id) for change in relations if change.before is not None]
    for relation in old:
        _touch(topology, relation, touched)
    touched.update(gone)
    fc_before = _fc_legs(topology, touched)
    known = frozenset(touched)
    # What was made of relations goes before they do.
    take_back(topology, np.fromiter(touched, np.int32))
    topology.drop_relations(np.array(old, np.int32))
    new = [change.after for change in relations if isinstance(change.after, Relation)]
    for relation in topology.new_named_relations(new).tolist():
        _touch(topology, relation, touched)
    fc_before |= _fc_legs(topology, touched - known)
    settle(topology, touched.difference(gone))
    topology.resettled |= touched
    if _fc_legs(topology, touched) != fc_before:
        topology.fabrics_changed = True
    for node in gone:
        _networks_of(topology, node, int(topology.code[node]))
        topology.drop_ci(node)
        topology.regapped.add(node)
    topology.revision = revision


def _fc_legs(topology: Topology, nodes: Collection[int]) -> frozenset[tuple[int, int]]:
    """The fc legs of some nodes, by their heads, with their media and axes."""
    rows = topology.out.gather(np.fromiter(nodes, np.int32, len(nodes)))
    rows = rows[((topology.leg[rows] & np.uint8(BY_FC)) != 0) & (topology.req[rows] >= 0)]
    return frozenset(zip(rows.tolist(), topology.leg[rows].tolist(), strict=True))


def _put(topology: Topology, ci: CI, touched: set[int]) -> None:
    code, extra = coding.ci_code(ci), coding.extra_text(ci)
    node = topology.number(ci.id)
    if node < 0:
        node = topology.new_ci(ci.id, code)
        _networks_of(topology, node, code)
        touched.add(node)
    elif int(topology.code[node]) != code:
        _networks_of(topology, node, int(topology.code[node]))
        topology.recode(node, code)
        _networks_of(topology, node, code)
        touched.add(node)
        # What a CI is counts for who leans on it, and for what it leans on: in the graph or not, a cluster, a machine.
        touched.update(topology.src[topology.into.row(node)].tolist())
        touched.update(topology.dst[topology.out.row(node)].tolist())
    if topology.extras.get(node, "") != extra:
        topology.take_extra(node, extra)
        topology.mark_management(node)
        touched.add(node)
        topology.networks_changed = topology.fabrics_changed = True
    topology.names[node] = ci.name
    gaps = coding.gaps_text(ci)
    if (_NO_ZONES in gaps) != (_NO_ZONES in topology.words[topology.gap[node]]):
        # Zones narrow paths only where they were collected in full.
        topology.fabrics_changed = True
    topology.gap[node] = topology.word(gaps)
    topology.regapped.add(node)


def _networks_of(topology: Topology, node: int, code: int) -> None:
    """A CI that comes, goes or turns into something else may carry traffic, or be a place."""
    class_ = code & coding.CLASS_BITS
    codes = topology.rcode[np.concatenate((topology.out.row(node), topology.into.row(node)))]
    if code & GATEWAY or tables.FORWARDS_ETHERNET[class_] or bool(((codes & TYPE_BITS) == tables.CABLE).any()):
        topology.networks_changed = True
    fc = (codes >> MEDIUM_SHIFT & 3) == _FC
    if tables.FORWARDS_FC[class_] or topology.in_fabrics(node) or bool(fc.any()):
        topology.fabrics_changed = True
    if tables.LOCATIONS[class_]:
        topology.places_changed = True


def _touch(topology: Topology, relation: int, touched: set[int]) -> None:
    """Who is settled again, and which networks are laid out again, since a relation comes or goes."""
    code, source, target = int(topology.rcode[relation]), int(topology.src[relation]), int(topology.dst[relation])
    type_ = code & TYPE_BITS
    touched.add(source)
    fc = code >> MEDIUM_SHIFT & 3 == _FC
    if type_ == tables.CABLE and not fc:
        topology.networks_changed = True
    if fc or (type_ in _OF_PATHS and topology.in_fabrics(source)):
        topology.fabrics_changed = True
    if type_ == tables.LOCATED_IN:
        topology.regapped.add(source)
        if tables.LOCATIONS[topology.cls[source]]:
            topology.places_changed = True
    if type_ == tables.HOSTED_ON and tables.CLUSTERS[topology.cls[target]]:
        touched.add(target)  # whose quorum hangs on whether it hosts machines
