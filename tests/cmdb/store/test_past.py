"""What was: any revision is read as it was then, until it is trimmed; on both stores, which also prove it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import neo4j
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb.model import CI, Change, Graph, Relation
from cmdb.store.base import Base, Gone, GraphStore, Past, Position, Record, StoredCI, StoreError
from cmdb.store.opening import open_store
from cmdb.store.past import GENESIS
from cmdb.verify import verified
from tests.cmdb.store.examples import T0, added, batch, cable, commit, minutes, put, server
from tests.fixtures.stores import neo4j_driver

ONE, TWO = server("c1", n=1), server("c2", n=1)
LINK = cable("r1", "c1", "c2", from_port="a")
MOVED = replace(LINK, target="c3", columns={"from_port": "b"})
STEPS: tuple[tuple[Change, ...], ...] = (
    added(ONE, TWO, LINK),
    (Change("c1", ONE, server("c1", n=2)), *added(server("c3"))),
    (Change("r1", LINK, MOVED),),
    (Change("r1", MOVED, None), Change("c1", server("c1", n=2), server("c1", n=3))),
    (Change("c3", server("c3"), None),),
)
"""A small history: what comes, changes, moves and goes, one revision each, a minute apart."""


def committed(store: GraphStore) -> list[Graph]:
    """The graph of every revision from 0 on, as it was told when it was new."""
    graphs = [store.topology()]
    for minute, changes in enumerate(STEPS):
        commit(store, *changes, at=minutes(minute))
        graphs.append(store.topology())
    return graphs


def related(graph: Graph, ci: str) -> list[Relation]:
    return [relation for relation in graph.relations.values() if ci in {relation.source, relation.target}]


def test_every_revision_is_read_as_it_was_then(store: GraphStore) -> None:
    graphs = committed(store)

    assert [store.topology_at(n) for n in range(6)] == graphs
    assert [{id_: row.ci for id_, row in store.get_at(["c1", "c2", "c3", "c4"], n).items()} for n in range(6)] == [
        graph.cis for graph in graphs
    ]
    for ci in ("c1", "c2", "c3"):
        assert [store.relations_at([ci], n) for n in range(6)] == [related(graph, ci) for graph in graphs]
    assert store.relations_at(["c1", "c3"], 3) == [MOVED]
    assert store.base() == GENESIS


def test_a_ci_of_another_time_says_since_which_revision_it_was_so(store: GraphStore) -> None:
    committed(store)

    since = {n: store.get_at(["c1"], n)["c1"] for n in range(1, 6)}

    first, second, third = StoredCI(ONE, 1), StoredCI(server("c1", n=2), 2), StoredCI(server("c1", n=3), 4)
    assert since == {1: first, 2: second, 3: second, 4: third, 5: third}


def test_what_ended_is_told_by_the_revisions_that_ended_it(store: GraphStore) -> None:
    committed(store)

    told = [store.past(1, 5), store.past(3, 4), store.past(6, 9)]

    second, third = Past(1, 2, ONE), Past(1, 3, LINK)
    fourth, fifth = [Past(2, 4, server("c1", n=2)), Past(3, 4, MOVED)], Past(2, 5, server("c3"))
    assert told == [[second, third, *fourth, fifth], [third, *fourth], []]


def test_a_time_means_the_last_revision_committed_by_then(store: GraphStore) -> None:
    committed(store)

    moments = [-1.0, 0.0, 0.5, 1.0, 3.9, 4.0, 1000.0]
    assert [store.revision_at(T0 + timedelta(minutes=moment)) for moment in moments] == [0, 1, 1, 2, 4, 5, 5]


def test_a_revision_that_is_not_there_yet_is_refused(store: GraphStore) -> None:
    committed(store)

    for question in (
        lambda: store.get_at(["c1"], 6),
        lambda: store.relations_at(["c1"], 6),
        lambda: store.topology_at(6),
        lambda: store.trim(6),
    ):
        with pytest.raises(StoreError, match="revision 6 is not there yet: the newest is 5") as refusal:
            question()
        assert not isinstance(refusal.value, Gone)


def test_another_time_reads_the_same_whatever_is_committed_meanwhile(store: GraphStore) -> None:
    cis = [server(f"c{n:02}", n=1) for n in range(20)]
    links = [cable(f"r{n:02}", f"c{n:02}", f"c{(n + 1) % 20:02}", n=1) for n in range(20)]
    commit(store, *added(*cis, *links))
    then = store.topology()
    finished = threading.Event()

    def write() -> None:
        try:
            for n in range(2, 22):
                now = store.topology()
                changes = [Change(ci.id, ci, server(ci.id, n=n)) for ci in now.cis.values()]
                for link in now.relations.values():
                    moved = cable(link.id, link.source, f"c{(int(link.id[1:]) + n) % 20:02}", n=n)
                    changes.append(Change(link.id, link, moved))
                commit(store, *changes)
        finally:
            finished.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not finished.is_set():
            assert store.topology_at(1) == then
            assert store.relations_at(["c00"], 1) == related(then, "c00")
            assert store.get_at(["c00"], 1) == {"c00": StoredCI(cis[0], 1)}
        writing.result()

    assert store.position().revision == 21


# Trimming


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_trimming_forgets_what_was_before_and_keeps_what_was_from_then_on(store: GraphStore, cut: int) -> None:
    graphs = committed(store)
    position, revisions = store.position(), store.changes(0)

    base = store.trim(cut)

    assert base == store.base()
    assert base[:3] == (cut, revisions[cut - 1].at, revisions[cut - 1].hash)
    assert store.position() == position
    assert [store.topology_at(n) for n in range(cut, 6)] == graphs[cut:]
    assert [store.get_at(["c1"], n)["c1"].ci for n in range(cut, 6)] == [graph.cis["c1"] for graph in graphs[cut:]]
    assert store.relations_at(["c1"], cut) == related(graphs[cut], "c1")
    assert list(store.journal()) == store.changes(cut) == revisions[cut:]
    assert all(row.until > cut for row in store.past(cut + 1, 5))
    assert store.revision_at(minutes(cut - 1)) == cut
    assert verified(store).problems == ()


def test_what_was_before_the_base_is_gone_and_the_oldest_is_named(store: GraphStore) -> None:
    committed(store)
    store.trim(3)

    questions = (
        lambda: store.get_at(["c1"], 2),
        lambda: store.relations_at(["c1"], 2),
        lambda: store.topology_at(0),
        lambda: store.changes(2),
        lambda: store.past(3, 4),
        lambda: store.revision_at(minutes(1)),
    )

    for question in questions:
        with pytest.raises(Gone, match="3") as refusal:
            question()
        assert refusal.value.oldest == 3


def test_trimming_again_goes_on_from_the_base_and_never_back(store: GraphStore) -> None:
    committed(store)
    store.trim(2)

    later, same, earlier = store.trim(4), store.trim(4), store.trim(1)

    assert later == same == earlier
    assert (later.revision, verified(store).problems) == (4, ())


def test_the_chain_goes_on_after_all_of_it_was_trimmed(store: GraphStore) -> None:
    graphs = committed(store)
    hashed = store.position().hash
    store.trim(5)

    revision = commit(store, *added(server("c9")), at=T0)

    assert revision is not None
    assert (revision.n, revision.prev_hash, revision.at) == (6, hashed, minutes(4) + timedelta(microseconds=1))
    assert store.position() == Position(6, revision.at, revision.hash, 0)
    assert store.topology_at(5) == graphs[5]
    assert (store.changes(5), verified(store).problems) == ([revision], ())


def test_a_store_opened_again_keeps_its_base(store_url: str) -> None:
    store = open_store(store_url)
    committed(store)
    base = store.trim(5)
    store.close()

    again = open_store(store_url)

    assert (again.base(), again.position().revision) == (base, 5)
    again.close()


# Any history

_names = st.sampled_from(["c1", "c2", "c3"])
_steps = st.lists(
    st.tuples(
        st.dictionaries(_names, st.integers(0, 3), max_size=3),
        st.dictionaries(st.sampled_from(["r1", "r2"]), st.none() | st.tuples(_names, _names), max_size=2),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps, st.integers(0, 6))
def test_any_history_reads_as_it_was_before_and_after_trimming(
    store: GraphStore, steps: list[tuple[dict[str, int], dict[str, tuple[str, str] | None]]], cut: int
) -> None:
    # Examples follow each other in one store, each from where the last one ended.
    graphs = {store.position().revision: store.topology()}
    for cis, relations in steps:
        graph = graphs[max(graphs)]
        commit(store, *_changes(graph, cis, relations))
        now = store.topology()
        graphs[now.revision] = now

    assert {n: store.topology_at(n) for n in graphs} == graphs
    assert verified(store).problems == ()
    base = store.trim(min(min(graphs) + cut, max(graphs)))
    kept = {n: graph for n, graph in graphs.items() if n >= base.revision}
    assert {n: store.topology_at(n) for n in kept} == kept
    for ci in ("c1", "c2", "c3"):
        assert {n: store.relations_at([ci], n) for n in kept} == {n: related(graph, ci) for n, graph in kept.items()}
    assert verified(store).problems == ()


def _changes(graph: Graph, cis: Mapping[str, int], relations: Mapping[str, tuple[str, str] | None]) -> list[Change]:
    wanted: dict[str, CI | Relation | None] = {id_: server(id_, n=n) for id_, n in cis.items()}
    there = graph.cis.keys() | cis.keys()
    for id_, ends in relations.items():
        if ends is None:
            wanted[id_] = None
        elif there.issuperset(ends):
            wanted[id_] = cable(id_, *ends)
    before: Mapping[str, CI | Relation] = {**graph.cis, **graph.relations}
    return [Change(id_, before.get(id_), image) for id_, image in wanted.items() if before.get(id_) != image]


# What verify sees


def corrupt(store_url: str, statement: str, cypher: str) -> None:
    """Change a store behind the program's back."""
    if store_url.startswith("sqlite"):
        connection = sqlite3.connect(store_url.removeprefix("sqlite:///"))
        with connection:
            connection.executescript(statement)
        connection.close()
    else:
        with neo4j_driver(store_url) as driver, driver.session() as session:
            for line in filter(None, map(str.strip, cypher.split(";"))):
                session.run(neo4j.Query(line)).consume()


@pytest.mark.parametrize(
    ("statement", "cypher", "problems"),
    [
        pytest.param(
            "DELETE FROM past WHERE id = 'c1' AND until = 4",
            "MATCH (p:Past {id: 'c1', until: 4}) DELETE p",
            ("revision 4: how c1 was before is not kept as the journal tells it",),
            id="an interval is missing",
        ),
        pytest.param(
            "UPDATE past SET since = 1 WHERE id = 'c1' AND until = 4",
            "MATCH (p:Past {id: 'c1', until: 4}) SET p.since = 1",
            ("revision 4: how c1 was before is not kept as the journal tells it",),
            id="an interval begins too early",
        ),
        pytest.param(
            "UPDATE past SET id = 'c2', doc = (SELECT doc FROM past WHERE id = 'r1' LIMIT 1) WHERE id = 'c3'",
            "MATCH (p:Past {id: 'c3'}), (q:Past {id: 'r1', until: 3}) SET p.id = 'c2', p.doc = q.doc",
            (
                "revision 5: how c3 was before is not kept as the journal tells it",
                "revision 5: r1 is kept as it was before, but did not change",
            ),
            id="an interval of something else",
        ),
        pytest.param(
            "DELETE FROM journal WHERE n = 3",
            "MATCH (r:Revision {n: 3}) DELETE r",
            (
                "revision 3 is missing: revision 4 follows",
                "revision 4 does not follow the one before it: the chain is broken there",
                "revision 4: r1 was not before as it says",
                "revision 4: how r1 was before is not kept as the journal tells it",
            ),
            id="a journal entry is missing",
        ),
        pytest.param(
            "UPDATE journal SET actor = 'nobody' WHERE n = 2",
            "MATCH (r:Revision {n: 2}) SET r.actor = 'nobody'",
            ("revision 2 was changed after it was written: its hash does not fit",),
            id="a journal entry is changed",
        ),
        pytest.param(
            "DELETE FROM image WHERE ci = 'c2'",
            "MATCH (n:CI {id: 'c2'}) REMOVE n._image",
            ("c2 is not stored as the journal tells it",),
            id="a CI is missing",
        ),
    ],
)
def test_verify_says_what_is_not_as_it_was_written(
    store_url: str, statement: str, cypher: str, problems: tuple[str, ...]
) -> None:
    store = open_store(store_url)
    committed(store)
    assert verified(store).problems == ()

    corrupt(store_url, statement, cypher)

    assert verified(store).problems == problems
    store.close()


def test_verify_sees_a_ci_that_changed_neither_before_nor_after_trimming_but_is_not_as_it_was(store_url: str) -> None:
    store = open_store(store_url)
    committed(store)
    store.trim(4)

    corrupt(
        store_url,
        """UPDATE image SET doc = replace(doc, '"n":1', '"n":7') WHERE ci = 'c2'""",
        """MATCH (n:CI {id: 'c2'}) SET n._image = replace(n._image, '"n":1', '"n":7')""",
    )

    assert verified(store).problems == (
        "what was known at revision 4, the oldest that is kept, is not what was trimmed to",
    )
    store.close()


# A store of the schema before


def test_a_store_of_schema_1_gets_its_past_from_its_journal(store_url: str) -> None:
    first = open_store(store_url)
    graphs = committed(first)
    commit(first, *added(cable("r2", "c1", "c2", from_port="z")))
    graphs.append(first.topology())
    past = first.past(1, 9)
    first.close()
    corrupt(
        store_url,
        """
        DROP TABLE past; DROP TABLE base; DROP INDEX journal_at; DROP INDEX record_at;
        ALTER TABLE relation DROP COLUMN revision;
        DROP TABLE ci_code; DROP TABLE relation_code; DROP TABLE word; DELETE FROM meta WHERE name = 'coding';
        UPDATE meta SET value = 1 WHERE name = 'schema'
        """,
        """
        MATCH (p:Past) SET p.id = 'left by a migration that died', p.until = 99;
        MATCH ()-[r:CONNECTS_TO]->() REMOVE r.revision;
        MATCH (m:Meta) SET m.schema = 1 REMOVE m.base
        """,
    )

    store = open_store(store_url)

    assert [store.topology_at(n) for n in range(7)] == graphs
    assert (store.past(1, 9), store.past(10, 99), store.base()) == (past, [], GENESIS)
    assert verified(store).problems == ()
    commit(store, Change("r2", graphs[-1].relations["r2"], None))
    assert store.past(7, 7) == [Past(6, 7, graphs[-1].relations["r2"])]
    store.close()
    open_store(store_url).close()


# Records by their time


def test_records_up_to_a_time_are_found_and_those_without_are_not(store: GraphStore) -> None:
    early, late = Record("section", "s1", b"1", frozenset({"a"}), T0), Record("section", "s2", b"2", at=minutes(1))
    never, head = Record("section", "s3", b"3", frozenset({"a"})), Record("head", "h1", b"4", at=T0)
    put(store, early, late, never, head)

    with store.write() as transaction:
        inside = [
            transaction.records("section", before=minutes(1)),
            transaction.records("section", ["a"], before=minutes(9)),
        ]

    assert inside == [[early, late], [early]]
    assert [
        store.records("section", before=T0),
        store.records("section", before=T0 - timedelta(microseconds=1)),
        store.records("head", before=minutes(5)),
        store.records("section", keys=["a"], before=T0),
    ] == [[early], [], [head], [early]]


def test_the_base_of_a_new_store_is_the_start(store: GraphStore) -> None:
    commit(store, *added(ONE))

    assert store.base() == Base(0, None, "0" * 64, "0" * 64)
    assert store.topology_at(0) == Graph(0, {}, {})
    assert store.trim(0) == GENESIS


def test_a_transaction_that_keeps_nothing_closes_no_interval(store: GraphStore) -> None:
    commit(store, *added(ONE))

    def fail_half_way() -> None:
        with store.write() as transaction:
            transaction.apply(batch(Change("c1", ONE, server("c1", n=2))))
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()

    assert store.past(1, 9) == []
