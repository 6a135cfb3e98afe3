"""The graph as a projection from scratch of all that was said and decided: what is stored must be equal to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cmdb.evidence import World
from cmdb.model import Graph, Relation
from cmdb.project import project
from cmdb.resolve import resolve
from cmdb.rules import Rules


def from_scratch(world: World, rules: Rules, now: datetime) -> Graph:
    """The graph, with the numbers of groups as ids: to be compared by what things are (`cmdb.export.canonical`)."""
    resolution = resolve(world, rules.missing_after)
    projected = project(resolution, rules, now)
    return Graph(
        0,
        {str(group): replace(ci, id=str(group)) for group, ci in projected.cis.items()},
        {
            f"rel-{number}": Relation(f"rel-{number}", bond.type, str(bond.source), str(bond.target), bond.columns)
            for number, bond in enumerate(projected.relations)
        },
    )
