"""The full asset code: whose machine it is and what it is, before the label that says where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from naming.label import Grammar, Label, LabelError, Wrong, normalise, shown

CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        "server": "SRV",
        "midrange_server": "MID",
        "enclosure": "ENC",
        "network_switch": "SWI",
        "router": "RTR",
        "firewall": "FWL",
        "load_balancer": "LBL",
        "wireless": "WLS",
        "fc_switch": "FCS",
        "storage": "STO",
        "tape_library": "TAP",
        "power_unit": "PWR",
        "management_controller": "MGT",
        "printer": "PRN",
        "unknown_device": "UNK",
        "rack": "RCK",
    }
)
"""The category code of each CI class that stands in a room and wears a sticker; no two classes share one."""

_CLASSES = MappingProxyType({code: ci_class for ci_class, code in CATEGORIES.items()})
_OWNER = re.compile(r"[0-9A-Z]{1,12}")
_GRAMMAR = Grammar(
    "a full code", "OWNER-CCC-DZZXXXX-YYY", "ACME-SRV-D010210-009 (owner ACME, category SRV, label D010210-009)"
)


@dataclass(frozen=True, slots=True, order=True)
class FullCode:
    """Owner, device category and label of one asset, as in `ACME-SRV-D010210-009`.

    The owner is 1 to 12 capital letters and digits, the category a value of `CATEGORIES`. The constructor takes the
    exact spelling only and raises LabelError for any other.
    """

    owner: str
    category: str
    label: Label

    def __post_init__(self) -> None:
        wrong = _wrong_owner(self.owner) or _wrong_category(self.category)
        if wrong is not None:
            raise LabelError(_GRAMMAR, str(self), wrong)

    @classmethod
    def parse(cls, text: str) -> FullCode:
        """Read `ACME-SRV-D010210-009` in any width or case; LabelError says which part is wrong."""
        spelt = normalise(_GRAMMAR, text)
        if spelt.count("-") < _GRAMMAR.pattern.count("-"):
            raise LabelError(_GRAMMAR, text, Wrong("code", "owner, category and label are not all there"))
        owner, category, rest = spelt.split("-", maxsplit=2)
        wrong = _wrong_owner(owner) or _wrong_category(category)
        if wrong is not None:
            raise LabelError(_GRAMMAR, text, wrong)
        try:
            label = Label.parse(rest)
        except LabelError as error:
            raise LabelError(_GRAMMAR, text, Wrong(error.part, error.reason)) from error
        return cls(owner, category, label)

    @classmethod
    def of(cls, owner: str, ci_class: str, label: Label) -> FullCode:
        """Make the code of a CI from its class; a class that wears no sticker is a LabelError."""
        return cls(owner, category_of(ci_class), label)

    def __str__(self) -> str:
        return f"{self.owner}-{self.category}-{self.label}"

    @property
    def ci_class(self) -> str:
        """The CI class that the category stands for."""
        return _CLASSES[self.category]

    @property
    def sticker(self) -> str:
        """The text of the sticker: the label, which people read from afar, over the full code."""
        return f"{self.label}\n{self}"


def category_of(ci_class: str) -> str:
    """Give the category code of a CI class; a class that has none is a LabelError that names those that do."""
    if ci_class not in CATEGORIES:
        known = ", ".join(CATEGORIES)
        reason = f"no category stands for the class {shown(ci_class)}; those with one are {known}"
        raise LabelError(_GRAMMAR, ci_class, Wrong("category", reason))
    return CATEGORIES[ci_class]


def _wrong_owner(owner: str) -> Wrong | None:
    if _OWNER.fullmatch(owner):
        return None
    if not owner:
        return Wrong("owner", "the owner is missing")
    return Wrong("owner", f"the owner is {shown(owner)}, which must be 1 to 12 of A to Z and 0 to 9")


def _wrong_category(category: str) -> Wrong | None:
    if category in _CLASSES:
        return None
    if not category:
        return Wrong("category", "the category is missing")
    known = ", ".join(sorted(_CLASSES))
    return Wrong("category", f"the category is {shown(category)}, which must be one of {known}")
