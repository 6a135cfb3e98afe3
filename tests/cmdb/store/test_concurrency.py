"""Several writers and readers at once, and writers that die half-way: nothing torn, nothing half, no gap."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from cmdb import codec
from cmdb.model import Change
from cmdb.store.base import GraphStore, Handle, Position
from cmdb.store.opening import open_store
from tests.cmdb.store.examples import added, batch, cable, commit, server
from tests.cmdb.store.writer import commit_some

ROOT = Path(__file__).parents[3]
WAIT_S = 60


@contextmanager
def writer(store_url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cmdb.store.writer", *arguments],
        cwd=ROOT,
        env=os.environ | {"CMDB_STORE": store_url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def assert_gapless(store: GraphStore, count: int) -> None:
    journal = list(store.journal())
    assert [revision.n for revision in journal] == list(range(1, count + 1))
    assert [revision.hash for revision in journal] == [codec.revision_hash(revision) for revision in journal]
    assert all(one.hash == two.prev_hash and one.at < two.at for one, two in pairwise(journal))
    assert list(store.topology().cis) == [f"c{number:05}" for number in range(1, count + 1)]
    assert len(store.records("section")) == count


def test_writers_in_threads_commit_gapless_revisions(store: GraphStore) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda name: commit_some(store, name, 20), ["a", "b", "c"]))

    assert_gapless(store, 60)
    assert store.position().evidence == 60


def test_writers_in_processes_commit_gapless_revisions(store_url: str) -> None:
    with writer(store_url, "commit", "a", "40") as one, writer(store_url, "commit", "b", "40") as two:
        codes = [one.wait(WAIT_S), two.wait(WAIT_S)]

    store = open_store(store_url)
    assert codes == [0, 0]
    assert_gapless(store, 80)
    assert [len(store.lookup([Handle("name", name)])) for name in ("a", "b")] == [40, 40]
    store.close()


def test_a_writer_killed_in_its_transaction_leaves_nothing_half_and_no_lock(store_url: str) -> None:
    with writer(store_url, "hang") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait(WAIT_S)

    store = open_store(store_url)
    seen = (store.position(), store.topology().cis, store.records("section"))
    with store.write() as transaction:
        first = transaction.reserve("ci", 1)
        revision = transaction.apply(batch(*added(server("c1"))))
    assert seen == (Position(0, None, "0" * 64, 0), {}, [])
    assert (first, revision and revision.n) == (1, 1)
    store.close()


def test_what_a_killed_writer_committed_before_is_kept(store_url: str) -> None:
    with writer(store_url, "commit", "a", "1000000") as process:
        store = open_store(store_url)
        while store.position().revision < 5:
            pass
        process.kill()
        process.wait(WAIT_S)

    assert_gapless(store, store.position().revision)
    store.close()


def test_a_topology_loaded_while_others_write_is_the_state_of_one_revision(store: GraphStore) -> None:
    count, rounds = 60, 40
    cis = [server(f"c{n:02}", n=1) for n in range(count)]
    links = [cable(f"r{n:02}", f"c{n:02}", f"c{(n + 1) % count:02}", n=1) for n in range(count)]
    commit(store, *added(*cis, *links))
    finished = threading.Event()

    def write() -> None:
        try:
            for revision in range(2, rounds + 2):
                was = store.topology()
                moved = (revision * 7) % count
                changes = [Change(ci.id, ci, server(ci.id, n=revision)) for ci in was.cis.values()]
                for link in was.relations.values():
                    end = f"c{(int(link.id[1:]) + moved) % count:02}"
                    changes.append(Change(link.id, link, cable(link.id, link.source, end, n=revision)))
                commit(store, *changes)
        finally:
            finished.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        loaded = 0
        while not finished.is_set():
            graph = store.topology()
            loaded += 1
            values = {ci.attributes["n"] for ci in graph.cis.values()}
            values |= {link.columns["n"] for link in graph.relations.values()}
            assert (len(graph.cis), len(graph.relations), values) == (count, count, {graph.revision})
        writing.result()

    assert loaded > 1


def test_readers_in_threads_see_committed_states_only(store: GraphStore) -> None:
    commit(store, *added(server("c1", n=1), server("c2", n=1)))
    finished = threading.Event()

    def read() -> list[int]:
        seen = []
        while not finished.is_set():
            row = store.get(["c1"])["c1"]
            assert row.ci.attributes["n"] == row.revision
            seen.append(row.revision)
        return seen

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        try:
            for revision in range(2, 32):
                was = server("c1", n=revision - 1)
                commit(store, Change("c1", was, server("c1", n=revision)))
        finally:
            finished.set()
        seen = [reader.result() for reader in readers]

    assert all(revisions == sorted(revisions) for revisions in seen)


def test_stores_opened_at_once_make_one_schema(store_url: str) -> None:
    start = threading.Barrier(4)

    def open_and_write(number: int) -> None:
        start.wait(WAIT_S)
        store = open_store(store_url)
        commit(store, *added(server(f"c{number}")))
        store.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_and_write, range(4)))

    store = open_store(store_url)
    assert (store.position().revision, list(store.topology().cis)) == (4, ["c0", "c1", "c2", "c3"])
    store.close()
