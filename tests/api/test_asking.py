"""Look-ups, tags, impact and the journal over HTTP."""

from __future__ import annotations

from typing import Any

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


def _levels(document: Any) -> dict[str, str]:
    return {row["name"]: row["availability"] for row in document["affected"]}


@pytest.mark.usefixtures("estate")
def test_impact_is_asked_in_words(reader: TestClient) -> None:
    one = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "power_off"}).json()
    both = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "reboot", "down": ["D010210-002"]}).json()
    cable = reader.post(f"{API}/impact", json={"what": ["access[Gi1/1]"], "kind": "disconnect"}).json()

    assert _levels(one) == {"shop": "degraded", "shop web": "degraded", "web1": "down"}
    assert _levels(both) == {"shop": "down", "shop web": "down", "web1": "down"}
    assert both["temporary"] is True
    assert _levels(cable) == {"shop": "degraded", "shop web": "degraded", "web1": "down"}
    counts = one["counts"]
    assert counts["affected"] + counts["unknown"] + counts["unaffected"] == counts["cis"]
    assert counts | {"cis": 0, "unknown": 0, "unaffected": 0} == {
        "cis": 0, "affected": 3, "unknown": 0, "unaffected": 0, "services": 1, "down": 1, "degraded": 2,
        "at_risk": 0, "at_risk_own": 0, "at_risk_inherited": 0, "unprotected": 0, "unmanaged": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("estate")
def test_impact_of_one_ci_is_the_same_answer(reader: TestClient) -> None:
    asked = reader.post(f"{API}/impact", json={"what": ["web1"], "kind": "power_off"}).json()
    web1 = next(row["id"] for row in asked["affected"] if row["name"] == "web1")

    assert reader.get(f"{API}/cis/{web1}/impact").json() == asked


@pytest.mark.parametrize(
    ("question", "status", "word"),
    [
        ({"what": ["atlantis"], "kind": "reboot"}, 404, "atlantis"),
        ({"what": ["web1"], "kind": "wish"}, 422, "wish"),
        ({"what": ["D010210"], "kind": "reboot"}, 422, "power_off"),
        ({"what": [], "kind": "reboot"}, 422, "what"),
        ({"what": ["web1"], "kind": "reboot", "colour": "red"}, 422, "colour"),
        ({"what": ["connects_to:core..access"], "kind": "reboot"}, 422, "reboot"),
    ],
)
@pytest.mark.usefixtures("estate")
def test_a_question_that_makes_no_sense_is_refused_in_words(
    reader: TestClient, question: dict[str, Any], status: int, word: str
) -> None:
    answer = reader.post(f"{API}/impact", json=question)

    assert answer.status_code == status
    assert word in answer.json()["detail"]


def test_what_fits_several_is_refused_with_the_candidates(services: Services, reader: TestClient) -> None:
    services.inventory.declare(
        "cis: [{class: server, name: twin, serial: A1}, {class: router, name: twin, serial: A2}]", "a", "test"
    )

    answer = reader.post(f"{API}/impact", json={"what": ["twin"], "kind": "reboot"})

    assert answer.status_code == 409
    assert sorted((one["class"], one["name"]) for one in answer.json()["candidates"]) == [
        ("router", "twin"),
        ("server", "twin"),
    ]


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
