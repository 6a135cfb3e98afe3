"""The scenarios of the issue “Truth”: what is reported, in the order of its time, and the whole outcome in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import starmap
from types import MappingProxyType

from cmdb.model import Component, Decision, RelationClaim, Report, Section, Statement, Subject
from cmdb.rules import Rules
from tests.cmdb.truth.saying import (
    FULL,
    ITSELF,
    Event,
    at,
    estate,
    ids,
    interfaces,
    mac,
    neighbours,
    report,
    run,
    system,
    thing,
)

UUID = "4c4c4544-0037-4810-8051-c7c04f4e3531"
OTHER_UUID = "4c4c4544-0037-4810-8051-c7c04f4e3532"
KEY = "SHA256:" + "k" * 43
OTHER_KEY = "SHA256:" + "q" * 43
SHARED = "00:00:5e:00:01:0a"
"""A virtual router's MAC: nobody's."""

_NO_IDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Scenario:
    """`cis`, `edges`, `parts` and `problems` are all there are, the retired left out, as `spelling` puts them in words.

    `ids`: who has which id where the reports come in the order of their time; the retired have theirs, too.
    """

    name: str
    events: tuple[Event, ...]
    cis: tuple[str, ...]
    edges: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=lambda: _NO_IDS)
    rules: Rules = field(default_factory=Rules)
    now: float = 60


def _said(time: float, about: Subject, *claims: RelationClaim, others: tuple[Subject, ...] = (),
          parts: tuple[Component, ...] = (), kind: str = "ssh") -> Section:  # fmt: skip
    """What somebody says of himself, and of whom else."""
    statements = (Statement(about, {}, parts), *(Statement(one) for one in others))
    return Section(f"{kind}.system", at(time), FULL, statements, claims)


def _labelled(source: str, time: float, name: str, serial: str, label: str) -> Report:
    return report(source, time, system(time, name=name, serial=serial, values={"label": label}))


# Names and labels

_ROOM = estate(0, thing("room", "D010210"))

NAMES = (
    Scenario(
        "two devices have one host name and one copied label",
        (_ROOM, _labelled("10.0.0.1", 1, "web", "S1", "D010210-009"),
         _labelled("10.0.0.2", 2, "web", "S2", "D010210-009")),
        cis=("room D010210", "server web: serial S1", "server web: serial S2"),
        edges=("located_in web > D010210", "located_in web > D010210"),
        problems=("label_twice: web, web", "name_twice: web, web"),
        ids={"ci-1": "D010210", "ci-2": "web", "ci-3": "web"},
    ),
    Scenario(
        "a name and a label are used again after decommissioning, the old one still missing",
        (_ROOM, _labelled("10.0.0.1", 1, "web", "S1", "D010210-009"),
         *starmap(run, ((1, 2), (2, 3), (3, 4))),
         _labelled("10.0.0.1", 9, "web", "S2", "D010210-009")),
        cis=("room D010210", "server web (missing): serial S1", "server web: serial S2"),
        edges=("located_in web > D010210", "located_in web > D010210"),
        problems=("label_twice: web, web", "name_twice: web, web"),
        ids={"ci-1": "D010210", "ci-2": "web", "ci-3": "web"},
    ),
    Scenario(
        "a name and a label are used again after decommissioning, the old one retired",
        (_ROOM, _labelled("10.0.0.1", 1, "web", "S1", "D010210-009"),
         *starmap(run, ((1, 2), (2, 3), (3, 4))),
         _labelled("10.0.0.1", 60 * 24 * 100, "web", "S2", "D010210-009")),
        cis=("room D010210", "server web: serial S2"),
        edges=("located_in web > D010210",),
        ids={"ci-1": "D010210", "ci-2": "web", "ci-3": "web"},
        now=60 * 24 * 100 + 1,
    ),
)  # fmt: skip


# One thing that shows itself bit by bit


def _neighbour(number: int, name: str) -> Subject:
    return Subject("network_switch", ids(mac=mac(number)), name)


STEPS = (
    Scenario(
        "a neighbour known by LLDP only is scanned later",
        (
            report("10.0.0.1", 1, system(1, name="web", serial="S1"), interfaces(1, 1),
                   neighbours(1, ("eth1", _neighbour(9, "sw9"), "eth9"))),
            report("10.0.0.2", 2, system(2, "router", "sw9", serial="S9"), interfaces(2, 9)),
        ),
        cis=("router sw9: mac 9, serial S9", "server web: mac 1, serial S1"),
        edges=("connects_to sw9 eth9 - web eth1 one_sided",),
        parts=("sw9: interface eth9", "web: interface eth1"),
        ids={"ci-1": "web", "ci-2": "sw9"},
    ),
    Scenario(
        "SNMP first, without a class, SSH later",
        (
            report("10.0.0.1", 1, system(1, None, "web"), interfaces(1, 1)),
            report("10.0.0.1", 2, system(2, "server", "web", "ssh", serial="S1"), interfaces(2, 1, kind="ssh"),
                   port=22),
        ),
        cis=("server web: mac 1, serial S1",),
        parts=("web: interface eth1",),
        ids={"ci-1": "web"},
    ),
    Scenario(
        "no root on Linux, then root",
        (
            report("10.0.0.1", 1, system(1, name="host", kind="ssh", host_key=KEY), interfaces(1, 1, kind="ssh")),
            report("10.0.0.1", 2, system(2, name="host", kind="ssh", host_key=KEY, serial="S1", uuid=UUID),
                   interfaces(2, 1, kind="ssh")),
        ),
        cis=(f"server host: host_key k, mac 1, serial S1, uuid {UUID}",),
        parts=("host: interface eth1",),
        ids={"ci-1": "host"},
    ),
    Scenario(
        "root, then no root, at another address",
        (
            report("10.0.0.1", 1, system(1, name="host", kind="ssh", host_key=KEY, serial="S1"),
                   interfaces(1, 1, kind="ssh")),
            report("10.0.0.2", 2, system(2, name="host", kind="ssh", host_key=KEY), interfaces(2, 1, kind="ssh")),
        ),
        cis=("server host: host_key k, mac 1, serial S1",),
        parts=("host: interface eth1",),
        ids={"ci-1": "host"},
    ),
    Scenario(
        "an operating system is installed anew on the same serial",
        tuple(
            report("10.0.0.1", time, Section(
                "ssh.system", at(time), FULL,
                (Statement(Subject("server", ids(serial="S1"), "host", itself=True)),
                 Statement(Subject("operating_system", owner=ITSELF, key=key, name=f"linux {key}")),
                 Statement(Subject("process", owner=ITSELF, key=f"{key}d:80", name=f"{key}d:80"))),
                (RelationClaim("runs_on", Subject("operating_system", owner=ITSELF, key=key), ITSELF),
                 RelationClaim("runs_on", Subject("process", owner=ITSELF, key=f"{key}d:80"),
                               Subject("operating_system", owner=ITSELF, key=key))),
            ))
            for time, key in ((1, "old"), (2, "new"))
        ),
        cis=("operating_system linux new", "process newd:80", "server host: serial S1"),
        edges=("runs_on linux new > host", "runs_on newd:80 > linux new"),
        ids={"ci-1": "host", "ci-2": "linux old", "ci-3": "oldd:80", "ci-4": "linux new", "ci-5": "newd:80"},
    ),
)  # fmt: skip


# Clones and moves


def _machine(time: float, name: str, *others: Subject, **given: str) -> Section:
    about = Subject("virtual_machine", ids(**given), name, itself=True)
    system = Subject("operating_system", owner=ITSELF, key="machine-id-1", name=f"linux on {name}")
    return _said(time, about, RelationClaim("runs_on", system, ITSELF), others=(system, *others))


def _partition(time: float, frame: str, number: int) -> Section:
    frame_itself = Subject("midrange_server", ids(serial=frame))
    given = ids(uuid=UUID, mac=mac(1), wwn=["c050760000000001", "c050760000000002"])
    about = Subject("partition", given, "lpar", itself=True)
    statement = Statement(about, {"lpar_id": number}, (Component("fc_port", "c050760000000001"),))
    return Section("ssh.system", at(time), FULL, (statement,), (RelationClaim("hosted_on", ITSELF, frame_itself),))


def _guest(time: float, host: str) -> Section:
    cluster = RelationClaim("hosted_on", ITSELF, Subject("cluster", name="esx"))
    now_on = RelationClaim("hosted_on", ITSELF, Subject("server", ids(serial=host)), {"active": True})
    return _said(time, Subject("virtual_machine", ids(uuid=UUID), "vm", itself=True), cluster, now_on)


_LPAR = f"partition lpar: mac 1, uuid {UUID}, wwn c050760000000001, wwn c050760000000002"
_FRAMES = ("midrange_server FRAME-A: serial FRAME-A", "midrange_server FRAME-B: serial FRAME-B")
_ESX = estate(0, thing("cluster", "esx"), thing("server", "esx1", serial="E1"), thing("server", "esx2", serial="E2"))

MOVES = (
    Scenario(
        "a machine is cloned: system UUID, machine-id and SSH host key are the same, the MACs are not",
        tuple(
            report(f"10.0.0.{n}", n, _machine(n, name, uuid=UUID, host_key=KEY), interfaces(n, n, kind="ssh"))
            for n, name in ((1, "one"), (2, "two"))
        ),
        cis=(
            "operating_system linux on one", "operating_system linux on two",
            f"virtual_machine one: host_key k, mac 1, uuid {UUID}",
            f"virtual_machine two: host_key k, mac 2, uuid {UUID}",
        ),
        edges=("runs_on linux on one > one", "runs_on linux on two > two"),
        parts=("one: interface eth1", "two: interface eth2"),
        problems=("conflict: one, two", "conflict: one, two"),
        ids={"ci-1": "one", "ci-2": "linux on one", "ci-3": "two", "ci-4": "linux on two"},
    ),
    Scenario(
        "a partition moves to another frame and keeps its address",
        (report("10.0.0.1", 1, _partition(1, "FRAME-A", 3)), report("10.0.0.1", 2, _partition(2, "FRAME-B", 7)),
         estate(3, thing("midrange_server", "FRAME-A", serial="FRAME-A"))),
        cis=(*_FRAMES, _LPAR),
        edges=("hosted_on lpar > FRAME-B",),
        parts=("lpar: fc_port c050760000000001",),
        ids={"ci-1": "lpar", "ci-2": "FRAME-A", "ci-3": "FRAME-B"},
    ),
    Scenario(
        "a partition moves to another frame and gets another address",
        (report("10.0.0.1", 1, _partition(1, "FRAME-A", 3)), run(1, 2, "10.0.0.1/32"),
         report("10.9.0.9", 3, _partition(3, "FRAME-B", 7)),
         estate(4, thing("midrange_server", "FRAME-A", serial="FRAME-A"))),
        cis=(*_FRAMES, _LPAR),
        edges=("hosted_on lpar > FRAME-B",),
        parts=("lpar: fc_port c050760000000001",),
        ids={"ci-1": "lpar", "ci-2": "FRAME-A", "ci-3": "FRAME-B"},
        rules=Rules(missing_after=1),
    ),
    Scenario(
        "a virtual machine moves inside its cluster",
        (_ESX, report("10.0.0.1", 1, _guest(1, "E1")), report("10.0.0.1", 2, _guest(2, "E2"))),
        cis=("cluster esx", "server esx1: serial E1", "server esx2: serial E2", f"virtual_machine vm: uuid {UUID}"),
        edges=("hosted_on vm > esx", "hosted_on vm > esx2 active=True"),
        ids={"ci-1": "esx", "ci-2": "esx1", "ci-3": "esx2", "ci-4": "vm"},
    ),
)  # fmt: skip


# Boards


def _board(time: float, serial: str, uuid: str, *macs: int) -> Report:
    disk = Component("disk", "sda", {"serial": "DISK-1"})
    about = Subject("server", ids(serial=serial, uuid=uuid), "host", itself=True)
    said = Section("ssh.system", at(time), FULL, (Statement(about, {}, (disk,)),))
    return report("10.0.0.1", time, said, interfaces(time, *macs, kind="ssh"))


_BOARDS = (_board(1, "S1", UUID, 1, 2), _board(2, "S2", OTHER_UUID, 2, 3))

BOARDS = (
    Scenario(
        "a board is replaced: another serial and UUID; name, disks and a MAC are the same",
        _BOARDS,
        cis=(f"server host: mac 1, mac 2, serial S1, uuid {UUID}",
             f"server host: mac 2, mac 3, serial S2, uuid {OTHER_UUID}"),
        parts=("host: disk sda", "host: disk sda", "host: interface eth1", "host: interface eth2",
               "host: interface eth2", "host: interface eth3"),
        problems=("conflict: host, host", "name_twice: host, host"),
        ids={"ci-1": "host", "ci-2": "host"},
    ),
    Scenario(
        "a board is replaced, and a person says that the two are one",
        (*_BOARDS, Decision("d1", "same", ids(serial="S1"), ids(serial="S2"), "ann", "new board", at(3))),
        cis=(f"server host: mac 2, mac 3, serial S2, uuid {OTHER_UUID}",),
        parts=("host: disk sda", "host: interface eth2", "host: interface eth3"),
        ids={"ci-1": "host"},
    ),
)  # fmt: skip
