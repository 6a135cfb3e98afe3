"""Errors: a problem document for programs, a page for people, and a status for each of our exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import problems
from api.app import create_app
from api.headers import HEADERS
from api.pages.entry import link_path
from api.wiring import Services
from cmdb.inventory import Refused
from cmdb.model import ModelError
from cmdb.store.base import StoreError
from discovery.targets import TargetError
from operations.errors import OperationsError
from operations.tokens import Role

API = "/api/v1"
MEDIA_TYPE = "application/problem+json"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "status"),
    [
        ("GET", "/api/v1/nowhere", {}, 404),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/static/nowhere.css", {}, 404),
        ("GET", "/static/../app.py", {}, 404),
        ("GET", "/static/%2e%2e/app.py", {}, 404),
        ("DELETE", "/api/v1/cis", {}, 405),
        ("GET", "/api/v1/cis?limit=many", {}, 422),
        ("POST", "/api/v1/impact", {"content": b"{", "headers": JSON}, 422),
        ("POST", "/api/v1/impact", {"content": b"\xff", "headers": JSON}, 400),
        ("POST", "/api/v1/impact", {"content": b"[" * 200_000, "headers": JSON}, 400),
        ("POST", "/api/v1/impact", {"content": b"x" * 17_000_000, "headers": JSON}, 413),
        ("POST", "/api/v1/impact", {"content": iter([b"x" * 9_000_000] * 2), "headers": JSON}, 413),
        ("POST", "/api/v1/impact", {"content": rb'{"what": ["\ud800"], "kind": "reboot"}', "headers": JSON}, 422),
        ("POST", "/api/v1/impact", {"content": rb'{"what": ["x"], "kind": "\ud800"}', "headers": JSON}, 422),
        ("POST", "/api/v1/declarations", {"content": b"{}", "headers": JSON}, 403),
        ("GET", "/api/v1/lookup?value=%00", {}, 200),
    ],
)
def test_every_error_is_a_problem_document(
    reader: TestClient, method: str, path: str, kwargs: dict[str, Any], status: int
) -> None:
    answer = reader.request(method, path, **kwargs)

    assert answer.status_code == status
    if status != 200:
        document = answer.json()
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert (document["type"], document["status"], bool(document["title"]), bool(document["detail"])) == (
            "about:blank",
            status,
            True,
            True,
        )


def test_a_method_that_is_not_taken_is_answered_with_those_that_are(reader: TestClient) -> None:
    assert reader.put(f"{API}/classes").headers["allow"] == "GET"


def test_an_unexpected_error_says_nothing_but_that_it_was_one(services: Services) -> None:
    app = create_app(services)

    def fail() -> None:
        raise RuntimeError("the password is swordfish")

    app.add_api_route("/api/v1/fail", fail)
    answer = TestClient(app, raise_server_exceptions=False).get("/api/v1/fail")

    assert (answer.status_code, answer.headers["content-type"]) == (500, MEDIA_TYPE)
    assert "swordfish" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)


def _family(*bases: type[Exception]) -> Iterator[type[Exception]]:
    for base in bases:
        yield base
        yield from _family(*base.__subclasses__())


@pytest.mark.parametrize(
    "kind", sorted(set(_family(ModelError, StoreError, Refused, TargetError, OperationsError)), key=str)
)
def test_every_exception_of_ours_has_a_status(kind: type[Exception]) -> None:
    known = [base for base in kind.__mro__ if base in problems.STATUS]

    assert known
    assert problems.status_of(kind.__new__(kind)) == problems.STATUS[known[0]]


@pytest.mark.parametrize("path", ["/login", "/api/v1/cis", "/health", "/static/style.css", "/nowhere", "/"])
def test_every_answer_carries_the_safe_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    expected = dict(HEADERS) | ({"Cache-Control": "no-cache"} if path.startswith("/static") else {})
    assert {name: headers[name] for name in HEADERS} == expected


def test_a_file_with_its_hash_in_the_address_may_be_kept(client: TestClient) -> None:
    page = client.get("/login").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]

    assert client.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"


def test_people_get_an_error_page_in_their_language(services: Services, client: TestClient) -> None:
    client.get(link_path(services.sessions.make_link("Ada", Role.READER)))

    english, chinese = (
        client.get("/cis/nobody", headers={"Accept": "text/html", "Accept-Language": wish}) for wish in ("en", "zh-CN")
    )

    assert [english.status_code, chinese.status_code] == [404, 404]
    assert "There is nothing here." in english.text
    assert "这里什么也没有。" in chinese.text


def test_a_host_header_gets_into_no_answer(client: TestClient) -> None:
    answers = [client.get(path, headers={"Host": "evil.example"}) for path in ("/", "/login", "/login/", "/api/v1/x")]

    assert all("evil.example" not in one.text + str(one.headers) for one in answers)
