"""Each scenario of the issue “Truth” through the one door, on both stores: outcome, ids, revisions, journal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Decision, Graph, Report, RunSection
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.cmdb.truth.saying import Event, Words, at, in_words
from tests.cmdb.truth.scenarios import Scenario
from tests.cmdb.truth.test_scenarios import EVERY, expected
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

TELLABLE = [one for one in EVERY if not any(isinstance(event, Decision) for event in one.events)]


def opened(store: GraphStore, rules: Rules, now: float) -> Inventory:
    return Inventory(store, rules, lambda: at(now))


def tell(inventory: Inventory, events: Sequence[Event]) -> list[Graph]:
    """The graph after each event."""
    graphs = []
    for event in events:
        match event:
            case Report():
                inventory.absorb(event)
            case RunSection():
                inventory.close_run(event)
        graphs.append(inventory.graph())
    return graphs


def stored_words(inventory: Inventory) -> Words:
    return in_words(inventory.graph(), [(one.kind, one.about) for one in inventory.problems()])


def where_ids_lead(inventory: Inventory, ids: set[str]) -> set[str]:
    """The CIs that ids, former ones included, lead to."""
    return {found.ci.id for id_ in ids if (found := inventory.stored(id_)) is not None}


@pytest.mark.parametrize("scenario", TELLABLE, ids=lambda scenario: scenario.name)
def test_told_in_time_it_has_the_outcome_and_each_keeps_its_first_id(store: GraphStore, scenario: Scenario) -> None:
    inventory = opened(store, scenario.rules, scenario.now)

    graphs = tell(inventory, scenario.events)
    again = tell(inventory, scenario.events)

    assert stored_words(inventory) == expected(scenario)
    assert {id_: ci.name for id_, ci in graphs[-1].cis.items()} == scenario.ids
    assert {graph.revision for graph in again} == {graphs[-1].revision}
    assert inventory.verify().problems == ()


@pytest.mark.parametrize("scenario", TELLABLE, ids=lambda scenario: scenario.name)
def test_told_in_any_order_it_has_the_outcome_and_every_id_leads_somewhere(
    store: GraphStore, scenario: Scenario
) -> None:
    order = Random(scenario.name).sample(scenario.events, len(scenario.events))
    inventory = opened(store, scenario.rules, scenario.now)

    graphs = tell(inventory, order)

    given = {id_ for graph in graphs for id_ in graph.cis}
    assert stored_words(inventory) == expected(scenario), order
    assert all(where_ids_lead(inventory, {id_}) for id_ in given)
    assert where_ids_lead(inventory, given) == set(graphs[-1].cis)
    assert inventory.verify().problems == ()
