"""`cmdb token`, `cmdb credential` and `cmdb host-key`: who may come in, and with what the scanners go out."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import Exit, emit, fail, reason, say, table
from api.cli.session import JSON, opened

tokens = typer.Typer(help="API tokens.", no_args_is_help=True)
credentials = typer.Typer(help="Credentials of the scanners, sealed at rest.", no_args_is_help=True)
host_keys = typer.Typer(help="SSH host keys that scans know.", no_args_is_help=True)

NAME = Annotated[str, typer.Argument(help="its name")]


@tokens.command("create")
def create_token(
    name: NAME,
    *,
    role: Annotated[str, typer.Option(help="reader, operator or admin")],
    days: Annotated[int, typer.Option(min=0, help="how many days it lives; 0: it never expires")] = 365,
) -> None:
    """Make a token and print it, this once."""
    with opened() as services:
        text = services.tokens.create(name, role, timedelta(days=days) if days else None)
    sys.stdout.write(text + "\n")


@tokens.command("list")
def list_tokens(*, as_json: JSON = False) -> None:
    """List the tokens; their texts are not kept."""
    with opened() as services:
        rows = services.tokens.all()
    columns = ("name", "role", "created", "expires", "revoked", "last_used")
    found = [{column: _shown(getattr(row, column)) for column in columns} for row in rows]
    if as_json:
        emit(found)
    else:
        table(columns, [row.values() for row in found])


@tokens.command("revoke")
def revoke_token(name: NAME) -> None:
    """End a token, and the sessions that came from it."""
    with opened() as services:
        services.tokens.revoke(name)
    say(f"token {name!r} is revoked")


@credentials.command("add")
def add_credential(
    name: NAME,
    *,
    kind: Annotated[str, typer.Option(help="snmp-v1, snmp-v2c, snmp-v3, ssh-password or ssh-key")],
    networks: Annotated[list[str], typer.Option("--for", help="a network that it is for (CIDR); may be repeated")],
    user: Annotated[str | None, typer.Option(help="for snmp-v3 and ssh")] = None,
    auth: Annotated[str, typer.Option(help="snmp-v3: none, md5, sha1, sha224, sha256, sha384 or sha512")] = "sha256",
    priv: Annotated[str, typer.Option(help="snmp-v3: none, des, aes128, aes192 or aes256")] = "aes128",
    sudo: Annotated[bool, typer.Option("--sudo", help="ssh: commands that need root may run with sudo -n")] = False,
    legacy: Annotated[bool, typer.Option("--legacy", help="ssh: old key exchanges and host keys may be used")] = False,
    secret_file: Annotated[Path | None, typer.Option(help="a file with the secret; else a prompt, or stdin")] = None,
    space: Annotated[str | None, typer.Option(help="only in this address space")] = None,
    position: Annotated[int | None, typer.Option(min=1, help="tried in this place among all; else last")] = None,
) -> None:
    """Enter a credential. Its secret comes from a prompt, --secret-file or standard input, never from an argument.

    snmp-v3: two lines, authentication and privacy. ssh-key: the key's text.
    """
    from discovery.transport.base import Auth, Priv, Secret
    from operations.credentials import Options

    if auth not in set(Auth):
        fail(Exit.BAD_INPUT, f"--auth {auth!r}: known are {', '.join(Auth)}")
    if priv not in set(Priv):
        fail(Exit.BAD_INPUT, f"--priv {priv!r}: known are {', '.join(Priv)}")
    secret = Secret(_secret(kind, secret_file))
    options = Options(user, Auth(auth), Priv(priv), sudo=sudo, legacy=legacy)
    with opened() as services:
        row = services.credentials.add(name, kind, networks, secret, options, space=space, position=position)
    say(f"credential {row.name!r} ({row.kind}) is stored for {', '.join(row.networks)}")


def _secret(kind: str, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fail(Exit.BAD_INPUT, f"--secret-file {file} cannot be read: {reason(error)}")
    if not sys.stdin.isatty():
        return sys.stdin.read()
    import getpass

    if kind == "snmp-v3":
        return f"{getpass.getpass('Authentication: ')}\n{getpass.getpass('Privacy: ')}"
    if kind == "ssh-key":
        say("Paste the key; end with Ctrl-D.")
        return sys.stdin.read()
    return getpass.getpass("Secret: ")


@credentials.command("list")
def list_credentials(*, as_json: JSON = False) -> None:
    """List the credentials in the order in which they are tried; secrets are never shown."""
    with opened() as services:
        rows = services.credentials.all()
    found = [
        {
            "name": row.name,
            "kind": row.kind.value,
            "networks": list(row.networks),
            "space": row.space,
            "user": row.options.user,
            "sudo": row.options.sudo,
            "position": row.position,
        }
        for row in rows
    ]
    if as_json:
        emit(found)
    else:
        drawn = [(r["name"], r["kind"], ", ".join(row.networks), r["user"]) for r, row in zip(found, rows, strict=True)]
        table(("name", "kind", "for", "user"), drawn)


@credentials.command("remove")
def remove_credential(name: NAME) -> None:
    """Remove a credential."""
    with opened() as services:
        services.credentials.remove(name)
    say(f"credential {name!r} is removed")


ADDRESS = Annotated[str, typer.Argument(help="an address as it is dialled")]


@host_keys.command("add")
def add_host_key(
    address: ADDRESS,
    key: Annotated[
        str | None, typer.Argument(help="'ssh-ed25519 AAAA…', as in a .pub file; else standard input")
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=1, max=65535)] = 22,
    space: Annotated[str, typer.Option()] = "default",
) -> None:
    """Enter the key of a host, for who does not trust the first one that is shown."""
    with opened() as services:
        entered = services.host_keys(space).enter(address, port, sys.stdin.read() if key is None else key)
    say(f"{address} port {port}: {entered.kind} {entered.fingerprint} is accepted")


@host_keys.command("list")
def list_host_keys(*, as_json: JSON = False) -> None:
    """List the host keys that scans know."""
    from cmdb.model import DEFAULT_SPACE

    with opened() as services:
        rows = services.host_keys(DEFAULT_SPACE).all()
    columns = ("space", "address", "port", "kind", "fingerprint", "added", "origin")
    found = [{column: _shown(getattr(row, column)) for column in columns} for row in rows]
    if as_json:
        emit(found)
    else:
        table(columns, [row.values() for row in found])


@host_keys.command("forget")
def forget_host_key(
    address: ADDRESS,
    *,
    port: Annotated[int | None, typer.Option()] = None,
    space: Annotated[str, typer.Option()] = "default",
) -> None:
    """Forget the keys of an address that has new ones for a good reason; the next scan stores what it meets."""
    with opened() as services:
        forgotten = services.host_keys(space).forget(address, port)
    say(f"{len(forgotten)} host keys of {address} are forgotten")


def _shown(value: object) -> object:
    from datetime import datetime

    from cmdb.codec import time_out

    return time_out(value) if isinstance(value, datetime) else value
