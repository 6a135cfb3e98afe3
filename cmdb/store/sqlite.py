"""The embedded store: one SQLite file in WAL mode, shared by threads and processes."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from cmdb.model import Graph, Relation, Revision
from cmdb.store import plan as planning
from cmdb.store.base import (
    Base,
    Coded,
    Handle,
    Heading,
    Match,
    Past,
    Position,
    Query,
    Record,
    StoredCI,
    StoreError,
    StoreUnavailable,
)
from cmdb.store.past import chain, check_kept
from cmdb.store.recent import NONE_KEPT, Recent
from cmdb.store.sqlite_coded import read_coded
from cmdb.store.sqlite_coded_at import read_coded_at
from cmdb.store.sqlite_file import connect, open_schema, translated
from cmdb.store.sqlite_history import (
    check_revision,
    read_base,
    read_changes,
    read_cis_at,
    read_past,
    read_relations_at,
    read_revision_at,
    read_topology,
    read_topology_at,
    read_touches,
)
from cmdb.store.sqlite_rows import (
    IN,
    SORT_COLUMNS,
    filters,
    listed,
    read_cis,
    read_handles,
    read_position,
    read_records,
    read_relation,
    read_relations,
)
from cmdb.store.sqlite_writing import SqliteTransaction

LOCK_TIMEOUT_S = 60.0
"""How long a writer waits for the others. A first scan of a large site commits for some seconds at a time."""


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
        self._recent = Recent()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the store {self._path} cannot be made: {error.strerror}") from error
        with self._connection() as connection:
            open_schema(connection, self._path)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self._guard:
            if self._closed:
                raise StoreError(f"the store {self._path} was closed")
            connection = self._idle.pop() if self._idle else None
        with translated(self._path):
            if connection is None:
                connection = connect(self._path, self._lock_timeout_s)
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
                self._recent.keep(transaction.made)
            finally:
                self._writer = None
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")

    def position(self) -> Position:
        with self._connection() as connection:
            return read_position(connection)

    def records(
        self,
        kind: str,
        keys: Iterable[str] | None = None,
        cis: Iterable[str] | None = None,
        before: datetime | None = None,
    ) -> list[Record]:
        with self._connection() as connection:
            return read_records(connection, kind, keys, cis, before)

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        with self._connection() as connection:
            return read_cis(connection, ids)

    def lookup(self, handles: Iterable[Handle], space: str | None = None) -> list[Match]:
        sql = "SELECT kind, value, ci FROM handle WHERE kind = ? AND value = ?"
        if space is not None:
            sql += " AND ci IN (SELECT id FROM ci WHERE space = ?)"
        bound = () if space is None else (space,)
        with self._connection() as connection:
            rows = [row for handle in set(handles) for row in connection.execute(sql, (*handle, *bound)).fetchall()]
        return sorted(Match(Handle(kind, value), ci) for kind, value, ci in rows)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        with self._connection() as connection:
            return read_handles(connection, ids)

    def find(self, query: Query) -> list[StoredCI]:
        planning.check_query(query)
        column = SORT_COLUMNS[query.sort]
        where, values = filters(query)
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
        where, values = filters(query)
        with self._connection() as connection:
            sql = f"SELECT count(*) FROM ci WHERE {' AND '.join(where) or 'TRUE'}"
            count: int = connection.execute(sql, values).fetchone()[0]
        return count

    def relations(self, ids: Iterable[str], types: Iterable[str] | None = None) -> list[Relation]:
        with self._connection() as connection:
            return read_relations(connection, ids, types)

    def relations_by_id(self, ids: Iterable[str]) -> dict[str, Relation]:
        sql = f"SELECT id, type, source, target, columns FROM relation WHERE id {IN}"
        with self._connection() as connection:
            rows = connection.execute(sql, (listed(ids),)).fetchall()
        return {row[0]: read_relation(row) for row in rows}

    def beginning(self, kind: str, prefix: str, limit: int) -> list[str]:
        # Between bounds, which the index has: to the end of all names it takes as long as there are names.
        sql = (
            "SELECT DISTINCT value FROM handle WHERE kind = ? AND value >= ? AND value < ?"
            " AND substr(value, 1, ?) = ? LIMIT ?"
        )
        last = prefix + chr(sys.maxunicode)
        with self._connection() as connection:
            rows = connection.execute(sql, (kind, prefix, last, len(prefix), prefix, limit)).fetchall()
        return [value for (value,) in rows]

    def topology(self) -> Graph:
        with self._reading() as connection:
            return read_topology(connection)

    @contextmanager
    def coded(self, revision: int | None = None) -> Iterator[Coded]:
        if revision is None:
            with self._reading() as connection:
                yield read_coded(connection)
        else:
            with self._state_of(revision) as connection:
                yield read_coded_at(connection, revision)

    def get_at(self, ids: Iterable[str], revision: int) -> dict[str, StoredCI]:
        with self._state_of(revision) as connection:
            return read_cis_at(connection, ids, revision)

    def relations_at(self, ids: Iterable[str], revision: int) -> list[Relation]:
        with self._state_of(revision) as connection:
            return read_relations_at(connection, ids, revision)

    def topology_at(self, revision: int) -> Graph:
        with self._state_of(revision) as connection:
            return read_topology_at(connection, revision)

    @contextmanager
    def _state_of(self, revision: int) -> Iterator[sqlite3.Connection]:
        """A connection whose reads are of one commit, after which the revision is not trimmed away in between."""
        with self._reading() as connection:
            check_revision(connection, revision)
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection whose reads are all of one commit."""
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def revision_at(self, time: datetime) -> int:
        with self._reading() as connection:
            return read_revision_at(connection, time)

    def base(self) -> Base:
        with self._connection() as connection:
            return read_base(connection)

    def kinds(self) -> list[str]:
        with self._connection() as connection:
            return [kind for (kind,) in connection.execute("SELECT DISTINCT kind FROM record ORDER BY kind").fetchall()]

    def sequences(self) -> dict[str, int]:
        with self._connection() as connection:
            return dict(connection.execute("SELECT name, last FROM sequence ORDER BY name").fetchall())

    def trim(self, before: int) -> Base:
        while True:
            with self.write() as transaction:
                base = transaction.trim(before)
            if base.revision >= before:
                return base

    def past(self, first: int, last: int) -> list[Past]:
        with self._reading() as connection:
            check_kept(first - 1, read_base(connection).revision)
            return read_past(connection, first, last)

    def touches(self, ci: str, before: int, limit: int) -> list[Heading]:
        with self._connection() as connection:
            return read_touches(connection, ci, before, limit)

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        return self._changes(after, limit, self._recent.kept())

    def _changes(self, after: int, limit: int, kept: Mapping[str, Revision] = NONE_KEPT) -> list[Revision]:
        with self._reading() as connection:
            check_kept(after, read_base(connection).revision)
            return read_changes(connection, after, limit, kept)

    def journal(self) -> Iterator[Revision]:
        return chain(self._changes, self.base().revision)

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        with self._guard:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
