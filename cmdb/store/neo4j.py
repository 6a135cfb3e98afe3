"""The production store: a Neo4j 5 server, whose graph anybody can read with plain Cypher."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from cmdb.model import Graph, Relation, Revision
from cmdb.store import plan as planning
from cmdb.store.base import (
    SCHEMA_VERSION,
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
    StoreTooNew,
)
from cmdb.store.bolt import Server
from cmdb.store.neo4j_coded import read_coded
from cmdb.store.neo4j_graph import CONSTRAINTS, INDEXES, META, position_out, sort_key, stored_ci
from cmdb.store.neo4j_history import (
    check_revision,
    fill_from_journal,
    read_base,
    read_changes,
    read_cis_at,
    read_past,
    read_relations_at,
    read_revision_at,
    read_topology_at,
    read_touches,
)
from cmdb.store.neo4j_reading import (
    SORT_KEYS,
    Run,
    filters,
    read_beginning,
    read_cis,
    read_handles,
    read_matches,
    read_position,
    read_records,
    read_relations,
    read_relations_by_id,
)
from cmdb.store.neo4j_writing import Neo4jTransaction
from cmdb.store.past import GENESIS, base_out, chain, check_kept
from cmdb.store.recent import NONE_KEPT, Recent

TRANSACTION_TIMEOUT_S = 600.0
"""When the server ends a write transaction, its wait for the other writers included."""


class Neo4jStore:
    """GraphStore on a Neo4j server. Safe for threads: each call has a session of its own."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        """Connect and bring the schema up to date. Raises StoreUnavailable, StoreTooNew or StoreError."""
        self._server = Server(host, port, user, password)
        self._writer: int | None = None
        self._recent = Recent()
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
        self._recent.keep(transaction.made)

    def position(self) -> Position:
        return read_position(self._server.run)

    def records(
        self,
        kind: str,
        keys: Iterable[str] | None = None,
        cis: Iterable[str] | None = None,
        before: datetime | None = None,
    ) -> list[Record]:
        return read_records(self._server.run, kind, keys, cis, before)

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

    def relations_by_id(self, ids: Iterable[str]) -> dict[str, Relation]:
        return read_relations_by_id(self._server.run, ids)

    def beginning(self, kind: str, prefix: str, limit: int) -> list[str]:
        return read_beginning(self._server.run, kind, prefix, limit)

    def topology(self) -> Graph:
        """The graph of the newest revision at the time of asking, whatever is committed while it is loaded."""
        return read_topology_at(self._server.run, self.position().revision)

    @contextmanager
    def coded(self, revision: int | None = None) -> Iterator[Coded]:
        position = self.position()
        of_now = revision is None or revision == position.revision
        wanted = position.revision if revision is None else revision
        with self._state_of(wanted) as run:
            yield read_coded(run, wanted, position.hash if of_now else "")

    def get_at(self, ids: Iterable[str], revision: int) -> dict[str, StoredCI]:
        with self._state_of(revision) as run:
            return read_cis_at(run, ids, revision)

    def relations_at(self, ids: Iterable[str], revision: int) -> list[Relation]:
        with self._state_of(revision) as run:
            return read_relations_at(run, ids, revision)

    def topology_at(self, revision: int) -> Graph:
        with self._state_of(revision) as run:
            return read_topology_at(run, revision)

    @contextmanager
    def _state_of(self, revision: int) -> Iterator[Run]:
        """What runs statements about a revision, which is there, and was not trimmed away in between."""
        check_revision(self._server.run, revision)
        yield self._server.run
        check_revision(self._server.run, revision)

    def revision_at(self, time: datetime) -> int:
        return read_revision_at(self._server.run, time)

    def base(self) -> Base:
        return read_base(self._server.run)

    def kinds(self) -> list[str]:
        return sorted(kind for (kind,) in self._server.run("MATCH (r:Record) RETURN DISTINCT r.kind"))

    def sequences(self) -> dict[str, int]:
        rows = self._server.run("MATCH (s:Sequence) RETURN s.name, s.last")
        return {name: int(last) for name, last in sorted(rows)}

    def trim(self, before: int) -> Base:
        while True:
            with self.write() as transaction:
                base = transaction.trim(before)
            if base.revision >= before:
                return base

    def past(self, first: int, last: int) -> list[Past]:
        found = read_past(self._server.run, first, last)
        check_kept(first - 1, self.base().revision)
        return found

    def touches(self, ci: str, before: int, limit: int) -> list[Heading]:
        return read_touches(self._server.run, ci, before, limit)

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        return self._changes(after, limit, self._recent.kept())

    def _changes(self, after: int, limit: int, kept: Mapping[str, Revision] = NONE_KEPT) -> list[Revision]:
        found = read_changes(self._server.run, after, limit, kept)
        if not found or found[0].n != after + 1:
            check_kept(after, self.base().revision)
        return found

    def journal(self) -> Iterator[Revision]:
        return chain(self._changes, self.base().revision)

    def close(self) -> None:
        self._server.close()


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
        "MERGE (m:Meta {name: 'store'}) ON CREATE SET m:Lock, m.schema = $schema, m.lock = 0, m.position = $position,"
        " m.base = $base",
        schema=SCHEMA_VERSION,
        position=position_out(planning.START),
        base=base_out(GENESIS),
    )
    if found and found[0][0] < SCHEMA_VERSION:
        _migrate(server)


def _migrate(server: Server) -> None:
    """Bring a store of an older schema up to date, under the lock of its writers. Schema 3 is new to files alone."""
    with server.transaction(f"MATCH {META} SET m.lock = m.lock + 1", TRANSACTION_TIMEOUT_S) as bolt:
        [[found]] = bolt.run(f"MATCH {META} RETURN m.schema")
        if found == SCHEMA_VERSION:
            return  # another program was faster
        if found == 1:
            fill_from_journal(server.run)
            bolt.run(f"MATCH {META} SET m.base = $base", base=base_out(GENESIS))
        bolt.run(f"MATCH {META} SET m.schema = $schema", schema=SCHEMA_VERSION)
