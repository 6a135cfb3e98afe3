"""Reports of before, read anew: what they change, and what they leave to others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Report, Subject
from cmdb.rules import Brake, Rules
from cmdb.store.opening import open_store
from tests.cmdb.truth.saying import at, ids, mac, neighbours, report, run, system

CORE = "10.0.0.1"


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    store = open_store(f"sqlite:///{tmp_path / 'cmdb.sqlite'}")
    yield Inventory(store, Rules(brake=Brake(0.2, 2)), lambda: at(1000))
    store.close()


def core(time: float, *far: int, name: str = "core") -> Report:
    """A switch with cables to those neighbours."""
    cables = [(f"te{one}", Subject("network_switch", ids(mac=mac(100 + one)), f"access-{one}"), "gi1") for one in far]
    said = (system(time, "network_switch", name, serial="S-core"), neighbours(time, *cables))
    return report(CORE, time, *said, run=f"run-{time:.0f}")


def scanned(inventory: Inventory, time: float, one: Report) -> str | None:
    """The question that a scan leads to."""
    inventory.absorb(one)
    return inventory.close_run(run(int(time), time + 0.5)).question


def rehearsed(inventory: Inventory, *reports: Report, apply: bool = True) -> tuple[str, ...]:
    return inventory.rehearse(reports, "ann", "a replay", apply=apply).difference


def test_what_is_read_as_before_changes_nothing_and_takes_no_revision(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1, 2))

    again = inventory.rehearse([core(1, 1, 2)], "ann", "a replay", apply=True)

    assert (again.revision, again.difference) == (None, ())


def test_what_is_read_otherwise_replaces_what_the_same_reply_gave_time_and_again(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1))

    shown = rehearsed(inventory, core(1, 1, name="one"), apply=False)
    changes = [rehearsed(inventory, core(1, 1, name=name)) for name in ("one", "two", "one", "core", "core")]

    assert shown == ("~ network_switch one: name core → one",)
    assert changes == [
        shown,
        ("~ network_switch two: name one → two",),
        ("~ network_switch one: name two → one",),
        ("~ network_switch core: name one → core",),
        (),
    ]


def test_an_old_run_takes_nothing_back_that_a_newer_one_said(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1))
    scanned(inventory, 2, core(2, 1, name="new"))

    assert rehearsed(inventory, core(1, 1, name="other")) == ()


def test_what_the_brake_holds_back_waits_for_its_answer_whatever_is_replayed(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1, 2, 3, 4))
    question = scanned(inventory, 2, core(2, 1))
    assert question is not None

    waiting = rehearsed(inventory, core(2, 1))
    inventory.answer_parked(question, yes=False, by="ann", reason="a cable was pulled for a test")
    discarded = rehearsed(inventory, core(2, 1))
    renamed = rehearsed(inventory, core(2, 1, name="other"))

    assert (waiting, discarded) == ((), ())
    assert renamed == ("~ network_switch other: name core → other",)


def test_what_was_let_through_is_replayed(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1, 2, 3, 4))
    question = scanned(inventory, 2, core(2, 1))
    assert question is not None
    inventory.answer_parked(question, yes=True, by="ann", reason="they were moved")

    assert rehearsed(inventory, core(2, 1)) == ()
    assert len(rehearsed(inventory, core(2, 1, 2))) > 0


def test_a_report_that_waits_for_the_end_of_its_run_is_left_to_it(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1, 2, 3, 4))
    inventory.absorb(core(2, 1))

    assert rehearsed(inventory, core(2, 1)) == ()


def test_what_was_never_stored_is_taken_in(inventory: Inventory) -> None:
    scanned(inventory, 1, core(1, 1))

    assert "+ network_switch other: serial S-OTHER" in {
        line.partition(", ")[0]
        for line in rehearsed(inventory, replace(core(2), source="10.0.0.9", sections=(
            system(2, "network_switch", "other", serial="S-other"),
        )))
    }  # fmt: skip
