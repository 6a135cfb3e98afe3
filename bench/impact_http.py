"""What asking over HTTP costs: `python -m bench.impact_http [--cis 100000] [--cache FOLDER] [--quick]`.

Four keep-alive clients of another process ask the impact route for random CIs, and bare routes of the same application
for as many bytes, in turns: the goal is a p99 of at most 1.5 times that of the bare route. Then a core switch with its
counts and first thousand rows: below 100 ms.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from urllib.parse import quote

from bench.filled import Filled, cached
from bench.load import Load, Timed, request, run
from bench.serving import Served, served

CLIENTS = 4


def path_of(ci: str, limit: int) -> str:
    return f"/api/v1/cis/{quote(ci)}/impact?kind=power_off&limit={limit}"


def p(share: float, timed: Sequence[Timed]) -> float:
    """The time in ms that this share of the answers took at most."""
    times = sorted(one.ms for one in timed)
    return times[min(len(times) - 1, int(len(times) * share))]


def measure(estate: Filled, where: Served, rounds: int, number: int, rows: int) -> None:
    """Random CIs against bare routes of the same sizes."""
    chance = Random(1)  # noqa: S311 - no secret
    paths = [path_of(f"ci-{chance.randint(1, estate.cis)}", rows) for _ in range(CLIENTS * number)]
    asked = tuple(request(path, where.token) for path in paths)
    sizes = _sizes(where, asked)
    known = tuple(request(f"/bare/known?size={size}", where.token) for size in sizes)
    bare = tuple(request(f"/bare?size={size}", where.token) for size in sizes)
    found: dict[str, list[Timed]] = {}
    for _ in range(rounds):
        for name, requests in (("bare", bare), ("bare with a token", known), ("impact", asked)):
            timed = run(Load(where.port, requests, CLIENTS, number))
            wrong = {one.status for one in timed} - {200}
            if wrong:
                raise SystemExit(f"{name}: answered with {wrong}")
            found.setdefault(name, []).extend(timed)
    print(f"random CIs, the first {rows} rows each: {sum(sizes) / len(sizes):.0f} bytes in the mean, {CLIENTS} clients")
    print(f"{'route':18} | p50 ms | p99 ms | p99 × bare | p99 × bare with a token")
    for name, timed in found.items():
        ratios = " | ".join(f"{p(0.99, timed) / p(0.99, found[of]):.2f}" for of in ("bare", "bare with a token"))
        print(f"{name:18} | {p(0.5, timed):6.2f} | {p(0.99, timed):6.2f} | {ratios}", flush=True)


def _sizes(where: Served, requests: tuple[str, ...]) -> list[int]:
    """The bytes of each answer's body, about; the first answer of all, which loads, is waited for."""
    run(Load(where.port, requests[:1], 1, 1, limit_s=300))
    timed = run(Load(where.port, requests, 1, len(requests), limit_s=300))
    if len(timed) < len(requests):
        raise SystemExit("the questions took too long")
    return [max(64, one.size - 300) for one in timed]


def cores(estate: Filled, where: Served, number: int) -> None:
    """Each core switch, with counts and the first thousand rows."""
    asked = tuple(request(path_of(core, 1000), where.token) for core in estate.marked["core"])
    timed = run(Load(where.port, asked, 1, len(asked) * number))
    size = sum(one.size for one in timed) / len(timed)
    bare = run(Load(where.port, (request(f"/bare?size={int(size)}", where.token),), 1, len(asked) * number))
    print(
        f"a core switch, counts and the first 1,000 rows: {size / 1000:.0f} kB,"
        f" p50 {p(0.5, timed):.1f} ms, longest {p(1, timed):.1f} ms; bare p50 {p(0.5, bare):.1f} ms",
        flush=True,
    )


def main() -> None:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--cache", type=Path, help="folder of filled stores; by default made and thrown away")
    parser.add_argument("--rows", type=int, default=100, help="rows of an answer (default 100)")
    parser.add_argument("--quick", action="store_true", help="a small estate, few questions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        estate = cached((given.cache or folder).absolute(), 2_000 if given.quick else given.cis)
        with served(estate.url, folder / "server") as where:
            rounds, number = (1, 25) if given.quick else (3, 500)
            measure(estate, where, rounds, number, given.rows)
            cores(estate, where, 1 if given.quick else 5)


if __name__ == "__main__":
    main()
