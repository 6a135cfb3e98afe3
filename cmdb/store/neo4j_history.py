"""What was, in the Neo4j store: `(:Past)` nodes, the base, and the migration that fills them from the journal.

A reader looks at the present first, then at the past, which wins: what is changed between the two statements has its
closed interval by then. So no statement of them needs to see one commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from cmdb.model import CI, Graph, Relation, Revision
from cmdb.store import past as history
from cmdb.store import plan as planning
from cmdb.store.base import Base, Heading, Past, StoredCI
from cmdb.store.bolt import Row, utc
from cmdb.store.neo4j_graph import META, position_in, relation_of, relation_properties, stored_ci
from cmdb.store.neo4j_reading import Run, read_cis
from cmdb.store.recent import NONE_KEPT

_AT = "p.until > $revision AND p.since <= $revision RETURN p.since, p.until, p.doc"
"""Which past intervals hold a revision."""

Image = TypeVar("Image", CI, Relation)

_RELATION_ROW = "startNode(r).id, r.id, type(r), endNode(r).id, properties(r)"


def read_base(run: Run) -> Base:
    [[base]] = run(f"MATCH {META} RETURN m.base")
    return history.base_in(base)


def check_revision(run: Run, revision: int) -> None:
    """Before reading, as a revision that is not there yet has no past; and after it, as trimming may come between."""
    [[base, position]] = run(f"MATCH {META} RETURN m.base, m.position")
    history.check_revision(revision, history.base_in(base).revision, position_in(position).revision)


def read_cis_at(run: Run, ids: Iterable[str], revision: int) -> dict[str, StoredCI]:
    wanted = sorted(set(ids))
    found = {name: row for name, row in read_cis(run, wanted).items() if row.revision <= revision}
    statement = f"UNWIND $ids AS id MATCH (p:Past) WHERE p.id = id AND {_AT}"
    for since, _, image in _intervals(run(statement, ids=wanted, revision=revision)):
        if isinstance(image, CI):
            found[image.id] = StoredCI(image, since)
    return dict(sorted(found.items()))


def read_relations_at(run: Run, ids: Iterable[str], revision: int) -> list[Relation]:
    ends = sorted(set(ids))
    found = unchanged(
        run(f"UNWIND $ids AS id MATCH (:CI {{id: id}})-[r]-(:CI) WITH DISTINCT r RETURN {_RELATION_ROW}", ids=ends),
        revision,
    )
    for end in ("source", "target"):
        statement = f"UNWIND $ids AS id MATCH (p:Past) WHERE p.{end} = id AND {_AT}"
        for _, _, image in _intervals(run(statement, ids=ends, revision=revision)):
            if isinstance(image, Relation):
                found[image.id] = image
    return [relation for _, relation in sorted(found.items())]


def read_topology_at(run: Run, revision: int) -> Graph:
    images = run("MATCH (n:CI) WHERE n._image IS NOT NULL RETURN n._image")
    stored = [stored_ci(image) for (image,) in images]
    cis = {ci.id: ci for ci, since in stored if since <= revision}
    # Grouped by source, because row by row takes twice as long.
    grouped = run("MATCH (a:CI)-[r]->(b:CI) RETURN a.id, collect([r.id, type(r), b.id, properties(r)])")
    relations = unchanged(([source, *row] for source, rows in grouped for row in rows), revision)
    for _, _, image in _intervals(run(f"MATCH (p:Past) WHERE {_AT}", revision=revision)):
        if isinstance(image, CI):
            cis[image.id] = image
        else:
            relations[image.id] = image
    return Graph(revision, dict(sorted(cis.items())), dict(sorted(relations.items())))


def unchanged(rows: Iterable[Row], revision: int) -> dict[str, Relation]:
    """The relations that are as they were at a revision. What is deleted while it is read comes as null."""
    return {
        row[1]: relation_of(row[0], row[1:])
        for row in rows
        if None not in row and row[4].get("revision", revision) <= revision
    }


def past_images(run: Run, revision: int, kind: type[Image]) -> Iterator[Image]:
    """How CIs or relations were at a revision that changed or went after it."""
    which = "p.type IS NULL" if kind is CI else "p.type IS NOT NULL"
    for row in _intervals(run(f"MATCH (p:Past) WHERE {which} AND {_AT}", revision=revision)):
        if isinstance(row.image, kind):
            yield row.image


def read_revision_at(run: Run, time: datetime) -> int:
    base = read_base(run)
    history.check_time(time, base)
    rows = run("MATCH (r:Revision) WHERE r.at <= $time RETURN r.n ORDER BY r.at DESC LIMIT 1", time=time)
    return int(rows[0][0]) if rows else base.revision


def read_past(run: Run, first: int, last: int) -> list[Past]:
    statement = "MATCH (p:Past) WHERE $first <= p.until <= $last RETURN p.since, p.until, p.doc ORDER BY p.until, p.id"
    return _intervals(run(statement, first=first, last=last))


def _intervals(rows: Iterable[Row]) -> list[Past]:
    return [Past(since, until, history.unpacked(bytes(doc))) for since, until, doc in rows]


def read_touches(run: Run, ci: str, before: int, limit: int) -> list[Heading]:
    past = "UNWIND [p.since, p.until] AS n RETURN n"
    touched = run(
        "MATCH (c:CI {id: $ci}) RETURN c.revision AS n UNION MATCH (:CI {id: $ci})-[r]-(:CI) RETURN r.revision AS n"
        f" UNION MATCH (p:Past) WHERE p.id = $ci {past} UNION MATCH (p:Past) WHERE p.source = $ci {past}"
        f" UNION MATCH (p:Past) WHERE p.target = $ci {past}",
        ci=ci,
    )
    wanted = sorted((n for (n,) in touched if n is not None and n < before), reverse=True)[:limit]
    rows = run(
        "MATCH (r:Revision) WHERE r.n IN $wanted RETURN r.n, r.at, r.actor, r.run, r.reason ORDER BY r.n DESC",
        wanted=wanted,
    )
    return [Heading(n, utc(at), actor, run_, reason) for n, at, actor, run_, reason in rows]


def read_changes(run: Run, after: int, limit: int, kept: Mapping[str, Revision] = NONE_KEPT) -> list[Revision]:
    """The journal after a revision; those that are `kept` by their hash need not be read."""
    rows = run(
        "MATCH (r:Revision) WHERE r.n > $after WITH r ORDER BY r.n LIMIT $limit RETURN r.n, r.at, r.actor, r.run,"
        " r.reason, CASE WHEN r.hash IN $known THEN null ELSE r.changes END, r.prev_hash, r.hash ORDER BY r.n",
        after=after,
        limit=limit,
        known=list(kept),
    )
    return [
        kept.get(digest) or Revision(n, utc(at), actor, run_, reason, planning.changes_of(changes), prev_hash, digest)
        for n, at, actor, run_, reason, changes, prev_hash, digest in rows
    ]


def past_properties(image: CI | Relation, until: int, doc: bytes) -> dict[str, Any]:
    """A closed interval as a node, without since when: what it is, for people; how it was, packed."""
    shown: dict[str, Any] = {"id": image.id, "until": until, "doc": history.packed(doc)}
    if isinstance(image, CI):
        return shown | {"class": image.cls, "name": image.name}
    return shown | {"type": image.type.upper(), "source": image.source, "target": image.target}


def trim_step(run: Run, before: int) -> Base:
    """Move the base once towards a revision, inside a transaction."""
    old = read_base(run)
    check_revision(run, max(before, old.revision))
    base = history.later_base(old, history.paged(partial(read_changes, run), old.revision), before, history.STEP)
    if base != old:
        run("MATCH (r:Revision) WHERE r.n <= $n DELETE r", n=base.revision)
        run("MATCH (p:Past) WHERE p.until <= $n DELETE p", n=base.revision)
        write_base(run, base)
    return base


def write_base(run: Run, base: Base) -> None:
    run(f"MATCH {META} SET m.base = $base", base=history.base_out(base))


def fill_from_journal(run: Run) -> None:
    """Give a store of schema 1, whose journal is whole, its past; and its relations the revision they are from.

    Each statement commits by itself, so that a long history fits into the server's memory; begun again after a crash.
    """
    while run("MATCH (p:Past) WITH p LIMIT 20000 DELETE p RETURN count(p)")[0][0]:
        pass
    since: dict[str, int] = {}
    relations: dict[str, Relation] = {}
    for entry in history.paged(partial(read_changes, run), 0):
        rows = []
        for change in entry.changes:
            if change.before is not None:
                row = past_properties(change.before, entry.n, planning.image_json(change.before))
                rows.append(row | {"since": since.get(change.id, 0)})
            since[change.id] = entry.n
            relations.pop(change.id, None)
            if isinstance(change.after, Relation):
                relations[change.id] = change.after
        run("UNWIND $rows AS row CREATE (p:Past) SET p = row", rows=rows)
    by_type: dict[str, list[dict[str, Any]]] = {}
    for relation in relations.values():
        by_type.setdefault(relation.type, []).append(relation_properties(relation, since[relation.id]))
    for kind, rows in by_type.items():
        for start in range(0, len(rows), history.STEP):
            run(
                f"UNWIND $rows AS row MATCH (:CI)-[r:{kind.upper()} {{id: row.id}}]->(:CI) SET r = row",
                rows=rows[start : start + history.STEP],
            )
