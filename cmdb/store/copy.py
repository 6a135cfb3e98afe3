"""A whole store copied into an empty one of either kind: ids, history, revisions, records and sequences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from cmdb.model import Revision
from cmdb.store.base import Base, Batch, GraphStore, StoreError
from cmdb.store.past import GENESIS, between
from cmdb.verify import verified

Item = TypeVar("Item")

_ROWS = 2_000
"""Rows of one transaction."""

_REVISIONS = 200
_CHANGES = 5_000
"""A transaction ends after so many revisions, or when it has so many changes."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied."""

    cis: int
    relations: int
    revisions: int
    records: int


def copy(source: GraphStore, target: GraphStore, told: Callable[[int, int], None] = lambda _n, _of: None) -> Copied:
    """Copy everything, then compare, and verify the target. `told` hears which revision of how many is there.

    Raises StoreError: the target is not empty (a copy that stopped half-way neither is); somebody wrote to the source
    meanwhile; the source is damaged. What the target holds then is of no use: empty it, and copy again.
    """
    _refuse_full(target)
    start = source.position()
    base = source.base()
    if base != GENESIS:
        _lay(source, target, base)
    for revisions in _together(between(source, base.revision, start.revision)):
        with target.write() as transaction:
            for revision in revisions:
                transaction.replay(revision)
        told(revisions[-1].n, start.revision)
    _copy_handles(source, target)
    records = _copy_records(source, target)
    with target.write() as transaction:
        for name, last in source.sequences().items():
            transaction.reserve(name, last)
    if source.position() != start or source.base() != base:
        raise StoreError("the store that is copied was written to meanwhile: stop what writes, empty the copy, repeat")
    return _compared(source, target, start.revision - base.revision, records)


def _refuse_full(target: GraphStore) -> None:
    position = target.position()
    if position.revision or position.evidence or target.base() != GENESIS or target.sequences():
        raise StoreError(
            f"the store to copy to is not empty: it stands at revision {position.revision}; name an empty one"
        )


def _lay(source: GraphStore, target: GraphStore, base: Base) -> None:
    graph = source.topology_at(base.revision)
    for ids in _parts(graph.cis, _ROWS):
        with target.write() as transaction:
            transaction.lay(base, list(source.get_at(ids, base.revision).values()), [])
    for relations in _parts(graph.relations.values(), _ROWS):
        with target.write() as transaction:
            transaction.lay(base, [], relations)
    if not graph.cis:
        with target.write() as transaction:
            transaction.lay(base, [], [])


def _together(revisions: Iterable[Revision]) -> Iterator[list[Revision]]:
    together: list[Revision] = []
    changes = 0
    for revision in revisions:
        together.append(revision)
        changes += len(revision.changes)
        if len(together) >= _REVISIONS or changes >= _CHANGES:
            yield together
            together, changes = [], 0
    if together:
        yield together


def _copy_handles(source: GraphStore, target: GraphStore) -> None:
    now = datetime.min.replace(tzinfo=UTC)  # a batch without changes is no revision, and leaves no time
    for ids in _parts(source.topology().cis, _ROWS):
        with target.write() as transaction:
            transaction.apply(Batch((), source.handles(ids), "", "handles", now))


def _copy_records(source: GraphStore, target: GraphStore) -> int:
    count = 0
    for kind in source.kinds():
        for records in _parts(source.records(kind), _ROWS):
            with target.write() as transaction:
                transaction.put(records)
            count += len(records)
    return count


def _compared(source: GraphStore, target: GraphStore, revisions: int, records: int) -> Copied:
    graph = source.topology()
    problems = verified(target).problems
    if problems or target.topology() != graph or target.position().hash != source.position().hash:
        raise StoreError(
            f"the copy is not like what was copied: {'; '.join(problems) or 'see what verify says of both'}"
        )
    return Copied(len(graph.cis), len(graph.relations), revisions, records)


def _parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
