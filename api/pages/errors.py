"""Errors of pages, for people: a log-in where one is missing, else a page in words."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.pages.rendering import Renderer
from api.problems import Problem

_PROGRAMS = ("/api/v1/", "/static/", "/openapi.json")
_KEYS = {403: "forbidden", 404: "not_found", 405: "not_found", 503: "store"}


def draw(request: Request, problem: Problem) -> Response | None:
    """The page of an error; None where a program asked, which gets the problem document."""
    if request.url.path.startswith(_PROGRAMS) or "authorization" in request.headers:
        return None
    if problem.status == 401:
        return RedirectResponse(f"/login?{urlencode({'next': _path(request)})}", status_code=303)
    if "text/html" not in request.headers.get("accept", ""):
        return None
    renderer: Renderer = request.app.state.renderer
    key = _KEYS.get(problem.status, "bad" if problem.status < 500 else "ours")
    page = renderer.page(request, "error.html", status=problem.status, key=key, problem=problem)
    page.headers.update(problem.headers)
    return page


def _path(request: Request) -> str:
    """The page that was wanted, to go on to after the log-in; a change is not repeated."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
