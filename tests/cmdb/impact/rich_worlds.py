"""Random small estates with all that questions meet besides requirements: gaps, missing and retired CIs, places, zones,
management ports, assumed and parallel relations; and their changes from one revision to the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Final

from cmdb.model import CI, Change, Component, Graph, Relation, State, Value
from cmdb.schema import RELATION_TYPES
from tests.cmdb.impact.worlds import world

_REASONS: Final = ("never logged in", "never collected", "stale since 2026-01-01", "section ssh.lldp denied")
_WWPNS: Final = tuple(f"50000000000000{number}" for number in range(10, 15))


def rich_world(random: Random) -> Graph:
    graph = world(random)
    cis = {id_: _richer(random, ci) for id_, ci in graph.cis.items()}
    relations = dict(graph.relations)
    for relation in (*_places(random, cis), *_others(random, relations), *_zones(random, cis)):
        relations[relation.id] = relation
    return Graph(graph.revision, cis, relations)


def _richer(random: Random, ci: CI) -> CI:
    if random.random() < 0.4:
        gaps = {type_: random.choice(_REASONS) for type_ in random.sample(list(RELATION_TYPES), random.randint(1, 4))}
        ci = replace(ci, gaps=gaps)
    chance = random.random()
    if chance < 0.1:
        since = random.choice((None, datetime(2026, 1, 2, 3, 4, tzinfo=UTC)))
        ci = replace(ci, state=State.MISSING, missing_since=since)
    elif chance < 0.16:
        ci = replace(ci, state=State.RETIRED)
    if random.random() < 0.1:
        ci = _with(ci, Component("interface", f"p{random.randint(0, 40)}", {"management": True}))
    if random.random() < 0.15:
        port = f"{random.choice('pq')}{random.randint(0, 40)}"
        ci = _with(ci, Component("fc_port", port, {"wwpn": random.choice(_WWPNS)}))
    return replace(ci, name=random.choice("ab")) if random.random() < 0.2 else ci


def _with(ci: CI, component: Component) -> CI:
    return replace(ci, components=(*ci.components, component))


def _places(random: Random, cis: dict[str, CI]) -> Iterator[Relation]:
    places = [id_ for id_, ci in cis.items() if ci.cls in {"building", "room"}]
    for id_, ci in cis.items():
        place = random.choice(places) if places else id_
        if ci.cls != "building" and place != id_ and random.random() < 0.4:
            yield Relation(f"in-{id_}-{place}", "located_in", id_, place)


def _others(random: Random, relations: dict[str, Relation]) -> Iterator[Relation]:
    """Some are assumed; of some there is a second one, of another medium perhaps."""
    for relation in list(relations.values()):
        if relation.type == "depends_on" and random.random() < 0.4:
            yield replace(relation, columns={**relation.columns, "assumed": True})
        if relation.type != "connects_to" and random.random() < 0.08:
            columns: dict[str, Value] = {"medium": random.choice(("fc", "ethernet"))} if random.random() < 0.5 else {}
            yield replace(relation, id=f"{relation.id}-too", columns={**relation.columns, **columns})


def _zones(random: Random, cis: dict[str, CI]) -> Iterator[Relation]:
    servers = [id_ for id_, ci in cis.items() if ci.cls == "server"]
    arrays = [id_ for id_, ci in cis.items() if ci.cls == "storage"]
    for number in range(3 if servers and arrays else 0):
        if random.random() < 0.4:
            said = {"from_wwpn": random.choice((None, *_WWPNS)), "to_wwpn": random.choice((None, *_WWPNS))}
            columns = {name: value for name, value in said.items() if value is not None}
            yield Relation(f"zone{number}", "zoned_to", random.choice(servers), random.choice(arrays), columns)


def following(random: Random, graph: Graph) -> Graph:
    """The next revision: CIs and relations come, go, and turn into something else."""
    other = rich_world(random)
    cis, relations = dict(graph.cis), dict(graph.relations)
    for id_ in list(cis):
        if id_ in other.cis and random.random() < 0.15:
            cis[id_] = other.cis[id_]
        elif random.random() < 0.1:
            del cis[id_]
    cis |= {id_: ci for id_, ci in other.cis.items() if id_ not in cis and random.random() < 0.5}
    relations = {id_: one for id_, one in relations.items() if random.random() > 0.2}
    relations |= {id_: one for id_, one in other.relations.items() if random.random() < 0.4}
    relations = {id_: one for id_, one in relations.items() if one.source in cis and one.target in cis}
    return Graph(graph.revision + 1, cis, relations)


def changes(random: Random, before: Graph, after: Graph) -> list[Change]:
    """What is not the same, in any order."""
    found = [
        Change(id_, before.cis.get(id_), after.cis.get(id_))
        for id_ in {*before.cis, *after.cis}
        if before.cis.get(id_) != after.cis.get(id_)
    ]
    found += [
        Change(id_, before.relations.get(id_), after.relations.get(id_))
        for id_ in {*before.relations, *after.relations}
        if before.relations.get(id_) != after.relations.get(id_)
    ]
    found.sort(key=lambda change: change.id)
    random.shuffle(found)
    return found
