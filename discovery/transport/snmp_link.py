"""Exchanges datagrams with one agent: sends, waits, sends again, and says in our words what went wrong."""

from __future__ import annotations

import errno
import select
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
    except TransportError:  # some of ours are an OSError, too
        raise
    except ConnectionRefusedError as error:
        raise Refused(f"{endpoint} refuses: nothing listens on this UDP port") from error
    except socket.gaierror as error:
        raise Silent(f"{endpoint.address!r} is no address, and no name that can be resolved") from error
    except OSError as error:
        if error.errno in _UNREACHABLE:
            raise Silent(f"{endpoint} is not reachable: {error.strerror}") from error
        raise TransportError(f"{endpoint}: {error}") from error


def connected(endpoint: Endpoint) -> socket.socket:
    """Open a connected UDP socket that never blocks: the kernel drops what comes from another address or port.

    A connected socket also hears of a closed port, as ConnectionRefusedError.
    """
    with translated(endpoint):
        found = socket.getaddrinfo(endpoint.address, endpoint.port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        udp = socket.socket(family, kind, protocol)
        try:
            udp.setblocking(False)
            udp.connect(address)
        except OSError:
            udp.close()
            raise
    return udp


class Patience:
    """How often one agent is asked and how long it is waited for. `heard`: whether it ever gave an answer."""

    def __init__(self, endpoint: Endpoint, limits: SnmpLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.endpoint = endpoint
        self.heard = False
        self._limits = limits
        self._clock = clock

    def exchange(
        self,
        send: Callable[[], object],
        take: Callable[[], T | None],
        fd: int,
        deadline: float | None = None,
    ) -> T:
        """Send until `take` takes an answer from the socket `fd`. It returns None for what belongs to something else.

        `deadline` is on the clock given at construction. Raises Silent where the agent was never heard, TimedOut where
        it was, and Garbled where all that came could not be read; the errors of sockets are translated.
        """
        arrivals = select.poll()
        arrivals.register(fd, select.POLLIN)
        garbled: Garbled | None = None
        for _ in range(1 + self._limits.retries):
            until = self._clock() + self._limits.timeout_s
            until = until if deadline is None else min(until, deadline)
            with translated(self.endpoint):
                send()
            while (remaining_s := until - self._clock()) > 0 and arrivals.poll(remaining_s * 1000):
                try:
                    with translated(self.endpoint):
                        taken = take()
                except Garbled as error:
                    garbled = error
                    continue
                if taken is not None:
                    self.heard = True
                    return taken
        raise self.failure(garbled)

    def failure(self, garbled: Garbled | None) -> TransportError:
        """Return what no answer means."""
        if garbled is not None:
            failure = Garbled(f"{self.endpoint} answers, but not readably: {garbled}")
            failure.__cause__ = garbled
            return failure
        if self.heard:
            return TimedOut(f"{self.endpoint} did not answer in time, after it had answered before")
        return Silent(f"{self.endpoint} does not answer")


class Link:
    """A connected UDP socket. One caller at a time."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._socket = connected(patience.endpoint)

    def exchange(self, data: bytes, accept: Callable[[bytes], T | None], deadline: float | None = None) -> T:
        """Send until `accept` takes an answer, as Patience does."""

        def take() -> T | None:
            try:
                answer = self._socket.recv(_LARGEST_DATAGRAM)
            except BlockingIOError:  # what woke us had a wrong checksum (select(2), BUGS)
                return None
            return accept(answer)

        return self._patience.exchange(lambda: self._socket.send(data), take, self._socket.fileno(), deadline)

    def close(self) -> None:
        self._socket.close()
