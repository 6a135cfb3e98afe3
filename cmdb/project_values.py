"""Which of several claims on a value is believed (truth.md, "Projection"). Pure.

Never "the newer": two sources that disagree would flip the value at each scan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from cmdb import codec
from cmdb.evidence import Held
from cmdb.model import CI, Component, Identifier, Statement, Subject, Value
from cmdb.nodes import ClassClaim, choose_class, component_address, trust_rank
from cmdb.rules import Rules
from cmdb.schema import REPORTERS

HAND: Final = "declared:hand:"
"""Sources of values that somebody entered by hand at one CI: believed before all others."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What one section in force says of one CI: as a statement about it, or by naming it only."""

    subject: Subject
    statement: Statement | None
    kind: str
    itself: bool
    stale: bool
    space: str
    source: str
    section: str
    held: Held

    @property
    def attributes(self) -> Mapping[str, Value]:
        return {} if self.statement is None else self.statement.attributes

    @property
    def components(self) -> tuple[Component, ...]:
        return () if self.statement is None else self.statement.components


class Claim(NamedTuple):
    """A value that a section in force says an attribute has."""

    value: Value
    by: Utterance


def order_key(value: Value) -> Any:
    """A key that puts values of any types in one order."""
    if isinstance(value, tuple):
        return ("tuple", tuple(order_key(item) for item in value))
    if isinstance(value, datetime):
        return ("datetime", codec.time_out(value))
    return (type(value).__name__, value)


def ranked(claims: Iterable[Claim], trust: Sequence[str]) -> list[tuple[tuple[Any, ...], Claim]]:
    """The claims with their ranks, the one that is believed first.

    The rank is (stale, trust, not about itself, −reporters, value): the smallest wins.
    """
    every = list(claims)
    reporters: dict[Any, set[tuple[str, str]]] = {}
    for claim in every:
        reporters.setdefault(order_key(claim.value), set()).add((claim.by.space, claim.by.source))
    found = [
        (
            (
                claim.by.stale, _trust(trust, claim.by), not claim.by.itself,
                -len(reporters[order_key(claim.value)]), order_key(claim.value),
            ),
            claim,
        )
        for claim in every
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row[0], row[1].by.space, row[1].by.source, row[1].by.section))


def _trust(trust: Sequence[str], by: Utterance) -> tuple[bool, int]:
    """What somebody entered at this one CI comes first, whomever the rules trust for the attribute."""
    return not by.source.startswith(HAND), trust_rank(trust, by.kind)


def best(claims: Sequence[Claim], trust: Sequence[str]) -> Value:
    """The value that is believed."""
    if len(claims) == 1:
        return claims[0].value
    return ranked(claims, trust)[0][1].value


def attribute_claims(said: Iterable[Utterance]) -> dict[str, list[Claim]]:
    """The claims on each attribute, `name` and `label` included. An empty text or list is no value: it erases none."""
    found: dict[str, list[Claim]] = {}
    for one in said:
        if one.subject.name:
            found.setdefault("name", []).append(Claim(one.subject.name, one))
        for name, value in one.attributes.items():
            if value not in {"", ()}:
                found.setdefault(name, []).append(Claim(value, one))
    return found


def class_claims(said: Iterable[Utterance]) -> list[ClassClaim]:
    """The claims on the class."""
    return [
        ClassClaim(one.subject.cls, one.kind, one.itself, (one.space, one.source))
        for one in said
        if one.subject.cls is not None
    ]


def trust_of(rules: Rules, cls: str, attribute: str) -> Sequence[str]:
    return rules.trusted(cls, attribute) or REPORTERS


def shape(said: Sequence[Utterance], rules: Rules, space: str, address: str | None) -> CI:
    """A CI, still without id, state, owner, groups and gaps; `address` is where it answered last."""
    cls = choose_class(class_claims(said))
    values = {
        name: best(claims, trust_of(rules, cls, name))
        for name, claims in sorted(attribute_claims(said).items())
        if not rules.is_volatile(cls, name)
    }
    found = frozenset(one for each in said for one in each.subject.identifiers)
    members = {one.value for one in found if one.scheme == "member_serial"}
    if members:
        found = frozenset(one for one in found if one.scheme != "serial" or one.value not in members)
    components = _components(said)
    label, name = values.pop("label", None), values.pop("name", None)
    label = label if isinstance(label, str) and label else None
    if not isinstance(name, str) or not name:
        name = label or address or _address(components) or _strongest(found) or cls.replace("_", " ")
    return CI("", cls, space, name, label, attributes=values, identifiers=found, components=components)


def _components(said: Sequence[Utterance]) -> tuple[Component, ...]:
    """The union of what is said; where two say something of one part, each attribute by the usual rule."""
    found: dict[tuple[str, str], list[tuple[Component, Utterance]]] = {}
    for one in said:
        for component in one.components:
            found.setdefault((component.kind, component.name), []).append((component, one))
    return tuple(_component(found[key]) for key in sorted(found))


def _component(given: Sequence[tuple[Component, Utterance]]) -> Component:
    component, _ = given[0]
    if len(given) == 1:
        return component
    claims: dict[str, list[Claim]] = {}
    for one, by in given:
        for name, value in one.attributes.items():
            claims.setdefault(name, []).append(Claim(value, by))
    return Component(component.kind, component.name, {name: best(claims[name], REPORTERS) for name in sorted(claims)})


def _address(components: Iterable[Component]) -> str | None:
    return min((found for part in components if (found := component_address(part)) is not None), default=None)


def _strongest(found: Iterable[Identifier]) -> str | None:
    order = ("serial", "uuid", "member_serial", "wwn", "mac", "host_key")
    return min(found, key=lambda one: (order.index(one.scheme), one.value)).value if found else None
