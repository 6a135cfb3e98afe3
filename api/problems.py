"""Errors as `application/problem+json` (RFC 9457): one table turns our exceptions into status codes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from cmdb.model import ModelError
from cmdb.store.base import StoreError, StoreUnavailable
from cmdb.what import Ambiguous, NotFound

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
    StoreUnavailable: 503,
    StoreError: 500,
}
"""What our exceptions mean over HTTP; the most specific class wins."""


def response(
    status: int, detail: str, instance: str, headers: Mapping[str, str] | None = None, **members: Any
) -> JSONResponse:
    """A problem document. `type` is about:blank: the title is the status' own phrase and the detail says the rest."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse({**body, "instance": instance, **members}, status, dict(headers or {}), MEDIA_TYPE)


def status_of(error: Exception) -> int:
    """The status of the nearest class of the table; 500 for what is not in it."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document, those of routing and validation included."""

    async def problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return response(error.status, error.detail, request.url.path, error.headers, **error.members)

    async def ours(request: Request, error: Exception) -> JSONResponse:
        members = {"candidates": error.candidates} if isinstance(error, Ambiguous) else {}
        return response(status_of(error), str(error), request.url.path, **members)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StarletteHTTPException)
        return response(error.status_code, str(error.detail), request.url.path, error.headers)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        errors = [{"where": ".".join(str(part) for part in row["loc"]), "what": row["msg"]} for row in error.errors()]
        detail = "; ".join(f"{row['where']}: {row['what']}" for row in errors)
        return response(422, detail, request.url.path, errors=errors)

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        del error  # its traceback is in the log; what it says may be a secret
        return response(500, "the server failed on this request; its log says why", request.url.path)

    app.add_exception_handler(Problem, problem)
    for kind in STATUS:
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(StarletteHTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, unexpected)
