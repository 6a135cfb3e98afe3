"""The proof of the journal: gapless, chained by hash, and its replay from the base is the past and the present."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from cmdb import codec
from cmdb.model import CI, Graph, Relation, Revision
from cmdb.store.base import GraphStore, Past, Verification
from cmdb.store.past import digest_of

_SHOWN = 20
_PAGE = 200


def verified(store: GraphStore) -> Verification:
    """Go through the whole chain, up to where the store stands now. Each break is said once, in words.

    Raises StoreError, and Gone where the store is trimmed meanwhile.
    """
    graph = store.topology()
    proof = _Proof(store)
    journal = store.journal()
    while proof.last < graph.revision:
        page = list(islice(journal, min(_PAGE, graph.revision - proof.last)))
        if not page or page[0].n > graph.revision:
            proof.problems.append(
                f"revision {proof.last + 1} and later ones are missing: the store stands at {graph.revision}"
            )
            break
        past: dict[int, list[Past]] = {}
        for row in store.past(proof.last + 1, page[-1].n):
            past.setdefault(row.until, []).append(row)
        for revision in page:
            proof.follow(revision, past.get(revision.n, []))
    proof.compare(graph)
    return Verification(graph.revision, tuple(proof.problems))


class _Proof:
    """How far the journal was followed, and what it makes of the base."""

    def __init__(self, store: GraphStore) -> None:
        base = store.base()
        start = store.topology_at(base.revision)
        self.problems: list[str] = []
        self.last = base.revision
        self._base = base.revision
        self._hash = base.hash
        self._images: dict[str, CI | Relation] = {**start.cis, **start.relations}
        self._since: dict[str, int] = {}
        if digest_of(self._images.values()) != base.images:
            self.problems.append(
                f"what was known at revision {base.revision}, the oldest that is kept, is not what was trimmed to"
            )

    def follow(self, revision: Revision, past: list[Past]) -> None:
        n = revision.n
        if n != self.last + 1:
            self.problems.append(f"revision {self.last + 1} is missing: revision {n} follows")
        if revision.prev_hash != self._hash:
            self.problems.append(f"revision {n} does not follow the one before it: the chain is broken there")
        if codec.revision_hash(revision) != revision.hash:
            self.problems.append(f"revision {n} was changed after it was written: its hash does not fit")
        self.last, self._hash = n, revision.hash
        ended = {row.image.id: row for row in past}
        for change in revision.changes:
            if self._images.get(change.id) != change.before:
                self.problems.append(f"revision {n}: {change.id} was not before as it says")
            if change.before is not None and not self._ended(change.before, ended.pop(change.id, None)):
                self.problems.append(f"revision {n}: how {change.id} was before is not kept as the journal tells it")
            self._since[change.id] = n
            if change.after is None:
                self._images.pop(change.id, None)
            else:
                self._images[change.id] = change.after
        self.problems += [f"revision {n}: {id_} is kept as it was before, but did not change" for id_ in sorted(ended)]

    def _ended(self, before: CI | Relation, row: Past | None) -> bool:
        if row is None or row.image != before:
            return False
        since = self._since.get(before.id)
        return row.since == since if since is not None else row.since <= self._base

    def compare(self, graph: Graph) -> None:
        """What the journal makes of the base, against what is stored."""
        self.problems += _differences(self._images, graph)


def _differences(images: Mapping[str, CI | Relation], graph: Graph) -> list[str]:
    stored: dict[str, CI | Relation] = {**graph.cis, **graph.relations}
    different = sorted(id_ for id_ in images.keys() | stored.keys() if images.get(id_) != stored.get(id_))
    return [f"{id_} is not stored as the journal tells it" for id_ in different[:_SHOWN]]
