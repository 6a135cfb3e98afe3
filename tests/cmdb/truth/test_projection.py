"""What is true now: whose value wins, what a section takes back, cables, places, groups, gaps, absence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cmdb.model import Component, GroupClaim, RelationClaim, Report, Section, State, Statement, Subject, Value
from cmdb.rules import Rules
from tests.cmdb.truth.saying import (
    DENIED,
    FULL,
    ITSELF,
    PARTIAL,
    Event,
    at,
    described,
    edges,
    estate,
    graph_of,
    ids,
    in_every_order,
    interfaces,
    mac,
    named,
    neighbours,
    problem_kinds,
    report,
    run,
    system,
    thing,
    told,
)

_KEY = "SHA256:" + "k" * 43


def switch(number: int, name: str) -> Subject:
    return Subject("network_switch", ids(mac=mac(number)), name)


# Attributes


def test_a_declared_value_beats_ssh_and_ssh_beats_snmp_whatever_is_newer() -> None:
    values = [
        {"vendor": "declared"},
        {"vendor": "ssh", "model": "ssh"},
        {"vendor": "snmp", "model": "snmp", "version": "1"},
    ]
    graph = in_every_order(
        [
            estate(1, thing("server", "h", serial="S1"), values={"h": values[0]}),
            report("10.0.0.1", 2, system(2, name="h", kind="ssh", serial="S1", values=values[1]),
                   system(9, name="h", serial="S1", values=values[2])),
        ]
    )  # fmt: skip

    assert named(graph, "h").attributes == {"vendor": "declared", "model": "ssh", "version": "1"}


def test_a_site_may_trust_others_for_an_attribute() -> None:
    events = [
        report("10.0.0.1", 1, system(1, name="h", kind="ssh", serial="S1", values={"model": "a"}),
               system(1, name="h", serial="S1", values={"model": "z"}))
    ]  # fmt: skip

    graph = graph_of(events, Rules(trust={"device.model": ("snmp", "ssh")}))

    assert named(graph, "h").attributes == {"model": "z"}


def test_a_stale_value_gives_way_and_still_counts_where_there_is_no_other() -> None:
    rules = Rules(staleness={"ssh": timedelta(minutes=10)})
    events = [
        report("10.0.0.1", 1, system(1, name="h", kind="ssh", serial="S1", values={"model": "ssh", "version": "1"}),
               system(1, name="h", serial="S1", values={"model": "snmp"}))
    ]  # fmt: skip

    fresh, stale = graph_of(events, rules, now=11), graph_of(events, rules, now=12)

    assert named(fresh, "h").attributes == {"model": "ssh", "version": "1"}
    assert named(stale, "h").attributes == {"model": "snmp", "version": "1"}


def test_of_equally_trusted_values_the_one_that_more_say_wins_then_the_smaller() -> None:
    def said(number: int, value: Value) -> Event:
        return report(f"10.0.0.{number}", number, system(number, name="h", serial="S1", values={"model": value}))

    two_to_one = in_every_order([said(1, "a"), said(2, "b"), said(3, "b")])
    even = in_every_order(
        [said(1, "b"), said(2, "a"), said(3, 5), said(4, ("x",)), said(5, datetime(2026, 1, 1, tzinfo=UTC))]
    )

    assert named(two_to_one, "h").attributes == {"model": "b"}
    assert named(even, "h").attributes == {"model": datetime(2026, 1, 1, tzinfo=UTC)}, "types sort by their names"


def test_an_empty_reply_erases_no_attribute_of_another_section() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="h", serial="S1", values={"model": "m"}), interfaces(1, 1)),
            report("10.0.0.1", 2, interfaces(2, 1)),
        ]
    )

    assert named(graph, "h").attributes == {"model": "m"}


def test_the_class_of_trust_wins_over_an_unknown_device_always() -> None:
    unknown = report("10.0.0.1", 1, system(1, "unknown_device", "x", mac=mac(1)))
    cable = neighbours(2, ("eth0", switch(1, "x"), "1"))

    graph = in_every_order([unknown, report("10.0.0.2", 2, system(2, name="h", serial="S2"), cable)])

    assert named(graph, "x").cls == "network_switch"


@pytest.mark.parametrize(
    ("sections", "name"),
    [
        ((system(1, values={"label": "D010210-009"}),), "D010210-009"),
        ((system(1, serial="S1"),), "10.0.0.1"),
    ],
    ids=["by its label", "by its address"],
)
def test_a_thing_without_a_name_is_called(sections: tuple[Section, ...], name: str) -> None:
    assert [ci.name for ci in graph_of([report("10.0.0.1", 1, *sections)]).cis.values()] == [name]


# Sections


def test_only_a_full_section_takes_back_what_its_address_said() -> None:
    full = report("10.0.0.1", 1, system(1, name="h", serial="S1"), interfaces(1, 1, 2))
    partial = report("10.0.0.1", 2, interfaces(2, 2, 3, completeness=PARTIAL))
    again = report("10.0.0.1", 3, interfaces(3, 2))

    kept, replaced = in_every_order([full, partial]), in_every_order([full, partial, again])

    assert [part.name for part in named(kept, "h").components] == ["eth1", "eth2", "eth3"]
    assert [part.name for part in named(replaced, "h").components] == ["eth2"]


def test_another_address_of_the_same_machine_takes_nothing_back() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="h", serial="S1"), interfaces(1, 1, 2)),
            report("10.0.0.2", 2, system(2, name="h", serial="S1"), interfaces(2, 2, 3)),
        ]
    )

    assert [part.name for part in named(graph, "h").components] == ["eth1", "eth2", "eth3"]


def test_what_was_past_gives_way_to_what_another_address_said_after() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="h", serial="S1"), interfaces(1, 1, 2)),
            run(1, 2, "10.0.0.1/32"),
            report("10.0.0.2", 3, system(3, name="h", serial="S1"), interfaces(3, 2, 3)),
        ],
        Rules(missing_after=1),
    )

    assert [part.name for part in named(graph, "h").components] == ["eth2", "eth3"]


# Cables


def test_a_cable_that_both_ends_tell_is_one_and_has_the_ports_names() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, "network_switch", "a", serial="A"), interfaces(1, 1, 2),
                   neighbours(1, ("eth1", switch(11, "b"), mac(11)))),
            report("10.0.0.2", 2, system(2, "network_switch", "b", serial="B"), interfaces(2, 11, 12),
                   neighbours(2, ("eth11", switch(1, "a"), "1"))),
        ]
    )  # fmt: skip

    expected = (("from_port", "eth1"), ("medium", "ethernet"), ("to_port", "eth11"))
    assert edges(graph) == {("connects_to", "a", "b", expected)}


def test_two_parallel_cables_are_two_and_one_side_alone_is_one_sided() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, "network_switch", "a", serial="A"), interfaces(1, 1, 2),
               neighbours(1, ("eth1", switch(11, "b"), "eth11"), ("eth2", switch(11, "b"), "eth12"))),
        report("10.0.0.2", 2, system(2, "network_switch", "b", serial="B"), interfaces(2, 11, 12),
               neighbours(2, ("eth11", switch(1, "a"), "eth1"))),
    ]  # fmt: skip

    graph = in_every_order(events)

    assert edges(graph) == {
        ("connects_to", "a", "b", (("from_port", "eth1"), ("medium", "ethernet"), ("to_port", "eth11"))),
        ("connects_to", "a", "b",
         (("from_port", "eth2"), ("medium", "ethernet"), ("one_sided", True), ("to_port", "eth12"))),
    }  # fmt: skip
    assert problem_kinds(events, now=10) == ["one_sided_cable"]


def test_a_cable_told_without_its_far_port_is_the_one_in_the_near_port() -> None:
    def cable(time: float, *claims: RelationClaim) -> Section:
        return Section("snmp.lldp", at(time), FULL, (), claims)

    near = RelationClaim("connects_to", ITSELF, switch(11, "b"), {"from_port": "eth1"})
    ends = thing("network_switch", "b"), thing("network_switch", "a")
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, "network_switch", "a", serial="A"), interfaces(1, 1), cable(1, near)),
            report("10.0.0.2", 2, system(2, "network_switch", "b", serial="B"), interfaces(2, 11),
                   neighbours(2, ("eth11", switch(1, "a"), "eth1"))),
            estate(3, *ends, relations=[RelationClaim("connects_to", *ends)]),
        ]
    )  # fmt: skip

    expected = (("from_port", "eth1"), ("medium", "ethernet"), ("to_port", "eth11"))
    assert edges(graph) == {("connects_to", "a", "b", expected)}


def test_declared_cables_without_ports_are_one_and_never_one_sided() -> None:
    ends = (thing("network_switch", "a"), thing("network_switch", "b"))
    graph = in_every_order(
        [
            estate(1, *ends, relations=[RelationClaim("connects_to", *ends)]),
            estate(2, *ends, relations=[RelationClaim("connects_to", ends[1], ends[0])], name="second"),
        ]
    )

    assert edges(graph) == {("connects_to", "a", "b", ())}


def test_a_management_port_marks_its_end_of_the_cable() -> None:
    port = Component("interface", "mgmt0", {"management": True})
    said = Section(
        "snmp.interfaces", at(1), FULL, (Statement(Subject(identifiers=ids(mac=mac(1)), itself=True), {}, (port,)),)
    )
    graph = graph_of(
        [report("10.0.0.1", 1, system(1, "storage", "s", serial="S"), said,
                neighbours(1, ("mgmt0", switch(9, "zz"), "7")))]
    )  # fmt: skip

    expected = (
        ("from_management", True),
        ("from_port", "mgmt0"),
        ("medium", "ethernet"),
        ("one_sided", True),
        ("to_port", "7"),
    )
    assert edges(graph) == {("connects_to", "s", "zz", expected)}


def test_a_relation_that_the_tables_do_not_allow_is_a_problem_and_a_loop_is_nothing() -> None:
    ends = (thing("service", "shop"), thing("room", "D010210"))
    relations = [RelationClaim("powered_by", *ends), RelationClaim("depends_on", ends[0], ends[0])]
    events: list[Event] = [estate(1, *ends, relations=relations)]

    assert edges(graph_of(events)) == set()
    assert problem_kinds(events) == ["relation_unfit"]


# Places and groups


def test_a_label_says_in_which_declared_room_a_device_stands() -> None:
    events: list[Event] = [
        estate(1, thing("room", "D010210")),
        report("10.0.0.1", 2, system(2, name="h", serial="S1", values={"label": "D010210-009"})),
        report("10.0.0.2", 3, system(3, name="i", serial="S2", values={"label": "D990210-001"})),
    ]

    graph = in_every_order(events)

    assert edges(graph) == {("located_in", "h", "D010210", ())}
    assert (named(graph, "h").label, named(graph, "h").attributes) == ("D010210-009", {})
    assert problem_kinds(events) == ["unknown_room"]


def test_a_group_is_a_part_of_its_ci_with_its_legs() -> None:
    ends = [thing("service", "shop"), thing("application", "a"), thing("application", "b")]
    section = Section(
        "declared", at(1), FULL, tuple(Statement(one) for one in ends),
        tuple(RelationClaim("depends_on", ends[0], end) for end in ends[1:]),
        (GroupClaim(ends[0], "web", 1, (ends[1], ends[2]), full=2, active=ends[2]),),
    )  # fmt: skip
    graph = graph_of([Report("declared:estate", at(1), (section,))])

    a, b = named(graph, "a").id, named(graph, "b").id
    values: dict[str, Value] = {"type": "depends_on", "needs": 1, "full": 2, "legs": (a, b), "active": b}
    assert named(graph, "shop").components == (Component("group", "web", values),)


def test_what_is_declared_is_not_assumed() -> None:
    ends = (Subject("process", owner=ITSELF, key="p", name="p"), Subject(name="db"))
    seen = Section(
        "ssh.connections", at(1), FULL, (), (RelationClaim("depends_on", *ends, {"port": 1, "assumed": True}),)
    )
    host = report("10.0.0.1", 1, system(1, name="h", serial="S1"), seen)
    process = Subject("process", owner=Subject(identifiers=ids(serial="S1")), key="p")
    known = [estate(2, thing("database", "db"))]
    said = estate(
        3, relations=[RelationClaim("depends_on", process, thing("database", "db"), {"port": 1})], name="more"
    )

    assumed = (("assumed", True), ("port", 1))
    assert edges(in_every_order([host, *known])) == {("depends_on", "p", "db", assumed)}
    assert edges(in_every_order([host, *known, said])) == {("depends_on", "p", "db", (("port", 1),))}


# Gaps


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (Section("ssh.lldp", at(1), FULL), None),
        (Section("ssh.lldp", at(1), DENIED), "section ssh.lldp denied"),
        (Section("ssh.lldp", at(1), PARTIAL), "section ssh.lldp partial"),
        (Section("ssh.disks", at(1), FULL), "never collected"),
    ],
)
def test_what_was_not_collected_of_a_scanned_thing_has_a_reason(section: Section, reason: str | None) -> None:
    rules = Rules(scanned=frozenset({"server"}))

    graph = graph_of([report("10.0.0.1", 1, system(1, name="h", serial="S1"), section)], rules, now=2)

    assert named(graph, "h").gaps.get("connects_to") == reason


def test_a_section_that_was_not_confirmed_for_long_is_stale() -> None:
    rules = Rules(scanned=frozenset({"server"}), staleness={"ssh": timedelta(days=1)})
    events = [report("10.0.0.1", 1, system(1, name="h", serial="S1"), Section("ssh.lldp", at(1), FULL))]

    assert named(graph_of(events, rules, now=60 * 24 * 2), "h").gaps["connects_to"] == "stale since 2026-03-02"


def test_what_is_declared_counts_as_collected_and_so_does_a_class_that_nobody_scans() -> None:
    rules = Rules(scanned=frozenset({"server"}))
    ends = (thing("server", "h"), thing("power_unit", "ups"), thing("service", "shop"))
    graph = graph_of([estate(1, *ends, relations=[RelationClaim("powered_by", *ends[:2])])], rules)

    assert (named(graph, "ups").gaps, named(graph, "shop").gaps) == ({}, {})
    assert "powered_by" not in named(graph, "h").gaps
    assert named(graph, "h").gaps["located_in"] == "never collected"


# Absence


def test_who_does_not_answer_enough_complete_scans_is_missing_with_all_that_runs_in_it() -> None:
    running = Subject("operating_system", owner=ITSELF, key="os", name="linux")
    inside = Section("ssh.system", at(1), FULL, (Statement(running),))
    host = report("10.0.0.1", 1, system(1, name="h", serial="S1"), inside, run="run-0")
    runs = [run(0, 1.5), run(1, 2), run(2, 3), run(3, 4, complete=False), run(4, 5, "10.9.0.0/16")]

    answering, missing = in_every_order([host, *runs], now=60), in_every_order([host, *runs, run(5, 6)], now=60)

    assert described(answering) == {("server", "h", "present"), ("operating_system", "linux", "present")}
    assert described(missing) == {("server", "h", "missing"), ("operating_system", "linux", "missing")}
    assert named(missing, "h").missing_since == at(6)


def test_who_is_missing_longer_than_its_class_allows_is_retired_and_its_relations_go() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="h", serial="S1"), neighbours(1, ("eth0", switch(9, "sw"), "1"))),
        *(run(number, 1 + number) for number in (1, 2, 3)),
    ]
    rules = Rules(retired_days={"device": 1})

    graph = graph_of(events, rules, now=60 * 24 * 2)

    assert (named(graph, "h").state, edges(graph)) == (State.RETIRED, set())


def test_who_answers_again_is_present_again() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="h", serial="S1")),
        *(run(number, 1 + number) for number in (1, 2, 3)),
        report("10.0.0.1", 9, system(9, name="h", serial="S1")),
    ]

    assert described(in_every_order(events, now=60)) == {("server", "h", "present")}


def test_a_source_that_says_it_no_more_leaves_a_retired_thing() -> None:
    events = [estate(1, thing("server", "a"), thing("server", "b")), estate(2, thing("server", "a"))]

    assert described(in_every_order(events)) == {("server", "a", "present")}
    assert told(events)[1].problems == ()
