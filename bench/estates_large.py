"""Large estates as CIs and relations, in all that impact.md gives a meaning to: up to a million CIs, streamed.

The estate is made of rows of racks: servers with their boards, a storage array, virtual machines on clusters, software,
services. Rows stand in rooms of many sizes; each has two access switches, on two different pairs of cores. Power and
fabrics come in A and B. Every hundred rows share platforms that much of their software leans on. Some machines were
never logged in to, some sections were denied or are stale, some CIs are missing. Equal seeds give equal estates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import MappingProxyType
from typing import Final, TypeAlias

from cmdb.model import CI, Component, Relation, State, Value

Thing: TypeAlias = CI | Relation

ROW_CIS: Final = 400
"""CIs of a row of racks, about, its share of everything that rows share included."""
_ROWS_A_PAIR: Final = 500
"""Rows to a pair of cores: at a million CIs there are five pairs, and a thousand access switches on each core."""
_REGION: Final = 100
"""Rows that share platforms."""
_LARGE_ROOMS: Final = 6
_LARGE_SHARE: Final = 0.037
"""Of all rows, in each of the largest rooms: six of them hold 22 % of everything."""
_ROOM: Final = 16
"""Rows of an ordinary room."""
_ROOMS_A_BUILDING: Final = 8
_FABRIC: Final = 10
"""Rows to an fc fabric."""
_UPS: Final = 8
"""Rows to a pair of UPSes."""
_BACKUP: Final = 25
"""Rows to a backup software with a tape library."""

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
_PLATFORMS: Final = 3

_MISSING_SINCE: Final = datetime(2026, 2, 14, 3, 20, tzinfo=UTC)
_NONE: Mapping[str, Value] = MappingProxyType({})
_NO_GAPS: Mapping[str, str] = MappingProxyType({})

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


@dataclass(slots=True)
class _Site:
    """What rows share, by id; of what stands in few rows only the last is kept."""

    cores: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    floors: list[str] = field(default_factory=list)
    room: str = ""
    ups: tuple[str, str] = ("", "")
    fabrics: tuple[tuple[str, str], tuple[str, str]] = (("", ""), ("", ""))
    backup: str = ""
    runbook: str = ""
    platforms: list[str] = field(default_factory=list)
    clusters: deque[str] = field(default_factory=lambda: deque(maxlen=60))
    applications: deque[str] = field(default_factory=lambda: deque(maxlen=120))
    processes: deque[str] = field(default_factory=lambda: deque(maxlen=120))
    services: deque[str] = field(default_factory=lambda: deque(maxlen=60))


@dataclass(slots=True)
class _Row:
    """A row while it is made."""

    number: int
    chance: Random
    racks: list[str] = field(default_factory=list)
    feeds: list[tuple[str, str]] = field(default_factory=list)
    access: tuple[str, str] = ("", "")
    servers: list[str] = field(default_factory=list)
    wwpns: dict[str, str] = field(default_factory=dict)
    array: str = ""
    volumes: list[str] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
    team: str = ""

    @property
    def systems_of_machines(self) -> list[str]:
        return self.systems[-_MACHINES:]


class LargeEstate:
    """An estate of about `cis` CIs: `things()` gives them and their relations, ends before what leads to them.

    After it has run, `marked` names the CIs that benches ask about: `core` (all core switches), `room` (all rooms, the
    largest first), `building`, `platform`.
    """

    def __init__(self, cis: int, seed: int = 1) -> None:
        self.rows = max(2, round(cis / ROW_CIS))
        self.seed = seed
        self.cis = 0
        self.relations = 0
        self.marked: dict[str, list[str]] = {}
        self._made: list[Thing] = []
        self._site = _Site()

    def things(self) -> Iterator[Thing]:
        """All of it, a row at a time."""
        chance = self._chance("site")
        rooms = self._rooms()
        self._network(chance)
        yield from self._taken()
        number = 0
        for place, rows in enumerate(rooms):
            self._room(place)
            for inside in range(rows):
                self._shared(number, inside)
                self._row(_Row(number, self._chance(f"row {number}")))
                number += 1
                yield from self._taken()

    def _rooms(self) -> list[int]:
        """The number of rows of each room, the largest first."""
        large = max(1, round(self.rows * _LARGE_SHARE))
        left = self.rows
        rooms: list[int] = []
        while left > 0:
            rooms.append(min(left, large if len(rooms) < _LARGE_ROOMS else _ROOM))
            left -= rooms[-1]
        return rooms

    def _chance(self, what: str) -> Random:
        return Random(f"{self.seed} {what}")  # noqa: S311 - an estate, not a secret

    def _taken(self) -> list[Thing]:
        made, self._made = self._made, []
        return made

    # What everything is made with

    def _ci(
        self,
        cls: str,
        name: str,
        attributes: Mapping[str, Value] = _NONE,
        components: tuple[Component, ...] = (),
        gaps: Mapping[str, str] = _NO_GAPS,
        *,
        missing: bool = False,
    ) -> str:
        self.cis += 1
        id_ = f"ci-{self.cis}"
        state, since = (State.MISSING, _MISSING_SINCE) if missing else (State.PRESENT, None)
        self._made.append(
            CI(id_, cls, "default", name, None, state, attributes, frozenset(), components, None, None, gaps, since)
        )
        return id_

    def _relate(self, type_: str, source: str, target: str, columns: Mapping[str, Value] = _NONE) -> None:
        self.relations += 1
        self._made.append(Relation(f"rel-{self.relations}", type_, source, target, columns))

    def _cable(
        self, one: tuple[str, str], other: tuple[str, str], medium: str = "ethernet", *, managed: bool = False
    ) -> None:
        """A cable between two (CI, port); `managed`: in the management port of `one`. Ends are stored sorted."""
        near, far = sorted((one, other))
        columns: dict[str, Value] = {"from_port": near[1], "to_port": far[1], "medium": medium}
        if managed:
            columns["from_management" if near == one else "to_management"] = True
        self._relate("connects_to", near[0], far[0], columns)

    def _port(self, switch: str, kind: str = "Eth1/") -> tuple[str, str]:
        """The next free port of a switch."""
        self._site.ports[switch] = self._site.ports.get(switch, 0) + 1
        return switch, f"{kind}{self._site.ports[switch]}"

    def _mark(self, kind: str, id_: str) -> None:
        self.marked.setdefault(kind, []).append(id_)

    def _feed(self, device: str, units: tuple[str, str], *, single: bool = False) -> None:
        for feed, unit in zip("AB", units[:1] if single else units, strict=False):
            self._relate("powered_by", device, unit, {"feed": feed})

    # What rows share

    def _network(self, chance: Random) -> None:
        """Pairs of cores, each in a network room of its own with its gateways and what hangs on one core alone."""
        building = self._ci("building", "network centre")
        pairs = max(2, -(-self.rows // _ROWS_A_PAIR))
        for pair in range(pairs):
            room = self._ci("room", f"network room {pair}")
            self._relate("located_in", room, building)
            units = self._ups(f"n{pair}", room)
            routers = [self._device("router", f"gw-{pair}-{n}", room, units, gateway=True) for n in (0, 1)]
            cores = [self._device("network_switch", f"core-{pair}-{n}", room, units) for n in (0, 1)]
            for core in cores:
                self._site.cores.append(core)
                self._mark("core", core)
                for router in routers:
                    self._cable(self._port(core), self._port(router))
                self._hanging(chance, core, room, units)
            self._cable(self._port(cores[0]), self._port(cores[1]))

    def _device(self, cls: str, name: str, place: str, units: tuple[str, str], *, gateway: bool = False) -> str:
        attributes: dict[str, Value] = {"vendor": "ACME", "model": f"{cls[:3].upper()}-9000"}
        if gateway:
            attributes["gateway"] = True
        device = self._ci(cls, name, attributes)
        self._relate("located_in", device, place)
        self._feed(device, units)
        return device

    def _hanging(self, chance: Random, core: str, room: str, units: tuple[str, str]) -> None:
        """A firewall and servers with a single cable to a core."""
        number = self._site.cores.index(core)
        box = self._device("firewall", f"fw-{number}", room, units)
        self._cable((box, "port1"), self._port(core))
        for n in range(4):
            server = self._device("server", f"net-{number}-{n}", room, units)
            self._cable((server, "eno1"), self._port(core))
            system = self._system(server, f"net-{number}-{n}")
            for command in ("sshd", "named", "ntpd")[: chance.randint(2, 3)]:
                self._software("process", f"{command} on net-{number}-{n}", system)

    def _room(self, place: int) -> None:
        if place % _ROOMS_A_BUILDING == 0:
            building = self._ci("building", f"building {place // _ROOMS_A_BUILDING}")
            self._mark("building", building)
            self._site.floors = [self._ci("floor", f"{building} floor {n}") for n in (0, 1)]
            for floor in self._site.floors:
                self._relate("located_in", floor, building)
        self._site.room = self._ci("room", f"room {place:03}")
        self._mark("room", self._site.room)
        self._relate("located_in", self._site.room, self._site.floors[place % 2])

    def _ups(self, name: str, room: str) -> tuple[str, str]:
        pair = []
        for feed in "AB":
            unit = self._ci("power_unit", f"ups-{name}-{feed}", {"vendor": "ACME", "model": "UPS-40K"})
            self._relate("located_in", unit, room)
            pair.append(unit)
        return pair[0], pair[1]

    def _shared(self, number: int, inside: int) -> None:
        """What begins anew after so many rows; power in each room."""
        site = self._site
        if inside % _UPS == 0:
            site.ups = self._ups(f"{number:04}", site.room)
        if number % _FABRIC == 0:
            a, b = (
                tuple(self._ci("fc_switch", f"fc-{number:04}-{side}{n}", {"vendor": "ACME"}) for n in (0, 1))
                for side in "AB"
            )
            site.fabrics = ((a[0], a[1]), (b[0], b[1]))
            for first, second in site.fabrics:
                self._cable(self._port(first, "fc1/"), self._port(second, "fc1/"), "fc")
            for switch in (*a, *b):
                self._relate("located_in", switch, site.room)
                self._feed(switch, site.ups)
        if number % _BACKUP == 0:
            library = self._ci("tape_library", f"tape-{number:04}", {"vendor": "ACME", "drives": 8})
            self._relate("located_in", library, site.room)
            self._feed(library, site.ups)
            site.backup = self._ci("backup_software", f"backup-{number:04}", {"product": "Backup"})
            self._relate("backed_up_by", site.backup, library)
            site.runbook = self._ci("document", f"runbook {number:04}", {"url": "file:runbook"})
        if number % _REGION == 0:
            site.platforms = [
                self._ci("application", f"platform-{number:04}-{n}", {"criticality": "high"}) for n in range(_PLATFORMS)
            ]
            for platform in site.platforms:
                self._mark("platform", platform)

    # A row of racks

    def _row(self, row: _Row) -> None:
        self._racks(row)
        self._switches(row)
        self._array(row)
        self._servers(row)
        self._clusters(row)
        self._instances(row)
        self._applications(row)
        self._services(row)

    def _racks(self, row: _Row) -> None:
        for n in range(_RACKS):
            rack = self._ci("rack", f"rack {row.number:04}-{n}", {"units": 42})
            self._relate("located_in", rack, self._site.room)
            row.racks.append(rack)
            pair = []
            for feed, source in zip("AB", self._site.ups, strict=True):
                unit = self._ci("power_unit", f"pdu-{row.number:04}-{n}-{feed}", {"vendor": "ACME", "model": "PDU-24"})
                self._relate("located_in", unit, rack)
                self._relate("powered_by", unit, source)
                pair.append(unit)
            row.feeds.append((pair[0], pair[1]))

    def _switches(self, row: _Row) -> None:
        """Two access switches, each on both cores of a pair, the one on another pair than the other."""
        cores, pairs = self._site.cores, len(self._site.cores) // 2
        made = []
        for plane in (0, 1):
            gaps = _one_of(row.chance, _GAPS_OF_SWITCHES)
            switch = self._ci("network_switch", f"acc-{row.number:04}-{plane}", {"vendor": "ACME"}, gaps=gaps)
            self._relate("located_in", switch, row.racks[plane])
            self._feed(switch, row.feeds[plane])
            pair = (row.number // _ROWS_A_PAIR + plane) % pairs
            for core in cores[2 * pair : 2 * pair + 2]:
                self._cable(self._port(switch), self._port(core))
            made.append(switch)
        row.access = made[0], made[1]
        for n, pair_of in enumerate(row.feeds):
            for unit in pair_of:
                self._cable((unit, "net"), self._port(row.access[n % 2]), managed=True)

    def _array(self, row: _Row) -> None:
        place = row.number % _RACKS
        ports = tuple(_wwpn(row.number, 900 + n) for n in range(4))
        components = tuple(Component("fc_port", port, {"wwpn": port}) for port in ports)
        array = self._ci("storage", f"array-{row.number:04}", {"vendor": "ACME", "capacity": 2**50}, components)
        self._relate("located_in", array, row.racks[place])
        self._feed(array, row.feeds[place])
        self._cable((array, "mgmt"), self._port(row.access[0]), managed=True)
        for n, port in enumerate(ports):
            self._cable((array, port), self._port(self._site.fabrics[n // 2][n % 2], "fc1/"), "fc")
        row.wwpns[array] = ports[0]
        pools = [self._ci("pool", f"pool-{row.number:04}-{n}", {"raid_level": "6"}) for n in range(_POOLS)]
        for pool in pools:
            self._relate("part_of", pool, array)
        for n in range(_VOLUMES):
            volume = self._ci("volume", f"vol-{row.number:04}-{n:02}", {"capacity": 2**41})
            self._relate("part_of", volume, pools[n % _POOLS])
            row.volumes.append(volume)
        row.array = array

    def _servers(self, row: _Row) -> None:
        """The first are hypervisors; the last two have one cable only."""
        for n in range(_SERVERS):
            name, place = f"srv-{row.number:04}-{n:02}", n % _RACKS
            ports = tuple(_wwpn(row.number, n * 2 + side) for side in (0, 1)) if n < _FC_SERVERS else ()
            components = tuple(Component("fc_port", port, {"wwpn": port}) for port in ports)
            missing = row.chance.random() < _MISSING
            gaps = _one_of(row.chance, _GAPS_OF_SERVERS)
            attributes: dict[str, Value] = {"vendor": "ACME", "model": "R760", "memory": 256 * 2**30}
            server = self._ci("server", name, attributes, components, gaps, missing=missing)
            row.servers.append(server)
            self._relate("located_in", server, row.racks[place])
            self._feed(server, row.feeds[place], single=row.chance.random() < 0.04)
            self._cable((server, "eno1"), self._port(row.access[n % 2]))
            if n < _SERVERS - 2:
                self._cable((server, "eno2"), self._port(row.access[1 - n % 2]))
            if n < _BOARDS:
                board = self._ci("management_controller", f"bmc-{name}", {"vendor": "ACME"})
                self._cable((board, "mgmt"), self._port(row.access[n % 2]), managed=True)
                self._relate("managed_by", server, board)
            if row.chance.random() < 0.7:
                self._relate("backed_up_by", server, self._site.backup)
            self._stored(row, server, n, ports)
            system = self._system(server, name)
            row.systems.append(system)
            if n >= _HYPERVISORS:
                row.processes.append(self._process(row, f"app{n}", system, name))

    def _stored(self, row: _Row, server: str, n: int, ports: Sequence[str]) -> None:
        """A server with fc stores on two volumes; of some only fabric A is cabled, of some the zones are known."""
        if not ports:
            return
        sides = 1 if row.chance.random() < 0.08 else 2
        for side in range(sides):
            switch = self._site.fabrics[side][row.number % 2]
            self._cable((server, ports[side]), self._port(switch, "fc1/"), "fc")
        array = row.array
        if n % 5 == 0:
            for port in ports[:sides]:
                columns: dict[str, Value] = {
                    "from_wwpn": port,
                    "to_wwpn": row.wwpns[array],
                    "zone": f"z{row.number}-{n}",
                }
                self._relate("zoned_to", server, array, columns)
        for k in (0, 1):
            self._relate("stored_on", server, row.volumes[(n * 2 + k) % _VOLUMES], {"medium": "fc"})

    def _system(self, host: str, name: str) -> str:
        system = self._ci("operating_system", f"Debian 12 on {name}", {"product": "Debian 12"})
        self._relate("runs_on", system, host)
        return system

    def _software(
        self, cls: str, name: str, on: str, gaps: Mapping[str, str] = _NO_GAPS, components: tuple[Component, ...] = ()
    ) -> str:
        made = self._ci(cls, name, {"version": "1.4"}, components, gaps)
        self._relate("runs_on", made, on)
        return made

    def _process(self, row: _Row, command: str, system: str, host: str) -> str:
        process = self._software("process", f"{command} on {host}", system, _one_of(row.chance, _GAPS_OF_SOFTWARE))
        self._lean(row, process)
        return process

    def _lean(self, row: _Row, software: str) -> None:
        """Three of four lean on a platform of the region."""
        chosen = row.chance.randrange(_PLATFORMS + 1)
        if chosen < _PLATFORMS:
            self._relate("depends_on", software, self._site.platforms[chosen], {"port": 443})

    def _clusters(self, row: _Row) -> None:
        """Clusters of hypervisors, with virtual machines on them, and one server on which each runs now."""
        for c in range(_HYPERVISORS // _MEMBERS):
            attributes: dict[str, Value] = {"product": "HCI"}
            if c:
                attributes["quorum"] = _MEMBERS // 2 + 1
            cluster = self._ci("cluster", f"hci-{row.number:04}-{c}", attributes)
            members = row.servers[c * _MEMBERS : (c + 1) * _MEMBERS]
            for member in members:
                self._relate("composed_of", cluster, member)
            self._relate("stored_on", cluster, row.volumes[c], {"medium": "fc"})
            for n in range(_MACHINES * _MEMBERS // _HYPERVISORS):
                name = f"vm-{row.number:04}-{c}{n:02}"
                missing = row.chance.random() < _MISSING
                gaps = _one_of(row.chance, _GAPS_OF_SERVERS[3:4])
                machine = self._ci("virtual_machine", name, {"memory": 16 * 2**30}, gaps=gaps, missing=missing)
                row.machines.append(machine)
                self._relate("hosted_on", machine, cluster)
                self._relate("hosted_on", machine, members[n % _MEMBERS], {"active": True})
                medium: dict[str, Value] = {"medium": "fc"} if n % 2 else {}
                for k in (0, 1):
                    self._relate("stored_on", machine, row.volumes[(c * 13 + n + k) % _VOLUMES], medium)
                if row.chance.random() < 0.8:
                    self._relate("backed_up_by", machine, self._site.backup)
        for machine, n in zip(row.machines, range(_MACHINES), strict=True):
            row.systems.append(self._system(machine, f"vm {row.number:04}-{n}"))

    def _instances(self, row: _Row) -> None:
        """Database instances in pairs, one active; middleware; two virtual addresses."""
        systems = row.systems_of_machines
        pairs = []
        for n in range(_INSTANCES):
            gaps = _one_of(row.chance, _GAPS_OF_SOFTWARE)
            instance = self._software("database_instance", f"db-{row.number:04}-{n}", systems[n * 2], gaps)
            self._relate("backed_up_by", instance, self._site.backup)
            row.instances.append(instance)
            if n % 2 and n < 2 * 4:
                pairs.append((row.instances[-2], instance))
        for n, (active, standby) in enumerate(pairs):
            cluster = self._ci("cluster", f"dbc-{row.number:04}-{n}", {"product": "DB"})
            self._relate("composed_of", cluster, active, {"active": True})
            self._relate("composed_of", cluster, standby)
            self._site.clusters.append(cluster)
        self._platform_part(row)
        for n in range(_MIDDLEWARE):
            gaps = _one_of(row.chance, _GAPS_OF_SOFTWARE)
            made = self._software("middleware_instance", f"mw-{row.number:04}-{n}", systems[20 + n], gaps)
            row.instances.append(made)
            self._lean(row, made)
        for n in (0, 1):
            address = self._ci("virtual_address", f"vip-{row.number:04}-{n}", {"protocol": "vrrp"})
            for system in systems[28 + n * 2 : 30 + n * 2]:
                self._relate("composed_of", address, system)
            row.addresses.append(address)
        for n in range(_PROCESSES - (_SERVERS - _HYPERVISORS)):
            row.processes.append(self._process(row, f"svc{n}", systems[32 + n], f"vm {row.number:04}-{32 + n}"))
        self._connections(row)

    def _platform_part(self, row: _Row) -> None:
        """In every eighth row of a region stands an instance without which a platform does not work."""
        place = row.number % _REGION % 8
        if place < _PLATFORMS:
            self._relate("depends_on", self._site.platforms[place], row.instances[-1], {"port": 5432})

    def _connections(self, row: _Row) -> None:
        """Processes that were seen talking to each other, also from row to row."""
        near = [*self._site.processes, *row.processes]
        for process in row.processes:
            other = row.chance.choice(near)
            if other != process and row.chance.random() < 0.5:
                self._relate("depends_on", process, other, {"port": 8080, "assumed": True})
        self._site.processes.extend(row.chance.sample(row.processes, 3))

    def _applications(self, row: _Row) -> None:
        systems = row.systems_of_machines
        row.team = self._ci("team", f"team {row.number:04}", {"email": f"team{row.number}@example.org"})
        for n in range(_APPLICATIONS):
            gaps = _one_of(row.chance, _GAPS_OF_SOFTWARE)
            made = self._software("application", f"app-{row.number:04}-{n:02}", systems[44 + n], gaps)
            row.applications.append(made)
            self._relate("depends_on", made, row.chance.choice(self._site.clusters), {"port": 5432})
            self._relate("depends_on", made, row.chance.choice(row.instances[-_MIDDLEWARE:]), {"port": 5671})
            if n % 7 == 0:
                self._relate("depends_on", made, row.addresses[n % 2], {"port": 443})
            self._lean(row, made)
            self._relate("owned_by", made, row.team)
            if n % 3 == 0:
                self._relate("documented_by", made, self._site.runbook)
        self._site.applications.extend(row.applications)

    def _services(self, row: _Row) -> None:
        """Services that need one of some applications, or one of two groups, or all; and some that need services."""
        for n in range(_SERVICES):
            front = row.applications[n * 2 : n * 2 + 3] if n < 5 else row.applications[:3]
            back = row.chance.sample([one for one in self._site.applications if one not in front], 2)
            components: tuple[Component, ...] = ()
            if n % 3 == 0:
                components = (_group("web", front, 1, len(front)),)
            elif n % 3 == 1:
                components = (
                    _group("near", front[:2], 1, 2),
                    _group("far", back, 1, 1, back[0]),
                    _group("any", ["group:near", "group:far"], 1, 2),
                )
            sla = ("gold", "silver", "bronze")[n % 3]
            name = f"service {row.number:04}-{n}"
            service = self._ci("service", name, {"sla": sla, "audience": "customers"}, components)
            for leg in (*front, *back) if n % 3 == 1 else front:
                self._relate("depends_on", service, leg, {"port": 443})
            if self._site.services and row.chance.random() < 0.5:
                self._relate("depends_on", service, row.chance.choice(self._site.services))
            self._relate("owned_by", service, row.team)
            self._site.services.append(service)


def _one_of(chance: Random, table: Sequence[tuple[float, Mapping[str, str]]]) -> Mapping[str, str]:
    """The gaps of one row of a table of (share, gaps), mostly none."""
    drawn = chance.random()
    for share, gaps in table:
        if drawn < share:
            return gaps
        drawn -= share
    return _NO_GAPS


def _group(name: str, legs: Sequence[str], needs: int, full: int, active: str | None = None) -> Component:
    attributes: dict[str, Value] = {"type": "depends_on", "needs": needs, "full": full, "legs": tuple(legs)}
    if active is not None:
        attributes["active"] = active
    return Component("group", name, attributes)


def _wwpn(row: int, port: int) -> str:
    return f"5001{row:06x}{port:06x}"
