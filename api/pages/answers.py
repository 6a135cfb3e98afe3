"""An answer of the impact engine in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.pages.catalogue import Texts
from cmdb.impact import Affected, Answer, Reason, Unknown
from cmdb.impact.answer import ASSUMED_NOTE, AXES, VLAN_NOTE
from cmdb.model import CI
from cmdb.schema import RELATION_TYPES

_DRAWN: Final = 500
"""So many rows are drawn; the API lists all."""

_COUNTS: Final = (
    "affected", "services", "down", "degraded", "at_risk", "unprotected", "unmanaged", "unknown", "unaffected",
)  # fmt: skip
_NOTES: Final = {VLAN_NOTE: "impact.note.vlan", ASSUMED_NOTE: "impact.note.assumed"}


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: its sentence, the legs (id, name, class, state, flags), and the first cause where it is another CI."""

    text: str
    legs: tuple[tuple[str | None, str, str, str, tuple[str, ...]], ...]
    first_cause: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Level:
    """Where a CI stands on an axis; `was` is None where that did not get worse."""

    axis: str
    now: str
    was: str | None


@dataclass(frozen=True, slots=True)
class Row:
    ci: CI
    levels: tuple[Level, ...]
    distance: int | None
    own: str | None
    because: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the page shows; `affected_more` and `unknown_more` are how many it leaves to the API."""

    revision: int
    counts: tuple[tuple[str, int], ...]
    affected: tuple[Row, ...]
    affected_more: int
    unknown: tuple[Unknown, ...]
    unknown_more: int
    temporary: bool
    notes: tuple[str, ...]


def drawn(answer: Answer, texts: Texts) -> Drawn:
    """The answer as the page shows it."""
    return Drawn(
        revision=answer.revision,
        counts=tuple((name, answer.counts[name]) for name in _COUNTS),
        affected=tuple(_row(one, texts) for one in answer.affected[:_DRAWN]),
        affected_more=max(0, len(answer.affected) - _DRAWN),
        unknown=answer.unknown[:_DRAWN],
        unknown_more=max(0, len(answer.unknown) - _DRAWN),
        temporary=answer.temporary,
        notes=tuple(texts(_NOTES[note]) if note in _NOTES else note for note in answer.notes),
    )


def _row(one: Affected, texts: Texts) -> Row:
    worse = one.now.worse_than(one.was)
    levels = tuple(
        Level(axis, getattr(one.now, axis), getattr(one.was, axis) if axis in worse else None) for axis in AXES
    )
    own = None if one.own is None else "own" if one.own else "inherited"
    return Row(one.ci, levels, one.distance, own, tuple(_why(reason, one.ci, texts) for reason in one.because))


def _why(reason: Reason, ci: CI, texts: Texts) -> Why:
    legs = tuple(
        (leg.id, leg.name, leg.cls, leg.state, tuple(flag for flag in ("active", "assumed") if getattr(leg, flag)))
        for leg in reason.legs
    )
    first = reason.first_cause if reason.first_cause is not None and reason.first_cause[0] != ci.id else None
    return Why(_sentence(reason, texts), legs, first)


def _sentence(reason: Reason, texts: Texts) -> str:
    if reason.requirement is not None:
        key = "requirement" if reason.full == reason.needs else "requirement_full"
        numbers: Mapping[str, object] = {
            "needs": reason.needs, "full": reason.full, "holding": reason.holding, "legs": len(reason.legs),
        }  # fmt: skip
        return texts(f"impact.ground.{key}", requirement=_requirement(reason.requirement, texts), **numbers)
    by = ", ".join(name for _, name in reason.by) or texts("impact.ground.between")
    return texts(f"impact.ground.{reason.kind}", by=by)


def _requirement(title: str, texts: Texts) -> str:
    """The relation type of a default requirement in the reader's language; a group goes by its own name."""
    kind, space, rest = title.partition(" ")
    return texts.word("relation", kind) + space + rest if kind in RELATION_TYPES else title
