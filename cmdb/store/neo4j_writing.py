"""The write transaction of the Neo4j store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from cmdb.model import CI, Relation, Revision
from cmdb.store import plan as planning
from cmdb.store.base import Base, Batch, Handle, Position, Record, StoredCI, StoreError
from cmdb.store.bolt import BoltTransaction
from cmdb.store.neo4j_graph import (
    META,
    camel,
    ci_properties,
    class_labels,
    component_properties,
    handle_key,
    position_out,
    record_key,
    record_properties,
    relation_properties,
)
from cmdb.store.neo4j_history import past_properties, trim_step, write_base
from cmdb.store.neo4j_reading import read_cis, read_handles, read_position, read_records, read_relations

_ROWS = 5_000
"""Rows of one UNWIND: more make the server's heap swell, fewer cost round trips."""

Item = TypeVar("Item")


class Neo4jTransaction:
    """Transaction of a Neo4jStore: it holds the lock of the Meta node."""

    def __init__(self, bolt: BoltTransaction) -> None:
        self._bolt = bolt
        self._found = self._position = read_position(bolt.run)
        self._counted = False
        self._applied = False
        self._to_link: dict[str, frozenset[str]] = {}

    @property
    def position(self) -> Position:
        return self._position

    def records(self, kind: str, keys: Iterable[str] | None = None, before: datetime | None = None) -> list[Record]:
        return read_records(self._bolt.run, kind, keys, None, before)

    def put(self, records: Sequence[Record]) -> None:
        planning.check_records(records)
        rows = {record_key(record.kind, record.id): record for record in records}
        stored = {
            key: (frozenset(keys), frozenset(cis))
            for key, keys, cis in self._each(rows, "MATCH (r:Record {_key: row}) RETURN r._key, r.keys, r.cis")
        }
        for kind, group in _grouped(records, lambda record: record.kind):
            self._each(
                [record_properties(record) for record in group],
                f"MERGE (r:Record {{_key: row._key}}) SET r = row SET r:{camel(kind)}",
            )
        nothing: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        old_keys = {key: stored.get(key, nothing)[0] for key in rows}
        self._each(
            _pairs(rows, {key: record.keys - old_keys[key] for key, record in rows.items()}),
            "MATCH (r:Record {_key: row[0]}) CREATE (:RecordKey {_key: row[2], key: row[1]})-[:FINDS]->(r)",
        )
        self._each(
            _pairs(rows, {key: old_keys[key] - record.keys for key, record in rows.items()}),
            "MATCH (k:RecordKey {_key: row[2]})-[:FINDS]->(:Record {_key: row[0]}) DETACH DELETE k",
        )
        self._each(
            _pairs(rows, {key: stored.get(key, nothing)[1] - record.cis for key, record in rows.items()}),
            "MATCH (:Record {_key: row[0]})-[f:FROM]->(:CI {id: row[1]}) DELETE f",
        )
        self._to_link.update((key, record.cis) for key, record in rows.items())
        self._count(records)

    def drop(self, kind: str, ids: Sequence[str]) -> None:
        keys = [record_key(kind, name) for name in ids]
        self._each(keys, "MATCH (r:Record {_key: row}) OPTIONAL MATCH (r)<-[:FINDS]-(k:RecordKey) DETACH DELETE r, k")
        for key in keys:
            self._to_link.pop(key, None)
        self._count(ids)

    def _count(self, written: Sequence[object]) -> None:
        if self._counted or not written:
            return
        self._counted = True
        self._position = replace(self._position, evidence=self._position.evidence + 1)

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        return read_cis(self._bolt.run, ids)

    def relations(self, ids: Iterable[str]) -> list[Relation]:
        return read_relations(self._bolt.run, ids, None)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        return read_handles(self._bolt.run, ids)

    def reserve(self, sequence: str, count: int) -> int:
        planning.check_count(sequence, count)
        [[last]] = self._bolt.run(
            "MERGE (s:Sequence {name: $name}) ON CREATE SET s.last = 0 SET s.last = s.last + $count RETURN s.last",
            name=sequence,
            count=count,
        )
        first: int = last - count + 1
        return first

    def apply(self, batch: Batch) -> Revision | None:
        if self._applied:
            raise StoreError("a transaction applies one batch at most")
        work = planning.plan(batch)
        self._refuse_dangling(work)
        revision = None
        if batch.changes:
            revision, changes = planning.draft(batch, work, self._position)
            self._write_journal(revision, changes)
            self._write_past(work, revision.n)
            self._position = replace(self._position, revision=revision.n, at=revision.at, hash=revision.hash)
        handles = self._write_handles(work)
        self._drop_relations(work)
        self._write_cis(work, handles, {})
        self._write_components(work)
        self._write_relations(work)
        self._applied = True
        return revision

    def replay(self, revision: Revision) -> None:
        self._applied = False
        planning.check_replayed(self.apply(planning.batch_of(revision)), revision)

    def lay(self, base: Base, cis: Sequence[StoredCI], relations: Sequence[Relation]) -> None:
        planning.check_laid(base, self._position)
        work = planning.laid(base, cis, relations)
        self._refuse_dangling(work)
        write_base(self._bolt.run, base)
        self._position = replace(self._position, revision=base.revision, at=base.at, hash=base.hash)
        self._write_cis(work, {}, {row.ci.id: row.revision for row in cis})
        self._write_components(work)
        self._write_relations(work)

    def _each(self, rows: Iterable[Any], statement: str, **parameters: object) -> list[list[Any]]:
        """Run a statement for each row, thousands at a time; `row` is its name there."""
        items = list(rows)
        found: list[list[Any]] = []
        for start in range(0, len(items), _ROWS):
            part = items[start : start + _ROWS]
            found.extend(self._bolt.run(f"UNWIND $rows AS row {statement}", rows=part, **parameters))
        return found

    def _refuse_dangling(self, work: planning.Plan) -> None:
        known = {name for (name,) in self._each(work.named, "MATCH (n:CI {id: row}) RETURN n.id")}
        left = {relation.id for relation in self.relations(work.dropped)} if work.dropped else set()
        planning.refuse_dangling(work, known, left)

    def _write_journal(self, revision: Revision, changes: bytes) -> None:
        self._bolt.run(
            "CREATE (r:Revision) SET r = $row",
            row={
                "n": revision.n,
                "at": revision.at,
                "actor": revision.actor,
                "run": revision.run,
                "reason": revision.reason,
                "changes": changes,
                "prev_hash": revision.prev_hash,
                "hash": revision.hash,
            },
        )

    def _write_past(self, work: planning.Plan, until: int) -> None:
        """Close the intervals of what a batch changes or removes; runs before the present is written."""
        cis, relations = [], []
        for name, image in work.was.items():
            row = past_properties(image, until, work.before[name])
            if isinstance(image, CI):
                cis.append(row)
            else:
                relations.append((image.type, row))
        close = "CREATE (p:Past) SET p = row, p.since = "
        self._each(cis, f"MATCH (n:CI {{id: row.id}}) {close} n.revision")
        for kind, group in _grouped(relations, lambda pair: pair[0]):
            self._each(
                [row for _, row in group],
                f"MATCH (:CI)-[r:{kind.upper()} {{id: row.id}}]->(:CI) {close} r.revision",
            )

    def _write_handles(self, work: planning.Plan) -> dict[str, frozenset[Handle]]:
        """Replace handles; returns all handles of the CIs that are stored or given handles."""
        old = self.handles([*(ci.id for ci in work.cis), *work.handles, *work.dropped])
        new = {**{ci: handles for ci, handles in old.items() if ci not in work.dropped}, **work.handles}
        gone = {ci: handles - new.get(ci, frozenset()) for ci, handles in old.items()}
        come = {ci: handles - old.get(ci, frozenset()) for ci, handles in work.handles.items()}
        self._each(
            [[ci, handle_key(handle)] for ci, handles in gone.items() for handle in handles],
            "MATCH (h:Handle {_key: row[1]}) WHERE h.ci = row[0] DELETE h",
        )
        self._each(
            [[ci, handle_key(handle), *handle] for ci, handles in come.items() for handle in handles],
            "CREATE (h:Handle {ci: row[0], _key: row[1], kind: row[2], value: row[3]})",
        )
        return new

    def _write_cis(
        self, work: planning.Plan, handles: Mapping[str, frozenset[Handle]], since: Mapping[str, int]
    ) -> None:
        new = {ci.id: ci for ci in work.cis}
        was = [(name, work.was.get(name)) for name in new]
        moved = [(name, ci.cls) for name, ci in was if isinstance(ci, CI) and new[name].cls != ci.cls]
        for cls, group in _grouped(moved, lambda pair: pair[1]):
            self._each([name for name, _ in group], f"MATCH (n:CI {{id: row}}) REMOVE n:{class_labels(cls)}")
        revision = self._position.revision
        for cls, cis in _grouped(work.cis, lambda ci: ci.cls):
            self._each(
                [
                    ci_properties(
                        ci,
                        work.after[ci.id].decode(),
                        since.get(ci.id, revision),
                        handles.get(ci.id, frozenset()),
                    )
                    for ci in cis
                ],
                f"MERGE (n:CI {{id: row.id}}) SET n = row SET n:{class_labels(cls)}",
            )
        renamed = self.get(set(work.handles) - set(new))
        self._each(
            [[ci, planning.search_text(row.ci, handles.get(ci, frozenset()))] for ci, row in renamed.items()],
            "MATCH (n:CI {id: row[0]}) SET n._search = row[1]",
        )
        self._each(
            work.dropped,
            "MATCH (n:CI {id: row}) OPTIONAL MATCH (n)<-[:PART_OF]-(c:Component) DETACH DELETE n, c",
        )

    def _write_components(self, work: planning.Plan) -> None:
        changed = []
        for ci in work.cis:
            before = work.was.get(ci.id)
            if not isinstance(before, CI) or before.components != ci.components:
                changed.append(ci)
        self._each([ci.id for ci in changed], "MATCH (:CI {id: row})<-[:PART_OF]-(c:Component) DETACH DELETE c")
        parts = [(ci.id, part) for ci in changed for part in ci.components]
        for kind, group in _grouped(parts, lambda pair: pair[1].kind):
            self._each(
                [[ci, component_properties(part)] for ci, part in group],
                f"MATCH (n:CI {{id: row[0]}}) CREATE (c:Component:{camel(kind)})-[:PART_OF]->(n) SET c = row[1]",
            )

    def _drop_relations(self, work: planning.Plan) -> None:
        """Delete what is cut, and what changes its type or its ends: those of a relationship cannot change."""
        gone = list(work.cut)
        for relation in work.relations:
            before = work.was.get(relation.id)
            if isinstance(before, Relation) and _ends(before) != _ends(relation):
                gone.append(before)
        for kind, group in _grouped(gone, lambda relation: relation.type):
            self._each(
                [relation.id for relation in group], f"MATCH (:CI)-[r:{kind.upper()} {{id: row}}]->(:CI) DELETE r"
            )

    def _write_relations(self, work: planning.Plan) -> None:
        revision = self._position.revision
        for kind, group in _grouped(work.relations, lambda relation: relation.type):
            self._each(
                [[relation.source, relation.target, relation_properties(relation, revision)] for relation in group],
                "MATCH (a:CI {id: row[0]}) MATCH (b:CI {id: row[1]})"
                f" MERGE (a)-[r:{kind.upper()} {{id: row[2].id}}]->(b) SET r = row[2]",
            )

    def trim(self, before: int) -> Base:
        """One step of `GraphStore.trim`."""
        return trim_step(self._bolt.run, before)

    def finish(self) -> None:
        """Move the position, and link records to the CIs they speak of, which may have been made after them."""
        if self._position != self._found:
            self._bolt.run(f"MATCH {META} SET m.position = $position", position=position_out(self._position))
        self._each(
            [[key, ci] for key, cis in self._to_link.items() for ci in sorted(cis)],
            "MATCH (r:Record {_key: row[0]}) MATCH (n:CI {id: row[1]}) MERGE (r)-[:FROM]->(n)",
        )


def _ends(relation: Relation) -> tuple[str, str, str]:
    return relation.type, relation.source, relation.target


def _pairs(rows: Mapping[str, Record], texts: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """(key of a record, text, key of the text inside the record's kind) for each text of each record."""
    return [[key, text, record_key(rows[key].kind, text)] for key in rows for text in sorted(texts[key])]


def _grouped(items: Iterable[Item], key: Callable[[Item], str]) -> Iterator[tuple[str, list[Item]]]:
    """Items by label or type, which a statement cannot take as a parameter."""
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    yield from groups.items()
