"""Laws of the answer, on random estates: more never helps, the counts add up; and the naive evaluator, to which the
engine is held in `test_engine`, says what brute force says.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TypeVar

import pytest

from cmdb.impact import Answer, Question, evaluate
from cmdb.model import Graph
from tests.cmdb.impact.oracle import Now, World
from tests.cmdb.impact.worlds import question, world
from tests.naive.intact import Intact
from tests.naive.levels import AVAILABILITY, MANAGEMENT, PROTECTION, levels
from tests.naive.question import Change

ROUNDS = 40
"""Estates in each case; there are as many cases as seeds."""


def change(random: Random, graph: Graph) -> Change:
    def some(ids: list[str]) -> frozenset[str]:
        return frozenset(random.sample(ids, min(len(ids), random.choice((0, 1, 1, 2)))))

    return Change(some(list(graph.cis)), some(list(graph.cis)), some(list(graph.relations)))


@pytest.mark.parametrize("seed", range(8))
def test_the_levels_are_what_brute_force_finds(seed: int) -> None:
    random = Random(seed)
    for _ in range(ROUNDS):
        graph = world(random)
        changed = change(random, graph)

        found = levels(Intact(graph), changed)

        expected = Now(World(graph), set(changed.down), set(changed.at_risk), set(changed.out))
        assert {id_: tuple(found.of(id_)) for id_ in graph.cis} == {id_: expected.of(id_) for id_ in graph.cis}


@pytest.mark.parametrize("seed", range(4))
def test_more_seeds_never_improve_a_level(seed: int) -> None:
    random = Random(1000 + seed)
    for _ in range(ROUNDS):
        graph = world(random)
        less, more = change(random, graph), change(random, graph)
        intact = Intact(graph)

        few, many = levels(intact, less), levels(intact, less | more)

        assert all(few.of(id_).worse_than(many.of(id_)) == () for id_ in graph.cis)


def test_nothing_changed_leaves_everything_at_its_best_unless_a_group_asks_for_too_much() -> None:
    random = Random(7)
    for _ in range(ROUNDS):
        graph = world(random)

        state = levels(Intact(graph), Change())

        assert {tuple(state.of(id_)) for id_ in graph.cis} <= {(AVAILABILITY[0], PROTECTION[0], MANAGEMENT[0])}


Thing = TypeVar("Thing")


def turned_round(things: Mapping[str, Thing]) -> dict[str, Thing]:
    return {id_: things[id_] for id_ in reversed(list(things))}


def ask(random: Random) -> tuple[Graph, Question, Answer]:
    graph = world(random)
    asked = question(random, graph)
    return graph, asked, evaluate(graph, asked).answer()


@pytest.mark.parametrize("seed", range(4))
def test_each_ci_is_affected_unknown_or_unaffected_and_the_counts_add_up(seed: int) -> None:
    random = Random(2000 + seed)
    for _ in range(ROUNDS):
        graph, _, answer = ask(random)

        affected, unknown = {one.ci.id for one in answer.affected}, {one.ci.id for one in answer.unknown}
        counts = answer.counts
        assert affected.isdisjoint(unknown)
        assert (counts["affected"], counts["unknown"], counts["cis"]) == (len(affected), len(unknown), len(graph.cis))
        assert counts["affected"] + counts["unknown"] + counts["unaffected"] == counts["cis"]
        assert counts["at_risk_own"] + counts["at_risk_inherited"] == counts["at_risk"]
        assert sum(answer.unknown_because.values()) == counts["unknown"]


@pytest.mark.parametrize("seed", range(8))
def test_every_affected_ci_has_a_distance_and_a_reason_that_lead_back_to_a_target(seed: int) -> None:
    random = Random(3000 + seed)
    for _ in range(ROUNDS):
        _, asked, answer = ask(random)

        for one in answer.affected:
            assert one.distance is not None
            assert one.because
            assert {axis for reason in one.because for axis in [reason.axis]} <= set(one.now.worse_than(one.was))
            assert all(reason.first_cause for reason in one.because)
            causes = {reason.first_cause[0] for reason in one.because if reason.first_cause}
            assert causes <= {*asked.targets, *asked.relations}
            assert (one.distance == 0) == (one.ci.id in asked.targets)


def test_the_same_question_has_the_same_answer_word_for_word() -> None:
    random = Random(11)
    for _ in range(ROUNDS):
        graph, asked, answer = ask(random)
        turned = Graph(graph.revision, turned_round(graph.cis), turned_round(graph.relations))

        assert evaluate(turned, asked).answer().as_json() == answer.as_json()


def test_a_ci_that_is_not_affected_says_which_requirements_held() -> None:
    random = Random(13)
    for _ in range(ROUNDS):
        graph = world(random)
        asked = question(random, graph)
        evaluation = evaluate(graph, asked)
        affected = {one.ci.id for one in evaluation.answer().affected}

        for id_ in graph.cis.keys() - affected:
            assert all(reason.holding is not None for reason in evaluation.why(id_).because)
