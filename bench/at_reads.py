"""What a question about another time costs: `python -m bench.at_reads [--cis 1000 10000] [--changes 20] [--store URL]`.

Builds a store of so many CIs with three relations each, in which every CI and one relation of each changes so many
times, a thousand CIs in a revision; then asks for single CIs, and for their relations, at random revisions. Prints p50
and p99 in milliseconds: the goal is that they do not grow with the size. Without --store it uses throw-away SQLite
files; a store that is given must be empty, takes one size, and is left full. Building stops after --limit seconds.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from cmdb.model import CI, Change, Relation, Value
from cmdb.store.base import Batch, GraphStore
from cmdb.store.opening import open_store

_BATCH = 1_000
_QUESTIONS = 1_000
_WAYS = 3
_START = datetime(2026, 1, 1, tzinfo=UTC)


def server(number: int, version: int) -> CI:
    """A CI of 24 values, of which one tells its versions apart."""
    values: dict[str, Value] = {f"attribute_{n}": f"value {number * n % 997} of {n}" for n in range(20)}
    values |= {"memory_bytes": number << 20, "cpus": number % 64, "version": version, "virtual": bool(number % 2)}
    return CI(f"ci-{number}", "server", "default", f"host{number}", attributes=values)


def cable(number: int, way: int, count: int, version: int) -> Relation:
    other = (number + way * 7 + 1) % count
    columns = {"from_port": f"eth{way}", "to_port": f"eth{version}"}
    return Relation(f"rel-{number}-{way}", "connects_to", f"ci-{number}", f"ci-{other}", columns)


def batches(count: int, changes: int) -> Iterator[list[Change]]:
    parts = [range(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH)]
    for part in parts:
        yield [Change(f"ci-{n}", None, server(n, 0)) for n in part]
    for part in parts:
        cables = (cable(n, way, count, 0) for n in part for way in range(_WAYS))
        yield [Change(one.id, None, one) for one in cables]
    for version in range(1, changes + 1):
        for part in parts:
            yield [Change(f"ci-{n}", server(n, version - 1), server(n, version)) for n in part] + [
                Change(f"rel-{n}-0", cable(n, 0, count, version - 1), cable(n, 0, count, version)) for n in part
            ]


def build(store: GraphStore, count: int, changes: int, limit_s: float) -> bool:
    """Fill an empty store; False where the time did not suffice."""
    start = perf_counter()
    for made in batches(count, changes):
        if perf_counter() - start > limit_s:
            return False
        with store.write() as transaction:
            transaction.apply(Batch(tuple(made), {}, "bench", "bench", _START))
    return True


def measure(ask: Callable[[str, int], object], questions: Iterable[tuple[str, int]]) -> str:
    taken = []
    for ci, revision in questions:
        start = perf_counter()
        ask(ci, revision)
        taken.append((perf_counter() - start) * 1000)
    taken.sort()
    return f"{taken[len(taken) // 2]:8.2f} {taken[len(taken) * 99 // 100]:8.2f}"


def report(store: GraphStore, count: int, changes: int, limit_s: float) -> None:
    start = perf_counter()
    whole = build(store, count, changes, limit_s)
    newest = store.position().revision
    text = f"{count} CIs, {newest} revisions in {perf_counter() - start:.0f} s"
    print(text if whole else f"{text} (stopped by --limit)")
    chance = random.Random(1)  # noqa: S311 - no secret
    first = min(newest, 2 * -(-count // _BATCH))  # from here on everything is there
    questions = [(f"ci-{chance.randrange(count)}", chance.randint(first, newest)) for _ in range(_QUESTIONS)]
    for name, ask in (
        ("CI now", lambda ci, _: store.get([ci])),
        ("CI at", lambda ci, revision: store.get_at([ci], revision)),
        ("relations now", lambda ci, _: store.relations([ci])),
        ("relations at", lambda ci, revision: store.relations_at([ci], revision)),
    ):
        print(f"  {name:14} p50, p99 ms {measure(ask, questions)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, nargs="+", default=[1_000, 5_000], help="sizes (default 1000 5000)")
    parser.add_argument("--changes", type=int, default=20, help="changes of each CI (default 20)")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds to build one store at most (default 600)")
    parser.add_argument("--store", help="URL of an empty store")
    given = parser.parse_args()
    if given.store:
        if len(given.cis) > 1:
            parser.error("--store takes one size")
        opened = open_store(given.store)
        if opened.position().revision:
            parser.error("the store is not empty")
        report(opened, given.cis[0], given.changes, given.limit)
        opened.close()
        return
    for count in given.cis:
        with tempfile.TemporaryDirectory() as folder:
            opened = open_store(f"sqlite:///{Path(folder).absolute()}/store.db")
            report(opened, count, given.changes, given.limit)
            opened.close()


if __name__ == "__main__":
    main()
