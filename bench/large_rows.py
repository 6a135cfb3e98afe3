"""A row of racks of a large estate: what stands in them, what runs on it, and what leans on what."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from bench.large_making import Making, Site, group, one_of, wwpn
from cmdb.model import Component, Value

REGION: Final = 100
"""Rows that share platforms."""
PLATFORMS: Final = 3
FABRIC: Final = 10
"""Rows to an fc fabric."""
ROWS_A_PAIR: Final = 500
"""Rows to a pair of cores: at a million CIs there are five pairs, and a thousand access switches on each core."""
_RACKS: Final = 5
_SERVERS: Final = 48
_BOARDS: Final = 34
"""Servers with a management controller."""
_HYPERVISORS: Final = 18
_MEMBERS: Final = 6
"""Hypervisors of a cluster."""
_MACHINES: Final = 60
"""Virtual machines."""
_FC_SERVERS: Final = 24
_VOLUMES: Final = 40
_POOLS: Final = 4
_PROCESSES: Final = 34
_INSTANCES: Final = 10
_MIDDLEWARE: Final = 8
_APPLICATIONS: Final = 14
_SERVICES: Final = 6

_GAPS_OF_SERVERS: Final = (
    (0.020, {"connects_to": "never logged in", "stored_on": "never collected"}),
    (0.010, {"connects_to": "stale since 2026-02-20"}),
    (0.005, {"connects_to": "section ssh.lldp denied"}),
    (0.060, {"stored_on": "never collected", "backed_up_by": "never collected"}),
    (0.010, {"powered_by": "never collected"}),
    (0.005, {"located_in": "never collected"}),
)
_GAPS_OF_SOFTWARE: Final = (
    (0.030, {"depends_on": "never logged in", "runs_on": "never logged in"}),
    (0.010, {"depends_on": "section ssh.connections denied"}),
    (0.010, {"depends_on": "stale since 2026-02-20"}),
)
_GAPS_OF_SWITCHES: Final = (
    (0.010, {"connects_to": "section snmp.lldp failed"}),
    (0.010, {"connects_to": "stale since 2026-02-20"}),
)
_MISSING: Final = 0.003


class Row:
    """A row while it is made; `make` gives out all of it."""

    def __init__(self, make: Making, site: Site, number: int, chance: Random) -> None:
        self._make, self._site, self._number, self._chance = make, site, number, chance
        self._racks: list[str] = []
        self._feeds: list[tuple[str, str]] = []
        self._access = ("", "")
        self._array = ""
        self._array_port = ""
        self._volumes: list[str] = []
        self._servers: list[str] = []
        self._machines: list[str] = []
        self._systems: list[str] = []
        self._instances: list[str] = []
        self._processes: list[str] = []
        self._addresses: list[str] = []
        self._applications: list[str] = []
        self._team = ""

    def make(self) -> None:
        self._make_racks()
        self._make_switches()
        self._make_array()
        self._make_servers()
        self._make_clusters()
        self._make_instances()
        self._make_applications()
        self._make_services()
        if self._number % FABRIC == 1:
            self._make_midrange()

    def _make_racks(self) -> None:
        for n in range(_RACKS):
            rack = self._make.ci("rack", f"rack {self._number:04}-{n}", {"units": 42})
            self._make.relate("located_in", rack, self._site.room)
            self._racks.append(rack)
            pair = []
            for feed, source in zip("AB", self._site.ups, strict=True):
                unit = self._make.ci(
                    "power_unit", f"pdu-{self._number:04}-{n}-{feed}", {"vendor": "ACME", "model": "PDU-24"}
                )
                self._make.relate("located_in", unit, rack)
                self._make.relate("powered_by", unit, source)
                pair.append(unit)
            self._feeds.append((pair[0], pair[1]))

    def _make_switches(self) -> None:
        """Two access switches, each on both cores of a pair, the one on another pair than the other."""
        cores, pairs = self._site.cores, len(self._site.cores) // 2
        made = []
        for plane in (0, 1):
            gaps = one_of(self._chance, _GAPS_OF_SWITCHES)
            switch = self._make.ci("network_switch", f"acc-{self._number:04}-{plane}", {"vendor": "ACME"}, gaps=gaps)
            self._make.relate("located_in", switch, self._racks[plane])
            self._make.feed(switch, self._feeds[plane])
            pair = (self._number // ROWS_A_PAIR + plane) % pairs
            for core in cores[2 * pair : 2 * pair + 2]:
                self._make.cable(self._make.port(switch), self._make.port(core))
            made.append(switch)
        self._access = made[0], made[1]
        for n, pair_of in enumerate(self._feeds):
            for unit in pair_of:
                self._make.cable((unit, "net"), self._make.port(self._access[n % 2]), managed=True)

    def _make_array(self) -> None:
        place = self._number % _RACKS
        ports = tuple(wwpn(self._number, 900 + n) for n in range(4))
        components = tuple(Component("fc_port", port, {"wwpn": port}) for port in ports)
        array = self._make.ci("storage", f"array-{self._number:04}", {"vendor": "ACME", "capacity": 2**50}, components)
        self._make.relate("located_in", array, self._racks[place])
        self._make.feed(array, self._feeds[place])
        self._make.cable((array, "mgmt"), self._make.port(self._access[0]), managed=True)
        for n, port in enumerate(ports):
            self._make.cable((array, port), self._make.port(self._site.fabrics[n // 2][n % 2], "fc1/"), "fc")
        self._array_port = ports[0]
        pools = [self._make.ci("pool", f"pool-{self._number:04}-{n}", {"raid_level": "6"}) for n in range(_POOLS)]
        for pool in pools:
            self._make.relate("part_of", pool, array)
        for n in range(_VOLUMES):
            volume = self._make.ci("volume", f"vol-{self._number:04}-{n:02}", {"capacity": 2**41})
            self._make.relate("part_of", volume, pools[n % _POOLS])
            self._volumes.append(volume)
        self._array = array

    def _make_servers(self) -> None:
        """The first are hypervisors; the last two have one cable only."""
        for n in range(_SERVERS):
            name, place = f"srv-{self._number:04}-{n:02}", n % _RACKS
            ports = tuple(wwpn(self._number, n * 2 + side) for side in (0, 1)) if n < _FC_SERVERS else ()
            components = tuple(Component("fc_port", port, {"wwpn": port}) for port in ports)
            missing = self._chance.random() < _MISSING
            gaps = one_of(self._chance, _GAPS_OF_SERVERS)
            attributes: dict[str, Value] = {"vendor": "ACME", "model": "R760", "memory": 256 * 2**30}
            server = self._make.ci("server", name, attributes, components, gaps, missing=missing)
            self._servers.append(server)
            self._make.relate("located_in", server, self._racks[place])
            self._make.feed(server, self._feeds[place], single=self._chance.random() < 0.04)
            self._make.cable((server, "eno1"), self._make.port(self._access[n % 2]))
            if n < _SERVERS - 2:
                self._make.cable((server, "eno2"), self._make.port(self._access[1 - n % 2]))
            if n < _BOARDS:
                board = self._make.ci("management_controller", f"bmc-{name}", {"vendor": "ACME"})
                self._make.cable((board, "mgmt"), self._make.port(self._access[n % 2]), managed=True)
                self._make.relate("managed_by", server, board)
            if self._chance.random() < 0.7:
                self._make.relate("backed_up_by", server, self._site.backup)
            self._stored(server, n, ports)
            system = self._make.system(server, name)
            self._systems.append(system)
            if n >= _HYPERVISORS:
                self._processes.append(self._process(f"app{n}", system, name))

    def _stored(self, server: str, n: int, ports: Sequence[str]) -> None:
        """A server with fc stores on two volumes; of some only fabric A is cabled, of some the zones are known."""
        if not ports:
            return
        sides = 1 if self._chance.random() < 0.08 else 2
        for side in range(sides):
            switch = self._site.fabrics[side][self._number % 2]
            self._make.cable((server, ports[side]), self._make.port(switch, "fc1/"), "fc")
        array = self._array
        if n % 5 == 0:
            for port in ports[:sides]:
                columns: dict[str, Value] = {
                    "from_wwpn": port,
                    "to_wwpn": self._array_port,
                    "zone": f"z{self._number}-{n}",
                }
                self._make.relate("zoned_to", server, array, columns)
        for k in (0, 1):
            self._make.relate("stored_on", server, self._volumes[(n * 2 + k) % _VOLUMES], {"medium": "fc"})

    def _process(self, command: str, system: str, host: str) -> str:
        process = self._make.software(
            "process", f"{command} on {host}", system, one_of(self._chance, _GAPS_OF_SOFTWARE)
        )
        self._lean(process)
        return process

    def _lean(self, software: str) -> None:
        """Three of four lean on a platform of the region."""
        chosen = self._chance.randrange(PLATFORMS + 1)
        if chosen < PLATFORMS:
            self._make.relate("depends_on", software, self._site.platforms[chosen], {"port": 443})

    def _make_clusters(self) -> None:
        """Clusters of hypervisors, with virtual machines on them, and one server on which each runs now."""
        for c in range(_HYPERVISORS // _MEMBERS):
            attributes: dict[str, Value] = {"product": "HCI"}
            if c:
                attributes["quorum"] = _MEMBERS // 2 + 1
            cluster = self._make.ci("cluster", f"hci-{self._number:04}-{c}", attributes)
            members = self._servers[c * _MEMBERS : (c + 1) * _MEMBERS]
            for member in members:
                self._make.relate("composed_of", cluster, member)
            self._make.relate("stored_on", cluster, self._volumes[c], {"medium": "fc"})
            for n in range(_MACHINES * _MEMBERS // _HYPERVISORS):
                name = f"vm-{self._number:04}-{c}{n:02}"
                missing = self._chance.random() < _MISSING
                gaps = one_of(self._chance, _GAPS_OF_SERVERS[3:4])
                machine = self._make.ci("virtual_machine", name, {"memory": 16 * 2**30}, gaps=gaps, missing=missing)
                self._machines.append(machine)
                self._make.relate("hosted_on", machine, cluster)
                self._make.relate("hosted_on", machine, members[n % _MEMBERS], {"active": True})
                medium: dict[str, Value] = {"medium": "fc"} if n % 2 else {}
                for k in (0, 1):
                    self._make.relate("stored_on", machine, self._volumes[(c * 13 + n + k) % _VOLUMES], medium)
                if self._chance.random() < 0.8:
                    self._make.relate("backed_up_by", machine, self._site.backup)
        for machine, n in zip(self._machines, range(_MACHINES), strict=True):
            self._systems.append(self._make.system(machine, f"vm {self._number:04}-{n}"))

    def _make_instances(self) -> None:
        """Database instances in pairs, one active; middleware; two virtual addresses."""
        systems = self._systems[-_MACHINES:]
        pairs = []
        for n in range(_INSTANCES):
            gaps = one_of(self._chance, _GAPS_OF_SOFTWARE)
            instance = self._make.software("database_instance", f"db-{self._number:04}-{n}", systems[n * 2], gaps)
            self._make.relate("backed_up_by", instance, self._site.backup)
            self._make.relate("instance_of", instance, self._site.database)
            self._instances.append(instance)
            if n % 2 and n < 2 * 4:
                pairs.append((self._instances[-2], instance))
        for n, (active, standby) in enumerate(pairs):
            cluster = self._make.ci("cluster", f"dbc-{self._number:04}-{n}", {"product": "DB"})
            self._make.relate("composed_of", cluster, active, {"active": True})
            self._make.relate("composed_of", cluster, standby)
            self._site.clusters.append(cluster)
        self._platform_part()
        for n in range(_MIDDLEWARE):
            gaps = one_of(self._chance, _GAPS_OF_SOFTWARE)
            made = self._make.software("middleware_instance", f"mw-{self._number:04}-{n}", systems[20 + n], gaps)
            self._instances.append(made)
            self._lean(made)
        for n in (0, 1):
            address = self._make.ci("virtual_address", f"vip-{self._number:04}-{n}", {"protocol": "vrrp"})
            for system in systems[28 + n * 2 : 30 + n * 2]:
                self._make.relate("composed_of", address, system)
            self._addresses.append(address)
        for n in range(_PROCESSES - (_SERVERS - _HYPERVISORS)):
            self._processes.append(self._process(f"svc{n}", systems[32 + n], f"vm {self._number:04}-{32 + n}"))
        self._connections()

    def _make_midrange(self) -> None:
        """A midrange server of six partitions, two of which serve disks and network to the others."""
        name = f"mid-{self._number:04}"
        server = self._make.device("midrange_server", name, self._racks[0], self._feeds[0])
        for n in (0, 1):
            self._make.cable((server, f"ent{n}"), self._make.port(self._access[n]))
        parts = [self._make.ci("partition", f"{name}-{n}", {"lpar_id": n + 1}) for n in range(6)]
        for part in parts:
            self._make.relate("hosted_on", part, server)
        for part in parts[2:]:
            for role in ("disk", "network"):
                for serving in parts[:2]:
                    self._make.relate("served_by", part, serving, {"role": role})
            self._make.relate("stored_on", part, self._volumes[0])
            self._make.system(part, f"{name} {part}")

    def _platform_part(self) -> None:
        """In every eighth row of a region stands an instance without which a platform does not work."""
        place = self._number % REGION % 8
        if place < PLATFORMS:
            self._make.relate("depends_on", self._site.platforms[place], self._instances[-1], {"port": 5432})

    def _connections(self) -> None:
        """Processes that were seen talking to each other, also from row to row."""
        near = [*self._site.processes, *self._processes]
        for process in self._processes:
            other = self._chance.choice(near)
            if other != process and self._chance.random() < 0.5:
                self._make.relate("depends_on", process, other, {"port": 8080, "assumed": True})
        self._site.processes.extend(self._chance.sample(self._processes, 3))

    def _make_applications(self) -> None:
        systems = self._systems[-_MACHINES:]
        self._team = self._make.ci("team", f"team {self._number:04}", {"email": f"team{self._number}@example.org"})
        for n in range(_APPLICATIONS):
            gaps = one_of(self._chance, _GAPS_OF_SOFTWARE)
            made = self._make.software("application", f"app-{self._number:04}-{n:02}", systems[44 + n], gaps)
            self._applications.append(made)
            self._make.relate("depends_on", made, self._chance.choice(self._site.clusters), {"port": 5432})
            self._make.relate("depends_on", made, self._chance.choice(self._instances[-_MIDDLEWARE:]), {"port": 5671})
            if n % 7 == 0:
                self._make.relate("depends_on", made, self._addresses[n % 2], {"port": 443})
            self._lean(made)
            self._make.relate("owned_by", made, self._team)
            if n % 3 == 0:
                self._make.relate("documented_by", made, self._site.runbook)
        self._site.applications.extend(self._applications)

    def _make_services(self) -> None:
        """Services that need one of some applications, or one of two groups, or all; and some that need services."""
        for n in range(_SERVICES):
            front = self._applications[n * 2 : n * 2 + 3] if n < 5 else self._applications[:3]
            back = self._chance.sample([one for one in self._site.applications if one not in front], 2)
            components: tuple[Component, ...] = ()
            if n % 3 == 0:
                components = (group("web", front, 1, len(front)),)
            elif n % 3 == 1:
                components = (
                    group("near", front[:2], 1, 2),
                    group("far", back, 1, 1, back[0]),
                    group("any", ["group:near", "group:far"], 1, 2),
                )
            sla = ("gold", "silver", "bronze")[n % 3]
            name = f"service {self._number:04}-{n}"
            service = self._make.ci("service", name, {"sla": sla, "audience": "customers"}, components)
            for leg in (*front, *back) if n % 3 == 1 else front:
                self._make.relate("depends_on", service, leg, {"port": 443})
            if self._site.services and self._chance.random() < 0.5:
                self._make.relate("depends_on", service, self._chance.choice(self._site.services))
            self._make.relate("owned_by", service, self._team)
            self._site.services.append(service)
