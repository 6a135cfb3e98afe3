"""A small site whose scan needs no network: two cabled switches, two servers, one of them declared, one silent address.

Its replies go through the evidence folder, as discovery has them, before a host is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from cmdb.model import Completeness, Component, Identifier, RelationClaim, Report, Section, Statement, Subject
from discovery.collect import Step
from discovery.host_report import HostReport, Outcome
from discovery.ports import CredentialSource, EvidenceSink, HostKeys
from discovery.scan import ScanSettings
from discovery.targets import Targets
from operations.runs import Scope

SCOPE: Final = Scope(("10.0.0.1-5",))
ANSWERING: Final = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
SILENT: Final = "10.0.0.5"
SECTIONS: Final = ("snmp.interfaces", "snmp.lldp", "snmp.system")
ITSELF: Final = Subject(itself=True)
ESTATE: Final = """\
cis:
  - {class: service, name: payroll}
  - {class: server, name: s3, serial: SN-0003}
relations:
  - {type: depends_on, from: payroll, to: SN-0003}
"""


def now() -> datetime:
    return datetime.now(UTC)


def host(number: int, sink: EvidenceSink | None, when: datetime) -> HostReport:
    """Device `number`: the first two are switches with a cable to each other, the others are servers."""
    address = f"10.0.0.{number}"
    cls, name = ("network_switch" if number < 3 else "server"), f"s{number}"
    identity = Subject(cls, frozenset({Identifier("serial", f"SN-{number:04}")}), name, itself=True)
    ports = tuple(Component("interface", f"eth{n}", {"mac": _mac(number, n), "index": n}) for n in (1, 2))
    here = Component("address", address, {"address": address, "interface": "eth1"})
    macs = Subject(identifiers=frozenset(Identifier("mac", _mac(number, n)) for n in (1, 2)), itself=True)
    system = Section(SECTIONS[2], when, Completeness.FULL, (Statement(identity, {"model": f"M{number}"}),))
    interfaces = Section(SECTIONS[0], when, Completeness.FULL, (Statement(macs, {}, (*ports, here)),))
    lldp = Section(SECTIONS[1], when, Completeness.FULL, (), _cables(number))
    sections = tuple(_kept(section, address, sink) for section in (interfaces, lldp, system))
    report = Report(address, when, sections, port=161)
    steps = tuple(Step(section.name, "get", section.completeness, 1, 0.01) for section in sections)
    return HostReport("default", address, Outcome.COLLECTED, report, steps, (), name, "generic_snmp", 0.05)


def _mac(number: int, port: int) -> str:
    return f"00:1b:21:00:{number:02x}:{port:02x}"


def _cables(number: int) -> tuple[RelationClaim, ...]:
    """Everyone's first port leads to the next device's second."""
    far = number % 4 + 1
    whom = Subject(identifiers=frozenset({Identifier("mac", _mac(far, 2))}), name=f"s{far}")
    return (RelationClaim("connects_to", ITSELF, whom, {"from_port": "eth1", "to_port": "eth2", "medium": "ethernet"}),)


def _kept(section: Section, address: str, sink: EvidenceSink | None) -> Section:
    if sink is None:
        return section
    return replace(section, evidence=sink.store(f"{address} said {section.name}".encode() * 50))


@dataclass
class Replies:
    """`discovery.scan.scan` of the site, from what was said instead of the network."""

    hosts: tuple[int, ...] = (1, 2, 3, 4)
    sink: EvidenceSink | None = field(default=None, init=False)
    problems: tuple[str, ...] = field(default=(), init=False)

    def __call__(
        self,
        targets: Targets,
        settings: ScanSettings,
        credentials: CredentialSource,
        host_keys: HostKeys,
        evidence: EvidenceSink | None,
        *,
        run: str | None,
    ) -> Replies:
        del targets, settings, credentials, host_keys, run  # nothing is dialled
        self.sink = evidence
        return self

    def __iter__(self) -> Iterator[HostReport]:
        yield HostReport("default", SILENT, Outcome.SILENT)
        for number in self.hosts:
            yield host(number, self.sink, now())

    def cancel(self) -> None:
        """It ends by itself."""
