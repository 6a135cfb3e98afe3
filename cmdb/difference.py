"""What a change would do, in words: the difference between two graphs, for a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cmdb.codec import component_out, values_out
from cmdb.model import CI, Graph, Relation, State, Value


def difference(before: Graph, after: Graph) -> tuple[str, ...]:
    """One line for each thing that comes (`+`), goes (`-`) or changes (`~`), sorted; empty where nothing does."""
    old, new = _present(before), _present(after)
    lines = [f"+ {_titled(new[id_])}{_details(new[id_])}" for id_ in new.keys() - old.keys()]
    lines += [f"- {_titled(old[id_])}" for id_ in old.keys() - new.keys()]
    for id_ in old.keys() & new.keys():
        lines += [f"~ {_titled(new[id_])}: {change}" for change in _changes(_known(old[id_]), _known(new[id_]))]
    lines += [f"+ {_related(after.relations[id_], after)}" for id_ in after.relations.keys() - before.relations.keys()]
    lines += [
        f"- {_related(before.relations[id_], before)}" for id_ in before.relations.keys() - after.relations.keys()
    ]
    for id_ in before.relations.keys() & after.relations.keys():
        one, other = before.relations[id_], after.relations[id_]
        lines += [f"~ {_related(other, after)}: {change}" for change in _changes(_columns(one), _columns(other))]
    return tuple(sorted(lines, key=lambda line: (line[2:], line)))


def _present(graph: Graph) -> Mapping[str, CI]:
    return {id_: ci for id_, ci in graph.cis.items() if ci.state is not State.RETIRED}


def _titled(ci: CI) -> str:
    return f"{ci.cls} {ci.name}{f' ({ci.label})' if ci.label else ''}"


def _details(ci: CI) -> str:
    known = {name: value for name, value in _known(ci).items() if name not in {"class", "name", "label", "state"}}
    return f": {', '.join(f'{name} {value}'.strip() for name, value in sorted(known.items()))}" if known else ""


def _known(ci: CI) -> Mapping[str, str]:
    """All that people see of a CI, each under the name that they know it by."""
    found = {"class": ci.cls, "name": ci.name, "state": ci.state.value}
    if ci.label is not None:
        found["label"] = ci.label
    found |= {name: _shown(value) for name, value in ci.attributes.items()}
    found |= {f"{scheme} {value}": "" for scheme, value in ci.identifiers}
    for component in ci.components:
        attributes = component_out(component).get("attributes", {})
        said = (f"{name} {value}" for name, value in sorted(attributes.items()) if value != component.name)
        found[f"{component.kind} {component.name}"] = ", ".join(said)
    return found


def _shown(value: Value) -> str:
    spelt = values_out({"value": value})["value"]
    return " ".join(str(item) for item in spelt) if isinstance(spelt, list) else str(spelt)


def _columns(relation: Relation) -> Mapping[str, str]:
    return {name: _shown(value) for name, value in relation.columns.items()}


def _related(relation: Relation, graph: Graph) -> str:
    ends = [graph.cis[end].name if end in graph.cis else end for end in (relation.source, relation.target)]
    columns = ", ".join(f"{name}={value}" for name, value in sorted(_columns(relation).items()))
    return f"{relation.type} {' .. '.join(ends)}{f' {{{columns}}}' if columns else ''}"


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"no {name} any more{f' (was {before[name]})' if before[name] else ''}"
        elif name not in before:
            yield f"{name} {after[name]}".strip()
        elif before[name] != after[name]:
            yield f"{name} {before[name]} → {after[name]}"
