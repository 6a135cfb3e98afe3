"""The API's description as a page, drawn on the server from the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api import openapi
from api.auth import Reader
from api.pages.drawing import Drawing

router = APIRouter(default_response_class=HTMLResponse)

_METHODS: Final = ("get", "post", "put", "patch", "delete")


@router.get("/api/docs")
def page(request: Request, reader: Reader, drawing: Drawing) -> Response:
    """Every operation, its parameters, answers and shapes."""
    document = openapi.describe(request.app)
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                groups.setdefault(item[method]["tags"][0], []).append({"path": path, "method": method, **item[method]})
    return drawing.page(
        request,
        "docs.html",
        reader,
        about=document["info"]["description"],
        groups=groups,
        schemas=document["components"]["schemas"],
        type_of=type_of,
        example_of=example_of,
        body_of=_body_of,
        dumped=lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    )


def type_of(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(one) for one in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"{type_of(schema.get('items', {}))}[]"
    return str(schema.get("format") or schema.get("type", "any"))


def example_of(row: Mapping[str, Any]) -> str:
    """The first example of a parameter or field, as JSON; empty where there is none."""
    schema = row.get("schema", row)
    for examples in (row.get("examples"), schema.get("examples")):
        if isinstance(examples, list) and examples:
            return json.dumps(examples[0], ensure_ascii=False)
    return ""


def _body_of(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return next((type_of(one["schema"]) for one in content.values()), "")
