from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from operations.database import Database
from operations.errors import NotKnown, RunRefused
from operations.processes import Process
from operations.runs import STALE_ELSEWHERE, STALE_HERE, LedgerRow, Run, Runs, RunState, Scope

if TYPE_CHECKING:
    from tests.operations.conftest import Hands

SCOPE = Scope(
    ("10.0.0.0/24", "host"), "second", ("10.0.0.9",), ("10.0.0.0/24=127.0.0.0/24",), 1161, 1022, confirmed=True
)
ME = Process.this()


@pytest.fixture
def runs(database: Database, clock: Hands) -> Runs:
    return Runs(database, clock)


def test_a_requested_run_waits_in_the_queue(runs: Runs, clock: Hands) -> None:
    run = runs.request(SCOPE, "ann")

    assert run == Run(run.id, "scan", SCOPE, RunState.QUEUED, "ann", clock.now)
    assert runs.get(run.id) == run


def test_the_run_that_was_queued_first_is_taken_first(runs: Runs, clock: Hands) -> None:
    first = runs.request(SCOPE, "ann")
    clock.move(seconds=1)
    second = runs.request(SCOPE, "ann")
    clock.move(seconds=1)

    taken = [runs.take(), runs.take(), runs.take()]

    assert taken == [
        replace(first, state=RunState.RUNNING, started=clock.now, heartbeat=clock.now),
        replace(second, state=RunState.RUNNING, started=clock.now, heartbeat=clock.now),
        None,
    ]


def test_a_run_that_began_at_once_is_never_taken_by_a_worker(runs: Runs) -> None:
    run = runs.begin(SCOPE, "ann")

    assert (run.state, runs.take()) == (RunState.RUNNING, None)


def test_a_run_says_how_far_it_is_and_how_it_ended(runs: Runs, clock: Hands) -> None:
    run = runs.begin(SCOPE, "ann")
    clock.move(seconds=5)
    runs.beat(run.id, 3, 10, {"answered": 3})
    halfway = runs.get(run.id)
    clock.move(seconds=5)

    closed = runs.close(run.id, RunState.PROBLEMS, 10, 10, {"answered": 9, "refused": 1}, "one refused")

    assert (halfway.done, halfway.total, dict(halfway.counts)) == (3, 10, {"answered": 3})
    assert closed == replace(
        run,
        state=RunState.PROBLEMS,
        ended=clock.now,
        heartbeat=clock.now,
        done=10,
        total=10,
        counts={"answered": 9, "refused": 1},
        error="one refused",
    )


def test_only_its_own_process_writes_a_run(database: Database, runs: Runs, clock: Hands) -> None:
    run = runs.begin(SCOPE, "ann")
    other = Runs(database, clock, replace(ME, host="elsewhere", numbers="another pid:[1]"))

    with pytest.raises(RunRefused, match="is not being worked on by this process"):
        other.beat(run.id, 1, 1, {})
    with pytest.raises(RunRefused, match="is not being worked on by this process"):
        other.close(run.id, RunState.DONE, 1, 1, {})


def test_an_ended_run_does_not_end_again(runs: Runs) -> None:
    run = runs.begin(SCOPE, "ann")
    runs.close(run.id, RunState.DONE, 1, 1, {})

    with pytest.raises(RunRefused):
        runs.close(run.id, RunState.FAILED, 1, 1, {})


def test_a_run_whose_process_is_gone_shows_as_interrupted(database: Database, clock: Hands) -> None:
    gone = Runs(database, clock, replace(ME, started=ME.started - 1)).begin(SCOPE, "ann")
    began = clock.now
    clock.move(minutes=1)

    found = Runs(database, clock).newest()

    assert [(run.id, run.state, run.ended, run.error) for run in found] == [
        (gone.id, RunState.INTERRUPTED, began, "the process that worked on it ended half-way")
    ]


@pytest.mark.parametrize(
    ("process", "limit"),
    [(replace(ME, host="elsewhere", numbers="another pid:[1]"), STALE_ELSEWHERE), (ME, STALE_HERE)],
    ids=["elsewhere", "here"],
)
def test_a_run_that_is_silent_for_too_long_shows_as_interrupted_and_lives_again(
    database: Database, clock: Hands, process: Process, limit: timedelta
) -> None:
    theirs = Runs(database, clock, process)
    run = theirs.begin(SCOPE, "ann")
    seen = []
    for step in (limit, clock.now.resolution):
        clock.now += step
        seen.append(Runs(database, clock).get(run.id).state)
    theirs.beat(run.id, 1, 2, {})
    seen.append(Runs(database, clock).get(run.id).state)

    assert seen == [RunState.RUNNING, RunState.INTERRUPTED, RunState.RUNNING]


def test_a_queued_run_can_be_withdrawn_and_a_running_one_not(runs: Runs, clock: Hands) -> None:
    queued, running = runs.request(SCOPE, "ann"), runs.begin(SCOPE, "ann")

    withdrawn = runs.withdraw(queued.id)

    assert withdrawn == replace(queued, state=RunState.INTERRUPTED, ended=clock.now, error="taken out of the queue")
    assert runs.take() is None
    with pytest.raises(RunRefused, match="is running: only a queued run"):
        runs.withdraw(running.id)


def test_the_newest_come_first_page_by_page(runs: Runs, clock: Hands) -> None:
    ids = []
    for _ in range(5):
        clock.move(seconds=1)
        ids.append(runs.request(SCOPE, "ann").id)

    first = [run.id for run in runs.newest(limit=2)]
    second = [run.id for run in runs.newest(limit=2, before=first[-1])]
    third = [run.id for run in runs.newest(limit=2, before=second[-1])]

    assert first + second + third == ids[::-1]


def test_the_ledger_keeps_one_row_for_each_section(runs: Runs, clock: Hands) -> None:
    run = runs.begin(SCOPE, "ann").id
    host = LedgerRow("10.0.0.1", "", "answered", clock.now, 2.5)
    section = LedgerRow(
        "10.0.0.1", "snmp.interfaces", "partial", clock.now, 1.5, "partial", {"components": 3}, "timed out"
    )
    silent = LedgerRow("10.0.0.2", "", "silent", clock.now)
    runs.record(run, [silent])
    runs.record(run, [host, section])
    runs.record(run, [host, section])

    assert runs.ledger(run) == [host, section, silent]
    assert runs.ledger(run, limit=1, after=("10.0.0.1", "")) == [section]


def test_an_unknown_run_says_so(runs: Runs) -> None:
    with pytest.raises(NotKnown, match="there is no run 'x'"):
        runs.get("x")
    with pytest.raises(NotKnown, match="there is no run 'x'"):
        runs.withdraw("x")
