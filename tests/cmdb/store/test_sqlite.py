"""What only the embedded store has: a file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cmdb.store.base import SCHEMA_VERSION, Position, StoreError, StoreTooNew, StoreUnavailable
from cmdb.store.sqlite import SqliteStore
from tests.cmdb.store.examples import added, batch, commit, server


def execute(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_the_file_and_its_folder_are_made_in_wal_mode_with_strict_tables(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "store.db"

    SqliteStore(path).close()

    assert execute(path, "PRAGMA journal_mode") == [("wal",)]
    assert execute(path, "SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'") == []
    assert execute(path, "SELECT value FROM meta WHERE name = 'schema'") == [(SCHEMA_VERSION,)]


def test_a_store_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    commit(store, *added(server("c1")))
    store.close()
    execute(path, "UPDATE meta SET value = value + 1 WHERE name = 'schema'")
    before = path.read_bytes()

    with pytest.raises(StoreTooNew, match=f"schema {SCHEMA_VERSION + 1}, written by a newer cmdb"):
        SqliteStore(path)

    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    execute(path, "CREATE TABLE photo (id INTEGER)")

    with pytest.raises(StoreError, match=r"photos\.db is a database of another program"):
        SqliteStore(path)

    assert execute(path, "SELECT name FROM sqlite_schema") == [("photo",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)

    with pytest.raises(StoreError, match=r"notes\.txt cannot be read: file is not a database"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailable, match=r"store\.db cannot be made"):
        SqliteStore(tmp_path / "file" / "store.db")


def test_a_folder_in_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        SqliteStore(tmp_path)


def test_a_lock_that_is_not_got_in_time_is_unavailable_and_reading_goes_on(tmp_path: Path) -> None:
    one, two = SqliteStore(tmp_path / "store.db"), SqliteStore(tmp_path / "store.db", lock_timeout_s=0.01)

    with one.write() as transaction:
        transaction.apply(batch(*added(server("c1"))))
        with pytest.raises(StoreUnavailable, match="locked by another program"), two.write():
            pass
        position = two.position()

    assert position == Position(0, None, "0" * 64, 0)
    one.close()
    two.close()


def test_closing_waits_for_nobody_and_leaves_no_open_connection(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")

    with store.write() as transaction:
        transaction.apply(batch(*added(server("c1"))))
        store.close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["store.db"]
    assert execute(tmp_path / "store.db", "SELECT id FROM ci") == [("c1",)]
