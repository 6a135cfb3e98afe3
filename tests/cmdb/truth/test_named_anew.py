"""Who was named only by what another line of a CI had replaced is a CI again once somebody names it in force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cmdb.export import canonical
from cmdb.inventory import Inventory
from cmdb.model import Report, Section, Subject
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.cmdb.truth.saying import at, graph_of, ids, interfaces, mac, neighbours, report, system

SWITCH, OTHER = "10.0.0.2", "10.0.0.1"


def shows(time: float, *far: int) -> Section:
    return neighbours(
        time, *((f"te{one}", Subject("network_switch", ids(mac=mac(150 + one)), f"a{one}"), "g1") for one in far)
    )


def says(time: float, port: int, *far: int) -> Report:
    """What the switch says; another port makes it another line of the same CI."""
    return report(SWITCH, time, system(time, serial="S1"), interfaces(time, port), shows(time, *far))


@pytest.mark.parametrize(
    "reports",
    [
        pytest.param([says(10, 41, 0, 3), says(30, 40, 3), report(SWITCH, 40, shows(40, 0))], id="by itself"),
        pytest.param([says(20, 41, 6), says(10, 42, 0, 6), report(OTHER, 50, shows(50, 0, 6))], id="by another"),
    ],
)
def test_the_store_equals_a_projection_from_scratch(tmp_path: Path, reports: Sequence[Report]) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    inventory = Inventory(store, Rules(), lambda: at(1000))

    for one in reports:
        inventory.absorb(one)

    assert inventory.canonical() == canonical(graph_of(reports, now=1000))
    store.close()
