"""Credentials: entered once, sealed at rest, bound to networks, tried in order; what worked where is remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from threading import Lock
from typing import Any

from cmdb.codec import time_in, time_out
from discovery.ports import NamedCredential
from discovery.transport.base import (
    Auth,
    Priv,
    Secret,
    SnmpCommunity,
    SnmpCredential,
    SnmpUser,
    SshCredential,
    SshKey,
    SshPassword,
)
from operations.database import Database, Row
from operations.errors import AlreadyThere, KeyProblem, NotKnown, OperationsError
from operations.secrets import Vault


class Kind(StrEnum):
    SNMP_V1 = "snmp-v1"
    SNMP_V2C = "snmp-v2c"
    SNMP_V3 = "snmp-v3"
    SSH_PASSWORD = "ssh-password"  # noqa: S105 - a kind, not a password
    SSH_KEY = "ssh-key"

    @property
    def protocol(self) -> str:
        return self.value.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Options:
    """What a credential says besides its secret. `auth` and `priv` are of SNMPv3; `sudo` and `legacy` of SSH."""

    user: str | None = None
    auth: Auth = Auth.SHA256
    priv: Priv = Priv.AES128
    sudo: bool = False
    legacy: bool = False


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential as it may be shown. `space` None: in every address space. `position`: people's order, from 1."""

    id: int
    name: str
    kind: Kind
    networks: tuple[str, ...]
    space: str | None
    position: int
    options: Options
    created: datetime


def build(
    kind: Kind, options: Options, secret: Secret, passphrase: Secret | None = None
) -> SnmpCredential | SshCredential:
    """The credential as the transports take it.

    The secret of snmp-v3 is two lines, authentication and privacy; of ssh-key the key's text. Raises OperationsError,
    which never quotes the secret.
    """
    text = secret.reveal()
    if not text.strip():
        raise OperationsError("the secret is empty")
    line = Secret(text.rstrip("\r\n"))
    if kind in {Kind.SNMP_V1, Kind.SNMP_V2C}:
        return SnmpCommunity(1 if kind is Kind.SNMP_V1 else 2, line)
    if not options.user:
        raise OperationsError(f"a credential of kind {kind} needs a user")
    if kind is Kind.SSH_PASSWORD:
        return SshPassword(options.user, line, options.sudo, options.legacy)
    if kind is Kind.SSH_KEY:
        if "PRIVATE KEY-----" not in text:
            raise OperationsError(
                "the secret of an ssh-key credential is the text of a private key file (OpenSSH or PEM)"
            )
        return SshKey(options.user, secret, passphrase or Secret(""), options.sudo, options.legacy)
    return _snmp_user(options, text.splitlines())


def _snmp_user(options: Options, lines: Sequence[str]) -> SnmpUser:
    needed = (options.auth != Auth.NONE) + (options.priv != Priv.NONE)
    given = [line for line in lines if line]
    if len(given) < needed:
        raise OperationsError(
            f"the secret of an snmp-v3 credential with auth {options.auth} and priv {options.priv} has {needed} lines: "
            f"authentication, privacy; got {len(given)}"
        )
    auth = Secret(given[0]) if options.auth != Auth.NONE else Secret("")
    priv = Secret(given[1]) if options.priv != Priv.NONE and len(given) > 1 else Secret("")
    try:
        return SnmpUser(options.user or "", options.auth, auth, options.priv, priv)
    except ValueError as error:
        raise OperationsError(str(error)) from error


class Credentials:
    """The credentials of the operations database. The vault is opened when a secret is needed, not before."""

    def __init__(self, database: Database, vault: Callable[[], Vault], clock: Callable[[], datetime]) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    def add(
        self,
        name: str,
        kind: Kind | str,
        networks: Iterable[str],
        secret: Secret,
        options: Options | None = None,
        *,
        passphrase: Secret | None = None,
        space: str | None = None,
        position: int | None = None,
    ) -> CredentialRow:
        """Seal and store a credential; it comes after the others unless `position` says where.

        Raises OperationsError (what is wrong with it), AlreadyThere, KeyProblem.
        """
        name, kind, options = name.strip(), _kind(kind), options or Options()
        if not name:
            raise OperationsError("a credential needs a name")
        bound = _networks(networks, name)
        build(kind, options, secret, passphrase)
        vault = self._vault()
        document = {"secret": secret.reveal(), "passphrase": passphrase.reveal() if passphrase else ""}
        said, where = json.dumps(_options_out(options)), json.dumps([str(network) for network in bound])
        try:
            with self._database.write() as writing:
                others = writing.rows("SELECT name FROM credentials WHERE key_id <> :key_id", key_id=vault.key_id)
                if others:
                    raise KeyProblem(
                        f"the key in {vault.origin} is not the one that sealed {others[0]['name']!r}: put the right "
                        "key back, or remove the credentials that it sealed"
                    )
                last = writing.rows("SELECT MAX(position) AS last FROM credentials")[0]["last"] or 0
                place = last + 1 if position is None else max(1, position)
                writing.run("UPDATE credentials SET position = position + 1 WHERE position >= :place", place=place)
                writing.run(
                    "INSERT INTO credentials (name, kind, options, networks, space, position, created, key_id, sealed)"
                    " VALUES (:name, :kind, :options, :networks, :space, :place, :created, :key_id, :sealed)",
                    name=name,
                    kind=kind.value,
                    options=said,
                    networks=where,
                    space=space,
                    place=place,
                    created=time_out(self._clock()),
                    key_id=vault.key_id,
                    sealed=vault.seal(Secret(json.dumps(document)), _bound_to(name, kind.value, said, where, space)),
                )
        except AlreadyThere as error:
            raise AlreadyThere(
                f"there is a credential {name!r} already: remove it first, or take another name"
            ) from error
        return next(row for row in self.all() if row.name == name)

    def all(self) -> list[CredentialRow]:
        """In people's order, without secrets."""
        return [_row(row) for row in self._database.rows("SELECT * FROM credentials ORDER BY position, id")]

    def remove(self, name: str) -> CredentialRow:
        """Remove a credential and what is remembered of it. Raises NotKnown."""
        with self._database.write() as writing:
            rows = writing.rows("SELECT * FROM credentials WHERE name = :name", name=name)
            if not rows:
                raise NotKnown(f"there is no credential {name!r}")
            writing.run("DELETE FROM credentials WHERE name = :name", name=name)
        return _row(rows[0])

    def book(self) -> CredentialBook:
        """The credentials as they are now, opened for one run. Raises KeyProblem."""
        rows = self._database.rows("SELECT * FROM credentials ORDER BY position, id")
        return CredentialBook(self._database, [_open(row, self._vault()) for row in rows], self._clock)


@dataclass(frozen=True, slots=True)
class _Bound:
    row: CredentialRow
    networks: tuple[IPv4Network | IPv6Network, ...]
    credential: SnmpCredential | SshCredential

    def width(self, space: str, address: str) -> int | None:
        """The prefix length of the narrowest network that holds the address; None where none does.

        A name that was never resolved is held by the networks that hold everything.
        """
        if self.row.space not in {None, space}:
            return None
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return 0 if any(network.prefixlen == 0 for network in self.networks) else None
        return max((n.prefixlen for n in self.networks if n.version == found.version and found in n), default=None)


class CredentialBook:
    """discovery's CredentialSource for one run: what is bound is fixed, what worked is remembered for the next."""

    def __init__(self, database: Database, bound: Sequence[_Bound], clock: Callable[[], datetime]) -> None:
        self._database = database
        self._bound = bound
        self._clock = clock
        self._lock = Lock()
        self._good: dict[tuple[str, str, str], str] = {
            (row["space"], row["address"], row["protocol"]): row["name"]
            for row in database.rows(
                "SELECT r.space, r.address, r.protocol, c.name FROM credential_results r"
                " JOIN credentials c ON c.id = r.credential"
            )
        }

    def candidates(self, space: str, address: str, protocol: str) -> Sequence[NamedCredential]:
        """Every credential whose networks hold the address: most specific network first, then in people's order."""
        fitting = [
            (-width, bound.row.position, bound)
            for bound in self._bound
            if bound.row.kind.protocol == protocol and (width := bound.width(space, address)) is not None
        ]
        fitting.sort(key=lambda found: found[:2])
        return tuple(NamedCredential(bound.row.name, bound.credential) for _, _, bound in fitting)

    def last_good(self, space: str, address: str, protocol: str) -> str | None:
        with self._lock:
            return self._good.get((space, address, protocol))

    def remember(self, space: str, address: str, protocol: str, name: str) -> None:
        """It worked there. Written once, not at each scan."""
        where = (space, address, protocol)
        with self._lock:
            if self._good.get(where) == name:
                return
            self._good[where] = name
        with self._database.write() as writing:
            writing.run(
                "INSERT INTO credential_results (space, address, protocol, credential, at)"
                " SELECT :space, :address, :protocol, id, :at FROM credentials WHERE name = :name"
                " ON CONFLICT (space, address, protocol)"
                " DO UPDATE SET credential = excluded.credential, at = excluded.at",
                space=space,
                address=address,
                protocol=protocol,
                at=time_out(self._clock()),
                name=name,
            )


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise OperationsError(f"no such kind of credential: {text!r}; it is one of {', '.join(Kind)}") from None


def _networks(texts: Iterable[str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    networks: list[IPv4Network | IPv6Network] = []
    for text in texts:
        try:
            network = ip_network(text.strip())
        except ValueError as error:
            raise OperationsError(f"credential {name!r}: {text!r} is no network: {error}") from error
        if network not in networks:
            networks.append(network)
    if not networks:
        raise OperationsError(f"credential {name!r} is for no network: name at least one, such as 10.1.0.0/16")
    return tuple(networks)


def _bound_to(name: str, kind: str, options: str, networks: str, space: str | None) -> str:
    """All that says where and how a secret is sent: who changes one of these in the database makes it useless."""
    return json.dumps([name, kind, json.loads(options), json.loads(networks), space])


def _options_out(options: Options) -> dict[str, Any]:
    return {
        "user": options.user,
        "auth": options.auth.value,
        "priv": options.priv.value,
        "sudo": options.sudo,
        "legacy": options.legacy,
    }


def _row(row: Row) -> CredentialRow:
    options = json.loads(row["options"])
    return CredentialRow(
        row["id"],
        row["name"],
        Kind(row["kind"]),
        tuple(json.loads(row["networks"])),
        row["space"],
        row["position"],
        Options(options["user"], Auth(options["auth"]), Priv(options["priv"]), options["sudo"], options["legacy"]),
        time_in(row["created"]),
    )


def _open(row: Row, vault: Vault) -> _Bound:
    shown = _row(row)
    bound_to = _bound_to(shown.name, row["kind"], row["options"], row["networks"], row["space"])
    document = json.loads(vault.open(row["sealed"], bound_to, f"credential {shown.name!r}").reveal())
    credential = build(shown.kind, shown.options, Secret(document["secret"]), Secret(document["passphrase"]))
    return _Bound(shown, tuple(ip_network(text) for text in shown.networks), credential)
