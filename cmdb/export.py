"""The canonical export: one graph, one document, whichever store it lies in and in whatever order it was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from cmdb.codec import Json, component_out, identifiers_out, values_out
from cmdb.codec import canonical as spelt
from cmdb.model import CI, Component, Graph, Relation, State, Value
from cmdb.schema import RELATION_TYPES

_SWAPPED = {
    "from_port": "to_port",
    "to_port": "from_port",
    "from_management": "to_management",
    "to_management": "from_management",
}


def canonical(graph: Graph) -> Json:
    """The graph without ids, times, revisions, conflicts and the retired; sorted, CIs named by what they are."""
    cis = {id_: ci for id_, ci in graph.cis.items() if ci.state is not State.RETIRED}
    names = canonical_names(cis, graph.relations.values())
    return {
        "cis": sorted((_ci_out(ci, names) for ci in cis.values()), key=lambda one: one["ci"]),
        "relations": sorted(
            (
                _relation_out(relation, names)
                for relation in graph.relations.values()
                if relation.source in names and relation.target in names
            ),
            key=lambda one: (one["type"], one["from"], one["to"], spelt(one["columns"])),
        ),
    }


def canonical_names(cis: Mapping[str, CI], relations: Iterable[Relation] = ()) -> Mapping[str, str]:
    """A name for each CI, by id: its identifiers; else its owner's name, class and key; else space, class and name.

    CIs of equal names (both know only one cloned UUID) are told apart by all else that is known of them, and by whom
    they are related to.
    """
    names = {id_: _name(ci, cis, frozenset()) for id_, ci in cis.items()}
    same: dict[str, list[str]] = defaultdict(list)
    for id_, name in names.items():
        same[name].append(id_)
    tied = {id_ for ids in same.values() if len(ids) > 1 for id_ in ids}
    around = _around(tied, relations, names)
    told: dict[str, str] = {}
    for name, ids in same.items():
        if len(ids) > 1:
            ids.sort(key=lambda id_: (_all_known(cis[id_]), around[id_]))
            told |= {id_: f"{name} ({number})" for number, id_ in enumerate(ids, start=1)}
    return names | told


def _around(ids: Collection[str], relations: Iterable[Relation], names: Mapping[str, str]) -> Mapping[str, list[bytes]]:
    """What leads to or from each of the CIs, by the names of the other ends."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for relation in relations:
        for near, far, way in ((relation.source, relation.target, "to"), (relation.target, relation.source, "from")):
            if near in ids and far in names:
                found[near].append(spelt([way, relation.type, names[far], values_out(relation.columns)]))
    return defaultdict(list, {id_: sorted(seen) for id_, seen in found.items()})


def _name(ci: CI, cis: Mapping[str, CI], inside: frozenset[str]) -> str:
    if ci.identifiers:
        return " ".join(f"{scheme}={value}" for scheme, value in sorted(ci.identifiers))
    owner = cis.get(ci.owner) if ci.owner is not None and ci.owner not in inside else None
    if owner is not None and ci.key is not None:
        return f"{ci.cls} {ci.key} in [{_name(owner, cis, inside | {ci.id})}]"
    return f"{ci.space} {ci.cls} {ci.name}"


def _all_known(ci: CI) -> bytes:
    components = [component_out(component) for component in ci.components if component.kind != "group"]
    return spelt(
        [ci.state.value, ci.space, ci.cls, ci.name, ci.label, values_out(ci.attributes), sorted(components, key=spelt)]
    )


def _ci_out(ci: CI, names: Mapping[str, str]) -> Json:
    document = {
        "ci": names[ci.id],
        "space": ci.space,
        "class": ci.cls,
        "name": ci.name,
        "state": ci.state.value,
        "attributes": values_out(ci.attributes),
        "identifiers": identifiers_out(ci.identifiers),
        "components": sorted((_component_out(component, names) for component in ci.components), key=spelt),
    }
    if ci.label is not None:
        document["label"] = ci.label
    if ci.owner is not None and ci.owner in names:
        document["owner"] = names[ci.owner]
    if ci.key is not None:
        document["key"] = ci.key
    return document


def _component_out(component: Component, names: Mapping[str, str]) -> Json:
    if component.kind != "group":
        return component_out(component)
    legs = component.attributes.get("legs", ())
    active = component.attributes.get("active")
    attributes: dict[str, Value] = {
        **component.attributes,
        "legs": tuple(sorted(_legs(legs if isinstance(legs, tuple) else (legs,), names))),
    }
    if isinstance(active, str):
        attributes["active"] = names.get(active, active)
    return component_out(Component(component.kind, component.name, attributes))


def _legs(legs: Iterable[Value], names: Mapping[str, str]) -> Iterable[str]:
    """The legs by their names; one that is retired is no leg any more."""
    for leg in legs:
        if isinstance(leg, str) and (leg in names or leg.startswith("group:")):
            yield names.get(leg, leg)


def _relation_out(relation: Relation, names: Mapping[str, str]) -> Json:
    straight = _one_way(relation.type, names[relation.source], names[relation.target], relation.columns)
    if not RELATION_TYPES[relation.type].undirected:
        return straight
    columns = {_SWAPPED.get(column, column): value for column, value in relation.columns.items()}
    turned = _one_way(relation.type, names[relation.target], names[relation.source], columns)
    return min(straight, turned, key=lambda one: spelt([one["from"], one["to"], one["columns"]]))


def _one_way(type_: str, source: str, target: str, columns: Mapping[str, Value]) -> Json:
    return {"type": type_, "from": source, "to": target, "columns": values_out(columns)}
