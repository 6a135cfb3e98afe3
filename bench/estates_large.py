"""Large estates as CIs and relations, in all that impact.md gives a meaning to: up to a million CIs, streamed.

The estate is made of rows of racks: servers with their boards, a storage array, virtual machines on clusters, software,
services. Rows stand in rooms of many sizes; each has two access switches, on two different pairs of cores. Power and
fabrics come in A and B. Every hundred rows share platforms that much of their software leans on. Some machines were
never logged in to, some sections were denied or are stale, some CIs are missing. Equal seeds give equal estates.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from bench.large_making import Making, Site, Thing
from bench.large_rows import FABRIC, PLATFORMS, REGION, ROWS_A_PAIR, Row

ROW_CIS: Final = 396
"""CIs of a row of racks, about, its share of everything that rows share included."""
_LARGE_ROOMS: Final = 6
_LARGE_SHARE: Final = 0.037
"""Of all rows, in each of the largest rooms: six of them hold 22 % of everything."""
_ROOM: Final = 16
"""Rows of an ordinary room."""
_ROOMS_A_BUILDING: Final = 8
_UPS: Final = 8
"""Rows to a pair of UPSes."""
_BACKUP: Final = 25
"""Rows to a backup software with a tape library."""


class LargeEstate:
    """An estate of about `cis` CIs: `things()` gives them and their relations, ends before what leads to them.

    After it has run, `marked` names the CIs that benches ask about: `core` (all core switches), `room` (all rooms, the
    largest first), `building`, `platform`.
    """

    def __init__(self, cis: int, seed: int = 1) -> None:
        self.rows = max(2, round(cis / ROW_CIS))
        self.seed = seed
        self.marked: dict[str, list[str]] = {}
        self._make = Making()
        self._site = Site()

    @property
    def cis(self) -> int:
        """How many were made so far."""
        return self._make.cis

    @property
    def relations(self) -> int:
        return self._make.relations

    def things(self) -> Iterator[Thing]:
        """All of it, a row at a time."""
        chance = self._chance("site")
        rooms = self._rooms()
        self._network(chance)
        yield from self._make.taken()
        number = 0
        for place, rows in enumerate(rooms):
            self._room(place)
            for inside in range(rows):
                self._shared(number, inside)
                Row(self._make, self._site, number, self._chance(f"row {number}")).make()
                number += 1
                yield from self._make.taken()

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

    def _mark(self, kind: str, id_: str) -> None:
        self.marked.setdefault(kind, []).append(id_)

    def _network(self, chance: Random) -> None:
        """Pairs of cores, each in a network room of its own with its gateways and what hangs on one core alone."""
        building = self._make.ci("building", "network centre")
        pairs = max(2, round(self.rows / ROWS_A_PAIR))
        for pair in range(pairs):
            room = self._make.ci("room", f"network room {pair}")
            self._make.relate("located_in", room, building)
            units = self._ups(f"n{pair}", room)
            routers = [self._make.device("router", f"gw-{pair}-{n}", room, units, gateway=True) for n in (0, 1)]
            cores = [self._make.device("network_switch", f"core-{pair}-{n}", room, units) for n in (0, 1)]
            for core in cores:
                self._site.cores.append(core)
                self._mark("core", core)
                for router in routers:
                    self._make.cable(self._make.port(core), self._make.port(router))
                self._hanging(chance, core, room, units)
            self._make.cable(self._make.port(cores[0]), self._make.port(cores[1]))

    def _hanging(self, chance: Random, core: str, room: str, units: tuple[str, str]) -> None:
        """A firewall and servers with a single cable to a core."""
        number = self._site.cores.index(core)
        box = self._make.device("firewall", f"fw-{number}", room, units)
        self._make.cable((box, "port1"), self._make.port(core))
        for n in range(4):
            server = self._make.device("server", f"net-{number}-{n}", room, units)
            self._make.cable((server, "eno1"), self._make.port(core))
            system = self._make.system(server, f"net-{number}-{n}")
            for command in ("sshd", "named", "ntpd")[: chance.randint(2, 3)]:
                self._make.software("process", f"{command} on net-{number}-{n}", system)

    def _room(self, place: int) -> None:
        if place % _ROOMS_A_BUILDING == 0:
            building = self._make.ci("building", f"building {place // _ROOMS_A_BUILDING}")
            self._mark("building", building)
            self._site.floors = [self._make.ci("floor", f"{building} floor {n}") for n in (0, 1)]
            for floor in self._site.floors:
                self._make.relate("located_in", floor, building)
        self._site.room = self._make.ci("room", f"room {place:03}")
        self._mark("room", self._site.room)
        self._make.relate("located_in", self._site.room, self._site.floors[place % 2])

    def _ups(self, name: str, room: str) -> tuple[str, str]:
        pair = []
        for feed in "AB":
            unit = self._make.ci("power_unit", f"ups-{name}-{feed}", {"vendor": "ACME", "model": "UPS-40K"})
            self._make.relate("located_in", unit, room)
            pair.append(unit)
        return pair[0], pair[1]

    def _shared(self, number: int, inside: int) -> None:
        """What begins anew after so many rows; power in each room."""
        site = self._site
        if inside % _UPS == 0:
            site.ups = self._ups(f"{number:04}", site.room)
        if number % FABRIC == 0:
            a, b = (
                tuple(self._make.ci("fc_switch", f"fc-{number:04}-{side}{n}", {"vendor": "ACME"}) for n in (0, 1))
                for side in "AB"
            )
            site.fabrics = ((a[0], a[1]), (b[0], b[1]))
            for first, second in site.fabrics:
                self._make.cable(self._make.port(first, "fc1/"), self._make.port(second, "fc1/"), "fc")
            for switch in (*a, *b):
                self._make.relate("located_in", switch, site.room)
                self._make.feed(switch, site.ups)
        if number % _BACKUP == 0:
            library = self._make.ci("tape_library", f"tape-{number:04}", {"vendor": "ACME", "drives": 8})
            self._make.relate("located_in", library, site.room)
            self._make.feed(library, site.ups)
            site.backup = self._make.ci("backup_software", f"backup-{number:04}", {"product": "Backup"})
            self._make.relate("backed_up_by", site.backup, library)
            site.database = self._make.ci("database", f"database {number:04}", {"product": "DB"})
            site.runbook = self._make.ci("document", f"runbook {number:04}", {"url": "file:runbook"})
        if number % REGION == 0:
            site.platforms = [
                self._make.ci("application", f"platform-{number:04}-{n}", {"criticality": "high"})
                for n in range(PLATFORMS)
            ]
            for platform in site.platforms:
                self._mark("platform", platform)
