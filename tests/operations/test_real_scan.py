"""A run over a real snmpd and a real sshd: what is stored, where, and what the next run knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cmdb.model import Report, RunSection
from discovery.transport.base import Auth, HostKeyPolicy, Priv, Secret
from operations.credentials import Credentials, Options
from operations.database import Database
from operations.evidence import EvidenceFolder
from operations.host_keys import HostKeyStore
from operations.runs import Runs, RunState, Scope
from operations.scanning import Scanner
from operations.secrets import open_vault
from tests.fixtures.snmpd import COMMUNITY, V3_AUTHENTICATION, V3_PRIVACY, V3_USER, Snmpd
from tests.fixtures.sshd import Sshd, SshKey

ADDRESS = "10.1.0.1"
MAPS = ("10.1.0.0/24=127.0.0.0/24",)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Kept:
    reports: list[Report] = field(default_factory=list)
    covered: list[RunSection] = field(default_factory=list)

    def absorb(self, report: Report, actor: str = "discovery") -> None:
        del actor
        self.reports.append(report)

    def close_run(self, run: RunSection) -> None:
        self.covered.append(run)


class Site:
    """The operations of one site, and a graph that keeps what it is told."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.runs = Runs(database, now)
        self.credentials = Credentials(database, lambda: open_vault(folder / "cmdb.key"), now)
        self.keys = HostKeyStore(database, now, HostKeyPolicy.PIN)
        self.evidence = EvidenceFolder(folder / "evidence")
        self.graph = Kept()
        self.scanner = Scanner(self.runs, self.graph, self.credentials.book, self.keys_of, self.evidence, now)

    def keys_of(self, space: str) -> HostKeyStore:
        assert space == "default"
        return self.keys

    def scan(self, scope: Scope) -> tuple[str, list[str]]:
        run = self.runs.begin(scope, "test")
        return run.id, [event.outcome for event in self.scanner.work(run)]


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


@pytest.mark.parametrize("version", ["v2c", "v3"])
def test_a_real_agent_is_scanned_with_what_was_entered(site: Site, snmpd: Snmpd, version: str) -> None:
    site.credentials.add("wrong", "snmp-v2c", ["10.1.0.0/24"], Secret("wrong"))
    if version == "v2c":
        site.credentials.add("right", "snmp-v2c", ["10.0.0.0/8"], Secret(COMMUNITY))
    else:
        lines = Secret(f"{V3_AUTHENTICATION}\n{V3_PRIVACY}\n")
        site.credentials.add("right", "snmp-v3", ["10.0.0.0/8"], lines, Options(V3_USER, Auth.SHA256, Priv.AES128))

    run, outcomes = site.scan(Scope((ADDRESS,), address_map=MAPS, snmp_port=snmpd.port, ssh_port=9))

    sections = {section.name: section for report in site.graph.reports for section in report.sections}
    assert outcomes in (["collected"], ["partial"])
    assert {report.source for report in site.graph.reports} == {ADDRESS}
    assert "snmp.system" in sections
    assert {row.section for row in site.runs.ledger(run)} == {"", *sections}
    assert all(site.evidence.get(section.evidence) for section in sections.values() if section.evidence)
    assert site.credentials.book().last_good("default", ADDRESS, "snmp") == "right"
    assert [section.networks for section in site.graph.covered] == [(f"{ADDRESS}/32",)]


def test_a_real_server_is_scanned_and_its_host_key_is_kept(site: Site, sshd: Sshd, ssh_key: SshKey) -> None:
    site.credentials.add("key", "ssh-key", ["10.1.0.0/16"], Secret(ssh_key.private), Options(sshd.accounts[0].name))

    run, outcomes = site.scan(Scope((ADDRESS,), address_map=MAPS, snmp_port=9, ssh_port=sshd.port))

    assert outcomes in (["collected"], ["partial"])
    assert "ssh.system" in {row.section for row in site.runs.ledger(run)}
    assert [(key.address, key.port, key.origin) for key in site.keys.all()] == [("127.0.0.1", sshd.port, "pinned")]


def test_a_wrong_credential_is_a_problem_of_the_run_and_no_secret_is_told(site: Site, sshd: Sshd) -> None:
    site.credentials.add("wrong", "ssh-password", ["10.1.0.0/16"], Secret("t0p-s3cret"), Options("scanner"))

    run, outcomes = site.scan(Scope((ADDRESS,), address_map=MAPS, snmp_port=9, ssh_port=sshd.port))

    closed, ledger = site.runs.get(run), site.runs.ledger(run)
    assert (outcomes, closed.state, closed.error) == (
        ["refused"],
        RunState.PROBLEMS,
        "1 of 1 addresses ended in a problem",
    )
    assert any("wrong" in (row.error or "") for row in ledger)
    assert "t0p-s3cret" not in repr(ledger)


def test_an_address_where_nobody_listens_makes_no_report(site: Site) -> None:
    run, outcomes = site.scan(Scope((ADDRESS,), address_map=MAPS, snmp_port=9, ssh_port=9))

    assert (outcomes, site.graph.reports, site.runs.get(run).state) == (["closed"], [], RunState.DONE)
