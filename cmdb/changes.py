"""What a step changes of the graph: images before and after, by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cmdb.identity import Identities, Identity
from cmdb.known import Known
from cmdb.model import CI, Change, Component, Relation, State, Value
from cmdb.project import GROUP
from cmdb.project_relations import Bond, turned
from cmdb.project_values import order_key
from cmdb.schema import CABLE
from cmdb.step import Stepped
from cmdb.store.base import Transaction
from cmdb.surroundings import natural_key


def changes_of(known: Known, step: Stepped, tx: Transaction, now: datetime) -> tuple[Change, ...]:
    """The changes of CIs, then of relations, each in the order of ids."""
    return (*_cis(known, step, now), *_relations(known, step, tx))


def order_of(id_: str) -> tuple[str, int]:
    """Ids in the order in which they were given."""
    kind, _, number = id_.rpartition("-")
    return kind, int(number)


def _cis(known: Known, step: Stepped, now: datetime) -> list[Change]:
    """What becomes of each CI; one that no claim names any more is retired, one that was joined is gone."""
    stored = known.beside.cis
    found = []
    present = set()
    for group, ci in step.projected.cis.items():
        id_ = step.ids[group]
        present.add(id_)
        before, after = stored.get(id_), _named(id_, ci, step.ids)
        if before is None or not _same_ci(before, after):
            found.append(Change(id_, before, after))
    joined = {id_ for id_, one in step.assigned.changed.items() if one.joined is not None}
    for id_ in {*step.before, *joined} - present:
        gone = stored.get(id_)
        if gone is None:
            continue
        if id_ in joined:
            found.append(Change(id_, gone, None))
        elif gone.state is not State.RETIRED:
            since = gone.missing_since or now
            found.append(Change(id_, gone, replace(gone, state=State.RETIRED, gaps={}, missing_since=since)))
    return sorted(found, key=lambda change: order_of(change.id))


def _named(id_: str, ci: CI, ids: Mapping[int, str]) -> CI:
    """A CI with ids where groups had numbers."""
    owner = None if ci.owner is None else ids.get(int(ci.owner))
    components = ci.components
    if any(part.kind == "group" for part in components):
        components = tuple(_part(part, ids) if part.kind == "group" else part for part in components)
    return replace(ci, id=id_, owner=owner, key=None if owner is None else ci.key, components=components)


def _part(part: Component, ids: Mapping[int, str]) -> Component:
    values: dict[str, Value] = dict(part.attributes)
    legs = values["legs"]
    if isinstance(legs, tuple):
        values["legs"] = tuple(sorted(filter(None, (_leg(leg, ids) for leg in legs if isinstance(leg, str)))))
    if isinstance(active := values.get("active"), str):
        values["active"] = _leg(active, ids) or active
    return Component(part.kind, part.name, values)


def _leg(leg: str, ids: Mapping[int, str]) -> str | None:
    return leg if leg.startswith(GROUP) else ids.get(int(leg))


def _relations(known: Known, step: Stepped, tx: Transaction) -> list[Change]:
    """Of the CIs that were projected, and of those that are gone."""
    touched = {*step.before, *(step.ids[group] for group in step.groups), *step.assigned.changed}
    stored = known.beside.relations_of(touched)
    wanted: dict[Any, tuple[str, str, str, Mapping[str, Value]]] = {}
    for bond in step.projected.relations:
        type_, source, target, columns = _ends(bond, step.ids)
        wanted[natural_key(type_, source, target, columns)] = (type_, source, target, columns)
    new = sorted(wanted.keys() - stored.keys(), key=repr)
    first = tx.reserve("relation", len(new)) if new else 0
    numbers = {key: f"rel-{first + place}" for place, key in enumerate(new)}
    # Who stands in a room by his label alone is projected where its code is new or gone, and stands there else.
    gone = [
        stored[key]
        for key in stored.keys() - wanted.keys()
        if stored[key].type != "located_in" or stored[key].source in touched
    ]
    found = [Change(one.id, one, None) for one in gone]
    for key, (type_, source, target, columns) in wanted.items():
        before = stored.get(key)
        if before is None:
            found.append(Change(numbers[key], None, Relation(numbers[key], type_, source, target, columns)))
        elif not _same_values(before.columns, columns):
            found.append(Change(before.id, before, replace(before, columns=columns)))
    return sorted(found, key=lambda change: order_of(change.id))


def _ends(bond: Bond, ids: Mapping[int, str]) -> tuple[str, str, str, Mapping[str, Value]]:
    """A relation with its ids; the ends of a cable sorted by (CI id, port)."""
    source, target, columns = ids[bond.source], ids[bond.target], dict(bond.columns)
    if bond.type == CABLE:
        ends = [
            (order_of(source), str(columns.get("from_port", ""))),
            (order_of(target), str(columns.get("to_port", ""))),
        ]
        if ends[1] < ends[0]:
            return bond.type, target, source, turned(columns)
    return bond.type, source, target, columns


def labelled(known: Known, step: Stepped, changes: Iterable[Change], now: datetime) -> dict[str, Identity]:
    """The identities that are others now: a label that a CI no longer has keeps leading to it."""
    found = dict(step.assigned.changed)
    labels = {step.ids[group]: ci.label for group, ci in step.projected.cis.items()}

    def identity(id_: str) -> Identity:
        return found.get(id_) or known.identities[id_]

    for change in changes:
        before, after = change.before, change.after
        if not isinstance(before, CI):
            continue
        heir = change.id if isinstance(after, CI) else _survivor(change.id, found, known.identities)
        lost = {before.label: now} if before.label is not None else {}
        kept = {**identity(heir).labels, **lost}
        if after is None:
            kept |= identity(change.id).labels
        kept.pop(after.label if isinstance(after, CI) and after.label else labels.get(heir) or "", None)
        if kept != dict(identity(heir).labels):
            found[heir] = replace(identity(heir), labels=kept)
    for id_, one in step.assigned.changed.items():
        old = known.identities.get(id_)
        if old is not None and old.joined is not None and one.joined is None:
            # Two again: the labels that the other brought with it lead to it alone.
            heir = known.identities.survivor(id_)
            kept = {
                label: at for label, at in identity(heir).labels.items() if label not in {labels.get(id_), *one.labels}
            }
            if kept != dict(identity(heir).labels):
                found[heir] = replace(identity(heir), labels=kept)
    return found


def _survivor(id_: str, changed: Mapping[str, Identity], identities: Identities) -> str:
    while (joined := (changed.get(id_) or identities[id_]).joined) is not None:
        id_ = joined
    return id_


def _same_ci(one: CI, other: CI) -> bool:
    """Whether two images are equal, types of values included: 1 is not true."""
    return one == other and (one.attributes is other.attributes or _same_values(one.attributes, other.attributes))


def _same_values(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    return dict(one) == dict(other) and all(order_key(one[name]) == order_key(other[name]) for name in one)
