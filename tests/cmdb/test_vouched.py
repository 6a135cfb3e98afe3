"""Who says that there is a relation: each source, in which section, when last, and whether that is stale."""

from __future__ import annotations

from datetime import datetime, timedelta

from cmdb.inventory import ClaimView, Inventory
from cmdb.model import Relation, Subject
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.cmdb.truth.saying import Clock, at, ids, neighbours, report, system
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


def _told(inventory: Inventory, relations: list[Relation]) -> dict[str, list[tuple[str, str, datetime, str]]]:
    def row(one: ClaimView) -> tuple[str, str, datetime, str]:
        return one.source, one.section, one.confirmed, one.reason

    return {id_: [row(one) for one in claims] for id_, claims in inventory.vouched(relations).items()}


def test_a_cable_that_both_ends_tell_is_vouched_for_by_both_and_a_parallel_one_by_its_own(store: GraphStore) -> None:
    clock = Clock()
    inventory = Inventory(store, Rules(), clock)
    a, b = (Subject("network_switch", ids(serial=f"S{n}"), name) for n, name in ((1, "a"), (2, "b")))
    inventory.absorb(
        report(
            "10.0.0.1",
            1,
            system(1, "network_switch", "a", serial="S1"),
            neighbours(1, ("e1", b, "x1"), ("e2", b, "x2")),
        )
    )
    inventory.absorb(
        report("10.0.0.2", 5, system(5, "network_switch", "b", serial="S2"), neighbours(5, ("x1", a, "e1")))
    )
    cables = {str(one.columns["from_port"]): one for one in inventory.relations("ci-1")}

    told = _told(inventory, list(cables.values()))

    assert told == {
        cables["e1"].id: [("10.0.0.2", "snmp.lldp", at(5), ""), ("10.0.0.1", "snmp.lldp", at(1), "")],
        cables["e2"].id: [("10.0.0.1", "snmp.lldp", at(1), "")],
    }
    clock.now += timedelta(days=400)
    assert {row[3] for rows in _told(inventory, list(cables.values())).values() for row in rows} == {"stale"}


def test_what_a_person_declared_names_the_person_and_what_is_gone_nobody(store: GraphStore) -> None:
    inventory = Inventory(store, Rules(), Clock())
    estate = """
cis: [{class: server, name: h}, {class: power_unit, name: p}, {class: power_unit, name: q}]
relations: [{type: powered_by, from: h, to: p, feed: A}, {type: powered_by, from: h, to: q, feed: B}]
"""
    inventory.declare(estate, "f", "ann")
    inventory.declare("relations: [{type: powered_by, from: h, to: p, feed: A}]", "g", "ben")
    host = inventory.ci_of("h")
    feeds = {str(one.columns["feed"]): one for one in inventory.relations(host)}
    inventory.declare(estate.replace(", {type: powered_by, from: h, to: q, feed: B}", ""), "f", "ann")

    told = inventory.vouched(list(feeds.values()))

    assert {id_: sorted((one.source, one.by) for one in claims) for id_, claims in told.items()} == {
        feeds["A"].id: [("declared:f", "ann"), ("declared:g", "ben")],
        feeds["B"].id: [],
    }
    assert inventory.vouched([Relation("rel-99", "powered_by", "ci-98", "ci-99", {})]) == {"rel-99": []}
