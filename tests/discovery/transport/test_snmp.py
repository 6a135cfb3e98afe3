"""Against a real snmpd; agents that misbehave are small responders of our own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

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
    TimedOut,
    TransportError,
    Walk,
    parse_oid,
)
from discovery.transport.snmp import open_snmp
from discovery.transport.snmp_codec import (
    GET,
    GET_BULK,
    RESPONSE,
    Absent,
    ErrorStatus,
    Message,
    Pdu,
    decode_message,
    encode_message,
)
from tests.fixtures.snmpd import (
    COMMUNITY,
    SYS_LOCATION,
    SYS_NAME,
    V3_AUTHENTICATION,
    V3_PRIVACY,
    V3_USER,
    Snmpd,
    StartSnmpd,
)

SYSTEM = parse_oid("1.3.6.1.2.1.1")  # SNMPv2-MIB system
NAME, LOCATION, OBJECT_ID = (*SYSTEM, 5, 0), (*SYSTEM, 6, 0), (*SYSTEM, 2, 0)
NOWHERE = (*SYSTEM, 99, 0)
ROOT: Oid = (1, 3, 6, 1, 4, 1, 99999)
NEXT: Oid = (1, 3, 6, 1, 4, 1, 100000)

QUICK = SnmpLimits(timeout_s=0.3, retries=0)
V2C = SnmpCommunity(2, Secret(COMMUNITY))
V1 = SnmpCommunity(1, Secret(COMMUNITY))
V3 = SnmpUser(V3_USER, Auth.SHA256, Secret(V3_AUTHENTICATION), Priv.AES128, Secret(V3_PRIVACY))

Varbinds = tuple[tuple[Oid, SnmpValue | Absent], ...]
Answer = Callable[[Pdu], bytes | Pdu | None]
"""What a responder says to a request; None is silence."""


def rows(*ends: int) -> tuple[tuple[Oid, int], ...]:
    return tuple(((*ROOT, end), end) for end in ends)


END = ((*ROOT, 2), Absent.END_OF_MIB_VIEW)


def says(*varbinds: tuple[Oid, SnmpValue | Absent], error: int = 0, index: int = 0) -> Answer:
    return lambda pdu: Pdu(RESPONSE, pdu.request_id, error, index, varbinds)


@contextmanager
def agent(*answers: Answer, version: int = 2, delay_s: float = 0.0) -> Iterator[Endpoint]:
    """An agent that gives each of these answers once, and the last one for ever."""
    done = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            count = 0
            while not done.is_set():
                data, client = udp.recvfrom(65535)
                if done.is_set():
                    return
                said = answers[min(count, len(answers) - 1)](decode_message(data).pdu)
                count += 1
                if isinstance(said, Pdu):
                    said = encode_message(Message(version, COMMUNITY.encode(), said))
                if said is not None and not done.wait(delay_s):
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


def get(
    endpoint: Endpoint, *oids: Oid, credential: SnmpCredential = V2C, limits: SnmpLimits = QUICK
) -> dict[Oid, SnmpValue]:
    with closing(open_snmp(endpoint, credential, limits)) as snmp:
        return snmp.get(oids)


def walk(endpoint: Endpoint, root: Oid = ROOT, credential: SnmpCredential = V2C, limits: SnmpLimits = QUICK) -> Walk:
    with closing(open_snmp(endpoint, credential, limits)) as snmp:
        return snmp.walk(root)


@pytest.mark.parametrize("credential", [V1, V2C, V3], ids=["v1", "v2c", "v3"])
def test_objects_come_and_absent_ones_stay_away(snmpd: Snmpd, credential: SnmpCredential) -> None:
    found = get(Endpoint(snmpd.address, snmpd.port), NOWHERE, NAME, LOCATION, OBJECT_ID, credential=credential)

    assert found == {
        NAME: SYS_NAME.encode(),
        LOCATION: SYS_LOCATION.encode(),
        OBJECT_ID: (1, 3, 6, 1, 4, 1, 8072, 3, 2, 10),
    }


def test_a_walk_gives_the_same_rows_in_every_version(snmpd: Snmpd) -> None:
    endpoint, or_descr = Endpoint(snmpd.address, snmpd.port), parse_oid("1.3.6.1.2.1.1.9.1.3")  # sysORDescr

    walks = [walk(endpoint, or_descr, credential) for credential in (V1, V2C, V3)]

    assert len(walks[0].rows) > 3
    assert walks == [Walk(walks[0].rows)] * 3
    assert [oid for oid, _ in walks[0].rows] == sorted(oid for oid, _ in walks[0].rows)


@pytest.mark.parametrize("credential", [V1, V2C, V3], ids=["v1", "v2c", "v3"])
def test_a_walk_of_nothing_and_one_to_the_end_are_complete(snmpd: Snmpd, credential: SnmpCredential) -> None:
    endpoint = Endpoint(snmpd.address, snmpd.port)

    nothing, whole = (walk(endpoint, root, credential) for root in (NOWHERE, (1, 3)))

    assert nothing == Walk(())
    assert (whole.complete, len(whole.rows) > 1000) == (True, True)


def test_an_address_is_four_bytes(snmpd: Snmpd) -> None:
    at = parse_oid("1.3.6.1.2.1.4.20.1.1.127.0.0.1")  # IP-MIB ipAdEntAddr

    assert get(Endpoint(snmpd.address, snmpd.port), at) == {at: b"\x7f\x00\x00\x01"}


LEVELS = [
    (auth, priv)
    for auth in Auth
    for priv in Priv
    if auth != Auth.NONE or priv == Priv.NONE
]  # fmt: skip
NET_SNMP = {
    Auth.MD5: "MD5",
    Auth.SHA1: "SHA",
    Auth.SHA224: "SHA-224",
    Auth.SHA256: "SHA-256",
    Auth.SHA384: "SHA-384",
    Auth.SHA512: "SHA-512",
    Priv.DES: "DES",
    Priv.AES128: "AES",
    Priv.AES192: "AES-192",
    Priv.AES256: "AES-256",
    Priv.AES192_CISCO: "AES-192-C",
    Priv.AES256_CISCO: "AES-256-C",
}


def user_of(auth: Auth, priv: Priv) -> SnmpUser:
    return SnmpUser(f"u-{auth}-{priv}", auth, Secret(V3_AUTHENTICATION), priv, Secret(V3_PRIVACY))


@pytest.fixture(scope="module")
def every_level(start_snmpd: StartSnmpd) -> Snmpd:
    """An agent with a user of every level."""
    lines = []
    for auth, priv in LEVELS:
        name = user_of(auth, priv).user
        authentication = "" if auth == Auth.NONE else f"{NET_SNMP[auth]} {V3_AUTHENTICATION}"
        privacy = "" if priv == Priv.NONE else f"{NET_SNMP[priv]} {V3_PRIVACY}"
        level = "noauth" if auth == Auth.NONE else "auth" if priv == Priv.NONE else "priv"
        lines += [f"createUser {name} {authentication} {privacy}", f"rouser {name} {level}"]
    return start_snmpd([*lines, f"sysName {SYS_NAME}"])


@pytest.mark.parametrize(("auth", "priv"), LEVELS, ids=str)
def test_every_protocol_of_v3_is_the_one_that_net_snmp_speaks(every_level: Snmpd, auth: Auth, priv: Priv) -> None:
    found = get(Endpoint(every_level.address, every_level.port), NAME, credential=user_of(auth, priv))

    assert found == {NAME: SYS_NAME.encode()}


@pytest.mark.parametrize(
    ("user", "message"),
    [
        (SnmpUser("stranger", Auth.SHA1, Secret("12345678")), "knows no user stranger"),
        (SnmpUser(V3_USER, Auth.SHA256, Secret("wrong-secret")), "authentication secret or protocol"),
        (SnmpUser(V3_USER, Auth.SHA1, Secret(V3_AUTHENTICATION)), "authentication secret or protocol"),
        (SnmpUser(V3_USER, Auth.SHA256, Secret(V3_AUTHENTICATION)), "authorization error"),
        (
            SnmpUser(V3_USER, Auth.SHA256, Secret(V3_AUTHENTICATION), Priv.AES128, Secret("wrong-secret")),
            "privacy secret or protocol",
        ),
        (
            SnmpUser(V3_USER, Auth.SHA256, Secret(V3_AUTHENTICATION), Priv.DES, Secret(V3_PRIVACY)),
            "privacy secret or protocol",
        ),
    ],
    ids=["unknown user", "wrong password", "wrong digest", "too low a level", "wrong privacy key", "wrong cipher"],
)
def test_an_agent_of_v3_says_what_is_wrong_with_a_user(snmpd: Snmpd, user: SnmpUser, message: str) -> None:
    with pytest.raises(CredentialRefused, match=message):
        get(Endpoint(snmpd.address, snmpd.port), NAME, credential=user)


def test_a_level_that_the_user_does_not_have_is_refused(every_level: Snmpd) -> None:
    name = user_of(Auth.SHA1, Priv.NONE).user
    user = SnmpUser(name, Auth.SHA1, Secret(V3_AUTHENTICATION), Priv.AES128, Secret(V3_PRIVACY))

    with pytest.raises(CredentialRefused, match="level of security"):
        get(Endpoint(every_level.address, every_level.port), NAME, credential=user)


def test_a_session_survives_a_restart_of_the_agent(start_snmpd: StartSnmpd) -> None:
    """Another engine, whose clock starts anew, takes over the address: it is learnt again."""
    first, second = start_snmpd(), start_snmpd()
    with _relay(first.port) as (endpoint, lead_to), closing(open_snmp(endpoint, V3, SnmpLimits())) as snmp:
        before = snmp.get([NAME])
        lead_to(second.port)
        after = snmp.get([NAME])

    assert before == after == {NAME: SYS_NAME.encode()}


@contextmanager
def _relay(port: int) -> Iterator[tuple[Endpoint, Callable[[int], None]]]:
    """An address behind which the agent can be exchanged."""
    target = [port]
    done = threading.Event()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
    ):
        front.bind(("127.0.0.1", 0))
        back.settimeout(5)

        def serve() -> None:
            while True:
                data, client = front.recvfrom(65535)
                if done.is_set():
                    return
                back.sendto(data, ("127.0.0.1", target[0]))
                front.sendto(back.recv(65535), client)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Endpoint("127.0.0.1", front.getsockname()[1]), lambda to: target.__setitem__(0, to)
        finally:
            done.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
                waker.sendto(b"", front.getsockname())
            thread.join()


def test_a_wrong_community_is_silence(snmpd: Snmpd) -> None:
    with pytest.raises(Silent) as raised:
        get(Endpoint(snmpd.address, snmpd.port), NAME, credential=SnmpCommunity(2, Secret("wrong")))

    assert isinstance(raised.value, TimeoutError)


@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
def test_an_agent_that_says_nothing_is_silent(credential: SnmpCredential) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))

        with pytest.raises(Silent):
            walk(Endpoint("127.0.0.1", mute.getsockname()[1]), credential=credential)


@pytest.mark.parametrize("credential", [V2C, V3], ids=["v2c", "v3"])
def test_a_closed_port_refuses_at_once(credential: SnmpCredential) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    with pytest.raises(Refused, match="nothing listens"):
        get(Endpoint("127.0.0.1", port), NAME, credential=credential, limits=SnmpLimits(timeout_s=30))


def test_a_name_that_nobody_knows_is_silent() -> None:
    with pytest.raises(Silent, match="no address"):
        get(Endpoint("no such name", 161), NAME)


def test_an_answer_from_another_address_is_not_taken() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.bind(("127.0.0.1", 0))

            def serve() -> None:
                data, client = asked.recvfrom(65535)
                pdu = Pdu(RESPONSE, decode_message(data).pdu.request_id, varbinds=((NAME, b"liar"),))
                other.sendto(encode_message(Message(2, COMMUNITY.encode(), pdu)), client)

            thread = threading.Thread(target=serve)
            thread.start()
            with pytest.raises(Silent):
                get(Endpoint("127.0.0.1", asked.getsockname()[1]), NAME)
            thread.join()


def test_an_answer_to_another_question_is_not_taken() -> None:
    def late(pdu: Pdu) -> Pdu:
        return Pdu(RESPONSE, pdu.request_id + 1, varbinds=((NAME, b"late"),))

    with agent(late) as endpoint, pytest.raises(Silent):
        get(endpoint, NAME)


@pytest.mark.parametrize(
    "data",
    [b"garbage", b"", bytes(60), b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x02\x01\x01\x00\x00"],
    ids=["text", "nothing", "zeros", "length beyond the end", "indefinite length"],
)
def test_garbage_is_garbled(data: bytes) -> None:
    with agent(lambda _: data) as endpoint, pytest.raises(Garbled):
        walk(endpoint)


def test_a_readable_answer_after_garbage_is_taken() -> None:
    with agent(lambda _: b"garbage", says((NAME, b"x"))) as endpoint:
        found = get(endpoint, NAME, limits=SnmpLimits(timeout_s=0.3, retries=1))

    assert found == {NAME: b"x"}


def test_a_lost_request_is_sent_again() -> None:
    with agent(lambda _: None, says((NAME, b"x"))) as endpoint:
        found = get(endpoint, NAME, limits=SnmpLimits(timeout_s=0.2, retries=1))

    assert found == {NAME: b"x"}


def test_an_agent_that_stops_answering_has_timed_out() -> None:
    with agent(says((NAME, b"x")), lambda _: None) as endpoint, closing(open_snmp(endpoint, V2C, QUICK)) as snmp:
        snmp.get([NAME])

        with pytest.raises(TimedOut) as raised:
            snmp.get([NAME])

    assert isinstance(raised.value, TimeoutError)


def test_a_slow_agent_is_walked_within_the_deadline() -> None:
    """Each answer comes in time, and yet the table would take for ever."""
    ends = iter(range(1, 100))

    def next_row(pdu: Pdu) -> Pdu:
        return Pdu(RESPONSE, pdu.request_id, varbinds=rows(next(ends)))

    with agent(next_row, delay_s=0.1) as endpoint:
        walked = walk(endpoint, limits=SnmpLimits(timeout_s=5, walk_deadline_s=1))

    count = len(walked.rows)
    assert 1 <= count < 12
    assert (walked.rows, walked.complete) == (rows(*range(1, count + 1)), False)
    assert (walked.reason or "").startswith(f"cut short after 1.3.6.1.4.1.99999.{count}: ")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([says(*rows(1, 2)), says(*rows(3), (NEXT, 0)), says((NEXT, 0))], Walk(rows(1, 2, 3))),
        ([says(*rows(1, 2), END), says(END)], Walk(rows(1, 2))),
        ([says((NEXT, 0))], Walk(())),
        (
            [says(*rows(1, 2)), says(*rows(2, 3))],
            Walk(rows(1, 2), complete=False, reason="1.3.6.1.4.1.99999.2 came after 1.3.6.1.4.1.99999.2: "),
        ),
        (
            [says(*rows(5, 4))],
            Walk(rows(5), complete=False, reason="1.3.6.1.4.1.99999.4 came after 1.3.6.1.4.1.99999.5: "),
        ),
        (
            [says(((1, 3, 6, 1, 2), 1))],
            Walk((), complete=False, reason="1.3.6.1.2 came after 1.3.6.1.4.1.99999: "),
        ),
        ([says(*rows(1)), says()], Walk(rows(1), complete=False, reason="an empty response")),
        (
            [says(*rows(1)), says(error=ErrorStatus.GEN_ERR)],
            Walk(rows(1), complete=False, reason="answers gen err"),
        ),
        ([says(*rows(1)), lambda _: b"garbage"], Walk(rows(1), complete=False, reason="not readably")),
        ([says(*rows(1)), lambda _: None], Walk(rows(1), complete=False, reason="did not answer in time")),
        (
            [says(*rows(1), ((*ROOT, 2), Absent.NO_SUCH_INSTANCE)), says(((*ROOT, 2), Absent.NO_SUCH_INSTANCE))],
            Walk(rows(1), complete=False, reason="without a value"),
        ),
        ([says(*rows(1, 2, 3, 4, 5, 6))], Walk(rows(1, 2, 3, 4, 5), complete=False, reason="more than 5 rows")),
    ],
    ids=[
        "the next table",
        "the end of the view",
        "nothing there",
        "the same OID again",
        "an OID that decreases",
        "an OID before the table",
        "an empty response",
        "an error",
        "garbage",
        "silence",
        "a row without a value",
        "too many rows",
    ],
)
def test_the_end_of_a_table_is_told_from_its_being_cut_short(answers: list[Answer], expected: Walk) -> None:
    with agent(*answers) as endpoint:
        walked = walk(endpoint, limits=SnmpLimits(timeout_s=0.2, retries=0, max_rows=5))

    assert (walked.rows, walked.complete) == (expected.rows, expected.complete)
    assert (expected.reason or "") in (walked.reason or "")


def test_an_error_before_any_row_is_raised() -> None:
    with agent(says(error=ErrorStatus.GEN_ERR)) as endpoint, pytest.raises(Refused, match="gen err"):
        walk(endpoint)


def test_the_end_of_a_table_in_v1_is_no_such_name() -> None:
    with agent(says(*rows(1)), says(error=ErrorStatus.NO_SUCH_NAME, index=1), version=1) as endpoint:
        walked = walk(endpoint, credential=V1)

    assert walked == Walk(rows(1))


def test_an_answer_that_would_be_too_big_is_asked_for_in_parts() -> None:
    oids = [oid for oid, _ in rows(*range(1, 8))]
    with agent(lambda pdu: _few(pdu) if pdu.kind == GET else _page(pdu)) as endpoint:
        found, walked = get(endpoint, *oids), walk(endpoint)

    assert found == dict(rows(*range(1, 8)))
    assert walked == Walk(rows(*range(1, 8)))


def _few(pdu: Pdu) -> Pdu:
    """Two objects at a time; more are too big."""
    if len(pdu.varbinds) > 2:
        return Pdu(RESPONSE, pdu.request_id, ErrorStatus.TOO_BIG)
    return Pdu(RESPONSE, pdu.request_id, varbinds=tuple((oid, oid[-1]) for oid, _ in pdu.varbinds))


def _page(pdu: Pdu) -> Pdu:
    """Three rows of seven at a time; more are too big."""
    assert pdu.kind == GET_BULK
    if pdu.error_index > 3:  # max-repetitions
        return Pdu(RESPONSE, pdu.request_id, ErrorStatus.TOO_BIG)
    last = pdu.varbinds[0][0]
    table = [*rows(*range(1, 8)), (NEXT, 0)]
    following = [row for row in table if row[0] > last]
    return Pdu(RESPONSE, pdu.request_id, varbinds=tuple(following[: pdu.error_index]))


def test_an_object_that_fails_costs_the_get_its_error() -> None:
    with agent(says(error=ErrorStatus.GEN_ERR, index=1)) as endpoint, pytest.raises(Refused, match="gen err"):
        get(endpoint, NAME)


def test_no_secret_is_in_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", mute.getsockname()[1])

        with pytest.raises(TransportError) as raised:
            get(endpoint, NAME, credential=SnmpCommunity(2, Secret("swordfish")))

    assert "swordfish" not in repr(raised.value) + str(raised.value)
