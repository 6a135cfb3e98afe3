"""Networks of impact.md: gateways, who forwards, management ports, fibre-channel paths and zones."""

from __future__ import annotations

import pytest

from cmdb.impact import Question, evaluate
from tests.cmdb.impact.site import Site


def test_a_dual_homed_server_is_no_bridge() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "left", "edge")
    site.add("server", "both", "host").cable("left", "core", "edge").cable("both", "core", "edge").cable("host", "edge")

    worse = site.worse("power_off", "left")

    assert worse == {"left": "down", "edge": "down", "host": "down", "both": "at_risk"}


def test_a_gateway_passes_traffic_whatever_its_class() -> None:
    site = Site().add("server", "gw", gateway=True).add("server", "host").cable("gw", "host")

    assert site.worse("power_off", "gw") == {"gw": "down", "host": "down"}


def test_without_a_gateway_nobody_is_cut_off_and_who_could_be_is_unknown() -> None:
    site = Site().add("network_switch", "core").add("server", "host").add("application", "app")
    site.cable("host", "core").link("runs_on", "app", "host")

    answer = site.ask("power_off", "core")

    assert [(one.ci.name, one.now.availability) for one in answer.affected] == [("core", "down")]
    assert [(one.ci.name, one.reason) for one in answer.unknown] == [
        ("app", "runs_on: host is unknown"),
        ("host", "no gateway is known: every question of the network is open"),
    ]


def test_who_was_never_connected_is_not_cut_off() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "island").add("server", "host")
    site.cable("host", "island")

    assert site.worse("power_off", "island") == {"island": "down"}


def test_being_cut_off_takes_a_midrange_server_down_and_an_enclosure_not() -> None:
    site = (
        Site().add("network_switch", "core", gateway=True).add("midrange_server", "frame").add("enclosure", "chassis")
    )
    site.cable("frame", "core").cable("chassis", "core")

    assert site.worse("power_off", "core") == {"core": "down", "frame": "down"}


def test_a_dependency_over_ethernet_fails_when_its_target_is_cut_off() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("storage", "filer").add("application", "app", "local")
    site.add("volume", "share").link("part_of", "share", "filer").add("server", "host").cable("filer", "core")
    site.link("depends_on", "app", "filer").link("depends_on", "local", "filer", medium="fc")
    site.link("stored_on", "host", "share", medium="ethernet")

    worse = site.worse("disconnect", relations=("connects_to:filer..core",))

    assert worse == {"filer": "unmanaged", "app": "down", "host": "down"}


def test_a_management_port_found_by_its_component_carries_no_traffic() -> None:
    site = Site().add("network_switch", "core", "oob", gateway=True).add("server", "host")
    site.cable("host", "core", from_port="eth0").cable("host", "oob", from_port="idrac")
    site.component("host", "interface", "idrac", management=True)

    assert site.worse("power_off", "core") == {"core": "down", "host": "down"}


def test_a_management_port_is_the_last_step_and_leads_no_further() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "sw").add("power_unit", "ups")
    site.cable("sw", "core", from_management=True).cable("ups", "sw")

    assert site.worse("power_off", "core") == {"core": "down"}


def test_a_ups_with_a_port_that_is_powered_off_is_down_and_unmanaged() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("power_unit", "ups").cable("ups", "core")

    assert site.worse("power_off", "ups") == {"ups": "down unmanaged"}


def test_a_server_whose_controller_is_cut_off_from_management_is_unmanaged() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "oob").cable("oob", "core")
    site.add("management_controller", "bmc").add("server", "host").link("managed_by", "host", "bmc")
    site.cable("bmc", "oob", from_management=True)

    assert site.worse("power_off", "oob") == {"oob": "down", "bmc": "unmanaged", "host": "unmanaged"}


def test_a_second_gateway_keeps_everybody_connected_and_leaves_them_at_risk() -> None:
    site = Site().add("router", "gw1", "gw2", gateway=True).add("network_switch", "sw").add("server", "host")
    site.cable("sw", "gw1", "gw2").cable("host", "sw")

    answer = site.ask("power_off", "gw1")

    assert {one.ci.name: (one.now.availability, one.own) for one in answer.affected} == {
        "gw1": ("down", None),
        "sw": ("at_risk", True),
        "host": ("at_risk", False),
    }


def test_who_hangs_on_a_switch_at_risk_is_at_risk() -> None:
    site = Site().add("router", "gw", gateway=True).add("network_switch", "sw", "spare").add("server", "one", "two")
    site.cable("gw", "sw", "spare").cable("one", "sw").cable("two", "sw", "spare")

    assert site.worse("patch", "sw") == {"sw": "at_risk", "one": "at_risk"}


def _fabrics() -> Site:
    site = Site().add("fc_switch", "a", "b").add("storage", "array").add("pool", "pool").add("volume", "vol")
    site.link("part_of", "vol", "pool").link("part_of", "pool", "array").cable("array", "a", "b", medium="fc")
    return site


def test_a_cluster_reaches_its_volume_through_any_member_that_is_up() -> None:
    site = _fabrics().add("cluster", "c").add("server", "n1", "n2").link("composed_of", "c", "n1", "n2")
    site.cable("n1", "a", medium="fc").cable("n2", "b", medium="fc").link("stored_on", "c", "vol", medium="fc")

    assert site.worse("power_off", "n1") == {"n1": "down", "c": "at_risk"}
    assert site.worse("power_off", "a", "n2") == {"a": "down", "n2": "down", "c": "down"}


def test_without_a_path_in_the_intact_graph_a_leg_never_fails() -> None:
    site = _fabrics().add("server", "host").link("stored_on", "host", "vol", medium="fc")

    assert site.worse("power_off", "a") == {"a": "down"}


def test_a_zone_that_was_collected_narrows_the_paths() -> None:
    one, two = "10:00:00:00:00:00:00:01", "10:00:00:00:00:00:00:02"
    a_port, b_port = "50:00:00:00:00:00:00:0a", "50:00:00:00:00:00:00:0b"
    site = Site().add("fc_switch", "a", "b").add("storage", "array").add("volume", "vol").add("server", "host")
    site.link("part_of", "vol", "array").link("stored_on", "host", "vol", medium="fc")
    site.cable("host", "a", medium="fc", from_port=one).cable("host", "b", medium="fc", from_port=two)
    site.cable("array", "a", medium="fc", from_port=a_port).cable("array", "b", medium="fc", from_port=b_port)
    free = site.worse("power_off", "a")
    site.link("zoned_to", "host", "array", from_wwpn=one, to_wwpn=a_port, zone="z1")

    assert free == {"a": "down", "host": "at_risk"}
    assert site.worse("power_off", "a") == {"a": "down", "host": "down"}
    assert site.worse("power_off", "b") == {"b": "down"}
    assert site.gap("host", zoned_to="never collected").worse("power_off", "a") == {"a": "down", "host": "at_risk"}


def test_patching_both_switches_of_two_fabrics_puts_the_server_at_risk() -> None:
    site = _fabrics().add("server", "host").cable("host", "a", "b", medium="fc")
    site.link("stored_on", "host", "vol", medium="fc")

    assert site.worse("patch", "a") == {"a": "at_risk"}
    assert site.worse("patch", "a", "b") == {"a": "at_risk", "b": "at_risk", "host": "at_risk"}


def test_an_answer_about_cables_says_that_vlans_are_not_told_apart() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("service", "shop")

    notes = ("VLANs are not told apart: every cable is taken to carry all of them",)
    assert evaluate(site.graph, Question(("core",), (), "patch")).answer().notes == notes
    assert evaluate(site.graph, Question(("shop",), (), "patch")).answer().notes == ()


@pytest.mark.parametrize("medium", ["ethernet", "fc"])
def test_parallel_cables_are_each_others_spare(medium: str) -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "sw").add("server", "host")
    site.relate("one", "connects_to", "core", "sw").relate("two", "connects_to", "core", "sw").cable("host", "sw")
    site.add("fc_switch", "f").add("storage", "array").add("volume", "vol").link("part_of", "vol", "array")
    site.add("server", "san").link("stored_on", "san", "vol", medium="fc").cable("san", "f", medium="fc")
    site.relate("three", "connects_to", "array", "f", medium="fc").relate(
        "four", "connects_to", "array", "f", medium="fc"
    )

    lost, spare = {"ethernet": ("one", {"sw": "at_risk", "host": "at_risk"}), "fc": ("three", {"san": "at_risk"})}[
        medium
    ]

    assert site.worse("disconnect", relations=(lost,)) == spare
