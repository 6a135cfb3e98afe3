"""`cmdb label`: read a label, show a room's numbers, give the next free one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.output import Exit, emit, fail, people
from api.cli.session import JSON, opened

if TYPE_CHECKING:
    from cmdb.inventory import Inventory
    from naming import RoomPlan
    from naming.room_plan import GridPlace

app = typer.Typer(help="Labels, full codes and the numbering of rooms.", no_args_is_help=True)

ROOM = Annotated[str, typer.Argument(help="a declared room with a plan, such as D010210")]


@app.command()
def parse(
    text: Annotated[str, typer.Argument(help="D010210-009 or ACME-SRV-D010210-009")], *, as_json: JSON = False
) -> None:
    """Check a label or full code and show its parts."""
    from naming import FullCode, Label

    code = FullCode.parse(text) if text.count("-") > 1 else None
    label = code.label if code else Label.parse(text)
    document = {
        "label": str(label),
        "building": label.building,
        "floor": label.floor,
        "room": label.room,
        "machine": label.machine,
    }
    if code:
        document |= {"owner": code.owner, "class": code.ci_class}
    if as_json:
        emit(document)
    else:
        people().print("  ".join(f"{name} {value}" for name, value in document.items()), markup=False)


@app.command()
def room(room: ROOM, *, as_json: JSON = False) -> None:
    """Draw a room with its numbers, north first; taken ones are marked."""
    with opened() as services:
        plan = _plan(services.inventory, room)
        taken = _taken(services.inventory, plan)
    numbers = {(place.row, place.column): number for number, place in enumerate(plan.places, start=1)}
    if as_json:
        emit(
            {
                "room": str(plan.room),
                "door": plan.door.value,
                "places": [
                    {"line": row + 1, "place": column + 1, "number": number, "taken": number in taken}
                    for (row, column), number in sorted(numbers.items())
                ],
            }
        )
        return
    for row, line in enumerate(plan.grid):
        drawn = []
        for column in range(len(line)):
            number = numbers.get((row, column))
            drawn.append("   # " if number is None else f" {number:03}{'*' if number in taken else ' '}")
        people().print("".join(drawn), markup=False)
    people().print(f"door: {plan.door.value}; * taken", markup=False)


@app.command(name="next")
def next_free(room: ROOM, *, as_json: JSON = False) -> None:
    """Give the next free label of a room."""
    with opened() as services:
        plan = _plan(services.inventory, room)
        free = plan.place_of(plan.next_free(_taken(services.inventory, plan)))
    _print_label(plan, free, as_json=as_json)


@app.command()
def number(
    room: ROOM,
    line: Annotated[int, typer.Argument(min=1, help="line of the plan, counted from the north")],
    place: Annotated[int, typer.Argument(min=1, help="place in the line, counted from the west")],
    *,
    as_json: JSON = False,
) -> None:
    """Give the label of a place in a room."""
    from naming.room_plan import GridPlace

    with opened() as services:
        _print_label(_plan(services.inventory, room), GridPlace(line - 1, place - 1), as_json=as_json)


@app.command()
def place(label: Annotated[str, typer.Argument(help="such as D010210-009")], *, as_json: JSON = False) -> None:
    """Say where in its room a label is."""
    from naming import Label

    parsed = Label.parse(label)
    with opened() as services:
        plan = _plan(services.inventory, parsed.room)
    found = plan.place_of(parsed.machine)
    if as_json:
        emit(_place_document(plan, found))
    else:
        people().print(f"line {found.row + 1} from the north, place {found.column + 1} from the west")


def _print_label(plan: RoomPlan, place: GridPlace, *, as_json: bool) -> None:
    """The label alone, so that a script can take it; where it is stands in the JSON."""
    if as_json:
        emit(_place_document(plan, place))
    else:
        people().print(str(plan.label_of(place)), markup=False)


def _place_document(plan: RoomPlan, place: GridPlace) -> dict[str, object]:
    return {"label": str(plan.label_of(place)), "line": place.row + 1, "place": place.column + 1}


def _plan(inventory: Inventory, room: str) -> RoomPlan:
    from naming import RoomPlan

    target = inventory.target(room)
    stored = inventory.stored(target.cis[0]) if target.cis else None
    if stored is None or stored.ci.cls != "room":
        fail(Exit.BAD_INPUT, f"{room!r} is no room: name a declared room such as D010210")
    grid, door = stored.ci.attributes.get("grid"), stored.ci.attributes.get("door")
    if not isinstance(grid, str | tuple) or not isinstance(door, str):
        fail(Exit.BAD_INPUT, f"room {stored.ci.name} has no plan: declare its grid and door")
    lines = grid if isinstance(grid, str) else "\n".join(str(line) for line in grid)
    return RoomPlan.parse(stored.ci.label or stored.ci.name, lines, door)


def _taken(inventory: Inventory, plan: RoomPlan) -> frozenset[int]:
    """The numbers in use, and those of former labels: a label is not used again while its quarantine runs."""
    from naming import Label

    return frozenset(Label.parse(text).machine for text in inventory.labels(f"{plan.room}-"))
