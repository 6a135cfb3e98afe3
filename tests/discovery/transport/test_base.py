from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.transport.base import (
    Auth,
    CredentialRefused,
    Endpoint,
    Garbled,
    HostKey,
    HostKeyChanged,
    HostKeyUnknown,
    Oid,
    Output,
    Priv,
    Refused,
    Secret,
    Silent,
    SnmpCommunity,
    SnmpUser,
    SshPassword,
    TimedOut,
    TransportError,
    format_oid,
    parse_oid,
)

SECRET = Secret("swordfish")


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=128).map(tuple))
def test_an_oid_is_read_as_it_was_written(oid: Oid) -> None:
    assert parse_oid(format_oid(oid)) == parse_oid("." + format_oid(oid)) == oid


@pytest.mark.parametrize("text", ["", ".", "1..3", "1.3.", "1.-3", "1.3.x", "1.4294967296", "1.²", ".".join("1" * 129)])
def test_what_is_no_oid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an OID"):
        parse_oid(text)


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET:>20}",
        f"{SECRET!r}",
        "%s" % SECRET,  # noqa: UP031 that way, too
        repr(SnmpCommunity(2, SECRET)),
        repr(SshPassword("u", SECRET)),
        repr(SnmpUser("u", Auth.SHA1, SECRET, Priv.AES128, SECRET)),
        repr([SECRET]),
        json.dumps(asdict(SshPassword("u", SECRET)), default=str),
    ],
)
def test_a_secret_shows_stars(shown: str) -> None:
    assert "swordfish" not in shown
    assert "*****" in shown


def test_a_secret_cannot_be_serialised() -> None:
    with pytest.raises(TypeError):
        json.dumps(SECRET)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="cannot be serialised"):
            pickle.dumps(SshPassword("u", SECRET), protocol)


def test_a_secret_does_not_change() -> None:
    with pytest.raises(AttributeError):
        SECRET._text = "other"
    with pytest.raises(AttributeError):
        del SECRET._text
    assert copy.copy(SECRET) is copy.deepcopy(SECRET) is SECRET


def test_secrets_of_one_text_are_equal() -> None:
    assert (SECRET == Secret("swordfish"), SECRET == Secret("sword"), SECRET == "swordfish") == (True, False, False)
    assert {SECRET, Secret("swordfish"), Secret("ö")} == {SECRET, Secret("ö")}
    assert (bool(SECRET), bool(Secret("")), SECRET.reveal()) == (True, False, "swordfish")


def test_the_errors_are_a_tree() -> None:
    tree = {error: error.__bases__ for error in (Silent, TimedOut, Refused, Garbled)}
    refusals = {error: error.__bases__ for error in (CredentialRefused, HostKeyChanged, HostKeyUnknown)}

    assert tree == {
        Silent: (TransportError, TimeoutError),
        TimedOut: (TransportError, TimeoutError),
        Refused: (TransportError,),
        Garbled: (TransportError,),
    }
    assert set(refusals.values()) == {(Refused,)}


def test_privacy_needs_authentication() -> None:
    with pytest.raises(ValueError, match="no privacy without authentication"):
        SnmpUser("u", Auth.NONE, Secret(""), Priv.AES128, Secret("12345678"))


def test_a_short_pass_phrase_is_refused() -> None:
    with pytest.raises(ValueError, match="8 characters"):
        SnmpUser("u", Auth.SHA1, Secret("1234567"))


def test_a_fingerprint_is_written_as_openssh_does() -> None:
    """The empty blob: the SHA-256 of nothing."""
    assert HostKey("ssh-ed25519", b"").fingerprint == "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"


def test_an_endpoint_is_written_as_in_a_url() -> None:
    assert [str(Endpoint("10.0.0.1", 161)), str(Endpoint("fe80::1", 22))] == ["10.0.0.1:161", "[fe80::1]:22"]


def test_text_of_an_output_never_fails() -> None:
    assert Output(b"a\xffb").text == "a\ufffdb"
