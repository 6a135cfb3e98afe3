"""Every recording, through recognise, collect and observe; and what no recording reaches."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery.family import Filling, load_families, parsers
from discovery.replay import expectation, replay
from discovery.transport.replies import read_replies
from tests.discovery.parts import RECORDINGS

FAMILIES = load_families()
ALL = sorted(RECORDINGS.glob("*/*/replies.yaml"))


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.parent.name}"


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_a_recording_gives_what_is_expected_of_it(path: Path) -> None:
    replayed = replay(read_replies(path.read_text(), str(path)), FAMILIES)

    assert path.with_name("expected.json").read_text() == expectation(replayed)


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_a_recording_is_recognised_as_the_family_whose_folder_holds_it(path: Path) -> None:
    recognition = replay(read_replies(path.read_text(), str(path)), FAMILIES).recognition

    assert (path.parent.parent.name, ()) == (recognition.family and recognition.family.name, recognition.tied)


@pytest.mark.parametrize("path", ALL, ids=_name)
def test_all_of_a_recording_is_used(path: Path) -> None:
    ledger = replay(read_replies(path.read_text(), str(path)), FAMILIES).ledger
    recognising = {("get", "1.3.6.1.2.1.1.1.0"), ("get", "1.3.6.1.2.1.1.2.0")}

    assert set() == set(ledger.unused) - recognising


def test_every_family_has_a_recording() -> None:
    assert {family.name for family in FAMILIES} == {path.parent.parent.name for path in ALL}


def test_every_parser_is_reached_by_a_recording() -> None:
    reached = set()
    for path in ALL:
        replayed = replay(read_replies(path.read_text(), str(path)), FAMILIES)
        family = replayed.recognition.family
        assert family is not None
        spoke = {step.section for step in replayed.collection.steps}
        reached |= {
            f"{step.reader.__module__.rpartition('.')[2]}.{step.reader.__name__}"
            for step in family.steps
            if step.section in spoke and not isinstance(step.reader, Filling)
        }

    assert set(parsers()) == reached
