"""Templates to pages: the reader's language, ages and values in words, and who is logged in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from api.auth import Principal
from api.pages import catalogue
from api.pages.catalogue import LANGUAGES, Texts
from api.pages.files import address
from cmdb.codec import time_in
from cmdb.impact import KINDS

LANGUAGE_COOKIE: Final = "cmdb_language"
_YEAR_S: Final = 365 * 24 * 3600
_SHAPES: Final = {"up": "●", "at_risk": "◆", "degraded": "▲", "down": "✖", "unprotected": "▽", "unmanaged": "○"}
_BINARY: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_IN_BYTES: Final = frozenset({"memory", "capacity", "size"})


class Renderer:
    """Draws templates; made once for an application."""

    def __init__(self, fallback: str) -> None:
        self._fallback = fallback
        self._texts = {language: catalogue.read(language) for language in LANGUAGES}
        self._environment = Environment(
            loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self._environment.filters["bare"] = bare
        self._environment.globals.update(static=cache(address), shapes=_SHAPES, kinds=KINDS)

    def language(self, request: Request) -> str:
        """`?lang=`, else the cookie, else the browser's wish, else the setting."""
        for wish in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
            if wish in LANGUAGES:
                return wish
        return catalogue.preferred(request.headers.get("accept-language", ""), self._fallback)

    def texts(self, request: Request) -> Texts:
        return self._texts[self.language(request)]

    def page(
        self, request: Request, template: str, principal: Principal | None = None, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page; `?lang=` is remembered."""
        texts = self.texts(request)
        now = datetime.now(UTC)
        drawn = self._environment.get_template(template).render(
            t=texts,
            word=texts.word,
            lang=texts.language,
            languages=[(one, self._texts[one]("language"), _with_language(request, one)) for one in LANGUAGES],
            principal=principal,
            path=request.url.path,
            when=lambda time: when(time, now, texts),
            show=lambda name, value: shown(name, value, texts),
            **context,
        )
        response = HTMLResponse(drawn, status)
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, texts.language, max_age=_YEAR_S, httponly=True, samesite="strict",
                secure=request.url.scheme == "https",
            )  # fmt: skip
        return response


def _source(name: str) -> str:
    return files("api.pages").joinpath("templates", name).read_text(encoding="utf-8")


def _with_language(request: Request, language: str) -> str:
    """This page in another language; relative, for the Host header is whatever somebody sent."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    return "?" + urlencode([*asked, ("lang", language)])


def bare(query: Mapping[str, Any]) -> str:
    """A query string of what is given."""
    return urlencode({name: value for name, value in query.items() if value not in {None, ""}})


def when(time: str | datetime | None, now: datetime, texts: Texts) -> Markup:
    """How long ago something was, with the time itself where one points at it."""
    if time is None:
        return Markup("")
    at = time_in(time) if isinstance(time, str) else time
    exact = f"{at:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exact, _age(now - at, texts))


def _age(age: timedelta, texts: Texts) -> str:
    seconds = int(age.total_seconds())
    if seconds < -1:
        return texts("age.ahead")
    for limit, unit, key in ((5, 0, "now"), (60, 1, "seconds"), (3600, 60, "minutes"), (172_800, 3600, "hours")):
        if seconds < limit:
            return texts(f"age.{key}", n=seconds // unit) if unit else texts("age.now")
    return texts("age.days", n=seconds // 86_400)


def shown(name: str, value: Any, texts: Texts) -> str:
    """A value as people read it: bytes in units, yes and no, lists with commas."""
    match value:
        case None:
            return ""
        case bool():
            return texts("nav.yes_" if value else "nav.no_")
        case int() if name in _IN_BYTES:
            return _bytes(value)
        case int() if name == "speed":
            return _bits(value)
        case list():
            return ", ".join(shown(name, item, texts) for item in value)
        case _:
            return str(value)


def _bytes(count: int) -> str:
    amount = float(count)
    for unit in _BINARY:
        if amount < 1024 or unit == _BINARY[-1]:
            return f"{amount:.1f}".removesuffix(".0") + f" {unit}"
        amount /= 1024
    raise AssertionError(count)


def _bits(rate: int) -> str:
    for unit, size in (("Tbit/s", 10**12), ("Gbit/s", 10**9), ("Mbit/s", 10**6), ("kbit/s", 10**3)):
        if rate >= size:
            return f"{rate / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{rate} bit/s"
