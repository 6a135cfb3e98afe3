"""The ethernet of the impact engine, on arrays, is what the naive one finds on random small networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from cmdb.impact import ethernet, forest, separators
from cmdb.model import CI, Relation
from tests.naive.ethernet import Ethernet as Naive
from tests.naive.ethernet import Separators

WORLDS = 20
"""Networks in each case."""


@dataclass(frozen=True)
class Network:
    """Cables by number; the CIs are 0 … passes.size - 1."""

    cables: list[tuple[int, int, bool, bool]]
    """Two ends, and whether each is in a management port."""
    passes: NDArray[np.bool_]
    gateways: list[int]

    def arrays(self) -> ethernet.Ethernet:
        columns = list(zip(*self.cables, strict=True)) if self.cables else [(), (), (), ()]
        a, b = (np.array(column, np.int32) for column in columns[:2])
        of_a, of_b = (np.array(column, np.bool_) for column in columns[2:])
        return ethernet.Ethernet(self.passes.size, a, b, of_a, of_b, self.passes, np.array(self.gateways, np.int32))

    def naive(self) -> Naive:
        cis = {
            str(n): CI(
                str(n), "network_switch" if passes and n not in self.gateways else "server", "", str(n),
                attributes={"gateway": True} if n in self.gateways else {},
            )
            for n, passes in enumerate(self.passes.tolist())
        }  # fmt: skip
        return Naive(cis, [
            Relation(f"c{n}", "connects_to", str(a), str(b), {"from_management": of_a, "to_management": of_b})
            for n, (a, b, of_a, of_b) in enumerate(self.cables)
        ])  # fmt: skip


def network(random: Random) -> Network:
    """Rings, chains, meshes, trees and pairs of cores with hosts on one switch, two or three, all loosely joined."""
    passing = random.randint(0, random.choice((3, 6, 12, 30)))
    hosts = random.randint(0, 12)
    size = passing + hosts + random.randint(0, 2)
    names = random.sample(range(size), size)
    switches, leaves = names[:passing], names[passing : passing + hosts]
    pairs: list[tuple[int, int]] = []
    rest = switches
    while rest:
        part, rest = rest[: (cut := random.randint(1, 10))], rest[cut:]
        pairs += _shape(random, part)
        if random.random() < 0.9:
            pairs += [(random.choice(part), random.choice(switches)) for _ in range(random.choice((1, 1, 2, 3)))]
    for leaf in leaves:
        pairs += [(leaf, random.choice(switches or leaves)) for _ in range(random.choice((0, 1, 1, 2, 2, 3)))]
    pairs += [random.choice(pairs) for _ in range(random.choice((0, 0, 1, 3))) if pairs]
    pairs += [(random.choice(names), random.choice(names)) for _ in range(random.choice((0, 0, 1, 2))) if names]
    ports = [(False, False)] * 12 + [(True, False), (False, True), (True, True)]
    cables = [
        (*(pair if random.random() < 0.5 else pair[::-1]), *random.choice(ports))
        for pair in random.sample(pairs, len(pairs))
    ]
    passes = np.zeros(size, np.bool_)
    passes[switches] = True
    gateways = random.sample(names, min(size, random.choice((0, 1, 1, 1, 2, 3))))
    if random.random() < 0.8:
        gateways = [n for n in gateways if n in switches] or switches[:1]
    passes[gateways] = True
    return Network(cables, passes, sorted(gateways))


def _shape(random: Random, part: list[int]) -> list[tuple[int, int]]:
    chain = list(pairwise(part))
    match random.choice(("chain", "ring", "mesh", "tree", "cores", "ladder")):
        case "ring":
            return [*chain, (part[-1], part[0])]
        case "mesh":
            return [(a, b) for a in part for b in part if a < b and random.random() < 0.6]
        case "tree":
            return [(n, part[random.randrange(place)]) for place, n in enumerate(part) if place]
        case "cores":
            return [(core, n) for core in part[:2] for n in part[2:]]
        case "ladder":
            return [*chain, *zip(part, part[2:], strict=False)]
        case _:
            return chain


def numbers(found: Iterable[str]) -> list[int]:
    return sorted(int(text.lstrip("c")) for text in found)


def once(found: NDArray[np.int32]) -> list[int]:
    """Sorted; whoever comes twice comes twice."""
    return sorted(found.tolist())


class Compared:
    """One outage, in both."""

    def __init__(self, network: Network, random: Random) -> None:
        self.network, self.random = network, random
        self.arrays, self.naive = network.arrays(), network.naive()
        self.out = random.sample(
            range(len(network.cables)), random.choice((0, 0, 1, 1, 3, 8)) % (len(network.cables) + 1)
        )
        self.names = {f"c{n}" for n in self.out}
        self.down: set[str] = set()
        self.cut: frozenset[str] = frozenset()
        self.outage = self.arrays.outage(self.out)
        self.newly(self.outage.begin())

    def newly(self, cut: NDArray[np.int32]) -> None:
        before, self.cut = self.cut, self.naive.connected_intact - self.naive.connected(self.down, self.names)
        assert once(cut) == numbers(self.cut - before)
        assert once(self.outage.cut_off) == numbers(self.cut)

    def fail(self) -> None:
        size = self.network.passes.size
        chosen = self.random.choices(range(size), k=self.random.choice((1, 1, 1, 2, 4))) if size else []
        if chosen and self.random.random() < 0.5:
            chosen = [n for n in chosen if self.network.passes[n]] or chosen
        self.down |= {str(n) for n in chosen}
        self.newly(self.outage.fail(np.array(chosen, np.int32)))

    def same(self) -> None:
        naive, outage = self.naive, self.outage
        assert [n for n in range(self.network.passes.size) if outage.is_cut_off(n)] == numbers(self.cut)
        managed = naive.managed_intact - naive.managed(self.down, self.names)
        assert once(outage.cut_off_from_management()) == numbers(managed)
        now, before = Separators(naive, self.down, self.names), naive.separators_intact
        new = {id_: now.of(id_) - before.of(id_) for id_ in naive.connected_intact - self.cut}
        assert once(outage.singled_out()) == numbers(id_ for id_, ids in new.items() if ids)
        beside = {
            id_
            for id_, ids in new.items()
            if ids & {one for cable in naive.cables.get(id_, ()) for one in (cable.id, cable.other)}
        }
        assert once(outage.singled_out_beside()) == numbers(beside)
        for n in range(self.network.passes.size):
            ids = new.get(str(n), frozenset())
            cis, cables = ({id_ for id_ in ids if id_.startswith("c") is cable} for cable in (False, True))
            assert outage.separators(n) == (frozenset(numbers(cis)), frozenset(numbers(cables)))


def check(random: Random) -> None:
    compared = Compared(network(random), random)
    if random.random() < 0.7:
        compared.same()
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        compared.fail()
        if random.random() < 0.7:
            compared.same()
        if random.random() < 0.2:
            kept = compared.outage
            compared.outage = kept.further()
            down, cut = set(compared.down), compared.cut
            compared.fail()
            compared.same()
            compared.outage, compared.down, compared.cut = kept, down, cut
            compared.same()
    compared.same()


@pytest.fixture(params=["as it is", "for large networks"])
def _limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks take the ways of large ones, too."""
    if request.param == "for large networks":
        monkeypatch.setattr(separators, "_LARGE", 1)
        monkeypatch.setattr(ethernet, "_FEW", 2)
        monkeypatch.setattr(ethernet, "_ROUNDS", 1)
        monkeypatch.setattr(forest, "_LEVELS", 2)


@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("seed", range(2))
def test_an_outage_does_what_it_does_to_the_naive_network(seed: int) -> None:
    random = Random(seed)
    for _ in range(WORLDS):
        check(random)


@pytest.mark.parametrize("seed", range(2))
def test_the_network_itself_is_the_naive_one(seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(WORLDS):
        made = network(random)
        arrays, naive = made.arrays(), made.naive()
        ids = [str(n) for n in range(made.passes.size)]
        assert arrays.connected.tolist() == [id_ in naive.connected_intact for id_ in ids]
        assert arrays.managed.tolist() == [id_ in naive.managed_intact for id_ in ids]
        assert arrays.cabled.tolist() == [id_ in naive.cabled for id_ in ids]
        assert arrays.gateways.tolist() == made.gateways
        for n, id_ in enumerate(ids):
            plain, management = naive.cables.get(id_, []), naive.management.get(id_, [])
            assert sorted(arrays.cables_of(n)) == sorted((int(c.id[1:]), int(c.other)) for c in plain)
            assert sorted(arrays.management_cables_of(n)) == sorted((int(c.id[1:]), int(c.other)) for c in management)


def test_a_host_on_two_switches_hangs_by_its_other_cable_and_switch_when_one_fails() -> None:
    gateway, left, right, host = range(4)
    pairs = [(gateway, left), (gateway, right), (left, right), (host, left), (host, right)]
    passes = np.array([True, True, True, False])
    outage = Network([(a, b, False, False) for a, b in pairs], passes, [gateway]).arrays().outage()

    cut = outage.fail(np.array([left], np.int32))

    assert cut.tolist() == [left]
    assert once(outage.singled_out()) == [right, host]
    assert outage.separators(host) == (frozenset({right}), frozenset({1, 4}))
    assert outage.separators(right) == (frozenset(), frozenset({1}))
    assert once(outage.further().fail(np.array([gateway], np.int32))) == [gateway, right, host]
    assert once(outage.cut_off) == [left]
