"""Answers of the impact engine as the JSON that the API and the command line show alike: totals first, then rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from cmdb import schema
from cmdb.impact import Affected, Answer, Item, StaleRelation, Unknown, affected_out
from cmdb.impact.answer import NOWHERE, WORSE
from cmdb.model import ModelError

if TYPE_CHECKING:
    from cmdb.impact.who import Concerned, Group, Tally, Who
    from cmdb.inventory import Inventory

Row = TypeVar("Row")

STALE_SHOWN: Final = 100
_SLICE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are wanted: any of these levels, of these classes, of a building (its id, or `NOWHERE`)."""

    levels: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    site: str | None = None

    @property
    def everything(self) -> bool:
        return not (self.levels or self.classes) and self.site is None


class Page(NamedTuple):
    """Places in a list that are shown, and where to go on; None at the end."""

    places: Sequence[int]
    next: int | None


def wanted(inventory: Inventory, levels: Iterable[str], classes: Iterable[str], site: str | None) -> Wanted:
    """A filter as people write it. Raises ModelError, which says where, and NotFound."""
    for level in levels:
        if level not in WORSE:
            raise ModelError(f"level: {level!r} is not one of {', '.join(WORSE)}")
    found = frozenset(name for cls in classes for name in schema.subclasses(cls))
    return Wanted(frozenset(levels), found, None if site is None else _site(inventory, site))


def _site(inventory: Inventory, text: str) -> str:
    if text.strip() == NOWHERE:
        return NOWHERE
    target = inventory.target(text)
    stored = inventory.stored(target.cis[0]) if target.cis else None
    if stored is None or stored.ci.cls != "building":
        what = "a relation" if stored is None else f"a {stored.ci.cls}"
        raise ModelError(f"site: {text!r} is {what}; sites are buildings, and {NOWHERE!r} is none that is known")
    return stored.ci.id


def page_of_affected(answer: Answer, of: Wanted, start: int, limit: int | None) -> Page:
    """The next rows that are wanted, at most `limit` of them, from a place of the answer on."""
    if of.everything:
        return _cut(range(start, len(answer.outlines)), limit)
    places = answer.chosen(of.levels, of.classes, of.site)
    return _cut(places[bisect_left(places, start) :], limit)


def page_of_unknown(answer: Answer, of: Wanted, start: int, limit: int | None) -> Page:
    """The same of those of whom nobody can tell: of them a class alone is asked."""
    total = len(answer.unknown)
    if not of.classes:
        return _cut(range(start, total), limit)
    found: list[int] = []
    for first in range(start, total, _SLICE):
        for place, one in enumerate(answer.unknown[first : first + _SLICE], first):
            if one.ci.cls in of.classes:
                if len(found) == limit:
                    return Page(found, place)
                found.append(place)
    return Page(found, None)


def _cut(places: Sequence[int], limit: int | None) -> Page:
    if limit is None or len(places) <= limit:
        return Page(places, None)
    return Page(places[:limit], places[limit])


class Taken(NamedTuple):
    """What is shown of an answer, read from the engine in one go."""

    answer: Answer
    affected: Sequence[Affected]
    unknown: Sequence[Unknown]
    stale: Sequence[StaleRelation]


def taken(answer: Answer, affected: Page, unknown: Page) -> Taken:
    """Some rows of an answer, made."""
    return Taken(
        answer,
        list(picked(answer.affected, affected.places)),
        list(picked(answer.unknown, unknown.places)),
        answer.stale[:STALE_SHOWN],
    )


def picked(rows: Sequence[Row], places: Sequence[int]) -> Iterator[Row]:
    """The rows at some places, which are in order; those that stand together are made in one go."""
    if isinstance(places, range):
        yield from rows[places.start : places.stop]
        return
    start = 0
    for end in range(1, len(places) + 1):
        if end == len(places) or places[end] != places[end - 1] + 1:
            yield from rows[places[start] : places[end - 1] + 1]
            start = end


def document(of: Taken, whom: Who | None, following: Mapping[str, str | None]) -> dict[str, Any]:
    """An answer: totals first, then some of its rows, and what goes on after them."""
    return totals(of.answer) | {
        "stale": [_stale(one) for one in of.stale],
        "stale_in_all": len(of.answer.stale),
        "who": None if whom is None else who(whom),
        "affected": [affected_out(one) for one in of.affected],
        "unknown": [_unknown(one) for one in of.unknown],
        "next": dict(following),
    }


def totals(answer: Answer) -> dict[str, Any]:
    """What an answer says as a whole. `question` can be sent again as it is, and has the same answer."""
    question = answer.question
    return {
        "revision": answer.revision,
        "rules": answer.rules,
        "hash": answer.hash,
        "head": answer.head,
        "question": {
            "what": [*question.targets, *question.relations],
            "kind": question.kind,
            "down": list(question.down),
            "restarts": question.restarts,
            "at": str(answer.revision),
        },
        "counts": dict(answer.counts),
        "unknown_because": dict(answer.unknown_because),
        "assumed": answer.assumed,
        "notes": list(answer.notes),
    } | ({"temporary": True} if answer.temporary else {})


def _unknown(one: Unknown) -> dict[str, Any]:
    return item(one.ci) | {"reason": one.reason}


def _stale(one: StaleRelation) -> dict[str, Any]:
    return {
        "id": one.id,
        "type": one.type,
        "source": item(one.source),
        "target": item(one.target),
        "since": one.since,
    }


def item(ci: Item) -> dict[str, Any]:
    """A CI by its id, class and name."""
    return {"id": ci.id, "class": ci.cls, "name": ci.name}


def who(of: Who) -> dict[str, Any]:
    """Whom an answer concerns."""
    return {
        "services": _concerned(of.of_services, of.services),
        "applications": _concerned(of.of_applications, of.applications),
        "owners": _groups(of.owners, of.owners_in_all) | {"unowned": tally(of.unowned)},
        "sites": _groups(of.sites, of.sites_in_all) | {"nowhere": tally(of.nowhere)},
    }


def tally(of: Tally) -> dict[str, int]:
    """How many are worse, and how."""
    return {"affected": of.total, **{name: count for name, count in of._asdict().items() if name != "total"}}


def _concerned(of: Tally, listed: Sequence[Concerned]) -> dict[str, Any]:
    return {
        "counts": tally(of),
        "listed": [
            item(one.ci)
            | {**one.now._asdict(), "was": one.was._asdict(), "values": dict(one.values), "owners": list(one.owners)}
            for one in listed
        ],
        "more": of.total - len(listed),
    }


def _groups(listed: Sequence[Group], in_all: int) -> dict[str, Any]:
    return {
        "listed": [
            {
                "id": one.id,
                "name": one.name,
                "counts": tally(one.tally),
                "values": dict(one.values),
                "worst": [item(ci) for ci in one.worst],
                "more": one.tally.total - len(one.worst),
            }
            for one in listed
        ],
        "more": in_all - len(listed),
    }
