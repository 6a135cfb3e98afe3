"""Next failures: which one more failure takes a CI down after the change, and would not have done so before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cmdb.model import Graph, ModelError
from tests.naive.intact import Intact
from tests.naive.levels import down_of
from tests.naive.question import Change, Question, assumed, change


@dataclass(frozen=True, slots=True)
class NextFailures:
    """The CIs and cables, by id. `complete` is False where a limit of time cut it short."""

    of: str
    cis: tuple[str, ...]
    cables: tuple[str, ...]
    complete: bool


def next_failures(
    graph: Graph, question: Question, of: str, enough: Callable[[], bool] = lambda: False
) -> NextFailures:
    """Every CI or cable x with `of` ∉ D(B ∪ {x}) and `of` ∈ D(B ∪ T ∪ {x}). `enough` says when the time is up."""
    intact = Intact(graph)
    if of not in intact.cis:
        raise ModelError(f"{of}: no such CI in the graph")
    before = assumed(intact, question)
    after = before | change(intact, question)
    cables = {cable.id for cable in intact.cables}
    found: list[str] = []
    complete = True
    for one in _upstream(intact, of):
        if enough():
            complete = False
            break
        failure = Change(out=frozenset({one})) if one in cables else Change(down=frozenset({one}))
        if of not in down_of(intact, before | failure) and of in down_of(intact, after | failure):
            found.append(one)
    return NextFailures(
        of,
        tuple(one for one in sorted(found) if one not in cables),
        tuple(one for one in sorted(found) if one in cables),
        complete,
    )


def _upstream(intact: Intact, of: str) -> Iterable[str]:
    """Every CI and cable whose failure can reach `of`: down along its relations, and along cables either way."""
    towards: dict[str, set[str]] = {}
    for relation in intact.relations.values():
        towards.setdefault(relation.source, set()).add(relation.target)
        if relation.type == "connects_to":
            towards.setdefault(relation.target, set()).add(relation.source)
            towards[relation.source].add(relation.id)
            towards[relation.target].add(relation.id)
    found = {of: None}
    waiting = [of]
    for here in waiting:
        for one in sorted(towards.get(here, ())):
            if one not in found:
                found[one] = None
                waiting.append(one)
    return list(found)
