"""Kept replies and replays as the JSON that the API and the command line show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api import views
from cmdb.codec import time_out
from discovery.family import load_families
from operations import replaying, replies
from operations.evidence import NotKept
from operations.replaying import NO_LONGER

if TYPE_CHECKING:
    from api.wiring import Services
    from cmdb.inventory import ClaimView


def reply(services: Services, name: str) -> dict[str, Any]:
    """The reply of a hash, readably."""
    found = replies.reply(services.evidence, name)
    return {
        "hash": found.hash,
        "space": found.space,
        "address": found.address,
        "section": found.section,
        "said": [{"run": said.run, "time": time_out(said.time)} for said in found.said],
        "replies": [
            {
                "asked": each.asked,
                "rows": [{"object": oid, "value": value} for oid, value in each.rows],
                "stdout": each.stdout,
                "stderr": each.stderr,
                "code": each.code,
                "problem": each.problem,
            }
            for each in found.replies
        ],
    }


def claim(services: Services, of: ClaimView) -> dict[str, Any]:
    """A claim with the reply that it came from; where there is none, `no_reply` says why."""
    document = views.claim(of) | {"reply": None, "no_reply": None}
    if of.evidence is None:
        return document | {"no_reply": "it was declared: no device said it"}
    try:
        return document | {"reply": reply(services, of.evidence)}
    except NotKept:
        return document | {"no_reply": NO_LONGER}


def replay(services: Services, run: str | None, *, by: str, apply: bool) -> dict[str, Any]:
    """What comes of a run's replies, or, without one, of the last of every address."""
    found = replaying.replay(
        services.inventory, services.evidence, services.runs, load_families(), run=run, by=by, apply=apply
    )
    return {
        "visits": found.visits,
        "revision": found.told.revision,
        "difference": list(found.told.difference),
        "remarks": list(found.remarks),
    }
