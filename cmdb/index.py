"""Who speaks of whom, found by what: the nodes of all voices, kept up to date place by place.

Everything here follows from what is kept at each place; `replace` puts one place's voices in the stead of those before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, TypeAlias

from cmdb.evidence import Place, Sighting
from cmdb.lines import Line, Said, lines_of, not_replaced
from cmdb.model import Identifier, RunSection
from cmdb.nodes import Key, Node, Voice, Words, sum_of, value_keys, words_of
from cmdb.project_hearing import Heard, heard
from cmdb.tables import enter

ValueKey: TypeAlias = tuple[str, str, str]
"""An identifier and the domain in which it counts: (scheme, value, domain)."""
Sought: TypeAlias = tuple[str, str, str]
"""What somebody is sought by: (`name` or `address`, space, text)."""

_DOMAINS: Final = ("", "controller", "location", "machine", "software")
_HEARD: Final = 4096
"""So many sections stay taken down."""


def voices_at(sightings: Iterable[Sighting], runs: Sequence[RunSection], missing_after: int) -> tuple[Voice, ...]:
    """The voices of one place: its lines, or what is declared there."""
    given = list(sightings)
    declared = [one for one in given if one.declared]
    if declared:
        return tuple(
            Voice(one.space, one.source, not_replaced([one])) for one in sorted(declared, key=attrgetter("id"))
        )
    found = lines_of(given, runs, missing_after)
    return tuple(Voice(line.space, line.source, line.said, line.aside, line) for line in found)


class Index:
    """The nodes, and what leads to them."""

    def __init__(self) -> None:
        self.voices: dict[Place, tuple[Voice, ...]] = {}
        self.nodes: dict[Key, Node] = {}
        self.carriers: dict[ValueKey, set[Key]] = {}
        self.past: dict[ValueKey, set[Key]] = {}
        self.declared: dict[tuple[str, str], set[Key]] = {}
        self.seekers: dict[Sought, set[Key]] = {}
        self.inner: dict[Key, set[Key]] = {}
        self._words: dict[Key, Words] = {}
        self._mentions: dict[Key, dict[Key, Node]] = {}
        self._twins: dict[Key, dict[Key, int]] = {}
        self._heard: OrderedDict[tuple[Any, ...], Heard] = OrderedDict()
        self._touched: dict[Place, Callable[[], tuple[Voice, ...]]] = {}

    # Changing

    def confirm(self, place: Place, renewed: Callable[[], tuple[Voice, ...]]) -> None:
        """Note that a place's voices said the same again: they are `renewed` when somebody asks when."""
        self._touched[place] = renewed

    def freshen(self, key: Key) -> None:
        """Renew the voices that name a node, if they were confirmed meanwhile."""
        if self._touched:
            places = {(voice.space, voice.source) for voice in self._speaking(key)}
            for place in places & self._touched.keys():
                self.replace(place, self._touched[place]())

    def replace(self, place: Place, voices: tuple[Voice, ...]) -> dict[Key, Node | None]:
        """Put voices in the stead of a place's; gives each node that is another now, or was not there, as it was."""
        touched: set[Key] = set()
        self._touched.pop(place, None)
        for voice in self.voices.get(place, ()):
            words = self._words.pop(voice.id)
            for key in words.nodes:
                del self._mentions[key][voice.id]
            self._twin(words, -1)
            touched.update(words.nodes)
        for voice in voices:
            words = self._words[voice.id] = words_of(voice)
            for key, node in words.nodes.items():
                self._mentions.setdefault(key, {})[voice.id] = node
            self._twin(words, 1)
            touched.update(words.nodes)
        if voices:
            self.voices[place] = voices
        else:
            self.voices.pop(place, None)
        return {key: old for key in touched if self._renew(key, old := self.nodes.get(key))}

    def _twin(self, words: Words, by: int) -> None:
        for one, other in words.same:
            for key, twin in ((one, other), (other, one)):
                counts = self._twins.setdefault(key, {})
                counts[twin] = counts.get(twin, 0) + by
                if not counts[twin]:
                    del counts[twin]
                    if not counts:
                        del self._twins[key]

    def _renew(self, key: Key, old: Node | None) -> bool:
        """Work a node out anew; whether more of it changed than when it was last seen."""
        mentions = self._mentions[key]
        new: Node | None = None
        if mentions:
            new = sum_of(mentions[id_] for id_ in sorted(mentions))
            self.nodes[key] = new
        else:
            del self._mentions[key]
            self.nodes.pop(key, None)
        if old is not None and new is not None and _same(old, new):
            return False
        for node, add in ((old, False), (new, True)):
            if node is not None:
                self._enter(node, add=add)
        return True

    def _enter(self, node: Node, *, add: bool) -> None:
        entries: list[tuple[dict[Any, set[Key]], Any]] = []
        for value in value_keys(node):
            entries.append((self.carriers, value))
            if node.past is not None:
                entries.append((self.past, value))
        if node.key[0] == "declared":
            entries += [(self.declared, (node.space, name)) for name in node.names]
        if node.key[0] == "owned" and isinstance(owner := node.key[3], tuple):
            entries.append((self.inner, owner))
        entries += [(self.seekers, sought) for sought in sought_by(node)]
        enter(entries, node.key, add=add)

    # Reading

    def voice(self, id_: Key) -> Voice:
        return self._words[id_].voice

    def speakers(self, key: Key) -> list[Voice]:
        """The voices that name a node."""
        self.freshen(key)
        return self._speaking(key)

    def _speaking(self, key: Key) -> list[Voice]:
        return [self._words[id_].voice for id_ in self._mentions.get(key, ())]

    def named(self, voice: Voice) -> Iterable[Key]:
        """Whom a voice names."""
        words = self._words.get(voice.id)
        return () if words is None else words.nodes

    def twins(self, key: Key) -> Iterable[Key]:
        """The nodes that are the same thing because somebody names it by both keys."""
        return self._twins.get(key, ())

    def holders(self, one: Identifier) -> Iterator[Key]:
        """The nodes that carry an identifier, in whatever domain."""
        for domain in _DOMAINS:
            yield from self.carriers.get((one.scheme, one.value, domain), ())

    def lines(self, place: Place) -> list[Line]:
        """The lines of a place."""
        return [voice.line for voice in self.voices.get(place, ()) if voice.line is not None]

    def heard(self, voice: Voice, said: Said, *, stale: bool, aside: bool) -> Heard:
        """A section as it is taken down."""
        token = (voice.id, said.name, said.held.digest, said.held.confirmed, stale, aside)
        found = self._heard.get(token)
        if found is None or found.voice is not voice:
            found = self._heard[token] = heard(voice, said, stale=stale, aside=aside)
            if len(self._heard) > _HEARD:
                self._heard.popitem(last=False)
        else:
            self._heard.move_to_end(token)
        return found


def _same(old: Node, new: Node) -> bool:
    if (old.line is None) is not (new.line is None):
        return False
    if old.line is not None and new.line is not None and _course(old.line) != _course(new.line):
        return False
    return _classes(old) == _classes(new) and (
        old.space, old.identifiers, old.names, old.addresses, old.ports, old.command, old.listeners,
        old.weak,
    ) == (
        new.space, new.identifiers, new.names, new.addresses, new.ports, new.command, new.listeners,
        new.weak,
    )  # fmt: skip


def _course(line: Line) -> tuple[object, ...]:
    return line.macs, line.past, line.gone


def _classes(node: Node) -> set[object]:
    """What is said of a class; how many say so matters only where they do not agree."""
    if len({claim.cls for claim in node.classes}) > 1:
        return set(node.classes)
    return {(claim.cls, claim.kind, claim.itself) for claim in node.classes}


def sought_by(node: Node) -> set[Sought]:
    """The names and addresses by which one is sought that is known by nothing else."""
    keys = [node.key] if node.key[0] == "weak" else node.weak
    found: set[Sought] = set()
    for _, space, _, name, address, _ in keys:
        if name:
            found.add(("name", str(space), str(name)))
        if address:
            found.add(("address", str(space), str(address)))
    return found


def index_of(places: Mapping[Place, Mapping[str, Sighting]], runs: Sequence[RunSection], missing_after: int) -> Index:
    """The index of all that is kept."""
    found = Index()
    for place, sightings in places.items():
        found.replace(place, voices_at(sightings.values(), runs, missing_after))
    return found
