"""What this process committed is not read back from the journal; what others did, and what was long ago, is."""

from __future__ import annotations

from contextlib import suppress

from cmdb.model import Change, Revision
from cmdb.store.base import GraphStore
from cmdb.store.opening import open_store
from cmdb.store.recent import Recent
from tests.cmdb.store.examples import T0, added, batch, commit, server


def test_what_this_process_committed_comes_from_memory_and_is_what_others_read(store_url: str) -> None:
    own, other = open_store(store_url), open_store(store_url)
    first = commit(own, *added(server("c1", n=1)))
    commit(other, Change("c1", server("c1", n=1), server("c1", n=2)))
    third = commit(own, *added(server("c2", tags=("a", "b"))))

    found = own.changes(0)

    assert (found[0] is first, found[2] is third) == (True, True)
    assert found == other.changes(0) == list(own.journal())
    assert own.changes(1, 1) == other.changes(1, 1)
    own.close()
    other.close()


def test_what_was_not_committed_is_not_remembered(store: GraphStore) -> None:
    with suppress(KeyError), store.write() as writing:
        lost = writing.apply(batch(*added(server("c1"))))
        raise KeyError

    kept = commit(store, *added(server("c2")))

    [found] = store.changes(0)
    assert (found is kept, found == lost) == (True, False)


def test_the_oldest_are_forgotten_and_what_is_too_large_is_not_remembered_at_all() -> None:
    recent = Recent()

    for number in range(5):
        recent.keep(revision(number, 4_000))
    kept = list(recent.kept())
    recent.keep(revision(5, 10_001))

    assert (kept, list(recent.kept())) == (["hash 3", "hash 4"], [])


def revision(number: int, count: int) -> Revision:
    changes = added(*(server(f"c{n}") for n in range(count)))
    return Revision(number, T0, "tester", None, "test", changes, f"hash {number - 1}", f"hash {number}")
