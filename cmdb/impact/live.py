"""The topology of now, which follows the journal; and those of a few other times that were asked for.

Nothing is loaded or followed before somebody asks; nothing is answered from what was loaded or followed half-way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from cmdb.impact import snapshot
from cmdb.impact.engine import let_go
from cmdb.impact.rows import read_rows
from cmdb.impact.snapshot import Snapshot
from cmdb.impact.topology import Topology
from cmdb.model import Change
from cmdb.store.base import Gone, GraphStore, Position
from cmdb.store.past import between, check_revision, net

_KEPT: Final = 2
"""How many topologies of other times are kept."""

_NEAR: Final = 200
"""From how many revisions away the topology of another time is worked out from that of now."""

_PAGE: Final = 200
"""Revisions that are followed at once: of each CI or relation that they change, only the last image counts."""

_SAVED_EVERY: Final = 2_000
_SAVED_AT_CLOSE: Final = 100
"""After how many revisions another snapshot is worth its while: to follow so many takes longer than to load it."""


class _Held(NamedTuple):
    """A topology, and the hash of its revision in the journal."""

    topology: Topology
    hash: str


class _Elsewhere(Exception):
    """The journal does not go on from where the topology is: the store was restored, or is another one."""


class LiveTopology:
    """Topologies of a store, one asker at a time: who asks holds them alone for as long as it takes.

    `snapshots` is a folder for a file that saves loading a store that is slow to read; None: there is none.
    """

    def __init__(self, store: GraphStore, snapshots: Path | None = None) -> None:
        self._store = store
        self._snapshots = snapshots
        self._guard = threading.Lock()
        self._now: _Held | None = None
        self._past: OrderedDict[int, Topology] = OrderedDict()
        self._saved = 0

    @contextmanager
    def at(self, revision: int | None = None) -> Iterator[Topology]:
        """The topology of a revision, or of now: where the store stands when it is asked for, or later.

        Not to be asked for again inside. Raises Gone for a revision that is not kept any more, and StoreError for one
        that is not there.
        """
        with self._guard:
            yield self._followed().topology if revision is None else self._at(revision)

    def close(self) -> None:
        """Save what was followed since the last snapshot, where that is much."""
        with self._guard:
            held, self._now = self._now, None
            self._drop_past(self._past)
            if held is not None and self._snapshots and held.topology.revision >= self._saved + _SAVED_AT_CLOSE:
                self._save(Snapshot(held.topology.rows(), held.hash))

    def _followed(self) -> _Held:
        """The topology of now, at the revision where the store stands or a later one."""
        held = self._now
        # Where the store is away for a while, that shows before what is held is given up.
        position = None if held is None else self._store.position()
        self._now = None  # what fails half-way is of no use
        try:
            held = self._caught_up(held or self._loaded(), position)
        except (Gone, _Elsewhere):  # the journal was trimmed behind us, or is another one
            self._drop_past(self._past)
            held = self._caught_up(self._read())
        if self._snapshots and held.topology.revision >= self._saved + _SAVED_EVERY:
            self._save(Snapshot(held.topology.rows(), held.hash))
        self._now = held
        return held

    def _loaded(self) -> _Held:
        """What a snapshot keeps, else what the store gives."""
        found = snapshot.load(self._snapshots) if self._snapshots else None
        if found is None or not self._is_of_the_store(found):
            return self._read()
        self._saved = found.rows.revision
        return _Held(Topology.of(found.rows), found.hash)

    def _is_of_the_store(self, found: Snapshot) -> bool:
        base, position, revision = self._store.base(), self._store.position(), found.rows.revision
        if revision in {base.revision, position.revision}:
            return found.hash == (base if revision == base.revision else position).hash
        if not base.revision < revision < position.revision:
            return False
        following = self._store.changes(revision, 1)
        return bool(following) and found.hash == following[0].prev_hash

    def _read(self) -> _Held:
        with self._store.coded() as coded:
            rows = read_rows(coded)
        self._save(Snapshot(rows, coded.hash))
        return _Held(Topology.of(rows), coded.hash)

    def _save(self, rows: Snapshot) -> None:
        if self._snapshots is not None:
            self._saved = rows.rows.revision
            with suppress(OSError):  # a full disk costs time at the next start, and no answer
                snapshot.save(self._snapshots, rows)

    def _caught_up(self, held: _Held, position: Position | None = None) -> _Held:
        """Follow the journal to a position, by default to where it ends. Raises Gone, _Elsewhere."""
        topology, digest = held
        position = position or self._store.position()
        if topology.revision >= position.revision and digest != position.hash:
            raise _Elsewhere
        revisions = between(self._store, topology.revision, position.revision)
        while page := list(islice(revisions, _PAGE)):
            if page[0].prev_hash != digest:
                raise _Elsewhere
            topology.apply(page[0].changes if len(page) == 1 else net(page), page[-1].n)
            digest = page[-1].hash
        return _Held(topology, digest)

    def _at(self, revision: int) -> Topology:
        now = self._followed().topology
        oldest = self._store.base().revision
        self._drop_past(n for n in self._past if n < oldest)
        check_revision(revision, oldest, now.revision)
        if revision == now.revision:
            return now
        topology = self._past.get(revision)
        if topology is None:
            self._drop_past(list(self._past)[: len(self._past) - _KEPT + 1])
            topology = self._worked_out(now, revision)
        self._past[revision] = topology
        self._past.move_to_end(revision)
        return topology

    def _drop_past(self, revisions: Iterable[int]) -> None:
        for revision in list(revisions):
            let_go(self._past.pop(revision))

    def _worked_out(self, now: Topology, revision: int) -> Topology:
        if now.revision - revision > _NEAR:
            with self._store.coded(revision) as coded:
                rows = read_rows(coded)
            return Topology.of(rows)
        undone = [Change(one.id, one.after, one.before) for one in net(between(self._store, revision, now.revision))]
        topology = now.copy()
        topology.apply(undone, revision)
        return topology
