"""Commands for whoever keeps the data right: problems, and recompute after a change of the rules."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.cli.output import emit, say, table, tell_difference
from api.cli.session import JSON, opened, user


def problems(
    *,
    kind: Annotated[str | None, typer.Option(help="one kind of problem")] = None,
    cls: Annotated[str | None, typer.Option("--class", help="about this class or a subclass")] = None,
    place: Annotated[str | None, typer.Option(help="about what stands in this place")] = None,
    owner: Annotated[str | None, typer.Option(help='of this owner; "" for what nobody owns')] = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="with what each hangs on")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for a spreadsheet")] = False,
    as_json: JSON = False,
) -> None:
    """List what a person should mend: conflicts, data problems, and what waits unidentified."""
    from api import problem_rows

    with opened() as services:
        inventory = services.inventory
        found = inventory.mendings(kind, cls, place, owner)
        told = [problem_rows.row(one, inventory.witnesses(one) if evidence or as_json else ()) for one in found]
        graph = inventory.graph()
        csv = problem_rows.table(found, graph) if as_csv else ""
    if as_json:
        emit(told)
        return
    if as_csv:
        sys.stdout.write(csv)
        return
    rows = []
    for row in told:
        names = ", ".join(graph.cis[ci].name if ci in graph.cis else ci for ci in row["about"])
        rows.append((row["kind"], names, ", ".join(row["owners"]), row["since"], row["text"]))
        rows += [
            ("", "", "", one["confirmed"], f"  {one['source']} {one['section']}: {one['text']} {one['evidence'] or ''}")
            for one in row["evidence"]
        ]
    table(("kind", "about", "owner", "since", "what"), rows)
    if not told:
        say("no problems")


def recompute(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show the difference")] = False,
    as_json: JSON = False,
) -> None:
    """Bring every CI to what the rules say, after a change of the settings. Shows the difference, and applies it."""
    with opened() as services:
        done = services.inventory.recompute(user(), dry_run=dry_run)
    if as_json:
        emit({"revision": done.revision, "difference": list(done.difference)})
        return
    tell_difference(done, dry_run=dry_run)
