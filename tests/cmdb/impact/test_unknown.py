"""Unknown is not unaffected."""

from __future__ import annotations

from datetime import UTC, datetime

from cmdb.impact import Answer
from cmdb.model import State
from tests.cmdb.impact.site import Site


def doubts(answer: Answer) -> dict[str, str]:
    return {one.ci.name: one.reason for one in answer.unknown}


def test_a_section_never_collected_leaves_open_who_leads_to_a_class_that_is_touched() -> None:
    site = Site().add("server", "host").add("application", "app", "other").add("tape_library", "tapes")
    site.link("runs_on", "app", "host").gap("other", runs_on="never logged in", depends_on="never logged in")

    assert doubts(site.ask("power_off", "host")) == {"other": "never logged in (depends_on, runs_on)"}
    assert doubts(site.ask("power_off", "tapes")) == {}


def test_places_power_and_cables_do_not_lead_out_of_a_building() -> None:
    site = Site().add("building", "D01", "D02").add("room", "here", "there").add("power_unit", "ups")
    site.add("server", "near", "far", "anywhere").link("located_in", "here", "D01").link("located_in", "there", "D02")
    site.link("located_in", "ups", "here").link("located_in", "near", "here").link("located_in", "far", "there")
    for name in ("near", "far", "anywhere"):
        site.gap(name, powered_by="never declared")

    assert doubts(site.ask("power_off", "ups")) == {
        "anywhere": "never declared (powered_by)",
        "near": "never declared (powered_by)",
    }


def test_a_missing_ci_is_unknown_unless_it_is_assumed_down() -> None:
    site = Site().add("server", "a", "lost").state("lost", State.MISSING)
    since = Site().add("server", "a", "lost").state("lost", State.MISSING)
    since._change("lost", missing_since=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))

    assert doubts(site.ask("power_off", "a")) == {"lost": "missing"}
    assert doubts(since.ask("power_off", "a")) == {"lost": "missing since 2026-01-02 03:04 UTC"}
    assert doubts(site.ask("power_off", "a", down=("lost",))) == {}


def test_who_is_connected_to_nothing_is_unknown_where_the_network_is_in_question() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("server", "linked", "loose").add("service", "shop")
    site.cable("linked", "core")

    reason = "no cable that is known connects it to a gateway"
    assert doubts(site.ask("patch", "core")) == {"loose": reason}
    assert doubts(site.ask("disconnect", relations=("connects_to:linked..core",))) == {"loose": reason}
    assert doubts(site.ask("patch", "shop")) == {}


def test_who_needs_what_is_unknown_is_unknown_with_the_affected_left_out() -> None:
    site = Site().add("server", "a", "b", "lost").add("service", "all", "any", "hit").state("lost", State.MISSING)
    site.link("depends_on", "all", "b", "lost").link("depends_on", "any", "b", "lost")
    site.link("depends_on", "hit", "a", "lost").group("any", "web", 1, ("b", "lost"))

    answer = site.ask("power_off", "a")

    assert {one.ci.name for one in answer.affected} == {"a", "hit"}
    assert doubts(answer) == {"lost": "missing", "all": "depends_on: lost is unknown"}
    assert answer.unknown_because == {"leans on what is unknown": 1, "missing": 1}
    assert answer.counts["unaffected"] == 2


def test_an_assumed_redundancy_is_said() -> None:
    site = Site().add("process", "web").add("server", "a", "b")
    site.link("depends_on", "web", "a", "b", assumed=True)

    answer = site.ask("power_off", "a")

    assert answer.notes == ("some reasons hang on an assumed redundancy: connections were seen, no group was declared",)
    because = answer.as_json()["affected"][1]["because"]
    assert because[0]["assumed"] is True
    assert because[0]["legs"][0] == {"id": "a", "name": "a", "class": "server", "state": "down", "assumed": True}
