"""Which id a group has: ids stay with what they were first known by (truth.md, "Resolution").

Joined, the older id survives, and the other leads to it. When one CI becomes two, its id stays with the part that holds
the strongest identifier that it was first known by. An id that no group fits any more is of a CI that is retired.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from cmdb import codec
from cmdb.evidence import packed, unpacked
from cmdb.model import SCHEMES
from cmdb.nodes import value_keys
from cmdb.resolve import Resolution
from cmdb.store.base import Record

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


@dataclass(frozen=True, slots=True)
class Assigned:
    """The id of each group, and all identities after that."""

    ids: Mapping[int, str]
    identities: Mapping[str, Identity]
    changed: frozenset[str]


def number_of(id_: str) -> int:
    """The order of ids: the older one has the smaller number."""
    return int(id_.rpartition("-")[2])


def survivor(id_: str, identities: Mapping[str, Identity]) -> str:
    """The CI that an id leads to now."""
    while (joined := identities[id_].joined) is not None:
        id_ = joined
    return id_


def former_ids(identities: Mapping[str, Identity]) -> dict[str, set[str]]:
    """By CI, the ids that lead to it."""
    found: dict[str, set[str]] = {}
    for id_, identity in identities.items():
        if identity.joined is not None:
            found.setdefault(survivor(id_, identities), set()).add(id_)
    return found


def assign(
    resolution: Resolution,
    groups: Iterable[int],
    identities: Mapping[str, Identity],
    reserve: Callable[[int], Sequence[str]],
) -> Assigned:
    """Give each group its id; `reserve` makes so many new ones."""
    return _Assigner(resolution, identities, reserve).assigned(sorted(groups))


class _Assigner:
    def __init__(
        self, resolution: Resolution, identities: Mapping[str, Identity], reserve: Callable[[int], Sequence[str]]
    ) -> None:
        self._resolution = resolution
        self._before = identities
        self._now: dict[str, Identity] = dict(identities)
        self._reserve = reserve
        self._ids: dict[int, str] = {}
        self._leads: dict[str, str] = {}
        self._holders: dict[Token, list[str]] = {}
        self._inside: list[str] = []
        for id_, identity in identities.items():
            inside = False
            for token in identity.first | identity.known:
                if token[0] == "owned":
                    inside = True
                else:
                    self._holders.setdefault(token, []).append(id_)
            if inside:
                self._inside.append(id_)

    def assigned(self, groups: Sequence[int]) -> Assigned:
        by_depth: dict[int, list[int]] = {}
        for group in groups:
            by_depth.setdefault(self._depth(group), []).append(group)
        for _, level in sorted(by_depth.items()):
            self._level(level)
        changed = frozenset(id_ for id_, one in self._now.items() if self._before.get(id_) != one)
        return Assigned(self._ids, self._now, changed)

    def _depth(self, group: int) -> int:
        depth, seen = 0, {group}
        owner = self._resolution.owners.get(group)
        while owner is not None and owner[0] not in seen:
            seen.add(owner[0])
            depth += 1
            owner = self._resolution.owners.get(owner[0])
        return depth

    def _level(self, groups: Sequence[int]) -> None:
        """Groups whose owners have their ids."""
        tokens = {group: self._tokens(group) for group in groups}
        holders = (
            self._holders
            if not any(token[0] == "owned" for found in tokens.values() for token in found)
            else (self._with_inside())
        )
        strong: dict[str, list[int]] = {}
        faint: dict[str, list[int]] = {}
        for group in groups:
            near = {id_ for token in tokens[group] for id_ in holders.get(token, ()) if id_ not in self._leads}
            if len(near) == 1 and self._is_as_before(only := next(iter(near)), tokens[group]):
                self._ids[group] = self._leads[only] = only
                continue
            for id_ in near:
                common = self._common(id_, tokens[group])
                if self._tell(common):
                    strong.setdefault(id_, []).append(group)
                elif any(token[0] == "line" for token in common) and len(common) > 1:
                    faint.setdefault(id_, []).append(group)
        claims: dict[int, list[str]] = {}
        # What a later group was found to be just as before is no longer free for an earlier one.
        for id_ in sorted(strong.keys() - self._leads.keys(), key=number_of):
            claims.setdefault(self._best(id_, strong[id_], tokens, claims), []).append(id_)
        for id_ in sorted(faint.keys() - strong.keys() - self._leads.keys(), key=number_of):
            # A burnt value at the same address tells a group that nobody else is, and joins nothing.
            free = [group for group in faint[id_] if group not in claims]
            if free:
                claims[self._best(id_, free, tokens, claims)] = [id_]
        new = [group for group in groups if group not in claims and group not in self._ids]
        for group, id_ in zip(new, self._reserve(len(new)) if new else (), strict=True):
            self._ids[group] = id_
            self._leads[id_] = id_
            self._now[id_] = Identity(id_, tokens[group], tokens[group])
        for group, rivals in claims.items():
            kept = min(rivals, key=number_of)
            self._ids[group] = kept
            for id_ in rivals:
                self._leads[id_] = kept
                identity = self._now[id_]
                if id_ == kept:
                    self._now[id_] = replace(identity, known=tokens[group], joined=None)
                else:
                    self._now[id_] = replace(identity, joined=kept)

    def _is_as_before(self, id_: str, tokens: frozenset[Token]) -> bool:
        """Whether a group is known by exactly what an id was known by, first and last: no other can fit it better."""
        identity = self._before[id_]
        return identity.joined is None and identity.known == tokens == identity.first

    def _best(
        self, id_: str, groups: Sequence[int], tokens: Mapping[int, frozenset[Token]], taken: Collection[int]
    ) -> int:
        """The group that an id fits best; of two that it fits alike one that is not taken."""
        if len(groups) == 1:
            return groups[0]
        return max(groups, key=lambda group: (*self._rank(id_, tokens[group]), group not in taken, -group))

    def _with_inside(self) -> dict[Token, list[str]]:
        """Who is known by what, the keys inside owners by the owners' ids of now."""
        holders = {token: list(ids) for token, ids in self._holders.items()}
        for id_ in self._inside:
            identity = self._before[id_]
            for token in identity.first | identity.known:
                if token[0] == "owned":
                    holders.setdefault(self._led(token), []).append(id_)
        return holders

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

    def _tell(self, common: Iterable[Token]) -> bool:
        """Whether something in common tells that they are one: anything but an address and what is burnt."""
        return any(token[0] != "line" and token not in self._resolution.burnt for token in common)

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
