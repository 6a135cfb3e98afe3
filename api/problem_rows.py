"""What a person should mend as JSON and as CSV, alike for the API, the command line and the pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from cmdb import codec
from cmdb.model import Graph

if TYPE_CHECKING:
    from cmdb.mending import Mending, Witness

COLUMNS: Final = ("kind", "about", "class", "label", "owners", "since", "what")
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula when a cell begins with it; devices say what they like."""


def row(problem: Mending, witnesses: Iterable[Witness]) -> dict[str, Any]:
    """A problem with what it hangs on; `about` are ids of CIs."""
    return {
        "kind": problem.kind,
        "about": list(problem.about),
        "text": problem.text,
        "since": codec.time_out(problem.since),
        "owners": list(problem.owners),
        "evidence": [
            {
                "source": one.source,
                "section": one.section,
                "confirmed": codec.time_out(one.confirmed),
                "evidence": one.evidence,
                "text": one.text,
            }
            for one in witnesses
        ],
    }


def table(problems: Iterable[Mending], graph: Graph) -> str:
    """CSV with a head (RFC 4180): CIs by their names, several of one cell separated by semicolons."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for problem in problems:
        cis = [graph.cis[id_] for id_ in problem.about if id_ in graph.cis]
        cells = (
            problem.kind,
            "; ".join(ci.name for ci in cis),
            "; ".join(dict.fromkeys(ci.cls for ci in cis)),
            "; ".join(dict.fromkeys(ci.label for ci in cis if ci.label)),
            "; ".join(problem.owners),
            codec.time_out(problem.since),
            problem.text,
        )
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULAS) else cell for cell in cells])
    return written.getvalue()
