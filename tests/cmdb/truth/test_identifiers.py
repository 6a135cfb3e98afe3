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
        ("mac", "00:50:56:8a:00:01", "00:50:56:8a:00:01"),
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
