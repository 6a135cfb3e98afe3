"""BRIDGE-MIB and Q-BRIDGE-MIB (RFC 4188, 4363), and the ARP tables of the routers: who was heard at which port.

IOS-XE shows the forwarding table of one VLAN per context, asked for as community@VLAN; the others have Q-BRIDGE-MIB.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface

from lab import mib
from lab.description import Device, IfType, Port, Site
from lab.mib import Row
from lab.site.cabling import BLOCKED

LEARNED, SELF = 3, 4
_TRUNKED = 0


@dataclass(frozen=True, slots=True)
class Station:
    """A MAC address in a VLAN, and the switch and port where it enters the network."""

    mac: str
    vlan: int
    switch: str
    port: str
    address: str | None = None


def stations(site: Site) -> Iterator[Station]:
    """Everything that has spoken lately: hosts, appliances, switches' own addresses, and the virtual routers."""
    switches = {device.id for device in site.devices if device.cls == "network_switch"}
    for cable in site.cables:
        for end, port, switch, switch_port in ((cable.a, cable.a_port, cable.b, cable.b_port),
                                               (cable.b, cable.b_port, cable.a, cable.a_port)):  # fmt: skip
            if cable.medium == "fc" or switch not in switches or end in switches:
                continue
            yield from _at_port(site, site.device(end), port, switch, switch_port)
    for device in site.devices:
        if device.id in switches and device.base_mac is not None:
            for own in device.ports:
                if own.address and own.mac:
                    yield Station(own.mac, own.vlan, device.id, "", str(IPv4Interface(own.address).ip))
    for vlan, mac in site.virtual_macs.items():
        yield Station(mac, vlan, "core1", "")


def _at_port(site: Site, device: Device, name: str, switch: str, switch_port: str) -> Iterator[Station]:
    if device.id == "power1":
        if name == "T1":  # The shared adapter sends by its first port; behind it speak all partitions.
            for partition in ("vios1", "aixdb1", "aixapp1"):
                port = site.device(partition).port("en0")
                yield Station(port.mac, port.vlan, switch, switch_port, site.device(partition).address)
        return
    port = device.port(name)
    if port.bond is None:
        held = str(IPv4Interface(port.address).ip) if port.address else None
        yield Station(port.mac, port.vlan, switch, switch_port, held)
        return
    slaves = [slave.name for slave in device.ports if slave.bond == port.bond]
    bond = device.port(port.bond)
    if slaves[0] == name and bond.address:  # Active-backup: the bond's address is heard at the active slave alone.
        yield Station(bond.mac, bond.vlan, switch, switch_port, str(IPv4Interface(bond.address).ip))


def _next_ports(site: Site, origin: str) -> dict[str, str]:
    """For each switch, its port towards `origin` along the spanning tree."""
    toward: dict[str, str] = {origin: ""}
    queue = deque([origin])
    switches = {device.id for device in site.devices if device.cls == "network_switch"}
    while queue:
        here = queue.popleft()
        for _, far, far_port, cable in site.cables_of(here):
            if cable.medium == "fc" or far not in switches or far in toward or cable == BLOCKED:
                continue
            toward[far] = _logical(site.device(far), far_port)
            queue.append(far)
    return toward


def _logical(device: Device, port: str) -> str:
    """The two parallel cables of the cores are one port to the bridge."""
    return "Po1" if device.id in {"core1", "core2"} and port in {"Te1/0/15", "Te1/0/16"} else port


def _bridge_ports(device: Device) -> dict[str, int]:
    """dot1dBasePort by port: not the interface index (IOS-XE and EOS number them on their own)."""
    ports = [port for port in device.ports if not port.management and _bridges(port)]
    return {port.name: number for number, port in enumerate(ports, start=1)}


def _bridges(port: Port) -> bool:
    return port.type == IfType.ETHERNET or port.name == "Po1"


def heard(site: Site, device: Device) -> list[tuple[Station, str]]:
    """The stations that a switch has learned, each with the port ("" where it is the switch itself)."""
    found: list[tuple[Station, str]] = []
    paths: dict[str, dict[str, str]] = {}
    for station in stations(site):
        toward = paths.setdefault(station.switch, _next_ports(site, station.switch))
        if device.id == "mgm1" and station.vlan != 5:
            continue  # It carries the management VLAN alone.
        if device.id in toward:
            port = station.port if device.id == station.switch else toward[device.id]
            found.append((station, port))
    return found


def contexts(site: Site, device: Device) -> dict[str, list[Row]]:
    """Rows by context: the default one, and for IOS-XE one for each VLAN ("vlan-10")."""
    if device.cls != "network_switch" or device.base_mac is None or device.snmp is None:
        return {}
    numbers = _bridge_ports(device)
    base = mib.scalars("1.3.6.1.2.1.17.1", {1: mib.mac(device.base_mac), 2: mib.number(len(numbers)), 3: mib.number(2)})
    base += mib.table("1.3.6.1.2.1.17.1.4.1", {
        (number,): {1: mib.number(number), 2: mib.number(device.port(name).index), 3: mib.name("0.0"),
                    4: mib.counter(0), 5: mib.counter(0)}
        for name, number in numbers.items()
    })  # fmt: skip
    entries = heard(site, device)
    if device.family == "cisco_ios_xe":
        vlans = sorted({station.vlan for station, _ in entries} | {1})
        return {
            "" if vlan == 1 else f"vlan-{vlan}": base + _dot1d(entries, numbers, vlan) for vlan in vlans
        }  # fmt: skip
    return {"": base + _dot1d(entries, numbers, None) + _dot1q(entries, numbers)}


def _dot1d(entries: list[tuple[Station, str]], numbers: dict[str, int], vlan: int | None) -> list[Row]:
    return mib.table("1.3.6.1.2.1.17.4.3.1", {
        mib.index_mac(station.mac): {
            1: mib.mac(station.mac), 2: mib.number(numbers.get(port, 0)), 3: mib.number(LEARNED if port else SELF),
        }
        for station, port in entries
        if vlan is None or station.vlan == vlan
    })  # fmt: skip


def _dot1q(entries: list[tuple[Station, str]], numbers: dict[str, int]) -> list[Row]:
    vlans = sorted({station.vlan for station, _ in entries})
    rows = mib.table("1.3.6.1.2.1.17.7.1.4.2.1", {
        (0, vlan): {3: mib.gauge(number), 6: mib.number(2), 7: mib.ticks(0)}
        for number, vlan in enumerate(vlans, start=1)
    })  # fmt: skip
    return rows + mib.table("1.3.6.1.2.1.17.7.1.2.2.1", {
        (vlans.index(station.vlan) + 1, *mib.index_mac(station.mac)): {
            2: mib.number(numbers.get(port, 0)), 3: mib.number(LEARNED if port else SELF),
        }
        for station, port in entries
    })  # fmt: skip


def arp(site: Site, device: Device) -> list[Row]:
    """The two routers' ipNetToMediaTable: the stations of the VLANs in which they have an address."""
    if device.id not in {"core1", "core2"}:
        return []
    svis = {port.vlan: port.index for port in device.ports if port.address}
    return mib.table("1.3.6.1.2.1.4.22.1", {
        (svis[station.vlan], *mib.index_address(station.address)): {
            1: mib.number(svis[station.vlan]), 2: mib.mac(station.mac), 3: mib.address(station.address),
            4: mib.number(3),
        }
        for station in stations(site)
        if station.vlan in svis and station.address is not None
    })  # fmt: skip
