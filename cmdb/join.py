"""Nodes become groups, level by level; what contradicts joins nothing (truth.md, "Resolution"). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Final

from cmdb.index import ValueKey
from cmdb.lines import Line
from cmdb.model import SCHEMES, Decision, Identifier
from cmdb.nodes import Key, Node, value_keys
from cmdb.settled import Conflict

WITNESSES: Final = 3
_INSIDE: Final = "inside"
"""The level below all: a key inside an owner."""
_EVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Group:
    """What of a group may contradict another."""

    nodes: list[Key]
    single: dict[str, set[str]]
    domains: set[str]
    macs: set[str]
    listing: list[Line]
    identifiers: set[Identifier]

    @property
    def informative(self) -> bool:
        return bool(self.single or self.domains or self.listing)


class Joiner:
    """Groups of nodes, and which values are burnt."""

    def __init__(self, nodes: Mapping[Key, Node], decisions: Iterable[Decision], skipped: Collection[ValueKey]) -> None:
        self.nodes = nodes
        self._decisions = tuple(decisions)
        self._parent: dict[Key, Key] = {key: key for key in nodes}
        self._groups: dict[Key, _Group] = {}
        self._different = [
            (decision.a - decision.b, decision.b - decision.a)
            for decision in self._decisions
            if decision.verdict == "different"
        ]
        self._carriers: dict[str, dict[ValueKey, list[Key]]] = {scheme: {} for scheme in SCHEMES}
        for key in sorted(key for key, node in nodes.items() if node.identifiers):
            for value in value_keys(nodes[key]):
                if value not in skipped:
                    self._carriers[value[0]].setdefault(value, []).append(key)
        self.burnt: set[ValueKey] = set(skipped)
        self.conflicts: list[Conflict] = []
        self._by_people: set[Key] = set()

    def root(self, key: Key) -> Key:
        parent = self._parent
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(self, one: Key, other: Key) -> bool:
        """Make one group of two; whether they were two."""
        first, second = sorted((self.root(one), self.root(other)))
        if first == second:
            return False
        group, more = self._groups.pop(first, None), self._groups.pop(second, None)
        self._parent[second] = first
        self._groups[first] = _sum(group or self._made(first), more or self._made(second))
        return True

    def _made(self, key: Key) -> _Group:
        """The group of a node that is alone so far."""
        node = self.nodes[key]
        single: dict[str, set[str]] = {}
        for scheme, value in node.identifiers:
            if scheme in {"serial", "uuid"}:
                single.setdefault(scheme, set()).add(value)
        macs = {one.value for one in node.identifiers if one.scheme == "mac"}
        listing = []
        if node.line is not None and node.line.macs is not None:
            listing.append(node.line)
            macs |= node.line.macs
        return _Group([key], single, set(node.domains), macs, listing, set(node.identifiers))

    def group(self, key: Key) -> _Group:
        root = self.root(key)
        if root not in self._groups:
            self._groups[root] = self._made(root)
        return self._groups[root]

    def decide(self) -> None:
        """What people said is the same is the same, untested."""
        holders: dict[Identifier, list[Key]] = {}
        if not any(decision.verdict == "same" for decision in self._decisions):
            return
        for key, node in self.nodes.items():
            for one in node.identifiers:
                holders.setdefault(one, []).append(key)
        for decision in sorted(self._decisions, key=lambda one: one.id):
            if decision.verdict == "same":
                meant = sorted({key for one in (*decision.a, *decision.b) for key in holders.get(one, ())})
                for key in meant[1:]:
                    self._by_people.add(key)
                    self.join(meant[0], key)

    def is_by_people(self, root: Key) -> bool:
        """Whether a person said that several nodes are this group."""
        return any(self.root(key) == self.root(root) for key in self._by_people)

    def level(self, scheme: str) -> None:
        """Join by the values of one scheme, all judged on the groups as they were before."""
        links: list[tuple[ValueKey, list[Key]]] = []
        burnt: list[tuple[ValueKey, list[Key], bool]] = []
        for value, carriers in sorted(self._carriers[scheme].items()):
            roots = sorted({self.root(key) for key in carriers})
            if len(roots) < 2:
                continue
            if self._contradicts(roots, scheme):
                present = self._present(carriers)
                left = sorted({self.root(key) for key in present})
                if len(present) == len(carriers) or self._contradicts(left, scheme):
                    burnt.append((value, roots, True))
                    continue
                roots = left
            if len(roots) > 1:
                links.append((value, roots))
        for values, roots in _components(links):
            if self._contradicts(roots, scheme):
                burnt += [(value, roots, False) for value in values]
            else:
                for root in roots[1:]:
                    self.join(roots[0], root)
        for value, roots, direct in burnt:
            self.burnt.add(value)
            self.conflicts.append(Conflict(value, self._witnesses(roots, scheme), direct))

    def are_apart(self, keys: Iterable[Key]) -> bool:
        """Whether some of these, who say that they are known by one key inside an owner, cannot be one."""
        return self._contradicts(sorted({self.root(key) for key in keys}), _INSIDE)

    def _present(self, carriers: Iterable[Key]) -> list[Key]:
        """Those who were not past before the newest of them was last seen."""
        found = [self.nodes[key] for key in carriers]
        newest = max(node.seen or _EVER for node in found)
        return [node.key for node in found if node.past is None or node.past >= newest]

    def _contradicts(self, roots: Sequence[Key], scheme: str) -> bool:
        return next(self._pairs(roots, scheme), None) is not None

    def _witnesses(self, roots: Sequence[Key], scheme: str) -> tuple[tuple[Key, Key], ...]:
        used: set[Key] = set()
        found: list[tuple[Key, Key]] = []
        for one, other in self._pairs(roots, scheme):
            if one not in used and other not in used:
                used |= {one, other}
                found.append((one, other))
                if len(found) == WITNESSES:
                    break
        return tuple(found)

    def _pairs(self, roots: Sequence[Key], scheme: str) -> Iterator[tuple[Key, Key]]:
        """The pairs of groups that contradict."""
        groups = [(root, self.group(root)) for root in roots]
        if not self._different:
            groups = [(root, group) for root, group in groups if group.informative]
        for (one, group), (other, more) in combinations(groups, 2):
            if self._contradict(group, more, scheme):
                yield one, other

    def _contradict(self, group: _Group, more: _Group, level: str) -> bool:
        stronger = SCHEMES if level == _INSIDE else SCHEMES[: SCHEMES.index(level)]
        for scheme in ("serial", "uuid"):
            mine, theirs = group.single.get(scheme), more.single.get(scheme)
            if scheme in stronger and mine and theirs and mine.isdisjoint(theirs):
                return True
        if group.domains and more.domains and group.domains.isdisjoint(more.domains):
            return True
        for a, b in self._different:
            if not (group.identifiers.isdisjoint(a) or more.identifiers.isdisjoint(b)):
                return True
            if not (group.identifiers.isdisjoint(b) or more.identifiers.isdisjoint(a)):
                return True
        if not (group.listing and more.listing and group.macs.isdisjoint(more.macs)):
            return False
        return any(_at_once(a, b) for a in group.listing for b in more.listing)


def _at_once(a: Line, b: Line) -> bool:
    """Whether two lines are of different addresses, and neither was past when the other was last seen."""
    if (a.space, a.source) == (b.space, b.source):
        return False
    return not ((a.past is not None and a.past <= b.seen) or (b.past is not None and b.past <= a.seen))


def _sum(group: _Group, more: _Group) -> _Group:
    single = {scheme: set(values) for scheme, values in group.single.items()}
    for scheme, values in more.single.items():
        single.setdefault(scheme, set()).update(values)
    return _Group(
        group.nodes + more.nodes, single, group.domains | more.domains, group.macs | more.macs,
        group.listing + more.listing, group.identifiers | more.identifiers,
    )  # fmt: skip


def _components(links: Sequence[tuple[ValueKey, list[Key]]]) -> list[tuple[list[ValueKey], list[Key]]]:
    """Connected groups with the values that link them, in a fixed order."""
    parent: dict[Key, Key] = {}

    def find(key: Key) -> Key:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for _, roots in links:
        for root in roots[1:]:
            first, second = sorted((find(roots[0]), find(root)))
            parent[second] = first
    found: dict[Key, tuple[list[ValueKey], set[Key]]] = {}
    for value, roots in links:
        values, members = found.setdefault(find(roots[0]), ([], set()))
        values.append(value)
        members.update(roots)
    return [(values, sorted(members)) for _, (values, members) in sorted(found.items())]
