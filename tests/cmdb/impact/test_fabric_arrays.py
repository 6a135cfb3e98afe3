"""The fc layer on numbers says, on random fabrics, what the plain search says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from cmdb.impact.fabric import Fabric, FcOutage
from cmdb.impact.kinds import Ints
from cmdb.impact.networks import Networks
from cmdb.impact.rows import rows_of
from cmdb.impact.topology import Topology
from cmdb.model import CI, Change, Component, Graph, Relation, State, Value
from tests.naive.fabric import lost_near
from tests.naive.intact import Intact, Leg
from tests.naive.levels import Now, parted_without

ROUNDS = 6
"""Worlds in each case; there are as many cases as seeds. 50,000 were run by hand."""

Pair = tuple[str, str]
Elements = frozenset[str]


class World:
    """A small estate with fabrics, as the plain search and as the fc layer see it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.cis: dict[str, CI] = {}
        self.relations: dict[str, Relation] = {}
        self.names: list[str] = []
        self._hardware()
        self._guests()
        self._storage()
        self._cabling()
        self._zoning()
        self._legs()
        self.topology = Topology.of(rows_of(Graph(1, self.cis, self.relations)))
        self._look()

    def _look(self) -> None:
        """What tests ask about, of the graph as it stands."""
        self.graph = Graph(1, dict(self.cis), dict(self.relations))
        self.alive = [name for name in self.cis if self.cis[name].state is not State.RETIRED]
        self.number = {name: self.topology.number(name) for name in self.cis}
        self.relation_number = {id_: self.topology.relation_number(id_) for id_ in self.relations}
        media: dict[Pair, set[Value | None]] = defaultdict(set)
        for one in self.relations.values():
            if one.type == "stored_on" and {one.source, one.target} <= set(self.alive):
                media[one.source, one.target].add(one.columns.get("medium"))
        self.legs = {pair: said == {"fc"} for pair, said in media.items() if "fc" in said}
        """Of each owner and target whether the leg between is pure."""

    def change(self) -> None:
        """Something comes, goes or turns into something else, and the topology follows."""
        change = self._random.choice((self._new, self._gone, self._other, self._wired))()
        for kept in (self.cis, self.relations):
            kept.pop(change.id, None)
        if isinstance(change.after, CI):
            self.cis[change.id] = change.after
        elif change.after is not None:
            self.relations[change.id] = change.after
        self.topology.apply([change], 1)
        self._look()

    def _new(self) -> Change:
        name = f"new{len(self.cis)}"
        return Change(name, None, CI(name, self._random.choice(("fc_switch", "server", "volume")), "default", name))

    def _gone(self) -> Change:
        id_ = self._random.choice(list(self.relations))
        return Change(id_, self.relations[id_], None)

    def _other(self) -> Change:
        ci = self.cis[self._random.choice(list(self.cis))]
        if self._random.random() < 0.5:
            return Change(ci.id, ci, replace(ci, gaps={} if ci.gaps else {"zoned_to": "denied"}))
        retired = ci.state is State.RETIRED
        return Change(ci.id, ci, replace(ci, state=State.PRESENT if retired else State.RETIRED))

    def _wired(self) -> Change:
        types = ("connects_to", "connects_to", "stored_on", "part_of", "hosted_on", "composed_of")
        type_, ends = self._random.choice(types), self._random.sample(list(self.cis), 2)
        medium: dict[str, Value] = {"medium": "fc"} if type_ in {"connects_to", "stored_on"} else {}
        id_ = f"w{len(self.relations)}-{self._random.random()}"
        return Change(id_, None, Relation(id_, type_, ends[0], ends[1], medium))

    def _add(self, cls: str, count: int) -> list[str]:
        added = [f"{cls}{len(self.names) + place}" for place in range(count)]
        for name in added:
            state = State.RETIRED if self._random.random() < 0.03 else State.PRESENT
            gaps = {"zoned_to": "never collected"} if self._random.random() < 0.2 else {}
            ports = [Component("fc_port", "p1", {"wwpn": f"{1:016x}"})] if self._random.random() < 0.5 else []
            self.cis[name] = CI(name, cls, "default", name, None, state, {}, frozenset(), tuple(ports), gaps=gaps)
        self.names += added
        return added

    def relate(self, type_: str, source: str, target: str, **columns: Value) -> None:
        id_ = f"r{len(self.relations)}"
        self.relations[id_] = Relation(id_, type_, source, target, columns)

    def _some(self, names: list[str], most: int) -> list[str]:
        return self._random.sample(names, min(len(names), self._random.randint(0, most)))

    def _hardware(self) -> None:
        self.fabrics = [
            self._add("fc_switch", self._random.choice((1, 1, 2, 3, 4, 6)))
            for _ in range(self._random.choice((1, 2, 2, 3)))
        ]
        self.switches = [switch for fabric in self.fabrics for switch in fabric]
        self.servers = self._add("server", self._random.randint(1, 4))
        for fabric in self.fabrics:
            self._trunks(fabric)

    def _trunks(self, fabric: list[str]) -> None:
        """A cascade, a ring, a core with edges, or a mesh; some trunks are double, some join two fabrics."""
        kind = self._random.choice(("cascade", "ring", "core", "mesh", "any"))
        pairs = list(pairwise(fabric))
        match kind:
            case "ring" if len(fabric) > 2:
                pairs.append((fabric[-1], fabric[0]))
            case "core":
                pairs = [(fabric[0], edge) for edge in fabric[1:]]
            case "mesh":
                pairs = [(one, other) for one in fabric for other in fabric if one < other]
            case "any":
                pairs = [(self._random.choice(fabric), self._random.choice(self.switches)) for _ in fabric]
        for one, other in pairs:
            if one == other:
                continue
            for _ in range(self._random.choice((1, 1, 1, 2))):
                self.relate("connects_to", one, other, medium="fc")

    def _guests(self) -> None:
        self.guests = self._add("virtual_machine", self._random.randint(0, 3))
        clusters = self._add("cluster", self._random.randint(0, 1))
        for cluster in clusters:
            for server in self._some(self.servers, 3):
                self.relate("composed_of", cluster, server)
        for guest in self.guests:
            for host in self._some([*clusters, *self.servers], 2):
                self.relate(self._random.choice(("hosted_on", "runs_on", "served_by")), guest, host)
        if self._random.random() < 0.1:
            self.relate("served_by", self._random.choice(self.servers), self._random.choice(self.names))

    def _storage(self) -> None:
        self.arrays = self._add("storage", self._random.randint(1, 3))
        pools = self._add("pool", self._random.randint(0, 2))
        self.volumes = self._add("volume", self._random.randint(1, 3))
        for pool in pools:
            for array in self._some(self.arrays, 2):
                self.relate("part_of", pool, array)
        for volume in self.volumes:
            for above in self._some([*pools, *self.arrays], 2):
                self.relate("part_of", volume, above)
        if self._random.random() < 0.2:
            self.relate("part_of", self._random.choice(self.volumes), self._random.choice(self.names))

    def _port(self) -> Value:
        return f"{self._random.randint(1, 3):016x}" if self._random.random() < 0.6 else self._random.choice(("p1", "x"))

    def _cabling(self) -> None:
        for end in (*self.servers, *self.arrays, *self._some(self.guests, 1)):
            for switch in self._some(self.switches, 4):
                for _ in range(self._random.choice((1, 1, 1, 2))):
                    self._cable(end, switch)
        if self._random.random() < 0.2:
            self._cable(self._random.choice(self.servers), self._random.choice(self.arrays))
        if self._random.random() < 0.2:
            self._cable(self._random.choice(self.names), self._random.choice(self.names))

    def _cable(self, one: str, other: str) -> None:
        ends = (one, other) if self._random.random() < 0.5 else (other, one)
        if one == other:
            return
        self.relate("connects_to", *ends, medium="fc", from_port=self._port(), to_port=self._port())

    def _zoning(self) -> None:
        for server in self.servers:
            if self._random.random() < 0.4:
                for array in self._some(self.arrays * 2, 4):
                    ports = {"from_wwpn": self._port(), "to_wwpn": self._port()}
                    self.relate("zoned_to", server, array, **ports)

    def _legs(self) -> None:
        owners = [*self.servers, *self.guests, *self._some(self.arrays, 1)]
        targets = [*self.volumes, *self.arrays, *self._some(self.switches, 1), *self._some(self.servers, 1)]
        pairs = [
            (owner, target) for owner in owners for target in targets if owner != target and self._random.random() < 0.6
        ]
        for owner, target in pairs:
            pure = self._random.random() < 0.8
            media = self._random.choice((["fc"], ["fc"], ["fc", "fc"])) if pure else ["fc", "ethernet"]
            for medium in self._random.sample(media, len(media)):
                self.relate("stored_on", owner, target, medium=medium)


def named(world: World, legs: Ints) -> set[Pair]:
    assert len(legs) == len(set(legs.tolist()))
    return {pair_of(world, leg) for leg in legs.tolist()}


def pair_of(world: World, leg: int) -> Pair:
    topology = world.topology
    return topology.id(int(topology.src[leg])), topology.id(int(topology.dst[leg]))


def elements(world: World, found: frozenset[tuple[str, int]]) -> Elements:
    return frozenset(world.topology.id(one) if kind == "ci" else world.topology.relation_id(one) for kind, one in found)


def parted(world: World, intact: Intact, down: set[str], out: frozenset[str]) -> set[Pair]:
    """What no path joins any more; a target that is down itself does not matter: its leg fails."""
    now = Now(intact, down, out)
    return {pair for pair in world.legs if pair[1] not in down and now._parted(*pair)}


def holding(world: World, intact: Intact, down: set[str], out: frozenset[str]) -> Iterator[Pair]:
    """The pairs of pure legs that a path joins."""
    now = Now(intact, down, out)
    for pair, pure in world.legs.items():
        if pure and pair[1] not in down and intact.joined(*pair) and not now._parted(*pair):
            yield pair


def newly_parting(world: World, intact: Intact, down: set[str], out: frozenset[str]) -> dict[Pair, Elements]:
    found = {}
    for owner, target in holding(world, intact, down, out):
        ends = intact.carriers(owner), intact.part_of(target)
        new = intact.fabric.parting(*ends, down, out) - intact.fabric.parting(*ends)
        if new:
            found[owner, target] = new
    return found


def risky(world: World, intact: Intact, down: set[str], out: frozenset[str], at_risk: set[str]) -> set[Pair]:
    now = Now(intact, down, out)
    return {
        (owner, target)
        for owner, target in holding(world, intact, down, out)
        if parted_without(now, at_risk, owner, Leg(target))
    }


def check_what_is_parted(
    world: World, random: Random, intact: Intact, outage: FcOutage, out: frozenset[str]
) -> set[str]:
    down: set[str] = set()
    found = named(world, outage.begin_legs())
    assert found == parted(world, intact, down, out)
    for _ in range(random.randint(0, 3)):
        more = random.sample(world.alive, random.choice((1, 1, 2)))
        down |= set(more)
        numbers = [world.number[name] for name in more]
        new = named(world, outage.fail_legs(np.array(numbers, np.int32) if random.random() < 0.2 else numbers))
        assert new.isdisjoint(found)
        found |= new
        assert {pair for pair in found if pair[1] not in down} == parted(world, intact, down, out)
    assert found == {pair for pair in world.legs if outage.is_parted(world.number[pair[0]], world.number[pair[1]])}
    return down


def check_what_hangs_by_one(
    world: World, intact: Intact, outage: FcOutage, down: set[str], out: frozenset[str]
) -> None:
    parting = {pair_of(world, leg): elements(world, by) for leg, by in outage.parting_legs().items()}
    expected = newly_parting(world, intact, down, out)
    assert {pair: by for pair, by in parting.items() if pair[1] not in down} == expected


def check_what_hangs_by_those_at_risk(
    world: World, random: Random, intact: Intact, outage: FcOutage, down: set[str], out: frozenset[str]
) -> None:
    at_risk = set(down) | set(random.sample(world.alive, random.randint(0, 3)))
    risk = outage.further()
    found = named(world, risk.further_risk_legs([world.number[name] for name in at_risk]))
    assert {pair for pair in found if pair[1] not in down} == risky(world, intact, down, out, at_risk)
    for _ in range(random.randint(0, 2)):
        more = set(random.sample(world.alive, random.randint(1, 2)))
        at_risk |= more
        new = named(world, risk.further_risk_legs([world.number[name] for name in more]))
        assert new.isdisjoint(found)
        found |= new
        assert {pair for pair in found if pair[1] not in down} == risky(world, intact, down, out, at_risk)
    assert named(world, outage.further().further_risk_legs([world.number[name] for name in at_risk])) == found


def check_the_ways_to_what_is_lost(
    world: World, random: Random, intact: Intact, arrays: Fabric, out: frozenset[str]
) -> None:
    lost = set(random.sample(world.alive, min(4, len(world.alive))))
    owner, target = random.choice(list(world.legs))
    steps = {one: far + 1 for one, far in intact.part_of(target).items()} | dict(intact.carriers(owner))
    expected: dict[str, int] = {}
    for cable, other, far in lost_near(intact.fabric, steps):
        hits = [cable] if cable in out else []
        hits += [other] if other in lost and other in intact.fabric.switches else []
        for one in hits:
            expected[one] = min(far, expected.get(one, far))

    found = arrays.lost_near(
        {world.number[one]: far for one, far in steps.items()},
        {world.number[one] for one in lost},
        [world.relation_number[one] for one in out],
    )

    assert {one: far for element, far in found for one in elements(world, frozenset({element}))} == expected
    zones = {world.topology.relation_id(zone) for zone in arrays.zones_of([world.number[one] for one in steps])}
    assert zones == set(intact.fabric.zones_of(steps))


def check(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    check_questions(world, random, Fabric(world.topology))


def check_after_changes(seed: int) -> None:
    random = Random(seed)
    world = World(random)
    networks = Networks(world.topology)
    for _ in range(4):
        assert networks.fabric is networks.fabric
        for _ in range(random.choice((1, 1, 2, 3))):
            world.change()
        check_questions(world, random, networks.fabric)


def check_questions(world: World, random: Random, arrays: Fabric) -> None:
    intact = Intact(world.graph)
    numbers = {pair: (world.number[pair[0]], world.number[pair[1]]) for pair in world.legs}
    if random.random() < 0.5:
        joined = {pair: arrays.routes.between(*both) is not None for pair, both in numbers.items()}
        assert joined == {pair: intact.joined(*pair) for pair in world.legs}
    for _ in range(3):
        out = frozenset(random.sample(list(world.relations), min(len(world.relations), random.choice((0, 0, 1, 2)))))
        outage = arrays.outage([world.relation_number[id_] for id_ in out])
        down = check_what_is_parted(world, random, intact, outage, out)
        check_what_hangs_by_one(world, intact, outage, down, out)
        check_what_hangs_by_those_at_risk(world, random, intact, outage, down, out)
        if world.legs:
            check_the_ways_to_what_is_lost(world, random, intact, arrays, out)


@pytest.mark.parametrize("seed", range(4))
def test_the_fc_layer_finds_what_the_plain_search_finds(seed: int) -> None:
    for number in range(ROUNDS):
        check(seed * ROUNDS + number)


@pytest.mark.parametrize("seed", range(2))
def test_the_fc_layer_follows_the_topology(seed: int) -> None:
    for number in range(ROUNDS):
        check_after_changes(seed * ROUNDS + number)
