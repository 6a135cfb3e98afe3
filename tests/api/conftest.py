"""The application on real stores, an estate declared in them, and who may ask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings, load
from api.wiring import Services
from operations.tokens import Role
from tests.api.estate import ESTATE
from tests.fixtures.stores import store_url

__all__ = ["store_url"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a newcomer whose folder this is; nobody's file or variable gets in."""
    for name in [name for name in os.environ if name.startswith("CMDB_") and name != "CMDB_REQUIRE_ALL"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return load(store=f"sqlite:///{tmp_path / 'cmdb.sqlite'}")


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The parts of the program on an empty store."""
    made = Services(settings)
    yield made
    made.close()


@pytest.fixture
def estate(services: Services) -> Services:
    """The same, with `ESTATE` declared."""
    services.inventory.declare(ESTATE, "estate.yaml", "test")
    return services


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application, put together once, which costs more than most tests; `client` gives it the test's services."""
    return create_app(Services(load(store=f"sqlite:///{tmp_path_factory.mktemp('nothing') / 'unopened.sqlite'}")))


@pytest.fixture
def client(application: FastAPI, services: Services) -> TestClient:
    """Somebody who has shown nothing yet; redirects are not followed."""
    application.state.services = services
    return TestClient(application, raise_server_exceptions=False, follow_redirects=False)


def _as(services: Services, client: TestClient, role: Role) -> TestClient:
    token = services.tokens.create(f"a {role.value}", role)
    return TestClient(
        client.app,
        raise_server_exceptions=False,
        follow_redirects=False,
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.fixture
def reader(services: Services, client: TestClient) -> TestClient:
    return _as(services, client, Role.READER)


@pytest.fixture
def operator(services: Services, client: TestClient) -> TestClient:
    return _as(services, client, Role.OPERATOR)


@pytest.fixture
def admin(services: Services, client: TestClient) -> TestClient:
    return _as(services, client, Role.ADMIN)
