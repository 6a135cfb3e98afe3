"""The table of kinds: what each sets, and what is refused."""

from __future__ import annotations

import pytest

from cmdb.impact import KINDS
from cmdb.model import ModelError, State
from tests.cmdb.impact.site import Site, worse


def _site() -> Site:
    site = Site().add("network_switch", "core", gateway=True).add("server", "host", "other").add("application", "app")
    site.add("room", "room").cable("host", "core").cable("other", "core").link("located_in", "host", "room")
    return site.link("runs_on", "app", "host")


@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        ("power_off", {"host": "down", "app": "down"}),
        ("remove", {"host": "down", "app": "down"}),
        ("reboot", {"host": "down", "app": "down"}),
        ("disconnect", {"host": "down", "app": "down"}),
        ("configure", {"host": "at_risk", "app": "at_risk"}),
        ("patch", {"host": "at_risk", "app": "at_risk"}),
    ],
)
def test_a_kind_sets_the_state_of_a_ci(kind: str, levels: dict[str, str]) -> None:
    assert _site().worse(kind, "host") == levels


@pytest.mark.parametrize(
    ("kind", "levels"),
    [
        ("power_off", {"host": "down", "app": "down"}),
        ("remove", {"host": "down", "app": "down"}),
        ("disconnect", {"host": "down", "app": "down"}),
        ("configure", {"host": "at_risk", "app": "at_risk", "core": "at_risk", "other": "at_risk"}),
        ("patch", {"host": "at_risk", "app": "at_risk", "core": "at_risk", "other": "at_risk"}),
    ],
)
def test_a_kind_takes_a_cable_out_or_puts_both_its_ends_at_risk(kind: str, levels: dict[str, str]) -> None:
    assert _site().worse(kind, relations=("connects_to:host..core",)) == levels


def test_configuring_a_relation_puts_its_source_at_risk() -> None:
    assert _site().worse("configure", relations=("runs_on:app..host",)) == {"app": "at_risk"}


def test_a_patch_that_restarts_is_a_reboot_and_both_are_temporary() -> None:
    site = _site()

    answer = site.ask("patch", "host", restarts=True)

    assert worse(answer) == {"host": "down", "app": "down"}
    assert answer.temporary
    assert answer.as_json()["temporary"] is True
    assert site.ask("reboot", "host").temporary
    assert "temporary" not in site.ask("patch", "host").as_json()


def test_disconnecting_what_has_no_cable_is_a_question_with_an_empty_answer() -> None:
    assert _site().worse("disconnect", "app") == {}


def test_what_was_bad_already_is_not_listed_but_what_gets_worse_is() -> None:
    site = Site().add("service", "shop").add("server", "a", "b").link("depends_on", "shop", "a", "b")
    site.group("shop", "web", 1, ("a", "b"))

    answer = site.ask("power_off", "b", down=("a",))

    assert worse(answer) == {"b": "down", "shop": "down"}
    assert {one.ci.name: one.was.availability for one in answer.affected} == {"b": "up", "shop": "at_risk"}


@pytest.mark.parametrize(
    ("kind", "targets", "relations", "message"),
    [
        ("explode", ("host",), (), f"unknown kind of change 'explode'; known: {', '.join(KINDS)}"),
        ("patch", (), (), "the question has no target: name at least one CI, cable or other relation to change"),
        ("patch", ("room",), (), r"target room \(room\): a room takes power_off or remove only, not patch"),
        ("disconnect", ("room",), (), r"target room \(room\): a room takes power_off or remove only, not disconnect"),
        ("reboot", ("host",), ("runs_on:app..host",), "a relation cannot be rebooted; reboot needs a CI"),
        ("patch", ("nobody",), (), "target nobody: no such CI in the graph"),
        ("patch", (), ("nothing",), "target nothing: no such relation in the graph"),
        ("patch", ("old",), (), "target old: this CI is retired, it is no part of the graph any more"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(
    kind: str, targets: tuple[str, ...], relations: tuple[str, ...], message: str
) -> None:
    site = _site().add("server", "old").state("old", State.RETIRED)

    with pytest.raises(ModelError, match=message):
        site.ask(kind, *targets, relations=relations)


def test_what_is_assumed_down_must_be_in_the_graph() -> None:
    with pytest.raises(ModelError, match="assumed down nobody: no such CI in the graph"):
        _site().ask("patch", "host", down=("nobody",))


@pytest.mark.parametrize("kind", ["power_off", "remove"])
def test_a_place_takes_down_what_stands_in_it(kind: str) -> None:
    assert _site().worse(kind, "room") == {"room": "down", "host": "down", "app": "down"}
