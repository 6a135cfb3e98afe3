"""Tokens and credentials: made, listed and ended by admins. A token's text is shown once, a secret never."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path

from api.auth import Admin, ServicesOf
from api.paging import Pages
from api.problems import Problem
from api.routes.shapes import (
    CredentialList,
    CredentialOut,
    CredentialRequest,
    TokenCreated,
    TokenList,
    TokenOut,
    TokenRequest,
)
from cmdb.codec import time_out
from discovery.transport.base import Auth, Priv, Secret
from operations.credentials import CredentialRow, Options
from operations.tokens import Token

router = APIRouter(tags=["access"])

NAME = Annotated[str, Path(max_length=200, examples=["dashboard"])]


@router.get("/tokens", response_model=TokenList)
def list_tokens(admin: Admin, services: ServicesOf, pages: Pages) -> Any:
    """The tokens, by name, the revoked and expired included; their texts are not kept."""
    del admin
    return pages.cut(services.tokens.all(), lambda one: (one.name, str(one.id)), token_out)


@router.post("/tokens", status_code=201, response_model=TokenCreated)
def create_token(wanted: TokenRequest, admin: Admin, services: ServicesOf) -> dict[str, Any]:
    """Make a token; its text is in this answer and nowhere else."""
    del admin
    text = services.tokens.create(wanted.name, wanted.role, timedelta(days=wanted.days) if wanted.days else None)
    made = next(token for token in services.tokens.all() if token.name == wanted.name.strip())
    return token_out(made) | {"token": text}


@router.delete("/tokens/{name:path}", response_model=TokenOut)
def revoke_token(name: NAME, admin: Admin, services: ServicesOf) -> dict[str, Any]:
    """End a token, and the sessions that came from it."""
    del admin
    return token_out(services.tokens.revoke(name))


@router.get("/credentials", response_model=CredentialList)
def list_credentials(admin: Admin, services: ServicesOf, pages: Pages) -> Any:
    """The credentials in the order in which they are tried, without their secrets."""
    del admin
    return pages.cut(services.credentials.all(), lambda one: (f"{one.position:09}", one.name), credential_out)


@router.post("/credentials", status_code=201, response_model=CredentialOut)
def add_credential(wanted: CredentialRequest, admin: Admin, services: ServicesOf) -> dict[str, Any]:
    """Enter a credential. snmp-v3: two lines, authentication and privacy; ssh-key: the key's text."""
    del admin
    options = Options(
        user=wanted.user,
        auth=Auth(_known("auth", wanted.auth, [*Auth])),
        priv=Priv(_known("priv", wanted.priv, [*Priv])),
        sudo=wanted.sudo,
        legacy=wanted.legacy,
    )
    added = services.credentials.add(
        wanted.name,
        wanted.kind,
        wanted.networks,
        Secret(wanted.secret.get_secret_value()),
        options,
        space=wanted.space,
        position=wanted.position,
    )
    return credential_out(added)


@router.delete("/credentials/{name:path}", response_model=CredentialOut)
def remove_credential(name: NAME, admin: Admin, services: ServicesOf) -> dict[str, Any]:
    """Remove a credential."""
    del admin
    return credential_out(services.credentials.remove(name))


def _known(field: str, text: str, known: list[str]) -> str:
    if text not in known:
        raise Problem(422, f"{field}: {text!r} is not one of {', '.join(known)}")
    return text


def token_out(token: Token) -> dict[str, Any]:
    """A token as it may be shown."""
    times = {name: getattr(token, name) for name in ("created", "expires", "revoked", "last_used")}
    shown = {name: None if time is None else time_out(time) for name, time in times.items()}
    return {"name": token.name, "role": token.role.value, **shown}


def credential_out(row: CredentialRow) -> dict[str, Any]:
    """A credential as it may be shown."""
    return {
        "name": row.name,
        "kind": row.kind.value,
        "networks": list(row.networks),
        "space": row.space,
        "position": row.position,
        "user": row.options.user,
        "sudo": row.options.sudo,
        "legacy": row.options.legacy,
        "created": time_out(row.created),
    }
