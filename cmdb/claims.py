"""Every claim on a value of a CI: who said it, since when, last confirmed, and why it won or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from cmdb.model import CI, Relation, Value
from cmdb.nodes import UNKNOWN, choose_class, trust_rank
from cmdb.ports import Ports
from cmdb.project_relations import Said, turned
from cmdb.project_values import (
    HAND,
    Claim,
    Utterance,
    attribute_claims,
    class_claims,
    order_key,
    ranked,
    trust_of,
)
from cmdb.rules import Rules
from cmdb.schema import RELATION_TYPES, REPORTERS, lineage

_LOST: Final = (
    "stale", "its reporter is less trusted", "another says it of itself", "fewer say so", "the other value sorts first",
)  # fmt: skip
_CLASS_LOST: Final = (
    "what is known better comes first", "its reporter is less trusted", "another says it of itself",
    "the other is more specific", "fewer say so", "the other sorts first",
)  # fmt: skip
_BY_HAND: Final = "somebody entered another by hand"


class Part(NamedTuple):
    """The component that a claim is about."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim: `since` the source first said so, `confirmed` when it last did, `evidence` the reply it came from.

    `kind` is the kind of its reporter; `own`: it speaks of itself, or of what is in it. `part` is the component whose
    attribute it is, `relation` the id of the relation whose column it is; both None for the CI's own. `by` is the
    person who declared or entered it.
    """

    attribute: str
    value: Value
    source: str
    section: str
    kind: str
    own: bool
    since: datetime
    confirmed: datetime
    evidence: str | None
    won: bool
    reason: str
    part: Part | None = None
    relation: str | None = None
    by: str | None = None


def claims_on(said: Sequence[Utterance], ci: CI, rules: Rules) -> list[ClaimView]:
    """The claims on class, name, label, attributes, identifiers and parts' attributes, the winner first of each."""
    found = list(_of_class(said))
    for name, claims in sorted(attribute_claims(said).items()):
        if not rules.is_volatile(ci.cls, name):
            found += _ranked(name, ranked(claims, trust_of(rules, ci.cls, name)))
    found += [
        _view(one.scheme, one.value, by, won=True, reason="identifiers are all kept")
        for by in said
        for one in sorted(by.subject.identifiers)
    ]
    for part, of_part in sorted(_part_claims(said).items()):
        for name, claims in sorted(of_part.items()):
            if not rules.is_volatile_part(part.kind, name):
                found += _ranked(name, ranked(claims, REPORTERS), part)
    return _once(found)


def contested_columns(
    relations: Iterable[Relation], claimed: Iterable[Said], id_of: Callable[[int], str], cis: Mapping[str, CI]
) -> list[ClaimView]:
    """The claims on those columns of relations of which sources say different things; keys tell relations apart."""
    by_ends: dict[tuple[str, frozenset[str]], list[Said]] = {}
    for one in claimed:
        by_ends.setdefault((one.type, frozenset({id_of(one.source), id_of(one.target)})), []).append(one)
    found: list[ClaimView] = []
    for relation in relations:
        claims: dict[str, list[Claim]] = {}
        for one in by_ends.get((relation.type, frozenset({relation.source, relation.target})), ()):
            if _is_said_of(relation, one, id_of(one.source), cis):
                for name in one.columns.keys() & set(RELATION_TYPES[relation.type].attributes):
                    claims.setdefault(name, []).append(Claim(one.columns[name], one.by))
        for name, said in sorted(claims.items()):
            if len({order_key(claim.value) for claim in said}) > 1:
                found += [replace(view, relation=relation.id) for view in _ranked(name, ranked(said, REPORTERS))]
    return found


def on_relations(
    relations: Iterable[Relation], claimed: Iterable[Said], id_of: Callable[[int], str], cis: Mapping[str, CI]
) -> dict[str, list[ClaimView]]:
    """Who says that there is each relation, by its id, the last confirmed first; `reason` says where that is stale."""
    by_ends: dict[tuple[str, frozenset[str]], list[Said]] = {}
    for one in claimed:
        by_ends.setdefault((one.type, frozenset({id_of(one.source), id_of(one.target)})), []).append(one)
    found: dict[str, list[ClaimView]] = {}
    for relation in relations:
        views = [
            replace(
                _view(relation.type, True, one.by, won=True, reason="stale" if one.by.stale else ""),
                relation=relation.id,
            )
            for one in by_ends.get((relation.type, frozenset({relation.source, relation.target})), ())
            if _is_said_of(relation, one, id_of(one.source), cis)
        ]
        found[relation.id] = sorted(
            _once(views), key=lambda one: (one.confirmed, one.source, one.section), reverse=True
        )
    return found


def _is_said_of(relation: Relation, said: Said, source: str, cis: Mapping[str, CI]) -> bool:
    """Whether a claim on a relation of these ends has its keys, too; a cable may be told from either end."""
    row = RELATION_TYPES[relation.type]
    if not row.undirected:
        return source == relation.source and all(said.columns.get(key) == relation.columns.get(key) for key in row.keys)
    columns = said.columns if source == relation.source else turned(said.columns)
    for key, end in (("from_port", relation.source), ("to_port", relation.target)):
        port = columns.get(key)
        if isinstance(port, str) and Ports(cis[end]).named(port) != relation.columns.get(key):
            return False
    return True


def _part_claims(said: Iterable[Utterance]) -> dict[Part, dict[str, list[Claim]]]:
    found: dict[Part, dict[str, list[Claim]]] = {}
    for by in said:
        for component in by.components:
            of_part = found.setdefault(Part(component.kind, component.name), {})
            for name, value in component.attributes.items():
                of_part.setdefault(name, []).append(Claim(value, by))
    return found


def _of_class(said: Sequence[Utterance]) -> Iterator[ClaimView]:
    """The claims on the class, ranked as `nodes.choose_class` does."""
    speakers = [one for one in said if one.subject.cls is not None]
    if not speakers:
        return
    winner = choose_class(class_claims(speakers))
    reporters: dict[str, set[tuple[str, str]]] = {}
    for one in speakers:
        reporters.setdefault(one.subject.cls or "", set()).add((one.space, one.source))

    def rank(one: Utterance) -> tuple[Any, ...]:
        cls = one.subject.cls or ""
        return (
            cls == UNKNOWN, trust_rank(REPORTERS, one.kind), not one.itself, -len(lineage(cls)), -len(reporters[cls]),
            cls,
        )  # fmt: skip

    ordered = sorted(speakers, key=lambda one: (one.subject.cls != winner, rank(one), one.source, one.section))
    best = rank(ordered[0])
    for by in ordered:
        cls = by.subject.cls or ""
        if cls == winner:
            reason = "the only value" if len(reporters) == 1 else "ranks first"
        else:
            reason = _CLASS_LOST[_first_difference(rank(by), best)]
        yield _view("class", cls, by, won=cls == winner, reason=reason)


def _ranked(name: str, rows: Sequence[tuple[tuple[Any, ...], Claim]], part: Part | None = None) -> list[ClaimView]:
    best, winner = rows[0]
    several = len({order_key(claim.value) for _, claim in rows}) > 1
    found = []
    for rank, claim in rows:
        won = order_key(claim.value) == order_key(winner.value)
        if won:
            reason = "ranks first" if several else "the only value"
            if claim.by.stale:
                reason += ", though stale"
        elif winner.by.source.startswith(HAND) and not claim.by.stale:
            reason = _BY_HAND
        else:
            reason = _LOST[_first_difference(rank, best)]
        found.append(_view(name, claim.value, claim.by, won=won, reason=reason, part=part))
    return found


def _first_difference(rank: Sequence[Any], best: Sequence[Any]) -> int:
    return next(place for place, (mine, its) in enumerate(zip(rank, best, strict=True)) if mine != its)


def _view(
    attribute: str, value: Value, by: Utterance, *, won: bool, reason: str, part: Part | None = None
) -> ClaimView:
    held = by.held
    return ClaimView(
        attribute, value, by.source, by.section, by.kind, by.itself,
        held.since if part is not None else held.since_of(by.subject, attribute, value),
        held.confirmed, held.evidence, won, reason, part,
    )  # fmt: skip


def _once(views: Iterable[ClaimView]) -> list[ClaimView]:
    """A section that names a subject several times says it once."""
    found: dict[Any, ClaimView] = {}
    for view in views:
        token = (view.part, view.attribute, order_key(view.value), view.source, view.section, view.confirmed)
        found.setdefault(token, view)
    return list(found.values())
