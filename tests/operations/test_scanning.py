from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmdb.model import ModelError, RunSection
from cmdb.store.base import StoreUnavailable
from discovery.targets import TargetError
from discovery.transport.base import HostKeyPolicy, Secret
from operations.credentials import Credentials
from operations.database import Database
from operations.errors import KeyProblem
from operations.evidence import EvidenceFolder
from operations.host_keys import HostKeyStore
from operations.runs import LedgerRow, Runs, RunState, Scope
from operations.scanning import Progress, Scanner
from operations.secrets import open_vault
from tests.fixtures.parts import REPOSITORY
from tests.operations.scripted import Scripted, Taken, answering, failed, silent

if TYPE_CHECKING:
    from tests.operations.conftest import Hands

ONE, TWO, THREE = "10.0.0.1", "10.0.0.2", "10.0.0.3"
SCOPE = Scope(("10.0.0.1-3",))


@pytest.fixture
def runs(database: Database, clock: Hands) -> Runs:
    return Runs(database, clock)


@pytest.fixture
def make(database: Database, clock: Hands, runs: Runs, tmp_path: Path) -> Callable[[Scripted, Taken], Scanner]:
    def made(scan: Scripted, graph: Taken) -> Scanner:
        return Scanner(
            runs,
            graph,
            Credentials(database, lambda: open_vault(tmp_path / "cmdb.key"), clock).book,
            lambda space: HostKeyStore(database, clock, HostKeyPolicy.PIN, space),
            EvidenceFolder(tmp_path / "evidence"),
            clock,
            begin=scan,
        )

    return made


Make = Callable[[Scripted, Taken], Scanner]


def test_a_scan_tells_the_graph_then_the_ledger_and_says_how_far_it_is(make: Make, runs: Runs, clock: Hands) -> None:
    scan, graph = Scripted([answering(ONE), silent(TWO), answering(THREE, "sw3")]), Taken()
    run = runs.begin(SCOPE, "ann")

    events = list(make(scan, graph).work(run))

    counts = {"statements": 1, "components": 1, "relations": 0}
    assert events == [
        Progress(run.id, 1, 3, ONE, "collected", "sw1"),
        Progress(run.id, 2, 3, TWO, "silent", None),
        Progress(run.id, 3, 3, THREE, "collected", "sw3"),
    ]
    assert graph.reports == [ONE, THREE]
    assert graph.covered == [RunSection(run.id, "default", ("10.0.0.1/32", "10.0.0.2/31"), clock.now, complete=True)]
    assert runs.ledger(run.id) == [
        LedgerRow(ONE, "", "collected", clock.now, 0.5, None, {"sections": 1}),
        LedgerRow(ONE, "snmp.system", "full", clock.now, 0.25, "full", counts),
        LedgerRow(TWO, "", "silent", clock.now),
        LedgerRow(THREE, "", "collected", clock.now, 0.5, None, {"sections": 1}),
        LedgerRow(THREE, "snmp.system", "full", clock.now, 0.25, "full", counts),
    ]
    closed = runs.get(run.id)
    assert (closed.state, closed.done, closed.total, closed.counts, closed.error) == (
        RunState.DONE,
        3,
        3,
        {"collected": 2, "silent": 1},
        None,
    )
    assert scan.run == run.id


def test_a_host_with_a_problem_makes_a_run_with_problems(make: Make, runs: Runs) -> None:
    scan = Scripted([answering(ONE, "sw1", "snmp.system: timed out"), silent(TWO), silent(THREE)])
    run = runs.begin(SCOPE, "ann")

    events = list(make(scan, Taken()).work(run))

    closed = runs.get(run.id)
    assert events[0] == Progress(run.id, 1, 3, ONE, "partial", "sw1", ("snmp.system: timed out",))
    assert (closed.state, closed.error) == (RunState.PROBLEMS, "1 of 3 addresses ended in a problem")
    assert [row.error for row in runs.ledger(run.id)][:2] == ["snmp.system: timed out", "snmp.system: timed out"]


def test_a_credential_that_was_given_up_is_a_problem_of_the_run(make: Make, runs: Runs) -> None:
    scan = Scripted([silent(ONE), silent(TWO), silent(THREE)], given_up=("credential 'a' was refused by three",))
    run = runs.begin(SCOPE, "ann")

    list(make(scan, Taken()).work(run))

    assert (runs.get(run.id).state, runs.get(run.id).error) == (
        RunState.PROBLEMS,
        "credential 'a' was refused by three",
    )


def test_what_we_failed_to_look_at_counts_as_not_covered(make: Make, runs: Runs) -> None:
    graph = Taken()
    run = runs.begin(SCOPE, "ann")

    list(make(Scripted([silent(ONE), failed(TWO), answering(THREE)]), graph).work(run))

    assert [section.networks for section in graph.covered] == [("10.0.0.1/32", "10.0.0.3/32")]
    assert runs.get(run.id).counts == {"silent": 1, "failed": 1, "collected": 1}


@pytest.mark.parametrize(
    ("error", "told"),
    [(ModelError("no such class: 'toaster'"), "no such class"), (KeyError("eth0"), "Traceback .*KeyError: 'eth0'")],
    ids=["refused", "our mistake"],
)
def test_a_report_that_the_graph_does_not_take_costs_that_host_alone(
    make: Make, runs: Runs, error: Exception, told: str
) -> None:
    graph = Taken({TWO: error})
    run = runs.begin(SCOPE, "ann")

    events = list(make(Scripted([answering(ONE), answering(TWO), answering(THREE)]), graph).work(run))

    closed = runs.get(run.id)
    assert ([event.outcome for event in events], graph.reports) == (
        ["collected", "not_stored", "collected"],
        [ONE, THREE],
    )
    assert [section.networks for section in graph.covered] == [("10.0.0.1/32", "10.0.0.3/32")]
    assert (closed.state, closed.error) == (
        RunState.PROBLEMS,
        f"1 of 3 addresses ended in a problem; not stored: 10.0.0.2: {error}",
    )
    row = next(row for row in runs.ledger(run.id) if (row.address, row.section) == (TWO, ""))
    assert row.outcome == "not_stored"
    assert re.search(told, row.error or "", re.DOTALL)


def test_a_store_that_is_gone_ends_the_run_and_says_what_was_not_stored(make: Make, runs: Runs) -> None:
    down = StoreUnavailable("the store does not answer")
    scan = Scripted([answering(f"10.0.0.{n}") for n in range(1, 10)])
    graph = Taken({f"10.0.0.{n}": down for n in range(2, 10)})
    run = runs.begin(Scope(("10.0.0.1-9",)), "ann")

    list(make(scan, graph).work(run))

    closed = runs.get(run.id)
    assert (closed.state, closed.done, closed.error) == (
        RunState.FAILED,
        4,
        "not stored: 10.0.0.2, 10.0.0.3, 10.0.0.4; gave up: the store does not answer",
    )
    assert (graph.covered, scan.cancelled.is_set()) == ([], True)


def test_a_store_that_goes_at_the_very_end_leaves_a_problem(make: Make, runs: Runs) -> None:
    graph = Taken(at_the_end=StoreUnavailable("the store does not answer"))
    run = runs.begin(SCOPE, "ann")

    list(make(Scripted([answering(ONE), silent(TWO), silent(THREE)]), graph).work(run))

    assert (runs.get(run.id).state, runs.get(run.id).error) == (
        RunState.PROBLEMS,
        "what the run covered could not be stored: the store does not answer",
    )


def test_targets_that_cannot_be_read_end_the_run_as_failed(make: Make, runs: Runs) -> None:
    run = runs.begin(Scope(("10.0.0.0/33",)), "ann")

    with pytest.raises(TargetError):
        list(make(Scripted([]), Taken()).work(run))
    assert runs.get(run.id).state is RunState.FAILED


def test_a_missing_key_ends_the_run_as_failed(
    make: Make, runs: Runs, database: Database, clock: Hands, tmp_path: Path
) -> None:
    Credentials(database, lambda: open_vault(tmp_path / "other.key"), clock).add(
        "a", "snmp-v2c", ["10.0.0.0/8"], Secret("x")
    )
    run = runs.begin(SCOPE, "ann")

    with pytest.raises(KeyProblem):
        list(make(Scripted([]), Taken()).work(run))
    assert (runs.get(run.id).state, "cannot be opened" in str(runs.get(run.id).error)) == (RunState.FAILED, True)


def test_a_scan_that_breaks_ends_the_run_as_failed(make: Make, runs: Runs) -> None:
    def breaks() -> None:
        raise OSError("too many open files")

    run = runs.begin(SCOPE, "ann")

    with pytest.raises(OSError, match="too many open files"):
        list(make(Scripted([answering(ONE), silent(TWO)], {TWO: breaks}), Taken()).work(run))
    closed = runs.get(run.id)
    assert (closed.state, closed.done, closed.error) == (RunState.FAILED, 1, "too many open files")


def test_a_cancelled_scan_ends_at_once_though_a_host_is_slow(make: Make, runs: Runs) -> None:
    never = threading.Event()
    scan, graph = Scripted([answering(ONE), answering(TWO)], {TWO: never.wait}), Taken()
    run = runs.begin(SCOPE, "ann")
    work = make(scan, graph).work(run)
    events = iter(work)
    next(events)
    work.cancel()

    rest = list(events)

    closed = runs.get(run.id)
    assert (rest, closed.state, closed.error, closed.done) == ([], RunState.INTERRUPTED, "stopped", 1)
    assert (graph.reports, graph.covered, scan.cancelled.is_set()) == ([ONE], [], True)
    never.set()


def test_nobody_who_wants_more_interrupts_the_run(make: Make, runs: Runs) -> None:
    scan = Scripted([answering(ONE), silent(TWO), silent(THREE)])
    run = runs.begin(SCOPE, "ann")
    events = iter(make(scan, Taken()).work(run))
    next(events)

    events.close()

    assert (runs.get(run.id).state, scan.cancelled.is_set()) == (RunState.INTERRUPTED, True)


def test_who_presses_ctrl_c_interrupts_the_run(make: Make, runs: Runs) -> None:
    scan = Scripted([answering(ONE), answering(TWO), silent(THREE)])
    run = runs.begin(SCOPE, "ann")

    with pytest.raises(KeyboardInterrupt):
        list(make(scan, Taken({TWO: KeyboardInterrupt()})).work(run))

    closed = runs.get(run.id)
    assert (closed.state, closed.done, scan.cancelled.is_set()) == (RunState.INTERRUPTED, 1, True)


KILLED = """
import signal, sys, threading
from datetime import UTC, datetime
from operations.database import Database
from operations.runs import Runs, Scope
from operations.scanning import Scanner
from tests.operations.scripted import Scripted, Taken, answering

runs = Runs(Database(sys.argv[1]), lambda: datetime.now(UTC))
scan = Scripted([answering("10.0.0.1"), answering("10.0.0.2")], {"10.0.0.2": threading.Event().wait})
scanner = Scanner(runs, Taken(), lambda: None, lambda space: None, None, lambda: datetime.now(UTC), begin=scan)
work = scanner.work(runs.begin(Scope(("10.0.0.1-2",)), "ann"))
signal.signal(signal.SIGTERM, lambda *_: work.cancel())
for event in work:
    print(event.run, flush=True)
"""


def test_a_run_killed_half_way_shows_as_interrupted_and_the_next_is_clean(url: str, make: Make, runs: Runs) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as child:
        assert child.stdout is not None
        killed = child.stdout.readline().strip()
        alive = runs.get(killed).state
        child.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        seen = [(run.id, run.state, run.done) for run in runs.newest()]
    run = runs.begin(SCOPE, "ann")
    list(make(Scripted([answering(ONE), answering(TWO), silent(THREE)]), Taken()).work(run))

    assert alive is RunState.RUNNING
    assert seen == [(killed, RunState.INTERRUPTED, 0)]
    assert [row.address for row in runs.ledger(killed) if not row.section] == [ONE]
    assert {found.id: found.state for found in runs.newest()} == {
        killed: RunState.INTERRUPTED,
        run.id: RunState.DONE,
    }


def test_a_run_that_is_told_to_end_ends_clean_at_once(url: str, runs: Runs) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as child:
        assert child.stdout is not None
        told = child.stdout.readline().strip()
        child.send_signal(signal.SIGTERM)
        code = child.wait(timeout=5)

    ended = runs.get(told)
    assert (code, ended.state, ended.done, ended.error) == (0, RunState.INTERRUPTED, 1, "stopped")
