"""One step from what was known to what is known now: only what the news reach is resolved and projected anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cmdb.evidence import Place
from cmdb.identity import Assigned, assign
from cmdb.known import Known
from cmdb.lines import Said
from cmdb.model import CI, Component
from cmdb.nodes import Key, Node, Voice, value_keys
from cmdb.project import Projected, project_part
from cmdb.project_hearing import Words
from cmdb.region import Region
from cmdb.resolution import Resolution, Wider
from cmdb.resolve import resolve_part
from cmdb.rules import Rules
from cmdb.surroundings import codes_of

Reserve = Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Stepped:
    """What came out of a step: the part, its projection, and the ids of all groups that were projected.

    `before` are the CIs that were the part, or beside it, and `shaped` those of which the values alone were projected.
    """

    region: Region
    resolution: Resolution
    projected: Projected
    assigned: Assigned
    ids: Mapping[int, str]
    before: frozenset[str]
    shaped: frozenset[str]

    @property
    def groups(self) -> list[int]:
        """The groups of which the relations were projected, too."""
        return [group for group in self.projected.cis if self.ids[group] not in self.shaped]


class News:
    """What is new: nodes that are others now, with how they were; of which other values are said, or other relations.

    Who is only the far end of a relation has no news: a relation belongs to the end that it leads from.
    """

    def __init__(self, known: Known, rules: Rules, now: datetime) -> None:
        self._known = known
        self._rules = rules
        self._now = now
        self._away: dict[str, bool] = {}
        self.nodes: dict[Key, Node | None] = {}
        self.words: set[Key] = set()
        self.values: set[Key] = set()
        self.places: set[Place] = set()

    def at(self, place: Place, *, all_of_it: bool = False) -> None:
        """Bring a place up to date, and take down what is new of it."""
        index = self._known.index
        self._away.clear()
        before = index.voices.get(place, ())
        own = {line.key for line in index.lines(place)}
        self._add(self._known.renew(place))
        after = index.voices.get(place, ())
        self.places.add(place)
        lines = {line.key for line in index.lines(place)}
        self.words |= lines
        for old, new in _paired(before, after):
            self._compare(old, new, all_of_it=all_of_it)
        if len(own) > 1 or len(lines) > 1:
            self._add(dict.fromkeys(own | lines))
        for voice in after:
            self._add({key: None for key in index.named(voice) if self.is_near_past(key)})

    def _add(self, nodes: Mapping[Key, Node | None]) -> None:
        for key, node in nodes.items():
            if self.nodes.get(key) is None:
                self.nodes[key] = node

    def is_near_past(self, key: Key) -> bool:
        """Whether it counts when a node was last seen: a line of its CI, or of one that shares a value, is past."""
        index, settled = self._known.index, self._known.settled
        node = index.nodes.get(key)
        if node is not None and any(value in index.past for value in value_keys(node)):
            return True
        ci = settled.ci_of.get(key)
        if ci is None:
            return False
        if ci not in self._away:
            nodes = (index.nodes.get(one) for one in settled.keys(ci))
            self._away[ci] = any(one is not None and one.past is not None for one in nodes)
        return self._away[ci]

    def _compare(self, old: Voice | None, new: Voice | None, *, all_of_it: bool) -> None:
        """Of whom a voice says something else than before; a claim that got stale, or fresh, is something else."""
        before, after = self._sections(old), self._sections(new)
        for name in before.keys() | after.keys():
            mine, yours = before.get(name, {}), after.get(name, {})
            if not all_of_it and mine.keys() == yours.keys():
                continue
            words, others = self._words(old, mine.values()), self._words(new, yours.values())
            for key in words.keys() | others.keys():
                was, now = words.get(key, []), others.get(key, [])
                if all_of_it or _led_from(key, was) != _led_from(key, now):
                    self.words.add(key)
                if [one.of_it() for one in was] != [one.of_it() for one in now]:
                    self.values.add(key)

    def _sections(self, voice: Voice | None) -> dict[str, dict[tuple[str, bool, bool], tuple[Said, bool, bool]]]:
        found: dict[str, dict[tuple[str, bool, bool], tuple[Said, bool, bool]]] = {}
        if voice is not None:
            for aside, sections in ((False, voice.said), (True, voice.asides)):
                for said in sections:
                    stale = self._rules.is_stale(said.name, said.held.confirmed, self._now)
                    found.setdefault(said.name, {})[said.held.digest, aside, stale] = (said, aside, stale)
        return found

    def _words(self, voice: Voice | None, sections: Iterable[tuple[Said, bool, bool]]) -> dict[Key, list[Words]]:
        found: dict[Key, list[Words]] = {}
        if voice is not None:
            for said, aside, stale in sections:
                for key, words in self._known.index.heard(voice, said, stale=stale, aside=aside).of.items():
                    found.setdefault(key, []).append(words)
        return found


def _led_from(key: Key, words: Iterable[Words]) -> list[object]:
    return [one for each in words for one in each.led_from(key)]


def _paired(before: Sequence[Voice], after: Sequence[Voice]) -> list[tuple[Voice | None, Voice | None]]:
    """Which voice of a place goes on as which; a line that got a new head is the one that has its sightings."""
    left = list(before)
    found: list[tuple[Voice | None, Voice | None]] = []
    for voice in after:
        old = next((one for one in left if _goes_on(one, voice)), None)
        if old is not None:
            left.remove(old)
        found.append((old, voice))
    return [*found, *((voice, None) for voice in left)]


def _goes_on(old: Voice, new: Voice) -> bool:
    if old.line is None or new.line is None:
        return old.line is new.line
    return bool({one.id for one in old.line.sightings} & {one.id for one in new.line.sightings})


def stepped(known: Known, news: News, rules: Rules, now: datetime, reserve: Reserve, *, whole: bool) -> Stepped:
    """Resolve and project what the news reach."""
    region = Region(known.index, known.settled, known.world.decisions)
    if whole:
        region.take_all()
    else:
        region.seek(news.words | news.values)
        region.take((), news.nodes)
    while True:
        try:
            return _attempt(known, news, rules, now, reserve, region)
        except Wider as wider:
            region.take(wider.keys)


def _attempt(known: Known, news: News, rules: Rules, now: datetime, reserve: Reserve, region: Region) -> Stepped:
    resolution = resolve_part(known.index, known.world.decisions, known.settled, region.part)
    before = region.cis
    also = _also(known, news, resolution, before)
    shaped = _cis_of(known, resolution, news.values) - also - before
    while True:
        numbers = [resolution.number_of(id_) for id_ in also]
        projected = project_part(
            resolution, rules, now, numbers, known.beside, [resolution.number_of(id_) for id_ in shaped]
        )
        more = _standing(known, resolution, projected, also | before) - also - before
        more |= {id_ for id_ in shaped if _is_reshaped(known, resolution, projected, id_)}
        if not more:
            break
        also |= more
        shaped -= more
    assigned = assign(resolution, (group for group in projected.cis if group >= 0), known.identities, reserve)
    ids = dict(assigned.ids) | {number: id_ for id_, number in resolution.outside.items()}
    return Stepped(region, resolution, projected, assigned, ids, frozenset(before | also), frozenset(shaped))


def _is_reshaped(known: Known, resolution: Resolution, projected: Projected, id_: str) -> bool:
    """Whether more of a CI is another now than its values: relations and problems hang on it."""
    before, after = known.beside.cis.get(id_), projected.cis.get(resolution.number_of(id_))
    return (
        before is None
        or after is None
        or any(getattr(before, name) != getattr(after, name) for name in ("cls", "space", "name", "label", "state"))
        or _ports(before) != _ports(after)
    )


def _ports(ci: CI) -> list[Component]:
    """The components; the legs of groups are no ports."""
    return [part for part in ci.components if part.kind != "group"]


def _cis_of(known: Known, resolution: Resolution, keys: Iterable[Key]) -> set[str]:
    """The CIs of nodes, as they were and as they are, where these are beside the part."""
    found: set[str] = set()
    for key in keys:
        group = resolution.number(key)
        found |= {id_ for id_ in (known.settled.ci_of.get(key),) if id_ is not None}
        if group is not None and group < 0:
            found.add(resolution.id_of(group))
    return {id_ for id_ in found if id_ in known.settled.cards}


def _also(known: Known, news: News, resolution: Resolution, part: set[str]) -> set[str]:
    """The CIs beside the part that must be projected again: of them something else is said, or by others."""
    settled, index = known.settled, known.index
    found = _cis_of(known, resolution, news.words)

    def add(key: Key) -> None:
        found.update(_cis_of(known, resolution, (key,)))

    for key in news.words:
        if key[0] == "line" and (ci := settled.ci_of.get(key)) is not None:
            found |= settled.all_inside(ci)
    for key in resolution.part.sought:
        old, new = settled.ci_of.get(key), resolution.group_of.get(key)
        if old is None or new is None or new >= 0 or resolution.id_of(new) != old:
            add(key)
    for key in _revoked(known, news, resolution, part):
        add(key)
    for key in (*resolution.part.keys, *resolution.part.sought):
        for voice in index.speakers(key):
            if voice.line is None:
                for said in voice.said:
                    words = index.heard(voice, said, stale=False, aside=False).of.get(key, Words())
                    for of in words.leg_of:
                        add(of)
    return found - part


def _revoked(known: Known, news: News, resolution: Resolution, part: set[str]) -> Iterable[Key]:
    """Whom the lines of a CI name where these judge one another, and something of them is new."""
    index = known.index
    groups = range(len(resolution.groups))
    lines: list[tuple[Key, ...]] = [tuple(line.key for line in resolution.lines(group)) for group in groups]
    told = {key for key in news.words if key[0] == "line"}
    beside = {id_ for key in told if (id_ := known.settled.ci_of.get(key)) is not None} - part
    lines += [tuple(key for key in known.settled.keys(id_) if key[0] == "line") for id_ in beside]
    for keys in lines:
        before = {known.settled.ci_of.get(key) for key in keys}
        was = {key for id_ in before if id_ is not None for key in known.settled.keys(id_) if key[0] == "line"}
        if (len(keys) > 1 or len(was) > 1) and (was != set(keys) or not told.isdisjoint(keys)):
            for key in {*keys, *was}:
                if key in index.nodes:
                    yield from index.named(index.voice(key))


def _standing(known: Known, resolution: Resolution, projected: Projected, ids: set[str]) -> set[str]:
    """Who stands in a room that is declared, named or gone anew."""
    before = {code for id_ in ids if (ci := known.beside.cis.get(id_)) is not None for code in codes_of(ci)}
    rooms = {group: ci for group, ci in projected.cis.items() if ci.cls == "room"}
    after = {code for ci in rooms.values() for code in codes_of(ci)}
    codes = before ^ after if _same_rooms(known, resolution, rooms) else before | after
    return {id_ for code in codes for id_ in known.beside.standing.get(code, ()) if id_ in known.settled.cards}


def _same_rooms(known: Known, resolution: Resolution, rooms: Mapping[int, CI]) -> bool:
    """Whether no room of the part becomes another: then only the codes that are new or gone matter."""
    return all(
        group < 0 or len({known.settled.ci_of.get(key) for key in resolution.keys(group)}) == 1 for group in rooms
    )
