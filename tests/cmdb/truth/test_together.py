"""Several at once: reports of one new device at the same moment make one CI, on both stores."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.cmdb.truth.one_report import of_one_device
from tests.cmdb.truth.saying import at
from tests.fixtures.parts import REPOSITORY
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

ADDRESSES = [f"10.0.0.{number}" for number in range(1, 5)]


def test_reports_of_one_new_device_at_one_moment_make_one_ci(store_url: str) -> None:
    stores = [open_store(store_url) for _ in ADDRESSES]
    inventories = [Inventory(one, Rules(), lambda: at(10)) for one in stores]
    reports = [of_one_device(address) for address in ADDRESSES]

    with ThreadPoolExecutor(len(ADDRESSES)) as threads:
        done = list(threads.map(lambda pair: pair[0].absorb(pair[1]), zip(inventories, reports, strict=True)))

    found = [inventory.graph() for inventory in inventories]
    assert [set(graph.cis) for graph in found] == [{"ci-1"}] * 4
    assert sorted(one.revision or 0 for one in done) == [1, 2, 3, 4]
    for one in stores:
        one.close()


@contextmanager
def writer(store_url: str, address: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the store open and waits for its sign."""
    command = [sys.executable, "-W", "error", "-m", "tests.cmdb.truth.one_report", store_url, address]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_two_processes_report_one_new_device_at_one_moment_and_it_is_one_ci(store_url: str) -> None:
    open_store(store_url).close()
    with ExitStack() as stack:
        writers = [stack.enter_context(writer(store_url, address)) for address in ADDRESSES[:2]]
        ready = [one.stdout.readline() for one in writers if one.stdout is not None]
        for one in writers:
            if one.stdin is not None:
                one.stdin.write("now\n")
                one.stdin.flush()

        said = [one.communicate(timeout=60) for one in writers]

    opened = open_store(store_url)
    inventory = Inventory(opened, Rules(), lambda: at(10))
    assert ready == ["ready\n", "ready\n"], said
    assert sorted(said) == [("1\n", ""), ("2\n", "")]
    assert [(ci.id, ci.name) for ci in inventory.graph().cis.values()] == [("ci-1", "host")]
    assert inventory.verify().problems == ()
    opened.close()
