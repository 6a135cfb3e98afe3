"""Lists of another time: a query put to a graph in memory, which means what it means to a store."""

from __future__ import annotations

from collections.abc import Callable

from cmdb import lookup
from cmdb.model import CI, Graph, ModelError, Value
from cmdb.store import plan
from cmdb.store.base import Query

_SORTS: dict[str, Callable[[CI], str]] = {
    "name": lambda ci: ci.name,
    "label": lambda ci: ci.label or "",
    "class": lambda ci: ci.cls,
    "id": lambda ci: ci.id,
}


def sifted(graph: Graph, query: Query) -> list[CI]:
    """The CIs of a graph that fit, sorted and cut. Raises ModelError for what is not kept of another time."""
    plan.check_query(query)
    if query.confirmed_before is not None or query.confirmed_after is not None:
        raise ModelError("confirmed_before, confirmed_after: when a CI was confirmed is known of now alone; drop at")
    key = _SORTS.get(query.sort)
    if key is None:
        raise ModelError(f"sort: a list of another time sorts by {', '.join(_SORTS)}, not by {query.sort}")
    inside = _inside(graph, query.places)
    fitting = [ci for ci in graph.cis.values() if (inside is None or ci.id in inside) and _fits(ci, query)]
    ordered = sorted(fitting, key=lambda ci: (key(ci), ci.id))
    if query.after is not None:
        ordered = [ci for ci in ordered if (key(ci), ci.id) > query.after]
    return ordered[: query.limit]


def _inside(graph: Graph, places: frozenset[str] | None) -> set[str] | None:
    if places is None:
        return None
    standing = (
        relation.source
        for relation in graph.relations.values()
        if relation.type == "located_in" and relation.target in places
    )
    return {*places, *standing}


def _fits(ci: CI, query: Query) -> bool:
    if query.classes is not None and ci.cls not in query.classes:
        return False
    if query.states is not None and ci.state not in query.states:
        return False
    if query.space is not None and ci.space != query.space:
        return False
    if query.label_prefix is not None and not (ci.label or "").startswith(query.label_prefix):
        return False
    if any(not _has(ci, name, value) for name, value in query.attributes):
        return False
    if query.text:
        text = plan.search_text(ci, lookup.handles(ci))
        return all(word in text for word in plan.words(query.text))
    return True


def _has(ci: CI, name: str, value: Value) -> bool:
    """Equal in type too: 1 is neither true nor 1.0."""
    found = ci.attributes.get(name)
    return found is not None and plan.attribute_key(name, found) == plan.attribute_key(name, value)
