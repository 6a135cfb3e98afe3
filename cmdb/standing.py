"""Who carries what now, and where each CI answers: what is asked before a person decides who is who."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cmdb.index import Index, ValueKey
from cmdb.lines import Line
from cmdb.model import SCHEMES, Identifier
from cmdb.nodes import Key, value_keys
from cmdb.settled import Conflict, Settled

NOBODY: Final = ""
"""Stands for what carries an identifier and is in no CI."""


DECLARED: Final = "declared"
"""Where decisions name something declared by name alone: its address space, class and name, with | between them."""


class Standing:
    """What was settled last, asked by the ids of CIs. It is true only while nobody writes."""

    def __init__(self, index: Index, settled: Settled) -> None:
        self._index = index
        self._settled = settled

    @property
    def conflicts(self) -> list[Conflict]:
        """The values that join nothing, because those who carry them contradict."""
        return [conflict for _, conflict in sorted(self._settled.burnt.items())]

    def ci_of(self, key: Key) -> str:
        """The CI of a node; NOBODY where it is in none."""
        return self._settled.ci_of.get(key, NOBODY)

    def carriers(self, value: ValueKey) -> frozenset[str]:
        """The CIs that carry a value in its domain."""
        return frozenset(self.ci_of(key) for key in self._index.carriers.get(value, ())) - {NOBODY}

    def holders(self, one: Identifier) -> frozenset[str]:
        """The CIs that carry an identifier in whatever domain; NOBODY among them where something else does, too."""
        if one.scheme == DECLARED:
            return frozenset({self.ci_of((DECLARED, *one.value.split("|", 2)))}) - {NOBODY}
        return frozenset(self.ci_of(key) for key in self._index.holders(one))

    def holders_of(self, identifiers: Iterable[Identifier]) -> frozenset[str]:
        """The CIs that carry any of some identifiers, as `holders` has them."""
        return frozenset(id_ for one in identifiers for id_ in self.holders(one))

    def identifiers(self, ci: str) -> frozenset[Identifier]:
        """All that a CI is known by, also what is no longer in force."""
        return frozenset(one for key in self._keys(ci) for one in self._index.nodes[key].identifiers)

    def own(self, ci: str) -> dict[str, frozenset[Identifier]]:
        """By scheme, strongest first, the identifiers that this CI alone carries, and that join."""
        found: dict[str, set[Identifier]] = {scheme: set() for scheme in SCHEMES}
        for key in self._keys(ci):
            node = self._index.nodes[key]
            burnt = {value[:2] for value in value_keys(node) if value in self._settled.burnt}
            for one in node.identifiers:
                if one not in burnt and self.holders(one) == {ci}:
                    found[one.scheme].add(one)
        return {scheme: frozenset(ones) for scheme, ones in found.items() if ones}

    def declared(self, ci: str) -> frozenset[Identifier]:
        """How a CI that has no identifier is declared: enough to say that it is not another, not that it is one."""
        keys = [key for key in self._keys(ci) if key[0] == DECLARED]
        return frozenset(Identifier(DECLARED, "|".join(str(part) for part in key[1:])) for key in keys)

    def lines(self, ci: str) -> list[Line]:
        """The lines of a CI: where it answered."""
        return [line for key in self._keys(ci) if (line := self._index.nodes[key].line) is not None]

    def _keys(self, ci: str) -> tuple[Key, ...]:
        return tuple(key for key in self._settled.keys(ci) if key in self._index.nodes)
