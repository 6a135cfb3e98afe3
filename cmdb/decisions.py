"""What people decide: the same, different, back in use; by whom and why; and taken back again. Pure.

A decision is stored against identifiers that its things alone carry, so that it holds whatever is scanned later. One
that is taken back stays, with who took it back and why; resolution ignores it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import Final

from cmdb import lookup
from cmdb.conflicts import DIFFERENT, SAME, SHOWN
from cmdb.identity import number_of
from cmdb.model import BACK, CI, SCHEMES, SINGLE_VALUED, Decision, Identifier, ModelError, State
from cmdb.parking import Refused
from cmdb.schema import never_one
from cmdb.standing import NOBODY, Standing

WITHDRAWN: Final = "withdrawn_"
"""Before the verdict of a decision that was taken back."""
WITHDRAWAL: Final = "withdrawal"
"""The verdict of the record that says who took back the decision of its id, and why."""
MOST: Final = 10
"""So many CIs are decided on at once."""
_LONGEST: Final = 1000


class Against(Refused):
    """A decision does not fit what was decided before, or what is; says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Who took a decision back, why and when."""

    by: str
    reason: str
    time: datetime


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision, and the CIs that it is about now (up to 20; one where they are the same).

    With `a` equal to `b` it says that these values tell nothing: those that carry them are different.
    """

    id: str
    verdict: str
    a: frozenset[Identifier]
    b: frozenset[Identifier]
    cis: tuple[str, ...]
    by: str
    reason: str
    time: datetime
    withdrawn: Withdrawal | None


def views(decisions: Iterable[Decision], standing: Standing) -> list[DecisionView]:
    """Every decision, those that were taken back included, the newest first."""
    every = list(decisions)
    taken_back = {one.id: Withdrawal(one.by, one.reason, one.time) for one in every if one.verdict == WITHDRAWAL}
    found = [
        DecisionView(
            one.id, one.verdict.removeprefix(WITHDRAWN), one.a, one.b, _cis_of(one, standing), one.by, one.reason,
            one.time, taken_back.get(f"{one.id}-{WITHDRAWAL}") if one.verdict.startswith(WITHDRAWN) else None,
        )
        for one in every
        if one.verdict != WITHDRAWAL
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.time, one.id), reverse=True)


def _cis_of(decision: Decision, standing: Standing) -> tuple[str, ...]:
    found = {id_ for one in decision.a | decision.b for id_ in standing.holders(one)} - {NOBODY}
    return tuple(sorted(found, key=number_of)[:SHOWN])


@dataclass(frozen=True, slots=True)
class Deciding:
    """What a decision is made of: who decides, why, when; what was decided before; and how new ones are called."""

    standing: Standing
    decisions: Sequence[Decision]
    by: str
    reason: str
    now: datetime
    name: Callable[[], str]

    def same(self, cis: Sequence[CI], *, replaces: bool = False) -> list[Decision]:
        """The decisions that make one CI of several. Raises ModelError and Against."""
        self._check(cis)
        for one, other in combinations(cis, 2):
            if never_one(one.cls, other.cls):
                raise ModelError(f"{_named(one)} and {_named(other)} cannot be one: their classes never are")
        carried = frozenset(identifier for ci in cis for identifier in self.standing.identifiers(ci.id))
        against = [
            decision
            for decision in self._active(DIFFERENT)
            if carried & (decision.a - decision.b) and carried & (decision.b - decision.a)
        ]
        taken_back = self._instead_of(against, replaces=replaces)
        first, *others = cis
        return [*taken_back, *(self._made(SAME, self._by_which(first), self._by_which(other)) for other in others)]

    def different(self, cis: Sequence[CI], *, replaces: bool = False) -> list[Decision]:
        """The decisions that keep several CIs apart, each from each. Raises ModelError and Against."""
        self._check(cis)
        own = {ci.id: self._by_which(ci, every=True) for ci in cis}
        already = [
            decision for decision in self._active(DIFFERENT) for one, other in combinations(cis, 2)
            if _keeps_apart(decision, self.standing, one.id, other.id)
        ]  # fmt: skip
        taken_back = self._instead_of(already, replaces=replaces)
        return [
            *taken_back, *(self._made(DIFFERENT, own[one.id], own[other.id]) for one, other in combinations(cis, 2))
        ]  # fmt: skip

    def back(self, cis: Sequence[CI]) -> list[Decision]:
        """The decisions that retired CIs, which answer again, are in use again. Raises ModelError."""
        self._check_reason()
        for ci in cis:
            if ci.state is not State.RETIRED:
                raise ModelError(f"{_named(ci)} is {ci.state}: only what is retired, and answers, is taken back")
        own = [self._by_which(ci, every=True) for ci in cis]
        return [self._made(BACK, one, one) for one in own]

    def of_no_meaning(self, values: Iterable[Identifier]) -> list[Decision]:
        """The decision that these values tell nothing: all that carry them are different."""
        self._check_reason()
        found = frozenset(values)
        return [self._made(DIFFERENT, found, found)]

    def split(self, ci: CI, texts: Sequence[str], *, replaces: bool = False) -> list[Decision]:
        """The decisions that make two of one CI: of a merged one by taking that back, else by two of its identifiers.

        `texts` are what named it twice. Raises ModelError and Against.
        """
        self._check_reason()
        joining = self.joining(ci.id)
        if joining:
            said = "; ".join(f"{one.id} of {one.by}: {one.reason}" for one in joining)
            if not replaces or len(joining) > 1:
                raise Against(
                    f"{' and '.join(texts)} are one CI, {_named(ci)}, because a person said so ({said}); take it back "
                    f"by its id: cmdb unmerge {joining[0].id}"
                )
            return self.taken_back(joining[0])
        sides = [self._meant(ci, text) for text in texts]
        if len(texts) == 2 and all(sides) and sides[0].isdisjoint(sides[1]):
            return [self._made(DIFFERENT, sides[0], sides[1])]
        raise ModelError(
            f"{' and '.join(texts)} are one CI, {_named(ci)}; to say that it is two, name each by an identifier that "
            "only it has"
        )

    def _meant(self, ci: CI, text: str) -> frozenset[Identifier]:
        """The identifiers of a CI that a text is."""
        meant = {Identifier(handle.kind, handle.value) for handle in lookup.meanings(text) if handle.kind in SCHEMES}
        own = self.standing.own(ci.id)
        return frozenset(one for ones in own.values() for one in ones if one in meant)

    def joining(self, ci: str) -> list[Decision]:
        """The decisions that make one CI of what would be several."""
        return [
            one for one in self._active(SAME)
            if self.standing.holders_of(one.a) == {ci} and self.standing.holders_of(one.b) == {ci}
        ]  # fmt: skip

    def taken_back(self, decision: Decision) -> list[Decision]:
        """What takes a decision back; those that were merged are told apart from now on. Raises Against."""
        self._check_reason()
        if decision.verdict not in {SAME, DIFFERENT, BACK}:
            raise Against(f"decision {decision.id} was taken back already")
        found = self._ended(decision)
        if decision.verdict == SAME and decision.a - decision.b and decision.b - decision.a:
            found.append(self._made(DIFFERENT, decision.a, decision.b))
        return found

    def _ended(self, decision: Decision) -> list[Decision]:
        withdrawal = Decision(
            f"{decision.id}-{WITHDRAWAL}", WITHDRAWAL, decision.a, decision.b, self.by, self.reason, self.now
        )
        return [replace(decision, verdict=WITHDRAWN + decision.verdict), withdrawal]

    def _instead_of(self, against: Sequence[Decision], *, replaces: bool) -> list[Decision]:
        if against and not replaces:
            said = "; ".join(f"{one.id}, {one.verdict}, of {one.by}: {one.reason}" for one in _once(against))
            raise Against(f"it was decided before ({said}); ask to replace that, or take it back first")
        return [row for one in _once(against) for row in self._ended(one)]

    def _active(self, verdict: str) -> list[Decision]:
        return [one for one in self.decisions if one.verdict == verdict]

    def _made(self, verdict: str, a: frozenset[Identifier], b: frozenset[Identifier]) -> Decision:
        return Decision(self.name(), verdict, a, b, self.by, self.reason, self.now)

    def _check(self, cis: Sequence[CI]) -> None:
        self._check_reason()
        if not 2 <= len(cis) <= MOST:
            raise ModelError(f"name two CIs, or up to {MOST}; these are {len(cis)}")

    def _check_reason(self) -> None:
        if not self.reason.strip():
            raise ModelError("reason: say why, for those who ask later")
        if len(self.reason) > _LONGEST:
            raise ModelError(f"reason: at most {_LONGEST} characters, got {len(self.reason)}")

    def _by_which(self, ci: CI, *, every: bool = False) -> frozenset[Identifier]:
        """What tells a CI from all others: of its strongest scheme, one serial or UUID, or `every` one."""
        own = self.standing.own(ci.id)
        if not own and every and (names := self.standing.declared(ci.id)):
            return names
        if not own:
            raise ModelError(
                f"nothing that only {_named(ci)} has tells it from others, so that no decision on it would last: scan "
                "it in full, or declare a serial of it"
            )
        single = frozenset(one for scheme in SINGLE_VALUED for one in own.get(scheme, ()))
        if every:
            return single or next(iter(own.values()))
        scheme, strongest = next(iter(own.items()))
        if scheme not in SINGLE_VALUED:
            return strongest
        # A merged CI has several: one is enough to merge it further, and does not tie the others together.
        return frozenset({min(strongest, key=lambda one: (one not in ci.identifiers, one))})


def _once(decisions: Iterable[Decision]) -> list[Decision]:
    return list({one.id: one for one in decisions}.values())


def _named(ci: CI) -> str:
    return f"{ci.name} ({ci.cls.replace('_', ' ')}, {ci.id})"


def _keeps_apart(decision: Decision, standing: Standing, one: str, other: str) -> bool:
    a, b = standing.holders_of(decision.a - decision.b), standing.holders_of(decision.b - decision.a)
    return (one in a and other in b) or (other in a and one in b)


def keep_apart(decisions: Iterable[Decision], standing: Standing) -> Callable[[str, str], bool]:
    """Whether a person said of two CIs that they are different."""
    pairs: set[tuple[str, str]] = set()
    for one in decisions:
        if one.verdict == DIFFERENT:
            a, b = standing.holders_of(one.a - one.b), standing.holders_of(one.b - one.a)
            pairs |= {(x, y) for x in a for y in b} | {(y, x) for x in a for y in b}
    return lambda one, other: (one, other) in pairs


def took(made: Iterable[Decision], standing: Standing, every: Iterable[Decision]) -> None:
    """Check that what was decided now came true; raises Against where other decisions are in its way."""
    others = {one.id: one for one in every if one.verdict == SAME}
    for one in made:
        a, b = standing.holders_of(one.a) - {NOBODY}, standing.holders_of(one.b) - {NOBODY}
        if one.verdict == SAME and len(a | b) > 1:
            raise Against(f"they would stay {len(a | b)} CIs ({', '.join(sorted(a | b, key=number_of))})")
        if one.verdict == DIFFERENT and one.a != one.b and a & b:
            joining = [id_ for id_, row in others.items() if standing.holders_of(row.a | row.b) & a & b]
            because = (
                f"decision {', '.join(joining)} says so; take it back first"
                if joining
                else "one source says of one thing that it has both"
            )
            raise Against(f"they would stay one CI ({', '.join(sorted(a & b, key=number_of))}): {because}")
