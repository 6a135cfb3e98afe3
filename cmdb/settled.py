"""Who is who, as it was settled last: what the next report changes a part of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cmdb.evidence import Place
from cmdb.index import ValueKey
from cmdb.nodes import Key
from cmdb.tables import enter


class Conflict(NamedTuple):
    """A value that joins nothing because those who carry it contradict; `witnesses` are up to three disjoint pairs.

    `direct`: the pairs carry it themselves; else they contradict through others that share further values with them.
    """

    value: ValueKey
    witnesses: tuple[tuple[Key, Key], ...]
    direct: bool = True


@dataclass(frozen=True, slots=True)
class Card:
    """One CI: its nodes; the weak keys, and those of burnt identifiers alone, that found it; and what finds it.

    `cls` is its class as the sections that are not replaced have it, `owner` the CI in which it is, by which key.
    """

    keys: tuple[Key, ...]
    cls: str
    found: frozenset[Key] = frozenset()
    names: frozenset[tuple[str, str]] = frozenset()
    listing: frozenset[Place] = frozenset()
    declared: frozenset[Place] = frozenset()
    owner: tuple[str, str] | None = None


@dataclass(slots=True)
class Settled:
    """All CIs by id, and what leads to them."""

    cards: dict[str, Card] = field(default_factory=dict)
    ci_of: dict[Key, str] = field(default_factory=dict)
    named: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    listing: dict[Place, set[str]] = field(default_factory=dict)
    declared: dict[Place, set[str]] = field(default_factory=dict)
    inside: dict[str, set[str]] = field(default_factory=dict)
    burnt: dict[ValueKey, Conflict] = field(default_factory=dict)
    fallen_back: set[Key] = field(default_factory=set)

    def keys(self, ci: str) -> tuple[Key, ...]:
        card = self.cards.get(ci)
        return () if card is None else card.keys

    def all_inside(self, ci: str) -> set[str]:
        """What is inside a CI, however deep."""
        found: set[str] = set()
        edge = [ci]
        while edge:
            inner = self.inside.get(edge.pop(), set()) - found
            found |= inner
            edge.extend(inner)
        return found

    def settle(self, gone: Iterable[str], cards: Mapping[str, Card]) -> None:
        """Put cards in the stead of those of the same ids, and of those that are gone."""
        for id_ in {*gone, *cards}:
            old = self.cards.pop(id_, None)
            if old is not None:
                for key in (*old.keys, *old.found):
                    if self.ci_of.get(key) == id_:
                        del self.ci_of[key]
                self._enter(id_, old, add=False)
        for id_, card in cards.items():
            self.cards[id_] = card
            for key in (*card.keys, *card.found):
                self.ci_of[key] = id_
            self._enter(id_, card, add=True)

    def _enter(self, id_: str, card: Card, *, add: bool) -> None:
        entries: list[tuple[dict[Any, set[str]], Any]] = [
            *((self.named, name) for name in card.names),
            *((self.listing, place) for place in card.listing),
            *((self.declared, place) for place in card.declared),
        ]
        if card.owner is not None:
            entries.append((self.inside, card.owner[0]))
        enter(entries, id_, add=add)
