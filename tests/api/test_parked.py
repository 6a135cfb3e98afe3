"""Parked questions in the API and on the pages: listed, shown, answered once, by name and with a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.settings import load
from api.wiring import Services
from operations.tokens import Role
from tests.fixtures.parking import break_off, core, end

API = "/api/v1/parked"
OPEN = {
    "id": "parked-1",
    "answer": "open",
    "space": "default",
    "networks": ["10.0.0.0/24"],
    "runs": ["run-2"],
    "ends": 58,
    "stood": 60,
    "kinds": {"connects_to": 58},
    "addresses": ["10.0.0.1"],
    "silent": 0,
    "covered": 0,
    "by": None,
    "reason": None,
    "answered": None,
}
ANSWER = {"answer": "no", "reason": "the agent breaks off"}


@pytest.fixture
def parked(services: Services) -> Services:
    break_off(services.inventory)
    return services


def cables(services: Services) -> int:
    return len(services.inventory.graph().relations)


def without_since(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "since"}


@pytest.mark.usefixtures("parked")
def test_the_open_questions_are_listed(reader: TestClient) -> None:
    answer = reader.get(API).json()

    assert [without_since(one) for one in answer["items"]] == [OPEN]


@pytest.mark.usefixtures("parked")
def test_a_question_shows_what_would_end_by_ci_and_section(reader: TestClient) -> None:
    answer = reader.get(f"{API}/parked-1", params={"claims": 2}).json()

    (place,) = answer["places"]
    assert (place["address"], place["ci"]["name"], place["run"], place["at"]) == (
        "10.0.0.1", "core-a", "run-2", "2026-03-01T14:00:00.000000Z",
    )  # fmt: skip
    assert place["sections"] == [
        {
            "section": "snmp.lldp",
            "ends": 58,
            "of": 60,
            "new": 0,
            "claims": [
                {"kind": "connects_to", "text": "Te1/03 → access-03 Gi0/1"},
                {"kind": "connects_to", "text": "Te1/04 → access-04 Gi0/1"},
            ],
        }
    ]
    assert answer["missing"] == []


@pytest.mark.parametrize(("word", "left"), [("yes", 2), ("no", 60)])
def test_an_answer_is_kept_with_name_and_reason(
    parked: Services, operator: TestClient, word: str, left: int
) -> None:  # fmt: skip
    answer = operator.post(f"{API}/parked-1", json={"answer": word, "reason": "I went and looked"})

    said = answer.json()
    assert (answer.status_code, said["answer"], said["by"], said["reason"]) == (
        200, word, "a operator", "I went and looked",
    )  # fmt: skip
    assert cables(parked) == left
    assert operator.get(API).json()["items"] == []
    assert [one["id"] for one in operator.get(API, params={"answered": True}).json()["items"]] == ["parked-1"]


@pytest.mark.usefixtures("parked")
def test_a_second_answer_is_refused_and_says_who_was_first(operator: TestClient) -> None:
    operator.post(f"{API}/parked-1", json=ANSWER)

    answer = operator.post(f"{API}/parked-1", json={"answer": "yes", "reason": "it is so"})

    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("question parked-1 was answered no by a operator at ")
    assert answer.json()["detail"].endswith(": the agent breaks off")


@pytest.mark.parametrize(
    ("question", "body", "status", "words"),
    [
        ("parked-1", {"answer": "maybe", "reason": "x"}, 422, "answer"),
        ("parked-1", {"answer": "yes"}, 422, "reason"),
        ("parked-1", {"answer": "yes", "reason": "   "}, 422, "reason: say why"),
        ("parked-9", {"answer": "yes", "reason": "x"}, 404, "there is no question 'parked-9'"),
    ],
)
@pytest.mark.usefixtures("parked")
def test_an_answer_that_makes_no_sense_is_refused_in_words(
    operator: TestClient, question: str, body: dict[str, str], status: int, words: str
) -> None:
    answer = operator.post(f"{API}/{question}", json=body)

    assert (answer.status_code, words in answer.json()["detail"]) == (status, True)


@pytest.fixture
def page(parked: Services, client: TestClient) -> TestClient:
    """Somebody who has logged in as an operator."""
    client.get(f"/login/{parked.sessions.make_link('Ada', Role.OPERATOR)}")
    return client


def csrf(page: TestClient) -> str:
    return page.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["A yes ends 58 of the 60 claims", "connects to <b>58</b>", "Yes, apply", 'href="/runs/run-2"']),
        ("zh", ["60 条已知信息中的 58 条", "连接 <b>58</b>", "是，应用", 'href="/runs/run-2"']),
    ],
)
@pytest.mark.parametrize("path", ["/", "/parked", "/parked/parked-1"])
def test_the_pages_ask_what_how_many_since_when_and_from_which_run(
    page: TestClient, path: str, language: str, words: list[str]
) -> None:
    text = page.get(path, params={"lang": language}).text

    assert [word for word in words if word not in text] == []


def test_a_form_answers_and_the_page_says_who_answered(page: TestClient, parked: Services) -> None:
    form = {"csrf": csrf(page), "answer": "yes", "reason": "the ring was taken down"}

    answer = page.post("/parked/parked-1", data=form)
    again = page.post("/parked/parked-1", data=form | {"answer": "no"})

    assert (answer.status_code, answer.headers["location"], cables(parked)) == (303, "/parked/parked-1", 2)
    assert (again.status_code, "was answered yes by Ada" in again.text) == (409, True)
    assert "yes, says Ada: the ring was taken down" in page.get("/parked/parked-1").text
    assert "Nothing waits for an answer." in page.get("/parked").text
    assert "Yes, apply" not in page.get("/").text


def test_a_form_without_reason_or_token_answers_nothing(page: TestClient, parked: Services) -> None:
    form = {"csrf": csrf(page), "answer": "yes", "reason": " "}

    assert page.post("/parked/parked-1", data=form).status_code == 422
    assert page.post("/parked/parked-1", data=form | {"csrf": "x", "reason": "why"}).status_code == 403
    assert cables(parked) == 60


def test_a_reader_sees_the_question_but_no_form(parked: Services, client: TestClient) -> None:
    client.get(f"/login/{parked.sessions.make_link('Bob', Role.READER)}")

    texts = [client.get(path).text for path in ("/", "/parked", "/parked/parked-1")]

    assert ["A yes ends 58" in text for text in texts] == [True, True, True]
    assert ['name="answer"' in text for text in texts] == [False, False, False]


@pytest.mark.parametrize("brake", ["CMDB_BRAKE_SHARE", "CMDB_BRAKE_NUMBER"])
def test_the_brake_is_a_setting(brake: str, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(brake, "1" if brake.endswith("SHARE") else "58")
    loose = Services(load(store=services.settings.store.get_secret_value()))
    break_off(loose.inventory)

    assert (loose.inventory.parked(), cables(loose)) == ([], 2)
    loose.inventory.absorb(core(3, 0))
    loose.inventory.close_run(end(3))
    assert cables(loose) == 0
    loose.close()


def test_enter_in_the_reason_gives_neither_answer(page: TestClient) -> None:
    """A browser presses a form's first button then: here one that does nothing."""
    buttons = re.findall(r"<button[^>]*>", page.get("/parked").text.partition('action="/parked/parked-1"')[2])

    assert buttons == [
        "<button hidden disabled>",
        '<button name="answer" value="yes">',
        '<button name="answer" value="no">',
    ]
