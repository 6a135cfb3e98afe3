"""`cmdb record`: what is written down holds no name, serial, address or key of the device, and still joins."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from discovery.anonymise import anonymise
from discovery.facts import Neighbour
from discovery.family import load_families
from discovery.record import NothingRecorded, Recording, record
from discovery.replay import replay
from discovery.targets import read_targets
from discovery.transport.base import Output
from discovery.transport.replies import Replies, read_replies
from tests.discovery.parts import Credentials, Keys, Network, community, only_ssh, password, recorded

FAMILIES = load_families()
SWITCH = recorded("arista_eos", "dcs_7050sx3_48yc8")
HOST = recorded("linux", "dell_database")
KEY = b"a key of the tests"


def of(replies: Replies, key: bytes = KEY) -> Recording:
    credentials = Credentials([("0.0.0.0/0", community()), ("0.0.0.0/0", password("login"))])
    network = Network({"192.0.2.1": replies})
    return record(read_targets(["192.0.2.1"]), credentials, Keys(), network, key, FAMILIES)


def telling(replies: Replies) -> set[str]:
    """Identifiers, names and addresses of a device and its neighbours, as discovery found them."""
    found: set[str] = set()
    for section in replay(replies, FAMILIES).sections:
        for statement in section.statements:
            found |= {identifier.value for identifier in statement.about.identifiers}
            found |= {statement.about.name or ""}
            found |= {part.name for part in statement.components if part.kind in {"address", "fc_port"}}
        for relation in section.relations:
            found |= {identifier.value for identifier in relation.target.identifiers}
            found |= {relation.target.name or "", relation.target.address or ""}
    return found - {""}


@pytest.mark.parametrize("replies", [SWITCH, only_ssh(HOST)], ids=["switch", "host"])
def test_a_recording_holds_nothing_that_tells_the_device_apart(replies: Replies) -> None:
    made = of(replies)

    assert [] == sorted(value for value in telling(replies) if value in made.replies or value in made.expected)


def test_a_recording_is_recognised_and_expects_what_it_gives(tmp_path: Path) -> None:
    made = of(SWITCH)

    folder = made.write(tmp_path)

    assert folder == tmp_path / "arista_eos" / "dcs_7050sx3_48yc8"
    again = read_replies((folder / "replies.yaml").read_text(), "replies.yaml")
    assert [len(section.relations) for section in replay(SWITCH, FAMILIES).sections] == [
        len(section.relations) for section in replay(again, FAMILIES).sections
    ]


def test_the_same_device_has_the_same_stand_in_in_two_recordings() -> None:
    """Joins survive: the host's MAC as its switch heard it is the host's MAC as it says itself."""
    host, switch = recorded("linux", "dell_without_root"), SWITCH
    common = telling(host) & telling(switch)

    swapped = telling(read_replies(of(only_ssh(host)).replies, "host")) & telling(
        read_replies(of(switch).replies, "sw")
    )

    assert common
    assert len(common) == len(swapped)
    assert common.isdisjoint(swapped)


def test_without_the_key_nobody_gets_the_same_stand_ins() -> None:
    assert telling(read_replies(of(SWITCH).replies, "one")).isdisjoint(
        telling(read_replies(of(SWITCH, b"another key").replies, "two"))
    )


def test_a_placeholder_stays_one() -> None:
    placeholder = recorded("linux", "supermicro_without_lldpd")

    assert "To be filled by O.E.M." in of(only_ssh(placeholder)).replies


def test_addresses_that_only_a_denied_command_printed_are_swapped_too() -> None:
    denied = Replies()
    denied.shell["ss"] = Output(b"ESTAB 0 0 198.51.100.7:1 203.0.113.9:2 00:aa:bb:cc:dd:ee", denied=True)

    text = anonymise(denied, [Neighbour("x")], KEY).shell["ss"].text

    assert not any(known in text for known in ("198.51.100", "203.0.113", "cc:dd:ee"))
    assert text.startswith("ESTAB 0 0 10.")


def test_a_recording_holds_no_secret() -> None:
    told = Replies(shell=dict(HOST.shell), ssh=HOST.ssh)
    told.shell["cat /etc/os-release"] = Output(b'NAME="x"\nX_TOKEN=hunter2\nVARIANT=right\n')

    made = of(only_ssh(told))

    assert "hunter2" not in made.replies
    assert re.search(r"\bright\b", made.replies) is None


def test_a_silent_address_gives_nothing_to_record() -> None:
    network = Network({})

    with pytest.raises(NothingRecorded, match=r"192\.0\.2\.1 is silent"):
        record(read_targets(["192.0.2.1"]), Credentials(()), Keys(), network, KEY, FAMILIES)
