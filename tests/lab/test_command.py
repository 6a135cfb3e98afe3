from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lab import NORMAL, REFUSING, SILENT, Lab, Lie, lying, slow
from lab.__main__ import main
from lab.behaviour import parse


def test_the_laboratory_runs_as_a_process_of_its_own_and_ends_with_a_signal() -> None:
    start = time.monotonic()
    with Lab.start() as lab:  # Ports that are free a moment later.
        ports = lab.snmp_port, lab.ssh_port
    command = [sys.executable, "-m", "lab", "--json", "--snmp-port", str(ports[0]), "--ssh-port", str(ports[1])]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        ready_after_s = time.monotonic() - start
        os.kill(process.pid, signal.SIGTERM)
        code = process.wait(10)

    assert code == 0
    assert ready_after_s < 10
    assert (told["snmp_port"], told["ssh_port"]) == ports
    assert told["address_map"] == {"10.210.0.0/16": "127.210.0.0/16"}
    assert told["addresses"]["core1"] == "10.210.0.11"
    assert len(told["addresses"]) == 31


def test_a_port_that_is_in_use_is_said_with_the_way_out(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--snmp-port", str(lab.snmp_port), "--ssh-port", str(lab.ssh_port)])

    assert code == 5
    assert "--snmp-port" in capsys.readouterr().err


def test_stopping_leaves_no_recordings_and_no_sockets() -> None:
    lab = Lab.start()
    folder, ports = lab.recordings, (lab.snmp_port, lab.ssh_port)
    assert folder.exists()

    lab.stop()

    assert not folder.exists()
    with Lab.start(*ports) as again:
        assert again.snmp_port == ports[0]


def test_two_laboratories_stand_side_by_side(lab: Lab) -> None:
    with Lab.start() as other:
        assert {other.snmp_port, other.ssh_port}.isdisjoint({lab.snmp_port, lab.ssh_port})


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("nobody=silent", "no device 'nobody' answers; known: core1 core2"),
        ("web1=angry", "'angry' is no behaviour: give one of normal, silent, refusing, slow:SECONDS, lying:truncated"),
        ("web1=slow:soon", "'slow:soon' is no behaviour"),
        ("web1=silent:5", "'silent:5' is no behaviour"),
    ],
)
def test_a_setting_that_makes_no_sense_says_what_would(
    setting: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--set", setting])

    assert ended.value.code == 2
    assert problem in capsys.readouterr().err


def test_behaviours_are_spelt_as_they_are_read() -> None:
    texts = ["normal", "silent", "refusing", "slow:0.5", "lying:looping"]

    assert [parse(text) for text in texts] == [NORMAL, SILENT, REFUSING, slow(0.5), lying(Lie.LOOPING)]


def test_each_laboratory_has_an_account_of_its_own(lab: Lab) -> None:
    """A host's shell is a real one: what opens it must not stand in the source."""
    with Lab.start() as other:
        ours, theirs = ({row.name: row.secrets for row in each.credentials} for each in (lab, other))

    assert {name for name, secrets in ours.items() if secrets == theirs[name]} == {"lab-community", "lab-v3"}
