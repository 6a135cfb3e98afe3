"""The clock of a server: follows the schedules, wakes the worker, and runs the clock pass. The only importer of APScheduler.

The operations database is the truth: a schedule's next time stands there, so that what was missed while no server ran is
made up for once. APScheduler only waits; its job store is memory.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from operations.errors import OperationsError
from operations.runs import Runs
from operations.scanning import Scanner, ScanRun
from operations.schedules import Schedule, Schedules
from scheduler.jobs import Ticking, ask_for_run, pass_of_the_clock, work_off
from scheduler.lock import FileLock

_log = logging.getLogger(__name__)

_FOLLOW_S = 5.0
_TICK_S = 300.0
_STANDBY_S = 5.0
_STOP_S = 10.0
_PREFIX = "schedule:"


def next_time(cron: str, after: datetime) -> datetime:
    """The first time after this one that five cron fields mean, in UTC: no hour is skipped or doubled by daylight saving.

    Raises OperationsError.
    """
    found = _trigger(cron).get_next_fire_time(None, after.astimezone(UTC) + timedelta(microseconds=1))
    if found is None:
        raise OperationsError(f"cron {cron!r} never comes")
    return found.astimezone(UTC)


def _trigger(cron: str) -> CronTrigger:
    try:
        return CronTrigger.from_crontab(cron, timezone=UTC)
    except ValueError as error:
        raise OperationsError(
            f"cron {cron!r} cannot be read ({error}); write five fields: minute hour day month weekday, such as '0 2 * * *'"
        ) from error


class Clock:
    """Works while it holds the lock; a second one stands by, and takes over when the first is gone.

    `follow_s`: how often it looks for schedules and runs that other processes wrote; `wake` looks at once.
    """

    def __init__(
        self,
        schedules: Schedules,
        runs: Runs,
        scanner: Callable[[], Scanner],
        inventory: Callable[[], Ticking],
        lock: Path,
        now: Callable[[], datetime],
        *,
        follow_s: float = _FOLLOW_S,
        tick_s: float = _TICK_S,
        standby_s: float = _STANDBY_S,
    ) -> None:
        self._schedules = schedules
        self._runs = runs
        self._scanner = scanner
        self._inventory = inventory
        self._lock = FileLock(lock)
        self._now = now
        self._follow_s = follow_s
        self._tick_s = tick_s
        self._standby_s = standby_s
        self._known: dict[str, Schedule] = {}
        self._following = threading.Lock()
        self._waiting: BackgroundScheduler | None = None
        self._work: ScanRun | None = None
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin on a thread of its own; returns at once."""
        self._thread = threading.Thread(target=self._live, name="worker", daemon=True)
        self._thread.start()

    @property
    def is_in_charge(self) -> bool:
        """Whether this clock holds the lock, rather than standing by."""
        return self._waiting is not None

    def wake(self) -> None:
        """Something was queued or a schedule was changed: look now."""
        self._woken.set()

    def stop(self) -> None:
        """End. A scan under way is closed as interrupted, queued runs stay queued. Twice is harmless."""
        self._stopped.set()
        self._woken.set()
        if (work := self._work) is not None:
            work.cancel()
        if self._thread is not None:
            self._thread.join(_STOP_S)
            self._thread = None

    def _live(self) -> None:
        """Stand by, then be in charge; free everything at the end."""
        try:
            while not self._stopped.is_set() and not self._take_charge():
                self._stopped.wait(self._standby_s)
            while not self._stopped.is_set():
                self._woken.clear()
                self._follow()
                self._work_off()
                self._woken.wait(self._follow_s)
        finally:
            if self._waiting is not None:
                self._waiting.shutdown(wait=True)
                self._waiting = None
            self._lock.free()

    def _take_charge(self) -> bool:
        try:
            if not self._lock.take():
                return False
        except OperationsError as error:
            _log.warning("the scheduler stands by: %s", error)
            return False
        waiting = BackgroundScheduler(
            timezone=UTC,
            daemon=True,
            # Whatever was missed is made up for, once: the database says when it was due.
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        waiting.add_job(
            pass_of_the_clock, IntervalTrigger(seconds=self._tick_s, timezone=UTC), (_Late(self._inventory),), id="tick"
        )
        waiting.start()
        self._waiting = waiting
        return True

    def _follow(self) -> None:
        """Make APScheduler's jobs those of the database; each has the id of its schedule."""
        if self._waiting is None:
            return
        try:
            found = {f"{_PREFIX}{each.id}": each for each in self._schedules.all() if each.enabled}
        except OperationsError as error:
            _log.warning("the schedules cannot be read now: %s", error)
            return
        with self._following:
            for job in self._known.keys() - found.keys():
                self._forget(job)
            for job, schedule in found.items():
                if self._known.get(job) != schedule:
                    self._plan(job, schedule)
            self._known = found

    def _plan(self, job: str, schedule: Schedule) -> None:
        assert self._waiting is not None
        self._waiting.add_job(
            self._fire,
            _trigger(schedule.cron),
            (schedule.id,),
            id=job,
            name=schedule.name,
            next_run_time=schedule.due,
            replace_existing=True,
        )

    def _forget(self, job: str) -> None:
        assert self._waiting is not None
        try:
            self._waiting.remove_job(job)
        except JobLookupError:
            _log.debug("job %s ended by itself", job)

    def _fire(self, schedule: int) -> None:
        if ask_for_run(schedule, self._schedules, self._runs) is not None:
            self.wake()

    def _work_off(self) -> None:
        try:
            work_off(self._runs, self._scanner(), self._under_way, self._stopped.is_set)
        except Exception:
            # The worker outlives whatever happens to one look; the row of the run tells the rest.
            _log.exception("the worker could not take a run")
        finally:
            self._work = None

    def _under_way(self, work: ScanRun) -> None:
        self._work = work
        if self._stopped.is_set():
            work.cancel()


class _Late:
    """The inventory, opened when the clock pass needs it first."""

    def __init__(self, inventory: Callable[[], Ticking]) -> None:
        self._inventory = inventory

    def tick(self) -> object:
        return self._inventory().tick()
