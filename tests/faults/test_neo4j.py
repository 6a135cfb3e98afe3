"""A Neo4j server that dies, is stopped or hangs during writes: what was not stored is said, and stored again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import cast

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.readiness import Readiness
from api.wiring import Services
from cmdb.store.base import GraphStore
from operations.runs import Run, RunState
from tests.faults.checks import Told, assert_as_if_nothing_had_happened
from tests.faults.dying import ACKNOWLEDGED, Fate, WatchedStore, services_at
from tests.faults.site import SCOPE, Replies
from tests.fixtures.neo4j_server import Neo4jServer
from tests.fixtures.stores import empty_neo4j

NOTHING: Mapping[str, Callable[[], object]] = {}


@pytest.fixture
def server(neo4j_server: Neo4jServer) -> Iterator[Neo4jServer]:
    """An empty server; what a test did to it ends with the test."""
    empty_neo4j(neo4j_server.url)
    yield neo4j_server
    if neo4j_server.is_running:
        neo4j_server.signal(signal.SIGCONT)
    else:
        neo4j_server.start()


@pytest.fixture
def services(server: Neo4jServer, tmp_path: Path) -> Iterator[Services]:
    (tmp_path / ACKNOWLEDGED).touch()
    with closing(services_at(server.url, tmp_path)) as made:
        yield made


def scanned(services: Services, after: Mapping[str, Callable[[], object]] = NOTHING) -> tuple[Run, list[str]]:
    """A scan of the site, and the outcome of each address; after an address something may happen."""
    run = services.runs.begin(SCOPE, "test")
    outcomes = []
    for progress in replace(services.scanner, begin=Replies()).work(run):
        outcomes.append(progress.outcome)
        after.get(progress.address, lambda: None)()
    return services.runs.get(run.id), outcomes


def away(server: Neo4jServer) -> str:
    return f"Neo4j at {server.name} does not answer: start it, or check host and port in CMDB_STORE"


def test_a_server_killed_before_a_commit_and_started_again_costs_one_host_until_the_next_scan(
    server: Neo4jServer, services: Services, tmp_path: Path, undisturbed: Told
) -> None:
    dies = Fate("all written but the commit", 2, lambda: server.signal(signal.SIGKILL))
    services.store = cast("GraphStore", WatchedStore(services.store, dies))

    run, outcomes = scanned(services, {"10.0.0.2": server.start})
    again, _ = scanned(services)

    assert outcomes == ["silent", "collected", "not_stored", "collected", "collected"]
    assert (run.state, run.error) == (
        RunState.PROBLEMS,
        f"1 of 5 addresses ended in a problem; not stored: 10.0.0.2: {away(server)}",
    )
    assert again.state is RunState.DONE
    assert_as_if_nothing_had_happened(server.url, tmp_path, undisturbed)


def test_a_server_that_is_stopped_ends_the_run_which_says_what_it_could_not_store(
    server: Neo4jServer, services: Services, tmp_path: Path, undisturbed: Told
) -> None:
    stops = Fate("committed", 1, lambda: server.signal(signal.SIGTERM))
    services.store = cast("GraphStore", WatchedStore(services.store, stops))

    run, outcomes = scanned(services)
    server.start()
    again, _ = scanned(services)

    assert outcomes == ["silent", "collected", "not_stored", "not_stored", "not_stored"]
    assert (run.state, run.error) == (
        RunState.FAILED,
        f"not stored: 10.0.0.2, 10.0.0.3, 10.0.0.4; gave up: {away(server)}",
    )
    assert again.state is RunState.DONE
    assert_as_if_nothing_had_happened(server.url, tmp_path, undisturbed)


def test_a_server_that_hangs_is_told_as_not_ready_within_seconds(server: Neo4jServer, services: Services) -> None:
    services.readiness = Readiness(services.store.position, limit_s=0.5)
    client = TestClient(create_app(services))
    before = client.get("/ready").status_code

    server.signal(signal.SIGSTOP)
    began = monotonic()
    meanwhile = [client.get("/ready").status_code for _ in range(2)]
    took_s = monotonic() - began
    server.signal(signal.SIGCONT)
    while (after := client.get("/ready").status_code) != 200:
        assert monotonic() - began < 60

    assert (before, meanwhile, after) == (200, [503, 503], 200)
    assert 1 <= took_s < 3
