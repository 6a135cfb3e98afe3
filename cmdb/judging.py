"""What a person is asked, and decides: conflicts, likely duplicates, same and different, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cmdb import absorb as absorbing
from cmdb import conflicts, decisions, duplicates, what
from cmdb.absorb import Known, Outcome
from cmdb.conflicts import DIFFERENT, SAME, Claims, ConflictView
from cmdb.decisions import Deciding, DecisionView
from cmdb.duplicates import Duplicate
from cmdb.index import ValueKey
from cmdb.model import BACK, Decision, Graph, ModelError
from cmdb.rules import Rules
from cmdb.standing import Standing
from cmdb.store.base import Transaction
from cmdb.transactions import Write
from cmdb.what import Find, NotFound

SEQUENCE: Final = "decision"


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known now, as questions between CIs need it."""

    standing: Standing
    graph: Graph
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True)
class Decided:
    """The decisions that were stored, and what became of the graph."""

    decisions: tuple[DecisionView, ...]
    outcome: Outcome


class Judging:
    """Reads the questions from what is known, and writes the answers."""

    def __init__(
        self, write: Write, read: Callable[[], AbstractContextManager[Judged]], find: Find, claims: Claims,
        rules: Rules, clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._write = write
        self._read = read
        self._find = find
        self._claims = claims
        self._rules = rules
        self._clock = clock
        self._alike: tuple[int, tuple[Decision, ...], list[Duplicate]] | None = None

    def conflicts(self) -> list[ConflictView]:
        """The queue, without evidence."""
        with self._read() as state:
            return conflicts.conflicts(state.standing, state.graph.cis, state.decisions)

    def with_evidence(self, conflict: ConflictView) -> ConflictView:
        """A question with who said so, when, and by which reply."""
        return conflicts.with_evidence(conflict, self._claims)

    def answered(self) -> frozenset[ValueKey]:
        """The values that join nothing, of which a person said that those who carry them are different."""
        with self._read() as state:
            return conflicts.answered(state.standing, state.graph.cis, state.decisions)

    def duplicates(self) -> list[Duplicate]:
        """The likely duplicates, the likeliest first."""
        with self._read() as state:
            graph, decided = state.graph, tuple(state.decisions)
            apart = decisions.keep_apart(decided, state.standing)
        known = self._alike
        if known is None or known[:2] != (graph.revision, decided):
            # Worked out once for each state of the graph: it looks at every CI.
            known = self._alike = (graph.revision, decided, duplicates.duplicates(graph, apart))
        return known[2]

    def decisions(self) -> list[DecisionView]:
        """All decisions, the newest first."""
        with self._read() as state:
            return decisions.views(state.decisions, state.standing)

    def decide(self, verdict: str, texts: Sequence[str], reason: str, by: str, *, replaces: bool = False) -> Decided:
        """Store what a person decided of what these texts name: CIs, or one conflict. Raises Against."""
        if verdict not in {SAME, DIFFERENT, BACK}:
            raise ModelError(f"verdict: {verdict!r} is none of {SAME}, {DIFFERENT}, {BACK}")
        with self._write() as (tx, known, graph):
            deciding = self._deciding(tx, known, by, reason)
            if verdict == BACK:
                cis = [what.ci_of(text, graph, self._find) for text in texts]
                made, named = deciding.back(cis), ", ".join(f"{ci.name} ({ci.id})" for ci in cis)
            elif len(texts) == 1 and texts[0].strip().startswith("conflict-"):
                made, named = self._of_conflict(deciding, verdict, texts[0].strip(), graph, replaces=replaces)
            else:
                made, named = self._of_cis(deciding, verdict, texts, graph, replaces=replaces)
            return self._stored(tx, known, made, f"{verdict}: {named}: {reason.strip()}", deciding)

    def take_back(self, id_: str, reason: str, by: str) -> Decided:
        """Take a decision back; what was merged by it is two again, and told apart from now on. Raises Against."""
        with self._write() as (tx, known, _):
            deciding = self._deciding(tx, known, by, reason)
            found = next((one for one in known.world.decisions if one.id == id_.strip()), None)
            if found is None:
                ids = [one.id for one in deciding.decisions if one.verdict in {SAME, DIFFERENT, BACK}]
                raise NotFound(f"there is no decision {id_!r}", ids[-3:])
            made = deciding.taken_back(found)
            return self._stored(tx, known, made, f"taken back: {found.id}: {reason.strip()}", deciding)

    def _deciding(self, tx: Transaction, known: Known, by: str, reason: str) -> Deciding:
        def name() -> str:
            return f"d-{tx.reserve(SEQUENCE, 1)}"

        now = self._clock()
        standing = standing_of(known)
        return Deciding(standing, known.world.decisions, by, reason.strip(), now, name)

    def _of_cis(
        self, deciding: Deciding, verdict: str, texts: Sequence[str], graph: Graph, *, replaces: bool
    ) -> tuple[list[Decision], str]:
        found = [what.ci_of(text, graph, self._find) for text in texts]
        cis = list({ci.id: ci for ci in found}.values())
        named = ", ".join(f"{ci.name} ({ci.id})" for ci in cis)
        if len(cis) == 1 and len(texts) > 1:
            if verdict == DIFFERENT:
                return deciding.split(cis[0], texts, replaces=replaces), named
            since = "".join(f", since {one.by} said so ({one.id})" for one in deciding.joining(cis[0].id)[:1])
            raise ModelError(f"{' and '.join(texts)} are one CI already: {named}{since}")
        if len(cis) < len(texts):
            twice = next(ci for ci in cis if sum(one.id == ci.id for one in found) > 1)
            raise ModelError(f"{twice.name} ({twice.id}) is named twice; name each CI once")
        decide = deciding.same if verdict == SAME else deciding.different
        return decide(cis, replaces=replaces), named

    def _of_conflict(
        self, deciding: Deciding, verdict: str, id_: str, graph: Graph, *, replaces: bool
    ) -> tuple[list[Decision], str]:
        """All of one conflict: the same; different, where two are told apart; else its values mean nothing."""
        queue = conflicts.conflicts(deciding.standing, graph.cis, deciding.decisions)
        found = next((one for one in queue if one.id == id_), None)
        if found is None:
            raise NotFound(f"there is no conflict {id_!r}; it may be answered or mended", [one.id for one in queue[:3]])
        cis = [one.ci for one in found.candidates]
        named = ", ".join(f"{scheme} {value}" for scheme, value in found.values[:3])
        if verdict == SAME:
            if found.total > len(cis):
                raise ModelError(f"{id_}: {found.total} things are too many to be one; name those that are")
            return deciding.same(cis, replaces=replaces), named
        if found.total == 2 and all(deciding.standing.own(ci.id) for ci in cis):
            return deciding.different(cis, replaces=replaces), named
        return deciding.of_no_meaning(found.values), named

    def _stored(self, tx: Transaction, known: Known, made: list[Decision], reason: str, deciding: Deciding) -> Decided:
        outcome = absorbing.decide(tx, known, made, self._rules, deciding.now, deciding.by, reason)
        standing = standing_of(outcome.known)
        decisions.took(made, standing, outcome.known.world.decisions)
        ids = {one.id for one in made}
        views = decisions.views(outcome.known.world.decisions, standing)
        return Decided(tuple(view for view in views if view.id in ids), outcome)


def standing_of(known: Known) -> Standing:
    """Who is who by what is known."""
    return Standing(known.index, known.settled)
