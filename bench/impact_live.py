"""Questions while reports come in: `python -m bench.impact_live [--store sqlite|neo4j|both] [--cis 20000] [--quick]`.

Eight clients ask over HTTP for random CIs, fifty questions a second in all, while another process absorbs reports into
the same store as fast as it can (--inside: a thread of the server does). Says p50 and p99 of the answers, timed from
when the question was due, and how old their revision was: when an answer came, the seconds since the first revision was
committed that it does not hold; 0 where it holds all. The same for a time without reports, too. Three processes, and
with Neo4j a fourth, share the machine's cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench.filled import Filled, cached, copied, fill
from bench.impact_http import p, path_of
from bench.load import Load, Timed, begin, end, request, run
from bench.serving import Served, served
from tests.fixtures.neo4j_server import Neo4jServer

CLIENTS = 8
A_SECOND = 50


class Commit(NamedTuple):
    """A revision, and when it had been committed, by the machine's monotonic clock."""

    revision: int
    at: float


def ages(timed: Sequence[Timed], commits: Sequence[Commit]) -> list[float]:
    """Of each answer, how long ago what it lacks was committed when it came, in seconds, in order; 0 for nothing."""
    found = []
    times = [one.at for one in commits]
    by_revision = {one.revision: place for place, one in enumerate(commits)}
    for one in timed:
        newest = bisect_right(times, one.ended) - 1
        if newest < 0 or one.revision is None:
            continue
        place = by_revision.get(one.revision, -1)
        found.append(0.0 if place >= newest or one.revision >= commits[-1].revision else one.ended - times[place + 1])
    return sorted(found)


@contextmanager
def absorbing(url: str, where: Served, limit_s: float, *, inside: bool) -> Iterator[Iterator[str]]:
    """The lines of `bench.absorbing`, of a process of its own or of a thread of the server."""
    if inside:
        where.say(f"absorb {limit_s}")
        yield iter(where.hear, "end\n")
        return
    writer = subprocess.Popen(
        [sys.executable, "-m", "bench.absorbing", url, str(limit_s)], stdout=subprocess.PIPE, text=True
    )
    try:
        yield iter(writer.stdout.readline if writer.stdout is not None else str, "end\n")
    finally:
        writer.kill()
        writer.wait()


def measure(title: str, estate: Filled, folder: Path, limit_s: float, *, inside: bool) -> None:
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
        with absorbing(estate.url, where, limit_s + 5, inside=inside) as lines:
            first = next(lines, "")
            if not first:
                raise SystemExit("the reports could not be absorbed")
            asking = begin(load(limit_s))
            commits = [Commit(*json.loads(line)) for line in (first, *lines)]
            busy = end(asking, limit_s + 120)
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
    parser.add_argument("--inside", action="store_true", help="absorb in a thread of the server, as its own scans do")
    given = parser.parse_args()
    cis, limit_s = (2_000, 3.0) if given.quick else (given.cis, given.limit_s)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.store != "neo4j":
            kept = cached((given.cache or folder).absolute(), cis)
            measure("sqlite", copied(kept, folder / "live.db"), folder, limit_s, inside=given.inside)
        if given.store != "sqlite" and not given.quick:
            server = Neo4jServer(folder, heap="2g", frugal=False)
            try:
                server.start()
                measure("neo4j", fill(server.url, cis), folder, limit_s, inside=given.inside)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
