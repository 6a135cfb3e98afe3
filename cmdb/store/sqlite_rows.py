"""What both sides of the embedded store read: rows as model values, and a query as conditions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from cmdb import codec
from cmdb.model import Relation
from cmdb.store import plan as planning
from cmdb.store.base import Handle, Position, Query, Record, StoredCI

SORT_COLUMNS = {
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
IN = "IN (SELECT value FROM json_each(?))"


def listed(texts: Iterable[str]) -> str:
    return json.dumps(sorted(set(texts)), ensure_ascii=False)


def read_position(connection: sqlite3.Connection) -> Position:
    row = connection.execute(
        "SELECT meta.value, coalesce(journal.n, base.n), coalesce(journal.at, base.at),"
        " coalesce(journal.hash, base.hash) FROM meta JOIN base"
        " LEFT JOIN journal ON journal.n = (SELECT max(n) FROM journal) WHERE meta.name = 'evidence'"
    ).fetchone()
    evidence, n, at, digest = row
    return Position(n, codec.time_in(at) if at else None, digest, evidence)


def read_records(
    connection: sqlite3.Connection,
    kind: str,
    keys: Iterable[str] | None,
    cis: Iterable[str] | None,
    before: datetime | None,
) -> list[Record]:
    where, values = ["kind = ?"], [kind]
    if keys is not None:
        # One by one, because json_each cuts text at a NUL.
        sql = "SELECT id FROM record_key WHERE kind = ? AND key = ?"
        found = {name for key in set(keys) for (name,) in connection.execute(sql, (kind, key)).fetchall()}
        where.append(f"id {IN}")
        values.append(listed(found))
    if cis is not None:
        where.append(f"id IN (SELECT id FROM record_ci WHERE kind = ? AND ci {IN})")
        values.extend((kind, listed(cis)))
    if before is not None:
        where.append("at <= ?")
        values.append(codec.time_out(before))
    sql = f"SELECT kind, id, doc, keys, at, cis FROM record WHERE {' AND '.join(where)} ORDER BY id"
    return [_record(*row) for row in connection.execute(sql, values).fetchall()]


def _record(kind: str, name: str, doc: bytes, keys: str, at: str | None, cis: str) -> Record:
    time: datetime | None = codec.time_in(at) if at is not None else None
    return Record(kind, name, doc, frozenset(json.loads(keys)), time, frozenset(json.loads(cis)))


def read_cis(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, StoredCI]:
    sql = f"SELECT ci.id, doc, revision FROM ci JOIN image ON image.ci = ci.id WHERE ci.id {IN} ORDER BY ci.id"
    rows = connection.execute(sql, (listed(ids),)).fetchall()
    return {name: StoredCI(planning.ci_of(doc), revision) for name, doc, revision in rows}


def read_handles(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
    wanted = sorted(set(ids))
    found: dict[str, set[Handle]] = {}
    sql = f"SELECT ci, kind, value FROM handle WHERE ci {IN}"
    for ci, kind, value in connection.execute(sql, (listed(wanted),)).fetchall():
        found.setdefault(ci, set()).add(Handle(kind, value))
    return {ci: frozenset(found[ci]) for ci in wanted if ci in found}


def read_relations(connection: sqlite3.Connection, ids: Iterable[str], types: Iterable[str] | None) -> list[Relation]:
    ends = listed(ids)
    kinds = "" if types is None else f" AND type {IN}"
    bound = (ends,) if types is None else (ends, listed(types))
    half = "SELECT id, type, source, target, columns FROM relation WHERE"
    sql = f"{half} source {IN}{kinds} UNION {half} target {IN}{kinds} ORDER BY id"
    return [read_relation(row) for row in connection.execute(sql, bound * 2).fetchall()]


def read_relation(row: tuple[str, str, str, str, str]) -> Relation:
    name, kind, source, target, columns = row
    return Relation(name, kind, source, target, codec.values_in(json.loads(columns)))


def filters(query: Query) -> tuple[list[str], list[str | int]]:
    """The conditions of a query and the values bound to them."""
    where: list[str] = []
    values: list[str | int] = []

    def require(condition: str, *bound: str | int) -> None:
        where.append(condition)
        values.extend(bound)

    if query.classes is not None:
        require(f"ci.class {IN}", listed(query.classes))
    if query.states is not None:
        require(f"ci.state {IN}", listed(query.states))
    if query.space is not None:
        require("ci.space = ?", query.space)
    if query.label_prefix is not None:
        prefix = query.label_prefix
        require("ci.label >= ? AND substr(ci.label, 1, ?) = ?", prefix, len(prefix), prefix)
    for name, value in query.attributes:
        require("instr(ci.attributes, ?) > 0", f"\n{planning.attribute_key(name, value)}\n")
    if query.places is not None:
        places = listed(query.places)
        inside = f"SELECT source FROM relation WHERE type = 'located_in' AND target {IN}"
        require(f"(ci.id {IN} OR ci.id IN ({inside}))", places, places)
    if query.confirmed_before is not None:
        require(f"{_CONFIRMED} < ?", codec.time_out(query.confirmed_before))
    if query.confirmed_after is not None:
        require(f"{_CONFIRMED} >= ?", codec.time_out(query.confirmed_after))
    for word in planning.words(query.text or ""):
        require("instr(ci.search, ?) > 0", word)
    return where, values
