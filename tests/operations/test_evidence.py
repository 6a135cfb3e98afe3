from __future__ import annotations

import hashlib
import stat
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.ports import EvidenceSink
from operations.errors import NotKnown, OperationsError, OperationsUnavailable
from operations.evidence import EvidenceFolder


@given(content=st.binary())
def test_what_was_stored_comes_back(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = EvidenceFolder(tmp_path_factory.getbasetemp() / "evidence")
    sink: EvidenceSink = folder

    assert folder.get(sink.store(content)) == content


def test_a_content_is_kept_once_compressed_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path / "evidence")
    content = b"IF-MIB " * 1000

    names = {folder.store(content), folder.store(content)}

    name = hashlib.sha256(content).hexdigest()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert names == {name}
    assert files == [tmp_path / "evidence" / name[:2] / name[2:]]
    assert files[0].stat().st_size < 100
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", "A" * 64])
def test_what_was_never_stored_is_not_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotKnown):
        EvidenceFolder(tmp_path).get(name)


@pytest.mark.parametrize("damage", [b"", b"no zlib", zlib.compress(b"another")])
def test_a_changed_file_is_noticed(tmp_path: Path, damage: bytes) -> None:
    folder = EvidenceFolder(tmp_path)
    name = folder.store(b"content")
    (tmp_path / name[:2] / name[2:]).write_bytes(damage)

    with pytest.raises(OperationsError, match="is damaged"):
        folder.get(name)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OperationsUnavailable, match="evidence cannot be written"):
        EvidenceFolder(tmp_path / "file").store(b"content")


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    folder = EvidenceFolder(tmp_path)
    name = folder.store(b"content")

    kept = [path.name for path in (tmp_path / name[:2]).iterdir()]

    assert kept == [name[2:]]
