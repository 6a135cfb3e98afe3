"""The page of what a person should mend: by kind, with owners, and what each hangs on."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api import problem_rows
from api.auth import Reader, ServicesOf
from api.pages.drawing import Drawing
from api.paging import Pages
from cmdb import schema
from cmdb.mending import Mending
from cmdb.model import ModelError
from cmdb.what import NotFound

router = APIRouter(default_response_class=HTMLResponse)

_OF_A_KIND = 5
"""So many of each kind stand on the first page; a kind has pages of its own."""


@router.get("/problems")
def problems(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    pages: Pages,
    kind: Annotated[str, Query(max_length=100)] = "",
    cls: Annotated[str, Query(alias="class", max_length=100)] = "",
    place: Annotated[str, Query(max_length=255)] = "",
    owner: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """What a person should mend, by kind with counts; one kind alone page by page."""
    inventory = services.inventory
    wrong, status, found = None, 200, list[Mending]()
    try:
        found = inventory.mendings(None, cls or None, place.strip() or None, owner.strip() or None)
    except ModelError as error:
        wrong, status = str(error), 404 if isinstance(error, NotFound) else 422
    counts = Counter(one.kind for one in found)

    def drawn(one: Mending) -> dict[str, Any]:
        return problem_rows.row(one, inventory.witnesses(one))

    going_on = None
    if kind:
        page = pages.cut((one for one in found if one.kind == kind), lambda one: (one.text, " ".join(one.about)), drawn)
        groups, going_on = [(kind, page["items"])], page["next"]
    else:
        groups = [(of, [drawn(one) for one in _some(found, of)]) for of in counts]
    return drawing.page(
        request,
        "problems.html",
        reader,
        status=status,
        wrong=wrong,
        groups=[(of, rows) for of, rows in groups if rows],
        counts=counts,
        next=going_on,
        asked={"kind": kind, "class": cls, "place": place, "owner": owner},
        classes=list(schema.CI_CLASSES),
        names={id_: ci.name for id_, ci in inventory.graph().cis.items()},
    )


def _some(found: list[Mending], kind: str) -> list[Mending]:
    return [one for one in found if one.kind == kind][:_OF_A_KIND]
