"""The brake at work: reports that would end something wait for their run, and what is too much for a person.

A run's reports are judged together when it closes. What may be believed is then taken in whole, in its order; of the
rest all goes through but the sections that end something, which are kept as one question per scope. To answer yes is to
deliver the whole reports late, so that the graph is the one that it would have been without a brake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cmdb import absorb as absorbing
from cmdb.absorb import Known
from cmdb.brake import (
    Loss,
    Silence,
    broken_off,
    confirms,
    lines_not_past,
    losses,
    silenced,
    stood,
    too_much,
    with_report,
    without,
)
from cmdb.evidence import Sighting, check, normalised
from cmdb.lines import covers
from cmdb.model import Change, ModelError, Report, RunSection
from cmdb.parked import (
    PENDING,
    QUESTION,
    Answer,
    Parked,
    Question,
    in_order,
    parked_record,
    pending_of,
    question_of,
    together,
)
from cmdb.parking_state import State, parked_before
from cmdb.rules import Rules
from cmdb.store.base import Record, Transaction
from cmdb.transactions import Write
from cmdb.what import NotFound

CLOSED_AFTER: Final = timedelta(hours=6)
"""A run of which nothing that waits is younger counts as one that never closes: its process was killed."""

_LONGEST_REASON: Final = 2000


class Refused(Exception):
    """What was asked is not done now: the CI changed meanwhile, somebody answered, or a person has to decide first."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report or a run: the changes, what waits for the run's end, what is parked at which address."""

    revision: int | None = None
    changes: tuple[Change, ...] = ()
    waits: tuple[Loss, ...] = ()
    question: str | None = None
    parked: tuple[Parked, ...] = ()
    silent: tuple[Silence, ...] = ()

    def then(self, later: absorbing.Outcome | Taken) -> Taken:
        """This write and a later one, as one."""
        revision = self.revision if later.revision is None else later.revision
        return replace(self, revision=revision, changes=(*self.changes, *later.changes))


@dataclass(frozen=True, slots=True)
class _Judged:
    """A pending report, what it would end, and under which names that has to wait for a person."""

    report: Report
    losses: tuple[Loss, ...]
    held: frozenset[str]


class Parking:
    """Absorbs under the brake. `write` gives a transaction of the inventory, under its `lock`, which is re-entrant."""

    def __init__(
        self, write: Write, lock: AbstractContextManager[object], rules: Rules, clock: Callable[[], datetime]
    ) -> None:  # fmt: skip
        self._write = write
        self._lock = lock
        self._rules = rules
        self._clock = clock
        self._state: State | None = None

    def absorb(self, report: Report, actor: str) -> Taken:
        """Take in a report, or keep it until its run closes."""
        with self._open() as (tx, known, state):
            ends = self._would_end(tx, known, report)
            if isinstance(ends, Report):
                state.superseded(tx, ends, self._clock())
                done = absorbing.absorb(tx, known, ends, self._rules, self._clock(), actor)
                taken = Taken(done.revision, done.changes)
            else:
                state.keep_pending(tx, report)
                taken = Taken(waits=ends)
        return taken

    def close(self, run: RunSection, actor: str) -> Taken:
        """Judge what waits for the end of a run, and of those at its places that never ended; then close it."""
        with self._open() as (tx, known, state):
            mine = [
                id_
                for id_, one in state.pending.items()
                if one.run == run.run
                or (one.space == run.space and one.time <= run.time and covers(run.networks, one.source))
            ]
            judged = self._settle(tx, known, state, mine, run.run, run.networks, actor)
        return self._close(run, actor, judged)

    def tick(self) -> Taken:
        """Judge what waits for runs that never closed, and finish what a yes began."""
        now = self._clock()
        with self._open() as (tx, known, state):
            latest: dict[str | None, datetime] = {}
            for one in state.pending.values():
                latest[one.run] = max(one.time, latest.get(one.run, one.time))
            lost = {run for run, time in latest.items() if now - time > CLOSED_AFTER}
            mine = [id_ for id_, one in state.pending.items() if one.run in lost]
            networks = together(state.pending[id_].source for id_ in mine)
            taken = self._settle(tx, known, state, mine, None, networks, "clock")
            unfinished = [one.id for one in state.questions.values() if one.answer is Answer.YES]
        for question in unfinished:
            taken = taken.then(self._finish(question))
        return taken

    def answer(self, question: str, *, yes: bool, by: str, reason: str) -> Taken:
        """Apply what is parked, or discard it. Raises NotFound, ModelError without a reason, Refused if answered."""
        reason = " ".join(reason.split())
        if not reason or len(reason) > _LONGEST_REASON:
            raise ModelError(f"reason: say why in 1 to {_LONGEST_REASON} characters; it is kept with the answer")
        with self._open() as (tx, known, state):
            found = state.questions.get(question)
            if found is None or found.answer is not Answer.OPEN:
                raise _not_open(question, tx.records(QUESTION))
            answered = replace(
                found, answer=Answer.YES if yes else Answer.NO, by=by, reason=reason, answered=self._clock()
            )
            parked = [one for one in state.parked.values() if one.question == question]
            taken = Taken()
            if yes:
                reports = [one.report for one in in_order(parked)]
                # The claims stay for whoever reads the answer; the reports are in the graph now.
                tx.put([parked_record(replace(one, report=replace(one.report, sections=()))) for one in parked])
            else:
                reports = []
            state.put_question(tx, answered)
            for one in parked:
                del state.parked[one.id]
            if reports:
                words = f"{by} answered yes to question {question}: {reason}"
                done = absorbing.absorb_all(tx, known, reports, self._rules, self._clock(), by, words)
                taken = Taken(done.revision, done.changes)
        return taken.then(self._finish(question)) if yes else taken

    def _finish(self, question: str) -> Taken:
        """Close the runs of a question that was answered by yes, each in a transaction of its own."""
        taken = Taken()
        while True:
            with self._open() as (tx, known, state):
                found = state.questions.get(question)
                if found is None or found.answer is not Answer.YES or not found.closing:
                    return taken
                state.put_question(tx, replace(found, closing=found.closing[1:]))
                done = absorbing.close_run(tx, known, found.closing[0], self._rules, self._clock(), found.by or "clock")
            taken = taken.then(done)

    # State

    @contextmanager
    def _open(self) -> Iterator[tuple[Transaction, Known, State]]:
        """A write transaction, and what waits: read again where somebody else wrote, or where the last one failed."""
        with self._lock:
            state, self._state = self._state, None
            with self._write() as (tx, known, _):
                if state is None or state.evidence != tx.position.evidence:
                    state = State.read(tx)
                yield tx, known, state
            state.evidence = known.evidence
            self._state = state

    # One report

    def _would_end(self, tx: Transaction, known: Known, report: Report) -> Report | tuple[Loss, ...]:
        """What a report would end; the report to be taken in at once where that is nothing, or is parked already."""
        if self._rules.brake is None or report.run is None or report.declared:
            return report
        at = known.world.at(report.space, report.source)
        if not at:
            return report
        check(report)
        said = normalised(report)
        if confirms(at, said):
            return report
        ends = self._losses(known, at, said)
        if not ends:
            return report
        held = parked_before(tx, said)
        if not held:
            return ends
        rest = without(said, held)
        return self._losses(known, at, rest) or rest

    def _losses(self, known: Known, at: Sequence[Sighting], report: Report) -> tuple[Loss, ...]:
        return losses(at, report, known.world.runs, self._rules.missing_after)

    # The end of a run

    def _settle(
        self, tx: Transaction, known: Known, state: State, mine: Sequence[str], run: str | None,
        networks: Sequence[str], actor: str,
    ) -> Taken:  # fmt: skip
        """Take in what waited, all of it or all but what is too much; what is too much is parked."""
        if not mine:
            return Taken()
        keys = sorted({f"run {state.pending[id_].run}" for id_ in mine})
        found = [pending_of(record) for record in tx.records(PENDING, keys) if record.id in mine]
        reports = [one.report for one in sorted(found, key=lambda one: (one.report.time, one.id))]
        standing = self._standing(known, run, reports)
        judged = self._judged(known, state, reports, standing)
        state.drop_pending(tx, mine)
        runs = sorted({one.report.run for one in judged if one.held and one.report.run is not None})
        parked, question = [one for one in judged if one.held], None
        if parked:
            question = state.question_of_scope(parked[0].report.space, [one.report.source for one in parked], networks)
            question = replace(
                question or self._new(tx, parked[0].report.space),
                networks=together((*(question.networks if question else ()), *networks)),
                runs=tuple(sorted({*(question.runs if question else ()), *runs})),
                stood=standing(),
            )
            state.put_question(tx, question)
        rest = []
        for one in judged:
            if question is not None and one.held:
                state.park(tx, question, one.report, one.losses, self._clock())
            rest.append(without(one.report, one.held))
            state.superseded(tx, rest[-1], self._clock())
        words = f"what {_of_run(reports)} would end" + (", less what is parked" if parked else "")
        done = absorbing.absorb_all(tx, known, rest, self._rules, self._clock(), actor, words)
        if question is None:
            return Taken(done.revision, done.changes)
        names = {one.report.source for one in parked}
        asked = tuple(one for one in in_order(state.parked.values()) if one.question == question.id)
        return Taken(
            done.revision, done.changes, (), question.id, tuple(one for one in asked if one.report.source in names)
        )  # fmt: skip

    def _judged(
        self, known: Known, state: State, reports: Sequence[Report], standing: Callable[[], int]
    ) -> list[_Judged]:
        """What each would end after those before it, and what of it waits for a person."""
        brake = self._rules.brake
        at: dict[tuple[str, str], list[Sighting]] = {}
        ends: list[tuple[Report, tuple[Loss, ...]]] = []
        for report in reports:
            place = (report.space, report.source)
            sightings = at.setdefault(place, known.world.at(*place))
            ends.append((report, self._losses(known, sightings, report)))
            at[place] = with_report(sightings, report)
        total = sum(len(loss.claims) for _, lost in ends for loss in lost)
        everything = brake is not None and total > brake.number and too_much(brake, total, standing())
        judged = []
        for report, lost in ends:
            names = frozenset(loss.section for loss in lost)
            asked = frozenset(name for one in state.open_at(report) for name in one.names)
            held = names if everything else names & (asked | broken_off(brake, lost))
            judged.append(_Judged(report, tuple(loss for loss in lost if loss.section in held), held))
        return judged

    def _standing(self, known: Known, run: str | None, reports: Sequence[Report]) -> Callable[[], int]:
        """Counts, when it is asked, the claims at the places that a run reported, before what waits is taken in."""
        places = {(report.space, report.source) for report in reports}
        runs = {run} if run is not None else {report.run for report in reports}

        def count() -> int:
            reported = {place for place, at in known.world.places.items() for one in at.values() if runs & one.runs}
            return sum(
                stood(known.world.at(*place), known.world.runs, self._rules.missing_after)
                for place in reported | places
            )

        return count

    def _new(self, tx: Transaction, space: str) -> Question:
        return Question(f"parked-{tx.reserve('parked', 1)}", space, (), self._clock(), ())

    # What a run did not hear

    def _close(self, run: RunSection, actor: str, before: Taken) -> Taken:
        """Close a run, and the ones that waited for it; or park it where it would make too many missing."""
        with self._open() as (tx, known, state):
            silent: tuple[Silence, ...] = ()
            covered = 0
            asked = state.question_of_scope(run.space, [], run.networks) if state.questions else None
            waiting = (*(asked.closing if asked is not None else ()), run)
            if self._rules.brake is not None and run.complete and run not in known.world.runs:
                silent, covered = self._silenced(known, waiting, asked)
            if too_much(self._rules.brake, len(silent), covered):
                question = asked or state.question_of_scope(run.space, [one.source for one in silent], run.networks)
                question = replace(
                    question or self._new(tx, run.space),
                    networks=together((*(question.networks if question else ()), *run.networks)),
                    runs=tuple(sorted({*(question.runs if question else ()), run.run})),
                    closing=waiting,
                    silent=silent,
                    covered=covered,
                )
                state.put_question(tx, question)
                return replace(before, question=question.id, silent=silent)
            if asked is not None and asked.closing:
                asked = replace(asked, closing=asked.closing[1:], silent=(), covered=0)
                state.put_question(tx, asked)
                state.settle_if_empty(tx, asked, self._clock())
            done = absorbing.close_run(tx, known, waiting[0], self._rules, self._clock(), actor)
        taken = before.then(done)
        return taken if waiting[0] == run else self._close(run, actor, taken)

    def _silenced(
        self, known: Known, waiting: Sequence[RunSection], asked: Question | None
    ) -> tuple[tuple[Silence, ...], int]:
        """The lines that these runs would make past, and where they are many, how many they cover that are not."""
        runs, after = known.world.runs, self._rules.missing_after
        space, latest = waiting[-1].space, waiting[-1].time
        covered = {
            source: list(at.values())
            for (of, source), at in known.world.places.items()
            if of == space
            and not source.startswith("declared:")
            and any(run.complete and covers(run.networks, source) for run in waiting)
        }
        unheard = {
            source: at
            for source, at in covered.items()
            if any(one.time < latest and waiting[-1].run not in one.runs for one in at)
        }
        found = silenced(unheard, runs, waiting, after)
        brake = self._rules.brake
        if asked is None and (brake is None or len(found) <= brake.number):
            return found, 0
        return found, sum(lines_not_past(at, runs, after) for at in covered.values())


def _of_run(reports: Sequence[Report]) -> str:
    runs = sorted({report.run or "" for report in reports})
    return f"{'run' if len(runs) == 1 else 'runs'} {', '.join(runs)}"


def _not_open(id_: str, records: Iterable[Record]) -> Exception:
    found: Mapping[str, Question] = {record.id: question_of(record) for record in records if record.id == id_}
    if (one := found.get(id_)) is None:
        return NotFound(f"there is no question {id_!r}; list them: GET /api/v1/parked, or cmdb parked")
    when = "" if one.answered is None else f" at {one.answered:%Y-%m-%d %H:%M} UTC"
    if one.answer is Answer.SETTLED:
        return Refused(f"question {id_} is settled{when}: later scans said again what had been there")
    return Refused(f"question {id_} was answered {one.answer.value} by {one.by}{when}: {one.reason}")
