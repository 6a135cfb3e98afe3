from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.transport.base import Secret
from operations.errors import KeyProblem
from operations.secrets import Vault, open_vault

KEY = bytes(range(32))


@given(text=st.text(), bound_to=st.text())
def test_what_was_sealed_opens_again(text: str, bound_to: str) -> None:
    vault = Vault(KEY, "test")

    assert vault.open(vault.seal(Secret(text), bound_to), bound_to, "it") == Secret(text)


def test_one_secret_is_never_sealed_alike() -> None:
    vault = Vault(KEY, "test")

    assert vault.seal(Secret("public"), "a") != vault.seal(Secret("public"), "a")


@pytest.mark.parametrize(
    ("key", "bound_to", "flip"),
    [(bytes(32), "row 1", None), (KEY, "row 2", None), (KEY, "row 1", 0), (KEY, "row 1", 5), (KEY, "row 1", -1)],
    ids=["another key", "another row", "another format", "another nonce", "another content"],
)
def test_what_was_changed_does_not_open(key: bytes, bound_to: str, flip: int | None) -> None:
    sealed = bytearray(Vault(KEY, "test").seal(Secret("public"), "row 1"))
    if flip is not None:
        sealed[flip] ^= 1

    with pytest.raises(KeyProblem, match=r"the secret of credential 'a' cannot be opened with the key in test"):
        Vault(key, "test").open(bytes(sealed), bound_to, "credential 'a'")


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "cmdb.key"

    made = open_vault(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    assert open_vault(path).key_id == made.key_id
    assert list(path.parent.iterdir()) == [path]


def test_two_new_keys_differ(tmp_path: Path) -> None:
    assert open_vault(tmp_path / "a").key_id != open_vault(tmp_path / "b").key_id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "cmdb.key"
    open_vault(path)
    path.chmod(mode)

    with pytest.raises(KeyProblem, match=f"has mode {mode:04o}, others may use it: chmod 600"):
        open_vault(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has 0 bytes, 32 are needed"),
        ("c2hvcnQ=", "has 5 bytes, 32 are needed"),
        ("not base64!", "is not 32 bytes"),
    ],
    ids=["empty", "short", "no base64"],
)
def test_a_key_file_that_holds_no_key_is_refused_and_kept(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "cmdb.key"
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(KeyProblem, match=message):
        open_vault(path)
    assert path.read_text() == content


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem, match="is no file"):
        open_vault(tmp_path)


def test_the_variable_is_stronger_than_the_file_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "cmdb.key"

    vault = open_vault(path, Secret(base64.b64encode(KEY).decode()))

    assert (vault.key_id, path.exists()) == (Vault(KEY, "test").key_id, False)


def test_a_wrong_variable_is_refused_without_quoting_it(tmp_path: Path) -> None:
    with pytest.raises(KeyProblem) as caught:
        open_vault(tmp_path / "cmdb.key", Secret("my pass phrase"))

    assert "pass phrase" not in str(caught.value)
    assert "CMDB_KEY" in str(caught.value)


def test_a_vault_does_not_show_its_key(tmp_path: Path) -> None:
    path = tmp_path / "cmdb.key"
    shown = repr(open_vault(path))

    assert path.read_text().strip() not in shown
