"""The seam on the naive evaluator, until the engine stands. Temporary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import cast

from cmdb import naive
from cmdb.codec import Json, canonical
from cmdb.impact.answer import (
    Affected,
    Answer,
    Item,
    LegState,
    NextFailures,
    Outline,
    Reason,
    Rows,
    SinglePoint,
    Standing,
    Step,
    Unknown,
    Why,
)  # fmt: skip
from cmdb.impact.question import Question
from cmdb.model import CI, Graph
from cmdb.naive.intact import Intact
from cmdb.naive.next_failures import next_failures
from cmdb.naive.unknown import unknown


class Evaluation:
    """A question answered on one graph, for whoever asks more of it than the answer."""

    def __init__(self, graph: Graph, question: Question, rules: str = "") -> None:
        self._graph = graph
        self._question = question
        self._rules = rules
        old = naive.Question(question.targets, question.relations, question.kind, question.down, question.restarts)
        self._old = naive.Evaluation(graph, old)
        self._naive = self._old.answer()
        self._asked = old

    def answer(self) -> Answer:
        old = self._naive
        affected = [_affected(one) for one in old.affected]
        intact = self._old.intact
        doubts = unknown(intact, self._asked, {one.ci.id for one in old.affected})
        strange = [Unknown(_item(one.ci), one.reason, doubts[one.ci.id].root) for one in old.unknown]
        outlines = [
            Outline(one.ci, one.now, one.was, one.distance, one.own, _site(intact, one.ci.id)) for one in affected
        ]
        facts = [[one.ci.id, list(one.now), list(one.was), one.distance] for one in affected]
        digest = sha256(canonical(cast("Json", [old.revision, self._rules, facts, [o.ci.id for o in strange]])))
        return Answer(
            old.revision, self._rules, digest.hexdigest(), self._question, old.counts,
            Rows(len(affected), lambda places: [affected[place] for place in places]),
            Rows(len(outlines), lambda places: [outlines[place] for place in places]),
            Rows(len(strange), lambda places: [strange[place] for place in places]),
            old.unknown_because, (), sum(any(r.assumed for r in one.because) for one in affected),
            old.temporary, old.notes,
        )  # fmt: skip

    def why(self, id_: str) -> Why:
        because = tuple(_reason(one) for one in self._old.why(id_))
        ci = _item(self._graph.cis[id_])
        now, was = Standing(*self._old.after.of(id_)), Standing(*self._old.before.of(id_))
        doubts = {one.ci.id: one.reason for one in self._naive.unknown}
        verdict = "affected" if now.worse_than(was) else "unknown" if id_ in doubts else "unaffected"
        path = (Step(ci, now.availability),) if verdict == "affected" else ()
        return Why(ci, verdict, now, was, because, path, doubts.get(id_))

    def next_failures(self, of: str, enough: Callable[[], bool] = lambda: False) -> NextFailures:
        found = next_failures(self._graph, self._asked, of, enough)
        return NextFailures(found.of, found.cis, found.cables, found.complete)


def single_points(graph: Graph, enough: Callable[[], bool] = lambda: False) -> tuple[Sequence[SinglePoint], bool]:
    """The CIs and cables whose loss alone takes a service down, what takes most services down first; and whether that
    is all of them."""
    found: list[SinglePoint] = []
    intact = Intact(graph)
    for id_ in (*intact.cis, *(cable.id for cable in intact.cables)):
        if enough():
            return found, False
        cable = id_ in intact.relations
        asked = naive.Question(() if cable else (id_,), (id_,) if cable else (), "remove")
        down = naive.evaluate(graph, asked).affected
        lost = [_item(one.ci) for one in down if one.now.availability == "down"]
        services = tuple(one for one in lost if one.cls == "service" and one.id != id_)
        if services:
            name = intact.title_of(intact.relations[id_]) if cable else intact.cis[id_].name
            kind = "connects_to" if cable else intact.cis[id_].cls
            found.append(SinglePoint(id_, kind, name, services, len(lost)))
    return sorted(found, key=lambda one: (-len(one.services), -one.takes_down, one.name, one.id)), True


def evaluate(graph: Graph, question: Question) -> Answer:
    """Answer a question. Raises ModelError where the question does not fit the graph."""
    return Evaluation(graph, question).answer()


def _item(ci: CI) -> Item:
    return Item(ci.id, ci.cls, ci.name)


def _site(intact: Intact, id_: str) -> Item | None:
    found = sorted(intact.buildings(id_))
    return _item(intact.cis[found[0]]) if found else None


def _affected(one: naive.Affected) -> Affected:
    because = tuple(_reason(reason) for reason in one.because)
    return Affected(_item(one.ci), Standing(*one.now), Standing(*one.was), one.distance, because, one.own)


def _reason(one: naive.Reason) -> Reason:
    legs = tuple(LegState(leg.id, leg.name, leg.cls, leg.state, leg.active, leg.assumed) for leg in one.legs)
    return Reason(
        one.axis, one.kind, one.text, one.requirement, one.needs, one.full, one.holding, legs, one.by, one.distance,
        one.first_cause,
    )  # fmt: skip
