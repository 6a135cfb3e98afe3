"""One topology with all that questions need beside it: networks, cells, scratch; and a question worked out on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.coding import ASSUMED
from cmdb.impact import tables
from cmdb.impact.cells import Cells
from cmdb.impact.failures import Failures
from cmdb.impact.kinds import Bools, Bytes, Ints
from cmdb.impact.levels import (
    AT_RISK,
    CUT_OFF,
    CUT_OFF_FROM_MANAGEMENT,
    DEGRADED,
    DOWN,
    UNMANAGED,
    UNPROTECTED,
    Change,
    Levels,
    Scratch,
)
from cmdb.impact.networks import Networks
from cmdb.impact.origins import MOST_TARGETS, NEVER, RANK_BITS, Origins
from cmdb.impact.question import KINDS, Question
from cmdb.impact.reasons import Reasons
from cmdb.impact.settle import MULTI
from cmdb.impact.unknown import Closure, Closures, Doubts
from cmdb.model import ModelError

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_OF_LOCATIONS: Final = frozenset({"power_off", "remove"})
_AVAILABILITY: Final = DOWN | DEGRADED | AT_RISK
_SETS: Final = _AVAILABILITY | UNPROTECTED | UNMANAGED
_NONE: Final = np.empty(0, np.int32)
_MANY: Final = 20_000
"""After so many changed CIs the cells are laid out anew."""


class Engine:
    """What is derived from a topology, kept as long as it holds; and the question that was worked out last."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.networks = Networks(topology)
        self._scratch = Scratch(topology)
        self._cells: Cells | None = None
        self._revision = topology.revision
        self._levels: Levels | None = None
        self._last: Case | None = None
        self._counted = (-1, 0)
        self._closures = Closures()
        self._closures_of = topology.revision

    @property
    def cells(self) -> Cells:
        topology = self.topology
        if self._cells is None or topology.places_changed or len(topology.regapped) > _MANY:
            self._cells = Cells(topology)
        elif topology.regapped:
            self._cells.update(topology.regapped)
        topology.places_changed = False
        topology.regapped.clear()
        return self._cells

    def closure(self, touched: Ints, *, down: Collection[int], network: bool) -> Closure:
        """Of whom nobody can tell, where such nodes are touched."""
        if self._closures_of != self.topology.revision:
            self._closures, self._closures_of = Closures(), self.topology.revision
        return self._closures.of(self.topology, self.networks, self.cells, touched, down=down, network=network)

    def count(self) -> int:
        """How many CIs there are."""
        if self._counted[0] != self.topology.revision:
            self._counted = self.topology.revision, self.topology.count()
        return self._counted[1]

    def levels(self, change: Change) -> Levels:
        """L(X), until the next one is asked for: there is one scratch."""
        self.forget()
        try:
            self._levels = Levels(self.topology, self.networks, self._fitting(), change)
        except BaseException:
            self._scratch = Scratch(self.topology)  # what was left half-way would be in the next answer
            raise
        return self._levels

    def case(self, question: Question) -> Case:
        """A question worked out. Holds until the next one is."""
        last = self._last
        if last is not None and last.question == question and self._revision == self.topology.revision:
            return last
        self.forget()
        self._revision = self.topology.revision
        self._last = Case(self, question)
        return self._last

    def forget(self) -> None:
        """Wipe what was worked out last, also by a question that failed after it."""
        if self._levels is not None:
            self._levels.wipe()
        self._levels = self._last = None

    def _fitting(self) -> Scratch:
        if not self._scratch.fits(self.topology):
            self._scratch = Scratch(self.topology)
        return self._scratch


def engine_of(topology: Topology) -> Engine:
    """The engine of a topology; whoever holds the topology's lock may use it."""
    if topology.engine is None:
        topology.engine = Engine(topology)
    return topology.engine


def let_go(topology: Topology) -> None:
    """Part a topology that nobody asks any more from its engine: each knows the other, and both are large."""
    if topology.engine is not None:
        topology.engine.forget()
        topology.engine = None


class Case:
    """A question with both its states: who is worse, who is unknown; and reasons for whoever is looked at."""

    def __init__(self, engine: Engine, question: Question) -> None:
        self.engine = engine
        self.topology = engine.topology
        self.question = question
        self.already = assumed(self.topology, question)
        self.changed = changed(self.topology, question)
        self._was: dict[int, int] = {}
        if self.already or self.topology.short_at_birth:
            before = engine.levels(self.already)
            nodes = before.marked()
            self._was = dict(zip(nodes.tolist(), (before.mark[nodes] & _SETS).tolist(), strict=True))
        self.after = engine.levels(self.already | self.changed)
        nodes = self.after.marked()
        nodes = nodes[self.topology.cls[nodes] != tables.GROUP]
        now = self.after.mark[nodes] & np.uint8(_SETS)
        was = np.zeros(len(nodes), np.uint8)
        if self._was:
            was[:] = [self._was.get(node, 0) for node in nodes.tolist()]
        worse = (now & _AVAILABILITY > was & _AVAILABILITY) | ((now & ~was & (UNPROTECTED | UNMANAGED)) != 0)
        self.nodes: Ints = nodes[worse]
        """The affected."""
        self.now: Bytes = now[worse]
        self.was: Bytes = was[worse]

    def axes(self, node: int) -> tuple[str, ...]:
        """The axes on which a CI is worse."""
        now, was = int(self.after.mark[node]), self._was.get(node, 0)
        found = ["availability"] if now & _AVAILABILITY > was & _AVAILABILITY else []
        found += ["protection"] if now & ~was & UNPROTECTED else []
        return (*found, "management") if now & ~was & UNMANAGED else tuple(found)

    def marks(self, node: int) -> tuple[int, int]:
        """How a CI is now, and how it was."""
        return int(self.after.mark[node]) & _SETS, self._was.get(node, 0)

    # Counting

    @cached_property
    def touched(self) -> Ints:
        """The targets and the affected."""
        targets = np.array([self.topology.number(id_) for id_ in self.question.targets], np.int32)
        return np.concatenate((targets, self.nodes))

    @cached_property
    def network_in_question(self) -> bool:
        """Whether T or the affected hold a cable, a gateway or a CI that forwards ethernet."""
        topology = self.topology
        cables = (topology.type_name(topology.relation_number(id_)) == "connects_to" for id_ in self.question.relations)
        return any(cables) or bool(self.engine.networks.passes[self.touched].any())

    @cached_property
    def cut_off(self) -> bool:
        """Whether being cut off, from gateways or from management, is why somebody is worse."""
        after, cls = self.after, self.topology.cls[self.nodes]
        fell = ((self.now & _AVAILABILITY) > (self.was & _AVAILABILITY)) & tables.DOWN_WHEN_CUT_OFF[cls]
        fell &= ((self.now & DOWN) != 0) & ((after.mark[self.nodes] & CUT_OFF) != 0)
        if fell.any() and not after.change.down.issuperset(self.nodes[fell].tolist()):
            return True
        lost = ((self.now & ~self.was & UNMANAGED) != 0) & tables.UNMANAGED_WHEN_CUT_OFF[cls]
        return bool((lost & ((after.mark[self.nodes] & CUT_OFF_FROM_MANAGEMENT) != 0)).any())

    @cached_property
    def doubts(self) -> Doubts:
        down = [self.topology.number(id_) for id_ in self.question.down]
        closure = self.engine.closure(self.touched, down=down, network=self.network_in_question)
        return Doubts(self.topology, closure, self.nodes)

    @cached_property
    def own_risk(self) -> Bools:
        """Of each affected whether, at risk, it is so by itself: a leg lost, a seed, its own cable or next CI last."""
        after, topology = self.after, self.topology
        found: set[int] = set(after.change.at_risk)
        available = after.touched[tables.AXES[topology.rtype[after.touched]] == tables.AVAILABILITY]
        found.update(topology.owner[available].tolist())
        if after.outage is not None and len(after.singled_out):
            found.update(after.outage.singled_out_beside().tolist())
        for (source, _), parting in after.parting.items():
            if self.engine.networks.fabric.is_beside(source, parting):
                found.add(source)
        return np.isin(self.nodes, np.fromiter(found, np.int32, len(found)))

    @cached_property
    def at_risk(self) -> Bools:
        """Of each affected whether it is at risk, and no worse."""
        found: Bools = (self.now & _AVAILABILITY) == AT_RISK
        return found

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """The CIs affected, unknown and unaffected add up to all; the levels count the CIs worse on that axis."""
        worse = (self.now & _AVAILABILITY) > (self.was & _AVAILABILITY)
        level = self.now & _AVAILABILITY
        at_risk = worse & self.at_risk
        own = int(np.count_nonzero(at_risk & self.own_risk)) if at_risk.any() else 0
        more = self.now & ~self.was
        total, unknown = self.engine.count(), self.doubts.count
        risky = int(np.count_nonzero(at_risk))
        return {
            "cis": total,
            "affected": len(self.nodes),
            "unknown": unknown,
            "unaffected": total - len(self.nodes) - unknown,
            "services": int(np.count_nonzero(self.topology.cls[self.nodes] == tables.SERVICE)),
            "down": int(np.count_nonzero(worse & (level == _AVAILABILITY))),
            "degraded": int(np.count_nonzero(worse & (level == DEGRADED | AT_RISK))),
            "at_risk": risky,
            "at_risk_own": own,
            "at_risk_inherited": risky - own,
            "unprotected": int(np.count_nonzero(more & UNPROTECTED)),
            "unmanaged": int(np.count_nonzero(more & UNMANAGED)),
        }

    @cached_property
    def deciding(self) -> Ints:
        """The requirements on which a level rests that got worse."""
        after, topology = self.after, self.topology
        requirements = after.counted()
        if not len(requirements):
            return requirements
        owner = topology.owner[requirements]
        axis = tables.AXES[topology.rtype[requirements]]
        now, lost, margin = after.mark[owner], after.lost[requirements], topology.margin[requirements]
        was = np.array([self._was.get(node, 0) for node in owner.tolist()], np.uint8) if self._was else np.uint8(0)
        level = now & _AVAILABILITY
        fell = lost > margin
        short = (lost > topology.spare[requirements]) | (lost + after.short[requirements] > margin)
        short |= np.isin(requirements, after.stirred())
        shaky = ((lost == margin) & (lost > 0)) | (lost + after.shaky[requirements] > margin)
        decided = np.where(level == _AVAILABILITY, fell, np.where(level == DEGRADED | AT_RISK, short, shaky))
        decided &= (axis == tables.AVAILABILITY) & (level > (was & _AVAILABILITY))
        own = (axis == tables.PROTECTION) & (lost + after.bare[requirements] > margin)
        passed = (after.bare[requirements] > margin) & tables.PASSES_PROTECTION_ON[topology.rtype[requirements]]
        passed &= (topology.flags[owner] & 1) == 0
        decided |= (own | passed) & ((now & ~was & UNPROTECTED) != 0)
        decided |= (axis == tables.MANAGEMENT) & fell & ((now & ~was & UNMANAGED) != 0)
        found: Ints = requirements[decided]
        return found

    @cached_property
    def deciding_legs(self) -> Ints:
        """The relations of the requirements that decided."""
        topology = self.topology
        if not len(self.deciding):
            return _NONE
        chosen = np.zeros(len(topology.owner), np.bool_)
        chosen[self.deciding] = True
        owners = topology.owner[self.deciding]
        groups = np.flatnonzero(topology.cls[owners] == tables.GROUP)
        for place in groups.tolist():
            owners[place] = topology.group_of[int(owners[place])][0]
        rows = topology.out.gather(np.unique(owners))
        head = np.where(topology.req[rows] < -1, -2 - topology.req[rows], rows)
        of = topology.req[head]
        found: Ints = rows[(of >= 0) & chosen[of]]
        return found

    @cached_property
    def assumed_owners(self) -> frozenset[int]:
        """The affected whose reasons hang on an assumed redundancy: connections were seen, no group was declared."""
        topology = self.topology
        legs = self.deciding_legs
        legs = legs[(topology.rcode[legs] & ASSUMED) != 0]
        found = set()
        for leg in legs.tolist():
            head = leg if topology.req[leg] >= 0 else -2 - int(topology.req[leg])
            if not topology.leg[head] & MULTI or all(
                int(topology.rcode[one]) & ASSUMED for one in topology.relations_of_leg(head)
            ):
                found.add(int(topology.owner[topology.req[head]]))
        return frozenset(found.intersection(self.nodes.tolist())) if found else frozenset()

    @cached_property
    def stale(self) -> Ints:
        """The relations without timely confirmation whose target's ill is why a requirement failed that decided."""
        topology, after = self.topology, self.after
        legs = self.deciding_legs
        legs = legs[(topology.gap[topology.src[legs]] != 0) & (topology.cls[topology.dst[legs]] != tables.GROUP)]
        ill = after.failed[legs] | ((after.mark[topology.dst[legs]] & _SETS) != 0)
        legs = legs[ill]
        stale = [leg for leg in legs.tolist() if topology.stale(leg) is not None]
        return np.array(sorted(stale, key=topology.relation_id), np.int32)

    @cached_property
    def failures(self) -> Failures:
        return Failures(self.engine, self.already, self.changed)

    # Reasons

    @cached_property
    def _ranked(self) -> tuple[list[tuple[str, str]], Mapping[int, int], Mapping[int, int]]:
        """The targets as (id, name) by rank, and the ranks of nodes and of relations."""
        topology, question = self.topology, self.question
        named = {id_: (topology.name(topology.number(id_)), id_) for id_ in question.targets}
        titled = {id_: (topology.title(topology.relation_number(id_)), id_) for id_ in question.relations}
        order = sorted({*named.values(), *titled.values()})
        rank = {one: place for place, one in enumerate(order)}
        nodes = {topology.number(id_): rank[named[id_]] for id_ in question.targets}
        relations = {topology.relation_number(id_): rank[titled[id_]] for id_ in question.relations}
        for relation in self.changed.out:
            if relation not in relations:
                ends = (int(topology.src[relation]), int(topology.dst[relation]))
                relations[relation] = min(nodes[end] for end in ends if end in nodes)
        return [(id_, name) for name, id_ in order], nodes, relations

    @cached_property
    def origins(self) -> Origins:
        _, nodes, relations = self._ranked
        return Origins(self.after, nodes, relations, self.changed.down)

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons(self.after, self.origins, self._ranked[0])

    @cached_property
    def distances(self) -> Ints:
        """Of each affected the distance of the nearest first cause; -1 where no chain of causes leads to a target."""
        origins = self.origins
        value = np.full(len(self.nodes), NEVER, np.int32)
        fell = (self.now & _AVAILABILITY) > (self.was & _AVAILABILITY)
        more = self.now & ~self.was
        for array, worse in (
            (origins.availability, fell),
            (origins.protection, (more & UNPROTECTED) != 0),
            (origins.management, (more & UNMANAGED) != 0),
        ):
            if len(array):
                value = np.where(worse, np.minimum(value, array[self.nodes]), value)
        return np.where(value == NEVER, np.int32(-1), value >> RANK_BITS)

    @cached_property
    def order(self) -> Ints:
        """Places of the affected: services, then what is so by itself, then the inherited; in each the worst, then the
        nearest, then by name and id."""
        topology = self.topology
        distance = np.where(self.distances < 0, np.int64(1 << 30), self.distances).astype(np.int64)
        inherited = self.at_risk & ~self.own_risk if self.at_risk.any() else np.zeros(len(self.nodes), np.bool_)
        key = (topology.cls[self.nodes] != tables.SERVICE).astype(np.int64) << 40
        key |= inherited.astype(np.int64) << 39
        key |= (7 - (self.now & _AVAILABILITY).astype(np.int64)) << 32
        key |= distance
        order = np.argsort(key, kind="stable").astype(np.int32)
        starts = np.flatnonzero(np.diff(key[order], prepend=-1)).tolist()
        for start, end in zip(starts, [*starts[1:], len(order)] if starts else (), strict=True):
            if end - start > 1:
                some = order[start:end].tolist()
                some.sort(
                    key=lambda place: (topology.names[int(self.nodes[place])], topology.id(int(self.nodes[place])))
                )
                order[start:end] = some
        return order


def assumed(topology: Topology, question: Question) -> Change:
    """B: what is down already. Raises ModelError for an id that is not in the graph."""
    return Change(down=frozenset(_ci(topology, id_, "assumed down") for id_ in question.down))


def changed(topology: Topology, question: Question) -> Change:
    """T. Raises ModelError where the kind does not fit, an id is unknown, or nothing is changed."""
    if question.kind not in KINDS:
        raise ModelError(f"unknown kind of change {question.kind!r}; known: {', '.join(KINDS)}")
    if not question.targets and not question.relations:
        raise ModelError("the question has no target: name at least one CI, cable or other relation to change")
    if len(question.targets) + len(question.relations) > MOST_TARGETS:
        raise ModelError(f"the question has more than {MOST_TARGETS} targets; ask of the room or rack that holds them")
    nodes = []
    for id_ in question.targets:
        nodes.append(_ci(topology, id_, "target"))
        if tables.LOCATIONS[topology.cls[nodes[-1]]] and question.kind not in _OF_LOCATIONS:
            item = topology.item(nodes[-1])
            raise ModelError(
                f"target {item.name} ({id_}): a {item.cls} takes {' or '.join(sorted(_OF_LOCATIONS))} only,"
                f" not {question.kind}"
            )
    relations = []
    for id_ in question.relations:
        relations.append(topology.relation_number(id_))
        if relations[-1] < 0 or not topology.leads(relations[-1]):
            raise ModelError(f"target {id_}: no such relation in the graph")
        if question.kind == "reboot":
            raise ModelError(f"target {id_}: a relation cannot be rebooted; reboot needs a CI")
    return _of_cis(topology, question, nodes) | _of_relations(topology, question, relations)


def _of_cis(topology: Topology, question: Question, nodes: Sequence[int]) -> Change:
    if question.kind in {"power_off", "remove"} or question.reboots:
        return Change(down=frozenset(nodes))
    if question.kind == "disconnect":
        return Change(out=frozenset(cable for node in nodes for cable in topology.cables_of(node)))
    return Change(at_risk=frozenset(nodes))


def _of_relations(topology: Topology, question: Question, relations: Iterable[int]) -> Change:
    if question.kind not in {"configure", "patch"}:
        return Change(out=frozenset(relations))
    ends: set[int] = set()
    for relation in relations:
        ends.add(int(topology.src[relation]))
        if topology.type_name(relation) == "connects_to":
            ends.add(int(topology.dst[relation]))
    return Change(at_risk=frozenset(ends))


def _ci(topology: Topology, id_: str, role: str) -> int:
    node = topology.number(id_)
    if node < 0:
        raise ModelError(f"{role} {id_}: no such CI in the graph")
    if not topology.live[node]:
        raise ModelError(f"{role} {id_}: this CI is retired, it is no part of the graph any more")
    return node
