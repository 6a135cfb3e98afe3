"""Lines: one thing at one address over time (truth.md, "Lines"). Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from cmdb.evidence import RUNS_KEPT, SHORT, Head, Held, Kept, Sighting, effective, macs_of, own_identifiers
from cmdb.model import SINGLE_VALUED, Completeness, Identifier, RunSection


class Said(NamedTuple):
    """A section of a line that is not replaced."""

    name: str
    held: Held

    @property
    def full(self) -> bool:
        return self.held.section.completeness is Completeness.FULL


@dataclass(frozen=True, slots=True)
class Line:
    """Sightings that are one thing, newest first, and what of them is not replaced.

    `silent` are sightings without any identifier that answered while this line was not past: they are this thing, but
    say nothing of it, only of others (`aside`). `past` is when the line became past; `gone` are the times in which it
    was past before it answered again, `first` is when it was seen first.
    """

    space: str
    source: str
    sightings: tuple[Sighting, ...]
    seen: datetime
    silent: tuple[Sighting, ...] = ()
    said: tuple[Said, ...] = ()
    aside: tuple[Said, ...] = ()
    identifiers: frozenset[Identifier] = frozenset()
    macs: frozenset[str] | None = None
    past: datetime | None = None
    first: datetime | None = None
    gone: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return ("line", self.space, self.source, self.sightings[0].id)

    @property
    def port(self) -> int:
        return self.sightings[0].port


def differ(one: Iterable[Identifier], other: Iterable[Identifier]) -> bool:
    """Whether both give a single-valued identifier of one scheme, and no common value of it."""
    mine, theirs = list(one), list(other)
    for scheme in SINGLE_VALUED:
        first = {each.value for each in mine if each.scheme == scheme}
        second = {each.value for each in theirs if each.scheme == scheme}
        if first and second and first.isdisjoint(second):
            return True
    return False


def continues(later: Head, earlier: Head) -> bool:
    """Whether a later sighting at an address is of the thing that the earlier one was of."""
    if later.identifiers.isdisjoint(earlier.identifiers) or differ(later.identifiers, earlier.identifiers):
        return False
    return later.macs is None or earlier.macs is None or not later.macs.isdisjoint(earlier.macs)


def lines_of(sightings: Iterable[Sighting], runs: Sequence[RunSection], missing_after: int) -> list[Line]:
    """The lines of one address (in one space), from its sightings."""
    newest_first = sorted(sightings, key=lambda one: (one.time, one.id), reverse=True)
    found: list[list[Sighting]] = []
    place: dict[str, list[Sighting]] = {}
    with_identifiers = [one for one in newest_first if one.head.identifiers]
    for number, sighting in enumerate(with_identifiers):
        line = _line_to_join(sighting, with_identifiers[:number], place)
        if line is None:
            line = []
            found.append(line)
        line.append(sighting)
        place[sighting.id] = line
    lines = [_line(line, runs, missing_after) for line in found]
    by_port: dict[int, list[Sighting]] = {}
    for sighting in newest_first:
        if not sighting.head.identifiers:
            by_port.setdefault(sighting.port, []).append(sighting)
    for nameless in by_port.values():
        lines = _with_nameless(lines, nameless, runs, missing_after)
    return lines


def _line_to_join(
    sighting: Sighting, later: Sequence[Sighting], place: Mapping[str, list[Sighting]]
) -> list[Sighting] | None:
    """The line of the first later sighting that continues this one, unless the line has another single-valued one."""
    first = next((one for one in reversed(later) if continues(one.head, sighting.head)), None)
    if first is None:
        return None
    line = place[first.id]
    known = {one for each in line for one in each.head.identifiers}
    return None if differ(sighting.head.identifiers, known) else line


def _with_nameless(
    lines: list[Line], nameless: list[Sighting], runs: Sequence[RunSection], missing_after: int
) -> list[Line]:
    """Those that a line took in that was not past when they came; the others are a line, known by address and port."""
    own: list[Sighting] = []
    for sighting in sorted(nameless, key=lambda one: (one.first, one.id)):
        takers = [
            line for line in lines if line.identifiers and (line.past is None or line.past > sighting.first)
        ]  # fmt: skip
        if not takers:
            own.append(sighting)
            continue
        taker = max(takers, key=lambda line: (line.sightings[0].time, line.sightings[0].id))
        lines = [
            _line(line.sightings, runs, missing_after, (*line.silent, sighting)) if line is taker else line
            for line in lines
        ]
    if own:
        own.sort(key=lambda one: (one.time, one.id), reverse=True)
        lines.append(_line(own, runs, missing_after))
    return lines


def _line(
    sightings: Sequence[Sighting], runs: Sequence[RunSection], missing_after: int, silent: tuple[Sighting, ...] = ()
) -> Line:
    said = not_replaced(sightings)
    newest = sightings[0]
    seen = max(one.time for one in (*sightings, *silent))
    return Line(
        space=newest.space,
        source=newest.source,
        sightings=tuple(sightings),
        silent=silent,
        said=said,
        aside=not_replaced(silent),
        identifiers=effective(own_identifiers(one.held.section for one in said)),
        macs=macs_of(one.held.section for one in said if one.full),
        seen=seen,
        past=_past(newest.space, newest.source, seen, (*sightings, *silent), runs, missing_after),
        first=min(one.first for one in (*sightings, *silent)),
        gone=_gone(newest.space, newest.source, (*sightings, *silent), runs, missing_after),
    )


def not_replaced(sightings: Iterable[Sighting]) -> tuple[Said, ...]:
    """By section name the newest full section and the partial ones after it."""
    by_name: dict[str, list[Kept]] = {}
    for sighting in sightings:
        for name, kept in sighting.sections.items():
            by_name.setdefault(name, []).append(kept)
    found: list[Said] = []
    for name, all_kept in sorted(by_name.items()):
        found += [Said(name, held) for held in newest_of(kept_held for kept in all_kept for kept_held in kept.held)]
    return tuple(found)


def newest_of(given: Iterable[Held]) -> list[Held]:
    """The newest full one of sections of one name, and the partial ones after it."""
    every = list(given)
    full = [held for held in every if held.section.completeness is Completeness.FULL]
    partial = [held for held in every if held.section.completeness is not Completeness.FULL]
    if not full:
        return sorted(partial, key=lambda held: (held.confirmed, held.digest))
    newest = max(full, key=lambda held: (held.confirmed, held.digest))
    after = [held for held in partial if held.confirmed > newest.confirmed]
    return [newest, *sorted(after, key=lambda held: (held.confirmed, held.digest))]


def _past(
    space: str, source: str, seen: datetime, sightings: Iterable[Sighting], runs: Sequence[RunSection], after: int
) -> datetime | None:
    """When the `after`th complete scan of the address had not continued the line."""
    if source.startswith("declared:") or not runs or runs[-1].time <= seen:
        return None
    answered = frozenset(run for sighting in sightings for run in sighting.runs)
    return _nth_missed(space, source, seen, None, answered, runs, after)


def _nth_missed(
    space: str, source: str, start: datetime, end: datetime | None, answered: frozenset[str],
    runs: Sequence[RunSection], after: int,
) -> datetime | None:  # fmt: skip
    """The time of the `after`th complete run over an address after a time, and before another."""
    missed = 0
    for place in range(bisect_right(runs, start, key=lambda run: run.time), len(runs)):
        run = runs[place]
        if end is not None and run.time >= end:
            return None
        if run.complete and run.space == space and run.run not in answered and covers(run.networks, source):
            missed += 1
            if missed >= after:
                return run.time
    return None


def _absences(sightings: Iterable[Sighting]) -> list[tuple[datetime, datetime]]:
    """The times in which a thing was not seen, though it was before and after."""
    seen: list[tuple[datetime, datetime]] = []
    for one in sightings:
        starts = [one.first, *(end for _, end in one.away)]
        ends = [*(start for start, _ in one.away), one.time]
        seen += zip(starts, ends, strict=True)
    found: list[tuple[datetime, datetime]] = []
    last: datetime | None = None
    for start, end in sorted(seen):
        if last is not None and start - last > SHORT:
            found.append((last, start))
        last = end if last is None else max(last, end)
    return found


def _gone(
    space: str, source: str, sightings: Sequence[Sighting], runs: Sequence[RunSection], after: int
) -> tuple[tuple[datetime, datetime], ...]:
    """From when until when a line was past, and answered again after that."""
    if not runs or source.startswith("declared:"):
        return ()
    answered = frozenset(run for sighting in sightings for run in sighting.runs)
    forgotten = any(len(sighting.runs) >= RUNS_KEPT for sighting in sightings)
    found = []
    for start, end in _absences(sightings):
        # A run ends after what it saw: the one that saw the line last is no scan that missed it. Only the newest runs
        # are kept by name; of those before, it is the one that ended next.
        seen_in = _next_over(space, source, start, runs) if forgotten else frozenset()
        past = _nth_missed(space, source, start, end, answered | seen_in, runs, after)
        if past is not None:
            found.append((past, end))
    return tuple(found)


def _next_over(space: str, source: str, start: datetime, runs: Sequence[RunSection]) -> frozenset[str]:
    """The run that ended next over an address, if it ended soon; complete or not."""
    for place in range(bisect_right(runs, start, key=lambda run: run.time), len(runs)):
        run = runs[place]
        if run.time - start > SHORT:
            break
        if run.space == space and covers(run.networks, source):
            return frozenset({run.run})
    return frozenset()


def covers(networks: tuple[str, ...], source: str) -> bool:
    """Whether an address is in one of the networks that a run covered."""
    parsed = _parsed(networks)
    try:
        address = ip_address(source)
    except ValueError:
        return source in networks
    return any(address.version == network.version and address in network for network in parsed)


@lru_cache(maxsize=256)
def _parsed(networks: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    found = []
    for text in networks:
        try:
            found.append(ip_network(text, strict=False))
        except ValueError:
            continue
    return tuple(found)
