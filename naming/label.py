"""The labels that say where a machine stands, and the places above it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, NamedTuple

LAST_MACHINE = 999
"""The largest machine number: a label has three digits for it, and 000 is nobody."""

_LONGEST_TEXT = 200
"""Longer input is refused unread; the longest full code is far shorter."""

_LONGEST_SHOWN = 40
"""So much of a wrong text is repeated in the message."""

# Only ASCII letters and digits bound a label in free text, so that it is found between Chinese characters. A label may
# end a full code, hence a hyphen may stand before it; with one more part behind it, it is a part number and no label.
_LABEL_IN_TEXT = re.compile(r"(?<![0-9A-Z])D[0-9A-Z]{6}-[0-9]{3}(?!-?[0-9A-Z])")
_PLACE = re.compile(r"D[0-9A-Z]{2}(?:[0-9A-Z]{2}){0,2}")
_BUILDING = re.compile(r"D[0-9A-Z]{2}")
_TWO = re.compile(r"[0-9A-Z]{2}")
_THREE_DIGITS = re.compile(r"[0-9]{3}")

PlaceClass = Literal["building", "floor", "room"]
"""The CI classes of the places that a label names, in the words of the data."""

_CLASS_BY_LENGTH: dict[int, PlaceClass] = {3: "building", 5: "floor", 7: "room"}


class Grammar(NamedTuple):
    """What a kind of name looks like, as told to a person whose input did not."""

    name: str
    pattern: str
    example: str


_LABEL_GRAMMAR = Grammar("a label", "DZZXXXX-YYY", "D010210-009 (building D01, floor 02, room 10, machine 009)")
_PLACE_GRAMMAR = Grammar("a place", "DZZ, DZZXX or DZZXXXX", "D01 (building), D0102 (floor) or D010210 (room)")


class Wrong(NamedTuple):
    """The first part of a text that breaks the grammar, and why."""

    part: str
    reason: str


class LabelError(ValueError):
    """A text is not the name it should be; the message says which part is wrong, and shows the pattern and an example.

    `part` is the wrong part in one word: `building`, `floor`, `room`, `hyphen`, `machine`, `owner`, `category`, or
    where the whole is wrong `label`, `place` or `code`. `reason` says in words what it was and what it must be.
    """

    def __init__(self, grammar: Grammar, text: str, wrong: Wrong) -> None:
        super().__init__(grammar, text, wrong)
        self.part, self.reason = wrong
        self._message = (
            f"{shown(text)} is not {grammar.name}: {wrong.reason}; "
            f"the pattern is {grammar.pattern}, as in {grammar.example}"
        )

    def __str__(self) -> str:
        return self._message


def shown(text: str) -> str:
    """Quote a text for a message, with what cannot be seen escaped and what is long cut off."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "...")


def normalise(grammar: Grammar, text: str) -> str:
    """Spell a text as labels are spelt: NFKC, trimmed, upper case. Empty or overlong text is a LabelError."""
    whole = grammar.name.rpartition(" ")[2]
    if len(text) > _LONGEST_TEXT:
        raise LabelError(grammar, text, Wrong(whole, f"it is {len(text)} characters long"))
    spelt = unicodedata.normalize("NFKC", text).strip().upper()
    if not spelt:
        raise LabelError(grammar, text, Wrong(whole, "it is empty"))
    return spelt


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A building (`D01`), a floor (`D0102`) or a room (`D010210`), by its code; a malformed code is a LabelError.

    The order is that of the codes: a building comes before its floors, a floor before its rooms, digits before letters.
    """

    code: str

    def __post_init__(self) -> None:
        wrong = _wrong_place(self.code)
        if wrong is not None:
            raise LabelError(_PLACE_GRAMMAR, self.code, wrong)

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read the label of a place in any width or case; LabelError says which part is wrong."""
        spelt = normalise(_PLACE_GRAMMAR, text)
        wrong = _wrong_place(spelt)
        if wrong is not None:
            raise LabelError(_PLACE_GRAMMAR, text, wrong)
        return cls(spelt)

    def __str__(self) -> str:
        return self.code

    @property
    def ci_class(self) -> PlaceClass:
        """Which kind of place this is, as a CI class."""
        return _CLASS_BY_LENGTH[len(self.code)]

    @property
    def parent(self) -> Place | None:
        """The place that this one is in; a building is in none."""
        return None if self.ci_class == "building" else Place(self.code[:-2])

    @property
    def ancestors(self) -> tuple[Place, ...]:
        """Every place above this one, the nearest first."""
        return () if self.parent is None else (self.parent, *self.parent.ancestors)


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """Where one machine stands: the code of its room (`D010210`) and its number there, 1 to 999.

    Every instance is well formed: the constructor takes the exact spelling only and raises LabelError for any other;
    `parse` is the forgiving one. The order is that of the written labels.
    """

    room: str
    machine: int

    def __post_init__(self) -> None:
        wrong = _wrong_room(self.room)
        if wrong is None and not 1 <= self.machine <= LAST_MACHINE:
            wrong = Wrong("machine", f"the machine is {self.machine}, which must be 001 to {LAST_MACHINE}")
        if wrong is not None:
            raise LabelError(_LABEL_GRAMMAR, str(self), wrong)

    @classmethod
    def parse(cls, text: str) -> Label:
        """Read `D010210-009` in any width or case; LabelError says which part is wrong."""
        spelt = normalise(_LABEL_GRAMMAR, text)
        room, hyphen, machine = spelt.partition("-")
        wrong = _wrong_room(room) or _wrong_machine(machine) if hyphen else _without_hyphen(spelt)
        if wrong is not None:
            raise LabelError(_LABEL_GRAMMAR, text, wrong)
        return cls(room, int(machine))

    def __str__(self) -> str:
        return f"{self.room}-{self.machine:03d}"

    @property
    def building(self) -> str:
        """The code of the building, as in `D01`."""
        return self.room[:3]

    @property
    def floor(self) -> str:
        """The code of the floor with its building, as in `D0102`."""
        return self.room[:5]

    @property
    def places(self) -> tuple[Place, ...]:
        """The room, the floor and the building that this label names, the nearest first."""
        room = Place(self.room)
        return (room, *room.ancestors)


def is_label(text: str) -> bool:
    """Say whether the whole text is a label, in any width or case."""
    try:
        Label.parse(text)
    except LabelError:
        return False
    return True


def find_label(text: str) -> Label | None:
    """Find the one label in free text such as a sysLocation (SNMPv2-MIB).

        Computer room 2, d010210-009, 2nd rack from the door

    A label said twice counts once. Text with several different labels names none of them: nothing says which is meant.
    """
    spelt = unicodedata.normalize("NFKC", text).upper()
    labels = {Label.parse(found) for found in _LABEL_IN_TEXT.findall(spelt) if not found.endswith("-000")}
    return labels.pop() if len(labels) == 1 else None


def _without_hyphen(spelt: str) -> Wrong:
    """Say what is wrong with a normalised text in which no hyphen stands."""
    dash = next((sign for sign in spelt if unicodedata.category(sign) == "Pd"), None)
    if dash is not None:
        # Word processors put it there, and NFKC leaves it.
        return Wrong(
            "hyphen", f"the hyphen is {unicodedata.name(dash)} (U+{ord(dash):04X}), which must be '-' (U+002D)"
        )
    return _wrong_room(spelt[:7]) or Wrong("hyphen", "no hyphen stands between the room and the machine")


def _wrong_place(code: str) -> Wrong | None:
    """Say what is wrong with the code of a building, a floor or a room; parts that it does not have are not missed."""
    return None if _PLACE.fullmatch(code) else _wrong_room(code)


def _wrong_room(code: str) -> Wrong | None:
    """Say what is wrong with the code of a room, which has all three parts."""
    return _wrong_building(code) or _wrong_two("floor", code[3:5]) or _wrong_two("room", code[5:])


def _wrong_building(code: str) -> Wrong | None:
    building = code[:3]
    if _BUILDING.fullmatch(building):
        return None
    if not building:
        return Wrong("building", "the building is missing")
    return Wrong("building", f"the building is {shown(building)}, which must be D and two of A to Z and 0 to 9")


def _wrong_two(part: str, value: str) -> Wrong | None:
    if _TWO.fullmatch(value):
        return None
    if not value:
        return Wrong(part, f"the {part} is missing")
    return Wrong(part, f"the {part} is {shown(value)}, which must be two of A to Z and 0 to 9")


def _wrong_machine(machine: str) -> Wrong | None:
    if not machine:
        return Wrong("machine", "the machine is missing")
    if not _THREE_DIGITS.fullmatch(machine):
        return Wrong("machine", f"the machine is {shown(machine)}, which must be three digits")
    if machine == "000":
        return Wrong("machine", f"the machine is {shown(machine)}, which must be 001 to {LAST_MACHINE}")
    return None
