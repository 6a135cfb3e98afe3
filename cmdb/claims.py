"""Every claim on a value of a CI: who said it, since when, last confirmed, and why it won or lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cmdb.model import CI, Value
from cmdb.nodes import ClassClaim, choose_class, trust_rank
from cmdb.project_values import Claim, Utterance, attribute_claims, order_key, ranked, trust_of
from cmdb.rules import Rules
from cmdb.schema import REPORTERS

_LOST: Final = (
    "stale", "its reporter is less trusted", "another says it of itself", "fewer say so", "the other value sorts first",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim: `since` the source first said so, `confirmed` when it last did, `evidence` the reply it came from."""

    attribute: str
    value: Value
    source: str
    section: str
    since: datetime
    confirmed: datetime
    evidence: str | None
    won: bool
    reason: str


def claims_on(said: Sequence[Utterance], ci: CI, rules: Rules) -> list[ClaimView]:
    """The claims on class, name, label, attributes and identifiers, by attribute, the winner first."""
    found = list(_of_class(said))
    for name, claims in sorted(attribute_claims(said).items()):
        found += _ranked(name, ranked(claims, trust_of(rules, ci.cls, name)))
    found += [
        _view(one.scheme, one.value, by, won=True, reason="identifiers are all kept")
        for by in said
        for one in sorted(by.subject.identifiers)
    ]
    return _once(found)


def _of_class(said: Iterable[Utterance]) -> list[ClaimView]:
    claims = [
        (ClassClaim(one.subject.cls, one.kind, one.itself, (one.space, one.source)), one)
        for one in said
        if one.subject.cls is not None
    ]
    winner = choose_class(claim for claim, _ in claims)
    reasons = {True: "trusted most", False: "the other is trusted more, or more specific"}
    claims.sort(
        key=lambda row: (
            row[0].cls != winner, trust_rank(REPORTERS, row[0].kind), not row[0].itself, row[1].source, row[1].section
        )
    )  # fmt: skip
    return [
        _view("class", claim.cls, by, won=claim.cls == winner, reason=reasons[claim.cls == winner])
        for claim, by in claims
    ]


def _ranked(name: str, rows: Sequence[tuple[tuple[Any, ...], Claim]]) -> list[ClaimView]:
    best, winner = rows[0]
    found = []
    for rank, claim in rows:
        if order_key(claim.value) == order_key(winner.value):
            reason = "the only value" if len({order_key(row.value) for _, row in rows}) == 1 else "ranks first"
            found.append(_view(name, claim.value, claim.by, won=True, reason=reason))
        else:
            place = next(place for place, (mine, its) in enumerate(zip(rank, best, strict=True)) if mine != its)
            found.append(_view(name, claim.value, claim.by, won=False, reason=_LOST[place]))
    return found


def _view(attribute: str, value: Value, by: Utterance, *, won: bool, reason: str) -> ClaimView:
    held = by.held
    return ClaimView(attribute, value, by.source, by.section, held.since, held.confirmed, held.evidence, won, reason)


def _once(views: Iterable[ClaimView]) -> list[ClaimView]:
    """A section that names a subject several times says it once."""
    found: dict[Any, ClaimView] = {}
    for view in views:
        found.setdefault((view.attribute, order_key(view.value), view.source, view.section, view.confirmed), view)
    return list(found.values())
