"""What was: CIs, relations and surroundings at another time, what lies between two, and the history of one CI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.settings import Settings, load
from api.wiring import Services

pytestmark = pytest.mark.xdist_group("neo4j")

CIS = "/api/v1/cis"
DIFF = "/api/v1/diff"

FIRST = """
cis:
  - {class: building, name: D01}
  - {class: server, name: web1, vendor: HPE, memory: 8, serial: CZ3A}
  - {class: server, name: web2, vendor: HPE}
  - {class: power_unit, name: ups1}
relations:
  - {type: powered_by, from: web1, to: ups1, feed: A}
  - {type: located_in, from: web1, to: D01}
"""
SECOND = """
cis:
  - {class: building, name: D01}
  - {class: server, name: web1, vendor: Dell, serial: CZ3A}
  - {class: server, name: web3, vendor: HPE}
  - {class: power_unit, name: ups1}
relations:
  - {type: powered_by, from: web3, to: ups1, feed: A}
"""


@pytest.fixture
def settings(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """On both stores."""
    del settings  # which keeps the variables of whoever runs the tests away
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return load(store=store_url, operations=f"sqlite:///{tmp_path / 'operations.sqlite'}")


@pytest.fixture
def told(services: Services) -> dict[str, str]:
    """Two revisions, the second with everything that may become of a CI; the ids by name."""
    services.inventory.declare(FIRST, "estate", "Ada")
    services.inventory.declare(SECOND, "estate", "Bob")
    return {ci.name: ci.id for ci in services.inventory.graph().cis.values()}


def _named(answer: Any) -> list[tuple[str, str]]:
    return [(row["name"], row["state"]) for row in answer.json()["items"]]


def test_a_list_is_what_it_was(told: dict[str, str], reader: TestClient) -> None:
    del told

    before = reader.get(CIS, params={"class": "server", "at": 1})
    now = reader.get(CIS, params={"class": "server", "at": "now"})

    assert _named(before) == [("web1", "present"), ("web2", "present")]
    assert _named(now) == [("web1", "present"), ("web2", "retired"), ("web3", "present")]
    assert now.json() == reader.get(CIS, params={"class": "server"}).json()


def test_filters_mean_at_another_time_what_they_mean_now(told: dict[str, str], reader: TestClient) -> None:
    del told
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"attr.vendor": "HPE"}, ["web1", "web2"]),
        ({"attr.memory": "8"}, ["web1"]),
        ({"q": "cz3a hpe"}, ["web1"]),
        ({"place": "D01", "class": "device"}, ["web1"]),
        ({"state": "retired"}, []),
        ({"class": "device", "sort": "class"}, ["ups1", "web1", "web2"]),
        ({"space": "elsewhere"}, []),
    ]

    found = [(asked, _paged(reader, {**asked, "at": "1", "limit": "1"})) for asked, _ in cases]

    assert found == cases


def _paged(reader: TestClient, asked: dict[str, str]) -> list[str]:
    names: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = reader.get(CIS, params={**asked, **after}).json()
        names += [row["name"] for row in page["items"]]
        if page["next"] is None:
            return names
        after = {"next": page["next"]}


def test_what_is_not_known_of_another_time_is_said(told: dict[str, str], reader: TestClient) -> None:
    del told

    for asked in ({"confirmed_after": "2026-01-01T00:00:00Z"}, {"sort": "revision"}, {"at": "99"}):
        answer = reader.get(CIS, params={"at": "1", **asked})

        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_ci_is_shown_as_it_was_with_the_relations_that_it_had(told: dict[str, str], reader: TestClient) -> None:
    before = reader.get(f"{CIS}/{told['web1']}", params={"at": 1}).json()
    relations = reader.get(f"{CIS}/{told['web1']}/relations", params={"at": 1}).json()["items"]

    assert (before["at"], before["revision"], before["attributes"]) == (1, 1, {"memory": 8, "vendor": "HPE"})
    assert sorted((end["as"], end["name"]) for end in before["relations"]) == [
        ("located_in", "D01"),
        ("powered_by", "ups1"),
    ]
    assert sorted(end["relation"] for end in relations) == sorted(end["relation"] for end in before["relations"])
    assert reader.get(f"{CIS}/{told['web3']}", params={"at": 1}).status_code == 404


def test_at_now_is_now(told: dict[str, str], reader: TestClient) -> None:
    for path in (f"{CIS}/{told['web1']}", f"{CIS}/{told['ups1']}/relations", f"{CIS}/{told['ups1']}/neighbourhood"):
        now, then = reader.get(path).json(), reader.get(path, params={"at": 2}).json()

        assert {name: now[name] for name in now if name != "formerly"} == {
            name: then[name] for name in then if name != "at"
        }


def test_a_neighbourhood_is_what_it_was(told: dict[str, str], reader: TestClient) -> None:
    before = reader.get(f"{CIS}/{told['ups1']}/neighbourhood", params={"at": 1}).json()

    assert (before["revision"], sorted(row["name"] for row in before["cis"])) == (1, ["ups1", "web1"])


def test_a_time_means_the_last_revision_until_then(
    told: dict[str, str], services: Services, reader: TestClient
) -> None:
    first = services.inventory.changes(0)[0].at

    found = reader.get(f"{CIS}/{told['web1']}", params={"at": first.isoformat()}).json()
    earlier = reader.get(f"{CIS}/{told['web1']}", params={"at": "2001-01-01"})

    assert found["at"] == 1
    assert (earlier.status_code, "history begins" in earlier.json()["detail"]) == (422, True)


def test_a_difference_says_what_became_of_each_by_kind_ci_and_cause(told: dict[str, str], reader: TestClient) -> None:
    found = reader.get(DIFF, params={"from": 1, "to": "now"}).json()

    rows = {(row["kind"], row["class"], row["name"]): row for row in found["items"]}
    assert (found["from"], found["to"]) == (1, 2)
    assert found["counts"] == {"added": 2, "changed": 1, "retired": 1, "returned": 0, "removed": 2}
    assert sorted(rows) == [
        ("added", "powered_by", "web3 – ups1"),
        ("added", "server", "web3"),
        ("changed", "server", "web1"),
        ("removed", "located_in", "web1 – D01"),
        ("removed", "powered_by", "web1 – ups1"),
        ("retired", "server", "web2"),
    ]
    assert rows["changed", "server", "web1"]["edits"] == [
        {"part": "attribute", "name": "memory", "before": 8, "after": None},
        {"part": "attribute", "name": "vendor", "before": "HPE", "after": "Dell"},
        {"part": "gap", "name": "located_in", "before": None, "after": "never collected"},
        {"part": "gap", "name": "powered_by", "before": None, "after": "never collected"},
    ]
    by_ci = {group["name"]: len(group["items"]) for group in found["by_ci"]}
    assert by_ci == {"D01": 1, "ups1": 2, "web1": 3, "web2": 1, "web3": 2}
    assert {kind: len(items) for kind, items in found["by_kind"].items()} == {
        "added": 2,
        "changed": 1,
        "retired": 1,
        "removed": 2,
    }
    (cause,) = found["by_cause"]
    assert (cause["actor"], cause["revisions"], len(cause["items"])) == ("Bob", [2], 6)
    assert told["web1"] in found["by_kind"]["changed"]


def test_a_difference_is_paged(told: dict[str, str], reader: TestClient) -> None:
    del told
    whole = reader.get(DIFF, params={"from": 1}).json()
    asked: dict[str, Any] = {"from": 1, "limit": 4}

    first = reader.get(DIFF, params=asked).json()
    rest = reader.get(DIFF, params={**asked, "next": first["next"]}).json()

    assert [*first["items"], *rest["items"]] == whole["items"]
    assert (len(first["items"]), rest["next"], rest["counts"]) == (4, None, whole["counts"])


def test_a_point_that_is_not_there_is_said(told: dict[str, str], reader: TestClient) -> None:
    del told

    later = reader.get(DIFF, params={"from": "9"})
    nonsense = reader.get(DIFF, params={"from": "0", "to": "soon"})

    assert (later.status_code, nonsense.status_code) == (422, 422)
    assert later.json()["detail"] == "from: revision 9 is not there yet: the newest is 2"
    assert nonsense.json()["detail"].startswith("to: 'soon' is no point in time")


def test_the_history_of_a_ci_has_every_revision_that_touched_it_or_its_relations(
    told: dict[str, str], services: Services, reader: TestClient
) -> None:
    services.inventory.amend(told["web3"], {"notes": "new"}, "Eve", None)

    found = reader.get(f"{CIS}/{told['ups1']}/history").json()
    page = reader.get(f"{CIS}/{told['web3']}/history", params={"limit": 1}).json()
    rest = reader.get(f"{CIS}/{told['web3']}/history", params={"before": page["next"]}).json()

    assert [(item["revision"], item["actor"]) for item in found["items"]] == [(2, "Bob"), (1, "Ada")]
    assert sorted((row["kind"], row["class"], row["name"]) for row in found["items"][0]["changed"]) == [
        ("added", "powered_by", "web3 – ups1"),
        ("removed", "powered_by", "web1 – ups1"),
    ]
    assert [(row["kind"], row["edits"]) for row in page["items"][0]["changed"]] == [
        ("changed", [{"part": "attribute", "name": "notes", "before": None, "after": "new"}])
    ]
    assert ([item["revision"] for item in rest["items"]], rest["next"]) == ([2], None)


def test_what_is_not_kept_any_more_is_gone_and_says_from_where_to_go_on(
    told: dict[str, str], services: Services, reader: TestClient
) -> None:
    services.inventory.trim(2)
    gone = [
        reader.get(CIS, params={"at": 1}),
        reader.get(f"{CIS}/{told['web1']}", params={"at": 1}),
        reader.get(f"{CIS}/{told['web1']}/neighbourhood", params={"at": 1}),
        reader.get(DIFF, params={"from": 1}),
        reader.get("/api/v1/events", params={"after": 1}),
        reader.get("/api/v1/events", params={"after": "2.1"}),
    ]

    resumed = reader.get("/api/v1/events", params={"after": gone[-1].json()["resume"]})

    assert [answer.status_code for answer in gone] == [410] * len(gone)
    assert {(answer.json()["oldest"], answer.json()["resume"]) for answer in gone} == {(2, "2")}
    assert resumed.json() == {"items": [], "next": "2"}
    assert reader.get(f"{CIS}/{told['web2']}", params={"at": 2}).json()["state"] == "retired"
