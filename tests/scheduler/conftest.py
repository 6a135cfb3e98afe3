from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cmdb.codec import time_out
from discovery.transport.base import HostKeyPolicy
from operations.credentials import Credentials
from operations.database import Database
from operations.evidence import EvidenceFolder
from operations.host_keys import HostKeyStore
from operations.runs import Run, Runs
from operations.scanning import Scanner
from operations.schedules import Schedules
from operations.secrets import open_vault
from scheduler.clock import Clock, next_time
from tests.operations.scripted import Scripted, Taken, silent


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'operations.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def runs(database: Database) -> Runs:
    return Runs(database, now)


@pytest.fixture
def schedules(database: Database) -> Schedules:
    return Schedules(database, now, next_time)


class Workshop:
    """Clocks over one database, and what they were seen to do."""

    def __init__(self, database: Database, runs: Runs, schedules: Schedules, lock: Path) -> None:
        self.database, self.runs, self.schedules, self._lock = database, runs, schedules, lock
        self.graph = Taken()
        self.scan = Scripted([silent("10.0.0.1")])
        self.clocks: list[Clock] = []

    def clock(
        self, tick_s: int = 3600, keep: timedelta | None = None, thin_out: Callable[[], None] | None = None
    ) -> Clock:
        runs = Runs(self.database, now)
        folder = self._lock.parent
        scanner = Scanner(
            runs,
            self.graph,
            Credentials(self.database, lambda: open_vault(folder / "cmdb.key"), now).book,
            lambda space: HostKeyStore(self.database, now, HostKeyPolicy.PIN, space),
            EvidenceFolder(folder / "evidence"),
            now,
            begin=self.scan,
        )
        made = Clock(
            self.schedules,
            runs,
            lambda: scanner,
            lambda: self.graph,
            self._lock,
            follow_s=1,
            tick_s=tick_s,
            standby_s=0.05,
            keep=keep,
            forget_s=1,
            thin_out=thin_out,
        )
        self.clocks.append(made)
        return made

    def make_due(self, name: str, ago: timedelta = timedelta(days=3)) -> None:
        """As if no server had run when it was due."""
        with self.database.write() as writing:
            writing.run("UPDATE schedules SET due = :due WHERE name = :name", due=time_out(now() - ago), name=name)

    def until(self, seen: Callable[[], object]) -> None:
        """Wait for what threads do, ten seconds at most."""
        deadline, pause = time.monotonic() + 10, threading.Event()
        while not seen():
            assert time.monotonic() < deadline, "it never came"
            pause.wait(0.02)

    def ended(self) -> list[Run]:
        return [run for run in self.runs.newest() if run.state.ended]


@pytest.fixture
def workshop(database: Database, runs: Runs, schedules: Schedules, tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(database, runs, schedules, tmp_path / "scheduler.lock")
    yield made
    for clock in made.clocks:
        clock.stop()
