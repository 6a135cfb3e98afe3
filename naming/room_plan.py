"""The plan of a room, which gives each place in it a number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from naming.label import LAST_MACHINE, Label, LabelError, Place, shown

USABLE = "."
NOT_USABLE = "#"
_LONGEST_SIDE = 999
"""Lines, and places in a line, that a plan may have: no real room needs more, and it bounds the work."""

_HOW = "a plan is lines of '.' (usable) and '#' (not), north first"


class Wall(StrEnum):
    """The wall that the door of a room is in."""

    NORTH = "north"
    EAST = "east"
    SOUTH = "south"
    WEST = "west"


class GridPlace(NamedTuple):
    """One place of a plan: lines from the north, then places in the line from the west, both counted from 0."""

    row: int
    column: int


class PlanError(ValueError):
    """A room plan is not one, or has no such place or number; the message says which room, where, and what to write."""


class RoomFullError(PlanError):
    """Every number of the room is taken."""


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """A room, its grid of places and the wall that its door is in. What is wrong with them is a PlanError.

    Stand in the door and look in: columns run away from the door's wall. Number 1 is the usable place nearest that wall
    in the right-most column that has one; the numbers go along it to the far end, one column left, back, and so on. The
    walk goes over every place, usable or not: a column without any (an aisle) is walked too, and gives no number. One
    grid, drawn north first, with the door in each wall:

        south  8 3 2    north  1 6 7    west  6 7 8    east  3 2 1
               7 4 1           2 5 8          5 4 3          4 5 6
               6 5 #           3 4 #          1 2 #          8 7 #
    """

    room: Place
    grid: tuple[str, ...]
    door: Wall
    places: tuple[GridPlace, ...] = field(init=False, repr=False, compare=False)
    """Every usable place in the order of its number: number 1 is the first."""
    _numbers: dict[GridPlace, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.room.ci_class != "room":
            raise PlanError(f"{self.room} is a {self.room.ci_class}: a plan is of a room, as in D010210")
        _check(self.room, self.grid)
        places = tuple(_walk(self.grid, self.door))
        if len(places) > LAST_MACHINE:
            raise PlanError(
                f"the plan of room {self.room} has {len(places)} usable places: "
                f"a room has at most {LAST_MACHINE} numbers; mark places '#' or split the room"
            )
        # A frozen dataclass lets only object's own setter fill what is computed from its fields.
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "_numbers", {place: number for number, place in enumerate(places, start=1)})

    @classmethod
    def parse(cls, label: str, grid: str | Sequence[object], door: str) -> RoomPlan:
        """Read a plan as an estate file writes it: the grid as one text or as a list of lines.

        Blank lines before and after the grid, and blanks around its lines, do not count.
        """
        try:
            room = Place.parse(label)
        except LabelError as error:
            raise PlanError(f"the label of a room plan is wrong: {error}") from error
        try:
            wall = Wall(door.strip().lower())
        except ValueError as error:
            message = f"the door of room {room} is in the wall {shown(door)}: it must be {_either(list(Wall))}"
            raise PlanError(message) from error
        return cls(room, _lines(room, grid), wall)

    def number_of(self, place: GridPlace) -> int:
        """Give the number of a place; one that is outside the plan or not usable is a PlanError."""
        if place in self._numbers:
            return self._numbers[place]
        inside = 0 <= place.row < len(self.grid) and 0 <= place.column < len(self.grid[0])
        why = "is not usable" if inside else f"is outside its {len(self.grid)} lines of {len(self.grid[0])} places"
        raise PlanError(
            f"line {place.row + 1}, place {place.column + 1} of the plan of room {self.room} {why}: it has no number"
        )

    def place_of(self, number: int) -> GridPlace:
        """Give the place of a number; one that no place has is a PlanError."""
        if not 1 <= number <= len(self.places):
            raise PlanError(f"room {self.room} has no number {number}: {self._range}")
        return self.places[number - 1]

    def label_of(self, place: GridPlace) -> Label:
        """Give the label of the machine that stands, or would stand, at a place."""
        return Label(self.room.code, self.number_of(place))

    def next_free(self, taken: Collection[int]) -> int:
        """Give the smallest number not taken (nor in quarantine, if the caller counts those as taken).

        Taken numbers that the plan does not have are passed over. A room without a free number is a RoomFullError.
        """
        taken = frozenset(taken)
        for number in range(1, len(self.places) + 1):
            if number not in taken:
                return number
        all_taken = ", and all are taken" if self.places else ""
        raise RoomFullError(f"room {self.room} has no free number: {self._range}{all_taken}")

    @property
    def _range(self) -> str:
        return f"its numbers are 1 to {len(self.places)}" if self.places else "its plan has no usable place"


def _walk(grid: Sequence[str], door: Wall) -> list[GridPlace]:
    """Walk the usable places in the order of their numbers."""
    places: list[GridPlace] = []
    back = False
    for column in _columns(len(grid), len(grid[0]), door):
        usable = [place for place in column if grid[place.row][place.column] == USABLE]
        places += reversed(usable) if back else usable
        back = not back if places else False
    return places


def _columns(height: int, width: int, door: Wall) -> list[list[GridPlace]]:
    """Give the columns as seen from the door: the right-most first, each from the door's wall to the far end.

    Whoever looks north has the east on the right; looking south, the west; looking east, the south; looking west,
    the north.
    """
    from_north, from_west = range(height), range(width)
    from_south, from_east = from_north[::-1], from_west[::-1]
    match door:
        case Wall.SOUTH:
            return [[GridPlace(row, column) for row in from_south] for column in from_east]
        case Wall.NORTH:
            return [[GridPlace(row, column) for row in from_north] for column in from_west]
        case Wall.WEST:
            return [[GridPlace(row, column) for column in from_west] for row in from_south]
        case Wall.EAST:
            return [[GridPlace(row, column) for column in from_east] for row in from_north]


def _lines(room: Place, grid: str | Sequence[object]) -> tuple[str, ...]:
    """Cut a grid into lines without the blanks around them."""
    lines: list[str] = []
    for number, line in enumerate(grid.splitlines() if isinstance(grid, str) else grid, start=1):
        if not isinstance(line, str):
            # YAML reads `- #..` as an empty item with a comment behind it, and `- 1` as a number.
            raise PlanError(f"line {number} of the plan of room {room} is {line!r}, no text: put it in quotes; {_HOW}")
        lines.append(line.strip())
    while lines and not lines[0]:
        del lines[0]
    while lines and not lines[-1]:
        del lines[-1]
    return tuple(lines)


def _check(room: Place, grid: Sequence[str]) -> None:
    """Refuse a grid that is empty, too large, ragged, or drawn with other signs."""
    if not grid or not grid[0]:
        raise PlanError(f"the plan of room {room} is empty: {_HOW}")
    width = len(grid[0])
    if max(len(grid), width) > _LONGEST_SIDE:
        raise PlanError(
            f"the plan of room {room} is {len(grid)} by {width} places: at most {_LONGEST_SIDE} either way are allowed"
        )
    for row, line in enumerate(grid, start=1):
        for column, sign in enumerate(line, start=1):
            if sign not in (USABLE, NOT_USABLE):
                raise PlanError(f"line {row}, place {column} of the plan of room {room} is {shown(sign)}: {_HOW}")
        if len(line) != width:
            raise PlanError(
                f"line {row} of the plan of room {room} has {len(line)} places, line 1 has {width}: all need as many"
            )


def _either(walls: Sequence[Wall]) -> str:
    return ", ".join(walls[:-1]) + f" or {walls[-1]}"
