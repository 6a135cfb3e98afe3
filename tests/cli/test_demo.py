"""`cmdb demo` as a newcomer starts it: what it says, the one link, and that nothing is left of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from select import select

import httpx2
import pytest

from tests.cli.conftest import COMMAND


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Temporary files go below the test's folder, where it can see whether one is left."""
    (home / "tmp").mkdir()
    return {**os.environ, "TMPDIR": str(home / "tmp")}


@pytest.fixture
def demo(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [str(COMMAND), "demo", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        yield process
        process.kill()


def children(pid: int) -> list[int]:
    """The processes that one has started (Linux, proc(5))."""
    text = "".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(word) for word in text.split()]


def is_there(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_scans_answers_serves_and_leaves_nothing(
    demo: subprocess.Popen[str], home: Path, number: signal.Signals
) -> None:
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if "://" in line:
            break
    link = said[-1].strip()
    page = httpx2.get(link, follow_redirects=True, timeout=20)
    started = children(demo.pid)

    demo.send_signal(number)
    rest, _ = demo.communicate(timeout=30)

    text = "".join(said) + rest
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/login/[\w-]+", link), text
    assert (page.status_code, "<html" in page.text) == (200, True)
    assert text.count("://") == 1
    assert ": done: 508 of 508 addresses" in text
    assert "8 network switch" in text
    assert "8 server" in text
    assert "\npower1, a midrange server (IBM, 9105-42A)\n" in text
    assert re.search(r"\nacc3 +network_switch +down ", text)
    assert re.search(r"\narray1 +storage +down ", text)
    assert text.endswith("stopped; nothing is left behind\n")
    assert demo.returncode == 0
    assert len(started) == 1
    assert [pid for pid in started if is_there(pid)] == []
    assert list((home / "tmp").iterdir()) == []


def test_a_demo_that_is_stopped_while_it_scans_leaves_nothing(demo: subprocess.Popen[str], home: Path) -> None:
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("scanning "):
            break
    started = children(demo.pid)

    demo.terminate()
    rest, _ = demo.communicate(timeout=30)

    assert demo.returncode == 143
    assert "Traceback" not in rest
    assert len(started) == 1
    assert [pid for pid in started if is_there(pid)] == []
    assert list((home / "tmp").iterdir()) == []


def test_a_laboratory_does_not_outlive_a_demo_that_was_killed(demo: subprocess.Popen[str]) -> None:
    assert demo.stdout is not None
    for line in demo.stdout:
        if line.startswith("declared "):
            break
    (laboratory,) = children(demo.pid)
    watch = os.pidfd_open(laboratory)

    demo.kill()
    demo.communicate(timeout=30)

    # A pidfd is readable once its process has ended.
    with os.fdopen(watch, "rb", closefd=True):
        assert select([watch], [], [], 20)[0] == [watch]
