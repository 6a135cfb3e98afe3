"""Each scenario of the issue “Truth” through the one door, on both stores: outcome, ids, revisions, journal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Graph
from cmdb.store.base import GraphStore
from tests.cmdb.laws import Teller
from tests.cmdb.truth.saying import Event, Words, in_words
from tests.cmdb.truth.scenarios import Scenario
from tests.cmdb.truth.test_scenarios import EVERY, expected
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


def tell(teller: Teller, events: Sequence[Event]) -> list[Graph]:
    """The graph after each event."""
    graphs = []
    for event in events:
        teller.tell([event])
        graphs.append(teller.inventory.graph())
    return graphs


def stored_words(inventory: Inventory) -> Words:
    return in_words(inventory.graph(), [(one.kind, one.about) for one in inventory.problems()])


def where_ids_lead(inventory: Inventory, ids: set[str]) -> set[str]:
    """The CIs that ids, former ones included, lead to."""
    return {found.ci.id for id_ in ids if (found := inventory.stored(id_)) is not None}


@pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.name)
def test_told_in_time_it_has_the_outcome_and_each_keeps_its_first_id(store: GraphStore, scenario: Scenario) -> None:
    teller = Teller(store, scenario.rules, scenario.now)

    graphs = tell(teller, scenario.events)
    again = tell(teller, scenario.events)

    assert stored_words(teller.inventory) == expected(scenario)
    assert {id_: ci.name for id_, ci in graphs[-1].cis.items()} == scenario.ids
    assert {graph.revision for graph in again} == {graphs[-1].revision}
    assert teller.inventory.verify().problems == ()


@pytest.mark.parametrize("scenario", EVERY, ids=lambda scenario: scenario.name)
def test_told_in_any_order_it_has_the_outcome_and_every_id_leads_somewhere(
    store: GraphStore, scenario: Scenario
) -> None:
    order = Random(scenario.name).sample(scenario.events, len(scenario.events))
    teller = Teller(store, scenario.rules, scenario.now)

    graphs = tell(teller, order)

    given = {id_ for graph in graphs for id_ in graph.cis}
    assert stored_words(teller.inventory) == expected(scenario), order
    assert all(where_ids_lead(teller.inventory, {id_}) for id_ in given)
    assert where_ids_lead(teller.inventory, given) == set(graphs[-1].cis)
    assert teller.inventory.verify().problems == ()
