"""More scenarios of the issue “Truth”: addresses, stacks, pairs, chassis, clusters, and values that many share."""

from __future__ import annotations

from cmdb.model import Component, RelationClaim, Report, Section, Statement, Subject
from cmdb.rules import Rules
from tests.cmdb.truth.saying import (
    FULL,
    ITSELF,
    at,
    estate,
    ids,
    interfaces,
    mac,
    report,
    run,
    system,
    thing,
)
from tests.cmdb.truth.scenarios import KEY, OTHER_KEY, SHARED, Scenario

# Addresses


def _host(source: str, time: float, serial: str, number: int, space: str = "default") -> Report:
    return report(source, time, system(time, name=f"host{serial}", serial=serial), interfaces(time, number),
                  space=space)  # fmt: skip


def _without_serial(source: str, time: float, key: str, number: int) -> Report:
    return report(source, time, system(time, name=f"host{number}", kind="ssh", host_key=key),
                  interfaces(time, number, kind="ssh"))  # fmt: skip


ADDRESSES = (
    Scenario(
        "two swap their addresses",
        (_host("10.0.0.1", 1, "S1", 1), _host("10.0.0.2", 1.5, "S2", 2), _host("10.0.0.1", 2, "S2", 2),
         _host("10.0.0.2", 3, "S1", 1)),
        cis=("server hostS1: mac 1, serial S1", "server hostS2: mac 2, serial S2"),
        parts=("hostS1: interface eth1", "hostS2: interface eth2"),
        ids={"ci-1": "hostS1", "ci-2": "hostS2"},
    ),
    Scenario(
        "two without serials swap their addresses",
        (_without_serial("10.0.0.1", 1, KEY, 1), _without_serial("10.0.0.2", 1.5, OTHER_KEY, 2),
         _without_serial("10.0.0.1", 2, OTHER_KEY, 2), _without_serial("10.0.0.2", 3, KEY, 1)),
        cis=("server host1: host_key k, mac 1", "server host2: host_key q, mac 2"),
        parts=("host1: interface eth1", "host2: interface eth2"),
        ids={"ci-1": "host1", "ci-2": "host2"},
    ),
    Scenario(
        "DHCP hands an address from one to the next",
        (_host("10.0.0.1", 1, "S1", 1), _host("10.0.0.1", 2, "S2", 2), _host("10.0.0.1", 3, "S3", 3),
         _host("10.0.0.2", 4, "S1", 1)),
        cis=("server hostS1: mac 1, serial S1", "server hostS2: mac 2, serial S2", "server hostS3: mac 3, serial S3"),
        parts=("hostS1: interface eth1", "hostS2: interface eth2", "hostS3: interface eth3"),
        ids={"ci-1": "hostS1", "ci-2": "hostS2", "ci-3": "hostS3"},
    ),
    Scenario(
        "two sites have the same addresses and names",
        (_host("10.0.0.1", 1, "S1", 1), _host("10.0.0.1", 2, "S2", 2, "site2"),
         report("10.0.0.7", 3, system(3, "printer", "lp"), space="default"),
         report("10.0.0.7", 3, system(3, "printer", "lp"), space="site2")),
        cis=("printer lp", "printer lp", "server hostS1: mac 1, serial S1", "server hostS2: mac 2, serial S2"),
        parts=("hostS1: interface eth1", "hostS2: interface eth2"),
        ids={"ci-1": "hostS1", "ci-2": "hostS2", "ci-3": "lp", "ci-4": "lp"},
    ),
)  # fmt: skip


# Stacks


def _stack(time: float, master: str, *members: str) -> Report:
    units = tuple(Component("unit", f"unit {one}", {"serial": one}) for one in members)
    about = Subject("network_switch", ids(serial=master, member_serial=members), "stack", itself=True)
    return report("10.0.0.1", time, Section("snmp.system", at(time), FULL, (Statement(about, {}, units),)))


STACKS = (
    Scenario(
        "the master of a stack switches over",
        (_stack(1, "M1", "M1", "M2"), _stack(2, "M2", "M1", "M2")),
        cis=("network_switch stack: member_serial M1, member_serial M2",),
        parts=("stack: unit unit M1", "stack: unit unit M2"),
        ids={"ci-1": "stack"},
    ),
    Scenario(
        "one member of a stack after the other is replaced",
        (_stack(1, "M1", "M1", "M2"), _stack(2, "M2", "M2", "M3"), _stack(3, "M3", "M3", "M4")),
        cis=("network_switch stack: member_serial M3, member_serial M4",),
        parts=("stack: unit unit M3", "stack: unit unit M4"),
        ids={"ci-1": "stack"},
    ),
    Scenario(
        "a single switch becomes a stack",
        (report("10.0.0.1", 1, system(1, "network_switch", "stack", serial="M1")), _stack(2, "M1", "M1", "M2")),
        cis=("network_switch stack: member_serial M1, member_serial M2",),
        parts=("stack: unit unit M1", "stack: unit unit M2"),
        ids={"ci-1": "stack"},
    ),
)


# Pairs

_VIP = thing("virtual_address", "vip")


def _firewall(source: str, time: float, number: int) -> Report:
    """One of a pair: the virtual router's MAC and address are on both."""
    address = Component("address", "10.0.0.100", {"address": "10.0.0.100"})
    given = ids(serial=f"F{number}", mac=[SHARED, mac(number)])
    about = Subject("firewall", given, f"fw{number}", itself=True)
    return report(source, time, Section("snmp.system", at(time), FULL, (Statement(about, {}, (address,)),)))


def _pair(time: float, active: int) -> Report:
    members = [
        RelationClaim("composed_of", _VIP, Subject("firewall", ids(serial=f"F{n}")), {"active": n == active})
        for n in (1, 2)
    ]
    return estate(time, _VIP, relations=members)


PAIRS = (
    Scenario(
        "a pair with synchronised configuration has a VRRP address, at which one answers after the other",
        (_firewall("10.0.0.1", 1, 1), _firewall("10.0.0.2", 2, 2), _pair(3, 1), _firewall("10.0.0.100", 4, 1),
         _firewall("10.0.0.100", 5, 2)),
        cis=("firewall fw1: mac 1, serial F1", "firewall fw2: mac 2, serial F2", "virtual_address vip"),
        edges=("composed_of vip > fw1 active=True", "composed_of vip > fw2 active=False"),
        parts=("fw1: address 10.0.0.100", "fw2: address 10.0.0.100"),
        problems=("address_twice: fw1, fw2",),
        ids={"ci-1": "fw1", "ci-2": "fw2", "ci-3": "vip"},
    ),
    Scenario(
        "the other of a pair becomes active",
        (_firewall("10.0.0.1", 1, 1), _firewall("10.0.0.2", 2, 2), _pair(3, 1), _pair(4, 2)),
        cis=("firewall fw1: mac 1, serial F1", "firewall fw2: mac 2, serial F2", "virtual_address vip"),
        edges=("composed_of vip > fw1 active=False", "composed_of vip > fw2 active=True"),
        parts=("fw1: address 10.0.0.100", "fw2: address 10.0.0.100"),
        problems=("address_twice: fw1, fw2",),
        ids={"ci-1": "fw1", "ci-2": "fw2", "ci-3": "vip"},
    ),
)  # fmt: skip


# Contexts, slots


def _chassis(cls: str, time: float = 1) -> Report:
    return report("10.0.0.1", time, system(time, cls, "chassis", serial="CH1"))


def _inside(source: str, time: float, key: str, inner: str, outer: str, **given: str) -> Report:
    """A context or slot, known by its key inside the chassis; `given` are identifiers that it answers with."""
    chassis = Subject(outer, ids(serial="CH1"))
    about = Subject(inner, ids(**given), key, owner=chassis, key=key, itself=True)
    part = RelationClaim("part_of", ITSELF, chassis)
    return report(source, time, Section("snmp.system", at(time), FULL, (Statement(about),), (part,)))


def _blade(source: str, time: float, slot: str, number: int) -> Report:
    chassis = Subject("enclosure", ids(serial="CH1"))
    about = Subject("server", ids(serial=f"B{number}"), f"blade{number}", owner=chassis, key=slot, itself=True)
    part = RelationClaim("part_of", ITSELF, chassis)
    return report(source, time, Section("snmp.system", at(time), FULL, (Statement(about),), (part,)))


CHASSIS = (
    Scenario(
        "the contexts of a firewall answer at addresses of their own",
        (_chassis("firewall"), _inside("10.0.0.2", 2, "red", "firewall", "firewall"),
         _inside("10.0.0.3", 3, "blue", "firewall", "firewall"), _inside("10.0.0.9", 4, "red", "firewall", "firewall")),
        cis=("firewall blue in chassis", "firewall chassis: serial CH1", "firewall red in chassis"),
        edges=("part_of blue > chassis", "part_of red > chassis"),
        ids={"ci-1": "chassis", "ci-2": "red", "ci-3": "blue"},
    ),
    Scenario(
        "the contexts of a switch (VDCs) answer with the serial of the chassis",
        (_chassis("network_switch"),
         _inside("10.0.0.2", 2, "vdc2", "network_switch", "network_switch", serial="CH1", mac=mac(2)),
         _inside("10.0.0.3", 3, "vdc3", "network_switch", "network_switch", serial="CH1", mac=mac(3))),
        cis=("network_switch chassis: serial CH1", "network_switch vdc2 in chassis: mac 2",
             "network_switch vdc3 in chassis: mac 3"),
        edges=("part_of vdc2 > chassis", "part_of vdc3 > chassis"),
        ids={"ci-1": "chassis", "ci-2": "vdc2", "ci-3": "vdc3"},
    ),
    Scenario(
        "contexts that know nothing of their chassis answer with its serial: as discovery has it today",
        (report("10.0.0.1", 1, system(1, "firewall", "fw", serial="CH1"), interfaces(1, 1)),
         report("10.0.0.2", 2, system(2, "firewall", "red", serial="CH1"), interfaces(2, 2)),
         report("10.0.0.3", 3, system(3, "firewall", "blue", serial="CH1"), interfaces(3, 3))),
        cis=("firewall blue: mac 3, serial CH1", "firewall fw: mac 1, serial CH1", "firewall red: mac 2, serial CH1"),
        parts=("blue: interface eth3", "fw: interface eth1", "red: interface eth2"),
        problems=("conflict: fw, red",),
        ids={"ci-1": "fw", "ci-2": "red", "ci-3": "blue"},
    ),
    Scenario(
        "the blades of an enclosure answer with its serial",
        (_chassis("enclosure"), _inside("10.0.0.2", 2, "slot 1", "server", "enclosure", serial="CH1", mac=mac(2)),
         _inside("10.0.0.3", 3, "slot 2", "server", "enclosure", serial="CH1", mac=mac(3))),
        cis=("enclosure chassis: serial CH1", "server slot 1 in chassis: mac 2", "server slot 2 in chassis: mac 3"),
        edges=("part_of slot 1 > chassis", "part_of slot 2 > chassis"),
        ids={"ci-1": "chassis", "ci-2": "slot 1", "ci-3": "slot 2"},
    ),
    Scenario(
        "a blade moves to another slot, and another gets its place",
        (_chassis("enclosure"), _blade("10.0.0.2", 2, "slot 1", 1), _blade("10.0.0.2", 3, "slot 2", 1),
         _blade("10.0.0.3", 4, "slot 1", 2)),
        cis=("enclosure chassis: serial CH1", "server blade1 as slot 2 in chassis: serial B1",
             "server blade2 as slot 1 in chassis: serial B2"),
        edges=("part_of blade1 > chassis", "part_of blade2 > chassis"),
        ids={"ci-1": "chassis", "ci-2": "blade1", "ci-3": "blade2"},
    ),
    Scenario(
        "two blades swap their slots, and with them their addresses",
        (_chassis("enclosure"), _blade("10.0.0.2", 2, "slot 1", 1), _blade("10.0.0.3", 3, "slot 2", 2),
         _blade("10.0.0.2", 4, "slot 1", 2), _blade("10.0.0.3", 5, "slot 2", 1)),
        cis=("enclosure chassis: serial CH1", "server blade1 as slot 2 in chassis: serial B1",
             "server blade2 as slot 1 in chassis: serial B2"),
        edges=("part_of blade1 > chassis", "part_of blade2 > chassis"),
        ids={"ci-1": "chassis", "ci-2": "blade1", "ci-3": "blade2"},
    ),
    Scenario(
        "a blade is pulled, and another comes into its slot at another address",
        (_chassis("enclosure"), _blade("10.0.0.2", 2, "slot 1", 1), run(1, 3, "10.0.0.2/32"),
         _blade("10.0.0.3", 4, "slot 1", 2)),
        cis=("enclosure chassis: serial CH1", "server blade1 (missing): serial B1",
             "server blade2 as slot 1 in chassis: serial B2"),
        edges=("part_of blade1 > chassis", "part_of blade2 > chassis"),
        ids={"ci-1": "chassis", "ci-2": "blade1", "ci-3": "blade2"},
        rules=Rules(missing_after=1),
    ),
    Scenario(
        "two blades say that they are in one slot: neither is known by it",
        (_chassis("enclosure"), _blade("10.0.0.2", 2, "slot 1", 1), _blade("10.0.0.3", 4, "slot 1", 2)),
        cis=("enclosure chassis: serial CH1", "server blade1: serial B1", "server blade2: serial B2"),
        edges=("part_of blade1 > chassis", "part_of blade2 > chassis"),
        ids={"ci-1": "chassis", "ci-2": "blade1", "ci-3": "blade2"},
    ),
)  # fmt: skip


# Clusters


def _node(time: float, number: int, *, active: bool) -> Report:
    """A node of a cluster, as it tells of itself; the active one tells of the instance that it runs, too."""
    cluster = Subject("cluster", name="dbc")
    instance = Subject("database_instance", owner=cluster, key="ORCL", name="ORCL")
    member = RelationClaim("composed_of", cluster, ITSELF, {"active": active})
    about = Subject("server", ids(serial=f"N{number}"), f"node{number}", itself=True)
    statements = (Statement(about), *((Statement(instance),) if active else ()))
    needs = (RelationClaim("depends_on", instance, cluster),) if active else ()
    said = Section("ssh.system", at(time), FULL, statements, (member, *needs))
    return report(f"10.0.0.{number}", time, said)


_CLUSTER = estate(0, thing("cluster", "dbc"))

CLUSTERS = (
    Scenario(
        "a database instance fails over to the other node",
        (_CLUSTER, _node(1, 1, active=True), _node(2, 2, active=False), _node(3, 1, active=False),
         _node(4, 2, active=True)),
        cis=("cluster dbc", "database_instance ORCL in dbc", "server node1: serial N1", "server node2: serial N2"),
        edges=("composed_of dbc > node1 active=False", "composed_of dbc > node2 active=True",
               "depends_on ORCL > dbc"),
        ids={"ci-1": "dbc", "ci-2": "node1", "ci-3": "ORCL", "ci-4": "node2"},
    ),
    Scenario(
        "a database instance fails over because its node died",
        (_CLUSTER, _node(1, 1, active=True), _node(2, 2, active=False), run(1, 3, "10.0.0.1/32"),
         _node(4, 2, active=True)),
        cis=("cluster dbc", "database_instance ORCL in dbc", "server node1 (missing): serial N1",
             "server node2: serial N2"),
        edges=("composed_of dbc > node1", "composed_of dbc > node2 active=True",
               "depends_on ORCL > dbc"),
        ids={"ci-1": "dbc", "ci-2": "node1", "ci-3": "ORCL", "ci-4": "node2"},
        rules=Rules(missing_after=1),
    ),
)  # fmt: skip


# What many have


def _localhost(number: int, time: float, serial: str | None) -> Report:
    said = system(time, name="localhost", serial=[] if serial is None else [serial])
    return report(f"10.0.0.{number}", time, said, interfaces(time, number))


MANY = (
    Scenario(
        "many hosts are called localhost, and many have one serial",
        (*(_localhost(n, n, "123456789") for n in range(1, 41)), *(_localhost(n, n, None) for n in range(41, 61))),
        cis=tuple(
            sorted(f"server localhost: mac {n}" + (", serial 123456789" if n < 41 else "") for n in range(1, 61))
        ),
        parts=tuple(sorted(f"localhost: interface eth{n}" for n in range(1, 61))),
        problems=("conflict: " + ", ".join(["localhost"] * 6), "name_twice: " + ", ".join(["localhost"] * 20)),
        ids={f"ci-{n}": "localhost" for n in range(1, 61)},
    ),
)  # fmt: skip
