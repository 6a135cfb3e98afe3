"""The words of the CMDB as types: identifiers, subjects, claims, sections, and the CIs and relations they project to.

Everything here is a frozen value. Nothing here does I/O, reads the clock, or knows a store.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

Scalar: TypeAlias = str | bool | int | float | datetime
Value: TypeAlias = Scalar | tuple[Scalar, ...]
"""What an attribute may hold: text, bool, 64-bit signed integer, finite float, UTC datetime, or a tuple of one.

Absent instead of None. A tuple holds one type only. `check_value` refuses the rest.
"""

DEFAULT_SPACE = "default"
EMPTY: Mapping[str, Value] = MappingProxyType({})


class ModelError(ValueError):
    """A value, class, relation or reference that the model does not allow; says what and where."""


def check_value(value: object, where: str) -> Value:
    """Return `value` as a Value (lists become tuples), or raise ModelError naming `where`."""
    if isinstance(value, list | tuple):
        items = tuple(_check_scalar(item, where) for item in value)
        if len({type(item) for item in items}) > 1:
            raise ModelError(f"{where}: a list must hold values of one type, got {value!r}")
        return items
    return _check_scalar(value, where)


def _check_scalar(value: object, where: str) -> Scalar:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return value
        raise ModelError(f"{where}: {value} does not fit a signed 64-bit integer")
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise ModelError(f"{where}: {value} is not a finite number")
    if isinstance(value, datetime):
        offset = value.utcoffset()
        if offset is not None and not offset:
            return value
        raise ModelError(f"{where}: {value!r} must be a UTC time")
    raise ModelError(f"{where}: {value!r} is not text, a bool, a number, a UTC time, or a list of one of these")


class Completeness(StrEnum):
    """How much of a section was collected. Only `FULL` can take back what its reporter said before."""

    FULL = "full"
    PARTIAL = "partial"
    DENIED = "denied"
    FAILED = "failed"


class State(StrEnum):
    """Where a CI stands: it answers, it stopped answering, or it was silent longer than its class allows."""

    PRESENT = "present"
    MISSING = "missing"
    RETIRED = "retired"


SCHEMES: tuple[str, ...] = ("serial", "uuid", "member_serial", "wwn", "mac", "host_key")
"""Identifier schemes, strongest first (truth.md, "Identifiers")."""

SINGLE_VALUED = frozenset({"serial", "uuid"})


class Identifier(NamedTuple):
    """What identifies a thing: a scheme of `SCHEMES` and the normalised value.

    Spellings: serials upper case without outer spaces; UUIDs lower case with hyphens; MACs `aa:bb:cc:dd:ee:ff`; WWNs
    16 lower-case hex digits; host keys `SHA256:…` as OpenSSH prints them.
    """

    scheme: str
    value: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a claim is about: always named by what it is, never by a CI's id.

    `itself` is the thing that answered. Others are named by identifiers, by an owner and a key inside it (an operating
    system, a process, a pool), by class and name where `declared`, or weakly by name or address. `port` with an
    address means whatever listens there.
    """

    cls: str | None = None
    identifiers: frozenset[Identifier] = frozenset()
    name: str | None = None
    address: str | None = None
    port: int | None = None
    owner: Subject | None = None
    key: str | None = None
    itself: bool = False
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """A part that is no CI of its own: an interface, address, FC port, disk, power supply, unit, listener, or group.

    Its key is (owner, kind, name); `schema.COMPONENTS` lists the kinds and their attributes.
    """

    kind: str
    name: str
    attributes: Mapping[str, Value] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a section says of one subject. The subject's own identifiers are claims too."""

    about: Subject
    attributes: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class RelationClaim:
    """A relation that a section says exists; `columns` holds key columns and attributes of the type's row."""

    type: str
    source: Subject
    target: Subject
    columns: Mapping[str, Value] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class GroupClaim:
    """A named redundancy group on `of`: its legs are the relations of `type` to `legs` (subjects, or groups' names)."""

    of: Subject
    name: str
    needs: int
    legs: tuple[Subject | str, ...]
    type: str = "depends_on"
    full: int | None = None
    active: Subject | str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report, with its own completeness: `snmp.interfaces`, `ssh.processes`, `declared`.

    `evidence` is the content hash of the raw reply; `problem` says in words why it is not full.
    """

    name: str
    time: datetime
    completeness: Completeness
    statements: tuple[Statement, ...] = ()
    relations: tuple[RelationClaim, ...] = ()
    groups: tuple[GroupClaim, ...] = ()
    evidence: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A sighting: what one source said in one run, with all its sections, delivered together.

    `source` is an address for scans, `declared:NAME` for declared facts. `port` is the port that was dialled (0 for
    declared facts); it tells apart what answers at one address without any identifier.
    """

    source: str
    time: datetime
    sections: tuple[Section, ...]
    space: str = DEFAULT_SPACE
    port: int = 0
    run: str | None = None

    @property
    def declared(self) -> bool:
        return self.source.startswith("declared:")


@dataclass(frozen=True, slots=True)
class RunSection:
    """What a finished run covered in one address space. Only complete ones count towards `missing`."""

    run: str
    space: str
    networks: tuple[str, ...]
    time: datetime
    complete: bool

    def is_again(self, other: RunSection) -> bool:
        """Whether both are of one run over the same networks."""
        return (self.run, self.space, set(self.networks)) == (other.run, other.space, set(other.networks))


BACK: Final = "back"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: the things with these identifiers are `same`, or `different`.

    `back`: what was retired, and has the identifiers `a`, is in use again.
    """

    id: str
    verdict: str
    a: frozenset[Identifier]
    b: frozenset[Identifier]
    by: str
    reason: str
    time: datetime


@dataclass(frozen=True, slots=True)
class CI:
    """A configuration item of the graph: what the claims in force say of one thing.

    `owner` is the id of the CI inside which its key counts (the host of a process). `gaps` maps each relation type that
    its class may show, but that was never collected in full or is stale, to the reason (impact.md, "Unknown").
    `missing_since` is set while it is missing.
    """

    id: str
    cls: str
    space: str
    name: str
    label: str | None = None
    state: State = State.PRESENT
    attributes: Mapping[str, Value] = field(default_factory=lambda: EMPTY)
    identifiers: frozenset[Identifier] = frozenset()
    components: tuple[Component, ...] = ()
    owner: str | None = None
    key: str | None = None
    gaps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    missing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed edge between two CIs; the natural key is (type, source, target, the type's key columns).

    A cable is undirected: its ends are stored sorted by (CI id, port), with the port columns swapped to match.
    """

    id: str
    type: str
    source: str
    target: str
    columns: Mapping[str, Value] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Graph:
    """The CIs and relations at one revision, by id. Treat as immutable."""

    revision: int
    cis: Mapping[str, CI]
    relations: Mapping[str, Relation]


@dataclass(frozen=True, slots=True)
class Change:
    """One CI or relation before and after a revision; None where it did not exist."""

    id: str
    before: CI | Relation | None
    after: CI | Relation | None


@dataclass(frozen=True, slots=True)
class Revision:
    """A committed change of the graph. `hash` covers all else, `prev_hash` included: the journal is a chain."""

    n: int
    at: datetime
    actor: str
    run: str | None
    reason: str
    changes: tuple[Change, ...]
    prev_hash: str
    hash: str
