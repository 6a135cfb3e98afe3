"""What breaks: a question is composed, answered, drawn, listed, explained and taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from api import reasons
from api.auth import Reader, ServicesOf
from api.impacts import Wanted
from api.pages import answers, blast_drawing, blast_table
from api.pages.blast import laid_out
from api.pages.catalogue import Texts
from api.pages.composing import Asked, Composed, composed
from api.pages.drawing import Drawing
from api.pages.sieve import Sifted, sift
from api.wiring import now
from cmdb import schema
from cmdb.impact import Answer, Evaluation
from cmdb.impact.answer import NOWHERE
from cmdb.impact.answer import WORSE as LEVELS
from cmdb.impact.who import Who
from cmdb.inventory import Inventory
from cmdb.model import ModelError
from cmdb.store.base import Gone
from cmdb.what import NotFound

router = APIRouter(default_response_class=HTMLResponse)

_PLACES: Final = frozenset(name for name in schema.CONCRETE if schema.is_a(name, "location"))
_GROUPED_AT_ONCE: Final = 20_000
"""An answer with so many affected says at once whom it concerns; with more, that is fetched after the rest."""
_NEXT_S: Final = 10.0
_PICKED: Final = 5_000
_WIDEST, _HIGHEST = 8_000, 4_000
_FILE_WIDTH, _FILE_HEIGHT = 1_600, 900

Many = Annotated[list[str], Query(max_length=_PICKED)]
Text = Annotated[str, Query(max_length=255)]


def _asked(
    what: Many = [],  # noqa: B006 - FastAPI reads defaults, and copies them
    within: Annotated[list[str], Query(alias="in", max_length=_PICKED)] = [],  # noqa: B006 - as above
    down: Many = [],  # noqa: B006 - as above
    kind: Annotated[str, Query(max_length=100)] = "power_off",
    restarts: Annotated[str, Query(max_length=10)] = "",
    at: Annotated[str, Query(max_length=40)] = "",
    find: Text = "",
    near: Text = "",
) -> Asked:
    return Asked(
        tuple(what), tuple(one for one in within if one.strip()), tuple(down), kind, bool(restarts), at.strip(),
        find, near,
    )  # fmt: skip


def _wanted(
    level: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006 - as above
    cls: Annotated[str, Query(alias="class", max_length=100)] = "",
    site: Text = "",
) -> Wanted:
    return Wanted(frozenset(level) & frozenset(LEVELS), frozenset({cls} if cls else ()), site or None)


AskedOf = Annotated[Asked, Depends(_asked)]
WantedOf = Annotated[Wanted, Depends(_wanted)]
PageOf = Annotated[int, Query(ge=1, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer."""

    composed: Composed
    evaluation: Evaluation
    answer: Answer


def _answered(inventory: Inventory, asked: Asked) -> Answered:
    """Raises ModelError where it is no question, or does not fit."""
    question = composed(inventory, asked)
    if question.wrong is not None:
        raise question.wrong
    return _of(inventory, question)


def _of(inventory: Inventory, question: Composed) -> Answered:
    if question.question is None:
        raise ModelError("what: name at least one item, cable or other relation to change")
    at = inventory.point(question.asked.at) if question.asked.at else None
    evaluation = inventory.impact(question.question, at)
    return Answered(question, evaluation, evaluation.answer())


@router.get("/impact")
def impact(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    asked: AskedOf,
    wanted: WantedOf,
    page: PageOf = 1,
    why: Text = "",
    root: Text = "",
    doubts: PageOf = 1,
    next_: Annotated[str, Query(alias="next", max_length=255)] = "",
) -> Response:
    """Compose a question; its address holds it, so that an answer can be passed on."""
    inventory, texts = services.inventory, drawing.texts(request)
    question = composed(inventory, asked)
    wrong, status, shown = None, 200, dict[str, Any]()
    try:
        if question.wrong is not None:
            raise question.wrong
        if question.question is not None:
            found = _of(inventory, question)
            shown = _shown(found, wanted, page, texts) | {"answer": answers.drawn(found.answer, texts, root, doubts)}
            shown |= {"why": _why(inventory, found, why, texts, following=bool(next_)) if why else None}
            shown |= {"who": _who(inventory, found.answer), "following": _following(inventory, found, next_)}
    except ModelError as error:
        wrong, status = str(error), 404 if isinstance(error, NotFound) else 422
    except Gone as error:
        wrong, status = str(error), 410
    fresh = "kind" not in request.query_params
    return drawing.page(
        request,
        "impact.html",
        reader,
        status=status,
        asked=asked,
        composed=question,
        composing=wrong is not None or fresh or bool(asked.find or asked.near),
        wrong=wrong,
        root=root,
        places=_PLACES,
        **({"answer": None} | shown),
    )


@router.get("/impact/rows")
def rows(
    request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, asked: AskedOf, wanted: WantedOf,
    page: PageOf = 1,
) -> Response:  # fmt: skip
    """The rows of the answer that a filter lets through, as a part of the page."""
    found = _answered(services.inventory, asked)
    return drawing.page(request, "impact_rows.html", reader, **_shown(found, wanted, page, drawing.texts(request)))


@router.get("/impact/who")
def who(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, asked: AskedOf) -> Response:
    """Whom the answer concerns, as a part of the page."""
    found = _answered(services.inventory, asked)
    told = services.inventory.who(found.answer)
    return drawing.page(request, "impact_who.html", reader, who=told, question_link=found.composed.asked.link())


@router.get("/impact/why")
def why(
    request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, asked: AskedOf, wanted: WantedOf,
    of: Text = "",
    next_: Annotated[str, Query(alias="next", max_length=255)] = "",
) -> Response:  # fmt: skip
    """What decided on one item, and where wanted what would take it down next, as a part of the page."""
    found = _answered(services.inventory, asked)
    told = _why(services.inventory, found, of, drawing.texts(request), following=bool(next_))
    return drawing.page(request, "impact_why.html", reader, why=told, link=_link(found.composed.asked, wanted))


@router.get("/impact/blast")
def blast(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    asked: AskedOf,
    wanted: WantedOf,
    width: Annotated[int, Query(ge=1, le=_WIDEST)] = _FILE_WIDTH,
    height: Annotated[int, Query(ge=1, le=_HIGHEST)] = _FILE_HEIGHT,
) -> Response:
    """The blast radius, laid out for a window of this size."""
    del reader
    found = _answered(services.inventory, asked)
    texts = drawing.texts(request)
    layout = laid_out(sift(found.answer, wanted), width, height, blast_drawing.title_widths(texts))
    return JSONResponse(blast_drawing.document(layout, found.answer, texts))


@router.get("/impact/blast.svg")
def blast_svg(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    asked: AskedOf,
    wanted: WantedOf,
    width: Annotated[int, Query(ge=1, le=_WIDEST)] = _FILE_WIDTH,
    height: Annotated[int, Query(ge=1, le=_HIGHEST)] = _FILE_HEIGHT,
) -> Response:
    """The same as a file for reports."""
    del reader
    found, texts = _answered(services.inventory, asked), drawing.texts(request)
    title = _title(found.composed, texts)
    layout = laid_out(sift(found.answer, wanted), width, height, blast_drawing.title_widths(texts))
    drawn = blast_drawing.svg(layout, found.answer, title, texts)
    return Response(drawn, media_type="image/svg+xml", headers=_as_file(found.answer, "svg"))


@router.get("/impact/answer.csv")
def answer_csv(
    reader: Reader, services: ServicesOf, asked: AskedOf, wanted: WantedOf
) -> Response:  # fmt: skip
    """Everybody who is worse off, and of whom nobody can tell, with no limit."""
    del reader
    found = _answered(services.inventory, asked)
    lines: Iterator[str] = blast_table.lines(found.answer, wanted)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_as_file(found.answer, "csv"))


def _as_file(answer: Answer, kind: str) -> Mapping[str, str]:
    name = f"impact-{answer.revision}-{answer.hash[:8]}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _shown(found: Answered, wanted: Wanted, page: int, texts: Texts) -> dict[str, Any]:
    """A page of the rows that a filter lets through, and what one may filter by."""
    sifted = sift(found.answer, wanted)
    pages = max(1, -(-len(sifted.places) // answers.SHOWN))
    page = min(page, pages)
    first = (page - 1) * answers.SHOWN
    places = sifted.places[first : first + answers.SHOWN]
    return {
        "rows": [answers.row(found.answer.affected[place], texts, found.answer.outlines[place]) for place in places],
        "first": first + 1,
        "last": first + len(places),
        "passing": len(sifted.places),
        "page": page,
        "pages": pages,
        "short_of": sifted.short_of,
        "wanted": wanted,
        "groups": _groups(sifted),
        "link": _link(found.composed.asked, wanted),
        "question_link": found.composed.asked.link(),
        "levels": [(level, sifted.levels[level]) for level in LEVELS],
        "classes": sorted(sifted.classes.items(), key=lambda pair: (-pair[1], pair[0])),
        "sites": sorted(
            ((id_, name, count) for (id_, name), count in sifted.sites.items()),
            key=lambda row: (row[0] == NOWHERE, -row[2], row[1], row[0]),
        ),
    }


def _groups(sifted: Sifted) -> Sequence[tuple[int | None, str, int, Mapping[str, int]]]:
    """(distance, class, how many, by mark) of each heap, the nearest first: the picture in words."""
    return sorted(
        ((heap.distance, heap.cls, sum(marks.values()), marks) for heap, marks in sifted.heaps.items()),
        key=lambda row: (row[0] is None, row[0], row[1] != "service", -row[2], row[1]),
    )


def _link(asked: Asked, wanted: Wanted) -> str:
    """The query string of the question with its filter."""
    pairs: list[tuple[str, str]] = [("level", level) for level in LEVELS if level in wanted.levels]
    pairs += [("class", cls) for cls in sorted(wanted.classes)] + [("site", site) for site in (wanted.site,) if site]
    return "&".join(part for part in (asked.link(), urlencode(pairs)) if part)


def _title(question: Composed, texts: Texts) -> str:
    """The question in a line."""
    names = [pick.name for pick in question.picked]
    told = ", ".join(names[:5]) + (texts("impact.and_more", n=len(names) - 5) if len(names) > 5 else "")
    return texts("impact.asked", kind=texts(f"kind.{question.asked.kind}"), names=told)


def _why(inventory: Inventory, found: Answered, of: str, texts: Texts, *, following: bool) -> dict[str, Any]:
    """What decided on the item that a text names, with who says each relation that counted."""
    target = inventory.target(of)
    if not target.cis:
        raise ModelError(f"{of!r} is a relation: ask about an item")
    id_ = target.cis[0]
    told = found.evaluation.why(id_)
    return {
        "ci": told.ci,
        "verdict": told.verdict,
        "levels": answers.stands(told.now, told.was),
        "because": answers.because(told.because, told.ci, texts),
        "unknown": None if told.unknown is None else answers.doubts(told.unknown, texts),
        "path": told.path,
        "revision": found.answer.revision,
        "relations": reasons.why(inventory, found.evaluation, id_, now())["relations"],
        "next": _next(inventory, found, [id_]) if following else None,
    }


def _who(inventory: Inventory, answer: Answer) -> Who | None:
    """Whom the answer concerns; None where that takes longer than a reader waits for a page."""
    return inventory.who(answer) if len(answer.outlines) <= _GROUPED_AT_ONCE else None


def _following(inventory: Inventory, found: Answered, next_: str) -> dict[str, Any] | None:
    """What would take the services of the answer down next, where that is asked."""
    return _next(inventory, found, reasons.services_of(found.evaluation)) if next_ == "services" else None


def _next(inventory: Inventory, found: Answered, of: Sequence[str]) -> dict[str, Any]:
    return reasons.next_failures(inventory, found.evaluation, of, reasons.within(_NEXT_S))
