"""Host keys of SSH: the first one seen is kept (policy `pin`), or only those that people entered count (`strict`)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cmdb.codec import time_in, time_out
from cmdb.model import DEFAULT_SPACE
from discovery.transport.base import HostKey, HostKeyChanged, HostKeyPolicy
from operations.database import Database, Row
from operations.errors import NotKnown, OperationsError


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that is accepted for an endpoint. `origin` is `pinned` (the first seen) or `entered` (by a person)."""

    space: str
    address: str
    port: int
    kind: str
    fingerprint: str
    added: datetime
    origin: str


class HostKeyStore:
    """The transport's HostKeys for one address space. Safe to use from several threads."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], policy: HostKeyPolicy, space: str = DEFAULT_SPACE
    ) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._space = space

    @property
    def policy(self) -> HostKeyPolicy:
        return self._policy

    def known(self, address: str, port: int) -> Sequence[HostKey]:
        rows = self._database.rows(
            "SELECT kind, blob FROM host_keys"
            " WHERE space = :space AND address = :address AND port = :port ORDER BY kind",
            space=self._space,
            address=address,
            port=port,
        )
        return tuple(HostKey(row["kind"], bytes(row["blob"])) for row in rows)

    def pin(self, address: str, port: int, key: HostKey) -> None:
        """Keep the first key. Raises HostKeyChanged where another was pinned meanwhile."""
        self._keep(address, port, key, "pinned")
        if key not in self.known(address, port):
            raise HostKeyChanged(f"{address} port {port} shows two different host keys at once")

    def enter(self, address: str, port: int, line: str) -> HostKey:
        """Accept a key that a person gives, as in a public key file: `ssh-ed25519 AAAA… comment`."""
        parts = line.split()
        try:
            key = HostKey(parts[0], base64.b64decode(parts[1], validate=True))
        except (IndexError, binascii.Error) as error:
            raise OperationsError("a host key is written as in a public key file: ssh-ed25519 AAAA…") from error
        self._keep(address, port, key, "entered")
        if key not in self.known(address, port):
            raise OperationsError(f"{address} port {port} has another {key.kind} key: forget that first")
        return key

    def all(self) -> list[KnownKey]:
        """Of every address space."""
        rows = self._database.rows("SELECT * FROM host_keys ORDER BY space, address, port, kind")
        return [_known(row) for row in rows]

    def forget(self, address: str, port: int | None = None) -> list[KnownKey]:
        """Forget the keys of an address (or of one port of it), after a reinstallation. Raises NotKnown."""
        with self._database.write() as writing:
            rows = writing.rows(
                "DELETE FROM host_keys WHERE space = :space AND address = :address"
                " AND (port = :port OR :port < 0) RETURNING *",
                space=self._space,
                address=address,
                port=-1 if port is None else port,
            )
        if not rows:
            where = address if port is None else f"{address} port {port}"
            raise NotKnown(f"no host key is known for {where} in address space {self._space!r}")
        return sorted((_known(row) for row in rows), key=lambda key: (key.port, key.kind))

    def _keep(self, address: str, port: int, key: HostKey, origin: str) -> None:
        with self._database.write() as writing:
            writing.run(
                "INSERT INTO host_keys (space, address, port, kind, blob, fingerprint, added, origin)"
                " VALUES (:space, :address, :port, :kind, :blob, :fingerprint, :added, :origin) ON CONFLICT DO NOTHING",
                space=self._space,
                address=address,
                port=port,
                kind=key.kind,
                blob=key.blob,
                fingerprint=key.fingerprint,
                added=time_out(self._clock()),
                origin=origin,
            )


def _known(row: Row) -> KnownKey:
    return KnownKey(
        row["space"],
        row["address"],
        row["port"],
        row["kind"],
        row["fingerprint"],
        time_in(row["added"]),
        row["origin"],
    )
