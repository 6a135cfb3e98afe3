"""The Linux hosts and the prompts, reached by the collector's own SSH transport and by OpenSSH's rules."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from discovery.transport.base import (
    Command,
    CredentialRefused,
    Endpoint,
    HostKey,
    HostKeyPolicy,
    Output,
    Refused,
    Secret,
    Ssh,
    SshCredential,
    SshKey,
    SshLimits,
    SshPassword,
    TransportError,
)
from discovery.transport.ssh import SshDialler
from lab import REFUSING, SILENT, Lab, Lie, LogIn, lying, slow
from lab.access import SSH_USER
from lab.site import SITE

HOSTS = [device for device in SITE.devices if device.linux is not None]
QUICK = SshLimits(connect_s=0.5, login_s=2.0, script_deadline_s=10.0)


class AnyHostKey:
    """Knows no key, and keeps none."""

    policy = HostKeyPolicy.PIN

    def known(self, address: str, port: int) -> Sequence[HostKey]:  # noqa: ARG002 -- the protocol's names
        return ()

    def pin(self, address: str, port: int, key: HostKey) -> None:
        pass


def secret(lab: Lab, kind: str) -> str:
    return next(row.secrets[0] for row in lab.credentials if row.kind == kind)


@contextmanager
def connected(lab: Lab, name: str, credential: SshCredential | None = None) -> Iterator[Ssh]:
    ssh = SshDialler(QUICK).connect(
        Endpoint(lab.dial(name), lab.ssh_port),
        credential or SshPassword(SSH_USER, Secret(secret(lab, "ssh-password")), sudo=True),
        AnyHostKey(),
    )
    try:
        yield ssh
    finally:
        ssh.close()


def run(lab: Lab, name: str, text: str, *, root: bool = False) -> Output:
    with connected(lab, name) as ssh:
        return ssh.shell().run([Command("it", text, root=root)])["it"]


@pytest.mark.parametrize("host", HOSTS, ids=[host.id for host in HOSTS])
def test_a_script_runs_on_each_host_and_prints_that_hosts_own_things(lab: Lab, host: object) -> None:
    device = next(device for device in HOSTS if device is host)
    commands = [
        Command("name", "hostname"),
        Command("disks", "lsblk --json --bytes --nodeps --output NAME,TYPE,SIZE,SERIAL"),
        Command("links", "ip -json -details address show"),
        Command("serial", "cat /sys/class/dmi/id/product_serial", root=True),
    ]

    with connected(lab, device.id) as ssh:
        outputs = ssh.shell().run(commands)

    assert device.linux is not None
    assert outputs["name"].text == f"{device.name}\n"
    assert [disk["serial"] for disk in json.loads(outputs["disks"].text)["blockdevices"]] == [
        disk.serial for disk in device.linux.disks
    ]
    assert [link["ifname"] for link in json.loads(outputs["links"].text)] == [
        port.name for port in device.ports if port.wwpn is None
    ]
    assert outputs["serial"].denied is not device.linux.sudo
    assert outputs["serial"].text == (f"{device.linux.product_serial}\n" if device.linux.sudo else "")


def test_the_key_opens_what_the_password_opens_and_each_attempt_is_seen(lab: Lab) -> None:
    lab.log_ins.clear()

    with connected(lab, "web1", SshKey(SSH_USER, Secret(secret(lab, "ssh-key")))) as ssh:
        fingerprint = ssh.host_key.fingerprint

    assert fingerprint == lab.host_key("web1")
    assert LogIn("web1", SSH_USER, "publickey", accepted=True) in lab.log_ins


def test_a_wrong_password_is_refused_and_seen(lab: Lab) -> None:
    lab.log_ins.clear()

    with pytest.raises(CredentialRefused), connected(lab, "web1", SshPassword(SSH_USER, Secret("wrong"))):
        pass

    assert lab.log_ins == [LogIn("web1", SSH_USER, "password", accepted=False)]


def test_every_host_has_a_host_key_of_its_own(lab: Lab) -> None:
    assert len({lab.host_key(host.id) for host in HOSTS}) == len(HOSTS)


def test_nothing_of_this_machine_shows(lab: Lab) -> None:
    assert run(lab, "web1", "cat /etc/hostname").text == "web1\n"
    assert run(lab, "web1", "cat /etc/passwd").code == 1
    assert run(lab, "web1", "head -n 1 /etc/os-release").text == 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
    assert run(lab, "web1", "ls /sys/class/net").text.split() == ["bond0", "eno1", "eno2", "lo"]
    assert run(lab, "web1", "python3 -c 'print(1)'").code == 127


def test_files_are_found_by_globs_and_named_as_on_the_host(lab: Lab) -> None:
    output = run(lab, "db1", "grep -H . /sys/class/fc_host/host*/port_name")

    assert output.text.splitlines() == [
        "/sys/class/fc_host/host1/port_name:0x10000090fa060001",
        "/sys/class/fc_host/host2/port_name:0x10000090fa060002",
    ]


def test_grep_fails_where_there_is_nothing(lab: Lab) -> None:
    output = run(lab, "web1", "grep -H . /sys/class/fc_host/host*/port_name")

    assert (output.text, output.code) == ("", 2)
    assert b"/sys/class/fc_host" in output.stderr
    assert str(lab.recordings).encode() not in output.stderr


def test_only_root_sees_whose_the_sockets_are(lab: Lab) -> None:
    as_user = run(lab, "web1", "ss -H -tlnp").text
    as_root = run(lab, "web1", "ss -H -tlnp", root=True).text

    assert "users:" not in as_user
    assert 'users:(("nginx",pid=838,fd=3),("nginx",pid=837,fd=3))' in as_root
    assert len(as_user.splitlines()) == len(as_root.splitlines()) == 5


def test_established_connections_show_at_both_ends(lab: Lab) -> None:
    def ends(name: str) -> set[tuple[str, str]]:
        rows = [line.split() for line in run(lab, name, "ss -H -tn state established").text.splitlines()]
        return {(row[2], row[3]) for row in rows}

    assert {(far, near) for near, far in ends("web1")} <= ends("app1") | ends("app2")


def test_a_host_without_the_daemon_knows_no_lldpcli(lab: Lab) -> None:
    assert run(lab, "bkp1", "lldpcli -f json0 show neighbors", root=True).code == 127
    assert run(lab, "web1", "lldpcli -f json0 show neighbors", root=True).code == 0


def test_sudo_is_denied_where_the_host_denies_it(lab: Lab) -> None:
    output = run(lab, "db2", "cat /sys/class/dmi/id/product_uuid", root=True)

    assert (output.denied, output.text) == (True, "")


def test_gear_has_a_prompt(lab: Lab) -> None:
    with connected(lab, "acc1") as ssh:
        banner = ssh.banner
        terminal = ssh.terminal()
        version, nonsense = terminal.ask("show version"), terminal.ask("sh -s")
        terminal.close()

    assert banner == "SSH-2.0-Cisco-1.25"
    assert "System Serial Number               : FCW2331L0AB" in version.text
    assert "% Invalid input" in nonsense.text


def test_a_silent_host_is_silent_and_a_refusing_one_refuses(lab: Lab) -> None:
    lab.set_behaviour("web1", SILENT)
    with pytest.raises(TimeoutError), connected(lab, "web1"):
        pass
    lab.set_behaviour("web1", REFUSING)
    with pytest.raises(Refused), connected(lab, "web1"):
        pass

    lab.restore()
    assert run(lab, "web1", "hostname").text == "web1\n"


def test_silence_means_that_not_even_a_connection_comes_about(lab: Lab) -> None:
    with socket.socket() as probe:
        probe.settimeout(0.3)
        with pytest.raises(TimeoutError):
            probe.connect(("127.210.1.200", lab.ssh_port))


def test_a_slow_host_takes_its_time(lab: Lab) -> None:
    lab.set_behaviour("web1", slow(0.2))

    assert run(lab, "web1", "hostname").text == "web1\n"


@pytest.mark.parametrize("lie", [Lie.TRUNCATED, Lie.GARBAGE])
def test_a_lying_host_does_not_get_a_whole_answer_across(lab: Lab, lie: Lie) -> None:
    lab.set_behaviour("web1", lying(lie))
    whole = SITE.device("web1").name + "\n"

    try:
        text = run(lab, "web1", "hostname").text
    except TransportError:
        text = ""

    assert text != whole
