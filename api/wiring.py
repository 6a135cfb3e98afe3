"""Wiring: what the settings name, built once and only when it is asked for. Nothing is created at import."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.attempts import Attempts
    from api.feed import Feed
    from api.readiness import Readiness
    from api.reasons import Points
    from api.stream import Follower
    from cmdb.inventory import Inventory
    from cmdb.rules import Rules
    from cmdb.store.base import GraphStore
    from cmdb.store.copy import Copied
    from discovery.transport.base import Secret
    from operations.credentials import Credentials
    from operations.database import Database
    from operations.evidence import EvidenceFolder
    from operations.host_keys import HostKeyStore
    from operations.runs import Runs
    from operations.scanning import Scanner
    from operations.schedules import Schedules
    from operations.secrets import Vault
    from operations.sessions import Sessions
    from operations.tokens import Tokens
    from scheduler.clock import Clock


def now() -> datetime:
    """The clock of the whole program."""
    return datetime.now(UTC)


class Services:
    """The parts of the program, each made on first use, so that a command pays only for what it needs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def store(self) -> GraphStore:
        from cmdb.store.opening import open_store

        return open_store(self.settings.store.get_secret_value())

    def copy_store(self, url: str, told: Callable[[int, int], None]) -> Copied:
        """Copy the store to another one, which is empty."""
        from cmdb.store.copy import copy
        from cmdb.store.opening import open_store

        source, target = self.store, open_store(url)
        try:
            return copy(source, target, told)
        finally:
            target.close()

    @cached_property
    def rules(self) -> Rules:
        from discovery.family import scanned_classes

        return self.settings.rules(scanned_classes())

    @cached_property
    def inventory(self) -> Inventory:
        from cmdb.inventory import Inventory

        return Inventory(self.store, self.rules, now, self.settings.snapshots_path)

    @cached_property
    def points(self) -> Points:
        """The single points of failure, found once for all who ask."""
        from api.reasons import Points

        return Points(lambda: self.inventory)

    @cached_property
    def feed(self) -> Feed:
        from api.feed import Feed

        return Feed(self.inventory)

    @cached_property
    def follower(self) -> Follower:
        """What waits for news of the journal, for all who listen to this process."""
        from api.stream import Follower

        return Follower(self.feed.newest)

    @cached_property
    def operations(self) -> Database:
        from operations.database import Database

        return Database(self.settings.operations_url)

    def vault(self) -> Vault:
        """The key is read, or made, when the first secret is sealed or opened."""
        from operations.secrets import open_vault

        return open_vault(self.settings.key_path, self._key)

    @property
    def _key(self) -> Secret | None:
        from discovery.transport.base import Secret

        text = self.settings.key.get_secret_value()
        return Secret(text) if text else None

    @cached_property
    def tokens(self) -> Tokens:
        from operations.tokens import Tokens

        return Tokens(self.operations, now)

    @cached_property
    def sessions(self) -> Sessions:
        from operations.sessions import Sessions

        return Sessions(self.operations, self.tokens, now)

    @cached_property
    def attempts(self) -> Attempts:
        from api.attempts import Attempts

        return Attempts(time.monotonic)

    @cached_property
    def credentials(self) -> Credentials:
        from operations.credentials import Credentials

        return Credentials(self.operations, self.vault, now)

    def host_keys(self, space: str) -> HostKeyStore:
        from discovery.transport.base import HostKeyPolicy
        from operations.host_keys import HostKeyStore

        return HostKeyStore(self.operations, now, HostKeyPolicy(self.settings.host_key_policy), space)

    @cached_property
    def evidence(self) -> EvidenceFolder:
        from operations.evidence import EvidenceFolder

        return EvidenceFolder(self.settings.evidence_path)

    @cached_property
    def runs(self) -> Runs:
        from operations.runs import Runs

        return Runs(self.operations, now)

    @cached_property
    def schedules(self) -> Schedules:
        from operations.schedules import Schedules
        from scheduler.clock import next_time

        return Schedules(self.operations, now, next_time)

    @cached_property
    def scanner(self) -> Scanner:
        from operations.scanning import Scanner

        return Scanner(
            runs=self.runs,
            inventory=self.inventory,
            credentials=self.credentials.book,
            host_keys=self.host_keys,
            evidence=self.evidence,
            clock=now,
        )

    @cached_property
    def clock(self) -> Clock:
        """What works off queued runs and schedules, once it is started; one in all processes of an installation."""
        from scheduler.clock import Clock

        return Clock(
            self.schedules,
            self.runs,
            scanner=lambda: self.scanner,
            inventory=lambda: self.inventory,
            lock=self.settings.folder / "scheduler.lock",
            keep=self.settings.history,
            thin_out=self.thin_out,
        )

    def thin_out(self) -> None:
        """Remove replies that are too old or too much."""
        from operations.retention import Limits
        from scheduler.jobs import thin_out

        limits = Limits(self.settings.evidence_days, self.settings.evidence_bytes)
        thin_out(self.evidence, lambda: self.inventory, limits, now)

    @cached_property
    def readiness(self) -> Readiness:
        from api.readiness import Readiness

        return Readiness(lambda: (self.store.position(), self.operations.rows("SELECT 1 AS one")))

    @cached_property
    def cursor_key(self) -> bytes:
        """Binds the cursors of lists to this store. Nothing is won by forging one: it only says where to go on."""
        return hashlib.sha256(b"cmdb cursors of " + self.settings.store.get_secret_value().encode()).digest()

    def close(self) -> None:
        """Close what was opened."""
        if (clock := self.__dict__.get("clock")) is not None:
            clock.stop()
        if (follower := self.__dict__.get("follower")) is not None:
            follower.stop()
        for name in ("inventory", "store", "operations"):
            if (part := self.__dict__.get(name)) is not None:
                part.close()
