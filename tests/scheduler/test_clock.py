from __future__ import annotations

import logging
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmdb.store.base import StoreUnavailable
from operations.runs import RunState, Scope
from scheduler.jobs import forget, pass_of_the_clock
from scheduler.lock import FileLock
from tests.fixtures.parts import REPOSITORY
from tests.operations.scripted import Scripted, Taken, answering, silent

if TYPE_CHECKING:
    from tests.scheduler.conftest import Workshop

SCOPE = Scope(("10.0.0.1",))


def test_a_queued_run_is_worked_off(workshop: Workshop) -> None:
    clock = workshop.clock()
    clock.start()
    run = workshop.runs.request(SCOPE, "ann")
    clock.wake()

    workshop.until(workshop.ended)

    assert [(found.id, found.state) for found in workshop.ended()] == [(run.id, RunState.DONE)]


def test_queued_runs_are_worked_off_in_order(workshop: Workshop) -> None:
    asked = [workshop.runs.request(SCOPE, "ann").id for _ in range(3)]
    workshop.clock().start()

    workshop.until(lambda: len(workshop.ended()) == 3)

    started = sorted(workshop.ended(), key=lambda run: (run.started is None, run.started))
    assert [run.id for run in started] == sorted(asked)


def test_a_schedule_that_was_missed_for_days_runs_once(workshop: Workshop) -> None:
    workshop.schedules.add("nightly", SCOPE, "0 2 * * *", "ann")
    workshop.make_due("nightly")
    workshop.clock().start()

    workshop.until(workshop.ended)

    assert [(run.requested_by, run.state) for run in workshop.runs.newest()] == [("schedule nightly", RunState.DONE)]


def test_a_schedule_that_another_process_adds_is_followed(workshop: Workshop) -> None:
    clock = workshop.clock()
    clock.start()
    workshop.until(lambda: clock.is_in_charge)
    workshop.schedules.add("nightly", SCOPE, "0 2 * * *", "ann")
    workshop.make_due("nightly")

    workshop.until(workshop.ended)

    assert len(workshop.runs.newest()) == 1


def test_a_schedule_that_was_paused_or_removed_does_not_run(workshop: Workshop) -> None:
    for name in ("paused", "removed", "kept"):
        workshop.schedules.add(name, SCOPE, "0 2 * * *", "ann")
    clock = workshop.clock()
    clock.start()
    workshop.until(lambda: clock.is_in_charge)
    workshop.schedules.enable("paused", enabled=False)
    workshop.schedules.remove("removed")
    for name in ("paused", "kept"):
        workshop.make_due(name)
    clock.wake()

    workshop.until(workshop.ended)

    assert [run.requested_by for run in workshop.runs.newest()] == ["schedule kept"]


def test_of_two_clocks_one_runs_and_the_other_takes_over(workshop: Workshop) -> None:
    first, second = workshop.clock(), workshop.clock()
    first.start()
    workshop.until(lambda: first.is_in_charge)
    second.start()
    workshop.schedules.add("nightly", SCOPE, "0 2 * * *", "ann")
    workshop.make_due("nightly")
    workshop.until(workshop.ended)
    seen = (len(workshop.runs.newest()), first.is_in_charge, second.is_in_charge)

    first.stop()
    workshop.until(lambda: second.is_in_charge)
    workshop.make_due("nightly")
    workshop.until(lambda: len(workshop.ended()) == 2)

    assert seen == (1, True, False)
    assert (first.is_in_charge, second.is_in_charge) == (False, True)


def test_stopping_interrupts_the_scan_and_leaves_the_queue(workshop: Workshop) -> None:
    reached, never = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        never.wait()

    workshop.scan = Scripted([answering("10.0.0.1"), silent("10.0.0.2")], {"10.0.0.2": wait})
    running, queued = (workshop.runs.request(SCOPE, "ann") for _ in range(2))
    clock = workshop.clock()
    clock.start()
    assert reached.wait(10)

    clock.stop()
    clock.stop()

    states = {run.id: run.state for run in workshop.runs.newest()}
    assert sorted(states.values()) == [RunState.INTERRUPTED, RunState.QUEUED]
    assert set(states) == {running.id, queued.id}
    never.set()


def test_a_run_that_fails_does_not_stop_the_worker(workshop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    workshop.runs.request(Scope(("10.0.0.0/33",)), "ann")
    workshop.runs.request(SCOPE, "ann")
    workshop.clock().start()

    workshop.until(lambda: len(workshop.ended()) == 2)

    assert sorted(run.state for run in workshop.ended()) == [RunState.DONE, RunState.FAILED]


def test_the_clock_pass_comes_by_itself(workshop: Workshop) -> None:
    workshop.clock(tick_s=1).start()

    workshop.until(lambda: workshop.graph.ticks)

    assert workshop.graph.ticks >= 1


def test_history_is_forgotten_by_itself_where_a_site_keeps_it_for_a_time_only(workshop: Workshop) -> None:
    workshop.clock(keep=timedelta(days=90)).start()

    workshop.until(lambda: workshop.graph.trimmed)

    assert set(workshop.graph.trimmed) == {timedelta(days=90)}


def test_a_store_that_is_away_leaves_out_one_pass(caplog: pytest.LogCaptureFixture) -> None:
    def away() -> Taken:
        raise StoreUnavailable("the store does not answer")

    pass_of_the_clock(away)
    forget(away, timedelta(days=90))

    assert "the clock pass was left out: the store does not answer" in caplog.text
    assert "old history was not trimmed: the store does not answer" in caplog.text


HOLDS = """
import sys
from pathlib import Path
from scheduler.lock import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.take(), flush=True)
input()
"""


def test_a_lock_is_freed_when_its_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.lock"
    mine = FileLock(path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as child:
        assert child.stdout is not None
        theirs = child.stdout.readline().strip()
        held = mine.take()
        child.kill()
        child.wait(timeout=10)

    assert (theirs, held, mine.take()) == ("True", False, True)
    mine.free()


def test_two_locks_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    seen = [one.take(), one.take(), other.take()]
    one.free()
    one.free()

    assert [*seen, other.take()] == [True, True, False, True]
    other.free()
