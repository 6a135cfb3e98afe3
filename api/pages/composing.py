"""A question as it is composed on the page: what was picked, what could be picked, and which kinds fit it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from cmdb import schema
from cmdb.impact import KINDS, Question
from cmdb.inventory import Inventory
from cmdb.model import CI, ModelError, Relation, State
from cmdb.store.base import Query
from cmdb.what import Ambiguous, NotFound, Target

_OFFERED: Final = 60
"""So many are offered at once; of the others their number is told."""
_MISSING_OFFERED: Final = 40
_IN_A_PLACE: Final = 5_000
_LONGEST: Final = 20_000
_NAMED: Final = 5
_OF_PLACES: Final = frozenset({"power_off", "remove"})
_PORTS: Final = ("from_port", "to_port")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page says: `what` and `down` as people name them, `within` are places all of whose
    items are meant; the rest is what is looked for while composing."""

    what: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    kind: str = "power_off"
    restarts: bool = False
    at: str = ""
    find: str = ""
    near: str = ""

    def link(self) -> str:
        """The query string that asks this again."""
        pairs = [("what", one) for one in self.what] + [("in", one) for one in self.within]
        pairs += [("kind", self.kind), *(("down", one) for one in self.down)]
        pairs += [("restarts", "1")] * self.restarts + [("at", self.at)] * bool(self.at)
        return urlencode(pairs)


@dataclass(frozen=True, slots=True)
class Pick:
    """A CI, a relation or a place that is picked, or may be. `value` goes into the address; `cls` is a class or a type
    of relation, `more` is what tells it apart; `size` is how many are in a place that is meant as a whole."""

    value: str
    name: str
    cls: str
    relation: bool = False
    more: str = ""
    size: int | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be picked, `left_out` more would fit. `of` is what they stand around, or are in."""

    picks: tuple[Pick, ...] = ()
    left_out: int = 0
    of: Pick | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """The question as far as it is one; `wrong` says why it is none. `text` and `down_text` are what named nothing."""

    asked: Asked
    picked: tuple[Pick, ...]
    down: tuple[Pick, ...]
    text: str
    down_text: str
    question: Question | None
    wrong: ModelError | None
    unfit: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]]
    found: Offer
    near: Offer
    missing: Offer


def composed(inventory: Inventory, asked: Asked) -> Composed:
    """Look up what is named, and what may be picked."""
    reading = _Reading(inventory)
    targets, wrong, text = reading.named(asked.what)
    places = [place for one in asked.within if (place := reading.place(one)) is not None]
    assumed, wrong_down, down_text = reading.named(asked.down)
    wrong = wrong or wrong_down or reading.wrong
    if wrong is None and assumed.relations:
        wrong = ModelError("down: only CIs can be down already, not relations")
    picked = (*reading.picks(targets), *(pick for pick, _ in places))
    cis = dict.fromkeys((*targets.cis, *(id_ for _, members in places for id_ in members)))
    empty = not cis and not targets.relations
    if wrong is None and places and empty:
        wrong = ModelError(
            f"nothing stands in {', '.join(pick.name for pick, _ in places)}: there is nothing to change"
        )
    question = Question(tuple(cis), tuple(dict.fromkeys(targets.relations)), asked.kind, assumed.cis, asked.restarts)
    return Composed(
        Asked(
            (*dict.fromkeys((*targets.cis, *targets.relations)),), tuple(pick.value for pick, _ in places),
            assumed.cis, asked.kind, asked.restarts, asked.at, asked.find, asked.near,
        ),
        picked, reading.picks(assumed), text, down_text, None if wrong or empty else question, wrong,
        _unfit(picked), reading.found(asked.find), reading.near(asked.near), reading.missing(assumed.cis),
    )  # fmt: skip


def _unfit(picked: Iterable[Pick]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
    """The kinds that do not fit what is picked (impact.md): of each, what it does not fit (`place`, `relation`), and
    who is that."""
    picked = [one for one in picked if one.size is None]
    places = tuple(one.name for one in picked if not one.relation and schema.is_a(one.cls, "location"))
    relations = tuple(one.name for one in picked if one.relation)
    refused: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for kind in KINDS:
        if places and kind not in _OF_PLACES:
            refused.setdefault(kind, []).append(("place", _first(places)))
        if relations and kind == "reboot":
            refused.setdefault(kind, []).append(("relation", _first(relations)))
    return refused


def _first(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= _NAMED else (*names[:_NAMED], "…")


class _Reading:
    """Reads what somebody named; `wrong` is the first thing that makes no sense."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self.wrong: ModelError | None = None

    def named(self, texts: Iterable[str]) -> tuple[Target, ModelError | None, str]:
        """What is meant, why some of it means nothing, and the lines of that."""
        target, wrong, unread = Target(), None, []
        lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
        if sum(map(len, lines)) > _LONGEST:
            return target, ModelError(f"more than {_LONGEST} characters: ask about fewer at once"), ""
        for line in lines:
            try:
                target = target + self._inventory.target(line)
            except ModelError as error:
                wrong = wrong or error
                unread.append(line)
        return target, wrong, "\n".join(unread)

    def picks(self, target: Target) -> tuple[Pick, ...]:
        """How chips are called."""
        relations = self._inventory.relations_by_id(target.relations)
        ends = {end for one in relations.values() for end in (one.source, one.target)}
        cis = self._cis([*target.cis, *ends])
        return (
            *(_of_ci(cis[id_]) for id_ in dict.fromkeys(target.cis) if id_ in cis),
            *(_of_relation(relations[id_], cis) for id_ in dict.fromkeys(target.relations) if id_ in relations),
        )

    def place(self, text: str) -> tuple[Pick, list[str]] | None:
        """A place as a chip, and who is in it."""
        try:
            target = self._inventory.target(text)
            stored = self._inventory.stored(target.cis[0]) if target.cis else None
            members = self._members(text, None if stored is None else stored.ci)
        except ModelError as error:
            self.wrong = self.wrong or error
            return None
        if stored is None:
            return None
        return Pick(stored.ci.id, stored.ci.name, stored.ci.cls, size=len(members)), [one.id for one in members]

    def _members(self, text: str, place: CI | None) -> list[CI]:
        """Who stands in a place, without the places in it."""
        if place is None or not schema.is_a(place.cls, "location"):
            raise ModelError(f"in: {text!r} is no place: name a room, a rack, a floor or a building")
        query = Query(classes=_STANDING, places=self._inventory.within(place.id), states=_THERE, limit=_IN_A_PLACE + 1)
        members = [stored.ci for stored in self._inventory.find(query)]
        if len(members) > _IN_A_PLACE:
            raise ModelError(
                f"in: more than {_IN_A_PLACE} are in {place.name}; ask about the place itself, or its parts"
            )
        return members

    def found(self, text: str) -> Offer:
        """What a search finds: what is named so first, then the words."""
        if not (text := text.strip()):
            return Offer()
        picks: list[Pick] = []
        try:
            picks += self.picks(self._inventory.target(text))
        except Ambiguous as error:
            picks += [
                Pick(one.id, one.name, one.cls, relation=one.cls in schema.RELATION_TYPES) for one in error.candidates
            ]
        except NotFound:
            pass
        except ModelError as error:
            self.wrong = self.wrong or error
        query = Query(text=text[:200], states=_THERE, limit=_OFFERED + 1)
        picks += [_of_ci(stored.ci) for stored in self._inventory.find(query)]
        picks = list({pick.value: pick for pick in picks}.values())
        left_out = self._inventory.count(query) - _OFFERED if len(picks) > _OFFERED else 0
        return Offer(tuple(picks[:_OFFERED]), max(0, left_out))

    def near(self, text: str) -> Offer:
        """Who stands around a CI, with the relations between; or in a place."""
        stored = self._inventory.stored(text) if text else None
        if stored is None:
            return Offer()
        middle = stored.ci
        relations = self._inventory.relations(middle.id)
        others = self._cis(end for one in relations for end in (one.source, one.target))
        picks: dict[str, Pick] = {}
        for one in sorted(relations, key=lambda one: (one.type, others[_other(one, middle)].name)):
            end = others[_other(one, middle)]
            row = schema.relation_row(one.type)
            how = one.type if one.source == middle.id else row.inverse
            if end.state is not State.RETIRED:
                picks.setdefault(end.id, _of_ci(end, how))
                picks[one.id] = _of_relation(one, others)
        return Offer(tuple(list(picks.values())[: 2 * _OFFERED]), max(0, len(picks) - 2 * _OFFERED), _of_ci(middle))

    def missing(self, assumed: Sequence[str]) -> Offer:
        """The missing CIs: perhaps they are down. Those that are assumed so already are not offered again."""
        query = Query(states=frozenset({State.MISSING}), limit=_MISSING_OFFERED + len(assumed))
        found = [_of_ci(stored.ci) for stored in self._inventory.find(query) if stored.ci.id not in assumed]
        total = self._inventory.count(query) if len(found) >= _MISSING_OFFERED else len(found)
        picks = found[:_MISSING_OFFERED]
        return Offer(tuple(picks), max(0, total - len(picks)))

    def _cis(self, ids: Iterable[str]) -> dict[str, CI]:
        return {stored.ci.id: stored.ci for stored in self._inventory.several(ids).values()}


_THERE: Final = frozenset({State.PRESENT, State.MISSING})
_STANDING: Final = frozenset(name for name in schema.CONCRETE if not schema.is_a(name, "location"))


def _other(relation: Relation, ci: CI) -> str:
    return relation.target if relation.source == ci.id else relation.source


def _of_ci(ci: CI, how: str = "") -> Pick:
    return Pick(ci.id, ci.name, ci.cls, more=ci.label or "", how=how)


def _of_relation(relation: Relation, cis: Mapping[str, CI]) -> Pick:
    ends = [cis[end].name if end in cis else end for end in (relation.source, relation.target)]
    ports = [relation.columns.get(column) for column in _PORTS]
    if relation.type == schema.CABLE:
        ends = [f"{end}[{port}]" if port else end for end, port in zip(ends, ports, strict=True)]
    more = ", ".join(_keys(relation))
    return Pick(relation.id, " – ".join(ends), relation.type, relation=True, more=more)


def _keys(relation: Relation) -> Iterator[str]:
    """What tells a relation apart from others between the same two."""
    for column in schema.relation_row(relation.type).keys:
        if column not in _PORTS and relation.columns.get(column) is not None:
            yield f"{column}={relation.columns[column]}"
