"""An estate file as it is written: its rows with their lines, and the values in them with their types."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

import yaml

from cmdb.model import ModelError, Scalar, Value, check_value

SHEETS: Final = ("cis", "relations", "groups", "rooms")
_TAG: Final = "tag:yaml.org,2002:"
# YAML 1.1 reads 010 as eight and 10:20 as 620; whoever writes that means something else.
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORDS: Final = {str: "text", int: "a whole number", bool: "true or false", float: "a number"}


class Place(NamedTuple):
    """Where in the file something stands: its line, and in words."""

    line: int
    where: str


@dataclass(slots=True)
class Problems:
    """All that is wrong with one file, said at once, and what is only odd."""

    file: str
    lined: bool = True
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, place: Place, text: str) -> None:
        self.errors.append(self._at(place, text))

    def warn(self, place: Place, text: str) -> None:
        warning = self._at(place, text)
        if warning not in self.warnings:
            self.warnings.append(warning)

    def raise_if_any(self) -> None:
        """Raise ModelError with every problem, a line each."""
        if not self.errors:
            return
        if len(self.errors) == 1:
            raise ModelError(self.errors[0])
        raise ModelError("\n".join((f"{self.file}: {len(self.errors)} problems, nothing was declared:", *self.errors)))

    def _at(self, place: Place, text: str) -> str:
        file = f"{self.file}:{place.line}" if self.lined and place.line else self.file
        return f"{file}: {place.where}: {text}" if place.where else f"{file}: {text}"


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a sheet; its fields are still nodes, so that each is read as the type that it must have."""

    place: Place
    fields: Mapping[str, yaml.Node]

    def at(self, name: str) -> Place:
        """The place of one of the fields."""
        line = _line(self.fields[name]) if name in self.fields else self.place.line
        return Place(line, f"{self.place.where}, {name}" if self.place.where else name)


class Bad(Exception):
    """A value is not what it must be; the text says what is and what must be."""


def read_rows(text: str, problems: Problems) -> dict[str, list[Row]]:
    """The rows of each sheet. What is no YAML, or no estate, raises ModelError at once; the rest is collected."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(Place(mark.line + 1 if mark else 0, ""), f"this is no YAML: {error.problem or error.context}")
    except (yaml.YAMLError, RecursionError) as error:
        problems.add(Place(0, ""), f"this is no YAML: {str(error) or 'it is nested too deeply'}")
    problems.raise_if_any()
    if root is None:
        problems.add(Place(0, ""), "the file is empty; to take back all that it said before, write `cis: []`")
    elif not isinstance(root, yaml.MappingNode):
        problems.add(Place(_line(root), ""), f"an estate has the keys {', '.join(SHEETS)}, this is none")
    problems.raise_if_any()
    sheets = _fields(root, Place(1, ""), problems) if isinstance(root, yaml.MappingNode) else {}
    for name in sheets.keys() - set(SHEETS):
        problems.add(Place(_line(sheets[name]), ""), f"unknown key {name!r}; an estate has {', '.join(SHEETS)}")
    return {name: _rows(name, sheets.get(name), problems) for name in SHEETS}


def _rows(sheet: str, node: yaml.Node | None, problems: Problems) -> list[Row]:
    if node is None or _is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        problems.add(Place(_line(node), sheet), "must be a list, each entry behind a hyphen")
        return []
    rows = []
    for number, item in enumerate(node.value):
        place = Place(_line(item), f"{sheet}[{number}]")
        if isinstance(item, yaml.MappingNode):
            rows.append(Row(place, _fields(item, place, problems)))
        else:
            problems.add(place, "must be an entry with keys, as in {class: server, name: web1}")
    return rows


def _fields(node: yaml.MappingNode, place: Place, problems: Problems) -> dict[str, yaml.Node]:
    fields: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name is None or name == "<<":
            problems.add(Place(_line(key), place.where), "a key must be a plain word")
        elif name in fields:
            problems.add(Place(_line(key), place.where), f"the key {name!r} is given twice")
        else:
            fields[name] = value
    return fields


def scalar(node: yaml.Node, type_: type | None) -> Scalar:
    """A value of the type, or of the type that it is written as (None). Raises Bad.

    Text is taken as it is written: a serial 0042 and a port 1:20 stay what they are.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise Bad(f"must be {WORDS.get(type_, 'a single value') if type_ else 'a single value'}")
    if _is_null(node):
        raise Bad("has no value; leave out what is not known")
    written, tag = str(node.value), str(node.tag).removeprefix(_TAG)
    if type_ is None:
        return _as_written(node, written, tag)
    if type_ is str:
        if not written.strip():
            raise Bad("is empty text")
        return written.strip()
    if type_ is int and tag == "int" and _WHOLE.fullmatch(written):
        return int(written)
    if type_ is bool and tag == "bool":
        return _truth(written)
    if type_ is float and tag in {"int", "float"} and (number := _number(written)) is not None:
        return number
    raise Bad(f"must be {WORDS[type_]}, not {written!r}")


def value(node: yaml.Node, type_: type | None) -> Value:
    """A value, or a list of values, of the type. Raises Bad."""
    if isinstance(node, yaml.SequenceNode):
        items = tuple(scalar(item, type_) for item in node.value)
        try:
            return check_value(items, "the list")
        except ModelError as error:
            raise Bad(str(error)) from error
    try:
        return check_value(scalar(node, type_), "the value")
    except ModelError as error:
        raise Bad(str(error)) from error


def texts(node: yaml.Node) -> tuple[str, ...]:
    """One text, or a list of texts. Raises Bad."""
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return tuple(str(scalar(item, str)) for item in items)


def named_group(node: yaml.Node) -> str | None:
    """The name in `{group: NAME}`; None for any other node. Raises Bad where more or less stands in it."""
    if not isinstance(node, yaml.MappingNode):
        return None
    if len(node.value) != 1 or node.value[0][0].value != "group":
        raise Bad("a leg is a CI, or {group: NAME}")
    return str(scalar(node.value[0][1], str))


def text_node(text: str, like: yaml.Node) -> yaml.Node:
    """Text as if it stood where another node stands."""
    return yaml.ScalarNode(f"{_TAG}str", text, like.start_mark, like.end_mark)


def items(node: yaml.Node) -> list[yaml.Node]:
    """The entries of a list. Raises Bad where it is none."""
    if not isinstance(node, yaml.SequenceNode):
        raise Bad("must be a list")
    return list(node.value)


def _as_written(node: yaml.ScalarNode, written: str, tag: str) -> Scalar:
    if tag == "bool":
        return _truth(written)
    if tag == "int" and _WHOLE.fullmatch(written):
        return int(written)
    if tag == "float" and (number := _number(written)) is not None:
        return number
    if tag == "timestamp":
        # A day, or a time without a zone, is kept as text: nobody said where.
        time = yaml.SafeLoader("").construct_yaml_timestamp(node)
        return time.astimezone(UTC) if isinstance(time, datetime) and time.tzinfo is not None else written
    return written


def _truth(written: str) -> bool:
    return written.lower() in {"true", "yes", "on"}


def _number(written: str) -> float | None:
    try:
        number = float(written.replace("_", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == f"{_TAG}null"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
