"""TCP sockets of a Linux host: `ss -H -tlnp`, `ss -H -tnp`, or /proc/net/tcp and tcp6 where ss is missing."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator

from discovery.facts import Connection, Listener, Owner, ParseError

_USERS = re.compile(r'\("(?P<command>(?:[^"\\]|\\.)*)",pid=(?P<pid>\d+),fd=\d+\)')
_STATES = frozenset(
    [
        "ESTAB",
        "SYN-SENT",
        "SYN-RECV",
        "FIN-WAIT-1",
        "FIN-WAIT-2",
        "TIME-WAIT",
        "UNCONN",
        "CLOSE-WAIT",
        "LAST-ACK",
        "LISTEN",
        "CLOSING",
        "BOUND",
    ]
)
_HEADING = "local_address"  # of /proc/net/tcp
_ESTABLISHED, _LISTEN = "01", "0A"  # include/net/tcp_states.h


def listeners(text: str) -> Iterator[Listener]:
    """Yield what listens.

    LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=900,fd=6),("nginx",pid=899,fd=6))
    """
    for state, local, _, owners in _rows(text):
        if state == "LISTEN":
            yield Listener(*local, owners)


def connections(text: str) -> Iterator[Connection]:
    """Yield what is established.

    ESTAB 0 0 10.0.0.5:41022 10.0.0.9:5432 users:(("java",pid=1203,fd=61))
    """
    for state, local, remote, owners in _rows(text):
        if state == "ESTAB":
            yield Connection(*local, *remote, owners)


def _rows(text: str) -> Iterator[tuple[str, tuple[str, int], tuple[str, int], tuple[Owner, ...]]]:
    for line in text.splitlines():
        words = line.split(None, 5)
        if not words or _HEADING in words:
            continue
        if words[0].rstrip(":").isdigit():
            yield _from_proc(words)
            continue
        if len(words) < 5 or words[0] not in _STATES:
            raise ParseError(f"not a line of ss: {line[:80]!r}")
        yield words[0], _endpoint(words[3]), _endpoint(words[4]), _owners(words[5] if len(words) > 5 else "")


def _owners(text: str) -> tuple[Owner, ...]:
    found = {int(match["pid"]): match["command"] for match in _USERS.finditer(text)}
    return tuple(Owner(command, pid) for pid, command in sorted(found.items()))


def _endpoint(text: str) -> tuple[str, int]:
    """`10.0.0.5:80`, `[::1]:25`, `*:80`, `127.0.0.53%lo:53`, `[::ffff:10.0.0.5]:80`; port `*` is 0."""
    host, sign, port = text.rpartition(":")
    if not sign or not (port == "*" or port.isdigit()):
        raise ParseError(f"not an address and a port: {text[:80]!r}")
    return _spelt(host.strip("[]").partition("%")[0]), 0 if port == "*" else int(port)


def _spelt(host: str) -> str:
    if host in ("*", ""):
        return "*"
    try:
        address = ipaddress.ip_address(host)
    except ValueError as error:
        raise ParseError(f"not an address: {host[:80]!r}") from error
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return "*" if address.is_unspecified else str(address)


def _from_proc(words: list[str]) -> tuple[str, tuple[str, int], tuple[str, int], tuple[Owner, ...]]:
    """A row of /proc/net/tcp or tcp6 (proc(5)): addresses as words in the host's order. Owners are not told."""
    if len(words) < 4:
        raise ParseError(f"not a row of /proc/net/tcp: {' '.join(words)[:80]!r}")
    state = {_ESTABLISHED: "ESTAB", _LISTEN: "LISTEN"}.get(words[3].upper(), "UNCONN")
    return state, _proc_endpoint(words[1]), _proc_endpoint(words[2]), ()


def _proc_endpoint(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    try:
        octets = bytes.fromhex(host)
        # Every machine that a CMDB meets writes these words little-endian, s390x aside.
        swapped = b"".join(octets[at : at + 4][::-1] for at in range(0, len(octets), 4))
        family = socket.AF_INET if len(swapped) == 4 else socket.AF_INET6
        return _spelt(socket.inet_ntop(family, swapped)), int(port, 16)
    except ValueError as error:
        raise ParseError(f"not an address of /proc/net/tcp: {text[:80]!r}") from error
