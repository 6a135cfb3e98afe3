"""A process of its own that absorbs one report: `python -m tests.cmdb.truth.one_report STORE ADDRESS`.

It opens the store, prints `ready`, waits for a line, absorbs, and prints the revision that it took.
"""

from __future__ import annotations

import sys

from cmdb.inventory import Inventory
from cmdb.model import Report
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.cmdb.truth.saying import at, interfaces, report, system


def of_one_device(address: str) -> Report:
    """What a device with one serial says at an address, with a MAC of that address beside the common one."""
    number = int(address.rpartition(".")[2])
    return report(address, 1, system(1, name="host", serial="S1"), interfaces(1, 1, number + 1))


if __name__ == "__main__":
    _, url, source = sys.argv
    store = open_store(url)
    inventory = Inventory(store, Rules(), lambda: at(10))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{inventory.absorb(of_one_device(source)).revision}\n")
    store.close()
