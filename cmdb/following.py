"""What other processes wrote is taken over from their notes of it, instead of loading everything again.

Each transaction leaves a note of which places, ids and problems it wrote, under the number of its write of evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from cmdb import codec
from cmdb.absorb import of_decisions, settle, unanswered
from cmdb.evidence import Place, ordered_runs
from cmdb.evidence_records import CONFIRMATION, DECISION, RUN, SIGHTING, packed, place_key, unpacked, world_of
from cmdb.identity import IDENTITY, identity_of
from cmdb.known import CLOCK, PROBLEMS, Known, told_of
from cmdb.model import Revision
from cmdb.rules import Rules
from cmdb.step import News, stepped
from cmdb.store.base import Record, Records, Transaction

WRITTEN: Final = "written"
_KEPT: Final = 1024
"""So many notes are kept; who was away for longer loads everything."""
_TAKEN: Final = 256
"""So many are taken over at most: more is loaded as fast."""


class _Behind(Exception):
    """What the notes say does not lead to what is stored."""


def note(tx: Transaction, known: Known) -> None:
    """Leave a note of what this transaction wrote, and drop those that nobody will read."""
    number, written = tx.position.evidence, known.written
    document = {
        "places": sorted(written.places), "ids": sorted(written.ids), "problems": sorted(written.problems),
        "runs": written.runs, "decisions": written.decisions, "whole": written.whole,
    }  # fmt: skip
    tx.put([Record(WRITTEN, str(number), packed(document), frozenset({str(number)}))])
    if not number % _TAKEN and number > _KEPT:
        first = max(1, number - _KEPT - 2 * _TAKEN)
        tx.drop(WRITTEN, [str(old) for old in range(first, number - _KEPT)])


def followed(
    known: Known, records: Records, changes: Callable[[int], Sequence[Revision]], evidence: int, rules: Rules,
    now: datetime,
) -> bool:  # fmt: skip
    """Bring what is known up to a count of evidence; False where it has to be loaded, and then it is of no use."""
    if not known.evidence < evidence <= known.evidence + _TAKEN or known.whole:
        return False
    numbers = [str(number) for number in range(known.evidence + 1, evidence + 1)]
    notes = [unpacked(record.doc) for record in records(WRITTEN, numbers)]
    if len(notes) < len(numbers) or any(one["whole"] for one in notes):
        return False
    places = sorted({(space, source) for one in notes for space, source in one["places"]})
    try:
        news = News(known, rules, now)
        _take_over(known, records, places, news, notes)
        for revision in changes(known.revision):
            known.store(revision.changes)
            known.revision = revision.n
        step = stepped(known, news, rules, now, _nobody, whole=False)
        if step.assigned.changed:
            return False
        _, touched = settle(known, step, news.places)
        for place in touched:
            known.plan(place, rules, now)
    except _Behind:
        return False
    known.committed(evidence, known.revision)
    return True


def _take_over(
    known: Known, records: Records, places: Sequence[Place], news: News, notes: Sequence[codec.Json]
) -> None:
    """What was said, and who it was said to be."""
    keys = [place_key(*place) for place in places]
    confirmations = records(CONFIRMATION, keys)
    said = world_of(records(SIGHTING, keys), confirmations, (), ())
    for place in places:
        if place not in said.places:
            raise _Behind
        known.places[place] = dict(said.places[place])
    for record in confirmations:
        document = unpacked(record.doc)
        known.cis_of[document["space"], document["source"]] = record.cis
    missed: set[Place] = set()
    if any(one["runs"] for one in notes):
        before = set(known.world.runs)
        runs = ordered_runs(codec.run_section_in(unpacked(record.doc)) for record in records(RUN))
        known.world = replace(known.world, runs=runs)
        missed = {place for run in before.symmetric_difference(runs) for place in unanswered(known, run)}
    for place in sorted({*places, *missed}):
        news.at(place)
    if any(one["decisions"] for one in notes):
        old = known.world.decisions
        known.world = replace(
            known.world, decisions=tuple(codec.decision_in(unpacked(record.doc)) for record in records(DECISION))
        )
        changed = [one for one in (*old, *known.world.decisions) if (one in old) is not (one in known.world.decisions)]
        news.nodes.update(dict.fromkeys(of_decisions(known, changed)))
    ids = sorted({id_ for one in notes for id_ in one["ids"]})
    known.identify({record.id: identity_of(record) for record in records(IDENTITY, ids)})
    problems = sorted({id_ for one in notes for id_ in one["problems"]})
    told = {record.id: told_of(record) for record in records(PROBLEMS, problems)}
    known.tell({id_: told.get(id_) for id_ in problems})
    for record in records(CLOCK):
        known.clock = record.at


def _nobody(count: int) -> Sequence[str]:
    """Who follows gives no ids: all of them were given when it was written."""
    if count:
        raise _Behind
    return []
