"""What breaks, on the command line: as table, tree and JSON; why; and what nothing may replace."""

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


@pytest.mark.usefixtures("shop")
def test_an_answer_lists_every_affected_ci_in_the_promised_shape(cmdb: Cmdb) -> None:
    answer = cmdb("impact", "web1", "--kind", "reboot", "--json")

    document = answer.json
    assert answer.code == 0
    assert (document["revision"], document["temporary"]) == (1, True)
    kept = {"availability": "up", "protection": "kept", "management": "kept"}
    assert [{name: row[name] for name in row if name not in {"because", "own"}} for row in document["affected"]] == [
        {
            "id": _id(cmdb, "shop"), "class": "service", "name": "shop", "availability": "degraded",
            "protection": "kept", "management": "kept", "was": kept, "distance": 1,
        },
        {
            "id": _id(cmdb, "web1"), "class": "server", "name": "web1", "availability": "down",
            "protection": "kept", "management": "kept", "was": kept, "distance": 0,
        },
    ]  # fmt: skip
    assert [[reason["axis"] for reason in row["because"]] for row in document["affected"]] == [["availability"]] * 2
    counts = document["counts"]
    assert (counts["affected"], counts["down"], counts["degraded"]) == (2, 1, 1)
    assert counts["affected"] + counts["unknown"] + counts["unaffected"] == counts["cis"]
    assert all(row.keys() >= {"id", "class", "name", "reason"} for row in document["unknown"])
    assert len(document["unknown"]) == counts["unknown"]


@pytest.mark.usefixtures("shop")
def test_options_that_take_several_are_repeated(cmdb: Cmdb) -> None:
    def levels(*arguments: str) -> dict[str, str]:
        document = cmdb("impact", *arguments, "--json").json
        return {row["name"]: row["availability"] for row in document["affected"]}

    assert levels("web1", "web2", "--kind", "power_off") == {"shop": "down", "web1": "down", "web2": "down"}
    assert levels("web1", "--kind", "power_off", "--down", "web2") == {"shop": "down", "web1": "down"}
    assert levels("ups", "--kind", "power_off", "--down", "web1", "--down", "web2") == {"ups": "down"}
    assert levels("web2", "--kind", "patch") == {"web2": "at_risk"}
    assert levels("web2", "--kind", "patch", "--restarts") == {"shop": "degraded", "web2": "down"}


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("cable", ["core[Gi1/0/1]", "web1[eth0]", "connects_to:web1..core", "connects_to:core..web1"])
def test_a_cable_is_named_by_a_port_or_by_its_ends(cmdb: Cmdb, cable: str) -> None:
    document = cmdb("impact", cable, "--kind", "disconnect", "--json").json

    assert {row["name"]: row["availability"] for row in document["affected"]} == {"web1": "down", "shop": "degraded"}


@pytest.mark.usefixtures("shop")
def test_people_read_an_answer_as_a_line_and_a_table(cmdb: Cmdb) -> None:
    answer = cmdb("impact", "ups", "--kind", "power_off")

    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert lines[0].startswith("3 affected, ")
    assert lines[1].startswith("2 down, 1 degraded; ")
    assert lines[2] == "affected class availability also distance because"
    assert lines[3].startswith("shop service ◑ degraded 2 ")
