"""What a report would end, by the pure functions alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cmdb.brake import Ended, Loss, Silence, broken_off, confirms, losses, silenced, too_much, without
from cmdb.evidence import Sighting, normalised
from cmdb.model import Component, Identifier, RelationClaim, Report, Section, Statement, Subject
from cmdb.rules import Brake
from tests.cmdb.truth.saying import (
    FULL,
    ITSELF,
    PARTIAL,
    at,
    ids,
    interfaces,
    mac,
    neighbours,
    report,
    run,
    system,
    world_of,
)

HOST = "10.0.0.1"
BRAKE = Brake(share=0.2, number=50)


def far(number: int, name: str | None = None) -> tuple[str, Subject, str]:
    return f"te{number}", Subject("network_switch", ids(mac=mac(100 + number)), name or f"access-{number}"), "gi1"


def kept(*reports: Report) -> list[Sighting]:
    return world_of(reports).at("default", HOST)


def ends(before: Report, after: Report) -> tuple[Loss, ...]:
    return losses(kept(before), normalised(after), (), 3)


def test_a_neighbour_that_is_shown_no_more_ends_its_cable() -> None:
    before = report(HOST, 1, system(1, serial="S1"), neighbours(1, far(1), far(2), far(3)))
    after = report(HOST, 2, system(2, serial="S1"), neighbours(2, far(1), far(4)))

    found = ends(before, after)

    cables = (Ended("connects_to", "te2 → access-2 gi1"), Ended("connects_to", "te3 → access-3 gi1"))
    assert found == (Loss("snmp.lldp", cables, of=3, new=1),)


def test_a_value_or_a_name_that_is_another_now_ends_nothing() -> None:
    def said(time: float, model: str, neighbour: str) -> Report:
        return report(
            HOST, time, system(time, serial="S1", values={"model": model}), neighbours(time, far(1, neighbour))
        )

    assert ends(said(1, "C9300", "access-1"), said(2, "C9500", "renamed")) == ()


def test_a_component_and_a_subject_end_by_their_own_keys() -> None:
    def processes(time: float, *names: str) -> Section:
        host = Subject(itself=True)
        statements = tuple(
            Statement(Subject("process", owner=host, key=name), {}, (Component("listener", f"tcp/{name}"),))
            for name in names
        )
        runs = tuple(RelationClaim("runs_on", one.about, ITSELF) for one in statements)
        return Section("ssh.processes", at(time), FULL, statements, runs)

    before = report(HOST, 1, system(1, serial="S1"), interfaces(1, 1, 2), processes(1, "a", "b"))
    after = report(HOST, 2, system(2, serial="S1"), interfaces(2, 1, 3), processes(2, "a"))

    assert ends(before, after) == (
        Loss("snmp.interfaces", (Ended("interface", "eth2"),), of=2, new=1),
        Loss(
            "ssh.processes",
            (Ended("listener", "tcp/b of b"), Ended("process", "b"), Ended("runs_on", "b → itself")),
            of=6,
            new=0,
        ),
    )


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(report(HOST, 2, system(2, serial="S1"), neighbours(2, completeness=PARTIAL)), id="partial"),
        pytest.param(report(HOST, 2, system(2, serial="S1")), id="section left out"),
        pytest.param(report(HOST, 2, system(2, serial="S2"), neighbours(2)), id="another device at the address"),
        pytest.param(report(HOST, 0, system(0, serial="S1"), neighbours(0)), id="delivered late"),
        pytest.param(report(HOST, 2, system(2, serial="S1"), neighbours(2, far(2), far(1), far(3))), id="more"),
    ],
)
def test_what_takes_nothing_back_ends_nothing(after: Report) -> None:
    assert ends(report(HOST, 1, system(1, serial="S1"), neighbours(1, far(1), far(2))), after) == ()


def test_a_report_that_says_the_same_again_is_told_from_one_that_does_not() -> None:
    def said(time: float, *numbers: int) -> Report:
        return normalised(report(HOST, time, system(time, serial="S1"), neighbours(time, *map(far, numbers))))

    sightings = kept(said(1, 1, 2))

    assert [confirms(sightings, one) for one in (said(2, 1, 2), said(2, 1), said(0, 1, 2))] == [True, False, False]
    assert confirms([], said(1, 1))


@pytest.mark.parametrize(
    ("ended", "stood", "expected"),
    [(50, 60, False), (51, 60, True), (51, 255, False), (52, 255, True), (0, 0, False)],
    ids=["number only reached", "both passed", "share only reached", "just over both", "nothing"],
)
def test_too_much_is_more_than_the_share_and_more_than_the_number(ended: int, stood: int, expected: bool) -> None:
    assert too_much(BRAKE, ended, stood) is expected
    assert not too_much(None, ended, stood)


def test_a_section_that_breaks_off_is_told_from_one_that_is_replaced() -> None:
    gone = tuple(Ended("process", str(number)) for number in range(60))

    found = broken_off(BRAKE, [Loss("snmp.lldp", gone, of=62, new=2), Loss("ssh.processes", gone, of=62, new=40)])

    assert found == {"snmp.lldp"}


def test_a_report_without_a_section_still_says_who_answered() -> None:
    said = report(HOST, 1, system(1, serial="S1"), interfaces(1, 1, 2), neighbours(1, far(1)))

    rest = without(said, frozenset({"snmp.interfaces", "snmp.lldp"}))

    who = Statement(Subject(identifiers=frozenset({Identifier("mac", mac(1)), Identifier("mac", mac(2))}), itself=True))
    why = "waits for a person: it would end too much"
    reduced = Section("snmp.interfaces", at(1), PARTIAL, (who,), problem=why)
    assert rest == replace(said, sections=(said.sections[0], reduced))


def test_a_run_silences_the_lines_that_it_is_one_scan_too_many_for() -> None:
    reports = [report(f"10.0.0.{number}", number, system(number, serial=f"S{number}")) for number in (1, 2, 3)]
    heard_again = report("10.0.0.3", 25, system(25, serial="S3"), run="run-3")
    places = {one.source: world_of([*reports, heard_again]).at("default", one.source) for one in reports}

    found = silenced(places, (run(1, 10), run(2, 20)), (run(3, 30),), 3)

    assert found == (
        Silence("10.0.0.1", at(1), Identifier("serial", "S1")),
        Silence("10.0.0.2", at(2), Identifier("serial", "S2")),
    )
