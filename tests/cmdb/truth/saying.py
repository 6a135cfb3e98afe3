"""Short words for reports, and the graph that a set of them gives, by the pure functions alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, permutations
from random import Random
from typing import NamedTuple, TypeAlias

from cmdb.evidence import World, normalised, ordered_runs, taken_in
from cmdb.export import canonical
from cmdb.model import (
    CI,
    Completeness,
    Component,
    Decision,
    Graph,
    Identifier,
    Relation,
    RelationClaim,
    Report,
    RunSection,
    Section,
    State,
    Statement,
    Subject,
    Value,
)
from cmdb.project import Projected, project
from cmdb.project_relations import turned
from cmdb.resolution import Resolution
from cmdb.resolve import resolve
from cmdb.rules import Rules

Event: TypeAlias = Report | RunSection | Decision

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ITSELF = Subject(itself=True)
FULL, PARTIAL, DENIED, FAILED = Completeness.FULL, Completeness.PARTIAL, Completeness.DENIED, Completeness.FAILED


def at(minute: float) -> datetime:
    return DAY + timedelta(minutes=minute)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = at(1000)

    def __call__(self) -> datetime:
        return self.now


def ids(**given: str | Sequence[str]) -> frozenset[Identifier]:
    """`ids(serial="S1", mac=["a", "b"])`."""
    return frozenset(
        Identifier(scheme, value)
        for scheme, values in given.items()
        for value in ([values] if isinstance(values, str) else values)
    )


def mac(number: int) -> str:
    return f"00:1b:21:00:00:{number:02x}"


def system(
    time: float, cls: str | None = "server", name: str | None = None, kind: str = "snmp",
    completeness: Completeness = FULL, values: Mapping[str, Value] | None = None, **given: str | Sequence[str],
) -> Section:  # fmt: skip
    """What a device says of itself."""
    about = Subject(cls, ids(**given), name, itself=True)
    return Section(f"{kind}.system", at(time), completeness, (Statement(about, values or {}),))


def interfaces(time: float, *numbers: int, completeness: Completeness = FULL, kind: str = "snmp") -> Section:
    """Ports with MACs by number."""
    ports = tuple(Component("interface", f"eth{number}", {"mac": mac(number), "index": number}) for number in numbers)
    about = Subject(identifiers=ids(mac=[mac(number) for number in numbers]), itself=True)
    return Section(f"{kind}.interfaces", at(time), completeness, (Statement(about, {}, ports),))


def neighbours(time: float, *far: tuple[str, Subject, str], completeness: Completeness = FULL) -> Section:
    """LLDP: (own port, neighbour, its port)."""
    cables = tuple(
        RelationClaim("connects_to", ITSELF, who, {"from_port": near, "to_port": port, "medium": "ethernet"})
        for near, who, port in far
    )
    return Section("snmp.lldp", at(time), completeness, (), cables)


def report(source: str, time: float, *sections: Section, space: str = "default", run: str | None = None,
           port: int = 161) -> Report:  # fmt: skip
    return Report(source, at(time), sections, space, port, run)


def estate(time: float, *cis: Subject, relations: Iterable[RelationClaim] = (), name: str = "estate",
           values: Mapping[str, Mapping[str, Value]] | None = None) -> Report:  # fmt: skip
    """A declared file; `values` by the CI's name."""
    statements = tuple(Statement(one, (values or {}).get(one.name or "", {})) for one in cis)
    section = Section("declared", at(time), FULL, statements, tuple(relations))
    return Report(f"declared:{name}", at(time), (section,))


def thing(cls: str, name: str, **given: str | Sequence[str]) -> Subject:
    """Something declared."""
    return Subject(cls, ids(**given), name, declared=True)


def run(number: int, time: float, network: str = "10.0.0.0/8", *, complete: bool = True) -> RunSection:
    return RunSection(f"run-{number}", "default", (network,), at(time), complete)


def world_of(events: Iterable[Event]) -> World:
    world = World()
    for event in events:
        match event:
            case Report():
                world = _with(world, normalised(event))
            case RunSection():
                world = replace(world, runs=ordered_runs({*world.runs, event}))
            case Decision():
                world = replace(world, decisions=tuple({*world.decisions, event}))
    return world


def _with(world: World, report: Report) -> World:
    place = (report.space, report.source)
    at_place = world.places.get(place, {})
    sighting, _ = taken_in(at_place, report)
    return replace(world, places={**world.places, place: {**at_place, sighting.id: sighting}})


def told(events: Iterable[Event], rules: Rules | None = None, now: float = 100_000) -> tuple[Resolution, Projected]:
    rules = Rules() if rules is None else rules
    world = world_of(events)
    resolution = resolve(world, rules.missing_after)
    return resolution, project(resolution, rules, at(now))


def graph_of(events: Iterable[Event], rules: Rules | None = None, now: float = 100_000) -> Graph:
    """The graph, with the numbers of groups as ids."""
    _, projected = told(events, rules, now)
    cis = {str(group): replace(ci, id=str(group)) for group, ci in projected.cis.items()}
    relations = {
        f"r{number}": Relation(f"r{number}", bond.type, str(bond.source), str(bond.target), bond.columns)
        for number, bond in enumerate(projected.relations)
    }
    return Graph(0, cis, relations)


def in_every_order(events: Sequence[Event], rules: Rules | None = None, now: float = 100_000) -> Graph:
    """The graph, which must be the same in every order (in a hundred of them, where there are more)."""
    graph = graph_of(events, rules, now)
    expected = canonical(graph)
    orders: Iterable[Sequence[Event]] = islice(permutations(events), 120)
    if len(events) > 5:
        chance = Random(7)
        orders = [chance.sample(list(events), len(events)) for _ in range(60)]
    for order in orders:
        assert canonical(graph_of([*order, *order[: len(order) // 2]], rules, now)) == expected
    return graph


def described(graph: Graph) -> set[tuple[str, str, str]]:
    """(class, name, state) of each CI."""
    return {(ci.cls, ci.name, ci.state.value) for ci in graph.cis.values()}


def named(graph: Graph, name: str) -> CI:
    """The one CI of a name."""
    (found,) = [ci for ci in graph.cis.values() if ci.name == name]
    return found


def edges(graph: Graph) -> set[tuple[str, str, str, tuple[tuple[str, Value], ...]]]:
    """(type, source's name, target's name, columns); a cable from the end whose name comes first."""
    found = set()
    for relation in graph.relations.values():
        source, target = graph.cis[relation.source].name, graph.cis[relation.target].name
        columns = relation.columns
        if relation.type == "connects_to" and source > target:
            source, target, columns = target, source, turned(columns)
        found.add((relation.type, source, target, tuple(sorted(columns.items()))))
    return found


def problem_kinds(events: Iterable[Event], rules: Rules | None = None, now: float = 100_000) -> list[str]:
    return [problem.kind for problem in told(events, rules, now)[1].problems]


# The whole outcome in words


class Words(NamedTuple):
    """CIs, relations, components and problems, each sorted; the retired are left out."""

    cis: tuple[str, ...]
    edges: tuple[str, ...]
    parts: tuple[str, ...]
    problems: tuple[str, ...]


def in_words(graph: Graph, problems: Iterable[tuple[str, Iterable[str]]]) -> Words:
    """A graph, and problems as (kind, ids of CIs)."""
    cis = {id_: ci for id_, ci in graph.cis.items() if ci.state is not State.RETIRED}
    between = [one for one in graph.relations.values() if one.source in cis and one.target in cis]
    parts = [(ci.name, part) for ci in cis.values() for part in ci.components]
    return Words(
        tuple(sorted(_ci_in_words(ci, cis) for ci in cis.values())),
        tuple(sorted(_edge_in_words(one, cis) for one in between)),
        tuple(sorted(f"{name}: {part.kind} {part.name}" for name, part in parts)),
        tuple(sorted(f"{kind}: {', '.join(sorted(graph.cis[id_].name for id_ in about))}" for kind, about in problems)),
    )


def _ci_in_words(ci: CI, cis: Mapping[str, CI]) -> str:
    state = "" if ci.state is State.PRESENT else f" ({ci.state})"
    owner = None if ci.owner is None or ci.cls in _INSIDE_ANYWAY else cis.get(ci.owner)
    inside = "" if owner is None else f" in {owner.name}"
    if owner is not None and ci.key != ci.name:
        inside = f" as {ci.key}{inside}"
    known_by = ", ".join(sorted(_identifier_in_words(one) for one in ci.identifiers))
    return f"{ci.cls} {ci.name}{inside}{state}" + (f": {known_by}" if known_by else "")


_INSIDE_ANYWAY = frozenset({"operating_system", "process"})


def _identifier_in_words(identifier: Identifier) -> str:
    """`mac 1` for `mac(1)`, `host_key k` for a key of that letter alone."""
    scheme, value = identifier
    match scheme:
        case "mac":
            value = str(int(value[-2:], 16))
        case "host_key":
            value = value[-1]
    return f"{scheme} {value}"


def _edge_in_words(relation: Relation, cis: Mapping[str, CI]) -> str:
    source, target, columns = cis[relation.source].name, cis[relation.target].name, relation.columns
    if relation.type != "connects_to":
        return " ".join([relation.type, source, ">", target, *(f"{name}={columns[name]}" for name in sorted(columns))])
    if source > target:
        source, target, columns = target, source, turned(columns)
    told = " one_sided" if columns.get("one_sided") else ""
    return f"connects_to {source} {columns.get('from_port')} - {target} {columns.get('to_port')}{told}"


def words_of_told(events: Iterable[Event], rules: Rules, now: float) -> Words:
    """What events give, by the pure functions alone."""
    events = list(events)
    resolution, projected = told(events, rules, now)
    del resolution
    graph = graph_of(events, rules, now)
    return in_words(graph, [(one.kind, [str(group) for group in one.about]) for one in projected.problems])
