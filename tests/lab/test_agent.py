from __future__ import annotations

from typing import NamedTuple

import pytest

from lab import ber, mib
from lab.agent import GET, GET_BULK, GET_NEXT, RESPONSE, SET, Access, Agent, read_pdu
from lab.ber import Oid, Reader
from lab.mib import MibView
from lab.usm import Engine

SYSTEM = (1, 3, 6, 1, 2, 1, 1)
VIEW = MibView(
    [
        ((*SYSTEM, 1, 0), mib.text("a switch")),
        ((*SYSTEM, 5, 0), mib.text("sw1")),
        ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6, 1), mib.counter64(2**40)),
        ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15, 1), mib.gauge(1000)),
        ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15, 10), mib.gauge(10000)),
        ((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15, 9), mib.gauge(100)),
    ]
)
V1, V2C = 0, 1


class Reply(NamedTuple):
    status: int
    at: int
    bindings: list[tuple[Oid, bytes]]


def agent(max_size: int = 1472) -> Agent:
    access = Access(frozenset({V1, V2C}), {b"public": "", b"public@10": "vlan-10"})
    return Agent({"": VIEW, "vlan-10": MibView([])}, access, Engine(b"12345", (), lambda: 0.0), max_size)


def request(version: int, kind: int, *oids: Oid, first: int = 0, second: int = 0, community: str = "public") -> bytes:
    bindings = [ber.sequence(ber.oid(oid), ber.tlv(ber.NULL, b"")) for oid in oids]
    pdu = ber.sequence(ber.integer(77), ber.integer(first), ber.integer(second), ber.sequence(*bindings), tag=kind)
    return ber.sequence(ber.integer(version), ber.octets(community), pdu)


def ask(version: int, kind: int, *oids: Oid, first: int = 0, second: int = 0, max_size: int = 1472) -> Reply:
    data = agent(max_size).answer(request(version, kind, *oids, first=first, second=second))
    assert data is not None
    message = Reader(data).inside()
    assert (message.integer(), message.octets()) == (version, b"public")
    element = message.element(RESPONSE)
    inside = Reader(element.body)
    assert inside.integer() == 77
    status, index = inside.integer(), inside.integer()
    bindings = inside.inside()
    found: list[tuple[Oid, bytes]] = []
    while not bindings.done:
        binding = bindings.inside()
        name, value = binding.oid(), binding.element()
        found.append((name, ber.tlv(value.tag, value.body)))
    return Reply(status, index, found)


def exception(tag: int) -> bytes:
    return ber.tlv(tag, b"")


def test_get_tells_a_missing_instance_from_a_missing_object() -> None:
    reply = ask(V2C, GET, (*SYSTEM, 5, 0), (*SYSTEM, 5, 1), (*SYSTEM, 9, 0))

    assert reply == (0, 0, [
        ((*SYSTEM, 5, 0), mib.text("sw1")),
        ((*SYSTEM, 5, 1), exception(ber.NO_SUCH_INSTANCE)),
        ((*SYSTEM, 9, 0), exception(ber.NO_SUCH_OBJECT)),
    ])  # fmt: skip


def test_get_next_orders_by_number_and_not_by_text() -> None:
    node = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15)

    reply = ask(V2C, GET_NEXT, (*node, 1), (*node, 9), (*node, 10))

    assert reply == (0, 0, [
        ((*node, 9), mib.gauge(100)),
        ((*node, 10), mib.gauge(10000)),
        ((*node, 10), exception(ber.END_OF_MIB_VIEW)),
    ])  # fmt: skip


def test_get_bulk_gives_single_objects_then_rows_and_stops_at_the_end() -> None:
    node = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)

    reply = ask(V2C, GET_BULK, SYSTEM, (*node, 15, 9), first=1, second=9)

    assert reply == (0, 0, [
        ((*SYSTEM, 1, 0), mib.text("a switch")),
        ((*node, 15, 10), mib.gauge(10000)),
        ((*node, 15, 10), exception(ber.END_OF_MIB_VIEW)),
    ])  # fmt: skip


def test_get_bulk_fills_a_message_and_no_more() -> None:
    whole = ask(V2C, GET_BULK, SYSTEM, second=50)
    short = ask(V2C, GET_BULK, SYSTEM, second=50, max_size=160 + 6 + 60)

    assert len(whole.bindings) == 7
    assert short.bindings == whole.bindings[: len(short.bindings)]
    assert 0 < len(short.bindings) < 7


def test_what_does_not_fit_is_too_big() -> None:
    assert ask(V2C, GET, *[(*SYSTEM, 1, 0)] * 20, max_size=400) == (1, 0, [])


def test_version_1_says_no_such_name_and_which() -> None:
    asked = [(*SYSTEM, 5, 0), (*SYSTEM, 9, 0)]

    reply = ask(V1, GET, *asked)

    assert reply == (2, 2, [(oid, exception(ber.NULL)) for oid in asked])


def test_version_1_never_shows_a_64_bit_counter() -> None:
    counter = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)

    assert ask(V1, GET, (*counter, 1)).status == 2
    assert ask(V1, GET_NEXT, counter) == (0, 0, [((1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15, 1), mib.gauge(1000))])


def test_version_1_walks_end_with_no_such_name() -> None:
    assert ask(V1, GET_NEXT, (1, 4)).status == 2


@pytest.mark.parametrize(("version", "status"), [(V1, 4), (V2C, 17)])
def test_nothing_can_be_set(version: int, status: int) -> None:
    assert ask(version, SET, (*SYSTEM, 5, 0)).status == status


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        request(V2C, GET, (*SYSTEM, 5, 0), community="wrong"),
        request(2, GET, (*SYSTEM, 5, 0)),
        request(V1, GET_BULK, (*SYSTEM, 5, 0)),
        request(V2C, GET, (*SYSTEM, 5, 0))[:-3],
    ],
    ids=["nothing", "text", "community", "version", "bulk in v1", "cut"],
)
def test_what_an_agent_does_not_understand_or_know_gets_no_answer(data: bytes) -> None:
    assert agent().answer(data) is None


def test_a_community_with_a_vlan_is_a_context_of_its_own() -> None:
    data = agent().answer(request(V2C, GET_NEXT, SYSTEM, community="public@10"))

    assert data is not None
    message = Reader(data).inside()
    assert (message.integer(), message.octets()) == (V2C, b"public@10")
    assert read_pdu(message).names == (SYSTEM,)
