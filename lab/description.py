"""The words in which the site is described: devices, ports, cables, listeners, and what people declare.

Nothing here renders anything: `lab.site` holds the one description, `lab.mibs`, `lab.hosts`, `lab.estate` and
`lab.truth` say it in their own languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

Scalar: TypeAlias = str | int | bool
ANY = "0.0.0.0"  # noqa: S104 -- text of recorded sockets: nothing is bound by it
Flat: TypeAlias = Mapping[str, Scalar | tuple[str, ...]]


class IfType(IntEnum):
    """ifType, as far as the site needs it (IANAifType-MIB)."""

    OTHER = 1
    ETHERNET = 6
    LOOPBACK = 24
    PROP_VIRTUAL = 53
    FIBRE_CHANNEL = 56
    TUNNEL = 131
    L2_VLAN = 135
    LAG = 161


HIDDEN_TYPES = frozenset({IfType.OTHER, IfType.LOOPBACK, IfType.TUNNEL})
"""Rows of ifTable that are nobody's component: software loopback, null, tunnel."""


@dataclass(frozen=True, slots=True)
class Port:
    """An interface of a device. `address` is with its prefix length; `vlan` is the one that a switch port serves."""

    name: str
    index: int
    mac: str = ""
    type: IfType = IfType.ETHERNET
    description: str = ""
    speed_mbps: int = 1000
    address: str | None = None
    vlan: int = 1
    management: bool = False
    unit: int = 1
    wwpn: str | None = None
    bond: str | None = None
    """Of a Linux slave: the bond that it belongs to."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A chassis: a whole box, or one member of a stack."""

    number: int
    model: str
    serial: str
    role: str = "member"
    supplies: tuple[tuple[str, str], ...] = ()
    """Name and serial of each power supply."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that a process listens on. `address` is `0.0.0.0`, `[::]`, `*` or one of the host's own."""

    process: str
    port: int
    pid: int
    address: str = ANY
    user: str = "root"
    protocol: str = "tcp"

    @property
    def loopback(self) -> bool:
        return self.address.startswith("127.") or self.address == "[::1]"


@dataclass(frozen=True, slots=True)
class Connection:
    """An established connection: a process of one host to a port of another. It shows in the tables of both."""

    host: str
    process: str
    to: str
    port: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Disk:
    """A block device of a Linux host; `path` is the transport that lsblk names."""

    name: str
    size: int
    model: str
    serial: str
    transport: str = "sata"


@dataclass(frozen=True, slots=True)
class Linux:
    """What only a Linux host has."""

    distribution: str
    kernel: str
    vendor: str
    uuid: str
    machine_id: str
    listeners: tuple[Listener, ...]
    disks: tuple[Disk, ...]
    bios: str
    lldpd: bool = True
    sudo: bool = True
    product_serial: str | None = None
    """What DMI says where it is not the serial (a placeholder)."""


@dataclass(frozen=True, slots=True)
class Device:
    """One thing of the site. `id` is unique here; `name` is what it calls itself, which need not be.

    `snmp` is how it speaks SNMP (`v1`, `v2c`, `v3`, or None: not at all), `ssh` what answers on SSH (`shell`, `prompt`
    or None). `also` are further addresses at which it answers. A device with neither is declared, or only seen.
    """

    id: str
    cls: str
    name: str
    family: str
    address: str | None
    label: str | None = None
    location: str = ""
    vendor: str = ""
    model: str = ""
    version: str = ""
    serial: str | None = None
    sys_object_id: str = ""
    sys_descr: str = ""
    base_mac: str | None = None
    ports: tuple[Port, ...] = ()
    units: tuple[Unit, ...] = ()
    snmp: str | None = None
    ssh: str | None = None
    lldp: bool = False
    """Sends and hears LLDP; whether it also shows what it heard is up to its MIBs."""
    capabilities: tuple[str, ...] = ()
    """LLDP system capabilities, enabled: bridge, router, wlan, station."""
    also: tuple[str, ...] = ()
    linux: Linux | None = None
    domain: str = ""
    """What the device puts behind its name in sysName, with its dot."""

    def port(self, name: str) -> Port:
        return next(port for port in self.ports if port.name == name)

    @property
    def sys_name(self) -> str:
        return self.name + self.domain


@dataclass(frozen=True, slots=True)
class Cable:
    """A cable between two ports. `seen` says how it becomes known: `lldp`, `fdb`, `fc`, or `declared`."""

    a: str
    a_port: str
    b: str
    b_port: str
    seen: str = "lldp"

    @property
    def medium(self) -> str:
        return "fc" if self.seen == "fc" else "ethernet"


@dataclass(frozen=True, slots=True)
class Declared:
    """A CI that people declare, as it stands in the estate: a class, a name, flat attributes and identifiers."""

    cls: str
    name: str
    label: str | None = None
    attributes: Flat = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A declared relation; ends are references as the estate spells them (a unique name, or an identifier)."""

    type: str
    source: str
    target: str
    keys: Flat = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """A declared redundancy group. A leg is the name of a CI, or `group:NAME`."""

    of: str
    name: str
    needs: int
    legs: tuple[str, ...]
    full: int | None = None
    active: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """A room: its label, its plan (`.` usable, `#` not, north first) and the wall that the door is in."""

    label: str
    grid: tuple[str, ...]
    door: str


@dataclass(frozen=True, slots=True)
class Site:
    """The whole description."""

    networks: tuple[str, ...]
    devices: tuple[Device, ...]
    cables: tuple[Cable, ...]
    connections: tuple[Connection, ...]
    rooms: tuple[Room, ...]
    declared: tuple[Declared, ...]
    links: tuple[Link, ...]
    groups: tuple[Group, ...]
    silent: tuple[str, ...]
    virtual_macs: Mapping[int, str]
    """VLAN → the MAC of the virtual router that serves it."""

    def device(self, id_: str) -> Device:
        return next(device for device in self.devices if device.id == id_)

    def cables_of(self, id_: str) -> tuple[tuple[str, str, str, Cable], ...]:
        """The cables of a device: own port, other end, its port, and the cable."""
        near = [(c.a_port, c.b, c.b_port, c) for c in self.cables if c.a == id_]
        far = [(c.b_port, c.a, c.a_port, c) for c in self.cables if c.b == id_]
        return tuple(near + far)
