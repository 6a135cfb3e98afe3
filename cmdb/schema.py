"""The model as two tables: classes of CIs and types of relations (design.md, "Model"). Validated at import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cmdb.model import ModelError

ALL: Final = "all"
REPORTERS: Final = ("declared", "ssh", "snmp", "neighbour")
"""Kinds of reporters, most trusted first, unless an attribute says otherwise. A section's kind is the first part of its
name; what a section says of others than itself counts as `neighbour`."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a class: its type, its unit, and who is trusted for it, most trusted first.

    `volatile`: it is measured and flaps (free space, uptime, load), so it makes no history: a reading, not a value.
    """

    type: type
    unit: str = ""
    trust: tuple[str, ...] = REPORTERS
    volatile: bool = False


@dataclass(frozen=True, slots=True)
class CIClass:
    """A row of the class table.

    `domain` is where serials and UUIDs count (machine, controller, software, location, or none). `cut_off` is what
    being cut off from the network means: `down`, `unmanaged` or nothing. `forwards` are the media whose traffic passes
    through it. `retired_after_days` is how long it may be missing before it counts as retired.
    """

    name: str
    parent: str | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: MappingProxyType({}))
    domain: str | None = None
    cut_off: str | None = None
    forwards: frozenset[str] = frozenset()
    abstract: bool = False
    retired_after_days: int = 90


@dataclass(frozen=True, slots=True)
class RelationType:
    """A row of the relation table. Named so that the source needs the target: failure flows from target to source.

    `sources` and `targets` are classes (subclasses included); `pairs`, where given, narrows which go together.
    `needs` is how many targets must hold: `all`, a number, or None where nothing is needed. `keys` tell apart parallel
    relations of the same ends; `attributes` are further columns. `per_role` makes one requirement per `role`.
    """

    name: str
    inverse: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    needs: int | str | None
    axis: str | None
    medium: str | None = None
    keys: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    undirected: bool = False
    per_role: bool = False


def _attributes(**types: tuple[type, str] | type) -> Mapping[str, Attribute]:
    rows = {name: Attribute(*row) if isinstance(row, tuple) else Attribute(row) for name, row in types.items()}
    return MappingProxyType(rows)


def _measured(**types: tuple[type, str]) -> Mapping[str, Attribute]:
    """Attributes that flap."""
    return MappingProxyType({name: Attribute(*row, volatile=True) for name, row in types.items()})


_ANY = _attributes(description=str, contact=str, location_text=str, notes=str, owner=str, environment=str)
_BY_SNMP = ("snmp", "ssh", "declared", "neighbour")
"""Of what an agent alone can know a file is at best a copy."""
_DEVICE = MappingProxyType({
    **_attributes(vendor=str, model=str, version=str, asset_code=str, gateway=bool, hostname=str, memory=(int, "byte"),
                  cpus=(int, "core")),
    "sys_object_id": Attribute(str, trust=_BY_SNMP),
    "sys_description": Attribute(str, trust=_BY_SNMP),
    **_measured(uptime=(int, "second")),
})  # fmt: skip
_SERVICE = _attributes(audience=str, sla=str, criticality=str, version=str)
_SOFTWARE = _attributes(vendor=str, product=str, version=str, edition=str)
_PROCESS = _attributes(command=str, port=int, user=str, product=str, version=str)
_SYSTEM = MappingProxyType({
    **_attributes(product=str, version=str, kernel=str, architecture=str, hostname=str, machine_id=str),
    **_measured(uptime=(int, "second"), memory_free=(int, "byte"), load_percent=(int, "percent")),
})  # fmt: skip
_FREE = _measured(free=(int, "byte"))
_CAPACITY = MappingProxyType({**_attributes(capacity=(int, "byte"), raid_level=str, status=str), **_FREE})
_POWER = _measured(load_percent=(int, "percent"), battery_percent=(int, "percent"), runtime=(int, "second"))
_ETHERNET = frozenset({"ethernet"})


def _device(name: str, cut_off: str | None = "down", forwards: frozenset[str] = frozenset(), domain: str = "machine",
            measured: Mapping[str, Attribute] = MappingProxyType({}),
            **more: tuple[type, str] | type) -> CIClass:  # fmt: skip
    return CIClass(name, "device", MappingProxyType({**_attributes(**more), **measured}), domain, cut_off, forwards)


_ROWS = (
    CIClass("device", attributes=_DEVICE, abstract=True),
    CIClass("instance", attributes=_SOFTWARE, domain="software", abstract=True),
    CIClass("software", attributes=_SOFTWARE, domain="software", abstract=True),
    CIClass("location", attributes=_attributes(address=str, grid=(str, "rows, north first"), door=str),
            domain="location", abstract=True),
    CIClass("service", attributes=_SERVICE),
    CIClass("application", attributes=MappingProxyType({**_SERVICE, **_SOFTWARE}), domain="software"),
    CIClass("document", attributes=_attributes(url=str, version=str)),
    CIClass("database", attributes=_SOFTWARE, domain="software"),
    CIClass("database_instance", "instance", domain="software"),
    CIClass("middleware", attributes=_SOFTWARE, domain="software"),
    CIClass("middleware_instance", "instance", domain="software"),
    CIClass("process", attributes=_PROCESS, domain="software"),
    CIClass("cluster", attributes=_attributes(quorum=int, product=str, version=str), domain="software"),
    CIClass("virtual_address", attributes=_attributes(protocol=str), domain="software"),
    CIClass("backup_software", "software", domain="software"),
    CIClass("system_management", "software", domain="software"),
    CIClass("operating_system", attributes=_SYSTEM, domain="software"),
    _device("server"),
    _device("midrange_server"),
    CIClass("partition", attributes=MappingProxyType({**_DEVICE, **_attributes(lpar_id=int)}), domain="machine"),
    CIClass("virtual_machine", attributes=MappingProxyType({**_DEVICE, **_attributes(hypervisor=str)}),
            domain="machine"),
    _device("enclosure", cut_off=None),
    _device("network_switch", forwards=_ETHERNET),
    _device("router", forwards=_ETHERNET),
    _device("firewall", forwards=_ETHERNET),
    _device("load_balancer", forwards=_ETHERNET),
    _device("wireless", forwards=_ETHERNET),
    _device("fc_switch", cut_off="unmanaged", forwards=frozenset({"fc"})),
    _device("storage", cut_off="unmanaged", capacity=(int, "byte"), measured=_FREE),
    CIClass("pool", attributes=_CAPACITY, domain="software"),
    CIClass("volume", attributes=_CAPACITY, domain="software"),
    _device("tape_library", cut_off="unmanaged", drives=int, slots=int),
    _device("power_unit", cut_off="unmanaged", status=str, measured=_POWER),
    _device("management_controller", cut_off="unmanaged", domain="controller"),
    _device("printer"),
    CIClass("unknown_device", "device"),
    CIClass("circuit", attributes=_attributes(provider=str, bandwidth=(int, "bit/s"))),
    CIClass("network", attributes=_attributes(prefix=str, vlan=int)),
    CIClass("building", "location", domain="location"),
    CIClass("floor", "location", domain="location"),
    CIClass("room", "location", domain="location"),
    CIClass("rack", "location", _attributes(units=int), domain="location"),
    CIClass("team", attributes=_attributes(email=str, phone=str)),
)  # fmt: skip
# An unknown device is cut off like nothing in particular (impact.md lists who is) and has no known domain (truth.md).

CI_CLASSES: Mapping[str, CIClass] = MappingProxyType({row.name: row for row in _ROWS})
CONCRETE: tuple[str, ...] = tuple(row.name for row in _ROWS if not row.abstract)

_MACHINES = ("server", "midrange_server", "partition", "virtual_machine")
_RUNNERS = ("process", "application", "database", "instance", "middleware", "software")
_DEPENDANTS = ("service", "application", "database", "instance", "middleware", "process")
_MEMBERS = (
    "device", "partition", "virtual_machine", "instance", "database", "middleware", "application", "process",
    "operating_system",
)  # fmt: skip
_PLACES = ("rack", "room", "floor", "building")

_TYPES = (
    RelationType("runs_on", "runs", (*_RUNNERS, "operating_system"), ("operating_system", *_MACHINES), ALL,
                 "availability",
                 pairs=(*((s, t) for s in _RUNNERS for t in ("operating_system", "server", "partition",
                                                             "virtual_machine")),
                        *(("operating_system", t) for t in _MACHINES))),
    RelationType("hosted_on", "hosts", ("partition", "virtual_machine"), ("midrange_server", "cluster", "server"), ALL,
                 "availability", attributes=("active",),
                 pairs=(("partition", "midrange_server"), ("virtual_machine", "cluster"),
                        ("virtual_machine", "server"))),
    RelationType("served_by", "serves", ("partition",), ("partition",), 1, "availability", keys=("role",),
                 per_role=True),
    RelationType("part_of", "has_part", ("volume", "pool", "device"), ("pool", "storage", "device"), ALL,
                 "availability",
                 pairs=(("volume", "pool"), ("volume", "storage"), ("pool", "storage"), ("server", "enclosure"),
                        ("network_switch", "enclosure"), ("fc_switch", "enclosure"), ("unknown_device", "enclosure"),
                        ("management_controller", "enclosure"), ("firewall", "firewall"),
                        ("network_switch", "network_switch"))),
    RelationType("depends_on", "is_needed_by", _DEPENDANTS,
                 (*_DEPENDANTS, "virtual_address", "cluster", "operating_system", "server", "partition",
                  "virtual_machine", "storage"), ALL, "availability", medium="ethernet", keys=("port",),
                 attributes=("active", "medium", "assumed")),
    RelationType("composed_of", "is_member_of", ("cluster", "virtual_address"), _MEMBERS, 1, "availability",
                 attributes=("active",)),
    RelationType("stored_on", "stores",
                 ("server", "virtual_machine", "partition", "instance", "cluster"), ("volume",), ALL, "availability",
                 keys=("medium",)),
    RelationType("powered_by", "powers", ("device",), ("power_unit",), 1, "availability", keys=("feed",)),
    RelationType("located_in", "contains", ("device", "rack", "room", "floor"), _PLACES, ALL, "availability",
                 pairs=(*(("device", place) for place in _PLACES),
                        ("rack", "room"), ("rack", "floor"), ("rack", "building"),
                        ("room", "floor"), ("room", "building"), ("floor", "building"))),
    RelationType("backed_up_by", "backs_up",
                 ("server", "partition", "virtual_machine", "database", "instance", "backup_software"),
                 ("backup_software", "tape_library", "storage"), 1, "protection"),
    RelationType("managed_by", "manages", ("partition", "server", "midrange_server"), ("management_controller",), 1,
                 "management"),
    RelationType("connects_to", "connects_to", ("device",), ("device",), None, "network", medium="ethernet",
                 keys=("from_port", "to_port"),
                 attributes=("medium", "from_management", "to_management", "one_sided"), undirected=True),
    RelationType("zoned_to", "zoned_to_by", ("server",), ("storage",), None, None, medium="fc",
                 keys=("from_wwpn", "to_wwpn", "zone")),
    RelationType("instance_of", "has_instance", ("instance",), ("database", "middleware"), None, None),
    RelationType("documented_by", "documents", tuple(name for name in CONCRETE if name != "document"), ("document",),
                 None, None),
    RelationType("owned_by", "owns", tuple(name for name in CONCRETE if name != "team"), ("team",), None, None),
)  # fmt: skip

CABLE: Final = "connects_to"

RELATION_TYPES: Mapping[str, RelationType] = MappingProxyType({row.name: row for row in _TYPES})

COLUMN_TYPES: Mapping[str, type] = MappingProxyType({
    "role": str, "port": int, "medium": str, "feed": str, "from_port": str, "to_port": str, "from_management": bool,
    "to_management": bool, "one_sided": bool, "from_wwpn": str, "to_wwpn": str, "zone": str, "active": bool,
    "assumed": bool,
})  # fmt: skip

COMPONENTS: Mapping[str, Mapping[str, type]] = MappingProxyType({
    "interface": {"mac": str, "alias": str, "description": str, "type": str, "speed": int, "admin_up": bool,
                  "oper_up": bool, "management": bool, "index": int},
    "address": {"address": str, "prefix_length": int, "interface": str},
    "fc_port": {"wwpn": str, "wwnn": str, "speed": int, "oper_up": bool, "index": int},
    "disk": {"size": int, "model": str, "serial": str, "wwn": str},
    "power_supply": {"model": str, "serial": str, "status": str},
    "unit": {"model": str, "serial": str, "version": str, "role": str},
    "listener": {"protocol": str, "port": int, "addresses": str, "process": str},
    "group": {"type": str, "needs": int, "full": int, "active": str, "legs": str},
})  # fmt: skip
"""Kinds of components and their attributes (`addresses` and `legs` are lists). A group's legs are ids of CIs, or
`group:NAME` for a group of the same CI."""

COMPONENTS_MEASURED: Mapping[str, Mapping[str, type]] = MappingProxyType({
    "interface": {"in_errors": int, "out_errors": int, "in_discards": int, "out_discards": int},
    "fc_port": {"in_errors": int, "out_errors": int},
    "disk": {"free": int},
    "power_supply": {"load_percent": int},
})  # fmt: skip
"""What flaps of components, as `Attribute.volatile` says it of attributes."""

SECTION_SHOWS: Mapping[str, frozenset[str]] = MappingProxyType({
    "ssh.system": frozenset({"runs_on"}),
    "ssh.processes": frozenset({"runs_on"}),
    "ssh.connections": frozenset({"depends_on"}),
    "ssh.lldp": frozenset({"connects_to"}),
    "snmp.lldp": frozenset({"connects_to"}),
    "snmp.fabric": frozenset({"connects_to"}),
})  # fmt: skip
"""Which relation types of its own subject a section shows when it was collected in full."""


def is_a(name: str, ancestor: str) -> bool:
    """Whether class `name` is `ancestor` or below it."""
    row: str | None = name
    while row is not None:
        if row == ancestor:
            return True
        row = CI_CLASSES[row].parent
    return False


def lineage(name: str) -> tuple[str, ...]:
    """The class itself and its parents, most specific first."""
    names: list[str] = []
    row: str | None = name
    while row is not None:
        names.append(row)
        row = CI_CLASSES[row].parent
    return tuple(names)


def subclasses(name: str) -> frozenset[str]:
    """The concrete classes that are `name` or below it. Raises ModelError for an unknown class."""
    class_row(name)
    return frozenset(row for row in CONCRETE if is_a(row, name))


def class_row(name: str) -> CIClass:
    """The row of a class; ModelError lists the known ones."""
    try:
        return CI_CLASSES[name]
    except KeyError:
        raise ModelError(f"unknown class {name!r}; known: {', '.join(sorted(CONCRETE))}") from None


def relation_row(name: str) -> RelationType:
    """The row of a relation type; ModelError lists the known ones."""
    try:
        return RELATION_TYPES[name]
    except KeyError:
        raise ModelError(f"unknown relation type {name!r}; known: {', '.join(sorted(RELATION_TYPES))}") from None


def attribute_row(cls: str, name: str) -> Attribute | None:
    """The row of an attribute of a class, its parents' and everybody's included; None for a site's own attribute."""
    for row in lineage(cls):
        if name in CI_CLASSES[row].attributes:
            return CI_CLASSES[row].attributes[name]
    return _ANY.get(name)


def attribute_names(cls: str) -> frozenset[str]:
    """The attributes of a class, its parents' and everybody's included."""
    return frozenset(_ANY).union(*(CI_CLASSES[row].attributes for row in lineage(cls)))


def never_one(cls: str, other: str) -> bool:
    """Whether nothing is of both classes: the domains of their serials are known, and not the same."""
    domains = {CI_CLASSES[cls].domain, CI_CLASSES[other].domain}
    return len(domains) > 1 and None not in domains


def fits(type_name: str, source: str, target: str) -> bool:
    """Whether a relation of this type may lead from class `source` to class `target` (either way when undirected)."""
    row = RELATION_TYPES[type_name]
    pairs = row.pairs or tuple((s, t) for s in row.sources for t in row.targets)
    return any(is_a(source, s) and is_a(target, t) for s, t in pairs)


def _validate() -> None:
    """Programming errors in the tables surface at import, before any packet is sent."""
    if len(CI_CLASSES) != len(_ROWS) or len(RELATION_TYPES) != len(_TYPES):
        raise ModelError("cmdb/schema.py: a class or relation type is listed twice")
    for row in _ROWS:
        if row.parent is not None and row.parent not in CI_CLASSES:
            raise ModelError(f"cmdb/schema.py: class {row.name}: unknown parent {row.parent}")
        if row.cut_off not in {None, "down", "unmanaged"}:
            raise ModelError(f"cmdb/schema.py: class {row.name}: cut_off {row.cut_off!r}")
    for kind in _TYPES:
        ends = {*kind.sources, *kind.targets, *(end for pair in kind.pairs for end in pair)}
        if unknown := ends - set(CI_CLASSES):
            raise ModelError(f"cmdb/schema.py: relation {kind.name}: unknown classes {sorted(unknown)}")
        if unknown := {*kind.keys, *kind.attributes} - set(COLUMN_TYPES):
            raise ModelError(f"cmdb/schema.py: relation {kind.name}: unknown columns {sorted(unknown)}")
    for section, shown in SECTION_SHOWS.items():
        if shown - set(RELATION_TYPES):
            raise ModelError(f"cmdb/schema.py: section {section}: unknown relation types among {sorted(shown)}")


_validate()
