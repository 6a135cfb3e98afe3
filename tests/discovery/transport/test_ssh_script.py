"""The script in a real /bin/sh of this machine, without SSH between."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.transport.base import Command, Output, Refused, SshLimits
from discovery.transport.ssh_script import ScriptShell, Splitter
from discovery.transport.ssh_stream import Chunk

LIMITS = SshLimits(login_s=5, script_deadline_s=20)
DELIMITER = b"0123456789abcdef"


class LocalStream:
    """A Stream to a process of this machine."""

    def __init__(self, command: str, path: str) -> None:
        (stdin, self._stdin), (self._stdout, stdout), (self._stderr, stderr) = os.pipe(), os.pipe(), os.pipe()
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={"PATH": path},
            start_new_session=True,
        )
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
        self._selector = selectors.DefaultSelector()
        for descriptor in (self._stdout, self._stderr):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def send(self, data: bytes) -> None:
        os.write(self._stdin, data)

    def end_input(self) -> None:
        os.close(self._stdin)

    def receive(self, timeout_s: float) -> Chunk | None:
        if not self._selector.get_map():
            return None
        chunks = {self._stdout: b"", self._stderr: b""}
        for key, _ in self._selector.select(timeout_s):
            chunks[key.fd] = os.read(key.fd, 65536)
            if not chunks[key.fd]:
                self._selector.unregister(key.fd)
        return Chunk(chunks[self._stdout], chunks[self._stderr])

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        os.close(self._stdout)
        os.close(self._stderr)


def shell(path: str = "/usr/bin:/bin", interpreter: str | None = None) -> ScriptShell:
    return ScriptShell(lambda command: LocalStream(interpreter or command, path), LIMITS, sudo=False, is_root=False)


@pytest.fixture
def without_timeout(tmp_path: Path) -> str:
    """A PATH as on AIX or HP-UX: no timeout(1)."""
    for name in ("sleep", "sh", "head"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    return str(tmp_path)


def test_a_host_without_timeout_ends_a_hanging_command_too(without_timeout: str) -> None:
    commands = [Command("hangs", "echo begun; exec sleep 60", 1), Command("after", "echo 2; exit 4", 30)]

    outputs = shell(without_timeout).run(commands)

    assert outputs == {
        "hangs": Output(b"begun\n", outputs["hangs"].stderr, 137, timed_out=True),
        "after": Output(b"2\n", b"", 4),
    }


def test_a_watchdog_waits_for_nobody(without_timeout: str) -> None:
    """The script ends with its last command, not with the process that would have killed it."""
    outputs = shell(without_timeout).run([Command("quick", "echo 1", 600)])

    assert outputs == {"quick": Output(b"1\n")}


def test_noise_before_the_script_is_not_taken_for_output() -> None:
    noisy = "echo Welcome; echo Careful >&2; LC_ALL=C /bin/sh -s"

    outputs = shell(interpreter=noisy).run([Command("one", "echo 1")])

    assert outputs == {"one": Output(b"1\n")}


def test_a_command_that_ends_the_script_costs_only_itself(without_timeout: str) -> None:
    commands = [Command("before", "echo 1"), Command("ends", "echo bye; kill -9 $PPID"), Command("after", "echo 2")]

    outputs = shell(without_timeout).run(commands)

    assert outputs == {
        "before": Output(b"1\n"),
        "ends": Output(b"bye\n", outputs["ends"].stderr, None, truncated=True),
        "after": Output(b"2\n"),
    }


def test_what_runs_no_script_refuses() -> None:
    with pytest.raises(Refused, match="invalid input"):
        shell(interpreter="echo '% invalid input'; cat >/dev/null").run([Command("one", "echo 1")])


def test_no_command_is_no_trouble() -> None:
    assert shell().run([]) == {}


@given(st.lists(st.binary(max_size=50).filter(lambda data: DELIMITER not in data), min_size=1, max_size=6), st.data())
def test_a_stream_is_cut_the_same_however_it_arrives(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(part + b"\n" + DELIMITER + b" %d\n" % number for number, part in enumerate(parts)) + b"rest"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = Splitter(DELIMITER, cap=1000)

    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        splitter.feed(stream[start:stop])
    splitter.finish()

    assert [bytes(part.data) for part in splitter.parts] == [*parts, b"rest"]
    assert splitter.codes == list(range(len(parts)))


def test_a_long_part_is_cut_and_counted() -> None:
    splitter = Splitter(DELIMITER, cap=3)

    splitter.feed(b"abcdef\n" + DELIMITER + b" 0\nxy")
    splitter.finish()

    assert [(bytes(part.data), part.dropped) for part in splitter.parts] == [(b"abc", 3), (b"xy", 0)]
