"""Pages of what changed: the newest revisions, what lies between two points, and one CI as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api import histories, views
from api.auth import Reader, ServicesOf
from api.pages.catalogue import Texts
from api.pages.drawing import Drawing
from api.pages.rendering import shown
from api.problems import Problem, as_problem
from api.routes.cis import known
from cmdb.history import Difference, Differing, differing
from cmdb.inventory import Inventory
from cmdb.model import CI, ModelError, Relation, Revision
from cmdb.store.base import Gone
from cmdb.touches import Touches

router = APIRouter(default_response_class=HTMLResponse)

_REVISIONS: Final = 20
_SHOWN: Final = 8
"""So many changes of a revision are drawn in the list; the difference shows the rest."""

_DRAWN: Final = 500
_LAST: Final = 3

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is different, in the reader's words; None where it is not there."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a CI (`id` leads to it) or of a relation (which has `ends`)."""

    kind: str
    cls: str
    id: str | None
    name: str
    ends: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    revisions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A revision and its changes; `more` are not drawn."""

    revision: Any
    rows: tuple[Row, ...]
    more: int


@router.get("/changes")
def changes(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    from_: Annotated[str, Query(alias="from", max_length=40)] = "",
    to: Annotated[str, Query(max_length=40)] = "",
    by: Annotated[str, Query(pattern="^(kind|ci|cause|)$")] = "",
) -> Response:
    """The newest revisions; or, where `from` is given, what lies between two points."""
    inventory, texts = services.inventory, drawing.texts(request)
    asked = {"from": from_.strip(), "to": to.strip(), "by": by or "kind"}
    if not asked["from"] and not asked["to"]:
        found, older = _newest(inventory, before, texts)
        return drawing.page(request, "changes.html", reader, asked=asked, told=found, older=older, wrong=None)
    try:
        first = histories.moment(inventory, asked["from"] or str(inventory.oldest()), texts("history.from"))
        last = histories.moment(inventory, asked["to"] or "now", texts("history.to"))
        difference = inventory.diff(first or 0, last or 0)
    except (ModelError, Gone) as error:
        problem: Problem = as_problem(error)
        return drawing.page(
            request, "changes.html", reader, status=problem.status, asked=asked, told=None, older=None,
            wrong=problem.detail,
        )  # fmt: skip
    groups, drawn = _groups(difference, asked["by"], texts)
    return drawing.page(
        request,
        "diff.html",
        reader,
        asked=asked,
        difference=difference,
        counts=histories.counts((*difference.cis, *difference.relations)),
        groups=groups,
        more=max(0, len(difference.cis) + len(difference.relations) - drawn),
    )


def _newest(inventory: Inventory, before: int | None, texts: Texts) -> tuple[list[Told], int | None]:
    """The revisions before one, newest first; and what to ask before next."""
    oldest, newest = inventory.oldest(), inventory.point("now")
    last = min(newest, before - 1) if before is not None else newest
    start = max(oldest, last - _REVISIONS)
    found = inventory.changes(start, last - start) if last > start else []
    return [_told(inventory, one, texts) for one in reversed(found)], start + 1 if start > oldest else None


def _told(inventory: Inventory, revision: Revision, texts: Texts) -> Told:
    of_cis = [change for change in revision.changes if isinstance(change.after or change.before, CI)]
    others = [change for change in revision.changes if not isinstance(change.after or change.before, CI)]
    chosen = [differing(change, (revision.n,)) for change in (of_cis + others)[:_SHOWN]]
    ends = {end for row in chosen if isinstance(row.image, Relation) for end in (row.image.source, row.image.target)}
    names = {id_: stored.ci.name for id_ in ends if (stored := inventory.stored(id_)) is not None}
    rows = tuple(row_of(row, names, texts) for row in chosen)
    return Told(revision, rows, len(revision.changes) - len(rows))


def _groups(difference: Difference, by: str, texts: Texts) -> tuple[list[tuple[Any, list[Row]]], int]:
    """The rows under the heading of each group (kind, CI id or cause), and how many different ones are drawn."""
    sources: Sequence[tuple[Any, Sequence[Differing]]]
    match by:
        case "ci":
            sources = list(difference.by_ci().items())
        case "cause":
            sources = list(difference.by_cause().items())
        case _:
            sources = [(kind.value, rows) for kind, rows in difference.by_kind().items()]
    left, drawn = _DRAWN, set[str]()
    found: list[tuple[Any, list[Row]]] = []
    for heading, rows in sources:
        if left > 0:
            found.append((heading, [row_of(row, difference.names, texts) for row in rows[:left]]))
            drawn |= {row.id for row in rows[:left]}
            left -= len(rows)
    return found, len(drawn)


def row_of(row: Differing, names: Names, texts: Texts) -> Row:
    """What became of a CI or relation, in the reader's words."""
    told = histories.told(row, names)
    lines = tuple(line for edit in told["edits"] for line in _lines(edit, texts))
    ends = tuple((end["id"], end["name"]) for end in told["ends"])
    id_ = row.id if told["what"] == "ci" else None
    return Row(told["kind"], told["class"], id_, told["name"], ends, lines, row.revisions)


def _lines(edit: Mapping[str, Any], texts: Texts) -> list[Line]:
    name, before, after = edit["name"], edit["before"], edit["after"]
    match edit["part"]:
        case "field" if name in {"class", "state"}:
            words = [None if side is None else texts.word(name, side) for side in (before, after)]
            return [Line(texts(f"list.{name}"), *words)]
        case "field" if name in {"space", "missing_since"}:
            return [Line(texts(f"ci.{name}"), _said(name, before, texts), _said(name, after, texts))]
        case "identifier":
            scheme, _, value = name.partition(" ")
            return [Line(texts.word("scheme", scheme), *(value if side else None for side in (before, after)))]
        case "component":
            return _component(name, before, after, texts)
        case "gap":
            title = texts("history.gap", relation=texts.word("relation", name))
            return [Line(title, _said(name, before, texts), _said(name, after, texts))]
        case "end":
            return [Line(texts(f"history.{name}"), before, after)]
        case _:
            return [Line(texts.word("attribute", name), _said(name, before, texts), _said(name, after, texts))]


def _component(named: str, before: Any, after: Any, texts: Texts) -> list[Line]:
    """A part that came or went is one line; of one that changed, each attribute that did."""
    kind, _, name = named.partition(" ")
    title = texts.word("component", kind)
    if before is None or after is None:
        return [Line(title, None if before is None else name, None if after is None else name)]
    return [
        Line(
            f"{title} {name}: {texts.word('attribute', attribute)}",
            _said(attribute, before.get(attribute), texts),
            _said(attribute, after.get(attribute), texts),
        )
        for attribute in sorted(before.keys() | after.keys())
        if before.get(attribute) != after.get(attribute)
    ]


def _said(name: str, value: Any, texts: Texts) -> str | None:
    return None if value is None else shown(name, value, texts)


def touched(touches: Touches, texts: Texts) -> list[Told]:
    """The history of a CI as pages draw it."""
    return [
        Told(
            touch.heading,
            tuple(row_of(row, touches.names, texts) for row in touch.changed[:_DRAWN]),
            max(0, len(touch.changed) - _DRAWN),
        )
        for touch in touches.touches
    ]


def last_touches(inventory: Inventory, ci: str, texts: Texts) -> list[Told]:
    """The beginning of that, for the page of the CI."""
    return touched(inventory.touches(ci, None, _LAST), texts)


@router.get("/cis/{ci}/history")
def history(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    ci: str,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """The revisions that touched a CI or its relations, newest first."""
    inventory = services.inventory
    stored = known(inventory, ci)
    found = inventory.touches(stored.ci.id, before, _REVISIONS)
    return drawing.page(
        request,
        "history.html",
        reader,
        stored=stored,
        told=touched(found, drawing.texts(request)),
        older=found.before,
    )


@router.get("/cis/{ci}/then")
def then(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    ci: str,
    at: Annotated[str, Query(max_length=40)] = "now",
) -> Response:
    """A CI as the CMDB told it at a revision or a time."""
    inventory = services.inventory
    revision = histories.moment(inventory, at)
    revision = inventory.point("now") if revision is None else revision
    stored = known(inventory, ci, revision)
    document = views.full(inventory, stored, revision)
    return drawing.page(
        request,
        "then.html",
        reader,
        stored=stored,
        ci=document,
        revision=revision,
        newest=inventory.point("now"),
        oldest=inventory.oldest(),
    )
