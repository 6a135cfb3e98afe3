"""The numbers of a room: seen from its door, in a U, each usable place once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naming import GridPlace, Label, Place, PlanError, RoomFullError, RoomPlan, Wall

ROOM = Place("D010210")
TURNED = {Wall.NORTH: Wall.EAST, Wall.EAST: Wall.SOUTH, Wall.SOUTH: Wall.WEST, Wall.WEST: Wall.NORTH}
"""Which wall each one becomes when the room is turned clockwise by 90 degrees."""


@st.composite
def grids(draw: st.DrawFn, signs: str = ".#") -> tuple[str, ...]:
    width = draw(st.integers(1, 9))
    return tuple(draw(st.lists(st.text(signs, min_size=width, max_size=width), min_size=1, max_size=9)))


plans = st.builds(RoomPlan, st.just(ROOM), grids(), st.sampled_from(Wall))
open_plans = st.builds(RoomPlan, st.just(ROOM), grids("."), st.sampled_from(Wall))


def drawn(plan: RoomPlan) -> list[str]:
    """Draw a plan with its numbers, north first."""
    return [
        " ".join(
            str(plan.number_of(GridPlace(row, column))) if sign == "." else "#" for column, sign in enumerate(line)
        )
        for row, line in enumerate(plan.grid)
    ]


@given(plans)
def test_every_usable_place_has_a_number_of_its_own_and_none_is_left_out(plan: RoomPlan) -> None:
    usable = {
        GridPlace(row, column) for row, line in enumerate(plan.grid) for column, sign in enumerate(line) if sign == "."
    }

    numbers = {place: plan.number_of(place) for place in usable}

    assert sorted(numbers.values()) == list(range(1, len(usable) + 1))
    assert {plan.place_of(number): number for number in numbers.values()} == numbers


@given(open_plans)
def test_without_unusable_places_consecutive_numbers_share_an_edge(plan: RoomPlan) -> None:
    steps = {
        abs(one.row - other.row) + abs(one.column - other.column)
        for one, other in zip(plan.places, plan.places[1:], strict=False)
    }

    assert steps <= {1}


@given(plans)
def test_turning_the_room_with_its_door_changes_no_number(plan: RoomPlan) -> None:
    turned = RoomPlan(ROOM, tuple("".join(column) for column in zip(*plan.grid[::-1], strict=True)), TURNED[plan.door])

    moved = [GridPlace(place.column, len(plan.grid) - 1 - place.row) for place in plan.places]

    assert list(turned.places) == moved


@given(plans)
def test_number_1_is_nearest_the_wall_of_the_door_in_its_column(plan: RoomPlan) -> None:
    if not plan.places:
        return
    first = plan.places[0]

    match plan.door:
        case Wall.NORTH | Wall.SOUTH:
            rows = [place.row for place in plan.places if place.column == first.column]
            assert first.row == (min(rows) if plan.door is Wall.NORTH else max(rows))
        case Wall.EAST | Wall.WEST:
            columns = [place.column for place in plan.places if place.row == first.row]
            assert first.column == (min(columns) if plan.door is Wall.WEST else max(columns))


@pytest.mark.parametrize(
    ("door", "expected"),
    [
        pytest.param("south", ["10 9 4 3", "11 8 5 2", "12 7 6 1"], id="south: looking north, right is east"),
        pytest.param("north", ["1 6 7 12", "2 5 8 11", "3 4 9 10"], id="north: looking south, right is west"),
        pytest.param("west", ["9 10 11 12", "8 7 6 5", "1 2 3 4"], id="west: looking east, right is south"),
        pytest.param("east", ["4 3 2 1", "5 6 7 8", "12 11 10 9"], id="east: looking west, right is north"),
    ],
)
def test_a_full_room_is_numbered_in_a_u_as_seen_from_its_door(door: str, expected: list[str]) -> None:
    plan = RoomPlan.parse("D010210", "....\n....\n....\n", door)

    assert drawn(plan) == expected


@pytest.mark.parametrize(
    ("door", "expected"),
    [
        ("south", ["8 3 2", "7 4 1", "6 5 #"]),
        ("north", ["1 6 7", "2 5 8", "3 4 #"]),
        ("west", ["6 7 8", "5 4 3", "1 2 #"]),
        ("east", ["3 2 1", "4 5 6", "8 7 #"]),
    ],
)
def test_a_place_that_is_not_usable_has_no_number(door: str, expected: list[str]) -> None:
    plan = RoomPlan.parse("D010210", ["...", "...", "..#"], door)

    assert drawn(plan) == expected


def test_the_walk_begins_at_the_first_column_with_a_place_and_goes_over_an_aisle_too() -> None:
    plan = RoomPlan.parse("D010210", [".#.#", ".#.#"], "south")

    assert drawn(plan) == ["4 # 2 #", "3 # 1 #"]


def test_a_plan_is_read_from_text_or_lines_with_blanks_around_them() -> None:
    expected = RoomPlan(ROOM, ("..", "#."), Wall.EAST)

    assert RoomPlan.parse(" d010210", "\n  ..\n  #.  \n\n", " East ") == expected
    assert RoomPlan.parse("D010210", ["..", "#.", ""], "east") == expected


def test_a_place_gives_the_label_of_what_stands_there() -> None:
    plan = RoomPlan.parse("D010210", "..\n..", "south")

    assert plan.label_of(GridPlace(row=0, column=0)) == Label("D010210", 3)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        pytest.param([], 1, id="an empty room"),
        pytest.param([1, 2, 4], 3, id="a gap"),
        pytest.param([3, 1, 2, 1], 4, id="in any order, said twice"),
        pytest.param([1, 900], 2, id="a number that the plan does not have"),
    ],
)
def test_the_next_free_number_is_the_smallest_not_taken(taken: list[int], expected: int) -> None:
    plan = RoomPlan.parse("D010210", "..\n..", "south")

    assert plan.next_free(taken) == expected


@given(plans, st.sets(st.integers(1, 81)))
def test_the_next_free_number_is_free_and_all_below_it_are_taken(plan: RoomPlan, taken: set[int]) -> None:
    try:
        free = plan.next_free(taken)
    except RoomFullError:
        assert taken >= set(range(1, len(plan.places) + 1))
    else:
        assert free not in taken
        assert taken >= set(range(1, free))
        assert free <= len(plan.places)


@pytest.mark.parametrize(
    ("grid", "taken", "said"),
    [
        ("..\n..", [1, 2, 3, 4], "room D010210 has no free number: its numbers are 1 to 4, and all are taken"),
        ("##", [], "room D010210 has no free number: its plan has no usable place"),
    ],
)
def test_a_full_room_has_no_next_number(grid: str, taken: list[int], said: str) -> None:
    plan = RoomPlan.parse("D010210", grid, "south")

    with pytest.raises(RoomFullError) as caught:
        plan.next_free(taken)

    assert str(caught.value) == said


def test_999_places_all_have_a_number() -> None:
    plan = RoomPlan.parse("D010210", ["." * 37] * 27, "south")

    assert (len(plan.places), str(plan.label_of(plan.place_of(999)))) == (999, "D010210-999")


HOW = "a plan is lines of '.' (usable) and '#' (not), north first"


@pytest.mark.parametrize(
    ("label", "grid", "door", "said"),
    [
        pytest.param(
            "D0102",
            "..",
            "south",
            "D0102 is a floor: a plan is of a room, as in D010210",
            id="a floor",
        ),
        pytest.param(
            "D01021",
            "..",
            "south",
            "the label of a room plan is wrong: "
            "'D01021' is not a place: the room is '1', which must be two of A to Z and 0 to 9; "
            "the pattern is DZZ, DZZXX or DZZXXXX, as in D01 (building), D0102 (floor) or D010210 (room)",
            id="a malformed label",
        ),
        pytest.param(
            "D010210",
            "..",
            "sout",
            "the door of room D010210 is in the wall 'sout': it must be north, east, south or west",
            id="an unknown door",
        ),
        pytest.param("D010210", "", "south", f"the plan of room D010210 is empty: {HOW}", id="an empty text"),
        pytest.param("D010210", [], "south", f"the plan of room D010210 is empty: {HOW}", id="no line"),
        pytest.param("D010210", ["", " "], "south", f"the plan of room D010210 is empty: {HOW}", id="blank lines"),
        pytest.param(
            "D010210",
            "...\n..\n...",
            "south",
            "line 2 of the plan of room D010210 has 2 places, line 1 has 3: all need as many",
            id="a ragged grid",
        ),
        pytest.param(
            "D010210",
            "..\n\n..",
            "south",
            "line 2 of the plan of room D010210 has 0 places, line 1 has 2: all need as many",
            id="a blank line between",
        ),
        pytest.param(
            "D010210", "...\n.x.", "south", f"line 2, place 2 of the plan of room D010210 is 'x': {HOW}", id="a sign"
        ),
        pytest.param(
            "D010210",
            ["..", None],
            "south",
            f"line 2 of the plan of room D010210 is None, no text: put it in quotes; {HOW}",
            id="a line that YAML took for a comment",
        ),
        pytest.param(
            "D010210",
            ["." * 40] * 25,
            "south",
            "the plan of room D010210 has 1000 usable places: a room has at most 999 numbers; "
            "mark places '#' or split the room",
            id="a thousand places",
        ),
        pytest.param(
            "D010210",
            "#" * 1000,
            "south",
            "the plan of room D010210 is 1 by 1000 places: at most 999 either way are allowed",
            id="too long a line",
        ),
    ],
)
def test_a_bad_plan_is_told_what_is_wrong_with_it(label: str, grid: str | list[object], door: str, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        RoomPlan.parse(label, grid, door)

    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (0, 1, "line 1, place 2 of the plan of room D010210 is not usable: it has no number"),
        (2, 0, "line 3, place 1 of the plan of room D010210 is outside its 2 lines of 2 places: it has no number"),
        (0, -1, "line 1, place 0 of the plan of room D010210 is outside its 2 lines of 2 places: it has no number"),
    ],
)
def test_a_place_without_a_number_is_told_why(row: int, column: int, said: str) -> None:
    plan = RoomPlan.parse("D010210", ".#\n..", "south")

    with pytest.raises(PlanError) as caught:
        plan.number_of(GridPlace(row, column))

    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("grid", "number", "said"),
    [
        ("..", 0, "room D010210 has no number 0: its numbers are 1 to 2"),
        ("..", 3, "room D010210 has no number 3: its numbers are 1 to 2"),
        ("#", 1, "room D010210 has no number 1: its plan has no usable place"),
    ],
)
def test_a_number_without_a_place_is_told_which_there_are(grid: str, number: int, said: str) -> None:
    plan = RoomPlan.parse("D010210", grid, "south")

    with pytest.raises(PlanError) as caught:
        plan.place_of(number)

    assert str(caught.value) == said
