"""What `bench.impact_loading` measures in a process of its own, which imports nothing else: its memory counts.

load URL SNAPSHOTS      seconds, those of own CPU, and MB: before, then, at most
ask URL CIS CORE …      seconds of the first answer, and MB (now, at most): then, after 200 questions, after all cores
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import perf_counter, process_time

from cmdb.impact import Question
from cmdb.impact.live import LiveTopology
from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store


def memory() -> tuple[int, int]:
    """MB of this process: resident now, and at most since it began."""
    found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", Path("/proc/self/status").read_text()))
    return round(int(found["VmRSS"]) / 1024), round(int(found["VmHWM"]) / 1024)


def load_alone(url: str, snapshots: str) -> None:
    """In a process of its own: load, and say seconds and megabytes."""
    before = memory()[0]
    store = open_store(url)
    live = LiveTopology(store, Path(snapshots) if snapshots else None)
    began, worked = perf_counter(), process_time()
    with live.at():
        print(json.dumps([perf_counter() - began, process_time() - worked, before, *memory()]))
    store.close()


def ask_alone(url: str, cis: int, cores: Sequence[str]) -> None:
    """In a process of its own: ask, and say megabytes after a first, two hundred random, and the largest question."""
    store = open_store(url)
    inventory = Inventory(store, Rules(), lambda: datetime.now(UTC))
    began = perf_counter()
    inventory.impact(Question((f"ci-{cis}",), (), "power_off")).answer()
    first_s, first = perf_counter() - began, memory()
    chance = Random(7)  # noqa: S311 - no secret
    for _ in range(200):
        inventory.impact(Question((f"ci-{chance.randint(1, cis)}",), (), "power_off")).answer()
    some = memory()
    inventory.impact(Question(tuple(cores), (), "power_off")).answer()
    print(json.dumps([first_s, first, some, memory()]))
    store.close()


def main() -> None:
    """Measure one thing, and say it as JSON."""
    what, url, *rest = sys.argv[1:]
    if what == "load":
        load_alone(url, rest[0])
    else:
        ask_alone(url, int(rest[0]), rest[1:])


if __name__ == "__main__":
    main()
