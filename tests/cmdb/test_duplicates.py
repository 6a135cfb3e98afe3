"""Likely duplicates: similar, not equal; by blocks, with the parts of each score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cmdb.duplicates import Duplicate, duplicates, sentences
from cmdb.inventory import Inventory
from cmdb.model import CI, Component, Graph, State, Value
from cmdb.rules import Rules
from cmdb.store.sqlite import SqliteStore
from tests.cmdb.truth.saying import at, ids, interfaces, mac, report, system


def machine(
    number: int, name: str, cls: str = "server", *, label: str | None = None, address: str | None = None,
    state: State = State.PRESENT, space: str = "default", owner: str | None = None,
    values: Mapping[str, Value] | None = None, **given: str,
) -> CI:  # fmt: skip
    parts = () if address is None else (Component("address", address, {"address": address}),)
    return CI(f"ci-{number}", cls, space, name, label, state, values or {}, ids(**given), parts, owner)


def listed(*cis: CI, apart: frozenset[tuple[str, str]] = frozenset()) -> list[Duplicate]:
    return duplicates(Graph(1, {ci.id: ci for ci in cis}, {}), lambda a, b: (a, b) in apart)


def parts_of(*cis: CI) -> list[tuple[str, int]]:
    (row,) = listed(*cis)
    return [(part.kind, part.points) for part in row.parts]


def test_a_score_is_the_sum_of_its_parts_which_are_said_in_words() -> None:
    one = machine(1, "web-1.example.org", address="10.0.0.1", values={"vendor": "HPE", "model": "DL360"})
    other = machine(2, "WEB1", address="10.0.0.1", serial="CZ3A", values={"vendor": "HPE", "model": "DL360"})

    (row,) = listed(one, other)

    assert (row.a, row.b, row.score) == ("ci-1", "ci-2", 90)
    assert sentences(row.parts) == [
        "called alike: web-1.example.org / WEB1", "one address: 10.0.0.1", "one model: DL360",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [("FDO2201W0AB", "FDO22O1WOAB"), ("FDO2201W0AB", "SFDO2201W0AB"), ("CZ3-4567-X", "CZ34567X"),
     ("AB123456", "AB12345678")],
    ids=["letters for digits", "a barcode's S", "punctuation", "cut off"],
)  # fmt: skip
def test_a_serial_that_may_have_been_read_wrong_is_a_part(one: str, other: str) -> None:
    assert parts_of(machine(1, "a", serial=one), machine(2, "b", serial=other)) == [("serial", 50)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (machine(1, "web", serial="AAAAAAA1"), machine(2, "web", serial="BBBBBBB2")),
        (machine(1, "web", serial="AAAAAAA1", mac=mac(1)), machine(2, "web", uuid="x", mac="00:50:56:00:00:01",
                                                                 values={"vendor": "HPE"})),
        (machine(1, "web"), machine(2, "db")),
        (machine(1, "web"), machine(2, "web", state=State.RETIRED)),
        (machine(1, "web"), machine(2, "web", space="other")),
        (machine(1, "web"), machine(2, "web", "service")),
        (machine(1, "sda", "volume", owner="ci-9"), machine(2, "sda", "volume", owner="ci-8")),
        (machine(1, "D01", "building"), machine(2, "D-01", "building")),
        (machine(1, "web", host_key="SHA256:x"), machine(2, "web", host_key="SHA256:x")),
    ],
    ids=["both known", "no MAC in common", "nothing alike", "retired", "another space", "another kind", "inside others",
         "places", "a conflict already"],
)  # fmt: skip
def test_what_is_not_alike_enough_or_cannot_be_one_is_not_listed(one: CI, other: CI) -> None:
    assert listed(one, other) == []


def test_one_that_is_known_by_a_mac_alone_may_be_the_one_whose_macs_are_next_to_it() -> None:
    told_of = machine(1, "unknown", "unknown_device", mac="00:1b:21:00:00:00")

    assert parts_of(told_of, machine(2, "core", "network_switch", serial="S1", mac=mac(1))) == [("mac", 50)]
    assert listed(told_of, machine(2, "core", "network_switch", serial="S1", mac=mac(9))) == []


def test_two_that_are_known_by_a_mac_alone_are_two_of_one_batch() -> None:
    assert listed(machine(1, "access-01", mac=mac(1)), machine(2, "access-02", mac=mac(2))) == []


def test_a_name_that_many_have_makes_no_pairs() -> None:
    assert listed(*(machine(number, "localhost") for number in range(1, 200))) == []


def test_the_likeliest_comes_first() -> None:
    found = listed(
        machine(1, "web"), machine(2, "w-e-b"), machine(3, "db", label="D010210-001"),
        machine(4, "d-b", label="D010210-001")
    )  # fmt: skip

    assert [(row.a, row.b, row.score) for row in found] == [("ci-3", "ci-4", 90), ("ci-1", "ci-2", 50)]


def test_a_machine_that_was_replaced_under_its_name_and_address_is_asked_about() -> None:
    gone = machine(1, "web", address="10.0.0.1", serial="AAAAAAA1", state=State.MISSING)
    new = machine(2, "web", address="10.0.0.1", serial="BBBBBBB2")

    assert parts_of(gone, new) == [("name", 50), ("address", 30), ("serials", -25)]


def test_what_is_declared_by_name_alone_is_listed_no_more_either(tmp_path: Path) -> None:
    inventory = Inventory(SqliteStore(tmp_path / "cmdb.sqlite"), Rules(), lambda: at(1000))
    inventory.declare("cis: [{class: service, name: shop-1}, {class: service, name: Shop1}]", "a.yaml", "Ada")
    before = [(row.a, row.b, row.score) for row in inventory.judging.duplicates()]

    done = inventory.judging.decide("different", ["ci-1", "ci-2"], "two shops", "Ada")

    assert (before, inventory.judging.duplicates()) == ([("ci-1", "ci-2", 50)], [])
    assert [(one.a, one.b, one.cis) for one in done.decisions] == [
        (ids(declared="default|service|shop-1"), ids(declared="default|service|shop1"), ("ci-1", "ci-2"))
    ]


def test_what_a_person_calls_different_is_listed_no_more(tmp_path: Path) -> None:
    inventory = Inventory(SqliteStore(tmp_path / "cmdb.sqlite"), Rules(), lambda: at(1000))
    inventory.absorb(report("10.0.0.1", 1, system(1, name="web-1"), interfaces(1, 1)))
    inventory.absorb(report("10.0.0.2", 1, system(1, name="web1"), interfaces(1, 3)))
    before = [(row.a, row.b, row.score) for row in inventory.judging.duplicates()]

    inventory.judging.decide("different", ["web-1", "web1"], "two machines, badly named", "Ada")

    assert (before, inventory.judging.duplicates()) == ([("ci-1", "ci-2", 70)], [])


def test_a_board_that_was_replaced_is_still_listed_when_the_old_one_is_missing() -> None:
    disk = Component("disk", "sda", {"serial": "S4EV"})
    old = replace(machine(1, "web", serial="AAAAAAA1", mac=mac(1), state=State.MISSING), components=(disk,))
    new = replace(machine(2, "web", serial="BBBBBBB2", mac=mac(1)), components=(disk,))

    (row,) = listed(old, new)

    assert sentences(row.parts) == [
        "called alike: web", f"what one had before it went missing, the other has now: {mac(1)}, S4EV",
        "serials that differ: AAAAAAA1 / BBBBBBB2",
    ]  # fmt: skip
    assert listed(replace(old, state=State.PRESENT), new) == []
