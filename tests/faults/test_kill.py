"""kill -9 at each arrow of "three places, one order", and anywhere: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from api.wiring import Services
from cmdb.codec import Json
from operations.runs import RunState
from tests.faults.dying import ACKNOWLEDGED, ended, scan, scan_until, services_at
from tests.faults.site import ANSWERING, SECTIONS, SILENT

KILLED = -signal.SIGKILL
# A spot, the nth time, how many hosts are in the graph then, how many in the ledger.
IN_THE_STORE = (
    ("revision written", 2, 1, 1),
    ("all written but the commit", 2, 1, 1),
    ("committed", 2, 2, 1),
    ("committed", 5, 4, 4),
)
BESIDE_THE_STORE = (
    ("evidence without a name", 5, 1, 1),
    ("evidence on disk", 5, 1, 1),
    ("lock taken", 2, 1, 1),
    ("ledger row written", 2, 2, 2),
    ("all written but the commit", 5, 4, 4),
    ("before the run is closed", 1, 4, 4),
    ("run closed", 1, 4, 4),
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Json, int]:
    """The canonical graph and the number of revisions of a scan that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    url = f"sqlite:///{folder / 'store.db'}"
    assert ended(scan, url, folder) == os.EX_OK
    services = services_at(url, folder)
    result = services.inventory.canonical(), services.store.position().revision
    services.close()
    return result


def found(services: Services) -> list[str]:
    """The addresses whose device is in the graph."""
    return [address for address in ANSWERING if services.inventory.lookup(address)]


def in_the_ledger(services: Services) -> Counter[str]:
    """Addresses that some run's ledger says were collected, with the number of runs."""
    return Counter(
        row.address
        for run in services.runs.newest()
        for row in services.runs.ledger(run.id)
        if row.outcome == "collected"
    )


def assert_what_was_acknowledged_is_there(services: Services, folder: Path) -> None:
    """Whatever people were told is in the ledger, that is in the graph, and its evidence is on disk."""
    told = {line.split()[0] for line in (folder / ACKNOWLEDGED).read_text().splitlines()} - {SILENT}
    ledger = set(in_the_ledger(services))
    graph = set(found(services))
    assert told <= ledger <= graph
    assert services.inventory.verify().problems == ()
    replies = {claim.evidence for ci in services.inventory.graph().cis for claim in services.inventory.claims(ci)}
    for reply in replies - {None}:
        assert services.evidence.get(str(reply)).startswith(b"10.0.0.")


def assert_as_if_nothing_had_happened(url: str, folder: Path, undisturbed: tuple[Json, int]) -> None:
    """The graph is that of an undisturbed scan, in as many revisions: nothing is lost, nothing doubled."""
    services = services_at(url, folder)
    assert_what_was_acknowledged_is_there(services, folder)
    newest, *earlier = services.runs.newest()
    rows = [(row.address, row.section, row.outcome) for row in services.runs.ledger(newest.id)]
    full = [(address, *row) for address in ANSWERING for row in (("", "collected"), *((s, "full") for s in SECTIONS))]
    assert (newest.state, newest.done, rows) == (RunState.DONE, 5, [*full, (SILENT, "", "silent")])
    assert {run.state for run in earlier} <= {RunState.INTERRUPTED, RunState.DONE}
    assert (services.inventory.canonical(), services.store.position().revision) == undisturbed
    assert services.inventory.tick().revision is None
    services.close()


def killed_there_and_scanned_again(url: str, folder: Path, spot: str, times: int) -> tuple[int, int]:
    """How many hosts the graph and the ledger had after the kill."""
    killed = ended(scan, url, folder, spot, times)
    services = services_at(url, folder)
    assert_what_was_acknowledged_is_there(services, folder)
    seen = len(found(services)), len(in_the_ledger(services))
    services.close()
    again = ended(scan, url, folder)
    assert (killed, again) == (KILLED, os.EX_OK)
    return seen


@pytest.mark.parametrize(("spot", "times", "in_graph", "in_ledger"), IN_THE_STORE)
def test_a_scan_killed_around_the_graphs_transaction_loses_nothing_and_the_next_ends_right(
    store_url: str, tmp_path: Path, undisturbed: tuple[Json, int], spot: str, times: int, in_graph: int, in_ledger: int
) -> None:
    seen = killed_there_and_scanned_again(store_url, tmp_path, spot, times)

    assert seen == (in_graph, in_ledger)
    assert_as_if_nothing_had_happened(store_url, tmp_path, undisturbed)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("spot", "times", "in_graph", "in_ledger"), BESIDE_THE_STORE)
def test_a_scan_killed_at_any_other_arrow_loses_nothing_and_the_next_ends_right(
    store_url: str, tmp_path: Path, undisturbed: tuple[Json, int], spot: str, times: int, in_graph: int, in_ledger: int
) -> None:
    seen = killed_there_and_scanned_again(store_url, tmp_path, spot, times)

    # What collects goes ahead of what stores: the evidence of a host may come before the hosts before it are stored.
    assert seen <= (in_graph, in_ledger) if spot.startswith("evidence") else seen == (in_graph, in_ledger)
    assert_as_if_nothing_had_happened(store_url, tmp_path, undisturbed)


def test_a_scan_killed_anywhere_time_and_again_ends_right(
    store_url: str, tmp_path: Path, undisturbed: tuple[Json, int]
) -> None:
    chance = Random(4)
    calls = 300_000  # about what a whole scan needs

    killed = [ended(scan_until, store_url, tmp_path, chance.randrange(1, calls)) for _ in range(6)]
    again = ended(scan, store_url, tmp_path)

    assert (KILLED in killed, again) == (True, os.EX_OK)
    assert_as_if_nothing_had_happened(store_url, tmp_path, undisturbed)
