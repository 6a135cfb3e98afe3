"""Who is at the other end of a port: LLDP, the forwarding table, the name server of a fabric → `connects_to`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cmdb.model import Completeness, Identifier, RelationClaim, Subject, Value
from discovery.collect import Collected
from discovery.device import ITSELF, Device, only, short_name
from discovery.facts import BasePort, Chassis, FcLogin, Interface, Learnt, LocalPort, Neighbour

_SHARED_MACS = ("00:00:5e:00:01:", "00:00:5e:00:02:", "00:00:0c:07:ac:", "00:00:0c:9f:f", "00:05:73:a0:")
"""VRRP (RFC 5798, 7.3) and HSRP: the address of a group of routers, which says nothing of who is at the port."""

_CABLED = frozenset({"ethernet", "port"})


@dataclass(frozen=True, slots=True)
class Cables:
    """`problem`: why these are not all."""

    relations: tuple[RelationClaim, ...] = ()
    problem: str | None = None


def cables(device: Device, collected: Collected) -> Cables:
    """The cables that one section shows."""
    found = [*_neighbours(device, collected), *_logins(device, collected)]
    learnt, problem = _learnt(device, collected)
    return Cables((*found, *learnt), problem)


def _cable(near: str, far: Subject, far_port: str, medium: str = "ethernet") -> RelationClaim:
    columns: dict[str, Value] = {"from_port": near, "to_port": far_port, "medium": medium}
    return RelationClaim("connects_to", ITSELF, far, {name: value for name, value in columns.items() if value != ""})


def _neighbours(device: Device, collected: Collected) -> Iterator[RelationClaim]:
    """LLDP. A neighbour that gives neither a MAC nor a name nor an address could never be found again."""
    locals_ = {port.number: port for port in only(LocalPort, device.facts)}
    for neighbour in only(Neighbour, collected.facts):
        identifiers = frozenset({Identifier("mac", neighbour.chassis_mac)} if neighbour.chassis_mac else ())
        name = short_name(neighbour.name) or None
        address = neighbour.addresses[0] if neighbour.addresses and not identifiers else None
        if identifiers or name or address:
            far = Subject(_class_of(neighbour.capabilities), identifiers, name, address)
            near = neighbour.local or _local_name(device, neighbour.number, locals_)
            yield _cable(near, far, neighbour.port)


def _class_of(capabilities: frozenset[str]) -> str | None:
    """What a neighbour is by its enabled capabilities; a station may be anything from a server to a clock."""
    if "wlan" in capabilities:
        return "wireless"
    if "bridge" in capabilities and "telephone" not in capabilities:
        return "network_switch"
    return "router" if capabilities == {"router"} else None


def _local_name(device: Device, number: int | None, ports: dict[int, LocalPort]) -> str:
    """The interface behind a local port number of LLDP.

    By the port's id, be it a name, a MAC or an ifIndex; else by its description; else the number is the ifIndex, as
    in most agents; else the id as it stands.
    """
    interfaces = only(Interface, device.facts)
    port = ports.get(number or 0)
    wanted = [port.id, port.description] if port is not None else []
    for text in wanted:
        for names in ((each.name, each.description, each.in_use, str(each.index)) for each in interfaces):
            if text and text in names:
                return names[0]
    return device.interface_name(number) or (port.id if port is not None and port.id else str(number))


def _learnt(device: Device, collected: Collected) -> tuple[list[RelationClaim], str | None]:
    """A port without an LLDP neighbour at which exactly one address was learnt is a cable to its owner.

    Without knowing all the LLDP neighbours that cannot be told: a quiet switch shows one address, too.
    """
    facts = only(Learnt, collected.facts)
    if not facts:
        return [], None
    if device.completeness.get("snmp.lldp", Completeness.FULL) != Completeness.FULL:
        return [], "who is at a port is not told: the LLDP neighbours are not all known"
    locals_ = {port.number: port for port in only(LocalPort, device.facts)}
    taken = {
        neighbour.local or _local_name(device, neighbour.number, locals_) for neighbour in only(Neighbour, device.facts)
    }
    by_index = {each.index: each for each in only(Interface, device.facts)}
    by_port = {port.number: by_index.get(port.index) for port in only(BasePort, device.facts)}
    own = {each.in_use for each in by_index.values()} | {each.mac for each in only(Chassis, device.facts)}
    heard: dict[str, set[str]] = {}
    for fact in facts:
        interface = by_port.get(fact.port)
        if interface is not None and interface.kind in _CABLED and not fact.mac.startswith(_SHARED_MACS):
            heard.setdefault(interface.name, set()).add(fact.mac)
    return [
        _cable(name, Subject(identifiers=frozenset({Identifier("mac", mac)})), mac)
        for name, macs in sorted(heard.items())
        for mac in macs
        if len(macs) == 1 and name not in taken and mac not in own
    ], None


def _logins(device: Device, collected: Collected) -> Iterator[RelationClaim]:
    """Fibre channel: who is logged in at a port, by its WWPN, which is also what its own port is called."""
    for login in only(FcLogin, collected.facts):
        far = Subject(identifiers=frozenset({Identifier("wwn", login.wwpn)}))
        yield _cable(device.fc_port_name(login.port), far, login.wwpn, "fc")
