from __future__ import annotations

import json
import logging
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from discovery.ports import NamedCredential
from discovery.transport.base import Auth, Priv, Secret, SnmpCommunity, SnmpUser, SshKey, SshPassword
from operations.credentials import CredentialRow, Credentials, Kind, Options
from operations.database import Database
from operations.errors import AlreadyThere, KeyProblem, NotKnown, OperationsError
from operations.secrets import Vault, open_vault

if TYPE_CHECKING:
    from tests.operations.conftest import Hands

KEY_TEXT = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
SECRET = "s3cr3t-w0rd"


@pytest.fixture
def credentials(database: Database, tmp_path: Path, clock: Hands) -> Credentials:
    return Credentials(database, lambda: open_vault(tmp_path / "cmdb.key"), clock)


def add(
    credentials: Credentials, name: str, *networks: str, space: str | None = None, position: int | None = None
) -> None:
    credentials.add(name, Kind.SNMP_V2C, networks, Secret(name), space=space, position=position)


def names(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return [each.name for each in found]


def test_an_added_credential_is_listed_without_its_secret(credentials: Credentials, clock: Hands) -> None:
    added = credentials.add("core", "snmp-v2c", ["10.0.0.0/8", "192.0.2.1"], Secret(SECRET))

    assert added == CredentialRow(
        1, "core", Kind.SNMP_V2C, ("10.0.0.0/8", "192.0.2.1/32"), None, 1, Options(), clock.now
    )
    assert credentials.all() == [added]
    assert SECRET not in repr(added) + json.dumps(asdict(added), default=str)


@pytest.mark.parametrize(
    ("kind", "secret", "options", "expected"),
    [
        ("snmp-v1", "public\n", Options(), SnmpCommunity(1, Secret("public"))),
        ("snmp-v2c", " pub lic\r\n", Options(), SnmpCommunity(2, Secret(" pub lic"))),
        (
            "snmp-v3",
            "authpass1\nprivpass1\n",
            Options("u", Auth.SHA512, Priv.AES256),
            SnmpUser("u", Auth.SHA512, Secret("authpass1"), Priv.AES256, Secret("privpass1")),
        ),
        (
            "snmp-v3",
            "authpass1",
            Options("u", Auth.MD5, Priv.NONE),
            SnmpUser("u", Auth.MD5, Secret("authpass1"), Priv.NONE, Secret("")),
        ),
        ("ssh-password", "geheim\n", Options("root", sudo=True), SshPassword("root", Secret("geheim"), sudo=True)),
        ("ssh-key", KEY_TEXT, Options("root", legacy=True), SshKey("root", Secret(KEY_TEXT), Secret(""), legacy=True)),
    ],
    ids=["v1", "v2c", "v3", "v3 without privacy", "password", "key"],
)
def test_each_kind_comes_back_as_the_transport_takes_it(
    credentials: Credentials, kind: str, secret: str, options: Options, expected: SnmpCommunity | SnmpUser
) -> None:
    credentials.add("it", kind, ["10.0.0.0/8"], Secret(secret), options)

    found = credentials.book().candidates("default", "10.1.2.3", kind[:4].rstrip("-"))

    assert found == (NamedCredential("it", expected),)


def test_the_passphrase_of_a_key_comes_back(credentials: Credentials) -> None:
    credentials.add("it", "ssh-key", ["::/0"], Secret(KEY_TEXT), Options("root"), passphrase=Secret("open"))

    found = credentials.book().candidates("default", "2001:db8::1", "ssh")

    assert found == (NamedCredential("it", SshKey("root", Secret(KEY_TEXT), Secret("open"))),)


def test_the_most_specific_network_comes_first_then_peoples_order(credentials: Credentials) -> None:
    add(credentials, "everywhere", "0.0.0.0/0")
    add(credentials, "site", "10.0.0.0/8")
    add(credentials, "room", "10.0.0.0/8", "10.1.2.0/24")
    add(credentials, "site, too", "10.0.0.0/8")
    add(credentials, "elsewhere", "10.9.0.0/16")
    add(credentials, "first of the site", "10.0.0.0/8", position=1)

    found = credentials.book().candidates("default", "10.1.2.3", "snmp")

    assert names(found) == ["room", "first of the site", "site", "site, too", "everywhere"]


def test_a_credential_goes_to_its_own_protocol_and_space_only(credentials: Credentials) -> None:
    add(credentials, "both", "10.0.0.0/8")
    add(credentials, "second", "10.0.0.0/8", space="second")
    credentials.add("ssh", "ssh-password", ["10.0.0.0/8"], Secret("x"), Options("root"))
    book = credentials.book()

    found = {
        (space, protocol): names(book.candidates(space, "10.0.0.1", protocol))
        for space in ("default", "second")
        for protocol in ("snmp", "ssh")
    }

    assert found == {
        ("default", "snmp"): ["both"],
        ("second", "snmp"): ["both", "second"],
        ("default", "ssh"): ["ssh"],
        ("second", "ssh"): ["ssh"],
    }


def test_a_name_is_held_only_by_what_holds_everything(credentials: Credentials) -> None:
    add(credentials, "site", "10.0.0.0/8")
    add(credentials, "everywhere", "0.0.0.0/0")

    assert names(credentials.book().candidates("default", "host.example", "snmp")) == ["everywhere"]


def test_what_worked_is_remembered_for_the_next_run(credentials: Credentials) -> None:
    add(credentials, "old", "10.0.0.0/8")
    add(credentials, "new", "10.0.0.0/8")
    book = credentials.book()
    book.remember("default", "10.0.0.1", "snmp", "old")
    book.remember("default", "10.0.0.1", "snmp", "new")

    later = credentials.book()

    assert [later.last_good("default", "10.0.0.1", "snmp"), later.last_good("default", "10.0.0.2", "snmp")] == [
        "new",
        None,
    ]


def test_what_worked_is_forgotten_with_its_credential(credentials: Credentials) -> None:
    add(credentials, "old", "10.0.0.0/8")
    credentials.book().remember("default", "10.0.0.1", "snmp", "old")
    credentials.remove("old")

    assert (credentials.all(), credentials.book().last_good("default", "10.0.0.1", "snmp")) == ([], None)


def test_secrets_are_sealed_in_the_database(credentials: Credentials, database: Database, tmp_path: Path) -> None:
    credentials.add("core", "snmp-v2c", ["10.0.0.0/8"], Secret(SECRET))
    database.close()

    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert SECRET.encode() not in written


def test_secrets_are_never_in_repr_log_json_or_pickle(
    credentials: Credentials, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials.add("core", "snmp-v2c", ["10.0.0.0/8"], Secret(SECRET))
    found = credentials.book().candidates("default", "10.0.0.1", "snmp")
    logging.getLogger().warning("tried %s", found)

    assert SECRET not in repr(found) + str(found) + caplog.text
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps(found[0].credential)
    with pytest.raises(TypeError, match="cannot be serialised"):
        pickle.dumps(found)


@pytest.mark.parametrize("column", ["networks", "space", "name", "kind", "options"])
def test_a_secret_cannot_be_moved_under_other_networks(
    credentials: Credentials, database: Database, column: str
) -> None:
    changed = {
        "networks": '["0.0.0.0/0"]',
        "space": "other",
        "name": "b",
        "kind": "snmp-v1",
        "options": '{"user": "x"}',
    }
    credentials.add("a", "snmp-v2c", ["10.0.0.0/8"], Secret(SECRET))
    if column == "options":
        changed["options"] = database.rows("SELECT options FROM credentials")[0]["options"].replace("null", '"x"')
    with database.write() as writing:
        writing.run(f"UPDATE credentials SET {column} = :value", value=changed[column])  # noqa: S608 - our own words

    with pytest.raises(KeyProblem, match="cannot be opened"):
        credentials.book()


def test_another_key_is_refused_for_reading_and_adding(
    credentials: Credentials, database: Database, clock: Hands
) -> None:
    add(credentials, "a", "10.0.0.0/8")
    other = Credentials(database, lambda: Vault(bytes(32), "other.key"), clock)

    with pytest.raises(KeyProblem, match=r"the secret of credential 'a' cannot be opened with the key in other\.key"):
        other.book()
    with pytest.raises(KeyProblem, match=r"the key in other\.key is not the one that sealed 'a'"):
        add(other, "b", "10.0.0.0/8")
    assert [row.name for row in other.all()] == ["a"]


def test_nothing_needs_the_key_until_a_secret_is_used(database: Database, clock: Hands) -> None:
    without = Credentials(database, lambda: pytest.fail("opened the vault"), clock)

    assert without.all() == []
    assert without.book().candidates("default", "10.0.0.1", "snmp") == ()


@pytest.mark.parametrize(
    ("kind", "networks", "secret", "options", "message"),
    [
        ("telnet", ["10.0.0.0/8"], "x", Options(), "no such kind of credential: 'telnet'"),
        ("snmp-v2c", [], "x", Options(), "is for no network"),
        ("snmp-v2c", ["10.0.0.1/8"], "x", Options(), "'10.0.0.1/8' is no network: .* has host bits set"),
        ("snmp-v2c", ["ten"], "x", Options(), "'ten' is no network"),
        ("snmp-v2c", ["10.0.0.0/8"], "\n", Options(), "the secret is empty"),
        ("ssh-password", ["10.0.0.0/8"], "x", Options(), "needs a user"),
        ("ssh-key", ["10.0.0.0/8"], "x", Options("u"), "text of a private key file"),
        ("snmp-v3", ["10.0.0.0/8"], "only-one-line", Options("u"), "has 2 lines: authentication, privacy; got 1"),
        ("snmp-v3", ["10.0.0.0/8"], "short\nprivpass1", Options("u"), "at least 8 characters"),
        ("snmp-v3", ["10.0.0.0/8"], "a\nb", Options("u", Auth.NONE), "no privacy without authentication"),
    ],
    ids=["kind", "no network", "host bits", "word", "empty", "no user", "no key", "one line", "short", "no auth"],
)
def test_a_credential_that_makes_no_sense_is_refused(
    credentials: Credentials, kind: str, networks: list[str], secret: str, options: Options, message: str
) -> None:
    with pytest.raises(OperationsError, match=message):
        credentials.add("it", kind, networks, Secret(secret), options)
    assert credentials.all() == []


def test_a_name_is_taken_once(credentials: Credentials) -> None:
    add(credentials, "a", "10.0.0.0/8")

    with pytest.raises(AlreadyThere, match="there is a credential 'a' already"):
        add(credentials, "a", "10.0.0.0/8")


def test_removing_what_is_not_there_says_so(credentials: Credentials) -> None:
    with pytest.raises(NotKnown, match="there is no credential 'a'"):
        credentials.remove("a")
