"""An answer of the impact engine in the reader's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from api.pages.catalogue import Texts
from cmdb.impact import ASSUMED_NOTE, AXES, VLAN_NOTE, Affected, Answer, Item, Reason
from cmdb.schema import RELATION_TYPES

_DRAWN: Final = 500
"""So many rows are drawn; the API lists all."""

_COUNTS: Final = (
    "affected", "services", "down", "degraded", "at_risk", "unprotected", "unmanaged", "unknown", "unaffected",
)  # fmt: skip
_NOTES: Final = {VLAN_NOTE: "impact.note.vlan", ASSUMED_NOTE: "impact.note.assumed"}


@dataclass(frozen=True, slots=True)
class Why:
    """A reason: its sentence, the legs (id, name, class, state, flags), and the first cause where it is another CI.

    `axes` are those that it explains, where they are more than availability.
    """

    text: str
    legs: tuple[tuple[str | None, str, str, str, tuple[str, ...]], ...]
    first_cause: tuple[str, str] | None
    axes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """Where a CI stands on an axis; `was` is None where that did not get worse."""

    axis: str
    now: str
    was: str | None


@dataclass(frozen=True, slots=True)
class Row:
    ci: Item
    levels: tuple[Level, ...]
    distance: int | None
    own: str | None
    because: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Of whom nobody can tell, and why, in the reader's words."""

    ci: Item
    reason: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the page shows; `affected_more` and `unknown_more` are how many it leaves to the API."""

    revision: int
    counts: tuple[tuple[str, int], ...]
    affected: tuple[Row, ...]
    affected_more: int
    unknown: tuple[Doubt, ...]
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
        unknown=tuple(Doubt(one.ci, _doubts(one.reason, texts)) for one in answer.unknown[:_DRAWN]),
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
    return Row(one.ci, levels, one.distance, own, _because(one, texts))


def _because(one: Affected, texts: Texts) -> tuple[Why, ...]:
    """Each reason once, though it may explain several axes."""
    axes: dict[Why, list[str]] = {}
    for reason in one.because:
        axes.setdefault(_why(reason, one.ci, texts), []).append(reason.axis)
    return tuple(replace(why, axes=() if of == [AXES[0]] else tuple(dict.fromkeys(of))) for why, of in axes.items())


def _why(reason: Reason, ci: Item, texts: Texts) -> Why:
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


_DOUBTS: Final = (
    ("missing_since", re.compile(r"missing since (?P<time>.+)")),
    ("missing", re.compile(r"missing")),
    ("no_gateway", re.compile(r"no gateway is known: every question of the network is open")),
    ("no_cable", re.compile(r"no cable that is known connects it to a gateway")),
    ("never_collected", re.compile(r"never collected \((?P<types>[^()]+)\)")),
    ("never_scanned", re.compile(r"never scanned \((?P<types>[^()]+)\)")),
    ("stale", re.compile(r"stale since (?P<time>\S+) \((?P<types>[^()]+)\)")),
    ("section", re.compile(r"section (?P<section>\S+) (?P<how>\w+) \((?P<types>[^()]+)\)")),
    ("leans", re.compile(r"(?P<requirement>.+): (?P<name>.+) is unknown")),
)
"""The engine's reasons (`cmdb.impact.unknown`, `cmdb.project_gaps`); what fits none of them is shown as it is."""


def _doubts(reason: str, texts: Texts) -> str:
    return "; ".join(_doubt(part, texts) for part in reason.split("; "))


def _doubt(reason: str, texts: Texts) -> str:
    for key, pattern in _DOUBTS:
        if found := pattern.fullmatch(reason):
            values = found.groupdict()
            if "types" in values:
                values["types"] = ", ".join(texts.word("relation", name) for name in values["types"].split(", "))
            if "how" in values:
                values["how"] = texts.word("runs.outcomes", values["how"])
            if "requirement" in values:
                values["requirement"] = _requirement(values["requirement"], texts)
            return texts(f"impact.doubt.{key}", **values)
    return reason


def _requirement(title: str, texts: Texts) -> str:
    """The relation type of a default requirement in the reader's language; a group goes by its own name."""
    kind, space, rest = title.partition(" ")
    return texts.word("relation", kind) + space + rest if kind in RELATION_TYPES else title
