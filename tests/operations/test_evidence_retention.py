"""What of the evidence is kept how long; whoever is killed, and whoever else is at it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from discovery.recognise import Fingerprint
from discovery.visit import Visit
from operations.errors import OperationsUnavailable
from operations.evidence import EvidenceFolder, NotKept
from operations.retention import Limits, Trimmed, trim
from tests.fixtures.parts import REPOSITORY

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROOMY = 1024**3
VISIT = Visit("default", "10.0.0.1", 161, NOW, "run-1", "generic_snmp", True, False, Fingerprint(), None, {})


def stored(evidence: EvidenceFolder, word: str, days: float) -> str:
    """A reply of incompressible length 1000 that was last given so many days ago."""
    name = evidence.store(word.encode() + os.urandom(1000))
    then = (NOW - timedelta(days=days)).timestamp()
    os.utime(evidence.path(name), (then, then))
    return name


def kept(evidence: EvidenceFolder, **names: str) -> set[str]:
    return {word for word, name in names.items() if evidence.path(name).is_file()}


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceFolder:
    return EvidenceFolder(tmp_path / "evidence")


def test_what_is_too_old_goes_unless_a_value_comes_from_it(evidence: EvidenceFolder) -> None:
    old, needed, young = stored(evidence, "old", 91), stored(evidence, "needed", 400), stored(evidence, "young", 89)

    done = trim(evidence, Limits(90, ROOMY), {needed}, NOW)

    assert kept(evidence, old=old, needed=needed, young=young) == {"needed", "young"}
    assert (done.replies, done.in_force, done.visits) == (1, 0, 0)
    assert done.left == sum(path.stat().st_size for path in evidence.folder.rglob("*") if path.is_file())
    with pytest.raises(NotKept, match="retention removed it"):
        evidence.get(old)


@pytest.mark.parametrize(
    ("size", "left"),
    [
        (5000, {"first", "second", "needed", "fresh"}),
        (3500, {"second", "needed", "fresh"}),
        (2500, {"needed", "fresh"}),
        (1500, {"fresh"}),
        (500, set()),
    ],
)
def test_too_much_goes_oldest_first_and_what_values_come_from_last(
    evidence: EvidenceFolder, size: int, left: set[str]
) -> None:
    names = {
        "first": stored(evidence, "first", 3),
        "second": stored(evidence, "second", 2),
        "needed": stored(evidence, "needed", 9),
        "fresh": stored(evidence, "fresh", 0),
    }

    done = trim(evidence, Limits(90, size), {names["needed"]}, NOW)

    assert kept(evidence, **names) == left
    assert done.replies == 4 - len(left)
    assert done.in_force == ("needed" not in left)


def test_a_reply_that_is_given_again_is_young_again(evidence: EvidenceFolder) -> None:
    name = evidence.store(b"content")
    os.utime(evidence.path(name), (0, 0))

    evidence.store(b"content")

    assert trim(evidence, Limits(1, ROOMY), (), datetime.now(UTC)).replies == 0


def test_a_reply_that_is_stored_anew_while_it_is_looked_at_stays(tmp_path: Path) -> None:
    class Busy(EvidenceFolder):
        """Somebody else stores it between the look and the removal."""

        @contextlib.contextmanager
        def locked(self, *, exclusive: bool) -> Iterator[None]:
            if exclusive:
                os.utime(self.path(name))
            with super().locked(exclusive=exclusive):
                yield

    name = stored(EvidenceFolder(tmp_path), "old", 400)

    assert trim(Busy(tmp_path), Limits(90, ROOMY), (), NOW).replies == 0
    assert EvidenceFolder(tmp_path).path(name).is_file()


def test_old_visits_are_forgotten_but_for_the_last_of_an_address(evidence: EvidenceFolder) -> None:
    at = [replace(VISIT, run=f"run-{days}", time=NOW - timedelta(days=days)) for days in (200, 100, 50)]
    gone_since = replace(VISIT, address="10.0.0.2", run="run-300", time=NOW - timedelta(days=300))
    for visit in (*at, gone_since):
        evidence.visited(visit)

    done = trim(evidence, Limits(90, ROOMY), (), NOW)

    assert done.visits == 2
    assert list(evidence.all_visits()) in ([[at[2]], [gone_since]], [[gone_since], [at[2]]])


def test_a_visit_that_a_crash_cut_short_is_none_and_spoils_no_other(evidence: EvidenceFolder) -> None:
    evidence.visited(VISIT)
    with evidence.path_of_visits("default", "10.0.0.1").open("a") as file:
        file.write('\n{"space":"defau')
    evidence.visited(replace(VISIT, run="run-2"))

    assert [visit.run for visit in evidence.visits("default", "10.0.0.1")] == ["run-1", "run-2"]


def test_nothing_kept_is_nothing_to_remove_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "visits").mkdir()
    (tmp_path / "file" / "visits" / "ab").mkdir()
    (tmp_path / "file" / "visits" / "ab" / "x.jsonl").mkdir()

    assert trim(EvidenceFolder(tmp_path / "nowhere"), Limits(1, 1), (), NOW) == Trimmed()
    with pytest.raises(OperationsUnavailable):
        trim(EvidenceFolder(tmp_path / "file"), Limits(1, 1), (), NOW)


TRIMS = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from operations.evidence import EvidenceFolder
from operations.retention import Limits, trim
removed = 0
def dies(event, arguments):
    global removed
    if event == "os.remove":
        removed += 1
        if removed == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(dies)
trim(EvidenceFolder(Path(sys.argv[1])), Limits(1, 1), (), datetime.now(UTC))
"""


def test_whoever_is_killed_while_removing_leaves_nothing_half(evidence: EvidenceFolder) -> None:
    names = [evidence.store(os.urandom(100)) for _ in range(20)]
    evidence.visited(VISIT)
    command = [sys.executable, "-c", TRIMS, str(evidence.folder), "7"]

    killed = subprocess.run(command, cwd=REPOSITORY, check=False)
    left = [name for name in names if evidence.path(name).is_file()]
    whole = [evidence.get(name) for name in left]
    done = trim(evidence, Limits(1, 1), (), datetime.now(UTC))

    assert killed.returncode == -signal.SIGKILL
    assert 0 < len(whole) < 20
    assert done.replies == len(left)
    assert not any(evidence.path(name).is_file() for name in names)
    assert len(evidence.visits("default", "10.0.0.1")) == 1


STORES = """
import contextlib, os, sys
from pathlib import Path
from operations.evidence import EvidenceFolder
evidence = EvidenceFolder(Path(sys.argv[1]))
for turn in range(8):
    for number in range(8):
        content = b"reply %d" % number
        name = evidence.store(content)
        assert evidence.get(name) == content
        with contextlib.suppress(FileNotFoundError):
            os.utime(evidence.path(name), (0, 0))
"""

REMOVES = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from operations.evidence import EvidenceFolder
from operations.retention import Limits, trim
while True:
    print(trim(EvidenceFolder(Path(sys.argv[1])), Limits(1, 10**9), (), datetime.now(UTC)).replies, flush=True)
"""


def until(seen: Callable[[], bool]) -> None:
    """Wait for what other processes do, thirty seconds at most."""
    deadline, pause = time.monotonic() + 30, threading.Event()
    while not seen():
        assert time.monotonic() < deadline, "it never came"
        pause.wait(0.02)


def test_nothing_that_is_stored_is_lost_to_two_who_remove_at_the_same_time(tmp_path: Path) -> None:
    """What is stored is made old again right after it was found, so that there is something to remove all the time."""
    evidence = EvidenceFolder(tmp_path / "evidence")
    seen = [tmp_path / "one", tmp_path / "other"]
    with contextlib.ExitStack() as stack:
        removing = [
            subprocess.Popen(
                [sys.executable, "-c", REMOVES, str(evidence.folder)],
                cwd=REPOSITORY,
                stdout=stack.enter_context(file.open("w")),
            )
            for file in seen
        ]
        try:
            until(lambda: all(file.read_text() for file in seen))
            stored = subprocess.run(
                [sys.executable, "-c", STORES, str(evidence.folder)], cwd=REPOSITORY, check=False, timeout=60
            )
            until(lambda: any(int(line) for file in seen for line in file.read_text().split()))
        finally:
            for each in removing:
                each.kill()
                each.wait()

    assert stored.returncode == 0
