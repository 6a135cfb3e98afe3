"""The embedded store: one SQLite file in WAL mode, shared by threads and processes."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cmdb import codec
from cmdb.model import CI, Graph, Relation, Revision
from cmdb.store import plan as planning
from cmdb.store.base import (
    SCHEMA_VERSION,
    Batch,
    Handle,
    Match,
    Position,
    Query,
    Record,
    StoredCI,
    StoreError,
    StoreTooNew,
    StoreUnavailable,
)

LOCK_TIMEOUT_S = 60.0
"""How long a writer waits for the others. A first scan of a large site commits for some seconds at a time."""

_PAGE = 200

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
    search TEXT NOT NULL
) STRICT;
CREATE INDEX ci_name ON ci (name, id);
CREATE INDEX ci_label ON ci (label, id);
CREATE INDEX ci_class ON ci (class, id);
CREATE INDEX ci_revision ON ci (revision, id);
CREATE TABLE image (ci TEXT NOT NULL PRIMARY KEY, doc TEXT NOT NULL) STRICT;
CREATE TABLE attribute (
    name TEXT NOT NULL, value TEXT NOT NULL, ci TEXT NOT NULL, PRIMARY KEY (name, value, ci)
) STRICT, WITHOUT ROWID;
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

_MIGRATIONS: tuple[str, ...] = (_SCHEMA_1,)
"""Step n brings a store from schema n to n + 1."""

_SORT_COLUMNS = {
    "name": "ci.name",
    "label": "ci.label",
    "class": "ci.class",
    "id": "ci.id",
    "revision": "ci.revision",
}
_CONFIRMED = (
    "(SELECT max(record.at) FROM record_ci JOIN record ON record.kind = record_ci.kind AND record.id = record_ci.id"
    " WHERE record_ci.ci = ci.id AND record_ci.kind = 'confirmation')"
)
_IN = "IN (SELECT value FROM json_each(?))"


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Let no exception of sqlite3 out: each becomes a StoreError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            message = f"the store {path} is locked by another program; try again when it has finished"
            raise StoreUnavailable(message) from error
        if isinstance(error, sqlite3.OperationalError):
            raise StoreUnavailable(f"the store {path} cannot be used: {text}") from error
        raise StoreError(f"the store {path} cannot be read: {text}; restore it from a backup") from error


def _listed(texts: Iterable[str]) -> str:
    return json.dumps(sorted(set(texts)), ensure_ascii=False)


class SqliteStore:
    """GraphStore on one file. Each call borrows a connection, so threads do not wait for each other's reads."""

    def __init__(self, path: str | Path, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        """Open, creating the file and its folder where missing. Raises StoreUnavailable, StoreTooNew or StoreError."""
        self._path = Path(path)
        self._lock_timeout_s = lock_timeout_s
        self._idle: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._closed = False
        self._writer: int | None = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the store {self._path} cannot be made: {error.strerror}") from error
        with self._connection() as connection:
            _open_schema(connection, self._path)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._closed:
                raise StoreError(f"the store {self._path} was closed")
            connection = self._idle.pop() if self._idle else None
        with _translated(self._path):
            if connection is None:
                connection = _connect(self._path, self._lock_timeout_s)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
        with self._guard:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    @contextmanager
    def write(self) -> Iterator[SqliteTransaction]:
        """Take the revision lock, yield, commit; on an exception nothing of it is kept."""
        if self._writer == threading.get_ident():
            raise StoreError("a write transaction is open in this thread already")
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            self._writer = threading.get_ident()
            try:
                transaction = SqliteTransaction(connection)
                yield transaction
                transaction.finish()
                connection.execute("COMMIT")
            finally:
                self._writer = None
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")

    def position(self) -> Position:
        with self._connection() as connection:
            return _position(connection)

    def records(self, kind: str, keys: Iterable[str] | None = None, cis: Iterable[str] | None = None) -> list[Record]:
        with self._connection() as connection:
            return _records(connection, kind, keys, cis)

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        with self._connection() as connection:
            return _get(connection, ids)

    def lookup(self, handles: Iterable[Handle], space: str | None = None) -> list[Match]:
        wanted = json.dumps(sorted(set(handles)), ensure_ascii=False)
        sql = (
            "SELECT handle.kind, handle.value, handle.ci FROM json_each(?) AS wanted CROSS JOIN handle"
            " ON handle.kind = json_extract(wanted.value, '$[0]')"
            " AND handle.value = json_extract(wanted.value, '$[1]')"
        )
        if space is not None:
            sql += " JOIN ci ON ci.id = handle.ci WHERE ci.space = ?"
        with self._connection() as connection:
            rows = connection.execute(sql, (wanted,) if space is None else (wanted, space)).fetchall()
        return sorted(Match(Handle(kind, value), ci) for kind, value, ci in rows)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        with self._connection() as connection:
            return _handles(connection, ids)

    def find(self, query: Query) -> list[StoredCI]:
        planning.check_query(query)
        column = _SORT_COLUMNS[query.sort]
        where, values = _filters(query)
        if query.after is not None:
            where.append(f"({column}, ci.id) > (?, ?)")
            values.extend(query.after)
        sql = (
            "SELECT image.doc, ci.revision FROM ci JOIN image ON image.ci = ci.id"
            f" WHERE {' AND '.join(where) or 'TRUE'} ORDER BY {column}, ci.id LIMIT ?"
        )
        with self._connection() as connection:
            rows = connection.execute(sql, (*values, query.limit)).fetchall()
        return [StoredCI(planning.ci_of(doc), revision) for doc, revision in rows]

    def count(self, query: Query) -> int:
        planning.check_query(query)
        where, values = _filters(query)
        with self._connection() as connection:
            sql = f"SELECT count(*) FROM ci WHERE {' AND '.join(where) or 'TRUE'}"
            count: int = connection.execute(sql, values).fetchone()[0]
        return count

    def relations(self, ids: Iterable[str], types: Iterable[str] | None = None) -> list[Relation]:
        with self._connection() as connection:
            return _relations(connection, ids, types)

    def topology(self) -> Graph:
        with self._connection() as connection:
            connection.execute("BEGIN")
            position = _position(connection)
            images = connection.execute("SELECT doc FROM image").fetchall()
            rows = connection.execute("SELECT id, type, source, target, columns FROM relation").fetchall()
            connection.execute("COMMIT")
        cis = [planning.ci_of(doc) for (doc,) in images]
        relations = [_relation(row) for row in rows]
        return Graph(
            position.revision,
            {ci.id: ci for ci in sorted(cis, key=lambda ci: ci.id)},
            {relation.id: relation for relation in sorted(relations, key=lambda relation: relation.id)},
        )

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        sql = (
            "SELECT n, at, actor, run, reason, changes, prev_hash, hash FROM journal WHERE n > ? ORDER BY n LIMIT ?"
        )
        with self._connection() as connection:
            rows = connection.execute(sql, (after, limit)).fetchall()
        return [
            Revision(n, codec.time_in(at), actor, run, reason, planning.changes_of(changes), prev_hash, digest)
            for n, at, actor, run, reason, changes, prev_hash, digest in rows
        ]

    def journal(self) -> Iterator[Revision]:
        after = 0
        while page := self.changes(after, _PAGE):
            yield from page
            after = page[-1].n

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _connect(path: Path, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        # Switching to WAL needs the file alone and does not wait for the busy timeout, hence only when it is not yet.
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema to SCHEMA_VERSION in one transaction; refuse newer, and files of other programs."""
    if _version(connection, path) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, path)
    for step in _MIGRATIONS[version:]:
        for statement in step.split(";"):
            connection.execute(statement)
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


def _position(connection: sqlite3.Connection) -> Position:
    row = connection.execute(
        "SELECT meta.value, journal.n, journal.at, journal.hash FROM meta"
        " LEFT JOIN journal ON journal.n = (SELECT max(n) FROM journal) WHERE meta.name = 'evidence'"
    ).fetchone()
    evidence, n, at, digest = row
    if n is None:
        return Position(0, None, planning.START.hash, evidence)
    return Position(n, codec.time_in(at), digest, evidence)


def _records(
    connection: sqlite3.Connection, kind: str, keys: Iterable[str] | None, cis: Iterable[str] | None
) -> list[Record]:
    where, values = ["kind = ?"], [kind]
    if keys is not None:
        where.append(f"id IN (SELECT id FROM record_key WHERE kind = ? AND key {_IN})")
        values.extend((kind, _listed(keys)))
    if cis is not None:
        where.append(f"id IN (SELECT id FROM record_ci WHERE kind = ? AND ci {_IN})")
        values.extend((kind, _listed(cis)))
    sql = f"SELECT kind, id, doc, keys, at, cis FROM record WHERE {' AND '.join(where)} ORDER BY id"
    return [_record(*row) for row in connection.execute(sql, values).fetchall()]


def _record(kind: str, name: str, doc: bytes, keys: str, at: str | None, cis: str) -> Record:
    time: datetime | None = codec.time_in(at) if at is not None else None
    return Record(kind, name, doc, frozenset(json.loads(keys)), time, frozenset(json.loads(cis)))


def _get(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, StoredCI]:
    sql = f"SELECT ci.id, doc, revision FROM ci JOIN image ON image.ci = ci.id WHERE ci.id {_IN} ORDER BY ci.id"
    rows = connection.execute(sql, (_listed(ids),)).fetchall()
    return {name: StoredCI(planning.ci_of(doc), revision) for name, doc, revision in rows}


def _handles(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
    wanted = sorted(set(ids))
    found: dict[str, set[Handle]] = {}
    sql = f"SELECT ci, kind, value FROM handle WHERE ci {_IN}"
    for ci, kind, value in connection.execute(sql, (_listed(wanted),)).fetchall():
        found.setdefault(ci, set()).add(Handle(kind, value))
    return {ci: frozenset(found[ci]) for ci in wanted if ci in found}


def _relations(connection: sqlite3.Connection, ids: Iterable[str], types: Iterable[str] | None) -> list[Relation]:
    ends = _listed(ids)
    kinds = "" if types is None else f" AND type {_IN}"
    bound = (ends,) if types is None else (ends, _listed(types))
    half = "SELECT id, type, source, target, columns FROM relation WHERE"
    sql = f"{half} source {_IN}{kinds} UNION {half} target {_IN}{kinds} ORDER BY id"
    return [_relation(row) for row in connection.execute(sql, bound * 2).fetchall()]


def _relation(row: tuple[str, str, str, str, str]) -> Relation:
    name, kind, source, target, columns = row
    return Relation(name, kind, source, target, codec.values_in(json.loads(columns)))


def _filters(query: Query) -> tuple[list[str], list[str | int]]:
    """The conditions of a query and the values bound to them."""
    where: list[str] = []
    values: list[str | int] = []

    def require(condition: str, *bound: str | int) -> None:
        where.append(condition)
        values.extend(bound)

    if query.classes is not None:
        require(f"ci.class {_IN}", _listed(query.classes))
    if query.states is not None:
        require(f"ci.state {_IN}", _listed(query.states))
    if query.space is not None:
        require("ci.space = ?", query.space)
    if query.label_prefix is not None:
        require("ci.label >= ? AND substr(ci.label, 1, ?) = ?", query.label_prefix, len(query.label_prefix), query.label_prefix)
    for name, value in query.attributes:
        found = "ci.id IN (SELECT ci FROM attribute WHERE name = ? AND value = ?)"
        require(found, name, planning.attribute_key(value))
    if query.places is not None:
        places = _listed(query.places)
        inside = f"SELECT source FROM relation WHERE type = 'located_in' AND target {_IN}"
        require(f"(ci.id {_IN} OR ci.id IN ({inside}))", places, places)
    if query.confirmed_before is not None:
        require(f"{_CONFIRMED} < ?", codec.time_out(query.confirmed_before))
    if query.confirmed_after is not None:
        require(f"{_CONFIRMED} >= ?", codec.time_out(query.confirmed_after))
    for word in planning.words(query.text or ""):
        require("instr(ci.search, ?) > 0", word)
    return where, values


class SqliteTransaction:
    """Transaction of a SqliteStore: the connection holds the write lock of the file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._position = _position(connection)
        self._counted = False
        self._applied = False
        self._linked: set[str] = set()

    @property
    def position(self) -> Position:
        return self._position

    def records(self, kind: str, keys: Iterable[str] | None = None) -> list[Record]:
        return _records(self._connection, kind, keys, None)

    def put(self, records: Sequence[Record]) -> None:
        planning.check_records(records)
        for record in records:
            self._unlink(record.kind, record.id, record.keys, record.cis)
            self._linked |= record.cis
        self._connection.executemany(
            "INSERT INTO record (kind, id, doc, at, keys, cis) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id)"
            " DO UPDATE SET doc = excluded.doc, at = excluded.at, keys = excluded.keys, cis = excluded.cis",
            [
                (row.kind, row.id, row.doc, codec.time_out(row.at) if row.at else None, _listed(row.keys), _listed(row.cis))
                for row in records
            ],
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO record_key VALUES (?, ?, ?)",
            [(row.kind, key, row.id) for row in records for key in row.keys],
        )
        self._connection.executemany(
            "INSERT OR IGNORE INTO record_ci VALUES (?, ?, ?)",
            [(ci, row.kind, row.id) for row in records for ci in row.cis],
        )
        self._count(records)

    def drop(self, kind: str, ids: Sequence[str]) -> None:
        for name in ids:
            self._unlink(kind, name, frozenset(), frozenset())
        self._connection.executemany("DELETE FROM record WHERE kind = ? AND id = ?", [(kind, name) for name in ids])
        self._count(ids)

    def _unlink(self, kind: str, name: str, keys: frozenset[str], cis: frozenset[str]) -> None:
        """Take back what a stored record is found by, except `keys` and `cis`."""
        row = self._connection.execute(
            "SELECT keys, cis FROM record WHERE kind = ? AND id = ?", (kind, name)
        ).fetchone()
        if row is None:
            return
        self._connection.executemany(
            "DELETE FROM record_key WHERE kind = ? AND key = ? AND id = ?",
            [(kind, key, name) for key in json.loads(row[0]) if key not in keys],
        )
        self._connection.executemany(
            "DELETE FROM record_ci WHERE ci = ? AND kind = ? AND id = ?",
            [(ci, kind, name) for ci in json.loads(row[1]) if ci not in cis],
        )

    def _count(self, written: Sequence[object]) -> None:
        if self._counted or not written:
            return
        self._counted = True
        self._connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'evidence'")
        self._position = replace(self._position, evidence=self._position.evidence + 1)

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        return _get(self._connection, ids)

    def relations(self, ids: Iterable[str]) -> list[Relation]:
        return _relations(self._connection, ids, None)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        return _handles(self._connection, ids)

    def reserve(self, sequence: str, count: int) -> int:
        planning.check_count(sequence, count)
        last: int = self._connection.execute(
            "INSERT INTO sequence VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = last + excluded.last RETURNING last",
            (sequence, count),
        ).fetchone()[0]
        return last - count + 1

    def apply(self, batch: Batch) -> Revision | None:
        if self._applied:
            raise StoreError("a transaction applies one batch at most")
        work = planning.plan(batch)
        self._refuse_dangling(work)
        revision = None
        if batch.changes:
            revision, changes = planning.draft(batch, self._position)
            self._write_journal(revision, changes)
            self._position = replace(self._position, revision=revision.n, at=revision.at, hash=revision.hash)
        self._write_handles(work)
        self._write_cis(work, self._position.revision)
        self._write_relations(work)
        self._applied = True
        return revision

    def _refuse_dangling(self, work: planning.Plan) -> None:
        known = {name for (name,) in self._connection.execute(f"SELECT id FROM ci WHERE id {_IN}", (_listed(work.named),))}
        left = {relation.id for relation in self.relations(work.dropped)} if work.dropped else set()
        planning.refuse_dangling(work, known, left)

    def _write_journal(self, revision: Revision, changes: bytes) -> None:
        self._connection.execute(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                revision.n,
                codec.time_out(revision.at),
                revision.actor,
                revision.run,
                revision.reason,
                changes,
                revision.prev_hash,
                revision.hash,
            ),
        )

    def _write_handles(self, work: planning.Plan) -> None:
        self._connection.executemany("DELETE FROM handle WHERE ci = ?", [(ci,) for ci in (*work.handles, *work.dropped)])
        self._connection.executemany(
            "INSERT INTO handle VALUES (?, ?, ?)",
            [(kind, value, ci) for ci, handles in work.handles.items() for kind, value in handles],
        )

    def _write_cis(self, work: planning.Plan, revision: int) -> None:
        """Store and drop CIs; runs after the handles, which the search text holds too."""
        stored = self.get([*(ci.id for ci in work.cis), *work.handles, *work.dropped])
        handles = self.handles([*(ci.id for ci in work.cis), *work.handles])
        new = {ci.id: ci for ci in work.cis}
        self._connection.executemany(
            "INSERT INTO ci (id, class, space, name, label, state, revision, search) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET class = excluded.class, space = excluded.space, name = excluded.name,"
            " label = excluded.label, state = excluded.state, revision = excluded.revision, search = excluded.search",
            [
                (ci.id, ci.cls, ci.space, ci.name, ci.label or "", ci.state.value, revision,
                 planning.search_text(ci, handles.get(ci.id, ())))
                for ci in work.cis
            ],
        )  # fmt: skip
        self._connection.executemany(
            "UPDATE ci SET search = ? WHERE id = ?",
            [
                (planning.search_text(stored[ci].ci, handles.get(ci, ())), ci)
                for ci in work.handles
                if ci not in new and ci in stored
            ],
        )
        self._connection.executemany(
            "INSERT INTO image VALUES (?, ?) ON CONFLICT (ci) DO UPDATE SET doc = excluded.doc", work.images.items()
        )
        changed = [(stored[name].ci if name in stored else None, new.get(name)) for name in (*new, *work.dropped)]
        self._write_attributes(changed)
        for table, column in (("ci", "id"), ("image", "ci"), ("record_ci", "ci")):
            self._connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(ci,) for ci in work.dropped])

    def _write_attributes(self, changed: Sequence[tuple[CI | None, CI | None]]) -> None:
        gone: list[tuple[str, str, str]] = []
        come: list[tuple[str, str, str]] = []
        for before, after in changed:
            old = planning.attribute_keys(before) if before else set()
            new = planning.attribute_keys(after) if after else set()
            if before:
                gone.extend((name, value, before.id) for name, value in old - new)
            if after:
                come.extend((name, value, after.id) for name, value in new - old)
        self._connection.executemany("DELETE FROM attribute WHERE name = ? AND value = ? AND ci = ?", gone)
        self._connection.executemany("INSERT INTO attribute VALUES (?, ?, ?)", come)

    def _write_relations(self, work: planning.Plan) -> None:
        self._connection.executemany("DELETE FROM relation WHERE id = ?", [(relation.id,) for relation in work.cut])
        self._connection.executemany(
            "INSERT INTO relation (id, type, source, target, columns) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET type = excluded.type, source = excluded.source, target = excluded.target, columns = excluded.columns",
            [
                (row.id, row.type, row.source, row.target, codec.canonical(codec.values_out(row.columns)).decode())
                for row in work.relations
            ],
        )

    def finish(self) -> None:
        """Forget links of records to CIs that this transaction did not make after all."""
        wanted = _listed(self._linked)
        self._connection.execute(f"DELETE FROM record_ci WHERE ci {_IN} AND ci NOT IN (SELECT id FROM ci)", (wanted,))
