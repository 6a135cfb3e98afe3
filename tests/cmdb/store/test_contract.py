"""What every store must do: commits, revisions and their chain, records, and reading back what was written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb import codec
from cmdb.model import CI, Change, Component, Graph, Identifier, ModelError, Relation, State, Value
from cmdb.store.base import GraphStore, Handle, Match, Position, Query, Record, StoredCI, StoreError
from cmdb.store.opening import open_store
from cmdb.store.plan import index_key
from tests.cmdb.store.examples import T0, added, batch, cable, commit, handles, minutes, put, server

GENESIS = "0" * 64


def test_an_empty_store_stands_at_revision_0(store: GraphStore) -> None:
    assert store.position() == Position(0, None, GENESIS, 0)
    assert store.topology() == Graph(0, {}, {})
    assert store.changes(0) == []
    assert list(store.journal()) == []


def test_a_commit_is_the_next_revision_and_is_read_back(store: GraphStore) -> None:
    one, two = server("c1", "one"), server("c2", "two")
    link = cable("r1", "c1", "c2", from_port="eth0", to_port="eth1")

    revision = commit(store, *added(one, two, link))

    assert revision is not None
    assert (revision.n, revision.at, revision.prev_hash) == (1, T0, GENESIS)
    assert revision.hash == codec.revision_hash(revision)
    assert store.changes(0) == [revision]
    assert store.position() == Position(1, T0, revision.hash, 0)
    assert store.get(["c2", "c1", "nobody"]) == {"c1": StoredCI(one, 1), "c2": StoredCI(two, 1)}
    assert store.topology() == Graph(1, {"c1": one, "c2": two}, {"r1": link})


def test_a_batch_without_changes_takes_no_revision(store: GraphStore) -> None:
    with store.write() as transaction:
        revision = transaction.apply(batch())

    assert revision is None
    assert store.position() == Position(0, None, GENESIS, 0)


def test_a_batch_without_changes_may_still_give_handles(store: GraphStore) -> None:
    commit(store, *added(server("c1")))

    revision = commit(store, handles={"c1": handles(("former_label", "D010210-009"))})

    assert revision is None
    assert store.handles(["c1"]) == {"c1": handles(("former_label", "D010210-009"))}


def test_revisions_are_gapless_chained_and_later_than_each_other_even_when_the_clock_stands(store: GraphStore) -> None:
    at = [T0, T0, T0 - timedelta(hours=1), minutes(5)]

    revisions = [commit(store, *added(server(f"c{n}")), at=time) for n, time in enumerate(at)]

    chain = [revision for revision in revisions if revision]
    assert [revision.n for revision in chain] == [1, 2, 3, 4]
    assert [revision.at - T0 for revision in chain] == [
        timedelta(0),
        timedelta(microseconds=1),
        timedelta(microseconds=2),
        timedelta(minutes=5),
    ]
    assert [revision.prev_hash for revision in chain] == [GENESIS, *(revision.hash for revision in chain[:-1])]
    assert [codec.revision_hash(revision) for revision in chain] == [revision.hash for revision in chain]
    assert list(store.journal()) == chain
    assert store.changes(1, limit=2) == chain[1:3]
    assert store.changes(4) == []


def test_the_journal_is_read_over_many_pages(store: GraphStore) -> None:
    for n in range(205):
        commit(store, *added(server(f"c{n:03}")))

    assert [revision.n for revision in store.journal()] == list(range(1, 206))


def test_a_store_opened_again_holds_what_was_committed(store_url: str) -> None:
    first = open_store(store_url)
    with first.write() as transaction:
        transaction.reserve("ci", 3)
        revision = transaction.apply(batch(*added(server("c1"))))
    first.close()

    second = open_store(store_url)
    with second.write() as transaction:
        following = transaction.reserve("ci", 1)

    assert revision is not None
    assert (second.position(), following) == (Position(1, T0, revision.hash, 0), 4)
    second.close()


def test_a_closed_store_refuses_work_with_a_store_error(store_url: str) -> None:
    store = open_store(store_url)
    store.close()

    with pytest.raises(StoreError, match="closed"):
        store.position()


# What a transaction sees and keeps


def test_a_transaction_sees_its_own_writes_and_others_do_not_until_it_commits(store: GraphStore) -> None:
    one = server("c1")
    record = Record("section", "s1", b"doc", frozenset({"k"}))

    with store.write() as transaction:
        transaction.put([record])
        revision = transaction.apply(batch(*added(one), handles={"c1": handles(("name", "c1"))}))
        inside = (
            transaction.get(["c1"]),
            transaction.records("section"),
            transaction.handles(["c1"]),
            transaction.position,
        )
        outside = (store.get(["c1"]), store.records("section"), store.position())

    assert revision is not None
    assert inside == (
        {"c1": StoredCI(one, 1)},
        [record],
        {"c1": handles(("name", "c1"))},
        Position(1, T0, revision.hash, 1),
    )
    assert outside == ({}, [], Position(0, None, GENESIS, 0))
    assert store.position() == Position(1, T0, revision.hash, 1)


def test_an_exception_keeps_nothing_of_a_transaction(store: GraphStore) -> None:
    def fail_half_way() -> None:
        with store.write() as transaction:
            transaction.reserve("ci", 10)
            transaction.put([Record("section", "s1", b"doc")])
            transaction.apply(batch(*added(server("c1"))))
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()

    assert (store.position(), store.get(["c1"]), store.records("section")) == (Position(0, None, GENESIS, 0), {}, [])
    with store.write() as transaction:
        assert transaction.reserve("ci", 1) == 1


def test_a_transaction_applies_one_batch_at_most(store: GraphStore) -> None:
    with store.write() as transaction:
        transaction.apply(batch(*added(server("c1"))))
        with pytest.raises(StoreError, match="one batch"):
            transaction.apply(batch(*added(server("c2"))))


def test_a_second_transaction_in_one_thread_is_refused_instead_of_waiting_for_itself(store: GraphStore) -> None:
    with store.write(), pytest.raises(StoreError, match="already"), store.write():
        pass


def test_numbers_of_a_sequence_are_taken_once_and_each_sequence_counts_alone(store: GraphStore) -> None:
    with store.write() as transaction:
        taken = [transaction.reserve("ci", 3), transaction.reserve("relation", 2), transaction.reserve("ci", 1)]
    with store.write() as transaction:
        taken += [transaction.reserve("ci", 0), transaction.reserve("ci", 1)]
        with pytest.raises(StoreError, match="-1"):
            transaction.reserve("ci", -1)

    assert taken == [1, 1, 4, 5, 5]


# Changes


def test_a_change_replaces_the_ci_and_notes_its_revision(store: GraphStore) -> None:
    before, other = server("c1", "old", vendor="a", memory=1), server("c2")
    after = replace(before, name="new", label="D010210-001", state=State.MISSING, attributes={"memory": 2})
    commit(store, *added(before, other))

    commit(store, Change("c1", before, after))

    assert store.get(["c1", "c2"]) == {"c1": StoredCI(after, 2), "c2": StoredCI(other, 1)}


def test_a_ci_may_change_its_class(store: GraphStore) -> None:
    before = CI("c1", "unknown_device", "default", "10.0.0.1")
    after = replace(before, cls="operating_system", name="x")
    commit(store, *added(before))

    commit(store, Change("c1", before, after))

    assert store.topology() == Graph(2, {"c1": after}, {})


def test_a_change_to_nothing_removes_a_relation_and_a_ci(store: GraphStore) -> None:
    one, two, link = server("c1"), server("c2"), cable("r1", "c1", "c2")
    commit(store, *added(one, two, link), handles={"c1": handles(("name", "c1")), "c2": handles(("name", "c2"))})

    commit(store, Change("r1", link, None), Change("c1", one, None))

    assert store.topology() == Graph(2, {"c2": two}, {})
    assert store.handles(["c1", "c2"]) == {"c2": handles(("name", "c2"))}
    assert store.lookup([Handle("name", "c1")]) == []


def test_a_relation_may_change_columns_ends_and_type(store: GraphStore) -> None:
    cis = [server("c1"), server("c2"), server("c3")]
    before = cable("r1", "c1", "c2", from_port="a")
    columns, ends = replace(before, columns={"to_port": "b"}), replace(before, source="c2", target="c3")
    typed = replace(before, type="part_of", columns={})
    commit(store, *added(*cis, before))

    seen = []
    for old, new in ((before, columns), (columns, ends), (ends, typed)):
        commit(store, Change("r1", old, new))
        seen.append(store.topology().relations)

    assert seen == [{"r1": columns}, {"r1": ends}, {"r1": typed}]


def test_two_parallel_cables_are_two_relations(store: GraphStore) -> None:
    links = [cable("r1", "c1", "c2", from_port="1", to_port="1"), cable("r2", "c1", "c2", from_port="2", to_port="2")]

    commit(store, *added(server("c1"), server("c2"), *links))

    assert store.relations(["c2"]) == links


def test_relations_are_found_by_either_end_and_by_type_in_the_order_of_their_ids(store: GraphStore) -> None:
    cis = [server(name) for name in ("c1", "c2", "c3")]
    links = [
        Relation("r3", "connects_to", "c1", "c2"),
        Relation("r2", "runs_on", "c2", "c3", {"active": True}),
        Relation("r1", "connects_to", "c3", "c1"),
    ]
    commit(store, *added(*cis, *links))

    found = [
        store.relations(["c2"]),
        store.relations(["c1", "c2", "c3"]),
        store.relations(["c1", "c2"], types=["connects_to"]),
        store.relations(["c1"], types=["runs_on"]),
        store.relations([]),
        store.relations(["c1"], types=[]),
    ]
    with store.write() as transaction:
        inside = transaction.relations(["c3"])

    r3, r2, r1 = links
    assert found == [[r2, r3], [r1, r2, r3], [r1, r3], [], [], []]
    assert inside == [r1, r2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param([Change("r1", None, cable("r1", "c1", "gone"))], "gone", id="a relation to nowhere"),
        pytest.param([Change("c1", server("c1"), None)], "r0", id="a CI that a relation leads to"),
        pytest.param(
            [Change("c2", server("c2"), None), Change("r1", None, cable("r1", "c1", "c2"))],
            "c2",
            id="a relation to a CI that goes",
        ),
    ],
)
def test_a_batch_that_leaves_a_relation_without_an_end_is_refused(
    store: GraphStore, changes: list[Change], message: str
) -> None:
    commit(store, *added(server("c0"), server("c1"), server("c2"), cable("r0", "c0", "c1")))
    before = store.topology()

    with pytest.raises(StoreError, match=message):
        commit(store, *changes)

    assert store.topology() == before


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([Change("c1", None, None)], id="neither before nor after"),
        pytest.param([Change("c1", None, server("c2"))], id="an image of another id"),
        pytest.param([Change("c1", server("c1"), cable("c1", "a", "b"))], id="a CI that becomes a relation"),
        pytest.param(added(server("c1"), server("c1")), id="one id twice"),
        pytest.param(added(server("")), id="an empty id"),
        pytest.param(added(server("c\0")), id="a NUL in an id"),
        pytest.param(added(replace(server("c1"), cls="Server`) DETACH")), id="a class that is no word"),
        pytest.param(added(server("c1"), replace(cable("r1", "c1", "c1"), type="a b")), id="a type that is no word"),
        pytest.param(
            added(replace(server("c1"), components=(Component("\\u0060", "x"),))), id="a kind that is no word"
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(store: GraphStore, changes: list[Change]) -> None:
    with pytest.raises(ModelError):
        commit(store, *changes)

    assert store.position() == Position(0, None, GENESIS, 0)


def test_a_batch_of_20000_cis_is_one_revision(store: GraphStore) -> None:
    cis = [server(f"c{n:05}", f"host{n % 1000}", vendor="v", memory=n) for n in range(20_000)]
    links = [cable(f"r{n:05}", f"c{n:05}", f"c{n + 1:05}", from_port="eth0") for n in range(19_999)]

    revision = commit(store, *added(*cis, *links), handles={ci.id: handles(("name", ci.name)) for ci in cis})

    assert revision is not None
    graph = store.topology()
    assert (graph.revision, len(graph.cis), len(graph.relations)) == (1, 20_000, 19_999)
    assert (graph.cis["c12345"], graph.relations["r12345"]) == (cis[12_345], links[12_345])
    assert len(store.lookup([Handle("name", "host7")])) == 20


# Values

VALUES: dict[str, Value] = {
    "text": "plain",
    "empty_text": "",
    "long_text": "长" * 70_000,
    "odd_text": "tab\tquote\"'`\\ NUL\0 emoji\U0001f600 e\u0301 \u2028 \x7f",
    "true": True,
    "false": False,
    "zero": 0,
    "one": 1,
    "smallest": -(2**63),
    "largest": 2**63 - 1,
    "float_one": 1.0,
    "negative_zero": -0.0,
    "fraction": 0.1,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "time": datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
    "first_time": datetime.min.replace(tzinfo=UTC),
    "last_time": datetime.max.replace(tzinfo=UTC),
    "no_items": (),
    "texts": ("b", "a", ""),
    "bools": (True, False),
    "numbers": (1, 2**63 - 1),
    "floats": (1.0, -0.0),
    "times": (datetime(2026, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
    # Names that mean something to a store, or to its query language.
    "id": "an attribute",
    "name": "an attribute",
    "class": "an attribute",
    "state": "an attribute",
    "revision": 7,
    "space": "an attribute",
    "label": "an attribute",
    "owner": "an attribute",
    "image": "an attribute",
    "_image": "an attribute",
    "_search": "an attribute",
    "$time": "an attribute",
    "": "an attribute without a name",
    "a b`c'd\"e.f\\g": "an attribute",
    "NUL\0": "an attribute",
    "长": "an attribute",
}


def spelt(value: Value) -> str:
    """A value so that True, 1 and 1.0 differ, and -0.0 from 0.0."""
    return repr(value)


@pytest.mark.parametrize("name", VALUES)
def test_every_value_comes_back_as_it_was(store: GraphStore, name: str) -> None:
    value = VALUES[name]
    ci = replace(server("c1", **{name: value}), components=(Component("disk", "sda", {name: value}),))
    link = cable("r1", "c1", "c2", **{name: value})

    commit(store, *added(ci, server("c2"), link))

    graph = store.topology()
    attributes = [
        graph.cis["c1"].attributes,
        store.get(["c1"])["c1"].ci.attributes,
        graph.cis["c1"].components[0].attributes,
        graph.relations["r1"].columns,
        store.relations(["c1"])[0].columns,
    ]
    assert [{key: spelt(item) for key, item in values.items()} for values in attributes] == [{name: spelt(value)}] * 5
    assert [codec.revision_hash(revision) for revision in store.journal()] == [store.position().hash]


def test_all_of_a_ci_comes_back_as_it_was(store: GraphStore) -> None:
    host = server("c0")
    ci = CI(
        "c1",
        "process",
        "site \N{SNOWMAN}",
        "nginx:443 on web1",
        "D010210-009",
        State.MISSING,
        {"command": "nginx", "port": 443, "user": ""},
        frozenset({Identifier("serial", "S1"), Identifier("mac", "00:11:22:33:44:55")}),
        (
            Component("interface", "eth0", {"mac": "00:11:22:33:44:55", "oper_up": True}),
            Component("interface", "eth1"),
            Component("group", "web", {"needs": 1, "legs": ("c1", "group:db")}),
            Component("future_part", "x`y", {"id": 1}),
        ),
        "c0",
        "nginx:443",
        {"connects_to": "never logged in"},
        datetime(2026, 2, 1, 3, 4, 5, 6, tzinfo=UTC),
    )

    revision = commit(store, *added(host, ci))

    assert store.topology().cis == {"c0": host, "c1": ci}
    assert store.changes(0) == [revision]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(2**63, id="a number above 64 bits"),
        pytest.param(-(2**63) - 1, id="a number below 64 bits"),
        pytest.param(float("nan"), id="not a number"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(None, id="nothing"),
        pytest.param({"a": 1}, id="a map"),
        pytest.param(((1,),), id="a nested list"),
        pytest.param((1, "a"), id="a mixed list"),
        pytest.param((1, True), id="a list of a number and a bool"),
        pytest.param(("a", None), id="a list with nothing in it"),
        pytest.param(b"bytes", id="bytes"),
        pytest.param(datetime(2026, 1, 1), id="a time without zone"),  # noqa: DTZ001 - the point
        pytest.param("half \ud800 a pair", id="half a surrogate pair"),
    ],
)
@pytest.mark.parametrize("where", ["attribute", "component", "column"])
def test_what_is_no_value_is_refused_with_its_place(store: GraphStore, value: Value, where: str) -> None:
    ci, link = server("c1"), cable("r1", "c1", "c1")
    match where:
        case "attribute":
            ci = replace(ci, attributes={"odd": value})
        case "component":
            ci = replace(ci, components=(Component("disk", "sda", {"odd": value}),))
        case _:
            link = replace(link, columns={"odd": value})

    with pytest.raises(ModelError, match=r"odd|Unicode"):
        commit(store, *added(ci, link))

    assert store.position() == Position(0, None, GENESIS, 0)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = [
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(timezones=st.just(UTC)),
]
values = st.one_of(*scalars, *(st.lists(scalar, max_size=3).map(tuple) for scalar in scalars))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(texts, values, max_size=6), min_size=1, max_size=8))
def test_any_values_come_back_and_keep_the_chain(store: GraphStore, rows: list[dict[str, Value]]) -> None:
    before = store.topology().cis
    images = [server(f"c{n}", **row) for n, row in enumerate(rows)]

    commit(store, *(Change(ci.id, before.get(ci.id), ci) for ci in images))

    found = store.get([ci.id for ci in images])
    assert [codec.ci_out(found[ci.id].ci) for ci in images] == [codec.ci_out(ci) for ci in images]
    assert [row.hash for row in store.journal()] == [codec.revision_hash(row) for row in store.journal()]


@given(st.lists(texts | st.integers(), min_size=1, max_size=3))
def test_the_key_of_an_index_is_canonical_json_while_it_is_short(parts: list[str | int]) -> None:
    plain = codec.canonical(parts).decode()

    key = index_key(*parts)

    assert key == plain or (len(plain.encode()) > 200 and key.startswith("sha256:"))


# Handles


def test_a_look_up_finds_every_ci_with_one_of_the_handles_ordered(store: GraphStore) -> None:
    one, two = server("c1"), replace(server("c2"), space="other")
    commit(
        store,
        *added(one, two),
        handles={
            "c1": handles(("mac", "00:11:22:33:44:55"), ("name", "web")),
            "c2": handles(("name", "web"), ("address", "10.0.0.1")),
        },
    )
    name, mac, address = Handle("name", "web"), Handle("mac", "00:11:22:33:44:55"), Handle("address", "10.0.0.1")

    found = [
        store.lookup([name, mac, address, name]),
        store.lookup([name, address], space="other"),
        store.lookup([Handle("name", "WEB"), Handle("label", "web")]),
        store.lookup([]),
    ]

    assert found == [
        [Match(address, "c2"), Match(mac, "c1"), Match(name, "c1"), Match(name, "c2")],
        [Match(address, "c2"), Match(name, "c2")],
        [],
        [],
    ]


def test_handles_of_a_ci_are_replaced_as_a_whole_and_of_others_kept(store: GraphStore) -> None:
    one, two = server("c1"), server("c2")
    commit(store, *added(one, two), handles={"c1": handles(("name", "a"), ("mac", "m")), "c2": handles(("name", "a"))})

    commit(store, Change("c1", one, replace(one, name="b")), handles={"c1": handles(("name", "b"))})

    assert store.handles(["c1", "c2", "c3"]) == {"c1": handles(("name", "b")), "c2": handles(("name", "a"))}


def test_odd_and_long_handles_are_found(store: GraphStore) -> None:
    odd = [
        ("name", text) for text in ("", "'; --", 'a"b', "a%_b", "x" * 40_000, "\N{SNOWMAN}\U0001f600", "NUL\0", "a\\")
    ]
    commit(store, *added(server("c1")), handles={"c1": handles(*odd)})

    found = store.lookup([Handle(*pair) for pair in odd])

    assert found == [Match(Handle(*pair), "c1") for pair in sorted(odd)]


def test_handles_of_a_ci_that_is_not_there_are_refused(store: GraphStore) -> None:
    with pytest.raises(StoreError, match="nobody"):
        commit(store, handles={"nobody": handles(("name", "x"))})


# Records


def test_records_are_found_by_kind_key_and_ci_ordered_by_id(store: GraphStore) -> None:
    commit(store, *added(server("c1"), server("c2")))
    s2 = Record("section", "s2", b"\0\xff", frozenset({"a", "b"}), minutes(1), frozenset({"c1"}))
    s1 = Record("section", "s1", b"", frozenset({"b", "c"}), None, frozenset({"c1", "c2"}))
    s3 = Record("section", "s3", b"x")
    head = Record("head", "s1", b"other", frozenset({"a"}), T0, frozenset({"c2"}))

    put(store, s2, s1, s3, head)

    with store.write() as transaction:
        inside = [transaction.records("section", ["a", "c"]), transaction.records("head")]
    assert [
        store.records("section"),
        store.records("section", keys=["a"]),
        store.records("section", keys=["c", "b", "none"]),
        store.records("section", keys=[]),
        store.records("section", cis=["c1"]),
        store.records("section", keys=["a"], cis=["c2"]),
        store.records("head", keys=["a"]),
        store.records("head", cis=["c1", "c2"]),
        store.records("nothing"),
    ] == [[s1, s2, s3], [s2], [s1, s2], [], [s1, s2], [], [head], [head], []]
    assert inside == [[s1, s2], [head]]


def test_a_record_stored_again_replaces_the_old_one_and_what_it_was_found_by(store: GraphStore) -> None:
    commit(store, *added(server("c1"), server("c2")))
    put(store, Record("section", "s1", b"old", frozenset({"a", "b"}), T0, frozenset({"c1"})))
    new = Record("section", "s1", b"new", frozenset({"b", "c"}), None, frozenset({"c2"}))

    put(store, new)

    assert [
        store.records("section", keys=["a"]),
        store.records("section", keys=["b"]),
        store.records("section", keys=["c"]),
        store.records("section", cis=["c1"]),
        store.records("section", cis=["c2"]),
    ] == [[], [new], [new], [], [new]]


def test_a_dropped_record_is_gone_and_others_stay(store: GraphStore) -> None:
    s1, s2 = Record("section", "s1", b"1", frozenset({"a"})), Record("section", "s2", b"2", frozenset({"a"}))
    head = Record("head", "s1", b"3", frozenset({"a"}))
    put(store, s1, s2, head)

    with store.write() as transaction:
        transaction.drop("section", ["s1", "never there"])

    assert (store.records("section", keys=["a"]), store.records("head", keys=["a"])) == ([s2], [head])


def test_a_record_may_speak_of_a_ci_that_the_same_transaction_makes_later(store: GraphStore) -> None:
    record = Record("section", "s1", b"doc", cis=frozenset({"c1", "c9"}))

    with store.write() as transaction:
        transaction.put([record])
        transaction.apply(batch(*added(server("c1"))))

    assert (store.records("section", cis=["c1"]), store.records("section", cis=["c9"])) == ([record], [])


def test_a_record_of_a_ci_that_goes_is_kept(store: GraphStore) -> None:
    record = Record("section", "s1", b"doc", cis=frozenset({"c1"}))
    commit(store, *added(server("c1")))
    put(store, record)

    commit(store, Change("c1", server("c1"), None))

    assert (store.records("section"), store.records("section", cis=["c1"])) == ([record], [])


def test_odd_keys_of_records_are_found(store: GraphStore) -> None:
    keys = ["", "a b", "'\"`", "x" * 40_000, "x" * 40_001, "\U0001f600", "A", "a", "NUL\0"]
    records = [Record("section", f"s{n}", b"", frozenset({key})) for n, key in enumerate(keys)]

    put(store, *records)

    assert [store.records("section", keys=[key]) for key in keys] == [[record] for record in records]


def test_a_large_document_and_many_records_come_back(store: GraphStore) -> None:
    large = Record("section", "large", bytes(range(256)) * 8192)
    many = [Record("section", f"s{n:05}", b"x", frozenset({f"k{n}"})) for n in range(5_000)]

    put(store, large, *many)

    assert store.records("section") == [large, *many]


def test_evidence_counts_each_transaction_that_writes_records(store: GraphStore) -> None:
    counts = []

    with store.write() as transaction:
        transaction.put([Record("section", "s1", b"")])
        transaction.put([Record("section", "s2", b"")])
        transaction.drop("section", ["s1"])
    counts.append(store.position().evidence)
    with store.write() as transaction:
        transaction.drop("section", ["s2"])
    counts.append(store.position().evidence)
    with store.write() as transaction:
        transaction.put([])
        transaction.drop("section", [])
        transaction.apply(batch(*added(server("c1"))))
    counts.append(store.position().evidence)

    assert counts == [1, 2, 2]


def test_a_record_stored_twice_in_one_call_is_refused(store: GraphStore) -> None:
    with pytest.raises(ModelError, match="s1"):
        put(store, Record("section", "s1", b"1"), Record("section", "s1", b"2"))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Record("section", "half \ud800", b""), id="in its id"),
        pytest.param(Record("section", "s1", b"", frozenset({"half \ud800"})), id="in a key"),
        pytest.param(Record("section", "s1", b"", cis=frozenset({"half \ud800"})), id="in a CI"),
    ],
)
def test_half_a_surrogate_pair_in_a_record_is_refused(store: GraphStore, record: Record) -> None:
    with pytest.raises(ModelError, match="Unicode"):
        put(store, record)


def test_half_a_surrogate_pair_in_a_question_is_a_store_error(store: GraphStore) -> None:
    for question in (
        lambda: store.lookup([Handle("name", "half \ud800")]),
        lambda: store.records("section", keys=["half \ud800"]),
        lambda: store.find(Query(text="half \ud800")),
        lambda: store.find(Query(attributes=(("vendor", "half \ud800"),))),
    ):
        with pytest.raises(StoreError, match="Unicode"):
            question()
