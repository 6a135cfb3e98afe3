"""A load generator of its own process: keep-alive clients that send requests over loopback and time the answers.

Reads a `Load` as JSON from stdin, writes one line of JSON per answer: client, when it began and ended (seconds of the
machine's monotonic clock), status, bytes, and the number after `"revision":` in the answer, if any.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import monotonic, sleep
from typing import NamedTuple

_REVISION = re.compile(rb'"revision":\s*(\d+)')
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """`requests` as HTTP texts; client n begins with the nth and goes round. `each_s` is the time from one request of a
    client to its next, 0 for at once; a client that is late sends at once, and is timed from when it should have."""

    port: int
    requests: tuple[str, ...]
    clients: int
    number: int
    each_s: float = 0.0
    limit_s: float = 60.0


class Timed(NamedTuple):
    """One answer."""

    client: int
    due: float
    ended: float
    status: int
    size: int
    revision: int | None

    @property
    def ms(self) -> float:
        return (self.ended - self.due) * 1e3


def request(path: str, token: str, body: object = None) -> str:
    """A request as text: GET, or POST where there is a body."""
    content = "" if body is None else json.dumps(body)
    lines = [
        f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        *(() if body is None else ("Content-Type: application/json", f"Content-Length: {len(content.encode())}")),
    ]
    return "\r\n".join([*lines, "", content])


def run(load: Load) -> list[Timed]:
    """Let another process make the load. Raises SystemExit where it fails."""
    process = begin(load)
    return end(process, load.limit_s + 60)


def begin(load: Load) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if process.stdin is not None:
        process.stdin.write(json.dumps(asdict(load)))
        process.stdin.close()
        process.stdin = None
    return process


def end(process: subprocess.Popen[str], timeout_s: float) -> list[Timed]:
    out, _ = process.communicate(timeout=timeout_s)
    if process.returncode:
        raise SystemExit("the load generator failed")
    return [Timed(*json.loads(line)) for line in out.splitlines()]


class _Client:
    """A connection that is kept."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, text: bytes) -> bytes:
        """The whole answer, head and all."""
        self._socket.sendall(text)
        parts = self._socket.recv(65536)
        while (gap := parts.find(b"\r\n\r\n")) < 0:
            parts += self._more()
        length = _LENGTH.search(parts, 0, gap + 2)
        whole = gap + 4 + (int(length[1]) if length else 0)
        chunks, got = [parts], len(parts)
        while got < whole:
            chunks.append(self._more())
            got += len(chunks[-1])
        return b"".join(chunks)

    def _more(self) -> bytes:
        if not (more := self._socket.recv(1 << 20)):
            raise SystemExit("the server closed the connection")
        return more


def _work(load: Load, requests: Sequence[bytes], number: int, begin_at: float, done: list[Timed]) -> None:
    client = _Client(load.port)
    for turn in range(load.number):
        due = monotonic()
        if load.each_s:
            due = begin_at + load.each_s * (turn + number / load.clients)
            if (left := due - monotonic()) > 0:
                sleep(left)
        if monotonic() - begin_at > load.limit_s:
            return
        answer = client.ask(requests[(number + turn * load.clients) % len(requests)])
        ended = monotonic()
        found = _REVISION.search(answer)
        done.append(Timed(number, due, ended, int(answer[9:12]), len(answer), int(found[1]) if found else None))


def main() -> None:
    """Make a load."""
    given = json.load(sys.stdin)
    load = Load(**given | {"requests": tuple(given["requests"])})
    requests = [text.encode() for text in load.requests]
    done: list[list[Timed]] = [[] for _ in range(load.clients)]
    begin_at = monotonic()
    threads = [
        threading.Thread(target=_work, args=(load, requests, number, begin_at, done[number]))
        for number in range(load.clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in done:
        for timed in one:
            print(json.dumps(timed))


if __name__ == "__main__":
    main()
