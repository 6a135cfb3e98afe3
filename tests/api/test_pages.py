"""The pages in Debian's Chromium, in English and Chinese, wide and narrow: log in, search, read, ask, log out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from api.settings import load
from api.wiring import Services
from operations.runs import LedgerRow, RunState, Scope
from operations.tokens import Role
from tests.api.browsing import Visit, launched, served
from tests.api.estate import ESTATE

PAGES = (
    "/", "/cis", "/cis?class=server", "/find?q=web", "/impact", "/problems", "/parked", "/conflicts", "/runs",
    "/changes",
    "/changes?from=0&by=ci", "/api/docs",
)  # fmt: skip


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("pages")
    made = Services(load(store=f"sqlite:///{folder / 'cmdb.sqlite'}"))
    made.inventory.declare(ESTATE, "estate.yaml", "Ada")
    for name, serial in (("x", "S1"), ("y", "S2")):
        made.inventory.declare(
            f"cis: [{{class: server, name: {name}, serial: {serial}, mac: 00:1b:21:00:00:77, label: D010210-007}}]\n"
            "rooms: [{label: D010210, grid: ['...', '.#.', '...'], door: south}]",
            f"{name}.yaml",
            "Ada",
        )
    run = made.runs.begin(Scope(("10.0.0.0/30",)), "Ada")
    made.runs.record(run.id, [LedgerRow("10.0.0.1", "", "refused", run.requested, 0.2, error="no credential opens it")])
    made.runs.close(run.id, RunState.PROBLEMS, 2, 2, {"refused": 1, "silent": 1}, "1 of 2 addresses ended in a problem")
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(services: Services) -> Iterator[str]:
    """A server in a process of its own, on the same stores."""
    with served(services) as url:
        yield url


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, url: str, services: Services) -> Iterator[Visit]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield Visit(context, url, services, Role.ADMIN)
    context.close()


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("width", [1280, 400])
def test_every_page_fits_says_its_language_and_breaks_no_rule_of_its_own(
    browser: Browser, url: str, services: Services, locale: str, width: int
) -> None:
    context = browser.new_context(locale=locale, viewport={"width": width, "height": 800})
    visit = Visit(context, url, services, Role.ADMIN)
    web1 = services.inventory.target("web1").cis[0]
    run = services.runs.newest()[-1].id

    seen = []
    for path in (
        *PAGES,
        f"/cis/{web1}",
        f"/cis/{web1}/history",
        f"/cis/{web1}/then?at=1",
        f"/impact?what={web1}&kind=power_off",
        f"/runs/{run}",
    ):
        page = visit.go(path)
        wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        seen.append((path, page.evaluate("document.documentElement.lang"), wide, page.locator("h1").count()))
    context.close()

    language = "zh-Hans" if locale == "zh-CN" else "en"
    assert seen == [(path, language, False, 1) for path, *_ in seen]
    assert visit.complaints == []


@pytest.mark.parametrize(
    ("locale", "texts"),
    [
        ("en-GB", ["Log in", "That token is not valid"]),
        ("zh-CN", ["登录", "令牌无效"]),
    ],
)
def test_one_logs_in_with_a_token_and_out_again(
    browser: Browser, url: str, services: Services, locale: str, texts: list[str]
) -> None:
    token = services.tokens.create(f"page {locale}", Role.READER)
    context = browser.new_context(locale=locale)
    page = context.new_page()

    page.goto(f"{url}/problems")
    heading = page.locator("h1").inner_text()
    page.fill("#token", "wrong")
    page.press("#token", "Enter")
    alert = page.get_by_role("alert").inner_text()
    page.fill("#token", token)
    page.press("#token", "Enter")
    page.wait_for_url(f"{url}/problems")
    page.locator("form[action='/logout'] button").click()
    page.wait_for_url(f"{url}/login")
    page.goto(f"{url}/problems")

    assert (heading, alert.startswith(texts[1])) == (texts[0], True)
    assert page.url == f"{url}/login?next=%2Fproblems"
    context.close()


def test_a_search_for_anything_that_names_one_ci_leads_to_it(visit: Visit) -> None:
    for text in ("D010210-001", "001b.210a.0b01", "CZ3A", "web1"):
        page = visit.go("/")
        page.fill("#q", text)
        page.press("#q", "Enter")
        page.wait_for_url("**/cis/ci-*")

        assert page.locator("h1").inner_text() == "web1"


def test_the_list_goes_on_where_its_first_page_ended(visit: Visit) -> None:
    whole = visit.go("/cis").locator("main tbody th").all_inner_texts()
    page = visit.go("/cis?class=&state=&place=&q=&limit=4")
    first = page.locator("main tbody th").all_inner_texts()
    page.locator("a[rel=next]").click()
    page.wait_for_url("**next=*")

    assert len(first) == 4
    assert first + page.locator("main tbody th").all_inner_texts() == whole


def test_a_ci_shows_each_value_with_its_source_and_its_relations_both_ways(visit: Visit, services: Services) -> None:
    page = visit.go(f"/cis/{services.inventory.target('web1').cis[0]}")

    values = page.locator("section[aria-labelledby=values] tbody tr").all_inner_texts()
    outward = page.locator("section[aria-labelledby=outward] tbody tr").all_inner_texts()
    inward = page.locator("section[aria-labelledby=inward] tbody tr").all_inner_texts()

    vendor = next(row for row in values if row.startswith("vendor"))
    assert vendor.split("\t")[:3] == ["vendor", "HPE", "declared:estate.yaml (Ada) declared"]
    assert any(row.startswith("memory\t8 GiB") for row in values)
    label = next(row for row in values if row.startswith("tag"))
    assert label.split("\t")[2] == "declared:estate.yaml (Ada) declared"
    serial = page.locator("section[aria-labelledby=identifiers] tbody tr").all_inner_texts()[0]
    assert serial.split("\t")[2] == "declared:estate.yaml (Ada) declared"
    assert [row for row in outward if row.startswith("powered by")] == [
        "powered by\tups1 power unit\tfeed A",
        "powered by\tups2 power unit\tfeed B",
    ]
    assert [row for row in inward if row.startswith("is needed by")] == ["is needed by\tshop web application\t"]


@pytest.mark.parametrize(
    ("lang", "row"),
    [("en", ["✖ down", "▲ degraded", "▲ degraded"]), ("zh", ["✖ 中断", "▲ 降级", "▲ 降级"])],
)
def test_an_impact_is_asked_on_the_page_from_the_page_of_a_ci(
    visit: Visit, services: Services, lang: str, row: list[str]
) -> None:
    page = visit.go(f"/cis/{services.inventory.target('web1').cis[0]}?lang={lang}")
    page.locator("a.button").click()
    page.locator("input[value=reboot]").check()
    page.locator("form.compose button.main").click()

    levels = page.locator("section[aria-labelledby=affected] .level").all_inner_texts()
    names = page.locator("section[aria-labelledby=affected] tbody th a").all_inner_texts()

    assert sorted(levels) == sorted(row)
    assert sorted(names) == ["shop", "shop web", "web1"]


def test_a_question_that_makes_no_sense_is_answered_in_words(visit: Visit) -> None:
    page = visit.go("/impact?what=atlantis&kind=reboot")

    assert "atlantis" in page.get_by_role("alert").inner_text()
    assert page.locator("#what").input_value() == "atlantis"


def test_the_language_is_switched_and_remembered(visit: Visit) -> None:
    page = visit.go("/cis?class=server")
    page.get_by_role("link", name="中文").click()
    switched = page.locator("h1").inner_text()
    kept = page.locator("#class").input_value()

    visit.go("/runs")

    assert (switched, kept, page.locator("h1").inner_text()) == ("配置项", "server", "扫描")


def test_a_scan_is_started_on_the_page_and_followed_to_its_end(visit: Visit) -> None:
    page = visit.go("/runs")
    page.fill("#targets", "127.0.0.77")
    page.locator("form.card button").click()
    page.wait_for_url("**/runs/2*")
    page.locator(".run.done, .run.problems").wait_for(timeout=30_000)

    assert page.locator("progress").evaluate("bar => [bar.value, bar.max]") == [1, 1]
    assert visit.complaints == []


def test_every_field_has_a_label_and_every_table_its_headers(visit: Visit, services: Services) -> None:
    for path in (*PAGES, f"/cis/{services.inventory.target('web1').cis[0]}"):
        page = visit.go(path)

        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
            ".filter(field => !field.labels.length && !field.ariaLabel).length"
        )
        headless = page.evaluate(
            "[...document.querySelectorAll('table')].filter(table => !table.querySelector('th[scope=col]')).length"
        )
        assert (path, unnamed, headless) == (path, 0, 0)


def test_the_keyboard_reaches_the_content_first(visit: Visit, services: Services) -> None:
    page = visit.go(f"/cis/{services.inventory.target('web1').cis[0]}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"


def test_a_page_draws_what_it_shows_as_text(visit: Visit, services: Services) -> None:
    name = "<img src=x onerror=alert(1)>"
    services.inventory.declare_document(
        {"cis": [{"class": "service", "name": name, "sla": "<script>alert(2)</script>"}]}, "hostile", "Ada"
    )

    page = visit.go(f"/cis/{services.inventory.target(name).cis[0]}")

    assert page.locator("h1").inner_text() == name
    assert page.locator("main img, main script").count() == 0
    assert visit.complaints == []
