"""Lists of CIs: filters, text, sorting and paging, the same on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cmdb.model import CI, Change, Relation, State, Value
from cmdb.store.base import GraphStore, Query, Record, StoreError
from tests.cmdb.store.examples import T0, added, commit, handles, minutes, put, server

ROOM = CI("p1", "room", "default", "room 10", "D010210")
RACK = CI("p2", "rack", "default", "rack 1")
WEB = CI("c1", "server", "default", "web1", "D010210-001", attributes={"vendor": "Dell", "cpus": 8})
DB = CI("c2", "server", "site b", "db1", "D010210-002", State.MISSING, {"vendor": "HP", "cpus": 8})
SWITCH = CI("c3", "network_switch", "default", "core", "D020101-001", State.RETIRED, {"tags": ("red", "green")})


@pytest.fixture
def estate(store: GraphStore) -> GraphStore:
    """Three devices, a rack in a room, and confirmations of two of them."""
    places = [
        Relation("r1", "located_in", "p2", "p1"),
        Relation("r2", "located_in", "c1", "p2"),
        Relation("r3", "located_in", "c2", "p1"),
        Relation("r4", "owned_by", "c3", "p1"),
    ]
    commit(
        store,
        *added(ROOM, RACK, WEB, DB, SWITCH, *places),
        handles={
            "c1": handles(("mac", "00:11:22:33:44:55"), ("name", "web1")),
            "c2": handles(("serial", "ABC123")),
        },
    )
    put(
        store,
        Record("confirmation", "f1", b"", at=minutes(10), cis=frozenset({"c1"})),
        Record("confirmation", "f2", b"", at=minutes(30), cis=frozenset({"c1", "c2"})),
        Record("confirmation", "f3", b"", cis=frozenset({"c3"})),
        Record("section", "f4", b"", at=minutes(99), cis=frozenset({"c1", "c3"})),
    )
    return store


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(Query(), ["c3", "c2", "p2", "p1", "c1"], id="no filter"),
        pytest.param(Query(classes=frozenset({"server", "rack"})), ["c2", "p2", "c1"], id="classes"),
        pytest.param(Query(classes=frozenset()), [], id="no class at all"),
        pytest.param(Query(states=frozenset({"missing", "retired"})), ["c3", "c2"], id="states"),
        pytest.param(Query(space="site b"), ["c2"], id="space"),
        pytest.param(Query(label_prefix="D0102"), ["c2", "p1", "c1"], id="label prefix"),
        pytest.param(Query(label_prefix="d0102"), [], id="label prefix of another case"),
        pytest.param(Query(label_prefix="D0_02"), [], id="label prefix with a wild card of SQL"),
        pytest.param(Query(attributes=(("vendor", "Dell"),)), ["c1"], id="attribute"),
        pytest.param(Query(attributes=(("vendor", "dell"),)), [], id="attribute of another case"),
        pytest.param(Query(attributes=(("cpus", 8),)), ["c2", "c1"], id="attribute, a number"),
        pytest.param(Query(attributes=(("cpus", "8"),)), [], id="attribute of another type"),
        pytest.param(Query(attributes=(("cpus", 8), ("vendor", "HP"))), ["c2"], id="two attributes"),
        pytest.param(Query(attributes=(("tags", ("red", "green")),)), ["c3"], id="attribute, a list"),
        pytest.param(Query(attributes=(("tags", ("green", "red")),)), [], id="attribute, a list in another order"),
        pytest.param(Query(attributes=(("nothing", 1),)), [], id="attribute that nobody has"),
        pytest.param(Query(places=frozenset({"p1"})), ["c2", "p2", "p1"], id="place, itself included"),
        pytest.param(Query(places=frozenset({"p1", "p2"})), ["c2", "p2", "p1", "c1"], id="places"),
        pytest.param(Query(confirmed_before=minutes(30)), [], id="confirmed before the newest"),
        pytest.param(Query(confirmed_before=minutes(31)), ["c2", "c1"], id="confirmed before later"),
        pytest.param(Query(confirmed_after=minutes(30)), ["c2", "c1"], id="confirmed at or after"),
        pytest.param(Query(confirmed_after=minutes(31)), [], id="confirmed after"),
        pytest.param(Query(text="WEB"), ["c1"], id="text in the name"),
        pytest.param(Query(text="d010210"), ["c2", "p1", "c1"], id="text in the label"),
        pytest.param(Query(text="33:44"), ["c1"], id="text in a handle"),
        pytest.param(Query(text="abc"), ["c2"], id="text in a handle of another case"),
        pytest.param(Query(text="DELL"), ["c1"], id="text in an attribute"),
        pytest.param(Query(text="een"), ["c3"], id="text in a list"),
        pytest.param(Query(text="  001 web\n"), ["c1"], id="every word anywhere"),
        pytest.param(Query(text="web hp"), [], id="a word that is missing"),
        pytest.param(Query(text=""), ["c3", "c2", "p2", "p1", "c1"], id="no word"),
        pytest.param(Query(classes=frozenset({"server"}), text="d01", states=frozenset({"present"})), ["c1"], id="all"),
    ],
)
def test_a_list_holds_what_fits_all_filters(estate: GraphStore, query: Query, expected: list[str]) -> None:
    found = [row.ci.id for row in estate.find(query)]

    assert (found, estate.count(query)) == (expected, len(expected))


def test_a_list_gives_whole_cis_with_their_revision(estate: GraphStore) -> None:
    after = replace(WEB, name="web2")
    commit(estate, Change("c1", WEB, after), at=minutes(1))

    found = estate.find(Query(classes=frozenset({"server"})))

    assert found == [(DB, 1), (after, 2)]


VALUES: list[Value] = [
    True, False, 1, 0, 1.0, 0.0, "1", "true", "", (), ("1",), (1,), (True,), ("a", "b"), ("a,b",), "a,b", '"', "\\",
    "%", "_", "x" * 50_000, "x" * 50_001, datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z", "\0", "Ä",
    "A\u0308", 2**63 - 1, 2.0**63,
]  # fmt: skip


def test_attributes_are_equal_in_type_and_content(store: GraphStore) -> None:
    commit(store, *added(*(server(f"c{n:02}", a=value) for n, value in enumerate(VALUES))))

    found = [[row.ci.id for row in store.find(Query(attributes=(("a", value),)))] for value in VALUES]

    assert found == [[f"c{n:02}"] for n in range(len(VALUES))]


def test_zero_is_found_whatever_its_sign(store: GraphStore) -> None:
    commit(store, *added(server("c1", a=-0.0), server("c2", a=0.0)))

    assert [row.ci.id for row in store.find(Query(attributes=(("a", -0.0),)))] == ["c1", "c2"]


def test_an_attribute_is_found_by_its_new_value_only(store: GraphStore) -> None:
    before, after = server("c1", a=1, b=2), server("c1", a=2, c=3)
    commit(store, *added(before))

    commit(store, Change("c1", before, after))

    wanted: list[tuple[str, Value]] = [("a", 1), ("b", 2), ("a", 2), ("c", 3)]
    assert [store.count(Query(attributes=(one,))) for one in wanted] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        pytest.param("50% off", "0%", True, id="a per cent sign"),
        pytest.param("50 off", "5%", False, id="a per cent sign is no wild card"),
        pytest.param("a_b", "a_b", True, id="an underscore"),
        pytest.param("axb", "a_b", False, id="an underscore is no wild card"),
        pytest.param('it\'s "so"', "'s \"S", True, id="quotes"),
        pytest.param("a\\b", "\\B", True, id="a backslash"),
        pytest.param("Übung STRASSE", "übung strasse", True, id="umlauts and capital letters"),
        pytest.param("Straße", "STRASSE", True, id="a letter whose capital is two"),
        pytest.param("ΣΊΣΥΦΟΣ", "σίσυφος", True, id="Greek with its last sigma"),
        pytest.param("核心交换机-上海", "交换机", True, id="Chinese"),
        pytest.param("ＡＢＣ１２３", "abc123", True, id="full width"),
        pytest.param("e\u0301cole", "\u00e9cole", True, id="an accent composed or not"),
        pytest.param("rack \U0001f5c4", "\U0001f5c4", True, id="beyond the basic plane"),
        pytest.param("one", "on.", False, id="no regular expression"),
        pytest.param("*", "*", True, id="a star"),
        pytest.param("x" * 100_000 + "needle", "NEEDLE", True, id="far inside a long text"),
        pytest.param("NUL\0inside", "inside", True, id="behind a NUL"),
    ],
)
def test_text_is_found_regardless_of_case_and_without_wild_cards(
    store: GraphStore, name: str, text: str, *, fits: bool
) -> None:
    commit(store, *added(server("c1", name), server("c2", a=name), server("c3", "other")))

    found = [row.ci.id for row in store.find(Query(text=text, sort="id"))]

    assert found == (["c1", "c2"] if fits else [])


def test_new_handles_alone_are_found_by_text(store: GraphStore) -> None:
    commit(store, *added(server("c1")), handles={"c1": handles(("mac", "aa:aa"))})

    commit(store, handles={"c1": handles(("mac", "bb:bb"))})

    assert [store.count(Query(text=text)) for text in ("aa:aa", "bb:bb")] == [0, 1]


def test_a_ci_changed_without_its_handles_is_still_found_by_them(store: GraphStore) -> None:
    before = server("c1", "old")
    commit(store, *added(before), handles={"c1": handles(("mac", "aa:aa"))})

    commit(store, Change("c1", before, replace(before, name="new")))

    assert [store.count(Query(text=text)) for text in ("aa:aa", "new", "old")] == [1, 1, 0]


NAMES = ["b", "a", "B", "", "a", "\uff5e", "\U0001f600", "é", "z", "a", "10", "9", "a b", "a"]
"""Ties, capitals, and two characters whose order differs between UTF-8 and UTF-16."""


@pytest.mark.parametrize("sort", ["name", "label", "class", "id", "revision"])
def test_pages_follow_each_other_without_gap_or_repeat(store: GraphStore, sort: str) -> None:
    classes = ["server", "router", "firewall"]
    cis = [
        CI(f"c{n}", classes[n % 3], "default", name, label=None if n % 4 == 0 else name) for n, name in enumerate(NAMES)
    ]
    for part in range(0, len(cis), 5):
        commit(store, *added(*cis[part : part + 5]))
    keys = {ci.id: _sort_value(ci, n // 5 + 1, sort) for n, ci in enumerate(cis)}

    pages = []
    after: tuple[str | int, str] | None = None
    while page := store.find(Query(sort=sort, limit=3, after=after)):
        pages.append([row.ci.id for row in page])
        after = (keys[pages[-1][-1]], pages[-1][-1])

    expected = sorted(keys, key=lambda name: (keys[name], name))
    assert pages == [expected[n : n + 3] for n in range(0, len(expected), 3)]


def _sort_value(ci: CI, revision: int, sort: str) -> str | int:
    values: dict[str, str | int] = {
        "name": ci.name,
        "label": ci.label or "",
        "class": ci.cls,
        "id": ci.id,
        "revision": revision,
    }
    return values[sort]


def test_a_page_goes_on_after_a_row_that_is_gone(store: GraphStore) -> None:
    commit(store, *added(server("c1", "a"), server("c2", "b"), server("c3", "b"), server("c4", "c")))

    found = [
        [row.ci.id for row in store.find(Query(after=after))] for after in (("b", "c2"), ("b", "c2x"), ("aa", "zzz"))
    ]

    assert found == [["c3", "c4"], ["c3", "c4"], ["c2", "c3", "c4"]]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        pytest.param(Query(sort="colour"), "colour", id="an unknown sort"),
        pytest.param(Query(limit=0), "limit", id="a limit of nothing"),
        pytest.param(Query(after=(1, "c1")), "after", id="a number to go on after in a list by name"),
        pytest.param(
            Query(sort="revision", after=("a", "c1")), "after", id="text to go on after in a list by revision"
        ),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(store: GraphStore, query: Query, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        store.find(query)


def test_the_newest_confirmation_counts(estate: GraphStore) -> None:
    put(estate, Record("confirmation", "f2", b"", at=T0, cis=frozenset({"c2"})))

    found = [row.ci.id for row in estate.find(Query(confirmed_before=minutes(11)))]

    assert found == ["c2", "c1"]
