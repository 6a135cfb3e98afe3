"""Small CIs, relations and commits for the tests of the stores."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cmdb.model import CI, Change, Relation, Revision, Value
from cmdb.store.base import Batch, GraphStore, Handle, Record

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the tests' first commit is."""


def minutes(count: int) -> datetime:
    return T0 + timedelta(minutes=count)


def server(ci: str, name: str | None = None, /, **attributes: Value) -> CI:
    return CI(ci, "server", "default", name or ci, attributes=attributes)


def cable(relation: str, source: str, target: str, /, **columns: Value) -> Relation:
    return Relation(relation, "connects_to", source, target, columns)


def added(*images: CI | Relation) -> tuple[Change, ...]:
    return tuple(Change(image.id, None, image) for image in images)


def batch(*changes: Change, handles: Mapping[str, frozenset[Handle]] | None = None, at: datetime = T0) -> Batch:
    return Batch(changes, handles or {}, actor="tester", reason="test", at=at, run="run 1")


def commit(
    store: GraphStore,
    *changes: Change,
    handles: Mapping[str, frozenset[Handle]] | None = None,
    at: datetime = T0,
) -> Revision | None:
    with store.write() as transaction:
        return transaction.apply(batch(*changes, handles=handles, at=at))


def put(store: GraphStore, *records: Record) -> None:
    with store.write() as transaction:
        transaction.put(records)


def handles(*pairs: tuple[str, str]) -> frozenset[Handle]:
    return frozenset(Handle(*pair) for pair in pairs)
