"""Reads SNMP values and tables into our spellings. A value of the wrong type is an agent that lies: ParseError."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from discovery.facts import ParseError
from discovery.transport.base import Oid, SnmpValue, format_oid, parse_oid

Rows: TypeAlias = tuple[tuple[Oid, SnmpValue], ...]
Row: TypeAlias = Mapping[int, SnmpValue]


def table(rows: Rows, entry: str, *columns: int) -> dict[Oid, Row]:
    """The rows of a conceptual table by index: column number → value. Other columns are left out."""
    prefix = parse_oid(entry)
    depth = len(prefix)
    found: defaultdict[Oid, dict[int, SnmpValue]] = defaultdict(dict)
    for oid, value in rows:
        if oid[:depth] == prefix and len(oid) > depth + 1 and oid[depth] in columns:
            found[oid[depth + 1 :]][oid[depth]] = value
    return dict(found)


def scalar(rows: Rows, oid: str) -> SnmpValue | None:
    """The value of one instance."""
    wanted = parse_oid(oid)
    return next((value for at, value in rows if at == wanted), None)


def text(value: SnmpValue | None, what: str = "a text") -> str:
    """A DisplayString, without the NULs and blanks that some agents pad with. Bytes that are no UTF-8 are Latin-1."""
    if value is None:
        return ""
    if not isinstance(value, bytes):
        raise ParseError(f"{what} is not an octet string: {shown(value)}")
    try:
        decoded = value.decode("utf-8")
    except UnicodeDecodeError:
        decoded = value.decode("latin-1")
    return decoded.replace("\0", " ").strip()


def number(value: SnmpValue | None, what: str = "a number") -> int | None:
    if value is None:
        return None
    if not isinstance(value, int):
        raise ParseError(f"{what} is not a number: {shown(value)}")
    return value


def oid_text(value: SnmpValue | None, what: str = "an OID") -> str:
    if value is None:
        return ""
    if not isinstance(value, tuple):
        raise ParseError(f"{what} is not an object identifier: {shown(value)}")
    return format_oid(value)


def mac(octets: bytes | Iterable[int] | SnmpValue | None) -> str:
    """`aa:bb:cc:dd:ee:ff`; empty where it is no address of six octets, all zeros, or a group address."""
    raw = _octets(octets)
    if len(raw) != 6 or not any(raw) or raw[0] & 1:
        return ""
    return ":".join(f"{octet:02x}" for octet in raw)


def wwn(octets: bytes | Iterable[int] | SnmpValue | None) -> str:
    """16 hex digits of the first eight octets (FCMGMT-MIB pads its names to sixteen); empty where there are fewer."""
    raw = _octets(octets)
    if len(raw) not in (8, 16) or not any(raw[:8]):
        return ""
    return raw[:8].hex()


def _octets(octets: object) -> bytes:
    match octets:
        case bytes():
            return octets
        case tuple() | list():
            return bytes(octets) if all(0 <= octet < 256 for octet in octets) else b""
        case _:
            return b""


def ip(octets: bytes | Iterable[int] | SnmpValue | None) -> str:
    """An address of four or sixteen octets; empty for anything else."""
    raw = _octets(octets)
    return str(ipaddress.ip_address(raw)) if len(raw) in (4, 16) else ""


def bits(value: SnmpValue | None) -> Iterator[int]:
    """The positions that are set in BITS: the first is the most significant bit (RFC 2578, 7.1.4)."""
    raw = value if isinstance(value, bytes) else b""
    for place, octet in enumerate(raw):
        for bit in range(8):
            if octet & 0x80 >> bit:
                yield place * 8 + bit


def shown(value: SnmpValue) -> str:
    return format_oid(value) if isinstance(value, tuple) else repr(value)[:60]
