"""Who is who, of a part: what resolving it gives, and what it needs to know of the rest."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cmdb.index import Index, ValueKey
from cmdb.lines import Line
from cmdb.model import Decision
from cmdb.nodes import Key, Node
from cmdb.settled import Card, Conflict, Settled


class Wider(Exception):
    """The part is too small: these nodes belong to it."""

    def __init__(self, keys: Collection[Key]) -> None:
        super().__init__(f"{len(keys)} more nodes")
        self.keys = keys


class Unidentified(NamedTuple):
    """One that others name by nothing that finds a CI; `by` are the nodes of those who name it."""

    key: Key
    by: tuple[Key, ...]


class Namesakes(NamedTuple):
    """Something declared by name alone that several scanned CIs have: it is a CI of its own."""

    key: Key
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What is resolved: `keys` of nodes, `sought` that names and addresses find, `skipped` values that stay burnt.

    `left` are conflicts of skipped values of whose witnesses some are in the part: the others witness alone now.
    """

    keys: Collection[Key]
    sought: Collection[Key]
    skipped: Collection[ValueKey] = ()
    left: tuple[Conflict, ...] = ()


@dataclass(slots=True)
class Resolution:
    """The groups of a part, numbered in the order of their nodes; CIs outside it get negative numbers.

    `group_of` has every node of the part that is in a CI, and every weak key that found one. `fallen_back` are nodes
    known by burnt identifiers only, which were found by name or address.
    """

    index: Index
    settled: Settled
    part: Part
    group_of: Mapping[Key, int] = field(default_factory=dict)
    groups: tuple[tuple[Key, ...], ...] = ()
    owners: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    cards: Sequence[Card] = ()
    burnt: frozenset[ValueKey] = frozenset()
    conflicts: tuple[Conflict, ...] = ()
    queue: tuple[Unidentified, ...] = ()
    namesakes: tuple[Namesakes, ...] = ()
    fallen_back: frozenset[Key] = frozenset()
    decisions: tuple[Decision, ...] = ()
    outside: dict[str, int] = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)

    @property
    def nodes(self) -> Mapping[Key, Node]:
        return self.index.nodes

    def number(self, key: Key) -> int | None:
        """The group of a node; None where it is in no CI."""
        if key in self.group_of:
            return self.group_of[key]
        if key in self.part.keys or key in self.part.sought:
            return None
        id_ = self.settled.ci_of.get(key)
        return None if id_ is None else self.number_of(id_)

    def fell_back(self, key: Key) -> bool:
        """Whether a node, in the part or beside it, was found by name or address alone."""
        if key in self.part.keys or key in self.part.sought or key in self.fallen_back:
            return key in self.fallen_back
        return key in self.settled.fallen_back

    def number_of(self, id_: str) -> int:
        """The number of a CI outside the part."""
        if id_ not in self.outside:
            self.ids.append(id_)
            self.outside[id_] = -len(self.ids)
        return self.outside[id_]

    def id_of(self, group: int) -> str:
        """The id of a CI outside the part."""
        return self.ids[-1 - group]

    def keys(self, group: int) -> tuple[Key, ...]:
        return self.groups[group] if group >= 0 else self.settled.keys(self.id_of(group))

    def owner(self, group: int) -> tuple[int, str] | None:
        """Inside which group another is, and by which key."""
        if group >= 0:
            return self.owners.get(group)
        card = self.settled.cards.get(self.id_of(group))
        if card is None or card.owner is None:
            return None
        owner = self.number(self.settled.keys(card.owner[0])[0]) if self.settled.keys(card.owner[0]) else None
        return None if owner is None else (owner, card.owner[1])

    def lines(self, group: int) -> list[Line]:
        """The lines of a group."""
        nodes = self.index.nodes
        return [line for key in self.keys(group) if key[0] == "line" and (line := nodes[key].line) is not None]
