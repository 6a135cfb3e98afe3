"""Absorbs reports as fast as it can, and says when each revision was there: `python -m bench.absorbing URL SECONDS`."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from time import monotonic

from bench.estates import START, Estate
from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store


def absorb(inventory: Inventory, limit_s: float) -> None:
    """A line [revision, when] for the start, then for each revision, by the machine's monotonic clock; then `end`."""
    coming = Estate().reports(10**9)
    # What a process that writes must know is read at its first report, which is no part of full speed.
    revision = inventory.absorb(next(coming).report).revision
    began = monotonic()
    print(json.dumps([revision, began]), flush=True)
    for grown in coming:
        revision = inventory.absorb(grown.report).revision
        if revision is not None:
            print(json.dumps([revision, monotonic()]), flush=True)
        if monotonic() - began > limit_s:
            break
    print("end", flush=True)


def main() -> None:
    """Absorb into a store."""
    store = open_store(sys.argv[1])
    absorb(Inventory(store, Rules(), lambda: START + timedelta(hours=1)), float(sys.argv[2]))
    store.close()


if __name__ == "__main__":
    main()
