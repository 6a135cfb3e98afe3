"""Random changes of a small graph, and rows as values that can be compared."""

from __future__ import annotations

from dataclasses import fields
from random import Random

import numpy as np

from cmdb.impact.rows import Rows
from cmdb.model import CI, Change, Component, Graph, Relation


def plain(rows: Rows) -> dict[str, object]:
    """Rows as values that can be compared."""
    values = {field.name: getattr(rows, field.name) for field in fields(rows)}
    return {
        name: (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in values.items()
    }


def some_changes(graph: Graph, random: Random) -> list[Change]:
    """A few CIs and relations that come, change and go."""
    changes: dict[str, Change] = {}
    for name in random.sample(["x", "y", "ci-0", "ci-1", "ci-2", "ci-30", f"ci-{2**31}", f"ci-{2**31 - 1}"], 4):
        port = Component("interface", "eth0", {"management": random.random() < 0.5})
        gaps = {"runs_on": random.choice(["never", "stale"])} if random.random() < 0.5 else {}
        made = CI(
            name, random.choice(["server", "router"]), "default", random.choice("äbc"), gaps=gaps, components=(port,)
        )
        if made != graph.cis.get(name):
            changes[name] = Change(name, graph.cis.get(name), made)
    there = sorted({*graph.cis, *changes})
    for name in random.sample(["r", "s", "rel-1", "rel-2", "rel-5", "rel-77"], 4):
        before = graph.relations.get(name)
        after = Relation(
            name,
            random.choice(["connects_to", "depends_on", "served_by"]),
            random.choice(there),
            random.choice(there),
            {"from_port": random.choice("pqr"), "role": random.choice("uvw")},
        )
        if before is not None and random.random() < 0.4:
            changes[name] = Change(name, before, None)
        elif before != after:
            changes[name] = Change(name, before, after)
    relations = {**graph.relations, **{name: change.after for name, change in changes.items()}}
    kept = [relation for relation in relations.values() if isinstance(relation, Relation)]
    ends = {end for relation in kept for end in (relation.source, relation.target)}
    for name, ci in graph.cis.items():
        if name not in changes and name not in ends and random.random() < 0.7:
            changes[name] = Change(name, ci, None)
    return list(changes.values())
