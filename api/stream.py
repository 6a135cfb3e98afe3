"""Waiting for news: one thread asks the store for its newest revision, for all who listen; and events as a stream."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.feed import Feed, Place
from api.problems import Problem, as_problem
from cmdb.store.base import StoreError
from operations.errors import OperationsError

_log = logging.getLogger(__name__)

POLL_S = 0.25
"""How late news may be. One look costs well under a millisecond on a file, about two on a server."""

MOST_LISTENERS = 100
"""Listeners of one process; each holds a connection open."""

HEARTBEAT_S = 15.0
"""A proxy must not take silence for death; and a token may have been revoked meanwhile."""

_RETRY_MS = 3000


class Listener:
    """One who waits on an event loop; to be closed when he leaves."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """From any thread."""
        with suppress(RuntimeError):  # the loop has ended, and whoever listened on it with it
            self._loop.call_soon_threadsafe(self._woken.set)

    async def news(self, after: int, timeout_s: float) -> bool:
        """Wait until a revision after this one is there: False where the time passed first, or the server stops."""
        ends = self._loop.time() + timeout_s
        while not self._follower.stopped:
            self._woken.clear()
            if self._follower.seen > after:
                return True
            left = ends - self._loop.time()
            if left <= 0:
                return False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), left)
        return False

    @property
    def stopped(self) -> bool:
        """Whether the server ends."""
        return self._follower.stopped

    def close(self) -> None:
        self._follower.leave(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Follower:
    """Asks for the newest revision while anybody listens, on one thread, and wakes all when it is another."""

    def __init__(self, newest: Callable[[], int], poll_s: float = POLL_S, most: int = MOST_LISTENERS) -> None:
        self._newest = newest
        self._poll_s = poll_s
        self._most = most
        self._guard = threading.Lock()
        self._listeners: set[Listener] = set()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.seen = 0

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def listen(self) -> Listener:
        """One more listener, on the running event loop. A problem of status 503 where there are too many."""
        with self._guard:
            if self.stopped or len(self._listeners) >= self._most:
                raise Problem(503, "too many listen to this server already; ask again later", {"Retry-After": "30"})
            listener = Listener(self)
            self._listeners.add(listener)
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)
                self._thread.start()
            return listener

    def leave(self, listener: Listener) -> None:
        with self._guard:
            self._listeners.discard(listener)

    def _follow(self) -> None:
        away = False
        while True:
            try:
                newest = self._newest()
                away = False
            except StoreError as error:
                if not away:
                    _log.warning("the feed waits for the store: %s", error)
                newest, away = self.seen, True
            with self._guard:
                if self.stopped or not self._listeners:
                    self._thread = None
                    return
                if newest != self.seen:
                    self.seen = newest
                    for listener in self._listeners:
                        listener.wake()
            self._stop.wait(self._poll_s)

    def stop(self) -> None:
        """End every wait at once; twice is harmless."""
        with self._guard:
            self._stop.set()
            listening, thread = tuple(self._listeners), self._thread
        for listener in listening:
            listener.wake()
        if thread is not None:
            thread.join(timeout=1)


class EventStream(EventSourceResponse):
    """Server-sent events; whoever listens leaves when the answer ends, however it ends."""

    def __init__(self, listener: Listener, content: AsyncIterator[bytes]) -> None:
        super().__init__(content)
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._listener:
            await super().__call__(scope, receive, send)


async def events(
    feed: Feed, listener: Listener, after: Place, limit: int, may_go_on: Callable[[], bool], heartbeat_s: float
) -> AsyncIterator[bytes]:
    """The feed from a place on, without end. What goes wrong meanwhile is told as the event `problem`, the last one.

    `may_go_on` is asked every `heartbeat_s` whether the listener still may.
    """

    def read(place: Place) -> tuple[list[bytes], Place]:
        page = feed.page(place, limit)
        return [format_sse_event(data_str=json.dumps(event.document), id=str(event.at)) for event in page.events], (
            page.next
        )

    yield format_sse_event(comment="the feed", retry=_RETRY_MS)
    loop = asyncio.get_running_loop()
    asked = loop.time()
    try:
        while not listener.stopped:
            found, after = await run_in_threadpool(read, after)
            for event in found:
                yield event
            if not found and not await listener.news(after.whole, heartbeat_s):
                yield KEEPALIVE_COMMENT
            if loop.time() - asked >= heartbeat_s:
                if not await run_in_threadpool(may_go_on):
                    return
                asked = loop.time()
    except (Problem, StoreError, OperationsError) as error:
        problem = as_problem(error)
        document = {"status": problem.status, "detail": problem.detail, **problem.members}
        yield format_sse_event(event="problem", data_str=json.dumps(document))
