"""Every example of impact.md, declared and asked over HTTP and on the page."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from api.wiring import Services
from operations.tokens import Role
from tests.fixtures.examples import Example, examples, worse

_ROW = re.compile(r'<tr><th scope="row"><a [^>]*>(?P<name>[^<]+)</a>.*?</tr>', re.DOTALL)
_LEVEL = re.compile(r'class="level (\w+)"')


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_is_declared_and_asked_over_http(operator: TestClient, reader: TestClient, example: Example) -> None:
    declared = operator.post("/api/v1/declarations", json={"name": "example", **example.estate})

    answer = reader.post("/api/v1/impact", json={"what": list(example.what), "kind": example.kind})

    assert (declared.status_code, answer.status_code) == (200, 200)
    assert worse(answer.json()) == dict(example.worse)
    assert answer.json().get("temporary", False) is example.temporary


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_is_answered_on_the_page(services: Services, client: TestClient, example: Example) -> None:
    services.inventory.declare(example.text, "example", "test")
    client.get(f"/login/{services.sessions.make_link('somebody', Role.READER)}")

    page = client.get("/impact", params={"what": "\n".join(example.what), "kind": example.kind})

    section = page.text.partition('aria-labelledby="affected"')[2].partition('aria-labelledby="unknown"')[0]
    told = {row["name"]: " ".join(_LEVEL.findall(row[0])) for row in _ROW.finditer(section)}
    assert told == dict(example.worse)
