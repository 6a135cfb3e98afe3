from __future__ import annotations

from pathlib import Path

from lab import Lab
from tests.cli.conftest import Cmdb
from tests.cli.test_running import enter


def test_a_device_is_recorded_with_stand_ins_and_replays_as_it_was(cmdb: Cmdb, lab: Lab, home: Path) -> None:
    reach = enter(cmdb, lab)

    done = cmdb("record", "10.210.0.83", "--to", str(home / "recordings"), *reach)
    again = cmdb("record", "10.210.0.83", "--to", str(home / "again"), *reach)

    (file,) = (home / "recordings").glob("*/*/replies.yaml")
    (other,) = (home / "again").glob("*/*/replies.yaml")
    replayed = cmdb("replay", str(file.parent))
    assert (done.code, again.code) == (0, 0), done.err
    assert done.err == f"{file.parent}: read expected.json line by line before you commit it\n"
    assert file.parent.parent.name == "apc_pdu"
    assert "pdu-a" not in file.read_text()
    assert file.with_name("expected.json").read_text() == other.with_name("expected.json").read_text()
    assert (replayed.code, replayed.err) == (0, "")
    assert cmdb("export").json["cis"] == []


def test_a_recording_is_of_one_device(cmdb: Cmdb, lab: Lab) -> None:
    reach = enter(cmdb, lab)

    several = cmdb("record", "10.210.0.83-84", *reach)
    nobody = cmdb("record", "10.210.0.250", *reach)

    assert (several.code, several.err) == (2, "cmdb: '10.210.0.83-84' is 2 addresses; name one device\n")
    assert (nobody.code, nobody.err) == (5, "cmdb: nothing recorded: 10.210.0.250 is closed\n")
