"""A small estate to ask: CIs are called by their names, which are their ids."""

from __future__ import annotations

from typing import Any, Self

from cmdb.codec import Json
from cmdb.impact import Answer, Evaluation, Question, evaluate
from cmdb.model import CI, Component, Graph, Relation, State, Value
from tests import naive

Levels = dict[str, str]


class Site:
    def __init__(self) -> None:
        self.cis: dict[str, CI] = {}
        self.relations: dict[str, Relation] = {}

    def add(self, cls: str, *names: str, **attributes: Value) -> Self:
        for name in names:
            self.cis[name] = CI(name, cls, "default", name, attributes=attributes)
        return self

    def gap(self, name: str, **gaps: str) -> Self:
        return self._change(name, gaps=gaps)

    def state(self, name: str, state: State) -> Self:
        return self._change(name, state=state)

    def component(self, name: str, kind: str, part: str, **attributes: Value) -> Self:
        parts = (*self.cis[name].components, Component(kind, part, attributes))
        return self._change(name, components=parts)

    def group(self, name: str, group: str, needs: int, legs: tuple[str, ...], **attributes: Value) -> Self:
        return self.component(name, "group", group, needs=needs, legs=legs, **attributes)

    def link(self, type_: str, source: str, *targets: str, **columns: Value) -> Self:
        for target in targets:
            self.relate(f"{type_}:{source}..{target}", type_, source, target, **columns)
        return self

    def relate(self, id_: str, type_: str, source: str, target: str, **columns: Value) -> Self:
        self.relations[id_] = Relation(id_, type_, source, target, columns)
        return self

    def cable(self, source: str, *targets: str, **columns: Value) -> Self:
        return self.link("connects_to", source, *targets, **columns)

    def _change(self, name: str, **fields: object) -> Self:
        ci = self.cis[name]
        kept = {field: getattr(ci, field) for field in CI.__dataclass_fields__}
        self.cis[name] = CI(**(kept | fields))
        return self

    @property
    def graph(self) -> Graph:
        return Graph(7, self.cis, self.relations)

    def ask(
        self, kind: str, *targets: str, relations: tuple[str, ...] = (), down: tuple[str, ...] = (),
        restarts: bool = False,
    ) -> Answer:  # fmt: skip
        """The engine's answer, which is word for word what the naive evaluator says."""
        question = Question(targets, relations, kind, down, restarts)
        answer = self.evaluation(question).answer()
        assert told(answer) == naive.evaluate(self.graph, in_naive_words(question)).as_json()
        return answer

    def evaluation(self, question: Question) -> Evaluation:
        return evaluate(self.graph, question)

    def worse(self, kind: str, *targets: str, relations: tuple[str, ...] = (), down: tuple[str, ...] = ()) -> Levels:
        """Of each affected CI the levels that got worse, in words."""
        return worse(self.ask(kind, *targets, relations=relations, down=down))


def worse(answer: Answer) -> Levels:
    return {
        one.ci.name: " ".join(getattr(one.now, axis) for axis in one.now.worse_than(one.was)) for one in answer.affected
    }


def in_naive_words(question: Question) -> naive.Question:
    return naive.Question(question.targets, question.relations, question.kind, question.down, question.restarts)


def told(answer: Answer) -> dict[str, Json]:
    """The answer as the naive evaluator tells it, which knows nothing of what is stale."""
    document = answer.as_json()
    for one in answer.affected:
        for reason in one.because:
            for leg in reason.legs:
                assert leg.stale is None or leg.stale.startswith("stale")
    found: dict[str, Json] = _without(document, "stale")
    return found


def _without(document: Any, name: str) -> Any:
    if isinstance(document, dict):
        return {key: _without(value, name) for key, value in document.items() if key != name}
    return [_without(item, name) for item in document] if isinstance(document, list) else document
