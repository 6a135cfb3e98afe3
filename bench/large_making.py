"""What large estates are made with: CIs and relations as they are given out, their numbers, and what rows share."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from types import MappingProxyType
from typing import Final, TypeAlias

from cmdb.model import CI, Component, Relation, State, Value

Thing: TypeAlias = CI | Relation

_MISSING_SINCE: Final = datetime(2026, 2, 14, 3, 20, tzinfo=UTC)
_NONE: Mapping[str, Value] = MappingProxyType({})
NO_GAPS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Site:
    """What rows share, by id; of what stands in few rows only the last is kept."""

    cores: list[str] = field(default_factory=list)
    floors: list[str] = field(default_factory=list)
    room: str = ""
    ups: tuple[str, str] = ("", "")
    fabrics: tuple[tuple[str, str], tuple[str, str]] = (("", ""), ("", ""))
    backup: str = ""
    runbook: str = ""
    database: str = ""
    platforms: list[str] = field(default_factory=list)
    clusters: deque[str] = field(default_factory=lambda: deque(maxlen=60))
    applications: deque[str] = field(default_factory=lambda: deque(maxlen=120))
    processes: deque[str] = field(default_factory=lambda: deque(maxlen=120))
    services: deque[str] = field(default_factory=lambda: deque(maxlen=60))


@dataclass(slots=True)
class Making:
    """Makes CIs and relations and numbers them; `made` waits to be taken."""

    cis: int = 0
    relations: int = 0
    made: list[Thing] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)

    def taken(self) -> list[Thing]:
        made, self.made = self.made, []
        return made

    def ci(
        self,
        cls: str,
        name: str,
        attributes: Mapping[str, Value] = _NONE,
        components: tuple[Component, ...] = (),
        gaps: Mapping[str, str] = NO_GAPS,
        *,
        missing: bool = False,
    ) -> str:
        self.cis += 1
        id_ = f"ci-{self.cis}"
        state, since = (State.MISSING, _MISSING_SINCE) if missing else (State.PRESENT, None)
        self.made.append(
            CI(id_, cls, "default", name, None, state, attributes, frozenset(), components, None, None, gaps, since)
        )
        return id_

    def relate(self, type_: str, source: str, target: str, columns: Mapping[str, Value] = _NONE) -> None:
        self.relations += 1
        self.made.append(Relation(f"rel-{self.relations}", type_, source, target, columns))

    def cable(
        self, one: tuple[str, str], other: tuple[str, str], medium: str = "ethernet", *, managed: bool = False
    ) -> None:
        """A cable between two (CI, port); `managed`: in the management port of `one`. Ends are stored sorted."""
        near, far = sorted((one, other))
        columns: dict[str, Value] = {"from_port": near[1], "to_port": far[1], "medium": medium}
        if managed:
            columns["from_management" if near == one else "to_management"] = True
        self.relate("connects_to", near[0], far[0], columns)

    def port(self, switch: str, kind: str = "Eth1/") -> tuple[str, str]:
        """The next free port of a switch."""
        self.ports[switch] = self.ports.get(switch, 0) + 1
        return switch, f"{kind}{self.ports[switch]}"

    def feed(self, device: str, units: tuple[str, str], *, single: bool = False) -> None:
        for feed, unit in zip("AB", units[:1] if single else units, strict=False):
            self.relate("powered_by", device, unit, {"feed": feed})

    def device(self, cls: str, name: str, place: str, units: tuple[str, str], *, gateway: bool = False) -> str:
        attributes: dict[str, Value] = {"vendor": "ACME", "model": f"{cls[:3].upper()}-9000"}
        if gateway:
            attributes["gateway"] = True
        device = self.ci(cls, name, attributes)
        self.relate("located_in", device, place)
        self.feed(device, units)
        return device

    def system(self, host: str, name: str) -> str:
        system = self.ci("operating_system", f"Debian 12 on {name}", {"product": "Debian 12"})
        self.relate("runs_on", system, host)
        return system

    def software(
        self, cls: str, name: str, on: str, gaps: Mapping[str, str] = NO_GAPS, components: tuple[Component, ...] = ()
    ) -> str:
        made = self.ci(cls, name, {"version": "1.4"}, components, gaps)
        self.relate("runs_on", made, on)
        return made


def one_of(chance: Random, table: Sequence[tuple[float, Mapping[str, str]]]) -> Mapping[str, str]:
    """The gaps of one row of a table of (share, gaps), mostly none."""
    drawn = chance.random()
    for share, gaps in table:
        if drawn < share:
            return gaps
        drawn -= share
    return NO_GAPS


def group(name: str, legs: Sequence[str], needs: int, full: int, active: str | None = None) -> Component:
    attributes: dict[str, Value] = {"type": "depends_on", "needs": needs, "full": full, "legs": tuple(legs)}
    if active is not None:
        attributes["active"] = active
    return Component("group", name, attributes)


def wwpn(row: int, port: int) -> str:
    return f"5001{row:06x}{port:06x}"
