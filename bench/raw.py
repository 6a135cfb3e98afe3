"""What a store would do at least: the same rows, written without a thought, in the same transactions, as durably.

A recording store keeps what a transaction wrote; `RawSqlite` and `RawNeo4j` write that again. What the rows hold is
made ready before any clock runs.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import neo4j

from cmdb import codec
from cmdb.model import CI, Revision
from cmdb.store.base import Batch, GraphStore, Record, Transaction


@dataclass(slots=True)
class Written:
    """What one transaction wrote."""

    records: list[Record] = field(default_factory=list)
    batch: Batch | None = None

    @property
    def graph_rows(self) -> int:
        """CIs and relations."""
        return 0 if self.batch is None else len(self.batch.changes)


class RecordingTransaction:
    """A Transaction that keeps what it is told; all else is the real one's."""

    def __init__(self, transaction: Transaction, written: Written) -> None:
        self._transaction = transaction
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def put(self, records: Sequence[Record]) -> None:
        self._transaction.put(records)
        self._written.records += records

    def apply(self, batch: Batch) -> Revision | None:
        self._written.batch = batch
        return self._transaction.apply(batch)


class RecordingStore:
    """A GraphStore that keeps what each transaction wrote; all else is the real one's."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self.written: list[Written] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        written = Written()
        with self._store.write() as transaction:
            yield cast("Transaction", RecordingTransaction(transaction, written))
        self.written.append(written)


@dataclass(frozen=True, slots=True)
class Rows:
    """What one transaction writes, as tuples of text and bytes."""

    cis: list[tuple[str, str, str, str]]
    relations: list[tuple[str, str, str, str, str]]
    handles: list[tuple[str, str, str]]
    records: list[tuple[str, str, bytes]]
    journal: list[tuple[str, bytes]]


def rows_of(written: Written, *, graph_only: bool) -> Rows:
    """`graph_only`: CIs and relations; else handles, records of evidence and the journal's entry, too."""
    batch = written.batch
    changes = () if batch is None else batch.changes
    after = [change.after for change in changes if change.after is not None]
    rows = Rows([], [], [], [], [])
    for image in after:
        text = json.dumps(codec.image_out(image))
        if isinstance(image, CI):
            rows.cis.append((image.id, image.cls, image.name, text))
        else:
            rows.relations.append((image.id, image.type, image.source, image.target, text))
    if not graph_only:
        if batch is not None:
            rows.handles.extend((kind, value, ci) for ci, found in batch.handles.items() for kind, value in found)
        rows.records.extend((record.kind, record.id, record.doc) for record in written.records)
        if changes:
            images = [[change.id, codec.image_out(change.before), codec.image_out(change.after)] for change in changes]
            rows.journal.append((batch.reason if batch else "", zlib.compress(codec.canonical(images), 1)))
    return rows


class Raw(Protocol):
    """A data base that writes rows, a transaction at a time."""

    def write(self, rows: Rows) -> None: ...

    def close(self) -> None: ...


_TABLES = """
CREATE TABLE ci (id TEXT PRIMARY KEY, class TEXT, name TEXT, doc TEXT) WITHOUT ROWID;
CREATE TABLE relation (id TEXT PRIMARY KEY, type TEXT, source TEXT, target TEXT, doc TEXT) WITHOUT ROWID;
CREATE INDEX relation_source ON relation (source);
CREATE INDEX relation_target ON relation (target);
CREATE TABLE handle (kind TEXT, value TEXT, ci TEXT, PRIMARY KEY (kind, value, ci)) WITHOUT ROWID;
CREATE TABLE record (kind TEXT, id TEXT, doc BLOB, PRIMARY KEY (kind, id));
CREATE TABLE journal (n INTEGER PRIMARY KEY, reason TEXT, changes BLOB);
"""


class RawSqlite:
    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def write(self, rows: Rows) -> None:
        run = self._connection.executemany
        self._connection.execute("BEGIN IMMEDIATE")
        run("INSERT OR REPLACE INTO ci VALUES (?, ?, ?, ?)", rows.cis)
        run("INSERT OR REPLACE INTO relation VALUES (?, ?, ?, ?, ?)", rows.relations)
        run("INSERT OR REPLACE INTO handle VALUES (?, ?, ?)", rows.handles)
        run("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", rows.records)
        run("INSERT INTO journal (reason, changes) VALUES (?, ?)", rows.journal)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class RawNeo4j:
    """On an empty server; its nodes are Raw…, and gone after `close`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._driver = neo4j.GraphDatabase.driver(
            f"neo4j://{parts.hostname}:{parts.port}",
            auth=(parts.username or "", parts.password or ""),
            notifications_min_severity="OFF",
        )
        self._session = self._driver.session()
        for label in ("RawCI", "RawRecord"):
            statement = f"CREATE CONSTRAINT raw_{label.lower()} IF NOT EXISTS FOR (n:{label}) REQUIRE n.id IS UNIQUE"
            self._session.run(statement).consume()
        self._session.run("CREATE INDEX raw_handle IF NOT EXISTS FOR (n:RawHandle) ON (n.value)").consume()

    def write(self, rows: Rows) -> None:
        with self._session.begin_transaction() as tx:
            _unwind(tx, rows.cis, "MERGE (n:RawCI {id: row[0]}) SET n.class = row[1], n.name = row[2], n.doc = row[3]")
            of_type: dict[str, list[Any]] = {}
            for row in rows.relations:
                of_type.setdefault(row[1], []).append([row[0], row[2], row[3], row[4]])
            for type_, found in of_type.items():
                _unwind(
                    tx,
                    found,
                    "MATCH (a:RawCI {id: row[1]}) MATCH (b:RawCI {id: row[2]})"
                    f" MERGE (a)-[r:{type_.upper()} {{id: row[0]}}]->(b) SET r.doc = row[3]",
                )
            _unwind(tx, rows.handles, "CREATE (h:RawHandle {kind: row[0], value: row[1], ci: row[2]})")
            records = [(f"{kind} {id_}", doc) for kind, id_, doc in rows.records]
            _unwind(tx, records, "MERGE (r:RawRecord {id: row[0]}) SET r.doc = row[1]")
            _unwind(tx, rows.journal, "CREATE (r:RawRevision {reason: row[0], changes: row[1]})")
            tx.commit()

    def close(self) -> None:
        self._session.run(
            "MATCH (n) WHERE n:RawCI OR n:RawHandle OR n:RawRecord OR n:RawRevision"
            " CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"
        ).consume()
        self._session.close()
        self._driver.close()


def _unwind(tx: neo4j.Transaction, rows: Sequence[Sequence[object]], statement: str) -> None:
    for start in range(0, len(rows), 5000):
        part = [list(row) for row in rows[start : start + 5000]]
        tx.run(f"UNWIND $rows AS row {statement}", rows=part).consume()
