"""How fast the impact engine is: `python -m bench.impact [--cis 100000] [--cache FOLDER] [--only PART …] [--quick]`.

    questions   random CIs of all classes powered off: levels, counts, unknown; and with the first 100 rows rendered
    cores       a core switch; every core switch at once against a plain numpy breadth-first search over the same arrays
    rooms       the six largest rooms at once
    change      1,000 CIs and 3,000 relations change: how long until the next answer
    points      every single point of failure of the whole graph

Everything goes through `Inventory`, as API and command line do. A million CIs take minutes to store: name a --cache, or
measure the engine's arrays --alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.filled import Filled, cached, copied, rows
from bench.large_making import Thing
from bench.reach import Reach
from cmdb.coding import CLASS_BITS, CLASSES
from cmdb.impact import Answer, Evaluation, Question, SinglePoints, affected_out, single_points
from cmdb.impact.rows import Rows, read_rows
from cmdb.impact.topology import Topology
from cmdb.inventory import Inventory
from cmdb.lookup import handles
from cmdb.model import CI, Change, Relation, State
from cmdb.rules import Rules
from cmdb.store.base import Batch, GraphStore
from cmdb.store.opening import open_store

PARTS = ("questions", "cores", "rooms", "change", "points")
_START = datetime(2026, 3, 2, tzinfo=UTC)
_SEED = 7
_LIMIT_S = 60.0
"""How long random questions are asked at most; single points of failure twice as long."""
Found = TypeVar("Found")


def say(text: str) -> None:
    print(text, flush=True)


class Watch:
    """Tells milliseconds: of the wall's clock, or those that this process worked, where others use the machine, too."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = perf_counter


WATCH: Final = Watch()


def timed(does: Callable[[], Found]) -> tuple[float, Found]:
    """Milliseconds, and what came of it."""
    began = WATCH.clock()
    found = does()
    return (WATCH.clock() - began) * 1e3, found


def p(share: float, times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


class Asked(Protocol):
    """What is asked: an inventory, or a topology alone."""

    def impact(self, question: Question) -> Evaluation: ...

    def single_points(self, enough: Callable[[], bool]) -> SinglePoints: ...


@dataclass(frozen=True, slots=True)
class Alone:
    """A topology that follows no store."""

    topology: Topology

    def impact(self, question: Question) -> Evaluation:
        return Evaluation(self._opened, question)

    def single_points(self, enough: Callable[[], bool]) -> SinglePoints:
        return single_points(self._opened, enough)

    def apply(self, changes: Sequence[Change]) -> None:
        self.topology.apply(changes, self.topology.revision + 1)

    @contextmanager
    def _opened(self, revision: int | None) -> Iterator[Topology]:
        del revision
        yield self.topology


@dataclass(frozen=True, slots=True)
class Made:
    """What benches know of an estate: its size, the CIs that they ask about, the class of each CI, the yardstick."""

    cis: int
    marked: Mapping[str, Sequence[str]]
    classes: NDArray[np.uint8]
    plain: Reach

    @classmethod
    def of(cls, rows: Rows, marked: Mapping[str, Sequence[str]]) -> Made:
        return cls(len(rows.ci_keys), marked, (rows.ci_codes & CLASS_BITS).astype(np.uint8), Reach(rows))

    def cls_of(self, number: int) -> str:
        """The class of `ci-number`."""
        return CLASSES[int(self.classes[number - 1])]


@contextmanager
def opened(url: str) -> Iterator[tuple[GraphStore, Inventory]]:
    store = open_store(url)
    try:
        yield store, Inventory(store, Rules(), lambda: _START)
    finally:
        store.close()


def off(*ids: str) -> Question:
    return Question(ids, (), "power_off")


def told(answer: Answer) -> str:
    """Whom an answer affects, by level; at risk by itself and inherited apart."""
    levels: Counter[str] = Counter()
    for one in answer.outlines:
        apart = "" if one.own is None else " (own)" if one.own else " (inherited)"
        levels[one.now.availability + apart] += 1
    return ", ".join(f"{count:,} {level}" for level, count in levels.most_common())


# Questions


def questions(asked: Asked, made: Made, number: int) -> None:
    chance = Random(_SEED)  # noqa: S311 - no secret
    numbers = [chance.randint(1, made.cis) for _ in range(number)]
    by_class: dict[str, list[float]] = defaultdict(list)
    plain, rendered, affected, unknown = [], [], [], []
    began = perf_counter()
    for one in numbers:
        if perf_counter() - began > _LIMIT_S:
            break
        ms, answer = timed(lambda: asked.impact(off(f"ci-{one}")).answer())  # noqa: B023 - called at once
        plain.append(ms)
        by_class[made.cls_of(one)].append(ms)
        affected.append(answer.counts["affected"])
        unknown.append(answer.counts["unknown"])
        more_ms, _ = timed(lambda: json.dumps([affected_out(row) for row in answer.affected[:100]]))  # noqa: B023 - as above
        rendered.append(ms + more_ms)
    say(f"questions: {len(plain)} random CIs, affected p50 {p(0.5, affected):.0f}, p99 {p(0.99, affected):.0f};"
        f" unknown p50 {p(0.5, unknown):.0f}, p99 {p(0.99, unknown):.0f}")  # fmt: skip
    say(f"  levels, counts, unknown: p50 {p(0.5, plain):.2f} ms, p99 {p(0.99, plain):.2f} ms")
    say(f"  with 100 rows rendered: p50 {p(0.5, rendered):.2f} ms, p99 {p(0.99, rendered):.2f} ms")
    for cls, times in sorted(by_class.items(), key=lambda item: -len(item[1])):
        say(f"    {cls:22} {len(times):5}: p50 {p(0.5, times):6.2f} ms, p99 {p(0.99, times):6.2f} ms")


def repeated(asked: Asked, made: Made, question: Question, rounds: int) -> tuple[float, Answer]:
    """The median in ms, and the answer. Another question comes between, since the last one is remembered."""
    asked.impact(question).answer()
    found = []
    for _ in range(rounds):
        asked.impact(off(f"ci-{made.cis}")).answer()
        found.append(timed(lambda: asked.impact(question).answer()))
    return median(ms for ms, _ in found), found[0][1]


def cores(asked: Asked, made: Made, rounds: int) -> None:
    ids = made.marked["core"]
    for core in (ids[0], ids[-1]):
        ms, answer = repeated(asked, made, off(core), rounds)
        say(f"cores: one of them {ms:.2f} ms: {told(answer)}; {answer.counts['unknown']:,} unknown")
    ms, answer = repeated(asked, made, off(*ids), rounds)
    start = made.plain.numbers(ids)
    made.plain.count(start)
    plain_ms, reached = zip(*(timed(lambda: made.plain.count(start)) for _ in range(rounds)), strict=True)
    say(
        f"  all {len(ids)} at once {ms:.1f} ms: {told(answer)}; {answer.counts['unknown']:,} unknown\n"
        f"  a plain search over the same arrays {median(plain_ms):.1f} ms, {reached[0]:,} reached:"
        f" {ms / median(plain_ms):.1f}×"
    )


def rooms(asked: Asked, made: Made, rounds: int) -> None:
    ms, answer = repeated(asked, made, off(*made.marked["room"][:6]), rounds)
    say(f"rooms: the six largest at once {ms:.1f} ms: {told(answer)}; {answer.counts['unknown']:,} unknown")


# What changes


def change(asked: Asked, apply: Callable[[Sequence[Change]], None], made: Made, rounds: int) -> None:
    """Applications come, each leaning on three CIs; then all are other ones; then they go."""
    chance = Random(_SEED)  # noqa: S311 - no secret
    picked = chance.sample(range(1, made.cis), min(made.cis - 1, 20_000))
    hosts = [f"ci-{one}" for one in picked if made.cls_of(one) in {"application", "process", "service"}]
    probe = off(hosts[0])
    asked.impact(probe).answer()
    for turn in range(rounds):
        first, first_relation = made.cis + 1000 * turn + 1, made.cis * 10 + 3000 * turn
        new = [CI(f"ci-{first + n}", "application", "default", f"new-{turn}-{n}") for n in range(1000)]
        leaning = [
            Relation(f"rel-{first_relation + 3 * n + k}", "depends_on", new[n].id, hosts[(7 * n + k) % len(hosts)])
            for n in range(1000)
            for k in range(3)
        ]
        was: list[Thing] = [*new, *leaning]
        now: list[Thing] = [replace(one, state=State.MISSING, missing_since=_START) for one in new]
        now += [replace(one, columns={"assumed": True}) for one in leaning]
        for title, changes in (
            ("come", [Change(one.id, None, one) for one in was]),
            ("change", [Change(one.id, one, other) for one, other in zip(was, now, strict=True)]),
            ("go", [Change(one.id, one, None) for one in reversed(now)]),
        ):
            apply_ms, _ = timed(lambda: apply(changes))  # noqa: B023 - called at once
            next_ms, answer = timed(lambda: asked.impact(probe).answer())
            again_ms, _ = repeated(asked, made, probe, 3)
            say(
                f"change: 1,000 CIs and 3,000 relations {title}: {apply_ms:.1f} ms; the next answer"
                f" {next_ms:.1f} ms ({answer.counts['affected']} affected), that after it {again_ms:.1f} ms"
            )


def _stored(store: GraphStore, changes: Sequence[Change]) -> None:
    found = {one.id: handles(one.after) for one in changes if isinstance(one.after, CI)}
    with store.write() as tx:
        tx.apply(Batch(tuple(changes), found, "bench", "changes", _START))


def points(asked: Asked, limit_s: float) -> None:
    until = perf_counter() + limit_s
    ms, (found, whole, _) = timed(lambda: asked.single_points(lambda: perf_counter() > until))
    worst = f"; the worst takes {found[0].takes_down:,} CIs down" if found else ""
    say(f"points: {len(found):,} single points of failure in {ms / 1e3:.2f} s{'' if whole else ' (cut short)'}{worst}")


def main() -> None:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, nargs="+", default=[100_000])
    parser.add_argument("--cache", type=Path, help="folder of filled stores; by default made and thrown away")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--alone", action="store_true", help="the engine without a store, which need not be filled")
    parser.add_argument("--cpu", action="store_true", help="time that this process worked, where others work, too")
    parser.add_argument("--quick", action="store_true", help="a small estate, few questions")
    given = parser.parse_args()
    if given.cpu:
        WATCH.clock = process_time
    quick: bool = given.quick
    with tempfile.TemporaryDirectory() as name:
        for cis in [2_000] if quick else given.cis:
            if given.alone:
                arrays, large = rows(cis)
                head(large.cis, large.relations, given)
                made = Made.of(arrays, large.marked)
                alone = Alone(Topology.of(arrays))
                measure(alone, made, given.only, quick=quick)
                if "change" in given.only:
                    change(alone, alone.apply, made, 1 if quick else 3)
            else:
                estate = cached((given.cache or Path(name)).absolute(), cis)
                head(estate.cis, estate.relations, given)
                with_store(estate, Path(name), given.only, quick=quick)


def head(cis: int, relations: int, given: argparse.Namespace) -> None:
    alone, cpu = ", no store" if given.alone else "", ", times of own CPU" if given.cpu else ""
    say(f"\n# {cis:,} CIs, {relations:,} relations{alone}{cpu}\n")


def with_store(estate: Filled, folder: Path, parts: Sequence[str], *, quick: bool) -> None:
    with opened(estate.url) as (store, inventory):
        with store.coded() as coded:
            made = Made.of(read_rows(coded), estate.marked)
        measure(inventory, made, parts, quick=quick)
    if "change" in parts:
        with opened(copied(estate, folder / f"changed-{estate.cis}.db").url) as (store, inventory):
            change(inventory, lambda changes: _stored(store, changes), made, 1 if quick else 3)


def measure(asked: Asked, made: Made, parts: Sequence[str], *, quick: bool) -> None:
    rounds = 1 if quick else 5
    if "questions" in parts:
        questions(asked, made, 50 if quick else 4000)
    if "cores" in parts:
        cores(asked, made, rounds)
    if "rooms" in parts:
        rooms(asked, made, rounds)
    if "points" in parts:
        points(asked, 5 if quick else 2 * _LIMIT_S)


if __name__ == "__main__":
    main()
