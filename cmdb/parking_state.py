"""What waits under the brake, as one process has read it, and each change of it with the records that keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cmdb import codec
from cmdb.brake import Loss, strongest
from cmdb.evidence import Head, head_of, normalised, sighting_id
from cmdb.evidence_records import place_key
from cmdb.lines import continues, covers
from cmdb.model import Completeness, Report
from cmdb.parked import (
    PARKED,
    PENDING,
    QUESTION,
    UNFINISHED,
    Answer,
    Parked,
    Pending,
    Question,
    asked_key,
    parked_of,
    parked_record,
    pending_of,
    pending_record,
    question_of,
    question_record,
)
from cmdb.store.base import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending report without its sections."""

    run: str | None
    space: str
    source: str
    time: datetime


@dataclass(slots=True)
class State:
    """What waits, as of one count of evidence: pending reports by id, unfinished questions, what is parked for them."""

    evidence: int
    pending: dict[str, Waiting] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    parked: dict[str, Parked] = field(default_factory=dict)

    @classmethod
    def read(cls, tx: Transaction) -> State:
        """All of it from the records."""
        state = cls(tx.position.evidence)
        for record in tx.records(PENDING):
            pending = pending_of(record)
            state.pending[pending.id] = _waiting(pending.report)
        for record in tx.records(QUESTION, [UNFINISHED]):
            question = question_of(record)
            state.questions[question.id] = question
        open_ = [asked_key(id_) for id_, one in state.questions.items() if one.answer is Answer.OPEN]
        for record in tx.records(PARKED, open_) if open_ else ():
            state.parked[record.id] = parked_of(record)
        return state

    def open_at(self, report: Report) -> list[Parked]:
        """What is parked of the thing that this report is of."""
        head = head_of(report)
        return [
            one
            for one in self.parked.values()
            if (one.report.space, one.report.source) == (report.space, report.source)
            and _is_of_one_thing(report, head, one.report)
        ]

    def question_of_scope(self, space: str, sources: Sequence[str], networks: Sequence[str]) -> Question | None:
        """The oldest open question whose scope meets this one."""
        for one in sorted(self.questions.values(), key=lambda one: (one.since, one.id)):
            if one.answer is not Answer.OPEN or one.space != space:
                continue
            asked = [parked.report.source for parked in self.parked.values() if parked.question == one.id]
            asked += [silence.source for silence in one.silent]
            if any(covers(one.networks, source) for source in sources) or any(
                covers(tuple(networks), source) for source in asked
            ):
                return one
        return None

    # Changes

    def keep_pending(self, tx: Transaction, report: Report) -> None:
        """Keep a whole report. A later one of the same run, address and thing takes the place of an earlier one."""
        said = normalised(report)
        id_ = codec.digest([said.run, _thing(said)])[:32]
        old = self.pending.get(id_)
        if old is None or old.time <= said.time:
            tx.put([pending_record(Pending(id_, said))])
            self.pending[id_] = _waiting(said)

    def drop_pending(self, tx: Transaction, ids: Sequence[str]) -> None:
        tx.drop(PENDING, list(ids))
        for id_ in ids:
            del self.pending[id_]

    def put_question(self, tx: Transaction, question: Question) -> None:
        tx.put([question_record(question)])
        if question.answer is Answer.OPEN or (question.answer is Answer.YES and question.closing):
            self.questions[question.id] = question
        else:
            self.questions.pop(question.id, None)

    def park(
        self, tx: Transaction, question: Question, report: Report, losses: tuple[Loss, ...], now: datetime
    ) -> None:  # fmt: skip
        """Keep what waits for a person; what was parked of the thing before, under the same names, goes."""
        names = frozenset(loss.section for loss in losses)
        for one in self.open_at(report):
            if one.report.time <= report.time:
                self._leave(tx, one, names, now)
        id_ = codec.digest([question.id, _thing(report), report.run])[:32]
        known_by = strongest(head_of(report).identifiers)
        self.parked[id_] = Parked(id_, question.id, report, losses, known_by)
        tx.put([parked_record(self.parked[id_])])
        if question.id not in self.questions:  # it was empty for a moment
            self.put_question(tx, question)

    def superseded(self, tx: Transaction, report: Report, now: datetime) -> None:
        """What is parked of a thing goes when a later full section of its name is taken in."""
        if not self.parked or report.declared:
            return
        full = frozenset(one.name for one in report.sections if one.completeness is Completeness.FULL)
        for one in self.open_at(normalised(report)):
            if one.report.time < report.time and not one.names.isdisjoint(full):
                self._leave(tx, one, full, now)

    def settle_if_empty(self, tx: Transaction, question: Question, now: datetime) -> None:
        """A question of which nothing is left needs no answer."""
        waits = question.closing or any(one.question == question.id for one in self.parked.values())
        if question.answer is Answer.OPEN and not waits:
            self.put_question(tx, replace(question, answer=Answer.SETTLED, answered=now))

    def _leave(self, tx: Transaction, one: Parked, names: frozenset[str], now: datetime) -> None:
        left = tuple(loss for loss in one.losses if loss.section not in names)
        if left:
            self.parked[one.id] = replace(one, losses=left)
            tx.put([parked_record(self.parked[one.id])])
            return
        del self.parked[one.id]
        tx.drop(PARKED, [one.id])
        self.settle_if_empty(tx, self.questions[one.question], now)


def parked_before(tx: Transaction, report: Report) -> frozenset[str]:
    """The sections of a (normalised) report that were parked when it was delivered before, be they discarded since."""
    found = [parked_of(record) for record in tx.records(PARKED, [place_key(report.space, report.source)])]
    return frozenset(
        name for one in found if one.report.sections and one.report.time >= report.time for name in one.names
    )


def _thing(report: Report) -> str:
    return sighting_id(report.space, report.source, report.port, head_of(report))


def _waiting(report: Report) -> Waiting:
    return Waiting(report.run, report.space, report.source, report.time)


def _is_of_one_thing(later: Report, head: Head, earlier: Report) -> bool:
    """Whether a later report replaces what an earlier one said: what has no identifier is known by its port alone."""
    if not head.identifiers:
        return later.port == earlier.port and not head_of(earlier).identifiers
    return continues(head, head_of(earlier))
