"""What changed, as the JSON that the API and the command line show alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from api import views
from cmdb.codec import time_out
from cmdb.history import Cause, Difference, Differing, Edit, Kind
from cmdb.model import CI, ModelError
from cmdb.store.base import Heading
from cmdb.touches import Touches

if TYPE_CHECKING:
    from cmdb.inventory import Inventory


def moment(inventory: Inventory, at: str | None, where: str = "at") -> int | None:
    """The revision that is meant; None for now. Raises ModelError, which says where, and Gone."""
    if at is None or not at.strip():
        return None
    try:
        return inventory.point(at)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error


def told(row: Differing, names: Mapping[str, str]) -> dict[str, Any]:
    """What became of one CI or relation. A relation has the names of its ends in the place of a name."""
    image = row.image
    if isinstance(image, CI):
        known: dict[str, Any] = {"what": "ci", "class": image.cls, "name": image.name, "ends": []}
    else:
        ends = [{"id": end, "name": names.get(end, end)} for end in (image.source, image.target)]
        known = {"what": "relation", "class": image.type, "name": " – ".join(end["name"] for end in ends), "ends": ends}
    return {
        "id": row.id,
        "kind": row.kind.value,
        **known,
        "edits": [_edit(edit, names) for edit in row.edits],
        "revisions": list(row.revisions),
    }


def _edit(edit: Edit, names: Mapping[str, str]) -> dict[str, Any]:
    before, after = (_value(edit.part, side) for side in (edit.before, edit.after))
    if edit.part == "end":
        before, after = (names.get(str(side), side) for side in (before, after))
    return {"part": edit.part, "name": edit.name, "before": before, "after": after}


def _value(part: str, document: Any) -> Any:
    if part == "component" and isinstance(document, dict):
        return {name: views.value(item) for name, item in document.items()}
    return views.value(document)


def counts(rows: Sequence[Differing]) -> dict[str, int]:
    """How many of each kind; every kind is there."""
    found = Counter(row.kind for row in rows)
    return {kind.value: found[kind] for kind in Kind}


def cause(of: Cause) -> dict[str, Any]:
    return {"actor": of.actor, "run": of.run, "reason": of.reason}


def groups(difference: Difference, shown: frozenset[str]) -> dict[str, Any]:
    """The same rows by kind, CI and cause, as ids of those that are shown."""

    def ids(rows: Sequence[Differing]) -> list[str]:
        return [row.id for row in rows if row.id in shown]

    when: dict[Cause, list[int]] = {}
    for revision, (_, of) in sorted(difference.revisions.items()):
        when.setdefault(of, []).append(revision)
    return {
        "by_kind": {kind.value: found for kind, rows in difference.by_kind().items() if (found := ids(rows))},
        "by_ci": [
            {"id": ci, "name": difference.names.get(ci, ci), "items": found}
            for ci, rows in difference.by_ci().items()
            if (found := ids(rows))
        ],
        "by_cause": [
            {**cause(of), "revisions": when[of], "items": found}
            for of, rows in difference.by_cause().items()
            if (found := ids(rows))
        ],
    }


def heading(of: Heading) -> dict[str, Any]:
    """A revision without its changes."""
    return {"revision": of.n, "at": time_out(of.at), "actor": of.actor, "run": of.run, "reason": of.reason}


def touches(of: Touches) -> dict[str, Any]:
    """The history of a CI; `next` is what to ask `before` next."""
    items = [
        {**heading(touch.heading), "changed": [told(row, of.names) for row in touch.changed]} for touch in of.touches
    ]
    return {"items": items, "next": of.before}
