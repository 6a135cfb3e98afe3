"""Questions while reports come in: `python -m bench.impact_live [--store sqlite|neo4j|both] [--cis 20000] [--quick]`.

Eight clients ask over HTTP for random CIs, fifty questions a second in all, while another process absorbs reports into
the same store as fast as it can. Says p50 and p99 of the answers, and how old their revision was: by how much the
newest revision that was committed when a question was due is ahead of the answer's, in seconds since the first one that
the answer had not. Both are given for a time without reports, too. Three processes, and with Neo4j a fourth: on two
cores they share.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import NamedTuple

from bench.estates import START, Estate
from bench.filled import Filled, cached, copied, fill
from bench.impact_http import p, path_of
from bench.load import Load, Timed, begin, end, request, run
from bench.serving import served
from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.fixtures.neo4j_server import Neo4jServer

CLIENTS = 8
A_SECOND = 50


class Commit(NamedTuple):
    """A revision, and when it had been committed, by the machine's monotonic clock."""

    revision: int
    at: float


def absorb(url: str, limit_s: float) -> None:
    """Absorb the reports of an estate until the time is up; a line for the start, then for each revision."""
    store = open_store(url)
    inventory = Inventory(store, Rules(), lambda: START + timedelta(hours=1))
    coming = Estate().reports(10**9)
    # What a process that writes must know is read at its first report, which is no part of full speed.
    inventory.absorb(next(coming).report)
    began = monotonic()
    print(json.dumps([store.position().revision, began]), flush=True)
    for grown in coming:
        revision = inventory.absorb(grown.report).revision
        if revision is not None:
            print(json.dumps([revision, monotonic()]), flush=True)
        if monotonic() - began > limit_s:
            break
    store.close()


def ages(timed: Sequence[Timed], commits: Sequence[Commit]) -> list[float]:
    """Of each answer, how long ago what it lacks was committed when its question was due, in seconds; 0 for nothing."""
    found = []
    times = [one.at for one in commits]
    by_revision = {one.revision: place for place, one in enumerate(commits)}
    for one in timed:
        newest = bisect_right(times, one.due) - 1
        if newest < 0 or one.revision is None:
            continue
        place = by_revision.get(one.revision, -1)
        found.append(0.0 if place >= newest or one.revision >= commits[-1].revision else one.due - times[place + 1])
    return sorted(found)


def measure(title: str, estate: Filled, folder: Path, limit_s: float) -> None:
    with served(estate.url, folder / f"server-{title}") as where:
        chance = Random(2)  # noqa: S311 - no secret
        asked = tuple(
            request(path_of(f"ci-{chance.randint(1, estate.cis)}", 100), where.token) for _ in range(CLIENTS * 250)
        )
        run(Load(where.port, asked[:1], 1, 1, limit_s=300))

        def load(seconds: float) -> Load:
            each_s = CLIENTS / A_SECOND
            return Load(where.port, asked, CLIENTS, int(seconds / each_s), each_s, limit_s=seconds + 30)

        quiet = run(load(limit_s / 3))
        writer = subprocess.Popen(
            [sys.executable, "-m", "bench.impact_live", "--absorb", estate.url, "--limit-s", str(limit_s + 5)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            first = writer.stdout.readline() if writer.stdout is not None else ""
            if not first:
                raise SystemExit("the reports could not be absorbed")
            asking = begin(load(limit_s))
            lines, _ = writer.communicate(timeout=limit_s + 120)
            busy = end(asking, limit_s + 120)
        finally:
            writer.kill()
            writer.wait()
    commits = [Commit(*json.loads(line)) for line in (first, *lines.splitlines())]
    print(f"\n{title}: {estate.cis} CIs", flush=True)
    say("no reports", quiet)
    say("reports at full speed", busy)
    spent = commits[-1].at - commits[0].at
    old = ages(busy, commits)
    if not old:
        raise SystemExit("no answer named its revision")
    print(
        f"  {(len(commits) - 1) / spent:.1f} revisions a second;"
        f" age of the answers' revision: p50 {old[len(old) // 2] * 1e3:.0f} ms,"
        f" p99 {old[int(len(old) * 0.99)] * 1e3:.0f} ms, at most {old[-1] * 1e3:.0f} ms;"
        f" newest there was for {sum(one == 0 for one in old) / len(old):.0%}",
        flush=True,
    )


def say(title: str, timed: Sequence[Timed]) -> None:
    wrong = [one.status for one in timed if one.status != 200]
    spent = max(one.ended for one in timed) - min(one.due for one in timed)
    print(
        f"  {title}: {len(timed) / spent:.1f} answers a second, p50 {p(0.5, timed):.1f} ms, p99 {p(0.99, timed):.1f} ms"
        + (f"; {len(wrong)} of {len(timed)} failed: {sorted(set(wrong))}" if wrong else ""),
        flush=True,
    )


def main() -> None:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=("sqlite", "neo4j", "both"), default="both")
    parser.add_argument("--cis", type=int, default=20_000)
    parser.add_argument("--cache", type=Path, help="folder of filled stores; by default made and thrown away")
    parser.add_argument("--limit-s", type=float, default=60.0, help="seconds of questions (default 60)")
    parser.add_argument("--quick", action="store_true", help="a small estate, a few seconds, SQLite alone")
    parser.add_argument("--absorb", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.absorb:
        absorb(given.absorb, given.limit_s)
        return
    cis, limit_s = (2_000, 3.0) if given.quick else (given.cis, given.limit_s)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.store != "neo4j":
            kept = cached((given.cache or folder).absolute(), cis)
            measure("sqlite", copied(kept, folder / "live.db"), folder, limit_s)
        if given.store != "sqlite" and not given.quick:
            server = Neo4jServer(folder, heap="2g", frugal=False)
            try:
                server.start()
                measure("neo4j", fill(server.url, cis), folder, limit_s)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
