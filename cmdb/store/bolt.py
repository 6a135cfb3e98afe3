"""The seam to the Neo4j driver: statements in, rows out, and the driver's exceptions as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any, TypeAlias

import neo4j
from neo4j import exceptions

from cmdb.store.base import StoreError, StoreUnavailable

Row: TypeAlias = list[Any]
"""One row of a result; narrowed at once by who asked."""

CONNECT_TIMEOUT_S = 3.0
RETRY_S = 5.0
"""How long the driver may repeat a statement; its own default keeps a caller waiting for a minute."""

_ATTEMPTS = 5
_PAUSE_S = 0.005
_SECURITY = "Neo.ClientError.Security."
_CONSTRAINT = "Neo.ClientError.Schema.ConstraintValidationFailed"
_MAY_PASS = (_CONSTRAINT, "Neo.ClientError.Statement.EntityNotFound", "Neo.ClientError.Schema.EquivalentSchemaRule")
"""Errors that two programs at once can cause: what one was making or reading, the other made or deleted."""


class BoltTransaction:
    """An open transaction of a Server."""

    def __init__(self, transaction: neo4j.Transaction) -> None:
        self._transaction = transaction

    def run(self, statement: str, **parameters: object) -> list[Row]:
        return self._transaction.run(statement, parameters).values()


class Server:
    """A Neo4j server that answered and accepted the password."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        """Connect. Raises StoreUnavailable within seconds when the server is down or refuses the password."""
        self.name = f"{host}:{port}"
        self._user = user
        self._closed = False
        address = f"[{host}]:{port}" if ":" in host else self.name
        self._driver = neo4j.GraphDatabase.driver(
            f"neo4j://{address}",
            auth=(user, password),
            connection_timeout=CONNECT_TIMEOUT_S,
            connection_acquisition_timeout=CONNECT_TIMEOUT_S + 1,
            max_transaction_retry_time=RETRY_S,
            notifications_min_severity="OFF",
        )
        try:
            with self._translated():
                self._driver.verify_connectivity()
        except BaseException:
            self.close()
            raise

    def run(self, statement: str, **parameters: object) -> list[Row]:
        """Run one statement in a transaction of its own; what may pass is tried again.

        Reads too go to the leader of a cluster: the others lag behind it.
        """
        with self._translated():
            for _ in range(_ATTEMPTS - 1):
                try:
                    return self._run(statement, parameters)
                except exceptions.Neo4jError as error:
                    if error.code not in _MAY_PASS:
                        raise
            return self._run(statement, parameters)

    def _run(self, statement: str, parameters: dict[str, object]) -> list[Row]:
        with self._session() as session:
            return session.execute_write(_values, statement, parameters)

    @contextmanager
    def transaction(self, first: str, timeout_s: float) -> Iterator[BoltTransaction]:
        """A transaction that commits at the end, or keeps nothing; the server ends it after `timeout_s`.

        `first` is its first statement, which takes its locks and is tried again while that may help.
        """
        with self._translated(), self._session() as session:
            transaction = _begun(session, first, timeout_s)
            try:
                yield BoltTransaction(transaction)
                transaction.commit()
            finally:
                with suppress(exceptions.Neo4jError, exceptions.DriverError):
                    transaction.close()

    def _session(self) -> neo4j.Session:
        if self._closed:
            raise StoreError(f"the store on Neo4j at {self.name} was closed")
        return self._driver.session(bookmark_manager=self._driver.execute_query_bookmark_manager)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as error:
            raise StoreError(f"{error.object[error.start : error.end]!a} is not valid Unicode") from None
        except (exceptions.Neo4jError, exceptions.DriverError) as error:
            raise self._meaning(error) from error

    def _meaning(self, error: exceptions.Neo4jError | exceptions.DriverError) -> StoreError:
        code = error.code or "" if isinstance(error, exceptions.Neo4jError) else ""
        if code.startswith(_SECURITY):
            return StoreUnavailable(
                f"Neo4j at {self.name} refuses user {self._user!r}: check user and password in CMDB_STORE"
            )
        if isinstance(error, exceptions.TransientError) or "Transaction" in code:
            return StoreUnavailable(f"Neo4j at {self.name} could not finish in time: {_words(error)}; try again")
        if isinstance(error, exceptions.DriverError):
            return StoreUnavailable(
                f"Neo4j at {self.name} does not answer: start it, or check host and port in CMDB_STORE"
            )
        return StoreError(f"Neo4j at {self.name} refuses a statement: {_words(error)}")

    def close(self) -> None:
        self._closed = True
        self._driver.close()


def _begun(session: neo4j.Session, first: str, timeout_s: float) -> neo4j.Transaction:
    """Begin with a statement that takes a lock.

    Neo4j 5.26 now and then sees a dead-lock between two transactions that only queue for one lock (a waiter that just
    got it still counts as waiting), and ends one of them; nothing was done in it yet, so it begins again.
    """
    deadline = monotonic() + timeout_s
    attempt = 0
    while True:
        attempt += 1
        transaction = session.begin_transaction(timeout=timeout_s)
        try:
            transaction.run(first).consume()
        except exceptions.TransientError:
            transaction.close()
            if monotonic() > deadline:
                raise
            sleep(min(attempt * _PAUSE_S, 1.0))
        else:
            return transaction


def _values(transaction: neo4j.ManagedTransaction, statement: str, parameters: dict[str, object]) -> list[Row]:
    return transaction.run(statement, parameters).values()


def _words(error: exceptions.Neo4jError | exceptions.DriverError) -> str:
    text = error.message if isinstance(error, exceptions.Neo4jError) else str(error)
    return (text or "no reason given").splitlines()[0]


def utc(time: Any) -> datetime:
    """A time of a row as the model has it: the driver gives its own type, with a zone of pytz."""
    native: datetime = time.to_native()
    return native.astimezone(UTC)
