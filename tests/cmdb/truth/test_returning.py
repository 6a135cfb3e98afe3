"""What was retired for being silent, and answers again, stays retired until a person takes it back."""

from __future__ import annotations

from cmdb.inventory import Inventory
from cmdb.model import BACK, Decision, Report, RunSection
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from tests.cmdb.truth.saying import (
    Event,
    at,
    described,
    graph_of,
    ids,
    in_every_order,
    problem_kinds,
    report,
    run,
    system,
)
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

_DAY = 1440
_NOW = 121 * _DAY
_SILENT = [run(number, number * _DAY) for number in (1, 2, 3)]
_TAKEN_BACK = Decision("d1", BACK, ids(serial="S1"), frozenset(), "ann", "it was in the store room", at(120.5 * _DAY))


def answer(day: float) -> Report:
    return report("10.0.0.1", day * _DAY, system(day * _DAY, serial="S1", name="web1"))


def test_one_that_answers_after_its_deadline_stays_retired_and_is_a_problem() -> None:
    events: list[Event] = [answer(0), *_SILENT, answer(120)]

    assert described(in_every_order(events, now=_NOW)) == {("server", "web1", "retired")}
    assert problem_kinds(events, now=_NOW) == ["retired_answers"]


def test_one_that_answers_before_its_deadline_is_there_again() -> None:
    events: list[Event] = [answer(0), *_SILENT, answer(30)]

    assert described(in_every_order(events, now=_NOW)) == {("server", "web1", "present")}
    assert problem_kinds(events, now=_NOW) == []


def test_answering_often_after_that_changes_nothing() -> None:
    events: list[Event] = [answer(0), *_SILENT, answer(120), answer(120.5), answer(120.9)]

    assert described(in_every_order(events, now=_NOW)) == {("server", "web1", "retired")}


def test_a_person_takes_it_back() -> None:
    events: list[Event] = [answer(0), *_SILENT, answer(120), _TAKEN_BACK]

    assert described(in_every_order(events, now=_NOW)) == {("server", "web1", "present")}
    assert problem_kinds(events, now=_NOW) == []


def test_taken_back_it_may_go_missing_again() -> None:
    later = [run(number, (120 + number) * _DAY) for number in (11, 12, 13)]
    events: list[Event] = [answer(0), *_SILENT, answer(120), _TAKEN_BACK, *later]

    assert described(in_every_order(events, now=140 * _DAY)) == {("server", "web1", "missing")}


def test_stored_it_is_retired_and_told_since_it_answered(store: GraphStore) -> None:
    inventory = Inventory(store, Rules(), lambda: at(_NOW))
    for event in (answer(0), *_SILENT, answer(120)):
        if isinstance(event, Report):
            inventory.absorb(event)
        elif isinstance(event, RunSection):
            inventory.close_run(event)

    assert described(inventory.graph()) == {("server", "web1", "retired")}
    assert [(one.kind, one.text) for one in inventory.problems()] == [
        (
            "retired_answers",
            (
                "web1 is retired (it was missing since 2026-03-04), and answers again since 2026-06-29: say that it is "
                "back, or find out what answers in its place"
            ),
        )
    ]


def seen_in(number: int, day: float) -> list[Event]:
    """An answer, and the end of the run that it was given in."""
    time = day * _DAY
    section = system(time, serial="S1", name="web1")
    return [report("10.0.0.1", time, section, run=f"run-{number}"), run(number, time + 5)]


def test_the_run_that_saw_it_last_did_not_miss_it() -> None:
    """Else the second of two silent runs would be the third, and a site that scans seldom would retire what answers."""
    events: list[Event] = [*seen_in(1, 0), *_SILENT[1:], *seen_in(9, 120)]

    assert described(in_every_order(events, now=_NOW)) == {("server", "web1", "present")}


def test_nor_did_one_of_long_ago_whose_name_is_forgotten() -> None:
    seen = [event for number in range(4, 9) for event in seen_in(number, 116 + number / 2)]
    events: list[Event] = [*seen_in(1, 0), *_SILENT[1:], *seen]

    assert described(graph_of(events, now=_NOW)) == {("server", "web1", "present")}
