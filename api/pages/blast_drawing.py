"""The laid out blast radius as JSON for the canvas, and as SVG for reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from api.impacts import picked
from api.pages import answers
from api.pages.blast import OTHERS, Column, Grid, Layout
from api.pages.catalogue import Texts
from cmdb.impact import Answer, Outline
from cmdb.impact.spread import MARKS
from cmdb.impact.who import ways_of
from cmdb.schema import CONCRETE

_TARGET, _UNPROTECTED, _UNMANAGED = 1, 2, 4
"""Flags of a mark: it is changed itself; it is also without backup; it is also unmanaged."""

_COLOURS: Final[Mapping[str, str]] = {
    "down": "#b3261e", "degraded": "#8a5a00", "at_risk": "#6b5b00", "leaning": "#6b5b00", "unprotected": "#6a3fa0",
    "unmanaged": "#6a3fa0",
}  # fmt: skip
_INK, _SOFT, _LINE = "#1b2326", "#5a676c", "#dce1e3"
_MARGIN: Final = 24
_TOP: Final = 64
_BOTTOM: Final = 44
_FONT: Final = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"


def document(layout: Layout, answer: Answer, texts: Texts) -> dict[str, Any]:
    """What the canvas draws: columns and grids with their titles, and the marks of each grid in the order of cells."""
    rows = drawn_of(layout, answer)
    return {
        "revision": answer.revision,
        "width": layout.width,
        "height": layout.height,
        "marks": [{"mark": name, "title": texts(f"impact.mark.{name}")} for name in MARKS],
        "also": {"2": texts("level.unprotected"), "4": texts("level.unmanaged"), "1": texts("impact.mark.target")},
        "columns": [
            {"x": one.x, "width": one.width, "title": column_title(one, texts), "total": one.total}
            for one in layout.columns
        ],
        "grids": [
            {
                "x": grid.x, "y": grid.y, "across": grid.across, "cell": grid.cell, "named": grid.named,
                "height": grid.height, "column": number, "title": grid_title(grid, texts), "total": grid.total,
                "counts": counts(grid, texts), "more": more(grid, texts),
                "items": [_item(rows[place]) for place in grid.drawn],
            }
            for number, column in enumerate(layout.columns) for grid in column.grids
        ],
    }  # fmt: skip


def drawn_of(layout: Layout, answer: Answer) -> dict[int, Outline]:
    """The rows that are drawn, by their places; those that stand together are made in one go."""
    places = sorted(place for grid in layout.grids for place in grid.drawn)
    return dict(zip(places, picked(answer.outlines, places), strict=True))


def _mark(one: Outline, levels: Sequence[str]) -> str:
    return "leaning" if levels[0] == "at_risk" and one.own is False else levels[0]


def _item(one: Outline) -> list[str | int]:
    levels = ways_of(one.now, one.was)
    return [one.ci.id, one.ci.name, MARKS.index(_mark(one, levels)), _flags(one, levels)]


def _flags(one: Outline, levels: Sequence[str]) -> int:
    also = levels[1:]
    return (
        (_TARGET if one.distance == 0 else 0)
        | (_UNPROTECTED if "unprotected" in also else 0)
        | (_UNMANAGED if "unmanaged" in also else 0)
    )


def column_title(column: Column, texts: Texts) -> str:
    """What a column holds."""
    if column.distance is None:
        return texts("impact.column.nowhere")
    if column.distance == 0:
        return texts("impact.column.target")
    if column.beyond:
        return texts("impact.column.beyond", n=column.distance)
    return texts("impact.column.one") if column.distance == 1 else texts("impact.column.steps", n=column.distance)


def grid_title(grid: Grid, texts: Texts) -> str:
    """The class of a grid and how many there are."""
    return texts("impact.others") if grid.cls == OTHERS else texts.word("class", grid.cls)


def title_widths(texts: Texts) -> dict[str, int]:
    """How wide the titles of grids are, about, with the number behind them."""
    words = {cls: texts.word("class", cls) for cls in CONCRETE} | {OTHERS: texts("impact.others")}
    return {cls: min(150, round(len(word) * _letter(word) * 6.7) + 34) for cls, word in words.items()}


def counts(grid: Grid, texts: Texts) -> str:
    """How many of each mark."""
    return texts("impact.comma").join(
        texts("impact.of_mark", n=count, mark=texts(f"impact.mark.{name}")) for name, count in grid.marks.items()
    )


def more(grid: Grid, texts: Texts) -> str:
    """The stub of a grid that is not drawn whole."""
    return texts("impact.and_more", n=f"{grid.more:,}") if grid.more else ""


def svg(layout: Layout, answer: Answer, title: str, texts: Texts) -> str:
    """A picture that needs nothing beside itself; each mark says its name when pointed at."""
    width, height = layout.width + 2 * _MARGIN, layout.height + _TOP + _BOTTOM
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family={quoteattr(_FONT)}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        _text(_MARGIN, 28, title, 17, _INK, bold=True),
        _text(_MARGIN, 48, _under(answer, texts), 13, _SOFT),
        f'<g transform="translate({_MARGIN} {_TOP})">',
    ]
    rows = drawn_of(layout, answer)
    for column in layout.columns:
        parts += _column(column, rows, texts)
    parts += ["</g>", *_legend(height - 18, texts), "</svg>"]
    return "\n".join(parts) + "\n"


def _under(answer: Answer, texts: Texts) -> str:
    where = texts("impact.revision", revision=answer.revision, hash=answer.hash[:12])
    return f"{answers.head(answer, texts)} · {where}"


def _column(column: Column, rows: Mapping[int, Outline], texts: Texts) -> Iterator[str]:
    yield _text(column.x, 12, column_title(column, texts), 12, _SOFT, bold=True)
    yield f'<path d="M{column.x} 18H{column.x + column.width}" stroke="{_LINE}"/>'
    for grid in column.grids:
        yield _text(grid.x, grid.y - 5, f"{grid_title(grid, texts)} {grid.total:,}", 11, _INK, bold=True)
        for number, place in enumerate(grid.drawn):
            yield from _cell(grid, number, rows[place], texts)
        if grid.more:
            yield _text(grid.x, grid.y + grid.height - 4, more(grid, texts), 11, _SOFT)


def _cell(grid: Grid, number: int, one: Outline, texts: Texts) -> Iterator[str]:
    x, y = grid.at(number)
    size = min(grid.cell[1], 20) if grid.named else grid.cell[0]
    levels = ways_of(one.now, one.was)
    name = _mark(one, levels)
    told = texts("impact.comma").join(texts(f"impact.mark.{name}") if level == levels[0] else texts(f"level.{level}")
                                      for level in levels)  # fmt: skip
    yield f"<g><title>{escape(f'{one.ci.name}: {told}')}</title>"
    yield shape(name, x + size / 2, y + grid.cell[1] / 2, size / 2 - 1.5)
    if one.distance == 0:
        box = f'x="{x}" y="{y + (grid.cell[1] - size) / 2:g}" width="{size}" height="{size}"'
        yield f'<rect {box} fill="none" stroke="{_INK}"/>'
    if grid.named:
        room = (grid.cell[0] - size - 8) / (_letter(one.ci.name) * 6.4)
        yield _text(x + size + 3, y + grid.cell[1] // 2 + 4, _short(one.ci.name, int(room)), 11, _INK)
    yield "</g>"


def shape(name: str, x: float, y: float, radius: float) -> str:
    """A level by shape as well as by colour."""
    r, colour = round(radius, 1), _COLOURS[name]
    filled, hollow = f'fill="{colour}"', f'fill="none" stroke="{colour}" stroke-width="1.5"'
    match name:
        case "down":
            bars = f"M{x - r / 2:g} {y - r / 2:g}l{r:g} {r:g}m0 {-r:g}l{-r:g} {r:g}"
            cross = f'<path d="{bars}" stroke="#fff" stroke-width="1.4"/>' if r >= 4 else ""
            return f'<rect x="{x - r:g}" y="{y - r:g}" width="{2 * r:g}" height="{2 * r:g}" {filled}/>{cross}'
        case "degraded":
            return f'<path d="M{x:g} {y - r:g}l{r:g} {2 * r:g}h{-2 * r:g}z" {filled}/>'
        case "at_risk" | "leaning":
            drawn = filled if name == "at_risk" else hollow
            return f'<path d="M{x:g} {y - r:g}l{r:g} {r:g}l{-r:g} {r:g}l{-r:g} {-r:g}z" {drawn}/>'
        case "unprotected":
            return f'<path d="M{x:g} {y + r:g}l{r:g} {-2 * r:g}h{-2 * r:g}z" {hollow}/>'
        case _:
            return f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" {hollow}/>'


def _legend(y: int, texts: Texts) -> Iterator[str]:
    x = _MARGIN
    for name in MARKS:
        title = texts(f"impact.mark.{name}")
        yield shape(name, x + 7, y - 4, 6)
        yield _text(x + 20, y, title, 12, _INK)
        x += 44 + round(len(title) * _letter(title) * 7)


def _letter(text: str) -> float:
    """How wide a letter is, in those of Latin: Chinese ones are nearly twice as wide."""
    return 1.8 if any(ord(letter) > 0x2E80 for letter in text) else 1.0


def _short(text: str, most: int) -> str:
    """Cut in the middle: names that begin alike often end in what tells them apart."""
    if len(text) <= most:
        return text
    tail = max(0, most - 1) // 2
    return text[: max(1, most - 1 - tail)] + "…" + (text[-tail:] if tail else "")


def _text(x: float, y: float, text: str, size: int, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{colour}"{weight}>{escape(text)}</text>'
