"""What leads from a key to a set of things: entered and taken out, and no empty set is left behind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def enter(entries: Iterable[tuple[dict[Any, set[Any]], Any]], item: object, *, add: bool) -> None:
    """Put a thing under each (table, key), or take it out there."""
    for table, key in entries:
        if add:
            table.setdefault(key, set()).add(item)
        elif (found := table.get(key)) is not None:
            found.discard(item)
            if not found:
                del table[key]
