"""The resolver against a second one that was written from the page alone; `LAWS_EXAMPLES` says on how many worlds."""

from __future__ import annotations

import os
from random import Random

from cmdb.nodes import Key
from cmdb.resolution import Resolution
from cmdb.resolve import resolve
from tests.cmdb.truth.oracle import Name, Verdict, judge
from tests.cmdb.truth.saying import world_of
from tests.cmdb.worlds import Told, world

EXAMPLES = int(os.environ.get("LAWS_EXAMPLES", "1000"))


def verdict_of(told: Told) -> Verdict:
    """What the resolver says, of the nodes that the oracle knows."""
    resolution = resolve(world_of(told.events), told.rules.missing_after)
    groups = (
        frozenset(name for key in keys if (name := _name(key, resolution)) is not None) for keys in resolution.groups
    )
    return Verdict(frozenset(group for group in groups if group), resolution.burnt)


def _name(key: Key, resolution: Resolution) -> Name | None:
    node = resolution.nodes[key]
    if node.line is not None:
        identifiers = tuple(sorted(node.identifiers))
        return ("line", node.line.space, node.line.source, identifiers, node.line.seen) if identifiers else None
    match key[0]:
        case "subject":
            return ("subject", key[1], tuple(key[2:]))
        case "declared":
            return key if node.identifiers else None
    return None


def test_a_second_resolver_says_the_same() -> None:
    for seed in range(EXAMPLES):
        told = world(Random(seed), inside=False)
        assert verdict_of(told) == judge(told.events, told.rules.missing_after), f"seed {seed}"
