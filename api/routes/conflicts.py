"""What only a person can tell: conflicts, likely duplicates, and decisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api import judged
from api.auth import Operator, Reader, ServicesOf
from api.paging import Pages
from api.routes.shapes import IdentifierOut, Strict, Text

router = APIRouter(tags=["conflicts"])

DECISION = Annotated[str, Path(max_length=100, examples=["d-3"])]


class BriefOut(BaseModel):
    id: str = Field(examples=["ci-12"])
    cls: str = Field(alias="class", examples=["server"])
    name: str = Field(examples=["web1"])
    label: str | None = Field(examples=["D010210-009"])
    state: str = Field(examples=["present"])


class SaidOut(BaseModel):
    """Who said that a candidate carries the value; `evidence` is the content hash of the reply."""

    source: str = Field(examples=["10.0.0.7"])
    section: str = Field(examples=["ssh.hardware"])
    since: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    confirmed: str = Field(examples=["2026-01-03T03:04:05.678000Z"])
    evidence: str | None


class CandidateOut(BriefOut):
    said: list[SaidOut]


class SharedOut(BaseModel):
    kind: str = Field(examples=["disk"])
    values: list[str] = Field(examples=[["WD-1234"]])


class ContradictionOut(BaseModel):
    kind: str = Field(examples=["serial"])
    a: list[str] = Field(examples=[["CZ3A"]])
    b: list[str] = Field(examples=[["CZ3B"]])


class ReasonOut(BaseModel):
    kind: str = Field(examples=["disk"])
    what: str = Field(examples=["WD-1234"])
    speaks_for: str = Field(alias="for", examples=["same"])
    text: str = Field(examples=["both hold the disks WD-1234"])


class PairOut(BaseModel):
    """Two candidates that contradict, what they share, and what that suggests: `same`, `different` or null."""

    a: str = Field(examples=["ci-12"])
    b: str = Field(examples=["ci-31"])
    shared: list[SharedOut]
    contradicts: list[ContradictionOut]
    reasons: list[ReasonOut]
    suggestion: str | None = Field(examples=["same"])


class ConflictOut(BaseModel):
    """Values that join nothing, for those who carry them contradict. `candidates` are at most 20 of `total`."""

    id: str = Field(examples=["conflict-db4f90641163"])
    values: list[IdentifierOut]
    total: int = Field(examples=[2])
    candidates: list[CandidateOut]
    pairs: list[PairOut]
    suggestion: str | None = Field(examples=["same"])
    since: str | None


class ConflictList(BaseModel):
    items: list[ConflictOut]
    next: str | None = None


class PartOut(BaseModel):
    kind: str = Field(examples=["name"])
    points: int = Field(examples=[50])
    what: str = Field(examples=["web-1 / web1"])
    text: str = Field(examples=["called alike: web-1 / web1"])


class DuplicateOut(BaseModel):
    a: BriefOut
    b: BriefOut
    score: int = Field(examples=[80])
    parts: list[PartOut]


class DuplicateList(BaseModel):
    items: list[DuplicateOut]
    next: str | None = None


class WithdrawnOut(BaseModel):
    by: str = Field(examples=["Ada"])
    reason: str
    time: str = Field(examples=["2026-01-03T03:04:05.678000Z"])


class DecisionOut(BaseModel):
    """What a person decided. It is kept against identifiers; `a` equal to `b` says that these values tell nothing."""

    id: str = Field(examples=["d-3"])
    verdict: str = Field(examples=["same"])
    a: list[IdentifierOut]
    b: list[IdentifierOut]
    cis: list[str] = Field(examples=[["ci-12"]])
    by: str = Field(examples=["Ada"])
    reason: str = Field(examples=["board replaced, ticket 4711"])
    time: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    withdrawn: WithdrawnOut | None


class DecisionList(BaseModel):
    items: list[DecisionOut]
    next: str | None = None


class DecidedOut(BaseModel):
    """The decisions that were stored, and the revision of what they changed; null where nothing changed."""

    revision: int | None = Field(examples=[43])
    decisions: list[DecisionOut]


class DecisionRequest(Strict):
    """Two CIs (or up to ten) by id, label, serial, MAC, address or unique name; or the id of one conflict; for `back`
    one CI or more.

    `replace`: take back the earlier decision that this one contradicts.
    """

    verdict: Literal["same", "different", "back"] = Field(examples=["same"])
    what: list[Text] = Field(min_length=1, max_length=10, examples=[["ci-12", "ci-31"]])
    reason: str = Field(min_length=1, max_length=1000, examples=["board replaced, ticket 4711"])
    replace: bool = False


@router.get("/conflicts", response_model=ConflictList)
def list_conflicts(reader: Reader, services: ServicesOf, pages: Pages) -> Any:
    """What a person should decide: candidates, what they share, what contradicts, who said so, a suggestion.

    What was answered, or contradicts no more, is not listed.
    """
    del reader
    judging = services.inventory.judging
    return pages.cut(
        judging.conflicts(),
        lambda one: (f"{one.total:09}", one.id),
        lambda one: judged.conflict(judging.with_evidence(one)),
    )


@router.get("/duplicates", response_model=DuplicateList)
def list_duplicates(reader: Reader, services: ServicesOf, pages: Pages) -> Any:
    """CIs that are similar, not equal, and may be one, the likeliest first, each with its score and the parts of it."""
    del reader
    found = services.inventory.judging.duplicates()
    cis = services.inventory.graph().cis
    rows = [judged.duplicate(one, cis) for one in found if one.a in cis and one.b in cis]
    return pages.cut(
        rows, lambda row: (f"{100 - row['score']:03}", f"{row['a']['id']} {row['b']['id']}"), lambda row: row
    )


@router.get("/decisions", response_model=DecisionList)
def list_decisions(reader: Reader, services: ServicesOf, pages: Pages) -> Any:
    """What people decided of who is who, in the order of time, those that were taken back included."""
    del reader
    rows = [judged.decision(one) for one in services.inventory.judging.decisions()]
    return pages.cut(rows, lambda row: (row["time"], row["id"]), lambda row: row)


@router.post("/decisions", status_code=201, response_model=DecidedOut)
def decide(wanted: DecisionRequest, operator: Operator, services: ServicesOf) -> dict[str, Any]:
    """Say that CIs are the same, or different, or that retired ones are back in use.

    Merged, all ids, labels and identifiers lead to the oldest of them.
    """
    done = services.inventory.judging.decide(
        wanted.verdict, wanted.what, wanted.reason, operator.name, replaces=wanted.replace
    )
    return judged.decided(done)


@router.delete("/decisions/{decision}", response_model=DecidedOut)
def take_back(
    decision: DECISION,
    operator: Operator,
    services: ServicesOf,
    reason: Annotated[str, Query(min_length=1, max_length=1000, examples=["it was another machine"])],
) -> dict[str, Any]:
    """Take a decision back. What it merged is two again, each with what was reported of it, and kept apart."""
    return judged.decided(services.inventory.judging.take_back(decision, reason, operator.name))
