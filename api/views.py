"""CIs and relations as the JSON that the API and the command line show alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cmdb import codec, schema
from cmdb.model import CI, Change, Component, Relation, Revision
from cmdb.store.base import StoredCI

if TYPE_CHECKING:
    from cmdb.inventory import ClaimView, Inventory
    from cmdb.readings import Reading


def value(document: Any) -> Any:
    """A stored value as JSON: times as ISO 8601 text."""
    if isinstance(document, dict):
        return next(iter(document.values()))
    return [value(item) for item in document] if isinstance(document, list) else document


def values(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value(codec.value_out(item)) for name, item in sorted(columns.items())}


def row(stored: StoredCI) -> dict[str, Any]:
    """A CI as a row of a list: everything about itself, nothing about its neighbours."""
    ci = stored.ci
    return {
        "id": ci.id,
        "class": ci.cls,
        "name": ci.name,
        "label": ci.label,
        "space": ci.space,
        "state": ci.state.value,
        "revision": stored.revision,
        "attributes": values(ci.attributes),
        "identifiers": [{"scheme": scheme, "value": text} for scheme, text in sorted(ci.identifiers)],
        "components": [component(part) for part in ci.components],
        "missing_since": codec.time_out(ci.missing_since) if ci.missing_since else None,
    }


def component(part: Component) -> dict[str, Any]:
    return {"kind": part.kind, "name": part.name, "attributes": values(part.attributes)}


def full(inventory: Inventory, stored: StoredCI, at: int | None = None) -> dict[str, Any]:
    """A CI with its relations both ways, each with the CI at its other end; now, or at a revision."""
    relations = inventory.relations(stored.ci.id) if at is None else inventory.relations_at(stored.ci.id, at)
    ends = {end for relation in relations for end in (relation.source, relation.target)}
    others = {ci: found.ci for ci in ends if (found := found_at(inventory, ci, at)) is not None}
    return row(stored) | {"relations": [end(relation, stored.ci.id, others) for relation in relations]}


def found_at(inventory: Inventory, ci: str, at: int | None) -> StoredCI | None:
    """A CI, now or at a revision."""
    return inventory.stored(ci) if at is None else inventory.stored_at(ci, at)


def formerly(inventory: Inventory, stored: StoredCI) -> list[str]:
    """The labels that it had before the one that it has now."""
    holder = inventory.tag(stored.ci.label) if stored.ci.label else None
    return list(holder.formerly) if holder is not None and holder.stored.ci.id == stored.ci.id else []


def end(relation: Relation, ci: str, others: Mapping[str, CI]) -> dict[str, Any]:
    """A relation as one of its ends sees it: `out` when the CI is the source, `in` when it is the target."""
    outward = relation.source == ci
    other = others[relation.target if outward else relation.source]
    row_ = schema.relation_row(relation.type)
    return {
        "type": relation.type,
        "direction": "out" if outward else "in",
        "as": relation.type if outward else row_.inverse,
        "id": other.id,
        "name": other.name,
        "class": other.cls,
        "relation": relation.id,
        "key": values(relation.columns),
    }


def relation(item: Relation) -> dict[str, Any]:
    return {
        "id": item.id,
        "type": item.type,
        "source": item.source,
        "target": item.target,
        "columns": values(item.columns),
    }


def revision(item: Revision) -> dict[str, Any]:
    """A journal entry; the images are those of the hash chain."""
    document: dict[str, Any] = codec.revision_out(item)
    return document


def change(item: Change) -> dict[str, Any]:
    """What becomes of one CI or relation; null where it is not there before or after."""
    return {"id": item.id, "before": codec.image_out(item.before), "after": codec.image_out(item.after)}


def claim(row_: ClaimView) -> dict[str, Any]:
    """One claim on a value, whether it won, and why or why not; `component` where it is of a part,
    `relation` (an id) where it is a column of one."""
    return {
        "attribute": row_.attribute,
        "component": None if row_.part is None else {"kind": row_.part.kind, "name": row_.part.name},
        "relation": row_.relation,
        "value": value(codec.value_out(row_.value)),
        "source": row_.source,
        "section": row_.section,
        "by": row_.by,
        "kind": row_.kind,
        "own": row_.own,
        "since": codec.time_out(row_.since),
        "confirmed": codec.time_out(row_.confirmed),
        "evidence": row_.evidence,
        "won": row_.won,
        "reason": row_.reason,
    }


def reading(row_: Reading) -> dict[str, Any]:
    """A measured value that flaps; `component` where it is of a part."""
    return {
        "attribute": row_.attribute,
        "component": None if row_.part is None else {"kind": row_.part.kind, "name": row_.part.name},
        "value": value(codec.value_out(row_.value)),
        "unit": row_.unit,
        "source": row_.source,
        "section": row_.section,
        "time": codec.time_out(row_.time),
        "evidence": row_.evidence,
    }
