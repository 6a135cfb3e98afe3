"""What a site decides about truth: whom it trusts, when a claim is stale, when a thing is missing or retired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from cmdb.schema import CI_CLASSES, attribute_row, lineage

_DEFAULT_STALENESS: Mapping[str, timedelta] = MappingProxyType({"ssh": timedelta(days=30), "snmp": timedelta(days=30)})


@dataclass(frozen=True, slots=True)
class Rules:
    """`trust`: kinds of reporters, most trusted first, by attribute or by `class.attribute` (or a parent class's).

    `staleness`: by kind of source, how long after it was last confirmed a claim counts as stale; a kind that is not
    named never does. `missing_after`: complete scans without an answer. `retired_days`: by class, instead of the
    table's. `scanned`: the classes for which a scanner has a family.
    """

    trust: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    staleness: Mapping[str, timedelta] = field(default_factory=lambda: _DEFAULT_STALENESS)
    missing_after: int = 3
    retired_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    scanned: frozenset[str] = frozenset()

    def trusted(self, cls: str, attribute: str) -> tuple[str, ...] | None:
        """Who is trusted for an attribute of a class, most trusted first; None: the usual order."""
        for row in lineage(cls):
            if f"{row}.{attribute}" in self.trust:
                return self.trust[f"{row}.{attribute}"]
        if attribute in self.trust:
            return self.trust[attribute]
        row_ = attribute_row(cls, attribute)
        return None if row_ is None else row_.trust

    def retired_after(self, cls: str) -> timedelta:
        """How long a CI of this class may be missing before it counts as retired."""
        days = next((self.retired_days[row] for row in lineage(cls) if row in self.retired_days), None)
        return timedelta(days=CI_CLASSES[cls].retired_after_days if days is None else days)

    def scans(self, cls: str) -> bool:
        """Whether a scanner has a family for this class or one above it."""
        return any(row in self.scanned for row in lineage(cls))
