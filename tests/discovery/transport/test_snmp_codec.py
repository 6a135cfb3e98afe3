from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.transport.base import Auth, Garbled, Oid, Priv, Secret, SnmpUser
from discovery.transport.snmp_codec import (
    GET_BULK,
    REPORTABLE,
    RESPONSE,
    Absent,
    Message,
    Pdu,
    SecureMessage,
    decode_message,
    decode_scoped,
    decode_secure,
    encode_discovery,
    encode_message,
    encode_scoped,
    encode_secure,
    request,
)
from discovery.transport.snmp_usm import Guard, localised_keys

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


@given(pdus)
def test_a_scoped_pdu_is_read_as_it_was_written_with_padding_behind(pdu: Pdu) -> None:
    assert decode_scoped(encode_scoped(b"engine", pdu) + bytes(7)) == pdu


@given(st.binary(max_size=80))
def test_whatever_comes_is_a_message_or_garbled(data: bytes) -> None:
    for decode in (decode_message, decode_secure, decode_scoped):
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


def test_a_discovery_asks_without_a_user() -> None:
    message = decode_secure(encode_discovery(5))

    assert (message.message_id, message.flags, message.engine_id, message.user) == (5, REPORTABLE, b"", b"")


ENGINE = bytes.fromhex("000000000000000000000002")


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (Auth.MD5, "526f5eed9fcce26f8964c2930787d82b"),
        (Auth.SHA1, "6695febc9288e36282235fc7151f128497b38f3f"),
    ],
)
def test_keys_are_those_of_rfc_3414_a_3(auth: Auth, expected: str) -> None:
    assert localised_keys(SnmpUser("u", auth, Secret("maplesyrup")), ENGINE).auth.hex() == expected


def test_keys_do_not_show() -> None:
    keys = localised_keys(SnmpUser("u", Auth.MD5, Secret("maplesyrup")), ENGINE)

    assert "526f" not in repr(keys)


PRIVATE_USER = SnmpUser("u", Auth.SHA256, Secret("maplesyrup"), Priv.AES128, Secret("maplesyrup"))


@pytest.mark.parametrize("priv", Priv)
def test_what_was_sealed_is_opened(priv: Priv) -> None:
    user = SnmpUser("u", Auth.SHA256, Secret("maplesyrup"), priv, Secret("maplesyrup"))
    guard = Guard(user, ENGINE)
    pdu = Pdu(RESPONSE, 7, varbinds=(((1, 3, 6), b"x"),))

    data = guard.seal(7, pdu, boots=3, time_s=99)
    message = decode_secure(data)

    assert guard.open(message, data) == pdu
    assert guard.is_as_protected(message)
    assert (b"\x01x" in data) == (priv == Priv.NONE)


@given(st.data())
def test_a_message_that_was_changed_is_not_opened(data: st.DataObject) -> None:
    guard = Guard(PRIVATE_USER, ENGINE)
    sealed = guard.seal(7, Pdu(RESPONSE, 7), boots=3, time_s=99)
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + bytes((sealed[at] ^ data.draw(st.integers(1, 255)),)) + sealed[at + 1 :]

    with suppress(Garbled):
        message = decode_secure(changed)
        if guard.is_as_protected(message):
            with pytest.raises(Garbled):
                guard.open(message, changed)


def test_a_salt_is_used_once() -> None:
    guard = Guard(PRIVATE_USER, ENGINE)

    salts = {decode_secure(guard.seal(7, Pdu(RESPONSE, 7), 3, 99)).salt for _ in range(100)}

    assert len(salts) == 100


frames = st.builds(
    SecureMessage,
    numbers,
    st.just(REPORTABLE),
    st.binary(max_size=32),
    numbers,
    numbers,
    st.binary(max_size=32),
    st.binary(max_size=12),
    st.binary(max_size=8),
    st.just(b"\x30\x00"),
)


@given(frames)
def test_a_frame_of_v3_is_read_as_it_was_written(message: SecureMessage) -> None:
    data = encode_secure(message)
    read = decode_secure(data)

    assert data[read.digest_at : read.digest_at + len(read.digest)] == message.digest
    assert read == replace(message, digest_at=read.digest_at)
