"""The topology of now is that of the store, whoever wrote; one of another time is as it was; nothing is half-way."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from weakref import ref

import pytest

from cmdb.impact import Evaluation, Question, snapshot
from cmdb.impact.live import LiveTopology
from cmdb.impact.rows import rows_of
from cmdb.impact.topology import Topology
from cmdb.model import CI, Change, Graph, Revision
from cmdb.store.base import Coded, Gone, GraphStore, Position, StoreError, StoreUnavailable
from cmdb.store.opening import open_store
from cmdb.store.sqlite import SqliteStore
from tests.cmdb.store.coded_changes import plain, some_changes
from tests.cmdb.store.examples import added, cable, commit, server
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "embedded.db")
    yield opened
    opened.close()


def grow(store: GraphStore, random: Random, times: int) -> None:
    for _ in range(times):
        commit(store, *some_changes(store.topology(), random))


def shown(live: LiveTopology, revision: int | None = None) -> dict[str, object]:
    with live.at(revision) as topology:
        return plain(topology.rows())


def expected(graph: Graph) -> dict[str, object]:
    return plain(rows_of(graph))


@pytest.mark.parametrize("seed", range(2))
def test_it_follows_whatever_is_written(store: GraphStore, seed: int) -> None:
    random, live = Random(seed), LiveTopology(store)

    for times in (0, 1, 1, 3, 0, 2):
        grow(store, random, times)

        assert shown(live) == expected(store.topology())


def test_it_follows_what_others_write(store_url: str) -> None:
    random, own, other = Random(3), open_store(store_url), open_store(store_url)
    live = LiveTopology(own)

    for writer in (own, other, own, other):
        grow(writer, random, 1)

        assert shown(live) == expected(other.topology())

    own.close()
    other.close()


def test_it_is_of_one_revision_while_others_write(store: GraphStore) -> None:
    random, live, finished = Random(4), LiveTopology(store), threading.Event()

    def write() -> None:
        try:
            grow(store, random, 15)
        finally:
            finished.set()

    seen: dict[int, dict[str, object]] = {}
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not finished.is_set():
            with live.at() as topology:
                seen[topology.revision] = plain(topology.rows())
        writing.result()

    assert seen == {n: expected(store.topology_at(n)) for n in seen}


# Other times


def test_another_time_is_as_it_was_and_now_stays_as_it_is(store: GraphStore) -> None:
    live = LiveTopology(store)
    grow(store, Random(5), 6)

    for revision in (3, 0, 5, 6, 1, 3):
        assert shown(live, revision) == expected(store.topology_at(revision))
        assert shown(live) == expected(store.topology())


def test_a_time_long_ago_is_as_it_was(embedded: SqliteStore) -> None:
    live = LiveTopology(embedded)
    grow(embedded, Random(6), 3)
    ci = server("ci-1")
    commit(embedded, Change("ci-1", embedded.topology().cis.get("ci-1"), ci))
    for number in range(205):
        later = replace(ci, name=str(number))
        commit(embedded, Change("ci-1", ci, later))
        ci = later

    assert shown(live, 2) == expected(embedded.topology_at(2))


def test_two_other_times_are_kept(embedded: SqliteStore) -> None:
    live = LiveTopology(embedded)
    grow(embedded, Random(7), 4)

    def at(revision: int) -> object:
        with live.at(revision) as topology:
            return topology

    first, second = at(1), at(2)
    assert at(1) is first
    third = at(3)
    assert (at(1) is first, at(3) is third, at(2) is second) == (True, True, False)


def test_another_time_that_is_kept_no_more_leaves_the_memory_at_once(embedded: SqliteStore) -> None:
    live = LiveTopology(embedded)
    commit(embedded, *added(server("c1")))
    grow(embedded, Random(9), 3)

    def asked(revision: int) -> ref[Topology]:
        evaluation = Evaluation(live.at, Question(("c1",), (), "power_off"), at=revision)
        assert evaluation.answer().counts["affected"] > 0
        with live.at(revision) as topology:
            return ref(topology)

    kept = [asked(revision) for revision in (1, 2, 3)]

    assert [one() is not None for one in kept] == [False, True, True]


def test_what_is_not_kept_or_not_there_is_refused(embedded: SqliteStore) -> None:
    live = LiveTopology(embedded)
    grow(embedded, Random(8), 4)
    shown(live, 1)
    embedded.trim(2)

    with pytest.raises(Gone, match="revision 1 is not kept any more"), live.at(1):
        pass
    with pytest.raises(StoreError, match="revision 5 is not there yet: the newest is 4"), live.at(5):
        pass


# What goes wrong


def test_history_that_was_trimmed_behind_it_is_no_loss(embedded: SqliteStore) -> None:
    live = LiveTopology(embedded)
    grow(embedded, Random(9), 1)
    shown(live)
    grow(embedded, Random(10), 3)
    embedded.trim(3)

    assert shown(live) == expected(embedded.topology())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_store_that_was_restored_is_loaded_again(embedded: SqliteStore, tmp_path: Path, count: int) -> None:
    grow(embedded, Random(11), 2)
    live = LiveTopology(embedded)
    shown(live)
    shown(live, 1)
    another = SqliteStore(tmp_path / "another.db")
    grow(another, Random(12), count)
    graphs = expected(another.topology()), expected(another.topology_at(1))
    another.close()
    backup, there = sqlite3.connect(tmp_path / "another.db"), sqlite3.connect(tmp_path / "embedded.db")
    with closing(backup), closing(there):
        backup.backup(there)

    assert (shown(live), shown(live, 1)) == graphs


class Failing(SqliteStore):
    """A store whose journal cannot be followed to the end, once."""

    failing = False

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        found = super().changes(after, limit)
        if self.failing:
            self.failing = False
            no_text: Any = object()
            broken = CI("c9", "server", "default", "x", gaps={"depends_on": no_text})
            found[-1] = replace(found[-1], changes=(*found[-1].changes, *added(broken)))
        return found


def test_what_fails_half_way_is_thrown_away(tmp_path: Path) -> None:
    store = Failing(tmp_path / "store.db")
    live = LiveTopology(store)
    grow(store, Random(13), 2)
    shown(live)
    grow(store, Random(14), 1)
    store.failing = True
    with pytest.raises(TypeError), live.at():
        pass

    assert shown(live) == expected(store.topology())

    store.close()


# Snapshots


class Counting(SqliteStore):
    """A store that counts how often it is read whole, and may be away."""

    times = 0
    away = False

    def position(self) -> Position:
        if self.away:
            raise StoreUnavailable("the store is away")
        return super().position()

    @contextmanager
    def coded(self, revision: int | None = None) -> Iterator[Coded]:
        self.times += 1
        with super().coded(revision) as coded:
            yield coded


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Counting]:
    opened = Counting(tmp_path / "store.db")
    grow(opened, Random(15), 3)
    yield opened
    opened.close()


def test_a_store_that_is_away_for_a_while_is_not_read_whole_again(counting: Counting) -> None:
    live = LiveTopology(counting)
    shown(live)
    counting.away = True
    with pytest.raises(StoreUnavailable), live.at():
        pass
    counting.away = False
    grow(counting, Random(19), 1)

    assert (shown(live), counting.times) == (expected(counting.topology()), 1)


def test_what_was_loaded_once_is_loaded_from_its_snapshot_and_follows(counting: Counting, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "folder"
    shown(LiveTopology(counting, folder))
    assert shown(LiveTopology(counting, folder)) == expected(counting.topology())
    grow(counting, Random(16), 3)

    assert shown(LiveTopology(counting, folder)) == expected(counting.topology())

    assert (counting.times, [path.name for path in folder.iterdir()]) == (1, ["impact.rows"])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"\n") + 3] ^= 1
    path.write_bytes(content)


def code_otherwise(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"coding": "', b'"coding": "0', 1))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def say_another_store(path: Path) -> None:
    found = snapshot.load(path.parent)
    assert found is not None
    snapshot.save(path.parent, found._replace(hash="0" * 64))


def say_later(path: Path) -> None:
    found = snapshot.load(path.parent)
    assert found is not None
    snapshot.save(path.parent, found._replace(rows=replace(found.rows, revision=9)))


@pytest.mark.parametrize("spoil", [cut, lengthen, flip, code_otherwise, empty, say_another_store, say_later])
@pytest.mark.parametrize("more", [0, 1])
def test_a_snapshot_that_is_not_of_the_store_as_it_was_is_made_anew(
    counting: Counting, tmp_path: Path, spoil: Callable[[Path], None], more: int
) -> None:
    shown(LiveTopology(counting, tmp_path))
    spoil(tmp_path / "impact.rows")
    grow(counting, Random(17), more)

    rows = shown(LiveTopology(counting, tmp_path))

    assert (rows, counting.times) == (expected(counting.topology()), 2)
    found = snapshot.load(tmp_path)
    assert found is not None
    assert plain(found.rows) == rows
    assert found.hash == counting.position().hash


def test_a_snapshot_of_what_was_trimmed_is_made_anew(counting: Counting, tmp_path: Path) -> None:
    shown(LiveTopology(counting, tmp_path))
    grow(counting, Random(18), 3)
    counting.trim(5)

    assert shown(LiveTopology(counting, tmp_path)) == expected(counting.topology())

    assert counting.times == 2


def test_a_folder_that_cannot_be_written_costs_no_answer(counting: Counting, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert shown(LiveTopology(counting, tmp_path / "file" / "folder")) == expected(counting.topology())


def test_what_was_followed_far_is_saved_at_the_end(counting: Counting, tmp_path: Path) -> None:
    live = LiveTopology(counting, tmp_path)
    shown(live)
    link = cable("rel-500", "c1", "c2", to_port="a")
    commit(counting, *added(server("c1"), server("c2"), link))
    for number in range(110):
        moved = replace(link, columns={"to_port": str(number)})
        commit(counting, Change(link.id, link, moved))
        link = moved
    rows = shown(live)

    live.close()

    found = snapshot.load(tmp_path)
    assert found is not None
    assert plain(found.rows) == rows
    assert shown(LiveTopology(counting, tmp_path)) == rows
    assert counting.times == 1
