"""Evidence: the reply that a value came from, and replays of kept replies with today's families and parsers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api import replies_shown
from api.auth import Operator, Reader, ServicesOf
from api.routes.cis import CI_ID, known
from api.routes.shapes import Strict

router = APIRouter(tags=["evidence"])

HASH = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{64}$", description="`evidence` of a claim: SHA-256", examples=["5e884898da28047151d0e5" * 3]
    ),
]


class VisitOut(BaseModel):
    """A visit in which the address said this."""

    run: str | None = Field(examples=["20260102T030405.678-1a2b3c"])
    time: str = Field(examples=["2026-01-02T03:04:06Z"])


class RowOut(BaseModel):
    """A variable binding of SNMP: text stands in quotation marks, other octets are hexadecimal."""

    object: str = Field(examples=["1.3.6.1.2.1.1.5.0"])
    value: str = Field(examples=['"core-a"'])


class AskedOut(BaseModel):
    """What was asked, and what came back; `problem` says why it is not all."""

    asked: str = Field(examples=["get 1.3.6.1.2.1.1.5.0"])
    rows: list[RowOut]
    stdout: str
    stderr: str
    code: int | None
    problem: str | None


class EvidenceOut(BaseModel):
    """A reply as the device gave it, without secrets; `said` is the newest first."""

    hash: str
    space: str = Field(examples=["default"])
    address: str = Field(examples=["10.1.2.7"])
    section: str = Field(examples=["snmp.system"])
    said: list[VisitOut]
    replies: list[AskedOut]


class EvidenceOfValue(BaseModel):
    """Every claim on the value, the winner first, each with its `reply`; where there is none, `no_reply` says why."""

    claims: list[dict[str, Any]]


class ReplayRequest(Strict):
    """Without a run: the last replies of every address."""

    run: Annotated[str, Field(max_length=100, examples=["20260102T030405.678-1a2b3c"])] | None = None
    apply: bool = Field(default=False, description="take in what comes of it; else only say what would change")


class ReplayOut(BaseModel):
    """`visits` were read anew. `remarks`: what could not be, such as replies that are no longer kept."""

    visits: int
    revision: int | None
    difference: list[str]
    remarks: list[str]


@router.get("/evidence/{hash}", response_model=EvidenceOut)
def one_reply(hash: HASH, reader: Reader, services: ServicesOf) -> dict[str, Any]:  # noqa: A002 - the name in the path
    """The reply of a hash, readably. Secrets were taken out before it was kept."""
    del reader
    return replies_shown.reply(services, hash)


@router.get("/cis/{ci}/evidence", response_model=EvidenceOfValue)
def evidence_of_value(
    ci: CI_ID,
    reader: Reader,
    services: ServicesOf,
    attribute: Annotated[str, Query(min_length=1, max_length=100, examples=["vendor"])],
) -> dict[str, Any]:
    """The replies that a value of a CI comes from, and those of the claims that lost."""
    del reader
    stored = known(services.inventory, ci)
    return {"claims": replies_shown.of_value(services, stored.ci.id, attribute, stored.ci.name)}


@router.post("/replay", response_model=ReplayOut)
def replay(request: ReplayRequest, operator: Operator, services: ServicesOf) -> dict[str, Any]:
    """Parse kept replies with today's families and parsers; by default only say what that would change."""
    return replies_shown.replay(services, request.run, by=operator.name, apply=request.apply)
