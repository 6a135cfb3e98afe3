"""What a site decides about truth: whom it trusts, what is stale, missing or retired, and what makes no history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cmdb import codec
from cmdb.model import ModelError
from cmdb.schema import (
    CI_CLASSES,
    COMPONENTS,
    COMPONENTS_MEASURED,
    REPORTERS,
    attribute_names,
    attribute_row,
    class_row,
    lineage,
)

DEFAULT_STALENESS: Mapping[str, timedelta] = MappingProxyType({"ssh": timedelta(days=30), "snmp": timedelta(days=30)})
SOURCES: Final = tuple(kind for kind in REPORTERS if kind != "neighbour")
"""Kinds of sources: what sections are named after. Whoever speaks as a neighbour is one of these, too."""

_MOST_DAYS: Final = 36_500
_ALWAYS: Final = frozenset({"name", "label"})
"""What every CI has, though no row of the table says so."""

_TELLING: Final = frozenset({
    *_ALWAYS, "port", "command", "mac", "address", "addresses", "wwpn", "wwnn", "wwn", "serial", "process", "index",
    "alias", "legs", "needs",
})  # fmt: skip
"""What things are told apart or found by: never left out."""


@dataclass(frozen=True, slots=True)
class Brake:
    """What a run may end unasked: up to `share` (0 to 1) of what stands where it scanned, or up to `number` of it."""

    share: float
    number: int


_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rules:
    """`trust`: kinds of reporters, most trusted first, by attribute or by `class.attribute` (or a parent class's).

    `staleness`: by kind of source, how long after it was last confirmed a claim counts as stale; a kind that is not
    named never does. `missing_after`: complete scans without an answer. `retired_days`: by class, instead of the
    table's. `volatile`: by attribute or `class.attribute`, whether it makes no history, instead of the table's; a kind
    of component stands for a class. `scanned`: the classes for which a scanner has a family. Raises ModelError for what
    the tables do not know.
    """

    trust: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    staleness: Mapping[str, timedelta] = field(default_factory=lambda: DEFAULT_STALENESS)
    missing_after: int = 3
    retired_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    volatile: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    scanned: frozenset[str] = frozenset()
    brake: Brake | None = None
    flapping: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())
    """The names of all attributes that flap in some class or component."""

    def __post_init__(self) -> None:
        for wrong in self._wrong():
            raise ModelError(wrong)
        said = frozenset(name.rpartition(".")[2] for name, flaps in self.volatile.items() if flaps)
        object.__setattr__(self, "flapping", said | _flapping_by_table())

    def _wrong(self) -> Iterator[str]:
        """What makes no sense, in words that name the setting."""
        for name, kinds in self.trust.items():
            yield from _unknown("trust", name)
            yield from _not_kinds(f"trust: {name}", kinds, REPORTERS)
            if len(set(kinds)) < len(kinds) or not kinds:
                yield f"trust: {name}: name each kind of reporter once, the most trusted first"
        yield from _not_kinds("staleness", self.staleness, SOURCES)
        for kind, limit in self.staleness.items():
            if not timedelta() < limit <= timedelta(days=_MOST_DAYS):
                yield f"staleness: {kind}: {limit / timedelta(days=1):g} days; say more than 0 and at most {_MOST_DAYS}"
        if self.missing_after < 1:
            yield f"missing_after: {self.missing_after}; say after how many complete scans, 1 or more"
        for cls, days in self.retired_days.items():
            yield from _no_class("retired_days", cls)
            if not 0 <= days <= _MOST_DAYS:
                yield f"retired_days: {cls}: {days} days; say 0 to {_MOST_DAYS}"
        for name in self.volatile:
            yield from _unknown("volatile", name, components=True)
            if name.rpartition(".")[2] in _TELLING:
                yield f"volatile: {name}: what things are told apart by always makes history"
        for cls in sorted(self.scanned):
            yield from _no_class("scanned", cls)
        if self.brake is not None and not (0 <= self.brake.share <= 1 and self.brake.number >= 0):
            yield f"brake: share {self.brake.share:g}, number {self.brake.number}; say 0 to 1, and 0 or more"

    def trusted(self, cls: str, attribute: str) -> tuple[str, ...] | None:
        """Who is trusted for an attribute of a class, most trusted first; None: the usual order."""
        for row in lineage(cls):
            if f"{row}.{attribute}" in self.trust:
                return self.trust[f"{row}.{attribute}"]
        if attribute in self.trust:
            return self.trust[attribute]
        row_ = attribute_row(cls, attribute)
        return None if row_ is None else row_.trust

    def stale_from(self, section: str, confirmed: datetime) -> datetime | None:
        """From when on what a section says counts as stale; None: never."""
        limit = self.staleness.get(section.partition(".")[0])
        return None if limit is None or confirmed > _LAST - limit else confirmed + limit

    def is_stale(self, section: str, confirmed: datetime, now: datetime) -> bool:
        """Whether what a section says is stale by now."""
        limit = self.stale_from(section, confirmed)
        return limit is not None and now > limit

    def retired_after(self, cls: str) -> timedelta:
        """How long a CI of this class may be missing before it counts as retired."""
        days = next((self.retired_days[row] for row in lineage(cls) if row in self.retired_days), None)
        return timedelta(days=CI_CLASSES[cls].retired_after_days if days is None else days)

    def scans(self, cls: str) -> bool:
        """Whether a scanner has a family for this class or one above it."""
        return any(row in self.scanned for row in lineage(cls))

    def is_volatile(self, cls: str | None, attribute: str) -> bool:
        """Whether an attribute flaps; where the class is not told, whether it does in each class that has it."""
        if cls is not None:
            for row in lineage(cls):
                if (said := self.volatile.get(f"{row}.{attribute}")) is not None:
                    return said
        if (said := self.volatile.get(attribute)) is not None:
            return said
        if cls is None:
            return _always_volatile(attribute)
        row_ = attribute_row(cls, attribute)
        return row_ is not None and row_.volatile

    def is_volatile_part(self, kind: str, attribute: str) -> bool:
        """The same of an attribute of a component."""
        said = self.volatile.get(f"{kind}.{attribute}")
        return attribute in COMPONENTS_MEASURED.get(kind, {}) if said is None else said

    @property
    def digest(self) -> str:
        """Equal for rules that say the same, the tables' share in it included."""
        return codec.digest(
            {
                "tables": _tables(),
                "trust": {name: list(kinds) for name, kinds in self.trust.items()},
                "staleness": {kind: limit.total_seconds() for kind, limit in self.staleness.items()},
                "missing_after": self.missing_after,
                "retired_days": dict(self.retired_days),
                "volatile": dict(self.volatile),
                "scanned": sorted(self.scanned),
            }
        )


def _unknown(where: str, name: str, *, components: bool = False) -> Iterator[str]:
    """What is wrong with `attribute` or `class.attribute`."""
    cls, dot, attribute = name.rpartition(".")
    if components and cls in COMPONENTS:
        known = {*COMPONENTS[cls], *COMPONENTS_MEASURED.get(cls, ())}
        if attribute not in known:
            yield f"{where}: {name}: unknown attribute {attribute!r} of {cls}; known: {', '.join(sorted(known))}"
    elif dot and cls not in CI_CLASSES:
        yield from _no_class(f"{where}: {name}", cls)
    elif attribute not in _ALWAYS:
        classes = [row for row in CI_CLASSES if not dot or cls in lineage(row) or row in lineage(cls)]
        known = {one for row in classes for one in attribute_names(row)}
        if attribute not in known:
            of = f" of {cls}" if dot else ""
            yield f"{where}: {name}: unknown attribute {attribute!r}{of}; known: {', '.join(sorted(known))}"


@lru_cache(maxsize=1)
def _flapping_by_table() -> frozenset[str]:
    rows = (pair for row in CI_CLASSES.values() for pair in row.attributes.items())
    parts = (name for of_kind in COMPONENTS_MEASURED.values() for name in of_kind)
    return frozenset({*(name for name, row in rows if row.volatile), *parts})


@lru_cache(maxsize=256)
def _always_volatile(attribute: str) -> bool:
    rows = [row.attributes[attribute] for row in CI_CLASSES.values() if attribute in row.attributes]
    return bool(rows) and all(row.volatile for row in rows)


def _no_class(where: str, cls: str) -> Iterator[str]:
    if cls not in CI_CLASSES:
        try:
            class_row(cls)
        except ModelError as error:
            yield f"{where}: {error}"


def _not_kinds(where: str, kinds: Iterable[str],
               known: tuple[str, ...]) -> Iterator[str]:  # fmt: skip
    for kind in kinds:
        if kind not in known:
            yield f"{where}: unknown kind of reporter {kind!r}; known: {', '.join(known)}"


@lru_cache(maxsize=1)
def _tables() -> codec.Json:
    """What the class table itself says of trust, deadlines and what flaps."""
    return {
        cls: {
            "retired": row.retired_after_days,
            "attributes": {
                name: [list(found.trust), found.volatile]
                for name in sorted(attribute_names(cls))
                if (found := attribute_row(cls, name)) is not None
            },
        }
        for cls, row in CI_CLASSES.items()
    }
