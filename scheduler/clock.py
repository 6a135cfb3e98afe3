"""The clock of a server: follows the schedules, wakes the worker, runs the clock pass. Only it imports APScheduler.

The operations database is the truth: a schedule's next time stands there, so that what was missed while no server ran
is made up for once. APScheduler only waits; its job store is memory.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from operations.errors import OperationsError
from operations.runs import Runs
from operations.scanning import Scanner, ScanRun
from operations.schedules import Schedule, Schedules
from scheduler.jobs import Ticking, ask_for_run, forget, pass_of_the_clock, work_off
from scheduler.lock import FileLock

_log = logging.getLogger(__name__)

_FOLLOW_S = 5
_TICK_S = 300
_FORGET_S = 3600
_STANDBY_S = 5.0
_STOP_S = 10.0
_PREFIX = "schedule:"
_CRON_FIELDS = 5
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def next_time(cron: str, after: datetime) -> datetime:
    """The first time after this one that five cron fields mean. In UTC: summer time skips and doubles no hour.

    Raises OperationsError.
    """
    found = _trigger(cron).get_next_fire_time(None, after.astimezone(UTC) + timedelta(microseconds=1))
    if found is None:
        raise OperationsError(f"cron {cron!r} never comes")
    return found.astimezone(UTC)


def _trigger(cron: str) -> CronTrigger:
    fields = cron.split()
    try:
        if len(fields) != _CRON_FIELDS:
            raise ValueError(f"it has {len(fields)} fields")  # noqa: TRY301 - as any other fault of it
        if fields[2] != "*" and fields[4] != "*":
            raise ValueError("it names days of the month and of the week, which crons read in two ways; name one")  # noqa: TRY301 - as above
        return CronTrigger.from_crontab(" ".join((*fields[:4], _weekdays(fields[4]))), timezone=UTC)
    except ValueError as error:
        raise OperationsError(
            f"cron {cron!r} cannot be read ({error}); write minute hour day month weekday, such as '0 2 * * *'"
        ) from error


def _weekdays(field: str) -> str:
    """Weekdays by name: crontab(5) counts from Sunday (0 and 7), APScheduler from Monday."""
    if field == "*":
        return field
    found: list[str] = []
    for part in field.lower().split(","):
        days, slash, step = part.partition("/")
        first, dash, last = ("0", "-", "6") if days == "*" else days.partition("-")
        low, high = _weekday(first), _weekday(last) if dash else _weekday(first)
        if high < low or (slash and not (step.isdigit() and int(step))):
            raise ValueError(f"weekday {part!r}")
        found += [_WEEKDAYS[day % 7] for day in range(low, high + 1, int(step or 1))]
    return ",".join(dict.fromkeys(found))


def _weekday(text: str) -> int:
    if text in _WEEKDAYS:
        return _WEEKDAYS.index(text)
    if text.isascii() and text.isdigit() and int(text) <= 7:
        return int(text)
    raise ValueError(f"weekday {text!r}")


class Clock:
    """Works while it holds the lock; a second one stands by, and takes over when the first is gone.

    `follow_s`: how often it looks for schedules and runs that other processes wrote; `wake` looks at once. `keep`: how
    long history is kept; None for ever. `thin_out` removes evidence that is too old or too much.
    """

    def __init__(
        self,
        schedules: Schedules,
        runs: Runs,
        scanner: Callable[[], Scanner],
        inventory: Callable[[], Ticking],
        lock: Path,
        *,
        follow_s: int = _FOLLOW_S,
        tick_s: int = _TICK_S,
        standby_s: float = _STANDBY_S,
        keep: timedelta | None = None,
        forget_s: int = _FORGET_S,
        thin_out: Callable[[], None] | None = None,
    ) -> None:
        self._schedules = schedules
        self._runs = runs
        self._scanner = scanner
        self._inventory = inventory
        self._lock = FileLock(lock)
        self._follow_s = follow_s
        self._tick_s = tick_s
        self._standby_s = standby_s
        self._keep = keep
        self._forget_s = forget_s
        self._thin_out = thin_out
        self._known: dict[str, Schedule] = {}
        self._following = threading.Lock()
        self._in_charge = threading.Event()
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
        return self._in_charge.is_set()

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
            while not self._stopped.is_set() and not self._take_lock():
                self._stopped.wait(self._standby_s)
            if not self._stopped.is_set():
                self._be_in_charge()
        finally:
            self._lock.free()

    def _take_lock(self) -> bool:
        try:
            return self._lock.take()
        except OperationsError as error:
            _log.warning("the scheduler stands by: %s", error)
            return False

    def _be_in_charge(self) -> None:
        waiting = BackgroundScheduler(
            timezone=UTC,
            daemon=True,
            # Whatever was missed is made up for, once: the database says when it was due.
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        every = {"tick": (self._tick, self._tick_s), "follow": (lambda: self._follow(waiting), self._follow_s)}
        if (keep := self._keep) is not None:
            every["forget"] = (lambda: forget(self._inventory, keep), self._forget_s)
        if self._thin_out is not None:
            every["thin out"] = (self._thin_out, self._forget_s)
        for job, (does, seconds) in every.items():
            waiting.add_job(does, IntervalTrigger(seconds=seconds, timezone=UTC), id=job)
        waiting.start()
        self._in_charge.set()
        try:
            while not self._stopped.is_set():
                self._woken.clear()
                self._follow(waiting)
                self._work_off()
                self._woken.wait(self._follow_s)
        finally:
            self._in_charge.clear()
            waiting.shutdown(wait=True)

    def _tick(self) -> None:
        pass_of_the_clock(self._inventory)

    def _follow(self, waiting: BackgroundScheduler) -> None:
        """Make APScheduler's jobs those of the database; each has the id of its schedule."""
        with self._following:
            try:
                found = {f"{_PREFIX}{each.id}": each for each in self._schedules.all() if each.enabled}
            except OperationsError as error:
                _log.warning("the schedules cannot be read now: %s", error)
                return
            for job in self._known.keys() - found.keys():
                waiting.remove_job(job)
            for job, schedule in found.items():
                if self._known.get(job) != schedule:
                    trigger = _trigger(schedule.cron)
                    waiting.add_job(
                        self._fire, trigger, (schedule.id,), id=job, next_run_time=schedule.due, replace_existing=True
                    )
            self._known = found

    def _fire(self, schedule: int) -> None:
        if ask_for_run(schedule, self._schedules, self._runs) is not None:
            self.wake()

    def _work_off(self) -> None:
        try:
            work_off(self._runs, self._scanner(), self._under_way, self._stopped.is_set)
        except Exception:  # noqa: BLE001 - the worker outlives whatever happens to one look
            _log.exception("the worker could not take a run")
        finally:
            self._work = None

    def _under_way(self, work: ScanRun) -> None:
        self._work = work
        if self._stopped.is_set():
            work.cancel()
