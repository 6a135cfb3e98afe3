"""What a person should mend: each kind with its since, owners and evidence, until it is mended; on both stores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.wiring import Services
from cmdb.inventory import Inventory
from cmdb.mending import Mending
from cmdb.model import Component, RelationClaim, Report, Section, Statement, Subject
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.cmdb.truth.saying import (
    DENIED,
    FAILED,
    ITSELF,
    PARTIAL,
    Clock,
    at,
    estate,
    ids,
    interfaces,
    mac,
    neighbours,
    report,
    system,
    thing,
)
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

API = "/api/v1"
Make = Callable[[float], list[Report]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inventory(store: GraphStore, clock: Clock) -> Inventory:
    return Inventory(store, Rules(), clock)


def labelled(time: float, host: int, label: str, name: str | None = None) -> Report:
    name = f"h{host}" if name is None else name
    return report(f"10.0.0.{host}", time, system(time, name=name, serial=f"S{host}", values={"label": label}))


def switch(time: float, host: int, *far: tuple[str, Subject, str]) -> Report:
    """A switch that tells of its neighbours."""
    own = system(time, "network_switch", f"s{host}", mac=mac(host))
    return report(f"10.0.0.{host}", time, own, interfaces(time, host), neighbours(time, *far))


def partial(time: float, section: Section) -> list[Report]:
    return [report("10.0.0.1", time, system(time, name="h1", serial="S1"), section)]


ROOM = thing("room", "D010210")
OTHER = thing("room", "D010211")
S2 = Subject("network_switch", ids(mac=mac(2)), "s2")
NOBODY = Subject("network_switch", frozenset(), "nowhere")


def stands(time: float, room: Subject) -> Report:
    web = thing("server", "h1", serial="S1")
    return estate(time, web, room, relations=[RelationClaim("located_in", web, room)], name="places")


KINDS: dict[str, tuple[Make, Make, list[tuple[str, str]]]] = {
    "unknown_room": (
        lambda time: [labelled(time, 1, "D010210-001")],
        lambda time: [estate(time, ROOM)],
        [("10.0.0.1", "snmp.system")],
    ),
    "label_twice": (
        lambda time: [estate(0, ROOM), labelled(time, 1, "D010210-001"), labelled(time, 2, "D010210-001")],
        lambda time: [labelled(time, 2, "D010210-002")],
        [("10.0.0.1", "snmp.system"), ("10.0.0.2", "snmp.system")],
    ),
    "name_twice": (
        lambda time: [report(f"10.0.0.{host}", time, system(time, name="same", serial=f"S{host}")) for host in (1, 2)],
        lambda time: [report("10.0.0.2", time, system(time, name="another", serial="S2"))],
        [("10.0.0.1", "snmp.system"), ("10.0.0.2", "snmp.system")],
    ),
    "one_sided_cable": (
        lambda time: [switch(time, 1, ("eth1", S2, "eth2")), switch(time, 2)],
        lambda time: [switch(time, 2, ("eth2", Subject("network_switch", ids(mac=mac(1)), "s1"), "eth1"))],
        [("10.0.0.1", "snmp.lldp")],
    ),
    "two_places": (
        lambda time: [estate(0, ROOM), labelled(time, 1, "D010210-001"), stands(time, OTHER)],
        lambda time: [stands(time, ROOM)],
        [("10.0.0.1", "snmp.system"), ("declared:places", "declared")],
    ),
    "no_family": (
        lambda time: [report("10.0.0.1", time, system(time, "unknown_device", "x", serial="S1"))],
        lambda time: [report("10.0.0.1", time, system(time, "printer", "x", serial="S1"))],
        [("10.0.0.1", "snmp.system")],
    ),
    "section_denied": (
        lambda time: partial(time, Section("ssh.processes", at(time), DENIED, problem="root only")),
        lambda time: partial(time, Section("ssh.processes", at(time), system(time).completeness)),
        [("10.0.0.1", "ssh.processes")],
    ),
    "section_failed": (
        lambda time: partial(time, Section("ssh.processes", at(time), FAILED, problem="time-out")),
        lambda time: partial(time, Section("ssh.processes", at(time), system(time).completeness)),
        [("10.0.0.1", "ssh.processes")],
    ),
    "section_partial": (
        lambda time: partial(time, Section("ssh.processes", at(time), PARTIAL, problem="cut off")),
        lambda time: partial(time, Section("ssh.processes", at(time), system(time).completeness)),
        [("10.0.0.1", "ssh.processes")],
    ),
    "unidentified": (
        lambda time: [switch(time, 1, ("eth1", NOBODY, "eth2"))],
        lambda time: [report("10.0.0.3", time, system(time, "network_switch", "nowhere", mac=mac(3)))],
        [("10.0.0.1", "snmp.lldp")],
    ),
    "declared_name": (
        lambda time: [
            *(report(f"10.0.0.{host}", time, system(time, name="same", serial=f"S{host}")) for host in (1, 2)),
            estate(time, thing("server", "same")),
        ],
        lambda time: [estate(time, thing("server", "same", serial="S1"))],
        [("10.0.0.1", "snmp.system"), ("10.0.0.2", "snmp.system"), ("declared:estate", "declared")],
    ),
    "relation_unfit": (
        lambda time: [
            estate(time, ROOM, thing("team", "t"), relations=[RelationClaim("runs_on", thing("team", "t"), ROOM)])
        ],
        lambda time: [estate(time, ROOM, thing("team", "t"))],
        [("declared:estate", "declared")],
    ),
}


def of_kind(inventory: Inventory, kind: str) -> list[Mending]:
    return inventory.mendings(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_problem_keeps_its_since_over_rescans_tells_who_says_so_and_goes_when_it_is_mended(
    inventory: Inventory, clock: Clock, kind: str
) -> None:
    make, mend, evidence = KINDS[kind]

    for one in make(1):
        inventory.absorb(one)
    first = of_kind(inventory, kind)
    said = [(one.source, one.section) for one in inventory.witnesses(first[0])]
    clock.now = at(2000)
    for one in make(10):
        inventory.absorb(one)
    later = of_kind(inventory, kind)
    for one in mend(20):
        inventory.absorb(one)

    assert ([one.since for one in first], later) == ([at(1000)], first)
    assert said == evidence
    assert of_kind(inventory, kind) == []


def test_a_label_on_a_third_device_is_no_new_problem(inventory: Inventory, clock: Clock) -> None:
    for host in (1, 2):
        inventory.absorb(labelled(1, host, "D010210-001"))
    clock.now = at(2000)
    inventory.absorb(labelled(2, 3, "D010210-001"))

    assert [(one.text, one.since) for one in of_kind(inventory, "label_twice")] == [
        ("the label D010210-001 is on 3 CIs", at(1000))
    ]


def test_one_address_on_two_devices_is_told_once_with_both_replies(inventory: Inventory) -> None:
    for host in (1, 2):
        part = Component("address", "10.9.9.9", {"address": "10.9.9.9"})
        about = Section("snmp.addresses", at(1), system(1).completeness, (Statement(ITSELF, {}, (part,)),))
        inventory.absorb(report(f"10.0.0.{host}", 1, system(1, name=f"h{host}", serial=f"S{host}"), about))

    (told,) = of_kind(inventory, "address_twice")

    assert [(one.source, one.section, one.text) for one in inventory.witnesses(told)] == [
        ("10.0.0.1", "snmp.addresses", "address 10.9.9.9"),
        ("10.0.0.2", "snmp.addresses", "address 10.9.9.9"),
    ]


def test_what_two_files_put_in_two_rooms_is_a_problem_until_they_agree(inventory: Inventory) -> None:
    def said(name: str, room: Subject) -> Report:
        web = thing("server", "h1", serial="S1")
        return estate(1, web, room, relations=[RelationClaim("located_in", web, room)], name=name)

    inventory.absorb(said("a", ROOM))
    inventory.absorb(said("b", OTHER))
    told = of_kind(inventory, "two_places")
    said_by = [(one.source, one.text) for one in inventory.witnesses(told[0])]
    inventory.absorb(estate(2, name="b"))

    assert [one.text for one in told] == ["h1: declarations say it is in D010210 and in D010211"]
    assert said_by == [("declared:a", "located_in"), ("declared:b", "located_in")]
    assert of_kind(inventory, "two_places") == []


def test_a_conflict_is_told_with_who_gives_the_value(inventory: Inventory) -> None:
    for host in (1, 2):
        own = system(1, name=f"h{host}", uuid="4c4c4544-0037-4810-8051-c7c04f4e3531")
        inventory.absorb(report(f"10.0.0.{host}", 1, own, interfaces(1, host)))

    (told,) = of_kind(inventory, "conflict")

    assert {(one.source, one.text) for one in inventory.witnesses(told)} == {
        (f"10.0.0.{host}", "uuid 4c4c4544-0037-4810-8051-c7c04f4e3531") for host in (1, 2)
    }


def test_what_runs_in_a_host_is_mended_by_the_hosts_owner(inventory: Inventory) -> None:
    host, team = thing("server", "h1", serial="S1"), thing("team", "web team")
    inner = Subject("process", owner=ITSELF, key="x:80", name="x on h1")
    section = Section("ssh.connections", at(1), system(1).completeness, (), (
        RelationClaim("depends_on", inner, Subject(address="10.9.9.9", port=80), {"port": 80}),
    ))  # fmt: skip
    inventory.absorb(estate(1, host, team, relations=[RelationClaim("owned_by", host, team)]))
    inventory.absorb(report("10.0.0.1", 1, system(1, name="h1", serial="S1"), section))

    owners = {one.kind: one.owners for one in inventory.mendings()}

    assert owners["unidentified"] == ("web team",)


@pytest.fixture
def twins(services: Services) -> Services:
    """Two servers that two files give one label."""
    for name, owner in (("a", ', owner: "=Ada"'), ("b", "")):
        services.inventory.declare(
            f"cis: [{{class: server, name: {name}, serial: S{name}, label: D010210-001{owner}}}]\n"
            "rooms: [{label: D010210, grid: ['..'], door: south}]",
            f"{name}.yaml",
            "test",
        )
    return services


def test_the_api_pages_through_problems_with_owners_and_evidence(twins: Services, reader: TestClient) -> None:
    twins.inventory.declare("cis: [{class: printer, name: p, label: D010999-001}]", "more.yaml", "test")

    first: dict[str, Any] = reader.get(f"{API}/problems", params={"limit": 1}).json()
    second = reader.get(f"{API}/problems", params={"limit": 1, "next": first["next"]}).json()
    ids_ = [twins.inventory.target(name).cis[0] for name in ("a", "b")]

    (one,) = first["items"]
    assert (one["kind"], one["about"], one["owners"]) == ("label_twice", ids_, ["=Ada"])
    assert one["text"] == "the label D010210-001 is on 2 CIs"
    assert [(row["source"], row["section"], row["text"]) for row in one["evidence"]] == [
        ("declared:a.yaml", "declared", "label D010210-001"),
        ("declared:b.yaml", "declared", "label D010210-001"),
    ]
    assert ([row["kind"] for row in second["items"]], second["next"]) == (["unknown_room"], None)


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"kind": "label_twice"}, ["label_twice"]),
        ({"class": "printer"}, []),
        ({"class": "device"}, ["label_twice"]),
        ({"place": "D010210"}, ["label_twice"]),
        ({"owner": "=ada"}, ["label_twice"]),
        ({"owner": "nobody"}, []),
    ],
)
@pytest.mark.usefixtures("twins")
def test_problems_are_filtered(reader: TestClient, query: dict[str, str], kinds: list[str]) -> None:
    assert [row["kind"] for row in reader.get(f"{API}/problems", params=query).json()["items"]] == kinds


@pytest.mark.parametrize(("query", "status"), [({"kind": "x"}, 422), ({"class": "x"}, 422), ({"place": "x"}, 404)])
@pytest.mark.usefixtures("twins")
def test_a_filter_that_names_nothing_is_refused(reader: TestClient, query: dict[str, str], status: int) -> None:
    assert reader.get(f"{API}/problems", params=query).status_code == status


@pytest.mark.usefixtures("twins")
def test_a_spreadsheet_gets_them_all_and_no_formula(reader: TestClient) -> None:
    answer = reader.get(f"{API}/problems.csv")

    head, row = answer.text.splitlines()
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert head == "kind,about,class,label,owners,since,what"
    assert row.split(",")[:5] == ["label_twice", "a; b", "server", "D010210-001", "'=Ada"]


def test_a_change_of_rules_is_previewed_unless_one_says_otherwise(services: Services, operator: TestClient) -> None:
    services.inventory.declare("cis: [{class: power_unit, name: ups, status: ok}]", "ups.yaml", "test")
    before = services.inventory.rules_changed
    services.__dict__["inventory"] = Inventory(services.store, Rules(volatile={"status": True}), lambda: at(9))

    due = services.inventory.rules_changed
    planned = operator.post(f"{API}/recompute", json={}).json()
    done = operator.post(f"{API}/recompute", json={"dry_run": False}).json()

    line = "~ power_unit ups: no status any more (was ok)"
    assert (before, due, services.inventory.rules_changed) == (False, True, False)
    assert planned == {"revision": None, "difference": [line], "warnings": []}
    assert done == {"revision": 2, "difference": [line], "warnings": []}
    (revision,) = services.inventory.changes(1)
    assert (revision.reason, revision.actor) == ("rules changed", "a operator")
