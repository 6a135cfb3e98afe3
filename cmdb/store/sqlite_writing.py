"""The write transaction of the embedded store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from cmdb import codec
from cmdb.model import CI, Relation, Revision
from cmdb.store import plan as planning
from cmdb.store.base import Base, Batch, Handle, Position, Record, StoredCI, StoreError
from cmdb.store.sqlite_coded import drop_codes, write_ci_codes, write_relation_codes
from cmdb.store.sqlite_history import trim_step, write_base, write_past
from cmdb.store.sqlite_rows import IN, listed, read_cis, read_handles, read_position, read_records, read_relations


class SqliteTransaction:
    """Transaction of a SqliteStore: the connection holds the write lock of the file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._position = read_position(connection)
        self._counted = False
        self._applied = False
        self._linked: set[str] = set()
        self.made: Revision | None = None
        """The revision that it makes."""

    @property
    def position(self) -> Position:
        return self._position

    def records(self, kind: str, keys: Iterable[str] | None = None, before: datetime | None = None) -> list[Record]:
        return read_records(self._connection, kind, keys, None, before)

    def put(self, records: Sequence[Record]) -> None:
        planning.check_records(records)
        for record in records:
            self._unlink(record.kind, record.id, record.keys, record.cis)
            self._linked |= record.cis
        self._connection.executemany(
            "INSERT INTO record (kind, id, doc, at, keys, cis) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (kind, id)"
            " DO UPDATE SET doc = excluded.doc, at = excluded.at, keys = excluded.keys, cis = excluded.cis",
            [
                (
                    row.kind,
                    row.id,
                    row.doc,
                    codec.time_out(row.at) if row.at else None,
                    listed(row.keys),
                    listed(row.cis),
                )
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
        return read_cis(self._connection, ids)

    def relations(self, ids: Iterable[str]) -> list[Relation]:
        return read_relations(self._connection, ids, None)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        return read_handles(self._connection, ids)

    def reserve(self, sequence: str, count: int) -> int:
        planning.check_count(sequence, count)
        last: int = self._connection.execute(
            "INSERT INTO sequence VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET"
            " last = last + excluded.last RETURNING last",
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
            revision, changes = planning.draft(batch, work, self._position)
            self._write_journal(revision, changes)
            write_past(self._connection, work, revision.n)
            self._position = replace(self._position, revision=revision.n, at=revision.at, hash=revision.hash)
        self._write_handles(work)
        self._write_cis(work, self._position.revision, {})
        self._write_relations(work, self._position.revision)
        self._applied = True
        self.made = revision
        return revision

    def replay(self, revision: Revision) -> None:
        self._applied = False
        planning.check_replayed(self.apply(planning.batch_of(revision)), revision)

    def lay(self, base: Base, cis: Sequence[StoredCI], relations: Sequence[Relation]) -> None:
        planning.check_laid(base, self._position)
        work = planning.laid(base, cis, relations)
        self._refuse_dangling(work)
        write_base(self._connection, base)
        self._position = replace(self._position, revision=base.revision, at=base.at, hash=base.hash)
        self._write_cis(work, base.revision, {row.ci.id: row.revision for row in cis})
        self._write_relations(work, base.revision)

    def _refuse_dangling(self, work: planning.Plan) -> None:
        known = {
            name for (name,) in self._connection.execute(f"SELECT id FROM ci WHERE id {IN}", (listed(work.named),))
        }
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
        self._connection.executemany(
            "DELETE FROM handle WHERE ci = ?", [(ci,) for ci in (*work.handles, *work.dropped)]
        )
        self._connection.executemany(
            "INSERT INTO handle VALUES (?, ?, ?)",
            [(kind, value, ci) for ci, handles in work.handles.items() for kind, value in handles],
        )

    def _write_cis(self, work: planning.Plan, revision: int, since: Mapping[str, int]) -> None:
        """Store and drop CIs, as from a revision on; runs after the handles, which the search text holds too."""
        new = {ci.id for ci in work.cis}
        handles = self.handles([*new, *work.handles])
        self._connection.executemany(
            "INSERT INTO ci (id, class, space, name, label, state, revision, search, attributes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET class = excluded.class,"
            " space = excluded.space, name = excluded.name, label = excluded.label, state = excluded.state,"
            " revision = excluded.revision, search = excluded.search, attributes = excluded.attributes",
            [_row(ci, since.get(ci.id, revision), handles.get(ci.id, frozenset())) for ci in work.cis],
        )
        self._connection.executemany(
            "INSERT INTO image VALUES (?, ?) ON CONFLICT (ci) DO UPDATE SET doc = excluded.doc",
            [(ci.id, work.after[ci.id].decode()) for ci in work.cis],
        )
        renamed = self.get(set(work.handles) - new)
        self._connection.executemany(
            "UPDATE ci SET search = ? WHERE id = ?",
            [(planning.search_text(row.ci, handles.get(ci, frozenset())), ci) for ci, row in renamed.items()],
        )
        write_ci_codes(self._connection, [StoredCI(ci, since.get(ci.id, revision)) for ci in work.cis])
        drop_codes(self._connection, work.dropped, ())
        dropped = [(ci,) for ci in work.dropped]
        self._connection.executemany("DELETE FROM ci WHERE id = ?", dropped)
        self._connection.executemany("DELETE FROM image WHERE ci = ?", dropped)
        self._connection.executemany("DELETE FROM record_ci WHERE ci = ?", dropped)

    def _write_relations(self, work: planning.Plan, revision: int) -> None:
        drop_codes(self._connection, (), [relation.id for relation in work.cut])
        self._connection.executemany("DELETE FROM relation WHERE id = ?", [(relation.id,) for relation in work.cut])
        self._connection.executemany(
            "INSERT INTO relation (id, type, source, target, columns, revision) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET type = excluded.type, source = excluded.source, target = excluded.target,"
            " columns = excluded.columns, revision = excluded.revision",
            [
                (
                    row.id,
                    row.type,
                    row.source,
                    row.target,
                    codec.canonical(codec.values_out(row.columns)).decode(),
                    revision,
                )
                for row in work.relations
            ],
        )
        write_relation_codes(self._connection, [(relation, revision) for relation in work.relations])

    def trim(self, before: int) -> Base:
        """One step of `GraphStore.trim`."""
        return trim_step(self._connection, before)

    def finish(self) -> None:
        """Forget links of records to CIs that this transaction did not make after all."""
        wanted = listed(self._linked)
        self._connection.execute(f"DELETE FROM record_ci WHERE ci {IN} AND ci NOT IN (SELECT id FROM ci)", (wanted,))


def _row(ci: CI, revision: int, handles: frozenset[Handle]) -> tuple[str | int, ...]:
    search = planning.search_text(ci, handles)
    attributes = "\n".join(["", *planning.attribute_keys(ci), ""])
    return ci.id, ci.cls, ci.space, ci.name, ci.label or "", ci.state.value, revision, search, attributes


def _columns(relation: Relation) -> str:
    return codec.canonical(codec.values_out(relation.columns)).decode()
