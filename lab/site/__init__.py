"""The one description of the laboratory's site, from which everything else is rendered."""

from __future__ import annotations

from dataclasses import replace

from lab.description import Device, IfType, Port, Site
from lab.site.cabling import CABLES
from lab.site.declared import GROUPS, ROOMS, declared, links
from lab.site.gear import gear
from lab.site.machines import appliances, connections, hosts, power_frame


def _with_fc_ports(device: Device) -> Device:
    """An appliance whose fibre-channel ports are known by their cables alone gets them from there."""
    known = {port.name for port in device.ports}
    ports = [cable.b_port for cable in CABLES if cable.b == device.id and cable.medium == "fc"]
    extra = tuple(
        Port(wwpn, 100 + number, type=IfType.FIBRE_CHANNEL, wwpn=wwpn)
        for number, wwpn in enumerate(ports)
        if wwpn not in known
    )
    return replace(device, ports=(*device.ports, *extra))


def build() -> Site:
    """The site: two rooms of one building and one of another."""
    devices = tuple(_with_fc_ports(device) for device in (*gear(), *appliances(), *power_frame(), *hosts()))
    return Site(
        networks=("10.210.0.0/24", "10.210.1.0/24"), devices=devices, cables=CABLES, connections=connections(),
        rooms=ROOMS, declared=declared(devices), links=links(), groups=GROUPS, silent=("10.210.1.200",),
        virtual_macs={5: "00:00:5e:00:01:05", 10: "00:00:5e:00:01:0a"},
    )  # fmt: skip


SITE = build()
