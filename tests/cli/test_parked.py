"""`cmdb parked`: list, show, answer."""

from __future__ import annotations

import pytest

from api.settings import load
from api.wiring import Services
from tests.cli.conftest import Cmdb
from tests.fixtures.parking import break_off


@pytest.fixture
def parked(cmdb: Cmdb) -> Cmdb:
    services = Services(load())
    break_off(services.inventory)
    services.close()
    return cmdb


def test_nothing_parked_is_said(cmdb: Cmdb) -> None:
    done = cmdb("parked")

    assert (done.code, done.out, done.err) == (0, "", "nothing is parked\n")


def test_the_questions_are_listed_for_people_and_programs(parked: Cmdb) -> None:
    table, programs = parked("parked"), parked("parked", "--json")

    assert "parked-1" in table.out
    assert "ends 58 of 60 claims (58 connects_to)" in table.out
    assert [(one["id"], one["ends"], one["runs"]) for one in programs.json] == [("parked-1", 58, ["run-2"])]


def test_a_question_is_shown_with_what_would_end(parked: Cmdb) -> None:
    done = parked("parked", "show", "parked-1", "--claims", "1")

    assert done.out.splitlines()[1:] == [
        "runs: run-2",
        "address   CI      section    ends      kind         what",
        "10.0.0.1  core-a  snmp.lldp  58 of 60  connects_to  Te1/03 → access-03 Gi0/1",
    ]
    assert parked("parked", "show", "parked-1", "--json").json["places"][0]["sections"][0]["ends"] == 58


def test_yes_applies_and_says_the_revision(parked: Cmdb) -> None:
    done = parked("parked", "yes", "parked-1", "--reason", "the ring was taken down")

    assert (done.code, done.err.startswith("parked-1 is applied: revision ")) == (0, True)
    (one,) = parked("parked", "--answered", "--json").json
    assert (one["answer"], one["by"].startswith("cli:"), one["reason"]) == ("yes", True, "the ring was taken down")


def test_no_discards_and_a_second_answer_is_refused(parked: Cmdb) -> None:
    done = parked("parked", "no", "parked-1", "--reason", "the agent breaks off")
    again = parked("parked", "yes", "parked-1", "--reason", "it is so")

    assert (done.code, done.err) == (0, "parked-1 is discarded: nothing changed\n")
    assert (again.code, "question parked-1 was answered no by cli:" in again.err) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("parked", "show", "parked-7"), 3, "there is no question 'parked-7'"),
        (("parked", "yes", "parked-7", "--reason", "x"), 3, "there is no question 'parked-7'"),
        (("parked", "yes", "parked-1", "--reason", " "), 2, "reason: say why"),
        (("parked", "no", "parked-1"), 2, "--reason"),
    ],
    ids=["show", "answer", "no reason", "reason left out"],
)
def test_bad_input_gets_a_clear_error(parked: Cmdb, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = parked(*arguments)

    assert (done.code, words in done.err) == (code, True)
