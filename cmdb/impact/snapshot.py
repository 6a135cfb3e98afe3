"""The rows of one revision as a file, so that a store that is slow to read is read whole only once.

A line of JSON (what the rows are of, and what follows), then the arrays, the names, and all other texts as JSON.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, NamedTuple

import numpy as np

from cmdb.coding import CODING
from cmdb.impact.rows import Rows

_FILE: Final = "impact.rows"
_FORMAT: Final = "cmdb impact rows 1"
_ARRAYS: Final = {
    "ci_keys": "<i4",
    "ci_codes": "<u2",
    "ci_gaps": "<i4",
    "name_lengths": "<i4",
    "relation_keys": "<i4",
    "sources": "<i4",
    "targets": "<i4",
    "relation_codes": "<u2",
    "worded": "<i4",
    "word_a": "<i4",
    "word_b": "<i4",
}


class Snapshot(NamedTuple):
    """Rows, and the hash of their revision in the journal, which tells of which store they are."""

    rows: Rows
    hash: str


def save(folder: Path, snapshot: Snapshot) -> None:
    """Write the snapshot of a folder in place of the one before. Raises OSError; what was there is then still there.

    Nothing is synced: a file that is torn is told by its checksum.
    """
    rows = snapshot.rows
    texts = json.dumps([rows.words, list(rows.extras.items()), rows.strange_cis, rows.strange_relations]).encode()
    parts = [*(getattr(rows, name).astype(kind, copy=False).data for name, kind in _ARRAYS.items()), rows.names, texts]
    head = {
        "format": _FORMAT,
        "coding": CODING,
        "revision": rows.revision,
        "hash": snapshot.hash,
        "counts": [len(part) for part in parts],
        "checksum": _checksum(parts),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=_FILE, delete=False) as file:
        made = Path(file.name)
        try:
            file.write(json.dumps(head).encode() + b"\n")
            for part in parts:
                file.write(part)
            file.close()
            made.replace(folder / _FILE)
        except BaseException:
            made.unlink(missing_ok=True)
            raise


def load(folder: Path) -> Snapshot | None:
    """The snapshot of a folder; None where there is none that is whole and of this program's tables."""
    with suppress(OSError, ValueError, KeyError, TypeError), (folder / _FILE).open("rb") as file:
        return _read(file)
    return None


def _read(file: IO[bytes]) -> Snapshot | None:
    head = json.loads(file.readline())
    if (head["format"], head["coding"]) != (_FORMAT, CODING):
        return None
    *counts, names_count, texts_count = head["counts"]
    arrays = {name: np.fromfile(file, kind, count) for (name, kind), count in zip(_ARRAYS.items(), counts, strict=True)}
    names, texts = file.read(names_count), file.read(texts_count)
    if file.read(1) or _checksum([*(array.data for array in arrays.values()), names, texts]) != head["checksum"]:
        return None
    words, extras, strange_cis, strange_relations = json.loads(texts)
    rows = Rows(
        revision=head["revision"],
        names=names,
        words=words,
        extras=dict(extras),
        strange_cis=strange_cis,
        strange_relations=strange_relations,
        **arrays,
    )
    return Snapshot(rows, head["hash"])


def _checksum(parts: Iterable[bytes | memoryview]) -> int:
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return checksum
