"""Who is who: nodes become groups, level by level; what contradicts joins nothing (truth.md, "Resolution"). Pure.

A part can be resolved by itself: all that may change with what is new, beside what is settled of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations
from typing import Final, NamedTuple

from cmdb.evidence import World
from cmdb.index import Index, ValueKey, index_of
from cmdb.lines import Line
from cmdb.model import SCHEMES, Decision, Identifier
from cmdb.nodes import UNKNOWN, Key, Node, choose_class, may_be, value_keys
from cmdb.seek import Seeker
from cmdb.settled import Card, Conflict, Settled

WITNESSES: Final = 3
_INSIDE: Final = "inside"
"""The level below all: a key inside an owner."""
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_CI: Final = "ci"
"""The root of a CI outside the part: (`ci`, its id)."""


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
    group_of: Mapping[Key, int]
    groups: tuple[tuple[Key, ...], ...]
    owners: Mapping[int, tuple[int, str]]
    cards: Sequence[Card]
    burnt: frozenset[ValueKey]
    conflicts: tuple[Conflict, ...]
    queue: tuple[Unidentified, ...]
    namesakes: tuple[Namesakes, ...]
    fallen_back: frozenset[Key]
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


def resolve(world: World, missing_after: int = 3) -> Resolution:
    """Who is who, as a function of what was said and decided."""
    index = index_of(world.places, world.runs, missing_after)
    return resolve_all(index, world.decisions, Settled())


def resolve_all(index: Index, decisions: Collection[Decision], settled: Settled) -> Resolution:
    """The same, of what is indexed already."""
    sought = {key for key in index.nodes if key[0] == "weak"}
    return resolve_part(index, decisions, settled, Part(index.nodes.keys() - sought, sought))


def resolve_part(index: Index, decisions: Collection[Decision], settled: Settled, part: Part) -> Resolution:
    """The groups of a part; raises Wider where it is too small."""
    nodes = {key: index.nodes[key] for key in part.keys if key in index.nodes}
    joiner = _Joiner(nodes, decisions, part.skipped)
    joiner.decide()
    for level in SCHEMES:
        joiner.level(level)
    found = _Finder(joiner, index, settled, part).resolution()
    found.decisions = tuple(decisions)
    return found


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
                    self.join(meant[0], key)

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


class _Finder:
    """What is left after the levels: those inside others, declared by name alone, and named weakly."""

    def __init__(self, joiner: _Joiner, index: Index, settled: Settled, part: Part) -> None:
        self._joiner = joiner
        self._nodes = joiner.nodes
        self._index = index
        self._settled = settled
        self._part = part
        self._owned = sorted((key for key in self._nodes if key[0] == "owned"), key=lambda key: (_depth(key), key))
        self._outside = {ci for key in part.keys if (ci := settled.ci_of.get(key)) is not None}
        self._found: dict[Key, Key] = {}
        self._namesakes: list[tuple[Key, tuple[Key, ...]]] = []
        self._members: dict[Key, list[Key]] = {}
        self._cis: set[Key] = set()
        self._names: dict[tuple[str, str], list[Key]] = {}
        self._listed: dict[tuple[bool, str, str], set[Key]] = {}
        self._processes: dict[Key, set[Key]] | None = None

    def resolution(self) -> Resolution:
        self._join_owned()
        self._count()
        self._join_declared()
        self._join_owned()
        self._count()
        seeker = Seeker(self, self._index)
        for key in sorted(key for key in self._part.sought if key[0] == "weak" and key in self._index.nodes):
            root = seeker.seek(key)
            if root is not None:
                self._found[key] = root
        self._join_owned()
        self._count()
        roots = sorted(self._cis, key=lambda root: self._members[root][0])
        numbers = {root: number for number, root in enumerate(roots)}
        group_of = {key: number for root, number in numbers.items() for key in self._members[root]}
        groups = tuple(tuple(self._members[root]) for root in roots)
        found = Resolution(
            self._index, self._settled, self._part, group_of, groups, {}, (), frozenset(self._joiner.burnt),
            tuple(sorted(self._joiner.conflicts)), (), (), frozenset(),
        )  # fmt: skip

        def number(root: Key) -> int:
            return found.number_of(str(root[1])) if root[0] == _CI else numbers[self._joiner.root(root)]

        group_of |= {key: number(root) for key, root in self._found.items()}
        fallen_back = {key: number(root) for key, root in self._fallen_back(seeker, group_of).items()}
        group_of |= fallen_back
        found.fallen_back = frozenset(fallen_back)
        found.owners = _owners(groups, found.number)
        found.cards = [self._card(root) for root in roots]
        found.namesakes = tuple(
            Namesakes(key, tuple(sorted({number(root) for root in others}))) for key, others in self._namesakes
        )
        found.queue = self._queue(group_of)
        return found

    def _join_owned(self) -> None:
        """Equal keys inside one owner are one; when owners are joined, so are they.

        Who says that he is known by such a key (a blade by its slot) is that one, unless another says so who is not he.
        """
        joined_any = True
        while joined_any:
            joined_any = False
            first: dict[Key, Key] = {}
            called: dict[Key, set[Key]] = {}
            for key in self._owned:
                owner = self.owner_root(key)
                place = key if owner is None else (owner, key[1], key[2])
                if owner is not None:
                    self._must_have(owner)
                    joined_any |= self._joiner.join(first.setdefault(place, key), key)
                called.setdefault(place, set()).update(self._index.twins(key))
            for place, twins in called.items():
                for twin in sorted(self._meant(twins)):
                    joined_any |= self._joiner.join(first.get(place, place), twin)

    def _meant(self, keys: Collection[Key]) -> Collection[Key]:
        """Who is known by one key inside an owner: all who say so; where they cannot be one, those who answer still."""
        if not self._joiner.are_apart(keys):
            return keys
        present = [key for key in keys if self._answers(key)]
        return () if self._joiner.are_apart(present) else present

    def _answers(self, key: Key) -> bool:
        """Whether a line is not past, and nobody else has answered at its address since."""
        line = self._nodes[key].line
        if line is None:
            return True
        here = self._index.lines((line.space, line.source))
        return line.past is None and line.key == max(here, key=lambda one: (one.seen, one.sightings[0].id)).key

    def _must_have(self, root: Key) -> None:
        """Refuse to go on with a part that a CI belongs to that is outside it."""
        if root[0] == _CI:
            raise Wider(self._settled.keys(str(root[1])))

    def owner_root(self, key: Key) -> Key | None:
        owner = _owner(key)
        if owner[0] == "weak":
            return self._found.get(owner) or self._elsewhere(owner)
        return self.root_of(owner)

    def root_of(self, key: Key) -> Key | None:
        """The root of a node, be it outside the part."""
        return self._joiner.root(key) if key in self._nodes else self._elsewhere(key)

    def _elsewhere(self, key: Key) -> Key | None:
        if key in self._part.keys or key in self._part.sought:
            return None
        id_ = self._settled.ci_of.get(key)
        return None if id_ is None else (_CI, id_)

    def _count(self) -> None:
        """Which groups are CIs: with a line, something declared, an unburnt identifier, or inside one that is."""
        members: dict[Key, list[Key]] = {}
        cis: set[Key] = set()
        for key, node in self._nodes.items():
            root = self._joiner.root(key)
            members.setdefault(root, []).append(key)
            if root not in cis and (
                key[0] in {"line", "declared"} or any(one not in self._joiner.burnt for one in value_keys(node))
            ):
                cis.add(root)
        for key in self._owned:
            if self.owner_root(key) in cis:
                cis.add(self._joiner.root(key))
        self._members = {root: sorted(keys) for root, keys in members.items()}
        self._cis = cis
        self._names, self._listed, self._processes = {}, {}, None
        for root in self._cis:
            for pair in self._names_of(root):
                self._names.setdefault(pair, []).append(root)
            for node in self.members(root):
                for address in node.addresses:
                    self._listed.setdefault((node.key[0] == "declared", node.space, address), set()).add(root)

    def members(self, root: Key) -> list[Node]:
        if root[0] == _CI:
            return [self._index.nodes[key] for key in self._settled.keys(str(root[1]))]
        return [self._nodes[key] for key in self._members[self._joiner.root(root)]]

    def class_of(self, root: Key) -> str:
        if root[0] == _CI:
            return self._settled.cards[str(root[1])].cls
        return choose_class(claim for node in self.members(root) for claim in node.classes)

    def _names_of(self, root: Key) -> set[tuple[str, str]]:
        """As a CI calls itself or is declared, else as others call it, in which space."""
        nodes = self.members(root)
        own = [node for node in nodes if node.key[0] != "subject" and node.names]
        return {(node.space, name) for node in (own or nodes) for name in node.names}

    def named(self, space: str, name: str) -> list[Key]:
        """The CIs of a name in a space."""
        return [*self._names.get((space, name), ()), *self._others(self._settled.named.get((space, name), ()))]

    def _others(self, ids: Iterable[str]) -> list[Key]:
        return [(_CI, id_) for id_ in ids if id_ not in self._outside]

    def listing(self, place: tuple[str, str], *, declared: bool) -> set[Key]:
        """The CIs that list an address, or are declared with it."""
        known = self._settled.declared if declared else self._settled.listing
        return self._listed.get((declared, *place), set()) | set(self._others(known.get(place, ())))

    def processes(self, host: Key) -> list[Key]:
        """The processes in a host."""
        if host[0] == _CI:
            inner = self._others(self._settled.all_inside(str(host[1])))
            return [
                root
                for root in inner
                if any(_is_process(node) and self._machine(node.key) == host for node in self.members(root))
            ]
        if self._processes is None:
            self._processes = {}
            for key in self._owned:
                root = self._joiner.root(key)
                if root in self._cis and _is_process(self._nodes[key]) and (top := self._machine(key)) is not None:
                    self._processes.setdefault(top, set()).add(root)
        return sorted(self._processes.get(self._joiner.root(host), ()))

    def _machine(self, key: Key) -> Key | None:
        """The machine in which something is, through whatever is between: the first that answered, else the last."""
        root: Key | None = self.owner_root(key)
        seen: set[Key] = set()
        while root is not None and root not in seen:
            seen.add(root)
            nodes = self.members(root)
            inner = next((node.key for node in nodes if node.key[0] == "owned"), None)
            if inner is None or any(node.line is not None for node in nodes):
                return root
            root = self.owner_root(inner)
        return root

    def _join_declared(self) -> None:
        """What is declared by name alone is the one scanned CI of that class that has the name."""
        wanting: dict[Key, list[Key]] = {}
        for key in sorted(key for key in self._nodes if key[0] == "declared"):
            nodes = self.members(self._joiner.root(key))
            if any(node.identifiers or node.key[0] != "declared" for node in nodes):
                continue
            found = self._scanned(key)
            if len(found) == 1:
                self._must_have(found[0])
                wanting.setdefault(found[0], []).append(key)
            elif found:
                self._namesakes.append((key, tuple(found)))
        for root, keys in wanting.items():
            cls = self.class_of(root)
            fitting = [key for key in keys if len(keys) == 1 or (cls != UNKNOWN and may_be(cls, str(key[2])))]
            if len(fitting) == 1:
                self._joiner.join(root, fitting[0])
            self._namesakes += [(key, (root,)) for key in keys if len(fitting) != 1 or key != fitting[0]]

    def _scanned(self, key: Key) -> list[Key]:
        """The scanned CIs that something declared may be: those that answer, else the missing, else those told of."""
        wanted = str(key[2])
        by_tier: dict[int, set[Key]] = {}
        for name in self._nodes[key].names:
            for root in self.named(str(key[1]), name):
                nodes = self.members(root)
                if all(node.key[0] == "declared" for node in nodes) or not may_be(self.class_of(root), wanted):
                    continue
                lines = [node.line for node in nodes if node.line is not None]
                tier = 2 if not lines else 1 if all(line.past is not None for line in lines) else 0
                by_tier.setdefault(tier, set()).add(root)
        return sorted(by_tier[min(by_tier)]) if by_tier else []

    def _fallen_back(self, seeker: Seeker, group_of: Mapping[Key, int]) -> dict[Key, Key]:
        """Who is named by burnt identifiers only is sought by name and address, as if there were none."""
        found: dict[Key, Key] = {}
        for key in (*self._nodes, *self._part.sought):
            if key[0] == "subject" and key not in group_of and key in self._index.nodes:
                weak = self._index.nodes[key].weak
                roots = {root for one in weak if (root := seeker.seek(one)) is not None}
                if len(roots) == 1:
                    found[key] = roots.pop()
        return found

    def _queue(self, group_of: Mapping[Key, int]) -> tuple[Unidentified, ...]:
        lost = {
            key
            for key in (*self._nodes, *self._part.sought)
            if key[0] in {"weak", "subject"} and key not in group_of and key in self._index.nodes
        }
        found = []
        for key in sorted(lost):
            by = {one for voice in self._index.speakers(key) if (one := voice.key) is not None}
            found.append(Unidentified(key, tuple(sorted(by))))
        return tuple(found)

    def _card(self, root: Key) -> Card:
        """What finds a CI of the part; whom it is in, and which weak keys it is, is known when all have their ids."""
        nodes = self.members(root)
        return Card(
            tuple(self._members[root]), self.class_of(root), names=frozenset(self._names_of(root)),
            listing=frozenset((one.space, at) for one in nodes if one.key[0] != "declared" for at in one.addresses),
            declared=frozenset((one.space, at) for one in nodes if one.key[0] == "declared" for at in one.addresses),
        )  # fmt: skip


def _is_process(node: Node) -> bool:
    return node.key[0] == "owned" and any(claim.cls == "process" for claim in node.classes)


def _owner(key: Key) -> Key:
    owner = key[3]
    return owner if isinstance(owner, tuple) else ()


def _depth(key: Key) -> int:
    return 0 if key[0] != "owned" else 1 + _depth(_owner(key))


def _owners(groups: Sequence[tuple[Key, ...]], number: Callable[[Key], int | None]) -> dict[int, tuple[int, str]]:
    """Inside which group another is, and by which key."""
    found: dict[int, tuple[int, str]] = {}
    for group, keys in enumerate(groups):
        for key in keys:
            if key[0] == "owned" and (owner := number(_owner(key))) is not None and owner != group:
                found[group] = (owner, str(key[2]))
                break
    return found
