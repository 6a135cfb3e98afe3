"""The page of what only a person can tell: conflicts, likely duplicates, what was decided, and the forms for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import judged
from api.auth import FormOperator, Principal, Reader, ServicesOf
from api.pages.drawing import Drawing
from api.wiring import Services
from cmdb.inventory import Refused
from cmdb.model import ModelError
from operations.tokens import Role

router = APIRouter(default_response_class=HTMLResponse)

_SHOWN = 100

Texts = Annotated[list[str] | None, Form(max_length=10)]
Why = Annotated[str, Form(max_length=2000)]


@router.get("/conflicts")
def conflicts(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing) -> Response:
    """The queue, the likely duplicates and the decisions."""
    return _page(request, services, drawing, reader)


@router.post("/conflicts")
def decide(
    request: Request,
    services: ServicesOf,
    drawing: Drawing,
    operator: FormOperator,
    verdict: Annotated[str, Form(max_length=20)],
    what: Texts = None,
    reason: Why = "",
) -> Response:
    """Decide, and look at what is left."""
    try:
        services.inventory.judging.decide(verdict, what or [], reason, operator.name)
    except (ModelError, Refused) as error:
        return _wrong(request, services, drawing, operator, error)
    return RedirectResponse("/conflicts", status_code=303)


@router.post("/conflicts/take-back")
def take_back(
    request: Request,
    services: ServicesOf,
    drawing: Drawing,
    operator: FormOperator,
    decision: Annotated[str, Form(max_length=100)],
    reason: Why = "",
) -> Response:
    """Take a decision back."""
    try:
        services.inventory.judging.take_back(decision, reason, operator.name)
    except (ModelError, Refused) as error:
        return _wrong(request, services, drawing, operator, error)
    return RedirectResponse("/conflicts", status_code=303)


def _wrong(
    request: Request, services: Services, drawing: Drawing, operator: Principal, error: ModelError | Refused
) -> Response:
    return _page(request, services, drawing, operator, 409 if isinstance(error, Refused) else 422, str(error))


def _page(
    request: Request, services: Services, drawing: Drawing, reader: Principal, status: int = 200,
    wrong: str | None = None,
) -> Response:  # fmt: skip
    judging = services.inventory.judging
    found, alike, decided = judging.conflicts(), judging.duplicates(), judging.decisions()
    cis = services.inventory.graph().cis
    return drawing.page(
        request,
        "conflicts.html",
        reader,
        status=status,
        conflicts=[judged.conflict(judging.with_evidence(one)) for one in found[:_SHOWN]],
        more=max(0, len(found) - _SHOWN),
        duplicates=[judged.duplicate(one, cis) for one in alike[:_SHOWN] if one.a in cis and one.b in cis],
        decisions=[judged.decision(one) for one in decided[:_SHOWN]],
        names={id_: ci.name for id_, ci in cis.items()},
        csrf=reader.csrf if reader.role.covers(Role.OPERATOR) else None,
        wrong=wrong,
    )
