"""Several at once: two reports of one new device at the same moment make one CI, on both stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.cmdb.truth.saying import at, interfaces, report, system
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


def test_two_reports_of_one_new_device_at_one_moment_make_one_ci(store_url: str) -> None:
    stores = [open_store(store_url) for _ in range(4)]
    inventories = [Inventory(one, Rules(), lambda: at(10)) for one in stores]
    reports = [
        report(f"10.0.0.{n}", 1, system(1, name="host", serial="S1"), interfaces(1, 1, n + 1)) for n in range(1, 5)
    ]

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda pair: pair[0].absorb(pair[1]), zip(inventories, reports, strict=True)))

    found = [inventory.graph() for inventory in inventories]
    assert [set(graph.cis) for graph in found] == [{"ci-1"}] * 4
    assert sorted(one.revision or 0 for one in done) == [1, 2, 3, 4]
    for one in stores:
        one.close()
