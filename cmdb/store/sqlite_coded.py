"""What the embedded store keeps of CIs and relations as integers (`cmdb.coding`), so that a million load in seconds.

Narrow tables of their own: to read them, nothing else of the file is read. They say nothing that the images do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from cmdb import coding
from cmdb.model import Relation
from cmdb.store import plan as planning
from cmdb.store.base import (
    CI_WORD_SHIFT,
    WORD_A_SHIFT,
    WORD_B_SHIFT,
    Coded,
    CodedCIs,
    CodedRelations,
    StoredCI,
    StoreError,
)
from cmdb.store.coded import packed_ends
from cmdb.store.sqlite_rows import IN, listed, read_position, read_relation

SCHEMA_3: Final = """
CREATE TABLE ci_code (
    key INTEGER PRIMARY KEY, code INTEGER NOT NULL, name TEXT NOT NULL, extra TEXT NOT NULL, since INTEGER NOT NULL
) STRICT;
CREATE TABLE relation_code (
    key INTEGER PRIMARY KEY, ends INTEGER NOT NULL, code INTEGER NOT NULL, since INTEGER NOT NULL
) STRICT;
CREATE TABLE word (nr INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO meta VALUES ('coding', 0)
"""
"""The key of a CI or relation whose id is strange is the number of its row, negative.

`since` is the revision of its last change.
"""

_CODING: Final = int(coding.CODING[:15], 16)
"""What `meta` says where the codes are those of this program's tables."""

_RANGE: Final = 16_384
"""Keys read at once: about what fits into a processor's cache as text."""

_STEP: Final = 5_000
"""Images read at once to be coded anew."""


def recode(connection: sqlite3.Connection) -> None:
    """Code all anew, inside a transaction, where the codes are not those of this program's tables."""
    if _coded_by(connection) == _CODING:
        return
    for table in ("ci_code", "relation_code", "word"):
        connection.execute(f"DELETE FROM {table}")
    connection.execute("UPDATE meta SET value = ? WHERE name = 'coding'", (_CODING,))
    images = connection.execute("SELECT doc, revision FROM image JOIN ci ON ci.id = image.ci")
    while rows := images.fetchmany(_STEP):
        write_ci_codes(connection, [StoredCI(planning.ci_of(doc), revision) for doc, revision in rows])
    relations = connection.execute("SELECT id, type, source, target, columns, revision FROM relation")
    while rows := relations.fetchmany(_STEP):
        write_relation_codes(connection, [(read_relation(row[:-1]), row[-1]) for row in rows])


def is_coded(connection: sqlite3.Connection) -> bool:
    """Whether the codes are those of this program's tables."""
    return _coded_by(connection) == _CODING


def _coded_by(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("SELECT value FROM meta WHERE name = 'coding'").fetchone()[0]
    return number


def check_coding(connection: sqlite3.Connection) -> None:
    """StoreError where another version of this program coded all anew."""
    if not is_coded(connection):
        raise StoreError("another version of cmdb has opened the store meanwhile: end this program, and start it again")


def write_ci_codes(connection: sqlite3.Connection, cis: Sequence[StoredCI]) -> None:
    """Store the codes of CIs that are stored."""
    check_coding(connection)
    gaps = [coding.gaps_text(row.ci) for row in cis]
    words = _interned(connection, set(gaps))
    keys = _keys(connection, "ci", coding.CI_IDS, {row.ci.id for row in cis})
    connection.executemany(
        "INSERT OR REPLACE INTO ci_code VALUES (?, ?, ?, ?, ?)",
        [
            (keys[ci.id], coding.ci_code(ci, extra) | words[text] << CI_WORD_SHIFT, ci.name, extra, since)
            for (ci, since), text, extra in zip(cis, gaps, map(coding.extra_text, (row.ci for row in cis)), strict=True)
        ],
    )


def write_relation_codes(connection: sqlite3.Connection, relations: Sequence[tuple[Relation, int]]) -> None:
    """Store the codes of relations that are stored, each with the revision of its last change."""
    check_coding(connection)
    pairs = [coding.relation_words(relation) for relation, _ in relations]
    words = _interned(connection, {word for pair in pairs for word in pair})
    ends = {end for relation, _ in relations for end in (relation.source, relation.target)}
    keys = _keys(connection, "ci", coding.CI_IDS, ends)
    own = _keys(connection, "relation", coding.RELATION_IDS, {relation.id for relation, _ in relations})
    connection.executemany(
        "INSERT OR REPLACE INTO relation_code VALUES (?, ?, ?, ?)",
        [
            (
                own[relation.id],
                packed_ends(keys[relation.source], keys[relation.target]),
                coding.relation_code(relation) | words[a] << WORD_A_SHIFT | words[b] << WORD_B_SHIFT,
                since,
            )
            for (relation, since), (a, b) in zip(relations, pairs, strict=True)
        ],
    )


def drop_codes(connection: sqlite3.Connection, cis: Iterable[str], relations: Iterable[str]) -> None:
    """Drop the codes of CIs and relations that are still stored."""
    keys = _keys(connection, "ci", coding.CI_IDS, set(cis))
    connection.executemany("DELETE FROM ci_code WHERE key = ?", [(key,) for key in keys.values()])
    keys = _keys(connection, "relation", coding.RELATION_IDS, set(relations))
    connection.executemany("DELETE FROM relation_code WHERE key = ?", [(key,) for key in keys.values()])


def _keys(connection: sqlite3.Connection, table: str, prefix: str, ids: set[str]) -> dict[str, int]:
    keys = {id_: coding.key_of(id_, prefix) for id_ in ids}
    if strange := [id_ for id_, key in keys.items() if not key]:
        keys.update(connection.execute(f"SELECT id, -nr FROM {table} WHERE id {IN}", (listed(strange),)).fetchall())
    return keys


def _interned(connection: sqlite3.Connection, texts: set[str]) -> dict[str, int]:
    """The number of each text, new ones where it has none; 0 for the empty one."""
    numbers = {"": 0}
    for text in texts - {""}:
        row = connection.execute("SELECT nr FROM word WHERE text = ?", (text,)).fetchone()
        if row is None:
            row = connection.execute("INSERT INTO word (text) VALUES (?) RETURNING nr", (text,)).fetchone()
        numbers[text] = row[0]
    return numbers


def forget_words(connection: sqlite3.Connection) -> None:
    """Drop the words that nothing uses any more."""
    mask = (1 << WORD_B_SHIFT - WORD_A_SHIFT) - 1
    connection.execute(
        f"DELETE FROM word WHERE nr NOT IN (SELECT code >> {CI_WORD_SHIFT} FROM ci_code"
        f" UNION SELECT code >> {WORD_A_SHIFT} & {mask} FROM relation_code WHERE code >> {WORD_A_SHIFT} > 0"
        f" UNION SELECT code >> {WORD_B_SHIFT} FROM relation_code WHERE code >> {WORD_B_SHIFT} > 0)"
    )


def read_coded(connection: sqlite3.Connection) -> Coded:
    """All as integers, read while the transaction is open."""
    check_coding(connection)
    position = read_position(connection)
    return Coded(
        position.revision,
        position.hash,
        read_ci_codes(connection, position.revision),
        read_relation_codes(connection, position.revision),
        connection.execute("SELECT nr, text FROM word"),
        connection.execute("SELECT key, extra FROM ci_code WHERE extra <> ''"),
        connection.execute("SELECT key, id FROM ci_code JOIN ci ON nr = -key WHERE key < 0"),
        connection.execute("SELECT key, id FROM relation_code JOIN relation ON nr = -key WHERE key < 0"),
    )


def read_ci_codes(connection: sqlite3.Connection, revision: int) -> Iterator[CodedCIs]:
    """The CIs that did not change since a revision."""
    lengths, names = "group_concat(length(CAST(name AS BLOB)))", "CAST(group_concat(name, '') AS BLOB)"
    for row in _blocks(connection, "ci_code", f"group_concat(code), {lengths}, {names}", revision):
        keys, codes, sizes, texts = row
        yield CodedCIs(keys or "", codes or "", sizes or "", texts or b"")


def read_relation_codes(connection: sqlite3.Connection, revision: int) -> Iterator[CodedRelations]:
    """The relations that did not change since a revision."""
    for row in _blocks(connection, "relation_code", "group_concat(ends), group_concat(code)", revision):
        keys, ends, codes = row
        yield CodedRelations(keys or "", ends or "", codes or "")


def _blocks(connection: sqlite3.Connection, table: str, columns: str, revision: int) -> Iterator[tuple[Any, ...]]:
    """The keys and columns of a table by ranges of keys, in their order; nothing where none is in the range.

    One text a range, because a row for each takes twice as long; not LIMIT, which copies each row.
    """
    sql = f"SELECT group_concat(key), {columns} FROM {table} WHERE key BETWEEN ? AND ? AND since <= ?"
    next_key = f"SELECT min(key) FROM {table} WHERE key > ?"
    last = -(2**63)
    while (first := connection.execute(next_key, (last,)).fetchone()[0]) is not None:
        last = first + _RANGE - 1
        yield connection.execute(sql, (first, last, revision)).fetchone()
