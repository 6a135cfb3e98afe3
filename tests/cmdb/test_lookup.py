"""What a CI is found by, and what a text may mean."""

from __future__ import annotations

import pytest

from cmdb.lookup import handles, meanings
from cmdb.model import CI, Component, Identifier
from cmdb.store.base import Handle


def test_a_ci_is_found_by_everything_that_names_it_or_a_part_of_it() -> None:
    server = CI(
        "ci-1",
        "server",
        "default",
        "Web 1.Example.com",
        label="D010210-009",
        attributes={"asset_code": "ACME-SRV-D010210-009", "hostname": "web1.example.com"},
        identifiers=frozenset(
            {
                Identifier("serial", "CZ3A"),
                Identifier("uuid", "4c4c4544-0042-3510-8052-c4c04f4a3132"),
                Identifier("member_serial", "CZ3B"),
                Identifier("wwn", "10000090fa000001"),
                Identifier("mac", "00:1b:21:0a:0b:0c"),
                Identifier("host_key", "SHA256:" + "A" * 43),
            }
        ),
        components=(
            Component("interface", "eth0", {"mac": "00:1b:21:0a:0b:0d"}),
            Component("address", "10.0.0.1", {"prefix_length": 24}),
            Component("address", "second", {"address": "2001:DB8::1"}),
            Component("fc_port", "10000090fa000002", {"wwnn": "20000090fa000002"}),
            Component("disk", "sda", {"serial": "wd-1", "wwn": "0x5000c500a1b2c3d4"}),
            Component("unit", "1", {"serial": "foc1"}),
            Component("power_supply", "PSU 1", {"serial": "psu1"}),
            Component("listener", "tcp/80", {"port": 80}),
        ),
    )

    found = handles(server)

    assert found == {
        Handle("label", "D010210-009"),
        Handle("asset_code", "ACME-SRV-D010210-009"),
        Handle("name", "web 1.example.com"),
        Handle("name", "web1.example.com"),
        Handle("name", "web1"),
        Handle("serial", "CZ3A"),
        Handle("uuid", "4c4c4544-0042-3510-8052-c4c04f4a3132"),
        Handle("member_serial", "CZ3B"),
        Handle("wwn", "10000090fa000001"),
        Handle("mac", "00:1b:21:0a:0b:0c"),
        Handle("host_key", "SHA256:" + "A" * 43),
        Handle("mac", "00:1b:21:0a:0b:0d"),
        Handle("address", "10.0.0.1"),
        Handle("address", "2001:db8::1"),
        Handle("wwn", "10000090fa000002"),
        Handle("wwn", "20000090fa000002"),
        Handle("member_serial", "WD-1"),
        Handle("wwn", "5000c500a1b2c3d4"),
        Handle("member_serial", "FOC1"),
        Handle("member_serial", "PSU1"),
    }


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("00:1B:21:0A:0B:0C", Handle("mac", "00:1b:21:0a:0b:0c")),
        ("00-1b-21-0a-0b-0c", Handle("mac", "00:1b:21:0a:0b:0c")),
        ("001b.210a.0b0c", Handle("mac", "00:1b:21:0a:0b:0c")),
        ("001b210a0b0c", Handle("mac", "00:1b:21:0a:0b:0c")),
        ("0:1b:21:a:b:c", Handle("mac", "00:1b:21:0a:0b:0c")),
        ("001b21-0a0b0c", Handle("mac", "00:1b:21:0a:0b:0c")),
        ("10:00:00:90:FA:00:00:01", Handle("wwn", "10000090fa000001")),
        ("10000090FA000001", Handle("wwn", "10000090fa000001")),
        ("0x10000090fa000001", Handle("wwn", "10000090fa000001")),
        ("d010210-009", Handle("label", "D010210-009")),
        (" acme-srv-d010210-009 ", Handle("asset_code", "ACME-SRV-D010210-009")),
        (" acme-srv-d010210-009 ", Handle("label", "D010210-009")),
        ("4C4C4544-0042-3510-8052-C4C04F4A3132", Handle("uuid", "4c4c4544-0042-3510-8052-c4c04f4a3132")),
        ("{4c4c4544004235108052c4c04f4a3132}", Handle("uuid", "4c4c4544-0042-3510-8052-c4c04f4a3132")),
        ("10.0.0.1", Handle("address", "10.0.0.1")),
        ("2001:DB8:0::1", Handle("address", "2001:db8::1")),
        ("cz3a", Handle("serial", "CZ3A")),
        ("cz3a", Handle("member_serial", "CZ3A")),
        ("Web  1", Handle("name", "web 1")),
        ("CI-12", Handle("former_id", "ci-12")),
        ("SHA256:" + "A" * 43, Handle("host_key", "SHA256:" + "A" * 43)),
    ],
)
def test_a_text_means_a_handle_in_any_of_its_spellings(text: str, meant: Handle) -> None:
    assert meant in meanings(text)


@pytest.mark.parametrize("text", ["", "   ", "x" * 300])
def test_a_text_that_can_name_nothing_means_nothing(text: str) -> None:
    assert meanings(text) == ()


def test_a_plain_word_is_a_serial_or_a_name_and_nothing_else() -> None:
    assert meanings("Mail") == (Handle("serial", "MAIL"), Handle("member_serial", "MAIL"), Handle("name", "mail"))


def test_an_address_and_a_version_have_no_short_name() -> None:
    named = CI("ci-1", "unknown_device", "default", "10.0.0.1")

    assert handles(named) == {Handle("name", "10.0.0.1")}


def test_what_runs_inside_a_host_is_not_called_by_the_hosts_name() -> None:
    system = CI(
        "ci-2", "operating_system", "default", "Debian on web1", attributes={"hostname": "web1"}, owner="ci-1", key="os"
    )

    assert handles(system) == {Handle("name", "debian on web1")}
