"""A scan over recordings: every address ends as a value, and nothing that one host does touches another."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from cmdb.model import Completeness, Identifier, Report, Section, Statement, Subject
from discovery.family import load_families
from discovery.host_report import HostReport, Outcome
from discovery.scan import Scan, ScanSettings
from discovery.targets import AddressMap, Targets, read_targets
from discovery.transport.base import (
    Answered,
    Endpoint,
    Garbled,
    HostKeyChanged,
    HostKeys,
    Output,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    Ssh,
    SshCredential,
    TransportError,
)
from discovery.transport.replies import Replies
from tests.discovery.parts import Credentials, Evidence, Keys, Network, community, only_ssh, password, recorded

NOW = datetime(2026, 2, 3, tzinfo=UTC)
SWITCH = recorded("arista_eos", "dcs_7050sx3_48yc8")
UPS = recorded("apc_ups", "smart_ups_srt_5000")
LINUX = only_ssh(recorded("linux", "dell_dual_homed"))
WITHOUT_ROOT = only_ssh(recorded("linux", "dell_without_root"))
EVERYWHERE = "0.0.0.0/0"
BOUND = ((EVERYWHERE, community()), (EVERYWHERE, password("login")))
FAMILIES = load_families()


def scan_of(
    network: Network, targets: Targets | str, credentials: Credentials | None = None, evidence: Evidence | None = None
) -> Scan:
    return Scan(
        read_targets([targets]) if isinstance(targets, str) else targets,
        ScanSettings(),
        credentials or Credentials(BOUND),
        Keys(),
        evidence,
        run="run-1",
        dialler=network,
        families=FAMILIES,
        clock=lambda: NOW,
    )


def by_address(reports: Iterable[HostReport]) -> dict[str, HostReport]:
    return {report.address: report for report in reports}


def test_every_address_ends_as_a_report_of_how_it_ended() -> None:
    network = Network({"10.0.0.1": SWITCH, "10.0.0.2": UPS, "10.0.0.3": LINUX}, closed=frozenset({"10.0.0.4"}))

    found = by_address(scan_of(network, "10.0.0.0/29"))

    assert {
        "10.0.0.1": (Outcome.COLLECTED, "arista_eos"),
        "10.0.0.2": (Outcome.COLLECTED, "apc_ups"),
        "10.0.0.3": (Outcome.COLLECTED, "linux"),
        "10.0.0.4": (Outcome.CLOSED, None),
        "10.0.0.5": (Outcome.SILENT, None),
        "10.0.0.6": (Outcome.SILENT, None),
    } == {address: (report.outcome, report.family) for address, report in found.items()}


def test_who_is_silent_or_closed_makes_no_report_to_absorb() -> None:
    found = by_address(scan_of(Network({}, closed=frozenset({"10.0.0.1"})), "10.0.0.1-2"))

    assert {
        "10.0.0.1": HostReport("default", "10.0.0.1", Outcome.CLOSED),
        "10.0.0.2": HostReport("default", "10.0.0.2", Outcome.SILENT),
    } == found
    assert not any(report.is_a_problem for report in found.values())


def test_a_report_is_a_sighting_of_the_sites_address_in_its_space() -> None:
    mapped = AddressMap.read(["10.0.0.0/24=127.0.9.0/24"])
    targets = read_targets(["10.0.0.1"], space="site-b", snmp_port=1161, address_map=mapped)

    (found,) = scan_of(Network({"127.0.9.1": UPS}), targets)

    assert found.report is not None
    named = (found.report.source, found.report.space, found.report.port, found.report.time, found.report.run)
    assert ("10.0.0.1", "site-b", 1161, NOW, "run-1") == named


def test_snmp_and_ssh_of_one_address_are_one_sighting() -> None:
    agent = recorded("net_snmp", "debian_12")
    both = Replies(agent.gets, agent.walks, LINUX.shell, {}, LINUX.ssh)

    (found,) = scan_of(Network({"10.0.0.1": both}), "10.0.0.1")

    assert found.report is not None
    assert "linux" == found.family
    assert ["snmp.system", "snmp.interfaces", "snmp.entities", "snmp.addresses", "snmp.lldp"] == [
        section.name for section in found.report.sections if section.name.startswith("snmp")
    ]
    assert {"ssh.system", "ssh.hardware", "ssh.interfaces"} <= {section.name for section in found.report.sections}


def test_gear_that_its_agent_tells_apart_is_not_logged_in_to() -> None:
    network = Network({"10.0.0.1": Replies(SWITCH.gets, SWITCH.walks, LINUX.shell, {}, LINUX.ssh)})

    (found,) = scan_of(network, "10.0.0.1")

    assert (Outcome.COLLECTED, []) == (found.outcome, network.log_ins)


def test_a_host_that_refuses_every_credential_is_there_with_its_host_key() -> None:
    credentials = Credentials([(EVERYWHERE, password("old", "wrong"))])

    (found,) = scan_of(Network({"10.0.0.1": LINUX}), "10.0.0.1", credentials)

    assert LINUX.ssh is not None
    key = Identifier("host_key", LINUX.ssh.host_key.fingerprint)
    problem = "credential 'old': 10.0.0.1:22 declines the password of scanner"
    assert (
        Report(
            "10.0.0.1",
            NOW,
            (
                Section(
                    "ssh.system",
                    NOW,
                    Completeness.PARTIAL,
                    (Statement(Subject(identifiers=frozenset({key}), itself=True)),),
                    problem=problem,
                ),
            ),
            port=22,
            run="run-1",
        )
        == found.report
    )
    assert (Outcome.REFUSED, True, (f"ssh.system: {problem}",)) == (found.outcome, found.is_a_problem, found.problems)


def test_a_host_for_which_no_credential_is_bound_says_so() -> None:
    (found,) = scan_of(Network({"10.0.0.1": LINUX}), "10.0.0.1", Credentials(()))

    problem = "ssh.system: it answers SSH, and no credential that may be tried is bound to this address"
    assert (Outcome.REFUSED, (problem,)) == (found.outcome, found.problems)


def test_a_credential_that_one_host_refuses_is_followed_by_the_next_and_remembered() -> None:
    credentials = Credentials([(EVERYWHERE, password("old", "wrong")), (EVERYWHERE, password("new"))])
    network = Network({"10.0.0.1": LINUX})

    first = list(scan_of(network, "10.0.0.1", credentials))
    second = list(scan_of(network, "10.0.0.1", credentials))

    assert [Outcome.COLLECTED, Outcome.COLLECTED] == [report.outcome for report in (*first, *second)]
    assert [("10.0.0.1", "wrong"), ("10.0.0.1", "right"), ("10.0.0.1", "right")] == network.log_ins


def test_a_credential_that_three_hosts_refuse_is_given_up_and_a_problem_says_so() -> None:
    credentials = Credentials([(EVERYWHERE, password("old", "wrong"))])
    network = Network({f"10.0.0.{last}": LINUX for last in range(1, 7)})
    settings = ScanSettings(hosts_at_once=1)

    scan = Scan(
        read_targets(["10.0.0.1-6"]), settings, credentials, Keys(), dialler=network, families=FAMILIES,
        clock=lambda: NOW,
    )  # fmt: skip
    outcomes = {report.outcome for report in scan}

    assert ({Outcome.REFUSED}, 3, 1) == (outcomes, len(network.log_ins), len(scan.problems))
    assert "credential 'old' was refused by 10.0.0.1, 10.0.0.2, 10.0.0.3" in scan.problems[0]


def test_what_was_denied_for_want_of_root_is_no_problem_of_the_host() -> None:
    (found,) = scan_of(Network({"10.0.0.1": WITHOUT_ROOT}), "10.0.0.1")

    assert found.report is not None
    denied = [section.name for section in found.report.sections if section.completeness == Completeness.DENIED]
    assert ["ssh.hardware", "ssh.processes", "ssh.connections", "ssh.lldp"] == denied
    assert (Outcome.COLLECTED, False) == (found.outcome, found.is_a_problem)


def test_a_host_that_garbles_is_a_problem_and_its_neighbours_are_none() -> None:
    network = Network({"10.0.0.1": SWITCH, "10.0.0.2": UPS}, broken={"10.0.0.1": Garbled("not SNMP")})

    found = by_address(scan_of(network, "10.0.0.1-2"))

    assert (Outcome.REFUSED, ("snmp.system: credential 'read': not SNMP",)) == (
        found["10.0.0.1"].outcome,
        found["10.0.0.1"].problems,
    )
    assert Outcome.COLLECTED == found["10.0.0.2"].outcome


def test_our_own_mistake_at_one_host_keeps_its_traceback_and_spares_the_others() -> None:
    network = Network({"10.0.0.1": SWITCH, "10.0.0.2": UPS}, broken={"10.0.0.1": ZeroDivisionError("ours")})

    found = by_address(scan_of(network, "10.0.0.1-2"))

    assert Outcome.FAILED == found["10.0.0.1"].outcome
    assert "ZeroDivisionError: ours" in found["10.0.0.1"].problems[0]
    assert "Traceback" in found["10.0.0.1"].problems[0]
    assert Outcome.COLLECTED == found["10.0.0.2"].outcome


def test_a_changed_host_key_stops_the_log_in_and_says_so() -> None:
    class Changed(Network):
        def open_ssh(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:  # noqa: ARG002 of the protocol
            raise HostKeyChanged("10.0.0.1:22 shows another key")

    (found,) = scan_of(Changed({"10.0.0.1": LINUX}), "10.0.0.1")

    assert (Outcome.REFUSED, ("ssh.system: 10.0.0.1:22 shows another key",)) == (found.outcome, found.problems)


def test_a_host_that_drops_in_the_middle_of_a_shell_keeps_what_snmp_said() -> None:
    class Dropping(Network):
        def open_ssh(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:  # noqa: ARG002 of the protocol
            raise TransportError("the connection was lost")

    agent = recorded("net_snmp", "debian_12")
    both = Replies(agent.gets, agent.walks, LINUX.shell, {}, LINUX.ssh)

    (found,) = scan_of(Dropping({"10.0.0.1": both}), "10.0.0.1")

    assert (Outcome.PARTIAL, "net_snmp", ("ssh.system: the connection was lost",)) == (
        found.outcome,
        found.family,
        found.problems,
    )


def test_a_unix_that_no_family_knows_is_there_with_its_host_key() -> None:
    aix = Replies(ssh=LINUX.ssh)
    aix.shell["uname -srm"] = Output(b"AIX 3 00F8126B4C00\n")

    (found,) = scan_of(Network({"10.0.0.1": aix}), "10.0.0.1")

    assert found.report is not None
    (section,) = found.report.sections
    (statement,) = section.statements
    assert (Completeness.PARTIAL, {"host_key"}) == (
        section.completeness,
        {identifier.scheme for identifier in statement.about.identifiers},
    )
    assert ("ssh.system: it runs AIX 3 00F8126B4C00, and no family says what to ask there",) == found.problems


def test_evidence_of_each_section_is_kept_and_named_in_it() -> None:
    evidence = Evidence()

    (found,) = scan_of(Network({"10.0.0.1": UPS}), "10.0.0.1", evidence=evidence)

    assert found.report is not None
    assert set(evidence.kept) == {section.evidence for section in found.report.sections}


def test_a_cancelled_scan_ends_without_reports_of_what_it_did_not_reach() -> None:
    scan = scan_of(Network({f"10.0.0.{last}": UPS for last in range(1, 255)}), "10.0.0.0/24")

    found = []
    for report in scan:
        found.append(report)
        scan.cancel()

    assert (1, True) == (len(found), scan.is_cancelled)


def test_no_more_hosts_are_visited_at_once_than_allowed() -> None:
    """Each visit waits until as many as allowed are there; one more would be counted."""
    lock = threading.Lock()
    inside = 0
    most = 0
    two = threading.Barrier(2, timeout=20)

    class Counting(Network):
        def open_snmp(self, endpoint: Endpoint, credential: SnmpCredential) -> Snmp:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            two.wait()
            with lock:
                inside -= 1
            return super().open_snmp(endpoint, credential)

    network = Counting({f"10.0.0.{last}": UPS for last in range(1, 7)})
    limited = (ScanSettings(hosts_at_once=2), ScanSettings(hosts_at_once=6, per_network=2))

    for settings in limited:
        scan = Scan(
            read_targets(["10.0.0.1-6"]), settings, Credentials(BOUND), Keys(), dialler=network, families=FAMILIES,
            clock=lambda: NOW,
        )  # fmt: skip
        assert 6 == len(list(scan))

    assert most == 2


def test_a_community_is_asked_in_version_2_and_in_version_1() -> None:
    asked: list[tuple[SnmpCommunity, ...]] = []

    class Listening(Network):
        def sweep(self, probes: Iterable[tuple[Endpoint, tuple[SnmpCommunity, ...]]]) -> Sequence[Answered]:
            asked.extend(communities for _, communities in probes)
            return []

    list(scan_of(Listening({}), "10.0.0.1"))

    assert [[2, 1]] == [[each.version for each in communities] for communities in asked]


def test_a_tie_in_recognition_is_a_problem_of_the_host() -> None:
    twin = next(family for family in FAMILIES if family.name == "apc_ups")
    both = (*FAMILIES, replace(twin, name="twin"))
    scan = Scan(
        read_targets(["10.0.0.1"]), ScanSettings(), Credentials(BOUND), Keys(), dialler=Network({"10.0.0.1": UPS}),
        families=both, clock=lambda: NOW,
    )  # fmt: skip

    (found,) = scan

    assert ("generic_snmp", ("recognised as apc_ups and as twin equally well: none of them was taken",)) == (
        found.family,
        found.problems,
    )
    assert found.is_a_problem
