"""BER as SNMP uses it (RFC 3417, section 8): definite lengths, primitive strings, one-byte tags."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

Oid: TypeAlias = tuple[int, ...]

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30
IP_ADDRESS: Final = 0x40
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TIME_TICKS: Final = 0x43
COUNTER64: Final = 0x46
NO_SUCH_OBJECT: Final = 0x80
NO_SUCH_INSTANCE: Final = 0x81
END_OF_MIB_VIEW: Final = 0x82


class BerError(ValueError):
    """Bytes that are not the BER they should be; says at which offset."""


class Element(NamedTuple):
    """One decoded element: its tag, its contents, and where in the message the contents start."""

    tag: int
    body: bytes
    start: int


def tlv(tag: int, body: bytes) -> bytes:
    """Encode one element with the shortest length."""
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Encode a signed integer, or an unsigned one under the tag of a counter, gauge or time: same bytes."""
    significant = value if value >= 0 else ~value
    return tlv(tag, value.to_bytes(significant.bit_length() // 8 + 1, "big", signed=True))


def octets(value: bytes | str, tag: int = OCTET_STRING) -> bytes:
    """Encode a string of octets; text goes out as UTF-8."""
    return tlv(tag, value.encode() if isinstance(value, str) else value)


@lru_cache(maxsize=65536)
def oid(value: Oid) -> bytes:
    """Encode an object identifier of at least two arcs."""
    body = bytearray(_arc(value[0] * 40 + value[1]))
    for arc in value[2:]:
        body += _arc(arc)
    return tlv(OBJECT_IDENTIFIER, bytes(body))


def _arc(arc: int) -> bytes:
    if arc < 0x80:
        return bytes((arc,))
    parts = [arc & 0x7F]
    while arc := arc >> 7:
        parts.append(0x80 | arc & 0x7F)
    return bytes(reversed(parts))


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    """Encode a sequence (or, with another tag, a PDU) of encoded parts."""
    return tlv(tag, b"".join(parts))


class Reader:
    """Takes elements off a run of bytes, front to back. Raises BerError where they are not well formed."""

    def __init__(self, data: bytes, start: int = 0) -> None:
        self._data = data
        self._at = 0
        self._start = start

    @property
    def done(self) -> bool:
        return self._at >= len(self._data)

    def element(self, expected: int | None = None) -> Element:
        """The next element; with `expected`, only one of that tag."""
        data, at = self._data, self._at
        if at + 2 > len(data):
            raise BerError(f"nothing left at offset {self._start + at}")
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4 or at + count > len(data):
                raise BerError(f"unusable length at offset {self._start + at}")
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise BerError(f"{size} bytes announced, {len(data) - at} left, at offset {self._start + at}")
        if expected is not None and tag != expected:
            raise BerError(f"tag {tag:#04x} where {expected:#04x} was due, at offset {self._start + at}")
        self._at = at + size
        return Element(tag, data[at : at + size], self._start + at)

    def inside(self, expected: int = SEQUENCE) -> Reader:
        """A reader of the contents of the next element."""
        element = self.element(expected)
        return Reader(element.body, element.start)

    def integer(self) -> int:
        body = self.element(INTEGER).body
        if not body:
            raise BerError("an integer without contents")
        return int.from_bytes(body, "big", signed=True)

    def octets(self) -> bytes:
        return self.element(OCTET_STRING).body

    def oid(self) -> Oid:
        return decode_oid(self.element(OBJECT_IDENTIFIER).body)


def decode_oid(body: bytes) -> Oid:
    """The arcs of an encoded object identifier."""
    if not body or body[-1] & 0x80:
        raise BerError("an object identifier that does not end")
    arcs: list[int] = []
    value = 0
    for byte in body:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def parse_oid(text: str) -> Oid:
    """`1.3.6.1` or `.1.3.6.1` as arcs."""
    return tuple(int(arc) for arc in text.strip(".").split("."))
