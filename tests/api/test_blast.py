"""The blast radius laid out, drawn as a file and listed: nobody is left out, nothing overlaps, everything fits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.impacts import NOWHERE, Wanted
from api.pages import blast_drawing, blast_table
from api.pages.blast import LEAST_WIDTH, OTHERS, Layout, laid_out
from api.pages.catalogue import LANGUAGES, read
from api.pages.sieve import DRAWN, MARKS, Heap, sift
from cmdb.impact import Answer, Item, Outline, Question, Standing, Unknown, evaluate
from cmdb.model import CI, Graph
from cmdb.schema import CONCRETE

_WELL = Standing("up", "kept", "kept")
_DOWN = Standing("down", "kept", "kept")
_D01 = Item("ci-900001", "building", "D01")
_EVERYBODY = Wanted()


def _one(
    number: int,
    cls: str = "server",
    distance: int | None = 1,
    now: Standing = _DOWN,
    *,
    own: bool | None = None,
    site: Item | None = None,
    name: str = "",
) -> Outline:
    return Outline(Item(f"ci-{number}", cls, name or f"{cls} {number}"), now, _WELL, distance, own, site)


def _answer(outlines: Sequence[Outline]) -> Answer:
    """An answer with these rows; the rest is of a server that is powered off."""
    server = CI("ci-1", "server", "default", "web1")
    made = evaluate(Graph(7, {"ci-1": server}, {}), Question(("ci-1",), (), "power_off"))
    return replace(made, outlines=outlines)


_MARKED = {
    "down": (_DOWN, None),
    "degraded": (Standing("degraded", "kept", "kept"), None),
    "at_risk": (Standing("at_risk", "kept", "kept"), True),
    "leaning": (Standing("at_risk", "kept", "kept"), False),
    "unprotected": (Standing("up", "unprotected", "kept"), None),
    "unmanaged": (Standing("up", "kept", "unmanaged"), None),
}
_heaps = st.dictionaries(
    st.tuples(st.none() | st.integers(0, 40), st.sampled_from(CONCRETE), st.sampled_from(MARKS)),
    st.integers(1, 60) | st.sampled_from((900, 3_000)),
    max_size=20,
)


def _rows(heaps: dict[tuple[int | None, str, str], int]) -> list[Outline]:
    return [
        _one(number, cls, distance, _MARKED[mark][0], own=_MARKED[mark][1])
        for number, (distance, cls, mark) in enumerate(
            heap for heap, count in heaps.items() for _ in range(count)
        )
    ]  # fmt: skip


@settings(max_examples=50)
@given(_heaps, st.integers(1, 2_600), st.integers(1, 1_400))
def test_a_layout_counts_everybody_draws_as_many_as_it_may_and_fits(
    heaps: dict[tuple[int | None, str, str], int], width: int, height: int
) -> None:
    rows = _rows(heaps)

    layout = laid_out(sift(_answer(rows), _EVERYBODY), width, height)

    assert layout.width == max(width, LEAST_WIDTH)
    assert sum(grid.total for grid in layout.grids) == len(rows)
    assert sum(len(grid.drawn) for grid in layout.grids) <= DRAWN
    assert sum((Counter(grid.marks) for grid in layout.grids), Counter[str]()) == Counter(
        mark for (_, _, mark), count in heaps.items() for _ in range(count)
    )
    assert all(grid.drawn for grid in layout.grids)
    drawn = [one.ci.id for grid in layout.grids for one in grid.drawn]
    assert len(set(drawn)) == len(drawn)
    assert _overlapping(layout) == []
    assert _outside(layout) == []


def _boxes(layout: Layout) -> list[tuple[int, int, int, int]]:
    """The cells of each grid with its title above them: left, top, right, bottom."""
    return [
        (grid.x, grid.y - 14, grid.x + grid.across * grid.cell[0], grid.y + grid.height)
        for column in layout.columns
        for grid in column.grids
    ]


def _overlapping(layout: Layout) -> list[object]:
    boxes = _boxes(layout)
    return [
        (one, other)
        for place, one in enumerate(boxes)
        for other in boxes[place + 1 :]
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]


def _outside(layout: Layout) -> list[object]:
    columns = [column for column in layout.columns if column.x < 0 or column.x + column.width > layout.width]
    return [*columns, *(box for box in _boxes(layout) if box[2] > layout.width or box[3] > layout.height)]


@pytest.mark.parametrize("size", [(1220, 610), (900, 610), (1864, 890), (2540, 1250)], ids=str)
def test_two_thousand_fit_in_one_screen_with_none_left_out(size: tuple[int, int]) -> None:
    rows = [_one(0, "network_switch", 0)]
    rows += [_one(1 + n, "network_switch", 1) for n in range(40)]
    rows += [_one(100 + n, "server", 2) for n in range(1_550)]
    rows += [_one(2_000 + n, "process", 3) for n in range(300)]
    rows += [_one(3_000 + n, "service", 4) for n in range(109)]

    layout = laid_out(sift(_answer(rows), _EVERYBODY), *size)

    assert [column.distance for column in layout.columns] == [0, 1, 2, 3, 4]
    assert [grid.more for grid in layout.grids] == [0, 0, 0, 0, 0]
    assert layout.height <= size[1]
    assert [grid.named for grid in layout.grids] == [True, False, False, False, True]
    assert min(min(grid.cell) for grid in layout.grids) >= 8


def test_a_small_answer_names_everybody() -> None:
    rows = [_one(0, "server", 0), *(_one(1 + n, "process", 1) for n in range(12)), _one(99, "service", 2)]

    layout = laid_out(sift(_answer(rows), _EVERYBODY), 1220, 610)

    assert [(grid.cls, grid.named, grid.more) for grid in layout.grids] == [
        ("server", True, 0), ("process", True, 0), ("service", True, 0),
    ]  # fmt: skip
    assert layout.height < 610


def test_services_come_first_then_the_worst_then_the_few() -> None:
    rows = [
        *(_one(n, "server", 1) for n in range(5)),
        _one(10, "router", 1),
        *(_one(20 + n, "storage", 1, Standing("up", "kept", "unmanaged")) for n in range(2)),
        _one(30, "service", 1, Standing("at_risk", "kept", "kept"), own=False),
    ]

    (column,) = laid_out(sift(_answer(rows), _EVERYBODY), 1220, 610).columns

    assert [grid.cls for grid in column.grids] == ["service", "router", "server", "storage"]


def test_a_flood_is_cut_and_says_so() -> None:
    rows = [_one(n, "server", 1) for n in range(50_000)]

    (grid,) = laid_out(sift(_answer(rows), _EVERYBODY), 1220, 610).grids

    assert (grid.total, len(grid.drawn), grid.more) == (50_000, 2_000, 48_000)
    assert blast_drawing.more(grid, read("en")) == " and 48,000 more"


def test_what_is_too_far_shares_a_column_and_what_is_too_varied_a_grid() -> None:
    rows = [_one(n, cls, 3) for n, cls in enumerate(CONCRETE)] + [_one(1_000 + n, "server", n) for n in range(60)]

    layout = laid_out(sift(_answer(rows), _EVERYBODY), 900, 500)

    assert (layout.columns[-1].beyond, layout.columns[0].beyond) == (True, False)
    assert OTHERS in {grid.cls for grid in layout.grids}
    assert sum(grid.total for grid in layout.grids) == len(rows)


def test_a_reader_filters_by_level_class_and_site() -> None:
    rows = [
        _one(1, "server", 0, _DOWN, site=_D01),
        _one(2, "service", 1, Standing("degraded", "unprotected", "kept")),
        _one(3, "storage", 1, Standing("up", "kept", "unmanaged"), site=_D01),
        _one(4, "server", 2, Standing("at_risk", "kept", "kept"), own=False),
    ]
    answer = _answer(rows)

    everybody = sift(answer, _EVERYBODY)
    found = {
        "unprotected": sift(answer, Wanted(levels=frozenset({"unprotected"}))).places,
        "two levels": sift(answer, Wanted(levels=frozenset({"down", "at_risk"}))).places,
        "server": sift(answer, Wanted(classes=frozenset({"server"}))).places,
        "D01": sift(answer, Wanted(site=_D01.id)).places,
        "nowhere": sift(answer, Wanted(site=NOWHERE)).places,
        "server in D01": sift(answer, Wanted(classes=frozenset({"server"}), site=_D01.id)).places,
    }

    assert found == {
        "unprotected": [1], "two levels": [0, 3], "server": [0, 3], "D01": [0, 2], "nowhere": [1, 3],
        "server in D01": [0],
    }  # fmt: skip
    assert everybody.levels == Counter(down=1, degraded=1, at_risk=1, unprotected=1, unmanaged=1)
    assert everybody.sites == Counter({(_D01.id, "D01"): 2, (NOWHERE, ""): 2})
    assert everybody.heaps == {
        Heap(0, "server"): Counter(down=1), Heap(1, "service"): Counter(degraded=1),
        Heap(1, "storage"): Counter(unmanaged=1), Heap(2, "server"): Counter(leaning=1),
    }  # fmt: skip


def test_a_pass_is_bounded_and_says_what_it_left_out() -> None:
    found = sift(_answer([_one(n) for n in range(50)]), _EVERYBODY, most=20)

    assert (found.looked, found.short_of, len(found.places)) == (20, 30, 20)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_svg_is_well_formed_and_each_mark_says_its_name(language: str) -> None:
    hostile = '<script>"&alert(1)</script>'
    rows = [
        _one(number, "server", 0 if number == 0 else None, now, own=own, name=hostile if number == 1 else "")
        for number, (now, own) in enumerate(_MARKED.values())
    ]
    answer, texts = _answer(rows), read(language)

    drawn = blast_drawing.svg(laid_out(sift(answer, _EVERYBODY), 900, 500), answer, hostile, texts)

    root = ET.fromstring(drawn)
    titles = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}title")]
    names = [one.ci.name for one in rows]
    assert titles[0] == hostile
    assert sorted(titles[1:]) == sorted(
        f"{name}: {texts(f'impact.mark.{mark}')}" for name, mark in zip(names, _MARKED, strict=True)
    )
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_the_json_of_the_canvas_has_every_mark_with_its_flags() -> None:
    rows = [
        _one(1, "server", 0, Standing("down", "unprotected", "unmanaged")),
        _one(2, "service", 1, Standing("at_risk", "kept", "kept"), own=False),
    ]
    answer = _answer(rows)

    drawn = blast_drawing.document(laid_out(sift(answer, _EVERYBODY), 900, 500), answer, read("en"))

    assert [grid["items"] for grid in drawn["grids"]] == [[["ci-1", "server 1", 0, 7]], [["ci-2", "service 2", 3, 0]]]
    assert [(one["title"], one["total"]) for one in drawn["columns"]] == [("Changed", 1), ("1 step", 1)]
    assert [one["counts"] for one in drawn["grids"]] == ["1 down", "1 leans on what is at risk"]


def test_the_csv_has_everybody_and_nothing_that_a_spreadsheet_would_run() -> None:
    server = CI("ci-1", "server", "default", "=cmd()")
    answer = evaluate(Graph(7, {"ci-1": server}, {}), Question(("ci-1",), (), "power_off"))
    answer = replace(answer, unknown=(Unknown(Item("ci-2", "server", "web2"), "missing; never collected", "missing"),))

    rows = list(csv.DictReader(io.StringIO("".join(blast_table.lines(answer, _EVERYBODY)))))
    filtered = list(csv.DictReader(io.StringIO("".join(blast_table.lines(answer, Wanted(site="ci-77"))))))

    nothing = dict.fromkeys(blast_table.COLUMNS, "")
    affected = {
        "verdict": "affected", "id": "ci-1", "class": "server", "name": "'=cmd()", "availability": "down",
        "was_availability": "up", "protection": "kept", "was_protection": "kept", "management": "kept",
        "was_management": "kept", "distance": "0", "because": "the change itself", "first_cause": "'=cmd()",
    }  # fmt: skip
    unknown = {
        "verdict": "unknown", "id": "ci-2", "class": "server", "name": "web2", "because": "missing; never collected",
    }  # fmt: skip
    assert rows == [nothing | affected, nothing | unknown]
    assert filtered == []
