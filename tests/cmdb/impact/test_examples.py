"""Every row of the table "Examples that must hold" of impact.md."""

from __future__ import annotations

import pytest

from tests.cmdb.impact.site import Site


def test_a_ring_that_loses_one_of_two_gateway_cables_is_at_risk_and_nobody_is_down() -> None:
    site = Site().add("router", "gw", gateway=True).add("network_switch", "s1", "s2", "s3", "s4")
    site.add("server", "h1", "h2", "h3", "h4")
    site.cable("s1", "s2").cable("s2", "s3").cable("s3", "s4").cable("s4", "s1")
    site.cable("gw", "s1", "s3").cable("h1", "s1").cable("h2", "s2").cable("h3", "s3").cable("h4", "s4")

    worse = site.worse("disconnect", relations=("connects_to:gw..s1",))

    assert worse == dict.fromkeys(("s1", "s2", "s3", "s4", "h1", "h2", "h3", "h4"), "at_risk")


def _tiers() -> Site:
    site = Site().add("network_switch", "core1", "core2", gateway=True).add("network_switch", "acc1", "acc2")
    site.add("server", "dual", "single").add("application", "app")
    site.cable("core1", "core2").cable("acc1", "core1", "core2").cable("acc2", "core1", "core2")
    return site.cable("dual", "acc1", "acc2").cable("single", "acc1").link("runs_on", "app", "single")


def test_a_dual_homed_server_loses_its_spare_where_its_single_homed_neighbour_goes_down() -> None:
    answer = _tiers().ask("reboot", "acc1")

    assert {one.ci.name: one.now.availability for one in answer.affected} == {
        "acc1": "down",
        "single": "down",
        "app": "down",
        "dual": "at_risk",
    }
    assert answer.temporary


def test_a_management_only_switch_takes_nothing_down_but_itself() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "mgmt")
    site.add("power_unit", "ups").add("storage", "array").add("server", "host").add("volume", "vol")
    site.cable("core", "mgmt").cable("host", "core")
    site.cable("ups", "mgmt").cable("array", "mgmt", from_management=True)
    site.link("powered_by", "host", "ups").link("part_of", "vol", "array")

    assert site.worse("power_off", "mgmt") == {"mgmt": "down", "ups": "unmanaged", "array": "unmanaged"}


def test_a_fabric_cable_of_the_array_takes_down_the_server_on_that_fabric_only() -> None:
    site = Site().add("server", "host").add("fc_switch", "a", "b").add("storage", "array").add("volume", "vol")
    site.cable("host", "a", medium="fc").cable("array", "a", "b", medium="fc")
    site.link("part_of", "vol", "array").link("stored_on", "host", "vol", medium="fc")

    worse = site.worse("disconnect", relations=("connects_to:array..a",))

    assert worse == {"host": "down"}


def test_one_fc_switch_of_two_fabrics_leaves_the_server_at_risk() -> None:
    site = Site().add("server", "host").add("fc_switch", "a", "b").add("storage", "array").add("volume", "vol")
    site.cable("host", "a", "b", medium="fc").cable("array", "a", "b", medium="fc")
    site.link("part_of", "vol", "array").link("stored_on", "host", "vol", medium="fc")

    assert site.worse("power_off", "a") == {"a": "down", "host": "at_risk"}


@pytest.mark.parametrize(
    ("off", "level"), [(("w1",), "degraded"), (("w1", "w2"), "degraded"), (("w1", "w2", "w3"), "down")]
)
def test_a_service_on_three_web_servers_is_degraded_until_the_last_one_goes(off: tuple[str, ...], level: str) -> None:
    site = Site().add("service", "shop").add("server", "w1", "w2", "w3")
    site.link("depends_on", "shop", "w1", "w2", "w3").group("shop", "web", 1, ("w1", "w2", "w3"), full=3)

    assert site.worse("power_off", *off) == {"shop": level} | dict.fromkeys(off, "down")


@pytest.mark.parametrize(("off", "level"), [("n1", "degraded"), ("n2", "at_risk")])
def test_a_cluster_that_fails_over_degrades_what_stands_on_it(off: str, level: str) -> None:
    site = Site().add("application", "app").add("database", "db").add("cluster", "pair").add("server", "n1", "n2")
    site.link("depends_on", "app", "db").link("depends_on", "db", "pair")
    site.link("composed_of", "pair", "n1", active=True).link("composed_of", "pair", "n2")

    assert site.worse("power_off", off) == {off: "down", "pair": level, "db": level, "app": level}


@pytest.mark.parametrize(
    ("off", "worse"),
    [
        ("pdu1", {"pdu1": "down", "host": "at_risk"}),
        ("ups", {"ups": "down", "pdu1": "down", "pdu2": "down", "host": "down"}),
    ],
)
def test_two_feeds_of_one_ups_help_against_a_pdu_and_not_against_the_ups(off: str, worse: dict[str, str]) -> None:
    site = Site().add("server", "host").add("power_unit", "pdu1", "pdu2", "ups")
    site.link("powered_by", "host", "pdu1", feed="A").link("powered_by", "host", "pdu2", feed="B")
    site.link("powered_by", "pdu1", "ups").link("powered_by", "pdu2", "ups")

    assert site.worse("power_off", off) == worse


def test_a_tape_library_that_is_off_unprotects_what_it_backs_up_and_nothing_else() -> None:
    site = Site().add("server", "host", "other").add("backup_software", "software").add("tape_library", "library")
    site.link("backed_up_by", "host", "software").link("backed_up_by", "software", "library")

    worse = site.worse("power_off", "library")

    assert worse == {"library": "down", "software": "unprotected", "host": "unprotected"}


def test_two_services_that_depend_on_each_other_are_both_at_risk_and_never_down() -> None:
    site = Site().add("service", "one", "two").link("depends_on", "one", "two").link("depends_on", "two", "one")

    assert site.worse("patch", "one") == {"one": "at_risk", "two": "at_risk"}
