"""What an agent holds: object identifiers in lexicographic order, each with its typed value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import TypeAlias

from lab import ber
from lab.ber import Oid

Value: TypeAlias = bytes | Callable[[], bytes]
"""An encoded value, or what encodes it at the time of asking (counters and clocks move)."""

Row: TypeAlias = tuple[Oid, Value]


def number(value: int) -> bytes:
    """INTEGER / Integer32."""
    return ber.integer(value)


def text(value: bytes | str) -> bytes:
    """OCTET STRING and its textual conventions."""
    return ber.octets(value)


def mac(value: str) -> bytes:
    """PhysAddress / MacAddress from `aa:bb:…`; an empty text is an address of no octets."""
    return ber.octets(bytes.fromhex(value.replace(":", "")))


def name(value: str) -> bytes:
    """OBJECT IDENTIFIER."""
    return ber.oid(ber.parse_oid(value))


def address(value: str) -> bytes:
    """IpAddress."""
    return ber.octets(IPv4Address(value).packed, ber.IP_ADDRESS)


def counter(value: int) -> bytes:
    """Counter32: wraps."""
    return ber.integer(value % 2**32, ber.COUNTER32)


def counter64(value: int) -> bytes:
    """Counter64: wraps."""
    return ber.integer(value % 2**64, ber.COUNTER64)


def gauge(value: int) -> bytes:
    """Gauge32 / Unsigned32: sticks at its largest value."""
    return ber.integer(min(value, 2**32 - 1), ber.GAUGE32)


def ticks(hundredths_s: int) -> bytes:
    """TimeTicks, in hundredths of a second."""
    return ber.integer(hundredths_s % 2**32, ber.TIME_TICKS)


def bits(*positions: int) -> bytes:
    """BITS: the first bit is the most significant of the first octet (RFC 2578, 7.1.4)."""
    octets = bytearray(max(positions, default=0) // 8 + 1)
    for position in positions:
        octets[position // 8] |= 0x80 >> position % 8
    return ber.octets(bytes(octets))


def table(entry: str, rows: Mapping[Oid, Mapping[int, Value]]) -> list[Row]:
    """The instances of a conceptual table: `rows` maps an index to the values by column number."""
    prefix = ber.parse_oid(entry)
    return [((*prefix, column, *index), value) for index, row in rows.items() for column, value in row.items()]


def scalars(prefix: str, values: Mapping[int, Value]) -> list[Row]:
    """The instances of scalar objects below one node."""
    node = ber.parse_oid(prefix)
    return [((*node, arc, 0), value) for arc, value in values.items()]


def index_text(value: str) -> Oid:
    """A string of variable length as index: its length, then its octets (RFC 2578, 7.7)."""
    octets = value.encode()
    return (len(octets), *octets)


def index_address(value: str) -> Oid:
    """An IPv4 address as index: its four octets."""
    return tuple(IPv4Address(value).packed)


def index_mac(value: str) -> Oid:
    """A MAC address as index: its six octets."""
    return tuple(bytes.fromhex(value.replace(":", "")))


class MibView:
    """The objects of one context, for GET and GETNEXT."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._values: dict[Oid, Value] = dict(rows)
        self._order: list[Oid] = sorted(self._values)

    def rows(self) -> Iterator[Row]:
        """Everything in it, in order."""
        return ((oid, self._values[oid]) for oid in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def get(self, oid: Oid) -> bytes:
        """The value at exactly this instance, else noSuchInstance (the object exists) or noSuchObject."""
        value = self._values.get(oid)
        if value is None:
            return ber.tlv(self._missing(oid), b"")
        return value if isinstance(value, bytes) else value()

    def next(self, oid: Oid) -> tuple[Oid, bytes] | None:
        """The first instance behind `oid` and its value; None at the end of the view."""
        at = bisect_right(self._order, oid)
        if at == len(self._order):
            return None
        found = self._order[at]
        value = self._values[found]
        return found, value if isinstance(value, bytes) else value()

    def _missing(self, oid: Oid) -> int:
        """Without MIB modules an agent cannot know objects from instances: a neighbour of the same object decides."""
        parent = oid[:-1]
        at = bisect_right(self._order, parent)
        sibling = at < len(self._order) and self._order[at][: len(parent)] == parent
        return ber.NO_SUCH_INSTANCE if sibling else ber.NO_SUCH_OBJECT


class TruncatedView(MibView):
    """Ends in the middle: what is behind its middle is there to GET, and never found by walking."""

    def next(self, oid: Oid) -> tuple[Oid, bytes] | None:
        found = super().next(oid)
        return found if found is not None and found[0] < self._order[len(self._order) // 2] else None


class LoopingView(MibView):
    """Gives at GETNEXT what was asked for: OIDs do not increase, and a walk never ends."""

    def next(self, oid: Oid) -> tuple[Oid, bytes] | None:
        return (oid, self.get(oid)) if oid in self._values else super().next(oid)
