"""A question answered: rows, reasons and paths for whoever looks at them, always of the revision that was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from cmdb.impact.answer import (
    ASSUMED_NOTE,
    VLAN_NOTE,
    Affected,
    Answer,
    Census,
    NextFailures,
    Outline,
    Rows,
    StaleRelation,
    Unknown,
    Why,
)
from cmdb.impact.census import Counted
from cmdb.impact.engine import Case, Engine, engine_of
from cmdb.impact.failures import Failures
from cmdb.impact.levels import Change
from cmdb.impact.question import Question
from cmdb.impact.reasons import standing
from cmdb.impact.rows import rows_of
from cmdb.impact.sites import SEVERAL
from cmdb.impact.spread import Spread, spread
from cmdb.impact.topology import Topology
from cmdb.impact.trails import path
from cmdb.model import Graph, ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALONE_S: Final = 0.25
"""So long a search may keep others from the topology."""

Opened: TypeAlias = Callable[[int | None], AbstractContextManager[Topology]]
"""Gives the topology of a revision, None: of now, to be used alone as long as the context lasts."""


class _Aside:
    """A copy of a topology of its own, for the next failures of a question."""

    def __init__(self, topology: Topology, already: Change, changed: Change) -> None:
        self.topology = topology
        self.failures = Failures(Engine(topology), already, changed)


class Evaluation:
    """A question at a revision: that of `at`, else the one of when it is first worked out. Later asking stays there."""

    def __init__(self, opened: Opened, question: Question, rules: str = "", at: int | None = None) -> None:
        self._opened = opened
        self._question = question
        self._rules = rules
        self._at = at
        self._held: Case | None = None
        self._counted: Census | None = None
        self._aside: _Aside | None = None

    @contextmanager
    def held(self) -> Iterator[Evaluation]:
        """Keep the topology for as long as the context lasts: whoever asks more than once is not overtaken by changes.

        Others wait meanwhile. Raises ModelError where the question does not fit the graph.
        """
        with self._case() as case:
            before, self._held = self._held, case
            try:
                yield self
            finally:
                self._held = before

    @contextmanager
    def _case(self) -> Iterator[Case]:
        if self._held is not None:
            yield self._held
            return
        with self._opened(self._at) as topology:
            self._at = topology.revision
            yield engine_of(topology).case(self._question)

    def answer(self) -> Answer:
        """Who is affected and who is unknown, counted; rows are made when they are looked at.

        Raises ModelError where the question does not fit the graph.
        """
        with self._case() as case:
            stale = len(case.stale)
            return Answer(
                revision=case.topology.revision,
                rules=self._rules,
                hash=_hash(case, self._rules),
                question=self._question,
                counts=case.counts,
                affected=Rows(len(case.nodes), self._affected),
                outlines=Rows(len(case.nodes), self._outlines),
                unknown=Rows(case.doubts.count, self._unknown),
                unknown_because=case.doubts.because,
                stale=Rows(stale, self._stale),
                assumed=len(case.assumed_owners),
                temporary=self._question.reboots and bool(self._question.targets),
                notes=_notes(case),
                census=self._census,
                chosen=self._chosen,
            )

    def why(self, id_: str) -> Why:
        """Why a CI is as it is: what its levels rest on, or which requirements held; and the path from the first cause.

        Raises ModelError for an id that is not in the graph.
        """
        with self._case() as case:
            topology, node = case.topology, _number(case.topology, id_)
            now, was = (standing(mark) for mark in case.marks(node))
            if axes := case.axes(node):
                because = case.reasons.because(node, axes)
                return Why(topology.item(node), "affected", now, was, because, path(case, node, axes))
            unknown = None
            place = int(np.searchsorted(case.doubts.nodes, np.int32(node)))
            if place < len(case.doubts.nodes) and case.doubts.nodes[place] == node:
                unknown = case.doubts.of(node).reason
            verdict = "unaffected" if unknown is None else "unknown"
            return Why(topology.item(node), verdict, now, was, case.reasons.held(node), unknown=unknown)

    def spread(self, levels: Collection[str], classes: Collection[str], site: str | None, first: int) -> Spread:
        """Those at any of some levels, of some classes, in a building (its id, or `NOWHERE`), heaped for a picture; of
        each heap the first few are named."""
        with self._case() as case:
            return spread(case, levels, classes, site, first)

    def next_failures(self, of: str, enough: Callable[[], bool] = lambda: False) -> NextFailures:
        """Every CI or cable that takes a CI down when it fails after the change, and would not have done so before.

        `enough` says when the time is up. Raises ModelError for an id that is not in the graph.
        """
        if self._aside is None:
            ends = monotonic() + _ALONE_S
            with self._case() as case:
                topology, node = case.topology, _number(case.topology, of)
                found = case.failures.of(node, lambda: enough() or monotonic() >= ends)
                if found.complete or enough():
                    return found
                self._aside = _Aside(topology.copy(), case.already, case.changed)
        # What takes long is worked out on a copy, so that others ask and write meanwhile.
        return self._aside.failures.of(_number(self._aside.topology, of), enough)

    # Rows

    def _census(self) -> Census:
        if self._counted is None:
            with self._case() as case:
                self._counted = Counted(case).census()
        return self._counted

    def _chosen(self, levels: Collection[str], classes: Collection[str], site: str | None) -> Sequence[int]:
        with self._case() as case:
            return Counted(case).chosen(levels, classes, site)

    def _affected(self, places: range) -> Sequence[Affected]:
        with self._case() as case:
            return [_affected(case, int(place)) for place in case.order[places.start : places.stop : places.step]]

    def _outlines(self, places: range) -> Sequence[Outline]:
        with self._case() as case:
            return [_outline(case, int(place)) for place in case.order[places.start : places.stop : places.step]]

    def _unknown(self, places: range) -> Sequence[Unknown]:
        with self._case() as case:
            topology = case.topology
            return [Unknown(topology.item(node), *case.doubts.of(node)) for node in case.doubts.page(places)]

    def _stale(self, places: range) -> Sequence[StaleRelation]:
        with self._case() as case:
            topology = case.topology
            return [
                StaleRelation(
                    topology.relation_id(relation),
                    topology.type_name(relation),
                    topology.item(int(topology.src[relation])),
                    topology.item(int(topology.dst[relation])),
                    topology.stale(relation) or "",
                )
                for relation in case.stale[places.start : places.stop : places.step].tolist()
            ]


def evaluate(graph: Graph, question: Question, rules: str = "") -> Evaluation:
    """A question on a graph in memory."""
    topology = Topology.of(rows_of(graph))

    @contextmanager
    def opened(_: int | None) -> Iterator[Topology]:
        yield topology

    return Evaluation(opened, question, rules)


def _number(topology: Topology, id_: str) -> int:
    node = topology.number(id_)
    if node < 0 or not topology.live[node]:
        raise ModelError(f"{id_}: no such CI in the graph")
    return node


def _affected(case: Case, place: int) -> Affected:
    node = int(case.nodes[place])
    return Affected(
        ci=case.topology.item(node),
        now=standing(int(case.now[place])),
        was=standing(int(case.was[place])),
        distance=_distance(case, place),
        because=case.reasons.because(node, case.axes(node)),
        own=_own(case, place),
    )


def _outline(case: Case, place: int) -> Outline:
    topology = case.topology
    node = int(case.nodes[place])
    site = int(case.engine.cells.site[node])
    if site == SEVERAL:
        site = min(case.engine.cells.several[node], key=topology.id)
    return Outline(
        topology.item(node),
        standing(int(case.now[place])),
        standing(int(case.was[place])),
        _distance(case, place),
        _own(case, place),
        topology.item(site) if site >= 0 else None,
    )


def _distance(case: Case, place: int) -> int | None:
    distance = int(case.distances[place])
    return None if distance < 0 else distance


def _own(case: Case, place: int) -> bool | None:
    return bool(case.own_risk[place]) if case.at_risk[place] else None


def _notes(case: Case) -> tuple[str, ...]:
    network = case.network_in_question or case.cut_off
    return (*((VLAN_NOTE,) if network else ()), *((ASSUMED_NOTE,) if case.assumed_owners else ()))


def _hash(case: Case, rules: str) -> str:
    """Covers the question, who is affected and how, and who is unknown."""
    digest = hashlib.sha256(repr((case.topology.revision, rules, case.question)).encode())
    order = np.argsort(case.topology.key[case.nodes])
    for array in (case.topology.key[case.nodes], case.now, case.was):
        digest.update(array[order].tobytes())
    digest.update(case.doubts.digest)
    return digest.hexdigest()
