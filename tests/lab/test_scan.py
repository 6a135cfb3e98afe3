"""The collector meets the whole laboratory, and each device is told as what it is."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from discovery.scan import HostReport, Outcome
from lab import Lab
from tests.fixtures.scanning import scanned

FAMILIES = {"cisco_ios_xe": "cisco_ios", "sensor": "generic_snmp"}
"""Families whose name at the laboratory is not the collector's."""


@pytest.fixture(scope="module")
def reports(running_lab: Lab) -> list[HostReport]:
    """One scan of everything, in the order of the addresses."""
    return sorted(scanned(running_lab), key=lambda report: ip_address(report.address))


def test_a_scan_meets_every_device_and_nothing_goes_wrong(lab: Lab, reports: list[HostReport]) -> None:
    collected = {report.address: report.problems for report in reports if report.outcome is Outcome.COLLECTED}
    also = {address for device in lab.site.devices for address in device.also}

    assert collected == dict.fromkeys({*lab.addresses.values(), *also}, ())
    assert [report.address for report in reports if report.outcome is Outcome.SILENT] == list(lab.site.silent)


def test_each_device_is_recognised_as_what_it_is(lab: Lab, reports: list[HostReport]) -> None:
    families = {report.address: report.family for report in reports if report.outcome is Outcome.COLLECTED}
    described = {device.address: FAMILIES.get(device.family, device.family) for device in lab.site.devices}

    assert families == {address: described.get(address, "cisco_ios") for address in families}


def test_one_host_denies_what_needs_root(reports: list[HostReport]) -> None:
    denied = {
        report.address: [section.name for section in report.report.sections if section.completeness == "denied"]
        for report in reports
        if report.report is not None
    }

    assert {address: names for address, names in denied.items() if names} == {
        "10.210.1.32": ["ssh.hardware", "ssh.processes", "ssh.connections", "ssh.lldp"]
    }
