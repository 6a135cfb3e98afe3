"""What commands print, in; facts out: nothing there, something good, something recognised as wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest

from discovery.facts import (
    Address,
    Connection,
    Disk,
    Fact,
    FcPort,
    Hardware,
    Interface,
    Listener,
    Neighbour,
    OperatingSystem,
    Owner,
    ParseError,
    Process,
)
from discovery.parsers import iproute, linux, lldpd, lsblk, sockets

Parse = Callable[[str], Iterable[Fact]]

ALL: list[Parse] = [
    linux.uname, linux.hostname, linux.os_release, linux.machine_id, linux.dmi, linux.product_serial,
    linux.product_uuid, linux.processes, linux.fc_hosts, iproute.addresses, lsblk.disks, sockets.listeners,
    sockets.connections, lldpd.neighbours,
]  # fmt: skip


@pytest.mark.parametrize("parse", ALL, ids=lambda parse: parse.__name__)
def test_nothing_there_is_nothing(parse: Parse) -> None:
    assert [] == list(parse("\n"))


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (linux.uname, "bash: uname: command not found"),
        (linux.hostname, "hostname: no address"),
        (linux.os_release, "NAME=Debian\nwhatever\n"),
        (linux.os_release, 'NAME="Debian\n'),
        (linux.machine_id, "xyz"),
        (linux.dmi, "grep: no such file"),
        (linux.product_uuid, "Not Settable"),
        (linux.processes, "PID USER COMMAND"),
        (linux.fc_hosts, "/sys/class/fc_host/host1/speed:16 Gbit"),
        (iproute.addresses, "1: lo: <LOOPBACK>"),
        (iproute.addresses, '{"ifname": "lo"}'),
        (iproute.addresses, '[{"ifindex": 1}]'),
        (lsblk.disks, "NAME SIZE"),
        (lsblk.disks, "[]"),
        (sockets.listeners, "Netid State Recv-Q"),
        (sockets.listeners, "LISTEN 0 128 nowhere:ssh *:*"),
        (sockets.connections, "ESTAB 0 0 10.0.0.300:1 10.0.0.1:2"),
        (lldpd.neighbours, "no neighbours"),
        (lldpd.neighbours, '{"lldp": {"interface": {"eno1": {}}}}'),
    ],
)
def test_what_is_recognised_as_wrong_is_said(parse: Parse, text: str) -> None:
    with pytest.raises(ParseError):
        list(parse(text))


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (
            linux.uname,
            "Linux 6.1.0-18-amd64 x86_64\n",
            OperatingSystem(kernel="Linux 6.1.0-18-amd64", architecture="x86_64"),
        ),
        (linux.hostname, "web1.example.net\n", OperatingSystem(hostname="web1.example.net")),
        (
            linux.os_release,
            '# a comment\nNAME=\'Acme Linux\'\nVERSION_ID=9\nPRETTY_NAME="Acme \\"Nine\\""\n',
            OperatingSystem('Acme "Nine"', "Acme Linux", "9"),
        ),
        (linux.os_release, "NAME=Acme\n", OperatingSystem("Acme", "Acme")),
        (linux.machine_id, "0123456789ABCDEF0123456789abcdef\n", OperatingSystem(machine_id="0123456789abcdef" * 2)),
        (linux.product_serial, " CZ1 \n", Hardware(serial="CZ1")),
        (
            linux.product_uuid,
            "4C4C4544-0037-4810-8051-C7C04F4E3533\n",
            Hardware(uuid="4c4c4544-0037-4810-8051-c7c04f4e3533"),
        ),
    ],
)
def test_what_a_host_says_of_itself(parse: Parse, text: str, expected: Fact) -> None:
    assert [expected] == list(parse(text))


@pytest.mark.parametrize("text", ["", "uninitialized\n"])
def test_a_machine_id_that_is_not_set_says_nothing(text: str) -> None:
    assert [] == list(linux.machine_id(text))


@pytest.mark.parametrize(
    ("vendor", "model", "hypervisor"),
    [
        ("Dell Inc.", "PowerEdge R650", ""),
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "KVM"),
        ("Red Hat", "KVM", "KVM"),
        ("VMware, Inc.", "VMware7,1", "VMware"),
        ("Microsoft Corporation", "Virtual Machine", "Hyper-V"),
        ("Microsoft Corporation", "Surface Pro", ""),
        ("Xen", "HVM domU", "Xen"),
        ("Amazon EC2", "m5.large", "Amazon EC2"),
        ("Amazon EC2", "m5.metal", ""),
        ("innotek GmbH", "VirtualBox", "VirtualBox"),
    ],
)
def test_firmware_names_the_hypervisor(vendor: str, model: str, hypervisor: str) -> None:
    text = f"/sys/class/dmi/id/sys_vendor:{vendor}\n/sys/class/dmi/id/product_name:{model}\n"

    assert [Hardware(vendor, model, hypervisor=hypervisor)] == list(linux.dmi(text))


def test_processes_whose_names_hold_blanks() -> None:
    assert [Process(1, "root", "systemd"), Process(812, "www-data", "tmux: server")] == list(
        linux.processes("      1 root     systemd\n    812 www-data tmux: server\n\n")
    )


def test_fibre_channel_adapters_by_their_names() -> None:
    text = (
        "/sys/class/fc_host/host2/port_name:0x10000090FA060002\n/sys/class/fc_host/host2/port_state:Linkdown\n"
        "/sys/class/fc_host/host1/port_name:0x10000090fa060001\n/sys/class/fc_host/host1/node_name:0x20000090fa060001\n"
        "/sys/class/fc_host/host1/speed:16 Gbit\n/sys/class/fc_host/host1/port_state:Online\n"
    )

    assert [
        FcPort("10000090fa060001", wwnn="20000090fa060001", speed=16 * 10**9, oper_up=True),
        FcPort("10000090fa060002", oper_up=False),
    ] == list(linux.fc_hosts(text))


def link(name: str, mac: str = "b0:26:28:00:00:01", **more: object) -> dict[str, object]:
    return {
        "ifindex": 2,
        "ifname": name,
        "flags": ["UP"],
        "operstate": "UP",
        "link_type": "ether",
        "address": mac,
        **more,
    }


def test_links_and_their_addresses() -> None:
    links = [
        link("eno1", addr_info=[
            {"family": "inet", "local": "192.0.2.5", "prefixlen": 24, "scope": "global"},
            {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"},
        ]),
        link("eno2", permaddr="b0:26:28:00:00:02", linkinfo={"info_slave_kind": "bond"}, operstate="DOWN"),
        link("eno3", linkinfo={"info_slave_kind": "bond", "info_slave_data": {"perm_hwaddr": "b0:26:28:00:00:03"}}),
        link("bond0", linkinfo={"info_kind": "bond"}),
        link("br0", linkinfo={"info_kind": "bridge"}, flags=[]),
        link("veth1", linkinfo={"info_kind": "veth"}),
        {},
    ]  # fmt: skip
    mac = "b0:26:28:00:00:01"

    found = list(iproute.addresses(json.dumps(links)))

    assert [
        Interface("eno1", "ethernet", 2, mac, mac, admin_up=True, oper_up=True),
        Address("192.0.2.5", 24, "eno1"),
        Interface("eno2", "ethernet", 2, "b0:26:28:00:00:02", mac, admin_up=True, oper_up=False),
        Interface("eno3", "ethernet", 2, "b0:26:28:00:00:03", mac, admin_up=True, oper_up=True),
        Interface("bond0", "lag", 2, mac, mac, admin_up=True, oper_up=True),
        Interface("br0", "software", 2, mac, mac, admin_up=False, oper_up=True),
        Interface("veth1", "ephemeral", 2, mac, mac, admin_up=True, oper_up=True),
    ] == found


def test_disks_and_nothing_else_that_is_a_block_device() -> None:
    devices = [
        {"name": "sda", "type": "disk", "size": "480103981056", "model": "SSD ", "serial": "S1", "wwn": "0x5002ABC",
         "tran": "sata"},
        {"name": "nvme0n1", "type": "disk", "size": 10, "model": None, "serial": None, "wwn": None, "tran": None},
        {"name": "sr0", "type": "rom", "size": 1},
        {"name": "zram0", "type": "disk", "size": 1},
        {"name": "loop1", "type": "loop", "size": 1},
    ]  # fmt: skip

    assert [Disk("sda", 480103981056, "SSD", "S1", "5002abc", "sata"), Disk("nvme0n1", 10)] == list(
        lsblk.disks(json.dumps({"blockdevices": devices}))
    )


def test_listeners_with_their_processes() -> None:
    text = (
        'LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=900,fd=6),("nginx",pid=899,fd=6))\n'
        'LISTEN 0 128 [::1]:631 [::]:* users:(("cupsd",pid=7,fd=6))\n'
        "LISTEN 0 4096 127.0.0.53%lo:53 0.0.0.0:*\n"
        "ESTAB 0 0 192.0.2.5:22 192.0.2.9:50000\n"
    )

    assert [
        Listener("*", 80, (Owner("nginx", 899), Owner("nginx", 900))),
        Listener("::1", 631, (Owner("cupsd", 7),)),
        Listener("127.0.0.53", 53),
    ] == list(sockets.listeners(text))


def test_connections_of_both_versions() -> None:
    text = (
        'ESTAB 0 0 192.0.2.5:41022 192.0.2.9:5432 users:(("java",pid=1203,fd=61))\n'
        "ESTAB 0 0 [::ffff:192.0.2.5]:8080 [::ffff:192.0.2.7]:50000\n"
        "TIME-WAIT 0 0 192.0.2.5:41023 192.0.2.9:5432\n"
    )

    assert [
        Connection("192.0.2.5", 41022, "192.0.2.9", 5432, (Owner("java", 1203),)),
        Connection("192.0.2.5", 8080, "192.0.2.7", 50000),
    ] == list(sockets.connections(text))


PROC = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 19536 1 0000000000000000 100
   1: 050200C0:A03E 090200C0:1538 01 00000000:00000000 00:00000000 00000000     0        0 20001 1 0000000000000000 20
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
"""


def test_the_kernels_own_table_where_ss_is_missing() -> None:
    assert [Listener("*", 22), Listener("::1", 25)] == list(sockets.listeners(PROC))
    assert [Connection("192.0.2.5", 41022, "192.0.2.9", 5432)] == list(sockets.connections(PROC))


def test_neighbours_of_lldpd() -> None:
    row = {
        "name": "eno1", "via": "LLDP",
        "chassis": [{"id": [{"type": "mac", "value": "00:AA:bb:cc:dd:ee"}], "name": [{"value": "acc1.example.net"}],
                     "descr": [{"value": "a switch"}], "mgmt-ip": [{"value": "192.0.2.1"}, {"value": "2001:db8::1"}],
                     "capability": [{"type": "Bridge", "enabled": True}, {"type": "Router", "enabled": False}]}],
        "port": [{"id": [{"type": "ifname", "value": "Gi1/0/1"}]}],
    }  # fmt: skip
    heard_otherwise = {**row, "via": "CDPv2"}

    assert [
        Neighbour(
            "Gi1/0/1", "eno1", None, "00:aa:bb:cc:dd:ee", "acc1.example.net", "a switch", ("192.0.2.1", "2001:db8::1"),
            frozenset({"bridge"}),
        )
    ] == list(lldpd.neighbours(json.dumps({"lldp": [{"interface": [row, heard_otherwise]}]})))  # fmt: skip
