"""How fast reports are taken in: `python bench/absorb.py [--store sqlite|neo4j|both|URL] [--ci N …] [--quick]`.

Four questions, each against a reference of the same run, since machines differ:

- reports of 1, 50 and 5,000 rows (CIs and relations) a second, against a raw write of the same rows;
- the same reports again, with nothing new in them, against their first time;
- one report in an estate of 1,000, 10,000 and 100,000 CIs, against itself in the smallest;
- 5,000 hosts of one name, one serial on 300 devices, a core switch with 300 neighbours, against their first.

`neo4j` starts a throw-away server; a URL must name an empty store. Growing an estate ends after `--limit-s`.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TypeVar, cast

from bench.estates import FULL, START, Estate, Grown, mac, switch
from bench.raw import Raw, RawNeo4j, RawSqlite, RecordingStore, Rows, rows_of
from cmdb.absorb import absorb_all
from cmdb.inventory import Inventory
from cmdb.model import Component, Identifier, RelationClaim, Report, Section, Statement, Subject
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from cmdb.store.opening import open_store
from tests.fixtures.neo4j_server import Neo4jServer
from tests.fixtures.stores import empty_neo4j

HOUR = timedelta(hours=1)
ESTATE = Estate()
BATCH = 421
"""Reports of a pod."""
PROBES = 9
"""Reports of one kind whose median is its cost at one size."""


class Clock:
    """Stands at the start of the estate's first scan until it is moved."""

    def __init__(self) -> None:
        self.now = START + HOUR

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Bench:
    """A store to measure on, emptied at will."""

    name: str
    url: str
    folder: Path
    opened: int = 0

    @contextmanager
    def empty(self) -> Iterator[GraphStore]:
        """A fresh store."""
        self.opened += 1
        if self.name == "neo4j":
            empty_neo4j(self.url)
        store = open_store(self.url if self.name == "neo4j" else f"sqlite:///{self.folder / f'{self.opened}.db'}")
        try:
            yield store
        finally:
            store.close()
            if self.name == "neo4j":
                empty_neo4j(self.url)

    @contextmanager
    def raw(self) -> Iterator[Raw]:
        self.opened += 1
        made = RawNeo4j(self.url) if self.name == "neo4j" else RawSqlite(self.folder / f"raw-{self.opened}.db")
        try:
            yield made
        finally:
            made.close()


Item = TypeVar("Item")


def timed(does: Callable[[Item], object], items: Iterable[Item]) -> float:
    """The seconds that doing it to each takes."""
    return spent(does, items)[0]


def spent(does: Callable[[Item], object], items: Iterable[Item]) -> tuple[float, float]:
    """The seconds that doing it to each takes, and those that this process worked meanwhile."""
    began, worked = perf_counter(), process_time()
    for item in items:
        does(item)
    return perf_counter() - began, process_time() - worked


# Reports against a raw write


def of_rows(rows: int, number: int, when: datetime) -> Report:
    """A report that makes so many CIs and relations."""
    if rows == 1:
        about = Subject("server", frozenset({Identifier("serial", f"ONE{number:06}")}), f"one-{number:06}", itself=True)
        statement = Statement(about, {"vendor": "ACME", "model": "R760"})
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        return Report(address, when, (Section("snmp.system", when, FULL, (statement,)),), port=161)
    if rows < 1000:
        # A server, its operating system and processes, each of which runs on it: n processes are 2n + 3 rows.
        return ESTATE.server(number, 1, when, processes=(rows - 3) // 2)
    return estate_file(rows // 2, number, when)


def estate_file(count: int, number: int, when: datetime) -> Report:
    """A declared file of so many CIs, with a relation each."""
    teams = [Subject("team", name=f"team-{number}-{n:05}", declared=True) for n in range(count // 2)]
    owned = [Subject("service", name=f"service-{number}-{n:05}", declared=True) for n in range(count - count // 2)]
    relations = [
        *(RelationClaim("depends_on", one, owned[n // 2]) for n, one in enumerate(owned) if n),
        *(RelationClaim("owned_by", one, teams[n % len(teams)]) for n, one in enumerate(owned)),
    ]
    said = tuple(Statement(one, {}) for one in (*teams, *owned))
    return Report(f"declared:file-{number}", when, (Section("declared", when, FULL, said, tuple(relations)),))


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of one report (and those of them that this process worked), of a raw write of all its rows and of its
    CIs and relations alone, and of it again."""

    rows: float
    report_s: float
    worked_s: float
    raw_s: float
    graph_only_s: float
    again_s: float


def speed(bench: Bench, rows: int, count: int) -> Speed:
    clock = Clock()
    with bench.empty() as store:
        recording = RecordingStore(store)
        inventory = Inventory(cast("GraphStore", recording), Rules(), clock)
        inventory.absorb(of_rows(rows, count, START))
        recording.written.clear()
        reports = [of_rows(rows, number, START) for number in range(count)]
        first_s, worked_s = spent(inventory.absorb, reports)
        written = list(recording.written)
        clock.now += HOUR
        later = [of_rows(rows, number, START + HOUR) for number in range(count)]
        before = store.position().revision
        again_s = timed(inventory.absorb, later)
        if store.position().revision != before:
            raise SystemExit("a rescan with nothing new took a revision")
    all_rows = [rows_of(one, graph_only=False) for one in written]
    graph_rows = [rows_of(one, graph_only=True) for one in written]
    made = sum(one.graph_rows for one in written) / count
    return Speed(
        made, first_s / count, worked_s / count, _raw(bench, all_rows), _raw(bench, graph_rows), again_s / count
    )


def _raw(bench: Bench, transactions: Sequence[Rows]) -> float:
    with bench.raw() as raw:
        raw.write(transactions[0])
        return timed(raw.write, transactions) / len(transactions)


def reports_a_second(bench: Bench, rounds: int, *, quick: bool) -> None:
    say("rows a report | reports/s | of it own CPU | × raw, all rows | × raw, graph only | again: reports/s | × first")
    for rows, count in ((1, 100), (50, 20), (5000, 2)):
        found = [speed(bench, rows, max(1, count // 4) if quick else count) for _ in range(rounds)]
        first_s, again_s = (median(each) for each in zip(*((one.report_s, one.again_s) for one in found), strict=True))
        worked_s = median(one.worked_s for one in found)
        to_raw = median(one.report_s / one.raw_s for one in found)
        to_graph = median(one.report_s / one.graph_only_s for one in found)
        faster = median(one.report_s / one.again_s for one in found)
        say(
            f"{found[0].rows:13.0f} | {1 / first_s:9.1f} | {worked_s * 1e3:9.1f} ms"
            f" | {to_raw:15.1f} | {to_graph:17.1f} | {1 / again_s:16.1f}"
            f" | {faster:6.1f}"
        )


# One report in a large estate


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and how many calls of functions, which a busy machine does not change."""

    seconds: float
    calls: float


def probes(sizes_seen: int) -> dict[str, Callable[[int], Report]]:
    """Kinds of one report, by what it tells; the argument numbers the report."""
    base = 60_000 + sizes_seen * 100

    def again(number: int) -> Report:
        return ESTATE.server(0, number, START + (sizes_seen + 2) * HOUR)

    def changed(number: int) -> Report:
        return ESTATE.server(0, number, START + (sizes_seen + 3) * HOUR, memory=(sizes_seen + 2) * 2**30)

    def switch_again(number: int) -> Report:
        report = ESTATE.switch(number % 9, START + (sizes_seen + 4) * HOUR + timedelta(minutes=number))
        return with_more_macs(report, mac(0xFA000 + sizes_seen * 64 + number, 0))

    return {
        "a new server": lambda number: ESTATE.server(base + number, 1, START + HOUR),
        "a changed server": changed,
        "a switch with a new MAC": switch_again,
        "nothing new": again,
    }


def with_more_macs(report: Report, *macs: str) -> Report:
    """The same, with more ports."""
    sections = []
    for section in report.sections:
        if not section.name.endswith(".interfaces"):
            sections.append(section)
            continue
        (statement,) = section.statements
        ports = tuple(Component("interface", f"New{n}", {"mac": each}) for n, each in enumerate(macs))
        about = replace(
            statement.about, identifiers=statement.about.identifiers | {Identifier("mac", each) for each in macs}
        )
        more = replace(statement, about=about, components=(*statement.components, *ports))
        sections.append(replace(section, statements=(more,)))
    return replace(report, sections=tuple(sections))


def grown(bench: Bench, sizes: Sequence[int], limit_s: float, profile: Path | None) -> None:
    """The cost of one report of each kind at each size: ms, and times the smallest size's in time and in calls."""
    say("CIs | " + " | ".join(probes(0)) + " | first of a new process | growing by pods: reports/s")
    began = perf_counter()
    first: list[Cost] = []
    with bench.empty() as store:
        clock = Clock()
        inventory = Inventory(store, Rules(), clock)
        coming = ESTATE.reports(max(sizes))
        for seen, size in enumerate(sizes):
            rate = _grow(inventory, coming, size, began + limit_s)
            if rate is None:
                say(f"{size} CIs were not reached within {limit_s:.0f} s")
                return
            clock.now += HOUR
            costs = _costs(inventory, seen, profile and profile.with_suffix(f".{size}.txt"))
            fresh = Inventory(store, Rules(), clock)
            start_s = timed(fresh.absorb, [ESTATE.server(65_000 + seen, 1, START + HOUR)])
            first = first or costs
            cells = (
                f"{one.seconds * 1e3:.1f} ms ({one.seconds / base.seconds:.1f}×; {one.calls / base.calls:.1f}×)"
                for one, base in zip(costs, first, strict=True)
            )
            count = len(inventory.graph().cis)
            say(f"{count} | {' | '.join(cells)} | {start_s:.2f} s | {rate:.1f}")


def _grow(inventory: Inventory, coming: Iterator[Grown], size: int, deadline: float) -> float | None:
    """Grow to a size, a pod at a time; reports a second, None where time ran out."""
    began, count, cis = perf_counter(), 0, 0
    while cis < size:
        batch = []
        for each in coming:
            batch.append(each.report)
            cis = each.cis
            if cis >= size or len(batch) == BATCH:
                break
        with inventory._write() as (tx, known, _):  # noqa: SLF001 - no other door takes in a pod as one revision
            absorb_all(tx, known, batch, Rules(), START + HOUR, "bench", "growing")
        count += len(batch)
        if perf_counter() > deadline:
            return None
    return count / (perf_counter() - began)


def _costs(inventory: Inventory, seen: int, profile: Path | None) -> list[Cost]:
    costs = []
    everything: list[cProfile.Profile] = []
    for make in probes(seen).values():
        reports = [make(number) for number in range(2 * PROBES)]
        cost_s = median(timed(inventory.absorb, [report]) for report in reports[::2])
        calls = []
        for report in reports[1::2]:
            with cProfile.Profile() as watching:
                inventory.absorb(report)
            calls.append(sum(entry.callcount for entry in watching.getstats()))
            everything.append(watching)
        costs.append(Cost(cost_s, median(calls)))
    if profile is not None:
        with profile.open("w") as file:
            pstats.Stats(*everything, stream=file).sort_stats("tottime").print_stats(60)
    return costs


# What is many times the same


def host(number: int, name: str, number_of_machine: str | None) -> Report:
    """A host with a MAC of its own."""
    identifiers = frozenset({Identifier("serial", number_of_machine)}) if number_of_machine else frozenset()
    about = Subject("server", identifiers, name, itself=True)
    own = mac(0xE0000 + number, 0)
    port = Component("interface", "eth0", {"mac": own})
    sections = (
        Section("snmp.system", START, FULL, (Statement(about, {"model": "R760"}),)),
        Section(
            "snmp.interfaces",
            START,
            FULL,
            (Statement(Subject(identifiers=frozenset({Identifier("mac", own)}), itself=True), {}, (port,)),),
        ),
    )
    return Report(f"10.{100 + number // 65536}.{number // 256 % 256}.{number % 256}", START, sections, port=161)


def many(bench: Bench, title: str, reports: Sequence[Report], limit_s: float) -> None:
    """The cost of the last ones against that of the first."""
    with bench.empty() as store:
        inventory = Inventory(store, Rules(), Clock())
        began = perf_counter()
        costs = []
        for report in reports:
            costs.append(timed(inventory.absorb, [report]))
            if perf_counter() - began > limit_s:
                break
        edge = max(1, min(20, len(costs) // 10))
        first, last = median(costs[edge : 2 * edge]), median(costs[-edge:])
        say(f"{title}: the first {first * 1e3:.1f} ms, number {len(costs)} {last * 1e3:.1f} ms ({last / first:.1f}×)")


def core_switch(bench: Bench) -> None:
    """A core switch with 300 neighbours that shows a new MAC."""
    with bench.empty() as store:
        clock = Clock()
        inventory = Inventory(store, Rules(), clock)
        far = [
            (n + 1, Subject("server", frozenset({Identifier("mac", mac(0xE0000 + n, 0))}), f"far-{n:03}"), "eth0")
            for n in range(300)
        ]
        first_s = timed(inventory.absorb, [switch("core", "10.1.1.1", "CORE1", 0xEF000, far, START)])
        server_s = median(timed(inventory.absorb, [host(1000 + n, f"h{n}", f"S{n}")]) for n in range(9))
        clock.now += HOUR
        costs = []
        for n in range(9):
            when = START + HOUR + timedelta(minutes=n)
            more = tuple(mac(0xEF100 + k, 0) for k in range(n + 1))
            report = switch("core", "10.1.1.1", "CORE1", 0xEF000, far, when, more)
            costs.append(timed(inventory.absorb, [report]))
        new_s = median(costs)
        say(
            f"a core switch with 300 neighbours: first {first_s * 1e3:.1f} ms, with a new MAC {new_s * 1e3:.1f} ms"
            f" ({new_s / server_s:.1f}× a new host)"
        )


def say(text: str) -> None:
    print(text, flush=True)


def measure(bench: Bench, arguments: argparse.Namespace) -> None:
    quick: bool = arguments.quick
    say(f"\n# {bench.name}\n")
    wanted = set(arguments.only or ("speed", "size", "same"))
    if "speed" in wanted:
        reports_a_second(bench, 1 if quick else 3, quick=quick)
    if "size" in wanted:
        say("")
        grown(
            bench,
            arguments.ci or ([300, 1000] if quick else [1000, 10_000, 100_000]),
            arguments.limit_s,
            arguments.profile,
        )
    if "same" in wanted:
        say("")
        localhosts = [host(n, "localhost", None) for n in range(300 if quick else 5000)]
        many(bench, f"{len(localhosts)} hosts called localhost", localhosts, arguments.limit_s / 4)
        copies = [host(n, f"h{n:03}", "123-456-789X") for n in range(60 if quick else 300)]
        many(bench, f"one serial on {len(copies)} devices", copies, arguments.limit_s / 4)
        core_switch(bench)


def main() -> None:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default="sqlite", help="sqlite, neo4j, both, or the URL of an empty Neo4j")
    parser.add_argument("--ci", type=int, nargs="+", help="sizes of the estate, the smallest first")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--only", nargs="+", choices=("speed", "size", "same"))
    parser.add_argument("--limit-s", type=float, default=600.0, help="how long an estate may grow")
    parser.add_argument("--profile", type=Path, help="write a profile of the single reports to PATH.SIZE.txt")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.store in {"sqlite", "both"}:
            measure(Bench("sqlite", "", folder), arguments)
        if arguments.store in {"neo4j", "both"}:
            server = Neo4jServer(folder, heap="2g")
            try:
                server.start()
                measure(Bench("neo4j", server.url, folder), arguments)
            finally:
                server.stop()
        elif arguments.store != "sqlite":
            with_care(arguments.store)
            measure(Bench("neo4j", arguments.store, folder), arguments)


def with_care(url: str) -> None:
    """End where a store holds anything: measuring empties it."""
    store = open_store(url)
    holds = store.position().revision > 0 or store.position().evidence > 0
    store.close()
    if holds:
        sys.exit("the store is not empty, and measuring would delete what it holds: name an empty one")


if __name__ == "__main__":
    main()
