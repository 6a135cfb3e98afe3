"""Next failures and single points of failure are what the naive evaluator and brute force find."""

from __future__ import annotations

from random import Random

import pytest

from cmdb.impact import NextFailures, evaluate
from cmdb.impact.engine import Engine
from cmdb.impact.rows import rows_of
from cmdb.impact.single_points import points_of
from cmdb.impact.topology import Topology
from cmdb.model import Graph
from tests.cmdb.impact.site import in_naive_words
from tests.cmdb.impact.worlds import question, world
from tests.naive import next_failures as naive_next_failures
from tests.naive.intact import Intact
from tests.naive.levels import down_of
from tests.naive.question import Change as NaiveChange


def never() -> bool:
    return False


@pytest.mark.parametrize("seed", range(3))
def test_next_failures_are_those_that_the_naive_evaluator_finds(seed: int) -> None:
    random = Random(seed)
    for _ in range(10):
        graph = world(random)
        asked = question(random, graph)
        evaluation = evaluate(graph, asked)
        for of in sorted(graph.cis):
            expected = naive_next_failures(graph, in_naive_words(asked), of)

            assert evaluation.next_failures(of) == NextFailures(of, expected.cis, expected.cables, expected.complete)


@pytest.mark.parametrize("seed", range(3))
def test_single_points_are_those_whose_loss_takes_a_service_down(seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(10):
        graph = world(random)

        found, complete = points_of(Engine(Topology.of(rows_of(graph))), never)

        assert ([(one.id, [service.id for service in one.services], one.takes_down) for one in found], complete) == (
            brute_force(graph),
            True,
        )


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
