"""CMDB_STORE: which store a URL means, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from cmdb.store.base import StoreError
from cmdb.store.opening import EXPECTED, open_store


def test_four_slashes_are_an_absolute_path(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/a/store.db").close()

    assert (tmp_path / "a" / "store.db").is_file()


def test_three_slashes_are_a_path_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    open_store("sqlite:///a/store.db").close()

    assert (tmp_path / "a" / "store.db").is_file()


def test_a_path_may_have_spaces_and_other_letters_encoded_or_not(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/my データ%20100%25/store.db").close()

    assert (tmp_path / "my データ 100%" / "store.db").is_file()


@pytest.mark.xdist_group("neo4j")
def test_a_neo4j_url_is_decoded(neo4j_url: str) -> None:
    password = neo4j_url.removeprefix("neo4j://neo4j:").partition("@")[0]

    store = open_store(neo4j_url.replace(password, "".join(f"%{ord(letter):02X}" for letter in password)))

    assert store.position().revision >= 0
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite://host/store.db",
        "sqlite:///store.db?mode=ro",
        "postgresql://user:secret@127.0.0.1/cmdb",
        "bolt://user:secret@127.0.0.1",
        "neo4j://127.0.0.1:7687",
        "neo4j://user@127.0.0.1:7687",
        "neo4j://user:secret@:7687",
        "neo4j://user:secret@127.0.0.1:port",
        "neo4j://user:secret@127.0.0.1:99999",
        "neo4j://user:secret@127.0.0.1:7687/database",
        "neo4j://user:secret@[::1:7687",
        f"neo4j://user:{quote('secret/with@signs', safe='')}@127.0.0.1:7687?x=1",
    ],
)
def test_any_other_url_is_refused_with_what_is_expected_and_without_the_password(url: str) -> None:
    with pytest.raises(StoreError) as refusal:
        open_store(url)

    assert EXPECTED in str(refusal.value)
    assert "secret" not in f"{refusal.value!r} {refusal.value.__cause__!r}"
