"""Write transactions, each with what is known under its lock; and what is known without one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from typing import Final, TypeAlias

from cmdb.following import followed, note
from cmdb.graph_cache import GraphCache
from cmdb.kept_rules import rules_record
from cmdb.known import Known, load
from cmdb.model import Graph, Revision
from cmdb.rules import Rules
from cmdb.store.base import Gone, GraphStore, Records, Transaction
from cmdb.store.past import between

Write: TypeAlias = Callable[[], AbstractContextManager[tuple[Transaction, Known, Graph]]]

_TRIES: Final = 3
"""How often what is known is read without the lock, before writers are asked to wait."""


class _NothingKept(Exception):
    """Ends a transaction of which nothing is to be kept."""


class Transactions:
    """What is known is loaded once, and then follows what this and other processes write.

    `lock` is re-entrant: a transaction takes it, and whoever reads what is known takes it for as long as it is used.
    """

    def __init__(self, store: GraphStore, cache: GraphCache, rules: Rules, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._cache = cache
        self._rules = rules
        self._clock = clock
        self._known: Known | None = None
        self.lock = threading.RLock()

    @contextmanager
    def write(self, *, keep: bool = True) -> Iterator[tuple[Transaction, Known, Graph]]:
        """A write transaction, with what is known under its lock, and the graph as it becomes while it is written.

        What fails leaves nothing, in memory neither; nor does what is not to be kept: a dry run.
        """
        with self.lock:
            known: Known | None = None
            try:
                with self._store.write() as tx:
                    if not tx.position.evidence:  # an empty store is projected by the rules of now from its first word
                        tx.put([rules_record(self._rules)])
                    known = self._up_to_date(self._known, tx.records, tx.position.evidence)
                    yield tx, known, Graph(tx.position.revision, known.beside.cis, known.beside.by_id)
                    if not keep:
                        raise _NothingKept  # noqa: TRY301 - an exception is how a store is told to keep nothing
                    if tx.position.evidence != known.evidence:
                        note(tx, known)
                    position = tx.position
                known.committed(position.evidence, position.revision)
                self._known = known
            except BaseException as error:
                if known is not None:
                    known.roll_back()
                    self._known = known
                if not isinstance(error, _NothingKept):
                    raise

    def read(self) -> Known:
        """What is known, without a transaction: loaded again until no writer came between."""
        for _ in range(_TRIES):
            counted = self._store.position().evidence
            known = self._up_to_date(self._known, self._store.records, counted)
            if self._store.position().evidence == counted:
                self._known = known
                return known
            self._known = None
        with self.write() as (_, known, _):
            return known

    def _up_to_date(self, known: Known | None, records: Records, evidence: int) -> Known:
        """What is known, as of a count of evidence: what other processes wrote is taken over."""
        if known is not None and known.evidence == evidence:
            return known
        self._known = None  # what fails half-way is of no use
        if known is not None:
            with suppress(Gone):  # the journal was trimmed behind us
                if followed(known, records, self._since, evidence, self._rules, self._clock()):
                    return known
        return load(records, self._cache.graph(), self._rules, evidence)

    def _since(self, revision: int) -> list[Revision]:
        return list(between(self._store, revision, self._store.position().revision))
