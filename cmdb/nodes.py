"""Nodes: whom the sections that are not replaced speak of, and by what each is known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from cmdb import identifiers, lookup
from cmdb.evidence import effective
from cmdb.lines import Line, Said
from cmdb.model import Component, Identifier, RelationClaim, Section, Statement, Subject, Value
from cmdb.schema import CI_CLASSES, REPORTERS, is_a, lineage

Key: TypeAlias = tuple[object, ...]
"""A node: `("line", space, source, id)`, `("subject", domain, identifier…)`, `("declared", space, class, name)`,
`("owned", class, key, owner's key)`; `("weak", space, class, name, address, port)` is none, and finds one."""

UNKNOWN: Final = "unknown_device"
_BY_DOMAIN: Final = frozenset({"serial", "uuid", "member_serial"})
_MACHINE: Final = "machine"


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: a line, or a declared source. `asides` are sections whose words about the speaker do not count."""

    space: str
    source: str
    said: tuple[Said, ...]
    asides: tuple[Said, ...] = ()
    line: Line | None = None

    @property
    def key(self) -> Key | None:
        return None if self.line is None else self.line.key

    @property
    def id(self) -> Key:
        """What tells it from every other voice: its line, or its source."""
        return ("source", self.space, self.source) if self.line is None else self.line.key


@dataclass(frozen=True, slots=True)
class ClassClaim:
    """A class that somebody says something has."""

    cls: str
    kind: str
    itself: bool
    source: tuple[str, str]


@dataclass(slots=True)
class Node:
    """One whom claims are about; `seen` is when a section last named it."""

    key: Key
    space: str
    identifiers: frozenset[Identifier] = frozenset()
    classes: set[ClassClaim] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    command: str | None = None
    listeners: dict[int, str] = field(default_factory=dict)
    weak: set[Key] = field(default_factory=set)
    seen: datetime | None = None
    line: Line | None = None

    @property
    def domains(self) -> frozenset[str]:
        found = (CI_CLASSES[claim.cls].domain for claim in self.classes)
        return frozenset(domain for domain in found if domain is not None)

    @property
    def past(self) -> datetime | None:
        return None if self.line is None else self.line.past


def subject_key(subject: Subject, space: str, speaker: Key | None) -> Key:
    """The node that a subject names, or the weak key by which one is sought."""
    if subject.itself and speaker is not None:
        return speaker
    if subject.declared and subject.name is not None:
        return ("declared", space, subject.cls or "", lookup.name(subject.name) or "")
    if subject.identifiers:
        return ("subject", _domain_of(subject), *sorted(subject.identifiers))
    if subject.owner is not None and subject.key is not None:
        return ("owned", subject.cls or "", subject.key, subject_key(subject.owner, space, speaker))
    return weak_key(subject, space)


def weak_key(subject: Subject, space: str) -> Key:
    name = identifiers.name_key(subject.name) if subject.name is not None else ""
    port = "" if subject.port is None else str(subject.port)
    return ("weak", space, subject.cls or "", name, subject.address or "", port)


def _domain_of(subject: Subject) -> str:
    if subject.cls is None or not any(one.scheme in _BY_DOMAIN for one in subject.identifiers):
        return ""
    return CI_CLASSES[subject.cls].domain or ""


def owned_key(subject: Subject, space: str, speaker: Key | None) -> Key | None:
    """The key inside its owner of one that is known by identifiers, or answered, too (a context, a blade)."""
    if subject.owner is None or subject.key is None:
        return None
    return ("owned", subject.cls or "", subject.key, subject_key(subject.owner, space, speaker))


def value_keys(node: Node) -> Iterator[tuple[str, str, str]]:
    """(scheme, value, domain) for each identifier of a node; without a known domain it counts as a machine's."""
    domains = sorted(node.domains) or [_MACHINE]
    for scheme, value in node.identifiers:
        if scheme in _BY_DOMAIN:
            for domain in domains:
                yield scheme, value, domain
        else:
            yield scheme, value, ""


def kind_of(section: str, *, inside: bool) -> str:
    """The kind of reporter; what it says of others than itself counts as a neighbour's."""
    kind = section.partition(".")[0]
    return kind if inside or kind == "declared" else "neighbour"


def is_inside(subject: Subject) -> bool:
    """Whether a subject is what answered, or something in it."""
    each: Subject | None = subject
    while each is not None:
        if each.itself:
            return True
        each = each.owner
    return False


def choose_class(claims: Iterable[ClassClaim]) -> str:
    """The class of a CI: an unknown device last; then whom we trust, about itself, deeper, said by more, by name."""
    every = list(claims)
    if not every:
        return UNKNOWN
    reporters: dict[str, set[tuple[str, str]]] = {}
    for claim in every:
        reporters.setdefault(claim.cls, set()).add(claim.source)

    def rank(claim: ClassClaim) -> tuple[bool, int, bool, int, int, str]:
        return (
            claim.cls == UNKNOWN, trust_rank(REPORTERS, claim.kind), not claim.itself, -len(lineage(claim.cls)),
            -len(reporters[claim.cls]), claim.cls,
        )  # fmt: skip

    return min(every, key=rank).cls


def trust_rank(order: Sequence[str], kind: str) -> int:
    return order.index(kind) if kind in order else len(order)


def may_be(cls: str, wanted: str) -> bool:
    """Whether a thing of a class may be the one that is declared as `wanted`."""
    return cls == UNKNOWN or is_a(cls, wanted)


@dataclass(slots=True)
class Words:
    """All that one voice says of whom, as nodes; and which nodes are one because a subject gives both keys."""

    voice: Voice
    nodes: dict[Key, Node]
    same: set[tuple[Key, Key]]


def words_of(voice: Voice) -> Words:
    """Read a voice."""
    reader = _Reader(voice)
    for said in voice.said:
        reader.read(said, aside=False)
    for said in voice.asides:
        reader.read(said, aside=True)
    return Words(voice, reader.nodes, reader.same)


class _Reader:
    def __init__(self, voice: Voice) -> None:
        self.nodes: dict[Key, Node] = {}
        self.same: set[tuple[Key, Key]] = set()
        self._voice = voice
        self._aside = False
        self._section: Section | None = None
        self._confirmed: datetime | None = None
        line = voice.line
        if line is not None:
            node = Node(line.key, voice.space, line.identifiers, seen=line.seen, line=line)
            node.addresses = {line.source}
            self.nodes[line.key] = node

    def read(self, said: Said, *, aside: bool) -> None:
        self._aside, self._section, self._confirmed = aside, said.held.section, said.held.confirmed
        for statement in said.held.section.statements:
            self._statement(statement)
        for claim in said.held.section.relations:
            self._relation(claim)
        for group in said.held.section.groups:
            for end in (group.of, *group.legs, group.active):
                if isinstance(end, Subject):
                    self._node(end)

    def _relation(self, claim: RelationClaim) -> None:
        self._node(claim.source)
        self._node(claim.target)

    def _statement(self, statement: Statement) -> None:
        node = self._node(statement.about)
        if self._aside and statement.about.itself:
            return
        node.addresses |= {address for part in statement.components if (address := component_address(part)) is not None}
        for part in statement.components:
            port, command = part.attributes.get("port"), part.attributes.get("process")
            if part.kind == "listener" and isinstance(port, int) and isinstance(command, str):
                node.listeners[port] = command
        port, command = statement.attributes.get("port"), statement.attributes.get("command")
        if isinstance(port, int):
            node.ports.add(port)
        if isinstance(command, str):
            node.command = min(command, node.command or command)

    def _node(self, subject: Subject) -> Node:
        voice = self._voice
        key = subject_key(subject, voice.space, voice.key)
        node = self.nodes.get(key)
        if node is None:
            node = self.nodes[key] = Node(key, voice.space)
        if key[0] != "line":
            node.seen = self._confirmed if node.seen is None else max(node.seen, self._confirmed or node.seen)
            if subject.identifiers:
                node.identifiers = effective(node.identifiers | subject.identifiers)
        if subject.owner is not None:
            self._owner(subject, key)
        if self._aside and subject.itself:
            return node
        if subject.cls is not None and self._section is not None:
            inside = is_inside(subject)
            kind = kind_of(self._section.name, inside=inside)
            node.classes.add(ClassClaim(subject.cls, kind, subject.itself, (voice.space, voice.source)))
        if subject.name is not None:
            node.names.add(identifiers.name_key(subject.name))
        if key[0] == "subject" and (subject.name or subject.address):
            node.weak.add(weak_key(subject, voice.space))
        return node

    def _owner(self, subject: Subject, key: Key) -> None:
        if subject.owner is None:
            return
        self._node(subject.owner)
        inner = owned_key(subject, self._voice.space, self._voice.key)
        if inner is not None and inner != key:
            self.same.add((key, inner))
            self.nodes.setdefault(inner, Node(inner, self._voice.space))


def component_address(part: Component) -> str | None:
    """The address of an address component, unless everybody has it."""
    if part.kind != "address":
        return None
    text: Value = part.attributes.get("address", part.name)
    return identifiers.address(text) if isinstance(text, str) else None


def sum_of(nodes: Iterable[Node]) -> Node:
    """One node of what several voices say of it."""
    first, *others = nodes
    if not others:
        return first
    found = Node(
        first.key, first.space, first.identifiers, set(first.classes), set(first.names), set(first.addresses),
        set(first.ports), first.command, dict(first.listeners), set(first.weak), first.seen, first.line,
    )  # fmt: skip
    for node in others:
        _add(found, node)
    return found


def _add(node: Node, more: Node) -> None:
    node.space = min(node.space, more.space)
    node.identifiers = effective(node.identifiers | more.identifiers)
    node.classes |= more.classes
    node.names |= more.names
    node.addresses |= more.addresses
    node.ports |= more.ports
    node.listeners |= more.listeners
    node.weak |= more.weak
    if more.command is not None:
        node.command = min(more.command, node.command or more.command)
    if more.seen is not None:
        node.seen = more.seen if node.seen is None else max(node.seen, more.seen)
    node.line = node.line or more.line
