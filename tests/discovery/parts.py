"""What the tests of discovery share: sources of credentials and host keys in memory, and a network of recordings."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from discovery.ports import Knocked, NamedCredential
from discovery.replay import SYS_DESCR, SYS_OBJECT_ID
from discovery.transport.base import (
    Answered,
    CredentialRefused,
    Endpoint,
    HostKey,
    HostKeyPolicy,
    HostKeys,
    Secret,
    Silent,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    SnmpUser,
    Ssh,
    SshCredential,
    SshPassword,
    TransportError,
)
from discovery.transport.recording import RecordedSnmp, RecordedSsh
from discovery.transport.replies import Replies, SshIdentity, read_replies
from discovery.visit import Visit

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
PUBLIC = SnmpCommunity(2, Secret("public"))
KEY = HostKey("ssh-ed25519", b"a key")


def recorded(family: str, model: str) -> Replies:
    """The replies of a recording."""
    path = RECORDINGS / family / model / "replies.yaml"
    return read_replies(path.read_text(), str(path))


def password(name: str, secret: str = "right") -> NamedCredential:
    return NamedCredential(name, SshPassword("scanner", Secret(secret)))


def community(name: str = "read", text: str = "public") -> NamedCredential:
    return NamedCredential(name, SnmpCommunity(2, Secret(text)))


@dataclass(slots=True)
class Credentials:
    """A CredentialSource in memory: (network, credential) in people's order."""

    bound: Sequence[tuple[str, NamedCredential]]
    good: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def candidates(self, space: str, address: str, protocol: str) -> Sequence[NamedCredential]:  # noqa: ARG002 of the protocol
        of_protocol = SnmpCommunity | SnmpUser
        return [
            named
            for network, named in self.bound
            if ipaddress.ip_address(address) in ipaddress.ip_network(network)
            and isinstance(named.credential, of_protocol) == (protocol == "snmp")
        ]

    def last_good(self, space: str, address: str, protocol: str) -> str | None:
        return self.good.get((space, address, protocol))

    def remember(self, space: str, address: str, protocol: str, name: str) -> None:
        self.good[space, address, protocol] = name


@dataclass(slots=True)
class Keys:
    """HostKeys in memory, policy `pin`."""

    keys: dict[tuple[str, int], HostKey] = field(default_factory=dict)
    policy: HostKeyPolicy = HostKeyPolicy.PIN

    def known(self, address: str, port: int) -> Sequence[HostKey]:
        return [self.keys[address, port]] if (address, port) in self.keys else []

    def pin(self, address: str, port: int, key: HostKey) -> None:
        self.keys[address, port] = key


@dataclass(slots=True)
class Evidence:
    """An EvidenceSink in memory."""

    kept: dict[str, bytes] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)

    def store(self, content: bytes) -> str:
        name = f"hash-{len(self.kept)}"
        self.kept[name] = content
        return name

    def visited(self, visit: Visit) -> None:
        self.visits.append(visit)


@dataclass(slots=True)
class Network:
    """A Dialler over recordings, by address; who is in `closed` refuses connections, and all others are silent.

    SSH takes the password `right`. `broken` addresses raise this error when SNMP is asked. `log_ins` are the tries.
    """

    devices: dict[str, Replies]
    closed: frozenset[str] = frozenset()
    broken: dict[str, Exception] = field(default_factory=dict)
    log_ins: list[tuple[str, str]] = field(default_factory=list)

    def sweep(self, probes: Iterable[tuple[Endpoint, tuple[SnmpCommunity, ...]]]) -> Sequence[Answered]:
        found: list[Answered] = []
        for endpoint, communities in probes:
            device = self.devices.get(endpoint.address)
            if endpoint.address in self.closed:
                found.append(Answered(endpoint, refused=True))
            elif device is not None and device.speaks_snmp and PUBLIC in communities:
                oid, descr = device.gets.get(SYS_OBJECT_ID), device.gets.get(SYS_DESCR)
                found.append(
                    Answered(
                        endpoint,
                        (PUBLIC,),
                        sys_object_id=oid if isinstance(oid, tuple) else None,
                        sys_descr=descr if isinstance(descr, bytes) else None,
                    )
                )
        return found

    def knock(self, endpoints: Iterable[Endpoint]) -> Sequence[Knocked]:
        found: list[Knocked] = []
        for endpoint in endpoints:
            device = self.devices.get(endpoint.address)
            if endpoint.address in self.closed or (device is not None and not device.speaks_ssh):
                found.append(Knocked(endpoint, open=False))
            elif device is not None and device.ssh is not None:
                found.append(Knocked(endpoint, open=True, banner=device.ssh.banner))
        return found

    def open_snmp(self, endpoint: Endpoint, credential: SnmpCredential) -> Snmp:  # noqa: ARG002 of the protocol
        if endpoint.address in self.broken:
            raise self.broken[endpoint.address]
        return RecordedSnmp(self.devices[endpoint.address])

    def open_ssh(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:  # noqa: ARG002 of the protocol
        if not isinstance(credential, SshPassword):
            raise TransportError("this network takes passwords")
        self.log_ins.append((endpoint.address, credential.password.reveal()))
        if credential.password.reveal() != "right":
            raise CredentialRefused(f"{endpoint} declines the password of {credential.user}")
        return RecordedSsh(self.devices[endpoint.address])

    def host_key(self, endpoint: Endpoint) -> HostKey:
        identity = self.devices[endpoint.address].ssh
        if identity is None:
            raise Silent(f"{endpoint} does not answer")
        return identity.host_key


def only_ssh(replies: Replies) -> Replies:
    """A host that answers SSH alone, with a host key."""
    return Replies(shell=replies.shell, ssh=replies.ssh or SshIdentity("SSH-2.0-OpenSSH_9.2", KEY))
