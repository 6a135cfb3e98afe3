from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.database import Database
from operations.errors import AlreadyThere, NotKnown, OperationsError
from operations.tokens import Role, Token, Tokens, hashed

if TYPE_CHECKING:
    from tests.operations.conftest import Hands


@pytest.fixture
def tokens(database: Database, clock: Hands) -> Tokens:
    return Tokens(database, clock)


def test_a_token_lets_in_whom_it_was_given_to(tokens: Tokens, clock: Hands) -> None:
    text = tokens.create("grafana", Role.READER, timedelta(days=1))

    found = tokens.verify(text)

    assert found == Token(1, "grafana", Role.READER, clock.now, clock.now + timedelta(days=1), None, None)


def test_a_token_is_256_random_bits_behind_a_prefix(tokens: Tokens) -> None:
    first, second = tokens.create("a", "reader"), tokens.create("b", "reader")

    assert first != second
    assert {(text[:5], len(text)) for text in (first, second)} == {("cmdb_", 48)}


def test_only_the_hash_of_a_token_is_kept(tokens: Tokens, database: Database) -> None:
    text = tokens.create("a", "admin")

    kept = [row["hash"] for row in database.rows("SELECT hash FROM tokens")]

    assert kept == [hashed(text)]
    assert text not in repr(tokens.all())


def test_an_expired_token_is_none(tokens: Tokens, clock: Hands) -> None:
    text = tokens.create("a", "reader", timedelta(hours=1))
    clock.move(minutes=59, seconds=59)
    before = tokens.verify(text)
    clock.move(seconds=1)

    assert (before is not None, tokens.verify(text)) == (True, None)


def test_a_token_without_end_stays(tokens: Tokens, clock: Hands) -> None:
    text = tokens.create("a", "reader", None)
    clock.move(days=36500)

    assert tokens.verify(text) is not None


def test_a_revoked_token_is_none_and_stays_in_the_list(tokens: Tokens, clock: Hands) -> None:
    text = tokens.create("a", "reader")
    clock.move(hours=1)

    revoked = tokens.revoke("a")

    assert revoked.revoked == clock.now
    assert tokens.verify(text) is None
    assert tokens.all() == [revoked]


def test_revoking_twice_keeps_the_first_time(tokens: Tokens, clock: Hands) -> None:
    tokens.create("a", "reader")
    first = tokens.revoke("a")
    clock.move(hours=1)

    assert tokens.revoke("a") == first


def test_revoking_what_is_not_there_says_so(tokens: Tokens) -> None:
    with pytest.raises(NotKnown, match="there is no token 'b'"):
        tokens.revoke("b")


def test_two_valid_tokens_never_have_one_name(tokens: Tokens) -> None:
    tokens.create("a", "reader")

    with pytest.raises(AlreadyThere, match="there is a token 'a' already"):
        tokens.create("a", "admin")


def test_the_name_of_a_revoked_token_is_free_again(tokens: Tokens) -> None:
    old = tokens.create("a", "reader")
    tokens.revoke("a")

    new = tokens.create("a", "admin")

    found = tokens.verify(new)
    assert found is not None
    assert (found.role, tokens.verify(old)) == (Role.ADMIN, None)


def test_the_last_use_is_noted_at_most_once_a_minute(tokens: Tokens, clock: Hands) -> None:
    text = tokens.create("a", "reader")
    first = clock.now
    tokens.verify(text)
    clock.move(seconds=59)
    tokens.verify(text)
    within = tokens.all()[0].last_used
    clock.move(seconds=1)
    tokens.verify(text)

    assert (within, tokens.all()[0].last_used) == (first, clock.now)


@pytest.mark.parametrize(
    ("name", "role", "expires", "message"),
    [
        ("", "reader", None, "needs a name"),
        ("a", "root", None, "no such role: 'root'; it is one of reader, operator, admin"),
        ("a", "reader", timedelta(0), "would have expired already"),
    ],
    ids=["no name", "no such role", "expired"],
)
def test_a_token_that_makes_no_sense_is_refused(
    tokens: Tokens, name: str, role: str, expires: timedelta | None, message: str
) -> None:
    with pytest.raises(OperationsError, match=message):
        tokens.create(name, role, expires)


def test_a_role_covers_itself_and_what_is_below() -> None:
    covered = {(have.value, need.value) for have in Role for need in Role if have.covers(need)}

    assert covered == {
        ("reader", "reader"),
        ("operator", "reader"),
        ("operator", "operator"),
        ("admin", "reader"),
        ("admin", "operator"),
        ("admin", "admin"),
    }


@given(text=st.text(max_size=60))
def test_nothing_but_its_own_text_is_a_token(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.getbasetemp() / 'law.sqlite'}")
    try:
        assert Tokens(database, lambda: pytest.fail("never asked")).verify(text) is None
    finally:
        database.close()
