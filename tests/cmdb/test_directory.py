"""WHAT means in a store what it means in a graph, on both stores."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest

from cmdb.directory import InStore
from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from cmdb.what import Ambiguous, NotFound, Target, meant, targets
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

ESTATE = """
cis:
  - {class: server, name: web1.example.com, label: D010210-009, serial: CZ3A, mac: "00:1b:21:0a:0b:0c"}
  - {class: server, name: 'we"2'}
  - {class: network_switch, name: sw1}
  - {class: power_unit, name: pdu1}
  - {class: service, name: Shop}
  - {class: service, name: twin}
  - {class: server, name: twin}
relations:
  - {type: connects_to, from: CZ3A, to: sw1, from_port: eth0, to_port: Gi1/0/1}
  - {type: connects_to, from: CZ3A, to: sw1, from_port: eth1, to_port: Gi1/0/2}
  - {type: powered_by, from: CZ3A, to: pdu1, feed: A}
  - {type: powered_by, from: CZ3A, to: pdu1, feed: B}
  - {type: depends_on, from: Shop, to: CZ3A}
rooms:
  - {label: D010210, grid: ["..."], door: south}
"""
TEXTS = (
    "web1", "WEB1.example.com", "D010210-009", "001b.210a.0b0c", "cz3a", "Shop", "twin", 'we"2', "sw1[Gi1/0/1]",
    "web1[eth9]", "powered_by:web1..pdu1{feed=A}", "powered_by:web1..pdu1", "depends_on:Shop..web1",
    "depends_on:shop..sw1", "connects_to:sw1[Gi1/0/2]..web1", "D010210-00", "wep1.example.com", "sw", 'we"', "rel-99",
    "ci-99", "",
)  # fmt: skip


def _told(look: Callable[[], Target]) -> Target | str:
    try:
        return look()
    except (NotFound, Ambiguous) as error:
        return str(error)


def test_a_text_means_in_a_store_what_it_means_in_its_graph(store: GraphStore) -> None:
    Inventory(store, Rules(), lambda: datetime.now(UTC)).declare(ESTATE, "estate", "test")
    graph = store.topology()
    texts = [*TEXTS, *graph.cis, *graph.relations]

    in_store = {text: _told(partial(meant, text, InStore(store, texts))) for text in texts}

    assert in_store == {text: _told(partial(targets, text, graph, store.lookup)) for text in texts}
    assert in_store == {text: _told(partial(meant, text, InStore(store, [text]))) for text in texts}
    assert {text for text, found in in_store.items() if isinstance(found, Target)} >= {*graph.cis, *graph.relations}


def test_relations_are_read_by_their_ids(store: GraphStore) -> None:
    Inventory(store, Rules(), lambda: datetime.now(UTC)).declare(ESTATE, "estate", "test")
    graph = store.topology()

    assert store.relations_by_id([*graph.relations, "rel-99"]) == graph.relations
    assert store.relations_by_id([]) == {}


@pytest.mark.parametrize(
    ("kind", "prefix", "limit", "found"),
    [
        ("name", "web", 10, {"web1", "web1.example.com"}),
        ("name", 'we"', 10, {'we"2'}),
        ("label", "D010210-", 10, {"D010210-009"}),
        ("label", "_010210-", 10, set()),
        ("serial", "", 10, {"CZ3A"}),
    ],
)
def test_what_begins_so(store: GraphStore, kind: str, prefix: str, limit: int, found: set[str]) -> None:
    Inventory(store, Rules(), lambda: datetime.now(UTC)).declare(ESTATE, "estate", "test")

    assert set(store.beginning(kind, prefix, limit)) == found
    assert len(store.beginning("name", "", 2)) == 2
