"""Answers in the place of a device, from what was recorded; or writes down what a device answers."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from discovery.transport.base import (
    Command,
    HostKey,
    Oid,
    Output,
    Refused,
    Shell,
    Snmp,
    SnmpValue,
    Ssh,
    Terminal,
    Walk,
    format_oid,
)
from discovery.transport.replies import Replies, SshIdentity

NOT_FOUND = 127
"""What sh returns for a command that it does not have."""

Asked: TypeAlias = tuple[str, str]
"""The verb (`get`, `walk`, `run`, `ask`) and what it was asked: an OID, or a line."""


class Ledger:
    """What of a recording was asked for: `missing` was asked and is not in it, `unused` is in it and was not asked."""

    def __init__(self, replies: Replies) -> None:
        self._held: dict[Asked, None] = dict.fromkeys(
            [
                *(("get", format_oid(oid)) for oid in replies.gets),
                *(("walk", format_oid(oid)) for oid in replies.walks),
                *(("run", line) for line in replies.shell),
                *(("ask", line) for line in replies.terminal),
            ]
        )
        self._asked: dict[Asked, None] = {}
        self._lock = threading.Lock()

    def note(self, verb: str, what: str) -> None:
        with self._lock:
            self._asked[verb, what] = None

    @property
    def unused(self) -> tuple[Asked, ...]:
        return tuple(each for each in self._held if each not in self._asked)

    @property
    def missing(self) -> tuple[Asked, ...]:
        return tuple(each for each in self._asked if each not in self._held)


class RecordedSnmp:
    """An Snmp that answers from a recording; what is not in it does not exist on the device."""

    def __init__(self, replies: Replies, ledger: Ledger | None = None) -> None:
        self._replies = replies
        self.ledger = ledger or Ledger(replies)

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        found: dict[Oid, SnmpValue] = {}
        for oid in oids:
            self.ledger.note("get", format_oid(oid))
            if oid in self._replies.gets:
                found[oid] = self._replies.gets[oid]
        return found

    def walk(self, root: Oid) -> Walk:
        self.ledger.note("walk", format_oid(root))
        return self._replies.walks.get(root, Walk(()))

    def close(self) -> None:
        """Nothing is held."""


class RecordedShell:
    """A Shell that answers from a recording, by the text of the command; code 127 for what is not in it."""

    def __init__(self, replies: Replies, ledger: Ledger | None = None) -> None:
        self._replies = replies
        self.ledger = ledger or Ledger(replies)

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        return {command.name: self._output(command.text) for command in commands}

    def _output(self, line: str) -> Output:
        self.ledger.note("run", line)
        if (found := self._replies.shell.get(line)) is not None:
            return found
        return Output(b"", f"sh: 1: {line.split(maxsplit=1)[0]}: not found\n".encode(), NOT_FOUND)

    def close(self) -> None:
        """Nothing is held."""


class RecordedTerminal:
    """A Terminal that answers from a recording, by the line; as gear does, it prints an error for the rest."""

    def __init__(self, replies: Replies, ledger: Ledger | None = None) -> None:
        self._replies = replies
        self.ledger = ledger or Ledger(replies)

    def ask(self, line: str, timeout_s: float = 20.0) -> Output:  # noqa: ARG002 a recording answers at once
        self.ledger.note("ask", line)
        return self._replies.terminal.get(line, Output(b"% Invalid input\n"))

    def close(self) -> None:
        """Nothing is held."""


class RecordedSsh:
    """An Ssh that answers from a recording. One that holds no terminal refuses one, and so for the shell."""

    def __init__(self, replies: Replies, ledger: Ledger | None = None) -> None:
        self._replies = replies
        self.ledger = ledger or Ledger(replies)

    @property
    def host_key(self) -> HostKey:
        return self._identity.host_key

    @property
    def banner(self) -> str:
        return self._identity.banner

    @property
    def _identity(self) -> SshIdentity:
        if self._replies.ssh is None:
            raise Refused("the recording shows no host key")
        return self._replies.ssh

    def shell(self) -> Shell:
        if not self._replies.shell:
            raise Refused("the recording has no shell")
        return RecordedShell(self._replies, self.ledger)

    def terminal(self) -> Terminal:
        if not self._replies.terminal:
            raise Refused("the recording has no terminal")
        return RecordedTerminal(self._replies, self.ledger)

    def close(self) -> None:
        """Nothing is held."""


class Recorder:
    """Wraps live transports and writes down what they answer, in `replies`."""

    def __init__(self) -> None:
        self.replies = Replies()

    def snmp(self, live: Snmp) -> Snmp:
        return _RecordingSnmp(live, self.replies)

    def ssh(self, live: Ssh) -> Ssh:
        self.replies.ssh = SshIdentity(live.banner, live.host_key)
        return _RecordingSsh(live, self)

    def shell(self, live: Shell) -> Shell:
        return _RecordingShell(live, self.replies)

    def terminal(self, live: Terminal) -> Terminal:
        return _RecordingTerminal(live, self.replies)


@dataclass(frozen=True, slots=True)
class _RecordingSnmp:
    live: Snmp
    replies: Replies

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        found = self.live.get(oids)
        self.replies.gets |= found
        return found

    def walk(self, root: Oid) -> Walk:
        walk = self.live.walk(root)
        if walk.rows or not walk.complete:  # an empty table is what a recording answers by itself
            self.replies.walks[root] = walk
        return walk

    def close(self) -> None:
        self.live.close()


@dataclass(frozen=True, slots=True)
class _RecordingShell:
    live: Shell
    replies: Replies

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        outputs = self.live.run(commands)
        self.replies.shell |= {command.text: outputs[command.name] for command in commands}
        return outputs

    def close(self) -> None:
        self.live.close()


@dataclass(frozen=True, slots=True)
class _RecordingTerminal:
    live: Terminal
    replies: Replies

    def ask(self, line: str, timeout_s: float = 20.0) -> Output:
        output = self.live.ask(line, timeout_s)
        self.replies.terminal[line] = output
        return output

    def close(self) -> None:
        self.live.close()


@dataclass(frozen=True, slots=True)
class _RecordingSsh:
    live: Ssh
    recorder: Recorder

    @property
    def host_key(self) -> HostKey:
        return self.live.host_key

    @property
    def banner(self) -> str:
        return self.live.banner

    def shell(self) -> Shell:
        return self.recorder.shell(self.live.shell())

    def terminal(self) -> Terminal:
        return self.recorder.terminal(self.live.terminal())

    def close(self) -> None:
        self.live.close()
