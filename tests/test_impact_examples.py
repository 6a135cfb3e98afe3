"""Every example of impact.md, from its declared estate, on both stores."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.fixtures.examples import Example, examples, worse
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_holds_when_its_estate_is_declared(store: GraphStore, example: Example) -> None:
    inventory = Inventory(store, Rules(), lambda: datetime.now(UTC))
    inventory.declare(example.text, "example", "test")

    answer = inventory.ask(example.what, example.kind).as_json()

    assert worse(answer) == dict(example.worse)
    assert answer.get("temporary", False) is example.temporary
