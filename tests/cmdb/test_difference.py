"""What a dry run shows."""

from __future__ import annotations

from cmdb.difference import difference
from cmdb.model import CI, Component, Graph, Identifier, Relation, State


def test_each_thing_that_comes_goes_or_changes_is_a_line() -> None:
    web = CI("ci-1", "server", "default", "web1", attributes={"vendor": "Acme", "cpus": 4})
    gone, shop = CI("ci-2", "service", "default", "Mail"), CI("ci-3", "service", "default", "Shop")
    more = CI(
        "ci-1",
        "server",
        "default",
        "web1",
        "D010210-009",
        attributes={"vendor": "Ajax"},
        identifiers=frozenset({Identifier("serial", "A1")}),
        components=(Component("address", "10.0.0.1", {"address": "10.0.0.1"}),),
    )
    new = CI("ci-4", "room", "default", "D010210", attributes={"grid": ("..", "#."), "door": "south"})
    before = Graph(
        1,
        {ci.id: ci for ci in (web, gone, shop)},
        {
            "r-1": Relation("r-1", "depends_on", "ci-2", "ci-1"),
            "r-2": Relation("r-2", "depends_on", "ci-3", "ci-1", {"port": 80}),
        },
    )
    after = Graph(
        2,
        {ci.id: ci for ci in (more, CI("ci-2", "service", "default", "Mail", state=State.RETIRED), shop, new)},
        {
            "r-2": Relation("r-2", "depends_on", "ci-3", "ci-1", {"port": 80, "active": True}),
            "r-3": Relation("r-3", "located_in", "ci-1", "ci-4"),
        },
    )

    lines = difference(before, after)

    assert lines == (
        "- depends_on Mail .. web1",
        "~ depends_on Shop .. web1 {active=True, port=80}: active True",
        "+ located_in web1 .. D010210",
        "+ room D010210: door south, grid .. #.",
        "~ server web1 (D010210-009): address 10.0.0.1",
        "~ server web1 (D010210-009): label D010210-009",
        "~ server web1 (D010210-009): no cpus any more (was 4)",
        "~ server web1 (D010210-009): serial A1",
        "~ server web1 (D010210-009): vendor Acme → Ajax",
        "- service Mail",
    )


def test_nothing_changed_is_no_line() -> None:
    graph = Graph(1, {"ci-1": CI("ci-1", "server", "default", "web1")}, {})

    assert difference(graph, graph) == ()
