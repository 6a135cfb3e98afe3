"""The images of all CIs and relations as they are stored, and what else finds them: what a part is projected beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cmdb.model import CI, Relation, State, Value
from cmdb.nodes import component_address
from cmdb.project_values import order_key
from cmdb.schema import RELATION_TYPES, is_a
from cmdb.tables import enter
from naming import Label, LabelError

_MACHINES = ("device", "partition", "virtual_machine")


def natural_key(type_: str, source: str, target: str, columns: Mapping[str, Value]) -> Any:
    """The natural key of a relation between CIs."""
    keys = RELATION_TYPES[type_].keys
    return type_, source, target, tuple(order_key(columns[key]) if key in columns else () for key in keys)


def shared_by(ci: CI) -> set[tuple[str, str, str]]:
    """What no two present CIs should have: (kind of problem, space, text)."""
    found: set[tuple[str, str, str]] = set()
    if ci.state is State.RETIRED:
        return found
    if ci.label is not None:
        found.add(("label_twice", ci.space, ci.label))
    if any(is_a(ci.cls, row) for row in _MACHINES):
        found.add(("name_twice", ci.space, ci.name.casefold()))
        addresses = {at for part in ci.components if (at := component_address(part)) is not None}
        found |= {("address_twice", ci.space, at) for at in addresses}
    return found


def room_of(label: str | None) -> str | None:
    """The code of the room in a label."""
    if label is None:
        return None
    try:
        return str(Label.parse(label).room)
    except LabelError:
        return None


def codes_of(ci: CI) -> set[tuple[str, str]]:
    """The codes by which labels name a room."""
    return {(ci.space, text.upper()) for text in (ci.label, ci.name) if text} if ci.cls == "room" else set()


class Surroundings:
    """Everything that is stored, in memory."""

    def __init__(self, cis: Iterable[CI] = (), relations: Iterable[Relation] = ()) -> None:
        self.cis: dict[str, CI] = {}
        self.relations: dict[Any, Relation] = {}
        self.by_id: dict[str, Relation] = {}
        self.sharing: dict[tuple[str, str, str], set[str]] = {}
        self.rooms: dict[tuple[str, str], set[str]] = {}
        self.standing: dict[tuple[str, str], set[str]] = {}
        self._of: dict[str, set[Any]] = {}
        for ci in cis:
            self.put(ci.id, ci)
        for relation in relations:
            self.relate(None, relation)

    def put(self, id_: str, ci: CI | None) -> None:
        """Store an image in the stead of the one before; None: it is gone."""
        before = self.cis.pop(id_, None)
        if before is not None:
            self._enter(before, add=False)
        if ci is not None:
            self.cis[id_] = ci
            self._enter(ci, add=True)

    def _enter(self, ci: CI, *, add: bool) -> None:
        entries: list[tuple[dict[Any, set[str]], Any]] = [(self.sharing, key) for key in shared_by(ci)]
        entries += [(self.rooms, key) for key in codes_of(ci)]
        code = room_of(ci.label)
        if code is not None:
            entries.append((self.standing, (ci.space, code)))
        enter(entries, ci.id, add=add)

    def relate(self, before: Relation | None, after: Relation | None) -> None:
        """Store a relation in the stead of another."""
        if before is not None:
            key = natural_key(before.type, before.source, before.target, before.columns)
            self.relations.pop(key, None)
            self.by_id.pop(before.id, None)
            enter(((self._of, end) for end in (before.source, before.target)), key, add=False)
        if after is not None:
            key = natural_key(after.type, after.source, after.target, after.columns)
            self.relations[key] = after
            self.by_id[after.id] = after
            enter(((self._of, end) for end in (after.source, after.target)), key, add=True)

    def relations_of(self, ids: Iterable[str]) -> dict[Any, Relation]:
        """The relations with an end among these, by natural key."""
        return {key: self.relations[key] for id_ in ids for key in self._of.get(id_, ())}
