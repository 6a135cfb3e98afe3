"""`cmdb conflicts`, `duplicates`, `same`, `different`, `unmerge` and `decisions`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.cli.conftest import Cmdb
from tests.cmdb.truth.saying import at, interfaces, mac, report, system


@pytest.fixture
def boards(home: Path) -> None:
    """A machine before and after its board was replaced."""
    del home
    store = open_store(os.environ["CMDB_STORE"])
    inventory = Inventory(store, Rules(), lambda: at(1000))
    for minute, (serial, cards) in enumerate((("S1", (1, 2)), ("S2", (2, 3))), start=1):
        inventory.absorb(
            report("10.0.0.1", minute, system(minute, name="web", serial=serial), interfaces(minute, *cards))
        )
    store.close()


def _user(cmdb: Cmdb) -> str:
    found: str = cmdb("decisions", "--json").json[-1]["by"]
    return found


@pytest.mark.usefixtures("boards")
def test_a_conflict_is_listed_with_what_speaks_for_and_against(cmdb: Cmdb) -> None:
    listed, told = cmdb("conflicts", "--json"), cmdb("conflicts")

    (row,) = listed.json
    assert (row["values"], row["total"], row["suggestion"]) == ([{"scheme": "mac", "value": mac(2)}], 2, "same")
    assert told.out.splitlines()[0] == f"{row['id']}  mac {mac(2)}  on 2 things"
    assert [line.strip() for line in told.out.splitlines()[-5:]] == [
        "web (ci-1) and web (ci-2): same",
        "+ they answered one after the other at 10.0.0.1",
        f"+ they have MACs in common: {mac(2)}",
        "+ both are called web",
        "- they differ in serial",
    ]


@pytest.mark.usefixtures("boards")
def test_merged_and_unmerged_both_are_back(cmdb: Cmdb) -> None:
    merged = cmdb("same", "S1", "S2", "--reason", "board replaced")
    during = (cmdb("show", "S1", "--json").json["id"], cmdb("show", "ci-2", "--json").json["id"])
    back = cmdb("unmerge", "d-1", "--reason", "another machine", "--json")

    assert (merged.code, merged.out, merged.err) == (0, "d-1 same: ci-1\n", "revision 3\n")
    assert during == ("ci-1", "ci-1")
    assert [(row["id"], row["verdict"], row["withdrawn"] is None) for row in back.json["decisions"]] == [
        ("d-2", "different", True), ("d-1", "same", False),
    ]  # fmt: skip
    assert (cmdb("show", "S1", "--json").json["id"], cmdb("show", "S2", "--json").json["id"]) == ("ci-1", "ci-2")
    assert _user(cmdb).startswith("cli:")
    assert cmdb("conflicts").err == "no conflicts\n"


@pytest.mark.usefixtures("boards")
def test_an_earlier_decision_is_replaced_only_when_asked(cmdb: Cmdb) -> None:
    cmdb("different", "S1", "S2", "--reason", "two machines")

    refused = cmdb("same", "S1", "S2", "--reason", "one")
    done = cmdb("same", "S1", "S2", "--reason", "one", "--replace")

    assert refused.code == 4
    assert "d-1, different, of cli:" in refused.err
    assert (done.code, done.out) == (0, "d-2 same: ci-1\nd-1 different taken back: ci-1\n")
    rows = [line.split()[:3] for line in cmdb("decisions").out.splitlines()[1:]]
    assert sorted(rows) == [["d-1", "different", "ci-1"], ["d-2", "same", "ci-1"]]


@pytest.mark.usefixtures("boards")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("same", "ci-1", "nobody", "--reason", "x"), 3, "nothing is called 'nobody'"),
        (("same", "ci-1", "ci-1", "--reason", "x"), 2, "are one CI already"),
        (("same", "ci-1", "ci-2"), 2, "--reason"),
        (("same", "ci-1", "ci-2", "--reason", " "), 2, "reason: say why"),
        (("same", "web", "ci-2", "--reason", "x"), 2, "'web' fits 2"),
        (("unmerge", "d-7", "--reason", "x"), 3, "there is no decision 'd-7'"),
    ],
)
def test_what_cannot_be_decided_is_one_clear_message(
    cmdb: Cmdb, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = cmdb(*arguments)

    assert (done.code, done.out, words in done.err) == (code, "", True)


def test_likely_duplicates_are_listed_with_the_parts_of_their_score(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text("cis: [{class: server, name: web-1}, {class: server, name: web1}]")
    none = cmdb("duplicates")
    cmdb("declare", str(file))

    told = cmdb("duplicates")

    assert none.err == "no likely duplicates\n"
    assert [line.split(maxsplit=5) for line in told.out.splitlines()[1:]] == [
        ["50", "web-1", "(ci-1)", "web1", "(ci-2)", "called alike: web-1 / web1 (+50)"]
    ]
