"""The API's own description: what FastAPI makes, plus who may call what, and the shape of every error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.auth import COOKIE, CSRF_HEADER, Needs
from api.problems import MEDIA_TYPE
from operations.tokens import Role

PREFIX = "/api/v1"
VERSION = "1"
_ABOUT = (
    "A configuration-management database that fills itself. Send `Authorization: Bearer TOKEN`. Lists take `limit` "
    "(at most 1000) and go on with `next`, which belongs to its filter and sort. Every error is a problem document "
    "(RFC 9457)."
)
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `candidates` where a text fits several, `errors` where several things are wrong.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "candidates": {"type": "array", "items": {"type": "object"}},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "example": {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no CI holds or held the tag 'D010210-009'",
        "instance": "/api/v1/tags/D010210-009",
    },
}
_ANY_TIME = {"503": "A store does not answer now.", "500": "The server failed; its log says why."}
_GUARDED = {"401": "No token, or one that is not valid.", "403": "The token's role is too weak."}
_WITH_INPUT = {"400": "The request, or its `next`, cannot be read.", "422": "Something in it makes no sense."}
_OF_METHOD = {"404": "There is none.", "409": "It does not fit what is there, or fits several."}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title="CMDB", version=VERSION, description=_ABOUT, routes=app.routes)
        _complete(document, dict(_operations(app)))
        app.openapi_schema = document
    return app.openapi_schema


def role_of(route: APIRoute) -> Role | None:
    """The role that a route demands; None where it is open."""
    found = [need.call.role for need in route.dependant.dependencies if isinstance(need.call, Needs)]
    return found[0] if found else None


def _operations(app: FastAPI) -> Iterator[tuple[str, Role | None]]:
    for route in app.state.api_routes:
        yield route.name, role_of(route)


def _complete(document: dict[str, Any], roles: dict[str, Role | None]) -> None:
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token of `cmdb token create`."},
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": f"The session of the pages; a change needs the header {CSRF_HEADER} too.",
        },
    }
    for path in document["paths"].values():
        for operation in path.values():
            _complete_operation(operation, roles[operation["operationId"]])


def _complete_operation(operation: dict[str, Any], role: Role | None) -> None:
    answers = operation["responses"]
    answers.pop("422", None)
    problems = dict(_ANY_TIME)
    if role is not None:
        operation["security"] = [{"token": []}, {"session": []}]
        operation["x-role"] = role.value
        problems |= _GUARDED | _WITH_INPUT | _OF_METHOD
        if any(parameter["name"].lower() == "if-match" for parameter in operation.get("parameters", ())):
            problems |= {"412": "It has changed since.", "428": "If-Match is missing."}
        if any(parameter["name"].lower() == "if-none-match" for parameter in operation.get("parameters", ())):
            answers["304"] = {"description": "It is as you have it."}
        if "requestBody" in operation:
            problems |= {"413": "The body is too large."}
    for status, words in sorted(problems.items()):
        answers.setdefault(
            status,
            {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}},
        )
