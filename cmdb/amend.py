"""Values entered by hand: a declared section of its own for each CI, replaced as a whole with each change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from cmdb.absorb import Known
from cmdb.estate_file import WORDS
from cmdb.lines import not_replaced
from cmdb.model import (
    CI,
    SCHEMES,
    Completeness,
    Graph,
    Identifier,
    ModelError,
    Report,
    Section,
    Statement,
    Subject,
    Value,
    check_value,
)
from cmdb.project_values import HAND
from cmdb.schema import CI_CLASSES, attribute_row
from naming import Label


def amended(known: Known, graph: Graph, ci: CI, values: Mapping[str, Value | None], now: datetime) -> Report:
    """The report that says all that is entered by hand of a CI, with `values` entered, or taken back (None).

    Raises ModelError for a value that the class table does not allow.
    """
    source = f"{HAND}{ci.id}"
    entered = dict(_entered(known, ci.space, source))
    for name, value in values.items():
        if value is None:
            entered.pop(name, None)
        else:
            entered[name] = _checked(ci, name, value)
    statements = (Statement(_subject(ci, graph), MappingProxyType(entered)),) if entered else ()
    section = Section("declared", now, Completeness.FULL, statements)
    return Report(source, now, (section,), ci.space)


def _entered(known: Known, space: str, source: str) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for said in not_replaced(known.world.at(space, source)):
        for statement in said.held.section.statements:
            found |= statement.attributes
    return found


def _checked(ci: CI, name: str, value: Value) -> Value:
    where = f"{ci.name}, {name}"
    if name == "label":
        return str(Label.parse(str(value)))
    if name == "name":
        raise ModelError(f"{where}: a name is not entered by hand; declare the CI under the name that it should have")
    checked = check_value(value, where)
    row = attribute_row(ci.cls, name)
    items = checked if isinstance(checked, tuple) else (checked,)
    if row is not None and any(type(item) is not row.type for item in items):
        raise ModelError(f"{where}: must be {WORDS[row.type]}, not {value!r}")
    return checked


def _subject(ci: CI, graph: Graph) -> Subject:
    """How to name a CI so that what is entered stays with it: by its strongest identifiers that no other has."""
    for scheme in SCHEMES:
        mine = {one for one in ci.identifiers if one.scheme == scheme}
        own = {one for one in mine if not _is_shared(one, ci, graph)}
        if own:
            cls = ci.cls if CI_CLASSES[ci.cls].domain not in {None, "machine"} else None
            return Subject(cls=cls, identifiers=frozenset(own))
    owner = graph.cis.get(ci.owner) if ci.owner is not None else None
    if owner is not None and ci.key is not None:
        return Subject(cls=ci.cls, owner=_subject(owner, graph), key=ci.key)
    return Subject(cls=ci.cls, name=ci.name, declared=True)


def _is_shared(one: Identifier, ci: CI, graph: Graph) -> bool:
    return any(one in other.identifiers for other in graph.cis.values() if other.id != ci.id)
