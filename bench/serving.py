"""The application in a process of its own, as `cmdb serve` runs it, with bare routes beside its own to compare with.

`/bare?size=N` answers N bytes from a plain function, `/bare/known?size=N` the same to whoever shows a token.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI, Response

from api.app import create_app
from api.auth import Reader
from api.settings import load
from api.wiring import Services
from bench.absorbing import absorb
from operations.tokens import Role


class Served(NamedTuple):
    """Where it listens, what lets a reader in; what can be told to it, and what it says line by line."""

    port: int
    token: str
    say: Callable[[str], None]
    hear: Callable[[], str]


@contextmanager
def served(store: str, folder: Path) -> Iterator[Served]:
    """Run it until left; `folder` takes its tokens and settings."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("CMDB_")}
    environment = own | {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "CMDB_STORE": store}
    environment["CMDB_OPERATIONS"] = f"sqlite:///{folder / 'operations.sqlite'}"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.serving"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        if process.stdin is None or process.stdout is None or not (line := process.stdout.readline()):
            raise SystemExit("the server did not start")
        port, token = json.loads(line)
        told = process.stdin

        def say(text: str) -> None:
            told.write(f"{text}\n")
            told.flush()

        yield Served(port, token, say, process.stdout.readline)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@lru_cache(maxsize=2000)
def _filler(size: int) -> bytes:
    return b'{"revision": 0, "filler": "' + b"x" * (size - 29) + b'"}'


def _bare(size: int) -> Response:
    return Response(_filler(size), media_type="application/json")


def _known(size: int, reader: Reader) -> Response:
    del reader
    return Response(_filler(size), media_type="application/json")


def _obey(services: Services) -> None:
    """`absorb SECONDS` on stdin: absorb reports in this process."""
    for line in sys.stdin:
        absorb(services.inventory, float(line.removeprefix("absorb ")))


def application(services: Services) -> FastAPI:
    app = create_app(services)
    app.add_api_route("/bare", _bare)
    app.add_api_route("/bare/known", _known)
    return app


def main() -> None:
    """Serve the store of the settings; says port and token once it listens."""
    services = Services(load())
    token = services.tokens.create("bench", Role.READER)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            application(services),
            http="httptools",
            loop="uvloop",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        threading.Thread(target=_obey, args=(services,), daemon=True).start()
        print(json.dumps([listener.getsockname()[1], token]), flush=True)
        uvicorn.Server(config).run(sockets=[listener])
    services.close()


if __name__ == "__main__":
    main()
