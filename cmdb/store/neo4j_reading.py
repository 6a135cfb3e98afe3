"""What both sides of the Neo4j store read: rows as model values, and a query as conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from cmdb.model import Relation
from cmdb.schema import RELATION_TYPES
from cmdb.store import plan as planning
from cmdb.store.base import Handle, Match, Position, Query, Record, StoredCI
from cmdb.store.bolt import Row
from cmdb.store.neo4j_graph import META, handle_key, position_in, record_key, record_of, relation_of, stored_ci

SORT_KEYS = {
    "name": "n._name",
    "label": "n._label",
    "class": "n.class",
    "id": "n.id",
    "revision": "n.revision",
}
_TYPE = re.compile(r"[a-z][a-z0-9_]*")
_RECORD = "r.kind, r.id, r.doc, r.keys, r.at, r.cis"


class Run(Protocol):
    """Runs a statement, inside a transaction or in one of its own."""

    def __call__(self, statement: str, **parameters: object) -> list[Row]: ...


def read_position(run: Run) -> Position:
    [[position]] = run(f"MATCH {META} RETURN m.position")
    return position_in(position)


def read_records(
    run: Run, kind: str, keys: Iterable[str] | None, cis: Iterable[str] | None, before: datetime | None
) -> list[Record]:
    """Hinted: on statistics of an hour ago, when the store was empty, the planner would go through all of a kind."""
    parameters: dict[str, object] = {"kind": kind}
    where = ["r.kind = $kind"]
    if before is not None:
        where.append("r.at <= $before")
        parameters["before"] = before
    if cis is not None:
        parameters["cis"] = sorted(set(cis))
    if keys is not None:
        parameters["keys"] = sorted({record_key(kind, key) for key in keys})
        way, hint = "(k:RecordKey)-[:FINDS]->(r:Record)", "k:RecordKey(_key)"
        where.append("k._key IN $keys")
        if cis is not None:
            where.append("EXISTS { (r)-[:FROM]->(n:CI) WHERE n.id IN $cis }")
    elif cis is not None:
        way, hint = "(r:Record)-[:FROM]->(n:CI)", "n:CI(id)"
        where.append("n.id IN $cis")
    else:
        way, hint = "(r:Record)", "r:Record(kind)" if before is None else "r:Record(kind, at)"
    statement = f"MATCH {way} USING INDEX SEEK {hint} WHERE {' AND '.join(where)} WITH DISTINCT r RETURN {_RECORD}"
    return sorted((record_of(row) for row in run(statement, **parameters)), key=lambda record: record.id)


def read_cis(run: Run, ids: Iterable[str]) -> dict[str, StoredCI]:
    wanted = sorted(set(ids))
    rows = run("UNWIND $ids AS id MATCH (n:CI {id: id}) RETURN id, n._image", ids=wanted) if wanted else []
    return {name: stored_ci(image) for name, image in sorted(rows)}


def read_handles(run: Run, ids: Iterable[str]) -> dict[str, frozenset[Handle]]:
    wanted = sorted(set(ids))
    statement = "UNWIND $ids AS ci MATCH (h:Handle {ci: ci}) RETURN ci, collect([h.kind, h.value])"
    rows = run(statement, ids=wanted) if wanted else []
    return {ci: frozenset(Handle(kind, value) for kind, value in pairs) for ci, pairs in sorted(rows)}


def read_matches(run: Run, handles: Iterable[Handle], space: str | None) -> list[Match]:
    inside = "" if space is None else " MATCH (n:CI {id: h.ci}) WHERE n.space = $space"
    rows = run(
        f"UNWIND $keys AS key MATCH (h:Handle {{_key: key}}){inside} RETURN h.kind, h.value, h.ci",
        keys=sorted({handle_key(handle) for handle in handles}),
        space=space,
    )
    return sorted(Match(Handle(kind, value), ci) for kind, value, ci in rows)


def read_relations(run: Run, ids: Iterable[str], types: Iterable[str] | None) -> list[Relation]:
    kinds = ""
    if types is not None:
        known = sorted(name.upper() for name in set(types) if _TYPE.fullmatch(name))
        if not known:
            return []
        kinds = ":" + "|".join(known)
    rows = run(
        f"UNWIND $ids AS id MATCH (:CI {{id: id}})-[r{kinds}]-(:CI) WITH DISTINCT r"
        " RETURN startNode(r).id, r.id, type(r), endNode(r).id, properties(r)",
        ids=sorted(set(ids)),
    )
    # What is deleted while it is read comes as null.
    return sorted((relation_of(row[0], row[1:]) for row in rows if None not in row), key=lambda relation: relation.id)


def read_relations_by_id(run: Run, ids: Iterable[str]) -> dict[str, Relation]:
    """Each type by its own constraint: no index holds the ids of all."""
    told = "RETURN s.id AS source, r.id AS id, type(r) AS type, t.id AS target, properties(r) AS properties"
    one = "UNWIND $ids AS id MATCH (s:CI)-[r:{} {{id: id}}]->(t:CI) " + told
    wanted = sorted(set(ids))
    rows = run(" UNION ALL ".join(one.format(name.upper()) for name in RELATION_TYPES), ids=wanted) if wanted else []
    return {row[1]: relation_of(row[0], row[1:]) for row in rows}


def read_beginning(run: Run, kind: str, prefix: str, limit: int) -> list[str]:
    """By the key (`handle_key`), which is JSON: it begins as the JSON of a shorter value does, without its end."""
    rows = run(
        "MATCH (h:Handle) WHERE h._key STARTS WITH $key RETURN DISTINCT h.value LIMIT $limit",
        key=handle_key(Handle(kind, prefix)).removesuffix('"]'),
        limit=limit,
    )
    return [value for (value,) in rows]


def filters(query: Query) -> tuple[list[str], dict[str, Any]]:
    """The conditions of a query on the node n, and the values bound to them."""
    where: list[str] = []
    values: dict[str, Any] = {}

    def require(condition: str, **bound: object) -> None:
        where.append(condition)
        values.update(bound)

    if query.classes is not None:
        require("n.class IN $classes", classes=sorted(query.classes))
    if query.states is not None:
        require("n.state IN $states", states=sorted(query.states))
    if query.space is not None:
        require("n.space = $space", space=query.space)
    if query.label_prefix is not None:
        require("n.label STARTS WITH $label_prefix", label_prefix=query.label_prefix)
    for number, (name, value) in enumerate(query.attributes):
        require(f"$attribute{number} IN n._attributes", **{f"attribute{number}": planning.attribute_key(name, value)})
    if query.places is not None:
        inside = "EXISTS { (n)-[:LOCATED_IN]->(p:CI) WHERE p.id IN $places }"
        require(f"(n.id IN $places OR {inside})", places=sorted(query.places))
    if query.confirmed_before is not None:
        known = "EXISTS { (n)<-[:FROM]-(c:Confirmation) WHERE c.at IS NOT NULL }"
        later = "EXISTS { (n)<-[:FROM]-(c:Confirmation) WHERE c.at >= $before }"
        require(f"{known} AND NOT {later}", before=query.confirmed_before)
    if query.confirmed_after is not None:
        require("EXISTS { (n)<-[:FROM]-(c:Confirmation) WHERE c.at >= $since }", since=query.confirmed_after)
    for number, word in enumerate(planning.words(query.text or "")):
        require(f"n._search CONTAINS $word{number}", **{f"word{number}": word})
    return where, values
