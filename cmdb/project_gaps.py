"""What was never collected of a CI, and why (impact.md, "Unknown is not unaffected"). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cmdb.evidence import Refusal
from cmdb.lines import Line, Said
from cmdb.model import CI
from cmdb.rules import Rules
from cmdb.schema import CONCRETE, RELATION_TYPES, SECTION_SHOWS, is_a

NEVER_LOGGED_IN = "never logged in"
NEVER_COLLECTED = "never collected"


@dataclass(slots=True)
class Collected:
    """What there is of the sections of one machine: full ones in force by name, the rest by why they are not."""

    fresh: set[str] = field(default_factory=set)
    stale: dict[str, datetime] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)
    partial: dict[str, str | None] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)


@lru_cache(maxsize=len(CONCRETE))
def expected(cls: str) -> frozenset[str]:
    """The relation types that count for impact and that this class may show."""
    return frozenset(
        row.name
        for row in RELATION_TYPES.values()
        if (row.needs is not None or row.axis is not None)
        and any(is_a(cls, end) for end in (*row.sources, *(row.targets if row.undirected else ())))
    )


def collected(lines: Iterable[Line], in_force: Iterable[Said], now: datetime, rules: Rules) -> Collected:
    """Look through the sections of one machine."""
    found = Collected()
    newest: dict[str, datetime] = {}
    for said in in_force:
        kind = said.name.partition(".")[0]
        found.kinds.add(kind)
        newest[said.name] = max(said.held.confirmed, newest.get(said.name, said.held.confirmed))
        if not said.full:
            found.partial[said.name] = said.held.section.problem
        elif (since := rules.stale_from(said.name, said.held.confirmed)) is not None and now > since:
            found.stale[said.name] = since
        else:
            found.fresh.add(said.name)
    for line in lines:
        for sighting in (*line.sightings, *line.silent):
            for name, kept in sighting.sections.items():
                refusal = kept.refusal
                if refusal is None or (name in newest and newest[name] > refusal.time):
                    continue
                if name not in found.refused or found.refused[name] < refusal:
                    found.refused[name] = refusal
    return found


def gaps(ci: CI, of: Collected | None, stated: Collection[str], rules: Rules) -> Mapping[str, str]:
    """Each relation type that counts and was not collected, with the reason. `stated`: what declarations state of it.

    `of` is of the machine that the CI is or runs in; None where nothing of it ever answered.
    """
    if of is None and not rules.scans(ci.cls):
        return {}
    found: dict[str, str] = {}
    for type_ in sorted(expected(ci.cls)):
        if type_ in stated:
            continue
        reason = _reason(type_, of)
        if reason is not None and (rules.scans(ci.cls) or _showing(type_)):
            found[type_] = reason
    return found


@lru_cache(maxsize=len(RELATION_TYPES))
def _showing(type_: str) -> tuple[str, ...]:
    return tuple(sorted(name for name, shown in SECTION_SHOWS.items() if type_ in shown))


def _reason(type_: str, of: Collected | None) -> str | None:
    """Why relations of a type are not known; None where a full section shows them."""
    showing = _showing(type_)
    if not showing:
        return NEVER_COLLECTED
    if of is None:
        return NEVER_LOGGED_IN
    if any(name in of.fresh for name in showing):
        return None
    for name in showing:
        if name in of.stale:
            return f"stale since {of.stale[name]:%Y-%m-%d}"
    for name in showing:
        if name in of.refused:
            return f"section {name} {of.refused[name].completeness.value}"
    for name in showing:
        if name in of.partial:
            return f"section {name} partial"
    if not of.kinds & {name.partition(".")[0] for name in showing}:
        return NEVER_LOGGED_IN
    return NEVER_COLLECTED
