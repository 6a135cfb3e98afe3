"""Sessions of the pages: started with a token or a link that works once, ended by log-out, time, or the token's end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cmdb.codec import time_in, time_out
from operations.database import Database
from operations.tokens import Role, Tokens, hashed, role_of

SESSION_LIFE = timedelta(hours=12)
LINK_LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in. `csrf` is to be in every form of this session's pages, and nowhere else."""

    name: str
    role: Role
    expires: datetime
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """A new session; `cookie` is its text for the browser, which is shown this once."""

    cookie: str
    session: Session

    def __repr__(self) -> str:
        return f"Started(cookie='*****', session={self.session.name!r})"


class Sessions:
    def __init__(self, database: Database, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock

    def from_token(self, text: str) -> Started | None:
        """Log in with a token; None where it is not valid. The session ends with the token at the latest."""
        token = self._tokens.verify(text)
        if token is None:
            return None
        expires = self._clock() + SESSION_LIFE
        return self._start(token.name, token.role, min(expires, token.expires or expires), token.id)

    def make_link(self, name: str, role: Role | str, life: timedelta = LINK_LIFE, token: int | None = None) -> str:
        """The secret of a log-in link. It works once and not for long; `token`: and not beyond that token."""
        text, now = secrets.token_urlsafe(32), self._clock()
        with self._database.write() as writing:
            writing.run("DELETE FROM login_links WHERE expires <= :now", now=time_out(now))
            writing.run(
                "INSERT INTO login_links (hash, token, name, role, expires)"
                " VALUES (:hash, :token, :name, :role, :expires)",
                hash=hashed(text),
                token=token,
                name=name,
                role=role_of(role).value,
                expires=time_out(now + life),
            )
        return text

    def from_link(self, text: str) -> Started | None:
        """Log in with a link; None where it was used, is too old, or never was."""
        now = self._clock()
        with self._database.write() as writing:
            rows = writing.rows("DELETE FROM login_links WHERE hash = :hash RETURNING *", hash=hashed(text))
            if not rows or time_in(rows[0]["expires"]) <= now:
                return None
        row = rows[0]
        return self._start(row["name"], Role(row["role"]), now + SESSION_LIFE, row["token"])

    def verify(self, cookie: str) -> Session | None:
        """The session of a cookie, where neither it nor the token behind it has ended."""
        rows = self._database.rows(
            "SELECT s.name, s.role, s.expires, s.hash FROM sessions s LEFT JOIN tokens t ON t.id = s.token"
            " WHERE s.hash = :hash AND s.expires > :now"
            " AND (s.token IS NULL OR (t.revoked IS NULL AND (t.expires IS NULL OR t.expires > :now)))",
            hash=hashed(cookie),
            now=time_out(self._clock()),
        )
        if not rows or not hmac.compare_digest(rows[0]["hash"], hashed(cookie)):
            return None
        row = rows[0]
        return Session(row["name"], Role(row["role"]), time_in(row["expires"]), _csrf(cookie))

    def end(self, cookie: str) -> None:
        """Log out. Twice is harmless."""
        with self._database.write() as writing:
            writing.run("DELETE FROM sessions WHERE hash = :hash", hash=hashed(cookie))

    def _start(self, name: str, role: Role, expires: datetime, token: int | None) -> Started:
        cookie = secrets.token_urlsafe(32)
        with self._database.write() as writing:
            writing.run("DELETE FROM sessions WHERE expires <= :now", now=time_out(self._clock()))
            writing.run(
                "INSERT INTO sessions (hash, token, name, role, created, expires)"
                " VALUES (:hash, :token, :name, :role, :created, :expires)",
                hash=hashed(cookie),
                token=token,
                name=name,
                role=role.value,
                created=time_out(self._clock()),
                expires=time_out(expires),
            )
        return Started(cookie, Session(name, role, expires, _csrf(cookie)))


def csrf_matches(session: Session, sent: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(session.csrf.encode(), sent.encode())


def _csrf(cookie: str) -> str:
    """Derived from the cookie, which another site's page cannot read; nothing more needs to be kept."""
    return hmac.new(cookie.encode(), b"cmdb csrf", hashlib.sha256).hexdigest()
