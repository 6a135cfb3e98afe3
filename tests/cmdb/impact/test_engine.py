"""The engine says word for word what the naive evaluator says, on random estates and while they change.

`python -m tests.cmdb.impact.test_engine FROM COUNT` asks of so many more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from cmdb.impact import Evaluation, Question, evaluate
from cmdb.impact.rows import rows_of
from cmdb.impact.topology import Topology
from cmdb.model import Graph, ModelError
from tests import naive
from tests.cmdb.impact.rich_worlds import changes, following, rich_world
from tests.cmdb.impact.site import in_naive_words, told
from tests.cmdb.impact.worlds import question, world

ROUNDS = 25
STEPS = 5


def expected(graph: Graph, asked: Question) -> object:
    try:
        return naive.evaluate(graph, in_naive_words(asked)).as_json()
    except ModelError as error:
        return str(error)


def found(evaluation: Evaluation) -> object:
    try:
        return told(evaluation.answer())
    except ModelError as error:
        return str(error)


def ask_some(random: Random) -> None:
    for make in (world, rich_world):
        graph = make(random)
        asked = question(random, graph)
        assert found(evaluate(graph, asked)) == expected(graph, asked), (graph, asked)


def ask_while_it_changes(random: Random) -> None:
    graph = rich_world(random)
    topology = Topology.of(rows_of(graph))

    @contextmanager
    def opened(_: int | None) -> Iterator[Topology]:
        yield topology

    for _ in range(STEPS):
        asked = question(random, graph)
        assert found(Evaluation(opened, asked)) == expected(graph, asked), (graph, asked)
        after = following(random, graph)
        topology.apply(changes(random, graph, after), after.revision)
        graph = after


@pytest.mark.parametrize("seed", range(4))
def test_the_answer_is_that_of_the_naive_evaluator_word_for_word(seed: int) -> None:
    random = Random(seed)
    for _ in range(ROUNDS):
        ask_some(random)


@pytest.mark.parametrize("seed", range(4))
def test_so_it_is_while_the_estate_changes_in_place(seed: int) -> None:
    random = Random(100 + seed)
    for _ in range(ROUNDS // STEPS):
        ask_while_it_changes(random)


def test_a_path_begins_at_a_target_or_at_a_relation_that_was_changed() -> None:
    random = Random(9)
    for _ in range(ROUNDS):
        graph = world(random)
        asked = question(random, graph)
        evaluation = evaluate(graph, asked)
        for one in evaluation.answer().outlines:
            first = evaluation.why(one.ci.id).path[0]

            assert first.ci.id in asked.targets or first.relations


def test_the_hash_is_of_who_is_affected_and_unknown_at_which_revision() -> None:
    random = Random(5)
    graph = rich_world(random)
    asked = question(random, graph)
    later = Graph(graph.revision + 1, graph.cis, graph.relations)

    answer = evaluate(graph, asked, "rules").answer()

    assert answer.hash == evaluate(graph, asked, "rules").answer().hash
    assert answer.hash != evaluate(later, asked, "rules").answer().hash
    assert answer.hash != evaluate(graph, asked, "other rules").answer().hash


if __name__ == "__main__":
    first, count = (int(argument) for argument in sys.argv[1:])
    for each in range(first, first + count):
        ask_some(Random(each))
        ask_while_it_changes(Random(each))
    sys.stdout.write(f"{count} estates from {first} on: no difference\n")
