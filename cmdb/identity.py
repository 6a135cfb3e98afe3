"""Which id a group has: ids stay with what they were first known by (truth.md, "Resolution").

Joined, the older id survives, and the other leads to it. When one CI becomes two, its id stays with the part that holds
the strongest identifier that it was first known by. An id that no group fits any more is of a CI that is retired.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from cmdb import codec
from cmdb.evidence_records import packed, unpacked
from cmdb.model import SCHEMES
from cmdb.nodes import value_keys
from cmdb.resolution import Resolution, Wider
from cmdb.store.base import Record
from cmdb.tables import enter

IDENTITY: Final = "identity"
Token: TypeAlias = tuple[str, ...]
"""What something is known by: (scheme, value, domain), (owned, CI id, class, key), (declared, space, class, name),
(at, space, address, port) where no identifier is, and (line, space, address), which counts beside a burnt one only."""

_STRENGTH: Final[Mapping[str, int]] = MappingProxyType(
    {name: place for place, name in enumerate((*SCHEMES, "owned", "declared", "at", "line"))}
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What one CI was first known by, and by what it was last; into which other it was joined; its former labels."""

    id: str
    first: frozenset[Token]
    known: frozenset[Token]
    joined: str | None = None
    labels: Mapping[str, datetime] = field(default_factory=lambda: MappingProxyType({}))


class Identities:
    """All ids ever given, and what leads to them."""

    def __init__(self, given: Iterable[Identity] = ()) -> None:
        self._all: dict[str, Identity] = {}
        self._holders: dict[Token, set[str]] = {}
        self._joined: dict[str, set[str]] = {}
        for one in given:
            self.put(one.id, one)

    def __getitem__(self, id_: str) -> Identity:
        return self._all[id_]

    def get(self, id_: str) -> Identity | None:
        return self._all.get(id_)

    def put(self, id_: str, identity: Identity | None) -> None:
        """Store one in the stead of the one before; None: it was never given."""
        before = self._all.pop(id_, None)
        if before is not None:
            enter(self._leading_to(before), id_, add=False)
        if identity is not None:
            self._all[id_] = identity
            enter(self._leading_to(identity), id_, add=True)

    def _leading_to(self, identity: Identity) -> list[tuple[dict[Any, set[str]], Any]]:
        joined = () if identity.joined is None else ((self._joined, identity.joined),)
        return [*((self._holders, token) for token in identity.first | identity.known), *joined]

    def holders(self, token: Token) -> Collection[str]:
        """The ids that are, or were first, known by a token."""
        return self._holders.get(token, ())

    def survivor(self, id_: str) -> str:
        """The CI that an id leads to."""
        while (joined := self._all[id_].joined) is not None:
            id_ = joined
        return id_

    def former(self, id_: str) -> Iterator[str]:
        """The ids that were joined into one, and into those."""
        for one in self._joined.get(id_, ()):
            yield one
            yield from self.former(one)


@dataclass(frozen=True, slots=True)
class Assigned:
    """The id of each group, and the identities that are new or others after that."""

    ids: Mapping[int, str]
    changed: Mapping[str, Identity]


def number_of(id_: str) -> int:
    """The order of ids: the older one has the smaller number."""
    return int(id_.rpartition("-")[2])


def assign(
    resolution: Resolution, groups: Iterable[int], identities: Identities, reserve: Callable[[int], Sequence[str]]
) -> Assigned:
    """Give each group of a part its id; `reserve` makes so many new ones. Raises Wider where the part is too small."""
    return _Assigner(resolution, identities, reserve).assigned(sorted(groups))


class _Assigner:
    def __init__(self, resolution: Resolution, identities: Identities, reserve: Callable[[int], Sequence[str]]) -> None:
        self._resolution = resolution
        self._before = identities
        self._changed: dict[str, Identity] = {}
        self._reserve = reserve
        self._ids: dict[int, str] = {}
        self._leads: dict[str, str] = {}
        self._owners: dict[str, set[str]] = {}
        part = resolution.part.keys
        self._part = {ci for key in part if (ci := resolution.settled.ci_of.get(key)) is not None}

    def assigned(self, groups: Sequence[int]) -> Assigned:
        fitting = self._fitting(groups)
        by_depth: dict[int, list[int]] = {}
        for group in groups:
            by_depth.setdefault(self._depth(group), []).append(group)
        for _, level in sorted(by_depth.items()):
            self._level(level, fitting)
        return Assigned(self._ids, {id_: one for id_, one in self._changed.items() if self._before.get(id_) != one})

    def _depth(self, group: int) -> int:
        depth, seen = 0, {group}
        owner = self._resolution.owners.get(group)
        while owner is not None and owner[0] not in seen:
            seen.add(owner[0])
            depth += 1
            owner = self._resolution.owners.get(owner[0])
        return depth

    def _fitting(self, groups: Sequence[int]) -> dict[str, int]:
        """The group that each id fits best by what it is known by of itself, be it inside something or not."""
        tokens = {group: self._tokens(group) for group in groups}
        found = self._strong(tokens)
        self._refuse_outside(found)
        claims: dict[int, str] = {}
        fitting: dict[str, int] = {}
        for id_ in sorted(found, key=number_of):
            fitting[id_] = self._best(id_, found[id_], tokens, claims)
            claims[fitting[id_]] = id_
        return fitting

    def _strong(self, tokens: Mapping[int, frozenset[Token]]) -> dict[str, list[int]]:
        """The ids that something tells of groups."""
        found: dict[str, list[int]] = {}
        for group, known_by in tokens.items():
            for id_ in {id_ for token in known_by if self._tells(token) for id_ in self._holders(token)}:
                found.setdefault(id_, []).append(group)
        return found

    def _level(self, groups: Sequence[int], fitting: Mapping[str, int]) -> None:
        """Groups whose owners have their ids."""
        tokens = {group: self._tokens(group) for group in groups}
        strong = {
            id_: [fitting[id_]] if id_ in fitting else found
            for id_, found in self._strong(tokens).items()
            if id_ not in fitting or fitting[id_] in tokens
        }
        faint: dict[str, list[int]] = {}
        for group in groups:
            beside = {id_ for token in tokens[group] if token[0] == "line" for id_ in self._holders(token)}
            for id_ in beside:  # not `beside - strong.keys()`, which goes through all of strong for each group
                if id_ not in strong and id_ not in fitting and len(self._common(id_, tokens[group])) > 1:
                    faint.setdefault(id_, []).append(group)
        self._refuse_outside({*strong, *faint})
        claims: dict[int, list[str]] = {}
        for id_ in sorted(strong, key=number_of):
            claims.setdefault(self._best(id_, strong[id_], tokens, claims), []).append(id_)
        for id_ in sorted(faint, key=number_of):
            # A burnt value at the same address tells a group that nobody else is, and joins nothing.
            free = [group for group in faint[id_] if group not in claims]
            if free:
                claims[self._best(id_, free, tokens, claims)] = [id_]
        new = [group for group in groups if group not in claims]
        for group, id_ in zip(new, self._reserve(len(new)) if new else (), strict=True):
            self._lead(id_, group, id_)
            self._changed[id_] = Identity(id_, tokens[group], tokens[group])
        for group, rivals in claims.items():
            kept = min(rivals, key=number_of)
            for id_ in rivals:
                self._lead(id_, group, kept)
                if id_ == kept:
                    self._changed[id_] = replace(self._before[id_], known=tokens[group], joined=None)
                else:
                    self._changed[id_] = replace(self._before[id_], joined=kept)

    def _lead(self, id_: str, group: int, kept: str) -> None:
        self._ids[group] = self._leads[id_] = kept
        self._owners.setdefault(kept, set()).add(id_)

    def _holders(self, token: Token) -> Iterator[str]:
        """Who is known by a token that is not led elsewhere yet; a key inside an owner by any id of the owner."""
        spelt = [token]
        if token[0] == "owned":
            spelt = [(token[0], id_, *token[2:]) for id_ in self._owners.get(token[1], ())]
        for one in spelt:
            for id_ in self._before.holders(one):
                if id_ not in self._leads:
                    yield id_

    def _refuse_outside(self, ids: Iterable[str]) -> None:
        """A CI beside the part that fits a group of it belongs to the part."""
        settled = self._resolution.settled
        for id_ in ids:
            heir = self._before.survivor(id_)
            if heir in settled.cards and heir not in self._part:
                raise Wider(settled.keys(heir))

    def _best(
        self, id_: str, groups: Sequence[int], tokens: Mapping[int, frozenset[Token]], taken: Collection[int]
    ) -> int:
        """The group that an id fits best; of two that it fits alike one that is not taken."""
        if len(groups) == 1:
            return groups[0]
        return max(groups, key=lambda group: (*self._rank(id_, tokens[group]), group not in taken, -group))

    def _led(self, token: Token) -> Token:
        if token[0] != "owned":
            return token
        return (token[0], self._leads.get(token[1], token[1]), *token[2:])

    def _tokens(self, group: int) -> frozenset[Token]:
        found: set[Token] = set()
        for key in self._resolution.groups[group]:
            node = self._resolution.nodes[key]
            found.update(value_keys(node))
            if key[0] == "declared":
                found.add(("declared", str(key[1]), str(key[2]), str(key[3])))
            if key[0] == "owned":
                owner = self._resolution.owners.get(group)
                if owner is not None and owner[0] in self._ids:
                    found.add(("owned", self._ids[owner[0]], str(key[1]), str(key[2])))
            if node.line is not None:
                if node.line.identifiers:
                    found.add(("line", node.line.space, node.line.source))
                nameless = node.line.silent if node.line.identifiers else node.line.sightings
                found |= {("at", one.space, one.source, str(one.port)) for one in nameless}
        return frozenset(found)

    def _common(self, id_: str, tokens: frozenset[Token]) -> frozenset[Token]:
        identity = self._before[id_]
        return frozenset(self._led(token) for token in identity.first | identity.known) & tokens

    def _tells(self, token: Token) -> bool:
        """Whether a token tells who is meant: anything but an address and what is burnt."""
        return token[0] != "line" and token not in self._resolution.burnt

    def _rank(self, id_: str, tokens: frozenset[Token]) -> tuple[tuple[bool, ...], tuple[bool, ...]]:
        """How well a group fits an id: by what it was first known by, the strongest first; then by what it was last."""
        identity = self._before[id_]
        return self._held(identity.first, tokens), self._held(identity.known, tokens)

    def _held(self, known: Iterable[Token], tokens: frozenset[Token]) -> tuple[bool, ...]:
        ordered = sorted(known, key=lambda token: (_STRENGTH[token[0]], token))
        return tuple(self._led(token) in tokens for token in ordered)


def identity_record(identity: Identity) -> Record:
    document = {
        "first": sorted(list(token) for token in identity.first),
        "known": "first" if identity.known == identity.first else sorted(list(token) for token in identity.known),
        "joined": identity.joined,
        "labels": {label: codec.time_out(time) for label, time in sorted(identity.labels.items())},
    }
    return Record(IDENTITY, identity.id, packed(document), frozenset({identity.id}))


def identity_of(record: Record) -> Identity:
    document = unpacked(record.doc)
    first = frozenset(tuple(token) for token in document["first"])
    known = first if document["known"] == "first" else frozenset(tuple(token) for token in document["known"])
    labels = {label: codec.time_in(time) for label, time in document["labels"].items()}
    return Identity(record.id, first, known, document["joined"], labels)
