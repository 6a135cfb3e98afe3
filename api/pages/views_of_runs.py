"""Pages of the scans: list, start one, watch one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.auth import FormOperator, Reader, ServicesOf
from api.pages.drawing import Drawing
from api.paging import Pages
from discovery.targets import TargetError
from operations.runs import Scope
from operations.scanning import targets_of
from operations.tokens import Role

router = APIRouter(default_response_class=HTMLResponse)


@router.get("/runs")
def runs(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, pages: Pages) -> Response:
    """The runs, newest first."""
    found = services.runs.newest(pages.limit + 1, str(pages.after[0]) if pages.after else None)
    page = found[: pages.limit]
    going_on = pages.cursor((page[-1].id, "")) if len(found) > len(page) else None
    return drawing.page(
        request,
        "runs.html",
        reader,
        runs=page,
        next=going_on,
        may_scan=reader.role.covers(Role.OPERATOR) and reader.csrf is not None,
        targets="",
        wrong=None,
    )


@router.post("/runs")
def start(
    request: Request,
    services: ServicesOf,
    drawing: Drawing,
    operator: FormOperator,
    targets: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Ask for a scan, and go and watch it."""
    settings = services.settings
    scope = Scope(tuple(targets.split()), snmp_port=settings.snmp_port, ssh_port=settings.ssh_port)
    try:
        targets_of(scope)
    except TargetError as error:
        return drawing.page(
            request, "runs.html", operator, status=422, runs=services.runs.newest(100), next=None, may_scan=True,
            targets=targets, wrong=str(error),
        )  # fmt: skip
    run = services.runs.request(scope, operator.name)
    services.clock.wake()
    return RedirectResponse(f"/runs/{run.id}", status_code=303)


@router.get("/runs/{run}")
def one(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, pages: Pages, run: str) -> Response:
    """One run and its ledger; while it runs, the page follows it."""
    found = services.runs.get(run)
    after = (str(pages.after[0]), pages.after[1]) if pages.after else ("", "")
    rows = services.runs.ledger(found.id, pages.limit + 1, after)
    page = rows[: pages.limit]
    going_on = pages.cursor((page[-1].address, page[-1].section)) if len(rows) > len(page) else None
    return drawing.page(request, "run.html", reader, run=found, rows=page, next=going_on)
