"""Requirements of impact.md: defaults, groups, clusters, virtual machines, and what is no leg any more."""

from __future__ import annotations

import pytest

from cmdb.impact import Question, evaluate
from cmdb.model import State
from tests.cmdb.impact.site import Site


def test_each_role_of_served_by_is_a_requirement_of_its_own() -> None:
    site = Site().add("partition", "lpar", "vios1", "vios2")
    site.relate("n1", "served_by", "lpar", "vios1", role="network")
    site.relate("n2", "served_by", "lpar", "vios2", role="network")
    site.relate("d1", "served_by", "lpar", "vios1", role="disk")

    assert site.worse("power_off", "vios2") == {"vios2": "down", "lpar": "at_risk"}
    assert site.worse("power_off", "vios1") == {"vios1": "down", "lpar": "down"}


def test_several_relations_to_one_target_are_one_leg_that_fails_with_the_last_of_them() -> None:
    site = Site().add("server", "host").add("power_unit", "pdu")
    site.relate("a", "powered_by", "host", "pdu", feed="A").relate("b", "powered_by", "host", "pdu", feed="B")

    assert site.worse("disconnect", relations=("a",)) == {}
    assert site.worse("disconnect", relations=("a", "b")) == {"host": "down"}


def test_the_legs_of_a_group_leave_the_default_requirement_of_that_type_only() -> None:
    site = Site().add("application", "app").add("server", "a", "b", "c")
    site.link("depends_on", "app", "a", "b", "c").link("runs_on", "app", "a").group("app", "pair", 1, ("a", "b"))

    assert site.worse("power_off", "b") == {"b": "down", "app": "at_risk"}
    assert site.worse("power_off", "c") == {"c": "down", "app": "down"}
    assert site.worse("power_off", "a") == {"a": "down", "app": "down"}


def test_a_group_that_is_a_leg_is_judged_like_a_ci() -> None:
    site = (
        Site().add("service", "s").add("server", "a1", "a2", "b1", "b2").link("depends_on", "s", "a1", "a2", "b1", "b2")
    )
    site.group("s", "a", 2, ("a1", "a2")).group("s", "b", 1, ("b1", "b2"))
    site.group("s", "sites", 1, ("group:a", "group:b"))

    assert site.worse("power_off", "a1") == {"a1": "down", "s": "at_risk"}
    assert site.worse("power_off", "b1") == {"b1": "down"}
    assert site.worse("power_off", "a1", "b1") == {"a1": "down", "b1": "down", "s": "at_risk"}
    assert site.worse("power_off", "a1", "b1", "b2") == {"a1": "down", "b1": "down", "b2": "down", "s": "down"}


def test_an_active_leg_of_a_group_that_fails_degrades() -> None:
    site = Site().add("service", "s").add("server", "a", "b").link("depends_on", "s", "a", "b")
    site.group("s", "pair", 1, ("a", "b"), active="a")

    assert site.worse("power_off", "a") == {"a": "down", "s": "degraded"}
    assert site.worse("power_off", "b") == {"b": "down", "s": "at_risk"}


@pytest.mark.parametrize(
    ("members", "quorum", "off", "level"),
    [
        (2, None, 1, "at_risk"),
        (3, None, 1, "at_risk"),
        (3, None, 2, "down"),
        (5, None, 2, "at_risk"),
        (5, None, 3, "down"),
        (3, 1, 2, "at_risk"),
        (2, 2, 1, "down"),
    ],
)
def test_a_cluster_needs_its_quorum_or_the_majority(members: int, quorum: int | None, off: int, level: str) -> None:
    names = [f"n{number}" for number in range(members)]
    site = Site().add("cluster", "c", **({} if quorum is None else {"quorum": quorum})).add("server", *names)
    site.link("composed_of", "c", *names)

    assert site.worse("power_off", *names[:off]) == {"c": level} | dict.fromkeys(names[:off], "down")


def test_a_cluster_that_hosts_virtual_machines_needs_one_member() -> None:
    site = Site().add("cluster", "c").add("server", "n0", "n1", "n2").link("composed_of", "c", "n0", "n1", "n2")
    site.add("virtual_machine", "vm").link("hosted_on", "vm", "c")

    assert site.worse("power_off", "n0", "n1") == {"n0": "down", "n1": "down", "c": "at_risk", "vm": "at_risk"}


def test_a_virtual_address_needs_one_member() -> None:
    site = Site().add("virtual_address", "vip").add("router", "r1", "r2", "r3")
    site.link("composed_of", "vip", "r1", active=True).link("composed_of", "vip", "r2", "r3")

    assert site.worse("power_off", "r2", "r3") == {"r2": "down", "r3": "down", "vip": "at_risk"}
    assert site.worse("power_off", "r1") == {"r1": "down", "vip": "degraded"}


def test_a_virtual_machine_of_a_cluster_is_degraded_by_the_server_it_runs_on() -> None:
    site = Site().add("cluster", "c").add("server", "n0", "n1").link("composed_of", "c", "n0", "n1")
    site.add("virtual_machine", "vm", "alone").link("hosted_on", "vm", "c").link("hosted_on", "vm", "n0", active=True)
    site.link("hosted_on", "alone", "n0")

    worse = site.worse("power_off", "n0")

    assert worse == {"n0": "down", "c": "at_risk", "vm": "degraded", "alone": "down"}
    assert site.worse("patch", "n0") == {"n0": "at_risk", "alone": "at_risk"}


def test_a_retired_leg_is_no_leg_and_cuts_k_and_m() -> None:
    site = Site().add("service", "s").add("server", "a", "b", "old").link("depends_on", "s", "a", "b", "old")
    site.group("s", "web", 2, ("a", "b", "old"), full=3).state("old", State.RETIRED)

    assert site.worse("power_off", "a") == {"a": "down", "s": "down"}
    assert site.ask("power_off", "a").counts["cis"] == 3


def test_a_ci_whose_legs_are_all_retired_requires_nothing() -> None:
    site = (
        Site().add("service", "s").add("server", "old", "a").link("depends_on", "s", "old").state("old", State.RETIRED)
    )

    assert site.worse("power_off", "a") == {"a": "down"}


def test_a_missing_ci_is_down_only_if_it_is_said_to_be() -> None:
    site = Site().add("service", "s").add("server", "a", "lost").link("depends_on", "s", "a", "lost")
    site.group("s", "web", 1, ("a", "lost")).state("lost", State.MISSING)

    assert site.worse("power_off", "a") == {"a": "down", "s": "at_risk"}
    assert site.worse("power_off", "a", down=("lost",)) == {"a": "down", "s": "down"}


def test_what_has_no_protection_of_its_own_loses_that_of_what_it_stands_on() -> None:
    site = Site().add("application", "app", "own").add("server", "host").add("tape_library", "tapes", "more")
    site.link("runs_on", "app", "host").link("runs_on", "own", "host").link("backed_up_by", "host", "tapes")
    site.add("database_instance", "db").link("runs_on", "db", "host").link("backed_up_by", "db", "tapes", "more")

    assert site.worse("power_off", "tapes") == {
        "tapes": "down", "host": "unprotected", "app": "unprotected", "own": "unprotected",
    }  # fmt: skip


def test_a_partition_without_its_hmc_is_unmanaged_and_runs_on() -> None:
    site = Site().add("partition", "lpar").add("management_controller", "hmc1", "hmc2")
    site.link("managed_by", "lpar", "hmc1", "hmc2")

    assert site.worse("power_off", "hmc1") == {"hmc1": "down"}
    assert site.worse("power_off", "hmc1", "hmc2") == {"hmc1": "down", "hmc2": "down", "lpar": "unmanaged"}


def test_a_chain_of_a_thousand_is_followed_to_its_end() -> None:
    site = Site().add("service", *(f"s{number:04}" for number in range(1000)))
    for number in range(999):
        site.link("depends_on", f"s{number:04}", f"s{number + 1:04}")

    answer = evaluate(site.graph, Question(("s0999",), (), "power_off")).answer()

    assert answer.counts["down"] == 1000
    assert max(one.distance or 0 for one in answer.affected) == 999
