"""With every question answered by yes, the graph is the one that there would have been without a brake."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from cmdb.export import canonical
from cmdb.inventory import Inventory
from cmdb.model import Completeness, Report, RunSection, Section, Subject
from cmdb.parked import PENDING
from cmdb.rules import Brake, Rules
from cmdb.store.opening import open_store
from tests.cmdb.truth.saying import (
    DENIED,
    FULL,
    PARTIAL,
    at,
    graph_of,
    ids,
    interfaces,
    mac,
    neighbours,
    report,
    run,
    system,
)

Told: TypeAlias = Report | RunSection
LATE = 100_000


def scans(chance: Random) -> list[Told]:
    """A few scans of a few switches: neighbours come and go, ports too, sections in part, runs that never close."""
    hosts = range(1, chance.randint(3, 5))
    shown = {one: (set(chance.sample(range(8), 5)), set(chance.sample(range(3), 2))) for one in hosts}
    found: list[Told] = []
    for number in range(1, chance.randint(4, 6)):
        for one in hosts:
            if chance.random() < 0.15:
                continue
            far, ports = shown[one]
            if chance.random() < 0.4:
                far = set(chance.sample(range(8), chance.randint(0, 6)))
            if chance.random() < 0.2:
                ports = set(chance.sample(range(3), chance.randint(1, 3)))
            if chance.random() < 0.5:
                shown[one] = far, ports
            found.append(_said(chance, number, one, far, ports))
        if chance.random() < 0.85:
            found.append(run(number, 10 * number + 5, complete=chance.random() < 0.9))
    return found


def _said(chance: Random, number: int, one: int, far: set[int], ports: set[int]) -> Report:
    """Every other switch has no serial, and is known by its ports alone."""
    time, address = 10 * number, f"10.0.0.{one}"
    serial = f"{'X' if chance.random() < 0.05 else 'S'}{one}"
    name = f"sw{one}"
    who = system(time, "network_switch", name) if one % 2 else system(time, "network_switch", name, serial=serial)
    return report(
        address,
        time + chance.random(),
        who,
        _ports(time, one, ports, _how(chance)),
        _cables(time, far, _how(chance)),
        run=f"run-{number}",
    )


def _how(chance: Random) -> Completeness:
    return chance.choices([FULL, PARTIAL, DENIED], [8, 1, 1])[0]


def _ports(time: float, one: int, ports: set[int], how: Completeness) -> Section:
    return interfaces(time, *(() if how is DENIED else (20 * one + port for port in sorted(ports))), completeness=how)


def _cables(time: float, far: set[int], how: Completeness) -> Section:
    cables = [(f"te{one}", Subject("network_switch", ids(mac=mac(150 + one)), f"a{one}"), "g1") for one in sorted(far)]
    return neighbours(time, *(() if how is DENIED else cables), completeness=how)


@pytest.mark.parametrize("seed", range(12))
def test_yes_to_everything_gives_what_there_would_be_without_a_brake(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    told, brake = scans(chance), Brake(0.1, chance.randint(0, 3))
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    inventory = Inventory(store, Rules(brake=brake), lambda: at(LATE))

    for one in told:
        if isinstance(one, Report):
            inventory.absorb(one)
        else:
            inventory.close_run(one)
        if chance.random() < 0.05:
            inventory.tick()
        if chance.random() < 0.05:
            _yes(inventory)
    inventory.tick()
    _yes(inventory)

    assert inventory.canonical() == canonical(graph_of(told, now=LATE))
    assert (inventory.parked(), store.records(PENDING), inventory.verify().problems) == ([], [], ())
    store.close()


def _yes(inventory: Inventory) -> None:
    for one in inventory.parked():
        inventory.answer_parked(one.question.id, yes=True, by="ann", reason="it is so")
