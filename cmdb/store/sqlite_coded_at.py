"""CIs and relations of another time as integers: those that did not change since, and the past of those that did."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import chain

from cmdb.model import CI, Relation
from cmdb.store import past as history
from cmdb.store.base import Coded
from cmdb.store.coded import Coder, blocks
from cmdb.store.sqlite_coded import check_coding, read_ci_codes, read_relation_codes


def read_coded_at(connection: sqlite3.Connection, revision: int) -> Coded:
    """All of a revision as integers, read while the transaction is open. Its hash is left empty."""
    check_coding(connection)
    since = (revision,)
    strange_cis = "SELECT id, key FROM ci_code JOIN ci ON nr = -key WHERE key < 0"
    strange_relations = "SELECT id, key FROM relation_code JOIN relation ON nr = -key WHERE key < 0"
    coder = Coder(
        dict(connection.execute("SELECT text, nr FROM word").fetchall()),
        dict(connection.execute(strange_cis).fetchall()),
        dict(connection.execute(strange_relations).fetchall()),
    )
    unchanged = [(key, id_) for id_, key in connection.execute(f"{strange_cis} AND since <= ?", since)]
    unchanged_relations = [(key, id_) for id_, key in connection.execute(f"{strange_relations} AND since <= ?", since)]
    return Coded(
        revision,
        "",
        chain(read_ci_codes(connection, revision), map(coder.cis, blocks(_past_cis(connection, revision)))),
        chain(
            read_relation_codes(connection, revision),
            map(coder.relations, blocks(_past_relations(connection, revision))),
        ),
        chain(connection.execute("SELECT nr, text FROM word"), coder.words),
        chain(
            connection.execute("SELECT key, extra FROM ci_code WHERE extra <> '' AND since <= ?", since), coder.extras
        ),
        chain(unchanged, coder.strange_cis),
        chain(unchanged_relations, coder.strange_relations),
    )


def _past_cis(connection: sqlite3.Connection, revision: int) -> Iterator[CI]:
    sql = "SELECT doc FROM past WHERE until > ? AND since <= ? AND source IS NULL"
    for (doc,) in connection.execute(sql, (revision, revision)):
        image = history.unpacked(doc)
        if isinstance(image, CI):
            yield image


def _past_relations(connection: sqlite3.Connection, revision: int) -> Iterator[Relation]:
    sql = "SELECT doc FROM past WHERE until > ? AND since <= ? AND source IS NOT NULL"
    for (doc,) in connection.execute(sql, (revision, revision)):
        image = history.unpacked(doc)
        if isinstance(image, Relation):
            yield image
