"""Exchanges datagrams with one agent: sends, waits, sends again, and says in our words what went wrong."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from discovery.transport.base import Endpoint, Garbled, Refused, Silent, SnmpLimits, TimedOut, TransportError

T = TypeVar("T")

_LARGEST_DATAGRAM = 65535
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.ENONET})


@contextmanager
def translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn the errors of sockets into ours."""
    try:
        yield
    except ConnectionRefusedError as error:
        raise Refused(f"{endpoint} refuses: nothing listens on this UDP port") from error
    except socket.gaierror as error:
        raise Silent(f"{endpoint.address!r} is no address, and no name that can be resolved") from error
    except OSError as error:
        if error.errno in _UNREACHABLE:
            raise Silent(f"{endpoint} is not reachable: {error.strerror}") from error
        raise TransportError(f"{endpoint}: {error}") from error


class Link:
    """A connected UDP socket: the kernel drops what comes from another address or port than the one that was asked.

    One caller at a time.
    """

    def __init__(self, endpoint: Endpoint, limits: SnmpLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.endpoint = endpoint
        self.heard = False
        self._limits = limits
        self._clock = clock
        with translated(endpoint):
            family, kind, protocol, _, address = socket.getaddrinfo(
                endpoint.address, endpoint.port, type=socket.SOCK_DGRAM
            )[0]
            self._socket = socket.socket(family, kind, protocol)
            try:
                self._socket.connect(address)
            except OSError:
                self._socket.close()
                raise

    def exchange(self, data: bytes, accept: Callable[[bytes], T | None], deadline: float | None = None) -> T:
        """Send until `accept` takes an answer. It returns None for what belongs to something else.

        `deadline` is on the clock given at construction. Raises Silent where the agent was never heard, TimedOut where
        it was, and Garbled where all that came could not be read.
        """
        garbled: Garbled | None = None
        for _ in range(1 + self._limits.retries):
            until = self._clock() + self._limits.timeout_s
            until = until if deadline is None else min(until, deadline)
            with translated(self.endpoint):
                self._socket.send(data)
            while (answer := self._receive(until)) is not None:
                try:
                    taken = accept(answer)
                except Garbled as error:
                    garbled = error
                    continue
                if taken is not None:
                    self.heard = True
                    return taken
        if garbled is not None:
            raise Garbled(f"{self.endpoint} answers, but not readably: {garbled}") from garbled
        if self.heard:
            raise TimedOut(f"{self.endpoint} did not answer in time, after it had answered before")
        raise Silent(f"{self.endpoint} does not answer")

    def _receive(self, until: float) -> bytes | None:
        """Return the next datagram, or None when it is too late."""
        remaining = until - self._clock()
        if remaining <= 0:
            return None
        self._socket.settimeout(remaining)
        with translated(self.endpoint):
            try:
                return self._socket.recv(_LARGEST_DATAGRAM)
            except TimeoutError:
                return None

    def close(self) -> None:
        self._socket.close()
