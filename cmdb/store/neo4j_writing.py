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
from cmdb.store.bolt import BoltTransaction, Row
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

_WRITES: Mapping[str, str] = {
    "journal": "CREATE (r:Revision) SET r = row",
    # The past takes since when from the present, and is written before it.
    "past": "MATCH (n:CI {id: row.id}) CREATE (p:Past) SET p = row, p.since = n.revision",
    "handles_gone": "MATCH (h:Handle {_key: row[1]}) USING INDEX h:Handle(_key) WHERE h.ci = row[0] DELETE h",
    "handles": "CREATE (h:Handle {ci: row[0], _key: row[1], kind: row[2], value: row[3]})",
    "moved": "MATCH (n:CI {id: row[0]}) REMOVE n:$(row[1])",
    "cis": "MERGE (n:CI {id: row[0]}) SET n = row[1] SET n:$(row[2])",
    "renamed": "MATCH (n:CI {id: row[0]}) SET n._search = row[1]",
    "dropped": "MATCH (n:CI {id: row}) OPTIONAL MATCH (n)<-[:PART_OF]-(c:Component) DETACH DELETE n, c",
    "restated": "MATCH (:CI {id: row})<-[:PART_OF]-(c:Component) DETACH DELETE c",
    "components": "MATCH (n:CI {id: row[0]}) CREATE (c:Component)-[:PART_OF]->(n) SET c = row[1] SET c:$(row[2])",
    "relations": ("MATCH (a:CI {id: row[0]}) MATCH (b:CI {id: row[1]}) CREATE (a)-[r:$(row[2])]->(b) SET r = row[3]"),
    "records_gone": "MATCH (r:Record {_key: row}) OPTIONAL MATCH (r)<-[:FINDS]-(k:RecordKey) DETACH DELETE r, k",
    "records": "MERGE (r:Record {_key: row[0]}) SET r = row[1] SET r:$(row[2])",
    "keys_gone": (
        "MATCH (k:RecordKey {_key: row[2]})-[:FINDS]->(:Record {_key: row[0]}) USING INDEX k:RecordKey(_key)"
        " DETACH DELETE k"
    ),
    "keys": "MATCH (r:Record {_key: row[0]}) CREATE (:RecordKey {_key: row[2], key: row[1]})-[:FINDS]->(r)",
    "links_gone": "MATCH (:Record {_key: row[0]})-[f:FROM]->(:CI {id: row[1]}) DELETE f",
    "links": "MATCH (r:Record {_key: row[0]}) MATCH (n:CI {id: row[1]}) MERGE (r)-[:FROM]->(n)",
    "position": f"MATCH {META} SET m.position = row",
}
"""What a transaction writes for each row, in this order.

Hinted where no constraint makes the index the only choice: the planner may remember how empty the store was.
"""

_ALL_WRITES = " ".join(f"CALL () {{ UNWIND $all.{name} AS row {statement} }}" for name, statement in _WRITES.items())
"""All of it as one statement: a report is a few rows, and each round trip costs more than they do.

One parameter, because the server plans a statement again for each size class of each list that is a parameter.
"""

Item = TypeVar("Item")


class Neo4jTransaction:
    """Transaction of a Neo4jStore: it holds the lock of the Meta node.

    What it writes waits until something is read or it ends, and then goes to the server at once.
    """

    def __init__(self, bolt: BoltTransaction) -> None:
        self._bolt = bolt
        self._found = self._position = read_position(bolt.run)
        self._counted = False
        self._applied = False
        self._waiting: defaultdict[str, list[Any]] = defaultdict(list)
        self._records: dict[str, Record | None] = {}
        self._spoken_of: dict[str, frozenset[str]] = {}
        self._new_cis: frozenset[str] = frozenset()
        self.made: Revision | None = None
        """The revision that it makes."""

    @property
    def position(self) -> Position:
        return self._position

    def records(self, kind: str, keys: Iterable[str] | None = None, before: datetime | None = None) -> list[Record]:
        return read_records(self._read, kind, keys, None, before)

    def put(self, records: Sequence[Record]) -> None:
        planning.check_records(records)
        self._records.update((record_key(record.kind, record.id), record) for record in records)
        self._count(records)

    def drop(self, kind: str, ids: Sequence[str]) -> None:
        self._records.update((record_key(kind, name), None) for name in ids)
        self._count(ids)

    def _count(self, written: Sequence[object]) -> None:
        if self._counted or not written:
            return
        self._counted = True
        self._position = replace(self._position, evidence=self._position.evidence + 1)

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]:
        return read_cis(self._read, ids)

    def relations(self, ids: Iterable[str]) -> list[Relation]:
        return read_relations(self._read, ids, None)

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
        return read_handles(self._read, ids)

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
        if any(self._waiting.values()):
            self._flush()
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
        self.made = revision
        return revision

    def replay(self, revision: Revision) -> None:
        self._applied = False
        planning.check_replayed(self.apply(planning.batch_of(revision)), revision)

    def lay(self, base: Base, cis: Sequence[StoredCI], relations: Sequence[Relation]) -> None:
        planning.check_laid(base, self._position)
        work = planning.laid(base, cis, relations)
        if any(self._waiting.values()):
            self._flush()
        self._refuse_dangling(work)
        write_base(self._bolt.run, base)
        self._position = replace(self._position, revision=base.revision, at=base.at, hash=base.hash)
        self._write_cis(work, {}, {row.ci.id: row.revision for row in cis})
        self._write_components(work)
        self._write_relations(work)

    def _read(self, statement: str, **parameters: object) -> list[Row]:
        """Run a statement that must see what was written before it."""
        self._flush()
        return self._bolt.run(statement, **parameters)

    def _each(self, rows: Iterable[Any], statement: str) -> list[Row]:
        """Run a statement for each row now, thousands at a time; `row` is its name there."""
        items = list(rows)
        found: list[Row] = []
        for start in range(0, len(items), _ROWS):
            found.extend(self._bolt.run(f"UNWIND $rows AS row {statement}", rows=items[start : start + _ROWS]))
        return found

    def _flush(self) -> None:
        self._write_records()
        waiting, self._waiting = self._waiting, defaultdict(list)
        if not any(waiting.values()):
            return
        if sum(len(rows) for rows in waiting.values()) <= _ROWS:
            self._bolt.run(_ALL_WRITES, all={name: waiting[name] for name in _WRITES})
            return
        for name, statement in _WRITES.items():
            self._each(waiting[name], statement)

    def _write_records(self) -> None:
        """Store and drop records, and change by what they are found and of which CIs they speak."""
        records, self._records = self._records, {}
        if not records:
            return
        nothing: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        stored = {
            key: (frozenset(keys), frozenset(cis))
            for key, keys, cis in self._each(records, "MATCH (r:Record {_key: row}) RETURN r._key, r.keys, r.cis")
        }
        for key, record in records.items():
            if record is None:
                self._waiting["records_gone"].append(key)
                self._spoken_of.pop(key, None)
                continue
            self._spoken_of[key] = record.cis
            keys, cis = stored.get(key, nothing)
            self._waiting["records"].append([key, record_properties(record), camel(record.kind)])
            self._waiting["keys"] += _pairs(key, record, record.keys - keys)
            self._waiting["keys_gone"] += _pairs(key, record, keys - record.keys)
            self._waiting["links"] += [[key, ci] for ci in sorted(record.cis - cis)]
            self._waiting["links_gone"] += [[key, ci] for ci in sorted(cis - record.cis)]

    def _refuse_dangling(self, work: planning.Plan) -> None:
        known = {name for (name,) in self._each(work.named, "MATCH (n:CI {id: row}) RETURN n.id")}
        left = {relation.id for relation in self.relations(work.dropped)} if work.dropped else set()
        planning.refuse_dangling(work, known, left)

    def _write_journal(self, revision: Revision, changes: bytes) -> None:
        self._waiting["journal"].append(
            {
                "n": revision.n,
                "at": revision.at,
                "actor": revision.actor,
                "run": revision.run,
                "reason": revision.reason,
                "changes": changes,
                "prev_hash": revision.prev_hash,
                "hash": revision.hash,
            }
        )

    def _write_past(self, work: planning.Plan, until: int) -> None:
        """Close the intervals of what a batch changes or removes; runs before the present is written."""
        relations = []
        for name, image in work.was.items():
            row = past_properties(image, until, work.before[name])
            if isinstance(image, CI):
                self._waiting["past"].append(row)
            else:
                relations.append((image.type, row))
        for kind, group in _grouped(relations, lambda pair: pair[0]):
            self._each(
                [row for _, row in group],
                f"MATCH (:CI)-[r:{kind.upper()} {{id: row.id}}]->(:CI)"
                " CREATE (p:Past) SET p = row, p.since = r.revision",
            )

    def _write_handles(self, work: planning.Plan) -> dict[str, frozenset[Handle]]:
        """Replace handles; returns all handles of the CIs that are stored or given handles."""
        had = {*(ci.id for ci in work.cis), *work.handles, *work.dropped} - _new(work)
        old = read_handles(self._bolt.run, had) if had else {}
        new = {**{ci: handles for ci, handles in old.items() if ci not in work.dropped}, **work.handles}
        gone = {ci: handles - new.get(ci, frozenset()) for ci, handles in old.items()}
        come = {ci: handles - old.get(ci, frozenset()) for ci, handles in work.handles.items()}
        self._waiting["handles_gone"] += [
            [ci, handle_key(handle)] for ci, handles in gone.items() for handle in handles
        ]
        self._waiting["handles"] += [
            [ci, handle_key(handle), *handle] for ci, handles in come.items() for handle in handles
        ]
        return new

    def _write_cis(
        self, work: planning.Plan, handles: Mapping[str, frozenset[Handle]], since: Mapping[str, int]
    ) -> None:
        revision = self._position.revision
        for ci in work.cis:
            before = work.was.get(ci.id)
            if isinstance(before, CI) and before.cls != ci.cls:
                self._waiting["moved"].append([ci.id, class_labels(before.cls)])
            image = work.after[ci.id].decode()
            shown = ci_properties(ci, image, since.get(ci.id, revision), handles.get(ci.id, frozenset()))
            self._waiting["cis"].append([ci.id, shown, class_labels(ci.cls)])
        self._new_cis |= _new(work)
        if others := set(work.handles) - {ci.id for ci in work.cis}:
            self._waiting["renamed"] += [
                [ci, planning.search_text(row.ci, handles.get(ci, frozenset()))]
                for ci, row in read_cis(self._bolt.run, others).items()
            ]
        self._waiting["dropped"] += work.dropped

    def _write_components(self, work: planning.Plan) -> None:
        for ci in work.cis:
            before = work.was.get(ci.id)
            if isinstance(before, CI) and before.components == ci.components:
                continue
            if isinstance(before, CI) and before.components:
                self._waiting["restated"].append(ci.id)
            self._waiting["components"] += [
                [ci.id, component_properties(part), camel(part.kind)] for part in ci.components
            ]

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
        kept = []
        for relation in work.relations:
            shown = relation_properties(relation, revision)
            before = work.was.get(relation.id)
            if isinstance(before, Relation) and _ends(before) == _ends(relation):
                kept.append((relation.type, shown))
            else:
                self._waiting["relations"].append([relation.source, relation.target, relation.type.upper(), shown])
        for kind, group in _grouped(kept, lambda pair: pair[0]):
            self._each(
                [shown for _, shown in group], f"MATCH (:CI)-[r:{kind.upper()} {{id: row.id}}]->(:CI) SET r = row"
            )

    def trim(self, before: int) -> Base:
        """One step of `GraphStore.trim`."""
        return trim_step(self._read, before)

    def finish(self) -> None:
        """Move the position, link records to CIs that were made after they spoke of them, and send what waits."""
        self._waiting["links"] += [
            [key, ci] for key, cis in self._spoken_of.items() for ci in sorted(cis & self._new_cis)
        ]
        if self._position != self._found:
            self._waiting["position"] = [position_out(self._position)]
        self._flush()


def _new(work: planning.Plan) -> frozenset[str]:
    """The CIs that a batch makes."""
    return frozenset(ci.id for ci in work.cis if ci.id not in work.was)


def _ends(relation: Relation) -> tuple[str, str, str]:
    return relation.type, relation.source, relation.target


def _pairs(key: str, record: Record, texts: Iterable[str]) -> list[list[str]]:
    """(key of a record, text, key of the text inside the record's kind) for each text."""
    return [[key, text, record_key(record.kind, text)] for text in sorted(texts)]


def _grouped(items: Iterable[Item], key: Callable[[Item], str]) -> Iterator[tuple[str, list[Item]]]:
    """Items by type, which a MATCH that is to use an index cannot take as a parameter."""
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    yield from groups.items()
