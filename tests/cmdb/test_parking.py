"""The brake through the one door, on both stores: what waits, what is asked, what an answer does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from cmdb.brake import Silence
from cmdb.inventory import Absorbed, Inventory, Refused
from cmdb.model import Identifier, ModelError, Report, RunSection, Subject
from cmdb.parked import Answer
from cmdb.rules import Brake, Rules
from cmdb.store.base import GraphStore
from cmdb.store.opening import open_store
from cmdb.what import NotFound
from tests.cmdb.truth.saying import DENIED, at, ids, interfaces, mac, neighbours, report, run, system
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

CORE, OTHER = "10.0.0.1", "10.0.0.2"
BRAKE = Brake(share=0.2, number=2)


@dataclass
class Hands:
    now: datetime = field(default_factory=lambda: at(1000))

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[GraphStore]:
    """One store is enough where only the meaning counts."""
    opened = open_store(f"sqlite:///{tmp_path / 'embedded.db'}")
    yield opened
    opened.close()


@pytest.fixture
def inventory(embedded: GraphStore, clock: Hands) -> Inventory:
    return Inventory(embedded, Rules(brake=BRAKE), clock)


@pytest.fixture
def either(store: GraphStore, clock: Hands) -> Inventory:
    """The same on both stores."""
    return Inventory(store, Rules(brake=BRAKE), clock)


def core(time: float, number: int, *far: int, source: str = CORE) -> Report:
    """A switch with cables to those neighbours, as the run of that number heard it."""
    serial = f"S-{source}"
    cables = [(f"te{one}", Subject("network_switch", ids(mac=mac(100 + one)), f"access-{one}"), "gi1") for one in far]
    sections = (system(time, "network_switch", source, serial=serial), neighbours(time, *cables))
    return report(source, time, *sections, run=f"run-{number}")


def cables(inventory: Inventory) -> set[str]:
    """The own ports of all cables."""
    found = {str(one.columns[key]) for one in inventory.graph().relations.values() for key in ("from_port", "to_port")}
    return {port for port in found if port.startswith("te")}


def scan(inventory: Inventory, number: int, time: float, *reports: Report) -> Absorbed:
    """What became of the run's end."""
    for one in reports:
        inventory.absorb(one)
    return inventory.close_run(run(number, time + 0.5))


def ports(*numbers: int) -> set[str]:
    return {f"te{number}" for number in numbers}


def asked(inventory: Inventory) -> list[tuple[str, int, tuple[str, ...], dict[str, int]]]:
    """(id, what a yes ends, runs, kinds) of each open question."""
    return [
        (one.question.id, one.ended, one.question.runs, dict(one.kinds)) for one in inventory.parked()
    ]  # fmt: skip


def test_what_ends_little_waits_for_the_end_of_its_run_and_is_taken_in_then(either: Inventory) -> None:
    scan(either, 1, 1, core(1, 1, 1, 2, 3))

    waits = either.absorb(core(2, 2, 1, 2))

    assert (waits.revision, [len(loss.claims) for loss in waits.waits]) == (None, [1])
    assert cables(either) == ports(1, 2, 3)
    done = either.close_run(run(2, 3))
    assert (cables(either), done.question, asked(either)) == (ports(1, 2), None, [])


def test_a_core_switch_that_suddenly_shows_one_neighbour_is_a_question_and_the_rest_goes_through(
    either: Inventory,
) -> None:
    scan(either, 1, 1, core(1, 1, 1, 2, 3, 4), core(1, 1, 11, 12, source=OTHER))

    end = scan(either, 2, 2, core(2, 2, 1), core(2, 2, 11, 12, 13, source=OTHER))

    assert cables(either) == ports(1, 2, 3, 4, 11, 12, 13)
    assert asked(either) == [("parked-1", 3, ("run-2",), {"connects_to": 3})]
    assert [(one.report.source, one.names) for one in end.parked] == [(CORE, frozenset({"snmp.lldp"}))]
    (seen,) = either.lookup(CORE)
    stored = either.stored(seen.ci)
    assert stored is not None
    assert stored.ci.missing_since is None


def test_a_table_that_breaks_off_is_held_back_however_large_the_run(inventory: Inventory) -> None:
    def others(time: float, number: int) -> list[Report]:
        return [core(time, number, *range(10 * n, 10 * n + 8), source=f"10.0.0.{n}") for n in (3, 4)]

    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4), core(1, 1, *range(20, 28), source=OTHER), *others(1, 1))

    scan(inventory, 2, 2, core(2, 2, 1), core(2, 2, *range(20, 27), source=OTHER), *others(2, 2))

    assert asked(inventory) == [("parked-1", 3, ("run-2",), {"connects_to": 3})]
    assert "te27" not in cables(inventory)


def test_yes_gives_the_graph_that_there_would_have_been_without_a_brake(
    either: Inventory, clock: Hands, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told: list[Report | RunSection] = [core(1, 1, 1, 2, 3, 4), run(1, 1.5), core(2, 2, 1), run(2, 2.5)]
    free = open_store(f"sqlite:///{tmp_path_factory.mktemp('free') / 'store.db'}")
    unbraked = Inventory(free, Rules(), clock)
    for target in (either, unbraked):
        for one in told:
            target.absorb(one) if isinstance(one, Report) else target.close_run(one)
    before = either.canonical()

    done = either.answer_parked("parked-1", yes=True, by="ann", reason="the ring was taken down")

    assert before != unbraked.canonical()
    assert either.canonical() == unbraked.canonical()
    assert done.revision is not None
    (revision,) = either.changes(done.revision - 1)
    assert (revision.actor, revision.reason) == (
        "ann",
        "ann answered yes to question parked-1: the ring was taken down",
    )
    assert either.parked() == []
    free.close()


def test_no_discards_and_the_answer_is_kept(either: Inventory, clock: Hands) -> None:
    scan(either, 1, 1, core(1, 1, 1, 2, 3, 4))
    scan(either, 2, 2, core(2, 2, 1))

    done = either.answer_parked("parked-1", yes=False, by="ann", reason="the agent breaks off")

    assert (done, cables(either), either.parked()) == (Absorbed(None, ()), ports(1, 2, 3, 4), [])
    (kept,) = either.parked(finished=True)
    question = kept.question
    assert (question.answer, question.by, question.reason, question.answered) == (
        Answer.NO, "ann", "the agent breaks off", clock.now,
    )  # fmt: skip
    assert [one.report.sections for one in kept.parked] == [core(2, 2, 1).sections]
    # What is delivered once more after the answer asks nobody again.
    assert either.absorb(core(2, 2, 1)).waits == ()
    assert (cables(either), either.parked()) == (ports(1, 2, 3, 4), [])


@pytest.mark.parametrize("first", [True, False], ids=["yes", "no"])
def test_of_two_answers_the_first_counts(inventory: Inventory, embedded: GraphStore, clock: Hands, first: bool) -> None:
    other = Inventory(embedded, Rules(brake=BRAKE), clock)
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))
    scan(inventory, 2, 2, core(2, 2, 1))
    inventory.answer_parked("parked-1", yes=first, by="ann", reason="I looked")

    word = "yes" if first else "no"
    expected = f"question parked-1 was answered {word} by ann at 2026-03-01 16:40 UTC: I looked"
    with pytest.raises(Refused, match=expected):
        other.answer_parked("parked-1", yes=not first, by="bob", reason="so did I")


def test_an_answer_needs_a_question_and_a_reason(inventory: Inventory) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))
    scan(inventory, 2, 2, core(2, 2, 1))

    with pytest.raises(ModelError, match="reason: say why"):
        inventory.answer_parked("parked-1", yes=True, by="ann", reason=" \n")
    with pytest.raises(NotFound, match="there is no question 'parked-7'"):
        inventory.answer_parked("parked-7", yes=True, by="ann", reason="why not")
    with pytest.raises(NotFound, match="there is no question 'parked-7'"):
        inventory.parked_question("parked-7")


def test_the_next_scan_joins_the_question_and_its_newer_sections_replace_the_older(inventory: Inventory) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))
    scan(inventory, 2, 2, core(2, 2, 1))

    scan(inventory, 3, 3, core(3, 3))

    assert asked(inventory) == [("parked-1", 4, ("run-2", "run-3"), {"connects_to": 4})]
    inventory.answer_parked("parked-1", yes=True, by="ann", reason="all gone")
    assert cables(inventory) == set()


def test_a_scan_that_alone_would_end_little_joins_the_question_too(inventory: Inventory) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))
    scan(inventory, 2, 2, core(2, 2, 1))

    scan(inventory, 3, 3, core(3, 3, 1, 2, 3))

    assert asked(inventory) == [("parked-1", 1, ("run-2", "run-3"), {"connects_to": 1})]


def test_a_place_that_says_again_what_it_said_leaves_the_question(inventory: Inventory) -> None:
    everything = [core(1, 1, 1, 2, 3, 4), core(1, 1, 11, 12, 13, 14, source=OTHER)]
    scan(inventory, 1, 1, *everything)
    scan(inventory, 2, 2, core(2, 2, 1), core(2, 2, 11, source=OTHER))

    inventory.absorb(core(3, 3, 1, 2, 3, 4))

    assert asked(inventory) == [("parked-1", 3, ("run-2",), {"connects_to": 3})]
    inventory.absorb(core(3, 3, 11, 12, 13, 14, source=OTHER))
    assert inventory.parked() == []
    (settled,) = inventory.parked(finished=True)
    assert (settled.question.answer, settled.parked) == (Answer.SETTLED, ())
    with pytest.raises(Refused, match="question parked-1 is settled"):
        inventory.answer_parked("parked-1", yes=True, by="ann", reason="too late")


def test_what_was_not_collected_leaves_no_question(inventory: Inventory) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))
    scan(inventory, 2, 2, core(2, 2, 1))
    denied = neighbours(3, completeness=DENIED)

    inventory.absorb(report(CORE, 3, system(3, "network_switch", CORE, serial=f"S-{CORE}"), denied, run="run-3"))

    assert asked(inventory) == [("parked-1", 3, ("run-2",), {"connects_to": 3})]


def test_of_two_reports_of_one_run_and_address_the_newer_waits(inventory: Inventory) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3))

    scan(inventory, 2, 3, core(3, 2, 1, 2), core(2, 2, 1))

    assert (cables(inventory), asked(inventory)) == (ports(1, 2), [])


def test_what_waits_for_a_killed_run_is_taken_in_with_the_next_of_its_places(inventory: Inventory) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3), core(1, 1, 11, 12, source=OTHER))
    inventory.absorb(core(2, 2, 1, 2))

    scan(inventory, 3, 3, core(3, 3, 11, 12, source=OTHER))

    assert cables(inventory) == ports(1, 2, 11, 12)


@pytest.mark.parametrize(
    ("left", "expected", "questions"),
    [((1, 2, 3), ports(1, 2, 3), 0), ((1,), ports(1, 2, 3, 4), 1)],
    ids=["little", "too much"],
)
def test_what_waits_for_a_killed_run_is_judged_by_the_clock_at_last(
    inventory: Inventory, clock: Hands, left: tuple[int, ...], expected: set[str], questions: int
) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))
    inventory.absorb(core(990, 2, *left))
    inventory.tick()
    assert cables(inventory) == ports(1, 2, 3, 4)
    clock.now += timedelta(hours=7)

    inventory.tick()

    assert (cables(inventory), len(inventory.parked())) == (expected, questions)


def test_what_waits_is_there_for_the_next_process(inventory: Inventory, embedded: GraphStore, clock: Hands) -> None:
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3))
    inventory.absorb(core(2, 2, 1, 2))

    Inventory(embedded, Rules(brake=BRAKE), clock).close_run(run(2, 3))

    assert cables(inventory) == ports(1, 2)
    assert inventory.verify().problems == ()


def test_without_a_brake_nothing_waits(embedded: GraphStore, clock: Hands) -> None:
    inventory = Inventory(embedded, Rules(), clock)
    scan(inventory, 1, 1, core(1, 1, 1, 2, 3, 4))

    inventory.absorb(core(2, 2))

    assert cables(inventory) == set()


def hosts(time: float, number: int, *which: int) -> list[Report]:
    return [
        report(f"10.0.1.{one}", time, system(time, name=f"h{one}", serial=f"H{one}"), interfaces(time, one),
               run=f"run-{number}")
        for one in which
    ]  # fmt: skip


def missing(inventory: Inventory) -> set[str]:
    return {ci.name for ci in inventory.graph().cis.values() if ci.missing_since is not None}


def silent_for(inventory: Inventory, scans: int, *heard: int) -> list[Absorbed]:
    """Six hosts that answered once, and then so many scans in which only some of them answer."""
    scan(inventory, 1, 1, *hosts(1, 1, 1, 2, 3, 4, 5, 6))
    return [scan(inventory, number, 10 * number, *hosts(10 * number, number, *heard)) for number in range(2, 2 + scans)]


def test_a_run_that_would_make_too_many_missing_is_itself_a_question(inventory: Inventory) -> None:
    *_, end = silent_for(inventory, 3, 1, 2)

    gone = tuple(Silence(f"10.0.1.{one}", at(1), Identifier("serial", f"H{one}")) for one in (3, 4, 5, 6))
    assert (end.question, end.silent, missing(inventory)) == ("parked-1", gone, set())
    (one,) = inventory.parked()
    assert (one.question.silent, one.question.covered, [run.run for run in one.question.closing]) == (
        gone, 6, ["run-4"],
    )  # fmt: skip


def test_few_that_fall_silent_become_missing_unasked(inventory: Inventory) -> None:
    silent_for(inventory, 3, 1, 2, 3, 4)

    assert (missing(inventory), inventory.parked()) == ({"h5", "h6"}, [])


def test_yes_makes_them_missing_though_more_scans_joined_the_question(
    store: GraphStore, either: Inventory, clock: Hands
) -> None:
    silent_for(either, 5, 1, 2)
    (one,) = either.parked()
    assert [run.run for run in one.question.closing] == ["run-4", "run-5", "run-6"]

    either.answer_parked("parked-1", yes=True, by="ann", reason="the room was emptied")

    assert (missing(either), either.parked()) == ({"h3", "h4", "h5", "h6"}, [])
    assert Inventory(store, Rules(), clock).verify().problems == ()


def test_no_counts_none_of_the_runs(inventory: Inventory) -> None:
    silent_for(inventory, 3, 1, 2)

    inventory.answer_parked("parked-1", yes=False, by="ann", reason="a firewall stood between")

    assert (missing(inventory), inventory.parked()) == (set(), [])
    scan(inventory, 9, 90, *hosts(90, 9, 1, 2, 3, 4, 5, 6))
    assert (missing(inventory), inventory.parked()) == (set(), [])


def test_those_who_answer_again_settle_the_question(inventory: Inventory) -> None:
    silent_for(inventory, 3, 1, 2)

    scan(inventory, 9, 90, *hosts(90, 9, 1, 2, 3, 4, 5, 6))

    assert (missing(inventory), inventory.parked()) == (set(), [])
    (settled,) = inventory.parked(finished=True)
    assert settled.question.answer is Answer.SETTLED


def test_a_yes_that_a_crash_cut_short_is_finished_by_the_clock(
    embedded: GraphStore, inventory: Inventory, clock: Hands
) -> None:
    silent_for(inventory, 4, 1, 2)
    broken = Inventory(embedded, Rules(brake=BRAKE), Breaking(clock, after=2))
    with pytest.raises(TimeoutError):
        broken.answer_parked("parked-1", yes=True, by="ann", reason="the room was emptied")
    assert missing(inventory) == set()

    inventory.tick()

    assert missing(inventory) == {"h3", "h4", "h5", "h6"}


@dataclass
class Breaking:
    """A clock that breaks at a reading: where a process could have died."""

    clock: Callable[[], datetime]
    after: int
    read: int = 0

    def __call__(self) -> datetime:
        self.read += 1
        if self.read >= self.after:
            raise TimeoutError
        return self.clock()


def test_an_interrupted_run_asks_nothing_of_who_was_not_heard(inventory: Inventory) -> None:
    scan(inventory, 1, 1, *hosts(1, 1, 1, 2, 3, 4, 5, 6))

    for number in (2, 3, 4, 5):
        inventory.close_run(RunSection(f"run-{number}", "default", ("10.0.0.0/8",), at(number), complete=False))

    assert (missing(inventory), inventory.parked()) == (set(), [])
