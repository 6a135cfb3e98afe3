"""Small worlds over time, at random: what the scenarios of the issue “Truth” have, mixed.

A generator draws from a `Random`: hypothesis gives one that it can shrink, `tests/cmdb/thousands.py` one with a seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Final

from cmdb.model import (
    Completeness,
    Component,
    Decision,
    Identifier,
    RelationClaim,
    Report,
    RunSection,
    Section,
    Statement,
    Subject,
    Value,
)
from cmdb.rules import Rules
from tests.cmdb.truth.saying import DENIED, FULL, ITSELF, PARTIAL, Event, at, ids, mac, thing

NOW: Final = 4320
"""Minutes after the first report: everything was said long before."""

_SPACES = ("default", "default", "default", "site2")
_ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
_NAMES = ("alpha", "beta", "gamma", "localhost")
_CLASSES = ("server", "server", "network_switch", "firewall", "partition", "management_controller", "printer", None)
_UUIDS = ("4c4c4544-0037-4810-8051-c7c04f4e3531", "4c4c4544-0037-4810-8051-c7c04f4e3532")
_KEYS = ("SHA256:" + "a" * 43, "SHA256:" + "b" * 43, "SHA256:" + "c" * 43)
_LABELS = ("D010210-001", "D010210-002", "D990101-001")
_VIRTUAL = "00:00:5e:00:01:0a"


@dataclass(frozen=True, slots=True)
class Told:
    """Events in the order of their times, and the rules by which they are judged."""

    events: tuple[Event, ...]
    rules: Rules


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can be scanned, as it is now. `inside`: class and serial of its chassis, and its key there."""

    cls: str | None
    name: str
    place: tuple[str, str]
    serial: str | None = None
    uuid: str | None = None
    key: str | None = None
    macs: tuple[int, ...] = ()
    members: tuple[str, ...] = ()
    wwn: str | None = None
    frame: str | None = None
    label: str | None = None
    virtual: bool = False
    inside: tuple[str, str, str] | None = None
    system: str = "os"

    @property
    def identifiers(self) -> frozenset[Identifier]:
        given = ids(
            serial=_one(self.serial), uuid=_one(self.uuid), host_key=_one(self.key), wwn=_one(self.wwn),
            mac=[mac(number) for number in self.macs], member_serial=self.members,
        )  # fmt: skip
        return given | (ids(mac=_VIRTUAL) if self.virtual else frozenset())


def _one(value: str | None) -> list[str]:
    return [] if value is None else [value]


@dataclass(slots=True)
class _World:
    chance: Random
    inside: bool = True
    minute: int = 0
    run: int = 1
    things: list[Thing] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def maybe(self, likely: float) -> bool:
        return self.chance.random() < likely

    # Things

    def thing(self) -> Thing:
        """Something new, by few values, so that many are shared."""
        chance = self.chance
        place = (chance.choice(_SPACES), chance.choice(_ADDRESSES))
        found = Thing(chance.choice(_CLASSES), chance.choice(_NAMES), place)
        if self.maybe(0.6):
            found = replace(found, serial=chance.choice(("S1", "S2", "S3", "123456789")))
        if self.maybe(0.3):
            found = replace(found, uuid=chance.choice(_UUIDS))
        if self.maybe(0.3):
            found = replace(found, key=chance.choice(_KEYS))
        if self.maybe(0.7):
            found = replace(found, macs=tuple(chance.sample(range(1, 7), chance.randint(1, 3))))
        if self.maybe(0.2):
            found = replace(found, wwn=chance.choice(("c050760000000001", "c050760000000002")))
        if self.maybe(0.2):
            found = replace(found, label=chance.choice(_LABELS), virtual=self.maybe(0.5))
        if found.cls == "partition":
            found = replace(found, frame=chance.choice(("FRAME-A", "FRAME-B")))
        if found.cls == "network_switch" and self.maybe(0.5):
            found = replace(found, members=("M1", "M2"), serial="M1")
        if self.inside and found.cls in {"firewall", "server"} and self.maybe(0.25):
            outer = "firewall" if found.cls == "firewall" else "enclosure"
            found = replace(found, inside=(outer, "CH1", chance.choice(("red", "blue"))), uuid=None)
        return found

    def change(self) -> None:
        """Something happens to one of them: what the scenarios tell of."""
        chance, number = self.chance, self.chance.randrange(len(self.things))
        one, other = self.things[number], chance.choice(self.things)
        match chance.randrange(8):
            case 0:  # swapped or DHCP addresses
                self.things[self.things.index(other)] = replace(other, place=one.place)
                self.things[number] = replace(one, place=other.place)
            case 1:  # moved
                self.things[number] = replace(one, place=(one.place[0], chance.choice(_ADDRESSES)), frame="FRAME-B")
            case 2:  # the board replaced, and some of the MACs with it
                self.things[number] = replace(
                    one, serial=f"N{self.minute}", uuid=None, macs=(*one.macs[:1], 30 + number)
                )
            case 3:  # a member of a stack replaced; or the master switched over
                if one.members:
                    members = (one.members[1], f"M{self.minute}") if self.maybe(0.5) else one.members
                    self.things[number] = replace(one, members=members, serial=members[-1])
            case 4:  # cloned
                serial = None if one.uuid else one.serial
                self.things.append(replace(one, macs=(40 + self.minute,), place=other.place, serial=serial))
            case 5:  # installed anew
                self.things[number] = replace(one, system=f"os{self.minute}", key=None)
            case 6:
                self.things[number] = replace(one, name=chance.choice(_NAMES), label=chance.choice((None, *_LABELS)))
            case _:  # another slot or context
                if one.inside is not None:
                    self.things[number] = replace(one, inside=(*one.inside[:2], chance.choice(("red", "blue"))))

    # What is said

    def scan(self, one: Thing) -> None:
        """One is scanned, in full or in part, with root or without."""
        chance = self.chance
        kind = chance.choice(("snmp", "ssh"))
        shown = one if self.maybe(0.75) else replace(one, serial=None, uuid=None, members=())
        sections = [self._system(shown, kind)]
        if self.maybe(0.6):
            sections.append(self._interfaces(shown, kind))
        if self.maybe(0.3):
            sections.append(self._neighbours())
        if self.maybe(0.25):
            sections.append(self._connections())
        if self.maybe(0.1):
            sections.append(Section(f"{kind}.disks", at(self.minute), DENIED, problem="no root"))
        run = f"run-{self.run}" if self.maybe(0.3) else None
        space, source = one.place
        self.events.append(Report(source, at(self.minute), tuple(sections), space, 161 if kind == "snmp" else 22, run))

    def _completeness(self) -> Completeness:
        return self.chance.choice((FULL, FULL, FULL, PARTIAL))

    def _system(self, one: Thing, kind: str) -> Section:
        inside = one.inside
        chassis = None if inside is None else Subject(inside[0], ids(serial=inside[1]))
        known = frozenset(each for each in one.identifiers if each.scheme != "mac")
        if chassis is not None and self.maybe(0.5):
            known |= chassis.identifiers
        about = Subject(one.cls, known, one.name, owner=chassis, key=None if inside is None else inside[2], itself=True)
        values: dict[str, Value] = {"model": self.chance.choice(("m1", "m2"))}
        if one.label is not None:
            values["label"] = one.label
        statements, claims = [Statement(about, values)], []
        if chassis is not None:
            claims.append(RelationClaim("part_of", ITSELF, chassis))
        if kind == "ssh" and self.maybe(0.4):
            system = Subject("operating_system", owner=ITSELF, key=one.system, name=f"{one.system} on {one.name}")
            daemon = Subject("process", owner=ITSELF, key="nginx:80", name="nginx:80")
            statements += [Statement(system), Statement(daemon, {"port": 80, "command": "nginx"})]
            claims.append(RelationClaim("runs_on", daemon, system))
        if one.frame is not None:
            claims.append(RelationClaim("hosted_on", ITSELF, Subject("midrange_server", ids(serial=one.frame))))
        if self.maybe(0.15):
            cluster = Subject("cluster", name="dbc")
            instance = Subject("database_instance", owner=cluster, key="ORCL", name="ORCL")
            claims += [RelationClaim("composed_of", cluster, ITSELF, {"active": self.maybe(0.5)}),
                       RelationClaim("depends_on", instance, cluster)]  # fmt: skip
        return Section(f"{kind}.system", at(self.minute), self._completeness(), tuple(statements), tuple(claims))

    def _interfaces(self, one: Thing, kind: str) -> Section:
        ports = [Component("interface", f"eth{number}", {"mac": mac(number), "index": number}) for number in one.macs]
        if self.maybe(0.3):
            address = self.chance.choice(_ADDRESSES)
            ports.append(Component("address", address, {"address": address}))
        macs = ids(mac=[mac(number) for number in one.macs] + ([_VIRTUAL] if one.virtual else []))
        statement = Statement(Subject(identifiers=macs, itself=True), {}, tuple(ports))
        return Section(f"{kind}.interfaces", at(self.minute), self._completeness(), (statement,))

    def _neighbours(self) -> Section:
        cables = []
        for far in self.chance.sample(self.things, min(len(self.things), self.chance.randint(1, 2))):
            known = ids(mac=[mac(min(far.macs))]) if far.macs and self.maybe(0.8) else frozenset[Identifier]()
            who = Subject(self.chance.choice((far.cls, None)), known, far.name)
            columns: dict[str, Value] = {"from_port": "eth1", "to_port": f"eth{min(far.macs, default=1)}"}
            cables.append(RelationClaim("connects_to", ITSELF, who, columns))
        return Section("snmp.lldp", at(self.minute), self._completeness(), (), tuple(cables))

    def _connections(self) -> Section:
        caller = Subject("process", owner=ITSELF, key="app:1", name="app:1")
        target = Subject(address=self.chance.choice(_ADDRESSES), port=self.chance.choice((None, 80, 443)))
        if self.maybe(0.4):
            target = Subject(name=self.chance.choice(_NAMES), address=target.address)
        claim = RelationClaim("depends_on", caller, target, {"port": 80, "assumed": True})
        return Section("ssh.connections", at(self.minute), self._completeness(), (), (claim,))

    def declare(self) -> None:
        """An estate file; it says of some that they are known by name alone."""
        chance = self.chance
        name = chance.choice(_NAMES)
        every = [thing("room", "D010210"), thing("service", "shop"), thing("cluster", "dbc"),
                 thing(chance.choice(("server", "network_switch")), name, serial=chance.choice(([], [], ["S1"]))),
                 thing("virtual_address", "vip")]  # fmt: skip
        cis = chance.sample(every, chance.randint(1, len(every)))
        claims = []
        if {"shop", name} <= {one.name for one in cis}:
            claims.append(RelationClaim("depends_on", every[1], every[3]))
        if self.maybe(0.3):
            claims.append(
                RelationClaim("composed_of", thing("virtual_address", "vip"), Subject(identifiers=ids(serial="S1")))
            )
        statements = tuple(Statement(one, {"notes": f"n{chance.randint(1, 2)}"}) for one in cis)
        section = Section("declared", at(self.minute), FULL, statements, tuple(claims))
        source = f"declared:{chance.choice(('estate', 'more'))}"
        self.events.append(Report(source, at(self.minute), (section,), chance.choice(_SPACES)))

    def close_run(self) -> None:
        network = self.chance.choice(("10.0.0.0/24", "10.0.0.0/24", "10.0.0.1/32", "10.0.0.2/31"))
        space = self.chance.choice(_SPACES)
        self.events.append(RunSection(f"run-{self.run}", space, (network,), at(self.minute), self.maybe(0.85)))
        self.run += 1

    def decide(self) -> None:
        """A person says of two that they are the same, or different."""
        known = [one.identifiers for one in self.things if one.identifiers]
        if len(known) < 2:
            return
        pair = [frozenset(self.chance.sample(sorted(one), 1)) for one in self.chance.sample(known, 2)]
        a, b = (frozenset(one for one in given if one.value != _VIRTUAL) for given in pair)
        if a and b and a != b:
            verdict = self.chance.choice(("same", "different"))
            self.events.append(Decision(f"d{self.minute}", verdict, a, b, "ann", "seen it", at(self.minute)))


def world(chance: Random, *, inside: bool = True, decisions: bool = True, longest: int = 10) -> Told:
    """A world of up to so many events; `inside`: with things that are known by a key in others."""
    made = _World(chance, inside)
    made.things = [made.thing() for _ in range(chance.randint(1, 4))]
    for minute in range(1, chance.randint(1, longest) + 1):
        made.minute = minute
        if made.maybe(0.3):
            made.change()
        match chance.randrange(12):
            case 0 | 1:
                made.close_run()
            case 2:
                made.declare()
            case 3 if decisions:
                made.decide()
            case 4 if made.events:
                made.events.append(_later(chance.choice(made.events), minute))
            case _:
                made.scan(chance.choice(made.things))
    staleness = {"snmp": timedelta(minutes=NOW - chance.randint(1, longest))} if made.maybe(0.2) else {}
    rules = Rules(
        missing_after=chance.randint(1, 2), staleness=staleness, retired_days={"device": chance.choice((1, 90))}
    )
    return Told(tuple(made.events), rules)


def _later(event: Event, minute: int) -> Event:
    """The same, said again later."""
    match event:
        case Report():
            sections = tuple(replace(section, time=at(minute)) for section in event.sections)
            return replace(event, time=at(minute), sections=sections)
        case RunSection():
            return replace(event, time=at(minute), run=f"again-{minute}")
        case Decision():
            return event
