"""Scans and schedules over HTTP: asked for, listed, followed, taken back; and one that really runs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.wiring import Services
from operations.runs import LedgerRow, RunState, Scope

API = "/api/v1"


def test_a_scan_is_asked_for_and_can_be_followed(services: Services, operator: TestClient) -> None:
    asked = operator.post(
        f"{API}/scans", json={"targets": ["127.0.0.1-9"], "exclude": ["127.0.0.2"], "snmp_port": 1161}
    )
    seen = operator.get(asked.headers["location"])

    document = asked.json()
    assert asked.status_code == 202
    assert seen.json() == document
    assert {
        key: document[key] for key in ("state", "targets", "exclude", "space", "requested_by", "done", "total")
    } == {
        "state": "queued",
        "targets": ["127.0.0.1-9"],
        "exclude": ["127.0.0.2"],
        "space": "default",
        "requested_by": "a operator",
        "done": 0,
        "total": 0,
    }
    assert services.runs.get(document["id"]).scope.snmp_port == 1161


@pytest.mark.parametrize(
    "scan",
    [
        {"targets": ["300.0.0.1"]},
        {"targets": ["10.0.0.0/8"]},
        {"targets": []},
        {"targets": ["127.0.0.1"], "address_map": ["x"]},
        {"targets": ["127.0.0.1"], "port": 1},
    ],
    ids=["no address", "too many", "none", "map", "unknown key"],
)
def test_a_scan_that_cannot_be_is_refused_and_nothing_is_queued(
    services: Services, operator: TestClient, scan: dict[str, Any]
) -> None:
    answer = operator.post(f"{API}/scans", json=scan)

    assert answer.status_code == 422
    assert services.runs.newest() == []


def test_a_queued_scan_is_taken_back_once(operator: TestClient) -> None:
    run = operator.post(f"{API}/scans", json={"targets": ["127.0.0.1"]}).json()["id"]

    first, second, nobodys = (operator.delete(f"{API}/scans/{one}") for one in (run, run, "nobodys"))

    assert (first.status_code, first.json()["state"]) == (200, "interrupted")
    assert [second.status_code, nobodys.status_code] == [409, 404]


def test_runs_and_their_ledger_are_paged_without_gap_or_repeat(services: Services, reader: TestClient) -> None:
    runs = [services.runs.begin(Scope(("127.0.0.1",)), "test") for _ in range(5)]
    at = runs[0].requested
    rows = [LedgerRow(f"127.0.0.{n}", section, "full", at) for n in range(4) for section in ("", "snmp.system")]
    services.runs.record(runs[0].id, rows)
    for run in runs:
        services.runs.close(run.id, RunState.DONE, 0, 0, {})

    listed = _all(reader, f"{API}/scans")
    ledger = _all(reader, f"{API}/scans/{runs[0].id}/ledger")

    assert [row["id"] for row in listed] == sorted((run.id for run in runs), reverse=True)
    assert [(row["address"], row["section"]) for row in ledger] == [(row.address, row.section) for row in rows]


def _all(client: TestClient, path: str) -> list[Any]:
    found: list[Any] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = client.get(path, params=params).json()
        found += page["items"]
        if page["next"] is None:
            return found
        params = {"limit": 2, "next": page["next"]}


def test_a_schedule_is_made_paused_and_removed(operator: TestClient) -> None:
    wanted = {"name": "nightly", "cron": "0 2 * * *", "targets": ["127.0.0.1"]}

    made = operator.post(f"{API}/schedules", json=wanted)
    twice = operator.post(f"{API}/schedules", json=wanted)
    listed = operator.get(f"{API}/schedules").json()["items"]
    paused = operator.patch(f"{API}/schedules/nightly", json={"enabled": False})
    removed = operator.delete(f"{API}/schedules/nightly")
    after = operator.get(f"{API}/schedules/nightly")

    statuses = [one.status_code for one in (made, twice, paused, removed, after)]
    assert statuses == [201, 409, 200, 204, 404]
    assert listed == [made.json()]
    assert made.json()["due"].endswith("T02:00:00.000000Z")
    assert paused.json()["enabled"] is False


@pytest.mark.parametrize("cron", ["whenever", "0 2 * *", "61 2 * * *"])
def test_a_cron_text_that_means_no_time_is_refused(operator: TestClient, cron: str) -> None:
    answer = operator.post(f"{API}/schedules", json={"name": "x", "cron": cron, "targets": ["127.0.0.1"]})

    assert answer.status_code == 422
    assert cron in answer.json()["detail"]


def test_the_clock_of_a_server_works_off_what_the_api_was_asked_for(services: Services, operator: TestClient) -> None:
    ended = threading.Event()
    services.clock.start()
    try:
        run = operator.post(f"{API}/scans", json={"targets": ["127.0.0.1"], "snmp_port": 1, "ssh_port": 1}).json()["id"]
        for _ in range(200):
            document = operator.get(f"{API}/scans/{run}").json()
            if document["ended"] or ended.wait(0.1):
                break
    finally:
        services.clock.stop()

    ledger = operator.get(f"{API}/scans/{run}/ledger").json()["items"]
    assert (document["done"], document["total"]) == (1, 1)
    assert [(row["address"], row["section"]) for row in ledger] == [("127.0.0.1", "")]
