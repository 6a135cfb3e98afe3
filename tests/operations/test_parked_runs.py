"""A scan whose reports would end too much: the ledger says what waits, what was parked, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Report
from cmdb.rules import Brake, Rules
from cmdb.store.opening import open_store
from discovery.host_report import HostReport, Outcome
from discovery.transport.base import HostKeyPolicy
from operations.credentials import Credentials
from operations.database import Database
from operations.evidence import EvidenceFolder
from operations.host_keys import HostKeyStore
from operations.runs import Runs, RunState, Scope
from operations.scanning import Scanner
from operations.secrets import open_vault
from tests.fixtures.parking import CORE, core
from tests.operations.scripted import Scripted

if TYPE_CHECKING:
    from tests.operations.conftest import Hands

SCOPE = Scope((CORE,))


@pytest.fixture
def inventory(tmp_path: Path, clock: Hands) -> Iterator[Inventory]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Inventory(store, Rules(brake=Brake(0.2, 5)), clock)
    store.close()


@pytest.fixture
def runs(database: Database, clock: Hands) -> Runs:
    return Runs(database, clock)


class Scans:
    """Scans of one switch, an hour apart."""

    def __init__(self, database: Database, clock: Hands, runs: Runs, inventory: Inventory, folder: Path) -> None:
        self._database, self._clock, self._runs = database, clock, runs
        self._inventory, self._folder = inventory, folder
        self.during: list[list[tuple[str, str]]] = []

    def scan(self, number: int, neighbours: int) -> str:
        """One in which the switch shows so many neighbours; returns the run's id."""
        self._clock.now += timedelta(hours=1)
        run = self._runs.begin(SCOPE, "ann")
        said = _now(core(number, neighbours), run.id, self._clock)
        scanner = Scanner(
            self._runs,
            self._inventory,
            Credentials(self._database, lambda: open_vault(self._folder / "cmdb.key"), self._clock).book,
            lambda space: HostKeyStore(self._database, self._clock, HostKeyPolicy.PIN, space),
            EvidenceFolder(self._folder / "evidence"),
            self._clock,
            begin=Scripted([HostReport("default", CORE, Outcome.COLLECTED, said, (), (), "core-a", "x", 0.5)]),
        )
        for _ in scanner.work(run):
            self.during.append(self.ledger(run.id))
        return run.id

    def ledger(self, run: str) -> list[tuple[str, str]]:
        return [(row.section, row.outcome) for row in self._runs.ledger(run)]


def _now(report: Report, run: str, clock: Hands) -> Report:
    sections = tuple(replace(section, time=clock()) for section in report.sections)
    return replace(report, run=run, time=clock(), sections=sections)


@pytest.fixture
def scans(database: Database, clock: Hands, runs: Runs, inventory: Inventory, tmp_path: Path) -> Scans:
    return Scans(database, clock, runs, inventory, tmp_path)


def test_what_would_end_little_waits_in_the_ledger_until_the_run_ends(scans: Scans, runs: Runs) -> None:
    scans.scan(1, 20)

    run = scans.scan(2, 18)

    assert scans.during[-1] == [("", "collected"), ("snmp.lldp", "waits"), ("snmp.system", "full")]
    assert scans.ledger(run) == [("", "collected"), ("snmp.lldp", "full"), ("snmp.system", "full")]
    assert (runs.get(run).state, runs.get(run).error) == (RunState.DONE, None)


def test_what_would_end_too_much_is_parked_and_the_run_says_whom_to_ask(scans: Scans, runs: Runs) -> None:
    scans.scan(1, 20)

    run = scans.scan(2, 3)

    rows = {row.section: row for row in runs.ledger(run)}
    assert {name: row.outcome for name, row in rows.items()} == {
        "": "collected", "snmp.lldp": "parked", "snmp.system": "full",
    }  # fmt: skip
    assert rows["snmp.lldp"].error == "it would end 17 claims; parked-1 waits for an answer"
    assert (runs.get(run).state, runs.get(run).error) == (
        RunState.PROBLEMS, "parked-1 waits for an answer: 17 claims would end",
    )  # fmt: skip
