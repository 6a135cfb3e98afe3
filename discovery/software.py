"""What runs on a host: its operating system, the processes that others can reach, and whom they depend on."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cmdb.model import RelationClaim, Statement, Subject, Value
from discovery.collect import Collected
from discovery.device import ITSELF, Device, only
from discovery.facts import Connection, Listener, OperatingSystem, Owner, Process

_NOBODYS_KEY = "os"
"""The key of an operating system without a machine id; a host runs one."""


@dataclass(frozen=True, slots=True)
class Software:
    """`problem`: why this is not all."""

    statements: tuple[Statement, ...] = ()
    relations: tuple[RelationClaim, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Service:
    """Sockets that share a process: a process that is a CI. `port` is its lowest port that others can reach."""

    command: str
    port: int
    ports: frozenset[int]
    pids: frozenset[int]


def software(device: Device, collected: Collected) -> Software:
    """What one section says of what runs on the host."""
    match collected.section:
        case "ssh.system":
            return _operating_system(device)
        case "ssh.processes":
            return _processes(device, collected)
        case "ssh.connections":
            return _connections(device, collected)
        case _:
            return Software()


def _system_subject(device: Device) -> Subject | None:
    """The operating system, named the same in every section; None where it did not say what it is."""
    running = device.operating_system
    if running is None or not (running.title or running.kernel):
        return None
    title = running.title or running.kernel
    return Subject(
        cls="operating_system", name=f"{title} on {device.host_name or 'host'}", owner=ITSELF,
        key=running.machine_id or _NOBODYS_KEY,
    )  # fmt: skip


def _operating_system(device: Device) -> Software:
    subject, running = _system_subject(device), device.operating_system
    if subject is None or running is None:
        return Software()
    return Software((Statement(subject, _attributes(running)),), (RelationClaim("runs_on", subject, ITSELF),))


def _attributes(running: OperatingSystem) -> dict[str, Value]:
    texts = {
        "product": running.product, "version": running.version, "kernel": running.kernel, "hostname": running.hostname,
        "architecture": running.architecture, "machine_id": running.machine_id,
    }  # fmt: skip
    return {name: text for name, text in texts.items() if text}


def _processes(device: Device, collected: Collected) -> Software:
    system = _system_subject(device)
    if system is None:
        return Software(problem="what the processes run on is not known")
    users = {process.pid: process.user for process in only(Process, collected.facts)}
    statements: list[Statement] = []
    for service in _services(only(Listener, collected.facts)):
        owners = sorted(pid for pid in service.pids if pid in users)
        attributes: dict[str, Value] = {"command": service.command, "port": service.port}
        if owners:
            attributes["user"] = users[owners[0]]
        statements.append(Statement(_process_subject(device, service), attributes))
    relations = tuple(RelationClaim("runs_on", statement.about, system) for statement in statements)
    return Software(tuple(statements), relations)


def _process_subject(device: Device, service: _Service) -> Subject:
    key = f"{service.command}:{service.port}"
    return Subject(cls="process", name=f"{key} on {device.host_name or 'host'}", owner=ITSELF, key=key)


def _services(listeners: Sequence[Listener]) -> list[_Service]:
    """Group sockets by the processes that share them. What listens on loopback addresses alone is nobody's service."""
    groups: list[tuple[set[int], list[Listener]]] = []
    for listener in listeners:
        pids = {owner.pid for owner in listener.owners}
        if not pids:
            continue
        sharing = [group for group in groups if group[0] & pids]
        merged = (pids.union(*(group[0] for group in sharing)), [each for group in sharing for each in group[1]])
        groups = [group for group in groups if group not in sharing] + [(merged[0], [*merged[1], listener])]
    found: dict[tuple[str, int], _Service] = {}
    for pids, sockets in groups:
        reachable = sorted(socket.port for socket in sockets if not _is_loopback(socket.address))
        if reachable:
            first = min((owner for socket in sockets for owner in socket.owners), key=lambda owner: owner.pid)
            ports = frozenset(socket.port for socket in sockets)
            found[first.command, reachable[0]] = _Service(first.command, reachable[0], ports, frozenset(pids))
    return [found[key] for key in sorted(found)]


def _connections(device: Device, collected: Collected) -> Software:
    """A process that opened a connection depends on who listens at its other end.

    The end at a port that is listened on was called, and needs nobody. A worker that holds no socket of its own that
    waits (a child of the one that does) is told by its name.
    """
    facts = only(Connection, collected.facts)
    listeners = only(Listener, device.facts)
    if not listeners and facts:
        return Software(problem="who opened a connection is not told: the listeners are not known")
    services = _services(listeners)
    waiting = {listener.port for listener in listeners}
    wanted: set[tuple[str, int, str, int]] = set()
    for fact in facts:
        service = _service_of(fact.owners, services)
        if service is not None and fact.local_port not in waiting and not _is_loopback(fact.remote_address):
            wanted.add((service.command, service.port, fact.remote_address, fact.remote_port))
    by_key = {(service.command, service.port): service for service in services}
    return Software(
        relations=tuple(
            RelationClaim(
                "depends_on", _process_subject(device, by_key[command, port]), Subject(address=address, port=remote),
                {"port": remote, "assumed": True},
            )
            for command, port, address, remote in sorted(wanted)
        )
    )  # fmt: skip


def _service_of(owners: Sequence[Owner], services: Sequence[_Service]) -> _Service | None:
    pids = {owner.pid for owner in owners}
    names = {owner.command for owner in owners}
    by_pid = [service for service in services if service.pids & pids]
    by_name = [service for service in services if service.command in names]
    if by_pid:
        return by_pid[0]
    return by_name[0] if len(by_name) == 1 else None


def _is_loopback(address: str) -> bool:
    return address != "*" and ipaddress.ip_address(address).is_loopback
