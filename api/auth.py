"""Who asks: a bearer token, or the session of a page; and what a route needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request

from api.problems import Problem
from api.wiring import Services
from operations.sessions import csrf_matches
from operations.tokens import Role

COOKIE = "cmdb_session"
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


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
    """Who asks; None where neither a valid token nor a valid session is given. A session helps no wrong token."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, text = header.partition(" ")
        token = services.tokens.verify(text.strip()) if scheme.lower() == "bearer" else None
        return Principal(token.name, token.role) if token else None
    cookie = request.cookies.get(COOKIE)
    session = services.sessions.verify(cookie) if cookie else None
    return Principal(session.name, session.role, session.csrf) if session else None


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency that lets in whoever has at least this role; with a session, a change needs its CSRF token too."""

    role: Role

    # A plain method: FastAPI runs it on a thread, where the operations database may be read.
    def __call__(self, request: Request) -> Principal:
        services = services_of(request)
        principal = identify(request, services)
        if principal is None:
            raise Problem(
                401,
                "a valid token is needed: send `Authorization: Bearer TOKEN` with one of `cmdb token create`",
                {"WWW-Authenticate": "Bearer"},
            )
        if request.method not in _SAFE and principal.csrf is not None:
            demand_csrf(request, services, request.headers.get(CSRF_HEADER, ""))
        demand_role(principal, self.role)
        return principal


@dataclass(frozen=True, slots=True)
class FormNeeds:
    """As `Needs`, for the form of a page, whose field `csrf` holds the CSRF token of its session."""

    role: Role

    def __call__(self, request: Request, csrf: Annotated[str, Form(max_length=200)] = "") -> Principal:
        services = services_of(request)
        principal = identify(request, services)
        if principal is None:
            raise Problem(401, "log in first", {"WWW-Authenticate": "Bearer"})
        if principal.csrf is not None:
            demand_csrf(request, services, csrf)
        demand_role(principal, self.role)
        return principal


def demand_role(principal: Principal, role: Role) -> None:
    if not principal.role.covers(role):
        raise Problem(403, f"this needs the role {role.value}; {principal.name!r} has {principal.role.value}")


def demand_csrf(request: Request, services: Services, sent: str) -> None:
    """Refuse a change that does not come from a page of this session."""
    session = services.sessions.verify(request.cookies.get(COOKIE, ""))
    if session is None or not csrf_matches(session, sent):
        raise Problem(403, f"a change from a page needs the session's CSRF token, as the header {CSRF_HEADER}")


ServicesOf = Annotated[Services, Depends(services_of)]
Reader = Annotated[Principal, Depends(Needs(Role.READER))]
Operator = Annotated[Principal, Depends(Needs(Role.OPERATOR))]
Admin = Annotated[Principal, Depends(Needs(Role.ADMIN))]
FormOperator = Annotated[Principal, Depends(FormNeeds(Role.OPERATOR))]
