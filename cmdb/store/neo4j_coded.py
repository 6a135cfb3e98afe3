"""CIs and relations as integers, out of a graph database: read page by page, so that a million do not fill the memory.

As in `neo4j_history`, the present is read first, then the past, which tells how that was which changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from cmdb.model import CI, Relation
from cmdb.store.base import Coded
from cmdb.store.coded import Coder, blocks
from cmdb.store.neo4j_graph import stored_ci
from cmdb.store.neo4j_history import past_images, unchanged
from cmdb.store.neo4j_reading import Run

_PAGE: Final = 10_000
"""CIs read at once, and CIs whose relations are."""


def read_coded(run: Run, revision: int, digest: str) -> Coded:
    """All of a revision as integers. What changes while it is read may come twice, equal both times."""
    coder = Coder()
    return Coded(
        revision,
        digest,
        map(coder.cis, chain(_cis(run, revision), blocks(past_images(run, revision, CI)))),
        map(coder.relations, chain(_relations(run, revision), blocks(past_images(run, revision, Relation)))),
        coder.words,
        coder.extras,
        coder.strange_cis,
        coder.strange_relations,
    )


def _cis(run: Run, revision: int) -> Iterator[list[CI]]:
    statement = "MATCH (n:CI) WHERE n.id > $last RETURN n.id, n._image ORDER BY n.id LIMIT $page"
    last = ""
    while rows := run(statement, last=last, page=_PAGE):
        last = rows[-1][0]
        stored = (stored_ci(image) for _, image in rows if image is not None)
        yield [ci for ci, since in stored if since <= revision]


def _relations(run: Run, revision: int) -> Iterator[list[Relation]]:
    """Grouped by source, because row by row takes twice as long."""
    statement = (
        "MATCH (a:CI) WHERE a.id > $last WITH a ORDER BY a.id LIMIT $page"
        " RETURN a.id, COLLECT { MATCH (a)-[r]->(b:CI) RETURN [r.id, type(r), b.id, properties(r)] } ORDER BY a.id"
    )
    last = ""
    while grouped := run(statement, last=last, page=_PAGE):
        last = grouped[-1][0]
        rows = ([source, *row] for source, found in grouped for row in found)
        yield list(unchanged(rows, revision).values())
