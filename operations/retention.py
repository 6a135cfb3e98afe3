"""Which replies are kept how long: by age and by size, oldest first, those that a claim in force comes from last.

A reply is as old as the last visit that gave it. What a value still comes from goes only where size forces it; the
value then says that its reply is no longer kept. Killed at any moment, or done twice at once, it leaves nothing half.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from discovery.visit import Visit, visit_out
from operations.errors import OperationsUnavailable
from operations.evidence import VISITS, EvidenceFolder, write_whole

_UNDER_WAY: Final = timedelta(hours=1)
"""What was stored so recently may be of a report that the graph has not been told yet."""

_AT_ONCE: Final = 100
"""Files that are removed while nobody may store; then the others have their turn."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`days`: after which a reply that no value comes from goes. `size`: bytes on disk that all of it may take."""

    days: int
    size: int


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What went: replies, those of them that values still come from, visits, bytes; and the bytes that are left."""

    replies: int = 0
    in_force: int = 0
    visits: int = 0
    freed: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    hash: str
    size: int
    seen: float
    """Seconds since the epoch."""


def trim(evidence: EvidenceFolder, limits: Limits, in_force: Collection[str], now: datetime) -> Trimmed:
    """Remove what is too old or too much. `in_force` are the hashes that values come from now.

    Raises OperationsUnavailable.
    """
    if not evidence.folder.is_dir():
        return Trimmed()
    try:
        return _trimmed(evidence, limits, frozenset(in_force), now)
    except OSError as error:
        raise OperationsUnavailable(f"evidence in {evidence.folder} cannot be trimmed: {error}") from error


def _trimmed(evidence: EvidenceFolder, limits: Limits, in_force: frozenset[str], now: datetime) -> Trimmed:
    oldest = (now - timedelta(days=limits.days)).timestamp()
    fresh = (now - _UNDER_WAY).timestamp()
    _sweep(evidence.folder, fresh)
    visits, visits_freed = _trim_visits(evidence, now - timedelta(days=limits.days))
    files = list(_replies(evidence.folder))
    needed = sum(file.size for file in files) + _size_of_visits(evidence.folder)

    def order(file: _File) -> tuple[bool, float, str]:
        return (file.hash in in_force or file.seen >= fresh, file.seen, file.hash)

    going: list[_File] = []
    for file in sorted(files, key=order):
        is_old = file.seen < oldest and file.hash not in in_force
        if is_old or needed > limits.size:
            going.append(file)
            needed -= file.size
    gone = _removed(evidence, going)
    freed = sum(file.size for file in gone)
    return Trimmed(
        len(gone),
        sum(file.hash in in_force for file in gone),
        visits,
        freed + visits_freed,
        needed + sum(file.size for file in going) - freed,
    )


def _replies(folder: Path) -> Iterator[_File]:
    """Every reply. One that another process removes meanwhile is none."""
    for shelf in folder.iterdir():
        if len(shelf.name) != 2 or not shelf.is_dir():
            continue
        with os.scandir(shelf) as entries:
            for entry in entries:
                try:
                    status = entry.stat()
                except FileNotFoundError:
                    continue
                if not entry.name.startswith("."):
                    yield _File(Path(entry.path), shelf.name + entry.name, status.st_size, status.st_mtime)


def _removed(evidence: EvidenceFolder, going: list[_File]) -> list[_File]:
    """Remove them, but for those that were stored anew meanwhile."""
    gone: list[_File] = []
    for start in range(0, len(going), _AT_ONCE):
        with evidence.locked(exclusive=True):
            for file in going[start : start + _AT_ONCE]:
                try:
                    if file.path.stat().st_mtime <= file.seen:
                        file.path.unlink()
                        gone.append(file)
                except FileNotFoundError:
                    continue
    return gone


def _trim_visits(evidence: EvidenceFolder, oldest: datetime) -> tuple[int, int]:
    """Forget the visits that are too old, but for the last of each address; how many, and how many bytes that frees."""
    count = freed = 0
    for path in sorted((evidence.folder / VISITS).glob("??/*.jsonl")):
        if not any(_is_over(visit, oldest) for visit in evidence.visits_in(path)[:-1]):
            continue
        with evidence.locked(exclusive=True):
            visits = evidence.visits_in(path)
            kept = [visit for visit in visits[:-1] if not _is_over(visit, oldest)] + visits[-1:]
            before = path.stat().st_size
            write_whole(path, "".join(f"\n{visit_out(visit)}" for visit in kept).encode())
            freed += before - path.stat().st_size
        count += len(visits) - len(kept)
    return count, freed


def _is_over(visit: Visit, oldest: datetime) -> bool:
    return visit.time < oldest


def _size_of_visits(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / VISITS).glob("??/*.jsonl"))


def _sweep(folder: Path, fresh: float) -> None:
    """Remove what a writer that was killed left behind: files that never got their name."""
    for path in folder.rglob(".*"):
        try:
            if path.is_file() and path.stat().st_mtime < fresh:
                path.unlink()
        except FileNotFoundError:
            continue
