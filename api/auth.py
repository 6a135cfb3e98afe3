"""Who asks: a bearer token, or the session of a page; and what a route needs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from api.problems import Problem
from api.wiring import Services
from operations.sessions import csrf_matches
from operations.tokens import Role

COOKIE = "cmdb_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

bearer = HTTPBearer(auto_error=False, description="A token of `cmdb token create`.")
cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="The session of the pages.")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and in which role. `csrf` is set for sessions."""

    name: str
    role: Role
    csrf: str | None = None


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def identify(request: Request, services: Services) -> Principal | None:
    """Who asks; None where neither a valid token nor a valid session is given. A wrong token is not helped by a session."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, text = header.partition(" ")
        token = services.tokens.verify(text.strip()) if scheme.lower() == "bearer" else None
        return Principal(token.name, token.role) if token else None
    text = request.cookies.get(COOKIE)
    session = services.sessions.verify(text) if text else None
    if session is None:
        return None
    if request.method not in _SAFE and not csrf_matches(session, request.headers.get(CSRF_HEADER, "")):
        raise Problem(403, f"a change from a page needs the session's CSRF token in the header {CSRF_HEADER}")
    return Principal(session.name, session.role, session.csrf)


def needs(role: Role) -> Callable[[Request], Principal]:
    """A dependency that lets in whoever has at least this role."""

    # A plain function: FastAPI runs it on a thread, where the operations database may be read.
    def check(request: Request) -> Principal:
        principal = identify(request, services_of(request))
        if principal is None:
            raise Problem(
                401,
                "a valid token is needed: send `Authorization: Bearer TOKEN` with one of `cmdb token create`",
                {"WWW-Authenticate": "Bearer"},
            )
        if not principal.role.covers(role):
            raise Problem(403, f"this needs the role {role.value}; {principal.name!r} has {principal.role.value}")
        return principal

    return check


ServicesOf = Annotated[Services, Depends(services_of)]
Reader = Annotated[Principal, Depends(needs(Role.READER))]
Operator = Annotated[Principal, Depends(needs(Role.OPERATOR))]
Admin = Annotated[Principal, Depends(needs(Role.ADMIN))]
