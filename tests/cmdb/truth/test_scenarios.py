"""Each scenario of the issue “Truth” in every order of its reports, by the pure functions and on both stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, permutations
from random import Random

import pytest

from tests.cmdb.truth.saying import Event, Words, words_of_told
from tests.cmdb.truth.scenarios import BOARDS, MOVES, NAMES, STEPS, Scenario
from tests.cmdb.truth.scenarios_networks import ADDRESSES, CHASSIS, CLUSTERS, MANY, PAIRS, STACKS
from tests.fixtures.stores import store_url

__all__ = ["store_url"]

FEW = (*NAMES, *STEPS, *MOVES, *BOARDS, *ADDRESSES, *STACKS, *PAIRS, *CHASSIS, *CLUSTERS)
EVERY = (*FEW, *MANY)


def expected(scenario: Scenario) -> Words:
    return Words(scenario.cis, scenario.edges, scenario.parts, scenario.problems)


def orders(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """All orders of up to five reports; of more than that, the straight one, the reverse, and a hundred at random."""
    if len(events) <= 5:
        yield from permutations(events)
        return
    yield events
    yield events[::-1]
    chance = Random(7)
    yield from (chance.sample(list(events), len(events)) for _ in range(100))


@pytest.mark.parametrize("scenario", FEW, ids=lambda scenario: scenario.name)
def test_every_order_has_the_whole_outcome(scenario: Scenario) -> None:
    for order in orders(scenario.events):
        assert words_of_told(order, scenario.rules, scenario.now) == expected(scenario), order


@pytest.mark.parametrize("scenario", MANY, ids=lambda scenario: scenario.name)
def test_some_orders_of_many_have_the_whole_outcome(scenario: Scenario) -> None:
    for order in islice(orders(scenario.events), 4):
        assert words_of_told(order, scenario.rules, scenario.now) == expected(scenario)
