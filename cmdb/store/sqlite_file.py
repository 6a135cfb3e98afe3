"""The file of the embedded store: its tables, its migrations, and its errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from time import monotonic

from cmdb.store.base import SCHEMA_VERSION, StoreError, StoreTooNew, StoreUnavailable
from cmdb.store.past import GENESIS
from cmdb.store.sqlite_coded import SCHEMA_3, is_coded, recode
from cmdb.store.sqlite_history import fill_from_journal

_SCHEMA_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE sequence (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ci (
    nr INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    class TEXT NOT NULL,
    space TEXT NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    search TEXT NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE INDEX ci_name ON ci (name, id);
CREATE INDEX ci_label ON ci (label, id);
CREATE INDEX ci_class ON ci (class, id);
CREATE INDEX ci_revision ON ci (revision, id);
CREATE TABLE image (ci TEXT NOT NULL PRIMARY KEY, doc TEXT NOT NULL) STRICT;
CREATE TABLE handle (
    kind TEXT NOT NULL, value TEXT NOT NULL, ci TEXT NOT NULL, PRIMARY KEY (kind, value, ci)
) STRICT, WITHOUT ROWID;
CREATE INDEX handle_ci ON handle (ci);
CREATE TABLE relation (
    nr INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    columns TEXT NOT NULL
) STRICT;
CREATE INDEX relation_source ON relation (source, type);
CREATE INDEX relation_target ON relation (target, type);
CREATE TABLE record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    doc BLOB NOT NULL,
    at TEXT,
    keys TEXT NOT NULL,
    cis TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT;
CREATE TABLE record_key (
    kind TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (kind, key, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE record_ci (
    ci TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (ci, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    n INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    run TEXT,
    reason TEXT NOT NULL,
    changes BLOB NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
INSERT INTO meta VALUES ('schema', 1), ('evidence', 0);
"""

_SCHEMA_2 = """
CREATE TABLE past (
    nr INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    source TEXT,
    target TEXT,
    doc BLOB NOT NULL
) STRICT;
CREATE INDEX past_id ON past (id, until, since);
CREATE INDEX past_until ON past (until, since, id);
CREATE INDEX past_source ON past (source, until, since) WHERE source IS NOT NULL;
CREATE INDEX past_target ON past (target, until, since) WHERE target IS NOT NULL;
CREATE TABLE base (n INTEGER NOT NULL, at TEXT, hash TEXT NOT NULL, images TEXT NOT NULL) STRICT;
ALTER TABLE relation ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
CREATE INDEX journal_at ON journal (at);
CREATE INDEX record_at ON record (kind, at)
"""


def _to_schema_1(connection: sqlite3.Connection) -> None:
    _run(connection, _SCHEMA_1)


def _to_schema_2(connection: sqlite3.Connection) -> None:
    _run(connection, _SCHEMA_2)
    revision, at, digest, images = GENESIS
    connection.execute("INSERT INTO base VALUES (?, ?, ?, ?)", (revision, at, digest, images))
    fill_from_journal(connection)


def _to_schema_3(connection: sqlite3.Connection) -> None:
    _run(connection, SCHEMA_3)


def _run(connection: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";"):
        connection.execute(statement)


_MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_to_schema_1, _to_schema_2, _to_schema_3)
"""Step n brings a store from schema n to n + 1."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Let no exception of sqlite3 out: each becomes a StoreError that says what to do."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise StoreError(f"{error.object[error.start : error.end]!a} is not valid Unicode") from None
    except sqlite3.Error as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            message = f"the store {path} is locked by another program; try again when it has finished"
            raise StoreUnavailable(message) from error
        if isinstance(error, sqlite3.OperationalError):
            raise StoreUnavailable(f"the store {path} cannot be used: {text}") from error
        raise StoreError(f"the store {path} cannot be read: {text}; restore it from a backup") from error


def connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        # Switching to WAL needs the file alone and does not wait for the busy timeout: hence only when it is not yet,
        # and again when somebody else came between.
        deadline = monotonic() + timeout_s
        while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
            with suppress(sqlite3.OperationalError) if monotonic() < deadline else nullcontext():
                connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -8192")
    except BaseException:
        connection.close()
        raise
    return connection


def open_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema to SCHEMA_VERSION and the codes to those of this program, in one transaction.

    Refuses newer schemas, and files of other programs.
    """
    if _version(connection, path) == SCHEMA_VERSION and is_coded(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, path)
    for step in _MIGRATIONS[version:]:
        step(connection)
    recode(connection)
    connection.execute("UPDATE meta SET value = ? WHERE name = 'schema'", (SCHEMA_VERSION,))
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables:
        return 0
    if not {"meta", "journal"} <= tables:
        raise StoreError(f"{path} is a database of another program; name another file")
    version: int = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreTooNew(
            f"the store {path} has schema {version}, written by a newer cmdb; this one knows {SCHEMA_VERSION}:"
            " install the newer version"
        )
    return version
