"""The graph in memory: that of now follows the journal, since other processes write too; of other times a few are kept.

Nothing is loaded or followed before somebody asks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from cmdb.layered import Layered
from cmdb.model import CI, Change, Graph, Relation
from cmdb.store.base import Gone, GraphStore
from cmdb.store.past import between, net

Item = TypeVar("Item")

_KEPT = 2
"""How many graphs of other times are kept. They share what did not change with that of now."""

_NEAR = 200
"""From how many revisions away the graph of another time is worked out from that of now."""


class GraphCache:
    """The graph at the newest revision, loaded whole once, then by what changed; and at others that were asked for."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._graph: Graph | None = None
        self._past: OrderedDict[int, Graph] = OrderedDict()

    def graph(self) -> Graph:
        """The graph of now."""
        with self._guard:
            return self._followed()

    def at(self, revision: int) -> Graph:
        """The graph of a revision. Raises Gone for one before the base, StoreError for one that is not there yet."""
        with self._guard:
            now = self._followed()
            if revision == now.revision:
                return now
            if revision < (oldest := self._store.base().revision):
                self._past = OrderedDict((n, graph) for n, graph in self._past.items() if n >= oldest)
            graph = self._past.get(revision)
            if graph is None:
                graph = self._worked_out(now, revision)
            self._past[revision] = graph
            self._past.move_to_end(revision)
            while len(self._past) > _KEPT:
                self._past.popitem(last=False)
            return graph

    def _followed(self) -> Graph:
        newest = self._store.position().revision
        graph = self._graph
        if graph is None or newest < graph.revision:
            graph = self._store.topology()
        if graph.revision < newest:
            try:
                revisions = list(between(self._store, graph.revision, newest))
            except Gone:  # the journal was trimmed behind us
                graph = self._store.topology()
            else:
                graph = changed(graph, net(revisions), revisions[-1].n)
        self._graph = graph
        return graph

    def _worked_out(self, now: Graph, revision: int) -> Graph:
        if 0 < now.revision - revision <= _NEAR:
            undone = [
                Change(one.id, one.after, one.before) for one in net(between(self._store, revision, now.revision))
            ]
            return changed(now, undone, revision)
        graph = self._store.topology_at(revision)
        return Graph(revision, _shared(graph.cis, now.cis), _shared(graph.relations, now.relations))


def changed(graph: Graph, changes: Iterable[Change], revision: int) -> Graph:
    """The graph after changes, of which there is one for each CI or relation."""
    cis: dict[str, CI | None] = {}
    relations: dict[str, Relation | None] = {}
    for change in changes:
        if isinstance(change.after, CI):
            cis[change.id] = change.after
        elif isinstance(change.after, Relation):
            relations[change.id] = change.after
        elif isinstance(change.before, CI):
            cis[change.id] = None
        elif isinstance(change.before, Relation):
            relations[change.id] = None
    return Graph(revision, _layered(graph.cis).changed(cis), _layered(graph.relations).changed(relations))


def _layered(table: Mapping[str, Item]) -> Layered[Item]:
    return table if isinstance(table, Layered) else Layered(table)


def _shared(table: Mapping[str, Item], other: Mapping[str, Item]) -> dict[str, Item]:
    """A table whose items are those of the other where they are equal: one of them in memory, not two."""
    return {
        key: known if (known := other.get(key)) == item and known is not None else item for key, item in table.items()
    }
