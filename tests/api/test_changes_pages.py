"""The pages of what changed, read as people read them."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from api.wiring import Services
from tests.api.test_history import FIRST, SECOND


@pytest.fixture
def told(services: Services) -> dict[str, str]:
    """Two revisions; the ids by name."""
    services.inventory.declare(FIRST, "estate", "Ada")
    services.inventory.declare(SECOND, "estate", "Bob")
    return {ci.name: ci.id for ci in services.inventory.graph().cis.values()}


def _read(client: TestClient, path: str, status: int = 200) -> str:
    """What the content of a page says."""
    answer = client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    content = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content.partition(">")[2]))


def test_the_newest_revisions_are_told_with_who_why_and_what(told: dict[str, str], reader: TestClient) -> None:
    said = _read(reader, "/changes")

    assert said.index("revision 2") < said.index("Bob") < said.index("revision 1") < said.index("Ada")
    assert "changed web1 server memory 8 B → none vendor HPE → Dell" in said
    assert f'href="/cis/{told["web1"]}"' in reader.get("/changes").text


@pytest.mark.parametrize(
    ("by", "headings"),
    [
        ("kind", ["new 2", "changed 1", "retired 1", "gone 2"]),
        ("ci", ["D01", "ups1", "web1", "web2", "web3"]),
        ("cause", ["Bob"]),
    ],
)
def test_a_difference_is_grouped_as_asked(
    told: dict[str, str], reader: TestClient, by: str, headings: list[str]
) -> None:
    del told

    page = reader.get("/changes", params={"from": "1", "by": by}).text

    found = [re.sub(r"<[^>]+>", "", heading).strip() for heading in re.findall(r"<h2[^>]*>(.*?)</h2>", page)]
    assert [heading for heading in found if any(heading.startswith(one) for one in headings)] == found
    assert len(found) == len(headings)


def test_a_difference_of_nothing_is_said(told: dict[str, str], reader: TestClient) -> None:
    del told

    assert "Nothing is different." in _read(reader, "/changes?from=2&to=2")


def test_a_point_that_is_not_there_is_said_on_the_page(told: dict[str, str], reader: TestClient) -> None:
    del told

    assert "From: revision 9 is not there yet: the newest is 2" in _read(reader, "/changes?from=9", 422)


def test_history_that_is_not_kept_any_more_is_said_on_the_page(
    told: dict[str, str], services: Services, reader: TestClient
) -> None:
    services.inventory.trim(2)

    assert "history is kept from revision 2 on" in _read(reader, "/changes?from=1", 410)
    assert "revision 2" not in _read(reader, "/changes").partition("Newest")[2]
    assert "No change of it is kept." in _read(reader, f"/cis/{told['web1']}/history")


def test_the_page_of_a_ci_tells_its_last_changes_and_leads_to_all(told: dict[str, str], reader: TestClient) -> None:
    page = _read(reader, f"/cis/{told['ups1']}")
    history = _read(reader, f"/cis/{told['ups1']}/history")

    for said in (page, history):
        assert "revision 2" in said
        assert "new web3 powered by ups1" in said
        assert "gone web1 powered by ups1" in said
    assert "All of its history" in page


def test_a_ci_is_shown_as_it_was(told: dict[str, str], reader: TestClient) -> None:
    said = _read(reader, f"/cis/{told['web1']}/then?at=1")

    assert "This is what was known at revision 1. It was last changed in revision 1; the newest is 2." in said
    assert "vendor HPE" in said
    assert "powered by ups1" in said
    assert "Dell" not in said


def test_many_changes_are_cut_and_counted(services: Services, reader: TestClient) -> None:
    many = "cis:\n" + "".join(f"  - {{class: server, name: host{n}}}\n" for n in range(520))
    services.inventory.declare(many, "estate", "Ada")

    listed, whole = _read(reader, "/changes"), _read(reader, "/changes?from=0")

    assert "and 512 more" in listed
    assert "20 more are not drawn; the API lists all." in whole
    assert "520 new" in whole


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_of_changes_speaks_the_readers_language(
    told: dict[str, str], reader: TestClient, language: str
) -> None:
    paths = ["/changes", "/changes?from=1&by=ci", f"/cis/{told['web1']}/history", f"/cis/{told['web1']}/then?at=1"]

    for path in paths:
        answer = reader.get(path, headers={"Accept-Language": language})

        assert (
            answer.status_code,
            "Compare" in answer.text or "Values" in answer.text or "History" in answer.text,
        ) == (
            200,
            language == "en",
        )
