"""What was, in the embedded store: past intervals, the base, and the migration that fills them from the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial

from cmdb import codec
from cmdb.model import CI, Graph, Relation, Revision
from cmdb.store import past as history
from cmdb.store import plan as planning
from cmdb.store.base import Base, Heading, Past, StoredCI
from cmdb.store.recent import NONE_KEPT
from cmdb.store.sqlite_coded import forget_words
from cmdb.store.sqlite_rows import IN, listed, read_position, read_relation

_AT = "until > ? AND since <= ?"
"""Which past intervals hold a revision, given twice."""


def read_base(connection: sqlite3.Connection) -> Base:
    n, at, digest, images = connection.execute("SELECT n, at, hash, images FROM base").fetchone()
    return Base(n, codec.time_in(at) if at else None, digest, images)


def check_revision(connection: sqlite3.Connection, revision: int) -> None:
    history.check_revision(revision, read_base(connection).revision, read_position(connection).revision)


def read_cis_at(connection: sqlite3.Connection, ids: Iterable[str], revision: int) -> dict[str, StoredCI]:
    wanted = listed(ids)
    sql = f"SELECT ci.id, doc, revision FROM ci JOIN image ON image.ci = ci.id WHERE ci.id {IN} AND revision <= ?"
    found = {
        name: StoredCI(planning.ci_of(doc), since)
        for name, doc, since in connection.execute(sql, (wanted, revision)).fetchall()
    }
    sql = f"SELECT since, until, doc FROM past WHERE id {IN} AND {_AT} AND source IS NULL"
    for row in connection.execute(sql, (wanted, revision, revision)).fetchall():
        since, _, image = _past(row)
        if isinstance(image, CI):
            found[image.id] = StoredCI(image, since)
    return dict(sorted(found.items()))


def read_relations_at(connection: sqlite3.Connection, ids: Iterable[str], revision: int) -> list[Relation]:
    ends = listed(ids)
    half = "SELECT id, type, source, target, columns FROM relation WHERE revision <= ? AND"
    sql = f"{half} source {IN} UNION {half} target {IN}"
    rows = connection.execute(sql, (revision, ends) * 2).fetchall()
    found = {relation.id: relation for relation in map(read_relation, rows)}
    half = f"SELECT since, until, doc FROM past WHERE {_AT} AND"
    sql = f"{half} source {IN} UNION {half} target {IN}"
    for row in connection.execute(sql, (revision, revision, ends) * 2).fetchall():
        image = _past(row).image
        if isinstance(image, Relation):
            found[image.id] = image
    return [relation for _, relation in sorted(found.items())]


def read_topology(connection: sqlite3.Connection) -> Graph:
    revision = read_position(connection).revision
    images = connection.execute("SELECT doc FROM image").fetchall()
    cis = {ci.id: ci for ci in (planning.ci_of(doc) for (doc,) in images)}
    rows = connection.execute("SELECT id, type, source, target, columns FROM relation").fetchall()
    relations = {row[0]: read_relation(row) for row in rows}
    return Graph(revision, dict(sorted(cis.items())), dict(sorted(relations.items())))


def read_topology_at(connection: sqlite3.Connection, revision: int) -> Graph:
    sql = "SELECT doc FROM ci JOIN image ON image.ci = ci.id WHERE revision <= ?"
    cis = {ci.id: ci for ci in (planning.ci_of(doc) for (doc,) in connection.execute(sql, (revision,)).fetchall())}
    sql = "SELECT id, type, source, target, columns FROM relation WHERE revision <= ?"
    relations = {row[0]: read_relation(row) for row in connection.execute(sql, (revision,)).fetchall()}
    sql = f"SELECT since, until, doc FROM past WHERE {_AT}"
    for row in connection.execute(sql, (revision, revision)).fetchall():
        image = _past(row).image
        if isinstance(image, CI):
            cis[image.id] = image
        else:
            relations[image.id] = image
    return Graph(revision, dict(sorted(cis.items())), dict(sorted(relations.items())))


def read_revision_at(connection: sqlite3.Connection, time: datetime) -> int:
    base = read_base(connection)
    history.check_time(time, base)
    sql = "SELECT n FROM journal WHERE at <= ? ORDER BY at DESC LIMIT 1"
    row = connection.execute(sql, (codec.time_out(time),)).fetchone()
    return base.revision if row is None else int(row[0])


def read_past(connection: sqlite3.Connection, first: int, last: int) -> list[Past]:
    sql = "SELECT since, until, doc FROM past WHERE until BETWEEN ? AND ? ORDER BY until, id"
    return [_past(row) for row in connection.execute(sql, (first, last)).fetchall()]


def _past(row: tuple[int, int, bytes]) -> Past:
    since, until, doc = row
    return Past(since, until, history.unpacked(doc))


def read_touches(connection: sqlite3.Connection, ci: str, before: int, limit: int) -> list[Heading]:
    sql = (
        "WITH touched(n) AS (SELECT revision FROM ci WHERE id = :ci"
        " UNION SELECT revision FROM relation WHERE source = :ci UNION SELECT revision FROM relation WHERE target = :ci"
        " UNION SELECT since FROM past WHERE id = :ci UNION SELECT until FROM past WHERE id = :ci"
        " UNION SELECT since FROM past WHERE source = :ci UNION SELECT until FROM past WHERE source = :ci"
        " UNION SELECT since FROM past WHERE target = :ci UNION SELECT until FROM past WHERE target = :ci)"
        " SELECT journal.n, at, actor, run, reason FROM touched JOIN journal ON journal.n = touched.n"
        " WHERE touched.n < :before ORDER BY touched.n DESC LIMIT :limit"
    )
    rows = connection.execute(sql, {"ci": ci, "before": before, "limit": limit}).fetchall()
    return [Heading(n, codec.time_in(at), actor, run, reason) for n, at, actor, run, reason in rows]


def read_changes(
    connection: sqlite3.Connection, after: int, limit: int, kept: Mapping[str, Revision] = NONE_KEPT
) -> list[Revision]:
    """The journal after a revision; those that are `kept` by their hash need not be read."""
    sql = "SELECT n, hash FROM journal WHERE n > ? ORDER BY n LIMIT ?"
    wanted = connection.execute(sql, (after, limit)).fetchall()
    return [kept.get(digest) or _read_change(connection, n) for n, digest in wanted]


def _read_change(connection: sqlite3.Connection, number: int) -> Revision:
    sql = "SELECT n, at, actor, run, reason, changes, prev_hash, hash FROM journal WHERE n = ?"
    n, at, actor, run, reason, changes, prev_hash, digest = connection.execute(sql, (number,)).fetchone()
    return Revision(n, codec.time_in(at), actor, run, reason, planning.changes_of(changes), prev_hash, digest)


def write_past(connection: sqlite3.Connection, work: planning.Plan, until: int) -> None:
    """Close the intervals of what a batch changes or removes; runs before the present is written."""
    cis, relations = [], []
    for name, image in work.was.items():
        doc = history.packed(work.before[name])
        if isinstance(image, CI):
            cis.append((until, doc, name))
        else:
            relations.append((until, doc, name))
    insert = "INSERT INTO past (id, since, until, source, target, doc) SELECT id, revision, ?,"
    connection.executemany(f"{insert} NULL, NULL, ? FROM ci WHERE id = ?", cis)
    connection.executemany(f"{insert} source, target, ? FROM relation WHERE id = ?", relations)


def trim_step(connection: sqlite3.Connection, before: int) -> Base:
    """Move the base once towards a revision, inside a transaction."""
    old = read_base(connection)
    history.check_revision(max(before, old.revision), old.revision, read_position(connection).revision)
    entries = history.paged(partial(read_changes, connection), old.revision)
    base = history.later_base(old, entries, before, history.STEP)
    if base != old:
        connection.execute("DELETE FROM journal WHERE n <= ?", (base.revision,))
        connection.execute("DELETE FROM past WHERE until <= ?", (base.revision,))
        write_base(connection, base)
    if base.revision == before:
        forget_words(connection)
    return base


def write_base(connection: sqlite3.Connection, base: Base) -> None:
    connection.execute(
        "UPDATE base SET n = ?, at = ?, hash = ?, images = ?",
        (base.revision, codec.time_out(base.at) if base.at else None, base.hash, base.images),
    )


def fill_from_journal(connection: sqlite3.Connection) -> None:
    """Give a store of schema 1, whose journal is whole, its past; and its relations the revision they are from."""
    since: dict[str, int] = {}
    for entry in history.paged(partial(read_changes, connection), 0):
        rows: list[tuple[str, int, int, str | None, str | None, bytes]] = []
        for change in entry.changes:
            was = change.before
            if was is not None:
                ends = (was.source, was.target) if isinstance(was, Relation) else (None, None)
                doc = history.packed(planning.image_json(was))
                rows.append((change.id, since.get(change.id, 0), entry.n, *ends, doc))
            since[change.id] = entry.n
        connection.executemany(
            "INSERT INTO past (id, since, until, source, target, doc) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
    connection.executemany("UPDATE relation SET revision = ? WHERE id = ?", [(n, name) for name, n in since.items()])
