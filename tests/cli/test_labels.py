from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb
from tests.cli.estates import SHOP


@pytest.fixture
def room(cmdb: Cmdb, tmp_path: Path) -> None:
    """A room of five places; at the first stands web1."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP.replace("D010210-009", "D010210-001"))
    assert cmdb("declare", str(file)).code == 0


def test_a_label_is_taken_apart(cmdb: Cmdb) -> None:
    assert cmdb("label", "parse", " d010210-009 ", "--json").json == {
        "label": "D010210-009",
        "building": "D01",
        "floor": "D0102",
        "room": "D010210",
        "machine": 9,
    }


def test_a_full_code_has_an_owner_and_a_class(cmdb: Cmdb) -> None:
    assert cmdb("label", "parse", "ACME-SRV-D010210-009", "--json").json == {
        "label": "D010210-009",
        "building": "D01",
        "floor": "D0102",
        "room": "D010210",
        "machine": 9,
        "owner": "ACME",
        "class": "server",
    }


@pytest.mark.usefixtures("room")
def test_a_room_is_drawn_with_its_numbers_north_first(cmdb: Cmdb) -> None:
    drawn = cmdb("label", "room", "D010210")

    assert drawn.out.splitlines() == [" 005  002    # ", " 004  003  001*", "door: south; * taken"]


@pytest.mark.usefixtures("room")
def test_the_next_free_label_is_printed_alone(cmdb: Cmdb) -> None:
    done = cmdb("label", "next", "D010210")

    assert (done.code, done.out, done.err) == (0, "D010210-002\n", "")
    assert cmdb("label", "next", "D010210", "--json").json == {"label": "D010210-002", "line": 1, "place": 2}


@pytest.mark.usefixtures("room")
def test_numbers_and_places_are_each_other_s(cmdb: Cmdb) -> None:
    assert cmdb("label", "number", "D010210", "2", "2").out == "D010210-003\n"
    assert cmdb("label", "place", "D010210-003").out == "line 2 from the north, place 2 from the west\n"
    assert cmdb("label", "number", "D010210", "1", "3").code == 2
    assert cmdb("label", "place", "D010210-006").code == 2


def test_a_full_room_has_no_next_label(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "room.yaml"
    file.write_text(
        "cis:\n  - {class: server, name: only, label: D010210-001}\n"
        "rooms:\n  - {label: D010210, door: south, grid: ['.']}\n"
    )
    cmdb("declare", str(file))

    done = cmdb("label", "next", "D010210")

    assert (done.code, done.out) == (4, "")
    assert done.err == "cmdb: room D010210 has no free number: its numbers are 1 to 1, and all are taken\n"
