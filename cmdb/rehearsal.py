"""Reports of before, read anew from the same replies: where they stand among what was said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from cmdb.absorb import Known
from cmdb.brake import without
from cmdb.evidence import Sighting, normalised, taken_in
from cmdb.model import Report
from cmdb.parked import PARKED, PENDING, parked_of, pending_of
from cmdb.store.base import Records

_BESIDE: Final = timedelta(milliseconds=1)
"""Nobody scans one address twice in so short a time: what is kept of it there was made of the same replies."""


def news(known: Known, reports: Iterable[Report]) -> list[Report]:
    """The reports that say something else than what is kept of the same replies, each right after that.

    What was said later stays later: a report of an old run takes nothing back that a newer one said.
    """
    placed = (_beside(known, report) for report in reports)
    return [report for report in placed if _is_new(known, normalised(report))]


def _is_new(known: Known, report: Report) -> bool:
    at = {one.id: one for one in known.world.at(report.space, report.source)}
    return taken_in(at, report)[1]


def less_held(records: Records, reports: Iterable[Report]) -> list[Report]:
    """The reports less what the brake holds back of them or a person discarded: replays are no way around an answer."""
    waiting = {_heard(pending_of(record).report) for record in records(PENDING)}
    held: dict[tuple[str, str, datetime], frozenset[str]] = {}
    for record in records(PARKED):
        one = parked_of(record)
        if one.report.sections:  # those of a yes are in the graph
            held[_heard(one.report)] = held.get(_heard(one.report), frozenset()) | one.names
    return [
        without(report, held.get(_heard(report), frozenset())) for report in reports if _heard(report) not in waiting
    ]


def _heard(report: Report) -> tuple[str, str, datetime]:
    return report.space, report.source, report.time


def _beside(known: Known, report: Report) -> Report:
    said = [
        time
        for sighting in known.world.at(report.space, report.source)
        for time in _times(sighting)
        if report.time <= time < report.time + _BESIDE
    ]
    if not said:
        return report
    time = max(said) + timedelta(microseconds=1)
    return replace(report, time=time, sections=tuple(replace(section, time=time) for section in report.sections))


def _times(sighting: Sighting) -> Iterable[datetime]:
    yield sighting.time
    for kept in sighting.sections.values():
        yield from (held.confirmed for held in kept.held)
        if kept.refusal is not None:
            yield kept.refusal.time
