"""kill -9 at each arrow of "three places, one order", and anywhere: nothing acknowledged is lost, nothing doubled."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.faults.checks import (
    Told,
    assert_as_if_nothing_had_happened,
    assert_what_was_acknowledged_is_there,
    found,
    in_the_ledger,
)
from tests.faults.dying import ended, scan, scan_until, services_at

KILLED = -signal.SIGKILL
# A spot, the nth time, how many hosts are in the graph then, how many in the ledger.
IN_THE_STORE = (
    ("all written but the commit", 2, 1, 1),
    ("committed", 2, 2, 1),
)
BESIDE_THE_STORE = (
    ("evidence without a name", 5, 1, 1),
    ("evidence on disk", 5, 1, 1),
    ("lock taken", 2, 1, 1),
    ("revision written", 2, 1, 1),
    ("ledger row written", 2, 2, 2),
    ("all written but the commit", 5, 4, 4),
    ("committed", 5, 4, 4),
    ("before the run is closed", 1, 4, 4),
    ("run closed", 1, 4, 4),
)


def killed_there_and_scanned_again(url: str, folder: Path, spot: str, times: int) -> tuple[int, int]:
    """How many hosts the graph and the ledger had after the kill."""
    killed = ended(scan, url, folder, spot, times)
    with closing(services_at(url, folder)) as services:
        assert_what_was_acknowledged_is_there(services, folder)
        seen = len(found(services)), len(in_the_ledger(services))
    again = ended(scan, url, folder)
    assert (killed, again) == (KILLED, os.EX_OK)
    return seen


@pytest.mark.parametrize(("spot", "times", "in_graph", "in_ledger"), IN_THE_STORE)
def test_a_scan_killed_around_the_graphs_transaction_loses_nothing_and_the_next_ends_right(
    store_url: str, tmp_path: Path, undisturbed: Told, spot: str, times: int, in_graph: int, in_ledger: int
) -> None:
    seen = killed_there_and_scanned_again(store_url, tmp_path, spot, times)

    assert seen == (in_graph, in_ledger)
    assert_as_if_nothing_had_happened(store_url, tmp_path, undisturbed)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("spot", "times", "in_graph", "in_ledger"), BESIDE_THE_STORE)
def test_a_scan_killed_at_any_other_arrow_loses_nothing_and_the_next_ends_right(
    store_url: str, tmp_path: Path, undisturbed: Told, spot: str, times: int, in_graph: int, in_ledger: int
) -> None:
    seen = killed_there_and_scanned_again(store_url, tmp_path, spot, times)

    # What collects goes ahead of what stores: the evidence of a host may come before the hosts before it are stored.
    assert seen <= (in_graph, in_ledger) if spot.startswith("evidence") else seen == (in_graph, in_ledger)
    assert_as_if_nothing_had_happened(store_url, tmp_path, undisturbed)


def test_a_scan_killed_anywhere_time_and_again_ends_right(store_url: str, tmp_path: Path, undisturbed: Told) -> None:
    chance = Random(4)
    calls = 300_000  # about what a whole scan needs

    killed = [ended(scan_until, store_url, tmp_path, chance.randrange(1, calls)) for _ in range(4)]
    again = ended(scan, store_url, tmp_path)

    assert (KILLED in killed, again) == (True, os.EX_OK)
    assert_as_if_nothing_had_happened(store_url, tmp_path, undisturbed)
