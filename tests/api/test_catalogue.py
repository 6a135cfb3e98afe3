"""The texts of the pages: the same keys in every language, every word of the model, and no text in a template."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import Environment

from api.pages import catalogue
from api.pages.answers import drawn
from api.pages.catalogue import LANGUAGES, preferred, read
from cmdb import schema
from cmdb.impact import KINDS, Item, Question, Unknown, evaluate
from cmdb.model import CI, SCHEMES, Graph, State
from discovery.host_report import Outcome
from operations.runs import RunState
from operations.scanning import NOT_STORED
from operations.tokens import Role

TEMPLATES = sorted(Path(str(files("api.pages").joinpath("templates"))).glob("*.html"))
_PLACEHOLDER = "\x01"
_SPOKEN = {"title", "alt", "placeholder", "aria-label", "content"}


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_language_has_the_same_keys_and_fills_in_the_same(language: str) -> None:
    english, other = read("en").texts, read(language).texts

    assert sorted(other) == sorted(english)
    assert {key: _fields(text) for key, text in other.items()} == {key: _fields(text) for key, text in english.items()}


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _words() -> Iterator[str]:
    """A key for each word of the model that a page may show."""
    yield from (f"class.{name}" for name in (*schema.CI_CLASSES, "group"))
    for row in schema.RELATION_TYPES.values():
        yield from (f"relation.{row.name}", f"relation.{row.inverse}")
        yield from (f"attribute.{name}" for name in (*row.keys, *row.attributes))
    for cls in schema.CI_CLASSES.values():
        yield from (f"attribute.{name}" for name in cls.attributes)
    for kind, attributes in schema.COMPONENTS.items():
        yield from (f"component.{kind}", *(f"attribute.{name}" for name in attributes))
    yield from (f"scheme.{name}" for name in SCHEMES)
    yield from (f"state.{name.value}" for name in State)
    yield from (f"kind.{name}" for name in KINDS)
    yield from (f"runs.states.{name.value}" for name in RunState)
    yield from (f"runs.outcomes.{name}" for name in (*Outcome, NOT_STORED))
    yield from (f"login.role.{name.value}" for name in Role)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_model_is_known(language: str) -> None:
    texts = read(language).texts

    assert sorted({key for key in _words() if key not in texts}) == []


def test_a_word_that_only_a_site_knows_is_shown_as_it_is() -> None:
    assert read("zh").word("attribute", "cost_centre") == "cost centre"


def test_a_text_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        read("en")("no.such.text")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.5", "en"),
        ("de, zh;q=0.3", "zh"),
        ("zh;q=0, de", "en"),
        ("zh;q=x", "en"),
        ("fr", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_likes_best(header: str, language: str) -> None:
    assert preferred(header, "en") == language


class _Spoken(HTMLParser):
    """Collects what a person would read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        spoken = [value or "" for name, value in attrs if name in _SPOKEN and tag != "meta"]
        buttons = [value or "" for name, value in attrs if name == "value" and dict(attrs).get("type") == "submit"]
        self.found += spoken + buttons


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_text_of_its_own(template: Path) -> None:
    tokens = Environment(autoescape=True).lex(template.read_text(encoding="utf-8"))
    plain = "".join(
        value if kind == "data" else _PLACEHOLDER if kind == "variable_begin" else "" for _, kind, value in tokens
    )
    spoken = _Spoken()
    spoken.feed(plain)

    assert [text.strip() for text in spoken.found if re.search(r"\w", text)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_an_inline_script_or_style(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert re.findall(r"<style|style=|<script(?![^>]*src=)|\son\w+=|javascript:|https?://", text) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_text_that_a_template_names_is_in_the_catalogue(template: Path) -> None:
    texts = catalogue.read("en").texts
    named = re.findall(r"""\bt\(\s*["']([a-z_.]+)["']\s*[,)]""", template.read_text(encoding="utf-8"))

    assert sorted(set(named) - set(texts)) == []


@pytest.mark.parametrize(
    ("reason", "chinese"),
    [
        ("missing since 2026-01-02 03:04 UTC", "自 2026-01-02 03:04 UTC 起失联"),
        (
            "no cable that is known connects it to a gateway; never collected (connects_to, part_of)",
            "没有已知线缆把它与网关相连; 从未采集（连接, 属于）",
        ),
        ("served_by (disk): vios1 is unknown", "服务来自 (disk)：vios1 未知"),
        ("section ssh.lldp denied (connects_to)", "ssh.lldp：无权限（连接）"),
        ("something that a later engine says", "something that a later engine says"),
    ],
)
def test_why_nobody_can_tell_is_said_in_the_readers_language(reason: str, chinese: str) -> None:
    server = CI("ci-1", "server", "default", "web1")
    answer = evaluate(Graph(1, {"ci-1": server}, {}), Question(("ci-1",), (), "power_off")).answer()

    told = drawn(replace(answer, unknown=(Unknown(Item("ci-1", "server", "web1"), reason, reason),)), read("zh"))

    assert [one.reason for one in told.unknown] == [chinese]
