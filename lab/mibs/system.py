"""SNMPv2-MIB system, IF-MIB and IP-MIB (RFC 3418, 2863, 4293): what nearly every agent has."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface

from lab import ber, mib
from lab.description import Device, IfType, Port
from lab.mib import Row, Value

_OR_UPTIME = 4200
_DEPRECATED_ADDRESSES = frozenset(
    {"cisco_ios_xe", "ibm_aix", "fortinet_fortigate", "hpe_comware", "apc_ups", "apc_pdu"}
)
"""Families whose agents answer ipAddrTable and know nothing of ipAddressTable."""
_WITHOUT_IF_NAME = frozenset({"eaton_ups"})
"""Families without ifXTable (v1 cards cannot show its Counter64): ifDescr is the name there."""
_TRAFFIC_PER_S = 1250


def system(device: Device, uptime: Callable[[], int]) -> list[Row]:
    """`uptime` gives hundredths of a second."""
    return mib.scalars("1.3.6.1.2.1.1", {
        1: mib.text(device.sys_descr),
        2: mib.name(device.sys_object_id),
        3: lambda: mib.ticks(uptime()),
        4: mib.text("infrastructure@dc.example"),
        5: mib.text(device.sys_name),
        6: mib.text(device.location),
        7: mib.number(78 if "router" in device.capabilities else 72),
    })  # fmt: skip


def interfaces(device: Device, uptime: Callable[[], int]) -> list[Row]:
    """ifNumber, ifTable and, where the family has it, ifXTable. Octets go up with the time."""
    in_table = [port for port in device.ports if device.linux is None and port.index < 2**31 and _has_row(device, port)]
    rows = mib.scalars("1.3.6.1.2.1.2", {1: mib.number(len(in_table))})
    rows += mib.table("1.3.6.1.2.1.2.2.1", {(port.index,): _if_entry(port, uptime) for port in in_table})
    if device.family not in _WITHOUT_IF_NAME:
        rows += mib.table("1.3.6.1.2.1.31.1.1.1", {(port.index,): _if_x_entry(port, uptime) for port in in_table})
    return rows


def _has_row(device: Device, port: Port) -> bool:
    """Fibre-channel ports are interfaces on a fabric switch; an array or library shows its network port alone."""
    return port.type != IfType.FIBRE_CHANNEL or device.cls == "fc_switch"


def _octets(port: Port, uptime: Callable[[], int], factor: int = 1) -> int:
    return port.index * 7919 + uptime() * _TRAFFIC_PER_S * factor // 100


def _if_entry(port: Port, uptime: Callable[[], int]) -> dict[int, Value]:
    mtu = 65536 if port.type == IfType.LOOPBACK else 2112 if port.type == IfType.FIBRE_CHANNEL else 1500
    physical = bytes.fromhex(port.wwpn) if port.wwpn else bytes.fromhex(port.mac.replace(":", ""))
    return {
        1: mib.number(port.index),
        2: mib.text(port.description or port.name),
        3: mib.number(port.type),
        4: mib.number(mtu),
        5: mib.gauge(port.speed_mbps * 1_000_000),
        6: mib.text(physical),
        7: mib.number(1),
        8: mib.number(1),
        9: mib.ticks(1200),
        10: lambda: mib.counter(_octets(port, uptime)),
        11: lambda: mib.counter(_octets(port, uptime) // 700),
        13: mib.counter(0),
        14: mib.counter(0),
        16: lambda: mib.counter(_octets(port, uptime, 2)),
        17: lambda: mib.counter(_octets(port, uptime, 2) // 700),
        19: mib.counter(0),
        20: mib.counter(0),
    }


def _if_x_entry(port: Port, uptime: Callable[[], int]) -> dict[int, Value]:
    return {
        1: mib.text(port.name),
        6: lambda: mib.counter64(2**33 + _octets(port, uptime)),
        10: lambda: mib.counter64(2**34 + _octets(port, uptime, 2)),
        15: mib.gauge(port.speed_mbps),
        17: mib.number(1 if port.type == IfType.ETHERNET else 2),
        18: mib.text(""),
    }


def addresses(device: Device) -> list[Row]:
    """ipAddrTable, or ipAddressTable with its prefixes; the loopback address stands in both, as in real agents."""
    held = [(IPv4Interface(port.address), port.index) for port in device.ports if port.address]
    loopback = [port.index for port in device.ports if port.type == IfType.LOOPBACK]
    held += [(IPv4Interface("127.0.0.1/8"), index) for index in loopback]
    if device.family in _DEPRECATED_ADDRESSES:
        return mib.table("1.3.6.1.2.1.4.20.1", {
            tuple(interface.ip.packed): {
                1: mib.address(str(interface.ip)), 2: mib.number(index), 3: mib.address(str(interface.netmask)),
                4: mib.number(1), 5: mib.number(65535),
            }
            for interface, index in held
        })  # fmt: skip
    return mib.table("1.3.6.1.2.1.4.34.1", {
        (1, 4, *interface.ip.packed): {
            3: mib.number(index), 4: mib.number(1), 5: _prefix_row(interface, index), 6: mib.number(2),
            7: mib.number(1), 8: mib.ticks(0), 9: mib.ticks(0), 10: mib.number(1), 11: mib.number(2),
        }
        for interface, index in held
    })  # fmt: skip


def _prefix_row(interface: IPv4Interface, index: int) -> bytes:
    """RowPointer to ipAddressPrefixOrigin: ifIndex, type, address, prefix length."""
    network = interface.network
    return ber.oid((1, 3, 6, 1, 2, 1, 4, 32, 1, 5, index, 1, 4, *network.network_address.packed, network.prefixlen))
