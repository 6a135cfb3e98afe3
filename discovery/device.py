"""What the facts of all sections say together, for those who need it to say their own: names, classes, keys."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeVar

from cmdb.model import Completeness, Subject
from discovery.collect import Collected
from discovery.facts import Fact, FcPort, Hardware, Interface, OperatingSystem, System, Unit
from discovery.family import Family

ITSELF: Final = Subject(itself=True)
"""The thing that answered, where nothing more is to be said of it."""

T = TypeVar("T", bound=Fact)
Part = TypeVar("Part", System, OperatingSystem, Hardware)

_VIRTUAL = re.compile(
    r"^(docker\d|docker_gwbridge|br-[0-9a-f]{12}|virbr|cni|flannel|cbr\d|lxcbr|lxdbr|podman|kube|ovs-system)"
)
_EPHEMERAL = re.compile(r"^(veth|tap|vnet|cali|lxc[0-9a-f_]|fwbr|fwln|fwpr|tun\d)")
_COMPUTERS = frozenset({"server"})


@dataclass(frozen=True, slots=True)
class Device:
    """One device, as all of its sections show it. `derived` are attributes that the family adds."""

    family: Family
    cls: str
    facts: tuple[Fact, ...]
    completeness: Mapping[str, Completeness]
    derived: Mapping[str, str]
    serial: str
    is_stack: bool
    host_name: str | None
    operating_system: OperatingSystem | None

    @classmethod
    def of(cls, family: Family, sections: Sequence[Collected]) -> Device:
        facts = tuple(fact for section in sections for fact in section.facts)
        system = merged(System, facts)
        running = merged(OperatingSystem, facts)
        hardware = merged(Hardware, facts) or Hardware()
        units = sorted(only(Unit, facts), key=lambda unit: (unit.position, unit.name))
        is_virtual = family.ci_class in _COMPUTERS and bool(hardware.hypervisor)
        named = running.hostname if running is not None and running.hostname else system.name if system else ""
        return cls(
            family=family,
            cls="virtual_machine" if is_virtual else family.ci_class,
            facts=facts,
            completeness={section.section: section.completeness for section in sections},
            derived=_derived(family, system or System(), units),
            serial=system.serial if system else "",
            is_stack=len([unit for unit in units if unit.serial]) > 1,
            host_name=short_name(named) or None,
            operating_system=running,
        )

    def interface_name(self, index: int | None) -> str:
        """The name of the interface with this ifIndex; empty where there is none."""
        return next((fact.name for fact in only(Interface, self.facts) if fact.index == index and index), "")

    def fc_port_name(self, number: int) -> str:
        """What a fabric switch calls its port of this number (from 0): the interface with the port's WWN."""
        wwpn = next((fact.wwpn for fact in only(FcPort, self.facts) if fact.index == number), None)
        names = (fact.name for fact in only(Interface, self.facts) if fact.wwn and fact.wwn == wwpn)
        return next(names, str(number))


def only(kind: type[T], facts: Iterable[Fact]) -> list[T]:
    """The facts of one kind."""
    return [fact for fact in facts if isinstance(fact, kind)]


def merged(kind: type[Part], facts: Iterable[Fact]) -> Part | None:
    """One fact of what several say in part: the first that knows a field is believed."""
    known: dict[str, str] = {}
    found = [fact for fact in facts if isinstance(fact, kind)]
    for fact in found:
        for field in fields(fact):
            value = getattr(fact, field.name)
            if value and field.name not in known:
                known[field.name] = value
    return kind(**known) if found else None


def _derived(family: Family, system: System, units: Sequence[Unit]) -> dict[str, str]:
    """Attributes that no step of the system gave: by the family's words, else by the first chassis."""
    found: dict[str, str] = {}
    for name, take in (family.system or {}).items():
        if take.literal is not None:
            found[name] = take.literal
        elif take.source is not None:
            found[name] = take.found_in(str(getattr(system, take.source)))
    first = units[0] if units else None
    for name in ("model", "version"):
        if first is not None and not found.get(name) and (value := getattr(first, name)):
            found[name] = value
    return {name: value for name, value in found.items() if value and not getattr(system, name)}


def short_name(name: str) -> str:
    """What a device is called: up to the first dot, lower case. An address is no name."""
    text = name.strip().strip(".")
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return text.partition(".")[0].strip().lower()
    return ""


def is_virtual_name(name: str, *, ephemeral: bool = False) -> bool:
    """Whether an interface of this name was made by software: its address is made up and says nothing of the machine.

    `ephemeral`: only those that come and go with a container or a guest.
    """
    return bool(_EPHEMERAL.match(name)) or (not ephemeral and bool(_VIRTUAL.match(name)))
