"""Who carries what now, and where each CI answers: what is asked before a person decides who is who."""

from __future__ import annotations

from collections.abc import Mapping

from cmdb.index import ValueKey
from cmdb.lines import Line
from cmdb.model import SCHEMES, Identifier
from cmdb.nodes import Key, value_keys
from cmdb.resolve import Resolution
from cmdb.settled import Conflict

NOBODY = ""
"""Stands for what carries an identifier and is in no CI."""


class Standing:
    """A resolution, asked by the ids of CIs."""

    def __init__(self, resolution: Resolution, ids: Mapping[int, str]) -> None:
        self._resolution = resolution
        self._ids = ids
        self._groups = {id_: group for group, id_ in ids.items()}
        self._carriers: dict[ValueKey, set[Key]] = {}
        for key, node in resolution.nodes.items():
            for value in value_keys(node):
                self._carriers.setdefault(value, set()).add(key)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """The values that join nothing, because those who carry them contradict."""
        return self._resolution.conflicts

    def is_burnt(self, value: ValueKey) -> bool:
        return value in self._resolution.burnt

    def ci_of(self, key: Key) -> str:
        """The CI of a node; NOBODY where it is in none."""
        group = self._resolution.group_of.get(key)
        return NOBODY if group is None else self._ids.get(group, NOBODY)

    def carriers(self, value: ValueKey) -> frozenset[str]:
        """The CIs that carry a value in its domain."""
        return frozenset(self.ci_of(key) for key in self._carriers.get(value, ())) - {NOBODY}

    def holders(self, one: Identifier) -> frozenset[str]:
        """The CIs that carry an identifier in whatever domain; NOBODY among them where something else does, too."""
        values = ((one.scheme, one.value, domain) for domain in _DOMAINS)
        return frozenset(self.ci_of(key) for value in values for key in self._carriers.get(value, ()))

    def identifiers(self, ci: str) -> frozenset[Identifier]:
        """All that a CI is known by, also what is no longer in force."""
        return frozenset(one for key in self._keys(ci) for one in self._resolution.nodes[key].identifiers)

    def own(self, ci: str) -> dict[str, frozenset[Identifier]]:
        """By scheme, strongest first, the identifiers that this CI alone carries, and that join."""
        found: dict[str, set[Identifier]] = {scheme: set() for scheme in SCHEMES}
        for key in self._keys(ci):
            node = self._resolution.nodes[key]
            burnt = {(value[0], value[1]) for value in value_keys(node) if self.is_burnt(value)}
            for one in node.identifiers:
                if one not in burnt and self.holders(one) == {ci}:
                    found[one.scheme].add(one)
        return {scheme: frozenset(ones) for scheme, ones in found.items() if ones}

    def lines(self, ci: str) -> list[Line]:
        """The lines of a CI: where it answered."""
        group = self._groups.get(ci)
        return [] if group is None else self._resolution.lines(group)

    def _keys(self, ci: str) -> tuple[Key, ...]:
        group = self._groups.get(ci)
        return () if group is None else self._resolution.groups[group]


_DOMAINS = ("", "controller", "location", "machine", "software")
