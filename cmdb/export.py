"""The canonical export: one graph, one document, whichever store it lies in and in whatever order it was found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from cmdb.codec import Json, component_out, digest, identifiers_out, values_out
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
    if not tied:
        return names
    ranks = _told_apart(tied, cis, relations, names)
    told: dict[str, str] = {}
    for name, ids in same.items():
        if len(ids) > 1:
            ids.sort(key=ranks.__getitem__)
            told |= {id_: f"{name} ({number})" for number, id_ in enumerate(ids, start=1)}
    return names | told


def _told_apart(
    tied: Collection[str], cis: Mapping[str, CI], relations: Iterable[Relation], names: Mapping[str, str]
) -> Mapping[str, str]:
    """A rank for each CI of an equal name, the same in whatever order they were found.

    They are ranked by what is known of them, then by the ranks of those around them, again and again until that tells
    no more apart. Of those that are alike even then any one may come first; then whoever is around it is ranked anew.
    """
    around = _around(tied, cis, relations, names)
    ranks = _refined({id_: digest([names[id_], _all_known(cis[id_]).hex()]) for id_ in tied}, around)
    while alike := _first_alike(ranks):
        lonely = all(far not in tied for id_ in alike for _, far in around[id_])
        for number, id_ in enumerate(sorted(alike) if lonely else [min(alike)]):
            ranks[id_] = digest([ranks[id_], "first", number])
        if not lonely:
            ranks = _refined(ranks, around)
    return ranks


def _first_alike(ranks: Mapping[str, str]) -> list[str]:
    """The CIs of the first rank that several have."""
    several: dict[str, list[str]] = defaultdict(list)
    for id_, rank in ranks.items():
        several[rank].append(id_)
    shared = [rank for rank, ids in several.items() if len(ids) > 1]
    return several[min(shared)] if shared else []


def _refined(ranks: dict[str, str], around: Mapping[str, list[tuple[Json, str]]]) -> dict[str, str]:
    """Ranks by which as many are told apart as those around them tell."""
    while True:
        finer = {
            id_: digest([rank, sorted(digest([how, ranks.get(far, far)]) for how, far in around[id_])])
            for id_, rank in ranks.items()
        }
        if len(set(finer.values())) == len(set(ranks.values())):
            return finer
        ranks = finer


def _around(
    tied: Collection[str], cis: Mapping[str, CI], relations: Iterable[Relation], names: Mapping[str, str]
) -> Mapping[str, list[tuple[Json, str]]]:
    """How and to whom each is related, be it as its owner: by id those that are tied, by name the others."""
    found: dict[str, list[tuple[Json, str]]] = defaultdict(list)

    def tell(near: str, far: str, how: Json) -> None:
        if near in tied and far in names:
            found[near].append((how, far if far in tied else names[far]))

    for relation in relations:
        turned = {_SWAPPED.get(name, name): value for name, value in relation.columns.items()}
        undirected = RELATION_TYPES[relation.type].undirected
        tell(relation.source, relation.target, ["to", relation.type, values_out(relation.columns)])
        tell(
            relation.target, relation.source,
            ["to" if undirected else "from", relation.type, values_out(turned if undirected else relation.columns)],
        )  # fmt: skip
    for id_, ci in cis.items():
        if ci.owner is not None:
            tell(id_, ci.owner, ["in", ci.cls, ci.key])
            tell(ci.owner, id_, ["has", ci.cls, ci.key])
        for part in ci.components:
            legs = part.attributes.get("legs", ()) if part.kind == "group" else ()
            for leg in legs if isinstance(legs, tuple) else ():
                tell(id_, str(leg), ["leg", part.name])
                tell(str(leg), id_, ["leg of", part.name])
    return found


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
