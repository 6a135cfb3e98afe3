"""What parsers say of a device, as frozen values; one spelling for all vendors.

MACs are `aa:bb:cc:dd:ee:ff`, WWNs 16 lower-case hex digits, UUIDs lower case, speeds bits a second, sizes bytes. What
is not known is None or an empty text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class System:
    """What a device says of itself as a whole. Several steps may each know a part."""

    name: str = ""
    description: str = ""
    object_id: str = ""
    location: str = ""
    contact: str = ""
    vendor: str = ""
    model: str = ""
    version: str = ""
    serial: str = ""
    asset_code: str = ""


@dataclass(frozen=True, slots=True)
class Chassis:
    """The address by which a device as a whole names itself: LLDP's chassis, the bridge's address."""

    mac: str


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface, or a port of another network.

    `kind` is one of ethernet, fc, lag, vlan, loopback, tunnel, port (of a rarer type), virtual (an SVI or port channel,
    with an address of the chassis), software (a bridge or the like, with an address made up), ephemeral (a container's
    or a guest's end), other. `mac` is the address that is burnt in, where the host tells it apart from the one in use
    (a slave of a bond); `in_use` is the one that neighbours see.
    """

    name: str
    kind: str
    index: int | None = None
    mac: str = ""
    in_use: str = ""
    wwn: str = ""
    description: str = ""
    alias: str = ""
    speed: int | None = None
    admin_up: bool | None = None
    oper_up: bool | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address that the device holds; `interface` by name or `index` by ifIndex."""

    address: str
    prefix_length: int | None = None
    interface: str = ""
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A chassis, alone or as a member of a stack. `position` orders the members."""

    name: str
    position: int
    model: str = ""
    serial: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class PowerSupply:
    name: str
    model: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True)
class LocalPort:
    """How LLDP calls a port of our own; `number` is what neighbours' rows refer to."""

    number: int
    id: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who is heard at a port. `local` is the port's name where known, else `number` refers to a LocalPort.

    `port` is as the neighbour calls it: a name, a MAC, or a local number. `capabilities` are the enabled ones.
    """

    port: str
    local: str = ""
    number: int | None = None
    chassis_mac: str = ""
    name: str = ""
    description: str = ""
    addresses: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BasePort:
    """A bridge's own number of a port, and its ifIndex."""

    number: int
    index: int


@dataclass(frozen=True, slots=True)
class Learnt:
    """A MAC that a bridge has learnt at one of its ports; `vlan` is the id of the database where there are several."""

    mac: str
    port: int
    vlan: int | None = None


@dataclass(frozen=True, slots=True)
class Resolved:
    """A row of an ARP or neighbour-discovery table."""

    address: str
    mac: str
    index: int


@dataclass(frozen=True, slots=True)
class FcPort:
    """A fibre-channel port. `index` is the switch's number of it, from 0."""

    wwpn: str
    name: str = ""
    wwnn: str = ""
    index: int | None = None
    speed: int | None = None
    oper_up: bool | None = None


@dataclass(frozen=True, slots=True)
class FcLogin:
    """Who is logged in to a fabric: a WWPN, at the switch's port of this number."""

    wwpn: str
    port: int
    wwnn: str = ""
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    name: str
    size: int | None = None
    model: str = ""
    serial: str = ""
    wwn: str = ""
    transport: str = ""


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """What runs on the machine. Several steps may each know a part."""

    title: str = ""
    product: str = ""
    version: str = ""
    kernel: str = ""
    architecture: str = ""
    hostname: str = ""
    machine_id: str = ""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What firmware says of the machine. `hypervisor` is set where the machine is a virtual one."""

    vendor: str = ""
    model: str = ""
    serial: str = ""
    uuid: str = ""
    hypervisor: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that holds a socket."""

    command: str
    pid: int


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP socket that waits. `address` is `*` for any. Without owners where only root could see them."""

    address: str
    port: int
    owners: tuple[Owner, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """An established TCP connection."""

    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    owners: tuple[Owner, ...] = ()


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    user: str
    command: str


Fact: TypeAlias = (
    System
    | Chassis
    | Interface
    | Address
    | Unit
    | PowerSupply
    | LocalPort
    | Neighbour
    | BasePort
    | Learnt
    | Resolved
    | FcPort
    | FcLogin
    | Disk
    | OperatingSystem
    | Hardware
    | Listener
    | Connection
    | Process
)


class ParseError(Exception):
    """A reply that is recognised as wrong; the text says what of it."""
