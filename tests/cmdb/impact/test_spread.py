"""The affected heaped for a picture: the same as counting the rows of the answer one by one."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from cmdb.impact import Evaluation, Outline, Question, evaluate
from cmdb.impact.answer import NOWHERE, WORSE
from cmdb.model import ModelError
from tests.cmdb.impact.worlds import question, world

ROUNDS = 30


def _asked(random: Random) -> Evaluation | None:
    """A question on a random estate; None where the two do not fit."""
    graph = world(random)
    asked = question(random, graph)
    found = evaluate(graph, Question(asked.targets, asked.relations, asked.kind, asked.down, asked.restarts))
    try:
        found.answer()
    except ModelError:
        return None
    return found


def _levels(one: Outline) -> list[str]:
    return [getattr(one.now, axis) for axis in one.now.worse_than(one.was)]


def _mark(one: Outline) -> str:
    first = _levels(one)[0]
    return "leaning" if first == "at_risk" and one.own is False else first


@pytest.mark.parametrize("seed", range(4))
def test_heaps_and_filters_are_those_of_the_rows(seed: int) -> None:
    random = Random(seed)
    for evaluation in filter(None, (_asked(random) for _ in range(ROUNDS))):
        rows = list(enumerate(evaluation.answer().outlines))
        level, cls, site = random.choice(WORSE), random.choice(("server", "network_switch", "service")), NOWHERE

        everybody = evaluation.spread((), (), None, 2)
        some = evaluation.spread({level}, {cls}, site, 10**6)

        heaps: dict[tuple[int | None, str], list[tuple[int, str]]] = {}
        for place, one in rows:
            heaps.setdefault((one.distance, one.ci.cls), []).append((place, _mark(one)))
        assert {(heap.distance, heap.cls): (dict(heap.counts), heap.first) for heap in everybody.heaps} == {
            key: (Counter(mark for _, mark in found), tuple(place for place, _ in found[:2]))
            for key, found in heaps.items()
        }
        assert list(everybody.places) == [place for place, _ in rows]
        assert everybody.levels == {way: sum(way in _levels(one) for _, one in rows) for way in WORSE}
        assert everybody.classes == Counter(one.ci.cls for _, one in rows)
        assert dict(everybody.sites) == Counter(one.site for _, one in rows)
        fitting = [
            place for place, one in rows if level in _levels(one) and one.ci.cls == cls and one.site is None
        ]  # fmt: skip
        assert (list(some.places), sorted(place for heap in some.heaps for place in heap.first)) == (fitting, fitting)


@pytest.mark.parametrize("seed", range(4))
def test_a_path_leads_to_the_ci_and_is_no_longer_than_its_distance(seed: int) -> None:
    random = Random(100 + seed)
    for evaluation in filter(None, (_asked(random) for _ in range(ROUNDS))):
        for one in evaluation.answer().outlines:
            path = evaluation.why(one.ci.id).path

            assert path[-1].ci == one.ci
            assert one.distance is None or len(path) - 1 <= one.distance
