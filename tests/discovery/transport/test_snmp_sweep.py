from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from discovery.transport.base import Answered, Endpoint, Secret, SnmpCommunity
from discovery.transport.snmp_codec import RESPONSE, Message, Pdu, decode_message, encode_message
from discovery.transport.snmp_sweep import SYS_DESCR, SYS_OBJECT_ID, Probe, SweepLimits, sweep
from tests.fixtures.snmpd import COMMUNITY, V3_USER, Snmpd, StartSnmpd

QUICK = SweepLimits(wait_s=0.3)
GOOD, WRONG, OLD = (
    SnmpCommunity(2, Secret(COMMUNITY)),
    SnmpCommunity(2, Secret("wrong")),
    SnmpCommunity(1, Secret(COMMUNITY)),
)


@contextmanager
def bound(address: str, port: int = 0) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((address, port))
        yield udp


def test_who_answers_is_told_from_who_refuses_and_who_is_silent(snmpd: Snmpd) -> None:
    with bound("127.0.0.77", snmpd.port):  # bound, and never read
        agent, silent, closed = (Endpoint(f"127.0.0.{end}", snmpd.port) for end in (1, 77, 78))

        answered = sweep([Probe(closed, (GOOD,)), Probe(silent, (GOOD,)), Probe(agent, (WRONG, GOOD, OLD))], QUICK)

    engine_id = answered[-1].engine_id
    assert engine_id is not None
    assert answered == (
        Answered(closed, refused=True),
        Answered(
            agent,
            communities=(GOOD, OLD),
            engine_id=engine_id,
            sys_descr=answered[-1].sys_descr,
            sys_object_id=(1, 3, 6, 1, 4, 1, 8072, 3, 2, 10),
        ),
    )
    assert (answered[-1].sys_descr or b"").startswith(b"Linux ")


def test_an_agent_of_v3_alone_is_found_by_its_engine(start_snmpd: StartSnmpd) -> None:
    agent = start_snmpd([f"createUser {V3_USER} SHA-256 12345678", f"rouser {V3_USER} auth"])
    endpoint = Endpoint(agent.address, agent.port)

    answered = sweep([Probe(endpoint, (GOOD,))], QUICK)

    assert answered == (Answered(endpoint, engine_id=answered[0].engine_id),)
    assert len(answered[0].engine_id or b"") >= 5


def test_nothing_is_asked_of_who_has_no_community_and_no_engine(snmpd: Snmpd) -> None:
    assert sweep([Probe(Endpoint(snmpd.address, snmpd.port), (), engine=False)], QUICK) == ()


def test_a_network_of_closed_ports_refuses_whole() -> None:
    with bound("127.0.9.1") as udp:
        port = udp.getsockname()[1]
        endpoints = [Endpoint(f"127.0.9.{end}", port) for end in range(2, 255)]

        answered = sweep([Probe(endpoint, (GOOD, OLD)) for endpoint in endpoints], QUICK)

    assert answered == tuple(Answered(endpoint, refused=True) for endpoint in endpoints)


def test_a_sweep_speaks_ipv6(start_snmpd: StartSnmpd) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind(("::1", 0))
        endpoint = Endpoint("::1", udp.getsockname()[1])
    start_snmpd([f"agentAddress udp6:[::1]:{endpoint.port}", f"rocommunity6 {COMMUNITY}"])

    answered = sweep([Probe(endpoint, (GOOD,), engine=False)], QUICK)

    assert [(each.endpoint, each.communities) for each in answered] == [(endpoint, (GOOD,))]


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="switch"):
        sweep([Probe(Endpoint("switch", 161), (GOOD,))], QUICK)


@pytest.mark.parametrize("lie", ["garbage", "another source", "another id", "no answer at first"])
def test_only_what_fits_the_question_is_an_answer(lie: str) -> None:
    with bound("127.0.0.1") as asked, bound("127.0.0.1") as other:
        endpoint = Endpoint("127.0.0.1", asked.getsockname()[1])

        def serve() -> None:
            for turn in range(2):
                data, client = asked.recvfrom(65535)
                pdu = decode_message(data).pdu
                honest = Pdu(RESPONSE, pdu.request_id, varbinds=((SYS_DESCR, b"x"), (SYS_OBJECT_ID, (1, 3))))
                wrong = Pdu(RESPONSE, pdu.request_id + 1, varbinds=honest.varbinds)
                good = encode_message(Message(2, b"", honest))
                if turn == 1:
                    asked.sendto(good, client)
                elif lie == "garbage":
                    asked.sendto(b"garbage", client)
                elif lie == "another source":
                    other.sendto(encode_message(Message(2, b"", honest)), client)
                elif lie == "another id":
                    asked.sendto(encode_message(Message(2, b"", wrong)), client)

        thread = threading.Thread(target=serve)
        thread.start()
        answered = sweep([Probe(endpoint, (GOOD,), engine=False)], QUICK)
        thread.join()

    assert answered == (Answered(endpoint, (GOOD,), sys_descr=b"x", sys_object_id=(1, 3)),)
