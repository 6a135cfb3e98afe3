"""Which process works on a run, and whether it is still there.

A process is known by its number, when it started (numbers are used again), and where that number counts: the boot and
the PID namespace of its kernel (proc(5), namespaces(7)).
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")
_GONE = frozenset("ZXx")  # a zombie has ended; where PID 1 does not reap, it stays one for ever


@dataclass(frozen=True, slots=True)
class Process:
    """`started` is in clock ticks since the boot; `numbers` names the boot and the namespace in which `pid` counts."""

    host: str
    numbers: str
    pid: int
    started: int

    @classmethod
    def this(cls) -> Process:
        numbers = f"{_boot()} {_namespace()}"
        _, started = _stat(os.getpid()) or ("R", 0)
        return cls(socket.gethostname(), numbers, os.getpid(), started)

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Process:
        return cls(**json.loads(text))

    def is_there(self, here: Process) -> bool | None:
        """Whether it still runs, as seen by `here`; None where its numbers count elsewhere and nobody can tell."""
        if self.numbers == here.numbers:
            found = _stat(self.pid)
            return found is not None and found[0] not in _GONE and found[1] == self.started
        rebooted = self.host == here.host and self.numbers.split()[0] != here.numbers.split()[0]
        return False if rebooted else None


def _stat(pid: int) -> tuple[str, int] | None:
    """(state, start time) of a process, fields 3 and 22 of /proc/PID/stat; None where there is none."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything, parentheses too
    return fields[0], int(fields[19])


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return "unknown"
