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


@pytest.mark.usefixtures("shop")
def test_a_tree_puts_each_ci_under_what_makes_it_so(cmdb: Cmdb) -> None:
    answer = cmdb("impact", "ups", "--kind", "power_off", "--tree")

    assert answer.code == 0
    assert answer.out.splitlines()[2:5] == [
        "ups  power_unit  ✖ down  the change itself",
        (
            "└─ web1  server  ✖ down  cut off from all gateways by what lies between; "
            "powered_by needs 1 of 1: 0 hold; ups down"
        ),
        "   └─ shop  service  ◑ degraded  depends_on (group web) needs 1 (2 to serve in full) of 2: 1 holds; web1 down",
    ]


@pytest.mark.usefixtures("shop")
def test_rows_are_chosen_and_cut_and_it_is_said(cmdb: Cmdb) -> None:
    def names(*arguments: str) -> list[str]:
        document = cmdb("impact", "ups", "--kind", "power_off", "--json", *arguments).json
        assert document["counts"]["affected"] == 3
        return [row["name"] for row in document["affected"]]

    cut = cmdb("impact", "ups", "--kind", "power_off", "--limit", "1")

    assert names("--class", "device") == ["ups", "web1"]
    assert names("--level", "degraded", "--level", "at_risk") == ["shop"]
    assert names("--site", "-", "--class", "power_unit") == ["ups"]
    assert names("--limit", "2") == ["shop", "ups"]
    more = [line for line in cut.out.splitlines() if line.startswith("…")]
    assert more == [
        "… 1 of 3 affected: --limit shows more, --json all",
        "… 1 of 2 unknown: --limit shows more, --json all",
    ]


@pytest.mark.usefixtures("shop")
def test_whom_it_concerns_is_told(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "who.yaml"
    file.write_text(
        "cis:\n  - {class: team, name: shop team, email: shop@example.com, phone: '7'}\n"
        "  - {class: service, name: shop, audience: everybody, owner: Ada}\n"
        "relations: [{type: owned_by, from: shop, to: shop team}]\n"
    )
    cmdb("declare", str(file))

    told = cmdb("impact", "ups", "--kind", "power_off")

    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert "shop ◑ degraded gold everybody Ada, shop team" in lines
    assert "shop team 1 1 shop@example.com, 7" in lines
    assert "D01 1 1" in lines
    assert "(nowhere) 2 1 1" in lines


@pytest.mark.usefixtures("shop")
def test_an_answer_of_another_time_says_what_was_known_then(cmdb: Cmdb, shop: Path) -> None:
    shop.write_text(SHOP.replace("needs: 1, full: 2", "needs: 2"))
    cmdb("declare", str(shop))

    then = cmdb("impact", "web1", "--kind", "reboot", "--at", "1", "--json").json
    now = cmdb("impact", "web1", "--kind", "reboot", "--json").json

    assert [(one["revision"], one["affected"][0]["availability"]) for one in (then, now)] == [
        (1, "degraded"),
        (2, "down"),
    ]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ("shop", "--change", "power_off:web1"),
            [
                "affected: degraded, was up",
                "availability: depends_on (group web) needs 1 (2 to serve in full) of 2: 1 holds; web1 down",
                "✖ down  web1 (server)",
                "depends_on:shop..web2: declared:",
                "0 seconds ago",
            ],
        ),
        (
            ("D010210", "--change", "web1", "--kind", "reboot"),
            ["not affected", "located_in needs 1 of 1: 1 holds; 0 to spare"],
        ),
        (("ups", "--change", "disconnect:core[Gi1/0/1]"), ["unknown: no cable that is known connects it to a gateway"]),
        (("shop", "--change", "reboot:web1", "--next"), ["2 next failures", "connects_to:core[Gi1/0/2]..web2[eth0]"]),
        (("shop", "--change", "reboot:web1", "--down", "web2"), ["affected: down, was degraded"]),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else None,
)
def test_why_is_explained_in_words(cmdb: Cmdb, arguments: tuple[str, ...], lines: list[str]) -> None:
    told = cmdb("why", *arguments)

    assert told.code == 0, told.err
    assert [line for line in lines if line not in told.out] == [], told.out


@pytest.mark.usefixtures("shop")
def test_why_is_there_for_programs(cmdb: Cmdb) -> None:
    document = cmdb("why", "shop", "--change", "power_off:web1", "--next", "--json").json

    assert (document["verdict"], document["availability"], document["was"]["availability"]) == (
        "affected", "degraded", "up",
    )  # fmt: skip
    assert [ci["name"] for ci in document["next_failures"]["cis"]] == ["web2"]


@pytest.mark.usefixtures("shop")
def test_single_points_of_failure_are_listed(cmdb: Cmdb, tmp_path: Path) -> None:
    none = cmdb("spof")
    file = tmp_path / "desk.yaml"
    file.write_text("cis: [{class: service, name: desk}]\nrelations: [{type: depends_on, from: desk, to: web1}]")
    cmdb("declare", str(file))

    told = cmdb("spof")
    read = cmdb("spof", "--json", "--limit", "1").json

    assert none.out.splitlines()[1].split() == ["core", "network_switch", "1", "4", "shop"]
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert lines[0] == "alone class services takes down such as"
    assert lines[1] == "core network_switch 2 5 desk, shop"
    assert (read["in_all"], read["complete"], [row["name"] for row in read["items"]]) == (
        len(lines) - 1,
        True,
        ["core"],
    )


BAD = [
    (("impact", "web3", "--kind", "reboot"), 3, "nothing is called 'web3', nor has such an identifier"),
    (("impact", "ci-99", "--kind", "reboot"), 3, "nothing is called 'ci-99'"),
    (("impact", "web1", "--kind", "explode"), 2, "unknown kind of change 'explode'; known: power_off, remove, reboot"),
    (("impact", "D010210", "--kind", "reboot"), 2, "a room takes power_off or remove only, not reboot"),
    (("impact", "web1[eth0]", "--kind", "reboot"), 2, "a relation cannot be rebooted; reboot needs a CI"),
    (("impact", "--kind", "reboot"), 2, "Missing argument 'what'"),
    (("impact", "web1"), 2, "Missing option '--kind'"),
    (("impact", "hangs_on:web1..ups", "--kind", "remove"), 2, "unknown relation type 'hangs_on'; known: backed_up_by"),
    (("impact", "web1", "--kind", "reboot", "--at", "1999-01-01"), 2, "--at: nothing was known at 1999-01-01"),
    (("impact", "web1", "--kind", "reboot", "--at", "9"), 2, "--at: revision 9 is not there yet: the newest is 1"),
    (("impact", "web1", "--kind", "reboot", "--down", "web1[eth0]"), 2, "down: only CIs can be down already"),
    (("impact", "web1", "--kind", "reboot", "--class", "sever"), 2, "unknown class 'sever'"),
    (("impact", "web1", "--kind", "reboot", "--site", "web1"), 2, "site: 'web1' is a server; sites are buildings"),
    (("impact", "web1", "--kind", "reboot", "--tree", "--json"), 2, "--tree is for people, --json for programs"),
    (("why", "web1[eth0]", "--change", "reboot:web2"), 2, "'web1[eth0]' is a relation, not a CI: name one of its ends"),
    (("why", "shop", "--change", "web2"), 2, "--change: name the kind as well, KIND:WHAT or --kind; it is one of"),
    (("why", "shop", "--change", "reboot:web1", "--change", "patch:web2"), 2, "a question has one kind of change, not"),
    (("why", "shop", "--change", "reboot:web9"), 3, "nothing is called 'web9'"),
    (("why", "shop"), 2, "Missing option '--change'"),
]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("arguments", "code", "words"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_a_question_that_makes_no_sense_is_refused_in_words(
    cmdb: Cmdb, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = cmdb(*arguments)

    assert (done.code, done.out, words in done.err) == (code, "", True), done.err


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("{of: shop, name: g, needs: 3, legs: [web1, web2]}", "needs 3"),
        ("{of: shop, name: g, needs: 2, full: 1, legs: [web1, web2]}", "full"),
        (
            "{of: shop, name: g, needs: 1, legs: [{group: h}]}, {of: shop, name: h, needs: 1, legs: [{group: g}]}",
            "g → h",
        ),
    ],
)
def test_a_group_that_cannot_be_is_refused_where_it_is_written(
    cmdb: Cmdb, tmp_path: Path, group: str, words: str
) -> None:
    file = tmp_path / "groups.yaml"
    file.write_text(f"groups: [{group}]\n")

    done = cmdb("declare", str(file))

    assert (done.code, words in done.err, f"{file}:1" in done.err) == (2, True, True), done.err
