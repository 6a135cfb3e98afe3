"""How a request names a point in time, and what is answered where nothing is kept of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

AT = Annotated[
    str | None,
    Query(
        max_length=40,
        examples=["42"],
        description="what the CMDB said then: a revision, or an ISO time (UTC where it names no zone)",
    ),
]

GONE: dict[int | str, dict[str, Any]] = {
    410: {
        "description": "History is not kept from then; `oldest` says from when.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
