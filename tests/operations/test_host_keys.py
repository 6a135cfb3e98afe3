from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from discovery.transport.base import HostKey, HostKeyChanged, HostKeyPolicy, HostKeys
from operations.database import Database
from operations.errors import NotKnown, OperationsError
from operations.host_keys import HostKeyStore, KnownKey

if TYPE_CHECKING:
    from tests.operations.conftest import Hands

ONE, OTHER = HostKey("ssh-ed25519", b"one"), HostKey("ssh-ed25519", b"other")


@pytest.fixture
def keys(database: Database, clock: Hands) -> HostKeyStore:
    return HostKeyStore(database, clock, HostKeyPolicy.PIN)


def test_a_pinned_key_is_known_at_its_endpoint_and_space_alone(
    keys: HostKeyStore, database: Database, clock: Hands
) -> None:
    elsewhere = HostKeyStore(database, clock, HostKeyPolicy.STRICT, "second")
    store: HostKeys = keys
    store.pin("10.0.0.1", 22, ONE)

    found = [
        tuple(known)
        for known in (
            store.known("10.0.0.1", 22),
            store.known("10.0.0.1", 2222),
            store.known("10.0.0.2", 22),
            elsewhere.known("10.0.0.1", 22),
        )
    ]

    assert found == [(ONE,), (), (), ()]
    assert (keys.policy, elsewhere.policy) == (HostKeyPolicy.PIN, HostKeyPolicy.STRICT)


def test_a_second_key_is_never_pinned_over_the_first(keys: HostKeyStore) -> None:
    keys.pin("10.0.0.1", 22, ONE)
    keys.pin("10.0.0.1", 22, ONE)

    with pytest.raises(HostKeyChanged, match=r"10\.0\.0\.1 port 22 shows two different host keys"):
        keys.pin("10.0.0.1", 22, OTHER)
    assert keys.known("10.0.0.1", 22) == (ONE,)


def test_the_list_says_whose_key_since_when_and_why(keys: HostKeyStore, clock: Hands) -> None:
    keys.pin("10.0.0.2", 22, ONE)
    entered = keys.enter("10.0.0.1", 22, f"ssh-rsa {base64.b64encode(b'rsa').decode()} root@host")

    assert keys.all() == [
        KnownKey("default", "10.0.0.1", 22, "ssh-rsa", entered.fingerprint, clock.now, "entered"),
        KnownKey("default", "10.0.0.2", 22, "ssh-ed25519", ONE.fingerprint, clock.now, "pinned"),
    ]


def test_a_forgotten_key_makes_room_for_the_next(keys: HostKeyStore) -> None:
    keys.pin("10.0.0.1", 22, ONE)
    keys.pin("10.0.0.1", 2222, ONE)
    keys.pin("10.0.0.2", 22, ONE)

    one_port = [key.port for key in keys.forget("10.0.0.1", 2222)]
    all_ports = [key.port for key in keys.forget("10.0.0.1")]
    keys.pin("10.0.0.1", 22, OTHER)

    assert (one_port, all_ports) == ([2222], [22])
    assert [(key.address, key.fingerprint) for key in keys.all()] == [
        ("10.0.0.1", OTHER.fingerprint),
        ("10.0.0.2", ONE.fingerprint),
    ]


def test_forgetting_what_is_not_known_says_so(keys: HostKeyStore) -> None:
    with pytest.raises(NotKnown, match=r"no host key is known for 10\.0\.0\.1 port 22 in address space 'default'"):
        keys.forget("10.0.0.1", 22)


@pytest.mark.parametrize("line", ["", "ssh-ed25519", "ssh-ed25519 ???"])
def test_what_is_no_key_is_not_entered(keys: HostKeyStore, line: str) -> None:
    with pytest.raises(OperationsError, match="written as in a public key file"):
        keys.enter("10.0.0.1", 22, line)


def test_entering_another_key_wants_the_first_forgotten(keys: HostKeyStore) -> None:
    keys.pin("10.0.0.1", 22, ONE)

    with pytest.raises(OperationsError, match="has another ssh-ed25519 key: forget that first"):
        keys.enter("10.0.0.1", 22, f"ssh-ed25519 {base64.b64encode(OTHER.blob).decode()}")
