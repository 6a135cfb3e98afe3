"""Who is who: the scenarios of the issue “Truth”, in every order of their reports."""

from __future__ import annotations

import pytest

from cmdb.model import Decision, RelationClaim, Section, Statement, Subject
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

UUID = "4c4c4544-0037-4810-8051-c7c04f4e3531"
OTHER_UUID = "4c4c4544-0037-4810-8051-c7c04f4e3532"
KEY = "SHA256:" + "k" * 43


def burnt(events: list[Event]) -> set[tuple[str, str]]:
    return {(scheme, value) for scheme, value, _ in told(events)[0].burnt}


def test_two_devices_of_one_host_name_and_one_copied_label_are_two() -> None:
    label = {"label": "D010210-009"}
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="web", serial="S1", values=label)),
        report("10.0.0.2", 2, system(2, name="web", serial="S2", values=label)),
    ]

    graph = in_every_order(events)

    assert len(graph.cis) == 2
    assert problem_kinds(events) == ["label_twice", "name_twice", "unknown_room", "unknown_room"]


def test_a_neighbour_is_the_device_that_is_scanned_later_and_its_class_is_refined() -> None:
    switch = Subject(identifiers=ids(mac=mac(9)), name="sw9")

    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="web", serial="S1"), neighbours(1, ("eth0", switch, "Gi1"))),
            report("10.0.0.2", 2, system(2, "network_switch", "sw9", serial="S9"), interfaces(2, 9)),
            report("10.0.0.2", 3, system(3, None, "sw9", "ssh", serial="S9")),
        ]
    )

    assert described(graph) == {("server", "web", "present"), ("network_switch", "sw9", "present")}


def test_a_cloned_machine_is_two_and_the_value_is_burnt() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="one", uuid=UUID, host_key=KEY), interfaces(1, 1)),
        report("10.0.0.2", 2, system(2, name="two", uuid=UUID, host_key=KEY), interfaces(2, 2)),
    ]

    graph = in_every_order(events)

    assert described(graph) == {("server", "one", "present"), ("server", "two", "present")}
    assert burnt(events) == {("uuid", UUID), ("host_key", KEY)}
    assert problem_kinds(events) == ["conflict", "conflict"]


def test_a_clone_whose_original_was_gone_before_takes_the_value() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="old", uuid=UUID), interfaces(1, 1)),
        run(1, 2, "10.0.0.1/32"),
        report("10.0.0.2", 3, system(3, name="new", uuid=UUID), interfaces(3, 2)),
    ]

    graph = in_every_order(events, Rules(missing_after=1))

    # Past before the other came: nothing contradicts, so it is one machine that moved and got another card.
    assert described(graph) == {("server", "new", "present")}


def test_a_partition_that_moved_is_the_same_and_only_its_frame_changes() -> None:
    def told_by(time: float, frame: str) -> Section:
        where = RelationClaim("hosted_on", ITSELF, Subject("midrange_server", ids(serial=frame)))
        about = Subject("partition", ids(uuid=UUID, mac=mac(1)), "lpar", itself=True)
        return Section("ssh.system", at(time), FULL, (Statement(about),), (where,))

    graph = in_every_order([report("10.0.0.1", 1, told_by(1, "FRAME-A")), report("10.0.0.1", 2, told_by(2, "FRAME-B"))])

    assert described(graph) == {("partition", "lpar", "present"), ("midrange_server", "FRAME-B", "present")}
    assert edges(graph) == {("hosted_on", "lpar", "FRAME-B", ())}


def test_an_operating_system_installed_anew_is_another_on_the_same_server() -> None:
    def told_by(time: float, key: str) -> Section:
        running = Subject("operating_system", owner=ITSELF, key=key, name=f"linux {key}")
        about = Subject("server", ids(serial="S1"), "host", itself=True)
        statements = (Statement(about), Statement(running))
        return Section("ssh.system", at(time), FULL, statements, (RelationClaim("runs_on", running, ITSELF),))

    graph = in_every_order([report("10.0.0.1", 1, told_by(1, "old")), report("10.0.0.1", 2, told_by(2, "new"))])

    assert described(graph) == {("server", "host", "present"), ("operating_system", "linux new", "present")}
    assert edges(graph) == {("runs_on", "linux new", "host", ())}


def test_a_replaced_board_makes_two_until_a_person_says_that_they_are_one() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="host", serial="S1", uuid=UUID), interfaces(1, 1, 2)),
        report("10.0.0.1", 2, system(2, name="host", serial="S2", uuid=OTHER_UUID), interfaces(2, 2, 3)),
    ]
    same = Decision("d1", "same", ids(serial="S1"), ids(serial="S2"), "ann", "new board", at(3))

    apart, together = in_every_order(events), in_every_order([*events, same])

    assert (len(apart.cis), len(together.cis)) == (2, 1)
    assert burnt(events) == {("mac", mac(2))}


def test_what_a_person_calls_different_is_never_joined() -> None:
    events: list[Event] = [
        report("10.0.0.1", 1, system(1, name="one", mac=[mac(1), mac(5)])),
        report("10.0.0.2", 2, system(2, name="two", mac=[mac(2), mac(5)])),
    ]
    different = Decision("d1", "different", ids(mac=mac(1)), ids(mac=mac(2)), "ann", "shared adapter", at(3))

    assert len(in_every_order(events).cis) == 1
    assert len(in_every_order([*events, different]).cis) == 2


def test_a_name_used_again_is_a_new_machine() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="web", serial="S1")),
            *(run(number, 1 + number) for number in (1, 2, 3)),
            report("10.0.0.1", 9, system(9, name="web", serial="S2")),
        ],
        now=60,
    )

    assert sorted((ci.name, ci.state.value) for ci in graph.cis.values()) == [("web", "missing"), ("web", "present")]


def test_swapped_addresses_move_and_serials_decide() -> None:
    def shown(address: str, time: float, serial: str, number: int) -> Event:
        return report(address, time, system(time, name=f"host{serial}", serial=serial), interfaces(time, number))

    graph = in_every_order(
        [shown("10.0.0.1", 1, "S1", 1), shown("10.0.0.2", 1, "S2", 2),
         shown("10.0.0.1", 2, "S2", 2), shown("10.0.0.2", 2, "S1", 1)]
    )  # fmt: skip

    assert described(graph) == {("server", "hostS1", "present"), ("server", "hostS2", "present")}


def test_equal_addresses_of_two_spaces_are_two_places() -> None:
    calling = Subject("process", owner=ITSELF, key="x", name="x")
    claim = RelationClaim("depends_on", calling, Subject(address="10.0.0.1"))
    caller = Section("ssh.connections", at(2), FULL, (), (claim,))
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="here", serial="S1")),
            report("10.0.0.1", 1, system(1, name="there", serial="S2"), space="site2"),
            report("10.0.0.2", 2, system(2, name="caller", serial="S3"), caller, space="site2"),
        ]
    )

    assert edges(graph) == {("depends_on", "x", "there", ())}


def test_a_stack_whose_master_switches_over_or_whose_member_is_replaced_stays_one() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, "network_switch", "st", serial="M1", member_serial=["M1", "M2"])),
            report("10.0.0.1", 2, system(2, "network_switch", "st", serial="M2", member_serial=["M1", "M2"])),
            report("10.0.0.1", 3, system(3, "network_switch", "st", serial="M2", member_serial=["M2", "M3"])),
        ]
    )

    assert [sorted(ci.identifiers) for ci in graph.cis.values()] == [[("member_serial", "M2"), ("member_serial", "M3")]]


def test_an_ha_pair_and_its_virtual_address_are_three() -> None:
    shared = "00:00:5e:00:01:0a"
    pair = [
        report(f"10.0.0.{n}", n, system(n, "firewall", f"fw{n}", serial=f"F{n}", mac=[shared, mac(n)]))
        for n in (1, 2)
    ]  # fmt: skip

    graph = in_every_order([*pair, estate(3, thing("virtual_address", "vip"))])

    assert sorted(ci.cls for ci in graph.cis.values()) == ["firewall", "firewall", "virtual_address"]
    assert shared not in {one.value for ci in graph.cis.values() for one in ci.identifiers}


def test_a_context_is_a_thing_of_its_own_in_its_chassis() -> None:
    def context(source: str, time: float, key: str) -> Event:
        chassis = Subject("firewall", ids(serial="CH1"))
        about = Subject("firewall", ids(), key, owner=chassis, key=key, itself=True)
        said = Section("snmp.system", at(time), FULL, (Statement(about),), (RelationClaim("part_of", ITSELF, chassis),))
        return report(source, time, said)

    graph = in_every_order(
        [report("10.0.0.1", 1, system(1, "firewall", "chassis", serial="CH1")), context("10.0.0.2", 2, "red"),
         context("10.0.0.3", 3, "blue")]
    )  # fmt: skip

    assert edges(graph) == {("part_of", "red", "chassis", ()), ("part_of", "blue", "chassis", ())}


def test_a_host_without_root_is_known_by_its_key_and_macs_and_joined_when_a_serial_shows() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="host", kind="ssh", host_key=KEY),
                   interfaces(1, 1, kind="ssh"), port=22),
            report("10.0.0.1", 2, system(2, name="host", kind="ssh", host_key=KEY, serial="S1"),
                   interfaces(2, 1, kind="ssh"), port=22),
        ]
    )  # fmt: skip

    assert [sorted(ci.identifiers) for ci in graph.cis.values()] == [
        [("host_key", KEY), ("mac", mac(1)), ("serial", "S1")]
    ]


def test_a_serial_that_shows_only_with_root_makes_one_host_in_every_rescan() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="host", kind="ssh", serial="S1", host_key=KEY)),
            report("10.0.0.1", 2, system(2, name="host", kind="ssh", completeness=PARTIAL, host_key=KEY)),
            report("10.0.0.1", 3, system(3, name="host", kind="ssh", serial="S1", host_key=KEY)),
        ]
    )

    assert described(graph) == {("server", "host", "present")}


def test_nothing_is_joined_by_the_serial_that_many_have() -> None:
    events: list[Event] = [
        report(f"10.0.0.{n}", n, system(n, name="localhost", serial="SAME-1"), interfaces(n, n))
        for n in range(1, 40)
    ]  # fmt: skip

    graph = graph_of(events)

    assert len(graph.cis) == 39
    assert len(told(events)[0].conflicts) == 2, "the serial, and the member serial that it is, too"


def test_a_controller_that_answers_with_its_servers_serial_is_not_that_server() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, "server", "host", serial="S1"), interfaces(1, 1)),
            report("10.0.0.2", 2, system(2, "management_controller", "bmc", serial="S1", mac=[mac(1), mac(7)])),
        ]
    )

    assert described(graph) == {("server", "host", "present"), ("management_controller", "bmc", "present")}


def test_a_thing_without_identifiers_is_known_by_its_address_and_port() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, None, "a"), port=161),
            report("10.0.0.1", 2, system(2, None, "b"), port=1161),
            report("10.0.0.1", 3, system(3, None, "a"), port=161),
        ]
    )

    assert described(graph) == {("unknown_device", "a", "present"), ("unknown_device", "b", "present")}


def test_twins_without_identifiers_are_told_apart_by_what_is_in_them_and_around_them() -> None:
    def twin(time: float, port: int, *inside: str) -> Event:
        systems = [Subject("operating_system", owner=ITSELF, key="os", name=name) for name in inside]
        statements = [Statement(one) for one in (Subject("server", name="twin", itself=True), *systems)]
        claims = [RelationClaim("runs_on", one, ITSELF) for one in systems]
        said = Section("ssh.system", at(time), FULL, tuple(statements), tuple(claims))
        return report("10.0.0.1", time, said, port=port)

    graph = in_every_order([twin(1, 22, "linux"), twin(2, 161, "linux"), twin(3, 830), twin(4, 2222, "aix")])

    assert edges(graph) == {("runs_on", "linux", "twin", ()), ("runs_on", "aix", "twin", ())}
    assert len(graph.cis) == 7


def test_who_answers_without_identifiers_where_a_line_is_is_that_one_and_says_nothing_of_itself() -> None:
    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="host", serial="S1")),
            report("10.0.0.1", 2, system(2, "printer", "other")),
        ]
    )

    assert described(graph) == {("server", "host", "present")}


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (Subject(name="WEB.dc.example"), "web"),
        (Subject(address="10.0.0.1"), "web"),
        (Subject(name="nobody", address="10.0.0.1"), "web"),
        (Subject(address="10.0.0.1", port=443), "nginx:80 on web"),
        (Subject(address="10.0.0.1", port=8443), "web"),
    ],
    ids=["by name", "by address", "by address for want of the name", "who listens there", "nobody listens there"],
)
def test_the_weakly_named_are_found(target: Subject, found: str) -> None:
    nginx = Subject("process", owner=ITSELF, key="nginx:80", name="nginx:80 on web")
    running = Section("ssh.processes", at(1), FULL, (Statement(nginx, {"port": 443, "command": "nginx"}),))
    caller = Subject("process", owner=ITSELF, key="app", name="app")
    calling = Section("ssh.connections", at(2), FULL, (), (RelationClaim("depends_on", caller, target),))

    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="web", serial="S1"), running),
            report("10.0.0.2", 2, system(2, name="app1", serial="S2"), calling),
        ]
    )

    assert edges(graph) == {("depends_on", "app", found, ())}


def test_who_is_named_weakly_and_not_known_waits_in_the_queue() -> None:
    far = neighbours(1, ("eth0", Subject(name="ghost"), "1"))

    events: list[Event] = [report("10.0.0.1", 1, system(1, name="web", serial="S1"), far)]

    assert described(in_every_order(events)) == {("server", "web", "present")}
    assert problem_kinds(events) == ["unidentified"]


def test_what_is_declared_by_name_alone_is_the_one_scanned_thing_of_that_name_and_class() -> None:
    graph = in_every_order(
        [
            estate(1, thing("server", "Web1"), thing("service", "web1"), values={"Web1": {"owner": "shop"}}),
            report("10.0.0.1", 2, system(2, name="web1", serial="S1")),
        ]
    )

    assert described(graph) == {("server", "Web1", "present"), ("service", "web1", "present")}
    assert named(graph, "Web1").identifiers == ids(serial="S1")


def test_what_is_declared_by_a_name_that_several_have_is_a_thing_of_its_own() -> None:
    events: list[Event] = [
        estate(1, thing("server", "web")),
        report("10.0.0.1", 2, system(2, name="web", serial="S1")),
        report("10.0.0.2", 3, system(3, name="web", serial="S2")),
    ]

    assert len(in_every_order(events).cis) == 3
    assert "declared_name" in problem_kinds(events)


def test_an_unknown_device_is_what_it_is_declared_as() -> None:
    graph = in_every_order(
        [
            estate(1, thing("partition", "vios1")),
            report("10.0.0.1", 2, system(2, "unknown_device", "vios1"), interfaces(2, 1)),
        ]
    )

    assert described(graph) == {("partition", "vios1", "present")}


def test_processes_of_one_key_are_one_when_their_hosts_are_joined() -> None:
    def host(source: str, time: float, kind: str) -> Event:
        process = Subject("process", owner=ITSELF, key="sshd:22", name="sshd:22")
        said = Section(f"{kind}.processes", at(time), FULL, (Statement(process),))
        return report(source, time, system(time, name="host", kind=kind, mac=mac(1)), said)

    graph = in_every_order([host("10.0.0.1", 1, "ssh"), host("10.0.0.2", 2, "ssh")])

    assert described(graph) == {("server", "host", "present"), ("process", "sshd:22", "present")}


def test_a_section_that_was_denied_takes_nothing_back() -> None:
    denied = Section("snmp.system", at(2), DENIED, problem="no access")

    graph = in_every_order(
        [
            report("10.0.0.1", 1, system(1, name="host", serial="S1"), interfaces(1, 1)),
            report("10.0.0.1", 2, denied, interfaces(2, 1)),
        ]
    )

    assert described(graph) == {("server", "host", "present")}
