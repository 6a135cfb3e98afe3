"""Facts → claims, once for all families; pure.

Every section of a report says what its own facts show; what it takes to say it (the name of a port, the key of an
operating system) may come from the facts of the others. `docs/seams.md` has the conventions.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cmdb.model import Completeness, Component, Identifier, RelationClaim, Section, Statement, Subject, Value
from discovery.cables import cables
from discovery.collect import Collected
from discovery.device import Device, is_virtual_name, short_name
from discovery.facts import (
    Address,
    Chassis,
    Disk,
    FcPort,
    Hardware,
    Interface,
    Listener,
    OperatingSystem,
    PowerSupply,
    System,
    Unit,
)
from discovery.family import Family
from discovery.software import software
from naming import find_label

_HIDDEN = frozenset({"loopback", "tunnel", "ephemeral"})
_MAKES_UP_ADDRESSES = frozenset({"loopback", "tunnel", "ephemeral", "software"})
_WITHOUT_CLAIMS = frozenset({Completeness.DENIED, Completeness.FAILED})


def observe(
    family: Family, sections: Sequence[Collected], time: datetime, host_key: str | None = None
) -> tuple[Section, ...]:
    """Say what was collected. `host_key` is the fingerprint that the SSH server proved to have."""
    device = Device.of(family, sections)
    return tuple(_section(device, collected, time, host_key) for collected in sections)


def _section(device: Device, collected: Collected, time: datetime, host_key: str | None) -> Section:
    """One section; a denied or failed one says nothing but why."""
    if collected.completeness in _WITHOUT_CLAIMS:
        return Section(
            collected.section, time, collected.completeness, evidence=collected.evidence, problem=collected.problem
        )
    linked = cables(device, collected)
    running = software(device, collected)
    own = _itself(device, collected, host_key)
    problems = [text for text in (collected.problem, linked.problem, running.problem) if text]
    return Section(
        name=collected.section,
        time=time,
        completeness=Completeness.PARTIAL if problems else collected.completeness,
        statements=(*own, *running.statements),
        relations=_once((*linked.relations, *running.relations)),
        evidence=collected.evidence,
        problem="; ".join(problems) or None,
    )


def _itself(device: Device, collected: Collected, host_key: str | None) -> tuple[Statement, ...]:
    """What the section says of the device that answered."""
    is_system = collected.section in {"snmp.system", "ssh.system"}
    attributes: dict[str, Value] = {}
    identifiers: set[Identifier] = set()
    components: list[Component] = []
    for fact in collected.facts:
        match fact:
            case System() | Hardware() | OperatingSystem():
                attributes |= _attributes(device, fact)
            case Interface():
                components += _interface(device, fact)
            case Address():
                components += _address(device, fact)
            case Unit() | PowerSupply() | Disk():
                components += _part(device, fact)
            case FcPort():
                components.append(_fc_port(fact))
            case Listener():
                pass
            case _:
                continue
        identifiers |= _identifiers(device, fact)
    components += _listeners([fact for fact in collected.facts if isinstance(fact, Listener)])
    identifiers |= {Identifier("mac", fact.mac) for fact in collected.facts if isinstance(fact, Chassis)}
    if is_system:
        attributes |= device.derived
        if collected.section == "ssh.system" and host_key is not None:
            identifiers.add(Identifier("host_key", host_key))
    if not (is_system or attributes or identifiers or components):
        return ()
    about = Subject(
        cls=device.cls if is_system else None,
        identifiers=frozenset(identifiers),
        name=_name(collected) if is_system else None,
        itself=True,
    )
    return (Statement(about, attributes, _merged(components)),)


def _name(collected: Collected) -> str | None:
    """What the device calls itself, up to the first dot."""
    names = [
        fact.name if isinstance(fact, System) else fact.hostname
        for fact in collected.facts
        if isinstance(fact, System | OperatingSystem)
    ]
    return next((short_name(name) for name in names if short_name(name)), None)


def _attributes(device: Device, fact: System | Hardware | OperatingSystem) -> dict[str, Value]:
    match fact:
        case System():
            label = find_label(fact.location)
            texts = {
                "sys_description": fact.description, "sys_object_id": fact.object_id, "location_text": fact.location,
                "contact": fact.contact, "vendor": fact.vendor, "model": fact.model, "version": fact.version,
                "asset_code": fact.asset_code, "hostname": fact.name, "label": str(label) if label else "",
            }  # fmt: skip
        case Hardware():
            texts = {"vendor": fact.vendor, "model": fact.model}
            if device.cls == "virtual_machine":
                texts["hypervisor"] = fact.hypervisor
        case OperatingSystem():
            texts = {"hostname": fact.hostname}
    return {name: text for name, text in texts.items() if text}


def _identifiers(device: Device, fact: object) -> set[Identifier]:
    found: list[tuple[str, str]] = []
    match fact:
        case System(serial=serial) if serial:
            found.append(("member_serial" if device.is_stack else "serial", serial.strip().upper()))
        case Unit(serial=serial) if serial and device.is_stack:
            found.append(("member_serial", serial.strip().upper()))
        case Unit(serial=serial) if serial and device.serial in ("", serial):
            found.append(("serial", serial.strip().upper()))
        case Hardware(serial=serial, uuid=uuid):
            found += [("serial", serial.strip().upper()), ("uuid", uuid)]
        case Interface(kind=kind, name=name, mac=mac, in_use=in_use, wwn=wwn):
            if kind not in _MAKES_UP_ADDRESSES and not is_virtual_name(name):
                found += [("mac", mac), ("mac", in_use)]
            found.append(("wwn", wwn))
        case FcPort(wwpn=wwpn, wwnn=wwnn):
            found += [("wwn", wwpn), ("wwn", wwnn)]
        case _:
            pass
    return {Identifier(scheme, value) for scheme, value in found if value}


def _interface(device: Device, fact: Interface) -> list[Component]:
    """A port with a world-wide name is an FC port, too."""
    if fact.kind in _HIDDEN or (fact.kind == "other" and not fact.mac) or is_virtual_name(fact.name, ephemeral=True):
        return []
    pattern = device.family.management_ports
    values: dict[str, Value | None] = {
        "type": fact.kind, "mac": fact.mac or None, "alias": fact.alias or None, "speed": fact.speed,
        "description": fact.description if fact.description not in ("", fact.name) else None,
        "admin_up": fact.admin_up, "oper_up": fact.oper_up, "index": fact.index,
        "management": True if pattern is not None and pattern.search(fact.name) else None,
    }  # fmt: skip
    found = [Component("interface", fact.name, _known(values))]
    if fact.wwn:
        state = {"wwpn": fact.wwn, "speed": fact.speed, "oper_up": fact.oper_up, "index": fact.index}
        found.append(Component("fc_port", fact.wwn, _known(state)))
    return found


def _address(device: Device, fact: Address) -> list[Component]:
    """Loopback and link-local addresses, and those of container bridges, name nobody."""
    try:
        address = ipaddress.ip_address(fact.address)
    except ValueError:
        return []
    interface = fact.interface or device.interface_name(fact.index)
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        return []
    if is_virtual_name(interface):
        return []
    values: dict[str, Value | None] = {
        "address": str(address), "prefix_length": fact.prefix_length, "interface": interface or None,
    }  # fmt: skip
    return [Component("address", str(address), _known(values))]


def _part(device: Device, fact: Unit | PowerSupply | Disk) -> list[Component]:
    """A chassis that stands alone is the device itself, and no part of it."""
    match fact:
        case Unit():
            values: dict[str, Value | None] = {"model": fact.model, "serial": fact.serial, "version": fact.version}
            return [Component("unit", fact.name, _known(values))] if device.is_stack else []
        case PowerSupply():
            return [Component("power_supply", fact.name, _known({"model": fact.model, "serial": fact.serial}))]
        case Disk():
            values = {"size": fact.size, "model": fact.model, "serial": fact.serial, "wwn": fact.wwn}
            return [Component("disk", fact.name, _known(values))]


def _fc_port(fact: FcPort) -> Component:
    values: dict[str, Value | None] = {
        "wwpn": fact.wwpn, "wwnn": fact.wwnn or None, "speed": fact.speed, "oper_up": fact.oper_up,
    }  # fmt: skip
    return Component("fc_port", fact.wwpn, _known(values))


def _listeners(facts: Iterable[Listener]) -> list[Component]:
    """One component a port: the sockets of IPv4 and IPv6 are one service."""
    by_port: dict[int, list[Listener]] = {}
    for fact in facts:
        by_port.setdefault(fact.port, []).append(fact)
    found: list[Component] = []
    for port, sockets in sorted(by_port.items()):
        processes = sorted({owner.command for socket in sockets for owner in socket.owners})
        values: dict[str, Value | None] = {
            "protocol": "tcp", "port": port, "addresses": tuple(sorted({socket.address for socket in sockets})),
            "process": processes[0] if processes else None,
        }  # fmt: skip
        found.append(Component("listener", f"tcp/{port}", _known(values)))
    return found


def _known(values: Mapping[str, Value | None]) -> dict[str, Value]:
    """Absent instead of None or an empty text."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _merged(components: Iterable[Component]) -> tuple[Component, ...]:
    """One component a key: what two facts say of one thing (a port in two tables) is said together."""
    found: dict[tuple[str, str], Component] = {}
    for component in components:
        known = found.get((component.kind, component.name))
        values = {**component.attributes, **(known.attributes if known else {})}
        found[component.kind, component.name] = Component(component.kind, component.name, values)
    return tuple(found[key] for key in sorted(found))


def _once(relations: Iterable[RelationClaim]) -> tuple[RelationClaim, ...]:
    """Each relation once, in the order in which it was first said."""
    found: list[RelationClaim] = []
    for relation in relations:
        if relation not in found:
            found.append(relation)
    return tuple(found)
