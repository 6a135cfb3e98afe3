"""Next failures and single points of failure are what the naive evaluator and brute force find."""

from __future__ import annotations

from random import Random

import pytest

from cmdb.impact import NextFailures, Question, evaluate
from cmdb.impact.engine import Engine
from cmdb.impact.rows import rows_of
from cmdb.impact.single_points import points_of
from cmdb.impact.topology import Topology
from cmdb.model import Graph, State
from cmdb.schema import fits
from tests.cmdb.impact.rich_worlds import rich_world
from tests.cmdb.impact.site import Site, in_naive_words
from tests.cmdb.impact.worlds import question, world
from tests.naive import next_failures as naive_next_failures
from tests.naive.intact import Intact
from tests.naive.levels import down_of
from tests.naive.question import Change as NaiveChange


def never() -> bool:
    return False


@pytest.mark.parametrize("seed", [*range(11), 91915, 92027, 94563, 95969, 96147])
def test_next_failures_are_those_that_the_naive_evaluator_finds(seed: int) -> None:
    random = Random(seed)
    graph = rich_world(random)
    asked = question(random, graph)
    evaluation = evaluate(graph, asked)
    for of in sorted(id_ for id_, ci in graph.cis.items() if ci.state is not State.RETIRED):
        expected = naive_next_failures(graph, in_naive_words(asked), of)

        assert evaluation.next_failures(of) == NextFailures(of, expected.cis, expected.cables, expected.complete)


@pytest.mark.parametrize("seed", range(3))
def test_single_points_are_those_whose_loss_takes_a_service_down(seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(6):
        graph = with_services(random, world(random))

        assert found_in(graph) == brute_force(graph)


@pytest.mark.parametrize("seed", range(3))
def test_single_points_are_found_where_clusters_share_fabrics_switches_and_rooms(seed: int) -> None:
    graph = machine_room(Random(seed))

    assert found_in(graph) == brute_force(graph)


def test_what_was_found_is_given_when_the_time_is_up() -> None:
    site = Site().add("service", "shop").add("application", "web").link("depends_on", "shop", "web")
    engine = Engine(Topology.of(rows_of(site.graph)))

    (whole, complete), (part, cut) = points_of(engine, never), points_of(engine, lambda: True)

    assert ([one.id for one in whole], complete, list(part), cut) == (["web"], True, [], False)


def test_a_common_cause_is_a_next_failure_of_whoever_has_lost_nothing_yet() -> None:
    """One of three web servers is down, two stand in one rack: only now is the rack all there is."""
    site = Site().add("service", "shop").add("server", "web1", "web2", "web3").add("rack", "rack")
    site.link("depends_on", "shop", "web1", "web2", "web3").group("shop", "web", 1, ("web1", "web2", "web3"))
    site.link("located_in", "web1", "rack").link("located_in", "web2", "rack")

    found = evaluate(site.graph, Question(("web3",), (), "power_off")).next_failures("shop")

    assert found == NextFailures("shop", ("rack",), (), complete=True)


def test_an_estate_in_which_nobody_requires_anything_has_no_next_failure() -> None:
    site = Site().add("server", "host", "other").add("process", "gone").state("gone", State.RETIRED)
    site.link("runs_on", "gone", "host")

    found = evaluate(site.graph, Question(("host",), (), "power_off")).next_failures("other")

    assert found == NextFailures("other", (), (), complete=True)


def found_in(graph: Graph) -> list[tuple[str, list[str], int]]:
    found, _ = points_of(Engine(Topology.of(rows_of(graph))), never)
    return [(one.id, [service.id for service in one.services], one.takes_down) for one in found]


def with_services(random: Random, graph: Graph) -> Graph:
    """The same with some services that lean on whatever they may lean on."""
    site = Site()
    site.cis, site.relations = dict(graph.cis), dict(graph.relations)
    legs = sorted(id_ for id_, ci in graph.cis.items() if fits("depends_on", "service", ci.cls))
    for number in range(random.randint(1, 4)):
        name, some = f"shop{number}", random.sample(legs, min(len(legs), random.randint(1, 3)))
        site.add("service", name).link("depends_on", name, *some)
        if len(some) > 1 and random.random() < 0.5:
            site.group(name, "any", 1, tuple(some))
    return site.graph


def machine_room(random: Random) -> Graph:
    """Services on virtual machines on clusters, whose servers share two fabrics, an array, switches and rooms."""
    site = Site().add("building", "building").add("room", "room0", "room1").add("router", "gateway", gateway=True)
    site.link("located_in", "room0", "building").link("located_in", "room1", "building")
    fabrics = ["fcA0", "fcA1", "fcB0", "fcB1"]
    site.add("fc_switch", *fabrics).add("network_switch", "acc0", "acc1").add("storage", "array").add("pool", "pool")
    site.link("part_of", "pool", "array").add("volume", "vol0", "vol1").link("part_of", "vol0", "pool")
    site.link("part_of", "vol1", "pool").cable("acc0", "gateway").cable("acc1", "gateway")
    for one in ("array", "acc0", "acc1", *fabrics):
        if random.random() < 0.6:
            site.link("located_in", one, random.choice(("room0", "room1")))
    for side in "AB":
        if random.random() < 0.7:
            site.cable(f"fc{side}0", f"fc{side}1", medium="fc")
        for number, switch in enumerate(random.sample([f"fc{side}0", f"fc{side}1"], random.randint(1, 2))):
            site.cable("array", switch, medium="fc", from_port=f"500100000000000{'AB'.index(side) * 2 + number}")
    for cluster in range(2):
        members = [f"server{cluster}{n}" for n in range(random.randint(2, 4))]
        site.add("server", *members).add("cluster", f"cluster{cluster}")
        site.link("composed_of", f"cluster{cluster}", *members)
        for number, member in enumerate(members):
            site.cable(member, *random.sample(["acc0", "acc1"], random.randint(1, 2)))
            for place, switch in enumerate(random.sample(fabrics, random.randint(1, 3))):
                site.cable(member, switch, medium="fc", from_port=f"50020000000{cluster}{number}0{place}0")
            if random.random() < 0.3:
                site.link("zoned_to", member, "array", from_wwpn=f"50020000000{cluster}{number}000")
            if random.random() < 0.5:
                site.link("located_in", member, random.choice(("room0", "room1")))
            if random.random() < 0.3:
                site.link("stored_on", member, "vol0", medium="fc")
        for number in range(2):
            machine = f"machine{cluster}{number}"
            site.add("virtual_machine", machine).link("hosted_on", machine, f"cluster{cluster}")
            site.link("hosted_on", machine, random.choice(members), active=True)
            site.link("stored_on", machine, *random.sample(["vol0", "vol1"], random.randint(1, 2)), medium="fc")
            site.add("application", f"web{cluster}{number}").link("runs_on", f"web{cluster}{number}", machine)
    webs = ["web00", "web01", "web10", "web11"]
    for number in range(3):
        some = random.sample(webs, random.randint(1, 2))
        site.add("service", f"shop{number}").link("depends_on", f"shop{number}", *some)
        if random.random() < 0.5:
            site.group(f"shop{number}", "any", 1, tuple(some))
    return site.graph


def brute_force(graph: Graph) -> list[tuple[str, list[str], int]]:
    intact = Intact(graph)
    before = down_of(intact, NaiveChange())
    names = {id_: ci.name for id_, ci in intact.cis.items()}
    names |= {cable.id: intact.title_of(cable) for cable in intact.cables}
    found = []
    for id_, name in names.items():
        one = frozenset({id_})
        after = down_of(intact, NaiveChange(down=one) if id_ in intact.cis else NaiveChange(out=one))
        lost = [node for node in after - before if isinstance(node, str)]
        services = [node for node in lost if intact.cis[node].cls == "service" and node != id_]
        if services:
            services.sort(key=lambda node: (names[node], node))
            found.append((-len(services), -len(lost), name, id_, services))
    return [(id_, services, -lost) for _, lost, _, id_, services in sorted(found)]
