"""Tokens, credentials and host keys: secrets go in without being an argument, and never come out."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from api.settings import load
from api.wiring import Services
from discovery.transport.base import SnmpCommunity, SnmpUser, SshKey, SshPassword
from tests.cli.conftest import Cmdb
from tests.fixtures.sshd import SshKey as KeyPair


def test_creating_a_token_prints_it_alone(cmdb: Cmdb) -> None:
    done = cmdb("token", "create", "feed", "--role", "reader")

    services = Services(load())
    token = services.tokens.verify(done.out.removesuffix("\n"))
    services.close()
    assert (done.code, done.err, done.out.count("\n")) == (0, "", 1)
    assert token is not None
    assert (token.name, token.role) == ("feed", "reader")


def test_a_token_of_a_taken_name_is_refused_and_a_revoked_one_is_listed_as_such(cmdb: Cmdb) -> None:
    text = cmdb("token", "create", "feed", "--role", "admin", "--days", "0").out.strip()

    again = cmdb("token", "create", "feed", "--role", "reader")
    revoked = cmdb("token", "revoke", "feed")
    listed = cmdb("token", "list", "--json")

    assert (again.code, again.out) == (4, "")
    assert (revoked.code, revoked.err) == (0, "token 'feed' is revoked\n")
    assert text not in listed.out
    assert [
        (row["name"], row["role"], row["expires"], row["revoked"] is None, row["last_used"]) for row in listed.json
    ] == [("feed", "admin", None, False, None)]


def test_credentials_come_from_standard_input_or_a_file_and_are_sealed(
    cmdb: Cmdb, home: Path, ssh_key: KeyPair
) -> None:
    file = home / "key"
    file.write_text(ssh_key.private)

    codes = [
        cmdb("credential", "add", "old", "--kind", "snmp-v2c", "--for", "10.0.0.0/8", stdin="s3cret-community\n").code,
        cmdb(
            "credential", "add", "new", "--kind", "snmp-v3", "--for", "10.0.0.0/8", "--for", "192.168.0.0/16",
            "--user", "observer", "--auth", "sha256", "--priv", "aes128", "--position", "1",
            stdin="s3cret-authentication\ns3cret-privacy\n",
        ).code,
        cmdb("credential", "add", "word", "--kind", "ssh-password", "--for", "10.0.0.0/8", "--user", "me", "--sudo",
             stdin="s3cret-password\n").code,
        cmdb("credential", "add", "key", "--kind", "ssh-key", "--for", "10.0.0.0/8", "--user", "me",
             "--secret-file", str(file)).code,
    ]  # fmt: skip
    listed = cmdb("credential", "list", "--json")
    shown = cmdb("credential", "list")

    services = Services(load())
    book = services.credentials.book()
    opened = {
        one.name: one.credential
        for protocol in ("snmp", "ssh")
        for one in book.candidates("default", "10.0.0.1", protocol)
    }
    services.close()
    assert codes == [0, 0, 0, 0]
    assert [(row["name"], row["kind"], row["networks"], row["user"], row["sudo"]) for row in listed.json] == [
        ("new", "snmp-v3", ["10.0.0.0/8", "192.168.0.0/16"], "observer", False),
        ("old", "snmp-v2c", ["10.0.0.0/8"], None, False),
        ("word", "ssh-password", ["10.0.0.0/8"], "me", True),
        ("key", "ssh-key", ["10.0.0.0/8"], "me", False),
    ]
    assert {name: type(credential) for name, credential in opened.items()} == {
        "new": SnmpUser, "old": SnmpCommunity, "word": SshPassword, "key": SshKey,
    }  # fmt: skip
    assert "s3cret" not in listed.out + shown.out
    assert all(b"s3cret" not in path.read_bytes() for path in (home / "store").iterdir())
    assert stat.S_IMODE((home / "store" / "cmdb.key").stat().st_mode) == 0o600


def test_a_removed_credential_is_gone(cmdb: Cmdb) -> None:
    cmdb("credential", "add", "old", "--kind", "snmp-v2c", "--for", "10.0.0.0/8", stdin="public\n")

    removed = cmdb("credential", "remove", "old")
    again = cmdb("credential", "remove", "old")

    assert (removed.code, again.code) == (0, 3)
    assert cmdb("credential", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        pytest.param(
            ("--kind", "snmp-v9"),
            "public\n",
            "no such kind of credential: 'snmp-v9'; it is one of snmp-v1, snmp-v2c, snmp-v3, ssh-password, ssh-key",
            id="a kind",
        ),
        pytest.param(("--kind", "snmp-v2c"), "", "the secret is empty", id="no secret"),
        pytest.param(
            ("--kind", "snmp-v3", "--user", "u"),
            "one-line-alone\n",
            "the secret of an snmp-v3 credential with auth sha256 and priv aes128 has 2 lines: "
            "authentication, privacy; got 1",
            id="one line of two",
        ),
        pytest.param(
            ("--kind", "snmp-v3", "--user", "u", "--auth", "sha9"),
            "a\nb\n",
            "--auth 'sha9': known are none, md5, sha1, sha224, sha256, sha384, sha512",
            id="an algorithm",
        ),
        pytest.param(
            ("--kind", "ssh-key", "--user", "u"),
            "ssh-ed25519 AAAA\n",
            "the secret of an ssh-key credential is the text of a private key file (OpenSSH or PEM)",
            id="a public key",
        ),
        pytest.param(
            ("--kind", "ssh-password"), "word\n", "a credential of kind ssh-password needs a user", id="no user"
        ),
        pytest.param(
            ("--kind", "ssh-password", "--user", "u", "--secret-file", "none"),
            "",
            "--secret-file none cannot be read: No such file or directory",
            id="no such file",
        ),
    ],
)
def test_a_credential_that_cannot_be_one_is_refused_without_quoting_the_secret(
    cmdb: Cmdb, arguments: tuple[str, ...], stdin: str, message: str
) -> None:
    done = cmdb("credential", "add", "x", "--for", "10.0.0.0/8", *arguments, stdin=stdin)

    assert (done.code, done.out, done.err) == (2, "", f"cmdb: {message}\n")
    assert cmdb("credential", "list", "--json").json == []


def test_no_option_of_a_credential_takes_a_secret(cmdb: Cmdb) -> None:
    options = {word for word in cmdb("credential", "add", "--help").out.split() if word.startswith("--")}

    assert options == {
        "--kind", "--for", "--user", "--auth", "--priv", "--sudo", "--legacy", "--secret-file", "--space",
        "--position", "--help",
    }  # fmt: skip


def test_host_keys_are_entered_listed_and_forgotten(cmdb: Cmdb, ssh_key: KeyPair) -> None:
    entered = cmdb("host-key", "add", "10.0.0.1", ssh_key.public)
    by_stdin = cmdb("host-key", "add", "10.0.0.1", "--port", "2222", "--space", "site-b", stdin=ssh_key.public)
    wrong = cmdb("host-key", "add", "10.0.0.2", "nonsense")

    listed = cmdb("host-key", "list", "--json").json
    forgotten = cmdb("host-key", "forget", "10.0.0.1")

    assert (entered.code, by_stdin.code, forgotten.code) == (0, 0, 0)
    assert (wrong.code, wrong.err) == (
        2,
        "cmdb: a host key is written as in a public key file: ssh-ed25519 AAAA…\n",
    )
    assert [(row["space"], row["address"], row["port"], row["kind"], row["origin"]) for row in listed] == [
        ("default", "10.0.0.1", 22, "ssh-ed25519", "entered"),
        ("site-b", "10.0.0.1", 2222, "ssh-ed25519", "entered"),
    ]
    assert [row["space"] for row in cmdb("host-key", "list", "--json").json] == ["site-b"]
