"""Declaring, and what programs read: each JSON as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb
from tests.cli.estates import SHOP


@pytest.fixture
def shop(cmdb: Cmdb, tmp_path: Path) -> Path:
    """The file of an estate that is declared."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    assert cmdb("declare", str(file)).code == 0
    return file


def _id(cmdb: Cmdb, what: str) -> str:
    found = cmdb("show", what, "--json").json["id"]
    assert isinstance(found, str)
    return found


def test_declaring_shows_the_difference_and_applies_it_without_asking(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("cis:\n  - {class: server, name: web1}\n")

    planned = cmdb("declare", str(file), "--dry-run")
    before = cmdb("find", "--json")
    done = cmdb("declare", str(file))
    again = cmdb("declare", str(file), "--json")

    assert (planned.code, planned.err) == (0, "nothing was applied (--dry-run)\n")
    assert "web1" in planned.out
    assert (before.code, before.json) == (3, [])
    assert (done.code, done.out) == (0, planned.out)
    assert done.err.startswith("revision 1: ")
    assert (again.code, again.json) == (0, {"revision": None, "changes": [], "difference": [], "warnings": []})


def test_what_was_taken_out_of_a_file_is_no_longer_said(cmdb: Cmdb, shop: Path) -> None:
    shop.write_text(SHOP.replace("  - {type: powered_by, from: web1, to: ups, feed: A}\n", ""))

    done = cmdb("declare", str(shop))

    assert done.code == 0
    assert [row["type"] for row in cmdb("show", "ups", "--json").json["relations"]] == []


def test_a_file_declared_under_a_name_replaces_what_that_name_said(cmdb: Cmdb, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("cis:\n  - {class: server, name: web1}\n  - {class: server, name: web2}\n")
    second.write_text("cis:\n  - {class: server, name: web2}\n")

    cmdb("declare", str(first), "--as", "estate")
    cmdb("declare", str(second), "--as", "estate")

    assert [row["name"] for row in cmdb("find", "--class", "server", "--state", "present", "--json").json] == ["web2"]


def test_declaring_needs_no_key_and_leaves_none(cmdb: Cmdb, shop: Path, home: Path) -> None:
    del cmdb, shop

    assert [file.name for file in (home / "store").iterdir() if file.suffix == ".key"] == []


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "what",
    ["web1", "D010210-009", "ACME-SRV-D010210-009", "CZ3A", "00:1b:21:0a:0b:0c", "001b.210a.0b0c", "00-1B-21-0A-0B-0C",
     "10.0.0.1"],
)  # fmt: skip
def test_a_ci_is_shown_by_any_of_its_identifiers_in_the_promised_shape(cmdb: Cmdb, what: str) -> None:
    shown = cmdb("show", what, "--json")

    document = shown.json
    ids = {row["name"]: row.pop("id") for row in document["relations"]}
    assert shown.code == 0
    assert ids == {name: _id(cmdb, name) for name in ("core", "shop", "ups", "D010210")}
    assert document == {
        "id": _id(cmdb, "web1"),
        "class": "server",
        "name": "web1",
        "label": "D010210-009",
        "state": "present",
        "revision": 1,
        "attributes": {},
        "identifiers": [{"scheme": "mac", "value": "00:1b:21:0a:0b:0c"}, {"scheme": "serial", "value": "CZ3A"}],
        "components": [{"kind": "address", "name": "10.0.0.1", "attributes": {"address": "10.0.0.1"}}],
        "relations": [
            {
                "type": "connects_to",
                "direction": "in",  # a cable has no direction: its source is one of the two, with its port
                "name": "core",
                "class": "network_switch",
                "key": {"from_port": "Gi1/0/1", "to_port": "eth0"},
            },
            {"type": "depends_on", "direction": "in", "name": "shop", "class": "service", "key": {}},
            {"type": "located_in", "direction": "out", "name": "D010210", "class": "room", "key": {}},
            {"type": "powered_by", "direction": "out", "name": "ups", "class": "power_unit", "key": {"feed": "A"}},
        ],
    }


@pytest.mark.usefixtures("shop")
def test_claims_say_who_said_a_value(cmdb: Cmdb) -> None:
    claims = cmdb("show", "shop", "--claims", "--json").json["claims"]

    assert [(row["attribute"], row["value"], row["won"]) for row in claims if row["attribute"] == "sla"] == [
        ("sla", "gold", True)
    ]


@pytest.mark.usefixtures("shop")
def test_people_read_a_ci_as_tables(cmdb: Cmdb) -> None:
    shown = cmdb("show", "web1")

    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert lines[0].startswith("web1 D010210-009 (server, present, revision 1) ")
    assert "mac 00:1b:21:0a:0b:0c" in lines
    assert "connects_to core network_switch from_port=Gi1/0/1 to_port=eth0" in lines


@pytest.mark.usefixtures("shop")
def test_find_takes_words_classes_and_any_spelling_of_an_identifier(cmdb: Cmdb) -> None:
    def names(*arguments: str) -> list[str]:
        return sorted(row["name"] for row in cmdb("find", *arguments, "--json").json)

    assert names("--class", "device") == ["core", "ups", "web1", "web2"]
    assert names("001B.210A.0B0C") == ["web1"]
    assert names("web") == ["web1", "web2"]
    assert names("web", "--class", "power_unit") == []


def test_the_canonical_export_of_the_same_estate_is_the_same(cmdb: Cmdb, shop: Path, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    first = cmdb("export", "--canonical")
    monkeypatch.setenv("CMDB_STORE", f"sqlite:///{tmp_path / 'other.sqlite'}")
    cmdb("declare", str(shop), "--as", "somebody else")

    second = cmdb("export", "--canonical")

    assert (first.code, first.json) == (0, second.json)
    assert sorted(row["name"] for row in first.json["cis"] if row["class"] == "server") == ["web1", "web2"]


@pytest.mark.usefixtures("shop")
def test_the_whole_graph_is_exported_with_its_ids(cmdb: Cmdb) -> None:
    document = cmdb("export").json

    ids = {row["id"] for row in document["cis"]}
    assert document["revision"] == 1
    assert {end for row in document["relations"] for end in (row["source"], row["target"])} <= ids


@pytest.mark.usefixtures("shop")
def test_verify_proves_the_journal(cmdb: Cmdb) -> None:
    told = cmdb("verify")
    read = cmdb("verify", "--json")

    assert (told.code, told.err) == (0, "1 revisions, no problems\n")
    assert (read.code, read.json) == (0, {"revisions": 1, "problems": []})


@pytest.mark.usefixtures("shop")
def test_without_problems_nothing_is_listed(cmdb: Cmdb) -> None:
    told = cmdb("problems")

    assert (told.code, told.out, told.err) == (0, "", "no problems\n")
    assert cmdb("problems", "--json").json == []
