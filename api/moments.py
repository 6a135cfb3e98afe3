"""Points in time as people and programs give them: a revision, a time, or `now`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from cmdb.inventory import Inventory
from cmdb.model import ModelError

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


def moment(inventory: Inventory, at: str | None, where: str = "at") -> int | None:
    """The revision that is meant; None for now. Raises ModelError, which says where, and Gone."""
    if at is None or not at.strip():
        return None
    try:
        return inventory.point(at)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error
