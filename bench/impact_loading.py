"""What the impact index costs to load and to hold: `python -m bench.impact_loading [--cis 100000] [--cache FOLDER]`.

Each measurement is a process of its own: the seconds until the topology stands, and the memory that the process holds
then and held at most; from SQLite, and from a snapshot. `--store neo4j` loads from a throw-away server instead, which
takes long to fill. Then a process asks: random CIs, and every core switch at once, which takes nearly everything down.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.filled import Filled, cached, fill
from tests.fixtures.neo4j_server import Neo4jServer


def _alone(*arguments: str) -> list[float]:
    command = [sys.executable, "-m", "bench.impact_alone", *arguments]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: list[float] = json.loads(ran.stdout)
    return found


def loads(estate: Filled, folder: Path, rounds: int) -> None:
    """From the store, and from a snapshot, which a first process leaves behind."""
    snapshots = folder / f"snapshots-{estate.cis}"
    kept = f"a snapshot of {estate.cis} CIs"
    for title, where, count in (("the store", "", rounds), (f"the store, leaving {kept}", str(snapshots), 1),
                                (kept, str(snapshots), rounds)):  # fmt: skip
        found = [_alone("load", estate.url, where) for _ in range(count)]
        best_s, worked_s, before, now, peak = min(found)
        print(
            f"loaded from {title}: {best_s:.2f} s ({worked_s:.2f} of own CPU), the best of {count};"
            f" resident {now} MB, at most {peak} MB, of which {before} MB before",
            flush=True,
        )


def asks(estate: Filled) -> None:
    first_s, first, some, hub = _alone("ask", estate.url, str(estate.cis), *estate.marked["core"])
    print(
        f"asked: the first answer after {first_s:.2f} s; resident (at most) MB: {_pair(first)} then,"
        f" {_pair(some)} after 200 questions, {_pair(hub)} after every core at once",
        flush=True,
    )


def _pair(found: object) -> str:
    now, peak = found if isinstance(found, list) else (0, 0)
    return f"{now} ({peak})"


def main() -> None:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--store", choices=("sqlite", "neo4j"), default="sqlite")
    parser.add_argument("--cache", type=Path, help="folder of filled stores; by default made and thrown away")
    parser.add_argument("--quick", action="store_true", help="a small estate, one round")
    given = parser.parse_args()
    cis, rounds = (2_000, 1) if given.quick else (given.cis, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.store == "sqlite":
            estate = cached((given.cache or folder).absolute(), cis)
            loads(estate, folder, rounds)
            asks(estate)
            return
        server = Neo4jServer(folder, heap="2g", frugal=False)
        try:
            server.start()
            loads(fill(server.url, cis), folder, rounds)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
