"""What is true now: groups become CIs and relations (truth.md, "Projection"). Pure.

Groups have numbers here, not ids: who gets which id is decided after (`cmdb.identity`). CIs beside the part that is
projected have negative numbers, and their images as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from cmdb.lines import Line, Said, newest_of
from cmdb.model import BACK, CI, Component, GroupClaim, RelationClaim, State, Subject, Value
from cmdb.nodes import Key, Voice, subject_key
from cmdb.project_gaps import Collected, collected, gaps
from cmdb.project_hearing import Words
from cmdb.project_problems import Problem, problems
from cmdb.project_relations import Bond, Bonds, bonds
from cmdb.project_relations import Said as Claimed
from cmdb.project_values import Utterance, shape
from cmdb.resolution import Resolution
from cmdb.rules import Rules
from cmdb.schema import CABLE, fits
from cmdb.surroundings import Surroundings, codes_of, room_of

__all__ = ["GROUP", "Problem", "Projected", "Rules", "project", "project_part", "utterances"]

GROUP = "group:"
"""What the name of a group starts with where it stands as a leg."""


@dataclass(frozen=True, slots=True)
class Projected:
    """The CIs and relations by group. A group that is in no claim in force is not there: it is retired.

    In CIs `owner`, and the legs and `active` of groups, are numbers of groups as text. The relations are those with an
    end that was projected.
    """

    cis: Mapping[int, CI]
    relations: tuple[Bond, ...]
    problems: tuple[Problem, ...]


class Heeded(NamedTuple):
    """What a section in force says that concerns a node."""

    voice: Voice
    said: Said
    words: Words


def project(resolution: Resolution, rules: Rules, now: datetime) -> Projected:
    """The graph that the claims in force say, with the people's decisions already in the resolution."""
    return project_part(resolution, rules, now, (), Surroundings())


def project_part(
    resolution: Resolution, rules: Rules, now: datetime, also: Iterable[int], beside: Surroundings,
    shaped: Iterable[int] = (),
) -> Projected:  # fmt: skip
    """The CIs of a part, and `also` some beside it, with all their relations; `shaped` are projected without these."""
    return _Projection(resolution, rules, now, also, beside).projected(shaped)


def utterances(resolution: Resolution, group: int, rules: Rules, now: datetime) -> list[Utterance]:
    """What the sections in force say of a CI."""
    return _Projection(resolution, rules, now, (), Surroundings()).said_of(group)


def claimed_relations(resolution: Resolution, group: int, rules: Rules, now: datetime) -> list[Claimed]:
    """The relations that the sections in force say a CI has, each as often as it is said."""
    return _Projection(resolution, rules, now, (), Surroundings()).claimed_of(group)


class _Projection:
    def __init__(
        self, resolution: Resolution, rules: Rules, now: datetime, also: Iterable[int], beside: Surroundings
    ) -> None:
        self.resolution = resolution
        self.beside = beside
        self.targets = [*range(len(resolution.groups)), *sorted(set(also), reverse=True)]
        self._index = resolution.index
        self._rules = rules
        self._now = now
        self._found: dict[int, list[Key]] = {}
        for key, group in resolution.group_of.items():
            if key in resolution.fallen_back or key[0] == "weak":
                self._found.setdefault(group, []).append(key)
        self._force: dict[int, dict[Key, tuple[Said, ...]]] = {}
        self._machines: dict[int, Collected | None] = {}
        self._stated: dict[int, set[str]] = {}
        self._groups: dict[int, list[tuple[GroupClaim, Utterance, Voice]]] = {}
        self._claimed: dict[tuple[Key, int], Claimed] = {}
        self.cis: dict[int, CI] = {}

    def projected(self, bare: Iterable[int]) -> Projected:
        shaped: dict[int, CI] = {}
        for group in (*self.targets, *bare):
            said = self._heard(group)
            if said or self.resolution.lines(group):
                shaped[group] = shape(said, self._rules, *self._place(group))
        targets = shaped.keys() & set(self.targets)
        self._claimed = {
            token: claim
            for token, claim in self._claimed.items()
            if not targets.isdisjoint((claim.source, claim.target))
        }
        ends = {end for claim in self._claimed.values() for end in (claim.source, claim.target)}
        known = shaped | {end: image for end in ends - shaped.keys() if (image := self.image(end)) is not None}
        claims = [one for one in self._claimed.values() if one.source in known and one.target in known]
        found = bonds(claims, known)
        located, unplaced = self._located({group: shaped[group] for group in shaped if group in targets}, found)
        states = {group: self._state(group, shaped) for group in shaped}
        whole = {
            group: self._whole(ci, states[group], self._owner(group, shaped), group) for group, ci in shaped.items()
        }
        self.cis = whole
        every = known | self.cis
        gone = {group for group, ci in every.items() if ci.state is State.RETIRED}
        relations = tuple(
            bond for bond in (*found.found, *located) if bond.source not in gone and bond.target not in gone
        )
        return Projected(self.cis, relations, problems(self, every, found, unplaced, relations))

    # What is said

    def said_of(self, group: int) -> list[Utterance]:
        """What the sections in force say of a CI."""
        return [
            one
            for key in self._keys(group)
            if not self.resolution.fell_back(key)
            for heeded in self._heeded(key)
            for one in heeded.words.told
            if one is not None
        ]

    def claimed_of(self, group: int) -> list[Claimed]:
        """The relations that they say it has."""
        self._heard(group)
        return list(self._claimed.values())

    def _keys(self, group: int) -> list[Key]:
        """The nodes of a CI, and the names and addresses that mean it."""
        resolution = self.resolution
        keys = [*resolution.keys(group), *self._found.get(group, ())]
        if group < 0:
            card = resolution.settled.cards.get(resolution.id_of(group))
            part = resolution.part
            keys += [key for key in (card.found if card else ()) if key not in part.sought and key not in part.keys]
        return keys

    def _heeded(self, key: Key) -> Iterator[Heeded]:
        for voice in sorted(self._index.speakers(key), key=lambda one: (one.space, one.source, str(one.id))):
            force = self._in_force(voice)
            for said, aside in (*((one, False) for one in force), *((one, True) for one in voice.asides)):
                stale = self._rules.is_stale(said.name, said.held.confirmed, self._now)
                words = self._index.heard(voice, said, stale=stale, aside=aside).of.get(key)
                if words is not None:
                    yield Heeded(voice, said, words)

    def _heard(self, group: int) -> list[Utterance]:
        """What is said of a CI; its relations and groups are noted."""
        number = self.resolution.number
        found: list[Utterance] = []
        for key in self._keys(group):
            for voice, said, words in self._heeded(key):
                if not self.resolution.fell_back(key):
                    found += [one for one in words.told if one is not None]
                speaker = None if voice.key is None else number(voice.key)
                for source_key, target_key, claim, by in words.claims:
                    source, target = number(source_key), number(target_key)
                    if source is None or target is None:
                        continue
                    token = (voice.id, id(claim))
                    self._claimed[token] = Claimed(claim.type, source, target, _columns(voice, claim), speaker, by)
                    if said.name.partition(".")[0] == "declared":
                        ends = (source, target) if claim.type == CABLE else (source,)
                        for end in ends:
                            self._stated.setdefault(end, set()).add(claim.type)
                self._groups.setdefault(group, []).extend((claim, by, voice) for claim, by in words.groups)
        return found

    def _in_force(self, voice: Voice) -> tuple[Said, ...]:
        """The sections of a voice that are in force: those of a CI's lines judge one another."""
        if voice.line is None:
            return voice.said
        group = self.resolution.number(voice.line.key)
        if group is None:
            return voice.said
        if group not in self._force:
            keys = [line.key for line in self.resolution.lines(group)]
            for key in keys:
                self._index.freshen(key)
            self._force[group] = _of_several([self._index.voice(key) for key in keys])
        return self._force[group].get(voice.id, voice.said)

    # CIs

    def image(self, group: int) -> CI | None:
        """A CI as it is now, or, beside what is projected, as it is stored."""
        if group in self.cis:
            return self.cis[group]
        return None if group >= 0 else self.beside.cis.get(self.resolution.id_of(group))

    def _place(self, group: int) -> tuple[str, str | None]:
        """The space of a CI, and an address where it answers."""
        lines = self.resolution.lines(group)
        if lines:
            first = min(lines, key=lambda line: (line.past is not None, line.space, line.source))
            return first.space, first.source
        keys = self.resolution.keys(group)
        declared = [str(key[1]) for key in keys if key[0] == "declared"]
        return min(declared or [self.resolution.nodes[key].space for key in keys]), None

    def _owners(self, group: int) -> Iterator[int]:
        """A CI, then what it is in, and so on outwards."""
        seen: set[int] = set()
        at: int | None = group
        while at is not None and at not in seen:
            seen.add(at)
            yield at
            owner = self.resolution.owner(at)
            at = None if owner is None else owner[0]

    def _state(self, group: int, shaped: Mapping[int, CI]) -> tuple[State, datetime | None]:
        """Missing when every line is past; what runs inside something is where that is."""
        for at in self._owners(group):
            ci = shaped.get(at) or self.image(at)
            if ci is None:
                break
            lines = self.resolution.lines(at)
            if lines:
                return self._state_of(lines, ci)
        return State.PRESENT, None

    def _state_of(self, lines: Sequence[Line], ci: CI) -> tuple[State, datetime | None]:
        back = self._back(lines, ci)
        if back is not None:
            return State.RETIRED, back[0]
        past = [line.past for line in lines if line.past is not None]
        if len(past) < len(lines):
            return State.PRESENT, None
        since = max(past)
        retired = self._now - since > self._rules.retired_after(ci.cls)
        return (State.RETIRED if retired else State.MISSING), since

    def _back(self, lines: Sequence[Line], ci: CI) -> tuple[datetime, datetime] | None:
        """Since when a CI was missing that was retired for it, and when it answered; unless a person took it back."""
        for end in sorted({end for line in lines for _, end in line.gone}, reverse=True):
            before = [line for line in lines if line.first is None or line.first < end]
            away = [_away_at(line, end) for line in before]
            since = max((one for one in away if one is not None), default=None)
            if since is None or None in away or end - since <= self._rules.retired_after(ci.cls):
                continue
            decided = any(
                one.verdict == BACK and one.time >= end and not one.a.isdisjoint(ci.identifiers)
                for one in self.resolution.decisions
            )
            return None if decided else (since, end)
        return None

    def back(self, group: int, ci: CI) -> datetime | None:
        """When a retired CI answered that nobody took back."""
        lines = self.resolution.lines(group)
        found = self._back(lines, ci) if any(line.past is None for line in lines) else None
        return None if found is None else found[1]

    def _owner(self, group: int, shaped: Mapping[int, CI]) -> tuple[int, str] | None:
        """Inside which CI another is; one that no claim in force names any more has nothing inside."""
        owner = self.resolution.owner(group)
        if owner is None or (owner[0] not in shaped and self.image(owner[0]) is None):
            return None
        return owner

    def _whole(self, ci: CI, state: tuple[State, datetime | None], owner: tuple[int, str] | None, group: int) -> CI:
        components = (*ci.components, *self._group_parts(group))
        missing = (
            {}
            if state[0] is State.RETIRED
            else gaps(ci, self._collected(group), self._stated.get(group, ()), self._rules)
        )
        if owner is None and state[0] is State.PRESENT and not missing and len(components) == len(ci.components):
            return ci
        return replace(
            ci, state=state[0], components=tuple(sorted(components, key=lambda part: (part.kind, part.name))),
            owner=None if owner is None else str(owner[0]), key=None if owner is None else owner[1],
            gaps=missing, missing_since=state[1],
        )  # fmt: skip

    def machine(self, group: int) -> Collected | None:
        """What was collected of a CI that answered."""
        if group not in self._machines:
            lines = self.resolution.lines(group)
            voices = [self._index.voice(line.key) for line in lines]
            said = (one for voice in voices for one in self._in_force(voice))
            self._machines[group] = collected(lines, said, self._now, self._rules) if lines else None
        return self._machines[group]

    def _collected(self, group: int) -> Collected | None:
        """Of the machine that a CI is, or is in."""
        return next((found for at in self._owners(group) if (found := self.machine(at)) is not None), None)

    def _group_parts(self, group: int) -> list[Component]:
        """Its groups by name; of two that are declared under one name the first source's."""
        rows = sorted(self._groups.get(group, ()), key=lambda row: (row[1].stale, row[1].space, row[1].source))
        by_name: dict[str, tuple[GroupClaim, Voice]] = {}
        for claim, _, voice in rows:
            by_name.setdefault(claim.name, (claim, voice))
        return [self._group_part(claim, voice) for claim, voice in by_name.values()]

    def _group_part(self, claim: GroupClaim, voice: Voice) -> Component:
        legs = [leg for each in claim.legs if (leg := self._leg(each, voice)) is not None]
        values: dict[str, Value] = {"type": claim.type, "needs": claim.needs, "legs": tuple(sorted(legs))}
        if claim.full is not None:
            values["full"] = claim.full
        active = None if claim.active is None else self._leg(claim.active, voice)
        if active is not None:
            values["active"] = active
        return Component("group", claim.name, values)

    def _leg(self, leg: Subject | str, voice: Voice) -> str | None:
        if isinstance(leg, str):
            return leg if leg.startswith(GROUP) else f"{GROUP}{leg}"
        group = self.resolution.number(subject_key(leg, voice.space, voice.key))
        return None if group is None else str(group)

    # Places

    def _located(self, shaped: Mapping[int, CI], known: Bonds) -> tuple[list[Bond], list[tuple[int, str, str]]]:
        """Who stands in the room of his label; and whose label names a room that is not declared, or another."""
        rooms: dict[tuple[str, str], list[int]] = {}
        for group, ci in shaped.items():
            for named in codes_of(ci):
                rooms.setdefault(named, []).append(group)

        def is_room(group: int) -> bool:
            ci = shaped.get(group) or self.image(group)
            return ci is not None and ci.cls == "room"

        said: dict[int, list[int]] = {}
        for bond in known.found:
            if bond.type == "located_in" and is_room(bond.target):
                said.setdefault(bond.source, []).append(bond.target)
        stated = {group: places[-1] for group, places in said.items()}
        found: list[Bond] = []
        odd: list[tuple[int, str, str]] = []
        for group, ci in shaped.items():
            if len(said.get(group, ())) > 1:
                names = [each.name for at in said[group] if (each := shaped.get(at) or self.image(at)) is not None]
                odd.append((group, "two_places", f"declarations say it is in {' and in '.join(sorted(names))}"))
                continue
            code = room_of(ci.label)
            if code is None or ci.cls == "room" or not fits("located_in", ci.cls, "room"):
                continue
            room = self._room((ci.space, code), rooms, shaped)
            if room is None:
                odd.append(
                    (group, "unknown_room", f"its label {ci.label} names the room {code}, which is not declared")
                )
            elif group in stated:
                if stated[group] != room:
                    other = shaped.get(stated[group]) or self.image(stated[group])
                    name = "another" if other is None else other.name
                    odd.append((group, "two_places", f"its label says room {code}, a declaration says {name}"))
            else:
                found.append(Bond("located_in", group, room, {}))
        return found, odd

    def _room(
        self, code: tuple[str, str], rooms: Mapping[tuple[str, str], list[int]], shaped: Mapping[int, CI]
    ) -> int | None:
        """The room of a code; of several the one whose nodes come first."""
        beside = {self._number_beside(id_) for id_ in self.beside.rooms.get(code, ())} - shaped.keys()
        candidates = [*rooms.get(code, ()), *(group for group in beside if group is not None)]
        return min(candidates, key=lambda group: self.resolution.keys(group)[0]) if candidates else None

    def _number_beside(self, id_: str) -> int | None:
        """The number of a stored CI, unless it is in the part or nobody names it any more."""
        keys = self.resolution.settled.keys(id_)
        if not keys or any(key in self.resolution.part.keys for key in keys):
            return None
        return self.resolution.number_of(id_)


def _columns(voice: Voice, claim: RelationClaim) -> Mapping[str, Value]:
    """What is said of a relation; who is past says no more who is active: a node that died does not take it back."""
    if voice.line is None or voice.line.past is None or "active" not in claim.columns:
        return claim.columns
    return {name: value for name, value in claim.columns.items() if name != "active"}


def _away_at(line: Line, end: datetime) -> datetime | None:
    """Since when a line was past just before a time."""
    return next((start for start, until in line.gone if start < end <= until), None) or (
        line.past if line.past is not None and line.past < end else None
    )


def _of_several(voices: Sequence[Voice]) -> dict[Key, tuple[Said, ...]]:
    """Of the lines of one CI: one address replaces its own words; and what is past, what others said after."""
    if len(voices) == 1:
        return {voices[0].id: voices[0].said}
    newest: dict[tuple[str, str, str], set[int]] = {}
    held: dict[tuple[str, str, str], list[Said]] = {}
    full_by_name: dict[str, list[tuple[datetime, Line]]] = {}
    for voice in voices:
        for said in voice.said:
            held.setdefault((voice.space, voice.source, said.name), []).append(said)
            if said.full and voice.line is not None:
                full_by_name.setdefault(said.name, []).append((said.held.confirmed, voice.line))
    for place, every in held.items():
        newest[place] = {id(one) for one in newest_of(said.held for said in every)}

    def counts(voice: Voice, said: Said) -> bool:
        if id(said.held) not in newest[voice.space, voice.source, said.name]:
            return False
        line = voice.line
        return (
            line is None
            or line.past is None
            or not any(
                other is not line and confirmed > line.past for confirmed, other in full_by_name.get(said.name, ())
            )
        )

    return {voice.id: tuple(said for said in voice.said if counts(voice, said)) for voice in voices}
