from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from operations.database import Database
from operations.sessions import LINK_LIFE, SESSION_LIFE, Session, Sessions, csrf_matches
from operations.tokens import Role, Tokens

if TYPE_CHECKING:
    from tests.operations.conftest import Hands


@pytest.fixture
def tokens(database: Database, clock: Hands) -> Tokens:
    return Tokens(database, clock)


@pytest.fixture
def sessions(database: Database, tokens: Tokens, clock: Hands) -> Sessions:
    return Sessions(database, tokens, clock)


def test_a_token_starts_a_session_of_its_role(sessions: Sessions, tokens: Tokens, clock: Hands) -> None:
    started = sessions.from_token(tokens.create("ann", "operator"))

    assert started is not None
    found = sessions.verify(started.cookie)
    assert found == started.session == Session("ann", Role.OPERATOR, clock.now + SESSION_LIFE, started.session.csrf)


def test_a_wrong_token_starts_nothing(sessions: Sessions) -> None:
    assert sessions.from_token("cmdb_wrong") is None


def test_a_session_is_kept_by_its_hash_alone(sessions: Sessions, tokens: Tokens, database: Database) -> None:
    started = sessions.from_token(tokens.create("ann", "reader"))

    assert started is not None
    kept = repr(database.rows("SELECT * FROM sessions"))
    assert not any(
        secret in text for secret in (started.cookie, started.session.csrf) for text in (kept, repr(started))
    )


def test_a_session_dies_with_its_tokens_revocation(sessions: Sessions, tokens: Tokens) -> None:
    started = sessions.from_token(tokens.create("ann", "reader"))
    tokens.revoke("ann")

    assert started is not None
    assert sessions.verify(started.cookie) is None


def test_a_session_does_not_outlive_its_token(sessions: Sessions, tokens: Tokens, clock: Hands) -> None:
    started = sessions.from_token(tokens.create("ann", "reader", timedelta(hours=1)))
    clock.move(hours=1)

    assert started is not None
    assert sessions.verify(started.cookie) is None


def test_a_session_ends_by_time(sessions: Sessions, tokens: Tokens, clock: Hands) -> None:
    started = sessions.from_token(tokens.create("ann", "reader"))
    clock.now += SESSION_LIFE

    assert started is not None
    assert sessions.verify(started.cookie) is None


def test_logging_out_ends_that_session_alone(sessions: Sessions, tokens: Tokens) -> None:
    text = tokens.create("ann", "reader")
    here, there = sessions.from_token(text), sessions.from_token(text)
    assert here is not None
    assert there is not None

    sessions.end(here.cookie)
    sessions.end(here.cookie)

    assert (sessions.verify(here.cookie), sessions.verify(there.cookie)) == (None, there.session)


def test_a_link_works_once(sessions: Sessions) -> None:
    link = sessions.make_link("demo", Role.ADMIN)

    first, second = sessions.from_link(link), sessions.from_link(link)

    assert first is not None
    assert (first.session.role, second) == (Role.ADMIN, None)


def test_a_link_does_not_work_for_long(sessions: Sessions, clock: Hands) -> None:
    link = sessions.make_link("demo", "admin")
    clock.now += LINK_LIFE

    assert sessions.from_link(link) is None


def test_a_link_dies_with_its_token(sessions: Sessions, tokens: Tokens) -> None:
    token = tokens.verify(tokens.create("ann", "reader"))
    assert token is not None
    link = sessions.make_link("ann", token.role, token=token.id)
    tokens.revoke("ann")

    assert sessions.from_link(link) is None


def test_each_session_has_a_csrf_token_of_its_own(sessions: Sessions, tokens: Tokens) -> None:
    text = tokens.create("ann", "reader")
    here, there = sessions.from_token(text), sessions.from_token(text)

    assert here is not None
    assert there is not None
    assert csrf_matches(here.session, here.session.csrf)
    assert not csrf_matches(here.session, there.session.csrf)
    assert not csrf_matches(here.session, "ü")
