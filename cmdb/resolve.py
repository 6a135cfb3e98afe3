"""Who is who: nodes become groups, level by level; what contradicts joins nothing (truth.md, "Resolution"). Pure.

A part can be resolved by itself: all that may change with what is new, beside what is settled of the rest.
"""

from __future__ import annotations

from collections.abc import Collection

from cmdb.evidence import World
from cmdb.find import Finder
from cmdb.index import Index, index_of
from cmdb.join import Joiner
from cmdb.model import SCHEMES, Decision
from cmdb.resolution import Part, Resolution
from cmdb.settled import Settled


def resolve(world: World, missing_after: int = 3) -> Resolution:
    """Who is who, as a function of what was said and decided."""
    index = index_of(world.places, world.runs, missing_after)
    return resolve_all(index, world.decisions, Settled())


def resolve_all(index: Index, decisions: Collection[Decision], settled: Settled) -> Resolution:
    """The same, of what is indexed already."""
    sought = {key for key in index.nodes if key[0] == "weak"}
    return resolve_part(index, decisions, settled, Part(index.nodes.keys() - sought, sought))


def resolve_part(index: Index, decisions: Collection[Decision], settled: Settled, part: Part) -> Resolution:
    """The groups of a part; raises Wider where it is too small."""
    nodes = {key: index.nodes[key] for key in part.keys if key in index.nodes}
    joiner = Joiner(nodes, decisions, part.skipped)
    joiner.decide()
    for level in SCHEMES:
        joiner.level(level)
    found = Finder(joiner, index, settled, part).resolution()
    found.decisions = tuple(decisions)
    return found
