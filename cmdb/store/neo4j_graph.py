"""How CIs, relations and records look as nodes and relationships, for who reads the graph with plain Cypher.

`_image` holds the revision and the JSON of a CI, from which it is read back; the other properties show it to people.
One property, because Neo4j reads what is committed property by property: a reader met the new state with the old
revision. Names that begin with `_` are the store's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cmdb import codec
from cmdb.model import CI, Component, Relation, Value
from cmdb.schema import CI_CLASSES, RELATION_TYPES, lineage
from cmdb.store import plan as planning
from cmdb.store.base import Handle, Position, Record, StoredCI
from cmdb.store.bolt import Row, utc

_CI_WORDS = frozenset({
    "id", "name", "label", "class", "space", "state", "revision", "key", "owner_id", "identifiers", "missing_since",
})  # fmt: skip
_COMPONENT_WORDS = frozenset({"name", "kind"})
_RELATION_WORDS = frozenset({"id", "revision"})

_BEYOND = re.compile("[\uffff-\U0010ffff]")

META = "(m:Lock)"
"""The one Meta node, by a label of its own: to find it by its constraint's index would lock the index entry, too."""

CONSTRAINTS: Mapping[str, str] = {
    "meta": "FOR (n:Meta) REQUIRE n.name IS UNIQUE",
    "sequence": "FOR (n:Sequence) REQUIRE n.name IS UNIQUE",
    "ci": "FOR (n:CI) REQUIRE n.id IS UNIQUE",
    "revision": "FOR (n:Revision) REQUIRE n.n IS UNIQUE",
    "record": "FOR (n:Record) REQUIRE n._key IS UNIQUE",
    **{f"relation_{name}": f"FOR ()-[r:{name.upper()}]-() REQUIRE r.id IS UNIQUE" for name in RELATION_TYPES},
}
INDEXES: Mapping[str, str] = {
    "ci_class": "FOR (n:CI) ON (n.class)",
    "handle_key": "FOR (n:Handle) ON (n._key)",
    "handle_ci": "FOR (n:Handle) ON (n.ci)",
    "record_kind": "FOR (n:Record) ON (n.kind)",
    "record_at": "FOR (n:Record) ON (n.kind, n.at)",
    "revision_at": "FOR (n:Revision) ON (n.at)",
    "past_id": "FOR (n:Past) ON (n.id, n.until)",
    "past_until": "FOR (n:Past) ON (n.until)",
    "past_source": "FOR (n:Past) ON (n.source, n.until)",
    "past_target": "FOR (n:Past) ON (n.target, n.until)",
    "record_key": "FOR (n:RecordKey) ON (n._key)",
}


def camel(name: str) -> str:
    """`network_switch` as `NetworkSwitch`. The name is a word, which `plan` has checked: safe inside a statement."""
    return "".join(part.capitalize() for part in name.split("_"))


def class_labels(cls: str) -> list[str]:
    """The labels of a class and its parents."""
    return [camel(row) for row in (lineage(cls) if cls in CI_CLASSES else (cls,))]


def sort_key(text: str) -> str:
    """Text that Neo4j orders by code points, as SQLite and Python do.

    Neo4j 5.26 orders and compares characters beyond U+FFFF in two ways, so that pages repeated rows.
    """
    return _BEYOND.sub(lambda match: f"\uffff{ord(match[0]):06x}", text)


def ci_properties(ci: CI, image: str, revision: int, handles: Iterable[Handle]) -> dict[str, Any]:
    given = {
        "id": ci.id,
        "name": ci.name,
        "label": ci.label,
        "class": ci.cls,
        "space": ci.space,
        "state": ci.state.value,
        "revision": revision,
        "key": ci.key,
        "owner_id": ci.owner,
        "identifiers": [f"{scheme}:{value}" for scheme, value in sorted(ci.identifiers)],
        "missing_since": ci.missing_since,
        "_name": sort_key(ci.name),
        "_label": sort_key(ci.label or ""),
        "_image": f"{revision} {image}",
        "_search": planning.search_text(ci, handles),
        "_attributes": planning.attribute_keys(ci),
    }
    return _shown(ci.attributes, _CI_WORDS) | {name: value for name, value in given.items() if value is not None}


def stored_ci(image: str) -> StoredCI:
    """A CI and its revision from `_image`."""
    revision, _, document = image.partition(" ")
    return StoredCI(planning.ci_of(document), int(revision))


def position_out(position: Position) -> str:
    """A position as the one property of the Meta node, so that no reader sees half a commit of it."""
    at = codec.time_out(position.at) if position.at else None
    return json.dumps([position.revision, at, position.hash, position.evidence])


def position_in(text: str) -> Position:
    revision, at, digest, evidence = json.loads(text)
    return Position(revision, codec.time_in(at) if at else None, digest, evidence)


def component_properties(component: Component) -> dict[str, Any]:
    given = {"name": component.name, "kind": component.kind}
    return _shown(component.attributes, _COMPONENT_WORDS) | given


def _shown(values: Mapping[str, Value], taken: frozenset[str]) -> dict[str, Any]:
    """Values as properties: one whose name is taken shows as `attribute_NAME`, one that cannot be a name not at all."""
    shown = {}
    for name, value in values.items():
        if name and "\0" not in name:
            free = name not in taken and not name.startswith("_")
            shown[name if free else f"attribute_{name}"] = list(value) if isinstance(value, tuple) else value
    return shown


def relation_properties(relation: Relation, revision: int) -> dict[str, Any]:
    """The revision it is from, and the columns; those as JSON too where properties would not give them back."""
    shown = _shown(relation.columns, _RELATION_WORDS)
    if shown != dict(relation.columns) or any(_is_changed(value) for value in relation.columns.values()):
        shown["_columns"] = codec.canonical(codec.values_out(relation.columns)).decode()
    return shown | {"id": relation.id, "revision": revision}


def _is_changed(value: Value) -> bool:
    return not isinstance(value, str | int | float)


def relation_of(source: str, row: Row) -> Relation:
    """A relation from its (id, type, target, properties)."""
    name, kind, target, properties = row
    if "_columns" in properties:
        columns = codec.values_in(json.loads(properties["_columns"]))
    else:
        columns = {key: value for key, value in properties.items() if key not in _RELATION_WORDS}
    return Relation(name, kind.lower(), source, target, columns)


def handle_key(handle: Handle) -> str:
    return planning.index_key(*handle)


def record_key(kind: str, name: str) -> str:
    """What finds a record by its id, or by one of its keys."""
    return planning.index_key(kind, name)


def record_properties(record: Record) -> dict[str, Any]:
    return {
        "_key": record_key(record.kind, record.id),
        "kind": record.kind,
        "id": record.id,
        "doc": record.doc,
        "at": record.at,
        "keys": sorted(record.keys),
        "cis": sorted(record.cis),
    }


def record_of(row: Row) -> Record:
    """A record from its (kind, id, doc, keys, at, cis)."""
    kind, name, doc, keys, at, cis = row
    return Record(kind, name, bytes(doc), frozenset(keys), None if at is None else utc(at), frozenset(cis))
