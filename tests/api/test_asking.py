"""Look-ups, tags and the journal over HTTP."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.wiring import Services

API = "/api/v1"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("D010210-001", [("label", "web1")]),
        ("d010210-001 ", [("label", "web1")]),
        ("ACME-SRV-D010210-001", [("label", "web1")]),
        ("cz3a", [("serial", "web1"), ("member_serial", "web1")]),
        ("00:1b:21:0a:0b:01", [("mac", "web1")]),
        ("00-1B-21-0A-0B-01", [("mac", "web1")]),
        ("001b.210a.0b01", [("mac", "web1")]),
        ("WEB1", [("name", "web1")]),
        ("nobody", []),
    ],
)
@pytest.mark.usefixtures("estate")
def test_anything_that_names_a_ci_finds_it(reader: TestClient, value: str, found: list[tuple[str, str]]) -> None:
    answer = reader.get(f"{API}/lookup", params={"value": value})

    assert answer.status_code == 200
    assert {(row["as"], row["ci"]["name"]) for row in answer.json()} <= set(found)
    assert {row["ci"]["name"] for row in answer.json()} == {name for _, name in found}


def test_a_tag_leads_to_its_holder_of_today_else_to_its_last(services: Services, reader: TestClient) -> None:
    for label in ("D010210-009", "D010210-010"):
        services.inventory.declare(f"cis: [{{class: server, name: web1, serial: CZ3A, label: {label}}}]", "a", "test")

    today = reader.get(f"{API}/tags/D010210-010").json()
    former = reader.get(f"{API}/tags/d010210-009").json()
    nobody = reader.get(f"{API}/tags/D010210-011")

    shown = ("tag", "former", "label", "formerly")
    assert [today[key] for key in shown] == ["D010210-010", False, "D010210-010", ["D010210-009"]]
    assert [former[key] for key in shown] == ["D010210-009", True, "D010210-010", ["D010210-009"]]
    assert today["ci"] == former["ci"]
    assert nobody.status_code == 404


def test_the_journal_pages_without_gap_or_repeat(services: Services, reader: TestClient) -> None:
    for number in range(7):
        services.inventory.declare(f"cis: [{{class: server, name: web{number}}}]", f"file {number}", "test")

    seen, after = [], 0
    while (page := reader.get(f"{API}/journal", params={"after": after, "limit": 3}).json())["items"]:
        seen += page["items"]
        after = page["last"]

    assert [item["n"] for item in seen] == [1, 2, 3, 4, 5, 6, 7]
    assert [item["prev_hash"] for item in seen[1:]] == [item["hash"] for item in seen[:-1]]
    assert seen == reader.get(f"{API}/journal").json()["items"]
    assert page["last"] == 7


def test_the_tables_of_the_model_can_be_read(reader: TestClient) -> None:
    classes = {row["name"]: row for row in reader.get(f"{API}/classes").json()["items"]}
    types = {row["name"]: row for row in reader.get(f"{API}/relation-types").json()["items"]}

    assert (classes["server"]["parent"], classes["server"]["cut_off"]) == ("device", "down")
    assert (types["powered_by"]["inverse"], types["powered_by"]["needs"], types["powered_by"]["keys"]) == (
        "powers",
        1,
        ["feed"],
    )
