"""Look-ups, tags, the journal, and the tables of the model."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from api import views
from api.auth import Reader, ServicesOf
from api.moments import GONE
from api.routes.cis import LIMIT
from api.routes.shapes import (
    ClassList,
    Journal,
    MatchOut,
    RelationTypeList,
    TagOut,
)
from cmdb import schema
from cmdb.what import NotFound

router = APIRouter(tags=["questions"])


@router.get("/lookup", response_model=list[MatchOut])
def lookup(
    reader: Reader,
    services: ServicesOf,
    value: Annotated[str, Query(min_length=1, max_length=255, examples=["00-1B-54-AA-00-01"])],
    space: Annotated[str | None, Query(max_length=255)] = None,
) -> list[dict[str, Any]]:
    """Every CI that a tag, full code, serial, MAC in any spelling, WWN, address or name means, and as what."""
    del reader
    found = []
    for match in services.inventory.lookup(value, space):
        stored = services.inventory.stored(match.ci)
        if stored is not None:
            found.append({"as": match.handle.kind, "value": match.handle.value, "ci": views.row(stored)})
    return found


@router.get("/tags/{tag}", response_model=TagOut)
def tag_holder(
    tag: Annotated[str, Path(max_length=255, examples=["D010210-009"])], reader: Reader, services: ServicesOf
) -> dict[str, Any]:
    """Exactly one: who holds this tag today, else who held it last, else 404."""
    del reader
    holder = services.inventory.tag(tag)
    if holder is None:
        raise NotFound(f"no CI holds or held the tag {tag!r}")
    return {
        "tag": holder.tag,
        "former": holder.former,
        "label": holder.stored.ci.label,
        "formerly": list(holder.formerly),
        "ci": views.row(holder.stored),
    }


@router.get("/journal", response_model=Journal, responses=GONE)
def journal(
    reader: Reader,
    services: ServicesOf,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="the last revision that you have")] = 0,
    limit: LIMIT = 100,
) -> JSONResponse:
    """The revisions after one, in order, without gap or repeat; each with full images before and after."""
    del reader
    found = services.inventory.changes(after, limit)
    last = found[-1].n if found else after
    return JSONResponse({"items": [views.revision(item) for item in found], "last": last})


@router.get("/classes", response_model=ClassList)
def classes(reader: Reader) -> dict[str, Any]:
    """The classes of CIs, with their attributes."""
    del reader
    return {
        "items": [
            {
                "name": row.name,
                "parent": row.parent,
                "abstract": row.abstract,
                "attributes": [
                    {"name": name, "type": attribute.type.__name__, "unit": attribute.unit}
                    for name, attribute in sorted(row.attributes.items())
                ],
                "cut_off": row.cut_off,
                "forwards": sorted(row.forwards),
            }
            for row in schema.CI_CLASSES.values()
        ]
    }


@router.get("/relation-types", response_model=RelationTypeList)
def relation_types(reader: Reader) -> dict[str, Any]:
    """The types of relations: the source needs the target."""
    del reader
    return {
        "items": [
            {
                "name": row.name,
                "inverse": row.inverse,
                "sources": list(row.sources),
                "targets": list(row.targets),
                "needs": row.needs,
                "axis": row.axis,
                "medium": row.medium,
                "keys": list(row.keys),
                "attributes": list(row.attributes),
            }
            for row in schema.RELATION_TYPES.values()
        ]
    }
