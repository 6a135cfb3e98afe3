"""Pages of lists that are read in one go: sorted by a key, cut, with a cursor for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Request

from api import cursor
from api.auth import ServicesOf
from api.problems import Problem

Row = TypeVar("Row")
_NOT_A_FILTER = frozenset({"next", "limit", "lang"})


class Paging:
    """Where a list is to go on, and how far; bound to its path, filter and sort."""

    def __init__(
        self,
        request: Request,
        services: ServicesOf,
        limit: Annotated[int, Query(ge=1, le=1000, description="at most so many")] = 100,
        next_: Annotated[
            str | None, Query(alias="next", max_length=4000, description="`next` of the page before, for the same list")
        ] = None,
    ) -> None:
        # A form sends the fields that were left empty too; they filter nothing.
        given = [(name, text) for name, text in request.query_params.multi_items() if text]
        filters = sorted(pair for pair in given if pair[0] not in _NOT_A_FILTER)
        self._question = [request.url.path, filters]
        self._key = services.cursor_key
        self.limit = limit
        self.after = None if next_ is None else cursor.read(self._key, self._question, next_)

    def cursor(self, position: tuple[str | int, str]) -> str:
        return cursor.write(self._key, self._question, position)

    def cut(self, rows: Iterable[Row], key: Callable[[Row], tuple[str, str]], draw: Callable[[Row], Any]) -> Any:
        """The page of `rows` that comes next; `key` is unique, and orders them."""
        ordered = sorted(rows, key=key)
        if self.after is not None:
            place = self.after
            if not isinstance(place[0], str):
                raise Problem(400, "next: this cursor was not given for this list")
            ordered = [row for row in ordered if key(row) > place]
        page = list(islice(ordered, self.limit))
        going_on = self.cursor(key(page[-1])) if len(ordered) > len(page) else None
        return {"items": [draw(row) for row in page], "next": going_on}


Pages = Annotated[Paging, Depends(Paging)]
