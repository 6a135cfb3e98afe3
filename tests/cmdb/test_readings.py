"""What flaps makes no history: measured values are readings with their time, and the newest wins; on both stores."""

from __future__ import annotations

import json

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Component, ModelError, Report, Section, Statement, Subject, Value
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.cmdb.truth.saying import FULL, ITSELF, at, estate, report, system, thing
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]


@pytest.fixture
def inventory(store: GraphStore) -> Inventory:
    return Inventory(store, Rules(), lambda: at(1000))


def ups(time: float, load: int, errors: int = 0, status: str = "on line", host: str = "10.0.0.1") -> Report:
    """What a UPS says of itself, one port of it included."""
    port = Component("interface", "eth0", {"speed": 100, "in_errors": errors})
    about = Statement(ITSELF, {"load_percent": load, "status": status}, (port,))
    own = system(time, "power_unit", "ups", serial="S1")
    return report(host, time, own, Section("snmp.status", at(time), FULL, (about,), evidence=f"reply {time}"))


def read(inventory: Inventory, ci: str = "ci-1") -> list[tuple[object, ...]]:
    return [(one.attribute, one.value, one.unit, one.part, one.time, one.evidence) for one in inventory.readings(ci)]


def test_a_rescan_in_which_only_readings_differ_takes_no_revision_and_the_newest_are_shown(
    inventory: Inventory,
) -> None:
    first = inventory.absorb(ups(1, load=40))
    images = json.dumps(inventory.canonical())
    later = inventory.absorb(ups(5, load=70, errors=3))
    late = inventory.absorb(ups(3, load=10, errors=1))
    changed = inventory.absorb(ups(9, load=71, status="on battery"))

    ci = inventory.graph().cis["ci-1"]
    assert [one.revision for one in (first, later, late, changed)] == [1, None, None, 2]
    assert "load_percent" not in images
    assert (dict(ci.attributes), [dict(part.attributes) for part in ci.components]) == (
        {"status": "on battery"},
        [{"speed": 100}],
    )
    assert read(inventory) == [
        ("load_percent", 71, "percent", None, at(9), "reply 9"),
        ("in_errors", 0, "", ("interface", "eth0"), at(9), "reply 9"),
    ]
    assert all("load_percent" not in str(revision) for revision in inventory.changes(0))


def test_readings_are_of_what_is_there_now_and_not_of_what_was_there_before(inventory: Inventory) -> None:
    inventory.absorb(ups(1, load=40))
    other = [
        system(5, "power_unit", "other", serial="S2"),
        Section("snmp.status", at(5), FULL, (Statement(ITSELF, {"load_percent": 7, "status": "on line"}),)),
    ]
    inventory.absorb(report("10.0.0.1", 5, *other))

    assert [row[1] for row in read(inventory, "ci-2")] == [7]
    assert 7 not in [row[1] for row in read(inventory, "ci-1")]


def test_a_site_says_itself_what_flaps(store: GraphStore) -> None:
    rules = Rules(volatile={"power_unit.load_percent": False, "power_unit.status": True, "interface.speed": True})
    inventory = Inventory(store, rules, lambda: at(1000))

    inventory.absorb(ups(1, load=40))
    later = inventory.absorb(ups(5, load=40, status="on battery"))

    assert later.revision is None
    assert dict(inventory.graph().cis["ci-1"].attributes) == {"load_percent": 40}
    assert [row[:2] for row in read(inventory)] == [
        ("status", "on battery"), ("in_errors", 0), ("speed", 100),
    ]  # fmt: skip


def test_what_was_history_before_the_rules_changed_becomes_a_reading_by_recompute(store: GraphStore) -> None:
    before = Inventory(store, Rules(volatile={"load_percent": False}), lambda: at(1000))
    before.absorb(ups(1, load=40))

    after = Inventory(store, Rules(), lambda: at(2000))
    due = after.rules_changed
    planned = after.recompute("ann", dry_run=True)
    done = after.recompute("ann", dry_run=False)

    assert (due, after.rules_changed) == (True, False)
    assert planned.difference == done.difference == ("~ power_unit ups: no load_percent any more (was 40)",)
    assert (planned.revision, done.revision) == (None, 2)
    assert [row[:2] for row in read(after)][:1] == [("load_percent", 40)]
    assert after.verify().problems == ()


def test_of_others_a_reading_is_kept_by_the_class_that_they_are_said_to_have(inventory: Inventory) -> None:
    pool = Subject("pool", owner=ITSELF, key="p1", name="p1")

    def said(time: float, free: Value) -> Report:
        about = Statement(pool, {"capacity": 100, "free": free})
        return report("10.0.0.1", time, system(time, "storage", "array", serial="S1"),
                      Section("snmp.pools", at(time), FULL, (about,)))  # fmt: skip

    inventory.absorb(said(1, 50))
    again = inventory.absorb(said(2, 49))

    (pools,) = [id_ for id_, ci in inventory.graph().cis.items() if ci.cls == "pool"]
    assert again.revision is None
    assert dict(inventory.graph().cis[pools].attributes) == {"capacity": 100}
    assert [row[:3] for row in read(inventory, pools)] == [("free", 49, "byte")]


def test_what_flaps_is_not_entered_by_hand(inventory: Inventory) -> None:
    inventory.absorb(estate(1, thing("power_unit", "ups", serial="S1")))

    with pytest.raises(ModelError, match="ups, load_percent: it is measured and flaps, so it is not entered by hand"):
        inventory.amend("ci-1", {"load_percent": 5}, "ann", None)


def test_a_ci_that_nobody_measured_has_no_readings(inventory: Inventory) -> None:
    inventory.absorb(report("10.0.0.1", 1, system(1, serial="S1")))

    assert inventory.readings("ci-1") == inventory.readings("ci-9") == []
