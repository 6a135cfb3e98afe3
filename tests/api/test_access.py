"""Tokens and credentials over HTTP: a token's text is told once, a secret never."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

API = "/api/v1"
SECRET = "s3cret-community"
CREDENTIAL = {"name": "site", "kind": "snmp-v2c", "networks": ["10.0.0.0/8"], "secret": SECRET}


def test_a_token_is_made_used_seen_and_ended(admin: TestClient, client: TestClient) -> None:
    made = admin.post(f"{API}/tokens", json={"name": "board", "role": "reader"})
    header = {"Authorization": f"Bearer {made.json()['token']}"}

    used = client.get(f"{API}/cis", headers=header)
    listed = {row["name"]: row for row in admin.get(f"{API}/tokens").json()["items"]}
    ended = admin.delete(f"{API}/tokens/board")
    after = client.get(f"{API}/cis", headers=header)

    assert [made.status_code, used.status_code, ended.status_code, after.status_code] == [201, 200, 200, 401]
    assert listed["board"]["last_used"] is not None
    assert made.json()["token"] not in admin.get(f"{API}/tokens").text


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"name": "x", "role": "emperor"}, 422),
        ({"name": " ", "role": "reader"}, 422),
        ({"name": "x", "role": "reader", "days": 0}, 422),
        ({"name": "a admin", "role": "reader"}, 409),
    ],
)
def test_a_token_that_cannot_be_is_refused(admin: TestClient, wanted: dict[str, Any], status: int) -> None:
    assert admin.post(f"{API}/tokens", json=wanted).status_code == status


def test_what_has_a_slash_in_its_name_can_be_ended(admin: TestClient) -> None:
    schedule = {"name": "dc1/nightly", "cron": "0 2 * * *", "targets": ["127.0.0.1"]}
    made = [
        admin.post(f"{API}/tokens", json={"name": "dc1/board", "role": "reader"}),
        admin.post(f"{API}/credentials", json={**CREDENTIAL, "name": "dc1/site"}),
        admin.post(f"{API}/schedules", json=schedule),
    ]
    ended = [
        admin.delete(f"{API}/tokens/dc1%2Fboard"),
        admin.delete(f"{API}/credentials/dc1%2Fsite"),
        admin.delete(f"{API}/schedules/dc1%2Fnightly"),
    ]

    assert [answer.status_code for answer in made + ended] == [201, 201, 201, 200, 200, 204]


@pytest.mark.usefixtures("services")
def test_a_credential_never_shows_its_secret(admin: TestClient) -> None:
    added = admin.post(f"{API}/credentials", json=CREDENTIAL)
    listed = admin.get(f"{API}/credentials")
    removed = admin.delete(f"{API}/credentials/site")

    assert [added.status_code, listed.status_code, removed.status_code] == [201, 200, 200]
    assert listed.json()["items"] == [added.json()]
    assert {key: added.json()[key] for key in ("name", "kind", "networks", "position", "user")} == {
        "name": "site",
        "kind": "snmp-v2c",
        "networks": ["10.0.0.0/8"],
        "position": 1,
        "user": None,
    }
    assert SECRET not in added.text + listed.text + removed.text
    assert admin.get(f"{API}/credentials").json()["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "telepathy"},
        {"networks": ["everywhere"]},
        {"auth": "rot13"},
        {"kind": "ssh-password"},
        {"kind": "ssh-key", "user": "root"},
        {"secret": ""},
        {"secret": 7},
    ],
)
def test_a_credential_that_cannot_be_is_refused_without_quoting_its_secret(
    admin: TestClient, change: dict[str, Any]
) -> None:
    answer = admin.post(f"{API}/credentials", json={**CREDENTIAL, **change})

    assert answer.status_code == 422
    assert SECRET not in answer.text
