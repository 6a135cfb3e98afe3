"""Processes that kill themselves, without a last word, at one of the arrows of "three places, one order".

The product knows nothing of it: what its own wiring made is wrapped before the scan begins.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any, cast

from api.settings import load
from api.wiring import Services, now
from cmdb.model import Revision
from cmdb.store.base import Batch, GraphStore, Transaction
from operations.evidence import EvidenceFolder
from operations.runs import LedgerRow, Run, Runs, RunState
from tests.faults.site import ESTATE, SCOPE, Replies

ACKNOWLEDGED = "acknowledged"
"""The file in which a scan told people, an address a line, what it was done with."""

_FROM_A_WARM_PROCESS = multiprocessing.get_context("forkserver")
_FROM_A_WARM_PROCESS.set_forkserver_preload([__name__])


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fate:
    """What happens (by default death) the `times`th time that a spot is passed. No spot is none."""

    def __init__(self, spot: str = "", times: int = 1, happens: Callable[[], object] = die) -> None:
        self._spot = spot
        self._left = times
        self._happens = happens

    def passes(self, spot: str) -> None:
        if spot != self._spot:
            return
        self._left -= 1
        if self._left == 0:
            self._happens()


class WatchedEvidence(EvidenceFolder):
    def __init__(self, folder: Path, fate: Fate) -> None:
        super().__init__(folder)
        self._fate = fate
        # The reply is written and synced, and has not got its name yet.
        sys.addaudithook(lambda event, _: fate.passes("evidence without a name") if event == "os.rename" else None)

    def store(self, content: bytes) -> str:
        name = super().store(content)
        self._fate.passes("evidence on disk")
        return name


class WatchedTransaction:
    """A Transaction that passes the spots; all else is the real one's."""

    def __init__(self, transaction: Transaction, fate: Fate) -> None:
        self._transaction = transaction
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def apply(self, batch: Batch) -> Revision | None:
        applied = self._transaction.apply(batch)
        self._fate.passes("revision written")
        return applied


class WatchedStore:
    """A GraphStore that passes the spots; all else is the real one's."""

    def __init__(self, store: GraphStore, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        with self._store.write() as transaction:
            self._fate.passes("lock taken")
            yield cast("Transaction", WatchedTransaction(transaction, self._fate))
            self._fate.passes("all written but the commit")
        self._fate.passes("committed")


class WatchedRuns(Runs):
    fate = Fate()

    def record(self, run: str, rows: Sequence[LedgerRow]) -> None:
        super().record(run, rows)
        if rows:
            self.fate.passes("ledger row written")

    def close(
        self, run: str, state: RunState, done: int, total: int, counts: Mapping[str, int], error: str | None = None
    ) -> Run:
        self.fate.passes("before the run is closed")
        closed = super().close(run, state, done, total, counts, error)
        self.fate.passes("run closed")
        return closed


def services_at(url: str, folder: Path) -> Services:
    """The product's own wiring, with everything beside the graph in this folder."""
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    return Services(
        load(
            store=url,
            operations=f"sqlite:///{folder / 'operations.sqlite'}",
            evidence=folder / "evidence",
            key_file=folder / "cmdb.key",
        )
    )


def scan(url: str, folder: Path, spot: str = "", times: int = 1) -> None:
    """Scan the site as the command line does, and die on the way."""
    fate = Fate(spot, times)
    services = services_at(url, folder)
    services.store = cast("GraphStore", WatchedStore(services.store, fate))
    services.evidence = WatchedEvidence(folder / "evidence", fate)
    services.runs = runs = WatchedRuns(services.operations, now)
    runs.fate = fate
    scanner = replace(services.scanner, begin=Replies())
    with (folder / ACKNOWLEDGED).open("a", buffering=1) as told:
        for progress in scanner.work(runs.begin(SCOPE, "test")):
            told.write(f"{progress.address} {progress.outcome}\n")
    services.close()


def scan_until(url: str, folder: Path, calls: int) -> None:
    """The same, and die at the call with this number: anywhere."""
    left = calls

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal left
        del frame, argument
        left -= event in {"call", "c_call"}
        if left == 0:
            die()

    sys.setprofile(count)
    scan(url, folder)
    sys.setprofile(None)
    (folder / "calls").write_text(str(calls - left))


def declare(url: str, folder: Path, times: int) -> None:
    """Declare the estate, each time with another contact."""
    services = services_at(url, folder)
    for n in range(1, times + 1):
        services.inventory.declare(ESTATE.replace("payroll}", f"payroll, contact: Ann {n}}}"), "estate.yaml", "test")
    services.close()


def scan_often(url: str, folder: Path, times: int) -> None:
    """Scan the site several times in one process."""
    for _ in range(times):
        scan(url, folder)


@contextmanager
def process(does: Any, *arguments: Any) -> Iterator[BaseProcess]:
    """A process of its own, killed at the end if it still runs."""
    child = _FROM_A_WARM_PROCESS.Process(target=does, args=arguments)
    child.start()
    try:
        yield child
    finally:
        child.kill()
        child.join()
        child.close()


def ended(does: Any, *arguments: Any) -> int | None:
    """Run something in a process of its own; returns how that ended, -9 where it was killed."""
    with process(does, *arguments) as child:
        child.join(60)
        return child.exitcode
