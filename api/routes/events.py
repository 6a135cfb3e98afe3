"""The feed: all changes in order, page by page, as a long-poll, or as server-sent events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api import feed, stream
from api.auth import Reader, ServicesOf, identify
from api.feed import Feed, Place
from api.routes.cis import LIMIT
from operations.tokens import Role

router = APIRouter(tags=["feed"])

_STREAM = "text/event-stream"
_NOW = "now"
_SPELT = r"^(now|(0|[1-9][0-9]{0,17})(\.[1-9][0-9]{0,9})?)$"
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page; with `Accept: text/event-stream` the events one by one, without end.",
        "content": {_STREAM: {"schema": {"type": "string"}}},
    },
    410: {
        "description": "What comes after this is not kept any more; `resume` says after what to go on.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}


class EventOut(BaseModel):
    """Changes that became true together. A revision of more changes than `limit` comes as several events."""

    id: str = Field(examples=["42"], description="where it leaves off: what to keep once it is dealt with")
    revision: int = Field(examples=[42])
    at: str = Field(examples=["2026-01-02T03:04:05.678000Z"])
    actor: str = Field(examples=["discovery"])
    run: str | None = Field(examples=["20260102T030405-7f3a"])
    reason: str = Field(examples=["10.1.2.7 reported"])
    first: int = Field(examples=[0], description="how many changes of the revision came before")
    of: int = Field(examples=[1], description="how many changes the revision has")
    changes: list[dict[str, Any]] = Field(
        examples=[[{"id": "ci-12", "before": None, "after": {"name": "core-a"}}]],
        description="each CI and relation before and after; null where it is not there",
    )


class Events(BaseModel):
    """A page of the feed; ask with `after` = `next` next, also where it is empty."""

    items: list[EventOut]
    next: str = Field(examples=["42"])


@router.get("/events", response_model=Events, responses=_ANSWERS)
async def events(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    after: Annotated[
        str,
        Query(
            max_length=40,
            pattern=_SPELT,
            examples=["42"],
            description="a revision, or the `next` or `id` of an answer; `now` for what is still to come",
        ),
    ] = "0",
    limit: LIMIT = 100,
    wait: Annotated[float, Query(ge=0, le=60, description="seconds to wait for news where there is none")] = 0,
    last_event_id: Annotated[
        str | None, Header(max_length=40, pattern=_SPELT, description="of a stream that broke; outranks `after`")
    ] = None,
) -> Response:
    """All changes after a place in the journal, in order, without gap or repeat, whoever made them.

    Keep the `next` of the page, or the `id` of the last event that you have dealt with: whoever asks again after it
    misses nothing and is told nothing twice. `limit` counts changes.
    """
    del reader
    source = services.feed
    start = await run_in_threadpool(_start, source, last_event_id or after)
    if _STREAM in request.headers.get("accept", ""):
        return await _stream(request, source, start, limit)
    page = await run_in_threadpool(_page, source, start, limit)
    if page is None and wait:
        with services.follower.listen() as listener:
            await listener.news(start.whole, wait)
        page = await run_in_threadpool(_page, source, start, limit)
    return page or JSONResponse({"items": [], "next": str(start)})


def _start(source: Feed, text: str) -> Place:
    return Place(source.newest()) if text == _NOW else feed.place(text, "after")


def _page(source: Feed, after: Place, limit: int) -> JSONResponse | None:
    """On a thread: a large page is not made on the event loop."""
    page = source.page(after, limit)
    if not page.events:
        return None
    return JSONResponse({"items": [event.document for event in page.events], "next": str(page.next)})


async def _stream(request: Request, source: Feed, start: Place, limit: int) -> Response:
    services = request.app.state.services

    def may_go_on() -> bool:
        principal = identify(request, services)
        return principal is not None and principal.role.covers(Role.READER)

    await run_in_threadpool(source.page, start, 1)  # what is wrong with the place is said while a status can be
    listener = services.follower.listen()
    return stream.EventStream(listener, stream.events(source, listener, start, limit, may_go_on, stream.HEARTBEAT_S))
