"""Evidence that is too old or too much goes by itself."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmdb.store.base import StoreUnavailable
from operations.evidence import EvidenceFolder
from operations.retention import Limits
from scheduler.jobs import thin_out

if TYPE_CHECKING:
    from tests.scheduler.conftest import Workshop

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Values:
    """A graph whose values come from these replies."""

    replies: frozenset[str]

    def evidence_in_use(self) -> frozenset[str]:
        return self.replies


def old(evidence: EvidenceFolder, content: bytes) -> str:
    name = evidence.store(content)
    os.utime(evidence.path(name), (0, 0))
    return name


def test_what_goes_is_told_and_more_loudly_where_a_value_came_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    evidence = EvidenceFolder(tmp_path / "evidence")
    needed, unneeded = old(evidence, b"needed"), old(evidence, b"unneeded")
    graph = Values(frozenset({needed}))
    caplog.set_level(logging.INFO)

    thin_out(evidence, lambda: graph, Limits(90, 1024), lambda: NOON)
    by_age = (evidence.path(needed).is_file(), evidence.path(unneeded).is_file(), caplog.text)
    thin_out(evidence, lambda: graph, Limits(90, 1), lambda: NOON)

    assert by_age[:2] == (True, False)
    assert "1 replies and 0 visits are no longer kept" in by_age[2]
    assert "values come from" not in by_age[2]
    assert not evidence.path(needed).is_file()
    assert "values come from 1 of the replies that are no longer kept" in caplog.text


def test_nothing_goes_while_the_store_cannot_say_what_is_needed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    evidence = EvidenceFolder(tmp_path / "evidence")
    name = old(evidence, b"unneeded")

    def away() -> Values:
        raise StoreUnavailable("the store does not answer")

    thin_out(evidence, away, Limits(1, 1), lambda: NOON)

    assert evidence.path(name).is_file()
    assert "evidence was not trimmed: the store does not answer" in caplog.text


def test_a_clock_that_is_in_charge_does_it(workshop: Workshop) -> None:
    done = threading.Event()

    workshop.clock(thin_out=done.set).start()

    workshop.until(done.is_set)
