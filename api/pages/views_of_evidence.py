"""The page of a reply: what a device said, when, and in which run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api import replies_shown
from api.auth import Reader, ServicesOf
from api.pages.drawing import Drawing
from api.wiring import Services
from discovery.visit import Visit

router = APIRouter(default_response_class=HTMLResponse)

_ROWS: Final = 500
"""Rows of SNMP that are shown of one question; the API has them all."""

_CHARACTERS: Final = 100_000
_VISITS: Final = 20


@router.get("/evidence/{hash}")
def one(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, hash: str) -> Response:  # noqa: A002 - the name in the path
    """One reply, readably."""
    found = replies_shown.reply(services, hash)
    return drawing.page(
        request, "evidence.html", reader, reply=found, rows_shown=_ROWS, text_shown=_CHARACTERS, visits_shown=_VISITS
    )


def last_replies(services: Services, space: str, claims: Iterable[Mapping[str, Any]]) -> list[Visit]:
    """The last visits of the addresses where a CI spoke for itself: what its cables come from is among them."""
    sources = sorted({claim["source"] for claim in claims if claim["own"] and claim["evidence"]})
    return [visit for source in sources for visit in services.evidence.visits(space, source)[-1:]]
