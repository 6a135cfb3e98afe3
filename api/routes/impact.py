"""Impact: what a change would do, page by page; each page is of one revision."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api import cursor, impacts, reasons
from api.auth import Reader, ServicesOf
from api.histories import moment
from api.impacts import Page
from api.moments import AT, GONE
from api.problems import Problem
from api.routes.cis import CI_ID, known
from api.routes.impact_shapes import (
    ImpactAnswer,
    ImpactQuestion,
    NextFailuresAnswer,
    NextFailuresQuestion,
    SinglePointList,
    WhyAnswer,
)
from api.wiring import Services, now
from cmdb.impact import Answer, Evaluation, Question
from cmdb.inventory import Inventory
from cmdb.model import ModelError
from cmdb.store.base import Gone

router = APIRouter(tags=["impact"])

WAIT_S: Final = 5.0
"""How long a request waits for a revision that it names."""
_WAITERS: Final = 16
"""So many requests wait at once: each holds one of the server's 40 threads, and others are to be answered meanwhile."""
_ROOM: Final = threading.BoundedSemaphore(_WAITERS)
_LOOK_S: Final = 0.05
_HASH: Final = 16

KIND = Annotated[str, Query(max_length=100, examples=["power_off"])]
DOWN = Annotated[list[str] | None, Query(max_length=1000, description="a CI that is down already; may be repeated")]
RESTARTS = Annotated[bool, Query(description="with patch: it restarts what it patches")]
WAIT_FOR = Annotated[
    int | None, Query(ge=0, le=2**62, description="a revision that must be in the answer; waited for, for 5 seconds")
]
SECONDS = Annotated[float, Query(ge=0, le=30, description="how long to look; what is cut short says so")]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a request brings it, and which of its rows are wanted."""

    what: Sequence[str]
    kind: str
    down: Sequence[str]
    restarts: bool
    at: str | None
    wait_for: int | None
    limit: int = 100
    next: str | None = None
    level: Sequence[str] = ()
    cls: Sequence[str] = ()
    site: str | None = None
    who: bool = True


@router.post("/impact", response_model=ImpactAnswer, responses=GONE)
def impact(question: ImpactQuestion, reader: Reader, services: ServicesOf) -> JSONResponse:
    """What a change would do: what goes down, is degraded, loses its spare or its backup, why, and how sure.

    Totals first, then rows: the worst of the affected, and those of whom nobody can tell. Long lists go on with one of
    the cursors of `next`, sent with the same question; each page is of the same revision.
    """
    del reader
    return JSONResponse(_answered(services, Asked(**dict(question))))


@router.get("/cis/{ci}/impact", response_model=ImpactAnswer, responses=GONE)
def impact_of(
    ci: CI_ID,
    reader: Reader,
    services: ServicesOf,
    kind: KIND = "power_off",
    down: DOWN = None,
    restarts: RESTARTS = False,
    at: AT = None,
    wait_for: WAIT_FOR = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="at most so many rows of each list")] = 100,
    next_: Annotated[
        str | None, Query(alias="next", max_length=4000, description="a cursor of the page before")
    ] = None,
    level: Annotated[list[str] | None, Query(max_length=5, description="down, degraded, at_risk, …")] = None,
    cls: Annotated[list[str] | None, Query(alias="class", max_length=50, description="subclasses included")] = None,
    site: Annotated[str | None, Query(max_length=255, description="a building, or - for none that is known")] = None,
    who: Annotated[
        bool, Query(description="false: without whom it concerns, for which many documents are read")
    ] = True,
) -> JSONResponse:
    """The same for one CI."""
    del reader
    found = known(services.inventory, ci, moment_awaited(services.inventory, at, wait_for)).ci.id
    asked = Asked([found], kind, down or (), restarts, at, wait_for, limit, next_, level or (), cls or (), site, who)
    return JSONResponse(_answered(services, asked))


@router.get("/cis/{ci}/why", response_model=WhyAnswer, responses=GONE)
def why(
    ci: CI_ID,
    reader: Reader,
    services: ServicesOf,
    what: Annotated[list[str], Query(min_length=1, max_length=1000, description="what is changed; may be repeated")],
    kind: KIND = "power_off",
    down: DOWN = None,
    restarts: RESTARTS = False,
    at: AT = None,
    wait_for: WAIT_FOR = None,
    next_failures: Annotated[bool, Query(description="with what would take it down next, after the change")] = False,
    seconds: SECONDS = 10.0,
) -> JSONResponse:
    """Why a change affects a CI, or does not, or why nobody can tell: what decided, by how much, and who says so.

    `said` of a relation is what is said now; it is empty where the answer is of another time.
    """
    del reader
    inventory = services.inventory
    then = moment_awaited(inventory, at, wait_for)
    found = known(inventory, ci, then).ci.id
    question = inventory.question(what, kind, down or (), restarts=restarts, at=then)
    with evaluated(inventory, question, then) as evaluation:
        of = reasons.explained(evaluation, found)
    document = reasons.document(inventory, of, now())
    if next_failures:
        following = reasons.next_failures(inventory, evaluation, [found], reasons.within(seconds))
        document["next_failures"] = following["items"][0] if following["items"] else None
    return JSONResponse(document)


@router.post("/impact/next-failures", response_model=NextFailuresAnswer, responses=GONE)
def next_failures(question: NextFailuresQuestion, reader: Reader, services: ServicesOf) -> JSONResponse:
    """Which CI or cable would take a CI down next, after the change and not without it: of each service of the answer,
    or of the CIs that `of` names. `complete` is false where the time was not enough."""
    del reader
    inventory = services.inventory
    at = moment_awaited(inventory, question.at, question.wait_for)
    asked = inventory.question(question.what, question.kind, question.down, restarts=question.restarts, at=at)
    with evaluated(inventory, asked, at) as evaluation:
        of = [inventory.ci_of(text) for text in question.of] or reasons.services_of(evaluation)
    return JSONResponse(reasons.next_failures(inventory, evaluation, of, reasons.within(question.seconds)))


@router.get("/impact/single-points", response_model=SinglePointList)
def single_points(
    reader: Reader,
    services: ServicesOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[int, Query(ge=0, le=4_999, description="how many of the first to leave out")] = 0,
    seconds: SECONDS = 30.0,
) -> JSONResponse:
    """The CIs and cables whose loss alone takes a service down, what takes most services down first.

    `in_all` counts them, the first 5,000 can be read. `complete` is false where the time was not enough.
    """
    del reader
    return JSONResponse(services.points.page(after, limit, seconds))


def _answered(services: Services, asked: Asked) -> dict[str, Any]:
    inventory = services.inventory
    starts, at, first = {"affected": 0, "unknown": 0}, None, None
    if asked.next is None:
        at = moment_awaited(inventory, asked.at, asked.wait_for)
    wanted = impacts.wanted(inventory, asked.level, asked.cls, asked.site)
    going_on = _Going(services.cursor_key, asked, wanted)
    if asked.next is not None:
        name, start, at, first = going_on.read(asked.next)
        starts = {name: start}
    with _history():
        question = inventory.question(asked.what, asked.kind, asked.down, restarts=asked.restarts, at=at)
    affected = unknown = Page((), None)
    with evaluated(inventory, question, at) as evaluation:
        answer = evaluation.answer()
        if first is not None and not answer.hash.startswith(first):
            raise Problem(409, "what the question names is called otherwise since: name it by the ids of `question`")
        if "affected" in starts:
            affected = impacts.page_of_affected(answer, wanted, starts["affected"], asked.limit)
        if "unknown" in starts:
            unknown = impacts.page_of_unknown(answer, wanted, starts["unknown"], asked.limit)
        taken = impacts.taken(answer, affected, unknown)
        if asked.who:
            answer.census()  # it is kept for when others may ask again
    following = {
        "affected": going_on.write("affected", affected.next, answer),
        "unknown": going_on.write("unknown", unknown.next, answer),
    }
    return impacts.document(taken, inventory.who(answer) if asked.who else None, following)


@dataclass(frozen=True, slots=True)
class _Going:
    """Cursors of a question: which list, from where on, at which revision, and of which answer."""

    key: bytes
    asked: Asked
    wanted: impacts.Wanted

    @property
    def _bound(self) -> list[Any]:
        asked, wanted = self.asked, self.wanted
        question = [list(asked.what), asked.kind, list(asked.down), asked.restarts, asked.at]
        return ["impact", *question, sorted(wanted.levels), sorted(wanted.classes), wanted.site]

    def write(self, name: str, place: int | None, answer: Answer) -> str | None:
        if place is None:
            return None
        return cursor.write(self.key, self._bound, (place, f"{name}@{answer.revision}@{answer.hash[:_HASH]}"))

    def read(self, text: str) -> tuple[str, int, int, str]:
        """Which list, from where on, at which revision, and how the hash of the answer begins."""
        place, which = cursor.read(self.key, self._bound, text)
        name, revision, digest = which.split("@")
        return name, int(place), int(revision), digest


@contextmanager
def evaluated(inventory: Inventory, question: Question, at: int | None) -> Iterator[Evaluation]:
    """The question evaluated now or at a revision; others wait for the context's end, after which it stays there."""
    with _history(), inventory.impact(question, at).held() as evaluation:
        yield evaluation


@contextmanager
def _history() -> Iterator[None]:
    """Says what to do where history was trimmed since the page before."""
    try:
        yield
    except Gone as error:
        raise Problem(
            410,
            f"{error}; history is kept from revision {error.oldest} on: ask again without `next`, or with an `at` of "
            "then or later",
            oldest=error.oldest,
        ) from error


def moment_awaited(inventory: Inventory, at: str | None, wait_for: int | None) -> int | None:
    """The revision that `at` means, once what is waited for is there: only then is it known what names mean."""
    then = moment(inventory, at)
    if wait_for is not None:
        if then is not None and then < wait_for:
            raise ModelError(
                f"wait_for: revision {wait_for} is not in an answer at revision {then}; leave out one of them"
            )
        awaited(inventory, wait_for)
    return then


def awaited(
    inventory: Inventory, revision: int, limit_s: float = WAIT_S, room: threading.BoundedSemaphore = _ROOM
) -> None:
    """Wait until a revision is there. A Problem where it does not come in time, and where too many wait already."""
    if inventory.newest() >= revision:
        return
    if not room.acquire(blocking=False):
        raise Problem(
            503,
            f"revision {revision} is not there yet, and too many requests wait for one already; ask again later",
            {"Retry-After": "1"},
        )
    try:
        _wait(inventory, revision, limit_s)
    finally:
        room.release()


def _wait(inventory: Inventory, revision: int, limit_s: float) -> None:
    ends = time.monotonic() + limit_s
    while (newest := inventory.newest()) < revision:
        if time.monotonic() >= ends:
            raise Problem(
                503,
                f"revision {revision} is not there after {limit_s:g} seconds: the newest is {newest}; ask again later",
                {"Retry-After": "5"},
            )
        time.sleep(_LOOK_S)
