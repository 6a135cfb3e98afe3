"""Why one CI is affected, unknown or not, and what would fail next, as the JSON of API and command line alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from api import views
from api.impacts import item, totals
from cmdb.codec import time_out
from cmdb.impact import Item, reason_out

if TYPE_CHECKING:
    from cmdb.claims import ClaimView
    from cmdb.impact import Answer, Evaluation, NextFailures, Reason, SinglePoints, Why
    from cmdb.inventory import Inventory
    from cmdb.model import CI, Relation

VOUCHED: Final = 200
"""Of so many relations the evidence is shown."""
NEXT_NAMED: Final = 2_000
"""So many next failures are named in an answer, of CIs and of cables, shared by those whom they take down."""
NEXT_EACH: Final = 10
"""So many of each are named however many share."""
POINTS: Final = 5_000
"""So many single points of failure are kept, the worst."""
NAMED: Final = 20
"""So many services of a single point of failure are named."""


class Explained(NamedTuple):
    """What decided on a CI, and the answer that it is part of."""

    answer: Answer
    why: Why


def explained(evaluation: Evaluation, ci: str) -> Explained:
    """What decided on a CI, read from the engine in one go."""
    with evaluation.held():
        return Explained(evaluation.answer(), evaluation.why(ci))


def why(inventory: Inventory, evaluation: Evaluation, ci: str, now: datetime) -> dict[str, Any]:
    """What decided on a CI, with who says each relation that counted, in which section, and how long ago."""
    return document(inventory, explained(evaluation, ci), now)


def document(inventory: Inventory, of: Explained, now: datetime) -> dict[str, Any]:
    """The same. Who says it is known of now alone: of a relation that is no more, or of another time, it is empty."""
    answer, why_ = of
    found: dict[str, Any] = {
        name: value for name, value in totals(answer).items() if name in {"revision", "rules", "head", "question"}
    }
    found |= {"ci": item(why_.ci), "verdict": why_.verdict, "text": text(why_)}
    found |= {**why_.now._asdict(), "was": why_.was._asdict()}
    if why_.unknown is not None:
        found["unknown"] = why_.unknown
    ids = list(dict.fromkeys([*_ids_of(why_.because), *(id_ for step in why_.path for id_ in step.relations)]))
    ends = {why_.ci.id, *(step.ci.id for step in why_.path)}
    return found | {
        "because": [_reason(one) for one in why_.because],
        "path": [item(step.ci) | {"state": step.state, "relations": list(step.relations)} for step in why_.path],
        "relations": _relations(inventory, ids[:VOUCHED], ends, answer.revision, now),
        "relations_more": max(0, len(ids) - VOUCHED),
    }


def text(of: Why) -> str:
    """The verdict in one line."""
    if of.verdict == "affected":
        worse = ", ".join(
            f"{getattr(of.now, axis)}, was {getattr(of.was, axis)}".replace("_", " ")
            for axis in of.now.worse_than(of.was)
        )
        return f"affected: {worse}"
    if of.verdict == "unknown":
        return f"unknown: {of.unknown}"
    state = "" if of.now.availability == "up" else f" ({of.now.availability.replace('_', ' ')} with and without it)"
    return f"not affected{state}"


def _ids_of(because: Iterable[Reason]) -> Iterable[str]:
    return (id_ for reason in because for leg in reason.legs for id_ in leg.relations)


def _reason(reason: Reason) -> dict[str, Any]:
    """A reason with what is to spare, and of which relations each leg is made."""
    document: dict[str, Any] = reason_out(reason)
    if reason.requirement is not None and reason.holding is not None and reason.needs is not None:
        document["spare"] = reason.holding - reason.needs
        for leg, drawn in zip(reason.legs, document["legs"], strict=True):
            drawn["relations"] = list(leg.relations)
    return document


def _relations(
    inventory: Inventory, ids: Collection[str], ends: Collection[str], at: int, now: datetime
) -> list[dict[str, Any]]:
    found = inventory.links(ids, ends, at)
    cis = inventory.named({end for one in found.values() for end in (one.source, one.target)}, at)
    vouched = inventory.vouched(list(found.values())) if inventory.newest() == at else {}
    return [_relation(found[id_], cis, vouched.get(id_, ()), now) for id_ in ids if id_ in found]


def _relation(relation: Relation, cis: Mapping[str, CI], vouched: Sequence[ClaimView], now: datetime) -> dict[str, Any]:
    return {
        "id": relation.id,
        "type": relation.type,
        "source": _end(relation.source, cis),
        "target": _end(relation.target, cis),
        "key": views.values(relation.columns),
        "said": [
            {
                "source": one.source,
                "section": one.section,
                "by": one.by,
                "since": time_out(one.since),
                "confirmed": time_out(one.confirmed),
                "age_s": max(0, int((now - one.confirmed).total_seconds())),
                "stale": bool(one.reason),
                "evidence": one.evidence,
            }
            for one in vouched
        ],
    }


def _end(id_: str, cis: Mapping[str, CI]) -> dict[str, Any]:
    ci = cis.get(id_)
    return item(Item(id_, "", id_) if ci is None else Item(id_, ci.cls, ci.name))


# What would fail next


def within(limit_s: float) -> Callable[[], bool]:
    """Says when so many seconds have passed."""
    ends = time.monotonic() + limit_s
    return lambda: time.monotonic() > ends


def services_of(evaluation: Evaluation) -> list[str]:
    """The services of an answer, which come first in it."""
    answer = evaluation.answer()
    return [one.ci.id for one in answer.outlines[: answer.counts["services"]] if one.ci.cls == "service"]


def next_failures(
    inventory: Inventory, evaluation: Evaluation, of: Sequence[str], enough: Callable[[], bool]
) -> dict[str, Any]:
    """What would take each of some CIs down after the change, and not without it; `complete` says whether all is found.

    All is counted and few are named where there are many: whatever is down after the change goes down with everything.
    """
    found: list[NextFailures] = []
    for id_ in of:
        if enough():
            break
        found.append(evaluation.next_failures(id_, enough))
    at = evaluation.answer().revision
    most = max(NEXT_EACH, NEXT_NAMED // max(1, len(found)))
    ids = {id_ for one in found for id_ in (one.of, *one.cis[:most])}
    cis = inventory.named(ids, at)
    cables = _cables(inventory, {id_ for one in found for id_ in one.cables[:most]}, at)
    return {
        "revision": at,
        "items": [
            {
                "of": _end(one.of, cis),
                "cis": [_end(id_, cis) for id_ in one.cis[:most]],
                "cis_in_all": len(one.cis),
                "cables": [cables.get(id_, {"id": id_, "name": id_}) for id_ in one.cables[:most]],
                "cables_in_all": len(one.cables),
                "complete": one.complete,
            }
            for one in found
        ],
        "not_reached": list(of[len(found) :]),
        "complete": len(found) == len(of) and all(one.complete for one in found),
    }


def _cables(inventory: Inventory, ids: Collection[str], at: int) -> dict[str, dict[str, str]]:
    found = inventory.links(ids, (), at)
    cis = inventory.named({end for one in found.values() for end in (one.source, one.target)}, at)

    def end(relation: Relation, side: str, id_: str) -> str:
        port = relation.columns.get(f"{side}_port")
        return f"{_end(id_, cis)['name']}{f'[{port}]' if port else ''}"

    return {
        id_: {"id": id_, "name": f"{one.type}:{end(one, 'from', one.source)}..{end(one, 'to', one.target)}"}
        for id_, one in found.items()
    }


class Points:
    """The single points of failure, kept until something changes: to find them takes seconds in a large estate."""

    def __init__(self, inventory: Callable[[], Inventory]) -> None:
        self._inventory = inventory
        self._kept: dict[str, Any] | None = None
        self._searching = threading.Lock()

    def page(self, start: int, limit: int, seconds: float) -> dict[str, Any]:
        """Some of them, with how many there are; `complete` says whether the time was enough to find all.

        One search at a time: each has all arrays for itself. Who waits for another one has what that found.
        """
        with self._searching:
            kept = self._kept
            if kept is None or not kept["complete"] or kept["revision"] != self._inventory().newest():
                kept = self._kept = single_points(self._inventory().single_points(within(seconds)), POINTS)
        return kept | {"items": kept["items"][start : start + limit]}


def single_points(of: SinglePoints, limit: int) -> dict[str, Any]:
    """The first CIs and cables whose loss alone takes services down."""
    return {
        "revision": of.revision,
        "in_all": len(of.points),
        "complete": of.complete,
        "items": [
            {
                "id": one.id,
                "class": one.kind,
                "name": one.name,
                "takes_down": one.takes_down,
                "services_in_all": len(one.services),
                "services": [item(service) for service in one.services[:NAMED]],
            }
            for one in of.points[:limit]
        ],
    }
