"""Declared and scanned, the laboratory is in the graph as it is: nothing is missing, nothing is extra."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Graph, RunSection
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from cmdb.store.opening import open_store
from discovery.scan import HostReport
from lab import Lab
from lab.written import HERE
from tests.fixtures.scanning import scanned
from tests.fixtures.stores import store, store_url
from tests.fixtures.truth import differences, of_the_graph, of_the_laboratory

__all__ = ["store", "store_url"]


@pytest.fixture(scope="module")
def reports(running_lab: Lab) -> list[HostReport]:
    """One scan of everything, in the order of the addresses."""
    return sorted(scanned(running_lab), key=lambda report: ip_address(report.address))


def embedded(folders: pytest.TempPathFactory) -> GraphStore:
    """A new embedded store."""
    return open_store(f"sqlite:///{folders.mktemp('store') / 'cmdb.db'}")


def declared(store: GraphStore) -> Inventory:
    """The estate, declared."""
    inventory = Inventory(store, Rules(), lambda: datetime.now(UTC))
    inventory.declare((HERE / "estate.yaml").read_text(encoding="utf-8"), "estate.yaml", actor="test")
    return inventory


def absorbed(inventory: Inventory, reports: Iterable[HostReport], lab: Lab, run: str = "1") -> Graph:
    for report in reports:
        if report.report is not None:
            inventory.absorb(report.report)
    inventory.close_run(RunSection(run, "default", lab.networks, datetime.now(UTC), complete=True))
    return inventory.graph()


def test_nothing_is_missing_and_nothing_is_extra_and_a_second_scan_changes_nothing(
    lab: Lab, reports: Sequence[HostReport], store: GraphStore
) -> None:
    inventory = declared(store)
    graph = absorbed(inventory, reports, lab)

    again = absorbed(inventory, scanned(lab, run="2"), lab, run="2")

    assert differences(of_the_laboratory(), of_the_graph(graph)) == {}
    assert again.revision == graph.revision


@pytest.mark.parametrize("order", ["backwards", "mixed"])
def test_the_order_of_a_scan_makes_no_difference(
    order: str, lab: Lab, reports: Sequence[HostReport], tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = list(reports)[::-1] if order == "backwards" else sorted(reports, key=lambda report: report.address[::-1])
    graphs = []
    for row in (reports, other):
        inventory = declared(embedded(tmp_path_factory))
        absorbed(inventory, row, lab)
        graphs.append(inventory.canonical())

    assert graphs[0] == graphs[1]


def test_declaring_after_the_scan_gives_the_same_graph(
    lab: Lab, reports: Sequence[HostReport], tmp_path_factory: pytest.TempPathFactory
) -> None:
    inventory = Inventory(embedded(tmp_path_factory), Rules(), lambda: datetime.now(UTC))
    absorbed(inventory, reports, lab)

    inventory.declare((HERE / "estate.yaml").read_text(encoding="utf-8"), "estate.yaml", actor="test")

    assert differences(of_the_laboratory(), of_the_graph(inventory.graph())) == {}
