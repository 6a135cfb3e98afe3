"""What a person should mend, as JSON and CSV; and what a change of the rules would do, or does."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api import problem_rows
from api.auth import Operator, Reader, ServicesOf
from api.paging import Pages
from api.routes.shapes import DeclaredOut, Strict

router = APIRouter(tags=["data problems"])

_KIND = Annotated[str | None, Query(max_length=100, examples=["label_twice"], description="one kind of problem")]
_CLASS = Annotated[
    str | None, Query(alias="class", max_length=100, examples=["device"], description="about it or a subclass")
]
_PLACE = Annotated[str | None, Query(max_length=255, examples=["D010210"], description="about what stands in a place")]
_OWNER = Annotated[
    str | None, Query(max_length=255, examples=["web team"], description="of this owner; empty: of nobody")
]


class WitnessOut(BaseModel):
    """What a problem hangs on: `evidence` is the content hash of the reply that says it, null where none was kept."""

    source: str = Field(examples=["10.0.0.7"])
    section: str = Field(examples=["snmp.system"])
    confirmed: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    evidence: str | None
    text: str = Field(examples=["label D010210-009"])


class MendingOut(BaseModel):
    """Something that a person should mend; `about` are ids of CIs, `owners` who owns them or what they are inside."""

    kind: str = Field(examples=["label_twice"])
    about: list[str] = Field(examples=[["ci-12", "ci-13"]])
    text: str
    since: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    owners: list[str] = Field(examples=[["web team"]])
    evidence: list[WitnessOut]


class MendingList(BaseModel):
    items: list[MendingOut]
    next: str | None = None


class CSV(Response):
    """A table for spreadsheets."""

    media_type = "text/csv"


class Recompute(Strict):
    dry_run: bool = True


@router.get("/problems", response_model=MendingList)
def problems(
    reader: Reader,
    services: ServicesOf,
    pages: Pages,
    kind: _KIND = None,
    cls: _CLASS = None,
    place: _PLACE = None,
    owner: _OWNER = None,
) -> Any:
    """What a person should mend: conflicts, data problems, and what waits unidentified. It goes when it is mended."""
    del reader
    inventory = services.inventory
    found = inventory.mendings(kind, cls, place, owner)
    return pages.cut(
        found,
        lambda one: (one.kind, f"{one.text} {' '.join(one.about)}"),
        lambda one: problem_rows.row(one, inventory.witnesses(one)),
    )


@router.get("/problems.csv", response_class=CSV)
def problems_as_csv(
    reader: Reader,
    services: ServicesOf,
    kind: _KIND = None,
    cls: _CLASS = None,
    place: _PLACE = None,
    owner: _OWNER = None,
) -> CSV:
    """The same as a table, whole, without the evidence."""
    del reader
    found = services.inventory.mendings(kind, cls, place, owner)
    return CSV(
        problem_rows.table(found, services.inventory.graph()),
        headers={"Content-Disposition": 'attachment; filename="problems.csv"'},
    )


@router.post("/recompute", response_model=DeclaredOut)
def recompute(wanted: Recompute, operator: Operator, services: ServicesOf) -> dict[str, Any]:
    """Bring every CI to what the rules say, after a change of the settings; by default only show what would change."""
    done = services.inventory.recompute(operator.name, dry_run=wanted.dry_run)
    return {"revision": done.revision, "difference": list(done.difference), "warnings": list(done.warnings)}
