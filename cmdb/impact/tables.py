"""The tables of the model as arrays by class and by type, in the numbers of `cmdb.coding`."""

from __future__ import annotations

from typing import Final

import numpy as np

from cmdb.coding import CLASSES, TYPES
from cmdb.impact.kinds import Bools, Bytes, Ints
from cmdb.schema import ALL, CI_CLASSES, RELATION_TYPES, fits, is_a

GROUP: Final = 254
"""The class number of a group that stands as a leg; no CI."""
NOBODY: Final = 255
"""The class number of a node that is free."""

AVAILABILITY: Final = 0
PROTECTION: Final = 1
MANAGEMENT: Final = 2
NO_AXIS: Final = 3
AXIS_NUMBERS: Final = {"availability": AVAILABILITY, "protection": PROTECTION, "management": MANAGEMENT}

EVERY: Final = -1
"""In `NEEDS`: each leg is needed."""
NOTHING: Final = -2
"""In `NEEDS`: the type makes no requirement."""


def _by_class(*flags: bool) -> Bools:
    found = np.zeros(256, np.bool_)
    found[: len(flags)] = flags
    return found


def _needs(type_: str) -> int:
    needs = RELATION_TYPES[type_].needs
    return EVERY if needs == ALL else NOTHING if not isinstance(needs, int) else needs


DOWN_WHEN_CUT_OFF: Final = _by_class(*(CI_CLASSES[name].cut_off == "down" for name in CLASSES))
UNMANAGED_WHEN_CUT_OFF: Final = _by_class(*(CI_CLASSES[name].cut_off == "unmanaged" for name in CLASSES))
FORWARDS_ETHERNET: Final = _by_class(*("ethernet" in CI_CLASSES[name].forwards for name in CLASSES))
FORWARDS_FC: Final = _by_class(*("fc" in CI_CLASSES[name].forwards for name in CLASSES))
CLUSTERS: Final = _by_class(*(is_a(name, "cluster") for name in CLASSES))
LOCATIONS: Final = _by_class(*(is_a(name, "location") for name in CLASSES))

NEEDS: Final[Ints] = np.array([_needs(name) for name in TYPES], np.int32)
AXES: Final[Bytes] = np.array([AXIS_NUMBERS.get(RELATION_TYPES[name].axis or "", NO_AXIS) for name in TYPES], np.uint8)
PER_ROLE: Final[Bools] = np.array([RELATION_TYPES[name].per_role for name in TYPES], np.bool_)
PASSES_PROTECTION_ON: Final[Bools] = np.array(
    [name in {"depends_on", "runs_on", "stored_on", "part_of"} for name in TYPES], np.bool_
)
"""The types of requirements whose legs' lost protection is one's own, where one has no protection requirement."""


def class_number(name: str) -> int:
    return CLASSES.index(name)


def type_number(name: str) -> int:
    return TYPES.index(name)


CABLE: Final = type_number("connects_to")
ZONE: Final = type_number("zoned_to")
PART_OF: Final = type_number("part_of")
HOSTED_ON: Final = type_number("hosted_on")
COMPOSED_OF: Final = type_number("composed_of")
LOCATED_IN: Final = type_number("located_in")
OWNED_BY: Final = type_number("owned_by")
CARRYING: Final = frozenset(type_number(name) for name in ("runs_on", "hosted_on", "served_by", "composed_of"))
VIRTUAL_MACHINE: Final = class_number("virtual_machine")
SERVICE: Final = class_number("service")
BUILDING: Final = class_number("building")

FITS: Final = np.array([[[fits(t, s, e) for e in CLASSES] for s in CLASSES] for t in TYPES], np.bool_)
"""Whether a relation of a type (first) may lead from a class (second) to a class (third)."""
