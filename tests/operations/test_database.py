from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from operations.database import Database
from operations.errors import AlreadyThere, OperationsError, OperationsTooNew, OperationsUnavailable
from tests.fixtures.parts import REPOSITORY

if TYPE_CHECKING:
    from alembic.operations import Operations

SCHEDULE = (
    "INSERT INTO schedules (name, scope, cron, enabled, created_by, created, due)"
    " VALUES (:name, '{}', '0 * * * *', 1, 'test', 'now', 'later')"
)


def test_an_empty_file_gets_the_tables(database: Database) -> None:
    assert database.rows("SELECT name, value FROM operations_meta") == [{"name": "schema", "value": 1}]


def test_its_file_is_for_its_owner_alone(database: Database, tmp_path: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert database.rows("SELECT * FROM runs") == []
    assert set(modes.values()) == {0o600}
    assert "operations.sqlite" in modes


def test_it_is_in_wal_mode_and_syncs_fully(database: Database) -> None:
    found = [database.rows(f"PRAGMA {name}")[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert found == [{"journal_mode": "wal"}, {"synchronous": 2}, {"foreign_keys": 1}]


def test_what_was_written_is_there_after_opening_again(url: str) -> None:
    first = Database(url)
    with first.write() as writing:
        writing.run(SCHEDULE, name="a")
    first.close()
    second = Database(url)

    assert second.rows("SELECT name FROM schedules") == [{"name": "a"}]
    second.close()


def test_a_failed_transaction_keeps_nothing(database: Database) -> None:
    def twice() -> None:
        with database.write() as writing:
            writing.run(SCHEDULE, name="a")
            writing.run(SCHEDULE, name="a")

    with pytest.raises(AlreadyThere):
        twice()

    assert database.rows("SELECT name FROM schedules") == []


@pytest.mark.parametrize("name", ["\ud800", 2**63], ids=["half a character", "more than 64 bits"])
def test_what_no_database_can_hold_is_refused_in_words(database: Database, name: object) -> None:
    with pytest.raises(OperationsError, match="that cannot be stored"):
        database.rows("SELECT * FROM schedules WHERE name = :name", name=name)


def test_an_older_version_is_migrated_forward(url: str) -> None:
    old = Database(url)
    with old.write() as writing:
        writing.run(SCHEDULE, name="a")
    old.close()

    def add_a_note(steps: Operations) -> None:
        steps.execute("ALTER TABLE schedules ADD COLUMN note TEXT")

    new = Database(url, version=2, migrations={2: add_a_note})

    assert new.rows("SELECT name, note FROM schedules") == [{"name": "a", "note": None}]
    assert new.rows("SELECT value FROM operations_meta") == [{"value": 2}]
    new.close()


def test_a_migration_that_fails_leaves_the_old_version(url: str) -> None:
    Database(url).close()

    def half(steps: Operations) -> None:
        steps.execute("ALTER TABLE schedules ADD COLUMN note TEXT")
        steps.execute("ALTER TABLE nowhere ADD COLUMN note TEXT")

    with pytest.raises(OperationsUnavailable, match="no such table: nowhere"):
        Database(url, version=2, migrations={2: half})
    again = Database(url)
    assert again.rows("SELECT * FROM schedules") == []
    again.close()


def test_a_newer_version_is_refused_and_not_touched(url: str, tmp_path: Path) -> None:
    Database(url, version=1).close()
    with sqlite3.connect(tmp_path / "operations.sqlite") as raw:
        raw.execute("UPDATE operations_meta SET value = 7")
    raw.close()

    with pytest.raises(OperationsTooNew, match="has version 7, this program knows 1: use the newer program"):
        Database(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "cannot be read; expected an SQLAlchemy URL"),
        ("martian://u:geheim@host/db", "cannot be read; expected an SQLAlchemy URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_a_url_that_makes_no_sense_is_refused_without_quoting_it(url: str, message: str) -> None:
    with pytest.raises(OperationsError, match=message) as caught:
        Database(url)

    assert "geheim" not in str(caught.value)


def test_a_missing_driver_says_what_to_install() -> None:
    with pytest.raises(OperationsError, match="needs the Python package psycopg2: install it") as caught:
        Database("postgresql+psycopg2://u:geheim@127.0.0.1:1/db")

    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)

    with pytest.raises(OperationsUnavailable, match=r"letter\.txt cannot be used: file is not a database"):
        Database(f"sqlite:///{path}")
    assert path.read_text() == "Dear Sir or Madam, " * 100


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OperationsUnavailable, match="cannot be written"):
        Database(f"sqlite:///{tmp_path / 'file' / 'operations.sqlite'}")


def test_many_writers_wait_for_each_other(database: Database) -> None:
    with database.write() as writing:
        writing.run(SCHEDULE, name="count")
        writing.run("UPDATE schedules SET enabled = 0")

    def count() -> None:
        for _ in range(10):
            with database.write() as writing:
                before = writing.rows("SELECT enabled FROM schedules")[0]["enabled"]
                writing.run("UPDATE schedules SET enabled = :next", next=before + 1)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert database.rows("SELECT enabled FROM schedules") == [{"enabled": 80}]


def test_many_processes_may_open_an_empty_one_at_once(url: str) -> None:
    program = f"from operations.database import Database; Database({url!r}).close()"
    processes = [subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY) for _ in range(4)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0, 0]


def test_alembic_is_imported_only_for_a_migration(url: str) -> None:
    program = (
        "import sys; from operations.database import Database; "
        f"Database({url!r}).close(); sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=REPOSITORY).returncode == 0
