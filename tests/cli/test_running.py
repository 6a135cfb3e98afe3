"""Scans from the command line against real servers and the laboratory, what is kept of them, and serving."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx2
import pytest

from lab import SILENT, Lab, slow
from tests.cli.conftest import COMMAND, Cmdb, Done
from tests.fixtures.snmpd import COMMUNITY, SYS_NAME, V3_AUTHENTICATION, V3_PRIVACY, V3_USER, Snmpd
from tests.fixtures.sshd import Sshd, SshKey

WEBS = "10.210.1.11-13"


def enter(cmdb: Cmdb, lab: Lab) -> tuple[str, ...]:
    """Enter the laboratory's credentials; returns the options that reach it."""
    for one in lab.credentials:
        options = [word for network in one.networks for word in ("--for", network)]
        for name, value in (("--user", one.user), ("--auth", one.auth), ("--priv", one.priv)):
            options += [name, value] if value else []
        options += ["--sudo"] if one.sudo else []
        secret = "\n".join(one.secrets)
        assert cmdb("credential", "add", one.name, "--kind", one.kind, *options, stdin=secret).code == 0
    maps = [word for site, dialled in lab.address_map.items() for word in ("--map", f"{site}={dialled}")]
    return (*maps, "--snmp-port", str(lab.snmp_port), "--ssh-port", str(lab.ssh_port))


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(process: subprocess.Popen[str], word: str) -> str:
    """Read standard error up to a line with this word."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return line
    raise AssertionError(f"it ended without {word!r}")


def ended(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=30)
    return Done(process.returncode, out, err)


def test_hosts_are_scanned_over_ssh_and_a_second_scan_takes_no_revision(cmdb: Cmdb, lab: Lab) -> None:
    reach = enter(cmdb, lab)

    first = cmdb("scan", WEBS, *reach, "--json")
    revision = cmdb("export").json["revision"]
    second = cmdb("scan", WEBS, *reach)

    document = first.json
    assert first.code == 0, first.err
    assert {name: document[name] for name in ("state", "targets", "space", "done", "total", "counts", "error")} == {
        "state": "done",
        "targets": [WEBS],
        "space": "default",
        "done": 3,
        "total": 3,
        "counts": {"collected": 3},
        "error": None,
    }
    assert sorted((row["address"], row["name"], row["outcome"], row["problems"]) for row in document["hosts"]) == [
        (f"10.210.1.{last}", f"web{number}", "collected", []) for number, last in ((1, 11), (2, 12), (3, 13))
    ]
    assert second.code == 0
    assert ": done: 3 of 3 addresses (3 collected)" in second.err
    assert cmdb("export").json["revision"] == revision
    assert sorted(row["name"] for row in cmdb("find", "--class", "server", "--json").json) == ["web1", "web2", "web3"]


def test_a_run_and_its_ledger_are_kept(cmdb: Cmdb, lab: Lab) -> None:
    reach = enter(cmdb, lab)
    run = cmdb("scan", "10.210.1.11-12", "--exclude", "10.210.1.12", *reach, "--json").json["run"]

    listed = cmdb("runs", "--json")
    one = cmdb("runs", run, "--json")
    told = cmdb("runs", run)

    assert [(row["run"], row["state"], row["total"]) for row in listed.json] == [(run, "done", 1)]
    assert {row["address"] for row in one.json["ledger"]} == {"10.210.1.11"}
    assert {row["section"] for row in one.json["ledger"]} >= {"", "ssh.system", "ssh.interfaces", "ssh.processes"}
    assert {row["outcome"] for row in one.json["ledger"]} == {"collected", "full"}
    assert told.out.startswith(f"run {run}: done: 1 of 1 addresses (1 collected)\n")


def test_nobody_at_an_address_is_no_problem_and_no_ci(cmdb: Cmdb, lab: Lab) -> None:
    reach = enter(cmdb, lab)
    lab.set_behaviour("web1", SILENT)

    done = cmdb("scan", "10.210.1.11", *reach, "--json")

    assert (done.code, done.json["counts"], done.json["hosts"]) == (0, {"silent": 1}, [])
    assert cmdb("export").json == {"revision": 0, "cis": [], "relations": []}


def test_a_host_that_takes_no_credential_is_a_problem_and_loses_nothing(cmdb: Cmdb, lab: Lab) -> None:
    maps = enter(cmdb, lab)
    assert cmdb("scan", "10.210.1.11", *maps).code == 0
    before = cmdb("export", "--canonical").out
    for name in ("lab-key", "lab-password"):
        cmdb("credential", "remove", name)
    wrong = ("--kind", "ssh-password", "--for", "10.210.0.0/16", "--user", "cmdb")
    cmdb("credential", "add", "wrong", *wrong, stdin="not this one")

    done = cmdb("scan", "10.210.1.11", *maps, "--json")

    (host,) = done.json["hosts"]
    assert (done.code, done.json["state"], host["outcome"]) == (1, "problems", "refused")
    assert "wrong" in " ".join(host["problems"])
    assert "not this one" not in done.out + done.err
    assert cmdb("export", "--canonical").out == before


def test_a_real_snmpd_is_scanned_in_both_versions_and_looked_up(cmdb: Cmdb, snmpd: Snmpd) -> None:
    target = f"{snmpd.address}:{snmpd.port}"
    cmdb("credential", "add", "v2", "--kind", "snmp-v2c", "--for", "127.0.0.0/8", stdin=f"{COMMUNITY}\n")
    by_community = cmdb("scan", target, "--json")
    cmdb("credential", "remove", "v2")
    v3 = ("--kind", "snmp-v3", "--for", "127.0.0.0/8", "--user", V3_USER, "--auth", "sha256", "--priv", "aes128")
    cmdb("credential", "add", "v3", *v3, stdin=f"{V3_AUTHENTICATION}\n{V3_PRIVACY}\n")

    by_user = cmdb("scan", target, "--json")

    assert (by_community.code, by_community.json["counts"]) == (0, {"collected": 1}), by_community.err
    assert (by_user.code, by_user.json["counts"]) == (0, {"collected": 1}), by_user.err
    shown = cmdb("show", "D010210-009", "--json").json
    assert (shown["name"], shown["label"]) == (SYS_NAME.partition(".")[0], "D010210-009")


def test_a_real_sshd_is_scanned_with_a_key(cmdb: Cmdb, sshd: Sshd, ssh_key: SshKey) -> None:
    user = sshd.accounts[0].name
    key = ("--kind", "ssh-key", "--for", "127.0.0.0/8", "--user", user)
    cmdb("credential", "add", "key", *key, stdin=ssh_key.private)

    done = cmdb("scan", f"{sshd.address}:{sshd.port}", "--json")

    assert (done.code, done.json["counts"]) == (0, {"collected": 1}), done.err
    assert [row["class"] for row in cmdb("find", "--class", "operating_system", "--json").json] == ["operating_system"]
    known = cmdb("host-key", "list", "--json").json
    assert [(row["address"], row["port"], row["origin"]) for row in known] == [(sshd.address, sshd.port, "pinned")]
    assert cmdb("host-key", "forget", sshd.address).code == 0
    assert cmdb("host-key", "list", "--json").json == []


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGINT, 130)],
)
def test_a_scan_that_is_stopped_is_closed_as_interrupted(
    cmdb: Cmdb, lab: Lab, number: signal.Signals, code: int
) -> None:
    reach = enter(cmdb, lab)
    lab.set_behaviour("web1", slow(20))
    scan = started("scan", "10.210.1.11", "10.210.1.12:1", *reach)  # the second address is closed at once
    try:
        _wait_for_state(cmdb, "running")

        scan.send_signal(number)
        done = ended(scan)
    finally:
        scan.kill()

    (run,) = cmdb("runs", "--json").json
    assert (done.code, run["state"]) == (code, "interrupted")
    assert "Traceback" not in done.err


def test_a_scan_that_was_killed_shows_as_interrupted_and_the_next_makes_the_graph_of_an_undisturbed_one(
    cmdb: Cmdb, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = enter(cmdb, lab)
    lab.set_behaviour("web3", slow(20))
    scan = started("scan", WEBS, *reach)
    try:
        _wait_for_state(cmdb, "running")
        scan.kill()
        ended(scan)
    finally:
        scan.kill()
    lab.restore()

    runs = cmdb("runs", "--json").json
    again = cmdb("scan", WEBS, *reach)
    disturbed = cmdb("export", "--canonical").out
    monkeypatch.setenv("CMDB_STORE", f"sqlite:///{tmp_path / 'undisturbed' / 'cmdb.sqlite'}")
    enter(cmdb, lab)
    assert cmdb("scan", WEBS, *reach).code == 0

    assert [run["state"] for run in runs] == ["interrupted"]
    assert again.code == 0, again.err
    assert disturbed == cmdb("export", "--canonical").out


def _wait_for_state(cmdb: Cmdb, state: str) -> None:
    for _ in range(200):
        if [run["state"] for run in cmdb("runs", "--json").json] == [state]:
            return
    raise AssertionError(f"no run is {state}")


def test_schedules_are_added_paused_resumed_and_removed(cmdb: Cmdb) -> None:
    added = cmdb("schedule", "add", "night", "10.0.0.0/24", "10.0.1.0/24", "--at", "0 2 * * *", "--space", "site-b")
    again = cmdb("schedule", "add", "night", "10.0.0.0/24", "--at", "0 3 * * *")
    (row,) = cmdb("schedule", "list", "--json").json
    paused = cmdb("schedule", "pause", "night").code, cmdb("schedule", "list", "--json").json[0]["enabled"]
    resumed = cmdb("schedule", "resume", "night").code, cmdb("schedule", "list", "--json").json[0]["enabled"]
    removed = cmdb("schedule", "remove", "night").code, cmdb("schedule", "list", "--json").json

    assert added.code == 0
    assert (again.code, again.err) == (
        4,
        "cmdb: there is a schedule 'night' already: remove it first, or take another name\n",
    )
    assert row.pop("due").endswith("T02:00:00.000000Z")
    assert row == {
        "name": "night",
        "targets": ["10.0.0.0/24", "10.0.1.0/24"],
        "space": "site-b",
        "cron": "0 2 * * *",
        "enabled": True,
    }
    assert (paused, resumed, removed) == ((0, False), (0, True), (0, []))


def test_the_command_line_works_beside_a_running_server(cmdb: Cmdb, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text("cis:\n  - {class: server, name: web1, label: D010210-009}\n")
    token = cmdb("token", "create", "feed", "--role", "reader").out.strip()
    server = started("serve", "--port", "0")
    try:
        base = next(word for word in until(server, "serving at").split() if word.startswith("http")).rstrip(";")
        declared = cmdb("declare", str(file))
        url = f"{base}/api/v1/tags/D010210-009"
        found = httpx2.get(url, headers={"Authorization": f"Bearer {token}"})
        refused = httpx2.get(url)

        server.terminate()
        done = ended(server)
    finally:
        server.kill()

    assert declared.code == 0
    assert (found.json()["ci"]["name"], found.json()["former"]) == ("web1", False)
    assert refused.status_code == 401
    assert (done.code, done.out, done.err) == (0, "", "stopped\n")


def test_a_port_that_is_taken_is_said(cmdb: Cmdb, process: Cmdb) -> None:
    server = started("serve", "--port", "0")
    try:
        base = next(word for word in until(server, "serving at").split() if word.startswith("http")).rstrip(";")
        port = base.rpartition(":")[2]

        done = process("serve", "--port", port)
    finally:
        server.terminate()
        ended(server)

    del cmdb
    assert done.code == 2
    assert f"127.0.0.1 port {port}" in done.err
    assert "--port" in done.err
