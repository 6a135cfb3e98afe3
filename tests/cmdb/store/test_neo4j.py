"""What only the Neo4j store has: a server that may be down, and a graph that others read with plain Cypher."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import neo4j
import pytest

from cmdb.model import CI, Change, Component, Identifier, Relation, State
from cmdb.store.base import SCHEMA_VERSION, GraphStore, Record, StoreTooNew, StoreUnavailable
from cmdb.store.opening import open_store
from tests.cmdb.store.examples import T0, added, batch, cable, commit, put, server
from tests.fixtures.stores import empty_neo4j, neo4j_driver

pytestmark = pytest.mark.xdist_group("neo4j")

SECONDS = 30
"""Generous for a loaded machine; the driver's own default is to try for a minute and more."""


@pytest.fixture
def neo4j_store(neo4j_url: str) -> Iterator[GraphStore]:
    empty_neo4j(neo4j_url)
    store = open_store(neo4j_url)
    yield store
    store.close()


@pytest.fixture
def driver(neo4j_url: str) -> Iterator[neo4j.Driver]:
    """What a third party uses."""
    with neo4j_driver(neo4j_url) as opened:
        yield opened


def rows(driver: neo4j.Driver, cypher: str) -> list[list[Any]]:
    with driver.session() as session:
        return session.run(neo4j.Query(cypher)).values()


def test_a_server_that_is_down_is_said_within_seconds() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    start = monotonic()

    with pytest.raises(StoreUnavailable) as refusal:
        open_store(f"neo4j://neo4j:secret@127.0.0.1:{port}")

    assert str(refusal.value) == (
        f"Neo4j at 127.0.0.1:{port} does not answer: start it, or check host and port in CMDB_STORE"
    )
    assert monotonic() - start < SECONDS


def test_a_server_that_accepts_and_stays_silent_is_said_within_seconds() -> None:
    start = monotonic()

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(StoreUnavailable, match="does not answer"):
        open_store(f"neo4j://neo4j:secret@127.0.0.1:{silent.getsockname()[1]}")

    assert monotonic() - start < SECONDS


def test_a_wrong_password_is_said_at_once_and_not_shown(neo4j_url: str) -> None:
    server_name = neo4j_url.partition("@")[2]
    start = monotonic()

    with pytest.raises(StoreUnavailable) as refusal:
        open_store(f"neo4j://neo4j:wrong-secret@{server_name}")

    assert str(refusal.value) == (f"Neo4j at {server_name} refuses user 'neo4j': check user and password in CMDB_STORE")
    assert monotonic() - start < SECONDS


def test_a_store_of_a_newer_version_is_refused_and_not_touched(
    neo4j_store: GraphStore, driver: neo4j.Driver, neo4j_url: str
) -> None:
    commit(neo4j_store, *added(server("c1")))
    rows(driver, "MATCH (m:Meta) SET m.schema = m.schema + 1")
    before = rows(driver, "MATCH (n) RETURN labels(n), properties(n) ORDER BY elementId(n)")

    with pytest.raises(StoreTooNew, match=f"schema {SCHEMA_VERSION + 1}, written by a newer cmdb"):
        open_store(neo4j_url)

    assert rows(driver, "MATCH (n) RETURN labels(n), properties(n) ORDER BY elementId(n)") == before


def test_a_ci_is_one_node_with_its_classes_as_labels_and_its_attributes_as_properties(
    neo4j_store: GraphStore, driver: neo4j.Driver
) -> None:
    ci = CI(
        "c1",
        "network_switch",
        "default",
        "core",
        "D010210-009",
        State.MISSING,
        {"vendor": "Cisco", "gateway": True, "tags": ("a", "b"), "name": "a name said", "_x": 1, "since": T0},
        frozenset({Identifier("serial", "S1"), Identifier("mac", "00:11:22:33:44:55")}),
        missing_since=datetime(2026, 2, 1, tzinfo=UTC),
    )

    commit(neo4j_store, *added(ci))

    [[labels, properties]] = rows(driver, "MATCH (n:CI) RETURN labels(n), properties(n)")
    shown = {name: value for name, value in properties.items() if not name.startswith("_")}
    shown |= {name: shown[name].to_native().astimezone(UTC) for name in ("since", "missing_since")}
    assert sorted(labels) == ["CI", "Device", "NetworkSwitch"]
    assert shown == {
        "id": "c1",
        "class": "network_switch",
        "space": "default",
        "name": "core",
        "label": "D010210-009",
        "state": "missing",
        "revision": 1,
        "identifiers": ["mac:00:11:22:33:44:55", "serial:S1"],
        "missing_since": datetime(2026, 2, 1, tzinfo=UTC),
        "vendor": "Cisco",
        "gateway": True,
        "tags": ["a", "b"],
        "since": T0,
        "attribute_name": "a name said",
        "attribute__x": 1,
    }


def test_a_ci_that_changes_its_class_changes_its_labels(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    before, after = CI("c1", "unknown_device", "default", "x"), CI("c1", "operating_system", "default", "x")
    commit(neo4j_store, *added(before))

    commit(neo4j_store, Change("c1", before, after))

    assert [sorted(labels) for (labels,) in rows(driver, "MATCH (n:CI) RETURN labels(n)")] == [
        ["CI", "OperatingSystem"]
    ]


def test_relations_are_typed_relationships_with_their_keys(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    system = CI("c3", "operating_system", "default", "Debian")
    links = [
        cable("r1", "c1", "c2", from_port="eth0", to_port="Gi1/0/1"),
        cable("r2", "c1", "c2", from_port="eth1", to_port="Gi1/0/2"),
        Relation("r3", "runs_on", "c3", "c1"),
    ]

    commit(neo4j_store, *added(server("c1"), server("c2"), system, *links))

    found = rows(driver, "MATCH (a:CI)-[r]->(b:CI) RETURN a.id, type(r), properties(r), b.id ORDER BY r.id")
    assert found == [
        ["c1", "CONNECTS_TO", {"id": "r1", "revision": 1, "from_port": "eth0", "to_port": "Gi1/0/1"}, "c2"],
        ["c1", "CONNECTS_TO", {"id": "r2", "revision": 1, "from_port": "eth1", "to_port": "Gi1/0/2"}, "c2"],
        ["c3", "RUNS_ON", {"id": "r3", "revision": 1}, "c1"],
    ]


def test_components_are_nodes_that_are_part_of_their_ci(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    mac = "00:11:22:33:44:55"
    first = CI("c1", "server", "default", "x", components=(Component("disk", "sda"), Component("interface", "eth0")))
    second = CI(
        "c1",
        "server",
        "default",
        "x",
        components=(Component("interface", "eth0", {"mac": mac}), Component("fc_port", "5001438001234567")),
    )
    commit(neo4j_store, *added(first))
    cypher = "MATCH (c:Component)-[:PART_OF]->(n:CI) RETURN n.id, labels(c), properties(c) ORDER BY c.kind"

    seen = [rows(driver, cypher)]
    for change in (Change("c1", first, second), Change("c1", second, None)):
        commit(neo4j_store, change)
        seen.append(rows(driver, cypher))

    assert seen == [
        [
            ["c1", ["Component", "Disk"], {"kind": "disk", "name": "sda"}],
            ["c1", ["Component", "Interface"], {"kind": "interface", "name": "eth0"}],
        ],
        [
            ["c1", ["Component", "FcPort"], {"kind": "fc_port", "name": "5001438001234567"}],
            ["c1", ["Component", "Interface"], {"kind": "interface", "name": "eth0", "mac": mac}],
        ],
        [],
    ]
    assert rows(driver, "MATCH (c:Component) RETURN c") == []


def test_records_hang_on_their_cis_and_are_no_cis(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    with neo4j_store.write() as transaction:
        transaction.put([Record("section", "s1", b"doc", frozenset({"k1", "k2"}), T0, frozenset({"c1"}))])
        transaction.apply(batch(*added(server("c1"))))
    put(neo4j_store, Record("run_section", "s2", b"", frozenset({"k1"})))

    found = rows(driver, "MATCH (s:Section)-[:FROM]->(n:CI) RETURN labels(s), s.id, s.doc, n.id")
    others = rows(driver, "MATCH (r:RunSection) RETURN labels(r), r.id")
    with neo4j_store.write() as transaction:
        transaction.drop("section", ["s1"])

    assert found == [[["Record", "Section"], "s1", b"doc", "c1"]]
    assert others == [[["Record", "RunSection"], "s2"]]
    assert rows(driver, "MATCH (k:RecordKey)-[:FINDS]->(r) RETURN k.key, r.id") == [["k1", "s2"]]
    assert rows(driver, "MATCH (k:RecordKey) RETURN count(k)") == [[1]]


def test_the_journal_is_a_chain_of_nodes(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    revisions = [commit(neo4j_store, *added(server(f"c{n}"))) for n in (1, 2)]

    found = rows(driver, "MATCH (r:Revision) RETURN r.n, r.actor, r.run, r.reason, r.prev_hash, r.hash ORDER BY r.n")

    assert found == [[row.n, row.actor, row.run, row.reason, row.prev_hash, row.hash] for row in revisions if row]


def test_a_plain_pattern_meets_nothing_but_cis(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    put(neo4j_store, Record("section", "s1", b""))
    one, two, link = server("c1"), server("c2"), cable("r1", "c1", "c2")
    commit(neo4j_store, *added(one, two, link))
    commit(neo4j_store, Change("r1", link, None))

    assert rows(driver, "MATCH (n:CI) RETURN n.id ORDER BY n.id") == [["c1"], ["c2"]]
    assert rows(driver, "MATCH (:CI)--(m) RETURN m") == []


def test_what_was_is_nodes_of_its_own_without_relationships(neo4j_store: GraphStore, driver: neo4j.Driver) -> None:
    one, two, link = server("c1", "web"), server("c2"), cable("r1", "c1", "c2")
    commit(neo4j_store, *added(one, two, link))
    commit(neo4j_store, Change("c1", one, server("c1", "web1")))
    commit(neo4j_store, Change("r1", link, None))

    found = rows(driver, "MATCH (p:Past) RETURN labels(p), p {.*, doc: null}, COUNT { (p)--() } ORDER BY p.id")

    shown = [
        [labels, {key: value for key, value in row.items() if key != "doc"}, count] for labels, row, count in found
    ]
    assert shown == [
        [["Past"], {"id": "c1", "since": 1, "until": 2, "class": "server", "name": "web"}, 0],
        [["Past"], {"id": "r1", "since": 1, "until": 3, "type": "CONNECTS_TO", "source": "c1", "target": "c2"}, 0],
    ]
