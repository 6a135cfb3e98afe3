"""Every claim on a value, whoever said it: who, since when, last confirmed, and why it won or lost; on both stores."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cmdb.inventory import ClaimView, Inventory
from cmdb.model import Component, RelationClaim, Section, Statement, Subject, Value
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.cmdb.truth.saying import FULL, ITSELF, at, estate, ids, interfaces, mac, neighbours, report, system, thing
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


@pytest.fixture
def inventory(store: GraphStore) -> Inventory:
    return Inventory(store, Rules(), lambda: at(1000))


def port(time: float, kind: str, **values: Value) -> Section:
    """What a device says of its one port."""
    parts = (Component("interface", "eth0", {"mac": mac(1), **values}),)
    about = Subject(identifiers=ids(mac=mac(1)), itself=True)
    return Section(f"{kind}.interfaces", at(time), FULL, (Statement(about, {}, parts),))


def said(claims: list[ClaimView], attribute: str) -> list[tuple[Value, str, str, bool, str]]:
    return [(one.value, one.source, one.section, one.won, one.reason) for one in claims if one.attribute == attribute]


def test_of_a_parts_attribute_every_claim_is_told_with_its_times(inventory: Inventory) -> None:
    inventory.absorb(report("10.0.0.1", 1, port(1, "ssh", speed=1000), port(1, "snmp", speed=100, index=7)))
    inventory.absorb(report("10.0.0.1", 5, port(5, "ssh", speed=1000), port(5, "snmp", speed=100, index=7)))

    claims = [one for one in inventory.claims("ci-1") if one.part is not None]

    assert {one.part for one in claims} == {("interface", "eth0")}
    assert said(claims, "speed") == [
        (1000, "10.0.0.1", "ssh.interfaces", True, "ranks first"),
        (100, "10.0.0.1", "snmp.interfaces", False, "its reporter is less trusted"),
    ]
    assert said(claims, "index") == [(7, "10.0.0.1", "snmp.interfaces", True, "the only value")]
    assert {(one.since, one.confirmed) for one in claims} == {(at(1), at(5))}


def test_of_the_class_every_claim_is_told_and_why_it_lost(inventory: Inventory) -> None:
    far = Subject("router", ids(serial="S1"), "x")
    inventory.absorb(report("10.0.0.1", 1, system(1, "network_switch", "x", serial="S1")))
    inventory.absorb(report("10.0.0.2", 2, system(2, "router", "y", serial="S2"), neighbours(2, ("e1", far, "e2"))))
    inventory.absorb(report("10.0.0.3", 3, system(3, "unknown_device", "x", serial="S1")))

    assert said(inventory.claims("ci-1"), "class") == [
        ("network_switch", "10.0.0.1", "snmp.system", True, "ranks first"),
        ("router", "10.0.0.2", "snmp.lldp", False, "its reporter is less trusted"),
        ("unknown_device", "10.0.0.3", "snmp.system", False, "what is known better comes first"),
    ]


def test_a_claim_says_whether_its_reporter_speaks_of_itself(inventory: Inventory) -> None:
    far = Subject("server", ids(serial="S1"), "x")
    inventory.absorb(report("10.0.0.1", 1, system(1, name="x", serial="S1")))
    inventory.absorb(report("10.0.0.2", 2, system(2, "router", "y", serial="S2"), neighbours(2, ("e1", far, "e2"))))

    names = [one for one in inventory.claims("ci-1") if one.attribute == "name"]

    assert [(one.source, one.kind, one.own) for one in names] == [
        ("10.0.0.1", "snmp", True),
        ("10.0.0.2", "neighbour", False),
    ]


def test_what_is_entered_by_hand_wins_whomever_a_site_trusts_and_survives_scans(store: GraphStore) -> None:
    inventory = Inventory(store, Rules(trust={"device.model": ("snmp", "ssh", "declared")}), lambda: at(1000))
    scan = [
        report("10.0.0.1", time, system(time, name="h", serial="S1", values={"model": "scanned"})) for time in (1, 5, 9)
    ]

    inventory.absorb(estate(0, thing("server", "h", serial="S1"), values={"h": {"model": "file"}}))
    inventory.absorb(scan[0])
    before = inventory.graph().cis["ci-1"].attributes
    inventory.amend("ci-1", {"model": "by hand"}, "ann", None)
    for one in scan[1:]:
        inventory.absorb(one)

    assert dict(before) == {"model": "scanned"}
    assert dict(inventory.graph().cis["ci-1"].attributes) == {"model": "by hand"}
    assert said(inventory.claims("ci-1"), "model") == [
        ("by hand", "declared:hand:ci-1", "declared", True, "ranks first"),
        ("scanned", "10.0.0.1", "snmp.system", False, "somebody entered another by hand"),
        ("file", "declared:estate", "declared", False, "somebody entered another by hand"),
    ]


def test_an_empty_reply_erases_no_value(inventory: Inventory) -> None:
    inventory.absorb(report("10.0.0.1", 1, system(1, name="h", serial="S1", values={"model": "m", "vendor": "v"})))
    inventory.absorb(report("10.0.0.1", 2, system(2, name="h", serial="S1", completeness=FULL, kind="ssh")))
    inventory.absorb(report("10.0.0.1", 3, Section("snmp.interfaces", at(3), FULL)))
    inventory.absorb(report("10.0.0.1", 4, Section("snmp.system", at(4), FULL)))
    blank = system(5, name="h", kind="ssh", serial="S1", values={"model": "", "vendor": (), "label": ""})
    inventory.absorb(report("10.0.0.1", 5, blank))

    ci = inventory.graph().cis["ci-1"]

    assert (ci.name, dict(ci.attributes)) == ("h", {"model": "m", "vendor": "v"})


def test_a_stale_claim_that_still_wins_says_so(store: GraphStore) -> None:
    rules = Rules(staleness={"snmp": timedelta(minutes=10)})
    inventory = Inventory(store, rules, lambda: at(1000))
    inventory.absorb(report("10.0.0.1", 1, system(1, name="h", serial="S1", values={"model": "m"})))

    assert said(inventory.claims("ci-1"), "model") == [
        ("m", "10.0.0.1", "snmp.system", True, "the only value, though stale")
    ]


def test_what_flaps_is_no_claim(inventory: Inventory) -> None:
    about = Statement(ITSELF, {"load_percent": 40, "model": "m"})
    inventory.absorb(
        report("10.0.0.1", 1, system(1, "power_unit", "ups", serial="S1"),
               Section("snmp.status", at(1), FULL, (about,)))
    )  # fmt: skip

    assert {one.attribute for one in inventory.claims("ci-1")} == {"class", "name", "serial", "model"}


def test_of_a_relations_column_the_claims_that_differ_are_told(inventory: Inventory) -> None:
    cluster, node = thing("cluster", "db"), thing("server", "h", serial="S1")
    runs = RelationClaim("composed_of", cluster, node, {"active": False})
    inventory.absorb(estate(1, cluster, node, relations=[runs]))
    own = RelationClaim("composed_of", cluster, ITSELF, {"active": True})
    inventory.absorb(
        report("10.0.0.1", 2, system(2, name="h", serial="S1"), Section("ssh.cluster", at(2), FULL, (), (own,)))
    )
    (relation,) = inventory.graph().relations.values()

    told = {ci: [one for one in inventory.claims(ci) if one.relation is not None] for ci in inventory.graph().cis}

    assert dict(relation.columns) == {"active": False}
    assert {one.relation for claims in told.values() for one in claims} == {relation.id}
    assert [said(claims, "active") for claims in told.values()] == [
        [
            (False, "declared:estate", "declared", True, "ranks first"),
            (True, "10.0.0.1", "ssh.cluster", False, "its reporter is less trusted"),
        ]
    ] * 2


def test_of_a_cable_that_both_ends_tell_the_claims_that_differ_are_told(inventory: Inventory) -> None:
    def cable(host: int, far: int, medium: str) -> Section:
        peer = Subject("network_switch", ids(mac=mac(far)), f"s{far}")
        ports = {"from_port": f"eth{host}", "to_port": f"eth{far}", "medium": medium}
        return Section("snmp.lldp", at(1), FULL, (), (RelationClaim("connects_to", ITSELF, peer, ports),))

    for host, far, medium in ((1, 2, "ethernet"), (2, 1, "fc")):
        own = system(1, "network_switch", f"s{host}", mac=mac(host))
        inventory.absorb(report(f"10.0.0.{host}", 1, own, interfaces(1, host), cable(host, far, medium)))

    told = [(one.attribute, one.value, one.won) for one in inventory.claims("ci-1") if one.relation is not None]

    assert told == [("medium", "ethernet", True), ("medium", "fc", False)]


def test_a_declared_value_is_told_with_the_person_and_one_by_hand_with_its_own_time(store: GraphStore) -> None:
    now = at(1000)
    inventory = Inventory(store, Rules(), lambda: now)
    inventory.declare("cis: [{class: server, name: h, serial: S1, vendor: v}]", "site.yaml", "ada")
    now = at(2000)
    inventory.amend("ci-1", {"notes": "x"}, "ann", None)
    now = at(3000)
    inventory.amend("ci-1", {"contact": "y"}, "bob", None)
    inventory.absorb(report("10.0.0.1", 4, system(4, name="h", serial="S1", values={"model": "m"})))

    told = {one.attribute: (one.by, one.since) for one in inventory.claims("ci-1") if one.won}

    assert {name: told[name] for name in ("vendor", "notes", "contact", "model")} == {
        "vendor": ("ada", at(1000)),
        "notes": ("ann", at(2000)),
        "contact": ("bob", at(3000)),
        "model": (None, at(4)),
    }


def test_a_value_is_as_old_as_its_source_says_it_though_the_section_changed(
    inventory: Inventory, store: GraphStore
) -> None:
    for time, version in ((1, "1"), (5, "2"), (9, "2"), (13, "3")):
        values = {"model": "m", "version": version}
        inventory.absorb(report("10.0.0.1", time, system(time, name="h", serial="S1", values=values)))
    again = Inventory(store, Rules(), lambda: at(1000))

    found = [{one.attribute: one.since for one in each.claims("ci-1")} for each in (inventory, again)]

    assert found == [dict.fromkeys(("class", "name", "model", "serial"), at(1)) | {"version": at(13)}] * 2
