"""Sessions of the pages: in with a token or a link, CSRF on every change, out again."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.auth import COOKIE, CSRF_HEADER
from api.pages.entry import link_path
from api.wiring import Services
from operations.tokens import Role

API = "/api/v1"


def _csrf(services: Services, client: TestClient) -> str:
    session = services.sessions.verify(client.cookies[COOKIE])
    assert session is not None
    return session.csrf


def _logged_in(services: Services, client: TestClient, role: Role = Role.ADMIN) -> None:
    answer = client.get(link_path(services.sessions.make_link("Ada", role)))
    assert answer.status_code == 200


def test_a_token_logs_in_and_leads_to_the_page_that_was_wanted(services: Services, client: TestClient) -> None:
    token = services.tokens.create("Ada", Role.READER)
    wanted = client.get("/cis?class=server").headers["location"]

    form = client.get(wanted)
    answer = client.post("/login", data={"token": f" {token}\n", "next": "/cis?class=server"})
    page = client.get(answer.headers["location"])

    assert wanted == f"/login?next={quote('/cis?class=server', safe='')}"
    assert 'value="/cis?class=server"' in form.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/cis?class=server")
    assert page.status_code == 200


@pytest.mark.parametrize(
    "next_", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "", "/\tx"]
)
def test_a_log_in_leads_to_no_other_site(services: Services, client: TestClient, next_: str) -> None:
    token = services.tokens.create("Ada", Role.READER)

    answer = client.post("/login", data={"token": token, "next": next_})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_every_log_in_that_fails_is_answered_alike(services: Services, client: TestClient) -> None:
    revoked = services.tokens.create("x", Role.ADMIN)
    services.tokens.revoke("x")

    answers = [client.post("/login", data={"token": token}) for token in ("", "x", "cmdb_x", revoked)]

    assert {(one.status_code, one.text) for one in answers} == {(403, answers[0].text)}
    assert COOKIE not in client.cookies


def test_a_link_lands_on_a_page_without_any_cookie_and_works_once(services: Services, client: TestClient) -> None:
    path = link_path(services.sessions.make_link("Ada", Role.ADMIN))

    landing = client.get(path)
    home = client.get("/")
    again = TestClient(client.app, follow_redirects=False).get(path)

    assert (landing.status_code, home.status_code, again.status_code) == (200, 200, 403)
    assert '<meta http-equiv="refresh" content="0; url=/">' in landing.text
    assert "Ada, admin" in home.text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(services: Services, client: TestClient) -> None:
    flags = {}
    for scheme in ("http", "https"):
        somebody = TestClient(client.app, base_url=f"{scheme}://testserver")
        path = link_path(services.sessions.make_link("Ada", Role.ADMIN))
        set_cookie = somebody.get(path).headers["set-cookie"]
        flags[scheme] = sorted(part.strip() for part in set_cookie.split(";")[1:])

    assert flags == {
        "http": ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"],
        "https": ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict", "Secure"],
    }


def test_a_change_with_a_session_needs_its_csrf_token(services: Services, client: TestClient) -> None:
    _logged_in(services, client)
    csrf = _csrf(services, client)
    wanted = {"name": "x", "role": "reader"}

    answers = [
        client.post(f"{API}/tokens", json=wanted, headers=headers)
        for headers in ({}, {CSRF_HEADER: "x"}, {CSRF_HEADER: csrf})
    ]

    assert [one.status_code for one in answers] == [403, 403, 201]


def test_a_session_reads_without_a_csrf_token(services: Services, client: TestClient) -> None:
    _logged_in(services, client, Role.READER)

    assert client.get(f"{API}/cis").status_code == 200
    assert client.get(f"{API}/tokens").status_code == 403


def test_a_scan_is_started_from_a_page_with_the_csrf_token_of_its_form(services: Services, client: TestClient) -> None:
    _logged_in(services, client, Role.OPERATOR)
    csrf = _csrf(services, client)

    without = client.post("/runs", data={"targets": "127.0.0.1"})
    wrong = client.post("/runs", data={"targets": "300.1.1.1", "csrf": csrf})
    right = client.post("/runs", data={"targets": "127.0.0.1 127.0.0.2", "csrf": csrf})

    [run] = services.runs.newest()
    assert [without.status_code, wrong.status_code, right.status_code] == [403, 422, 303]
    assert "300.1.1.1" in wrong.text
    assert right.headers["location"] == f"/runs/{run.id}"
    assert (run.scope.targets, run.requested_by) == (("127.0.0.1", "127.0.0.2"), "Ada")


def test_a_reader_finds_no_form_to_scan_with(services: Services, client: TestClient) -> None:
    _logged_in(services, client, Role.READER)

    page = client.get("/runs")
    sent = client.post("/runs", data={"targets": "127.0.0.1", "csrf": _csrf(services, client)})

    assert 'name="targets"' not in page.text
    assert sent.status_code == 403


def test_logging_out_ends_the_session_and_needs_the_csrf_token(services: Services, client: TestClient) -> None:
    _logged_in(services, client)
    cookie = client.cookies[COOKIE]
    csrf = _csrf(services, client)

    without = client.post("/logout")
    still = client.get("/").status_code
    out = client.post("/logout", data={"csrf": csrf})

    assert (without.status_code, still) == (403, 200)
    assert (out.status_code, out.headers["location"]) == (303, "/login")
    assert services.sessions.verify(cookie) is None
    assert client.get("/").status_code == 303


def test_a_session_ends_with_its_token(services: Services, client: TestClient) -> None:
    token = services.tokens.create("Ada", Role.READER)
    client.post("/login", data={"token": token})
    before = client.get("/").status_code

    services.tokens.revoke("Ada")

    assert (before, client.get("/").status_code) == (200, 303)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_on_another_site_logs_nobody_in_or_out(services: Services, client: TestClient, site: str) -> None:
    token = services.tokens.create("Ada", Role.READER)

    answers = [
        client.post(path, data={"token": token}, headers={"Sec-Fetch-Site": site}) for path in ("/login", "/logout")
    ]

    assert [one.status_code for one in answers] == [403, 403]
    assert COOKIE not in client.cookies
