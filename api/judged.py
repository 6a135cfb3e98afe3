"""Conflicts, likely duplicates and decisions as the JSON that the API and the command line show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cmdb import codec
from cmdb.duplicates import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from cmdb.claims import ClaimView
    from cmdb.conflicts import Candidate, Comparison, ConflictView
    from cmdb.decisions import DecisionView
    from cmdb.duplicates import Duplicate
    from cmdb.judging import Decided
    from cmdb.model import CI, Identifier


def conflict(view: ConflictView) -> dict[str, Any]:
    """A question of the queue, with its candidates, what they share and contradict in, and what that suggests."""
    return {
        "id": view.id,
        "values": identifiers(view.values),
        "total": view.total,
        "candidates": [_candidate(one) for one in view.candidates],
        "pairs": [comparison(pair) for pair in view.pairs],
        "suggestion": view.suggestion,
        "since": _time(view.since),
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return brief(one.ci) | {"said": [_said(claim) for claim in one.said]}


def _said(claim: ClaimView) -> dict[str, Any]:
    return {
        "source": claim.source,
        "section": claim.section,
        "since": _time(claim.since),
        "confirmed": _time(claim.confirmed),
        "evidence": claim.evidence,
    }


def comparison(pair: Comparison) -> dict[str, Any]:
    """Two CIs beside each other."""
    return {
        "a": pair.a,
        "b": pair.b,
        "shared": [{"kind": trait.kind, "values": list(trait.common)} for trait in pair.shared],
        "contradicts": [{"kind": trait.kind, "a": list(trait.a), "b": list(trait.b)} for trait in pair.contradicts],
        "reasons": [
            {"kind": one.kind, "what": one.what, "for": "same" if one.weight > 0 else "different", "text": one.text}
            for one in pair.reasons
        ],
        "suggestion": pair.suggestion,
    }


def brief(ci: CI) -> dict[str, Any]:
    """A CI in a few words."""
    return {"id": ci.id, "class": ci.cls, "name": ci.name, "label": ci.label, "state": ci.state.value}


def duplicate(row: Duplicate, cis: Mapping[str, CI]) -> dict[str, Any]:
    """Two CIs that may be one, with the score and its parts."""
    texts = sentences(row.parts)
    return {
        "a": brief(cis[row.a]),
        "b": brief(cis[row.b]),
        "score": row.score,
        "parts": [
            {"kind": part.kind, "points": part.points, "what": part.what, "text": text}
            for part, text in zip(row.parts, texts, strict=True)
        ],
    }


def decision(view: DecisionView) -> dict[str, Any]:
    """What a person decided, and whether somebody took it back."""
    taken_back = view.withdrawn
    return {
        "id": view.id,
        "verdict": view.verdict,
        "a": identifiers(view.a),
        "b": identifiers(view.b),
        "cis": list(view.cis),
        "by": view.by,
        "reason": view.reason,
        "time": _time(view.time),
        "withdrawn": None
        if taken_back is None
        else {"by": taken_back.by, "reason": taken_back.reason, "time": _time(taken_back.time)},
    }


def decided(done: Decided) -> dict[str, Any]:
    """What a decision changed."""
    return {"revision": done.outcome.revision, "decisions": [decision(one) for one in done.decisions]}


def identifiers(given: Iterable[Identifier]) -> list[dict[str, str]]:
    return [{"scheme": scheme, "value": value} for scheme, value in sorted(given)]


def _time(time: datetime | None) -> str | None:
    return None if time is None else codec.time_out(time)
