"""The laws of truth: order, repetition and delay of reports change nothing; a partial report ends nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb.inventory import Inventory
from cmdb.model import (
    Completeness,
    Component,
    Identifier,
    RelationClaim,
    Report,
    RunSection,
    Section,
    Statement,
    Subject,
)
from cmdb.rules import Rules
from cmdb.store.sqlite import SqliteStore

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=3)

Event = Report | RunSection


def inventory(folder: Path, name: str) -> Inventory:
    return Inventory(SqliteStore(folder / f"{name}.sqlite"), Rules(missing_after=2), lambda: NOW)


@st.composite
def events(draw: st.DrawFn, *, told_apart: bool = False) -> list[Event]:
    """A small world over time: devices that share serials, UUIDs, MACs and names, move, hide, and name each other.

    `told_apart`: each device has a serial and a MAC of its own, and always gives its serial.
    """
    addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    devices = draw(st.lists(device(), min_size=1, max_size=4))
    if told_apart:
        devices = [
            (cls, frozenset({Identifier("serial", f"SER-{n}")}), frozenset({f"00:1b:54:00:00:1{n}"}), name)
            for n, (cls, _, _, name) in enumerate(devices)
        ]
    found: list[Event] = []
    for minute in range(draw(st.integers(1, 7))):
        time = START + timedelta(minutes=minute)
        if draw(st.integers(0, 4)) == 0:
            found.append(RunSection(f"run{minute}", "default", ("10.0.0.0/24",), time, complete=True))
            continue
        found.append(report(draw, draw(st.sampled_from(devices)), draw(st.sampled_from(addresses)), devices, time))
    return found


@st.composite
def device(draw: st.DrawFn) -> tuple[str, frozenset[Identifier], frozenset[str], str]:
    identifiers = {
        Identifier(scheme, draw(st.sampled_from(values)))
        for scheme, values in (
            ("serial", ["SER-A", "SER-B"]),
            ("uuid", ["4c4c4544-0037-4810-8051-c7c04f4e3531", "4c4c4544-0037-4810-8051-c7c04f4e3532"]),
            ("host_key", ["SHA256:" + "a" * 43, "SHA256:" + "b" * 43]),
        )
        if draw(st.booleans())
    }
    macs = draw(st.frozensets(st.sampled_from([f"00:1b:54:00:00:0{n}" for n in range(1, 5)]), max_size=2))
    cls = draw(st.sampled_from(["server", "network_switch", "management_controller"]))
    return cls, frozenset(identifiers), macs, draw(st.sampled_from(["alpha", "beta"]))


def report(
    draw: st.DrawFn,
    chosen: tuple[str, frozenset[Identifier], frozenset[str], str],
    address: str,
    devices: Sequence[tuple[str, frozenset[Identifier], frozenset[str], str]],
    time: datetime,
) -> Report:
    cls, identifiers, macs, name = chosen
    sections = []
    kept = frozenset(one for one in identifiers if len(identifiers) == 1 or draw(st.integers(0, 3)) > 0)
    itself = Subject(cls, kept, name, itself=True)
    completeness = draw(st.sampled_from([Completeness.FULL, Completeness.FULL, Completeness.PARTIAL]))
    sections.append(Section("snmp.system", time, completeness, (Statement(itself, {"model": name}),)))
    if draw(st.booleans()):
        own = Subject(identifiers=frozenset(Identifier("mac", mac) for mac in macs), itself=True)
        ports = tuple(Component("interface", f"eth{mac[-1]}", {"mac": mac}) for mac in sorted(macs))
        sections.append(
            Section(
                "snmp.interfaces", time, draw(st.sampled_from(list(Completeness)[:2])), (Statement(own, {}, ports),)
            )
        )
    other = draw(st.sampled_from(devices))
    if draw(st.booleans()) and other[2]:
        near = Subject("network_switch", frozenset({Identifier("mac", min(other[2]))}), other[3])
        cable = RelationClaim("connects_to", Subject(itself=True), near, {"from_port": "eth0", "to_port": "eth1"})
        sections.append(Section("snmp.lldp", time, Completeness.FULL, (), (cable,)))
    return Report(address, time, tuple(sections), port=161)


def told(store: Inventory, given_events: Sequence[Event]) -> str:
    for event in given_events:
        if isinstance(event, Report):
            store.absorb(event)
        else:
            store.close_run(event)
    return json.dumps(store.canonical(), sort_keys=True)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(events(), st.randoms(use_true_random=False))
def test_any_order_repetition_and_delay_gives_the_same_graph(
    tmp_path_factory: pytest.TempPathFactory, given_events: list[Event], chance: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    expected = told(inventory(folder, "in-order"), given_events)
    shuffled = [*given_events, *chance.sample(given_events, len(given_events) // 2)]
    chance.shuffle(shuffled)

    actual = told(inventory(folder, "shuffled"), shuffled)

    assert actual == expected


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(events(told_apart=True))
def test_telling_everything_again_takes_no_revision(
    tmp_path_factory: pytest.TempPathFactory, given_events: list[Event]
) -> None:
    store = inventory(tmp_path_factory.mktemp("laws"), "again")
    told(store, given_events)
    before = store.graph().revision

    told(store, given_events)

    assert store.graph().revision == before
    assert store.verify().problems == ()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(events())
def test_the_stored_graph_is_the_projection_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, given_events: list[Event]
) -> None:
    folder = tmp_path_factory.mktemp("laws")
    store = inventory(folder, "kept")
    expected = told(store, given_events)

    Inventory(SqliteStore(folder / "kept.sqlite"), Rules(missing_after=2), lambda: NOW).tick()

    assert json.dumps(store.canonical(), sort_keys=True) == expected


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(events())
def test_telling_everything_again_leaves_the_graph_of_clones_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, given_events: list[Event]
) -> None:
    store = inventory(tmp_path_factory.mktemp("laws"), "clones")
    before = told(store, given_events)

    after = told(store, given_events)

    assert after == before
    assert store.verify().problems == ()
