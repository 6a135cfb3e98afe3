"""Small tables in, facts out: nothing there, something good, something recognised as wrong."""

from __future__ import annotations

import pytest

from discovery.facts import (
    Address,
    BasePort,
    Chassis,
    FcLogin,
    FcPort,
    Interface,
    Learnt,
    LocalPort,
    Neighbour,
    ParseError,
    PowerSupply,
    Resolved,
    System,
    Unit,
)
from discovery.parsers import bridge_mib, entity_mib, fabric, if_mib, ip_mib, lldp_mib, octets, snmpv2_mib
from discovery.parsers.octets import Rows
from discovery.transport.base import SnmpValue, parse_oid


def rows(entry: str, cells: dict[str, SnmpValue]) -> Rows:
    """Rows of a table: `COLUMN.INDEX` → value."""
    return tuple((parse_oid(f"{entry}.{cell}"), value) for cell, value in cells.items())


@pytest.mark.parametrize(
    "parse",
    [
        snmpv2_mib.system, if_mib.interfaces, entity_mib.entities, ip_mib.addresses, ip_mib.neighbours,
        lldp_mib.neighbours, bridge_mib.forwarding, fabric.sw_mib, fabric.connection_units,
    ],
)  # fmt: skip
def test_nothing_there_is_nothing(parse: object) -> None:
    assert callable(parse)
    assert [] == list(parse(()))


def test_the_system_group_without_its_padding() -> None:
    group = rows(
        "1.3.6.1.2.1.1", {"1.0": b"Acme 7\x00\x00", "2.0": (1, 3, 6, 1), "5.0": "büro".encode("latin-1"), "6.0": b" "}
    )

    assert [System(name="büro", description="Acme 7", object_id="1.3.6.1")] == list(snmpv2_mib.system(group))


def test_a_name_that_is_a_number_is_an_agent_that_lies() -> None:
    with pytest.raises(ParseError, match="sysName is not an octet string: 7"):
        list(snmpv2_mib.system(rows("1.3.6.1.2.1.1", {"5.0": 7})))


def test_interfaces_are_joined_by_index_and_fast_ones_keep_their_speed() -> None:
    base = rows(
        "1.3.6.1.2.1.2.2.1",
        {"2.1": b"Ethernet 1", "3.1": 6, "5.1": 2**32 - 1, "6.1": bytes.fromhex("0011223344aa"), "7.1": 1, "8.1": 2,
         "2.2": b"lo", "3.2": 24, "6.2": b""},
    )  # fmt: skip
    more = rows("1.3.6.1.2.1.31.1.1.1", {"1.1": b"Et1", "15.1": 100_000, "18.1": b"to the core"})
    mac = "00:11:22:33:44:aa"

    assert [
        Interface("Et1", "ethernet", 1, mac, mac, "", "Ethernet 1", "to the core", 10**11, True, False),
        Interface("lo", "loopback", 2, description="lo"),
    ] == list(if_mib.interfaces((*base, *more)))  # fmt: skip


def test_two_interfaces_of_one_name_are_told_apart_by_their_index() -> None:
    base = rows("1.3.6.1.2.1.2.2.1", {"2.7": b"Acme NIC", "3.7": 6, "2.9": b"Acme NIC", "3.9": 6})

    assert ["Acme NIC#7", "Acme NIC#9"] == [each.name for each in if_mib.interfaces(base)]


def test_an_interface_type_that_is_a_text_is_an_agent_that_lies() -> None:
    with pytest.raises(ParseError, match="ifType is not a number"):
        list(if_mib.interfaces(rows("1.3.6.1.2.1.2.2.1", {"2.1": b"a", "3.1": b"six"})))


def physical(number: int, **values: SnmpValue) -> dict[str, SnmpValue]:
    columns = {"descr": 2, "inside": 4, "kind": 5, "place": 6, "name": 7, "software": 10, "serial": 11, "model": 13}
    return {f"{columns[name]}.{number}": value for name, value in values.items()}


def test_members_of_a_stack_and_their_power_supplies() -> None:
    found = rows(
        "1.3.6.1.2.1.47.1.1.1.1",
        physical(1, kind=11, inside=0, name=b"Stack")
        | physical(1000, kind=3, inside=1, place=1, name=b"Switch 1", serial=b"AAA1", model=b"C9300", software=b"17.9")
        | physical(2000, kind=3, inside=1, place=2, name=b"Switch 2", serial=b"AAA2", model=b"C9300")
        | physical(2001, kind=3, inside=2000, name=b"Fan tray that calls itself a chassis", serial=b"ZZZ")
        | physical(2100, kind=6, inside=2000, descr=b"PSU", serial=b"LIT1", model=b"PWR")
        | physical(2200, kind=9, inside=2000, name=b"Line card", serial=b"CARD"),
    )

    assert [
        Unit("Switch 1", 1, "C9300", "AAA1", "17.9"),
        Unit("Switch 2", 2, "C9300", "AAA2"),
        PowerSupply("PSU", "PWR", "LIT1"),
    ] == list(entity_mib.entities(found))


def test_entities_that_contain_each_other_do_not_hang() -> None:
    found = rows("1.3.6.1.2.1.47.1.1.1.1", physical(1, kind=5, inside=2) | physical(2, kind=3, inside=1, serial=b"A"))

    assert [] == [fact for fact in entity_mib.entities(found) if isinstance(fact, PowerSupply)]


def test_addresses_of_both_tables_are_said_once() -> None:
    modern = rows(
        "1.3.6.1.2.1.4.34.1",
        {
            "3.1.4.192.0.2.1": 7, "4.1.4.192.0.2.1": 1,
            "5.1.4.192.0.2.1": parse_oid("1.3.6.1.2.1.4.32.1.5.7.1.4.192.0.2.0.26"),
            "3.1.4.192.0.2.63": 7, "4.1.4.192.0.2.63": 3,  # a broadcast address
            "3.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1": 8, "4.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1": 1,
            "5.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1": (0, 0),
        },
    )  # fmt: skip
    old = rows("1.3.6.1.2.1.4.20.1", {"2.192.0.2.1": 7, "3.192.0.2.1": b"\xff\xff\xff\xc0", "2.198.51.100.9": 9})

    assert [
        Address("192.0.2.1", 26, index=7), Address("2001:db8::1", None, index=8), Address("198.51.100.9", index=9),
    ] == list(ip_mib.addresses((*modern, *old)))  # fmt: skip


def test_an_index_that_holds_no_address_is_an_agent_that_lies() -> None:
    with pytest.raises(ParseError, match=r"no address in the index 1\.9\.192"):
        list(ip_mib.addresses(rows("1.3.6.1.2.1.4.34.1", {"3.1.9.192": 7})))


def test_neighbours_of_both_tables() -> None:
    modern = rows("1.3.6.1.2.1.4.35.1", {"4.7.1.4.192.0.2.9": bytes.fromhex("00aabbccddee"), "6.7.1.4.192.0.2.9": 3})
    old = rows(
        "1.3.6.1.2.1.4.22.1",
        {"2.7.192.0.2.9": bytes.fromhex("00aabbccddee"), "4.7.192.0.2.9": 3,
         "2.7.192.0.2.10": bytes.fromhex("00aabbccddef"), "4.7.192.0.2.10": 2},
    )  # fmt: skip

    assert [Resolved("192.0.2.9", "00:aa:bb:cc:dd:ee", 7)] == list(ip_mib.neighbours((*modern, *old)))


def remote(index: str, **values: SnmpValue) -> dict[str, SnmpValue]:
    columns = {"chassis_kind": 4, "chassis": 5, "port_kind": 6, "port": 7, "name": 9, "descr": 10, "enabled": 12}
    return {f"{columns[name]}.{index}": value for name, value in values.items()}


def test_lldp_tells_ourselves_our_ports_and_our_neighbours() -> None:
    chassis = bytes.fromhex("00aabbccddee")
    local = rows("1.0.8802.1.1.2.1.3", {"1.0": 4, "2.0": bytes.fromhex("001122334455")})
    ports = rows("1.0.8802.1.1.2.1.3.7.1", {"2.3": 5, "3.3": b"Gi1", "4.3": b"uplink"})
    heard = rows(
        "1.0.8802.1.1.2.1.4.1.1",
        remote("10.3.1", chassis_kind=4, chassis=chassis, port_kind=5, port=b"Te1", name=b"old name")
        | remote("90.3.1", chassis_kind=4, chassis=chassis, port_kind=5, port=b"Te1", name=b"core1", enabled=b"\x28")
        | remote("90.4.1", chassis_kind=5, chassis=b"\x01\xc0\x00\x02\x07", port_kind=3, port=chassis),
    )
    managed = rows("1.0.8802.1.1.2.1.4.2.1", {"3.90.3.1.1.4.192.0.2.5": 2})

    assert [
        Chassis("00:11:22:33:44:55"),
        LocalPort(3, "Gi1", "uplink"),
        Neighbour("Te1", "", 3, "00:aa:bb:cc:dd:ee", "core1", "", ("192.0.2.5",), frozenset({"bridge", "router"})),
        Neighbour("00:aa:bb:cc:dd:ee", "", 4, addresses=("192.0.2.7",)),
    ] == list(lldp_mib.neighbours((*local, *ports, *heard, *managed)))


def test_a_bridge_that_shows_its_table_by_vlan_is_read_by_vlan() -> None:
    facts = rows("1.3.6.1.2.1.17.1", {"1.0": bytes.fromhex("001122334455")})
    facts += rows("1.3.6.1.2.1.17.1.4.1", {"2.7": 107})
    mac = "0.170.187.204.221.238"
    old = rows(
        "1.3.6.1.2.1.17.4.3.1", {f"2.{mac}": 7, f"3.{mac}": 3, "2.0.170.187.204.221.1": 7, "3.0.170.187.204.221.1": 4}
    )
    by_vlan = rows("1.3.6.1.2.1.17.7.1.2.2.1", {f"2.30.{mac}": 7, f"3.30.{mac}": 3})
    head = [Chassis("00:11:22:33:44:55"), BasePort(7, 107)]

    assert [*head, Learnt("00:aa:bb:cc:dd:ee", 7)] == list(bridge_mib.forwarding((*facts, *old)))
    assert [*head, Learnt("00:aa:bb:cc:dd:ee", 7, 30)] == list(bridge_mib.forwarding((*facts, *old, *by_vlan)))


def test_a_fabric_switch_tells_its_ports_and_who_is_logged_in() -> None:
    facts = rows("1.3.6.1.4.1.1588.2.1.1.1.6.2.1", {"4.5": 1, "34.5": bytes.fromhex("2004aabbccddeeff")})
    facts += rows(
        "1.3.6.1.4.1.1588.2.1.1.1.7.2.1",
        {"2.1": b"\x00\x01\x04\x00", "4.1": bytes.fromhex("10000090fa000001"), "5.1": b"HBA", "6.1": bytes(8)},
    )

    assert [
        FcPort("2004aabbccddeeff", index=4, oper_up=True),
        FcLogin("10000090fa000001", 4, symbol="HBA"),
    ] == list(fabric.sw_mib(facts))


def test_a_login_without_an_address_is_an_agent_that_lies() -> None:
    with pytest.raises(ParseError, match="swNsPortID"):
        list(fabric.sw_mib(rows("1.3.6.1.4.1.1588.2.1.1.1.7.2.1", {"4.1": bytes(8)})))


def test_world_wide_names_of_fcmgmt_are_padded_to_sixteen_octets() -> None:
    facts = rows("1.3.6.1.3.94.1.10.1", {"10.1": bytes.fromhex("207000c0ffa1a100") + bytes(8)})

    assert [FcPort("207000c0ffa1a100")] == list(fabric.connection_units(facts))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"", ""), (bytes(6), ""), (bytes.fromhex("01005e000001"), ""),
     (bytes.fromhex("00aabbccddee"), "00:aa:bb:cc:dd:ee"), (bytes.fromhex("00aabbccddee00"), "")],
)  # fmt: skip
def test_group_addresses_and_zeros_are_no_macs(raw: bytes, expected: str) -> None:
    assert expected == octets.mac(raw)
