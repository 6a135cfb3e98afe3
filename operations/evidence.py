"""Raw replies on disk, by their content: what is in the graph can be traced to the words of the device that said it.

Beside them, for each address, one line for each visit: under which hash each of its replies is kept.

    AB/CDEF…             a reply, compressed, by the SHA-256 of its content
    visits/AB/CDEF….jsonl   the visits of one address, oldest first

What is written is on disk before the graph is told. A line that was cut short by a crash is no line.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from discovery.visit import Visit, visit_in, visit_out
from operations.errors import NotKnown, OperationsError, OperationsUnavailable

VISITS: Final = "visits"
_HASH = re.compile(r"[0-9a-f]{64}")
_LEVEL = 6


class NotKept(NotKnown):
    """A reply that was never kept here, or that retention has removed."""


class EvidenceFolder:
    """discovery's EvidenceSink: each content once, compressed, in a file named by its SHA-256.

    It is on disk when `store` returns: what the graph refers to is never lost. Secrets are taken out by the caller.
    Any number of processes may use one folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def store(self, content: bytes) -> str:
        """Keep it (once), and return its SHA-256 in hex. Its age begins anew. Raises OperationsUnavailable."""
        name = hashlib.sha256(content).hexdigest()
        path = self.path(name)
        try:
            with self.locked(exclusive=False):
                try:
                    os.utime(path)
                except FileNotFoundError:
                    write_whole(path, zlib.compress(content, _LEVEL))
                    _sync(path.parent)
                    _sync(self.folder)
        except OSError as error:
            raise OperationsUnavailable(f"evidence cannot be written to {path}: {error.strerror}") from error
        return name

    def get(self, name: str) -> bytes:
        """What was kept under a hash. Raises NotKnown (NotKept), and OperationsError where the file was changed."""
        if not _HASH.fullmatch(name):
            raise NotKnown(f"{name!r} is no hash of evidence")
        path = self.path(name)
        try:
            content = zlib.decompress(path.read_bytes())
        except FileNotFoundError as error:
            raise NotKept(f"no evidence is kept under {name}: retention removed it, or it never was here") from error
        except OSError as error:
            raise OperationsUnavailable(f"evidence {path} cannot be read: {error.strerror}") from error
        except zlib.error as error:
            raise OperationsError(f"evidence {path} is damaged: {error}") from error
        if hashlib.sha256(content).hexdigest() != name:
            raise OperationsError(f"evidence {path} is damaged: its content has another hash")
        return content

    def visited(self, visit: Visit) -> None:
        """Keep what a visit was, after its replies. Raises OperationsUnavailable."""
        path = self.path_of_visits(visit.space, visit.address)
        try:
            with self.locked(exclusive=False):
                is_new = not path.exists()
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb", buffering=0) as file:
                    # The line feed stands first: it parts this line from one that a crash cut short.
                    file.write(f"\n{visit_out(visit)}".encode())
                    os.fsync(file.fileno())
                if is_new:
                    for folder in (path.parent, path.parent.parent, self.folder):
                        _sync(folder)
        except OSError as error:
            raise OperationsUnavailable(f"evidence cannot be written to {path}: {error.strerror}") from error

    def visits(self, space: str, address: str) -> list[Visit]:
        """The visits of an address that are kept, oldest first."""
        return self.visits_in(self.path_of_visits(space, address))

    def visits_in(self, path: Path) -> list[Visit]:
        """The visits of one file, by time."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise OperationsUnavailable(f"visits {path} cannot be read: {error}") from error
        return sorted(_readable(lines), key=lambda visit: visit.time)

    def all_visits(self) -> Iterator[list[Visit]]:
        """The visits of each address, oldest first."""
        for path in sorted((self.folder / VISITS).glob("??/*.jsonl")):
            if found := self.visits_in(path):
                yield found

    @contextmanager
    def locked(self, *, exclusive: bool) -> Iterator[None]:
        """Whoever writes shares this lock; whoever removes has it alone, so that nothing goes while it is stored anew.

        The kernel frees it when its process ends, however it ends.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def path(self, name: str) -> Path:
        """Where the content of a hash lies."""
        return self.folder / name[:2] / name[2:]

    def path_of_visits(self, space: str, address: str) -> Path:
        """Where the visits of an address lie: a space may have any name, so that it is no part of a path."""
        name = hashlib.sha256(f"{space}\0{address}".encode()).hexdigest()
        return self.folder / VISITS / name[:2] / f"{name[2:]}.jsonl"


def _readable(lines: Iterable[str]) -> Iterator[Visit]:
    for line in lines:
        if line:
            try:
                yield visit_in(line)
            except ValueError:  # cut short by a crash: its reports were never told to the graph
                continue


def write_whole(path: Path, content: bytes) -> None:
    """Whole or not at all; two writers of one content write the same. The caller syncs the folder."""
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


def _sync(folder: Path) -> None:
    """A new name is on disk only when its folder is (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
