"""Parked questions as the JSON that API and command line show alike, and the pages draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cmdb.codec import time_out

if TYPE_CHECKING:
    from cmdb.brake import Loss
    from cmdb.inventory import Inventory
    from cmdb.model import Identifier
    from cmdb.parked import Asked, Parked

CLAIMS_SHOWN = 100
"""Of so many claims a section is told in full, where nobody asks for more."""
PLACES_SHOWN = 1000


def brief(asked: Asked) -> dict[str, Any]:
    """A question in short: how many of what a yes would end, and how many would be missing."""
    question = asked.question
    return {
        "id": question.id,
        "answer": question.answer.value,
        "space": question.space,
        "networks": list(question.networks),
        "since": time_out(question.since),
        "runs": list(question.runs),
        "ends": asked.ended,
        "stood": question.stood,
        "kinds": dict(asked.kinds),
        "addresses": sorted({one.report.source for one in asked.parked}),
        "silent": len(question.silent),
        "covered": question.covered,
        "by": question.by,
        "reason": question.reason,
        "answered": None if question.answered is None else time_out(question.answered),
    }


def full(inventory: Inventory, asked: Asked, claims: int = CLAIMS_SHOWN) -> dict[str, Any]:
    """A question with what a yes would end, by address and section, and who would be missing."""
    space = asked.question.space
    return brief(asked) | {
        "places": [_place(inventory, one, claims) for one in asked.parked[:PLACES_SHOWN]],
        "missing": [
            {"address": one.source, "seen": time_out(one.seen), "ci": _ci(inventory, one.source, space, one.known_by)}
            for one in asked.question.silent[:PLACES_SHOWN]
        ],
    }


def _place(inventory: Inventory, one: Parked, claims: int) -> dict[str, Any]:
    report = one.report
    return {
        "address": report.source,
        "ci": _ci(inventory, report.source, report.space, one.known_by),
        "run": report.run,
        "at": time_out(report.time),
        "sections": [_section(loss, claims) for loss in one.losses],
    }


def _section(loss: Loss, claims: int) -> dict[str, Any]:
    return {
        "section": loss.section,
        "ends": len(loss.claims),
        "of": loss.of,
        "new": loss.new,
        "claims": [{"kind": claim.kind, "text": claim.text} for claim in loss.claims[:claims]],
    }


def _ci(inventory: Inventory, address: str, space: str, known_by: Identifier | None) -> dict[str, Any] | None:
    """Whom a question is about, where that is one CI: by what it was known by, else by its address."""
    kind, value = ("address", address) if known_by is None else known_by
    found = {match.ci for match in inventory.lookup(value, space) if match.handle.kind == kind}
    stored = inventory.stored(found.pop()) if len(found) == 1 else None
    return None if stored is None else {"id": stored.ci.id, "name": stored.ci.name, "class": stored.ci.cls}
