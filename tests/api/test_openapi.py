"""The API's description: complete, with examples, and true: schemathesis asks what it says can be asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from api.app import create_app
from api.openapi import describe
from api.settings import load
from api.wiring import Services
from operations.tokens import Role
from tests.api.estate import ESTATE

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    made = Services(load(store=f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'cmdb.sqlite'}"))
    made.inventory.declare(ESTATE, "estate.yaml", "test")
    yield made
    made.close()


@pytest.fixture(scope="module")
def token(furnished: Services) -> str:
    return furnished.tokens.create("fuzz", Role.ADMIN)


@pytest.fixture(scope="module")
def described(furnished: Services, token: str) -> dict[str, APIOperation[Any, Any, Any, Any]]:
    """Each operation of the description by its id, ready to be asked."""
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", create_app(furnished), headers={"Authorization": f"Bearer {token}"}
    )
    found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    return {operation.definition.raw["operationId"]: operation for operation in found}


OPERATIONS = (
    "list_cis", "one_ci", "amend_ci", "relations_of", "neighbourhood_of", "declare", "lookup", "tag_holder", "impact",
    "impact_of", "why", "next_failures", "single_points", "journal", "events", "diff", "history_of",
    "problems", "problems_as_csv",
    "recompute", "list_conflicts", "list_duplicates", "list_decisions",
    "decide", "take_back", "classes", "relation_types", "start_scan", "list_scans", "one_scan",
    "ledger_of", "withdraw_scan", "list_parked", "one_parked", "answer_parked",
    "list_schedules", "add_schedule", "one_schedule", "enable_schedule",
    "remove_schedule", "list_tokens", "create_token", "revoke_token", "list_credentials", "add_credential",
    "remove_credential", "health", "ready", "one_reply", "evidence_of_value", "replay",
)  # fmt: skip


def test_every_operation_is_asked(described: dict[str, APIOperation[Any, Any, Any, Any]]) -> None:
    assert set(described) == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_api_does_what_its_description_says(
    described: dict[str, APIOperation[Any, Any, Any, Any]], token: str, name: str
) -> None:
    @settings(
        max_examples=10,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
        derandomize=True,
        database=None,
    )
    @given(case=described[name].as_strategy())
    def asked(case: Case[Any]) -> None:
        if case.query:
            for waiting in ("wait", "wait_for"):  # nobody writes here: it would wait for as long as it says
                case.query.pop(waiting, None)
        if isinstance(case.body, dict):
            case.body.pop("wait_for", None)
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    asked()


def _operations(services: Services) -> list[tuple[str, Any]]:
    document = describe(create_app(services))
    return [
        (f"{method} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def test_every_operation_says_what_it_does_who_may_and_what_it_answers(services: Services) -> None:
    poor = [
        title
        for title, operation in _operations(services)
        if not operation.get("description")
        or not operation.get("tags")
        or ("security" not in operation and operation["tags"] != ["health"])
        or not any(status.startswith("2") for status in operation["responses"])
        or "503" not in operation["responses"]
    ]

    assert poor == []


def test_every_body_field_and_answer_has_a_shape(services: Services) -> None:
    for title, operation in _operations(services):
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                assert content["schema"], f"{title} {status}"


def test_no_two_shapes_have_one_name(services: Services) -> None:
    shapes = describe(create_app(services))["components"]["schemas"]

    assert [name for name in shapes if "__" in name] == []


def test_what_comes_in_has_examples(services: Services) -> None:
    document = describe(create_app(services))
    bodies = [name for name in document["components"]["schemas"] if name.endswith("Request")]

    for name in ("ImpactQuestion", "Amendment", "Declaration", *bodies):
        shape = document["components"]["schemas"][name]
        needed = shape.get("required", [])
        assert [field for field in needed if "examples" not in shape["properties"][field]] == [], name


def test_the_description_is_served_as_json(reader: TestClient) -> None:
    assert reader.get("/api/v1/openapi.json").json() == reader.get("/openapi.json").json()
