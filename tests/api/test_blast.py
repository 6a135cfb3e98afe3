"""The blast radius laid out, drawn as a file and listed: nobody is left out, nothing overlaps, everything fits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages import blast_drawing, blast_table
from api.pages.blast import DRAWN, OTHERS, Layout, laid_out
from api.pages.catalogue import LANGUAGES, read
from cmdb.impact import Answer, Evaluation, Item, Outline, Question, Standing, Unknown, evaluate
from cmdb.impact.spread import MARKS, Heap
from cmdb.model import CI, Graph
from cmdb.schema import CONCRETE

_MARKED = {
    "down": (Standing("down", "kept", "kept"), None),
    "degraded": (Standing("degraded", "kept", "kept"), None),
    "at_risk": (Standing("at_risk", "kept", "kept"), True),
    "leaning": (Standing("at_risk", "kept", "kept"), False),
    "unprotected": (Standing("up", "unprotected", "kept"), None),
    "unmanaged": (Standing("up", "kept", "unmanaged"), None),
}


def _heaped(*rows: tuple[int | None, str, Mapping[str, int]]) -> list[Heap]:
    """Heaps as the engine makes them, one after the other: (distance, class, how many of each mark)."""
    found, place = [], 0
    for distance, cls, counts in rows:
        total = sum(counts.values())
        found.append(Heap(distance, cls, counts, tuple(range(place, place + min(total, DRAWN)))))
        place += total
    return found


def _down(distance: int | None, cls: str, count: int) -> tuple[int | None, str, Mapping[str, int]]:
    return distance, cls, {"down": count}


_heaps = st.dictionaries(
    st.tuples(st.none() | st.integers(0, 40), st.sampled_from(CONCRETE)),
    st.dictionaries(st.sampled_from(MARKS), st.integers(1, 60) | st.integers(500, 900_000), min_size=1, max_size=3),
    max_size=30,
)


@given(_heaps, st.integers(1, 2_600), st.integers(1, 1_400))
def test_a_layout_counts_everybody_draws_as_many_as_it_may_and_fits(
    heaps: dict[tuple[int | None, str], dict[str, int]], width: int, height: int
) -> None:
    layout = laid_out(_heaped(*((*heap, counts) for heap, counts in heaps.items())), width, height)

    everybody = sum((Counter(counts) for counts in heaps.values()), Counter[str]())
    drawn = [place for grid in layout.grids for place in grid.drawn]
    assert layout.width == width or width < 6 * 112
    assert sum((Counter(grid.marks) for grid in layout.grids), Counter[str]()) == everybody
    assert sum(grid.total for grid in layout.grids) == everybody.total()
    assert sum(grid.more for grid in layout.grids) == everybody.total() - len(drawn)
    assert len(drawn) == len(set(drawn)) <= DRAWN
    assert all(grid.drawn for grid in layout.grids)
    assert (_overlapping(layout), _outside(layout)) == ([], [])


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
    heaps = _heaped(
        _down(0, "network_switch", 1), _down(1, "network_switch", 40), _down(2, "server", 1_550),
        _down(3, "process", 300), _down(4, "service", 109),
    )  # fmt: skip

    layout = laid_out(heaps, *size)

    assert [column.distance for column in layout.columns] == [0, 1, 2, 3, 4]
    assert [grid.more for grid in layout.grids] == [0, 0, 0, 0, 0]
    assert [grid.named for grid in layout.grids] == [True, False, False, False, True]
    assert (layout.height <= size[1], min(min(grid.cell) for grid in layout.grids) >= 8) == (True, True)


def test_a_small_answer_names_everybody() -> None:
    layout = laid_out(_heaped(_down(0, "server", 1), _down(1, "process", 12), _down(2, "service", 1)), 1220, 610)

    assert [(grid.cls, grid.named, grid.more) for grid in layout.grids] == [
        ("server", True, 0), ("process", True, 0), ("service", True, 0),
    ]  # fmt: skip


def test_services_come_first_then_the_worst_then_the_few() -> None:
    heaps = _heaped(
        _down(1, "server", 5), _down(1, "router", 1), (1, "storage", {"unmanaged": 2}), (1, "service", {"leaning": 1})
    )

    (column,) = laid_out(heaps, 1220, 610).columns

    assert [grid.cls for grid in column.grids] == ["service", "router", "server", "storage"]


def test_a_flood_is_cut_and_says_so() -> None:
    (grid,) = laid_out(_heaped(_down(1, "server", 900_000)), 1220, 610).grids

    assert (grid.total, len(grid.drawn), grid.more) == (900_000, 2_000, 898_000)
    assert blast_drawing.more(grid, read("en")) == " and 898,000 more"


def test_what_is_too_far_shares_a_column_and_what_is_too_varied_a_grid() -> None:
    heaps = _heaped(*(_down(3, cls, 1) for cls in CONCRETE), *(_down(n, "server", 1) for n in range(4, 60)))

    layout = laid_out(heaps, 900, 500)

    assert (layout.columns[-1].beyond, layout.columns[0].beyond) == (True, False)
    assert OTHERS in {grid.cls for grid in layout.grids}
    assert sum(grid.total for grid in layout.grids) == len(heaps)


def _answer(outlines: Sequence[Outline]) -> Answer:
    """An answer with these rows; the rest is of a server that is powered off."""
    return replace(_of_server("web1").answer(), outlines=outlines)


def _of_server(name: str) -> Evaluation:
    return evaluate(Graph(7, {"ci-1": CI("ci-1", "server", "default", name)}, {}), Question(("ci-1",), (), "power_off"))


def _one(number: int, mark: str, distance: int | None, name: str = "") -> Outline:
    now, own = _MARKED[mark]
    item = Item(f"ci-{number}", "server", name or f"server {number}")
    return Outline(item, now, Standing("up", "kept", "kept"), distance, own, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_svg_is_well_formed_and_each_mark_says_its_name(language: str) -> None:
    hostile = '<script>"&alert(1)</script>'
    rows = [_one(n, mark, None if n else 0, hostile if n == 1 else "") for n, mark in enumerate(MARKS)]
    heaps = [Heap(0, "server", {"down": 1}, (0,)), Heap(None, "server", dict.fromkeys(MARKS[1:], 1), (1, 2, 3, 4, 5))]
    answer, texts = _answer(rows), read(language)

    drawn = blast_drawing.svg(laid_out(heaps, 900, 500), answer, hostile, texts)

    root = ET.fromstring(drawn)
    titles = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == [
        hostile, *(f"{one.ci.name}: {texts(f'impact.mark.{mark}')}" for one, mark in zip(rows, MARKS, strict=True))
    ]  # fmt: skip
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_the_json_of_the_canvas_has_every_mark_with_its_flags() -> None:
    everything = replace(_one(1, "down", 0), now=Standing("down", "unprotected", "unmanaged"))
    heaps = [Heap(0, "server", {"down": 1}, (0,)), Heap(1, "server", {"leaning": 1}, (1,))]
    answer = _answer([everything, _one(2, "leaning", 1)])

    drawn = blast_drawing.document(laid_out(heaps, 900, 500), answer, read("en"))

    assert [grid["items"] for grid in drawn["grids"]] == [[["ci-1", "server 1", 0, 7]], [["ci-2", "server 2", 3, 0]]]
    assert [(one["title"], one["total"]) for one in drawn["columns"]] == [("Changed", 1), ("1 step", 1)]
    assert [one["counts"] for one in drawn["grids"]] == ["1 down", "1 leans on what is at risk"]


def test_the_csv_has_everybody_and_nothing_that_a_spreadsheet_would_run() -> None:
    strange = Unknown(Item("ci-2", "server", "web2"), "missing; never collected", "missing")
    answer = replace(_of_server("=cmd()").answer(), unknown=(strange,))

    rows = list(csv.DictReader(io.StringIO("".join(blast_table.lines(answer, None)))))
    filtered = list(csv.DictReader(io.StringIO("".join(blast_table.lines(answer, [0])))))

    nothing = dict.fromkeys(blast_table.COLUMNS, "")
    affected = nothing | {
        "verdict": "affected", "id": "ci-1", "class": "server", "name": "'=cmd()", "availability": "down",
        "was_availability": "up", "protection": "kept", "was_protection": "kept", "management": "kept",
        "was_management": "kept", "distance": "0", "because": "the change itself", "first_cause": "'=cmd()",
    }  # fmt: skip
    unknown = {
        "verdict": "unknown", "id": "ci-2", "class": "server", "name": "web2", "because": "missing; never collected",
    }  # fmt: skip
    assert rows == [affected, nothing | unknown]
    assert filtered == [affected]
