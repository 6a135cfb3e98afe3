"""The feed: every change once and in order, however it is asked for, whoever writes, and whoever dies."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from api.feed import Feed, Place
from api.problems import Problem
from api.settings import load
from api.stream import Follower, events
from api.wiring import Services, now
from cmdb.inventory import Inventory
from cmdb.model import Revision
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from operations.tokens import Role
from tests.api.consuming import kept
from tests.fixtures.parts import REPOSITORY

EVENTS = "/api/v1/events"


def _estate(names: list[str], note: str = "x") -> str:
    return "cis:\n" + "".join(f"  - {{class: server, name: {name}, notes: {note}}}\n" for name in names)


@pytest.fixture
def told(services: Services) -> Services:
    """Three revisions: of one change, of seven, and of one."""
    services.inventory.declare(_estate(["web1"]), "first", "Ada")
    services.inventory.declare(_estate([f"host{n}" for n in range(7)]), "second", "Bob")
    services.inventory.declare(_estate(["web1"], "y"), "first", "Ada")
    return services


def _journal(services: Services) -> list[tuple[int, str]]:
    return [(revision.n, change.id) for revision in services.inventory.changes(0) for change in revision.changes]


def _changes(items: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(item["revision"], change["id"]) for item in items for change in item["changes"]]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_pages_of_any_size_tell_every_change_once_and_in_order(told: Services, reader: TestClient, limit: int) -> None:
    items: list[dict[str, Any]] = []
    after = "0"

    while page := reader.get(EVENTS, params={"after": after, "limit": limit}).json()["items"]:
        items += page
        after = page[-1]["id"]

    assert _changes(items) == _journal(told)
    assert after == "3"


def test_a_revision_is_split_only_where_it_has_more_changes_than_a_page(told: Services, reader: TestClient) -> None:
    del told

    whole = reader.get(EVENTS, params={"limit": 7}).json()
    split = reader.get(EVENTS, params={"after": "1", "limit": 3}).json()

    assert ([item["id"] for item in whole["items"]], whole["next"]) == (["1"], "1")
    assert [(item["id"], item["first"], item["of"], len(item["changes"])) for item in split["items"]] == [
        ("2.3", 0, 7, 3)
    ]
    assert split["next"] == "2.3"


def test_an_event_says_what_changed_when_who_and_why(told: Services, reader: TestClient) -> None:
    answer = reader.get(EVENTS, params={"after": 2}).json()

    revision = told.inventory.changes(2)[0]
    (event,) = answer["items"]
    (change,) = event.pop("changes")
    assert event == {
        "id": "3",
        "revision": 3,
        "at": revision.at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "actor": "Ada",
        "run": None,
        "reason": revision.reason,
        "first": 0,
        "of": 1,
    }
    assert (change["before"]["attributes"]["notes"], change["after"]["attributes"]["notes"]) == ("x", "y")


def test_at_the_end_there_is_nothing_and_the_same_place_to_ask_after(told: Services, reader: TestClient) -> None:
    del told

    answers = [reader.get(EVENTS, params=asked).json() for asked in ({"after": "3"}, {"after": "now"})]

    assert answers == [{"items": [], "next": "3"}] * 2


@pytest.mark.parametrize(
    ("after", "status", "words"),
    [
        ("99", 404, "after: revision 99 is not there yet, the newest is 3"),
        ("4.1", 404, "after: revision 4 is not there yet, the newest is 3"),
        ("2.7", 400, "after: revision 2 has only 7 changes"),
        ("0.1", 400, "after: '0.1' is no place in the feed"),
        ("yesterday", 422, "after"),
    ],
)
def test_a_place_that_is_not_there_is_said(
    told: Services, reader: TestClient, after: str, status: int, words: str
) -> None:
    del told

    for headers in ({}, {"Accept": "text/event-stream"}):
        answer = reader.get(EVENTS, params={"after": after}, headers=headers)

        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert words in answer.json()["detail"]


def test_a_long_poll_is_answered_by_what_another_process_writes(told: Services, reader: TestClient) -> None:
    other = Inventory(open_store(told.settings.store.get_secret_value()), Rules(), now)
    write = threading.Thread(target=other.declare, args=(_estate(["late"]), "third", "Eve"))

    write.start()
    answer = reader.get(EVENTS, params={"after": "3", "wait": 60}).json()

    write.join()
    assert ([item["actor"] for item in answer["items"]], answer["next"]) == (["Eve"], "4")


def test_a_long_poll_without_news_ends_with_its_time(told: Services, reader: TestClient) -> None:
    del told

    assert reader.get(EVENTS, params={"after": "3", "wait": 0.05}).json() == {"items": [], "next": "3"}


def test_no_more_may_listen_than_are_allowed() -> None:
    async def listen() -> None:
        follower = Follower(lambda: 0, most=1)
        with follower.listen(), pytest.raises(Problem, match="too many listen"):
            follower.listen()
        with follower.listen():
            pass
        follower.stop()

    asyncio.run(listen())


class Gappy:
    """A journal of which a look once missed the second revision, as one may that reads row by row."""

    def __init__(self, whole: Inventory) -> None:
        self._whole = whole
        self._looks = 0

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        self._looks += 1
        found = self._whole.changes(after, limit)
        return [revision for revision in found if revision.n != 2] if self._looks == 2 else found

    def oldest(self) -> int:
        return self._whole.oldest()

    def point(self, text: str) -> int:
        return self._whole.point(text)


def test_a_revision_that_a_look_missed_is_told_in_its_order(told: Services) -> None:
    feed = Feed(Gappy(told.inventory))

    first = feed.page(Place(0), 100)
    rest = feed.page(first.next, 100)

    assert [event.at for event in (*first.events, *rest.events)] == [Place(1), Place(2), Place(3)]


def test_a_stream_that_was_overtaken_by_a_trim_says_so_and_ends(told: Services) -> None:
    async def listen() -> list[str]:
        follower = Follower(told.feed.newest)
        with follower.listen() as listener:
            source = events(told.feed, listener, Place(0), 1, lambda: True, 10)
            blocks = [(await anext(source)).decode() for _ in range(2)]
            told.inventory.trim(3)
            blocks += await _all(source)
        follower.stop()
        return blocks

    blocks = asyncio.run(listen())

    assert (blocks[0], "\nid: 1\n" in blocks[1]) == (": the feed\nretry: 3000\n\n", True)
    assert json.loads(blocks[-1].splitlines()[1].removeprefix("data: "))["resume"] == "3"


async def _all(source: AsyncIterator[bytes]) -> list[str]:
    return [block.decode() async for block in source]


def test_a_stream_ends_when_its_listener_may_not_listen_any_more(told: Services) -> None:
    answers = iter([True, False])

    async def listen() -> list[str]:
        follower = Follower(told.feed.newest)
        with follower.listen() as listener:
            blocks = await _all(events(told.feed, listener, Place(3), 10, lambda: next(answers), 0.01))
        follower.stop()
        return blocks

    assert asyncio.run(listen()) == [": the feed\nretry: 3000\n\n", ": ping\n\n", ": ping\n\n"]


def test_a_stream_says_what_goes_wrong_under_way_and_ends(told: Services) -> None:
    async def listen() -> list[str]:
        follower = Follower(told.feed.newest)
        with follower.listen() as listener:
            blocks = await _all(events(told.feed, listener, Place(9), 10, lambda: True, 0.01))
        follower.stop()
        return blocks

    name, data = asyncio.run(listen())[1].splitlines()[:2]

    assert name == "event: problem"
    assert json.loads(data.removeprefix("data: "))["newest"] == 3


@contextmanager
def _serving(**variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its URL."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.api.serving"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **variables},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started:
        assert started.stdout is not None
        yield started, started.stdout.readline().strip()
        started.kill()


def test_a_stream_ends_in_good_order_with_its_server(told: Services, tmp_path: Path) -> None:
    token = told.tokens.create("listener", Role.READER)
    url = told.settings.store.get_secret_value()
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", "Last-Event-ID": "2"}

    with _serving(CMDB_STORE=url, XDG_CONFIG_HOME=str(tmp_path)) as (server, base):
        with httpx2.stream("GET", f"{base}{EVENTS}", headers=headers, timeout=30) as answer:
            lines = answer.iter_lines()
            seen = [next(lines) for _ in range(5)]
            server.send_signal(signal.SIGTERM)
            rest = list(lines)
        code = server.wait(timeout=20)
        assert server.stderr is not None
        said = server.stderr.read()

    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert ([seen[0], seen[1], seen[4]], json.loads(seen[3].removeprefix("data: "))["id"]) == (
        [": the feed", "retry: 3000", "id: 3"],
        "3",
    )
    assert (set(rest) <= {"", ": ping"}, code, said) == (True, -signal.SIGTERM, "")


def _write(url: str, name: str, rounds: int) -> None:
    """A writer with a store of its own, as another process would be: one change or several at a time."""
    store = open_store(url)
    inventory = Inventory(store, Rules(), now)
    try:
        for turn in range(rounds):
            inventory.declare(_estate([f"{name}{n}" for n in range(1 + turn % 3 * 2)], str(turn)), name, name)
    finally:
        store.close()


@pytest.mark.xdist_group("neo4j")
def test_a_consumer_that_is_killed_anywhere_misses_nothing_and_repeats_nothing(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CMDB_STORE", store_url)
    monkeypatch.setenv("CMDB_OPERATIONS", f"sqlite:///{tmp_path / 'operations.sqlite'}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    services = Services(load())
    token = services.tokens.create("consumer", Role.READER)
    writers = [threading.Thread(target=_write, args=(store_url, name, 8)) for name in ("a", "b")]
    chance = random.Random(7)
    file = tmp_path / "kept"

    with _serving() as (_, base):
        for writer in writers:
            writer.start()
        while not (found := kept(file)) or found[-1]["id"] != "16":
            _consume(base, token, file, chance.randrange(1, 6))
    for writer in writers:
        writer.join()

    told = [(event["revision"], change["id"]) for event in found for change in _listed(event)]
    assert told == _journal(services)
    assert len({event["id"] for event in found}) == len(found)
    services.close()


def _listed(event: dict[str, Any]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = event["changes"]
    return changes


def _consume(base: str, token: str, file: Path, most: int) -> None:
    """Start the consumer, and kill it after so many events, or after the last that there will be."""
    consumer = subprocess.Popen(
        [sys.executable, "-m", "tests.api.consuming", base, token, str(file)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    with consumer:
        assert consumer.stdout is not None
        for _ in range(most):
            if consumer.stdout.readline() in {"16\n", ""}:
                break
        consumer.kill()
