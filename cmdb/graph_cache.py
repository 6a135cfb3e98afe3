"""The graph of now, kept in memory: it follows the journal, since other processes write too."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from cmdb.model import CI, Change, Graph, Relation
from cmdb.store.base import GraphStore

_PAGE = 500


class GraphCache:
    """The graph at the newest revision; loaded whole once, then by what changed."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._graph: Graph | None = None

    def graph(self) -> Graph:
        with self._guard:
            newest = self._store.position().revision
            if self._graph is None or newest < self._graph.revision:
                self._graph = self._store.topology()
            while self._graph.revision < newest:
                revisions = self._store.changes(self._graph.revision, _PAGE)
                if not revisions or revisions[0].n != self._graph.revision + 1:
                    # The journal was trimmed behind us.
                    self._graph = self._store.topology()
                    break
                changes = [change for revision in revisions for change in revision.changes]
                self._graph = changed(self._graph, changes, revisions[-1].n)
            return self._graph


def changed(graph: Graph, changes: Iterable[Change], revision: int) -> Graph:
    """The graph after changes."""
    cis, relations = dict(graph.cis), dict(graph.relations)
    for change in changes:
        if isinstance(change.after, CI):
            cis[change.id] = change.after
        elif isinstance(change.after, Relation):
            relations[change.id] = change.after
        elif isinstance(change.before, CI):
            cis.pop(change.id, None)
        else:
            relations.pop(change.id, None)
    return Graph(revision, cis, relations)
