"""IP-MIB (RFC 4293): addresses and neighbours, in the tables of today and in the deprecated ones of RFC 2011."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from discovery.facts import Address, ParseError, Resolved
from discovery.parsers.octets import Rows, ip, mac, number, shown, table
from discovery.transport.base import Oid, SnmpValue, parse_oid

_IPV4, _IPV6, _IPV4_ZONED, _IPV6_ZONED = 1, 2, 3, 4  # InetAddressType (RFC 4001)
_LENGTHS = {_IPV4: 4, _IPV6: 16, _IPV4_ZONED: 8, _IPV6_ZONED: 20}
_UNICAST = 1  # ipAddressType
_PREFIX_ORIGIN = parse_oid("1.3.6.1.2.1.4.32.1.5")  # ipAddressPrefixOrigin, which ipAddressPrefix points to
_INVALID = 2  # ipNetToPhysicalType, ipNetToMediaType


def addresses(rows: Rows) -> Iterator[Address]:
    """Read ipAddressTable and ipAddrTable; what both say is said once, with the prefix that one of them knows."""
    found: dict[str, Address] = {}
    for address in (*_modern(rows), *_deprecated(rows)):
        known = found.get(address.address)
        if known is None or known.prefix_length is None:
            found[address.address] = address
    yield from found.values()


def _modern(rows: Rows) -> Iterator[Address]:
    """ipAddressTable: the index is type, length, octets."""
    for index, row in table(rows, "1.3.6.1.2.1.4.34.1", 3, 4, 5).items():
        if number(row.get(4, _UNICAST), "ipAddressType") != _UNICAST:
            continue
        at = number(row.get(3), "ipAddressIfIndex")
        yield Address(_from_index(index)[0], _prefix_length(row.get(5)), index=at)


def _from_index(index: Oid) -> tuple[str, int]:
    """The address in an index of type, length and octets, and where the index goes on. A zone is dropped."""
    kind = index[0] if index else 0
    length = index[1] if len(index) > 1 else -1
    if kind not in _LENGTHS or length != _LENGTHS[kind] or len(index) < 2 + length:
        raise ParseError(f"no address in the index {shown(index)}")
    octets = index[2 : 2 + length]
    return ip(octets[:16] if length >= 16 else octets[:4]), 2 + length


def _prefix_length(pointer: SnmpValue | None) -> int | None:
    """The last arc of the row of ipAddressPrefixTable that ipAddressPrefix points to; zeroDotZero says nothing."""
    if not isinstance(pointer, tuple) or pointer[: len(_PREFIX_ORIGIN)] != _PREFIX_ORIGIN:
        return None
    return pointer[-1] if pointer[-1] <= 128 else None


def _deprecated(rows: Rows) -> Iterator[Address]:
    """ipAddrTable: the index is the four octets, the mask an address of its own."""
    for index, row in table(rows, "1.3.6.1.2.1.4.20.1", 2, 3).items():
        address = ip(index)
        if address:
            mask = ip(row.get(3))
            yield Address(address, _mask_length(mask) if mask else None, index=number(row.get(2), "ipAdEntIfIndex"))


def _mask_length(mask: str) -> int | None:
    try:
        return ipaddress.IPv4Network(f"0.0.0.0/{mask}").prefixlen
    except ValueError:
        return None


def neighbours(rows: Rows) -> Iterator[Resolved]:
    """Read ipNetToPhysicalTable and ipNetToMediaTable: who has which MAC."""
    found: dict[tuple[int, str], Resolved] = {}
    for index, row in table(rows, "1.3.6.1.2.1.4.35.1", 4, 6).items():
        address, _ = _from_index(index[1:])
        if row.get(6) != _INVALID and (at := mac(row.get(4))):
            found[index[0], address] = Resolved(address, at, index[0])
    for index, row in table(rows, "1.3.6.1.2.1.4.22.1", 2, 4).items():
        address = ip(index[1:])
        if address and row.get(4) != _INVALID and (at := mac(row.get(2))):
            found.setdefault((index[0], address), Resolved(address, at, index[0]))
    yield from found.values()
