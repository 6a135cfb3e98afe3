"""Two processes that write at once, and one that reads what a killed writer left."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest

from api.wiring import Services
from cmdb.codec import Json
from tests.faults.dying import declare, ended, process, scan, scan_often, services_at
from tests.faults.site import ANSWERING

TIMES = 2


def both(services: Services) -> tuple[Json, int]:
    """What a scan and a declaration made, proven; the number of revisions too."""
    assert services.inventory.verify().problems == ()
    assert services.inventory.tick().revision is None
    return services.inventory.canonical(), services.store.position().revision


def test_a_scan_and_a_declaration_in_two_processes_at_once_give_what_they_give_one_after_the_other(
    store_url: str, tmp_path: Path
) -> None:
    expected_url = f"sqlite:///{tmp_path / 'expected.db'}"
    assert (ended(scan_often, expected_url, tmp_path, TIMES), ended(declare, expected_url, tmp_path, TIMES)) == (0, 0)

    with (
        process(scan_often, store_url, tmp_path, TIMES) as one,
        process(declare, store_url, tmp_path, TIMES) as two,
    ):
        one.join(60)
        two.join(60)
        codes = one.exitcode, two.exitcode

    with closing(services_at(expected_url, tmp_path)) as services:
        expected = both(services)
    with closing(services_at(store_url, tmp_path)) as services:
        assert (codes, both(services)) == ((os.EX_OK, os.EX_OK), expected)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_reader_sees_what_a_killed_writer_had_committed_though_it_stands_in_the_log_only(
    store_url: str, tmp_path: Path
) -> None:
    with closing(services_at(store_url, tmp_path)) as reader:
        before = len(reader.inventory.graph().cis)
        killed = ended(scan, store_url, tmp_path, "all written but the commit", 3)
        log = tmp_path / "store.db-wal"
        left = log.stat().st_size > 0
        seen = [address for address in ANSWERING if reader.inventory.lookup(address)]
        told = reader.inventory.verify()

    with closing(services_at(store_url, tmp_path)) as later:
        later_seen = [address for address in ANSWERING if later.inventory.lookup(address)]
    assert (before, killed, left) == (0, -signal.SIGKILL, True)
    assert (seen, told.revisions, told.problems) == (["10.0.0.1", "10.0.0.2"], 2, ())
    assert later_seen == seen
