"""The agents, asked by an SNMP implementation that shares no code with them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface

import pytest

from discovery.transport.base import (
    Auth,
    CredentialRefused,
    Endpoint,
    Priv,
    Refused,
    Secret,
    Silent,
    SnmpCommunity,
    SnmpCredential,
    SnmpLimits,
    SnmpUser,
    TimedOut,
    TransportError,
    Walk,
    parse_oid,
)
from discovery.transport.snmp import open_snmp
from lab import REFUSING, SILENT, Lab, Lie, lying, slow
from lab.access import COMMUNITY, V3_AUTH, V3_PRIV, V3_USER
from lab.description import Device
from lab.site import SITE

SYS_NAME = parse_oid("1.3.6.1.2.1.1.5.0")
OCTETS = "1.3.6.1.2.1.31.1.1.1.6"  # ifHCInOctets
QUICK = SnmpLimits(timeout_s=0.3, retries=0)
SPEAKING = [device for device in SITE.devices if device.snmp is not None]


def credential(device: Device, auth: str = V3_AUTH, priv: str = V3_PRIV, user: str = V3_USER) -> SnmpCredential:
    match device.snmp:
        case "v1":
            return SnmpCommunity(1, Secret(COMMUNITY))
        case "v2c":
            return SnmpCommunity(2, Secret(COMMUNITY))
        case _:
            return SnmpUser(user, Auth.SHA256, Secret(auth), Priv.AES128, Secret(priv))


def get_name(lab: Lab, name: str, limits: SnmpLimits = QUICK, with_credential: SnmpCredential | None = None) -> bytes:
    session = open_snmp(
        Endpoint(lab.dial(name), lab.snmp_port), with_credential or credential(lab.site.device(name)), limits
    )
    try:
        value = session.get([SYS_NAME])[SYS_NAME]
    finally:
        session.close()
    assert isinstance(value, bytes)
    return value


def walk(lab: Lab, name: str, root: str, limits: SnmpLimits | None = None) -> Walk:
    device = lab.site.device(name)
    session = open_snmp(Endpoint(lab.dial(name), lab.snmp_port), credential(device), limits or SnmpLimits())
    try:
        return session.walk(parse_oid(root))
    finally:
        session.close()


@pytest.mark.parametrize("device", SPEAKING, ids=[device.id for device in SPEAKING])
def test_each_device_answers_in_its_own_version_with_its_own_name(lab: Lab, device: Device) -> None:
    assert get_name(lab, device.id, SnmpLimits()) == device.sys_name.encode()


def test_a_walk_of_everything_is_complete_and_in_order(lab: Lab) -> None:
    found = walk(lab, "core1", "1.3.6.1")

    oids = [oid for oid, _ in found.rows]
    assert found.complete
    assert oids == sorted(set(oids))
    assert len(oids) > 500


def test_a_walk_over_version_3_equals_what_the_device_holds(lab: Lab) -> None:
    names = [value for _, value in walk(lab, "fcsw2", "1.3.6.1.2.1.31.1.1.1.1").rows]

    assert names == [port.name.encode() for port in sorted(SITE.device("fcsw2").ports, key=lambda port: port.index)]


def test_the_old_card_is_walked_in_version_1(lab: Lab) -> None:
    assert [value for _, value in walk(lab, "ups2", "1.3.6.1.2.1.33.1.1.2").rows] == [b"9PX 6000i"]


def test_a_device_that_answers_at_two_addresses_says_the_same(lab: Lab) -> None:
    session = open_snmp(Endpoint("127.210.1.252", lab.snmp_port), credential(SITE.device("core1")))

    assert session.get([SYS_NAME]) == {SYS_NAME: b"core1.dc.example"}
    session.close()


@pytest.mark.parametrize(
    "wrong",
    [{"auth": "not the password"}, {"priv": "not the password"}, {"user": "nobody"}],
    ids=lambda row: next(iter(row)),
)
def test_version_3_tells_wrong_users_and_passwords_apart(lab: Lab, wrong: dict[str, str]) -> None:
    with pytest.raises(CredentialRefused) as caught:
        get_name(lab, "fw1", SnmpLimits(), credential(SITE.device("fw1"), **wrong))

    assert next(iter(wrong)).removesuffix("user") in str(caught.value)


def test_a_wrong_community_is_silence(lab: Lab) -> None:
    with pytest.raises(Silent):
        get_name(lab, "acc1", QUICK, SnmpCommunity(2, Secret("wrong")))


def test_a_silent_device_says_nothing_and_comes_back(lab: Lab) -> None:
    lab.set_behaviour("acc3", SILENT)
    with pytest.raises(Silent):
        get_name(lab, "acc3")

    lab.restore()
    assert get_name(lab, "acc3") == b"acc3.dc.example"


def test_a_refusing_device_is_told_apart_from_a_silent_one(lab: Lab) -> None:
    lab.set_behaviour("acc3", REFUSING)

    with pytest.raises(Refused):
        get_name(lab, "acc3")


def test_the_silent_address_is_silent(lab: Lab) -> None:
    session = open_snmp(Endpoint("127.210.1.200", lab.snmp_port), SnmpCommunity(2, Secret(COMMUNITY)), QUICK)

    with pytest.raises(Silent):
        session.get([SYS_NAME])
    session.close()


def test_a_slow_device_answers_who_waits(lab: Lab) -> None:
    lab.set_behaviour("acc3", slow(0.6))

    with pytest.raises(TransportError):
        get_name(lab, "acc3")
    assert get_name(lab, "acc3", SnmpLimits(timeout_s=5)) == b"acc3.dc.example"


def test_a_truncated_walk_gives_fewer_rows(lab: Lab) -> None:
    whole = walk(lab, "acc3", "1.3.6.1.2.1")
    lab.set_behaviour("acc3", lying(Lie.TRUNCATED))

    assert len(walk(lab, "acc3", "1.3.6.1.2.1").rows) < len(whole.rows)


def test_a_looping_walk_is_noticed(lab: Lab) -> None:
    lab.set_behaviour("acc3", lying(Lie.LOOPING))

    found = walk(lab, "acc3", "1.3.6.1.2.1.2")

    assert not found.complete


@pytest.mark.parametrize("lie", [Lie.GARBAGE, Lie.STRANGER])
def test_noise_and_replies_to_others_are_no_answer(lab: Lab, lie: Lie) -> None:
    lab.set_behaviour("acc3", lying(lie))

    with pytest.raises((Silent, TimedOut, TransportError)):
        get_name(lab, "acc3")


def test_octets_go_up_with_the_time(lab: Lab) -> None:
    before, after = ([number for _, number in walk(lab, "acc4", OCTETS).rows if isinstance(number, int)] for _ in "12")

    assert len(before) == len(after) == len(SITE.device("acc4").ports)
    assert all(first <= second for first, second in zip(before, after, strict=True))


def test_every_address_that_a_device_holds_stands_in_its_tables(lab: Lab) -> None:
    held = {
        tuple(IPv4Interface(port.address).ip.packed) for port in SITE.device("core1").ports if port.address is not None
    }

    assert {oid[-4:] for oid, _ in walk(lab, "core1", "1.3.6.1.2.1.4.20.1.1").rows} == held


def test_a_device_can_become_another_and_is_itself_again(lab: Lab) -> None:
    lab.change("acc4", lambda device: replace(device, location="moved to the cellar"))
    changed = walk(lab, "acc4", "1.3.6.1.2.1.1.6").rows

    lab.restore()

    assert [value for _, value in changed] == [b"moved to the cellar"]
    assert [value for _, value in walk(lab, "acc4", "1.3.6.1.2.1.1.6").rows] == [b"D020105-001"]
