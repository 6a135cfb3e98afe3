"""Points in history, what lies between two of them, and the graphs of other times that are kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb import history
from cmdb.graph_cache import GraphCache, changed
from cmdb.history import Cause, Edit, Kind
from cmdb.layered import Layered
from cmdb.model import CI, Change, Component, Graph, Identifier, ModelError, Relation, State
from cmdb.store.base import Batch, Gone, GraphStore, StoreError
from cmdb.store.sqlite import SqliteStore
from cmdb.what import NotFound

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEB = CI(
    "c1",
    "server",
    "default",
    "web",
    "D010210-001",
    attributes={"vendor": "Acme", "boot_time": T0},
    identifiers=frozenset({Identifier("serial", "S1")}),
    components=(Component("disk", "sda", {"size": 5}), Component("disk", "sdb")),
    gaps={"connects_to": "never logged in"},
)
NEW = replace(
    WEB,
    name="web1",
    label=None,
    state=State.MISSING,
    attributes={"vendor": "Acme", "tags": ("a", "b")},
    identifiers=frozenset({Identifier("serial", "S2")}),
    components=(Component("disk", "sda", {"size": 6}), Component("disk", "sdc")),
    gaps={},
    missing_since=T0,
)
DB, OLD = CI("c2", "server", "default", "db"), CI("c3", "printer", "default", "old")
CABLE = Relation("r1", "connects_to", "c1", "c2", {"from_port": "eth0"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GraphStore]:
    """One store is enough: what the stores answer is compared in their contract tests."""
    opened = SqliteStore(tmp_path / "store.db")
    yield opened
    opened.close()


def commit(store: GraphStore, cause: Cause, *images: CI | Relation | str) -> None:
    """One revision that stores images and removes what is given by id, a minute after the last one."""
    now = store.topology()
    before: Mapping[str, CI | Relation] = {**now.cis, **now.relations}
    changes = [
        Change(image, before[image], None) if isinstance(image, str) else Change(image.id, before.get(image.id), image)
        for image in images
    ]
    with store.write() as transaction:
        at = T0 + timedelta(minutes=now.revision)
        transaction.apply(Batch(tuple(changes), {}, cause.actor, cause.reason, at, cause.run))


SCAN, HAND = Cause("discovery", "run 1", "10.0.0.1 answered"), Cause("ann", None, "mended")


# Points


@pytest.mark.parametrize(
    ("text", "revision"),
    [
        ("0", 0),
        (" 2 ", 2),
        ("now", 3),
        ("2026-03-01T12:01:00Z", 2),
        ("2026-03-01T12:01:59.999999", 2),
        ("2026-03-01 14:00+02:00", 1),
        ("2026-03-02", 3),
        ("9999-12-31T23:59:59Z", 3),
    ],
)
def test_a_point_is_a_revision_or_a_time_in_utc(store: GraphStore, text: str, revision: int) -> None:
    for image in (WEB, DB, CABLE):
        commit(store, SCAN, image)

    assert history.point(store, text) == revision


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4", "revision 4 is not there yet: the newest is 3"),
        ("9" * 40, "is not there yet: the newest is 3"),
        ("2026-03-01T11:59Z", "nothing was known at 2026-03-01T11:59:00.000000Z: history begins later"),
        ("yesterday", "'yesterday' is no point in time: give a revision"),
        ("0001-01-01T00:00+14:00", "is no point in time"),
        ("-1", "'-1' is no point in time"),
        ("٣", "is no point in time"),  # a digit, but none that anybody would type here
        ("", "'' is no point in time"),
    ],
)
def test_what_is_no_point_is_refused_in_words(store: GraphStore, text: str, message: str) -> None:
    for image in (WEB, DB, CABLE):
        commit(store, SCAN, image)

    with pytest.raises(ModelError, match=message):
        history.point(store, text)


@pytest.mark.parametrize("text", ["1", "2026-03-01T12:00:30Z"])
def test_a_point_before_what_is_kept_is_gone_and_names_the_oldest(store: GraphStore, text: str) -> None:
    for image in (WEB, DB, CABLE):
        commit(store, SCAN, image)
    store.trim(2)

    with pytest.raises(Gone) as refusal:
        history.point(store, text)

    assert refusal.value.oldest == 2


# Differences


def test_a_difference_tells_each_thing_that_differs_and_who_made_it_so(store: GraphStore) -> None:
    commit(store, SCAN, WEB, DB, OLD)
    commit(store, SCAN, NEW, CABLE)
    commit(store, HAND, replace(OLD, state=State.RETIRED), replace(CABLE, columns={"from_port": "eth1", "speed": 10}))

    found = history.difference_between(store, 1, 3)

    web, old = found.cis
    assert (web.id, web.kind, web.before, web.after, web.revisions) == ("c1", Kind.CHANGED, WEB, NEW, (2,))
    assert web.edits == (
        Edit("attribute", "boot_time", {"$time": "2026-03-01T12:00:00.000000Z"}, None),
        Edit("attribute", "tags", None, ["a", "b"]),
        Edit("component", "disk sda", {"size": 5}, {"size": 6}),
        Edit("component", "disk sdb", {}, None),
        Edit("component", "disk sdc", None, {}),
        Edit("field", "label", "D010210-001", None),
        Edit("field", "missing_since", None, "2026-03-01T12:00:00.000000Z"),
        Edit("field", "name", "web", "web1"),
        Edit("field", "state", "present", "missing"),
        Edit("gap", "connects_to", "never logged in", None),
        Edit("identifier", "serial S1", True, None),
        Edit("identifier", "serial S2", None, True),
    )
    assert (old.kind, old.edits) == (Kind.RETIRED, (Edit("field", "state", "present", "retired"),))
    [cable] = found.relations
    assert (cable.kind, cable.edits, cable.revisions) == (Kind.ADDED, (), (2, 3))
    assert found.names == {"c1": "web1", "c2": "db", "c3": "old"}
    assert found.revisions == {2: (T0 + timedelta(minutes=1), SCAN), 3: (T0 + timedelta(minutes=2), HAND)}
    assert found.by_kind() == {Kind.ADDED: (cable,), Kind.CHANGED: (web,), Kind.RETIRED: (old,)}
    assert found.by_ci() == {"c1": (web, cable), "c2": (cable,), "c3": (old,)}
    assert found.by_cause() == {SCAN: (web, cable), HAND: (old, cable)}


def test_what_was_changed_and_changed_back_is_no_difference(store: GraphStore) -> None:
    commit(store, SCAN, WEB, DB)
    commit(store, SCAN, NEW, CABLE)
    commit(store, HAND, WEB, "r1")

    found = history.difference_between(store, 1, 3)

    assert (found.cis, found.relations, found.revisions, found.names) == ((), (), {}, {})


def test_a_difference_told_backwards_undoes_it(store: GraphStore) -> None:
    commit(store, SCAN, WEB, DB, CABLE)
    commit(store, SCAN, replace(WEB, state=State.RETIRED), "r1")

    forth, back = history.difference_between(store, 1, 2), history.difference_between(store, 2, 1)

    assert [(row.id, row.kind) for row in (*forth.cis, *forth.relations)] == [("c1", "retired"), ("r1", "removed")]
    assert [(row.id, row.kind) for row in (*back.cis, *back.relations)] == [("c1", "returned"), ("r1", "added")]
    assert [row.edits for row in back.cis] == [(Edit("field", "state", "retired", "present"),)]


def test_a_difference_from_what_is_not_kept_or_not_there_yet_is_refused(store: GraphStore) -> None:
    for image in (WEB, DB, CABLE):
        commit(store, SCAN, image)
    store.trim(2)

    with pytest.raises(Gone):
        history.difference_between(store, 1, 3)
    with pytest.raises(Gone):
        history.difference_between(store, 1, 1)
    with pytest.raises(ModelError, match="revision 4 is not there yet"):
        history.difference_between(store, 4, 3)


# Retention


def test_history_is_trimmed_by_age_or_to_a_revision(store: GraphStore) -> None:
    for image in (WEB, DB, CABLE):
        commit(store, SCAN, image)
    now = T0 + timedelta(minutes=10)

    oldest = [
        history.trimmed(store, before, now)
        for before in (timedelta(days=400), timedelta(minutes=9), timedelta(days=400), 3, 1, timedelta.max)
    ]

    assert oldest == [0, 2, 2, 3, 3, 3]


def test_a_long_history_is_trimmed_by_steps(store: GraphStore) -> None:
    for n in range(120):
        commit(store, SCAN, replace(WEB, attributes={"n": n}))

    assert history.trimmed(store, 117, T0) == 117
    assert [revision.n for revision in store.journal()] == [118, 119, 120]


def test_history_cannot_be_trimmed_to_what_is_not_there_yet(store: GraphStore) -> None:
    commit(store, SCAN, WEB)

    with pytest.raises(ModelError, match="revision 2 is not there yet"):
        history.trimmed(store, 2, T0)


# What stands around a CI


def test_a_neighbourhood_is_that_of_the_revision_asked_for_the_nearest_first(store: GraphStore) -> None:
    far = Relation("r2", "connects_to", "c2", "c3")
    commit(store, SCAN, WEB, DB, OLD, CABLE)
    commit(store, SCAN, far, NEW)

    assert [
        history.neighbourhood(store, "c1", 2, 10, 1),
        history.neighbourhood(store, "c1", 2, 10, None),
        history.neighbourhood(store, "c1", 1, 10, 2),
        history.neighbourhood(store, "c1", 2, 2, None),
        history.neighbourhood(store, "c2", 0, 10, None),
    ] == [
        Graph(1, {"c1": WEB, "c2": DB}, {"r1": CABLE}),
        Graph(2, {"c1": NEW, "c2": DB, "c3": OLD}, {"r1": CABLE, "r2": far}),
        Graph(2, {"c1": NEW, "c2": DB}, {"r1": CABLE}),
        Graph(2, {"c1": NEW, "c2": DB}, {"r1": CABLE}),
        Graph(2, {"c2": DB}, {}),
    ]


def test_a_ci_that_was_not_there_then_has_no_neighbourhood(store: GraphStore) -> None:
    commit(store, SCAN, WEB)
    commit(store, SCAN, DB)

    with pytest.raises(NotFound, match="there was no CI 'c2' at revision 1"):
        history.neighbourhood(store, "c2", 1, 10, 1)


# Graphs in memory


def test_the_graphs_in_memory_are_those_of_the_store(store: GraphStore) -> None:
    cache = GraphCache(store)
    for images in ((WEB, DB), (CABLE, OLD), (NEW, "r1"), ("c3", replace(DB, name="x"))):
        commit(store, SCAN, *images)
        assert cache.graph() == store.topology()

    assert [cache.at(n) for n in (2, 0, 3, 1, 4)] == [store.topology_at(n) for n in (2, 0, 3, 1, 4)]
    assert cache.at(3) is cache.at(3)
    with pytest.raises(StoreError, match="revision 5 is not there yet"):
        cache.at(5)


def test_a_graph_far_back_is_loaded_and_shares_what_did_not_change(store: GraphStore) -> None:
    cache = GraphCache(store)
    commit(store, SCAN, WEB, DB)
    for n in range(205):
        commit(store, SCAN, replace(WEB, attributes={"n": n}))

    then, now = cache.at(1), cache.graph()

    assert then == Graph(1, {"c1": WEB, "c2": DB}, {})
    assert then.cis["c2"] is now.cis["c2"]


def test_the_graph_of_now_outlives_a_trim_behind_it_and_that_of_then_does_not(store: GraphStore) -> None:
    cache = GraphCache(store)
    commit(store, SCAN, WEB)
    commit(store, SCAN, DB)
    cache.at(1)
    commit(store, SCAN, NEW)
    store.trim(3)
    commit(store, SCAN, CABLE)

    assert cache.graph() == store.topology()
    with pytest.raises(Gone):
        cache.at(1)


def test_a_graph_that_was_handed_out_never_changes(store: GraphStore) -> None:
    commit(store, SCAN, WEB, DB)
    cache = GraphCache(store)
    first = cache.graph()

    commit(store, SCAN, NEW, CABLE)
    cache.graph()

    assert first == Graph(1, {"c1": WEB, "c2": DB}, {})


def test_changes_apply_to_a_graph(store: GraphStore) -> None:
    commit(store, SCAN, WEB, DB, CABLE)

    graph = changed(store.topology(), [Change("r1", CABLE, None), Change("c1", WEB, None), Change("c3", None, OLD)], 7)

    assert graph == Graph(7, {"c2": DB, "c3": OLD}, {})


_keys = st.sampled_from("abcdefgh")
_tables = st.dictionaries(_keys, st.integers(0, 3))


@given(_tables, st.lists(st.dictionaries(_keys, st.integers(0, 3) | st.none()), max_size=4), st.integers(0, 400))
def test_a_layered_table_is_the_plain_one(
    table: dict[str, int], steps: list[dict[str, int | None]], extra: int
) -> None:
    plain, layered = dict(table), Layered[int](table)
    for step in steps:
        # Enough to be folded into a new table now and then.
        more: dict[str, int | None] = {f"{next(iter(step), 'x')}{n}": n for n in range(extra)}
        layered = layered.changed(step | more)
        plain = {key: value for key, value in {**plain, **step, **more}.items() if value is not None}

    assert layered == plain
    assert dict(layered.items()) == plain
    assert sorted(layered) == sorted(plain)
    assert sorted(layered.values()) == sorted(plain.values())
    assert (len(layered), [key in layered for key in "abcdefgh"]) == (len(plain), [key in plain for key in "abcdefgh"])
