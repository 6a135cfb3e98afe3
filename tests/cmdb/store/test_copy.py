"""A store copied from one kind to the other holds all of it, and nothing is copied over something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cmdb.model import CI, Change, Component, Identifier
from cmdb.store.base import GraphStore, Query, Record, StoreError
from cmdb.store.copy import Copied, copy
from cmdb.store.sqlite import SqliteStore
from cmdb.verify import verified
from tests.cmdb.store.examples import T0, added, batch, cable, commit, handles, minutes, put, server


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[GraphStore]:
    opened = SqliteStore(tmp_path / "embedded.db")
    yield opened
    opened.close()


WEB = CI(
    "c1",
    "server",
    "default",
    "web",
    attributes={"since": T0, "tags": ("a", "b")},
    identifiers=frozenset({Identifier("serial", "S1")}),
    components=(Component("disk", "sda"),),
)
LINK = cable("r1", "c1", "c2", from_port="eth0")


def fill(store: GraphStore) -> None:
    """A store with everything that a store can hold."""
    with store.write() as transaction:
        transaction.reserve("ci", 7)
        transaction.put([Record("section", "s1", b"\0doc", frozenset({"k"}), T0, frozenset({"c1", "gone"}))])
        transaction.apply(
            batch(*added(WEB, server("c2"), LINK), handles={"c1": handles(("name", "web"), ("serial", "S1"))})
        )
    commit(store, Change("c1", WEB, replace(WEB, name="web1")), at=minutes(1))
    commit(store, Change("r1", LINK, replace(LINK, target="c1")), *added(server("c3")), at=minutes(2))
    commit(store, handles={"c1": handles(("name", "web1"), ("former_label", "D010210-001"))})
    commit(store, Change("r1", replace(LINK, target="c1"), None), Change("c3", server("c3"), None), at=minutes(3))
    put(store, Record("head", "h1", b"x"), Record("section", "s2", b""))


def everything(store: GraphStore) -> list[object]:
    newest, oldest = store.position().revision, store.base().revision
    return [
        replace(store.position(), evidence=0),
        store.base(),
        list(store.journal()),
        store.past(oldest + 1, newest),
        [store.topology_at(n) for n in range(oldest, newest + 1)],
        [store.get_at(["c1", "c2", "c3"], n) for n in range(oldest, newest + 1)],
        store.get(["c1", "c2", "c3"]),
        store.handles(["c1", "c2"]),
        store.find(Query(text="D010210")),
        {kind: store.records(kind) for kind in store.kinds()},
        store.records("section", keys=["k"], cis=["c1"]),
        store.sequences(),
        verified(store),
    ]


@pytest.mark.parametrize("cut", [0, 1, 4])
@pytest.mark.parametrize("back", [False, True], ids=["out of the embedded store", "into the embedded store"])
def test_a_copy_holds_all_of_it(store: GraphStore, embedded: GraphStore, cut: int, *, back: bool) -> None:
    source, target = (store, embedded) if back else (embedded, store)
    fill(source)
    source.trim(cut)
    heard = []

    copied = copy(source, target, lambda *at: heard.append(at))

    assert copied == Copied(2, 0, 4 - cut, 3)
    assert heard == ([(4, 4)] if cut < 4 else [])
    assert everything(target) == everything(source)
    with target.write() as transaction:
        assert transaction.reserve("ci", 1) == 8
        assert transaction.apply(batch(*added(server("c9")))) is not None
    assert verified(target).problems == ()


def test_a_store_that_holds_something_is_not_copied_over(store: GraphStore, embedded: GraphStore) -> None:
    fill(embedded)
    put(store, Record("section", "s9", b""))

    with pytest.raises(StoreError, match="the store to copy to is not empty"):
        copy(embedded, store)

    assert (store.position().revision, store.kinds()) == (0, ["section"])


def test_a_source_that_is_written_to_meanwhile_is_no_copy(store: GraphStore, embedded: GraphStore) -> None:
    fill(embedded)

    with pytest.raises(StoreError, match="was written to meanwhile"):
        copy(embedded, store, lambda _n, _of: put(embedded, Record("section", "late", b"")))


def test_what_does_not_follow_is_not_replayed(store: GraphStore, embedded: GraphStore) -> None:
    fill(embedded)
    second = embedded.changes(1)[0]

    with pytest.raises(StoreError, match="revision 2 cannot be the next one of this store"), store.write() as writing:
        writing.replay(replace(second, changes=added(server("c1"))))

    assert store.position().revision == 0


def test_only_an_empty_store_is_begun_at_a_base(store: GraphStore, embedded: GraphStore) -> None:
    fill(embedded)
    base = embedded.trim(4)
    commit(store, *added(server("c1")))

    with pytest.raises(StoreError, match="stands at revision 1: only an empty one"), store.write() as writing:
        writing.lay(base, [], [])
