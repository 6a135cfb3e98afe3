"""CIs over HTTP: lists and their pages, one with its claims, changes by hand, declared estates."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.wiring import Services

API = "/api/v1"


def _names(answer: Any) -> list[str]:
    return [item["name"] for item in answer.json()["items"]]


def _id(client: TestClient, name: str) -> str:
    [match] = [row for row in client.get(f"{API}/lookup", params={"value": name}).json() if row["as"] == "name"]
    found: str = match["ci"]["id"]
    return found


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("class=server", ["web1", "web2"]),
        ("class=device&q=cisco", ["access", "core"]),
        ("attr.vendor=HPE", ["web1", "web2"]),
        ("attr.vendor=HPE&attr.memory=8589934592", ["web1"]),
        ("attr.gateway=true", ["core"]),
        ("place=D010210&class=device", ["web1", "web2"]),
        ("place=D01&class=device", ["web1", "web2"]),
        ("q=web", ["shop web", "web team", "web1", "web2"]),
        ("class=server&state=missing", []),
        ("class=server&sort=label", ["web1", "web2"]),
        ("class=server&confirmed_after=2000-01-01T00:00:00Z", ["web1", "web2"]),
        ("class=server&confirmed_before=2000-01-01T00:00:00Z", []),
    ],
)
@pytest.mark.usefixtures("estate")
def test_lists_are_filtered(reader: TestClient, filter_: str, names: list[str]) -> None:
    assert _names(reader.get(f"{API}/cis?{filter_}")) == names


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_utc_cannot_tell_is_refused(reader: TestClient, time: str) -> None:
    answer = reader.get(f"{API}/cis", params={"confirmed_before": time})

    assert answer.status_code == 422
    assert answer.json()["detail"] == f"{time} is no time that can be told in UTC"


@pytest.mark.parametrize("sort", ["name", "label", "class", "id", "revision"])
@pytest.mark.usefixtures("estate")
def test_pages_of_a_list_hold_every_item_once(reader: TestClient, sort: str) -> None:
    whole = reader.get(f"{API}/cis", params={"sort": sort}).json()

    paged: list[Any] = []
    following: dict[str, Any] = {}
    while True:
        page = reader.get(f"{API}/cis", params={"sort": sort, "limit": 3, **following}).json()
        paged += page["items"]
        if page["next"] is None:
            break
        following = {"next": page["next"]}

    assert whole["next"] is None
    assert paged == whole["items"]


@pytest.mark.parametrize("other", ["cis?sort=class&", "cis?class=server&", "problems?", "scans?", "schedules?"])
@pytest.mark.usefixtures("estate")
def test_a_cursor_is_refused_by_another_list(reader: TestClient, other: str) -> None:
    cursor = reader.get(f"{API}/cis", params={"limit": 1}).json()["next"]

    answer = reader.get(f"{API}/{other}next={cursor}")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "💥", "e30", "A" * 5000])
@pytest.mark.usefixtures("estate")
def test_a_cursor_that_nobody_gave_is_refused(reader: TestClient, cursor: str) -> None:
    assert reader.get(f"{API}/cis", params={"next": cursor}).status_code in {400, 422}


@pytest.mark.parametrize(
    "filter_",
    [
        "limit=0", "limit=1001", "limit=x", "class=unicorn", "state=asleep", "sort=colour", "colour=red", "offset=3",
        "attr.gateway=perhaps", "attr.memory=much", "confirmed_after=yesterday", "place=Atlantis",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("estate")
def test_a_filter_that_makes_no_sense_is_refused_in_words(reader: TestClient, filter_: str) -> None:
    answer = reader.get(f"{API}/cis?{filter_}")

    assert answer.status_code in {404, 422}
    assert filter_.partition("=")[0].removeprefix("attr.") in answer.json()["detail"] or "Atlantis" in answer.text


@pytest.mark.usefixtures("estate")
def test_one_ci_is_shown_with_its_relations_both_ways(reader: TestClient) -> None:
    web1 = _id(reader, "web1")

    answer = reader.get(f"{API}/cis/{web1}")
    document = answer.json()

    relations = sorted((row["type"], row["direction"], row["as"], row["name"]) for row in document.pop("relations"))
    components = document.pop("components")
    assert answer.headers["etag"] == '"1"'
    assert document == {
        "id": web1,
        "class": "server",
        "name": "web1",
        "label": "D010210-001",
        "space": "default",
        "state": "present",
        "revision": 1,
        "attributes": {"memory": 8589934592, "vendor": "HPE"},
        "identifiers": [{"scheme": "mac", "value": "00:1b:21:0a:0b:01"}, {"scheme": "serial", "value": "CZ3A"}],
        "missing_since": None,
        "formerly": [],
    }
    assert relations == [
        (
            "connects_to",
            "out" if ("connects_to", "out", "connects_to", "access") in relations else "in",
            "connects_to",
            "access",
        ),
        ("depends_on", "in", "is_needed_by", "shop web"),
        ("located_in", "out", "located_in", "D010210"),
        ("powered_by", "out", "powered_by", "ups1"),
        ("powered_by", "out", "powered_by", "ups2"),
    ]
    assert all(component["kind"] in {"interface", "address"} for component in components)


@pytest.mark.usefixtures("estate")
def test_claims_say_who_said_what_and_who_won(reader: TestClient) -> None:
    document = reader.get(f"{API}/cis/{_id(reader, 'web1')}", params={"claims": 1}).json()

    vendor = [claim for claim in document["claims"] if claim["attribute"] == "vendor"]
    assert [(claim["value"], claim["source"], claim["section"], claim["won"]) for claim in vendor] == [
        ("HPE", "declared:estate.yaml", "declared", True)
    ]
    assert {"since", "confirmed", "evidence", "reason"} <= vendor[0].keys()


@pytest.mark.usefixtures("estate")
def test_what_has_not_changed_is_not_sent_again(reader: TestClient) -> None:
    path = f"{API}/cis/{_id(reader, 'web1')}"
    tag = reader.get(path).headers["etag"]

    answers = [reader.get(path, headers={"If-None-Match": sent}) for sent in (tag, f'"0", W/{tag}', '"0"')]

    assert [(one.status_code, one.headers["etag"], bool(one.content)) for one in answers] == [
        (304, tag, False),
        (304, tag, False),
        (200, tag, True),
    ]


@pytest.mark.usefixtures("estate")
def test_an_unknown_ci_is_not_found(reader: TestClient) -> None:
    answer = reader.get(f"{API}/cis/ci-999999")

    assert answer.status_code == 404
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no CI 'ci-999999'; look it up by what you know: GET /api/v1/lookup?value=",
        "instance": f"{API}/cis/ci-999999",
    }


@pytest.mark.usefixtures("estate")
def test_a_change_by_hand_needs_the_state_that_it_was_made_from(operator: TestClient) -> None:
    path = f"{API}/cis/{_id(operator, 'web1')}"
    change = {"attributes": {"notes": "leave it alone"}}

    without = operator.patch(path, json=change)
    stale = operator.patch(path, json=change, headers={"If-Match": '"999"'})
    right = operator.patch(path, json=change, headers={"If-Match": operator.get(path).headers["etag"]})
    again = operator.patch(path, json=change, headers={"If-Match": '"1"'})

    assert [without.status_code, stale.status_code, right.status_code, again.status_code] == [428, 412, 200, 412]
    assert right.json()["attributes"]["notes"] == "leave it alone"
    assert right.headers["etag"] == f'"{right.json()["revision"]}"'


@pytest.mark.usefixtures("estate")
def test_a_value_by_hand_can_be_taken_back(operator: TestClient) -> None:
    path = f"{API}/cis/{_id(operator, 'web1')}"
    before = operator.get(path).json()

    operator.patch(path, json={"attributes": {"notes": "x"}}, headers={"If-Match": "*"})
    after = operator.patch(path, json={"attributes": {"notes": None}}, headers={"If-Match": "*"}).json()

    assert after["attributes"] == before["attributes"]


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"memory": {"a": 1}},
        {"memory": [1, "x"]},
        {"memory": 2**63},
        {"memory": "lots"},
        {"label": "junk"},
        {"name": "web9"},
        {"serial": "X1"},
        {"": 1},
        {"a b": 1},
        {"notes": "x" * 10_001},
        {"notes": ["x"] * 1_001},
        {"notes": "\ud800"},
    ],
    ids=[
        "nothing", "map", "mixed list", "too large", "type", "label", "name", "identifier", "no name", "bad name",
        "long text", "long list", "half a character",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("estate")
def test_a_value_that_cannot_be_stored_is_refused(operator: TestClient, attributes: dict[str, Any]) -> None:
    path = f"{API}/cis/{_id(operator, 'web1')}"
    body = json.dumps({"attributes": attributes})

    answer = operator.patch(path, content=body, headers={"If-Match": "*", "Content-Type": "application/json"})

    assert answer.status_code == 422
    assert operator.get(path).headers["etag"] == '"1"'


def test_of_two_who_change_one_ci_the_slower_is_told(estate: Services, operator: TestClient) -> None:
    path = f"{API}/cis/{_id(operator, 'web1')}"
    tag = operator.get(path).headers["etag"]
    gate = threading.Barrier(2)

    def change(word: str) -> int:
        gate.wait()
        answer = operator.patch(path, json={"attributes": {"notes": word}}, headers={"If-Match": tag})
        return answer.status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(change, ("one", "other")))

    assert statuses == [200, 412]
    assert estate.inventory.graph().revision == 2


@pytest.mark.usefixtures("estate")
def test_the_neighbourhood_grows_with_its_depth_and_ends_at_its_limit(reader: TestClient) -> None:
    path = f"{API}/cis/{_id(reader, 'ups1')}/neighbourhood"

    near, further, cut = (
        reader.get(path, params=params).json() for params in ({}, {"depth": 2}, {"depth": 9, "limit": 2})
    )

    assert sorted(ci["name"] for ci in near["cis"]) == ["ups1", "web1"]
    assert sorted(ci["name"] for ci in further["cis"]) == ["D010210", "access", "shop web", "ups1", "ups2", "web1"]
    assert len(cut["cis"]) == 2


@pytest.mark.usefixtures("services")
def test_an_estate_is_declared_tried_out_and_taken_back(operator: TestClient) -> None:
    document = {"name": "net", "cis": [{"class": "network_switch", "name": "core", "gateway": True}]}

    tried = operator.post(f"{API}/declarations", json={**document, "dry_run": True}).json()
    made = operator.post(f"{API}/declarations", json=document).json()
    again = operator.post(f"{API}/declarations", json=document).json()
    gone = operator.post(f"{API}/declarations", json={"name": "net"}).json()

    assert (tried["revision"], made["revision"], again["revision"], gone["revision"]) == (None, 1, None, 2)
    assert tried["difference"] == made["difference"]
    assert made["difference"] == ["+ network_switch core: gateway True"]
    assert again["difference"] == []
    assert _names(operator.get(f"{API}/cis?state=present")) == []


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"cis": [{"class": "unicorn", "name": "x"}]}, "unicorn"),
        ({"cis": [{"class": "server", "name": "x", "label": "D01"}]}, "D01"),
        ({"relations": [{"type": "depends_on", "from": "nobody", "to": "nothing"}]}, "nobody"),
        ({"cis": [{"class": "server", "name": "x"}], "unicorns": []}, "unicorns"),
    ],
    ids=["class", "label", "reference", "key"],
)
def test_an_estate_with_a_mistake_changes_nothing(
    services: Services, operator: TestClient, document: dict[str, Any], word: str
) -> None:
    answer = operator.post(f"{API}/declarations", json={"name": "x", **document})

    assert answer.status_code == 422
    assert word in answer.json()["detail"]
    assert services.inventory.graph().revision == 0
