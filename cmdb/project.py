"""What is true now: groups become CIs and relations (truth.md, "Projection"). Pure.

Groups have numbers here, not ids: who gets which id is decided after (`cmdb.identity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cmdb.evidence import World
from cmdb.lines import Line, Said, newest_of
from cmdb.model import CI, Component, GroupClaim, State, Subject, Value
from cmdb.nodes import Voice, subject_key
from cmdb.project_gaps import Collected, collected, gaps, is_stale
from cmdb.project_hearing import Heard, heard
from cmdb.project_problems import Problem, problems
from cmdb.project_relations import CABLE, Bond, Bonds, bonds
from cmdb.project_relations import Said as Claimed
from cmdb.project_values import Utterance, shape
from cmdb.resolve import Resolution
from cmdb.rules import Rules
from cmdb.schema import fits
from naming import Label, LabelError

__all__ = ["Problem", "Projected", "Rules", "Shapes", "project"]

GROUP = "group:"
"""What the name of a group starts with where it stands as a leg."""


class Shapes:
    """What was taken down and shaped, kept from one projection to the next; dropping it changes nothing but the time.

    Things are told apart by their places in memory, so whatever is kept holds all that its key stands for.
    """

    def __init__(self) -> None:
        self._cis: dict[Any, tuple[CI, Sequence[Utterance]]] = {}
        self._fresh_cis: dict[Any, tuple[CI, Sequence[Utterance]]] = {}
        self._heard: dict[Any, Heard] = {}
        self._fresh_heard: dict[Any, Heard] = {}

    def heard(self, voice: Voice, said: Said, *, stale: bool, aside: bool) -> Heard:
        """A section as it was taken down."""
        token = (id(voice), id(said.held), stale, aside)
        found = self._heard.get(token) or heard(voice, said, stale=stale, aside=aside)
        self._fresh_heard[token] = found
        return found

    def shape(self, said: Sequence[Utterance], rules: Rules, space: str, address: str | None) -> CI:
        """What was said of a CI, put together."""
        token = (space, address, *map(id, said))
        known = self._cis.get(token)
        ci = shape(said, rules, space, address) if known is None else known[0]
        self._fresh_cis[token] = (ci, said)
        return ci

    def done(self) -> None:
        """Forget what the last projection did not use."""
        self._cis, self._fresh_cis = self._fresh_cis, {}
        self._heard, self._fresh_heard = self._fresh_heard, {}


@dataclass(frozen=True, slots=True)
class Projected:
    """The CIs and relations by group. A group that is in no claim in force is not there: it is retired.

    In CIs `owner`, and the legs and `active` of groups, are numbers of groups as text. `said` is what stands behind
    each CI; `spoken` whom each source speaks of, for its confirmation.
    """

    cis: Mapping[int, CI]
    relations: tuple[Bond, ...]
    problems: tuple[Problem, ...]
    said: Mapping[int, Sequence[Utterance]]
    spoken: Mapping[tuple[str, str], frozenset[int]]


def project(
    world: World, resolution: Resolution, rules: Rules, now: datetime, shapes: Shapes | None = None
) -> Projected:
    """The graph that the claims in force say, with the people's decisions already in the resolution."""
    del world  # all that counts of it is in the resolution's voices
    return _Projection(resolution, rules, now, Shapes() if shapes is None else shapes).projected()


def in_force(resolution: Resolution) -> dict[int, list[tuple[Voice, tuple[Said, ...], tuple[Said, ...]]]]:
    """By group of the speaker (−1: declared) each voice with its sections, and its asides, that are in force."""
    by_group: dict[int, list[Voice]] = {}
    for voice in resolution.voices:
        group = -1 if voice.key is None else resolution.group_of[voice.key]
        by_group.setdefault(group, []).append(voice)
    return {
        group: [(voice, voice.said, voice.asides) for voice in voices]
        if group < 0 or len(voices) == 1
        else _of_several(voices)
        for group, voices in by_group.items()
    }


def _of_several(voices: Sequence[Voice]) -> list[tuple[Voice, tuple[Said, ...], tuple[Said, ...]]]:
    """Of the lines of one CI: one address replaces its own words; and what is past, what others said after."""
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

    return [(voice, tuple(said for said in voice.said if counts(voice, said)), voice.asides) for voice in voices]


class _Projection:
    def __init__(self, resolution: Resolution, rules: Rules, now: datetime, shapes: Shapes) -> None:
        self._resolution = resolution
        self._rules = rules
        self._now = now
        self._shapes = shapes
        self._force = in_force(resolution)
        self._said: dict[int, list[Utterance]] = {}
        self._claimed: list[Claimed] = []
        self._groups: list[tuple[int, GroupClaim, Utterance, Voice]] = []
        self._stated: dict[int, set[str]] = {}
        self._spoken: dict[tuple[str, str], set[int]] = {}

    def projected(self) -> Projected:
        for group, voices in self._force.items():
            for voice, said, asides in voices:
                spoken = self._spoken.setdefault((voice.space, voice.source), set())
                if group >= 0:
                    spoken.add(group)
                    self._said.setdefault(group, [])
                self._hear(voice, said, spoken, aside=False)
                self._hear(voice, asides, spoken, aside=True)
        cis = self._cis()
        claims = [claim for claim in self._claimed if claim.source in cis and claim.target in cis]
        found = bonds(claims, cis)
        located, unplaced = self._located(cis, found)
        states = {group: self._state(group, cis) for group in cis}
        machines = self._machines()
        whole = {group: self._whole(group, ci, states[group], machines) for group, ci in sorted(cis.items())}
        gone = {group for group, ci in whole.items() if ci.state is State.RETIRED}
        relations = tuple(
            bond for bond in (*found.found, *located) if bond.source not in gone and bond.target not in gone
        )
        told = problems(self._resolution, whole, found, unplaced, relations, machines)
        return Projected(
            whole, relations, told, self._said,
            {place: frozenset(groups & cis.keys()) for place, groups in self._spoken.items()},
        )  # fmt: skip

    # What is said

    def _hear(self, voice: Voice, said: Sequence[Said], spoken: set[int], *, aside: bool) -> None:
        group_of = self._resolution.group_of
        speaker = None if voice.key is None else group_of[voice.key]
        for one in said:
            kind = one.name.partition(".")[0]
            limit = self._rules.staleness.get(kind)
            stale = limit is not None and is_stale(one.held.confirmed, limit, self._now)
            heard = self._shapes.heard(voice, one, stale=stale, aside=aside)
            for key, utterance in heard.told:
                group = group_of.get(key)
                if group is not None:
                    spoken.add(group)
                    if utterance is not None and key not in self._resolution.fallen_back:
                        self._said.setdefault(group, []).append(utterance)
            for source_key, target_key, claim, by in heard.claims:
                source, target = group_of.get(source_key), group_of.get(target_key)
                if source is not None and target is not None:
                    self._claimed.append(Claimed(claim.type, source, target, claim.columns, speaker, by))
                    if kind == "declared":
                        self._stated.setdefault(source, set()).add(claim.type)
                        if claim.type == CABLE:
                            self._stated.setdefault(target, set()).add(claim.type)
            for of_key, claimed, by in heard.groups:
                of = group_of.get(of_key)
                if of is not None:
                    self._groups.append((of, claimed, by, voice))

    def _group_of(self, subject: Subject, voice: Voice) -> int | None:
        return self._resolution.group_of.get(subject_key(subject, voice.space, voice.key))

    # CIs

    def _cis(self) -> dict[int, CI]:
        found = {
            group: self._shapes.shape(said, self._rules, *self._place(group)) for group, said in self._said.items()
        }
        self._shapes.done()
        return found

    def _place(self, group: int) -> tuple[str, str | None]:
        """The space of a CI, and the address where it answered last."""
        lines = self._resolution.lines(group)
        if lines:
            last = max(lines, key=lambda line: (line.seen, line.space, line.source))
            return last.space, last.source
        keys = self._resolution.groups[group]
        declared = [str(key[1]) for key in keys if key[0] == "declared"]
        return min(declared or [self._resolution.nodes[key].space for key in keys]), None

    def _state(self, group: int, cis: Mapping[int, CI]) -> tuple[State, datetime | None]:
        """Missing when every line is past; what runs inside something is where that is."""
        lines = self._resolution.lines(group)
        if not lines:
            owner = self._resolution.owners.get(group)
            seen = {group}
            while owner is not None and owner[0] not in seen and not self._resolution.lines(owner[0]):
                seen.add(owner[0])
                owner = self._resolution.owners.get(owner[0])
            if owner is None or owner[0] not in cis or owner[0] in seen:
                return State.PRESENT, None
            return self._state(owner[0], cis)
        if any(line.past is None for line in lines):
            return State.PRESENT, None
        since = max(line.past for line in lines if line.past is not None)
        retired = self._now - since > self._rules.retired_after(cis[group].cls)
        return (State.RETIRED if retired else State.MISSING), since

    def _machines(self) -> dict[int, Collected]:
        """What was collected of each group that answered."""
        return {
            group: collected(
                self._resolution.lines(group), (one for _, said, _ in voices for one in said), self._now, self._rules
            )
            for group, voices in self._force.items()
            if group >= 0
        }

    def _whole(self, group: int, ci: CI, state: tuple[State, datetime | None], machines: Mapping[int, Collected]) -> CI:
        owner = self._resolution.owners.get(group)
        components = (*ci.components, *self._group_parts(group))
        missing = (
            {}
            if state[0] is State.RETIRED
            else gaps(ci, self._collected(group, machines), self._stated.get(group, ()), self._rules)
        )
        if owner is None and state[0] is State.PRESENT and not missing and len(components) == len(ci.components):
            return ci
        return replace(
            ci, state=state[0], components=tuple(sorted(components, key=lambda part: (part.kind, part.name))),
            owner=None if owner is None else str(owner[0]), key=None if owner is None else owner[1],
            gaps=missing, missing_since=state[1],
        )  # fmt: skip

    def _collected(self, group: int, machines: Mapping[int, Collected]) -> Collected | None:
        """Of the machine that a CI is, or is in."""
        seen: set[int] = set()
        at: int | None = group
        while at is not None and at not in seen:
            if at in machines:
                return machines[at]
            seen.add(at)
            owner = self._resolution.owners.get(at)
            at = None if owner is None else owner[0]
        return None

    def _group_parts(self, group: int) -> list[Component]:
        if not self._groups_of:
            return []
        return [
            self._group_part(claim, voice) for claim, voice in self._groups_of.get(group, {}).values()
        ]  # fmt: skip

    @property
    def _groups_of(self) -> dict[int, dict[str, tuple[GroupClaim, Voice]]]:
        """The groups of each CI by name; of two that are declared under one name the first source's."""
        if self._groups_found is None:
            found: dict[int, dict[str, tuple[GroupClaim, Voice]]] = {}
            ordered = sorted(self._groups, key=lambda row: (row[2].stale, row[2].space, row[2].source))
            for of, claim, _, voice in ordered:
                found.setdefault(of, {}).setdefault(claim.name, (claim, voice))
            self._groups_found = found
        return self._groups_found

    _groups_found: dict[int, dict[str, tuple[GroupClaim, Voice]]] | None = None

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
        group = self._group_of(leg, voice)
        return None if group is None else str(group)

    # Places

    def _located(self, cis: Mapping[int, CI], known: Bonds) -> tuple[list[Bond], list[tuple[int, str, str]]]:
        """Who stands in the room of his label; and whose label names a room that is not declared, or another."""
        rooms: dict[tuple[str, str], int] = {}
        for group, ci in sorted(cis.items()):
            if ci.cls == "room":
                for text in (ci.label, ci.name):
                    if text:
                        rooms.setdefault((ci.space, text.upper()), group)
        stated = {
            bond.source: bond.target
            for bond in known.found
            if bond.type == "located_in" and cis[bond.target].cls == "room"
        }
        found: list[Bond] = []
        odd: list[tuple[int, str, str]] = []
        for group, ci in sorted(cis.items()):
            code = _room_of(ci.label)
            if code is None or ci.cls == "room" or not fits("located_in", ci.cls, "room"):
                continue
            room = rooms.get((ci.space, code))
            if room is None:
                odd.append(
                    (group, "unknown_room", f"its label {ci.label} names the room {code}, which is not declared")
                )
            elif group in stated:
                if stated[group] != room:
                    other = cis[stated[group]].name
                    odd.append((group, "two_places", f"its label says room {code}, a declaration says {other}"))
            else:
                found.append(Bond("located_in", group, room, {}))
        return found, odd


def _room_of(label: str | None) -> str | None:
    if label is None:
        return None
    try:
        return str(Label.parse(label).room)
    except LabelError:
        return None
