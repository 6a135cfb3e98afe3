"""A hub, asked of Neo4j and of the engine: `python -m bench.impact_cypher [--cis 100000] [--quick]`.

Three texts say in Cypher who hangs on a CI up to 15 relations away, which is less than the engine says of them: without
requirements, networks and reasons. The fastest is set against the engine's whole answer from the same store. Starts a
throw-away server from the jars of `make neo4j`, with its compilers and caches in full.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import neo4j

from bench.filled import Filled, fill
from cmdb.impact import Question
from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.schema import RELATION_TYPES
from cmdb.store.opening import open_store
from tests.fixtures.neo4j_server import Neo4jServer
from tests.fixtures.stores import neo4j_driver

_HOPS = 15
_TYPES = "|".join(name.upper() for name, row in RELATION_TYPES.items() if row.needs is not None)
_TEXTS = {
    "variable length": f"MATCH (x:CI {{id: $id}})<-[:{_TYPES}*1..{_HOPS}]-(a:CI) RETURN DISTINCT a.id",
    "variable length, with distances": (
        f"MATCH p = (x:CI {{id: $id}})<-[:{_TYPES}*1..{_HOPS}]-(a:CI) RETURN a.id, min(length(p))"
    ),
    "SHORTEST 1": f"MATCH p = SHORTEST 1 (x:CI {{id: $id}})<-[:{_TYPES}]-{{1,{_HOPS}}}(a:CI) RETURN a.id, length(p)",
}
_STEP = f"UNWIND $ids AS id MATCH (:CI {{id: id}})<-[:{_TYPES}]-(a:CI) RETURN DISTINCT a.id"


def whole(session: neo4j.Session, text: str, limit_s: float) -> Callable[[str], int]:
    """Everything in one statement."""

    def ask(id_: str) -> int:
        return len({record[0] for record in session.run(neo4j.Query(text, timeout=limit_s), id=id_)} - {id_})

    return ask


def step_by_step(session: neo4j.Session, limit_s: float) -> Callable[[str], int]:
    """A frontier at a time."""

    def ask(id_: str) -> int:
        seen, edge = {id_}, [id_]
        for _ in range(_HOPS):
            found = [record[0] for record in session.run(neo4j.Query(_STEP, timeout=limit_s), ids=edge)]
            edge = [one for one in found if one not in seen]
            seen.update(edge)
            if not edge:
                break
        return len(seen) - 1

    return ask


def timed(ask: Callable[[str], int], id_: str, rounds: int, other: str) -> tuple[float, int]:
    """The median in ms, the first left out, and what was answered. The engine remembers the last question: another is
    asked before each."""
    found = ask(id_)
    times = []
    for _ in range(rounds):
        ask(other)
        began = perf_counter()
        ask(id_)
        times.append((perf_counter() - began) * 1e3)
    return median(times), found


def measure(estate: Filled, rounds: int, limit_s: float) -> None:
    hubs = {
        "a building": estate.marked["building"][0],
        "the largest room": estate.marked["room"][0],
        "a platform": estate.marked["platform"][0],
    }
    with neo4j_driver(estate.url) as driver, driver.session() as session:
        asks = {name: whole(session, text, limit_s) for name, text in _TEXTS.items()}
        asks["frontier by frontier"] = step_by_step(session, limit_s)
        store = open_store(estate.url)
        inventory = Inventory(store, Rules(), lambda: datetime.now(UTC))

        def engine(id_: str) -> int:
            answer = inventory.impact(Question((id_,), (), "power_off")).answer()
            return answer.counts["affected"]

        for title, hub in hubs.items():
            engine_ms, affected = timed(engine, hub, rounds, f"ci-{estate.cis}")
            print(f"\n{title}: the engine {engine_ms:.2f} ms, {affected} affected", flush=True)
            best = None
            for name, ask in asks.items():
                try:
                    ms, found = timed(ask, hub, rounds, f"ci-{estate.cis}")
                except neo4j.exceptions.Neo4jError as error:
                    print(f"  {name}: {error.code}", flush=True)
                    continue
                best = ms if best is None else min(best, ms)
                print(f"  {name}: {ms:.1f} ms, {found} found, {ms / engine_ms:.0f}×", flush=True)
            if best is not None:
                print(f"  the best of them takes {best / engine_ms:.0f}× as long as the engine", flush=True)
        store.close()


def main() -> None:
    """Measure, and say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--filled", type=Path, help="what `bench.filled --note` wrote of a filled server")
    parser.add_argument("--limit-s", type=float, default=60.0, help="for one statement")
    parser.add_argument("--quick", action="store_true", help="a small estate, one round")
    given = parser.parse_args()
    if given.filled:
        measure(Filled(*json.loads(given.filled.read_text())), 5, given.limit_s)
        return
    with tempfile.TemporaryDirectory() as name:
        server = Neo4jServer(Path(name), heap="2g", frugal=False)
        try:
            server.start()
            estate = fill(server.url, 2_000 if given.quick else given.cis)
            measure(estate, 1 if given.quick else 5, given.limit_s)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
