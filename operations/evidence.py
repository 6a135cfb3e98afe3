"""Raw replies on disk, by their content: what is in the graph can be traced to the words of the device that said it."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from pathlib import Path

from operations.errors import NotKnown, OperationsError, OperationsUnavailable

_HASH = re.compile(r"[0-9a-f]{64}")
_LEVEL = 6


class EvidenceFolder:
    """discovery's EvidenceSink: each content once, compressed, in a file named by its SHA-256.

    It is on disk when `store` returns: what the graph refers to is never lost. Secrets are taken out by the caller.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, content: bytes) -> str:
        """Keep it (once), and return its SHA-256 in hex. Raises OperationsUnavailable."""
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        try:
            if not path.exists():
                self._write(path, zlib.compress(content, _LEVEL))
        except OSError as error:
            raise OperationsUnavailable(f"evidence cannot be written to {path}: {error.strerror}") from error
        return name

    def get(self, name: str) -> bytes:
        """What was kept under a hash. Raises NotKnown, and OperationsError where the file was changed."""
        if not _HASH.fullmatch(name):
            raise NotKnown(f"{name!r} is no hash of evidence")
        path = self._path(name)
        try:
            content = zlib.decompress(path.read_bytes())
        except FileNotFoundError as error:
            raise NotKnown(f"no evidence is kept under {name}") from error
        except OSError as error:
            raise OperationsUnavailable(f"evidence {path} cannot be read: {error.strerror}") from error
        except zlib.error as error:
            raise OperationsError(f"evidence {path} is damaged: {error}") from error
        if hashlib.sha256(content).hexdigest() != name:
            raise OperationsError(f"evidence {path} is damaged: its content has another hash")
        return content

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name[2:]

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all; two writers of one content write the same."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        for folder in (path.parent, self._folder):
            _sync(folder)


def _sync(folder: Path) -> None:
    """A new name is on disk only when its folder is (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
