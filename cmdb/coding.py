"""CIs and relations as integers: all of them that the impact engine needs, so that a million load in seconds. Pure.

A CI is its code, the text of its gaps and, where that is not all, an extra document; a relation is its code and up to
two words. What a code means depends on the tables of the model: `CODING` tells whether a code of before still holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from cmdb.codec import Json
from cmdb.lookup import wwn
from cmdb.model import CI, Component, Relation, State, Value
from cmdb.schema import CABLE, CONCRETE, RELATION_TYPES

CLASSES: Final = tuple(sorted(CONCRETE))
TYPES: Final = tuple(sorted(RELATION_TYPES))
STATES: Final = (State.PRESENT, State.MISSING, State.RETIRED)
MEDIA: Final = (None, "ethernet", "fc")
"""The number of a class, type, state or medium is its place here."""

CLASS_BITS: Final = 0xFF
"""All of them set: a class that the table does not have."""
STATE_SHIFT: Final = 8
GATEWAY: Final = 1 << 10
EXTRA: Final = 1 << 11
"""It has an extra document."""

TYPE_BITS: Final = 0x1F
"""All of them set: a type that the table does not have."""
MEDIUM_SHIFT: Final = 5
ACTIVE: Final = 1 << 7
ASSUMED: Final = 1 << 8
FROM_MANAGEMENT: Final = 1 << 9
TO_MANAGEMENT: Final = 1 << 10

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    CABLE: ("from_port", "to_port"),
    "zoned_to": ("from_wwpn", "to_wwpn"),
    "served_by": ("role",),
}

CODING: Final = hashlib.sha256(json.dumps(["1", CLASSES, TYPES]).encode()).hexdigest()
"""Changes when codes mean something else."""

CI_IDS: Final = "ci-"
RELATION_IDS: Final = "rel-"
"""How ids that the product gives begin, before their number."""

_DIGITS: Final = 10
_LARGEST_KEY: Final = 2**31 - 1

_CLASS_NUMBERS: Final = {name: number for number, name in enumerate(CLASSES)}
_TYPE_NUMBERS: Final = {name: number for number, name in enumerate(TYPES)}
_STATE_NUMBERS: Final = {state: number for number, state in enumerate(STATES)}


class Extra(NamedTuple):
    """What few CIs have: groups, a quorum, management ports, WWPNs by FC port, and since when it is missing.

    A WWPN that is none is empty.
    """

    groups: tuple[Component, ...] = ()
    quorum: int | None = None
    management: frozenset[str] = frozenset()
    wwpns: Mapping[str, str] = {}
    missing_since: str | None = None


def key_of(id_: str, prefix: str) -> int:
    """The number of an id of the product, which is its key; 0 for an id of any other form, which is strange."""
    number = id_[len(prefix) :]
    if not (id_.startswith(prefix) and number.isascii() and number.isdecimal()) or number[0] == "0":
        return 0
    key = int(number) if len(number) <= _DIGITS else _LARGEST_KEY + 1
    return key if key <= _LARGEST_KEY else 0


def ci_code(ci: CI, extra: str | None = None) -> int:
    """Class, state and flags in 12 bits. `extra` is its `extra_text`, for who has it already."""
    extra = extra_text(ci) if extra is None else extra
    flags = (GATEWAY if ci.attributes.get("gateway") is True else 0) | (EXTRA if extra else 0)
    return _CLASS_NUMBERS.get(ci.cls, CLASS_BITS) | _STATE_NUMBERS[ci.state] << STATE_SHIFT | flags


def gaps_text(ci: CI) -> str:
    """The gaps as canonical JSON; empty where there are none. Few are different, so they are kept once each."""
    return json.dumps(dict(sorted(ci.gaps.items())), separators=(",", ":")) if ci.gaps else ""


def extra_text(ci: CI) -> str:
    """What the code does not hold, as JSON; empty where that is nothing."""
    document: dict[str, Json] = {}
    groups: list[Json] = []
    management: list[Json] = []
    wwpns: dict[str, Json] = {}
    for part in ci.components:
        if part.kind == "group":
            said = {name: list(value) if isinstance(value, tuple) else value for name, value in part.attributes.items()}
            groups.append({"name": part.name, **{k: said[k] for k in _OF_GROUPS if k in said}})
        elif part.attributes.get("management") is True:
            management.append(part.name)
        if part.kind == "fc_port" and "wwpn" in part.attributes:
            wwpns.setdefault(part.name, wwn(str(part.attributes["wwpn"])) or "")
    quorum = ci.attributes.get("quorum")
    if groups:
        document["groups"] = groups
    if ci.cls == "cluster" and isinstance(quorum, int | float) and not isinstance(quorum, bool):
        document["quorum"] = int(quorum)
    if management:
        document["management"] = management
    if wwpns:
        document["wwpns"] = wwpns
    if ci.state is State.MISSING:
        document["missing"] = "" if ci.missing_since is None else f"{ci.missing_since:%Y-%m-%d %H:%M} UTC"
    return json.dumps(document, separators=(",", ":"), sort_keys=True, default=str) if document else ""


_OF_GROUPS: Final = ("type", "needs", "full", "active", "legs")


def read_extra(text: str) -> Extra:
    """What `extra_text` wrote."""
    document = json.loads(text) if text else {}
    groups = tuple(
        Component(
            "group",
            one["name"],
            {k: tuple(v) if isinstance(v, list) else v for k, v in one.items() if k != "name"},
        )
        for one in document.get("groups", ())
    )
    return Extra(
        groups,
        document.get("quorum"),
        frozenset(document.get("management", ())),
        document.get("wwpns", {}),
        document.get("missing"),
    )


def relation_code(relation: Relation) -> int:
    """Type, medium and flags in 11 bits."""
    columns = relation.columns
    return (
        _TYPE_NUMBERS.get(relation.type, TYPE_BITS)
        | MEDIA.index(_medium(relation)) << MEDIUM_SHIFT
        | (ACTIVE if columns.get("active") is True else 0)
        | (ASSUMED if columns.get("assumed") is True else 0)
        | (FROM_MANAGEMENT if columns.get("from_management") is True else 0)
        | (TO_MANAGEMENT if columns.get("to_management") is True else 0)
    )


def relation_words(relation: Relation) -> tuple[str, str]:
    """The ports of a cable, the WWPNs of a zone, the role of a served_by; empty for what it has not."""
    names = _WORDS.get(relation.type, ())
    words = [_word(relation.columns.get(name)) for name in names]
    return (*words, "", "")[0], (*words, "", "")[1]


def _word(value: Value | None) -> str:
    return "" if value is None else str(value)


def _medium(relation: Relation) -> str | None:
    """The medium of a relation: what it says, else what its type says (depends_on: ethernet), else none.

    A cable is ethernet unless it says fc.
    """
    said = relation.columns.get("medium")
    if relation.type == CABLE:
        return "fc" if said == "fc" else "ethernet"
    row = RELATION_TYPES.get(relation.type)
    medium = said if isinstance(said, str) or row is None else row.medium
    return medium if isinstance(medium, str) and medium in MEDIA else None
