"""The production store: a Neo4j 5 server, whose graph anybody can read with plain Cypher."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cmdb.model import CI, Graph, Relation, Revision
from cmdb.store import plan as planning
from cmdb.store.base import (
    SCHEMA_VERSION,
    Handle,
    Match,
    Position,
    Query,
    Record,
    StoredCI,
    StoreError,
    StoreTooNew,
)
from cmdb.store.bolt import Server, utc
from cmdb.store.neo4j_graph import CONSTRAINTS, INDEXES, META, position_out, relation_of, sort_key, stored_ci
from cmdb.store.neo4j_reading import (
    SORT_KEYS,
    filters,
    read_cis,
    read_handles,
    read_matches,
    read_position,
    read_records,
    read_relations,
)
from cmdb.store.neo4j_writing import Neo4jTransaction

TRANSACTION_TIMEOUT_S = 600.0
"""When the server ends a write transaction, its wait for the other writers included."""

_PAGE = 200


class Neo4jStore:
    """GraphStore on a Neo4j server. Safe for threads: each call has a session of its own."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        """Connect and bring the schema up to date. Raises StoreUnavailable, StoreTooNew or StoreError."""
        self._server = Server(host, port, user, password)
        self._writer: int | None = None
        try:
            _open_schema(self._server)
        except BaseException:
            self._server.close()
            raise

    @contextmanager
    def write(self) -> Iterator[Neo4jTransaction]:
        """Take the revision lock, yield, commit; on an exception nothing of it is kept."""
        if self._writer == threading.get_ident():
            raise StoreError("a write transaction is open in this thread already")
        # Writing to the one Meta node waits until every other writer has finished: this is the revision lock.
        with self._server.transaction(f"MATCH {META} SET m.lock = m.lock + 1", TRANSACTION_TIMEOUT_S) as bolt:
            self._writer = threading.get_ident()
            try:
                transaction = Neo4jTransaction(bolt)
                yield transaction
                transaction.finish()
            finally:
                self._writer = None

    def position(self) -> Position:
        return read_position(self._server.run)

    def records(self, kind: str, keys: Iterable[str] | None = None, cis: Iterable[str] | None = None) -> list[Record]:
        return read_records(self._server.run, kind, keys, cis)

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        return read_cis(self._server.run, ids)

    def lookup(self, handles: Iterable[Handle], space: str | None = None) -> list[Match]:
        return read_matches(self._server.run, handles, space)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        return read_handles(self._server.run, ids)

    def find(self, query: Query) -> list[StoredCI]:
        planning.check_query(query)
        key = SORT_KEYS[query.sort]
        where, values = filters(query)
        if query.after is not None:
            where.append(f"({key} > $after OR {key} = $after AND n.id > $after_id)")
            value, values["after_id"] = query.after
            values["after"] = sort_key(value) if isinstance(value, str) else value
        statement = (
            f"MATCH (n:CI) WHERE {' AND '.join(where) or 'true'} RETURN n._image ORDER BY {key}, n.id LIMIT $limit"
        )
        rows = self._server.run(statement, **values, limit=query.limit)
        return [stored_ci(image) for (image,) in rows]

    def count(self, query: Query) -> int:
        planning.check_query(query)
        where, values = filters(query)
        statement = f"MATCH (n:CI) WHERE {' AND '.join(where) or 'true'} RETURN count(n)"
        count: int = self._server.run(statement, **values)[0][0]
        return count

    def relations(self, ids: Iterable[str], types: Iterable[str] | None = None) -> list[Relation]:
        return read_relations(self._server.run, ids, types)

    def topology(self) -> Graph:
        """Load, then apply the journal of what was committed meanwhile: Neo4j reads what is committed, row by row."""
        start = self.position().revision
        images = self._server.run("MATCH (n:CI) WHERE n._image IS NOT NULL RETURN n._image")
        linked = self._server.run("MATCH (a:CI)-[r]->(b:CI) RETURN a.id, collect([r.id, type(r), b.id, properties(r)])")
        cis = {ci.id: ci for ci, _ in (stored_ci(image) for (image,) in images)}
        # What is deleted while it is read comes as null; the journal has it.
        relations = {row[0]: relation_of(source, row) for source, rows in linked for row in rows if None not in row}
        revision = start
        while page := self.changes(revision, _PAGE):
            for change in (change for entry in page for change in entry.changes):
                _replay(change.id, change.before, change.after, cis, relations)
            revision = page[-1].n
        return Graph(revision, dict(sorted(cis.items())), dict(sorted(relations.items())))

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        rows = self._server.run(
            "MATCH (r:Revision) WHERE r.n > $after RETURN r.n, r.at, r.actor, r.run, r.reason, r.changes, r.prev_hash,"
            " r.hash ORDER BY r.n LIMIT $limit",
            after=after,
            limit=limit,
        )
        return [
            Revision(n, utc(at), actor, run, reason, planning.changes_of(changes), prev_hash, digest)
            for n, at, actor, run, reason, changes, prev_hash, digest in rows
        ]

    def journal(self) -> Iterator[Revision]:
        after = 0
        while page := self.changes(after, _PAGE):
            yield from page
            after = page[-1].n

    def close(self) -> None:
        self._server.close()


def _replay(
    name: str,
    before: CI | Relation | None,
    after: CI | Relation | None,
    cis: dict[str, CI],
    relations: dict[str, Relation],
) -> None:
    if isinstance(after, CI):
        cis[name] = after
    elif isinstance(after, Relation):
        relations[name] = after
    elif isinstance(before, CI):
        cis.pop(name, None)
    else:
        relations.pop(name, None)


def _open_schema(server: Server) -> None:
    """Make what is missing of the schema; refuse one of a newer version."""
    found = server.run(f"MATCH {META} RETURN m.schema")
    if found and found[0][0] > SCHEMA_VERSION:
        raise StoreTooNew(
            f"the store on Neo4j at {server.name} has schema {found[0][0]}, written by a newer cmdb; this one knows"
            f" {SCHEMA_VERSION}: install the newer version"
        )
    known = {name for (name,) in server.run("SHOW INDEXES YIELD name")}
    for name, rule in CONSTRAINTS.items():
        if name not in known:
            server.run(f"CREATE CONSTRAINT {name} IF NOT EXISTS {rule}")
    for name, rule in INDEXES.items():
        if name not in known:
            server.run(f"CREATE INDEX {name} IF NOT EXISTS {rule}")
    server.run(
        "MERGE (m:Meta {name: 'store'}) ON CREATE SET m:Lock, m.schema = $schema, m.lock = 0, m.position = $position",
        schema=SCHEMA_VERSION,
        position=position_out(planning.START),
    )
