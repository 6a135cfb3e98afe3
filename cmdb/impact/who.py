"""Whom an answer concerns: services, applications, owners and sites, grouped and counted, the worst first. Pure.

Counts are of all that are affected; what is listed by name is cut, and says how many more there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cmdb.impact.answer import NAMED, WORSE, Census, Concern, Item, Standing, Ways
from cmdb.model import CI

LISTED: Final = 100
"""So many services, applications, owners and sites are listed."""
READ: Final = 10_000
"""Of so many services and applications, the services first, the documents are read: who owns them by name, and the
like. Teams are known of everybody."""

_OF_SERVICES: Final = ("sla", "audience", "criticality", "owner", "contact")
_OF_TEAMS: Final = ("email", "phone", "contact")

CIs = Callable[[Collection[str]], Mapping[str, CI]]


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


class Owner(NamedTuple):
    """A team, or somebody who is but a name."""

    name: str
    id: str | None


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
    """An owner while he is counted."""

    name: str
    id: str | None
    counts: Counter[Ways] = field(default_factory=Counter)
    worst: list[tuple[int, Item]] = field(default_factory=list)

    def add(self, one: Concern) -> None:
        self.counts[one.ways] += 1
        rank = _rank(one.ways)
        if len(self.worst) < NAMED or rank < self.worst[-1][0]:
            # Of those that are equally bad, in the order of the answer.
            self.worst = sorted([*self.worst, (rank, one.ci)], key=lambda pair: pair[0])[:NAMED]


def who(census: Census, cis: CIs) -> Who:
    """Whom the answer concerns; `cis` reads what was there at its revision."""
    named = sorted((one for one in census.concerned if one.is_read), key=lambda one: one.ci.cls != "service")
    teams = {team.id for one in census.concerned for team in one.teams}
    documents = cis({one.ci.id for one in named[:READ]} | teams)
    owners = {one.ci.id: _owners(one, documents) for one in census.concerned}
    heaps, owned = _by_owner(census.concerned, owners)
    sites = sorted(
        (
            Group(one.site.id, one.site.name, tally(one.counts), {}, one.worst)
            for one in census.located
            if one.site is not None
        ),
        key=_worst_first,
    )
    every = Counter(census.counts)
    every.subtract(owned)
    of_service, of_application = (tally(census.by_class[cls]) for cls in ("service", "application"))
    services, applications = (_listed(named, cls, documents, owners) for cls in ("service", "application"))
    groups = [
        Group(one.id, one.name, tally(one.counts), _texts(documents.get(one.id or ""), _OF_TEAMS), _items(one.worst))
        for one in heaps
    ]
    return Who(
        of_service, services, of_application, applications, tuple(sorted(groups, key=_worst_first)[:LISTED]),
        len(groups), tally(every), tuple(sites[:LISTED]), len(sites),
        tally(next((one.counts for one in census.located if one.site is None), {})),
    )  # fmt: skip


def ways_of(now: Standing, was: Standing) -> Ways:
    """In which ways a CI is worse, the worst first."""
    return tuple(getattr(now, axis) for axis in now.worse_than(was))


def tally(counts: Mapping[Ways, int]) -> Tally:
    """How many there are in all, and in each way."""
    ways = {way: sum(count for ways, count in counts.items() if way in ways) for way in WORSE}
    return Tally(sum(counts.values()), **ways)


def _rank(ways: Ways) -> int:
    return WORSE.index(ways[0]) if ways else len(WORSE)


def _items(worst: Iterable[tuple[int, Item]]) -> tuple[Item, ...]:
    return tuple(item for _, item in worst)


def _worst_first(group: Group) -> tuple[tuple[int, ...], str, str]:
    """Those with most CIs down first, then with most degraded, and so on."""
    return tuple(-count for count in group.tally[1:]), group.name, group.id or ""


def _owners(one: Concern, documents: Mapping[str, CI]) -> dict[str, Owner]:
    """Whose a CI is, by how names compare: teams, the `owner` that it says, else the one to `contact`."""
    found = {team.name.casefold(): Owner(team.name, team.id) for team in reversed(one.teams)}
    said = _texts(documents.get(one.ci.id), ("owner", "contact")) if one.is_read else {}
    if (owner := said.get("owner")) is not None:
        found.setdefault(owner.casefold(), Owner(owner, None))
    if not found and (contact := said.get("contact")) is not None:
        found[contact.casefold()] = Owner(contact, None)
    return found


def _by_owner(
    concerned: Iterable[Concern], owners: Mapping[str, Mapping[str, Owner]]
) -> tuple[list[_Heap], Counter[Ways]]:
    """The CIs of each owner, a team where one has his name; and how many have any."""
    rows = list(concerned)
    teams = {key: one for row in rows for key, one in owners[row.ci.id].items() if one.id is not None}
    heaps: dict[str, _Heap] = {}
    owned: Counter[Ways] = Counter()
    for row in rows:
        for key, given in owners[row.ci.id].items():
            owner = teams.get(key, given)
            heaps.setdefault(key, _Heap(owner.name, owner.id)).add(row)
        owned[row.ways] += bool(owners[row.ci.id])
    return list(heaps.values()), owned


def _listed(
    named: Iterable[Concern], cls: str, documents: Mapping[str, CI], owners: Mapping[str, Mapping[str, Owner]]
) -> tuple[Concerned, ...]:
    """The worst of a class, with what they say of themselves."""
    worst = sorted(
        (one for one in named if one.ci.cls == cls), key=lambda one: (_rank(one.ways), one.ci.name, one.ci.id)
    )
    return tuple(
        Concerned(
            one.ci,
            one.now,
            one.was,
            _texts(documents.get(one.ci.id), _OF_SERVICES),
            tuple(sorted(owner.name for owner in owners[one.ci.id].values())),
        )
        for one in worst[:LISTED]
    )


def _texts(ci: CI | None, names: Iterable[str]) -> dict[str, str]:
    """Those of some attributes that a CI has."""
    given = {} if ci is None else ci.attributes
    return {name: value for name in names if isinstance(value := given.get(name), str) and value}
