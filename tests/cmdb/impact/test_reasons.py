"""Why: distances, reasons in their order, first causes, what held, and next failures."""

from __future__ import annotations

from cmdb.impact import Answer, NextFailures, Question
from tests.cmdb.impact.site import Site


def distances(answer: Answer) -> dict[str, int | None]:
    return {one.ci.name: one.distance for one in answer.affected}


def test_the_answer_has_the_shape_that_was_fixed() -> None:
    site = Site().add("service", "shop").add("server", "w1", "w2").link("depends_on", "shop", "w1", "w2")
    site.group("shop", "web", 1, ("w1", "w2"), full=2)

    document = site.ask("power_off", "w1").as_json()

    up = {"availability": "up", "protection": "kept", "management": "kept"}
    assert document == {
        "revision": 7,
        "counts": {
            "cis": 3,
            "affected": 2,
            "unknown": 0,
            "unaffected": 1,
            "services": 1,
            "down": 1,
            "degraded": 1,
            "at_risk": 0,
            "at_risk_own": 0,
            "at_risk_inherited": 0,
            "unprotected": 0,
            "unmanaged": 0,
        },
        "affected": [
            {
                "id": "shop",
                "class": "service",
                "name": "shop",
                **(up | {"availability": "degraded"}),
                "was": up,
                "distance": 1,
                "because": [
                    {
                        "axis": "availability",
                        "kind": "requirement",
                        "text": "depends_on (group web) needs 1 (2 to serve in full) of 2: 1 holds; w1 down",
                        "requirement": "depends_on (group web)",
                        "needs": 1,
                        "full": 2,
                        "holding": 1,
                        "legs": [
                            {"id": "w1", "name": "w1", "class": "server", "state": "down"},
                            {"id": "w2", "name": "w2", "class": "server", "state": "up"},
                        ],
                        "distance": 1,
                        "first_cause": {"id": "w1", "name": "w1"},
                    }
                ],
            },
            {
                "id": "w1",
                "class": "server",
                "name": "w1",
                **(up | {"availability": "down"}),
                "was": up,
                "distance": 0,
                "because": [
                    {
                        "axis": "availability",
                        "kind": "target",
                        "text": "the change itself",
                        "distance": 0,
                        "first_cause": {"id": "w1", "name": "w1"},
                    }
                ],
            },
        ],
        "unknown": [],
        "unknown_because": {},
        "notes": [],
    }


def test_the_distance_is_that_of_the_shortest_chain_of_causes() -> None:
    site = Site().add("server", "host").add("operating_system", "os").add("application", "app").add("service", "shop")
    site.link("runs_on", "os", "host").link("runs_on", "app", "os").link("depends_on", "shop", "app", "host")

    assert distances(site.ask("power_off", "host")) == {"host": 0, "os": 1, "app": 2, "shop": 1}


def test_a_relation_that_is_taken_out_is_itself_a_link_of_the_chain() -> None:
    site = Site().add("network_switch", "core", gateway=True).add("network_switch", "sw").add("server", "host")
    site.add("application", "app").cable("sw", "core").cable("host", "sw").link("runs_on", "app", "host")

    answer = site.ask("disconnect", relations=("connects_to:sw..core",))

    assert distances(answer) == {"sw": 1, "host": 2, "app": 3}
    first = answer.affected[0].because[0]
    assert (first.text, first.first_cause) == (
        "cut off from all gateways by connects_to:sw..core",
        ("connects_to:sw..core", "connects_to:sw..core"),
    )


def test_what_lies_between_a_lost_way_and_who_is_at_risk_counts() -> None:
    site = Site().add("router", "gw", gateway=True).add("network_switch", "s1", "s2", "s3").add("server", "host")
    site.cable("gw", "s1", "s3").cable("s1", "s2").cable("s2", "s3").cable("host", "s2")

    answer = site.ask("disconnect", relations=("connects_to:gw..s1",))

    assert distances(answer) == {"s1": 1, "s2": 2, "s3": 3, "host": 3}
    assert {one.ci.name: one.own for one in answer.affected} == {"s1": True, "s2": True, "s3": True, "host": False}


def test_ties_are_broken_by_distance_then_name_then_id() -> None:
    site = Site().add("service", "shop").add("server", "b", "a").link("depends_on", "shop", "b", "a")

    answer = site.ask("power_off", "b", "a")

    assert [one.ci.name for one in answer.affected] == ["shop", "a", "b"]
    assert answer.affected[0].because[0].first_cause == ("a", "a")


def test_a_leg_that_is_up_but_without_a_path_says_so() -> None:
    site = Site().add("server", "host").add("fc_switch", "a").add("storage", "array").add("volume", "vol")
    site.cable("host", "a", medium="fc").cable("array", "a", medium="fc")
    site.link("part_of", "vol", "array").link("stored_on", "host", "vol", medium="fc")

    answer = site.ask("disconnect", relations=("connects_to:array..a",))

    (host,) = answer.affected
    assert host.because[0].text == "stored_on needs 1 of 1: 0 hold; vol no path"
    assert host.distance == 2


def test_what_was_not_affected_says_what_held_and_by_how_much() -> None:
    site = Site().add("service", "shop").add("server", "a", "b", "c").link("depends_on", "shop", "a", "b", "c")
    site.group("shop", "web", 1, ("a", "b", "c"))

    (reason,) = site.evaluation(Question(("a",), (), "power_off")).why("shop").because

    assert reason.text == "depends_on (group web) needs 1 of 3: 2 hold; a down; 1 to spare"


def _two_feeds() -> Site:
    site = Site().add("server", "host").add("power_unit", "pdu1", "pdu2", "ups1", "ups2").add("printer", "aside")
    site.link("powered_by", "host", "pdu1", "pdu2").link("powered_by", "pdu1", "ups1")
    return site.link("powered_by", "pdu2", "ups2")


def test_next_failures_are_what_one_more_of_would_take_it_down() -> None:
    asked = Question(("pdu1",), (), "power_off")

    found = _two_feeds().evaluation(asked).next_failures("host")

    assert found == NextFailures("host", ("pdu2", "ups2"), (), complete=True)


def test_next_failures_count_cables_and_common_causes() -> None:
    site = Site().add("router", "gw", gateway=True).add("network_switch", "s1", "s2").add("server", "host")
    site.cable("s1", "gw").cable("s2", "gw").cable("host", "s1", "s2")

    found = site.evaluation(Question(("s1",), (), "power_off")).next_failures("host")

    assert found == NextFailures("host", ("s2",), ("connects_to:host..s2", "connects_to:s2..gw"), complete=True)


def test_next_failures_say_when_time_cut_them_short() -> None:
    evaluation = _two_feeds().evaluation(Question(("pdu1",), (), "power_off"))

    found = evaluation.next_failures("host", enough=lambda: True)

    assert found == NextFailures("host", (), (), complete=False)
