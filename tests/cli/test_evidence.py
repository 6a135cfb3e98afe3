"""`cmdb evidence` and `cmdb replay` of what a scan of the laboratory kept."""

from __future__ import annotations

from pathlib import Path

from lab import Lab
from tests.cli.conftest import Cmdb
from tests.cli.test_running import enter


def test_a_value_leads_to_its_reply_and_a_replay_changes_nothing(cmdb: Cmdb, lab: Lab, home: Path) -> None:
    run = cmdb("scan", "10.210.1.11-12", *enter(cmdb, lab), "--json").json["run"]
    of_name = cmdb("evidence", "web1", "vendor", "--json").json
    (reply,) = [claim["reply"] for claim in of_name if claim["won"]]

    shown = cmdb("evidence", "web1", "vendor")
    by_hash = cmdb("evidence", reply["hash"])
    replayed = cmdb("replay", "--run", run)
    of_all = cmdb("replay", "--last", "--apply", "--json")

    assert (reply["address"], reply["section"], reply["said"][0]["run"]) == ("10.210.1.11", "ssh.system", run)
    assert shown.out.startswith(f"vendor: {of_name[0]['value']} (in force: the only value)\n  said by 10.210.1.11")
    assert by_hash.out in shown.out
    assert by_hash.out.startswith(f"ssh.system of 10.210.1.11\nsha256 {reply['hash']}\nsaid ")
    assert "\n> hostname\nweb1\n" in by_hash.out
    assert (replayed.code, replayed.out, replayed.err) == (0, "", "2 addresses read anew: no difference\n")
    assert of_all.json == {"visits": 2, "revision": None, "difference": [], "remarks": []}

    for file in (home / "store" / "evidence").glob("??/*"):
        file.unlink()

    gone = cmdb("evidence", "web1", "vendor")
    left_out = cmdb("replay", "--last")
    assert gone.out.splitlines()[-1] == "  the reply is no longer kept"
    assert left_out.code == 0
    assert left_out.err.count("the reply is no longer kept; nothing of this visit is replayed\n") == 2
    assert left_out.err.endswith("0 addresses read anew: no difference\n")


def test_what_is_asked_wrongly_is_told_how_to_ask(cmdb: Cmdb, home: Path) -> None:
    estate = home / "estate.yaml"
    estate.write_text("cis: [{class: server, name: web1, vendor: HPE}]")
    cmdb("declare", str(estate))

    declared = cmdb("evidence", "web1", "vendor")
    no_hash = cmdb("evidence", "web1")
    unknown = cmdb("evidence", "0" * 64)
    no_attribute = cmdb("evidence", "web1", "colour")
    nothing = cmdb("replay")
    both = cmdb("replay", "--last", "--run", "x")
    no_run = cmdb("replay", "--run", "x")

    assert declared.out.splitlines()[-1] == "  it was declared: no device said it"
    assert (no_hash.code, no_hash.err) == (
        2, "cmdb: 'web1' is no hash of a reply; name an attribute, too, where a CI is meant\n",
    )  # fmt: skip
    assert (unknown.code, "retention removed it" in unknown.err) == (3, True)
    assert (no_attribute.code, "what is said of it: class, name, vendor" in no_attribute.err) == (3, True)
    for wrong in (nothing, both):
        assert (wrong.code, wrong.err) == (2, "cmdb: name one of: --run ID, --last, or a recording\n")
    assert (no_run.code, no_run.err) == (3, "cmdb: there is no run 'x'\n")
