"""The answer: every CI that the change makes worse on some axis, who is unknown, and the counts that add up."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cmdb.codec import Json
from cmdb.model import CI, Graph, ModelError
from tests.naive.causes import CUT_OFF, CUT_OFF_FROM_MANAGEMENT, Causes, Effect, Ground, Origin
from tests.naive.intact import Intact, Leg, Requirement
from tests.naive.levels import AVAILABILITY, Standing, levels
from tests.naive.question import Question, assumed, change
from tests.naive.unknown import network_in_question, unknown

AXES: Final = ("availability", "protection", "management")
VLAN_NOTE: Final = "VLANs are not told apart: every cable is taken to carry all of them"
ASSUMED_NOTE: Final = "some reasons hang on an assumed redundancy: connections were seen, no group was declared"


@dataclass(frozen=True, slots=True)
class LegState:
    """How a leg of a requirement stands: `up`, `at_risk`, `degraded`, `down`, `taken_out`, `cut_off`, `no_path`, or
    `unprotected`. `id` is None for a group."""

    id: str | None
    name: str
    cls: str
    state: str
    active: bool = False
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a level is what it is; `kind` as in `causes.Ground`. `by` are (id, name) of what separates or parts."""

    axis: str
    kind: str
    text: str
    requirement: str | None = None
    needs: int | None = None
    full: int | None = None
    holding: int | None = None
    legs: tuple[LegState, ...] = ()
    by: tuple[tuple[str, str], ...] = ()
    distance: int | None = None
    first_cause: tuple[str, str] | None = None

    @property
    def assumed(self) -> bool:
        return any(leg.assumed for leg in self.legs)


@dataclass(frozen=True, slots=True)
class Affected:
    """A CI that is worse on some axis. `own` tells apart the two ways of being at risk; None where it is not."""

    ci: CI
    now: Standing
    was: Standing
    distance: int | None
    because: tuple[Reason, ...]
    own: bool | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    ci: CI
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question is answered with; `affected` lists services, then what is so by itself, then the inherited."""

    revision: int
    question: Question
    counts: Mapping[str, int]
    affected: tuple[Affected, ...]
    unknown: tuple[Unknown, ...]
    unknown_because: Mapping[str, int]
    temporary: bool
    notes: tuple[str, ...]

    def as_json(self) -> Json:
        """The shape that issue 3 fixes, with `notes`, and `own` where a CI is at risk."""
        return {
            "revision": self.revision,
            "counts": dict(self.counts),
            "affected": [_affected_out(one) for one in self.affected],
            "unknown": [_ci_out(one.ci) | {"reason": one.reason} for one in self.unknown],
            "unknown_because": dict(self.unknown_because),
            "notes": list(self.notes),
        } | ({"temporary": True} if self.temporary else {})


def evaluate(graph: Graph, question: Question) -> Answer:
    """Answer a question from impact.md alone. Raises ModelError where the question does not fit the graph."""
    return Evaluation(graph, question).answer()


class Evaluation:
    """A question with both its states, L(B) and L(B ∪ T), for whoever asks more of it than the answer."""

    def __init__(self, graph: Graph, question: Question) -> None:
        self.intact = Intact(graph)
        self.question = question
        already = assumed(self.intact, question)
        changed = change(self.intact, question)
        self.before = levels(self.intact, already)
        self.after = levels(self.intact, already | changed)
        self.causes = Causes(self.intact, question, changed, self.after)

    def answer(self) -> Answer:
        worse = {id_: axes for id_ in self.intact.cis if (axes := self.after.of(id_).worse_than(self.before.of(id_)))}
        origins = self.causes.origins(Effect(axis, id_) for id_, axes in worse.items() for axis in axes)
        affected = sorted((self._affected(id_, axes, origins) for id_, axes in worse.items()), key=_order)
        doubts = unknown(self.intact, self.question, worse)
        return Answer(
            revision=self.intact.revision,
            question=self.question,
            counts=_counts(len(self.intact.cis), affected, len(doubts)),
            affected=tuple(affected),
            unknown=tuple(
                sorted(
                    (Unknown(self.intact.cis[id_], doubt.reason) for id_, doubt in doubts.items()),
                    key=lambda one: (one.ci.name, one.ci.id),
                )
            ),
            unknown_because=dict(sorted(Counter(doubt.root for doubt in doubts.values()).items())),
            temporary=self.question.reboots and bool(self.question.targets),
            notes=self._notes(affected),
        )

    def why(self, id_: str) -> tuple[Reason, ...]:
        """Why a CI is as it is, affected or not: what its levels rest on, or which requirements held, by how much."""
        if id_ not in self.intact.cis:
            raise ModelError(f"{id_}: no such CI in the graph")
        axes = self.after.of(id_).worse_than(self.before.of(id_))
        if axes:
            return self._because(id_, axes, self.causes.origins(Effect(axis, id_) for axis in axes))
        return tuple(self._held(requirement) for requirement in self.intact.requirements[id_])

    def _affected(self, id_: str, axes: Sequence[str], origins: Mapping[Effect, Origin]) -> Affected:
        now = self.after.of(id_)
        effects = [Effect(axis, id_) for axis in axes]
        return Affected(
            ci=self.intact.cis[id_],
            now=now,
            was=self.before.of(id_),
            distance=min((origins[one].distance for one in effects if one in origins), default=None),
            because=self._because(id_, axes, origins),
            own=self.after.own_risk(id_) if now.availability == "at_risk" else None,
        )  # fmt: skip

    def _because(self, id_: str, axes: Iterable[str], origins: Mapping[Effect, Origin]) -> tuple[Reason, ...]:
        """The grounds of the axes that got worse, by (distance, name, id) of the first cause."""
        found = []
        for axis in axes:
            for ground in self.causes.grounds(id_, axis):
                if ground.kind == "target":
                    ci = self.intact.cis[id_]
                    found.append((self._first(ground, origins) or Origin(0, ci.name, ci.id), axis, ground))
                elif (origin := self._first(ground, origins)) is not None:
                    found.append((origin, axis, ground))
        found.sort(key=lambda one: (one[0], AXES.index(one[1]), one[2].requirement.title if one[2].requirement else ""))
        return tuple(self._reason(ground, origin) for origin, _, ground in found)

    @staticmethod
    def _first(ground: Ground, origins: Mapping[Effect, Origin]) -> Origin | None:
        return min(
            (
                origins[link.cause]._replace(distance=origins[link.cause].distance + link.relations)
                for link in ground.links
                if link.cause in origins
            ),
            default=None,
        )

    def _reason(self, ground: Ground, origin: Origin) -> Reason:
        by = tuple(sorted((self._name(id_), id_) for id_ in ground.by))
        first_cause = (origin.id, origin.name)
        if ground.requirement is None:
            text = _GROUND_TEXTS[ground.kind].format(by=", ".join(name for name, _ in by) or "what lies between")
            return Reason(
                ground.axis, ground.kind, text, by=tuple((id_, name) for name, id_ in by), distance=origin.distance,
                first_cause=first_cause,
            )  # fmt: skip
        return self._of_requirement(ground.requirement, ground.axis, origin.distance, first_cause)

    def _held(self, requirement: Requirement) -> Reason:
        return self._of_requirement(requirement, requirement.axis, None, None)

    def _of_requirement(
        self, requirement: Requirement, axis: str, distance: int | None, first_cause: tuple[str, str] | None
    ) -> Reason:
        legs = tuple(self._leg(requirement, leg, axis) for leg in (*requirement.legs, *requirement.beside))
        holding = self.after.now.holding(requirement)
        in_full = "" if requirement.full == requirement.needs else f" ({requirement.full} to serve in full)"
        ill = ", ".join(f"{leg.name} {leg.state.replace('_', ' ')}" for leg in legs if leg.state != "up")
        text = (
            f"{requirement.title} needs {requirement.needs}{in_full} of {len(requirement.legs)}: "
            f"{holding} hold{'s' if holding == 1 else ''}{f'; {ill}' if ill else ''}"
        )
        if first_cause is None:
            text += f"; {holding - requirement.needs} to spare"
        return Reason(
            axis, "requirement", text, requirement.title, requirement.needs, requirement.full, holding, legs,
            distance=distance, first_cause=first_cause,
        )  # fmt: skip

    def _leg(self, requirement: Requirement, leg: Leg, axis: str) -> LegState:
        failure = self.after.now.failure(requirement, leg)
        standing = self.after.of(leg.target)
        if axis == "protection" and standing.protection != "kept" and failure is None:
            state = standing.protection
        else:
            state = standing.availability if failure is None else failure.value
        name = self.intact.name_of(leg.target)
        if isinstance(leg.target, tuple):
            return LegState(None, name, "group", state, leg.active)
        return LegState(leg.target, name, self.intact.cis[leg.target].cls, state, leg.active, leg.assumed)

    def _name(self, id_: str) -> str:
        relation = self.intact.relations.get(id_)
        return self.intact.name_of(id_) if relation is None else self.intact.title_of(relation)

    def _notes(self, affected: Sequence[Affected]) -> tuple[str, ...]:
        touched = (*self.question.targets, *(one.ci.id for one in affected))
        network = network_in_question(self.intact, self.question, touched) or any(
            reason.kind in {CUT_OFF, CUT_OFF_FROM_MANAGEMENT} for one in affected for reason in one.because
        )
        guessed = any(reason.assumed for one in affected for reason in one.because)
        return (*((VLAN_NOTE,) if network else ()), *((ASSUMED_NOTE,) if guessed else ()))


_GROUND_TEXTS: Final = {
    "target": "the change itself",
    "assumed": "down already",
    CUT_OFF: "cut off from all gateways by {by}",
    CUT_OFF_FROM_MANAGEMENT: "cut off from management by {by}",
    "only_way": "newly the only way to all gateways: {by}",
    "ways_at_risk": "every way to the gateways leads through what is at risk",
    "only_path": "newly the only fibre-channel path: {by}",
    "paths_at_risk": "every fibre-channel path leads through what is at risk",
}


def _order(one: Affected) -> tuple[bool, bool, int, float, str, str]:
    """Services, then what is so by itself, then the inherited; in each the worst, then the nearest first."""
    distance = math.inf if one.distance is None else one.distance
    return (
        one.ci.cls != "service", one.own is False, -AVAILABILITY.index(one.now.availability), distance, one.ci.name,
        one.ci.id,
    )  # fmt: skip


def _counts(total: int, affected: Sequence[Affected], doubts: int) -> Mapping[str, int]:
    """The CIs affected, unknown and unaffected add up to all; the levels count the CIs that are worse on that axis."""
    worse = [(one, axis) for one in affected for axis in one.now.worse_than(one.was)]
    by_level = Counter(getattr(one.now, axis) for one, axis in worse)
    at_risk = [one for one, axis in worse if axis == "availability" and one.now.availability == "at_risk"]
    return {
        "cis": total,
        "affected": len(affected),
        "unknown": doubts,
        "unaffected": total - len(affected) - doubts,
        "services": sum(one.ci.cls == "service" for one in affected),
        "down": by_level["down"],
        "degraded": by_level["degraded"],
        "at_risk": by_level["at_risk"],
        "at_risk_own": sum(one.own is True for one in at_risk),
        "at_risk_inherited": sum(one.own is False for one in at_risk),
        "unprotected": by_level["unprotected"],
        "unmanaged": by_level["unmanaged"],
    }


def _ci_out(ci: CI) -> dict[str, Json]:
    return {"id": ci.id, "class": ci.cls, "name": ci.name}


def _affected_out(one: Affected) -> Json:
    own = {} if one.own is None else {"own": one.own}
    return _ci_out(one.ci) | own | {
        **one.now._asdict(),
        "was": one.was._asdict(),
        "distance": one.distance,
        "because": [reason_out(reason) for reason in one.because],
    }  # fmt: skip


def reason_out(reason: Reason) -> Json:
    """A reason as JSON; what it does not have is left out."""
    document: dict[str, Json] = {"axis": reason.axis, "kind": reason.kind, "text": reason.text}
    if reason.requirement is not None:
        document |= {
            "requirement": reason.requirement,
            "needs": reason.needs,
            "full": reason.full,
            "holding": reason.holding,
            "legs": [_leg_out(leg) for leg in reason.legs],
        }
    if reason.by:
        document["by"] = [{"id": id_, "name": name} for id_, name in reason.by]
    if reason.assumed:
        document["assumed"] = True
    if reason.first_cause is not None:
        id_, name = reason.first_cause
        document |= {"distance": reason.distance, "first_cause": {"id": id_, "name": name}}
    return document


def _leg_out(leg: LegState) -> Json:
    named = {"name": leg.name, "class": leg.cls, "state": leg.state}
    flags = {flag: True for flag in ("active", "assumed") if getattr(leg, flag)}
    return ({} if leg.id is None else {"id": leg.id}) | named | flags
