"""What happens by itself, as plain functions with their collaborators as arguments: they know no clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from cmdb.store.base import StoreError
from operations.errors import OperationsError
from operations.evidence import EvidenceFolder
from operations.retention import Limits, trim
from operations.runs import Run, Runs
from operations.scanning import Scanner, ScanRun
from operations.schedules import Schedules

_log = logging.getLogger(__name__)


class Ticking(Protocol):
    """`cmdb.inventory.Inventory`: the clock pass projects again what a deadline has passed; old history is trimmed."""

    def tick(self) -> object: ...

    def trim(self, before: timedelta) -> int: ...


def ask_for_run(schedule: int, schedules: Schedules, runs: Runs) -> str | None:
    """Queue the run of a schedule that is due. Scanning itself is the worker's.

    Runs whose process died are mended first: one of them would keep its schedule waiting for ever.
    """
    try:
        runs.mend()
        return schedules.fire(schedule)
    except OperationsError as error:
        _log.warning("schedule %s could not ask for its run: %s", schedule, error)
        return None


def pass_of_the_clock(inventory: Callable[[], Ticking]) -> None:
    """A store that is away now is asked again at the next pass."""
    try:
        inventory().tick()
    except StoreError as error:
        _log.warning("the clock pass was left out: %s", error)


def forget(inventory: Callable[[], Ticking], keep: timedelta) -> None:
    """Forget history that is older than what is kept; what is left begins with a snapshot."""
    try:
        oldest = inventory().trim(keep)
    except StoreError as error:
        _log.warning("old history was not trimmed: %s", error)
    else:
        _log.info("history begins at revision %s", oldest)


class Holding(Protocol):
    """`cmdb.inventory.Inventory`: it knows which replies values come from."""

    def evidence_in_use(self) -> frozenset[str]: ...


def thin_out(
    evidence: EvidenceFolder, inventory: Callable[[], Holding], limits: Limits, clock: Callable[[], datetime]
) -> None:
    """Remove replies that are too old or too much. Without the store nobody knows which are needed: then none goes."""
    try:
        gone = trim(evidence, limits, inventory().evidence_in_use(), clock())
    except (StoreError, OperationsError) as error:
        _log.warning("evidence was not trimmed: %s", error)
        return
    if gone.replies or gone.visits:
        _log.info("%s replies and %s visits are no longer kept: %s bytes freed", gone.replies, gone.visits, gone.freed)
    if gone.in_force:
        _log.warning(
            "values come from %s of the replies that are no longer kept: evidence may take %s bytes (evidence_bytes)",
            gone.in_force, limits.size,
        )  # fmt: skip


def work_off(runs: Runs, scanner: Scanner, underway: Callable[[ScanRun], None], stopped: Callable[[], bool]) -> int:
    """Take the queued runs in order until none is left; returns how many were taken.

    `underway` is told each scan before it begins, so that it can be cancelled.
    """
    taken = 0
    while not stopped() and (run := runs.take()) is not None:
        taken += 1
        _scan(run, scanner, underway)
    return taken


def _scan(run: Run, scanner: Scanner, underway: Callable[[ScanRun], None]) -> None:
    """However it ends, the run's row says so; nothing leaves it, for the next run waits."""
    work = scanner.work(run)
    underway(work)
    try:
        for _ in work:
            pass
    except Exception:  # noqa: BLE001 - around one run; its row says what went wrong, and the log where
        _log.exception("run %s ended early", run.id)
