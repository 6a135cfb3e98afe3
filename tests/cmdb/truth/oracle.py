"""Who is who, once more: slowly, from scratch, from the words of the page on truth, with no code of `cmdb.resolve`.

It knows things that answered, things named by identifiers, and things declared with some; nothing inside another, and
nothing named weakly. What it takes from cmdb are types, the class table, and the one spelling of identifiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from itertools import combinations
from typing import TypeAlias

from cmdb.evidence import normalised
from cmdb.model import SCHEMES, Completeness, Decision, Identifier, Report, RunSection, Section, Subject
from cmdb.schema import CI_CLASSES
from tests.cmdb.truth.saying import Event

Value: TypeAlias = tuple[str, str, str]
Name: TypeAlias = tuple[object, ...]
"""How a node is called where the oracle and the resolver are compared."""

_COUNT_IN_A_DOMAIN = frozenset({"serial", "uuid", "member_serial"})


@dataclass
class Sight:
    """What an address said with one head."""

    space: str
    source: str
    port: int
    identifiers: frozenset[Identifier]
    macs: frozenset[str]
    times: list[datetime] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)
    sections: list[Section] = field(default_factory=list)

    @property
    def time(self) -> datetime:
        return max(self.times)


@dataclass
class One:
    """A node. A line has a place; what others name has none."""

    name: Name
    identifiers: frozenset[Identifier]
    domains: set[str]
    seen: datetime
    place: tuple[str, str] | None = None
    macs: frozenset[str] = frozenset()
    past: datetime | None = None
    declared: bool = False

    def values(self) -> set[Value]:
        found: set[Value] = set()
        for scheme, value in self.identifiers:
            if scheme in _COUNT_IN_A_DOMAIN:
                found |= {(scheme, value, domain) for domain in self.domains or {"machine"}}
            else:
                found.add((scheme, value, ""))
        return found


Group: TypeAlias = list[One]


@dataclass(frozen=True)
class Verdict:
    """The CIs, each as its nodes, and the values that join nothing."""

    cis: frozenset[frozenset[Name]]
    burnt: frozenset[Value]


def judge(events: Iterable[Event], missing_after: int) -> Verdict:
    """Who is who."""
    told = list(events)
    reports = [normalised(one) for one in told if isinstance(one, Report)]
    runs = sorted((one for one in told if isinstance(one, RunSection)), key=lambda one: one.time)
    decisions = [one for one in told if isinstance(one, Decision)]
    return _joined(_nodes(reports, runs, missing_after), decisions)


# Identifiers


def _all_of(found: Iterable[Identifier]) -> frozenset[Identifier]:
    """A serial is also a member serial; who gives member serials has only those."""
    given = set(found)
    serials = {one for one in given if one.scheme == "serial"}
    members = {Identifier("member_serial", one.value) for one in serials}
    if any(one.scheme == "member_serial" for one in given):
        given -= serials
    return frozenset(given | members)


def _own(sections: Iterable[Section]) -> set[Identifier]:
    return {
        one
        for section in sections
        for said in section.statements
        if said.about.itself
        for one in said.about.identifiers
    }


def _listed(sections: Iterable[Section]) -> frozenset[str]:
    full = [one for one in sections if one.completeness == "full" and one.name.endswith(".interfaces")]
    return frozenset(one.value for one in _own(full) if one.scheme == "mac")


def _differ(one: Iterable[Identifier], other: Iterable[Identifier], schemes: Iterable[str]) -> bool:
    given, given_too = set(one), set(other)
    for scheme in schemes:
        mine, theirs = ({each.value for each in found if each.scheme == scheme} for found in (given, given_too))
        if mine and theirs and not mine & theirs:
            return True
    return False


# Lines


def _sights(reports: Iterable[Report]) -> dict[tuple[str, str], list[Sight]]:
    found: dict[tuple[object, ...], Sight] = {}
    for report in sorted(reports, key=lambda one: one.time):
        said = [one for one in report.sections if one.completeness in {Completeness.FULL, Completeness.PARTIAL}]
        identifiers, macs = _all_of(_own(said)), _listed(said)
        full = frozenset(one.name for one in said if one.completeness == "full")
        port = 0 if identifiers else report.port
        head = (report.space, report.source, port, identifiers, macs, full)
        sight = found.setdefault(head, Sight(report.space, report.source, port, identifiers, macs))
        sight.times.append(report.time)
        sight.sections += said
        sight.runs |= {report.run} if report.run else set()
    places: dict[tuple[str, str], list[Sight]] = {}
    for sight in found.values():
        places.setdefault((sight.space, sight.source), []).append(sight)
    return places


def _in_force(sights: Iterable[Sight]) -> list[Section]:
    """By name the newest full section, and the partial ones after it."""
    every = [section for sight in sights for section in sight.sections]
    found = []
    for name in {one.name for one in every}:
        named = [one for one in every if one.name == name]
        last = max((one.time for one in named if one.completeness == "full"), default=None)
        found += [one for one in named if last is None or one.time > last]
        found += [one for one in named if one.completeness == "full" and one.time == last][:1]
    return found


def _continues(later: Sight, earlier: Sight) -> bool:
    return (
        bool(later.identifiers & earlier.identifiers)
        and not _differ(later.identifiers, earlier.identifiers, ("serial", "uuid"))
        and not (later.macs and earlier.macs and not later.macs & earlier.macs)
    )


def _lines(sights: Sequence[Sight]) -> list[list[Sight]]:
    lines: list[list[Sight]] = []
    newest_first = sorted((one for one in sights if one.identifiers), key=lambda one: one.time, reverse=True)
    for number, sight in enumerate(newest_first):
        first = next((one for one in reversed(newest_first[:number]) if _continues(one, sight)), None)
        line = next((line for line in lines if any(one is first for one in line)), None)
        if line is None or _differ(sight.identifiers, (i for one in line for i in one.identifiers), ("serial", "uuid")):
            lines.append([sight])
        else:
            line.append(sight)
    return lines


def _past(sights: Sequence[Sight], runs: Iterable[RunSection], missing_after: int) -> datetime | None:
    seen = max(one.time for one in sights)
    answered = set().union(*(one.runs for one in sights))
    missed = [
        run
        for run in runs
        if run.complete and run.time > seen and run.space == sights[0].space and run.run not in answered
        and any(ip_address(sights[0].source) in ip_network(network) for network in run.networks)
    ]  # fmt: skip
    return missed[missing_after - 1].time if len(missed) >= missing_after else None


# Nodes


def _nodes(reports: Iterable[Report], runs: Sequence[RunSection], missing_after: int) -> list[One]:
    reports = list(reports)
    found: dict[Name, One] = {}
    for sights in _sights(one for one in reports if not one.declared).values():
        silent: dict[int, list[Sight]] = {}
        lines = _lines(sights)
        nameless: list[Sight] = []
        for sight in sorted((one for one in sights if not one.identifiers), key=lambda one: min(one.times)):
            takers = [
                number
                for number, line in enumerate(lines)
                if _own(_in_force(line))
                and ((past := _past([*line, *silent.get(number, [])], runs, missing_after)) is None
                     or past > min(sight.times))
            ]  # fmt: skip
            if takers:
                silent.setdefault(max(takers, key=lambda number: lines[number][0].time), []).append(sight)
            else:
                nameless.append(sight)
        for number, line in enumerate(lines):
            _add_line(found, line, silent.get(number, []), runs, missing_after)
        # Without any identifier they are known by address and port; they are not compared, whom they name is.
        for port in {one.port for one in nameless}:
            same = [one for one in nameless if one.port == port]
            _add_others(found, same[0].space, _in_force(same))
    for source in {(one.space, one.source) for one in reports if one.declared}:
        last = max((one for one in reports if (one.space, one.source) == source), key=lambda one: one.time)
        _add_others(found, last.space, last.sections)
    return list(found.values())


def _add_line(
    found: dict[Name, One], line: list[Sight], silent: list[Sight], runs: Sequence[RunSection], missing_after: int
) -> None:
    said, aside = _in_force(line), _in_force(silent)
    identifiers = _all_of(_own(said))
    seen = max(one.time for one in (*line, *silent))
    space, source = line[0].space, line[0].source
    classes = {one.about.cls for section in said for one in section.statements if one.about.itself}
    name: Name = ("line", space, source, tuple(sorted(identifiers)), seen)
    past = _past([*line, *silent], runs, missing_after)
    found[name] = One(name, identifiers, _domains(classes), seen, (space, source), _listed(said), past)
    _add_others(found, space, [*said, *aside])


def _add_others(found: dict[Name, One], space: str, sections: Iterable[Section]) -> None:
    for section in sections:
        ends = [end for claim in section.relations for end in (claim.source, claim.target)]
        for subject in (*(one.about for one in section.statements), *ends):
            each: Subject | None = subject
            while each is not None:
                if not each.itself and each.identifiers:
                    _add_named(found, space, each, section.time)
                each = each.owner


def _add_named(found: dict[Name, One], space: str, subject: Subject, time: datetime) -> None:
    domains = _domains({subject.cls})
    if subject.declared:
        name: Name = ("declared", space, subject.cls, (subject.name or "").lower())
    else:
        counts = any(one.scheme in _COUNT_IN_A_DOMAIN for one in subject.identifiers)
        name = ("subject", next(iter(domains), "") if counts else "", tuple(sorted(subject.identifiers)))
    one = found.setdefault(name, One(name, frozenset(), set(), time, declared=subject.declared))
    one.identifiers = _all_of(one.identifiers | subject.identifiers)
    one.domains |= domains
    one.seen = max(one.seen, time)


def _domains(classes: Iterable[str | None]) -> set[str]:
    return {domain for cls in classes if cls is not None and (domain := CI_CLASSES[cls].domain) is not None}


# Groups


def _joined(nodes: list[One], decisions: Sequence[Decision]) -> Verdict:
    groups: list[Group] = [[one] for one in nodes]
    for decision in (one for one in decisions if one.verdict == "same"):
        groups = _linked(groups, [{id(one) for one in nodes if one.identifiers & (decision.a | decision.b)}])
    burnt: set[Value] = set()
    for level in SCHEMES:
        links: list[tuple[Value, set[int]]] = []
        for value in {value for one in nodes for value in one.values() if value[0] == level}:
            carriers = [one for one in nodes if value in one.values()]
            if len(_of(groups, carriers)) < 2:
                continue
            if _any_contradict(_of(groups, carriers), level, decisions):
                newest = max(one.seen for one in carriers)
                present = [one for one in carriers if one.past is None or one.past >= newest]
                if len(present) == len(carriers) or _any_contradict(_of(groups, present), level, decisions):
                    burnt.add(value)
                    continue
                carriers = present
            links.append((value, {id(one) for one in carriers}))
        for component in _components(groups, links):
            members = [one for one in nodes if any(id(one) in ids for _, ids in component)]
            if _any_contradict(_of(groups, members), level, decisions):
                burnt |= {value for value, ids in component if len(_of(groups, [n for n in nodes if id(n) in ids])) > 1}
            else:
                groups = _linked(groups, [{id(one) for one in members}])
    cis = [
        group for group in groups if any(one.place is not None or one.declared or one.values() - burnt for one in group)
    ]
    return Verdict(frozenset(frozenset(one.name for one in group) for group in cis), frozenset(burnt))


def _of(groups: Sequence[Group], nodes: Iterable[One]) -> list[Group]:
    wanted = {id(one) for one in nodes}
    return [group for group in groups if any(id(one) in wanted for one in group)]


def _linked(groups: Sequence[Group], links: Iterable[set[int]]) -> list[Group]:
    found = [list(group) for group in groups]
    for link in links:
        hit = [group for group in found if any(id(one) in link for one in group)]
        rest = [group for group in found if not any(id(one) in link for one in group)]
        found = [*rest, [one for group in hit for one in group]] if hit else rest
    return found


def _components(groups: Sequence[Group], links: Sequence[tuple[Value, set[int]]]) -> list[list[tuple[Value, set[int]]]]:
    """Links that touch one another, by the groups that they lead to."""
    place = {id(one): number for number, group in enumerate(groups) for one in group}
    left = [(value, ids, {place[one] for one in ids}) for value, ids in links]
    found = []
    while left:
        value, ids, reach = left.pop()
        component = [(value, ids)]
        grown = True
        while grown:
            near = [row for row in left if row[2] & reach]
            left = [row for row in left if not row[2] & reach]
            component += [(value, ids) for value, ids, _ in near]
            reach = reach.union(*(row[2] for row in near))
            grown = bool(near)
        found.append(component)
    return found


def _any_contradict(groups: Iterable[Group], level: str, decisions: Iterable[Decision]) -> bool:
    return any(_contradict(one, other, level, list(decisions)) for one, other in combinations(groups, 2))


def _contradict(one: Group, other: Group, level: str, decisions: Sequence[Decision]) -> bool:
    mine, theirs = ({each for node in group for each in node.identifiers} for group in (one, other))
    stronger = [scheme for scheme in ("serial", "uuid") if SCHEMES.index(scheme) < SCHEMES.index(level)]
    if _differ(mine, theirs, stronger):
        return True
    known, known_too = ({domain for node in group for domain in node.domains} for group in (one, other))
    if known and known_too and not known & known_too:
        return True
    for decision in decisions:
        a, b = decision.a - decision.b, decision.b - decision.a
        if decision.verdict == "different" and ((mine & a and theirs & b) or (mine & b and theirs & a)):
            return True
    macs, macs_too = (_macs(group) for group in (one, other))
    return not macs & macs_too and any(
        a.place != b.place and a.macs and b.macs
        and not (a.past is not None and a.past <= b.seen) and not (b.past is not None and b.past <= a.seen)
        for a in one for b in other
    )  # fmt: skip


def _macs(group: Group) -> set[str]:
    listed = {mac for one in group for mac in one.macs}
    return listed | {each.value for one in group for each in one.identifiers if each.scheme == "mac"}
