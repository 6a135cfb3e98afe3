"""The question: what is changed, how, with what down already; and what that sets (impact.md, first table)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cmdb.model import CI, ModelError, Relation
from cmdb.schema import is_a
from tests.naive.intact import Intact

KINDS: Final = ("power_off", "remove", "reboot", "disconnect", "configure", "patch")
_OF_LOCATIONS: Final = frozenset({"power_off", "remove"})


@dataclass(frozen=True, slots=True)
class Question:
    """What happens if `kind` is done to `targets` (CIs) and `relations`, while `down` (CIs) are down already.

    `restarts` goes with `patch`: the patch restarts its targets, which is a reboot. With other kinds it says nothing.
    """

    targets: tuple[str, ...]
    relations: tuple[str, ...]
    kind: str
    down: tuple[str, ...] = ()
    restarts: bool = False

    @property
    def reboots(self) -> bool:
        return self.kind == "reboot" or (self.kind == "patch" and self.restarts)


@dataclass(frozen=True, slots=True)
class Change:
    """What a set X sets in an otherwise intact graph: CIs seeded down, CIs seeded at risk, relations taken out."""

    down: frozenset[str] = field(default=frozenset())
    at_risk: frozenset[str] = field(default=frozenset())
    out: frozenset[str] = field(default=frozenset())

    def __or__(self, other: Change) -> Change:
        return Change(self.down | other.down, self.at_risk | other.at_risk, self.out | other.out)


def assumed(intact: Intact, question: Question) -> Change:
    """B as a change: what is down already. Raises ModelError for an id that is not in the graph."""
    for id_ in question.down:
        _ci(intact, id_, "assumed down")
    return Change(down=frozenset(question.down))


def change(intact: Intact, question: Question) -> Change:
    """T as a change. Raises ModelError where the kind does not fit, an id is unknown, or nothing is changed."""
    if question.kind not in KINDS:
        raise ModelError(f"unknown kind of change {question.kind!r}; known: {', '.join(KINDS)}")
    if not question.targets and not question.relations:
        raise ModelError("the question has no target: name at least one CI, cable or other relation to change")
    for id_ in question.targets:
        _check_ci(_ci(intact, id_, "target"), question.kind)
    for id_ in question.relations:
        if id_ not in intact.relations:
            raise ModelError(f"target {id_}: no such relation in the graph")
        if question.kind == "reboot":
            raise ModelError(f"target {id_}: a relation cannot be rebooted; reboot needs a CI")
    return _of_cis(intact, question) | _of_relations(intact, question)


def _of_cis(intact: Intact, question: Question) -> Change:
    targets = frozenset(question.targets)
    if question.kind in {"power_off", "remove"} or question.reboots:
        return Change(down=targets)
    if question.kind == "disconnect":
        return Change(out=frozenset(cable.id for cable in intact.cables if targets & {cable.source, cable.target}))
    return Change(at_risk=targets)


def _of_relations(intact: Intact, question: Question) -> Change:
    if question.kind in {"configure", "patch"}:
        touched = [intact.relations[id_] for id_ in question.relations]
        return Change(at_risk=frozenset(end for relation in touched for end in _configured(relation)))
    return Change(out=frozenset(question.relations))


def _configured(relation: Relation) -> tuple[str, ...]:
    """Whom configuring a relation puts at risk: its source, both ends of a cable."""
    return (relation.source, relation.target) if relation.type == "connects_to" else (relation.source,)


def _ci(intact: Intact, id_: str, role: str) -> CI:
    if id_ in intact.retired:
        raise ModelError(f"{role} {id_}: this CI is retired, it is no part of the graph any more")
    if id_ not in intact.cis:
        raise ModelError(f"{role} {id_}: no such CI in the graph")
    return intact.cis[id_]


def _check_ci(ci: CI, kind: str) -> None:
    if is_a(ci.cls, "location") and kind not in _OF_LOCATIONS:
        raise ModelError(
            f"target {ci.name} ({ci.id}): a {ci.cls} takes {' or '.join(sorted(_OF_LOCATIONS))} only, not {kind}"
        )
