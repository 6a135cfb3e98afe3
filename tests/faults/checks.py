"""What must hold after a fault: at once, and when the scan was done again."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from api.wiring import Services
from cmdb.codec import Json
from operations.runs import RunState
from tests.faults.dying import ACKNOWLEDGED, services_at
from tests.faults.site import ANSWERING, SECTIONS, SILENT

Told: TypeAlias = tuple[Json, int]
"""A canonical graph, and the number of revisions that it took."""


def found(services: Services) -> list[str]:
    """The addresses whose device is in the graph."""
    return [address for address in ANSWERING if services.inventory.lookup(address)]


def in_the_ledger(services: Services) -> Counter[str]:
    """Addresses that some run's ledger says were collected, with the number of runs."""
    return Counter(
        row.address
        for run in services.runs.newest()
        for row in services.runs.ledger(run.id)
        if row.outcome == "collected"
    )


def assert_what_was_acknowledged_is_there(services: Services, folder: Path) -> None:
    """Whatever people were told is in the ledger, that is in the graph, and its evidence is on disk."""
    told = {line.split()[0] for line in (folder / ACKNOWLEDGED).read_text().splitlines()} - {SILENT}
    ledger = set(in_the_ledger(services))
    graph = set(found(services))
    assert told <= ledger <= graph
    assert services.inventory.verify().problems == ()
    replies = {claim.evidence for ci in services.inventory.graph().cis for claim in services.inventory.claims(ci)}
    for reply in replies - {None}:
        assert services.evidence.get(str(reply)).startswith(b"10.0.0.")


def assert_as_if_nothing_had_happened(url: str, folder: Path, undisturbed: Told) -> None:
    """The graph is that of an undisturbed scan, in as many revisions: nothing is lost, nothing doubled."""
    with closing(services_at(url, folder)) as services:
        assert_what_was_acknowledged_is_there(services, folder)
        newest, *earlier = services.runs.newest()
        rows = [(row.address, row.section, row.outcome) for row in services.runs.ledger(newest.id)]
        every = (("", "collected"), *((section, "full") for section in SECTIONS))
        expected = [*((address, *row) for address in ANSWERING for row in every), (SILENT, "", "silent")]
        assert (newest.state, newest.done, rows) == (RunState.DONE, 5, expected)
        assert all(run.state.ended for run in earlier)
        assert (services.inventory.canonical(), services.store.position().revision) == undisturbed
        assert services.inventory.tick().revision is None
