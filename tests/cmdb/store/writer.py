"""A process that writes to the store of CMDB_STORE: `writer.py commit NAME COUNT`, or `writer.py hang`."""

from __future__ import annotations

import os
import sys

from cmdb.store.base import GraphStore, Record
from cmdb.store.opening import open_store
from tests.cmdb.store.examples import added, batch, handles, server


def commit_some(store: GraphStore, name: str, count: int) -> None:
    """Each commit makes one CI whose id is the next of the sequence, and one record."""
    for number in range(count):
        with store.write() as transaction:
            ci = f"c{transaction.reserve('ci', 1):05}"
            transaction.put([Record("section", f"{name} {number}", b"")])
            transaction.apply(batch(*added(server(ci, f"{name} {number}")), handles={ci: handles(("name", name))}))


def hang(store: GraphStore) -> None:
    """Do everything that a transaction can but commit, say so, and wait to be killed."""
    with store.write() as transaction:
        transaction.reserve("ci", 100)
        transaction.put([Record("section", f"half {number}", b"x" * 10_000) for number in range(500)])
        transaction.apply(batch(*added(*(server(f"half{number}") for number in range(2_000)))))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


def main() -> None:
    store = open_store(os.environ["CMDB_STORE"])
    match sys.argv[1:]:
        case ["commit", name, count]:
            commit_some(store, name, int(count))
        case _:
            hang(store)
    store.close()


if __name__ == "__main__":
    main()
