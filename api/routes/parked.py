"""What scans said that is too much to be believed unasked: list the questions, see one, answer it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api import questions
from api.auth import Operator, Reader, ServicesOf
from api.paging import Pages
from api.routes.shapes import Strict

router = APIRouter(tags=["parked"])

QUESTION = Annotated[str, Path(max_length=100, examples=["parked-1"])]


class QuestionOut(BaseModel):
    """A question: a yes ends `ends` claims and makes `silent` of `covered` CIs missing. `answer`: open, yes, no or
    settled (later scans said again what had been there)."""

    id: str = Field(examples=["parked-1"])
    answer: str = Field(examples=["open"])
    space: str = Field(examples=["default"])
    networks: list[str] = Field(examples=[["10.0.0.0/24"]])
    since: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    runs: list[str] = Field(examples=[["20260102T030405.678-1a2b3c"]])
    ends: int = Field(examples=[297])
    stood: int = Field(examples=[310], description="claims that stood at the addresses that the last run reported")
    kinds: dict[str, int] = Field(examples=[{"connects_to": 297}])
    addresses: list[str] = Field(examples=[["10.0.0.1"]])
    silent: int = Field(examples=[0])
    covered: int = Field(examples=[0])
    by: str | None
    reason: str | None
    answered: str | None


class QuestionList(BaseModel):
    items: list[QuestionOut]
    next: str | None = None


class CIAt(BaseModel):
    """The CI that has an address."""

    id: str = Field(examples=["ci-12"])
    name: str = Field(examples=["core-a"])
    cls: str = Field(alias="class", examples=["network_switch"])


class ClaimOut(BaseModel):
    kind: str = Field(examples=["connects_to"])
    text: str = Field(examples=["Te1/1/1 → access-17 Gi0/1"])


class SectionOut(BaseModel):
    """What a section would end: `ends` of the `of` claims that stand there, while `new` come."""

    section: str = Field(examples=["snmp.lldp"])
    ends: int = Field(examples=[297])
    of: int = Field(examples=[300])
    new: int = Field(examples=[0])
    claims: list[ClaimOut]


class PlaceOut(BaseModel):
    address: str = Field(examples=["10.0.0.1"])
    ci: CIAt | None
    run: str | None
    at: str
    sections: list[SectionOut]


class SilentOut(BaseModel):
    address: str = Field(examples=["10.0.0.2"])
    seen: str
    ci: CIAt | None


class QuestionFull(QuestionOut):
    places: list[PlaceOut]
    missing: list[SilentOut]


class AnswerRequest(Strict):
    """Yes applies what is parked, no discards it; the reason is kept with the name of the token."""

    answer: Literal["yes", "no"] = Field(examples=["no"])
    reason: str = Field(min_length=1, max_length=2000, examples=["the agent ends its tables early"])


@router.get("/parked", response_model=QuestionList)
def list_parked(
    reader: Reader,
    services: ServicesOf,
    pages: Pages,
    *,
    answered: Annotated[bool, Query(description="with those that are answered")] = False,
) -> Any:
    """What a person is asked: sections that would end too much, and runs that would make too many missing.

    The open ones come first, the oldest first.
    """
    del reader
    found = [questions.brief(one) for one in services.inventory.parked(finished=answered)]
    return pages.cut(found, lambda one: (f"{one['answer'] != 'open':d}{one['since']}", one["id"]), lambda one: one)


@router.get("/parked/{question}", response_model=QuestionFull)
def one_parked(
    question: QUESTION,
    reader: Reader,
    services: ServicesOf,
    claims: Annotated[int, Query(ge=1, le=10_000, description="so many of each section at most")] = 100,
) -> dict[str, Any]:
    """One question, with what a yes would end by address and section, and who would be missing."""
    del reader
    return questions.full(services.inventory, services.inventory.parked_question(question), claims)


@router.post("/parked/{question}", response_model=QuestionFull)
def answer_parked(
    question: QUESTION, answer: AnswerRequest, operator: Operator, services: ServicesOf
) -> dict[str, Any]:
    """Answer a question, once; 409 where somebody did before."""
    services.inventory.answer_parked(question, yes=answer.answer == "yes", by=operator.name, reason=answer.reason)
    return questions.full(services.inventory, services.inventory.parked_question(question))
