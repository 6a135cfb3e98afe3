"""A topology follows the graph: what a revision changed is edited in place, and what hangs on it is settled again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb import coding
from cmdb.coding import GATEWAY, MEDIA, MEDIUM_SHIFT, TYPE_BITS
from cmdb.impact import tables
from cmdb.impact.kinds import Ints
from cmdb.impact.requirements import settle, take_back
from cmdb.impact.settle import BY_FC
from cmdb.model import CI, Change, Relation

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_FC: Final = MEDIA.index("fc")
_OF_PATHS: Final = np.array(sorted(tables.CARRYING | {tables.PART_OF, tables.ZONE}))
"""What fc paths hang on besides cables."""
_NO_CODES: Final = np.empty(0, np.uint16)
_NO_ZONES: Final = '"zoned_to":'
"""In the gaps of a CI of which zones were not collected in full."""


def edit(topology: Topology, changes: Iterable[Change], revision: int) -> None:
    """Take over changes, of which there is one for each CI or relation."""
    touched: set[int] = set()
    gone: list[int] = []
    relations: list[Change] = []
    cis: list[CI] = []
    for change in changes:
        if isinstance(change.after, CI):
            cis.append(change.after)
        elif isinstance(change.before, CI):
            gone.append(topology.number(change.id))
        else:
            relations.append(change)
    _put(topology, cis, touched)
    old = topology.relation_numbers([change.id for change in relations if change.before is not None])
    _touch(topology, old, touched)
    touched.update(gone)
    fc_before = _fc_legs(topology, touched)
    known = frozenset(touched)
    # What was made of relations goes before they do.
    take_back(topology, np.fromiter(touched, np.int32))
    topology.drop_relations(old)
    new = [change.after for change in relations if isinstance(change.after, Relation)]
    _touch(topology, topology.new_named_relations(new), touched)
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


def _put(topology: Topology, cis: Sequence[CI], touched: set[int]) -> None:
    """Take in CIs that are new, or changed."""
    extras = [coding.extra_text(ci) for ci in cis]
    codes = [coding.ci_code(ci, extra) for ci, extra in zip(cis, extras, strict=True)]
    nodes = topology.numbers([ci.id for ci in cis])
    new = np.flatnonzero(nodes < 0)
    nodes[new] = topology.new_cis([cis[one].id for one in new.tolist()], [codes[one] for one in new.tolist()])
    fresh = set(nodes[new].tolist())
    touched |= fresh
    for node, ci, code, extra in zip(nodes.tolist(), cis, codes, extras, strict=True):
        if node in fresh:
            _networks_of(topology, node, code)
        elif int(topology.code[node]) != code:
            _recode(topology, node, code, touched)
        _describe(topology, node, ci, extra, touched)
    topology.regapped.update(nodes.tolist())


def _recode(topology: Topology, node: int, code: int, touched: set[int]) -> None:
    _networks_of(topology, node, int(topology.code[node]))
    topology.recode(node, code)
    _networks_of(topology, node, code)
    touched.add(node)
    # What a CI is counts for who leans on it, and for what it leans on: in the graph or not, a cluster, a machine.
    touched.update(topology.src[topology.into.row(node)].tolist())
    touched.update(topology.dst[topology.out.row(node)].tolist())


def _describe(topology: Topology, node: int, ci: CI, extra: str, touched: set[int]) -> None:
    """Its name, its gaps, and what few CIs have."""
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
    topology.gap[node] = topology.word(gaps) if gaps else 0


def _networks_of(topology: Topology, node: int, code: int) -> None:
    """A CI that comes, goes or turns into something else may carry traffic, or be a place."""
    class_ = code & coding.CLASS_BITS
    rows = topology.out.row(node), topology.into.row(node)
    codes = topology.rcode[np.concatenate(rows)] if len(rows[0]) or len(rows[1]) else _NO_CODES
    if code & GATEWAY or tables.FORWARDS_ETHERNET[class_] or bool(((codes & TYPE_BITS) == tables.CABLE).any()):
        topology.networks_changed = True
    fc = (codes >> MEDIUM_SHIFT & 3) == _FC
    if tables.FORWARDS_FC[class_] or topology.in_fabrics(node) or bool(fc.any()):
        topology.fabrics_changed = True
    if tables.LOCATIONS[class_]:
        topology.places_changed = True


def _touch(topology: Topology, relations: Ints, touched: set[int]) -> None:
    """Who is settled again, and which networks are laid out again, since relations come or go."""
    code, source, target = topology.rcode[relations], topology.src[relations], topology.dst[relations]
    type_ = code & TYPE_BITS
    touched.update(source.tolist())
    fc = (code >> MEDIUM_SHIFT & 3) == _FC
    if ((type_ == tables.CABLE) & ~fc).any():
        topology.networks_changed = True
    of_paths = source[np.isin(type_, _OF_PATHS)]
    if fc.any() or any(topology.in_fabrics(node) for node in of_paths.tolist()):
        topology.fabrics_changed = True
    placed = source[type_ == tables.LOCATED_IN]
    topology.regapped.update(placed.tolist())
    if tables.LOCATIONS[topology.cls[placed]].any():
        topology.places_changed = True
    # Clusters whose quorum hangs on whether they host machines.
    touched.update(target[(type_ == tables.HOSTED_ON) & tables.CLUSTERS[topology.cls[target]]].tolist())
