"""A consumer of the feed in a process of its own: it keeps what it was told, and its place, in one file.

Called with the server's URL, a token and the file. It says the id of each event that it has kept on
standard output, and may be killed at any moment: a line that was not finished was not kept.
"""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit


def kept(file: Path) -> list[dict[str, object]]:
    """The events that were kept whole, in the order in which they came."""
    return [json.loads(line) for line in _whole(file).splitlines()]


def _whole(file: Path) -> bytes:
    said = file.read_bytes() if file.exists() else b""
    return said[: said.rfind(b"\n") + 1]


def main(url: str, token: str, file: Path) -> None:
    """Go on where the file ends, until killed."""
    before = kept(file)
    after = str(before[-1]["id"]) if before else "0"
    server = urlsplit(url)
    connection = http.client.HTTPConnection(server.hostname or "", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", "Last-Event-ID": after}
    connection.request("GET", "/api/v1/events?limit=3", headers=headers)
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise SystemExit(f"{answer.status}: {answer.read().decode()}")
    with file.open("ab") as keeping:
        keeping.truncate(len(_whole(file)))
        for line in answer:
            if line.startswith(b"data: "):
                keeping.write(line.removeprefix(b"data: "))
                keeping.flush()
                sys.stdout.write(f"{json.loads(line.removeprefix(b'data: '))['id']}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
