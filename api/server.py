"""Serves the application: the port is bound before anybody is told, and a signal ends it in good order."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

import uvicorn

from api.app import create_app
from api.settings import SettingsError
from api.wiring import Services

_BACKLOG = 512
_LAST_REQUESTS_S = 5


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it accepts, and when it ends: some answers have no end of their own."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        await super().shutdown(sockets)


def serve(services: Services, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve API and pages, and run the clock, until SIGTERM or Ctrl-C.

    `port` 0 takes a free one. `on_ready` is told the base URL once the server accepts. Raises SettingsError where the
    address cannot be bound. uvicorn raises the signal again at the end, so that whoever called ends as it asks.
    """
    with _bound(host, port) as listener:
        where = listener.getsockname()
        base = f"http://{f'[{where[0]}]' if listener.family == socket.AF_INET6 else where[0]}:{where[1]}"
        config = uvicorn.Config(
            create_app(services),
            http="httptools",
            loop="uvloop",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_LAST_REQUESTS_S,
        )
        services.clock.start()
        try:
            _Server(config, lambda: on_ready(base), services.follower.stop).run(sockets=[listener])
        finally:
            services.clock.stop()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"--host {host}: {error.strerror or error}") from error
    try:
        # Connections of a server that has just ended linger; they are no reason to refuse its successor.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        hint = "something listens there already; take another --port, or 0 for a free one"
        raise SettingsError(
            f"cannot listen at {host} port {port}: {hint if error.errno == errno.EADDRINUSE else error.strerror}"
        ) from error
    return listener
