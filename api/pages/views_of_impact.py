"""What breaks: a question is composed, answered, drawn, listed, explained and taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from api import impacts, reasons
from api.auth import Reader, ServicesOf
from api.impacts import Wanted
from api.pages import answers, blast_drawing, blast_table
from api.pages.blast import DRAWN, Layout, laid_out
from api.pages.catalogue import Texts
from api.pages.composing import Asked, Composed, composed
from api.pages.drawing import Drawing
from api.wiring import now
from cmdb import schema
from cmdb.impact import Answer, Evaluation
from cmdb.impact.answer import NOWHERE
from cmdb.impact.answer import WORSE as LEVELS
from cmdb.impact.spread import Heap, Spread
from cmdb.inventory import Inventory
from cmdb.model import ModelError
from cmdb.store.base import Gone
from cmdb.what import NotFound

router = APIRouter(default_response_class=HTMLResponse)

_PLACES: Final = frozenset(name for name in schema.CONCRETE if schema.is_a(name, "location"))
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
    go: Annotated[str, Query(max_length=10)] = "",
) -> Asked:
    """`go`: the question is complete, and nothing is looked for any more."""
    return Asked(
        tuple(what), tuple(one for one in within if one.strip()), tuple(down), kind, bool(restarts), at.strip(),
        "" if go else find, "" if go else near,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows somebody wants to see, as the address says it; what is empty lets everything through."""

    levels: frozenset[str]
    cls: str
    site: str

    @property
    def everything(self) -> bool:
        return not (self.levels or self.cls or self.site)


def _filter(
    level: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006 - as above
    cls: Annotated[str, Query(alias="class", max_length=100)] = "",
    site: Text = "",
) -> Filter:
    return Filter(frozenset(level), cls.strip(), site.strip())


AskedOf = Annotated[Asked, Depends(_asked)]
FilterOf = Annotated[Filter, Depends(_filter)]
PageOf = Annotated[int, Query(ge=1, le=1_000_000)]
NextOf = Annotated[str, Query(alias="next", max_length=20)]


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer."""

    composed: Composed
    evaluation: Evaluation
    answer: Answer


@contextmanager
def _answered(inventory: Inventory, asked: Asked) -> Iterator[Answered]:
    """The answer, held as it is. Raises ModelError where it is no question, or does not fit."""
    question = composed(inventory, asked)
    if question.wrong is not None:
        raise question.wrong
    with _held(inventory, question) as found:
        yield found


@contextmanager
def _held(inventory: Inventory, question: Composed) -> Iterator[Answered]:
    """While it is held nothing is written to the index, so nothing but rows is read meanwhile."""
    if question.question is None:
        raise ModelError("what: name at least one item, cable or other relation to change")
    at = inventory.point(question.asked.at) if question.asked.at else None
    with inventory.impact(question.question, at).held() as evaluation:
        yield Answered(question, evaluation, evaluation.answer())


@router.get("/impact")
def impact(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    asked: AskedOf,
    chosen: FilterOf,
    page: PageOf = 1,
    why: Text = "",
    root: Text = "",
    doubts: PageOf = 1,
    next_: NextOf = "",
) -> Response:
    """Compose a question; its address holds it, so that an answer can be passed on."""
    inventory, texts = services.inventory, drawing.texts(request)
    question = composed(inventory, asked)
    wrong, status, shown = None, 200, dict[str, Any]()
    try:
        if question.wrong is not None:
            raise question.wrong
        if question.question is not None:
            of, wanted = _ci(inventory, why) if why else None, _wanted(inventory, chosen)
            with _held(inventory, question) as found:
                shown = _shown(found, chosen, wanted, page, texts)
                shown["answer"] = answers.drawn(found.answer, texts, root, doubts)
                told = None if of is None else reasons.explained(found.evaluation, of)
                found.answer.census()
            shown["who"] = inventory.who(found.answer)
            shown["why"] = None if told is None else _why(inventory, found, told, texts, following=bool(next_))
            shown["following"] = _following(inventory, found, next_)
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
    request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, asked: AskedOf, chosen: FilterOf,
    page: PageOf = 1,
) -> Response:  # fmt: skip
    """The rows of the answer that a filter lets through, as a part of the page."""
    wanted = _wanted(services.inventory, chosen)
    with _answered(services.inventory, asked) as found:
        shown = _shown(found, chosen, wanted, page, drawing.texts(request))
    return drawing.page(request, "impact_rows.html", reader, **shown)


@router.get("/impact/why")
def why(
    request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, asked: AskedOf, chosen: FilterOf,
    of: Text = "", next_: NextOf = "",
) -> Response:  # fmt: skip
    """What decided on one item, and where wanted what would take it down next, as a part of the page."""
    id_ = _ci(services.inventory, of)
    with _answered(services.inventory, asked) as found:
        told = reasons.explained(found.evaluation, id_)
    shown = _why(services.inventory, found, told, drawing.texts(request), following=bool(next_))
    return drawing.page(request, "impact_why.html", reader, why=shown, link=_link(found.composed.asked, chosen))


def _layout(found: Answered, wanted: Wanted, width: int, height: int, texts: Texts) -> Layout:
    return laid_out(_spread(found, wanted, DRAWN).heaps, width, height, blast_drawing.title_widths(texts))


@router.get("/impact/blast")
def blast(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    asked: AskedOf,
    chosen: FilterOf,
    width: Annotated[int, Query(ge=1, le=_WIDEST)] = _FILE_WIDTH,
    height: Annotated[int, Query(ge=1, le=_HIGHEST)] = _FILE_HEIGHT,
) -> Response:
    """The blast radius, laid out for a window of this size."""
    del reader
    texts = drawing.texts(request)
    wanted = _wanted(services.inventory, chosen)
    with _answered(services.inventory, asked) as found:
        layout = _layout(found, wanted, width, height, texts)
        drawn = blast_drawing.document(layout, found.answer, texts)
    return JSONResponse(drawn)


@router.get("/impact/blast.svg")
def blast_svg(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    asked: AskedOf,
    chosen: FilterOf,
    width: Annotated[int, Query(ge=1, le=_WIDEST)] = _FILE_WIDTH,
    height: Annotated[int, Query(ge=1, le=_HIGHEST)] = _FILE_HEIGHT,
) -> Response:
    """The same as a file for reports."""
    del reader
    texts = drawing.texts(request)
    wanted = _wanted(services.inventory, chosen)
    with _answered(services.inventory, asked) as found:
        layout = _layout(found, wanted, width, height, texts)
        drawn = blast_drawing.svg(layout, found.answer, _title(found.composed, texts), texts)
    return Response(drawn, media_type="image/svg+xml", headers=_as_file(found.answer, "svg"))


@router.get("/impact/answer.csv")
def answer_csv(reader: Reader, services: ServicesOf, asked: AskedOf, chosen: FilterOf) -> Response:
    """Everybody who is worse off, and of whom nobody can tell, with no limit; or who a filter lets through."""
    del reader
    wanted = _wanted(services.inventory, chosen)
    with _answered(services.inventory, asked) as found:
        places = None if chosen.everything else _spread(found, wanted, 0).places
    lines = blast_table.lines(found.answer, places)
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_as_file(found.answer, "csv"))


def _as_file(answer: Answer, kind: str) -> Mapping[str, str]:
    name = f"impact-{answer.revision}-{answer.hash[:8]}.{kind}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _wanted(inventory: Inventory, chosen: Filter) -> Wanted:
    """Raises ModelError for what is no level, class or building."""
    return impacts.wanted(inventory, chosen.levels, [chosen.cls] if chosen.cls else [], chosen.site or None)


def _spread(found: Answered, wanted: Wanted, first: int) -> Spread:
    return found.evaluation.spread(wanted.levels, wanted.classes, wanted.site, first)


def _shown(found: Answered, chosen: Filter, wanted: Wanted, page: int, texts: Texts) -> dict[str, Any]:
    """A page of the rows that a filter lets through, and what one may filter by."""
    spread = _spread(found, wanted, 0)
    pages = max(1, -(-len(spread.places) // answers.SHOWN))
    page = min(page, pages)
    first = (page - 1) * answers.SHOWN
    places = spread.places[first : first + answers.SHOWN]
    return {
        "rows": [answers.row(found.answer.affected[place], texts, found.answer.outlines[place]) for place in places],
        "first": first + 1,
        "last": first + len(places),
        "passing": len(spread.places),
        "page": page,
        "pages": pages,
        "wanted": chosen,
        "heaps": sorted(spread.heaps, key=_nearest),
        "link": _link(found.composed.asked, chosen),
        "question_link": found.composed.asked.link(),
        "levels": list(spread.levels.items()),
        "classes": sorted(spread.classes.items(), key=lambda pair: (-pair[1], pair[0])),
        "sites": [
            (NOWHERE, "", count) if site is None else (site.id, site.name, count)
            for site, count in sorted(spread.sites, key=lambda pair: (pair[0] is None, -pair[1], pair[0] or ()))
        ],
    }


def _nearest(heap: Heap) -> tuple[bool, int, bool, int, str]:
    """The picture in words: the nearest first, in each distance services, then what is most."""
    return heap.distance is None, heap.distance or 0, heap.cls != "service", -sum(heap.counts.values()), heap.cls


def _link(asked: Asked, chosen: Filter) -> str:
    """The query string of the question with its filter."""
    pairs: list[tuple[str, str]] = [("level", level) for level in LEVELS if level in chosen.levels]
    pairs += [(name, value) for name, value in (("class", chosen.cls), ("site", chosen.site)) if value]
    return "&".join(part for part in (asked.link(), urlencode(pairs)) if part)


def _title(question: Composed, texts: Texts) -> str:
    """The question in a line."""
    names = [pick.name for pick in question.picked]
    told = ", ".join(names[:5]) + (texts("impact.and_more", n=len(names) - 5) if len(names) > 5 else "")
    return texts("impact.asked", kind=texts(f"kind.{question.asked.kind}"), names=told)


def _ci(inventory: Inventory, text: str) -> str:
    """The item that a text names."""
    target = inventory.target(text)
    if not target.cis:
        raise ModelError(f"{text!r} is a relation: ask about an item")
    return target.cis[0]


def _why(
    inventory: Inventory, found: Answered, told: reasons.Explained, texts: Texts, *, following: bool
) -> dict[str, Any]:
    """What decided on an item, with who says each relation that counted."""
    _, why = told
    return {
        "ci": why.ci,
        "verdict": why.verdict,
        "levels": answers.stands(why.now, why.was),
        "because": answers.because(why.because, why.ci, texts),
        "unknown": None if why.unknown is None else answers.doubts(why.unknown, texts),
        "path": why.path,
        "revision": found.answer.revision,
        "relations": reasons.document(inventory, told, now())["relations"],
        "next": _next(inventory, found, [why.ci.id]) if following else None,
    }


def _following(inventory: Inventory, found: Answered, next_: str) -> dict[str, Any] | None:
    """What would take the services of the answer down next, where that is asked."""
    return _next(inventory, found, reasons.services_of(found.evaluation)) if next_ == "services" else None


def _next(inventory: Inventory, found: Answered, of: Sequence[str]) -> dict[str, Any]:
    return reasons.next_failures(inventory, found.evaluation, of, reasons.within(_NEXT_S))
