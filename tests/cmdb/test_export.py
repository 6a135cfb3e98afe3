"""The canonical export names things by what they are, and does not know in which order they were found."""

from __future__ import annotations

from datetime import UTC, datetime

from cmdb.export import canonical
from cmdb.model import CI, Component, Graph, Identifier, Relation, State


def _found(order: tuple[str, str, str, str]) -> Graph:
    """The same site, its CIs numbered in another order."""
    switch, server, system, service = order
    group = Component("group", "web", {"needs": 1, "legs": (server, "group:inner"), "active": server})
    cis = [
        CI(switch, "network_switch", "default", "sw1", identifiers=frozenset({Identifier("serial", "S1")})),
        CI(
            server,
            "server",
            "default",
            "web1",
            "D010210-009",
            State.MISSING,
            {"vendor": "Acme"},
            frozenset({Identifier("serial", "A1"), Identifier("mac", "00:1b:21:00:00:01")}),
            gaps={"powered_by": "stale since 2026-01-02"},
            missing_since=datetime(2026, 1, 2, tzinfo=UTC),
        ),
        CI(system, "operating_system", "default", "Debian on web1", owner=server, key="os"),
        CI(service, "service", "default", "Shop", components=(group,)),
        CI("ci-99", "server", "default", "gone", state=State.RETIRED),
    ]
    ends = sorted([(switch, "Gi1"), (server, "eth0")])
    cable = {"from_port": ends[0][1], "to_port": ends[1][1]}
    relations = [
        Relation(f"r{switch}", "connects_to", ends[0][0], ends[1][0], cable),
        Relation(f"r{server}", "depends_on", service, server),
        Relation(f"r{system}", "runs_on", system, server),
        Relation(f"r{service}", "depends_on", service, "ci-99"),
    ]
    return Graph(len(order), {ci.id: ci for ci in cis}, {relation.id: relation for relation in relations})


def test_the_order_in_which_things_were_found_is_not_seen() -> None:
    one = canonical(_found(("ci-1", "ci-2", "ci-3", "ci-4")))
    other = canonical(_found(("ci-4", "ci-3", "ci-2", "ci-1")))

    assert one == other


def test_cis_are_named_by_identifiers_else_by_owner_and_key_else_by_space_class_and_name() -> None:
    document = canonical(_found(("ci-1", "ci-2", "ci-3", "ci-4")))

    server = "mac=00:1b:21:00:00:01 serial=A1"
    assert [one["ci"] for one in document["cis"]] == [
        "default service Shop",
        server,
        f"operating_system os in [{server}]",
        "serial=S1",
    ]
    assert document["relations"] == [
        {"type": "connects_to", "from": server, "to": "serial=S1", "columns": {"from_port": "eth0", "to_port": "Gi1"}},
        {"type": "depends_on", "from": "default service Shop", "to": server, "columns": {}},
        {"type": "runs_on", "from": f"operating_system os in [{server}]", "to": server, "columns": {}},
    ]


def test_a_ci_is_exported_with_all_that_is_known_of_it_and_without_times() -> None:
    document = canonical(_found(("ci-1", "ci-2", "ci-3", "ci-4")))

    assert document["cis"][:2] == [
        {
            "ci": "default service Shop",
            "space": "default",
            "class": "service",
            "name": "Shop",
            "state": "present",
            "attributes": {},
            "identifiers": [],
            "components": [
                {
                    "kind": "group",
                    "name": "web",
                    "attributes": {
                        "needs": 1,
                        "legs": ["group:inner", "mac=00:1b:21:00:00:01 serial=A1"],
                        "active": "mac=00:1b:21:00:00:01 serial=A1",
                    },
                }
            ],
        },
        {
            "ci": "mac=00:1b:21:00:00:01 serial=A1",
            "space": "default",
            "class": "server",
            "name": "web1",
            "label": "D010210-009",
            "state": "missing",
            "attributes": {"vendor": "Acme"},
            "identifiers": [["mac", "00:1b:21:00:00:01"], ["serial", "A1"]],
            "components": [],
        },
    ]


def test_two_cis_that_know_only_one_cloned_uuid_are_told_apart_by_what_else_is_known() -> None:
    clone = frozenset({Identifier("uuid", "11111111-2222-3333-4444-555555555555")})

    def site(*names: str) -> Graph:
        cis = [CI(f"ci-{n}", "server", "default", name, identifiers=clone) for n, name in enumerate(names)]
        return Graph(1, {ci.id: ci for ci in cis}, {})

    assert canonical(site("web1", "web2")) == canonical(site("web2", "web1"))
    assert len({one["ci"] for one in canonical(site("web1", "web2"))["cis"]}) == 2
