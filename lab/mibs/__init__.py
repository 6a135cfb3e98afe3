"""A device of the description → the objects that its SNMP agent holds, by context."""

from __future__ import annotations

from collections.abc import Callable

from lab.description import Device, Site
from lab.mib import MibView
from lab.mibs import bridge, entity, neighbours, system, vendor

ENTITY_FAMILIES = frozenset({"cisco_ios_xe", "arista_eos", "hpe_comware", "brocade_fos", "fortinet_fortigate"})


def render(site: Site, device: Device, uptime: Callable[[], int]) -> dict[str, MibView]:
    """The views of a device's agent by context name; `uptime` gives hundredths of a second since it was booted."""
    rows = system.system(device, uptime) + system.interfaces(device, uptime) + system.addresses(device)
    if device.family in ENTITY_FAMILIES:
        rows += entity.entities(device)
    rows += neighbours.lldp(site, device) + bridge.arp(site, device)
    rows += vendor.fabric(site, device) + vendor.ups(device) + vendor.powernet(device)
    rows += vendor.fortinet(device) + vendor.array(device) + vendor.controller(device)
    bridged = bridge.contexts(site, device)
    views = {context: MibView(rows + extra if context == "" else extra) for context, extra in bridged.items()}
    return views or {"": MibView(rows)}
