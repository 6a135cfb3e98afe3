"""Writes the questions of a sweep and reads the answers, thousands a second: SNMPv1 and v2c, and v3's discovery.

For this alone there is a codec of our own: libraries bring theirs with a socket for each agent, and pysnmp's takes half
a millisecond a message. Whoever is found is talked to with the libraries.

Messages are of RFC 1157 and RFC 3416, the frame is RFC 3412's and RFC 3414's. BER as RFC 3417, 8 restricts it:
definite lengths only. Reading is tolerant where agents are known to sin (a counter written without its leading zero, a
length longer than needed) and strict about structure: `Garbled` for the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from discovery.transport.base import Garbled, Oid, SnmpValue

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, NSAP, COUNTER64, UINTEGER32 = range(0x40, 0x48)
GET, GET_NEXT, RESPONSE, GET_BULK = 0xA0, 0xA1, 0xA2, 0xA5

_UNSIGNED = frozenset({COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, UINTEGER32})
_OCTETS = frozenset({OCTET_STRING, IP_ADDRESS, OPAQUE, NSAP})
_LARGEST_MESSAGE = 65507
_REPORTABLE = 4  # msgFlags of RFC 3412, 6.4
_USER_BASED = 3


class Absent(Enum):
    """Why a varbind has no value. NULL comes back in the responses of errors."""

    NULL = NULL
    NO_SUCH_OBJECT = 0x80
    NO_SUCH_INSTANCE = 0x81
    END_OF_MIB_VIEW = 0x82


class ErrorStatus(IntEnum):
    """The error-status of a response that a reader can meet (RFC 3416, 3); names as there."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    RESOURCE_UNAVAILABLE = 13
    AUTHORIZATION_ERROR = 16


@dataclass(frozen=True, slots=True)
class Pdu:
    """A response or a request. `error_status` may be a number that ErrorStatus does not name.

    In a GET_BULK the two numbers after `request_id` are non-repeaters and max-repetitions (RFC 3416, 3).
    """

    kind: int
    request_id: int
    error_status: int = 0
    error_index: int = 0
    varbinds: tuple[tuple[Oid, SnmpValue | Absent], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A message of SNMPv1 (`version` 1) or v2c (2)."""

    version: int
    community: bytes
    pdu: Pdu


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """What anyone can read of a message of SNMPv3: which one it is, and whose engine it is from or for."""

    message_id: int
    engine_id: bytes


def request(kind: int, request_id: int, oids: Iterable[Oid], repetitions: int = 0) -> Pdu:
    """Make a GET, GET_NEXT or GET_BULK; non-repeaters is always 0."""
    return Pdu(kind, request_id, 0, repetitions, tuple((oid, Absent.NULL) for oid in oids))


def encode_message(message: Message) -> bytes:
    """Write a message of SNMPv1 or v2c. Integers are written as INTEGER: reading, we never send another kind."""
    community = _tlv(OCTET_STRING, message.community)
    return _tlv(SEQUENCE, _encode_int(message.version - 1) + community + _encode_pdu(message.pdu))


def encode_discovery(message_id: int) -> bytes:
    """Write the unauthenticated request that every SNMPv3 agent answers with a report of its engine (RFC 3414, 4)."""
    nothing = _tlv(OCTET_STRING, b"")
    flags = _tlv(OCTET_STRING, bytes((_REPORTABLE,)))
    header = _encode_int(message_id) + _encode_int(_LARGEST_MESSAGE) + flags + _encode_int(_USER_BASED)
    # Engine, its boots and time, user, digest and salt: all of them unknown.
    security = _tlv(SEQUENCE, nothing + _encode_int(0) * 2 + nothing * 3)
    scoped = _tlv(SEQUENCE, nothing * 2 + _encode_pdu(request(GET, message_id, ())))
    return _tlv(SEQUENCE, _encode_int(3) + _tlv(SEQUENCE, header) + _tlv(OCTET_STRING, security) + scoped)


def decode_message(data: bytes) -> Message:
    """Read a message of SNMPv1 or v2c, or raise Garbled."""
    try:
        at, end = _enter(data, 0, len(data), SEQUENCE)
        version, at = _int(data, at, end)
        if version not in {0, 1}:
            raise Garbled("not a message of SNMPv1 or SNMPv2c")
        community, at = _octets(data, at, end)
        return Message(version + 1, community, _pdu(data, at, end))
    except IndexError as error:
        raise Garbled("an SNMP message that ends too early") from error


def decode_engine(data: bytes) -> EngineMessage:
    """Read the frame of a message of SNMPv3, or raise Garbled. Nothing is decrypted or verified here."""
    try:
        at, end = _enter(data, 0, len(data), SEQUENCE)
        version, at = _int(data, at, end)
        if version != 3:
            raise Garbled("not a message of SNMPv3")
        header, after_header = _enter(data, at, end, SEQUENCE)
        message_id, _ = _int(data, header, after_header)
        security, stop = _enter(data, after_header, end, OCTET_STRING)
        security, stop = _enter(data, security, stop, SEQUENCE)
        engine_id, _ = _octets(data, security, stop)
        return EngineMessage(message_id, engine_id)
    except IndexError as error:
        raise Garbled("an SNMP message that ends too early") from error


def _pdu(data: bytes, at: int, end: int) -> Pdu:
    kind = data[at]
    if kind not in {GET, GET_NEXT, RESPONSE, GET_BULK}:
        raise Garbled(f"an SNMP message of unexpected kind 0x{kind:02x}")
    at, end = _enter(data, at, end, kind)
    request_id, at = _int(data, at, end)
    error_status, at = _int(data, at, end)
    error_index, at = _int(data, at, end)
    at, end = _enter(data, at, end, SEQUENCE)
    return Pdu(kind, request_id, error_status, error_index, _varbinds(data, at, end))


def _octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    start, stop = _enter(data, at, end, OCTET_STRING)
    return data[start:stop], stop


def _varbinds(data: bytes, at: int, end: int) -> tuple[tuple[Oid, SnmpValue | Absent], ...]:
    # The one loop that runs for every row of every table: lengths below 128 are read in place.
    rows: list[tuple[Oid, SnmpValue | Absent]] = []
    while at < end:
        first, at = _enter(data, at, end, SEQUENCE)
        oid_start, oid_end = _enter(data, first, at, OBJECT_IDENTIFIER)
        oid = _oid(data, oid_start, oid_end)
        tag, length, start = data[oid_end], data[oid_end + 1], oid_end + 2
        if length >= 0x80:  # the long form of X.690, 8.1.3.5
            start, length = _long_length(data, oid_end)
        stop = start + length
        if stop > at:
            raise Garbled("an SNMP value that runs over its end")
        if tag in _OCTETS:
            rows.append((oid, data[start:stop]))
        elif tag == INTEGER:
            rows.append((oid, int.from_bytes(data[start:stop], "big", signed=True)))
        elif tag in _UNSIGNED:
            rows.append((oid, int.from_bytes(data[start:stop], "big")))
        elif tag == OBJECT_IDENTIFIER:
            rows.append((oid, _oid(data, start, stop)))
        else:
            rows.append((oid, _absent(tag)))
    return tuple(rows)


def _absent(tag: int) -> Absent:
    try:
        return Absent(tag)
    except ValueError as error:
        raise Garbled(f"an SNMP value of unknown type 0x{tag:02x}") from error


def _enter(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` starts and stops."""
    if data[at] != tag:
        raise Garbled(f"expected type 0x{tag:02x}, found 0x{data[at]:02x}")
    length, start = data[at + 1], at + 2
    if length >= 0x80:  # the long form of X.690, 8.1.3.5
        start, length = _long_length(data, at)
    if start + length > end:
        raise Garbled("an SNMP element that runs over its end")
    return start, start + length


def _long_length(data: bytes, at: int) -> tuple[int, int]:
    octets = data[at + 1] & 0x7F
    if not 1 <= octets <= 4:  # no datagram needs more, and zero is the indefinite form
        raise Garbled("an SNMP length that cannot be")
    start = at + 2 + octets
    return start, int.from_bytes(data[at + 2 : start], "big")


def _int(data: bytes, at: int, end: int) -> tuple[int, int]:
    start, stop = _enter(data, at, end, INTEGER)
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def _oid(data: bytes, start: int, stop: int) -> Oid:
    arcs: list[int] = []
    value = 0
    for octet in data[start:stop]:
        if octet < 0x80:  # the last octet of an arc, X.690, 8.19.2
            arcs.append(value << 7 | octet)
            value = 0
        else:
            value = value << 7 | octet & 0x7F
    if not arcs:
        return ()
    # The first two arcs share a number: 40 × first + second, and only below 2 is the second under 40.
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def _tlv(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def _encode_pdu(pdu: Pdu) -> bytes:
    varbinds = b"".join(_tlv(SEQUENCE, _encode_oid(oid) + _encode_value(value)) for oid, value in pdu.varbinds)
    numbers = b"".join(map(_encode_int, (pdu.request_id, pdu.error_status, pdu.error_index)))
    return _tlv(pdu.kind, numbers + _tlv(SEQUENCE, varbinds))


def _encode_int(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _encode_oid(oid: Sequence[int]) -> bytes:
    head = (oid[0] * 40 + oid[1], *oid[2:]) if len(oid) > 1 else (oid[0] * 40,) if oid else ()
    octets = bytearray()
    for arc in head:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return _tlv(OBJECT_IDENTIFIER, bytes(octets))


def _encode_value(value: SnmpValue | Absent) -> bytes:
    match value:
        case Absent():
            return bytes((value.value, 0))
        case int():
            return _encode_int(value)
        case bytes():
            return _tlv(OCTET_STRING, value)
        case _:
            return _encode_oid(value)
