"""What the libraries beneath would get wrong, and the seam does not let through."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from discovery.transport.base import (
    Auth,
    CredentialRefused,
    Endpoint,
    Garbled,
    Oid,
    Priv,
    Refused,
    Secret,
    Silent,
    SnmpCommunity,
    SnmpCredential,
    SnmpLimits,
    SnmpUser,
    SnmpValue,
    TransportError,
    Walk,
)
from discovery.transport.snmp import open_snmp
from discovery.transport.snmp_codec import (
    GET,
    GET_BULK,
    GET_NEXT,
    RESPONSE,
    Absent,
    Message,
    Pdu,
    decode_engine,
    decode_message,
    encode_message,
)
from discovery.transport.snmp_link import Patience
from discovery.transport.snmp_pysnmp import CommunityChannel
from tests.fixtures.snmpd import (
    COMMUNITY,
    DEFAULT_CONFIG,
    SYS_NAME,
    V3_AUTHENTICATION,
    V3_PRIVACY,
    V3_USER,
    Snmpd,
    StartSnmpd,
)

NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)  # SNMPv2-MIB sysName
ROOT: Oid = (1, 3, 6, 1, 4, 1, 99999)
QUICK = SnmpLimits(timeout_s=0.3, retries=0)
V1, V2C = SnmpCommunity(1, Secret(COMMUNITY)), SnmpCommunity(2, Secret(COMMUNITY))
V3 = SnmpUser(V3_USER, Auth.SHA256, Secret(V3_AUTHENTICATION), Priv.AES128, Secret(V3_PRIVACY))

Reply = Callable[[bytes], list[bytes]]
"""The datagrams with which a responder answers one."""


@contextmanager
def responder(reply: Reply) -> Iterator[Endpoint]:
    done = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, client = udp.recvfrom(65535)
                if done.is_set():
                    return
                for said in reply(data):
                    udp.sendto(said, client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Endpoint("127.0.0.1", udp.getsockname()[1])
        finally:
            done.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", udp.getsockname())
            thread.join()


def response(asked: bytes, varbinds: bytes, version: int) -> bytes:
    """A response with these varbinds, written as they stand."""
    request_id = decode_message(asked).pdu.request_id.to_bytes(4, "big")
    body = b"\x02\x04" + request_id + bytes.fromhex("020100020100") + tlv(0x30, varbinds)
    head = bytes((2, 1, version - 1)) + tlv(4, COMMUNITY.encode())
    return tlv(0x30, head + tlv(RESPONSE, body))


def tlv(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x81, len(content))) + content


VALUES: dict[str, SnmpValue] = {
    "400400000000": b"\x00\x00\x00\x00",  # IpAddress
    "4004c0a80101": b"\xc0\xa8\x01\x01",
    "410500ffffffff": 2**32 - 1,  # Counter32
    "420101": 1,  # Gauge32
    "430105": 5,  # TimeTicks
    "4407 9f780442c80000": bytes.fromhex("9f780442c80000"),  # Opaque, a float in it
    "460900ffffffffffffffff": 2**64 - 1,  # Counter64
    "0201ff": -1,
    "0400": b"",
    "0404c0a80101": b"\xc0\xa8\x01\x01",
    "04810161": b"a",  # a long length where a short one would do
    "060100": (0, 0),  # SNMPv2-SMI zeroDotZero
    "06052b06010401": (1, 3, 6, 1, 4, 1),
    "06092b060104018fffff7f": (1, 3, 6, 1, 4, 1, 33554431),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.items(), ids=VALUES)
def test_both_engines_read_a_value_alike(value: str, expected: SnmpValue) -> None:
    varbind = tlv(0x30, bytes.fromhex("06062b0601040101" + value))
    oid = (1, 3, 6, 1, 4, 1, 1)

    with responder(lambda asked: [response(asked, varbind, 2)]) as endpoint:
        with closing(open_snmp(endpoint, V2C, QUICK)) as snmp:
            fast = snmp.get([oid])
        with closing(CommunityChannel(Patience(endpoint, QUICK), V2C)) as channel:
            exact = channel.ask(GET, [oid]).varbinds

    assert (fast, exact) == ({oid: expected}, ((oid, expected),))


def test_an_address_and_an_object_of_four_arcs_are_told_apart_by_what_exists() -> None:
    """gufo-snmp writes both as text. No agent has an object that points at the root of the internet."""
    rows = [("400401030601", 1), ("06032b0601", 2), ("06042b060104", 3)]
    varbinds = b"".join(tlv(0x30, bytes.fromhex(f"06062b06010401{end:02x}{value}")) for value, end in rows)
    oids = [(1, 3, 6, 1, 4, 1, end) for _, end in rows]

    with (
        responder(lambda asked: [response(asked, varbinds, 2)]) as endpoint,
        closing(open_snmp(endpoint, V2C, QUICK)) as snmp,
    ):
        found = snmp.get(oids)

    assert [found[oid] for oid in oids] == [b"\x01\x03\x06\x01", b"\x01\x03\x06\x01", (1, 3, 6, 1, 4)]


@pytest.mark.parametrize("credential", [V1, V2C], ids=["v1", "v2c"])
def test_a_damaged_response_is_a_response_or_an_error_of_ours(credential: SnmpCommunity) -> None:
    """gufo-snmp panics at some of these, and a panic is no Exception; pysnmp lets an IndexError through at others."""
    dice = random.Random(7)
    varbinds: tuple[tuple[Oid, SnmpValue | Absent], ...] = (
        ((*ROOT, 1), 5),
        ((*ROOT, 300), b"abc"),
        ((*ROOT, 2**31), (1, 3, 6, 1, 9)),
        ((*ROOT, 2**32 - 1), Absent.END_OF_MIB_VIEW if credential.version == 2 else b""),
    )

    def damaged(asked: bytes) -> list[bytes]:
        pdu = Pdu(RESPONSE, decode_message(asked).pdu.request_id, varbinds=varbinds)
        octets = bytearray(encode_message(Message(credential.version, COMMUNITY.encode(), pdu)))
        for _ in range(dice.choice((1, 1, 2, 5))):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        return [bytes(octets[: dice.choice((None, dice.randrange(len(octets))))])]

    limits = SnmpLimits(timeout_s=0.002, retries=0, walk_deadline_s=0.05)
    with responder(damaged) as endpoint:
        for _ in range(300):
            with closing(open_snmp(endpoint, credential, limits)) as snmp, suppress(TransportError):
                snmp.get([(*ROOT, 1)])
                snmp.walk(ROOT)
        channel = CommunityChannel(Patience(endpoint, limits), credential)
        with closing(channel):
            for _ in range(300):
                with suppress(TransportError):
                    channel.ask(GET_NEXT, [ROOT])


@pytest.mark.parametrize("credential", [V1, V2C, V3], ids=["v1", "v2c", "v3"])
def test_an_agent_that_never_stops_talking_of_something_else_is_left_in_time(credential: SnmpCredential) -> None:
    """The time-out of gufo-snmp's own session starts anew with every such datagram."""
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def chatter() -> None:
            _, client = udp.recvfrom(65535)
            version = credential.version if isinstance(credential, SnmpCommunity) else 2
            other = encode_message(Message(version, b"another", Pdu(RESPONSE, 1, varbinds=((NAME, b"x"),))))
            while not stop.wait(0.01):
                udp.sendto(other, client)

        thread = threading.Thread(target=chatter)
        thread.start()
        started = time.monotonic()
        try:
            snmp = open_snmp(Endpoint("127.0.0.1", udp.getsockname()[1]), credential, QUICK)
            with closing(snmp), pytest.raises((Silent, Garbled)):
                snmp.get([NAME])
        finally:
            stop.set()
            thread.join()

    assert time.monotonic() - started < 3


def test_an_error_in_the_middle_of_a_table_does_not_make_it_complete() -> None:
    """Rows, an error, and rows again: what came after the error is read, too, by the other engine."""
    table = tuple(((*ROOT, end), end) for end in range(1, 9))
    failed: list[Oid] = []

    def reply(asked: bytes) -> list[bytes]:
        pdu = decode_message(asked).pdu
        last = pdu.varbinds[0][0]
        if last == (*ROOT, 3) and not failed:
            failed.append(last)
            return [encode_message(Message(2, COMMUNITY.encode(), Pdu(RESPONSE, pdu.request_id, 5, 1)))]
        following = [row for row in (*table, ((1, 3, 6, 1, 4, 1, 100000), 0)) if row[0] > last]
        said = Pdu(RESPONSE, pdu.request_id, varbinds=tuple(following[: min(3, pdu.error_index)]))
        assert pdu.kind == GET_BULK
        return [encode_message(Message(2, COMMUNITY.encode(), said))]

    with responder(reply) as endpoint, closing(open_snmp(endpoint, V2C, QUICK)) as snmp:
        walked = snmp.walk(ROOT)

    assert (walked, failed) == (Walk(table), [(*ROOT, 3)])


@pytest.mark.parametrize("credential", [V1, V2C, V3], ids=["v1", "v2c", "v3"])
def test_every_version_speaks_ipv6(start_snmpd: StartSnmpd, credential: SnmpCredential) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
        udp.bind(("::1", 0))
        endpoint = Endpoint("::1", udp.getsockname()[1])
    start_snmpd([f"agentAddress udp6:[::1]:{endpoint.port}", f"rocommunity6 {COMMUNITY}", *DEFAULT_CONFIG])

    with closing(open_snmp(endpoint, credential, SnmpLimits())) as snmp:
        found, walked = snmp.get([NAME]), snmp.walk(NAME[:-1])

    assert (found, walked) == ({NAME: SYS_NAME.encode()}, Walk(((NAME, SYS_NAME.encode()),)))


def test_garbage_is_garbled_in_v3() -> None:
    with (
        responder(lambda _: [b"garbage"]) as endpoint,
        closing(open_snmp(endpoint, V3, QUICK)) as snmp,
        pytest.raises(Garbled),
    ):
        snmp.get([NAME])


def test_a_request_of_v3_that_is_lost_is_sent_again(snmpd: Snmpd) -> None:
    lost: list[bytes] = []

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
        back.connect(("127.0.0.1", snmpd.port))
        back.settimeout(5)

        def reply(asked: bytes) -> list[bytes]:
            if len(lost) < 2 and decode_engine(asked).engine_id:  # the discovery comes through
                lost.append(asked)
                return []
            back.send(asked)
            return [back.recv(65535)]

        limits = SnmpLimits(timeout_s=0.3, retries=3)
        with responder(reply) as endpoint, closing(open_snmp(endpoint, V3, limits)) as snmp:
            found = snmp.get([NAME])

    assert (found, len(lost)) == ({NAME: SYS_NAME.encode()}, 2)


def test_an_agent_of_v3_that_goes_away_after_its_discovery_is_not_a_wrong_secret(snmpd: Snmpd) -> None:
    count: list[int] = []

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
        back.connect(("127.0.0.1", snmpd.port))
        back.settimeout(5)

        def reply(asked: bytes) -> list[bytes]:
            count.append(1)
            if len(count) > 1:
                return []
            back.send(asked)
            return [back.recv(65535)]

        with (
            responder(reply) as endpoint,
            closing(open_snmp(endpoint, V3, QUICK)) as snmp,
            pytest.raises(TimeoutError),
        ):
            snmp.get([NAME])


def test_two_machines_with_one_engine_id_do_not_disturb_each_other(start_snmpd: StartSnmpd) -> None:
    """A cloned virtual machine; and each has the same name for a user, with another secret."""
    other = SnmpUser(V3_USER, Auth.SHA512, Secret("another-secret"), Priv.AES256, Secret("another-privacy"))
    clone = [f"createUser {V3_USER} SHA-512 another-secret AES-256 another-privacy", f"rouser {V3_USER} priv"]
    engine = "exactEngineID 0x8000000001020304"
    first = start_snmpd([engine, *DEFAULT_CONFIG])
    second = start_snmpd([engine, *clone, "sysName clone"])

    with ExitStack() as sessions:
        both = [
            sessions.enter_context(closing(open_snmp(Endpoint("127.0.0.1", agent.port), user)))
            for agent, user in ((first, V3), (second, other))
        ]
        found = [snmp.get([NAME])[NAME] for _ in range(3) for snmp in both]

    assert found == [SYS_NAME.encode(), b"clone"] * 3


def test_a_pass_phrase_may_be_in_any_script(start_snmpd: StartSnmpd) -> None:
    user = SnmpUser("读者", Auth.SHA256, Secret("schlüsselwort"), Priv.AES128, Secret("密码密码密码密码"))
    agent = start_snmpd(
        [
            f"createUser {user.user} SHA-256 {user.auth_secret.reveal()} AES {user.priv_secret.reveal()}",
            f"rouser {user.user} priv",
            f"sysName {SYS_NAME}",
        ]
    )

    with closing(open_snmp(Endpoint(agent.address, agent.port), user)) as snmp:
        assert snmp.get([NAME]) == {NAME: SYS_NAME.encode()}


def test_a_wrong_secret_is_told_each_time_it_is_used(snmpd: Snmpd) -> None:
    user = SnmpUser(V3_USER, Auth.SHA256, Secret("wrong-secret"), Priv.AES128, Secret(V3_PRIVACY))
    with closing(open_snmp(Endpoint(snmpd.address, snmpd.port), user)) as snmp:
        for _ in range(2):
            with pytest.raises(CredentialRefused, match="authentication secret or protocol"):
                snmp.get([NAME])


@pytest.mark.parametrize("credential", [V1, V2C, V3], ids=["v1", "v2c", "v3"])
def test_a_session_is_closed_twice_and_never_opened_without_harm(credential: SnmpCredential) -> None:
    snmp = open_snmp(Endpoint("127.0.0.1", 9), credential)
    snmp.close()
    snmp.close()


def test_a_port_that_closes_midway_refuses() -> None:
    def once(asked: bytes) -> list[bytes]:
        return [response(asked, tlv(0x30, bytes.fromhex("06082b06010201010500") + tlv(4, b"x")), 2)]

    with responder(once) as endpoint:
        snmp = open_snmp(endpoint, V2C, SnmpLimits(timeout_s=30))
        snmp.get([NAME])
    with closing(snmp), pytest.raises(Refused, match="nothing listens"):
        snmp.get([NAME])


def test_many_sessions_of_v3_run_side_by_side(snmpd: Snmpd) -> None:
    found: list[dict[Oid, SnmpValue]] = []

    def read() -> None:
        with closing(open_snmp(Endpoint(snmpd.address, snmpd.port), V3, SnmpLimits(timeout_s=10))) as snmp:
            found.append(snmp.get([NAME]))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [{NAME: SYS_NAME.encode()}] * 8
