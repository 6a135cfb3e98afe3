"""What waits: reports for the end of their run, and questions for a person. Types, and the records they are kept in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import collapse_addresses, ip_network
from typing import Final

from cmdb import codec
from cmdb.brake import Ended, Loss, Silence
from cmdb.codec import Json
from cmdb.evidence_records import packed, place_key, unpacked
from cmdb.model import Identifier, Report, RunSection
from cmdb.store.base import Record, Records

PENDING: Final = "pending"
PARKED: Final = "parked"
QUESTION: Final = "question"
UNFINISHED: Final = "unfinished"
"""The key of questions that are open, or answered with something left to do."""


class Answer(StrEnum):
    """What became of a question; `settled`: later scans said again what had been there, so nobody was needed."""

    OPEN = "open"
    YES = "yes"
    NO = "no"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Pending:
    """A whole report that would end something, and waits for the end of its run."""

    id: str
    report: Report


@dataclass(frozen=True, slots=True)
class Parked:
    """A whole report, of which some sections wait for the answer to a question. Answered by yes it has none left.

    `known_by` identifies best who said it.
    """

    id: str
    question: str
    report: Report
    losses: tuple[Loss, ...]
    known_by: Identifier | None

    @property
    def names(self) -> frozenset[str]:
        return frozenset(loss.section for loss in self.losses)

    @property
    def ended(self) -> int:
        return sum(len(loss.claims) for loss in self.losses)


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: whether what is parked may end what it ends.

    `stood`: the claims at the places that the last run reported. `closing`: run sections that wait; they would make
    the `silent` ones missing, of `covered` that are not.
    """

    id: str
    space: str
    networks: tuple[str, ...]
    since: datetime
    runs: tuple[str, ...]
    stood: int = 0
    closing: tuple[RunSection, ...] = ()
    silent: tuple[Silence, ...] = ()
    covered: int = 0
    answer: Answer = Answer.OPEN
    by: str | None = None
    reason: str | None = None
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that is parked for it, by place."""

    question: Question
    parked: tuple[Parked, ...]

    @property
    def ended(self) -> int:
        """How many claims a yes ends."""
        return sum(one.ended for one in self.parked)

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many of what, the most first."""
        count = Counter(claim.kind for one in self.parked for loss in one.losses for claim in loss.claims)
        return dict(sorted(count.items(), key=lambda row: (-row[1], row[0])))


def pending_record(one: Pending) -> Record:
    report = one.report
    return Record(
        PENDING, one.id, packed(report_out(report)),
        frozenset({place_key(report.space, report.source), f"run {report.run}"}), report.time,
    )  # fmt: skip


def pending_of(record: Record) -> Pending:
    return Pending(record.id, report_in(unpacked(record.doc)))


def parked_record(one: Parked) -> Record:
    document = {
        "question": one.question,
        "report": report_out(one.report),
        "known_by": one.known_by,
        "losses": [[loss.section, [list(claim) for claim in loss.claims], loss.of, loss.new] for loss in one.losses],
    }
    keys = frozenset({place_key(one.report.space, one.report.source), asked_key(one.question)})
    return Record(PARKED, one.id, packed(document), keys, one.report.time)


def parked_of(record: Record) -> Parked:
    document = unpacked(record.doc)
    losses = tuple(
        Loss(name, tuple(Ended(*claim) for claim in claims), of, new) for name, claims, of, new in document["losses"]
    )
    known_by = None if document["known_by"] is None else Identifier(*document["known_by"])
    return Parked(record.id, document["question"], report_in(document["report"]), losses, known_by)


def question_record(one: Question) -> Record:
    document = {
        "space": one.space,
        "networks": list(one.networks),
        "since": codec.time_out(one.since),
        "runs": list(one.runs),
        "stood": one.stood,
        "closing": [codec.run_section_out(run) for run in one.closing],
        "silent": [[gone.source, codec.time_out(gone.seen), gone.known_by] for gone in one.silent],
        "covered": one.covered,
        "answer": one.answer.value,
        "by": one.by,
        "reason": one.reason,
        "answered": None if one.answered is None else codec.time_out(one.answered),
    }
    # What is still to be done is found without reading what was answered long ago.
    unfinished = one.answer is Answer.OPEN or (one.answer is Answer.YES and one.closing)
    keys = frozenset({UNFINISHED} if unfinished else ())
    return Record(QUESTION, one.id, packed(document), keys, one.answered or one.since)


def question_of(record: Record) -> Question:
    document = unpacked(record.doc)
    return Question(
        record.id,
        document["space"],
        tuple(document["networks"]),
        codec.time_in(document["since"]),
        tuple(document["runs"]),
        document["stood"],
        tuple(codec.run_section_in(run) for run in document["closing"]),
        tuple(
            Silence(source, codec.time_in(seen), None if known_by is None else Identifier(*known_by))
            for source, seen, known_by in document["silent"]
        ),
        document["covered"],
        Answer(document["answer"]),
        document["by"],
        document["reason"],
        None if document["answered"] is None else codec.time_in(document["answered"]),
    )


def questions(records: Records, *, finished: bool) -> list[Asked]:
    """The open questions, the oldest first; then, where wanted, those that are answered, the last one first."""
    found = [question_of(record) for record in records(QUESTION, None if finished else [UNFINISHED])]
    open_ = sorted((one for one in found if one.answer is Answer.OPEN), key=lambda one: (one.since, one.id))
    answered = sorted((one for one in found if one.answer is not Answer.OPEN), key=_last, reverse=True)
    wanted = [*open_, *(answered if finished else ())]
    if not wanted:
        return []
    parked: dict[str, list[Parked]] = {}
    for record in records(PARKED, None if finished else [asked_key(one.id) for one in wanted]):
        waiting = parked_of(record)
        parked.setdefault(waiting.question, []).append(waiting)
    return [Asked(one, tuple(in_order(parked.get(one.id, ())))) for one in wanted]


def question_by_id(records: Records, id_: str) -> Asked | None:
    """One question, open or answered."""
    for record in records(QUESTION):
        if record.id == id_:
            return Asked(
                question_of(record), tuple(in_order(parked_of(one) for one in records(PARKED, [asked_key(id_)])))
            )
    return None


def asked_key(question: str) -> str:
    """What is parked for a question is found by this."""
    return f"question {question}"


def _last(question: Question) -> tuple[datetime, str]:
    return question.answered or question.since, question.id


def in_order(parked: Iterable[Parked]) -> list[Parked]:
    """As they were said."""
    return sorted(parked, key=lambda one: (one.report.time, one.report.space, one.report.source, one.id))


def report_out(report: Report) -> Json:
    """A report as JSON, whole."""
    return {
        "source": report.source,
        "time": codec.time_out(report.time),
        "sections": [codec.section_out(section) for section in report.sections],
        "space": report.space,
        "port": report.port,
        "run": report.run,
    }


def report_in(document: Json) -> Report:
    return Report(
        document["source"],
        codec.time_in(document["time"]),
        tuple(codec.section_in(section) for section in document["sections"]),
        document["space"],
        document["port"],
        document["run"],
    )


def together(networks: Iterable[str]) -> tuple[str, ...]:
    """Networks as the fewest that are the same."""
    read = [ip_network(text, strict=False) for text in networks]
    four = collapse_addresses(one for one in read if one.version == 4)
    six = collapse_addresses(one for one in read if one.version == 6)
    return tuple(str(one) for one in (*four, *six))
