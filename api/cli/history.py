"""Commands of time: what changed between two points, the history of one CI, and how far back is kept."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.output import Exit, emit, fail, people, plain, say, table
from api.cli.session import JSON, opened

if TYPE_CHECKING:
    from cmdb.history import Difference, Differing
    from cmdb.inventory import Inventory

_POINT = "a revision, a time (2026-03-01, 2026-03-01T12:00Z) or now"


class By(StrEnum):
    """What a difference is grouped by."""

    KIND = "kind"
    CI = "ci"
    CAUSE = "cause"


def diff(
    a: Annotated[str, typer.Argument(help=_POINT)],
    b: Annotated[str, typer.Argument(help="the same")] = "now",
    *,
    by: Annotated[By, typer.Option(help="how to group it")] = By.KIND,
    as_json: JSON = False,
) -> None:
    """Say what changed between two points in time: net, so that what was changed back is not there."""
    from api import histories

    with opened() as services:
        inventory = services.inventory
        found = inventory.diff(histories.moment(inventory, a, "A") or 0, histories.moment(inventory, b, "B") or 0)
    rows = (*found.cis, *found.relations)
    told = {row.id: histories.told(row, found.names) for row in rows}
    counts = histories.counts(rows)
    if as_json:
        groups = histories.groups(found, frozenset(told))
        emit({"from": found.a, "to": found.b, "counts": counts, "items": list(told.values()), **groups})
        return
    words = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    people().print(f"revision {found.a} to {found.b}: {words or 'nothing changed'}", markup=False)
    for title, group in _groups(found, by):
        _print_rows([told[row.id] for row in group], title)


def _groups(found: Difference, by: By) -> list[tuple[str, tuple[Differing, ...]]]:
    """The rows of each group under its title."""
    if by is By.KIND:
        return [(kind.value, rows) for kind, rows in found.by_kind().items()]
    if by is By.CI:
        return [(f"{found.names.get(ci, ci)}  {ci}", rows) for ci, rows in found.by_ci().items()]
    return [
        (" · ".join(word for word in (cause.actor, cause.run or "", cause.reason) if word), rows)
        for cause, rows in found.by_cause().items()
    ]


def _print_rows(rows: list[dict[str, Any]], title: str) -> None:
    columns = (
        (row["kind"], row["class"], row["name"], row["id"], _edits(row), " ".join(map(str, row["revisions"])))
        for row in rows
    )
    people().print(plain(f"\n{title}"), markup=False)
    table(("", "class", "name", "id", "what changed", "in revisions"), columns)


def _edits(row: dict[str, Any]) -> str:
    return "; ".join(_edit(edit) for edit in row["edits"])


def _edit(edit: dict[str, Any]) -> str:
    named = edit["name"] if edit["part"] in {"field", "attribute", "column"} else f"{edit['part']} {edit['name']}"
    if edit["part"] == "identifier":
        return f"{named} {'came' if edit['before'] is None else 'went'}"
    return f"{named}: {_text(edit['before'])} → {_text(edit['after'])}"


def _text(value: Any) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_text(item) for item in value)
        case dict():
            return " ".join(f"{name}={_text(item)}" for name, item in value.items()) or "there"
        case _:
            return str(value)


def history(
    what: Annotated[str, typer.Argument(help="id, label, serial, MAC, WWN, address, or a name that is unique")],
    *,
    before: Annotated[int | None, typer.Option(min=1, help="only revisions before this one")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: JSON = False,
) -> None:
    """List the revisions that changed a CI or its relations, newest first: what they changed, who, and why."""
    from api import histories
    from api.cli.graph import one

    with opened() as services:
        inventory = services.inventory
        document = histories.touches(inventory.touches(one(inventory, what).ci.id, before, limit))
    if as_json:
        emit(document)
        return
    rows = [
        (touch["revision"], touch["at"], touch["actor"], row["kind"], row["class"], row["name"], _edits(row), why)
        for touch in document["items"]
        for why in [touch["reason"] + (f" (run {touch['run']})" if touch["run"] else "")]
        for row in touch["changed"]
    ]
    table(("revision", "at", "by", "", "class", "name", "what changed", "why"), rows)
    if document["next"] is not None:
        say(f"there is more: --before {document['next']}")


def _so_long_ago(inventory: Inventory, days: int) -> int:
    """The revision of so many days ago; the oldest that is kept, where all that is kept is younger."""
    from api.wiring import now
    from cmdb.model import ModelError
    from cmdb.store.base import Gone

    try:
        return inventory.point((now() - timedelta(days=days)).isoformat())
    except (Gone, ModelError):
        return inventory.oldest()


def trim(
    *,
    before: Annotated[str | None, typer.Option(help=f"forget what was before {_POINT}")] = None,
    older_than: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="forget what was longer ago than so many days")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do it; without this only say what would be forgotten")] = False,
) -> None:
    """Forget old history. What is known now stays, and so does a snapshot of what was at the cut."""
    if (before is None) == (older_than is None):
        fail(Exit.BAD_INPUT, "say either --before or --older-than")
    with opened() as services:
        inventory = services.inventory
        oldest = inventory.oldest()
        cut = inventory.point(before) if before is not None else _so_long_ago(inventory, older_than or 0)
        if cut <= oldest:
            say(f"nothing to forget: history begins at revision {oldest}")
        elif yes:
            say(f"history begins at revision {inventory.trim(cut)} now; it began at {oldest}")
        else:
            say(f"history would begin at revision {cut} instead of {oldest}; repeat with --yes to forget the rest")
