from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from operations.database import Database
from operations.errors import AlreadyThere, NotKnown, OperationsError
from operations.runs import Runs, RunState, Scope
from operations.schedules import Schedule, Schedules

if TYPE_CHECKING:
    from tests.operations.conftest import Hands

SCOPE = Scope(("10.0.0.0/24",), "second")


def hourly(cron: str, after: datetime) -> datetime:
    """The only rhythm of these tests."""
    if cron != "0 * * * *":
        raise OperationsError(f"{cron!r} is no time")
    return after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


@pytest.fixture
def schedules(database: Database, clock: Hands) -> Schedules:
    return Schedules(database, clock, hourly)


@pytest.fixture
def runs(database: Database, clock: Hands) -> Runs:
    return Runs(database, clock)


def test_a_schedule_is_due_at_its_next_time(schedules: Schedules, clock: Hands) -> None:
    clock.move(minutes=10)

    added = schedules.add("nightly", SCOPE, " 0 *  * * *", "ann")

    due = clock.now + timedelta(minutes=50)
    assert added == Schedule(1, "nightly", SCOPE, "0 * * * *", True, "ann", clock.now, due)
    assert schedules.all() == [added]


def test_one_that_means_no_time_is_refused(schedules: Schedules) -> None:
    with pytest.raises(OperationsError, match="'sometimes' is no time"):
        schedules.add("nightly", SCOPE, "sometimes", "ann")
    assert schedules.all() == []


def test_a_name_is_taken_once(schedules: Schedules) -> None:
    schedules.add("nightly", SCOPE, "0 * * * *", "ann")

    with pytest.raises(AlreadyThere, match="there is a schedule 'nightly' already"):
        schedules.add("nightly", SCOPE, "0 * * * *", "ann")


def test_firing_queues_a_run_and_says_when_the_next_is(schedules: Schedules, runs: Runs, clock: Hands) -> None:
    schedule = schedules.add("nightly", SCOPE, "0 * * * *", "ann")
    clock.move(hours=1)

    fired = schedules.fire(schedule.id)

    assert fired is not None
    run = runs.get(fired)
    assert (run.scope, run.state, run.requested_by, run.schedule) == (SCOPE, RunState.QUEUED, "schedule nightly", 1)
    assert schedules.get("nightly").due == clock.now + timedelta(hours=1)


def test_it_fires_once_however_often_it_was_missed(schedules: Schedules, runs: Runs, clock: Hands) -> None:
    schedule = schedules.add("nightly", SCOPE, "0 * * * *", "ann")
    clock.move(days=3)

    fired = [schedules.fire(schedule.id), schedules.fire(schedule.id)]

    assert fired == [runs.newest()[0].id, None]
    assert len(runs.newest()) == 1


def test_it_does_not_fire_before_its_time(schedules: Schedules, clock: Hands) -> None:
    schedule = schedules.add("nightly", SCOPE, "0 * * * *", "ann")
    clock.move(minutes=59)

    assert schedules.fire(schedule.id) is None


def test_it_does_not_fire_while_its_last_run_goes_on(schedules: Schedules, runs: Runs, clock: Hands) -> None:
    schedule = schedules.add("nightly", SCOPE, "0 * * * *", "ann")
    fired = []
    for _ in range(3):
        clock.move(hours=1)
        fired.append(schedules.fire(schedule.id) is not None)
    run = runs.take()
    assert run is not None
    runs.close(run.id, RunState.DONE, 0, 0, {})
    clock.move(hours=1)
    fired.append(schedules.fire(schedule.id) is not None)

    assert fired == [True, False, False, True]


def test_a_paused_one_does_not_fire_and_makes_up_for_nothing(schedules: Schedules, clock: Hands) -> None:
    schedule = schedules.add("nightly", SCOPE, "0 * * * *", "ann")
    schedules.enable("nightly", enabled=False)
    clock.move(hours=2)
    paused = schedules.fire(schedule.id)

    resumed = schedules.enable("nightly", enabled=True)

    assert (paused, schedules.fire(schedule.id)) == (None, None)
    assert (resumed.enabled, resumed.due) == (True, clock.now + timedelta(hours=1))


def test_a_removed_one_is_gone_and_its_runs_stay(schedules: Schedules, runs: Runs, clock: Hands) -> None:
    schedule = schedules.add("nightly", SCOPE, "0 * * * *", "ann")
    clock.move(hours=1)
    schedules.fire(schedule.id)

    schedules.remove("nightly")

    assert (schedules.all(), schedules.fire(schedule.id), len(runs.newest())) == ([], None, 1)
    with pytest.raises(NotKnown, match="there is no schedule 'nightly'"):
        schedules.remove("nightly")
