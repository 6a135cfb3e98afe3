"""Levels of L(X): five least fixpoints, in the order and the words of impact.md, a frontier at a time.

A leg is counted once, when it fails; a requirement knows how many of its legs failed, and how many more neither fail
nor hold in full. Whoever has too few left joins the set, and is the next frontier. What nothing reaches costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.coding import MEDIUM_SHIFT
from cmdb.impact import tables
from cmdb.impact.adjacency import distinct
from cmdb.impact.kinds import Bools, Bytes, Ints
from cmdb.impact.settle import (
    ACTIVE_LEG,
    AXIS_SHIFT,
    BESIDE,
    BY_ETHERNET,
    BY_FC,
    HAS_PROTECTION,
    MEDIA_MASK,
    MULTI,
)
from cmdb.impact.tables import AVAILABILITY, MANAGEMENT, PROTECTION

if TYPE_CHECKING:
    from cmdb.impact.ethernet import Outage
    from cmdb.impact.fabric import FcOutage
    from cmdb.impact.networks import Networks
    from cmdb.impact.topology import Topology

DOWN: Final = 1
DEGRADED: Final = 2
AT_RISK: Final = 4
UNPROTECTED: Final = 8
UNMANAGED: Final = 16
"""The sets, as bits of a mark. Who is down is degraded, and who is degraded is at risk."""
CUT_OFF: Final = 32
CUT_OFF_FROM_MANAGEMENT: Final = 64

_NONE: Final = np.empty(0, np.int32)
_FAILS_WHEN_CUT_OFF: Final = MEDIA_MASK | MULTI
_DEGRADES_ALONE: Final = ACTIVE_LEG | BESIDE


@dataclass(frozen=True, slots=True)
class Change:
    """What a set X sets in an otherwise intact graph: nodes seeded down, nodes seeded at risk, relations taken out."""

    down: frozenset[int] = field(default=frozenset())
    at_risk: frozenset[int] = field(default=frozenset())
    out: frozenset[int] = field(default=frozenset())

    def __or__(self, other: Change) -> Change:
        return Change(self.down | other.down, self.at_risk | other.at_risk, self.out | other.out)

    def __bool__(self) -> bool:
        return bool(self.down or self.at_risk or self.out)


class Scratch:
    """Arrays as large as the topology that questions write on, and wipe."""

    def __init__(self, topology: Topology) -> None:
        nodes, relations, requirements = len(topology.key), len(topology.src), len(topology.owner)
        self.mark: Bytes = np.zeros(nodes, np.uint8)
        self.slot: Ints = np.zeros(nodes, np.int32)
        self.failed: Bools = np.zeros(relations, np.bool_)
        self.lost: Ints = np.zeros(requirements, np.int32)
        self.short: Ints = np.zeros(requirements, np.int32)
        self.shaky: Ints = np.zeros(requirements, np.int32)
        self.bare: Ints = np.zeros(requirements, np.int32)
        """Of each requirement the legs that fail; and those that do not, but are degraded, at risk, unprotected."""

    def fits(self, topology: Topology) -> bool:
        return (len(self.mark), len(self.failed), len(self.lost)) == (
            len(topology.key), len(topology.src), len(topology.owner),
        )  # fmt: skip


class Levels:
    """L(X), on a scratch that is its own until `wipe`."""

    def __init__(
        self, topology: Topology, networks: Networks, scratch: Scratch, change: Change, *, down_only: bool = False
    ) -> None:
        """`down_only`: for whoever asks for D of a great many changes; the other sets are left empty."""
        self.topology = topology
        self.networks = networks
        self.change = change
        self.mark = scratch.mark
        self.failed = scratch.failed
        self.lost = scratch.lost
        self.short = scratch.short
        self.shaky = scratch.shaky
        self.bare = scratch.bare
        self._slot = scratch.slot
        self.outage: Outage | None = None
        self.fc: FcOutage | None = None
        self.singled_out: Ints = _NONE
        """Of whom some one CI or cable newly is the only way to all gateways, of those for which that counts."""
        self.parting: dict[tuple[int, int], frozenset[tuple[str, int]]] = {}
        """Of each fc leg that holds (its owner, its target): what newly parts the two alone."""
        self.risk: Outage | None = None
        """The network were all at risk down; None where nobody at risk is in it."""
        self.parted_at_risk: set[tuple[int, int]] = set()
        self.managed_lost: Ints = _NONE
        """Who is cut off from management."""
        self._marked: list[Ints] = []
        self._failures: list[Ints] = []
        self._counted: list[Ints] = []
        self._counted_short: list[Ints] = []
        self._counted_shaky: list[Ints] = []
        self._counted_bare: list[Ints] = []
        self._stirred: list[Ints] = []
        """Requirements of which an active leg fails or is degraded."""
        self._parted_heads: list[int] = []
        self.touched: Ints = _NONE
        """The requirements that lost a leg."""
        ethernet = networks.ethernet  # makes `touching`, too
        fabric = networks.fabric
        if change.out:
            cables = [cable for one in change.out if (cable := networks.cable(one)) >= 0]
            if cables:
                self.outage = ethernet.outage(cables)
            if networks.has_fc:
                self.fc = fabric.outage(change.out)
        self.degraded = self.at_risk = self.unprotected = self.unmanaged = _NONE
        self.down = self._down()
        if not down_only:
            self._work_out_the_rest()

    def _work_out_the_rest(self) -> None:
        self.degraded = self._degraded()
        self.at_risk = self._at_risk()
        self.unprotected = self._unprotected()
        self.unmanaged = self._unmanaged()

    def wipe(self) -> None:
        """Leave the scratch as it was."""
        for nodes in self._marked:
            self.mark[nodes] = 0
        for legs in self._failures:
            self.failed[legs] = False
        for counts, counted in (
            (self.lost, self._counted),
            (self.short, self._counted_short),
            (self.shaky, self._counted_shaky),
            (self.bare, self._counted_bare),
        ):
            for requirements in counted:
                counts[requirements] = 0

    def marked(self) -> Ints:
        """Whoever is in one of the five sets, each once."""
        nodes = np.concatenate((self.at_risk, self.unprotected, self.unmanaged))
        if len(self.unprotected) or len(self.unmanaged):
            nodes = distinct(nodes)
        return nodes

    def counted(self) -> Ints:
        """The requirements of which a leg fails, or is in one of the sets, each once."""
        return distinct(
            joined([*self._counted, *self._counted_short, *self._counted_shaky, *self._counted_bare, *self._stirred])
        )

    def stirred(self) -> Ints:
        """The requirements of which an active leg fails or is degraded."""
        return joined(self._stirred)

    # Sets and legs

    def _join(self, nodes: Ints, bits: int) -> Ints:
        """Mark those that are not marked so yet; returns them, each once."""
        mark = self.mark
        if len(nodes) > 1:
            nodes = nodes[(mark[nodes] & bits) != bits]
            if len(nodes) > 1:
                # The last writer of a slot keeps it: quicker than sorting.
                places = np.arange(len(nodes), dtype=np.int32)
                self._slot[nodes] = places
                nodes = nodes[self._slot[nodes] == places]
        elif len(nodes) and int(mark[nodes[0]]) & bits == bits:
            return _NONE
        if len(nodes):
            mark[nodes] |= np.uint8(bits)
            self._marked.append(nodes)
        return nodes

    def _legs_to(self, nodes: Ints) -> Ints:
        """The legs to some nodes that do not fail so far, each by its head."""
        rows = self.topology.into.gather(nodes)
        if not len(rows):
            return rows
        legs: Ints = rows[(self.topology.req[rows] >= 0) & ~self.failed[rows]]
        return legs

    def _fail(self, legs: Ints) -> Ints:
        """These legs fail now, which did not; returns whom that takes down."""
        if not len(legs):
            return _NONE
        topology = self.topology
        self.failed[legs] = True
        self._failures.append(legs)
        flags = topology.leg[legs]
        beside = (flags & BESIDE) != 0
        if beside.any():
            legs, flags = legs[~beside], flags[~beside]
        requirements = topology.req[legs]
        self._counted.append(requirements)
        np.add.at(self.lost, requirements, np.int32(1))
        available = requirements[flags >> AXIS_SHIFT == AVAILABILITY]
        broken = available[self.lost[available] > topology.margin[available]]
        found: Ints = topology.owner[broken]
        return found

    def failure(self, leg: int) -> str | None:
        """Why a leg fails: `down`, `cut_off`, `taken_out` or `no_path`; None where it holds."""
        topology = self.topology
        target = int(topology.dst[leg])
        if self.mark[target] & DOWN:
            return "down"
        if topology.leg[leg] >> AXIS_SHIFT == MANAGEMENT and self.mark[target] & CUT_OFF_FROM_MANAGEMENT:
            return "cut_off"
        if not self.failed[leg]:
            return None
        return self.relation_failure(min(topology.relations_of_leg(leg), key=topology.relation_id))

    def relation_failure(self, relation: int) -> str | None:
        """Why a relation fails for another reason than that its target is down."""
        topology = self.topology
        source, target, key = int(topology.src[relation]), int(topology.dst[relation]), int(topology.rkey[relation])
        if self.change.out and any(key == topology.rkey[one] for one in self.change.out):
            return "taken_out"
        medium = int(topology.rcode[relation]) >> MEDIUM_SHIFT & 3
        if medium == BY_ETHERNET >> 1:
            return None if self.cut_off_by(target) is None else "cut_off"
        parted = medium == BY_FC >> 1 and self.fc is not None and self.fc.is_parted(source, target)
        return "no_path" if parted else None

    def cut_off_by(self, target: int) -> int | None:
        """What is cut off when this leg is: itself or, where it has no ethernet cable, something that it is part of."""
        if self.outage is None:
            return None
        if self.networks.ethernet.cabled[target]:
            return target if self.mark[target] & CUT_OFF else None
        return next((one for one in self.topology.part_of(target) if self.mark[one] & CUT_OFF), None)

    def _failing(self, heads: Iterable[int]) -> Ints:
        """Those of the legs, each by its head, all of whose relations fail, and that did not so far."""
        relations_of = self.topology.relations_of_leg
        found = [
            head
            for head in dict.fromkeys(heads)
            if not self.failed[head] and all(self.relation_failure(one) for one in relations_of(head))
        ]
        return np.array(found, np.int32)

    def _taken_out(self) -> Ints:
        """The legs that fail because of what was taken out."""
        topology = self.topology
        heads = []
        for relation in self.change.out:
            for one in (relation, *topology.copies.get(relation, ())):
                number = int(topology.req[one])
                if number != -1:
                    heads.append(one if number >= 0 else -2 - number)
        return self._failing(heads)

    def _of_cut_off(self, nodes: Ints) -> Ints:
        """The legs that fail because these are cut off now."""
        cabled = nodes[self.networks.ethernet.cabled[nodes]]
        legs = self._legs_to(np.concatenate((cabled, self._uncabled_parts(nodes))))
        flags = self.topology.leg[legs]
        legs, flags = legs[(flags & BY_ETHERNET) != 0], flags[(flags & BY_ETHERNET) != 0]
        alone = (flags & _FAILS_WHEN_CUT_OFF) == BY_ETHERNET
        if alone.all():
            sure: Ints = legs
            return sure
        return np.concatenate((legs[alone], self._failing(legs[~alone].tolist())))

    def _uncabled_parts(self, nodes: Ints) -> Ints:
        """What is part of these, and has no ethernet cable of its own; gateways without cables stand for themselves."""
        cabled, topology = self.networks.ethernet.cabled, self.topology
        found = [nodes[~cabled[nodes]]]
        edge = nodes
        seen: set[int] = set()
        while len(edge):
            rows = topology.into.gather(edge)
            rows = rows[(topology.rcode[rows] & (31 | 1 << 13)) == tables.PART_OF]
            if not len(rows):
                break
            edge = distinct(topology.src[rows])
            edge = edge[topology.live[edge]]
            if seen:
                edge = np.array([one for one in edge.tolist() if one not in seen], np.int32)
            seen.update(edge.tolist())
            found.append(edge[~cabled[edge]])
        return distinct(np.concatenate(found)) if len(found) > 1 else found[0]

    def _of_parted(self, parted: Ints) -> Ints:
        """The legs that fail because no fc path joins their ends any more, of those that no path joins."""
        if not len(parted):
            return parted
        self._parted_heads += parted.tolist()
        parted = parted[~self.failed[parted]]
        alone = (self.topology.leg[parted] & (MEDIA_MASK | MULTI)) == BY_FC
        if alone.all():
            return parted
        return np.concatenate((parted[alone], self._failing(parted[~alone].tolist())))

    def parted_legs(self) -> list[int]:
        """The legs that fail for want of an fc path, and for no reason that comes before that."""
        return [leg for leg in dict.fromkeys(self._parted_heads) if self.failure(leg) == "no_path"]

    # The five sets

    def _down(self) -> Ints:
        """D: the down seeds, whoever has too few legs that do not fail, and whom being cut off means down."""
        change = self.change
        waiting = [np.fromiter(change.down, np.int32, len(change.down)), *self._short_at_birth(AVAILABILITY)]
        if self.fc is not None:
            waiting.append(self._fail(self._of_parted(self.fc.begin_legs())))
        if self.outage is not None:
            waiting += self._cut(self.outage.begin())
        if change.out:
            waiting.append(self._fail(self._taken_out()))
        down = self._fall(waiting)
        self.touched = joined(self._counted)
        return down

    def _fall(self, waiting: list[Ints]) -> Ints:
        """Who is down newly when these are."""
        found: list[Ints] = []
        while waiting:
            new = self._join(waiting.pop() if len(waiting) == 1 else np.concatenate(waiting), DOWN | DEGRADED | AT_RISK)
            if not len(new):
                break
            found.append(new)
            waiting = [self._fail(self._legs_to(new))]
            in_network = new[self.networks.touching[new]]
            if len(in_network):
                if self.outage is None:
                    self.outage = self.networks.ethernet.outage()
                waiting += self._cut(self.outage.fail(in_network))
            if self.networks.has_fc and len(parted := self._parted_by(new)):
                waiting.append(self._fail(self._of_parted(parted)))
        return joined(found)

    def _short_at_birth(self, axis: int) -> list[Ints]:
        """Who needs more than he has, whatever happens."""
        topology = self.topology
        short = [
            one
            for one in topology.short_at_birth
            if topology.margin[one] < 0 and tables.AXES[topology.rtype[one]] == axis
        ]
        return [topology.owner[short]] if short else []

    def _cut(self, nodes: Ints) -> list[Ints]:
        """These are cut off now: whom that takes down, by itself and by the legs that fail."""
        if not len(nodes):
            return []
        self.mark[nodes] |= np.uint8(CUT_OFF)
        self._marked.append(nodes)
        lost = nodes[tables.DOWN_WHEN_CUT_OFF[self.topology.cls[nodes]]]
        return [lost, self._fail(self._of_cut_off(nodes))]

    def _degraded(self) -> Ints:
        """Z ⊇ D: too few to serve in full, too few legs not degraded themselves, or an active leg to replace."""
        topology = self.topology
        if not self._failures and not topology.short_at_birth:
            return _NONE
        lost = self.touched[tables.AXES[topology.rtype[self.touched]] == AVAILABILITY]
        waiting = [topology.owner[lost[self.lost[lost] > topology.spare[lost]]]]
        if self._failures:
            legs = joined(self._failures)
            flags = topology.leg[legs]
            active = legs[((flags & _DEGRADES_ALONE) != 0) & (flags >> AXIS_SHIFT == AVAILABILITY)]
            self._stirred.append(topology.req[active])
            waiting.append(topology.owner[self._stirred[-1]])
        born = [one for one in topology.short_at_birth if topology.spare[one] < 0]
        born = [one for one in born if tables.AXES[topology.rtype[one]] == AVAILABILITY]
        if born:
            waiting.append(topology.owner[born])
        found: list[Ints] = []
        new = self._join(joined(waiting), DEGRADED | AT_RISK)
        while len(new):
            found.append(new)
            legs = self._legs_to(new)
            flags = topology.leg[legs]
            available = flags >> AXIS_SHIFT == AVAILABILITY
            legs, flags = legs[available], flags[available]
            self._stirred.append(topology.req[legs[(flags & _DEGRADES_ALONE) != 0]])
            active = topology.owner[self._stirred[-1]]
            counted = topology.req[legs[(flags & BESIDE) == 0]]
            np.add.at(self.short, counted, np.int32(1))
            self._counted_short.append(counted)
            broken = counted[self.lost[counted] + self.short[counted] > topology.margin[counted]]
            new = self._join(np.concatenate((active, topology.owner[broken])), DEGRADED | AT_RISK)
        return joined(found)

    def _at_risk(self) -> Ints:
        """R ⊇ Z and the seeds at risk: a spare lost, too few legs not at risk, or only one way left in a network."""
        topology, change = self.topology, self.change
        waiting = [np.fromiter(change.at_risk, np.int32, len(change.at_risk))]
        if len(self.touched):
            lost = self.touched[tables.AXES[topology.rtype[self.touched]] == AVAILABILITY]
            waiting.append(topology.owner[lost[self.lost[lost] == topology.margin[lost]]])
        if self.outage is not None:
            singled = self.outage.singled_out()
            self.singled_out = singled[tables.DOWN_WHEN_CUT_OFF[topology.cls[singled]]]
            waiting.append(self.singled_out)
        if self.fc is not None:
            parting = self.fc.parting_legs()
            legs = np.fromiter(parting, np.int32, len(parting))
            legs = legs[~self.failed[legs]]
            self.parting = dict(zip(self._pairs(legs), (parting[leg] for leg in legs.tolist()), strict=True))
            waiting.append(topology.owner[topology.req[legs]])
        found: list[Ints] = [self.down, self.degraded]
        new = self._join(joined(waiting), AT_RISK)
        found.append(new)
        new = np.concatenate((self.degraded, new))
        while len(new):
            legs = self._legs_to(new)
            flags = topology.leg[legs]
            counted = topology.req[legs[(flags & BESIDE == 0) & (flags >> AXIS_SHIFT == AVAILABILITY)]]
            np.add.at(self.shaky, counted, np.int32(1))
            self._counted_shaky.append(counted)
            broken = counted[self.lost[counted] + self.shaky[counted] > topology.margin[counted]]
            waiting = [topology.owner[broken]]
            in_network = new[self.networks.touching[new]]
            if len(in_network):
                if self.risk is None:
                    outage = self.outage
                    self.risk = self.networks.ethernet.outage() if outage is None else outage.further()
                cut = self.risk.fail(in_network)
                cut = cut[tables.DOWN_WHEN_CUT_OFF[topology.cls[cut]]]
                cut = cut[(self.mark[cut] & AT_RISK) == 0]
                waiting.append(cut)
            if self.networks.has_fc:
                waiting.append(self._parted_were_all_down(new))
            new = self._join(joined(waiting), AT_RISK)
            found.append(new)
        return joined(found)

    def _parted_by(self, nodes: Ints) -> Ints:
        """The legs whose ends no fc path joins any more, now that these are down."""
        matter = self.networks.fabric.mattering(nodes)
        if not matter:
            return _NONE
        if self.fc is None:
            self.fc = self.networks.fabric.outage()
        return self.fc.fail_legs(matter)

    def _parted_were_all_down(self, nodes: Ints) -> Ints:
        """Whose fc legs would have no path left were all at risk down."""
        topology = self.topology
        matter = self.networks.fabric.mattering(nodes)
        if not matter:
            return _NONE
        if self.fc is None:
            self.fc = self.networks.fabric.outage()
        legs = self.fc.further_risk_legs(matter)
        legs = legs[~self.failed[legs]]
        self.parted_at_risk.update(self._pairs(legs))
        owners: Ints = topology.owner[topology.req[legs]]
        return owners

    def _pairs(self, legs: Ints) -> list[tuple[int, int]]:
        """The owner and the target of each of some legs."""
        return list(zip(self.topology.src[legs].tolist(), self.topology.dst[legs].tolist(), strict=True))

    def holding_fc_legs(self, pair: tuple[int, int]) -> Ints:
        """The legs of an owner to a target that hold by fc alone."""
        topology = self.topology
        row = topology.out.row(pair[0])
        legs = row[(topology.dst[row] == pair[1]) & (topology.req[row] >= 0) & ~self.failed[row]]
        flags = topology.leg[legs]
        found: Ints = legs[(flags & MEDIA_MASK == BY_FC) & (flags >> AXIS_SHIFT == AVAILABILITY)]
        return found

    def _unprotected(self) -> Ints:
        """U: too few legs back it up; or, where it has no protection of its own, what it stands on lost its own."""
        topology = self.topology
        if not len(self.touched) and not topology.short_at_birth:
            return _NONE
        lost = self.touched[tables.AXES[topology.rtype[self.touched]] == PROTECTION]
        waiting = [topology.owner[lost[self.lost[lost] > topology.margin[lost]]], *self._short_at_birth(PROTECTION)]
        for one in topology.short_at_birth:
            if topology.margin[one] < 0 and tables.PASSES_PROTECTION_ON[topology.rtype[one]]:
                owner = topology.owner[one : one + 1]
                waiting.append(owner[(topology.flags[owner] & HAS_PROTECTION) == 0])
        found: list[Ints] = []
        new = self._join(joined(waiting), UNPROTECTED)
        while len(new):
            found.append(new)
            rows = topology.into.gather(new)
            rows = rows[(topology.req[rows] >= 0) & (topology.leg[rows] & BESIDE == 0)]
            requirements = topology.req[rows]
            own = tables.AXES[topology.rtype[requirements]] == PROTECTION
            passed_on = tables.PASSES_PROTECTION_ON[topology.rtype[requirements]]
            passed_on &= (topology.flags[topology.owner[requirements]] & HAS_PROTECTION) == 0
            # What stands on something that lost its backup has lost it too, whether or not the leg fails.
            counted = requirements[(own & ~self.failed[rows]) | passed_on]
            np.add.at(self.bare, counted, np.int32(1))
            self._counted_bare.append(counted)
            own = tables.AXES[topology.rtype[counted]] == PROTECTION
            gone = self.bare[counted] + np.where(own, self.lost[counted], 0)
            new = self._join(topology.owner[counted[gone > topology.margin[counted]]], UNPROTECTED)
        return joined(found)

    def _unmanaged(self) -> Ints:
        """M: too few legs that manage it, or cut off from management where that means unmanaged."""
        topology = self.topology
        if self.outage is not None:
            self.managed_lost = self.outage.cut_off_from_management()
            if len(self.managed_lost):
                self.mark[self.managed_lost] |= np.uint8(CUT_OFF_FROM_MANAGEMENT)
                self._marked.append(self.managed_lost)
                legs = self._legs_to(self.managed_lost)
                self._fail(legs[topology.leg[legs] >> AXIS_SHIFT == MANAGEMENT])
                self.touched = joined(self._counted)
        elif not len(self.touched) and not topology.short_at_birth:
            return _NONE
        lost = self.touched[tables.AXES[topology.rtype[self.touched]] == MANAGEMENT]
        waiting = [
            topology.owner[lost[self.lost[lost] > topology.margin[lost]]],
            self.managed_lost[tables.UNMANAGED_WHEN_CUT_OFF[topology.cls[self.managed_lost]]],
            *self._short_at_birth(MANAGEMENT),
        ]
        return self._join(joined(waiting), UNMANAGED)


def joined(parts: list[Ints]) -> Ints:
    if len(parts) == 1:
        return parts[0]
    parts = [part for part in parts if len(part)]
    if not parts:
        return _NONE
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
