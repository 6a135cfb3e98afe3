"""An answer of the impact engine in the reader's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from api.pages.catalogue import Texts
from cmdb.impact import ASSUMED_NOTE, AXES, VLAN_NOTE, Affected, Answer, Item, Outline, Reason, Standing, Unknown
from cmdb.schema import RELATION_TYPES

SHOWN: Final = 200
"""So many rows stand on a page of a list; what is more has pages of its own, or stands in the CSV."""

DOUBTS: Final = 50
"""So many of whom nobody can tell stand on a page of theirs."""

_COUNTS: Final = (
    "affected", "services", "down", "degraded", "at_risk", "unprotected", "unmanaged", "unknown", "unaffected",
)  # fmt: skip
_NOTES: Final = {VLAN_NOTE: "impact.note.vlan", ASSUMED_NOTE: "impact.note.assumed"}


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg of a requirement. `relations` are ids; `stale` says since when nobody confirmed them."""

    id: str | None
    name: str
    cls: str
    state: str
    flags: tuple[str, ...]
    relations: tuple[str, ...] = ()
    stale: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """A reason: its sentence, its legs, and the first cause (id, name) where that is another CI.

    `axes` are those that it explains, where they are more than availability. `spare`: how many legs more than are
    needed hold.
    """

    text: str
    legs: tuple[Leg, ...]
    first_cause: tuple[str, str] | None
    axes: tuple[str, ...] = ()
    spare: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """Where a CI stands on an axis; `was` is None where that did not get worse."""

    axis: str
    now: str
    was: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """A CI that is worse off; `own` is `own` or `inherited` where it is at risk."""

    ci: Item
    levels: tuple[Level, ...]
    distance: int | None
    own: str | None
    because: tuple[Ground, ...]
    site: Item | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Of whom nobody can tell, and why, in the reader's words."""

    ci: Item
    reason: str


@dataclass(frozen=True, slots=True)
class Stale:
    """A relation that decided, though nobody confirmed it in time."""

    id: str
    type: str
    source: Item
    target: Item
    since: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the page shows of an answer beside its rows; `unknown_more` are how many come after those that
    are listed; `unknown_because` are (root, the same in the reader's words, how many)."""

    revision: int
    hash: str
    rules: str
    head: str
    worse: int
    counts: tuple[tuple[str, int], ...]
    unknown: tuple[Doubt, ...]
    unknown_page: int
    unknown_more: int
    unknown_because: tuple[tuple[str, str, int], ...]
    stale: tuple[Stale, ...]
    stale_more: int
    temporary: bool
    assumed: int
    notes: tuple[str, ...]


def drawn(answer: Answer, texts: Texts, root: str = "", page: int = 1) -> Drawn:
    """The answer as the page shows it; of the unknown one page, where a root is given only of those that it made so."""
    strange: Sequence[Unknown] = answer.unknown
    if root:
        strange = [one for one in answer.unknown[:_LOOKED_AT] if one.root == root]
    page = max(1, min(page, -(-len(strange) // DOUBTS)))
    more = (answer.unknown_because.get(root, 0) if root else len(strange)) - page * DOUBTS
    strange = strange[(page - 1) * DOUBTS : page * DOUBTS]
    because = sorted(answer.unknown_because.items(), key=lambda pair: (-pair[1], pair[0]))
    return Drawn(
        revision=answer.revision,
        hash=answer.hash,
        rules=answer.rules,
        head=head(answer, texts),
        worse=len(answer.outlines),
        counts=tuple((name, answer.counts[name]) for name in _COUNTS),
        unknown=tuple(Doubt(one.ci, doubts(one.reason, texts)) for one in strange),
        unknown_page=page,
        unknown_more=max(0, more),
        unknown_because=tuple((root, _doubt(root, texts), count) for root, count in because),
        stale=tuple(
            Stale(one.id, one.type, one.source, one.target, _doubt(one.since, texts)) for one in answer.stale[:DOUBTS]
        ),
        stale_more=max(0, len(answer.stale) - DOUBTS),
        temporary=answer.temporary,
        assumed=answer.assumed,
        notes=tuple(texts(_NOTES[note]) if note in _NOTES else note for note in answer.notes),
    )


_LOOKED_AT: Final = 100_000


def head(answer: Answer, texts: Texts) -> str:
    """The coverage in one line, as `Answer.head` has it in English."""
    because = sorted(answer.unknown_because.items(), key=lambda pair: (-pair[1], pair[0]))
    roots = texts("impact.comma").join(
        texts("impact.head_root", n=count, root=_doubt(root, texts)) for root, count in because
    )
    told = texts("impact.head", affected=answer.counts["affected"], unknown=answer.counts["unknown"])
    return texts("impact.head_because", told=told, roots=roots) if roots else told


def row(one: Affected, texts: Texts, outline: Outline | None = None) -> Row:
    """A CI that is worse off, with its reasons."""
    own = None if one.own is None else "own" if one.own else "inherited"
    levels = stands(one.now, one.was)
    site = None if outline is None else outline.site
    return Row(one.ci, levels, one.distance, own, because(one.because, one.ci, texts), site)


def stands(now: Standing, was: Standing) -> tuple[Level, ...]:
    """Where a CI stands on each axis."""
    worse = now.worse_than(was)
    return tuple(Level(axis, getattr(now, axis), getattr(was, axis) if axis in worse else None) for axis in AXES)


def because(reasons: Iterable[Reason], ci: Item, texts: Texts) -> tuple[Ground, ...]:
    """Each reason once, though it may explain several axes."""
    axes: dict[Ground, list[str]] = {}
    for reason in reasons:
        axes.setdefault(_ground(reason, ci, texts), []).append(reason.axis)
    return tuple(
        replace(ground, axes=() if of == [AXES[0]] else tuple(dict.fromkeys(of))) for ground, of in axes.items()
    )


def _ground(reason: Reason, ci: Item, texts: Texts) -> Ground:
    legs = tuple(
        Leg(
            leg.id, leg.name, leg.cls, leg.state, tuple(flag for flag in ("active", "assumed") if getattr(leg, flag)),
            leg.relations, None if leg.stale is None else _doubt(leg.stale, texts),
        )
        for leg in reason.legs
    )  # fmt: skip
    first = reason.first_cause if reason.first_cause is not None and reason.first_cause[0] != ci.id else None
    spare = None
    if reason.first_cause is None and reason.holding is not None and reason.needs is not None:
        spare = reason.holding - reason.needs
    return Ground(_sentence(reason, texts), legs, first, spare=spare)


def _sentence(reason: Reason, texts: Texts) -> str:
    if reason.requirement is not None:
        key = "requirement" if reason.full == reason.needs else "requirement_full"
        numbers: Mapping[str, object] = {
            "needs": reason.needs, "full": reason.full, "holding": reason.holding, "legs": len(reason.legs),
        }  # fmt: skip
        return texts(f"impact.ground.{key}", requirement=_requirement(reason.requirement, texts), **numbers)
    by = ", ".join(name for _, name in reason.by) or texts("impact.ground.between")
    return texts(f"impact.ground.{reason.kind}", by=by)


_TYPES: Final = r"(?: \((?P<types>[^()]+)\))?"
_DOUBTS: Final = (
    ("missing_since", re.compile(r"missing since (?P<time>.+)")),
    ("missing", re.compile(r"missing")),
    ("no_gateway", re.compile(r"no gateway is known: every question of the network is open")),
    ("no_cable", re.compile(r"no cable that is known connects it to a gateway")),
    ("leaning", re.compile(r"leans on what is unknown")),
    ("never_collected", re.compile(rf"never collected{_TYPES}")),
    ("never_logged_in", re.compile(rf"never logged in{_TYPES}")),
    ("never_scanned", re.compile(rf"never scanned{_TYPES}")),
    ("stale", re.compile(rf"stale since (?P<time>\S+){_TYPES}")),
    ("section", re.compile(rf"section (?P<section>\S+) (?P<how>\w+){_TYPES}")),
    ("leans", re.compile(r"(?P<requirement>.+): (?P<name>.+) is unknown")),
)
"""The engine's reasons (`cmdb.impact`, `cmdb.project_gaps`), and their roots, which name no types of relations; what
fits none of them is shown as it is."""


def doubts(reason: str, texts: Texts) -> str:
    """Why nobody can tell, in the reader's words."""
    return "; ".join(_doubt(part, texts) for part in reason.split("; "))


def _doubt(reason: str, texts: Texts) -> str:
    for key, pattern in _DOUBTS:
        if found := pattern.fullmatch(reason):
            values: dict[str, object] = dict(found.groupdict())
            types = found.groupdict().get("types")
            if "how" in values:
                values["how"] = texts.word("runs.outcomes", found["how"])
            if "requirement" in values:
                values["requirement"] = _requirement(found["requirement"], texts)
            told = texts(f"impact.doubt.{key}", **values)
            if types is None:
                return told
            named = ", ".join(texts.word("relation", name) for name in types.split(", "))
            return texts("impact.doubt.of_types", told=told, types=named)
    return reason


def _requirement(title: str, texts: Texts) -> str:
    """The relation type of a default requirement in the reader's language; a group goes by its own name."""
    kind, space, rest = title.partition(" ")
    return texts.word("relation", kind) + space + rest if kind in RELATION_TYPES else title
