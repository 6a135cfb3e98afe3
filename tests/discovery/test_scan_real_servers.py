"""A scan of a real snmpd and a real sshd: nothing of ours answers."""

from __future__ import annotations

import json
import socket

import pytest

from cmdb.model import Completeness, Identifier, Section
from discovery.dialling import RealDialler
from discovery.host_report import HostReport, Outcome
from discovery.ports import NamedCredential
from discovery.scan import ScanSettings, scan
from discovery.targets import read_targets
from discovery.transport.base import Auth, Priv, Secret, SnmpCommunity, SnmpCredential, SnmpUser, SshKey, SshPassword
from tests.discovery.parts import Credentials, Keys
from tests.fixtures.snmpd import COMMUNITY, SYS_NAME, V3_AUTHENTICATION, V3_PRIVACY, V3_USER, Snmpd
from tests.fixtures.sshd import Account, Sshd, StartSshd
from tests.fixtures.sshd import SshKey as KeyPair

LOOPBACK = "127.0.0.0/8"


def scanned(target: str, *credentials: SnmpCredential | SshPassword | SshKey, keys: Keys | None = None) -> HostReport:
    bound = [(LOOPBACK, NamedCredential(f"credential {n}", each)) for n, each in enumerate(credentials)]
    (found,) = scan(read_targets([target]), ScanSettings(), Credentials(bound), keys or Keys(), dialler=RealDialler())
    return found


def sections(report: HostReport) -> dict[str, Section]:
    assert report.report is not None
    return {section.name: section for section in report.report.sections}


@pytest.mark.parametrize(
    "credential",
    [
        pytest.param(SnmpCommunity(2, Secret(COMMUNITY)), id="v2c"),
        pytest.param(SnmpCommunity(1, Secret(COMMUNITY)), id="v1"),
        pytest.param(
            SnmpUser(V3_USER, Auth.SHA256, Secret(V3_AUTHENTICATION), Priv.AES128, Secret(V3_PRIVACY)), id="v3"
        ),
    ],
)
def test_a_real_snmpd_is_a_server_with_its_name_and_label(snmpd: Snmpd, credential: SnmpCredential) -> None:
    found = scanned(f"{snmpd.address}:{snmpd.port}", credential)

    (statement,) = sections(found)["snmp.system"].statements
    assert (Outcome.COLLECTED, "net_snmp", ()) == (found.outcome, found.family, found.problems)
    assert ("server", "host-under-test") == (statement.about.cls, statement.about.name)
    assert (SYS_NAME, "D010210-009") == (statement.attributes["hostname"], statement.attributes["label"])


def test_a_wrong_secret_of_version_3_is_refused_in_words(snmpd: Snmpd) -> None:
    wrong = SnmpUser(V3_USER, Auth.SHA256, Secret("no such secret"), Priv.AES128, Secret(V3_PRIVACY))

    found = scanned(f"{snmpd.address}:{snmpd.port}", wrong)

    assert Outcome.REFUSED == found.outcome
    assert "credential 'credential 0'" in found.problems[0]
    assert "wrong" in found.problems[0]


def test_a_wrong_community_is_told_from_a_host_that_is_not_there(snmpd: Snmpd) -> None:
    """Silence to the community, but an SNMPv3 engine answers: somebody is there."""
    found = scanned(f"{snmpd.address}:{snmpd.port}", SnmpCommunity(2, Secret("wrong")))

    problem = "snmp.system: it answers SNMP, but to no community or user bound to this address"
    assert (Outcome.REFUSED, (problem,)) == (found.outcome, found.problems)


def test_a_real_sshd_gives_hardware_system_interfaces_and_adapters(start_sshd: StartSshd, ssh_key: KeyPair) -> None:
    server: Sshd = start_sshd(
        Account("scanner", authorised_key=ssh_key.public),
        hostname="db-7",
        files={"/etc/machine-id": "0123456789abcdef0123456789abcdef\n"},
        sys_class={
            "dmi/id/sys_vendor": "Dell Inc.",
            "dmi/id/product_name": "PowerEdge R650",
            "dmi/id/product_serial": "CZ1234567",
            "fc_host/host0/port_name": "0x10000090fa534cd0",
            "fc_host/host0/node_name": "0x20000090fa534cd0",
        },
        address="127.0.4.1",
    )
    keys = Keys()

    found = scanned(f"{server.address}:{server.port}", SshKey("scanner", Secret(ssh_key.private)), keys=keys)

    said = sections(found)
    machine, system = said["ssh.system"].statements
    (adapters,) = said["ssh.fc"].statements
    assert ("linux", "db-7") == (found.family, found.name)
    assert ("server", "Dell Inc.", "PowerEdge R650") == (
        machine.about.cls,
        machine.attributes["vendor"],
        machine.attributes["model"],
    )
    host_key = keys.keys[server.address, server.port].fingerprint
    assert frozenset({Identifier("host_key", host_key)}) == machine.about.identifiers
    assert "0123456789abcdef0123456789abcdef" == system.about.key
    assert {Identifier("wwn", "10000090fa534cd0"), Identifier("wwn", "20000090fa534cd0")} == adapters.about.identifiers
    assert Completeness.FULL == said["ssh.interfaces"].completeness
    listening = {component.name for component in said["ssh.listeners"].statements[0].components}
    assert f"tcp/{server.port}" in listening
    assert Completeness.DENIED == said["ssh.hardware"].completeness, "the account is not root, and has no sudo"


def test_a_wrong_password_is_a_problem_and_the_host_is_known_by_its_key(sshd: Sshd) -> None:
    found = scanned(f"{sshd.address}:{sshd.port}", SshPassword("scanner", Secret("no such password")))

    (statement,) = sections(found)["ssh.system"].statements
    assert (Outcome.REFUSED, True) == (found.outcome, found.is_a_problem)
    assert ["host_key"] == [identifier.scheme for identifier in statement.about.identifiers]


def test_a_port_where_nobody_listens_is_closed_and_one_that_is_bound_and_not_read_is_silent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.4.2", 0))
        port = udp.getsockname()[1]
        tcp.bind(("127.0.4.2", port))
        half = scanned(f"127.0.4.2:{port}", SnmpCommunity(2, Secret("public")))

    closed = scanned(f"127.0.4.3:{port}", SnmpCommunity(2, Secret("public")))

    assert (Outcome.CLOSED, None) == (closed.outcome, closed.report)
    assert half.report is None


def test_a_secret_never_shows_in_what_a_scan_reports(sshd: Sshd) -> None:
    found = scanned(f"{sshd.address}:{sshd.port}", SshPassword("scanner", Secret("hunter2-hunter2")))

    assert "hunter2" not in repr(found) + json.dumps(found.problems)
