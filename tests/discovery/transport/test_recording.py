from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.transport.base import Command, HostKey, Oid, Output, Refused, SnmpValue, Walk
from discovery.transport.recording import Ledger, RecordedShell, RecordedSnmp, RecordedSsh, RecordedTerminal, Recorder
from discovery.transport.replies import RecordingError, Replies, SshIdentity, read_replies, write_replies

SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5, 0)
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)
IF_DESCR: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
IF_PHYS: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1, 6)

REPLIES = Replies(  # noqa: S604 a field, not a call through a shell
    gets={SYS_NAME: b"sw1", SYS_OBJECT_ID: (1, 3, 6, 1, 4, 1, 9)},
    walks={
        IF_DESCR: Walk((((*IF_DESCR, 1), b"Gi1"), ((*IF_DESCR, 2), b"Gi2"))),
        IF_PHYS: Walk((((*IF_PHYS, 1), b"\x00\xff"),), complete=False, reason="cut short"),
    },
    shell={"hostname": Output(b"db1\n"), "dmidecode": Output(b"", b"Permission denied\n", 1, denied=True)},
    terminal={"show version": Output(b"Version 1\n")},
    ssh=SshIdentity("SSH-2.0-OpenSSH_9.2", HostKey("ssh-ed25519", b"\x00\xab")),
)

TEXT = """\
snmp:
  get:
    1.3.6.1.2.1.1.5.0: sw1
    1.3.6.1.2.1.1.2.0:
      oid: 1.3.6.1.4.1.9
  walk:
    1.3.6.1.2.1.2.2.1.2:
      1.3.6.1.2.1.2.2.1.2.1: Gi1
      1.3.6.1.2.1.2.2.1.2.2: Gi2
    1.3.6.1.2.1.2.2.1.6:
      rows:
        1.3.6.1.2.1.2.2.1.6.1:
          hex: 00ff
      reason: cut short
shell:
  hostname:
    stdout: |
      db1
  dmidecode:
    stdout: ''
    stderr: |
      Permission denied
    code: 1
    denied: true
terminal:
  show version:
    stdout: |
      Version 1
ssh:
  banner: SSH-2.0-OpenSSH_9.2
  host_key:
    kind: ssh-ed25519
    blob:
      hex: 00ab
"""

oids = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=12).map(tuple)
values = st.one_of(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=40), st.text(max_size=20).map(str.encode), oids)
tables = st.dictionaries(oids, values, max_size=4)
walks = st.builds(
    lambda rows, reason: Walk(tuple(rows.items()), complete=reason is None, reason=reason),
    tables,
    st.none() | st.text(max_size=20),
)
outputs = st.builds(
    Output,
    st.binary(max_size=40) | st.text(max_size=40).map(str.encode),
    st.binary(max_size=10),
    st.none() | st.integers(0, 255),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
lines = st.dictionaries(st.text(min_size=1, max_size=20), outputs, max_size=3)
identities = st.none() | st.builds(
    SshIdentity, st.text(max_size=20), st.builds(HostKey, st.text(max_size=10), st.binary(max_size=20))
)


def test_a_recording_is_written_for_people_to_read() -> None:
    assert write_replies(REPLIES) == TEXT


@given(st.builds(Replies, tables, st.dictionaries(oids, walks, max_size=3), lines, lines, identities))
def test_what_was_written_is_read_back(replies: Replies) -> None:
    assert read_replies(write_replies(replies), "replies.yaml") == replies


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("snpm: {}", "replies.yaml: unknown 'snpm'; known are shell, snmp, ssh, terminal"),
        ("snmp: {get: {1.3.x: 1}}", "replies.yaml: snmp: get: not an OID: '1.3.x'"),
        ("snmp: {get: {1.3.6.1: 1.5}}", "replies.yaml: snmp: get: 1.3.6.1: expected text"),
        ("snmp: {get: {1.3.6.1: {hex: zz}}}", "replies.yaml: snmp: get: 1.3.6.1: non-hexadecimal"),
        ("shell: {id: {stdin: x}}", "replies.yaml: shell: id: unknown 'stdin'"),
        ("shell: {id: {code: zero}}", "replies.yaml: shell: id: code: expected a number"),
        ("- 1", r"replies.yaml: expected a mapping, found \[1\]"),
        ("{", "replies.yaml: not YAML"),
    ],
)
def test_a_recording_that_cannot_be_read_is_told_where(text: str, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        read_replies(text, "replies.yaml")


def test_a_recorded_agent_has_what_was_recorded_and_nothing_else() -> None:
    snmp = RecordedSnmp(REPLIES)
    other: Oid = (1, 3, 6, 1, 9, 0)

    got = snmp.get([SYS_NAME, other])
    walked = [snmp.walk(root) for root in (IF_DESCR, IF_PHYS, other)]

    assert got == {SYS_NAME: b"sw1"}
    assert walked == [REPLIES.walks[IF_DESCR], REPLIES.walks[IF_PHYS], Walk(())]


def test_a_recorded_shell_does_not_find_what_was_not_recorded() -> None:
    shell = RecordedShell(REPLIES)

    outputs = shell.run([Command("name", "hostname"), Command("disks", "lsblk -J")])

    assert outputs == {"name": Output(b"db1\n"), "disks": Output(b"", b"sh: 1: lsblk: not found\n", 127)}


def test_a_recorded_terminal_calls_the_unknown_invalid() -> None:
    terminal = RecordedTerminal(REPLIES)

    answers = [terminal.ask("show version"), terminal.ask("show inventory")]

    assert answers == [Output(b"Version 1\n"), Output(b"% Invalid input\n")]


def test_a_recording_knows_what_of_it_was_asked_and_what_it_lacks() -> None:
    ledger = Ledger(REPLIES)
    snmp, ssh = RecordedSnmp(REPLIES, ledger), RecordedSsh(REPLIES, ledger)

    snmp.get([SYS_NAME, (1, 3)])
    snmp.walk(IF_DESCR)
    ssh.shell().run([Command("name", "hostname"), Command("disks", "lsblk -J")])
    ssh.terminal().ask("show inventory")

    assert ledger.unused == (
        ("get", "1.3.6.1.2.1.1.2.0"),
        ("walk", "1.3.6.1.2.1.2.2.1.6"),
        ("run", "dmidecode"),
        ("ask", "show version"),
    )
    assert ledger.missing == (("get", "1.3"), ("run", "lsblk -J"), ("ask", "show inventory"))


def test_a_recording_without_ssh_refuses_it() -> None:
    ssh = RecordedSsh(Replies())

    for use in (ssh.shell, ssh.terminal, lambda: ssh.host_key, lambda: ssh.banner):
        with pytest.raises(Refused):
            use()


def test_what_a_recorder_heard_is_the_recording() -> None:
    recorder = Recorder()
    snmp, ssh = recorder.snmp(RecordedSnmp(REPLIES)), recorder.ssh(RecordedSsh(REPLIES))

    snmp.get(REPLIES.gets)
    for root in (*REPLIES.walks, SYS_NAME):
        snmp.walk(root)
    ssh.shell().run([Command("1", "hostname"), Command("2", "dmidecode")])
    ssh.terminal().ask("show version")
    shown = (ssh.banner, ssh.host_key)

    assert recorder.replies == REPLIES
    assert shown == (REPLIES.ssh.banner, REPLIES.ssh.host_key) if REPLIES.ssh else False


def test_values_of_a_recording_keep_their_kind() -> None:
    kinds: dict[Oid, SnmpValue] = {(1, 1): 5, (1, 2): b"5", (1, 3): (5,), (1, 4): b"", (1, 5): b"\x00"}

    read = read_replies(write_replies(Replies(gets=kinds)), "replies.yaml").gets

    assert read == kinds
