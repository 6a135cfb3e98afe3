"""LLDP-MIB (IEEE 802.1AB-2005): what a device says of itself, its ports, and whom it hears at them."""

from __future__ import annotations

from ipaddress import IPv4Interface

from lab import mib
from lab.description import Device, IfType, Port, Site
from lab.mib import Row, Value

_CAPABILITIES = {"bridge": 2, "wlan": 3, "router": 4, "station": 7}
"""Bits of LldpSystemCapabilitiesMap."""
CHASSIS_MAC = 4
PORT_IF_NAME = 5
_SILENT_FAMILIES = frozenset({"fortinet_fortigate"})
"""Families that speak LLDP but have no LLDP-MIB."""


def local_number(device: Device, port: Port) -> int:
    """lldpLocPortNum: the interface index, except on IOS-XE, which counts its switch ports from 1."""
    if device.family != "cisco_ios_xe":
        return port.index
    return 1 + [other.name for other in _speaking(device)].index(port.name)


def lldp(site: Site, device: Device) -> list[Row]:
    """Nothing for a device that does not speak LLDP or does not show it."""
    if not device.lldp or device.family in _SILENT_FAMILIES or device.base_mac is None:
        return []
    node = "1.0.8802.1.1.2.1"
    rows = mib.scalars(f"{node}.3", {
        1: mib.number(CHASSIS_MAC), 2: mib.mac(device.base_mac), 3: mib.text(device.sys_name),
        4: mib.text(device.sys_descr), 5: _capabilities(device), 6: _capabilities(device),
    })  # fmt: skip
    rows += mib.table(f"{node}.3.7.1", {
        (local_number(device, port),): {
            2: mib.number(PORT_IF_NAME), 3: mib.text(port.name), 4: mib.text(port.description or port.name),
        }
        for port in _speaking(device)
    })  # fmt: skip
    remote: dict[tuple[int, ...], dict[int, Value]] = {}
    managed: dict[tuple[int, ...], dict[int, Value]] = {}
    for order, (own, far, far_port, cable) in enumerate(site.cables_of(device.id), start=1):
        other = site.device(far)
        if cable.seen != "lldp" or not other.lldp or other.base_mac is None:
            continue
        index = (31000 + order * 100, local_number(device, device.port(own)), order)
        remote[index] = _remote(other, other.port(far_port))
        if address := primary_address(other):
            managed[(*index, 1, 4, *mib.index_address(address))] = {
                3: mib.number(2),
                4: mib.number(0),
                5: mib.name("0.0"),
            }
    rows += mib.table(f"{node}.4.1.1", dict(remote))
    return rows + mib.table(f"{node}.4.2.1", dict(managed))


def primary_address(device: Device) -> str | None:
    """The address that a device gives its neighbours to manage it by."""
    held = [str(IPv4Interface(port.address).ip) for port in device.ports if port.address]
    return device.address or (held[0] if held else None)


def _speaking(device: Device) -> list[Port]:
    return [port for port in device.ports if port.type == IfType.ETHERNET and not port.management]


def _capabilities(device: Device) -> bytes:
    return mib.bits(*(_CAPABILITIES[name] for name in device.capabilities))


def _remote(other: Device, port: Port) -> dict[int, Value]:
    descr = other.sys_descr
    if other.linux is not None:
        descr = f"{other.linux.distribution} Linux {other.linux.kernel}"
    return {
        4: mib.number(CHASSIS_MAC),
        5: mib.mac(other.base_mac or ""),
        6: mib.number(PORT_IF_NAME),
        7: mib.text(port.name),
        8: mib.text(port.description or port.name),
        9: mib.text(other.sys_name),
        10: mib.text(descr),
        11: _capabilities(other),
        12: _capabilities(other),
    }
