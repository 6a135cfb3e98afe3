from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.transport.base import Garbled, Oid
from discovery.transport.snmp_codec import (
    GET_BULK,
    RESPONSE,
    Absent,
    EngineMessage,
    Message,
    Pdu,
    decode_engine,
    decode_message,
    encode_discovery,
    encode_message,
    request,
)

numbers = st.integers(-(2**31), 2**31 - 1)
oids = st.builds(
    lambda first, second, rest: (first, second, *rest),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(st.integers(0, 2**32 - 1), max_size=20),
)
values = st.one_of(numbers, st.binary(max_size=300), oids, st.sampled_from(Absent))
pdus = st.builds(
    Pdu, st.just(RESPONSE), numbers, numbers, numbers, st.lists(st.tuples(oids, values), max_size=30).map(tuple)
)


@given(st.builds(Message, st.sampled_from([1, 2]), st.binary(max_size=40), pdus))
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert decode_message(encode_message(message)) == message


@given(st.binary(max_size=80))
def test_whatever_comes_is_a_message_or_garbled(data: bytes) -> None:
    for decode in (decode_message, decode_engine):
        with suppress(Garbled):
            decode(data)


@given(st.builds(Message, st.sampled_from([1, 2]), st.binary(max_size=8), pdus), st.data())
def test_a_damaged_message_is_a_message_or_garbled(message: Message, data: st.DataObject) -> None:
    octets = bytearray(encode_message(message))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))

    with suppress(Garbled):
        decode_message(bytes(octets[: data.draw(st.integers(0, len(octets)))]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("400400000000", b"\x00\x00\x00\x00"),  # IpAddress
        ("4104ffffffff", 2**32 - 1),  # Counter32, without the leading zero that BER wants
        ("410500ffffffff", 2**32 - 1),
        ("420101", 1),  # Gauge32
        ("430105", 5),  # TimeTicks
        ("4408aabb04040102030f", bytes.fromhex("aabb04040102030f")),  # Opaque
        ("460900ffffffffffffffff", 2**64 - 1),  # Counter64
        ("470107", 7),  # UInteger32 of RFC 1442
        ("0201ff", -1),
        ("0200", 0),  # an INTEGER without octets, as some agents write zero
        ("04810161", b"a"),  # a long length where a short one would do
        ("06032b0601", (1, 3, 6, 1)),
        ("06028837", (2, 999)),
        ("0600", ()),
        ("8000", Absent.NO_SUCH_OBJECT),
        ("8100", Absent.NO_SUCH_INSTANCE),
        ("8200", Absent.END_OF_MIB_VIEW),
    ],
)
def test_every_type_of_a_value_is_read(value: str, expected: object) -> None:
    varbind = bytes.fromhex("06032b0601" + value)
    body = bytes.fromhex("020101020100020100") + _sequence(_sequence(varbind))
    data = _sequence(bytes.fromhex("020101040170") + bytes((RESPONSE, len(body))) + body)

    assert decode_message(data).pdu.varbinds == (((1, 3, 6, 1), expected),)


def _sequence(content: bytes) -> bytes:
    return bytes((0x30, len(content))) + content


def test_a_bulk_request_carries_its_repetitions() -> None:
    root: Oid = (1, 3, 6, 1)

    sent = encode_message(Message(2, b"public", request(GET_BULK, 7, [root], 25)))

    assert decode_message(sent).pdu == Pdu(GET_BULK, 7, 0, 25, ((root, Absent.NULL),))


@given(st.integers(0, 2**31 - 1))
def test_a_discovery_is_for_an_engine_that_is_not_known(message_id: int) -> None:
    assert decode_engine(encode_discovery(message_id)) == EngineMessage(message_id, b"")
