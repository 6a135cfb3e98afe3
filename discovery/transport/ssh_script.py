"""Runs many commands on a Unix host through one channel: a script on the standard input of /bin/sh.

After each command a line of random characters is printed on both streams, with the return code. One channel costs one
round trip, where a channel for each command costs several: 15 commands in 67 ms instead of 713.
"""

from __future__ import annotations

import re
import secrets
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from discovery.transport.base import Command, Output, Refused, SshLimits, TimedOut, TransportError
from discovery.transport.ssh_stream import Stream

INTERPRETER = "LC_ALL=C /bin/sh -s"

_GRACE_S = 5.0  # what timeout(1) gets to end a command before we do
_FLOOD = 8  # times the byte cap: what a command may print before its script is given up
_TIMEOUT_CODES = frozenset({124, 137})  # timeout(1): ended, killed

# sudo(8) without a terminal or the right: plugins/sudoers/check.c, logging.c and src/sudo.c of sudo 1.9; doas likewise.
_SUDO_REFUSES = re.compile(
    rb"sudo: (.*password is required|.*terminal is required|no tty present|sorry, you must have a tty"
    rb"|.*not found|.*no new privileges|.*must be owned by uid 0|.*not allowed)"
    rb"|is not (allowed|in the sudoers)|may not run sudo|sudo: command not found|^\S*sh: \S*:? ?sudo: ",
    re.IGNORECASE | re.MULTILINE,
)

# `run SECONDS COMMAND`. The input of a command is never the script itself. Where timeout(1) is missing (AIX, HP-UX) a
# second process kills the command; its own streams are closed, so that nothing waits for it.
_PROLOGUE = """\
if timeout -k 2 5 /bin/sh -c : </dev/null >/dev/null 2>&1; then
run() { timeout -k 2 "$1" /bin/sh -c "$2" </dev/null; }
else
run() {
/bin/sh -c "$2" </dev/null & cmdb_p=$!
( sleep "$1" && kill -9 $cmdb_p ) </dev/null >/dev/null 2>&1 & cmdb_w=$!
wait $cmdb_p; cmdb_r=$?
kill $cmdb_w >/dev/null 2>&1
return $cmdb_r
}
fi
"""


@dataclass(slots=True)
class _Part:
    data: bytearray = field(default_factory=bytearray)
    dropped: int = 0


class Splitter:
    """Cuts one stream at the delimiter lines as it arrives, keeping at most `cap` bytes of each part."""

    def __init__(self, delimiter: bytes, cap: int) -> None:
        self._line = re.compile(rb"\n" + re.escape(delimiter) + rb" (\d+)\n")
        self._longest = len(delimiter) + 8
        self._cap = cap
        self._tail = b""
        self.parts: list[_Part] = [_Part()]
        self.codes: list[int] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes. `parts[0]` is what came before the first delimiter, `parts[n]` follows `codes[n-1]`."""
        tail = self._tail + data
        at = 0
        for match in self._line.finditer(tail):
            self._keep(tail[at : match.start()])
            self.codes.append(int(match[1]))
            self.parts.append(_Part())
            at = match.end()
        # The last bytes may be the beginning of a delimiter.
        safe = max(at, len(tail) - self._longest)
        self._keep(tail[at:safe])
        self._tail = tail[safe:]

    def finish(self) -> None:
        """Nothing follows: what was held back belongs to the last part."""
        self._keep(self._tail)
        self._tail = b""

    def _keep(self, data: bytes) -> None:
        part = self.parts[-1]
        room = self._cap - len(part.data)
        part.data += data[: max(room, 0)]
        part.dropped += max(len(data) - room, 0) if room >= 0 else len(data)


@dataclass(frozen=True, slots=True)
class ScriptShell:
    """A Shell over streams. `open_stream` opens a channel that runs a command line."""

    open_stream: Callable[[str], Stream]
    limits: SshLimits
    sudo: bool
    is_root: bool
    clock: Callable[[], float] = time.monotonic

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        if len({command.name for command in commands}) < len(commands):
            raise ValueError("two commands of one script have the same name")
        deadline = self.clock() + self.limits.script_deadline_s
        outputs = self._run(commands, deadline, sudo=self.sudo and not self.is_root)
        if self.is_root:
            return outputs
        if self.sudo:
            refused = [command for command in commands if command.root and _is_refused(outputs[command.name])]
            outputs |= self._run(refused, deadline, sudo=False) if refused else {}
        else:
            refused = [command for command in commands if command.root]
        return outputs | {each.name: replace(outputs[each.name], denied=True) for each in refused}

    def close(self) -> None:
        """Nothing is held between two scripts; the connection belongs to the Ssh that gave this."""

    def _run(self, commands: Sequence[Command], deadline: float, *, sudo: bool) -> dict[str, Output]:
        """Run them, starting a new script after a command that took the first one with it."""
        outputs: dict[str, Output] = {}
        pending = list(commands)
        while pending and self.clock() < deadline:
            try:
                done = self._script(pending, deadline, sudo=sudo)
            except TransportError:
                if not outputs:
                    raise
                break
            outputs |= done
            pending = pending[len(done) :]
        late = self.clock() >= deadline
        return outputs | {each.name: Output(b"", b"", None, timed_out=late) for each in pending}

    def _script(self, commands: Sequence[Command], deadline: float, *, sudo: bool) -> dict[str, Output]:
        """Run as many as one script gets through: the last Output may be of one that did not end."""
        delimiter = secrets.token_hex(16)
        out, err = (Splitter(delimiter.encode(), self.limits.command_bytes) for _ in range(2))
        stream = self.open_stream(INTERPRETER)
        try:
            stream.send(script(commands, delimiter, sudo=sudo).encode())
            stream.end_input()
            ended = self._read(stream, commands, out, err, deadline)
        finally:
            stream.close()
        if not out.codes:
            said = bytes(out.parts[0].data + err.parts[0].data).decode("utf-8", "replace").strip()
            if ended:
                raise Refused(f"it runs no script: {said[:200]!r}")
            raise TimedOut("it took the script, and did not begin it in time")
        return _outputs(commands, out, err, timed_out=not ended)

    def _read(self, stream: Stream, commands: Sequence[Command], out: Splitter, err: Splitter, deadline: float) -> bool:
        """Read to the end of the script; False where it is given up: too late, or too much."""
        flood = self.limits.command_bytes * _FLOOD
        reached = 0
        until = min(deadline, self.clock() + self.limits.login_s)
        while min(len(out.codes), len(err.codes)) <= len(commands):
            if len(out.codes) != reached:
                reached = len(out.codes)
                until = min(deadline, self.clock() + commands[min(reached, len(commands)) - 1].timeout_s + _GRACE_S)
            remaining = until - self.clock()
            if remaining <= 0 or out.parts[-1].dropped > flood or err.parts[-1].dropped > flood:
                return False
            chunk = stream.receive(remaining)
            if chunk is None:
                out.finish()
                err.finish()
                return True
            out.feed(chunk.stdout)
            err.feed(chunk.stderr)
        return True


def script(commands: Sequence[Command], delimiter: str, *, sudo: bool) -> str:
    """Write the script. A line with the delimiter and 0 comes before the first command: what is before is noise."""
    mark = f"printf '\\n{delimiter} %s\\n' "
    lines = [_PROLOGUE, f"{mark}0; {mark}0 >&2"]
    for command in commands:
        text = f"sudo -n {command.text}" if sudo and command.root else command.text
        lines.append(f"run {max(1, round(command.timeout_s))} {shlex.quote(text)}; cmdb_c=$?")
        lines.append(f"{mark}$cmdb_c; {mark}$cmdb_c >&2")
    return "\n".join([*lines, "exit 0", ""])


def _outputs(commands: Sequence[Command], out: Splitter, err: Splitter, *, timed_out: bool) -> dict[str, Output]:
    """Part 0 is noise, part n belongs to command n, and code n is what command n ended with."""
    outputs: dict[str, Output] = {}
    for number, command in enumerate(commands, 1):
        if number >= len(out.parts):
            break
        ended = number < len(out.codes)
        code = out.codes[number] if ended else None
        stdout = out.parts[number]
        stderr = err.parts[number] if number < len(err.parts) else _Part()
        outputs[command.name] = Output(
            bytes(stdout.data),
            bytes(stderr.data),
            code,
            truncated=bool(stdout.dropped or stderr.dropped) or not ended,
            timed_out=code in _TIMEOUT_CODES or (not ended and timed_out),
        )
    return outputs


def _is_refused(output: Output) -> bool:
    return bool(output.code) and _SUDO_REFUSES.search(output.stderr) is not None
