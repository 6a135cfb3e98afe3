"""Whom an answer concerns: services, applications, owners and sites, grouped and counted, the worst first. Pure.

Counts are of all that are affected; what is listed by name is cut, and says how many more there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cmdb.impact.answer import Answer, Item, Outline, Standing
from cmdb.model import CI, Relation

WORSE: Final = ("down", "degraded", "at_risk", "unprotected", "unmanaged")
"""How a CI may be worse, the worst first: availability, then what recovery rests on."""

LISTED: Final = 100
"""So many services, applications, owners and sites are listed."""
NAMED: Final = 5
"""So many CIs of an owner or a site are named."""

_OF_SERVICES: Final = ("sla", "audience", "criticality", "owner", "contact")
_OF_TEAMS: Final = ("email", "phone", "contact")
_READ: Final = frozenset({"service", "application"})
"""Classes whose documents are read; of other CIs those relations alone that lead to teams."""
_SLICE: Final = 20_000

CIs = Callable[[Collection[str]], Mapping[str, CI]]
Relations = Callable[[Collection[str], Collection[str]], Iterable[Relation]]
"""The relations of some types with an end among some CIs."""


class Tally(NamedTuple):
    """How many CIs are worse, and in which way; one may be so in several."""

    total: int
    down: int
    degraded: int
    at_risk: int
    unprotected: int
    unmanaged: int


@dataclass(frozen=True, slots=True)
class Concerned:
    """An affected service or application: its SLA, audience and the like, and whose it is."""

    ci: Item
    now: Standing
    was: Standing
    values: Mapping[str, str]
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What belongs together: an owner's CIs, or those of a building; `id` is None where the owner is but a name.

    `values` are how to reach an owner; `worst` names the first few CIs, the worst first.
    """

    id: str | None
    name: str
    tally: Tally
    values: Mapping[str, str]
    worst: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Who:
    """`services` and `applications` are the first of `of_services` and `of_applications`; owners and sites the first
    of so many. `unowned` and `nowhere` are of those that nobody owns, and that stand in no building that is known."""

    of_services: Tally
    services: tuple[Concerned, ...]
    of_applications: Tally
    applications: tuple[Concerned, ...]
    owners: tuple[Group, ...]
    owners_in_all: int
    unowned: Tally
    sites: tuple[Group, ...]
    sites_in_all: int
    nowhere: Tally


@dataclass(slots=True)
class _Heap:
    """A group while it is counted."""

    name: str
    id: str | None = None
    total: int = 0
    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    worst: list[tuple[int, Item]] = field(default_factory=list)

    def add(self, one: Outline, ways: tuple[str, ...]) -> None:
        self.total += 1
        self.counts[ways] += 1
        rank = _rank(ways)
        if len(self.worst) < NAMED or rank < self.worst[-1][0]:
            # Of those that are equally bad, in the order of the answer.
            self.worst = sorted([*self.worst, (rank, one.ci)], key=lambda pair: pair[0])[:NAMED]

    @property
    def tally(self) -> Tally:
        of_way = {way: sum(count for ways, count in self.counts.items() if way in ways) for way in WORSE}
        return Tally(self.total, **of_way)

    def group(self, values: Mapping[str, str]) -> Group:
        return Group(self.id, self.name, self.tally, values, tuple(item for _, item in self.worst))


class _Row(NamedTuple):
    """An affected CI that may have an owner, and in which ways it is worse."""

    one: Outline
    ways: tuple[str, ...]


def who(answer: Answer, cis: CIs, relations: Relations) -> Who:
    """Whom the answer concerns; `cis` and `relations` read what was there at its revision."""
    kept: list[_Row] = []
    owned: dict[str, set[str]] = {}
    sites: dict[str, _Heap] = {}
    every, nowhere = _Heap(""), _Heap("")
    seen: dict[tuple[Standing, Standing], tuple[str, ...]] = {}
    for start in range(0, len(answer.outlines), _SLICE):
        rows = answer.outlines[start : start + _SLICE]
        for relation in relations({one.ci.id for one in rows}, ("owned_by",)):
            owned.setdefault(relation.source, set()).add(relation.target)
        for one in rows:
            if (ways := seen.get((one.now, one.was))) is None:
                ways = seen[one.now, one.was] = ways_of(one.now, one.was)
            every.add(one, ways)
            site = nowhere if one.site is None else sites.get(one.site.id)
            if site is None and one.site is not None:
                site = sites[one.site.id] = _Heap(one.site.name, one.site.id)
            if site is not None:
                site.add(one, ways)
            if one.ci.cls in _READ or one.ci.id in owned:
                kept.append(_Row(one, ways))
    teams = {team for row in kept for team in owned.get(row.one.ci.id, ())}
    documents = cis({row.one.ci.id for row in kept if row.one.ci.cls in _READ} | teams)
    owners = {row.one.ci.id: _owners(row.one.ci.id, owned.get(row.one.ci.id, ()), documents) for row in kept}
    heaps, unowned = _by_owner(kept, owners, documents, every.counts)
    services, applications = (_concerned(kept, cls, documents, owners) for cls in ("service", "application"))
    return Who(
        *services,
        *applications,
        tuple(heap.group(_texts(documents.get(heap.id or ""), _OF_TEAMS)) for heap in _worst(heaps)[:LISTED]),
        len(heaps),
        unowned,
        tuple(heap.group({}) for heap in _worst(sites)[:LISTED]),
        len(sites),
        nowhere.tally,
    )


def ways_of(now: Standing, was: Standing) -> tuple[str, ...]:
    """In which ways a CI is worse, the worst first."""
    return tuple(getattr(now, axis) for axis in now.worse_than(was))


def _rank(ways: Sequence[str]) -> int:
    return WORSE.index(ways[0]) if ways else len(WORSE)


def _owners(ci: str, teams: Collection[str], documents: Mapping[str, CI]) -> dict[str, str]:
    """Whose a CI is, by how names compare: teams, the `owner` that it says, else the one to `contact`."""
    names = (documents[team].name for team in sorted(teams) if team in documents)
    found = {name.casefold(): name for name in names}
    said = _texts(documents.get(ci), ("owner", "contact"))
    if (owner := said.get("owner")) is not None:
        found.setdefault(owner.casefold(), owner)
    if not found and (contact := said.get("contact")) is not None:
        found[contact.casefold()] = contact
    return found


def _by_owner(
    rows: Iterable[_Row],
    owners: Mapping[str, Mapping[str, str]],
    documents: Mapping[str, CI],
    every: Mapping[tuple[str, ...], int],
) -> tuple[dict[str, _Heap], Tally]:
    """The CIs of each owner, by how names compare; and how many of all have none."""
    teams = {ci.name.casefold(): ci for _, ci in sorted(documents.items(), reverse=True) if ci.cls == "team"}
    heaps: dict[str, _Heap] = {}
    unowned = _Heap("", counts=Counter(every), total=sum(every.values()))
    for one, ways in rows:
        for key, name in owners[one.ci.id].items():
            if key not in heaps:
                team = teams.get(key)
                heaps[key] = _Heap(name) if team is None else _Heap(team.name, team.id)
            heaps[key].add(one, ways)
        if owners[one.ci.id]:
            unowned.total -= 1
            unowned.counts[ways] -= 1
    return heaps, unowned.tally


def _worst(heaps: Mapping[str, _Heap]) -> list[_Heap]:
    """Those with most CIs down first, then with most degraded, and so on."""

    def key(heap: _Heap) -> tuple[tuple[int, ...], str, str]:
        return tuple(-count for count in heap.tally[1:]), heap.name, heap.id or ""

    return sorted(heaps.values(), key=key)


def _concerned(
    rows: Iterable[_Row], cls: str, documents: Mapping[str, CI], owners: Mapping[str, Mapping[str, str]]
) -> tuple[Tally, tuple[Concerned, ...]]:
    """The CIs of a class: how many, and the worst of them with what they say of themselves."""
    heap = _Heap("")
    found = [row for row in rows if row.one.ci.cls == cls]
    for one, ways in found:
        heap.add(one, ways)
    listed = sorted(found, key=lambda row: (_rank(row.ways), row.one.ci.name, row.one.ci.id))[:LISTED]
    return heap.tally, tuple(
        Concerned(
            one.ci,
            one.now,
            one.was,
            _texts(documents.get(one.ci.id), _OF_SERVICES),
            tuple(sorted(owners[one.ci.id].values())),
        )
        for one, _ in listed
    )


def _texts(ci: CI | None, names: Iterable[str]) -> dict[str, str]:
    """Those of some attributes that a CI has."""
    given = {} if ci is None else ci.attributes
    return {name: value for name in names if isinstance(value := given.get(name), str) and value}
