"""Log-ins that fail too often, and those who may go on meanwhile."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from api.attempts import Attempts
from api.problems import Problem
from api.wiring import Services
from operations.tokens import Role


class Seconds:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _from(app: FastAPI, host: str) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False, client=(host, 50000))


def test_whoever_fails_too_often_waits_and_nobody_else(
    application: FastAPI, services: Services, client: TestClient
) -> None:
    del client  # it gives the application its services
    clock = Seconds()
    services.attempts = Attempts(clock, most=3)
    token = services.tokens.create("Ada", Role.READER)
    one, other = _from(application, "10.0.0.1"), _from(application, "10.0.0.2")

    failed = [one.post("/login", data={"token": "x"}), one.get("/login/x"), one.post("/login", data={"token": "y"})]
    clock.now += 20
    refused = [one.post("/login", data={"token": token}), one.get("/login/z")]
    others = other.post("/login", data={"token": token})
    clock.now += 40
    later = one.post("/login", data={"token": token})

    assert [answer.status_code for answer in failed] == [403, 403, 403]
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in refused] == [(429, "40")] * 2
    assert (others.status_code, later.status_code) == (303, 303)


def test_addresses_of_one_ipv6_network_count_together() -> None:
    attempts = Attempts(Seconds(), most=2)

    for host in ("2001:db8::1", "2001:db8::2"):
        attempts.failed(_request(host))

    assert [_is_refused(attempts, host) for host in ("2001:db8::3", "2001:db8:0:1::1", "10.0.0.1", "testclient")] == [
        True,
        False,
        False,
        False,
    ]


def _request(host: str) -> Request:
    return Request({"type": "http", "client": (host, 50000)})


def _is_refused(attempts: Attempts, host: str) -> bool:
    try:
        attempts.check(_request(host))
    except Problem as problem:
        return problem.status == 429
    return False


def test_only_so_many_are_remembered() -> None:
    attempts = Attempts(Seconds(), most=1)

    for number in range(10_001):
        attempts.failed(_request(f"host{number}"))

    assert (_is_refused(attempts, "host0"), _is_refused(attempts, "host1")) == (False, True)
