"""Tokens: what a program or person shows to be let in. Only their SHA-256 is kept: random bits need no slow hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cmdb.codec import time_in, time_out
from operations.database import Database, Row
from operations.errors import AlreadyThere, NotKnown, OperationsError

PREFIX = "cmdb_"
DEFAULT_LIFE = timedelta(days=365)
_USE_NOTED_EVERY = timedelta(minutes=1)


class Role(StrEnum):
    """What a token may do; each may all that the ones before it may."""

    READER = "reader"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown; its text is known only to whom it was given."""

    id: int
    name: str
    role: Role
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None

    def valid(self, now: datetime) -> bool:
        return self.revoked is None and (self.expires is None or now < self.expires)


def hashed(text: str) -> str:
    """How texts that let somebody in are kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def role_of(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise OperationsError(f"no such role: {text!r}; it is one of {', '.join(Role)}") from None


class Tokens:
    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def create(self, name: str, role: Role | str, expires: timedelta | None = DEFAULT_LIFE) -> str:
        """Make a token; returns its text, which is shown this once. `expires` None: it never does."""
        name, role, now = name.strip(), role_of(role), self._clock()
        if not name:
            raise OperationsError("a token needs a name, so that it can be revoked by it")
        if expires is not None and expires <= timedelta(0):
            raise OperationsError(f"token {name!r} would have expired already")
        text = PREFIX + secrets.token_urlsafe(32)
        try:
            with self._database.write() as writing:
                # The name of a token that lets nobody in any more is free again.
                writing.run(
                    "DELETE FROM tokens WHERE name = :name AND (revoked IS NOT NULL OR expires <= :now)",
                    name=name,
                    now=time_out(now),
                )
                writing.run(
                    "INSERT INTO tokens (name, role, hash, created, expires)"
                    " VALUES (:name, :role, :hash, :now, :expires)",
                    name=name,
                    role=role.value,
                    hash=hashed(text),
                    now=time_out(now),
                    expires=None if expires is None else time_out(now + expires),
                )
        except AlreadyThere as error:
            raise AlreadyThere(f"there is a token {name!r} already: revoke it first, or take another name") from error
        return text

    def verify(self, text: str) -> Token | None:
        """The token that this text is, where it is valid. Its use is noted, at most once a minute."""
        digest = hashed(text)
        rows = self._database.rows("SELECT * FROM tokens WHERE hash = :hash", hash=digest)
        if not rows or not hmac.compare_digest(rows[0]["hash"], digest):
            return None
        token, now = _token(rows[0]), self._clock()
        if not token.valid(now):
            return None
        if token.last_used is None or now - token.last_used >= _USE_NOTED_EVERY:
            with self._database.write() as writing:
                writing.run("UPDATE tokens SET last_used = :now WHERE id = :id", now=time_out(now), id=token.id)
        return token

    def revoke(self, name: str) -> Token:
        """End a token, and with it the sessions and log-in links that came from it. Raises NotKnown."""
        with self._database.write() as writing:
            rows = writing.rows("SELECT * FROM tokens WHERE name = :name", name=name)
            if not rows:
                raise NotKnown(f"there is no token {name!r}")
            token = _token(rows[0])
            writing.run(
                "UPDATE tokens SET revoked = :now WHERE id = :id AND revoked IS NULL",
                now=time_out(self._clock()),
                id=token.id,
            )
            writing.run("DELETE FROM sessions WHERE token = :id", id=token.id)
            writing.run("DELETE FROM login_links WHERE token = :id", id=token.id)
            return _token(writing.rows("SELECT * FROM tokens WHERE id = :id", id=token.id)[0])

    def all(self) -> list[Token]:
        return [_token(row) for row in self._database.rows("SELECT * FROM tokens ORDER BY name")]


def _token(row: Row) -> Token:
    return Token(
        row["id"],
        row["name"],
        Role(row["role"]),
        time_in(row["created"]),
        _time(row["expires"]),
        _time(row["revoked"]),
        _time(row["last_used"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else time_in(text)
