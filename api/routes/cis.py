"""CIs: lists, one, its relations and neighbourhood, hand-entered values, and declared estates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from api import views
from api.auth import Operator, Reader, ServicesOf
from api.histories import moment
from api.moments import AT, GONE
from api.paging import Pages
from api.problems import Problem
from api.routes.shapes import (
    Amendment,
    CIFull,
    CIList,
    Declaration,
    DeclaredOut,
    NeighbourhoodOut,
    RelationsOfCI,
)
from cmdb import schema
from cmdb.inventory import Inventory, Refused
from cmdb.model import SCHEMES, ModelError, State, Value, check_value
from cmdb.store import base
from cmdb.store.base import StoredCI
from cmdb.what import NotFound

router = APIRouter(tags=["CIs"])

CI_ID = Annotated[
    str, Path(max_length=255, description="the id of a CI; a former one leads to its survivor", examples=["ci-12"])
]
LIMIT = Annotated[int, Query(ge=1, le=1000)]
_ATTRIBUTE = "attr."
_IDENTIFYING = frozenset({*SCHEMES, "address", "class", "id"})
_SORTS = ("name", "label", "class", "id", "revision")


@router.get("/cis", response_model=CIList, responses=GONE)
def list_cis(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    pages: Pages,
    cls: Annotated[str | None, Query(alias="class", examples=["device"], description="subclasses included")] = None,
    state: Annotated[str | None, Query(examples=["present"])] = None,
    place: Annotated[
        str | None, Query(max_length=255, examples=["D010210"], description="a place; what stands inside it")
    ] = None,
    space: Annotated[str | None, Query(max_length=255)] = None,
    confirmed_before: Annotated[datetime | None, Query()] = None,
    confirmed_after: Annotated[datetime | None, Query()] = None,
    q: Annotated[str | None, Query(max_length=200, description="words that all occur in its texts")] = None,
    sort: Annotated[str, Query(examples=["name"], description=", ".join(_SORTS))] = "name",
    at: AT = None,
) -> dict[str, Any]:
    """List CIs. Attributes filter as `attr.NAME=VALUE`; go on with `next` of the answer, and the same filter."""
    del reader
    then = moment(services.inventory, at)
    query = base.Query(
        classes=schema.subclasses(cls) if cls is not None else None,
        attributes=_attributes(request),
        places=None if place is None else services.inventory.within(place, then),
        states=_states(state),
        space=space,
        confirmed_before=_utc(confirmed_before),
        confirmed_after=_utc(confirmed_after),
        text=q,
        sort=_sort(sort),
        after=pages.after,
        limit=pages.limit + 1,
    )
    found = services.inventory.find(query, then)
    page = found[: pages.limit]
    going_on = pages.cursor(_position(page[-1], sort)) if len(found) > len(page) else None
    return {"items": [views.row(stored) for stored in page], "next": going_on}


def _position(stored: StoredCI, sort: str) -> tuple[str | int, str]:
    ci = stored.ci
    values: dict[str, str | int] = {
        "name": ci.name,
        "label": ci.label or "",
        "class": ci.cls,
        "id": ci.id,
        "revision": stored.revision,
    }
    return values[sort], ci.id


def _sort(sort: str) -> str:
    if sort not in _SORTS:
        raise ModelError(f"sort: {sort!r} is not one of {', '.join(_SORTS)}")
    return sort


def _states(state: str | None) -> frozenset[str] | None:
    if state is None:
        return None
    if state not in set(State):
        raise ModelError(f"state: {state!r} is not one of {', '.join(State)}")
    return frozenset({state})


def _utc(time: datetime | None) -> datetime | None:
    """A time without a zone is meant in UTC."""
    if time is None:
        return None
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:  # in UTC it is before the year 1, or after 9999
        raise ModelError(f"{time.isoformat()} is no time that can be told in UTC") from None


def _attributes(request: Request) -> tuple[tuple[str, Value], ...]:
    known = {
        "class", "state", "place", "space", "confirmed_before", "confirmed_after", "q", "sort", "limit", "next", "at",
    }  # fmt: skip
    found: list[tuple[str, Value]] = []
    for name, text in request.query_params.multi_items():
        if name.startswith(_ATTRIBUTE):
            found.append((name.removeprefix(_ATTRIBUTE), typed(name.removeprefix(_ATTRIBUTE), text)))
        elif name not in known:
            raise ModelError(f"unknown filter {name!r}; known: {', '.join(sorted(known))}, attr.NAME")
    return tuple(found)


def typed(name: str, text: str) -> Value:
    """A text of a URL as the type that the class table gives an attribute of that name; text where it gives none."""
    kinds = {row.type for cls in schema.CI_CLASSES if (row := schema.attribute_row(cls, name)) is not None}
    try:
        if kinds == {bool}:
            return {"true": True, "false": False}[text.lower()]
        if kinds == {int}:
            return int(text)
        if kinds == {float}:
            return float(text)
    except (KeyError, ValueError):
        raise ModelError(f"attr.{name}: {text!r} is not a {kinds.pop().__name__}") from None
    return text


@router.get("/cis/{ci}", response_model=CIFull, response_model_exclude_unset=True, responses=GONE)
def one_ci(
    ci: CI_ID,
    reader: Reader,
    services: ServicesOf,
    response: Response,
    claims: Annotated[bool, Query(description="with every claim, its source, since, confirmed, and evidence")] = False,
    readings: Annotated[bool, Query(description="with what is measured and makes no revision")] = False,
    if_none_match: Annotated[str | None, Header()] = None,
    at: AT = None,
) -> Any:
    """One CI with its relations both ways. Its ETag is its revision."""
    del reader
    if (then := moment(services.inventory, at)) is not None:
        if readings:
            raise ModelError("readings: the newest alone are kept; leave out at")
        if claims:
            raise ModelError("claims: they are known of now alone; the evidence of a value is not kept by revision")
        return views.full(services.inventory, known(services.inventory, ci, then), then) | {"at": then}
    stored = known(services.inventory, ci)
    tag = etag(stored)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    if if_none_match is not None and not (claims or readings) and tag in _tags(if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    document = _full(services.inventory, stored)
    if claims:
        document["claims"] = [views.claim(row) for row in services.inventory.claims(stored.ci.id)]
    if readings:
        document["readings"] = [views.reading(row) for row in services.inventory.readings(stored.ci.id)]
    return document


def _full(inventory: Inventory, stored: StoredCI) -> dict[str, Any]:
    return views.full(inventory, stored) | {"formerly": views.formerly(inventory, stored)}


def known(inventory: Inventory, ci: str, at: int | None = None) -> StoredCI:
    """The CI of an id, now or at a revision, or NotFound."""
    stored = views.found_at(inventory, ci, at)
    if stored is None and at is not None:
        raise NotFound(f"there was no CI {ci!r} at revision {at}")
    if stored is None:
        raise NotFound(f"there is no CI {ci!r}; look it up by what you know: GET /api/v1/lookup?value=")
    return stored


def etag(stored: StoredCI) -> str:
    return f'"{stored.revision}"'


def _tags(header: str) -> set[str]:
    return {part.strip().removeprefix("W/") for part in header.split(",")}


@router.patch("/cis/{ci}", response_model=CIFull, response_model_exclude_unset=True)
def amend_ci(
    ci: CI_ID,
    amendment: Amendment,
    operator: Operator,
    services: ServicesOf,
    response: Response,
    if_match: Annotated[str | None, Header(description="the ETag that the change was made from")] = None,
) -> dict[str, Any]:
    """Enter values by hand. Needs If-Match, so that nobody overwrites what he has not seen."""
    stored = known(services.inventory, ci)
    if if_match is None:
        raise Problem(428, f"send If-Match with the ETag of the CI as you saw it; it is {etag(stored)} now")
    # A strong comparison (RFC 9110, 13.1.1): a weak tag never matches here.
    if if_match.strip() != "*" and etag(stored) not in {part.strip() for part in if_match.split(",")}:
        raise Problem(412, f"{stored.ci.name!r} has changed: its ETag is {etag(stored)} now; look again, then repeat")
    values = {
        name: None if value is None else check_value(value, f"attributes.{name}")
        for name, value in amendment.attributes.items()
    }
    expected = None if if_match.strip() == "*" else stored.revision
    if identifying := sorted(values.keys() & _IDENTIFYING):
        raise ModelError(
            f"{', '.join(identifying)}: what identifies a CI is declared in an estate, not entered by hand"
        )
    try:
        services.inventory.amend(stored.ci.id, values, operator.name, expected)
    except Refused as error:  # somebody was faster, between the look above and the write
        raise Problem(412, str(error)) from error
    stored = known(services.inventory, stored.ci.id)
    response.headers["ETag"] = etag(stored)
    return _full(services.inventory, stored)


@router.get("/cis/{ci}/relations", response_model=RelationsOfCI, responses=GONE)
def relations_of(ci: CI_ID, reader: Reader, services: ServicesOf, pages: Pages, at: AT = None) -> Any:
    """The relations of a CI, both ways."""
    del reader
    then = moment(services.inventory, at)
    ends = views.full(services.inventory, known(services.inventory, ci, then), then)["relations"]
    return pages.cut(ends, lambda end: (f"{end['type']} {end['name']}", end["relation"]), lambda end: end)


@router.get("/cis/{ci}/neighbourhood", response_model=NeighbourhoodOut, responses=GONE)
def neighbourhood_of(
    ci: CI_ID,
    reader: Reader,
    services: ServicesOf,
    depth: Annotated[int, Query(ge=1, le=10)] = 1,
    limit: LIMIT = 300,
    at: AT = None,
) -> dict[str, Any]:
    """What stands around a CI, up to `depth` relations away in either direction, at most `limit` CIs."""
    del reader
    then = moment(services.inventory, at)
    stored = known(services.inventory, ci, then)
    graph = services.inventory.neighbourhood(stored.ci.id, depth, limit, then)
    found = [views.found_at(services.inventory, one, then) for one in graph.cis]
    return {
        "revision": graph.revision,
        "cis": [views.row(one) for one in found if one is not None],
        "relations": [views.relation(relation) for relation in graph.relations.values()],
    }


@router.post("/declarations", response_model=DeclaredOut)
def declare(declaration: Declaration, operator: Operator, services: ServicesOf) -> dict[str, Any]:
    """Declare what no scan can know, as a file would. What was taken out since the last time is no longer said."""
    document = declaration.model_dump(exclude={"name", "dry_run"}, exclude_defaults=True)
    declared = services.inventory.declare_document(
        document, f"api:{declaration.name}", operator.name, dry_run=declaration.dry_run
    )
    return {
        "revision": declared.revision,
        "difference": list(declared.difference),
        "warnings": list(declared.warnings),
    }
