"""A scan of the laboratory, over real SNMP and SSH: what every device says of itself is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cmdb.model import Completeness, RelationClaim
from discovery.dialling import RealDialler
from discovery.host_report import HostReport, Outcome
from discovery.ports import NamedCredential
from discovery.scan import ScanSettings, scan
from discovery.targets import AddressMap, Targets, read_targets
from discovery.transport.base import (
    Auth,
    Priv,
    Secret,
    SnmpCommunity,
    SnmpLimits,
    SnmpUser,
    SshKey,
    SshLimits,
    SshPassword,
)
from discovery.transport.snmp_sweep import SweepLimits
from lab.access import LabCredential
from lab.behaviour import REFUSING, SILENT, Behaviour, Lie, lying, slow
from lab.laboratory import Lab
from tests.discovery.parts import Credentials, Keys

TRUTH = Path(__file__).resolve().parents[2] / "lab" / "truth.yaml"
QUICK = SweepLimits(wait_s=0.5)
"""On loopback answers come at once."""

TWINS = "localhost"
"""Two devices of one name: told apart by their MACs."""


def opened(given: LabCredential) -> NamedCredential:
    """A credential of the lab as a value of ours."""
    secrets = [Secret(secret) for secret in given.secrets]
    match given.kind:
        case "snmp-v2c":
            return NamedCredential(given.name, SnmpCommunity(2, secrets[0]))
        case "snmp-v3":
            user = SnmpUser(given.user or "", Auth(given.auth or ""), secrets[0], Priv(given.priv or ""), secrets[1])
            return NamedCredential(given.name, user)
        case "ssh-key":
            return NamedCredential(given.name, SshKey(given.user or "", secrets[0], sudo=True))
        case _:
            return NamedCredential(given.name, SshPassword(given.user or "", secrets[0], sudo=True))


def targets(lab: Lab, *texts: str) -> Targets:
    mapped = AddressMap.read(f"{site}={dialled}" for site, dialled in lab.address_map.items())
    return read_targets(texts or lab.networks, snmp_port=lab.snmp_port, ssh_port=lab.ssh_port, address_map=mapped)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.start() as running:
        yield running


@pytest.fixture(scope="module")
def reports(lab: Lab) -> list[HostReport]:
    bound = [(network, opened(each)) for each in lab.credentials for network in each.networks]
    done = scan(targets(lab), ScanSettings(), Credentials(bound), Keys(), dialler=RealDialler(sweep_limits=QUICK))
    return [report for report in done if report.report]


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(TRUTH.read_text())
    return found


def relations(reports: list[HostReport], kind: str) -> list[tuple[HostReport, RelationClaim]]:
    return [
        (report, relation)
        for report in reports
        if report.report is not None
        for section in report.report.sections
        for relation in section.relations
        if relation.type == kind
    ]


def test_every_device_is_collected_without_a_problem(reports: list[HostReport]) -> None:
    assert [] == [(report.name, report.outcome, report.problems) for report in reports if report.is_a_problem]
    assert {Outcome.COLLECTED} == {report.outcome for report in reports}


def test_every_device_has_its_class_and_components(reports: list[HostReport], truth: dict[str, Any]) -> None:
    expected = {
        (ci["name"] + str(ci.get("mac", "")) if ci["name"] == TWINS else ci["name"], ci["class"]): {
            (part["kind"], part["name"]) for part in ci["components"] if part["kind"] != "group"
        }
        for ci in truth["cis"]
    }
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for report in reports:
        assert report.report is not None
        named = [st for section in report.report.sections for st in section.statements if st.about.itself]
        cls = next(st.about.cls for st in named if st.about.cls)
        macs = sorted(each.value for st in named for each in st.about.identifiers if each.scheme == "mac")
        name = f"{report.name}{macs[0]}" if report.name == TWINS else str(report.name)
        found.setdefault((name, cls), set()).update((c.kind, c.name) for st in named for c in st.components)

    assert {key: expected.get(key) for key in found} == found


def test_every_operating_system_and_process_is_told(reports: list[HostReport], truth: dict[str, Any]) -> None:
    software = {"operating_system", "process"}
    found = {
        (statement.about.cls, statement.about.name)
        for report in reports
        if report.report is not None
        for section in report.report.sections
        for statement in section.statements
        if statement.about.cls in software
    }

    assert {(ci["class"], ci["name"]) for ci in truth["cis"] if ci["class"] in software} == found


def test_every_cable_that_is_not_declared_is_seen_and_no_other(
    reports: list[HostReport], truth: dict[str, Any]
) -> None:
    """Where the far end is only an address or a WWPN, the near end must be right: its owner is resolved later."""
    named: set[frozenset[tuple[str, str]]] = set()
    near: set[tuple[str, str]] = set()
    for report, relation in relations(reports, "connects_to"):
        end = (str(report.name), str(relation.columns["from_port"]))
        if relation.target.name is None:
            near.add(end)
        else:
            named.add(frozenset({end, (relation.target.name, str(relation.columns["to_port"]))}))
    cables = {
        frozenset({(row["from"], row["from_port"]), (row["to"], row["to_port"])})
        for row in truth["relations"]
        if row["type"] == "connects_to"
    }

    assert set() == named - cables
    assert set() == {end for end in near if not any(end in cable for cable in cables)}
    unseen = {cable for cable in cables if cable not in named and not any(end in near for end in cable)}
    assert {"power1"} == {name for cable in unseen for name, _ in cable if name.startswith("power")}
    assert all(any(name == "power1" for name, _ in cable) for cable in unseen)


def test_every_dependency_goes_to_who_listens(reports: list[HostReport], truth: dict[str, Any]) -> None:
    found = {(relation.source.name, relation.columns["port"]) for _, relation in relations(reports, "depends_on")}
    processes = {ci["name"] for ci in truth["cis"] if ci["class"] == "process"}
    expected = {
        (row["from"], row["port"])
        for row in truth["relations"]
        if row["type"] == "depends_on" and row["from"] in processes
    }

    assert expected == found


def test_what_a_scan_says_does_not_depend_on_who_answers_first(lab: Lab) -> None:
    bound = [(network, opened(each)) for each in lab.credentials for network in each.networks]
    few = targets(lab, "10.210.0.11-12", "10.210.1.11-12")
    runs = []
    for at_once in (1, 4):
        done = list(
            scan(
                few,
                ScanSettings(hosts_at_once=at_once),
                Credentials(bound),
                Keys(),
                dialler=RealDialler(sweep_limits=QUICK),
            )
        )
        said = {}
        for report in done:
            assert report.report is not None
            said[report.address] = [
                (section.name, section.completeness, section.statements, section.relations)
                for section in report.report.sections
            ]
        runs.append(said)

    assert runs[0] == runs[1]


@pytest.fixture
def altered(lab: Lab) -> Iterator[Lab]:
    """The laboratory, for tests that let a device misbehave."""
    yield lab
    lab.restore()


def visited(lab: Lab, name: str) -> HostReport:
    """One device, by an impatient scan; its neighbour must come out whole beside it."""
    bound = [(network, opened(each)) for each in lab.credentials for network in each.networks]
    impatient = RealDialler(
        SnmpLimits(timeout_s=0.3, retries=0), SshLimits(login_s=2.0, script_deadline_s=2.0), QUICK
    )  # fmt: skip
    wanted = targets(lab, lab.addresses[name], lab.addresses["pdu-a"])
    found = {
        report.address: report
        for report in scan(wanted, ScanSettings(), Credentials(bound), Keys(), dialler=impatient)
    }  # fmt: skip
    assert Outcome.COLLECTED == found[lab.addresses["pdu-a"]].outcome
    return found[lab.addresses[name]]


@pytest.mark.parametrize(
    ("name", "behaviour", "outcome"),
    [
        pytest.param("ups1", SILENT, Outcome.SILENT, id="silent"),
        pytest.param("ups1", REFUSING, Outcome.CLOSED, id="refusing"),
        pytest.param("ups1", slow(0.4), Outcome.REFUSED, id="slow"),
        pytest.param("ups1", lying(Lie.GARBAGE), Outcome.CLOSED, id="garbage"),
        pytest.param("ups1", lying(Lie.STRANGER), Outcome.CLOSED, id="replies to somebody else"),
        pytest.param("ups1", lying(Lie.LOOPING), Outcome.PARTIAL, id="a walk that goes in circles"),
        pytest.param("web3", SILENT, Outcome.SILENT, id="a silent host"),
        pytest.param("web3", REFUSING, Outcome.CLOSED, id="a host that refuses"),
        pytest.param("web3", slow(9.0), Outcome.REFUSED, id="a slow host"),
        pytest.param("web3", lying(Lie.GARBAGE), Outcome.REFUSED, id="a host that prints garbage"),
        pytest.param("web3", lying(Lie.TRUNCATED), Outcome.REFUSED, id="a host that prints half"),
    ],
)
def test_each_way_to_misbehave_ends_in_its_own_way(
    altered: Lab, name: str, behaviour: Behaviour, outcome: Outcome
) -> None:
    altered.set_behaviour(name, behaviour)

    found = visited(altered, name)

    answered = outcome in {Outcome.REFUSED, Outcome.PARTIAL}
    assert (outcome, answered, answered) == (found.outcome, found.report is not None, bool(found.problems))


def test_a_section_that_went_in_circles_is_not_full(altered: Lab) -> None:
    altered.set_behaviour("ups1", lying(Lie.LOOPING))

    report = visited(altered, "ups1").report

    assert report is not None
    whole = {section.name for section in report.sections if section.completeness == Completeness.FULL}
    assert whole.isdisjoint({"snmp.interfaces", "snmp.addresses"})
