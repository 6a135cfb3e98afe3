"""Opaque cursors of lists, bound to the filter and the sort that they were given for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from api.problems import Problem

_MAC_BYTES = 12


def write(key: bytes, question: Any, position: Sequence[str | int]) -> str:
    """A cursor that goes on after `position` (the sort value and id of the last row) in the list of `question`."""
    place = json.dumps(list(position), separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(_mac(key, question, place) + place).decode().rstrip("=")


def read(key: bytes, question: Any, cursor: str) -> tuple[str | int, str]:
    """The position that a cursor of ours for the same question holds; anything else is a problem of status 400."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, place = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, _mac(key, question, place)):
            raise ValueError(cursor)  # noqa: TRY301 - as any other cursor that is not ours
        value, ci = json.loads(place)
    except ValueError as error:
        raise Problem(
            400,
            "next: this cursor was not given for this list, filter and sort; "
            "start again without it, or repeat the request that gave it",
        ) from error
    return value, ci


def _mac(key: bytes, question: Any, place: bytes) -> bytes:
    asked = json.dumps(question, sort_keys=True, separators=(",", ":"), default=str).encode()
    return hmac.digest(key, hashlib.sha256(asked).digest() + place, "sha256")[:_MAC_BYTES]
