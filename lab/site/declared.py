"""What no scan can know: services and their redundancy, power, places, storage behind the array, people."""

from __future__ import annotations

from collections.abc import Iterable

from lab.description import Declared, Device, Group, Link, Room

ROOMS = (
    Room("D010110", ("......", "......", ".####.", "......"), "south"),
    Room("D010210", (".....", "..#..", "....."), "west"),
    Room("D020105", ("....", "...#"), "north"),
)

_PLACES = (
    Declared("building", "D01", attributes={"description": "1 Example Way"}),
    Declared("building", "D02", attributes={"description": "2 Example Way"}),
)

_BUSINESS = (
    Declared("team", "infrastructure", attributes={"email": "infrastructure@dc.example", "phone": "+00 555 0100"}),
    Declared("team", "shop", attributes={"email": "shop@dc.example"}),
    Declared("service", "online shop", attributes={"audience": "customers", "sla": "99.9 %", "owner": "shop",
                                                   "criticality": "high"}),
    Declared("service", "billing", attributes={"audience": "finance", "sla": "99.5 %", "owner": "finance"}),
    Declared("application", "shop web"),
    Declared("application", "shop logic"),
    Declared("application", "billing batch"),
    Declared("database", "shop data", attributes={"product": "PostgreSQL"}),
    Declared("cluster", "shop-db", attributes={"quorum": 1, "product": "PostgreSQL streaming replication"}),
    Declared("database_instance", "shop-db on db1", attributes={"product": "PostgreSQL", "version": "14"}),
    Declared("database_instance", "shop-db on db2", attributes={"product": "PostgreSQL", "version": "14"}),
    Declared("database_instance", "BILL", attributes={"product": "Db2", "version": "11.5"}),
    Declared("backup_software", "bacula", attributes={"product": "Bacula"}),
    Declared("document", "shop runbook", attributes={"url": "https://docs.dc.example/shop/runbook"}),
    Declared("network", "servers", attributes={"prefix": "10.210.1.0/24", "vlan": 10}),
    Declared("virtual_address", "server gateway", attributes={"address": "10.210.1.254", "protocol": "VRRP"}),
)  # fmt: skip
_BUSINESS_LINKS = (
    Link("depends_on", "online shop", "shop web"),
    Link("depends_on", "online shop", "server gateway"),
    Link("depends_on", "shop web", "shop logic"),
    Link("depends_on", "shop logic", "shop data"),
    Link("depends_on", "shop data", "shop-db"),
    Link("composed_of", "shop-db", "shop-db on db1", {"active": True}),
    Link("composed_of", "shop-db", "shop-db on db2"),
    Link("instance_of", "shop-db on db1", "shop data"),
    Link("instance_of", "shop-db on db2", "shop data"),
    Link("runs_on", "shop-db on db1", "db1"),
    Link("runs_on", "shop-db on db2", "db2"),
    Link("depends_on", "billing", "billing batch"),
    Link("runs_on", "billing batch", "aixapp1"),
    Link("depends_on", "billing batch", "BILL"),
    Link("runs_on", "BILL", "aixdb1"),
    Link("composed_of", "server gateway", "core1", {"active": True}),
    Link("composed_of", "server gateway", "core2"),
    Link("owned_by", "online shop", "shop"),
    Link("owned_by", "core1", "infrastructure"),
    Link("owned_by", "core2", "infrastructure"),
    Link("documented_by", "online shop", "shop runbook"),
    Link("runs_on", "bacula", "bkp1"),
    Link("backed_up_by", "bacula", "tape1"),
    *(Link("backed_up_by", name, "bacula")
      for name in ("web1", "web2", "web3", "app1", "app2", "db1", "db2", "aixdb1", "aixapp1", "BILL")),
)  # fmt: skip

GROUPS = (
    Group("shop web", "web servers", needs=1, full=3, legs=("web1", "web2", "web3")),
    Group("shop logic", "application servers", needs=1, full=2, legs=("app1", "app2")),
)
_LEGS = tuple(Link("depends_on", group.of, leg) for group in GROUPS for leg in group.legs)

_VOLUMES = (("vol-db1", "01", 500), ("vol-db2", "02", 500), ("vol-backup", "03", 2000), ("vol-bill", "04", 300))
_STORAGE = (
    Declared("pool", "pool-a", attributes={"raid_level": "MSA-DP+", "capacity": 20 * 2**40}),
    *(Declared("volume", name, attributes={"capacity": size * 2**30}) for name, _, size in _VOLUMES),
)
_STORAGE_LINKS = (
    Link("part_of", "pool-a", "array1"),
    *(Link("part_of", name, "pool-a") for name, _, _ in _VOLUMES),
    *(Link("stored_on", source, volume, {"medium": "fc"})
      for source, volume in (("db1", "vol-db1"), ("db2", "vol-db2"), ("bkp1", "vol-backup"), ("BILL", "vol-bill"))),
)  # fmt: skip

_FRAME_LINKS = (
    *(Link("hosted_on", name, "power1") for name in ("vios1", "aixdb1", "aixapp1")),
    *(Link("managed_by", name, "hmc1") for name in ("vios1", "aixdb1", "aixapp1", "power1")),
    *(
        Link("served_by", name, "vios1", {"role": role})
        for name in ("aixdb1", "aixapp1")
        for role in ("disk", "network")
    ),
    Link("managed_by", "db1", "bmc-db1"),
)

_FEEDS = (("A", "pdu-a"), ("B", "pdu-b"))
_TWO_FEEDS = (
    "core1", "core2", "acc1", "acc3", "fw1", "fcsw1", "fcsw2", "array1", "web1", "web2", "web3", "app1", "app2", "db1",
    "db2", "power1",
)  # fmt: skip
_ONE_FEED = ("acc2", "mgm1", "hmc1")
_POWER_LINKS = (
    Link("powered_by", "pdu-a", "ups1", {"feed": "in"}),
    Link("powered_by", "pdu-b", "ups2", {"feed": "in"}),
    *(Link("powered_by", name, pdu, {"feed": feed}) for name in _TWO_FEEDS for feed, pdu in _FEEDS),
    *(Link("powered_by", name, "pdu-a", {"feed": "A"}) for name in _ONE_FEED),
)


def declared(devices: Iterable[Device]) -> tuple[Declared, ...]:
    """The declared CIs: what exists only by declaration, and the devices of which something is declared."""
    return (*_PLACES, *_BUSINESS, *_STORAGE, *(_device(device) for device in devices if _is_declared(device)))


def links() -> tuple[Link, ...]:
    """The declared relations. Where something stands follows from its label, and is not declared again."""
    return (*_BUSINESS_LINKS, *_LEGS, *_STORAGE_LINKS, *_FRAME_LINKS, *_POWER_LINKS)


def _is_declared(device: Device) -> bool:
    """Whether the estate names a device: nobody declares who is only seen, nor what is called like another."""
    return device.label is not None or device.cls in {"partition", "management_controller"}


def _device(device: Device) -> Declared:
    """A device as the estate names it: its name, what its replies do not say of it, and no more."""
    attributes: dict[str, str | int | bool | tuple[str, ...]] = {}
    if device.id in {"core1", "core2"}:
        attributes["gateway"] = True
    if device.family == "declared":
        attributes |= {"vendor": device.vendor, "model": device.model, "serial": device.serial or ""}
    wwpns = tuple(port.wwpn for port in device.ports if port.wwpn)
    if wwpns and device.linux is None and device.cls != "fc_switch":
        if device.base_mac is not None:
            attributes["mac"] = device.base_mac  # Ties the names on the fabric to what answers on the network.
        attributes["wwn"] = wwpns
    label = device.label if device.linux is not None or device.family == "declared" else None
    return Declared(device.cls, device.name, label, attributes)
