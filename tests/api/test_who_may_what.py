"""Every route, asked without a token, with a wrong one, with one too weak, and with one that will do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount
from starlette.testclient import TestClient

from api.app import create_app
from api.auth import COOKIE
from api.settings import load
from api.wiring import Services
from operations.tokens import Role
from tests.api.estate import ESTATE

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Row:
    """A route: whom it needs (None: it is open), an address of it, and what to send."""

    method: str
    path: str
    role: Role | None
    address: str
    body: Any = None
    page: bool = False


R, O, A = Role.READER, Role.OPERATOR, Role.ADMIN  # noqa: E741 - a column of the table
API = "/api/v1"
SCAN = {"targets": ["127.0.0.1"]}
SCHEDULE = {**SCAN, "name": "nightly", "cron": "0 2 * * *"}
CREDENTIAL = {"name": "site", "kind": "snmp-v2c", "networks": ["127.0.0.0/8"], "secret": "public"}

ROUTES = (
    Row("GET", f"{API}/cis", R, f"{API}/cis"),
    Row("GET", f"{API}/cis/{{ci}}", R, f"{API}/cis/ci-1"),
    Row("PATCH", f"{API}/cis/{{ci}}", O, f"{API}/cis/ci-1", {"attributes": {"notes": "x"}}),
    Row("GET", f"{API}/cis/{{ci}}/relations", R, f"{API}/cis/ci-1/relations"),
    Row("GET", f"{API}/cis/{{ci}}/neighbourhood", R, f"{API}/cis/ci-1/neighbourhood"),
    Row("GET", f"{API}/cis/{{ci}}/impact", R, f"{API}/cis/ci-1/impact"),
    Row("POST", f"{API}/declarations", O, f"{API}/declarations", {"name": "x"}),
    Row("GET", f"{API}/lookup", R, f"{API}/lookup?value=web1"),
    Row("GET", f"{API}/tags/{{tag}}", R, f"{API}/tags/D010210-001"),
    Row("POST", f"{API}/impact", R, f"{API}/impact", {"what": ["web1"], "kind": "reboot"}),
    Row("GET", f"{API}/cis/{{ci}}/why", R, f"{API}/cis/ci-1/why?what=web1"),
    Row("POST", f"{API}/impact/next-failures", R, f"{API}/impact/next-failures", {"what": ["web1"], "kind": "reboot"}),
    Row("GET", f"{API}/impact/single-points", R, f"{API}/impact/single-points"),
    Row("GET", f"{API}/journal", R, f"{API}/journal"),
    Row("GET", f"{API}/diff", R, f"{API}/diff?from=0"),
    Row("GET", f"{API}/cis/{{ci}}/history", R, f"{API}/cis/ci-1/history"),
    Row("GET", f"{API}/events", R, f"{API}/events"),
    Row("GET", f"{API}/problems", R, f"{API}/problems"),
    Row("GET", f"{API}/problems.csv", R, f"{API}/problems.csv"),
    Row("POST", f"{API}/recompute", O, f"{API}/recompute", {}),
    Row("GET", f"{API}/conflicts", R, f"{API}/conflicts"),
    Row("GET", f"{API}/duplicates", R, f"{API}/duplicates"),
    Row("GET", f"{API}/decisions", R, f"{API}/decisions"),
    Row("POST", f"{API}/decisions", O, f"{API}/decisions", {"verdict": "same", "what": ["x", "y"], "reason": "z"}),
    Row("DELETE", f"{API}/decisions/{{decision}}", O, f"{API}/decisions/d-1?reason=x"),
    Row("GET", f"{API}/classes", R, f"{API}/classes"),
    Row("GET", f"{API}/relation-types", R, f"{API}/relation-types"),
    Row("POST", f"{API}/scans", O, f"{API}/scans", SCAN),
    Row("GET", f"{API}/scans", R, f"{API}/scans"),
    Row("GET", f"{API}/scans/{{run}}", R, f"{API}/scans/x"),
    Row("GET", f"{API}/scans/{{run}}/ledger", R, f"{API}/scans/x/ledger"),
    Row("DELETE", f"{API}/scans/{{run}}", O, f"{API}/scans/x"),
    Row("GET", f"{API}/parked", R, f"{API}/parked"),
    Row("GET", f"{API}/parked/{{question}}", R, f"{API}/parked/parked-1"),
    Row("POST", f"{API}/parked/{{question}}", O, f"{API}/parked/parked-1", {"answer": "no", "reason": "x"}),
    Row("GET", f"{API}/schedules", R, f"{API}/schedules"),
    Row("POST", f"{API}/schedules", O, f"{API}/schedules", SCHEDULE),
    Row("GET", f"{API}/schedules/{{name:path}}", R, f"{API}/schedules/x"),
    Row("PATCH", f"{API}/schedules/{{name:path}}", O, f"{API}/schedules/x", {"enabled": False}),
    Row("DELETE", f"{API}/schedules/{{name:path}}", O, f"{API}/schedules/x"),
    Row("GET", f"{API}/tokens", A, f"{API}/tokens"),
    Row("POST", f"{API}/tokens", A, f"{API}/tokens", {"name": "x", "role": "reader"}),
    Row("DELETE", f"{API}/tokens/{{name:path}}", A, f"{API}/tokens/x"),
    Row("GET", f"{API}/credentials", A, f"{API}/credentials"),
    Row("POST", f"{API}/credentials", A, f"{API}/credentials", CREDENTIAL),
    Row("DELETE", f"{API}/credentials/{{name:path}}", A, f"{API}/credentials/x"),
    Row("GET", f"{API}/openapi.json", R, f"{API}/openapi.json"),
    Row("GET", "/openapi.json", R, "/openapi.json"),
    Row("GET", f"{API}/health", None, f"{API}/health"),
    Row("GET", f"{API}/ready", None, f"{API}/ready"),
    Row("GET", "/health", None, "/health"),
    Row("GET", "/ready", None, "/ready"),
    Row("GET", "/static", None, "/static/style.css"),
    Row("GET", "/login", None, "/login", page=True),
    Row("POST", "/login", None, "/login", page=True),
    Row("GET", "/login/{secret}", None, "/login/x", page=True),
    Row("POST", "/logout", None, "/logout", page=True),
    Row("GET", "/", R, "/", page=True),
    Row("GET", "/find", R, "/find?q=web1", page=True),
    Row("GET", "/cis", R, "/cis", page=True),
    Row("GET", "/cis/{ci}", R, "/cis/ci-1", page=True),
    Row("GET", "/cis/{ci}/history", R, "/cis/ci-1/history", page=True),
    Row("GET", "/cis/{ci}/then", R, "/cis/ci-1/then?at=1", page=True),
    Row("GET", "/changes", R, "/changes", page=True),
    Row("GET", "/impact", R, "/impact", page=True),
    Row("GET", "/impact/rows", R, "/impact/rows?what=web1", page=True),
    Row("GET", "/impact/why", R, "/impact/why?what=web1&of=web2", page=True),
    Row("GET", "/impact/blast", R, "/impact/blast?what=web1", page=True),
    Row("GET", "/impact/blast.svg", R, "/impact/blast.svg?what=web1", page=True),
    Row("GET", "/impact/answer.csv", R, "/impact/answer.csv?what=web1", page=True),
    Row("GET", f"{API}/evidence/{{hash}}", R, f"{API}/evidence/{'0' * 64}"),
    Row("GET", f"{API}/cis/{{ci}}/evidence", R, f"{API}/cis/ci-1/evidence?attribute=vendor"),
    Row("POST", f"{API}/replay", O, f"{API}/replay", {}),
    Row("GET", "/evidence/{hash}", R, f"/evidence/{'0' * 64}", page=True),
    Row("GET", "/problems", R, "/problems", page=True),
    Row("GET", "/parked", R, "/parked", page=True),
    Row("GET", "/parked/{question}", R, "/parked/parked-1", page=True),
    Row("POST", "/parked/{question}", O, "/parked/parked-1", page=True),
    Row("GET", "/conflicts", R, "/conflicts", page=True),
    Row("POST", "/conflicts", O, "/conflicts", page=True),
    Row("POST", "/conflicts/take-back", O, "/conflicts/take-back", page=True),
    Row("GET", "/runs", R, "/runs", page=True),
    Row("POST", "/runs", O, "/runs", page=True),
    Row("GET", "/runs/{run}", R, "/runs/x", page=True),
    Row("GET", "/api/docs", R, "/api/docs", page=True),
)
GUARDED = [row for row in ROUTES if row.role is not None]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """One estate for all rows: who is let in does not depend on what the row before did."""
    made = Services(load(store=f"sqlite:///{tmp_path_factory.mktemp('doors') / 'cmdb.sqlite'}"))
    made.inventory.declare(ESTATE, "estate.yaml", "test")
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(services: Services) -> TestClient:
    return TestClient(create_app(services), raise_server_exceptions=False, follow_redirects=False)


@pytest.fixture(scope="module")
def tokens(services: Services) -> dict[str, str]:
    """A token of each role, and one that was revoked."""
    made = {role.value: services.tokens.create(role.value, role) for role in Role}
    made["revoked"] = services.tokens.create("revoked", Role.ADMIN)
    services.tokens.revoke("revoked")
    return made


def _id(row: Row) -> str:
    return f"{row.method} {row.path}"


def _routes(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """(method, path) of everything that the application answers, whatever it is included through."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes, prefix + getattr(route, "include_context").prefix)  # noqa: B009 - FastAPI has no public type for it
        elif isinstance(route, Mount):
            yield "GET", prefix + route.path
        else:
            for method in getattr(route, "methods", None) or {"?"}:
                yield method, prefix + str(getattr(route, "path", route))


def _ask(client: TestClient, row: Row, token: str | None = None) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.request(row.method, row.address, json=row.body, headers=headers)


def test_every_route_has_a_row(services: Services) -> None:
    app: FastAPI = create_app(services)

    found = sorted(_routes(app.routes))

    assert sorted((row.method, row.path) for row in ROUTES) == found


@pytest.mark.parametrize("row", GUARDED, ids=_id)
def test_nothing_is_told_without_a_token(client: TestClient, row: Row) -> None:
    answer = _ask(client, row)

    if row.page:
        assert (answer.status_code, answer.text) == (303, "")
        assert answer.headers["location"].startswith("/login?next=%2F")
    else:
        assert (answer.status_code, answer.headers["content-type"]) == (401, MEDIA_TYPE)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("row", GUARDED, ids=_id)
def test_a_wrong_token_is_refused(client: TestClient, row: Row) -> None:
    answer = _ask(client, row, "cmdb_wrong")

    assert (answer.status_code, answer.headers["content-type"]) == (401, MEDIA_TYPE)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic Y21kYjpjbWRi", "cmdb_x", "Bearer \xe9"])
def test_what_is_no_bearer_token_at_all_is_refused(client: TestClient, header: str) -> None:
    answer = client.get(f"{API}/cis", headers={b"Authorization": header.encode("latin-1")})

    assert (answer.status_code, answer.headers["content-type"]) == (401, MEDIA_TYPE)


@pytest.mark.parametrize("row", GUARDED, ids=_id)
def test_a_revoked_token_is_refused(client: TestClient, tokens: dict[str, str], row: Row) -> None:
    answer = _ask(client, row, tokens["revoked"])

    assert answer.status_code == 401


def test_a_session_does_not_help_a_wrong_token(services: Services, client: TestClient) -> None:
    started = services.sessions.from_link(services.sessions.make_link("Ada", Role.ADMIN))
    assert started is not None

    answer = client.get(f"{API}/cis", headers={"Authorization": "Bearer x", "Cookie": f"{COOKIE}={started.cookie}"})

    assert answer.status_code == 401


@pytest.mark.parametrize("row", [row for row in GUARDED if row.role is not Role.READER], ids=_id)
def test_too_weak_a_token_is_refused(client: TestClient, tokens: dict[str, str], row: Row) -> None:
    weaker = Role.READER if row.role is Role.OPERATOR else Role.OPERATOR

    answer = _ask(client, row, tokens[weaker])

    assert (answer.status_code, answer.headers["content-type"]) == (403, MEDIA_TYPE)


@pytest.mark.parametrize("row", GUARDED, ids=_id)
def test_a_token_of_the_role_gets_past_the_door(client: TestClient, tokens: dict[str, str], row: Row) -> None:
    assert row.role is not None

    answer = _ask(client, row, tokens[row.role])

    assert answer.status_code not in {401, 403}
    assert answer.status_code < 500


@pytest.mark.parametrize("row", [row for row in ROUTES if row.role is None], ids=_id)
def test_what_is_open_tells_nothing_of_the_estate(services: Services, client: TestClient, row: Row) -> None:
    answer = _ask(client, row)

    assert answer.status_code < 500
    assert "web1" not in answer.text
    assert str(services.settings.folder) not in answer.text
