"""What a scan needs from others, as protocols: credentials, host keys, a place for evidence, a clock, a way to dial.

The operations database implements the first three; `discovery.dialling` dials real devices, a recording answers in
their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from discovery.transport.base import (
    Answered,
    Endpoint,
    HostKey,
    HostKeys,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    Ssh,
    SshCredential,
)
from discovery.visit import Visit

__all__ = [
    "Clock",
    "CredentialSource",
    "Dialler",
    "EvidenceSink",
    "HostKeys",
    "Knocked",
    "NamedCredential",
]

Clock: TypeAlias = Callable[[], datetime]
"""The time, in UTC."""


@dataclass(frozen=True, slots=True)
class NamedCredential:
    """A credential by the name that people gave it; the name may be shown, the credential never."""

    name: str
    credential: SnmpCredential | SshCredential


class CredentialSource(Protocol):
    """Which credentials are bound to an address, and which one worked there last. Called from several threads.

    `protocol` is `snmp` or `ssh`. Addresses are the site's own, before the address map.
    """

    def candidates(self, space: str, address: str, protocol: str) -> Sequence[NamedCredential]:
        """Every credential whose networks hold the address: most specific network first, then in people's order."""

    def last_good(self, space: str, address: str, protocol: str) -> str | None:
        """The name of the one that worked there last."""

    def remember(self, space: str, address: str, protocol: str, name: str) -> None:
        """It worked there."""


class EvidenceSink(Protocol):
    """Keeps raw replies by their content. Called from several threads. What is in them is no secret any more."""

    def store(self, content: bytes) -> str:
        """Keep it (once), and return its content hash."""

    def visited(self, visit: Visit) -> None:
        """Keep what a visit was, so that it can be replayed; its replies are stored already."""


@dataclass(frozen=True, slots=True)
class Knocked:
    """What a TCP port said: open, with the line that a server of SSH says first; or closed."""

    endpoint: Endpoint
    open: bool
    banner: str = ""


class Dialler(Protocol):
    """Reaches devices. Every call has its own limits of time; `open_*` raise TransportError."""

    def sweep(self, probes: Iterable[tuple[Endpoint, tuple[SnmpCommunity, ...]]]) -> Sequence[Answered]:
        """Ask many addresses at once over SNMP; who is silent is not in the answer."""

    def knock(self, endpoints: Iterable[Endpoint]) -> Sequence[Knocked]:
        """Try many TCP ports at once; who is silent is not in the answer."""

    def open_snmp(self, endpoint: Endpoint, credential: SnmpCredential) -> Snmp:
        """Make a session; a wrong credential shows at the first request."""

    def open_ssh(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:
        """Connect, check the host key and log in."""

    def host_key(self, endpoint: Endpoint) -> HostKey:
        """What a server of SSH proves to have, without a log-in. Raises TransportError."""
