"""Log in with a token or a link that works once, and log out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.auth import COOKIE, ServicesOf, demand_csrf
from api.pages.drawing import Drawing
from api.problems import Problem
from operations.sessions import SESSION_LIFE, Started

router = APIRouter()

_LONGEST = 200


def link_path(secret: str) -> str:
    """The path of a log-in link, whose secret `Sessions.make_link` made."""
    return f"/login/{secret}"


@router.get("/login", response_class=HTMLResponse)
def log_in_page(request: Request, drawing: Drawing, next_: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Ask for a token."""
    return drawing.page(request, "login.html", next=_local(next_), wrong=None)


@router.post("/login", response_class=HTMLResponse)
def log_in(
    request: Request,
    services: ServicesOf,
    drawing: Drawing,
    token: Annotated[str, Form(max_length=_LONGEST)] = "",
    next_: Annotated[str, Form(alias="next", max_length=4000)] = "/",
) -> Response:
    """Start a session with a token. Whatever is wrong with it, the answer is the same."""
    _refuse_foreign(request)
    services.attempts.check(request)
    started = services.sessions.from_token(token.strip())
    if started is None:
        services.attempts.failed(request)
        return drawing.page(request, "login.html", status=403, next=_local(next_), wrong="wrong")
    response = RedirectResponse(_local(next_), status_code=303)
    _remember(request, response, started)
    return response


@router.get("/login/{secret}", response_class=HTMLResponse)
def follow_link(request: Request, services: ServicesOf, drawing: Drawing, secret: str) -> Response:
    """Start a session with a link.

    A page and no redirect: one that comes from another site, or a mail, would not carry the strict cookie along.
    """
    services.attempts.check(request)
    started = services.sessions.from_link(secret) if len(secret) <= _LONGEST else None
    if started is None:
        services.attempts.failed(request)
        return drawing.page(request, "login.html", status=403, next="/", wrong="used")
    response = drawing.page(request, "landing.html")
    _remember(request, response, started)
    return response


@router.post("/logout")
def log_out(request: Request, services: ServicesOf, csrf: Annotated[str, Form(max_length=_LONGEST)] = "") -> Response:
    """End the session. Without one there is nothing to end."""
    _refuse_foreign(request)
    cookie = request.cookies.get(COOKIE, "")
    if services.sessions.verify(cookie) is not None:
        demand_csrf(request, services, csrf)
        services.sessions.end(cookie)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


def _remember(request: Request, response: Response, started: Started) -> None:
    response.set_cookie(
        COOKIE,
        started.cookie,
        max_age=int(SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _refuse_foreign(request: Request) -> None:
    """A form on somebody else's page logs nobody in or out (Fetch Metadata, Sec-Fetch-Site)."""
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        raise Problem(403, "this form was sent from another site's page")


def _local(path: str) -> str:
    """A page of ours to go on to; never another site."""
    here = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if here else "/"
