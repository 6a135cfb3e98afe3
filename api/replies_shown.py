"""Kept replies and replays as the JSON that the API and the command line show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api import views
from cmdb.codec import time_out
from discovery.family import load_families
from operations import replaying, replies
from operations.errors import NotKnown
from operations.evidence import NotKept
from operations.replaying import NO_LONGER

if TYPE_CHECKING:
    from api.wiring import Services


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


def of_value(services: Services, ci: str, attribute: str, name: str) -> list[dict[str, Any]]:
    """Every claim on a value of a CI, and what was measured of it, with the reply; else `no_reply` says why.

    Raises NotKnown, with what is said of the CI that people call `name`.
    """
    claims, readings = services.inventory.claims(ci), services.inventory.readings(ci)
    found = [views.claim(one) for one in claims if one.attribute == attribute]
    for one in readings:
        if one.attribute == attribute:
            when = time_out(one.time)
            found.append(
                views.reading(one) | {"won": True, "reason": "measured last", "since": when, "confirmed": when}
            )
    if not found:
        names = {one.attribute for one in claims} | {one.attribute for one in readings}
        known = ", ".join(sorted(names)) or "nothing"
        raise NotKnown(f"nobody says anything of {attribute!r} of {name}; what is said of it: {known}")
    return [document | _came_from(services, document["evidence"]) for document in found]


def _came_from(services: Services, evidence: str | None) -> dict[str, Any]:
    if evidence is None:
        return {"reply": None, "no_reply": "it was declared: no device said it"}
    try:
        return {"reply": reply(services, evidence), "no_reply": None}
    except NotKept:
        return {"reply": None, "no_reply": NO_LONGER}


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
