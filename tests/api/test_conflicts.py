"""Who is who over HTTP and on its page: the queue, likely duplicates, decisions, and taking them back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.auth import COOKIE
from api.wiring import Services
from cmdb.model import State
from operations.tokens import Role
from tests.cmdb.truth.saying import interfaces, mac, report, run, system

API = "/api/v1"
UUID = "4c4c4544-0037-4810-8051-c7c04f4e3531"
MEDIA_TYPE = "application/problem+json"


@pytest.fixture
def boards(services: Services) -> Services:
    """A machine before and after its board was replaced."""
    for minute, (serial, cards) in enumerate((("S1", (1, 2)), ("S2", (2, 3))), start=1):
        services.inventory.absorb(
            report("10.0.0.1", minute, system(minute, name="web", serial=serial), interfaces(minute, *cards))
        )
    return services


def decide(client: TestClient, verdict: str, *what: str, reason: str = "board replaced", **more: Any) -> Any:
    return client.post(f"{API}/decisions", json={"verdict": verdict, "what": what, "reason": reason, **more})


@pytest.mark.usefixtures("boards")
def test_a_conflict_is_told_with_its_candidates_evidence_and_a_suggestion(reader: TestClient) -> None:
    (row,) = reader.get(f"{API}/conflicts").json()["items"]

    said = {"source": "10.0.0.1", "section": "snmp.interfaces", "evidence": None}
    times = ["2026-03-01T00:01:00.000000Z", "2026-03-01T00:02:00.000000Z"]
    assert row == {
        "id": row["id"],
        "values": [{"scheme": "mac", "value": mac(2)}],
        "total": 2,
        "candidates": [
            {"id": id_, "class": "server", "name": "web", "label": None, "state": "present",
             "said": [{**said, "since": time, "confirmed": time}]}
            for id_, time in zip(("ci-1", "ci-2"), times, strict=True)
        ],
        "pairs": [
            {
                "a": "ci-1",
                "b": "ci-2",
                "shared": [{"kind": "mac", "values": [mac(2)]}, {"kind": "name", "values": ["web"]},
                           {"kind": "answers", "values": ["10.0.0.1"]}],
                "contradicts": [{"kind": "serial", "a": ["S1"], "b": ["S2"]}],
                "reasons": [
                    {"kind": "one_place", "what": "10.0.0.1", "for": "same",
                     "text": "they answered one after the other at 10.0.0.1"},
                    {"kind": "mac", "what": mac(2), "for": "same", "text": f"they have MACs in common: {mac(2)}"},
                    {"kind": "name", "what": "web", "for": "same", "text": "both are called web"},
                    {"kind": "identifiers", "what": "serial", "for": "different", "text": "they differ in serial"},
                ],
                "suggestion": "same",
            }
        ],
        "suggestion": "same",
        "since": times[1],
    }  # fmt: skip


@pytest.mark.usefixtures("boards")
def test_merged_by_a_decision_the_old_id_and_either_serial_lead_to_the_survivor(operator: TestClient) -> None:
    done = decide(operator, "same", "S1", "ci-2")

    (decision,) = done.json()["decisions"]
    assert (done.status_code, done.json()["revision"]) == (201, 3)
    assert decision == {
        "id": "d-1", "verdict": "same", "a": [{"scheme": "serial", "value": "S1"}],
        "b": [{"scheme": "serial", "value": "S2"}], "cis": ["ci-1"], "by": "a operator", "reason": "board replaced",
        "time": decision["time"], "withdrawn": None,
    }  # fmt: skip
    assert operator.get(f"{API}/cis/ci-2").json()["id"] == "ci-1"
    assert [operator.get(f"{API}/lookup?value={text}").json()[0]["ci"]["id"] for text in ("S1", "S2")] == ["ci-1"] * 2
    assert operator.get(f"{API}/conflicts").json()["items"] == []


@pytest.mark.usefixtures("boards")
def test_taken_back_both_are_back_and_the_list_says_who_took_it_back(operator: TestClient) -> None:
    decide(operator, "same", "S1", "S2")

    done = operator.delete(f"{API}/decisions/d-1", params={"reason": "it was another machine"})

    assert done.status_code == 200
    rows = operator.get(f"{API}/decisions").json()["items"]
    assert [(row["id"], row["verdict"], row["cis"]) for row in rows] == [
        ("d-1", "same", ["ci-1", "ci-2"]), ("d-2", "different", ["ci-1", "ci-2"]),
    ]  # fmt: skip
    assert [row["withdrawn"] and (row["withdrawn"]["by"], row["withdrawn"]["reason"]) for row in rows] == [
        ("a operator", "it was another machine"), None,
    ]  # fmt: skip
    assert operator.get(f"{API}/cis/ci-2").json()["id"] == "ci-2"


@pytest.mark.usefixtures("boards")
@pytest.mark.parametrize(
    ("verdict", "what", "reason", "status", "words"),
    [
        ("same", ("ci-1", "nobody"), "x", 404, "nothing is called 'nobody'"),
        ("same", ("ci-1", "S1"), "x", 422, "ci-1 and S1 are one CI already: web (ci-1)"),
        ("same", ("web", "ci-1"), "x", 409, "'web' fits 2"),
        ("same", ("ci-1",), "x", 422, "name two CIs, or up to 10; these are 1"),
        ("same", (), "x", 422, "what"),
        ("same", ("ci-1", "ci-2"), "", 422, "reason"),
        ("same", ("ci-1", "ci-2"), " ", 422, "reason: say why, for those who ask later"),
        ("alike", ("ci-1", "ci-2"), "x", 422, "verdict"),
        ("same", ("conflict-x",), "x", 404, "there is no conflict 'conflict-x'"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_a_problem_in_words(
    operator: TestClient, verdict: str, what: tuple[str, ...], reason: str, status: int, words: str
) -> None:
    answer = decide(operator, verdict, *what, reason=reason)

    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert words in answer.json()["detail"]
    assert operator.get(f"{API}/decisions").json()["items"] == []


@pytest.mark.usefixtures("boards")
def test_a_decision_against_an_earlier_one_is_refused_until_it_replaces_that(operator: TestClient) -> None:
    decide(operator, "different", "S1", "S2", reason="two machines")

    refused, done = decide(operator, "same", "S1", "S2"), decide(operator, "same", "S1", "S2", replace=True)

    assert (refused.status_code, refused.headers["content-type"]) == (409, MEDIA_TYPE)
    assert "d-1, different, of a operator: two machines" in refused.json()["detail"]
    assert [row["id"] for row in done.json()["decisions"]] == ["d-2", "d-1"]


def test_likely_duplicates_are_told_with_their_score_and_its_parts(services: Services, reader: TestClient) -> None:
    services.inventory.declare("cis: [{class: server, name: web-1}, {class: server, name: web1}]", "a.yaml", "Ada")

    (row,) = reader.get(f"{API}/duplicates").json()["items"]

    brief = {"class": "server", "label": None, "state": "present"}
    assert row == {
        "a": {"id": "ci-1", "name": "web-1", **brief},
        "b": {"id": "ci-2", "name": "web1", **brief},
        "score": 50,
        "parts": [{"kind": "name", "points": 50, "what": "web-1 / web1", "text": "called alike: web-1 / web1"}],
    }


# The page


@pytest.fixture
def ada(services: Services, client: TestClient) -> TestClient:
    """An operator at a browser."""
    started = services.sessions.from_link(services.sessions.make_link("Ada", Role.OPERATOR))
    assert started is not None
    client.cookies.set(COOKIE, started.cookie)
    return client


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.usefixtures("boards")
def test_a_conflict_is_answered_on_the_page_and_taken_back_there(ada: TestClient, boards: Services) -> None:
    page = ada.get("/conflicts").text
    token, question = csrf(page), re.findall(r'name="what" value="([^"]+)"', page)
    sent = {"csrf": token, "verdict": "same", "what": question, "reason": "board replaced"}

    answered = ada.post("/conflicts", data=sent)
    after = ada.get("/conflicts").text
    back = ada.post("/conflicts/take-back", data={"csrf": token, "decision": "d-1", "reason": "another machine"})

    assert [one.partition("-")[0] for one in question] == ["conflict"]
    assert (answered.status_code, answered.headers["location"]) == (303, "/conflicts")
    assert "board replaced" in after
    assert (back.status_code, sorted(boards.inventory.graph().cis)) == (303, ["ci-1", "ci-2"])


@pytest.mark.usefixtures("boards")
@pytest.mark.parametrize(
    ("address", "sent", "status", "words"),
    [
        ("/conflicts", {"verdict": "same", "what": ["ci-1", "ci-2"], "reason": ""}, 422, "say why"),
        ("/conflicts", {"verdict": "same", "reason": "x"}, 422, "name two CIs"),
        ("/conflicts/take-back", {"decision": "d-9", "reason": "x"}, 422, "there is no decision"),
    ],
)
def test_what_the_page_cannot_do_is_said_on_it(
    ada: TestClient, address: str, sent: dict[str, Any], status: int, words: str
) -> None:
    token = csrf(ada.get("/conflicts").text)

    answer = ada.post(address, data={**sent, "csrf": token})

    assert (answer.status_code, words in answer.text) == (status, True)


@pytest.mark.usefixtures("boards")
def test_without_the_token_of_the_page_nothing_is_decided(ada: TestClient, boards: Services) -> None:
    answer = ada.post("/conflicts", data={"verdict": "same", "what": ["ci-1", "ci-2"], "reason": "x"})

    assert (answer.status_code, boards.inventory.judging.decisions()) == (403, [])


@pytest.mark.usefixtures("boards")
def test_a_reader_sees_the_page_without_its_forms(reader: TestClient) -> None:
    page = reader.get("/conflicts")

    assert (page.status_code, 'name="verdict"' in page.text, mac(2) in page.text) == (200, False, True)


def test_what_is_retired_and_answers_is_taken_back_on_its_page(ada: TestClient, services: Services) -> None:
    inventory, day = services.inventory, 1440
    inventory.absorb(report("10.0.0.1", 0, system(0, name="web1", serial="S1")))
    for number in (1, 2, 3):
        inventory.close_run(run(number, number * day))
    inventory.absorb(report("10.0.0.1", 120 * day, system(120 * day, name="web1", serial="S1")))
    page = ada.get("/cis/ci-1").text

    sent = {"csrf": csrf(page), "verdict": "back", "what": "ci-1", "reason": "it was in the store room"}
    done = ada.post("/conflicts", data=sent)
    listed = ada.get("/conflicts").text

    assert 'value="back"' in page
    assert (done.status_code, inventory.graph().cis["ci-1"].state) == (303, State.PRESENT)
    assert ("back in use" in listed, "it was in the store room" in listed) == (True, True)
    assert 'value="back"' not in ada.get("/cis/ci-1").text
