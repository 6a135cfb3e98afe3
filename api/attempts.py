"""Log-ins that fail: whoever tries too many in a short time waits. Bounded, and forgotten by itself."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil

from fastapi import Request

from api.problems import Problem

MOST = 20
WITHIN_S = 60.0
"""Secrets are long and random: this does not make guessing hard, it keeps those who try from being a burden."""

_REMEMBERED = 10_000
_NETWORK_BITS = 64


class Attempts:
    """Failed log-ins by network address, in this process. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float], most: int = MOST, within_s: float = WITHIN_S) -> None:
        self._clock = clock
        self._most = most
        self._within_s = within_s
        self._guard = threading.Lock()
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, request: Request) -> None:
        """A problem of status 429 for whoever has failed too often; it says how long to wait."""
        with self._guard:
            times = self._failed.get(_who(request), deque())
            left = times[0] + self._within_s - self._clock() if len(times) == self._most else 0.0
        if left > 0:
            raise Problem(
                429, f"too many log-ins failed: wait {ceil(left)} s, then try again", {"Retry-After": str(ceil(left))}
            )

    def failed(self, request: Request) -> None:
        """Remember a failure; the one who failed longest ago is forgotten where there are too many."""
        with self._guard:
            who = _who(request)
            self._failed.setdefault(who, deque(maxlen=self._most)).append(self._clock())
            self._failed.move_to_end(who)
            while len(self._failed) > _REMEMBERED:
                self._failed.popitem(last=False)


def _who(request: Request) -> str:
    """The address that the connection came from; of IPv6 its network, in which anybody has addresses to spare."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(int(address) >> _NETWORK_BITS)
    return str(address)
