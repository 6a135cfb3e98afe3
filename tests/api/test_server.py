"""The server as a process: it says its URL when it answers, and a signal ends it in good order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from api.server import serve
from api.settings import SettingsError
from api.wiring import Services
from tests.fixtures.parts import REPOSITORY


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "CMDB_STORE": f"sqlite:///{tmp_path / 'cmdb.sqlite'}",
        "XDG_CONFIG_HOME": str(tmp_path),
        "PYTHONPATH": str(REPOSITORY),
    }
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.api.serving"],
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        yield started
        started.kill()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_a_server_answers_at_the_url_that_it_says_until_a_signal(
    server: subprocess.Popen[str], sign: signal.Signals
) -> None:
    assert server.stdout is not None
    assert server.stderr is not None
    url = server.stdout.readline().strip()

    health = httpx2.get(f"{url}/api/v1/health")
    server.send_signal(sign)
    code = server.wait(timeout=20)

    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    assert "server" not in health.headers
    assert code in {0, -sign, 1}
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(url)
    if sign == signal.SIGTERM:
        assert server.stderr.read() == ""


def test_a_port_that_is_taken_is_said_before_anything_starts(services: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SettingsError, match=rf"port {port}: something listens there already"):
            serve(services, "127.0.0.1", port, lambda _: None)


def test_an_address_that_is_not_ours_is_said(services: Services) -> None:
    with pytest.raises(SettingsError, match=r"cannot listen at 192\.0\.2\.1"):
        serve(services, "192.0.2.1", 0, lambda _: None)
