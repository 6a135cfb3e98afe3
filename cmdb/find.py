"""What is left after the levels: those inside others, declared by name alone, and named weakly. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from cmdb.index import Index
from cmdb.join import Joiner
from cmdb.nodes import UNKNOWN, Key, Node, choose_class, may_be, value_keys
from cmdb.resolution import Namesakes, Part, Resolution, Unidentified, Wider
from cmdb.seek import Seeker
from cmdb.settled import Card, Settled

_CI: Final = "ci"
"""The root of a CI outside the part: (`ci`, its id)."""


class Finder:
    """What is left after the levels: those inside others, declared by name alone, and named weakly."""

    def __init__(self, joiner: Joiner, index: Index, settled: Settled, part: Part) -> None:
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
            self._index, self._settled, self._part, group_of, groups, burnt=frozenset(self._joiner.burnt),
            conflicts=tuple(sorted(self._joiner.conflicts)),
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
            if len(fitting) > 1 and not self._joiner.is_by_people(root):
                # Two of one name cannot both be it; who was merged has the names of all that it was.
                fitting = []
            for key in fitting:
                self._joiner.join(root, key)
            self._namesakes += [(key, (root,)) for key in keys if key not in fitting]

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
