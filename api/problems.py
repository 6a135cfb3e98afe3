"""Errors as `application/problem+json` (RFC 9457): one table turns our exceptions into status codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

from api.headers import HEADERS
from cmdb.inventory import Refused
from cmdb.model import ModelError
from cmdb.store.base import Gone, StoreError, StoreUnavailable
from cmdb.what import Ambiguous, NotFound
from discovery.targets import TargetError
from naming import LabelError
from operations.errors import AlreadyThere, KeyProblem, NotKnown, OperationsError, OperationsUnavailable, RunRefused

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An error that a route answers with: status, what is wrong, and members of its own."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


STATUS: Mapping[type[Exception], int] = {
    NotFound: 404,
    Ambiguous: 409,
    ModelError: 422,
    Refused: 409,
    LabelError: 422,
    TargetError: 422,
    StoreUnavailable: 503,
    Gone: 410,
    StoreError: 500,
    NotKnown: 404,
    AlreadyThere: 409,
    RunRefused: 409,
    KeyProblem: 503,
    OperationsUnavailable: 503,
    OperationsError: 422,
    # A lone surrogate, which JSON can spell and UTF-8 cannot, gets as far as a database.
    UnicodeEncodeError: 422,
}
"""What our exceptions mean over HTTP; the most specific class wins."""


_STARLETTES: Mapping[int, str] = {
    404: "nothing is at this path; the API's description is at /api/v1/openapi.json",
    405: "this path does not take that method; those that it takes are in the header Allow",
}


def response(
    status: int, detail: str, instance: str, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """A problem document. `type` is about:blank: the title is the status' own phrase and the detail says the rest."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    # ASCII: what was sent may hold a lone surrogate, and is quoted in the detail.
    text = json.dumps({**body, "instance": instance, **members})
    return Response(text, status, dict(headers or {}), MEDIA_TYPE)


def status_of(error: Exception) -> int:
    """The status of the nearest class of the table; 500 for what is not in it."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def as_problem(error: Exception) -> Problem:
    """Any error of a request as what is answered; an unexpected one says nothing, it may hold a secret."""
    match error:
        case Problem():
            return error
        case Ambiguous():
            candidates = [{"id": one.id, "class": one.cls, "name": one.name} for one in error.candidates]
            return Problem(status_of(error), str(error), candidates=candidates)
        case Gone(oldest=oldest):
            words = f"history is kept from revision {oldest} on: read what was then (at={oldest}), and resume after it"
            return Problem(status_of(error), f"{error}; {words}", oldest=oldest, resume=str(oldest))
        case StarletteHTTPException():
            return Problem(error.status_code, _STARLETTES.get(error.status_code, str(error.detail)), error.headers)
        case RequestValidationError():
            rows = [{"where": ".".join(str(part) for part in row["loc"]), "what": row["msg"]} for row in error.errors()]
            return Problem(422, "; ".join(f"{row['where']}: {row['what']}" for row in rows), errors=rows)
        case UnicodeEncodeError():
            return Problem(422, "a text holds half a character (a lone surrogate), which nothing can store")
        case _ if status_of(error) != 500 or isinstance(error, StoreError):
            return Problem(status_of(error), str(error))
        case _:
            return Problem(500, "the server failed on this request; its log says why", HEADERS)


Render = Callable[[Request, Problem], Response | None]
"""How pages say an error; None where the problem document is what was asked for."""


def install(app: FastAPI, page: Render) -> None:
    """Make every error a problem document, those of routing and validation included; `page` may draw it for people."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        drawn = page(request, problem)
        if drawn is not None:
            return drawn
        return response(problem.status, problem.detail, request.url.path, problem.headers, **problem.members)

    kinds: tuple[type[Exception], ...] = (
        Problem,
        *STATUS,
        StarletteHTTPException,
        RequestValidationError,
        Exception,
    )
    for kind in kinds:
        app.add_exception_handler(kind, answer)
