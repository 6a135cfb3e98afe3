"""An answer as CSV: everybody who is worse off, then everybody of whom nobody can tell."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from api.impacts import picked
from cmdb.impact import Affected, Answer, Outline

COLUMNS: Final = (
    "verdict", "id", "class", "name", "site", "availability", "was_availability", "protection", "was_protection",
    "management", "was_management", "own", "distance", "because", "first_cause", "assumed",
)  # fmt: skip
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula when a cell begins with it; devices say what they like."""
_SLICE: Final = 250
"""So many rows are made in one go: nobody else is answered meanwhile."""


def lines(answer: Answer, places: Sequence[int] | None) -> Iterator[str]:
    """The file (RFC 4180), some lines at a time: everybody, or who stands at some places; no other limit."""
    yield _written([COLUMNS])
    shown = range(len(answer.outlines)) if places is None else places
    for start in range(0, len(shown), _SLICE):
        some = shown[start : start + _SLICE]
        yield _written(map(_row, picked(answer.outlines, some), picked(answer.affected, some)))
    if places is None:
        for start in range(0, len(answer.unknown), _SLICE):
            yield _written(
                ["unknown", one.ci.id, one.ci.cls, one.ci.name, *[""] * 9, one.reason, "", ""]
                for one in answer.unknown[start : start + _SLICE]
            )


def _row(one: Outline, of: Affected) -> Sequence[object]:
    first = next((reason.first_cause for reason in of.because if reason.first_cause is not None), None)
    return (
        "affected", one.ci.id, one.ci.cls, one.ci.name, "" if one.site is None else one.site.name,
        one.now.availability, one.was.availability, one.now.protection, one.was.protection, one.now.management,
        one.was.management, "" if one.own is None else "own" if one.own else "inherited",
        "" if one.distance is None else one.distance, "; ".join(dict.fromkeys(reason.text for reason in of.because)),
        "" if first is None else first[1], "yes" if any(reason.assumed for reason in of.because) else "",
    )  # fmt: skip


def _written(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    for cells in rows:
        writer.writerow(
            [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell for cell in cells]
        )
    return written.getvalue()
