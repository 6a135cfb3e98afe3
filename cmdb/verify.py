"""The proof of the journal: gapless, chained by hash, and its replay is the graph that is stored."""

from __future__ import annotations

from collections.abc import Mapping

from cmdb import codec
from cmdb.model import CI, Graph, Relation
from cmdb.store.base import GraphStore, Verification

_START = "0" * 64
_SHOWN = 20


def verified(store: GraphStore) -> Verification:
    """Go through the whole chain. Each break is said once, in words."""
    problems: list[str] = []
    images: dict[str, CI | Relation] = {}
    count, last, whole = 0, _START, True
    for revision in store.journal():
        if count == 0 and revision.n > 1:
            # The base of a trimmed journal: what was before is not told any more.
            count, last, whole = revision.n - 1, revision.prev_hash, False
        count += 1
        if revision.n != count:
            problems.append(f"revision {count} is missing: revision {revision.n} follows")
            count = revision.n
        if revision.prev_hash != last:
            problems.append(f"revision {revision.n} does not follow the one before it: the chain is broken there")
        if codec.revision_hash(revision) != revision.hash:
            problems.append(f"revision {revision.n} was changed after it was written: its hash does not fit")
        last = revision.hash
        for change in revision.changes:
            if whole and images.get(change.id) != change.before:
                problems.append(f"revision {revision.n}: {change.id} was not before as it says")
            if change.after is None:
                images.pop(change.id, None)
            else:
                images[change.id] = change.after
    if whole:
        problems += _differences(images, store.topology())
    return Verification(count, tuple(problems))


def _differences(images: Mapping[str, CI | Relation], graph: Graph) -> list[str]:
    stored: dict[str, CI | Relation] = {**graph.cis, **graph.relations}
    different = sorted(id_ for id_ in images.keys() | stored.keys() if images.get(id_) != stored.get(id_))
    return [f"{id_} is not stored as the journal tells it" for id_ in different[:_SHOWN]]
