"""What changed: between two points in time, and of one CI."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import histories
from api.auth import Reader, ServicesOf
from api.histories import moment
from api.moments import GONE
from api.paging import Pages
from api.routes.cis import CI_ID, known

router = APIRouter(tags=["history"])

_POINT = "a revision, an ISO time (UTC where it names no zone), or now"


class EditOut(BaseModel):
    """One thing that differs; absent is null. `part`: field, attribute, identifier, component, gap, end or column."""

    part: str = Field(examples=["attribute"])
    name: str = Field(examples=["memory"])
    before: Any = Field(examples=[8589934592])
    after: Any = Field(examples=[17179869184])


class NamedOut(BaseModel):
    id: str = Field(examples=["ci-12"])
    name: str = Field(examples=["core-a"])


class DifferingOut(BaseModel):
    """A CI or relation that is not the same; `edits` is empty where it is only there before, or after."""

    id: str = Field(examples=["ci-12"])
    kind: str = Field(examples=["changed"], description="added, changed, retired, returned or removed")
    what: str = Field(examples=["ci"], description="ci or relation")
    cls: str = Field(alias="class", examples=["server"], description="the class of a CI, the type of a relation")
    name: str = Field(examples=["web1"])
    ends: list[NamedOut] = Field(description="of a relation: source and target")
    edits: list[EditOut]
    revisions: list[int] = Field(examples=[[42]], description="those that touched it")


class CIGroup(NamedOut):
    items: list[str] = Field(examples=[["ci-12", "rel-7"]])


class CauseGroup(BaseModel):
    actor: str = Field(examples=["discovery"])
    run: str | None = Field(examples=["20260102T030405-7f3a"])
    reason: str = Field(examples=["10.1.2.7 reported"])
    revisions: list[int] = Field(examples=[[42]])
    items: list[str] = Field(examples=[["ci-12", "rel-7"]])


class Diff(BaseModel):
    """What lies between two revisions, net. The groups name the items of this page by id; `counts` counts all."""

    from_: int = Field(alias="from", examples=[41])
    to: int = Field(examples=[42])
    counts: dict[str, int] = Field(examples=[{"added": 1, "changed": 0, "retired": 0, "returned": 0, "removed": 0}])
    items: list[DifferingOut]
    by_kind: dict[str, list[str]] = Field(examples=[{"added": ["ci-12"]}])
    by_ci: list[CIGroup] = Field(description="each CI, with itself and its relations")
    by_cause: list[CauseGroup]
    next: str | None = None


class TouchOut(BaseModel):
    """A revision, and what it changed of the CI and its relations."""

    revision: int = Field(examples=[42])
    at: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    actor: str = Field(examples=["discovery"])
    run: str | None = Field(examples=["20260102T030405-7f3a"])
    reason: str = Field(examples=["10.1.2.7 reported"])
    changed: list[DifferingOut]


class History(BaseModel):
    """Newest first; `next` is what to ask `before` next, null at the end."""

    items: list[TouchOut]
    next: int | None = Field(examples=[17])


@router.get("/diff", response_model=Diff, responses=GONE)
def diff(
    reader: Reader,
    services: ServicesOf,
    pages: Pages,
    from_: Annotated[str, Query(alias="from", max_length=40, examples=["0"], description=_POINT)],
    to: Annotated[str, Query(max_length=40, examples=["now"], description=_POINT)] = "now",
) -> dict[str, Any]:
    """What is not the same at `to` as at `from`, by kind, by CI and by cause."""
    del reader
    inventory = services.inventory
    found = inventory.diff(moment(inventory, from_, "from") or 0, moment(inventory, to, "to") or 0)
    rows = (*found.cis, *found.relations)
    page = pages.cut(rows, lambda row: (row.id, ""), lambda row: histories.told(row, found.names))
    shown = frozenset(item["id"] for item in page["items"])
    return {"from": found.a, "to": found.b, "counts": histories.counts(rows), **page, **histories.groups(found, shown)}


@router.get("/cis/{ci}/history", response_model=History)
def history_of(
    ci: CI_ID,
    reader: Reader,
    services: ServicesOf,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """The revisions that changed a CI or its relations, newest first, with what they changed, by whom and why."""
    del reader
    stored = known(services.inventory, ci)
    return histories.touches(services.inventory.touches(stored.ci.id, before, limit))
