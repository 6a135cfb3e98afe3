"""Dials real devices: what `ports.Dialler` asks for, from the transports."""

from __future__ import annotations

import errno
import ipaddress
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from discovery.ports import Knocked
from discovery.transport.base import (
    Answered,
    Endpoint,
    HostKey,
    HostKeys,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    SnmpLimits,
    Ssh,
    SshCredential,
    SshLimits,
)
from discovery.transport.snmp import open_snmp
from discovery.transport.snmp_sweep import Probe, SweepLimits, sweep
from discovery.transport.ssh import SshDialler


@dataclass(frozen=True, slots=True)
class KnockLimits:
    """`at_once` connections are tried together; each waits `connect_s`, and `banner_s` more for the first line."""

    at_once: int = 256
    connect_s: float = 1.5
    banner_s: float = 1.5
    banner_bytes: int = 255  # RFC 4253, 4.2


@dataclass(slots=True, eq=False)
class _Door:
    endpoint: Endpoint
    tcp: socket.socket
    until: float
    is_open: bool = False
    heard: bytes = b""


class RealDialler:
    """Reaches devices over the network. Safe to use from several threads."""

    def __init__(
        self,
        snmp_limits: SnmpLimits | None = None,
        ssh_limits: SshLimits | None = None,
        sweep_limits: SweepLimits | None = None,
        knock_limits: KnockLimits | None = None,
    ) -> None:
        self._snmp_limits = snmp_limits or SnmpLimits()
        self._sweep_limits = sweep_limits or SweepLimits()
        self._knock_limits = knock_limits or KnockLimits()
        self._ssh = SshDialler(ssh_limits or SshLimits())  # one for all: it counts the connections to each host

    def sweep(self, probes: Iterable[tuple[Endpoint, tuple[SnmpCommunity, ...]]]) -> Sequence[Answered]:
        return sweep((Probe(endpoint, communities) for endpoint, communities in probes), self._sweep_limits)

    def knock(self, endpoints: Iterable[Endpoint]) -> Sequence[Knocked]:
        return knock(endpoints, self._knock_limits)

    def open_snmp(self, endpoint: Endpoint, credential: SnmpCredential) -> Snmp:
        return open_snmp(endpoint, credential, self._snmp_limits)

    def open_ssh(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:
        return self._ssh.connect(endpoint, credential, host_keys)

    def host_key(self, endpoint: Endpoint) -> HostKey:
        return self._ssh.greet(endpoint).host_key


def knock(
    endpoints: Iterable[Endpoint], limits: KnockLimits | None = None, clock: Callable[[], float] = time.monotonic
) -> list[Knocked]:
    """Try TCP ports, many at once, and read the line that a server of SSH says first. Who is silent is not in it."""
    limits = limits or KnockLimits()
    waiting = iter(list(endpoints))
    found: list[Knocked] = []
    with selectors.DefaultSelector() as selector:
        doors: set[_Door] = set()
        with _closed_at_the_end(doors):
            while True:
                for endpoint in waiting:
                    knocked = _begin(selector, endpoint, limits, clock(), doors)
                    found += knocked
                    if len(doors) >= limits.at_once:
                        break
                if not doors:
                    return found
                timeout = max(0.0, min(door.until for door in doors) - clock())
                for key, _ in selector.select(timeout):
                    found += _hear(selector, key.data, limits, clock(), doors)
                for door in [door for door in doors if door.until <= clock()]:
                    found += _end(selector, door, doors)


@contextmanager
def _closed_at_the_end(doors: set[_Door]) -> Iterator[None]:
    try:
        yield
    finally:
        for door in doors:
            door.tcp.close()


def _begin(selector: selectors.BaseSelector, endpoint: Endpoint, limits: KnockLimits, now: float,
           doors: set[_Door]) -> list[Knocked]:  # fmt: skip
    family = socket.AF_INET6 if ipaddress.ip_address(endpoint.address).version == 6 else socket.AF_INET
    tcp = socket.socket(family, socket.SOCK_STREAM)
    tcp.setblocking(False)
    try:
        tcp.connect((endpoint.address, endpoint.port))
    except BlockingIOError:
        pass
    except ConnectionRefusedError:
        tcp.close()
        return [Knocked(endpoint, open=False)]
    except OSError:  # no route: as silent as can be
        tcp.close()
        return []
    door = _Door(endpoint, tcp, now + limits.connect_s)
    doors.add(door)
    selector.register(tcp, selectors.EVENT_WRITE, door)
    return []


def _hear(selector: selectors.BaseSelector, door: _Door, limits: KnockLimits, now: float,
          doors: set[_Door]) -> list[Knocked]:  # fmt: skip
    """The connection was made or refused, or the other side said something."""
    if not door.is_open:
        error = door.tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            closed = [Knocked(door.endpoint, open=False)] if error == errno.ECONNREFUSED else []
            _forget(selector, door, doors)
            return closed
        door.is_open = True
        door.until = now + limits.banner_s
        selector.modify(door.tcp, selectors.EVENT_READ, door)
        return []
    try:
        data = door.tcp.recv(limits.banner_bytes)
    except BlockingIOError:
        return []
    except OSError:
        data = b""
    door.heard += data
    if not data or b"\n" in door.heard or len(door.heard) >= limits.banner_bytes:
        return _end(selector, door, doors)
    return []


def _end(selector: selectors.BaseSelector, door: _Door, doors: set[_Door]) -> list[Knocked]:
    """What it said in its time. A connection that was never made is silence."""
    _forget(selector, door, doors)
    if not door.is_open:
        return []
    line = door.heard.partition(b"\n")[0].decode("ascii", "replace").strip()
    return [Knocked(door.endpoint, open=True, banner=line)]


def _forget(selector: selectors.BaseSelector, door: _Door, doors: set[_Door]) -> None:
    selector.unregister(door.tcp)
    door.tcp.close()
    doors.discard(door)
