"""What an estate file declares, and what is said when it cannot be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cmdb.declare import read_document, read_estate
from cmdb.model import (
    CI,
    Completeness,
    Component,
    Graph,
    GroupClaim,
    Identifier,
    ModelError,
    Relation,
    RelationClaim,
    Report,
    Section,
    State,
    Statement,
    Subject,
    Value,
)

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
NOTHING = Graph(0, {}, {})
_CLONED = "11111111-2222-3333-4444-555555555555"


def _ids(**identifiers: str) -> frozenset[Identifier]:
    return frozenset(Identifier(scheme, value) for scheme, value in identifiers.items())


_KNOWN = (
    CI("ci-1", "server", "default", "web1", identifiers=_ids(serial="CZ3A", mac="00:1b:21:00:00:01")),
    CI("ci-2", "operating_system", "default", "Debian on web1", owner="ci-1", key="os"),
    CI("ci-3", "management_controller", "default", "bmc1", identifiers=_ids(serial="CZ3A")),
    CI("ci-4", "service", "default", "Shop"),
    CI("ci-5", "server", "default", "gone", state=State.RETIRED),
    CI("ci-6", "server", "default", "twin"),
    CI("ci-7", "service", "default", "twin"),
    CI("ci-8", "server", "default", "clone1", identifiers=_ids(uuid=_CLONED, mac="00:1b:21:00:00:08")),
    CI("ci-9", "server", "default", "clone2", identifiers=_ids(uuid=_CLONED)),
)
KNOWN = Graph(5, {ci.id: ci for ci in _KNOWN}, {"r-1": Relation("r-1", "depends_on", "ci-4", "ci-1")})


def named(cls: str, name: str, **identifiers: str) -> Subject:
    return Subject(
        cls=cls,
        name=name,
        identifiers=_ids(**identifiers),
        declared=True,
    )


def section(text: str, known: Graph = NOTHING) -> Section:
    return read_estate(text, "estate.yaml", known, NOW).report.sections[0]


def problems(text: str, known: Graph = NOTHING) -> str:
    with pytest.raises(ModelError) as refused:
        read_estate(text, "estate.yaml", known, NOW)
    return str(refused.value)


def test_a_file_becomes_one_full_section_of_what_it_declares() -> None:
    estate = read_estate(
        """
        cis:
          - {class: service, name: Shop, sla: gold}
          - class: server
            name: web1
            label: d010210-001
            serial: 0042
            mac: [00:1B:21:00:00:01, 001b.2100.0002]
            address: 10.0.0.1
            memory: 17179869184
          - {class: network_switch, name: sw1, gateway: true}
        relations:
          - {type: depends_on, from: Shop, to: "0042", port: 80}
          - {type: connects_to, from: web1, to: sw1, from_port: eth0, to_port: 1, from_management: yes}
        groups:
          - {of: Shop, name: web, needs: 1, legs: [web1]}
        rooms:
          - {label: D010210, door: south, grid: ["..#", "..."]}
        """,
        "estate.yaml",
        NOTHING,
        NOW,
    )

    shop, switch = named("service", "Shop"), named("network_switch", "sw1")
    web = Subject(
        cls="server",
        name="web1",
        identifiers=frozenset(
            {
                Identifier("serial", "0042"),
                Identifier("mac", "00:1b:21:00:00:01"),
                Identifier("mac", "00:1b:21:00:00:02"),
            }
        ),
        declared=True,
    )
    room, floor, building = named("room", "D010210"), named("floor", "D0102"), named("building", "D01")
    cable: dict[str, Value] = {"from_port": "eth0", "to_port": "1", "from_management": True}
    assert estate.warnings == ()
    assert estate.report == Report(
        source="declared:estate.yaml",
        time=NOW,
        sections=(
            Section(
                "declared",
                NOW,
                Completeness.FULL,
                statements=(
                    Statement(shop, {"sla": "gold"}),
                    Statement(
                        web,
                        {"label": "D010210-001", "memory": 17179869184},
                        (Component("address", "10.0.0.1", {"address": "10.0.0.1"}),),
                    ),
                    Statement(switch, {"gateway": True}),
                    Statement(room, {"grid": ("..#", "..."), "door": "south"}),
                    Statement(floor),
                    Statement(building),
                ),
                relations=(
                    RelationClaim("depends_on", shop, web, {"port": 80}),
                    RelationClaim("connects_to", web, switch, cable),
                    RelationClaim("located_in", room, floor),
                    RelationClaim("located_in", floor, building),
                ),
                groups=(GroupClaim(shop, "web", 1, (web,)),),
            ),
        ),
    )


def test_the_same_comes_as_a_document_through_the_api() -> None:
    document = {
        "cis": [{"class": "service", "name": "Größe 目", "audience": "all"}, {"class": "server", "name": "web1"}],
        "relations": [{"type": "depends_on", "from": "Größe 目", "to": "web1", "port": 80}],
    }

    said = read_document(document, "api", NOTHING, NOW).report

    service = named("service", "Größe 目")
    assert said.source == "declared:api"
    assert said.sections[0].statements[0] == Statement(service, {"audience": "all"})
    assert said.sections[0].relations == (RelationClaim("depends_on", service, named("server", "web1"), {"port": 80}),)


@pytest.mark.parametrize(
    ("reference", "subject"),
    [
        ("web1", Subject(identifiers=frozenset({Identifier("mac", "00:1b:21:00:00:01")}))),
        ("00-1B-21-00-00-01", Subject(identifiers=frozenset({Identifier("mac", "00:1b:21:00:00:01")}))),
        ("clone1", Subject(identifiers=frozenset({Identifier("mac", "00:1b:21:00:00:08")}))),
        ("clone2", named("server", "clone2")),
        (
            "Debian on web1",
            Subject(
                cls="operating_system",
                owner=Subject(identifiers=frozenset({Identifier("mac", "00:1b:21:00:00:01")})),
                key="os",
            ),
        ),
    ],
)
def test_a_known_ci_is_named_by_its_strongest_identifier_that_no_other_has(reference: str, subject: Subject) -> None:
    text = f"""
        cis: [{{class: service, name: Mail}}]
        relations: [{{type: depends_on, from: Mail, to: {reference}}}]
    """

    said = section(text, KNOWN)

    assert said.relations == (RelationClaim("depends_on", named("service", "Mail"), subject),)


def test_a_reference_means_the_ci_of_the_file_before_one_that_is_known() -> None:
    said = section(
        """
        cis: [{class: service, name: Mail}, {class: application, name: web1}]
        relations: [{type: depends_on, from: Mail, to: web1}]
        """,
        KNOWN,
    )

    assert said.relations == (RelationClaim("depends_on", named("service", "Mail"), named("application", "web1")),)


def test_a_reference_to_a_known_ci_that_the_file_describes_means_its_entry() -> None:
    said = section(
        """
        cis: [{class: service, name: Mail}, {class: server, name: web1, contact: Ada}]
        relations: [{type: depends_on, from: Mail, to: 001b.2100.0001}]
        groups: [{of: Mail, name: one, needs: 1, legs: [web1]}]
        """,
        KNOWN,
    )

    web = named("server", "web1")
    assert said.relations == (RelationClaim("depends_on", named("service", "Mail"), web),)
    assert said.groups == (GroupClaim(named("service", "Mail"), "one", 1, (web,)),)


def test_a_group_may_stand_on_a_relation_that_is_known_already() -> None:
    said = section("groups: [{of: Shop, name: web, needs: 1, legs: [web1]}]", KNOWN)

    web = Subject(identifiers=frozenset({Identifier("mac", "00:1b:21:00:00:01")}))
    assert said.groups == (GroupClaim(named("service", "Shop"), "web", 1, (web,)),)


def test_groups_nest_and_have_an_active_leg() -> None:
    said = section(
        """
        cis: [{class: service, name: s}, {class: server, name: a}, {class: server, name: b}, {class: server, name: c}]
        relations:
          - {type: depends_on, from: s, to: a}
          - {type: depends_on, from: s, to: b}
          - {type: depends_on, from: s, to: c}
        groups:
          - {of: s, name: all, needs: 1, full: 2, active: pair, legs: [{group: pair}, c]}
          - {of: s, name: pair, needs: 2, active: b, legs: [a, b]}
        """
    )

    service, (a, b, c) = named("service", "s"), (named("server", name) for name in "abc")
    assert said.groups == (
        GroupClaim(service, "all", 1, ("pair", c), full=2, active="pair"),
        GroupClaim(service, "pair", 2, (a, b), active=b),
    )


def test_an_entry_may_be_said_in_parts_that_do_not_contradict() -> None:
    said = section(
        """
        cis:
          - {class: server, name: web1, serial: A1}
          - {class: server, name: web1, vendor: Acme}
          - {class: network_switch, name: sw1}
        relations:
          - {type: connects_to, from: web1, to: sw1, from_port: eth0, to_port: Gi1}
          - {type: connects_to, from: sw1, to: web1, from_port: Gi1, to_port: eth0, to_management: true}
        """
    )

    web, switch = named("server", "web1", serial="A1"), named("network_switch", "sw1")
    assert said.statements == (Statement(web, {"vendor": "Acme"}), Statement(switch))
    cable: dict[str, Value] = {"from_port": "eth0", "to_port": "Gi1", "from_management": True}
    assert said.relations == (RelationClaim("connects_to", web, switch, cable),)


def test_parallel_cables_are_two_relations() -> None:
    said = section(
        """
        cis: [{class: network_switch, name: a}, {class: network_switch, name: b}]
        relations:
          - {type: connects_to, from: a, to: b, from_port: "1", to_port: "1"}
          - {type: connects_to, from: a, to: b, from_port: "2", to_port: "2"}
        """
    )

    assert [claim.columns["from_port"] for claim in said.relations] == ["1", "2"]


def test_own_attributes_are_kept_with_a_warning_that_names_near_misses() -> None:
    estate = read_estate(
        "cis: [{class: server, name: web1, vedor: Acme, bought: 2020-01-01, racks: [1, 2], ratio: 0.5, hot: no}]",
        "estate.yaml",
        NOTHING,
        NOW,
    )

    assert estate.report.sections[0].statements[0].attributes == {
        "vedor": "Acme",
        "bought": "2020-01-01",
        "racks": (1, 2),
        "ratio": 0.5,
        "hot": False,
    }
    assert estate.warnings[0] == (
        "estate.yaml:1: cis[0], vedor: a server has no attribute 'vedor': it is kept as one of your own; "
        "did you mean vendor?"
    )
    assert len(estate.warnings) == 5


def test_a_placeholder_identifies_nothing_and_is_a_warning() -> None:
    text = "cis: [{class: server, name: web1, serial: Default string}]"

    estate = read_estate(text, "estate.yaml", NOTHING, NOW)

    assert estate.report.sections[0].statements == (Statement(named("server", "web1")),)
    assert estate.warnings == (
        "estate.yaml:1: cis[0], serial: 'DEFAULT STRING' is a placeholder that many things have: it identifies nothing",
    )


def test_a_label_in_a_room_that_nobody_declared_is_a_warning() -> None:
    estate = read_estate("cis: [{class: server, name: web1, label: D010299-001}]", "estate.yaml", NOTHING, NOW)

    assert estate.warnings == (
        "estate.yaml:1: cis[0]: the label D010299-001 names the room D010299, which is not declared: add it to rooms",
    )


_PAIR = "cis: [{class: service, name: s}, {class: server, name: a}, {class: server, name: b}]\n"
_GROUPED = _PAIR + "relations: [{type: depends_on, from: s, to: a}, {type: depends_on, from: s, to: b}]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cis: [", ":2: this is no YAML: did not find expected node content"),
        ("", ": the file is empty; to take back all that it said before, write `cis: []`"),
        ("- a", ":1: an estate has the keys cis, relations, groups, rooms, this is none"),
        ("hosts: []", ":1: unknown key 'hosts'; an estate has cis, relations, groups, rooms"),
        ("cis: 3", ":1: cis: must be a list, each entry behind a hyphen"),
        ("cis: [web1]", ":1: cis[0]: must be an entry with keys, as in {class: server, name: web1}"),
        ("cis:\n- {name: a}", ":2: cis[0]: 'class' is missing"),
        ("cis:\n- {class: server}", ":2: cis[0]: 'name' is missing"),
        ("cis: [{class: server, name: ~}]", ":1: cis[0], name: has no value; leave out what is not known"),
        ("cis: [{class: server, name: a, name: b}]", ":1: cis[0]: the key 'name' is given twice"),
        (
            "cis: [{class: server, name: a, mac: 00:1b}]",
            ":1: cis[0], mac: '00:1b' is no mac, which is written as in 00:1b:21:0a:0b:0c",
        ),
        (
            "cis: [{class: server, name: a, memory: lots}]",
            ":1: cis[0], memory: must be a whole number, not 'lots'",
        ),
        (
            "cis: [{class: server, name: a, label: D01-1}]",
            (":1: cis[0], label: 'D01-1' is not a label: the floor is missing; the pattern is DZZXXXX-YYY, "
            "as in D010210-009 (building D01, floor 02, room 10, machine 009)"),
        ),
        (
            "cis: [{class: server, name: a, serial: [1, 2]}]",
            ":1: cis[0], serial: a thing has one serial, not 2",
        ),
        (
            "cis:\n- {class: server, name: a, vendor: A}\n- {class: server, name: a, vendor: B}",
            ":3: cis[1]: server 'a' is declared twice, in line 2 with vendor 'A' and here with 'B': keep one",
        ),
        (
            "cis:\n- {class: server, name: a, serial: X}\n- {class: server, name: b, serial: x}",
            (":3: cis[1]: server 'b' and server 'a' (line 2) both have the serial X: it can be of one of them "
            "only"),
        ),
        (
            _PAIR + "relations: [{type: hangs_on, from: s, to: a}]",
            (":2: relations[0], type: unknown relation type 'hangs_on'; known: backed_up_by, composed_of, "
            "connects_to, depends_on, documented_by, hosted_on, instance_of, located_in, managed_by, owned_by, "
            "part_of, powered_by, runs_on, served_by, stored_on, zoned_to"),
        ),
        (
            _PAIR + "relations: [{type: powered_by, from: a, to: b}]",
            (":2: relations[0]: powered_by cannot lead from a (server) to b (server); it leads from device to "
            "power_unit"),
        ),
        (
            _PAIR + "relations: [{type: depends_on, from: s, to: c}]",
            (":2: relations[0], to: the reference 'c' names no CI of this file and none that is known: "
            "declare it"),
        ),
        (
            _PAIR + "relations: [{type: depends_on, from: s, to: gone}]",
            (":2: relations[0], to: the reference 'gone' names no CI of this file and none that is known: "
            "declare it"),
        ),
        (
            _PAIR + "relations: [{type: depends_on, from: s, to: twin}]",
            (":2: relations[0], to: the reference 'twin' is ambiguous among the known CIs: it fits twin "
            "(server, ci-6), twin (service, ci-7); name it by an identifier"),
        ),
        (
            _PAIR + "relations: [{type: depends_on, from: s, to: a, prot: 1}]",
            ":2: relations[0], prot: depends_on has no key 'prot'; its keys are: port, active, medium, assumed",
        ),
        (
            _PAIR + 'relations: [{type: depends_on, from: s, to: a, port: "80"}]',
            ":2: relations[0], port: must be a whole number, not '80'",
        ),
        (
            _PAIR + "relations: [{type: depends_on, from: s, to: s}]",
            ":2: relations[0]: s cannot have a depends_on to itself",
        ),
        (
            _PAIR + "relations:\n- {type: depends_on, from: s, to: a, active: true}\n"
            "- {type: depends_on, from: s, to: a, active: false}",
            (":4: relations[1]: depends_on from s to a is declared twice, in line 3 with active True and here "
            "with False: keep one"),
        ),
        (
            ("cis: [{class: server, name: a}, {class: network_switch, name: b}]\nrelations:\n"
            "- {type: connects_to, from: a, to: b}\n- {type: connects_to, from: b, to: a, from_management: true}"),
            (":4: relations[1]: nothing tells this cable from the one in line 3, also from b to a: give both their "
            "from_port and to_port"),
        ),
        (
            _PAIR + "groups: [{of: s, name: g, needs: 1, legs: [a]}]",
            ":2: groups[0], legs: s has no depends_on to the leg a: add that relation to the file",
        ),
        (
            _GROUPED + "groups: [{of: s, name: g, needs: 3, legs: [a, b]}]",
            ":3: groups[0], needs: the group needs 3 of its 2 legs: it could never serve",
        ),
        (
            _GROUPED + "groups: [{of: s, name: g, needs: 0, legs: [a, b]}]",
            ":3: groups[0], needs: a group needs at least 1 leg, not 0",
        ),
        (
            _GROUPED + "groups: [{of: s, name: g, needs: 2, full: 1, legs: [a, b]}]",
            ":3: groups[0], full: 1 legs in full are fewer than the 2 that it needs at all",
        ),
        (
            _GROUPED + "groups: [{of: s, name: g, needs: 1, active: c, legs: [a, {group: c}]}]",
            ":3: groups[0]: the leg is a group 'c', which is none of this CI's: g",
        ),
        (
            _GROUPED + "groups:\n- {of: s, name: g, needs: 1, legs: [a, {group: h}]}\n"
            "- {of: s, name: h, needs: 1, legs: [b, {group: g}]}",
            ":4: groups[0]: the groups g → h → g are legs of each other",
        ),
        (
            _GROUPED + "groups: [{of: s, name: g, needs: 1, active: s, legs: [a, b]}]",
            ":3: groups[0], active: 's' is no leg of the group; its legs are a, b",
        ),
        (
            _GROUPED + "groups: [{of: s, name: g, needs: 1, legs: []}]",
            ":3: groups[0], legs: a group needs at least one leg",
        ),
        (
            ("cis: [{class: cluster, name: c, quorum: 2}, {class: server, name: a}]\n"
            "relations: [{type: composed_of, from: c, to: a}]"),
            ":1: cis[0], quorum: a quorum of 2 is more than the 1 members",
        ),
        (
            "rooms: [{label: D01, door: south, grid: '..'}]",
            ":1: rooms[0], grid: D01 is a building: a plan is of a room, as in D010210",
        ),
        (
            "rooms: [{label: D010210, door: up, grid: '..'}]",
            (":1: rooms[0], grid: the door of room D010210 is in the wall 'up': it must be north, east, south "
            "or west"),
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_where_what_and_what_to_do(text: str, message: str) -> None:
    assert problems(text, KNOWN) == f"estate.yaml{message}"


def test_all_mistakes_of_a_file_are_said_at_once() -> None:
    text = "cis:\n- {class: servr, name: a}\n- {class: server}\nrelations:\n- {type: depends_on, from: x, to: y}\n"
    nobody = "names no CI of this file and none that is known: declare it"

    assert problems(text).splitlines() == [
        "estate.yaml: 4 problems, nothing was declared:",
        problems("cis:\n- {class: servr, name: a}"),
        "estate.yaml:3: cis[1]: 'name' is missing",
        f"estate.yaml:5: relations[0], from: the reference 'x' {nobody}",
        f"estate.yaml:5: relations[0], to: the reference 'y' {nobody}",
    ]
