"""Large estates as the reports of their scans: racks of servers behind switches, pods of racks behind two cores.

Equal seeds give equal estates. What a device says has the shape that `discovery.observe` gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final, NamedTuple

from cmdb.model import (
    Completeness,
    Component,
    Identifier,
    RelationClaim,
    Report,
    Section,
    Statement,
    Subject,
    Value,
)

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
SERVERS: Final = 20
"""Servers of a rack."""
RACKS: Final = 20
"""Racks of a pod."""
ITSELF: Final = Subject(itself=True)
FULL: Final = Completeness.FULL

_MODELS = ("PowerEdge R760", "ProLiant DL380 Gen11", "ThinkSystem SR650 V3", "KR2280 X3")
_SYSTEMS = (("Debian GNU/Linux 12", "6.1.0-18-amd64"), ("Rocky Linux 9.4", "5.14.0-427.el9"), ("Ubuntu 24.04", "6.8.0"))
_PROCESSES = (("sshd", 22), ("nginx", 443), ("postgres", 5432), ("java", 8080), ("node_exporter", 9100))


class Grown(NamedTuple):
    """A report, and how many CIs there are about when it is taken in."""

    report: Report
    cis: int


@dataclass(frozen=True, slots=True)
class Estate:
    """`pod`, `rack` and `server` count from 0."""

    seed: int = 1

    def reports(self, cis: int, when: datetime = START) -> Iterator[Grown]:
        """The reports of a first scan, until there are about so many CIs."""
        count = pod = 0
        while count < cis:
            for number in (0, 1):
                count += 1 + (RACKS if number == 0 else 0)  # their neighbours are CIs, though not yet scanned
                yield Grown(self.core(pod, number, when), count)
            for rack in range(pod * RACKS, (pod + 1) * RACKS):
                yield Grown(self.switch(rack, when), count := count + SERVERS)
                for server in range(SERVERS):
                    processes = len(self._processes(rack, server))
                    yield Grown(self.server(rack, server, when), count := count + 1 + processes)
                    if count >= cis:
                        return
            yield Grown(self.services(pod, when), count := count + RACKS)
            pod += 1

    def server(
        self, rack: int, server: int, when: datetime, processes: int | None = None, memory: int | None = None
    ) -> Report:
        """A Linux server: two NICs, an operating system, processes, and sometimes what it talks to."""
        chance = self._chance("server", rack, server)
        name, address = f"srv-{rack:04}-{server:02}", _address(rack, server + 10)
        title, kernel = chance.choice(_SYSTEMS)
        system = Subject("operating_system", name=f"{title} on {name}", owner=ITSELF, key="os")
        macs = [mac(_device(rack, server + 10), port) for port in (0, 1)]
        about = Subject("server", _ids(host_key=[_host_key(chance)]), name, itself=True)
        attributes: dict[str, Value] = {
            "vendor": "ACME",
            "model": chance.choice(_MODELS),
            "memory": memory or 256 * 2**30,
        }
        identity = _ids(serial=[serial(rack, server)], uuid=[_uuid(chance)])
        ports = (
            *(Component("interface", f"eno{n}", {"mac": each, "index": n + 2}) for n, each in enumerate(macs)),
            Component("address", address, {"address": address, "prefix_length": 24, "interface": "eno0"}),
        )
        running = (
            self._processes(rack, server) if processes is None else [(f"app{n}", 9000 + n) for n in range(processes)]
        )
        subjects = [
            Subject("process", name=f"{command}:{port} on {name}", owner=ITSELF, key=f"{command}:{port}")
            for command, port in running
        ]
        said = tuple(
            Statement(subject, {"command": command, "port": port, "user": "root"})
            for subject, (command, port) in zip(subjects, running, strict=True)
        )
        sections = [
            _section("ssh.system", when, Statement(about, {"hostname": name}), _os(system, title, kernel),
                     relations=(RelationClaim("runs_on", system, ITSELF),)),
            _section("ssh.hardware", when, Statement(Subject(identifiers=identity, itself=True), attributes)),
            _section("ssh.interfaces", when,
                     Statement(Subject(identifiers=_ids(mac=macs), itself=True), {}, ports)),
            _section("ssh.processes", when, *said,
                     relations=tuple(RelationClaim("runs_on", subject, system) for subject in subjects)),
            _section("ssh.connections", when, relations=self._connections(rack, server, subjects)),
        ]  # fmt: skip
        return Report(address, when, tuple(sections), port=22, run="bench")

    def switch(self, rack: int, when: datetime) -> Report:
        """The switch of a rack: its servers and both cores are its neighbours."""
        pod, own = rack // RACKS, rack % RACKS
        down = [
            (n + 1, Subject(None, _ids(mac=[mac(_device(rack, n + 10), 0)]), f"srv-{rack:04}-{n:02}"), "eno0")
            for n in range(SERVERS)
        ]
        up = [(47 + n, _core(pod, n), f"Eth{own + 1}") for n in (0, 1)]
        return switch(f"tor-{rack:04}", _address(rack, 1), f"TOR{rack:06}", _device(rack, 1), [*down, *up], when)

    def core(self, pod: int, number: int, when: datetime) -> Report:
        """A core switch: the switches of its pod's racks are its neighbours."""
        racks = range(pod * RACKS, (pod + 1) * RACKS)
        down = [
            (
                n + 1,
                Subject("network_switch", _ids(mac=[mac(_device(rack, 1), 0)]), f"tor-{rack:04}"),
                f"Eth{47 + number}",
            )
            for n, rack in enumerate(racks)
        ]
        address = f"10.250.{pod}.{number + 1}"
        return switch(
            f"core-{pod:03}-{number}", address, f"CORE{pod:04}{number}", _core_device(pod, number), down, when
        )

    def services(self, pod: int, when: datetime) -> Report:
        """A declared file: a service for each rack, which needs three of its servers."""
        statements, relations = [], []
        for rack in range(pod * RACKS, (pod + 1) * RACKS):
            service = Subject("service", name=f"service-{rack:04}", declared=True)
            statements.append(Statement(service, {"audience": "customers", "sla": "gold"}))
            for server in range(3):
                needed = Subject(
                    "server", _ids(serial=[serial(rack, server)]), f"srv-{rack:04}-{server:02}", declared=True
                )
                relations.append(RelationClaim("depends_on", service, needed))
        section = Section("declared", when, FULL, tuple(statements), tuple(relations))
        return Report(f"declared:pod-{pod:03}", when, (section,))

    def _processes(self, rack: int, server: int) -> list[tuple[str, int]]:
        chance = self._chance("processes", rack, server)
        return sorted(chance.sample(_PROCESSES, 3))

    def _connections(self, rack: int, server: int, subjects: list[Subject]) -> tuple[RelationClaim, ...]:
        """Every fourth server talks to a data base in its rack."""
        if server % 4 or not subjects:
            return ()
        far = Subject(address=_address(rack, (server + 7) % SERVERS + 10), port=22)
        return (RelationClaim("depends_on", subjects[0], far, {"port": 22, "assumed": True}),)

    def _chance(self, *what: str | int) -> Random:
        return Random(f"{self.seed} {what}")  # noqa: S311 - an estate, not a secret


def switch(
    name: str, address: str, number: str, device: int, neighbours: list[tuple[int, Subject, str]], when: datetime,
    more_macs: tuple[str, ...] = (),
) -> Report:  # fmt: skip
    """A switch with 48 ports or as many as it has neighbours; neighbours are (own port, who, its port)."""
    count = max(48, *(port for port, _, _ in neighbours), 0)
    macs = [mac(device, port) for port in range(count)]
    ports = tuple(
        Component("interface", f"Eth{n + 1}", {"mac": each, "index": n + 1, "speed": 25_000_000_000})
        for n, each in enumerate((*macs, *more_macs))
    )
    here = Component("address", address, {"address": address, "prefix_length": 24})
    about = Subject("network_switch", _ids(serial=[number]), name, itself=True)
    identity = Subject(identifiers=_ids(mac=[*macs, *more_macs]), itself=True)
    cables = tuple(
        RelationClaim("connects_to", ITSELF, who, {"from_port": f"Eth{own}", "to_port": port, "medium": "ethernet"})
        for own, who, port in neighbours
    )
    return Report(
        address,
        when,
        (
            _section("snmp.system", when, Statement(about, {"vendor": "ACME", "model": "S5732", "version": "8.191"})),
            _section("snmp.interfaces", when, Statement(identity, {}, ports)),
            _section("snmp.addresses", when, Statement(ITSELF, {}, (here,))),
            _section("snmp.lldp", when, relations=cables),
        ),
        port=161,
        run="bench",
    )


def mac(device: int, port: int) -> str:
    """The MAC of a port; a device has at most 4,096."""
    tail = f"{device << 12 | port:08x}"
    return ":".join(("00", "1b", *(tail[n : n + 2] for n in range(0, 8, 2))))


def serial(rack: int, server: int) -> str:
    return f"SRV{rack:05}{server:02}"


def _ids(**given: list[str]) -> frozenset[Identifier]:
    return frozenset(Identifier(scheme, value) for scheme, values in given.items() for value in values)


def _section(name: str, when: datetime, *statements: Statement, relations: tuple[RelationClaim, ...] = ()) -> Section:
    return Section(name, when, FULL, statements, relations, evidence=None)


def _os(system: Subject, title: str, kernel: str) -> Statement:
    values: dict[str, Value] = {"product": title, "kernel": kernel, "architecture": "x86_64"}
    return Statement(system, values)


def _core(pod: int, number: int) -> Subject:
    return Subject("network_switch", _ids(mac=[mac(_core_device(pod, number), 0)]), f"core-{pod:03}-{number}")


def _device(rack: int, place: int) -> int:
    return 1 + rack * 64 + place


def _core_device(pod: int, number: int) -> int:
    return 0xF0000 + pod * 2 + number


def _address(rack: int, place: int) -> str:
    return f"10.{rack // 250}.{rack % 250}.{place}"


def _uuid(chance: Random) -> str:
    text = f"{chance.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _host_key(chance: Random) -> str:
    return "SHA256:" + "".join(
        chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") for _ in range(43)
    )
