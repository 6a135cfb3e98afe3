"""The laws on thousands of worlds, by hand: `python -m tests.cmdb.thousands [LAW] [FROM] [COUNT]`.

Where one breaks, events are left out as long as it still does, and what is left is printed.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.cmdb.laws import LAWS, Law, sqlite_stores
from tests.cmdb.worlds import Told, world


def broken(law: Law, told: Told, seed: int) -> str | None:
    """How a world breaks a law."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            law(told, Random(seed), sqlite_stores(Path(folder)))
        except Exception:  # noqa: BLE001 - whatever goes wrong is what is looked for
            return traceback.format_exc(limit=-2)
    return None


def least(law: Law, told: Told, seed: int) -> Told:
    """A world that breaks a law still, and of which nothing can be left out."""
    for place in range(len(told.events)):
        fewer = replace(told, events=told.events[:place] + told.events[place + 1 :])
        if broken(law, fewer, seed):
            return least(law, fewer, seed)
    return told


def main(only: str = "", first: str = "0", count: str = "1000") -> int:
    """Try them; the number of worlds that broke a law."""
    found = 0
    for law in LAWS:
        name = getattr(law, "__name__", "")
        if only not in name:
            continue
        bad = []
        for seed in range(int(first), int(first) + int(count)):
            told = world(Random(seed))
            if broken(law, told, seed):
                bad.append(seed)
        sys.stdout.write(f"{name}: {len(bad)} of {count} broken: {bad[:20]}\n")
        if bad:
            shrunk = min((least(law, world(Random(seed)), seed) for seed in bad[:10]), key=lambda one: len(one.events))
            sys.stdout.write("\n".join(map(repr, shrunk.events)) + f"\n{shrunk.rules}\n")
            seed = next(seed for seed in bad[:10] if broken(law, shrunk, seed))
            sys.stdout.write(f"{broken(law, shrunk, seed)}\n")
        sys.stdout.flush()
        found += len(bad)
    return found


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))
