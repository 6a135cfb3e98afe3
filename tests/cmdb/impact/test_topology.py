"""After any edits a topology is the one that would be built anew, and says what the naive evaluator's graph says.

Many more random runs by hand: `python -m tests.cmdb.impact.test_topology FIRST LAST`.
"""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from random import Random
from typing import Any

import numpy as np
import pytest

from cmdb.impact.rows import Rows, rows_of
from cmdb.impact.settle import ACTIVE_LEG, BESIDE, HAS_PROTECTION
from cmdb.impact.topology import Topology
from cmdb.model import Change, Graph
from tests.cmdb.impact.rich_worlds import rich_world
from tests.naive.intact import GroupKey, Intact

SEEDS = range(12)


def described(topology: Topology) -> dict[Any, Any]:
    """What each CI, and each group that stands as a leg, requires; in no words of numbers."""
    found = {}
    for node in np.flatnonzero(topology.live[: topology.nodes]).tolist():
        requirements = sorted(_requirement(topology, one) for one in topology.requirements_of(node))
        found[_name(topology, node)] = bool(topology.flags[node] & HAS_PROTECTION), requirements
    return found


def _name(topology: Topology, node: int) -> str:
    if node in topology.group_of:
        owner, name = topology.group_of[node]
        return f"{topology.id(owner)}/{name}"
    return topology.id(node)


def _requirement(topology: Topology, requirement: int) -> tuple[Any, ...]:
    legs: dict[bool, list[Any]] = {False: [], True: []}
    for head in topology.heads(requirement):
        relations = sorted(topology.relation_id(one) for one in topology.relations_of_leg(head))
        flags = int(topology.leg[head])
        legs[bool(flags & BESIDE)].append((_name(topology, int(topology.dst[head])), relations, flags))
    number = int(topology.legs[requirement])
    needs, full = number - int(topology.margin[requirement]), number - int(topology.spare[requirement])
    return topology.requirement_title(requirement), needs, full, number, sorted(legs[False]), sorted(legs[True])


def told(graph: Graph) -> dict[Any, Any]:
    """The same, but flags, of the naive evaluator's intact graph."""
    return {
        _told_name(node): sorted(
            (
                one.title,
                one.needs,
                one.full,
                len(one.legs),
                sorted((_told_name(leg.target), sorted(each.id for each in leg.relations), leg.active) for leg in legs),
            )
            for one in requirements
            for legs in [[*one.legs, *one.beside]]
        )
        for node, requirements in Intact(graph).requirements.items()
    }


def _told_name(node: str | GroupKey) -> str:
    return node if isinstance(node, str) else "/".join(node)


def without_flags(found: dict[Any, Any]) -> dict[Any, Any]:
    return {
        node: sorted(
            (
                *requirement[:4],
                sorted((name, relations, bool(flags & ACTIVE_LEG)) for name, relations, flags in legs + beside),
            )
            for *requirement, legs, beside in requirements
        )
        for node, (_, requirements) in found.items()
    }


def plain(rows: Rows) -> dict[str, Any]:
    values = ((one.name, getattr(rows, one.name)) for one in fields(rows))
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values}


def changes(before: Graph, after: Graph) -> list[Change]:
    cis = [Change(id_, before.cis.get(id_), after.cis.get(id_)) for id_ in {*before.cis, *after.cis}]
    ends = {*before.relations, *after.relations}
    relations = [Change(id_, before.relations.get(id_), after.relations.get(id_)) for id_ in ends]
    return sorted((one for one in [*cis, *relations] if one.before != one.after), key=lambda one: one.id)


def estate(random: Random, revision: int) -> Graph:
    """A rich world of which some CIs are gone; in half of them relations have ids as the product gives them."""
    graph = rich_world(random)
    cis = {id_: ci for id_, ci in graph.cis.items() if random.random() < 0.95}
    relations = [one for one in graph.relations.values() if {one.source, one.target} <= cis.keys()]
    if random.random() < 0.5:
        relations = [replace(one, id=f"rel-{place * 2 + 1}") for place, one in enumerate(relations)]
    return Graph(revision, cis, {one.id: one for one in relations})


def check(seed: int, edits: int = 4) -> None:
    """Build, edit, and compare with what is built anew and with the naive evaluator after each edit."""
    random = Random(seed)
    graph = estate(random, 1) if random.random() < 0.8 else Graph(1, {}, {})
    topology = Topology.of(rows_of(graph))
    for revision in range(2, 2 + edits):
        _compare(topology, graph)
        before, graph = graph, estate(random, revision)
        apply = changes(before, graph)
        random.shuffle(apply)
        topology = topology.copy() if random.random() < 0.3 else topology
        topology.apply(apply, revision)
    _compare(topology, graph)


def _compare(topology: Topology, graph: Graph) -> None:
    anew = Topology.of(rows_of(graph))
    assert described(topology) == described(anew)
    assert without_flags(described(topology)) == told(graph)
    assert plain(topology.rows()) == plain(rows_of(graph))
    assert _sides(topology) == _sides(anew)
    assert len(topology.short_at_birth) == len(anew.short_at_birth)
    assert _short(topology) == _short(anew)
    assert {topology.id(one) for one in topology.grouped} == {anew.id(one) for one in anew.grouped}


def _short(topology: Topology) -> list[str]:
    owners = (int(topology.owner[one]) for one in topology.short_at_birth)
    return sorted(_name(topology, owner) for owner in owners)


def _sides(topology: Topology) -> dict[str, int]:
    """The codes of the relations of the graph, management ports included."""
    numbers = (topology.relation_number(id_) for id_ in _ids(topology))
    return {topology.relation_id(one): int(topology.rcode[one]) for one in numbers}


def _ids(topology: Topology) -> list[str]:
    return [topology.relation_id_of(key) for key in topology.rows().relation_keys.tolist() if key > 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_edits_a_topology_is_the_one_that_is_built_anew_and_the_naive_one(seed: int) -> None:
    check(seed)


if __name__ == "__main__":
    for one in range(int(sys.argv[1]), int(sys.argv[2])):
        check(one)
