"""`cmdb recompute` and `cmdb problems`: a preview before a change of rules, and what there is to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb

ESTATE = """\
cis:
  - {class: team, name: web team}
  - {class: server, name: a, serial: SA, label: D010210-001, vendor: file}
  - {class: power_unit, name: ups, status: on line}
relations:
  - {type: owned_by, from: a, to: web team}
"""
OTHER = "cis: [{class: server, name: b, serial: SB, label: D010210-001, owner: Ada}]\n"


@pytest.fixture
def site(cmdb: Cmdb, tmp_path: Path) -> Cmdb:
    """An estate that two files declare, who agree in one label."""
    for name, text in (("site", ESTATE), ("other", OTHER)):
        file = tmp_path / f"{name}.yaml"
        file.write_text(text)
        assert cmdb("declare", str(file)).code == 0
    return cmdb


def test_a_change_of_rules_is_previewed_then_applied_as_one_revision(
    site: Cmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    unchanged = site("recompute")
    monkeypatch.setenv("CMDB_VOLATILE", '{"power_unit.status": true}')
    planned = site("recompute", "--dry-run")
    before = site("show", "ups", "--json").json["attributes"]
    done = site("recompute", "--json")
    again = site("recompute", "--json")

    assert (unchanged.code, unchanged.out, unchanged.err) == (0, "", "nothing changed\n")
    difference = ["~ power_unit ups: no status any more (was on line)"]
    assert (planned.code, planned.out.splitlines(), planned.err) == (
        0,
        difference,
        "nothing was applied (--dry-run)\n",
    )
    assert before == {"status": "on line"}
    assert done.json == {"revision": 3, "difference": difference}
    assert site("show", "ups", "--json").json["attributes"] == {}
    assert again.json == {"revision": None, "difference": []}


def test_rules_that_make_no_sense_are_refused_with_their_name(cmdb: Cmdb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMDB_RETIRED_DAYS", '{"sever": 3}')

    refused = cmdb("recompute")

    assert refused.code == 2
    assert "retired_days: unknown class 'sever'; known: " in refused.err


def test_problems_are_told_with_their_owners_and_filtered(site: Cmdb) -> None:
    def kinds(*arguments: str) -> list[tuple[str, list[str]]]:
        return [(row["kind"], row["owners"]) for row in site("problems", *arguments, "--json").json]

    twice = ("label_twice", ["Ada", "web team"])
    rooms = [("unknown_room", ["web team"]), ("unknown_room", ["Ada"])]
    assert kinds() == [twice, *rooms]
    assert kinds("--kind", "unknown_room", "--class", "device") == rooms
    assert kinds("--owner", "ada") == [twice, rooms[1]]
    assert kinds("--owner", "") == []
    assert kinds("--class", "power_unit") == []
    refused = site("problems", "--kind", "tag_twice")
    assert (refused.code, "unknown kind of problem 'tag_twice'; known: conflict, " in refused.err) == (2, True)


def test_problems_are_read_as_a_table_and_as_csv(site: Cmdb) -> None:
    told = site("problems", "--kind", "label_twice", "--evidence")
    csv = site("problems", "--kind", "label_twice", "--csv")

    lines = [line.split() for line in told.out.splitlines()]
    assert lines[0] == ["kind", "about", "owner", "since", "what"]
    assert lines[1][:5] == ["label_twice", "a,", "b", "Ada,", "web"]
    assert [line[-3:] for line in lines[2:]] == [["declared:", "label", "D010210-001"]] * 2
    head, row = csv.out.splitlines()
    assert head == "kind,about,class,label,owners,since,what"
    assert row.split(",")[:5] == ["label_twice", "a; b", "server", "D010210-001", "Ada; web team"]
