"""Time on the command line: what was, what changed, and what is not kept any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.test_history import FIRST, SECOND
from tests.cli.conftest import Cmdb


@pytest.fixture
def told(cmdb: Cmdb, tmp_path: Path) -> Cmdb:
    """Two revisions."""
    file = tmp_path / "estate.yaml"
    for text in (FIRST, SECOND):
        file.write_text(text)
        assert cmdb("declare", str(file)).code == 0
    return cmdb


def test_a_ci_is_shown_as_it_was(told: Cmdb) -> None:
    before = told("show", "web1", "--at", "1", "--json").json
    words = told("show", "web1", "--at", "1")
    later = told("show", "web3", "--at", "1")
    both = told("show", "web1", "--at", "1", "--claims")

    assert (before["revision"], before["attributes"]) == (1, {"memory": 8, "vendor": "HPE"})
    assert sorted(end["name"] for end in before["relations"]) == ["D01", "ups1"]
    assert "HPE" in words.out
    assert (later.code, later.err) == (3, "cmdb: 'web3' was not there at revision 1\n")
    assert (both.code, "leave out --at" in both.err) == (2, True)


def test_a_difference_is_told_by_kind_ci_and_cause(told: Cmdb) -> None:
    by_kind = told("diff", "1").out.splitlines()
    by_ci = told("diff", "1", "now", "--by", "ci").out
    by_cause = told("diff", "1", "2", "--by", "cause").out

    assert by_kind[0] == "revision 1 to 2: 2 added, 1 changed, 1 retired, 2 removed"
    (changed,) = [line for line in by_kind if line.startswith("changed  ")]
    assert "memory: 8 → –; vendor: HPE → Dell" in changed
    assert by_ci.count("\nweb1  ci-") == 1
    assert by_cause.count("\ncli:") == 1


def test_the_json_of_a_difference_is_that_of_the_api(told: Cmdb) -> None:
    found = told("diff", "1", "2", "--json").json

    assert (found["from"], found["to"], found["counts"]["added"]) == (1, 2, 2)
    assert (
        {item["id"] for item in found["items"]}
        == {id_ for ids in found["by_kind"].values() for id_ in ids}
        == {id_ for group in found["by_ci"] for id_ in group["items"]}
    )


def test_between_equal_points_nothing_changed(told: Cmdb) -> None:
    assert told("diff", "2", "now").out == "revision 2 to 2: nothing changed\n"


@pytest.mark.parametrize("point", ["9", "soon"])
def test_a_point_that_is_not_there_is_said(told: Cmdb, point: str) -> None:
    done = told("diff", point)

    assert (done.code, done.out, done.err.startswith("cmdb: A: ")) == (2, "", True)


def test_the_history_of_a_ci_is_listed_newest_first(told: Cmdb) -> None:
    found = told("history", "ups1", "--json").json
    listed = told("history", "ups1", "--limit", "1")

    assert [item["revision"] for item in found["items"]] == [2, 1]
    assert len(listed.out.splitlines()) == 3
    assert listed.err == "there is more: --before 2\n"


def test_history_is_forgotten_only_when_that_is_confirmed(told: Cmdb) -> None:
    asked = told("trim", "--before", "2")
    kept = told("show", "web1", "--at", "1")
    done = told("trim", "--before", "2", "--yes")
    gone = told("show", "web1", "--at", "1")
    again = told("trim", "--before", "2", "--yes")
    young = told("trim", "--older-than", "30", "--yes")
    unclear = told("trim")

    assert asked.err == "history would begin at revision 2 instead of 0; repeat with --yes to forget the rest\n"
    assert kept.code == 0
    assert done.err == "history begins at revision 2 now; it began at 0\n"
    assert (gone.code, "revision 1 is not kept any more" in gone.err) == (2, True)
    assert again.err == young.err == "nothing to forget: history begins at revision 2\n"
    assert (unclear.code, unclear.err) == (2, "cmdb: say either --before or --older-than\n")
    assert told("verify").code == 0
