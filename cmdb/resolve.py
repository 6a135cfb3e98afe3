"""Who is who: nodes become groups, level by level; what contradicts joins nothing (truth.md, "Resolution"). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from typing import Final, NamedTuple, TypeAlias

from cmdb.evidence import Sighting, World
from cmdb.lines import Line, all_lines, not_replaced
from cmdb.model import SCHEMES, Decision, Identifier
from cmdb.nodes import (
    UNKNOWN,
    Key,
    Node,
    Voice,
    Words,
    choose_class,
    joined,
    may_be,
    value_keys,
    words_of,
)
from cmdb.seek import Seeker

ValueKey: TypeAlias = tuple[str, str, str]
"""An identifier and the domain in which it counts: (scheme, value, domain)."""

_WITNESSES: Final = 3
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class Conflict(NamedTuple):
    """A value that joins nothing because those who carry it contradict; `witnesses` are up to three disjoint pairs."""

    value: ValueKey
    witnesses: tuple[tuple[Key, Key], ...]


class Unidentified(NamedTuple):
    """One that others name by nothing that finds a CI; `by` are the nodes of those who name it."""

    key: Key
    by: tuple[Key, ...]


class Namesakes(NamedTuple):
    """Something declared by name alone that several scanned CIs have: it is a CI of its own."""

    key: Key
    others: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """`group_of` has every node, and every weak key that found one; groups are numbered in the order of their nodes.

    `fallen_back` are nodes known by burnt identifiers only, which were found by name or address.
    """

    voices: tuple[Voice, ...]
    nodes: Mapping[Key, Node]
    group_of: Mapping[Key, int]
    groups: tuple[tuple[Key, ...], ...]
    owners: Mapping[int, tuple[int, str]]
    burnt: frozenset[ValueKey]
    conflicts: tuple[Conflict, ...]
    queue: tuple[Unidentified, ...]
    namesakes: tuple[Namesakes, ...]
    fallen_back: frozenset[Key]

    def lines(self, group: int) -> list[Line]:
        """The lines of a group."""
        return [line for key in self.groups[group] if key[0] == "line" and (line := self.nodes[key].line) is not None]


@dataclass(slots=True)
class Memory:
    """What need not be worked out again at the next report; dropping it changes nothing but the time."""

    lines: dict[tuple[str, str], tuple[object, list[Line]]] = field(default_factory=dict)
    words: dict[int, Words] = field(default_factory=dict)
    voices: dict[int, tuple[Sighting | Line, Voice]] = field(default_factory=dict)


def resolve(world: World, missing_after: int = 3, memory: Memory | None = None) -> Resolution:
    """Who is who, as a function of what was said and decided."""
    memory = Memory() if memory is None else memory
    voices = _voices(world, missing_after, memory)
    all_words = _words(voices, memory)
    nodes = joined(all_words)
    joiner = _Joiner(nodes, world.decisions)
    for words in all_words:
        for one, other in words.same:
            joiner.join(one, other)
    joiner.decide()
    for level in SCHEMES:
        joiner.level(level)
    return _Finder(joiner, all_words).resolution(tuple(voices))


def _voices(world: World, missing_after: int, memory: Memory) -> list[Voice]:
    """The voices, declared sources first; those that say the same as before are the same objects as before."""
    known = memory.voices
    memory.voices = {}
    declared = [sighting for sighting in world.sightings.values() if sighting.declared]
    for sighting in sorted(declared, key=lambda one: (one.space, one.source)):
        before = known.get(id(sighting))
        voice = Voice(sighting.space, sighting.source, not_replaced([sighting])) if before is None else before[1]
        memory.voices[id(sighting)] = (sighting, voice)
    for line in all_lines(world, missing_after, memory.lines):
        before = known.get(id(line))
        voice = Voice(line.space, line.source, line.said, line.aside, line) if before is None else before[1]
        memory.voices[id(line)] = (line, voice)
    return [voice for _, voice in memory.voices.values()]


def _words(voices: Sequence[Voice], memory: Memory) -> list[Words]:
    known = memory.words
    memory.words = {id(voice): known.get(id(voice)) or words_of(voice) for voice in voices}
    return list(memory.words.values())


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


class _Joiner:
    """Groups of nodes, and which values are burnt."""

    def __init__(self, nodes: Mapping[Key, Node], decisions: Iterable[Decision]) -> None:
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
                self._carriers[value[0]].setdefault(value, []).append(key)
        self.burnt: set[ValueKey] = set()
        self.conflicts: list[Conflict] = []

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
        if group is not None or more is not None:
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
                    self.join(meant[0], key)

    def level(self, scheme: str) -> None:
        """Join by the values of one scheme, all judged on the groups as they were before."""
        links: list[tuple[ValueKey, list[Key]]] = []
        burnt: list[tuple[ValueKey, list[Key]]] = []
        for value, carriers in sorted(self._carriers[scheme].items()):
            roots = sorted({self.root(key) for key in carriers})
            if len(roots) < 2:
                continue
            if self._contradicts(roots, scheme):
                present = self._present(carriers)
                left = sorted({self.root(key) for key in present})
                if len(present) == len(carriers) or self._contradicts(left, scheme):
                    burnt.append((value, roots))
                    continue
                roots = left
            if len(roots) > 1:
                links.append((value, roots))
        for values, roots in _components(links):
            if self._contradicts(roots, scheme):
                burnt += [(value, roots) for value in values]
            else:
                for root in roots[1:]:
                    self.join(roots[0], root)
        for value, roots in burnt:
            self.burnt.add(value)
            self.conflicts.append(Conflict(value, self._witnesses(roots, scheme)))

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
                if len(found) == _WITNESSES:
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
        stronger = SCHEMES[: SCHEMES.index(level)]
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


class _Finder:
    """What is left after the levels: those inside others, declared by name alone, and named weakly."""

    def __init__(self, joiner: _Joiner, all_words: Sequence[Words]) -> None:
        self._joiner = joiner
        self._nodes = joiner.nodes
        self._root = joiner.root
        self._all_words = all_words
        self._owned = sorted((key for key in self._nodes if key[0] == "owned"), key=lambda key: (_depth(key), key))
        self._found: dict[Key, Key] = {}
        self._namesakes: list[tuple[Key, tuple[Key, ...]]] = []
        self._members: dict[Key, list[Key]] = {}
        self._cis: set[Key] = set()

    def resolution(self, voices: tuple[Voice, ...]) -> Resolution:
        self._join_owned()
        self._count()
        self._join_declared()
        self._join_owned()
        self._count()
        finder = Seeker(self)
        for key in sorted(key for key in self._nodes if key[0] == "weak"):
            root = finder.seek(key)
            if root is not None:
                self._found[key] = root
        self._join_owned()
        self._count()
        roots = sorted(self._cis, key=lambda root: self._members[root][0])
        numbers = {root: number for number, root in enumerate(roots)}
        group_of = {key: number for root, number in numbers.items() for key in self._members[root]}
        group_of |= {key: numbers[self._root(root)] for key, root in self._found.items()}
        fallen_back = self._fallen_back(finder, group_of, numbers)
        group_of |= fallen_back
        groups = tuple(tuple(self._members[root]) for root in roots)
        namesakes = tuple(
            Namesakes(key, tuple(sorted({numbers[self._root(root)] for root in others})))
            for key, others in self._namesakes
        )
        return Resolution(
            voices, self._nodes, group_of, groups, _owners(groups, group_of), frozenset(self._joiner.burnt),
            tuple(sorted(self._joiner.conflicts)), self._queue(group_of), namesakes, frozenset(fallen_back),
        )  # fmt: skip

    def _join_owned(self) -> None:
        """Equal keys inside one owner are one; when owners are joined, so are they."""
        joined_any = True
        while joined_any:
            joined_any = False
            first: dict[tuple[Key, object, object], Key] = {}
            for key in self._owned:
                owner = self.owner_root(key)
                if owner is not None:
                    joined_any |= self._joiner.join(first.setdefault((owner, key[1], key[2]), key), key)

    def owner_root(self, key: Key) -> Key | None:
        owner = _owner(key)
        return self._found.get(owner) if owner[0] == "weak" else self._root(owner)

    def _count(self) -> None:
        """Which groups are CIs: with a line, something declared, an unburnt identifier, or inside one that is."""
        members: dict[Key, list[Key]] = {}
        cis: set[Key] = set()
        for key, node in self._nodes.items():
            if key[0] == "weak":
                continue
            root = self._root(key)
            members.setdefault(root, []).append(key)
            if root not in cis and (
                key[0] in {"line", "declared"} or any(one not in self._joiner.burnt for one in value_keys(node))
            ):
                cis.add(root)
        for key in self._owned:
            if self.owner_root(key) in cis:
                cis.add(self._root(key))
        self._members = {root: sorted(keys) for root, keys in members.items()}
        self._cis = cis

    @property
    def cis(self) -> frozenset[Key]:
        return frozenset(self._cis)

    def members(self, root: Key) -> list[Node]:
        return [self._nodes[key] for key in self._members[root]]

    def class_of(self, root: Key) -> str:
        return choose_class(claim for node in self.members(root) for claim in node.classes)

    def names(self) -> dict[tuple[str, str], list[Key]]:
        """The CIs of a name in a space: as they call themselves or are declared, else as others call them."""
        found: dict[tuple[str, str], list[Key]] = {}
        for root in self._cis:
            nodes = self.members(root)
            own = [node for node in nodes if node.key[0] != "subject" and node.names]
            for pair in {(node.space, name) for node in (own or nodes) for name in node.names}:
                found.setdefault(pair, []).append(root)
        return found

    def _join_declared(self) -> None:
        """What is declared by name alone is the one scanned CI of that class that has the name."""
        names = self.names()
        wanting: dict[Key, list[Key]] = {}
        for key in sorted(key for key in self._nodes if key[0] == "declared"):
            nodes = self.members(self._root(key))
            if any(node.identifiers or node.key[0] != "declared" for node in nodes):
                continue
            found = self._scanned(names, key)
            if len(found) == 1:
                wanting.setdefault(found[0], []).append(key)
            elif found:
                self._namesakes.append((key, tuple(found)))
        for root, keys in wanting.items():
            cls = self.class_of(root)
            fitting = [key for key in keys if len(keys) == 1 or (cls != UNKNOWN and may_be(cls, str(key[2])))]
            if len(fitting) == 1:
                self._joiner.join(root, fitting[0])
            self._namesakes += [(key, (root,)) for key in keys if len(fitting) != 1 or key != fitting[0]]

    def _scanned(self, names: Mapping[tuple[str, str], list[Key]], key: Key) -> list[Key]:
        """The scanned CIs that something declared may be: those that answer, else the missing, else those told of."""
        wanted = str(key[2])
        by_tier: dict[int, list[Key]] = {}
        for name in self._nodes[key].names:
            for root in names.get((str(key[1]), name), ()):
                nodes = self.members(root)
                if all(node.key[0] == "declared" for node in nodes) or not may_be(self.class_of(root), wanted):
                    continue
                lines = [node.line for node in nodes if node.line is not None]
                tier = 2 if not lines else 1 if all(line.past is not None for line in lines) else 0
                by_tier.setdefault(tier, []).append(root)
        return sorted(by_tier[min(by_tier)]) if by_tier else []

    def _fallen_back(self, seeker: Seeker, group_of: Mapping[Key, int], numbers: Mapping[Key, int]) -> dict[Key, int]:
        """Who is named by burnt identifiers only is sought by name and address, as if there were none."""
        found: dict[Key, int] = {}
        for key, node in self._nodes.items():
            if key[0] == "subject" and key not in group_of:
                roots = {root for weak in node.weak if (root := seeker.seek(weak)) is not None}
                if len(roots) == 1:
                    found[key] = numbers[self._root(roots.pop())]
        return found

    def _queue(self, group_of: Mapping[Key, int]) -> tuple[Unidentified, ...]:
        lost = {key for key in self._nodes if key[0] in {"weak", "subject"} and key not in group_of}
        if not lost:
            return ()
        by: dict[Key, set[Key]] = {key: set() for key in lost}
        for words in self._all_words:
            speaker = words.voice.key
            for key in lost.intersection(words.nodes):
                by[key].update(() if speaker is None else (speaker,))
        return tuple(Unidentified(key, tuple(sorted(by[key]))) for key in sorted(lost))


def _owner(key: Key) -> Key:
    owner = key[3]
    return owner if isinstance(owner, tuple) else ()


def _depth(key: Key) -> int:
    return 0 if key[0] != "owned" else 1 + _depth(_owner(key))


def _owners(groups: Sequence[tuple[Key, ...]], group_of: Mapping[Key, int]) -> dict[int, tuple[int, str]]:
    """Inside which group another is, and by which key."""
    found: dict[int, tuple[int, str]] = {}
    for number, keys in enumerate(groups):
        for key in keys:
            if key[0] == "owned" and (owner := group_of.get(_owner(key))) is not None and owner != number:
                found[number] = (owner, str(key[2]))
                break
    return found
