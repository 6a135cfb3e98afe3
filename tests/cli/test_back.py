"""`cmdb back`: what was retired, and answers again, is taken back by a person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cmdb.inventory import Inventory
from cmdb.rules import Rules
from cmdb.store.opening import open_store
from tests.cli.conftest import Cmdb
from tests.cmdb.truth.saying import at, report, run, system

_DAY = 1440


@pytest.fixture(autouse=True)
def returned(home: Path) -> None:
    """A machine that was silent for months, and answers again; and one that always did."""
    del home
    store = open_store(os.environ["CMDB_STORE"])
    inventory = Inventory(store, Rules(), lambda: at(121 * _DAY))
    inventory.absorb(report("10.0.0.1", 0, system(0, name="web1", serial="S1")))
    for number in (1, 2, 3):
        inventory.close_run(run(number, number * _DAY))
    for address, name in (("10.0.0.1", "web1"), ("10.0.0.2", "web2")):
        serial = name.replace("web", "S")
        inventory.absorb(report(address, 120 * _DAY, system(120 * _DAY, name=name, serial=serial)))
    store.close()


def test_what_is_taken_back_is_present_and_mended(cmdb: Cmdb) -> None:
    before = cmdb("show", "S1", "--json").json["state"]
    kinds = [row["kind"] for row in cmdb("problems", "--json").json]
    done = cmdb("back", "S1", "--reason", "it was in the store room")

    assert (before, kinds) == ("retired", ["retired_answers"])
    assert (done.code, done.out) == (0, "d-1 back: ci-1\n")
    assert cmdb("show", "S1", "--json").json["state"] == "present"
    assert cmdb("problems", "--json").json == []


def test_taken_back_by_mistake_it_is_retired_again(cmdb: Cmdb) -> None:
    cmdb("back", "S1", "--reason", "it was in the store room")

    cmdb("unmerge", "d-1", "--reason", "it was another one")

    assert cmdb("show", "S1", "--json").json["state"] == "retired"


def test_what_is_present_is_not_taken_back(cmdb: Cmdb) -> None:
    done = cmdb("back", "S2", "--reason", "why not")

    assert (done.code, done.out) == (2, "")
    assert "web2 (server, ci-2) is present: only what is retired, and answers, is taken back" in done.err
