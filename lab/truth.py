"""The description → truth.yaml: all that must be in the graph once the estate is declared and the site was scanned.

A CI is `{class, name, mac?, label?, components}`; `mac`, one that it has, stands only where a name is not unique. A
relation names its ends by name, or as `name@mac` where the name is not unique. Of a cable, either end may come first;
its medium is ethernet where none is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import Any

from lab.description import HIDDEN_TYPES, Cable, Device, IfType, Linux, Listener, Site
from lab.estate import dump
from lab.hosts.files import pretty_name
from lab.mibs import ENTITY_FAMILIES

_HEAD = """\
# All that is in the graph after `cmdb declare lab/estate.yaml` and one scan of the laboratory: nothing is missing,
# nothing is extra. Rendered from lab/site by `python -m lab.written`; a test compares.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A CI of the truth with its components, as (kind, name)."""

    cls: str
    name: str
    label: str | None = None
    mac: str | None = None
    components: tuple[tuple[str, str], ...] = ()


def truth(site: Site) -> str:
    """The text of truth.yaml."""
    cis = list(_cis(site))
    names = Counter(ci.name for ci in cis)
    return _HEAD + dump({
        "cis": [_ci(ci, names[ci.name] > 1) for ci in cis],
        "relations": list(_relations(site, names)),
    })  # fmt: skip


def _ci(ci: Known, ambiguous: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"class": ci.cls, "name": ci.name}
    if ambiguous:
        row["mac"] = ci.mac
    if ci.label is not None:
        row["label"] = ci.label
    row["components"] = [{"kind": kind, "name": name} for kind, name in ci.components]
    return row


def _cis(site: Site) -> Iterator[Known]:
    devices = {(device.cls, device.name) for device in site.devices}
    declared_places = {declared.name for declared in site.declared}
    for place, cls in _above(site).items():
        if place not in declared_places:
            yield Known(cls, place)
    for declared in site.declared:
        if (declared.cls, declared.name) not in devices:
            components = [("group", group.name) for group in site.groups if group.of == declared.name]
            if isinstance(address := declared.attributes.get("address"), str):
                components.append(("address", address))
            yield Known(declared.cls, declared.name, components=tuple(components))
    for device in site.devices:
        yield Known(device.cls, device.name, device.label, device.base_mac, tuple(sorted(_components(device))))
        if device.linux is not None:
            yield Known("operating_system", system_name(device, device.linux))
            for process in processes(device.linux):
                yield Known("process", f"{process} on {device.name}")


def system_name(device: Device, linux: Linux) -> str:
    """What the operating system of a host is called."""
    return f"{pretty_name(linux)} on {device.name}"


def processes(linux: Linux) -> list[str]:
    """`COMM:PORT` of each process that others can reach; nobody's where only root may see who listens."""
    if not linux.sudo:
        return []
    lowest: dict[str, int] = {}
    for listener in linux.listeners:
        if not listener.loopback:
            lowest[listener.process] = min(listener.port, lowest.get(listener.process, listener.port))
    return [f"{process}:{port}" for process, port in lowest.items()]


def _components(device: Device) -> Iterator[tuple[str, str]]:
    if device.snmp is None and device.linux is None:
        return
    for port in device.ports:
        if port.type not in HIDDEN_TYPES and (port.type != IfType.FIBRE_CHANNEL or device.cls == "fc_switch"):
            yield "interface", port.name
        if port.address:
            yield "address", str(IPv4Interface(port.address).ip)
        if port.wwpn and (device.linux is not None or device.family in {"brocade_fos", "hpe_msa"}):
            yield "fc_port", port.wwpn
    if device.family in ENTITY_FAMILIES:
        for unit in device.units:
            if len(device.units) > 1:
                yield "unit", f"Switch {unit.number}"
            for supply, _ in unit.supplies:
                yield "power_supply", supply
    if device.linux is not None:
        yield from (("disk", disk.name) for disk in device.linux.disks)
        yield from {("listener", f"tcp/{listener.port}") for listener in device.linux.listeners}


def _relations(site: Site, names: Counter[str]) -> Iterator[dict[str, Any]]:
    def end(device: Device) -> str:
        return device.name if names[device.name] == 1 else f"{device.name}@{device.base_mac}"

    yield from _places(site, end)
    for link in site.links:
        yield {"type": link.type, "from": link.source, "to": link.target, **link.keys}
    for cable in site.cables:
        yield _cable(cable, end(site.device(cable.a)), end(site.device(cable.b)))
    for device in site.devices:
        if device.linux is not None:
            system = system_name(device, device.linux)
            yield {"type": "runs_on", "from": system, "to": device.name}
            for process in processes(device.linux):
                yield {"type": "runs_on", "from": f"{process} on {device.name}", "to": system}
    yield from _dependencies(site)


def _above(site: Site) -> dict[str, str]:
    """Rooms, and the floors and buildings that their labels name, with their classes."""
    classes = {7: "room", 5: "floor", 3: "building"}
    return {room.label[:size]: cls for size, cls in classes.items() for room in site.rooms}


def _places(site: Site, end: Callable[[Device], str]) -> Iterator[dict[str, Any]]:
    """What stands where: a label says it of a device, and its own label of a room and a floor."""
    for place, cls in _above(site).items():
        if cls != "building":
            yield {"type": "located_in", "from": place, "to": place[:-2]}
    for device in site.devices:
        if device.label is not None:
            yield {"type": "located_in", "from": end(device), "to": device.label[:7]}


def _cable(cable: Cable, a: str, b: str) -> dict[str, Any]:
    row = {"type": "connects_to", "from": a, "to": b, "from_port": cable.a_port, "to_port": cable.b_port}
    return row | ({"medium": "fc"} if cable.medium == "fc" else {})


def _dependencies(site: Site) -> Iterator[dict[str, Any]]:
    """Processes that hold a connection depend on the process that listens at its other end."""
    for connection in site.connections:
        near, far = site.device(connection.host), site.device(connection.to)
        if near.linux is None or far.linux is None or not near.linux.sudo:
            continue
        source = next(name for name in processes(near.linux) if name.startswith(f"{connection.process}:"))
        target = next(item for item in far.linux.listeners if item.port == connection.port)
        yield {"type": "depends_on", "from": f"{source} on {near.name}", "to": _listening(far, far.linux, target),
               "port": connection.port}  # fmt: skip


def _listening(device: Device, linux: Linux, listener: Listener) -> str:
    known = [name for name in processes(linux) if name.startswith(f"{listener.process}:")]
    return f"{known[0]} on {device.name}" if known else device.name
