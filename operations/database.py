"""The operations database: its tables, its versions, its transactions. The only importer of SQLAlchemy and alembic.

The other modules say what they want in plain SQL with bound values, in the words that SQLite and PostgreSQL share.
Times are text in UTC with microseconds (`cmdb.codec.time_out`), so that they sort; documents are JSON text.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from operations.errors import AlreadyThere, OperationsError, OperationsTooNew, OperationsUnavailable

if TYPE_CHECKING:
    from alembic.operations import Operations

__all__ = ["Database", "OperationsError", "OperationsTooNew", "OperationsUnavailable", "Row", "Writing"]

Row: TypeAlias = Mapping[str, Any]
Step: TypeAlias = Callable[["Operations"], None]

SCHEMA_VERSION = 1
MIGRATIONS: Mapping[int, Step] = {}
"""The step that leads to each version after the first, in alembic's words."""

_BUSY_MS = 10_000
_SERVED_LOCK = 0x636D6462  # "cmdb"
_WRITES = "cmdb_writes"
_METADATA = MetaData()


def _text(name: str, *, needed: bool = True, key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=not needed and not key, primary_key=key)


def _whole(name: str, *, needed: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=not needed)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True)


def _of(name: str, table: str, *, needed: bool = True, kind: type[Integer | Text] = Integer) -> Column[Any]:
    return Column(name, kind, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=not needed)


Table("operations_meta", _METADATA, _text("name", key=True), _whole("value"))
Table(
    "schedules",
    _METADATA,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("scope"),
    _text("cron"),
    _whole("enabled"),
    _text("created_by"),
    _text("created"),
    _text("due"),
)
_runs = Table(
    "runs",
    _METADATA,
    _text("id", key=True),
    _text("kind"),
    _text("scope"),
    _text("space"),
    _text("state"),
    Column("schedule", Integer, ForeignKey("schedules.id", ondelete="SET NULL")),
    _text("requested_by"),
    _text("requested"),
    _text("started", needed=False),
    _text("ended", needed=False),
    _text("worker", needed=False),
    _text("heartbeat", needed=False),
    _whole("done"),
    _whole("total"),
    _text("counts"),
    _text("error", needed=False),
)
Index("runs_state", _runs.c.state, _runs.c.requested, _runs.c.id)
_ledger = Table(
    "ledger",
    _METADATA,
    _id(),
    _of("run", "runs", kind=Text),
    _text("address"),
    _text("section"),
    _text("outcome"),
    _text("completeness", needed=False),
    _text("at"),
    Column("duration_s", Float, nullable=False),
    _text("counts"),
    _text("error", needed=False),
)
Index("ledger_run", _ledger.c.run, _ledger.c.address, _ledger.c.section, unique=True)
Index("ledger_address", _ledger.c.address, _ledger.c.at)
Table(
    "credentials",
    _METADATA,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("kind"),
    _text("options"),
    _text("networks"),
    _text("space", needed=False),
    _whole("position"),
    _text("created"),
    _text("key_id"),
    Column("sealed", LargeBinary, nullable=False),
)
Table(
    "credential_results",
    _METADATA,
    _text("space", key=True),
    _text("address", key=True),
    _text("protocol", key=True),
    _of("credential", "credentials"),
    _text("at"),
)
Table(
    "host_keys",
    _METADATA,
    _text("space", key=True),
    _text("address", key=True),
    Column("port", Integer, primary_key=True, autoincrement=False),
    _text("kind", key=True),
    Column("blob", LargeBinary, nullable=False),
    _text("fingerprint"),
    _text("added"),
    _text("origin"),
)
Table(
    "tokens",
    _METADATA,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("role"),
    Column("hash", Text, nullable=False, unique=True),
    _text("created"),
    _text("expires", needed=False),
    _text("revoked", needed=False),
    _text("last_used", needed=False),
)
Table(
    "sessions",
    _METADATA,
    _text("hash", key=True),
    _of("token", "tokens", needed=False),
    _text("name"),
    _text("role"),
    _text("created"),
    _text("expires"),
)
Table(
    "login_links",
    _METADATA,
    _text("hash", key=True),
    _of("token", "tokens", needed=False),
    _text("name"),
    _text("role"),
    _text("expires"),
)


class Writing:
    """A transaction that writes: all of it is kept, or nothing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def run(self, statement: str, **values: object) -> int:
        """Run a statement; returns how many rows it changed."""
        return self.connection.execute(text(statement), values).rowcount

    def run_many(self, statement: str, rows: Sequence[Row]) -> None:
        if rows:
            self.connection.execute(text(statement), [dict(row) for row in rows])

    def rows(self, statement: str, **values: object) -> list[Row]:
        return [dict(row) for row in self.connection.execute(text(statement), values).mappings()]


class Database:
    """The operations database of a URL, made or migrated where needed. Safe to use from several threads.

    Raises OperationsError for a URL that makes no sense (without showing it: it may hold a password),
    OperationsUnavailable, OperationsTooNew.
    """

    def __init__(self, url: str, *, version: int = SCHEMA_VERSION, migrations: Mapping[int, Step] = MIGRATIONS) -> None:
        self._engine, self._where = _engine(url)
        try:
            self._prepare(version, migrations)
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def where(self) -> str:
        """Where it is, for people: a path, or the URL without its password."""
        return self._where

    def rows(self, statement: str, **values: object) -> list[Row]:
        """Read. One statement sees one state."""
        with self._translated(), self._engine.begin() as connection:
            return [dict(row) for row in connection.execute(text(statement), values).mappings()]

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """Write: the transaction is alone from its beginning on, and kept at the end of the block."""
        with (
            self._translated(),
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield Writing(connection)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as error:
            raise AlreadyThere(f"the operations database {self._where} holds that already: {error.orig}") from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise OperationsError(f"that cannot be stored: {error}") from error
        except (DBAPIError, SQLAlchemyError, sqlite3.Error) as error:
            told = error.orig if isinstance(error, DBAPIError) else error
            raise OperationsUnavailable(f"the operations database {self._where} cannot be used: {told}") from error

    def _prepare(self, version: int, migrations: Mapping[int, Step]) -> None:
        with self._translated(), self._engine.begin() as connection:
            found = _version(connection)
        if found == version:
            return
        with self.write() as writing:  # nobody else can change the version now
            connection = writing.connection
            found = _version(connection)
            if found > version:
                raise OperationsTooNew(
                    f"the operations database {self._where} has version {found}, this program knows {version}: "
                    "use the newer program"
                )
            if found == 0:
                _METADATA.create_all(connection)
                writing.run("INSERT INTO operations_meta (name, value) VALUES ('schema', :version)", version=version)
            else:
                _migrate(connection, range(found + 1, version + 1), migrations)
                writing.run("UPDATE operations_meta SET value = :version WHERE name = 'schema'", version=version)


def _version(connection: Connection) -> int:
    """The version that it has; 0 where it is empty."""
    if not inspect(connection).has_table("operations_meta"):
        return 0
    return int(connection.execute(text("SELECT value FROM operations_meta WHERE name = 'schema'")).scalar_one())


def _migrate(connection: Connection, versions: range, migrations: Mapping[int, Step]) -> None:
    if not versions:
        return
    from alembic.migration import MigrationContext  # noqa: PLC0415 - 570 ms, and needed once per version
    from alembic.operations import Operations  # noqa: PLC0415 - as above

    steps = Operations(MigrationContext.configure(connection))
    for version in versions:
        migrations[version](steps)


def _engine(url: str) -> tuple[Engine, str]:
    expected = "expected an SQLAlchemy URL such as sqlite:///PATH (four slashes for an absolute path)"
    try:
        parsed = make_url(url)
        embedded = parsed.get_backend_name() == "sqlite"
        where = _file(parsed.database, expected) if embedded else parsed.render_as_string(hide_password=True)
        engine = create_engine(parsed, pool_pre_ping=not embedded)
    except (ArgumentError, NoSuchModuleError) as error:
        raise OperationsError(f"the URL of the operations database cannot be read; {expected}") from error
    except ModuleNotFoundError as error:
        raise OperationsError(
            f"the operations database {where} needs the Python package {error.name}: install it beside cmdb"
        ) from error
    if embedded:
        event.listen(engine, "connect", _embedded_connect)
    event.listen(engine, "begin", _embedded_begin if embedded else _served_begin)
    return engine, where


def _file(path: str | None, expected: str) -> str:
    """Make the file and its folder, for nobody else to read: it holds sealed secrets and hashes of tokens."""
    if not path or path == ":memory:":
        raise OperationsError(f"the operations database needs a file; {expected}")
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise OperationsUnavailable(f"the operations database {path} cannot be written: {error.strerror}") from error
    return path


def _embedded_connect(connection: sqlite3.Connection, record: object) -> None:
    """Transactions are ours to begin (the driver would begin them late, and lose to another writer midway)."""
    del record
    connection.isolation_level = None
    for setting in (f"busy_timeout = {_BUSY_MS}", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _embedded_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _served_begin(connection: Connection) -> None:
    """Writers of a PostgreSQL database come one after the other, too: what one read stays true until it has written."""
    if connection.get_execution_options().get(_WRITES, False) and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SERVED_LOCK})")
