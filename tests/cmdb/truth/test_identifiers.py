"""Identifiers have one spelling, and what vendors and software leave in their place is none."""

from __future__ import annotations

import pytest

from cmdb.identifiers import address, name_key, normalise
from cmdb.model import Identifier, ModelError

_KEY = "SHA256:" + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"


@pytest.mark.parametrize(
    ("scheme", "text", "value"),
    [
        ("serial", " cz3a ", "CZ3A"),
        ("member_serial", "fdo1234x0ab", "FDO1234X0AB"),
        ("serial", "S1", "S1"),
        ("serial", "123456789", "123456789"),
        ("uuid", "4C4C4544-0037-4810-8051-C7C04F4E3531", "4c4c4544-0037-4810-8051-c7c04f4e3531"),
        ("wwn", "50:06:01:60:3B:A0:11:22", "500601603ba01122"),
        ("mac", "001B.210A.0B0C", "00:1b:21:0a:0b:0c"),
        ("mac", "52-54-00-12-34-56", "52:54:00:12:34:56"),
        ("host_key", _KEY + "=", _KEY),
        ("host_key", _KEY, _KEY),
    ],
)
def test_an_identifier_has_one_spelling(scheme: str, text: str, value: str) -> None:
    assert normalise(scheme, text) == Identifier(scheme, value)


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        *(
            ("serial", text)
            for text in (
                "", "To be filled by O.E.M.", "to be filled by o.e.m", "Default string", "System Serial Number",
                "Not Specified", "N/A", "None", "0", "0000000000", "FFFFFFFF", "....", "..........", "-", "XXXXXX",
                "0123456789", "Chassis Serial Number", "(null)", "Not Applicable",
            )
        ),
        *(("member_serial", text) for text in ("To Be Filled By O.E.M.", "00000000")),
        *(
            ("uuid", text)
            for text in (
                "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
                "03000200-0400-0500-0006-000700080009", "11111111-1111-1111-1111-111111111111", "Not Settable",
            )
        ),
        *(
            ("mac", text)
            for text in (
                "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "00:00:5e:00:01:0a", "00:00:5e:00:02:0a", "00:00:0c:07:ac:01",
                "00:00:0c:9f:f0:01", "00:07:b4:00:01:01", "02:42:ac:11:00:02", "01:00:5e:00:00:01", "33:33:00:00:00:01",
                "01:80:c2:00:00:0e", "fe:54:00:12:34:56", "ee:ee:ee:ee:ee:ee", "02:50:41:00:00:01", "00:1b",
            )
        ),
        *(("wwn", text) for text in ("0000000000000000", "ffffffffffffffff", "500601603ba0")),
        ("host_key", "MD5:aa:bb"),
    ],
)  # fmt: skip
def test_a_placeholder_identifies_nothing(scheme: str, text: str) -> None:
    assert normalise(scheme, text) is None


@pytest.mark.parametrize(
    ("product", "text"),
    [
        ("KVM, which libvirt gives to guests", "52:54:00:12:34:56"),
        ("VMware, by hand", "00:50:56:00:00:01"),
        ("VMware, by vCenter", "00:50:56:8a:00:01"),
        ("VMware, without vCenter", "00:0c:29:4f:8e:35"),
        ("Xen", "00:16:3e:5e:6c:00"),
        ("Hyper-V", "00:15:5d:01:02:03"),
        ("VirtualBox, in the guest", "08:00:27:83:28:a6"),
        ("Nutanix AHV", "50:6b:8d:12:34:56"),
        ("Proxmox", "bc:24:11:ab:cd:ef"),
        ("OpenStack", "fa:16:3e:11:22:33"),
        ("PowerVM, locally administered", "02:1b:21:0a:0b:0c"),
    ],
)
def test_a_mac_that_a_hypervisor_gave_to_one_guest_identifies(product: str, text: str) -> None:
    assert normalise("mac", text) == Identifier("mac", text), product


@pytest.mark.parametrize(
    ("product", "text"),
    [
        ("VRRP, group 1", "00:00:5e:00:01:01"),
        ("VRRP for IPv6, group 255", "00:00:5e:00:02:ff"),
        ("HSRP, group 10", "00:00:0c:07:ac:0a"),
        ("HSRP version 2, group 4095", "00:00:0c:9f:ff:ff"),
        ("HSRP for IPv6", "00:05:73:a0:00:01"),
        ("GLBP", "00:07:b4:00:01:02"),
        ("VARP", "00:1c:73:00:00:99"),
        ("network load balancing", "02:bf:0a:00:00:64"),
        ("a FortiGate cluster", "00:09:0f:09:00:02"),
        ("docker0", "02:42:9c:21:e1:3b"),
        ("a pod of OVN", "0a:58:0a:80:00:02"),
        ("Calico", "ee:ee:ee:ee:ee:ee"),
        ("the host's end of a guest of KVM", "fe:54:00:12:34:56"),
        ("the host's end of a guest of Xen", "fe:ff:ff:ff:ff:ff"),
        ("VMware Workstation's vmnet8", "00:50:56:C0:00:08"),
        ("VirtualBox's vboxnet0", "0A-00-27-00-00-00"),
        ("Microsoft's loopback adapter", "02:00:4C:4F:4F:50"),
        ("AnyConnect", "00:05:9A:3C:7A:00"),
        ("GlobalProtect", "02:50:41:00:00:01"),
        ("FortiClient", "00:09:0f:fe:00:01"),
        ("WAN Miniport (PPPoE)", "33:50:6f:45:30:30"),
        ("WAN Miniport (PPTP)", "50:50:54:50:30:30"),
        ("RAS Async Adapter", "20:41:53:59:4E:FF"),
        ("a manual's example", "00:11:22:33:44:55"),
        ("another", "aa:bb:cc:dd:ee:ff"),
        ("IPv4 multicast", "01:00:5e:7f:ff:fa"),
        ("IPv6 multicast", "33:33:ff:12:34:56"),
        ("LLDP's group", "01:80:c2:00:00:0e"),
        ("CDP's group", "01:00:0c:cc:cc:cc"),
        ("broadcast", "ffff.ffff.ffff"),
        ("nothing burnt in", "000000000000"),
    ],
)
def test_a_mac_that_many_have_identifies_none_of_them(product: str, text: str) -> None:
    assert normalise("mac", text) is None, product


@pytest.mark.parametrize(
    "text",
    [
        "To be filled by O.E.M.", "To Be Filled By O.E.M. by More String", "O.E.M.", "OEM", "Default string",
        "DEFAULT STRING", " default string ", "System Serial Number", "SystemSerialNumb", "Chassis Serial Number",
        "Base Board Serial Number", "Serial Number", "SerNum", "Not Specified", "NotSpecified", "Not Available",
        "Not Applicable", "Not Present", "Not Set", "No Asset Tag", "None", "none", "NULL", "(null)", "nil", "n/a",
        "NA", "N.A.", "Unknown", "UNKNOWN", "unspecified", "undefined", "Invalid", "Empty", "blank", "TBD", "Serial#",
        "Permission denied", "0", "00", "000000", "0000-0000-0000", "0x00", "11111111", "AAAAAAAA", "ffffffff",
        "XXXXXXXXXXX", "xxx", "XXX1", "....", ". . . .", "..............", "-", "--", "***", "_", " ", "?",
        "0123456789", "01234567890123456789", "01234567890123456789AB", "Asset-1234567890", "MB-1234567890",
        "Type2 - Board Serial Number", "EVAL",
    ],
)  # fmt: skip
def test_a_serial_that_a_maker_left_empty_identifies_nothing(text: str) -> None:
    assert normalise("serial", text) is None
    assert normalise("member_serial", text) is None


@pytest.mark.parametrize(
    "text",
    ["CZ3A0B1C2D", "FOC1234X0AB", "..CN1374007T0123.", "VMWARE-42 1D 6F", "0001234", "1000000", "AAAAB", "XX12345",
     "2M2-0000-0001", "NONE-OF-YOURS1", "6CU0000001"],
)  # fmt: skip
def test_a_serial_that_only_looks_odd_identifies(text: str) -> None:
    assert normalise("serial", text) == Identifier("serial", text)


def test_an_unknown_scheme_is_a_mistake_of_ours() -> None:
    with pytest.raises(ModelError, match="unknown identifier scheme 'barcode'; known: serial, uuid"):
        normalise("barcode", "1")


@pytest.mark.parametrize("text", ["127.0.0.1", "169.254.1.1", "::1", "fe80::1", "224.0.0.5", "0.0.0.0", "web"])
def test_an_address_that_everybody_has_is_nobodys(text: str) -> None:
    assert address(text) is None


def test_an_address_has_one_spelling() -> None:
    assert address("2001:DB8:0::1/64") == "2001:db8::1"


@pytest.mark.parametrize(
    ("text", "key"),
    [("Web1.DC.example.com", "web1"), ("web1", "web1"), ("sshd:22 on web1", "sshd:22 on web1"),
     ("10.0.0.1", "10.0.0.1"), ("v1.2", "v1.2")],
)  # fmt: skip
def test_names_compare_without_case_and_domain(text: str, key: str) -> None:
    assert name_key(text) == key
