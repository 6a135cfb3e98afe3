"""CIs and relations as integers: a store gives what a graph in memory gives, whatever was written before."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from random import Random

import pytest

from cmdb.impact.rows import Rows, read_rows, rows_of
from cmdb.model import CI, Change, Component, Relation, State
from cmdb.store.base import GraphStore, StoreError
from cmdb.store.opening import open_store
from cmdb.store.sqlite import SqliteStore
from tests.cmdb.store.coded_changes import plain, some_changes
from tests.cmdb.store.examples import T0, added, cable, commit, server
from tests.fixtures.stores import neo4j_driver

SWITCH = CI("ci-1", "network_switch", "default", "Schrank 3, größer\n\0", attributes={"gateway": True})
HOST = CI(
    "ci-12",
    "server",
    "default",
    "",
    gaps={"depends_on": "never logged in"},
    components=(
        Component("interface", "bmc", {"management": True}),
        Component("fc_port", "host1", {"wwpn": "10:00:00:00:c9:00:00:01"}),
        Component("group", "feeds", {"type": "powered_by", "needs": 1, "legs": ("ci-1",)}),
    ),
)
LOST = CI("a strange id", "server", "default", "lost", state=State.MISSING, missing_since=T0)
OTHER = CI("ci-007", "no_class_of_ours", "default", "other", gaps={"depends_on": "never logged in"})
LINK = cable("rel-3", "ci-1", "ci-12", from_port="Gi1/0/1", to_port="bmc", to_management=True)
STRANGE_LINK = cable("rel-0x", "a strange id", "ci-1", from_port="eth0", to_port="Gi1/0/2")
NEED = Relation("rel-9", "depends_on", "ci-007", "a strange id", {"assumed": True})
ROLE = Relation("r", "served_by", "ci-12", "ci-007", {"role": "Gi1/0/1"})


def read(store: GraphStore, revision: int | None = None) -> Rows:
    with store.coded(revision) as coded:
        return read_rows(coded)


def test_rows_name_what_the_graph_holds(store: GraphStore) -> None:
    commit(store, *added(SWITCH, HOST, LOST, OTHER, LINK, STRANGE_LINK, NEED, ROLE))

    rows = read(store)

    assert (rows.revision, rows.strange_cis, rows.strange_relations) == (1, ["a strange id", "ci-007"], ["r", "rel-0x"])
    assert rows.ci_keys.tolist() == [-2, -1, 1, 12]
    assert rows.names == "otherlostSchrank 3, größer\n\0".encode()
    assert rows.name_lengths.tolist() == [5, 4, 21, 0]
    assert [rows.words[place] for place in rows.ci_gaps.tolist()] == [
        '{"depends_on":"never logged in"}', "", "", '{"depends_on":"never logged in"}',
    ]  # fmt: skip
    assert rows.relation_keys.tolist() == [-2, -1, 3, 9]
    assert rows.sources.tolist() == [-1, 12, 1, -2]
    assert rows.targets.tolist() == [1, -2, 12, -1]
    words = [rows.words[place] for place in (*rows.word_a.tolist(), *rows.word_b.tolist())]
    assert (rows.worded.tolist(), words) == ([0, 1, 2], ["eth0", "Gi1/0/1", "Gi1/0/1", "Gi1/0/2", "", "bmc"])
    assert sorted(rows.extras) == [-1, 12]


def test_an_empty_store_has_no_rows(store: GraphStore) -> None:
    assert plain(read(store)) == plain(rows_of(store.topology()))


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_those_of_the_graph_whatever_was_written(store: GraphStore, seed: int) -> None:
    random = Random(seed)

    for _ in range(6):
        commit(store, *some_changes(store.topology(), random))

        assert plain(read(store)) == plain(rows_of(store.topology()))
    store.trim(2)
    for revision in range(2, 7):
        assert plain(read(store, revision)) == plain(rows_of(store.topology_at(revision)))
    for revision, said in ((1, "is not kept any more"), (7, "is not there yet")):
        with pytest.raises(StoreError, match=f"revision {revision} {said}"):
            read(store, revision)


def test_a_store_of_the_schema_before_is_coded_when_it_is_opened(store_url: str) -> None:
    first = open_store(store_url)
    commit(first, *added(SWITCH, HOST, LOST, OTHER, LINK, STRANGE_LINK, NEED, ROLE))
    rows = plain(read(first))
    first.close()
    to_schema_2(store_url)

    store = open_store(store_url)

    assert plain(read(store)) == rows
    commit(store, Change("rel-3", LINK, None))
    assert plain(read(store)) == plain(rows_of(store.topology()))
    store.close()


def to_schema_2(store_url: str) -> None:
    """Take back what schema 3 brought."""
    if store_url.startswith("sqlite:///"):
        script(
            store_url.removeprefix("sqlite:///"),
            "DROP TABLE ci_code; DROP TABLE relation_code; DROP TABLE word; DELETE FROM meta WHERE name = 'coding';"
            " UPDATE meta SET value = 2 WHERE name = 'schema'",
        )
        return
    with neo4j_driver(store_url) as driver:
        driver.execute_query("MATCH (m:Meta) SET m.schema = 2")


def script(path: str | Path, statements: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(statements)
    connection.close()


def test_codes_of_other_tables_are_made_anew_when_the_store_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = SqliteStore(path)
    commit(first, *added(SWITCH, HOST, LINK))
    rows = plain(read(first))
    first.close()
    script(path, "UPDATE meta SET value = 1 WHERE name = 'coding'; UPDATE ci_code SET code = 7; DELETE FROM word")

    store = SqliteStore(path)

    assert plain(read(store)) == rows
    store.close()


def test_a_program_whose_tables_the_store_no_longer_has_neither_reads_nor_writes_codes(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    commit(store, *added(SWITCH, HOST))
    script(path, "UPDATE meta SET value = 1 WHERE name = 'coding'")

    with pytest.raises(StoreError, match="another version of cmdb has opened the store meanwhile"):
        read(store)
    with pytest.raises(StoreError, match="another version of cmdb has opened the store meanwhile"):
        commit(store, *added(server("c9")))

    assert store.position().revision == 1
    store.close()


def test_words_that_nothing_uses_are_forgotten_when_history_is_trimmed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    commit(store, *added(SWITCH, HOST, LINK))
    commit(store, Change("rel-3", LINK, cable("rel-3", "ci-1", "ci-12", from_port="Gi1/0/9")))

    store.trim(2)

    assert plain(read(store)) == plain(rows_of(store.topology()))
    store.close()
    connection = sqlite3.connect(path)
    words = connection.execute("SELECT text FROM word ORDER BY text").fetchall()
    connection.close()
    assert words == [("Gi1/0/9",), ('{"depends_on":"never logged in"}',)]
