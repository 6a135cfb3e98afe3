"""Likely duplicates: CIs that are similar, not equal, with a score and its parts. Nothing is merged by it. Pure.

Never all pairs: two CIs are compared only where they meet in a small block (one name but for its punctuation, one
label, one address, serials that begin alike, MACs next to each other, what one had that is missing now).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

from cmdb import identifiers
from cmdb.identity import number_of
from cmdb.model import CI, Graph, State
from cmdb.nodes import component_address
from cmdb.schema import CI_CLASSES, is_a, lineage

LISTED: Final = 1000
"""So many pairs are listed, the likeliest first."""
THRESHOLD: Final = 50
_CROWD: Final = 12
"""What more CIs than these have in common says nothing of two of them."""
_PREFIX: Final = 6
_NEAR: Final = 4
"""MACs whose last octets are so near are often of one machine."""
_LOOKS_LIKE: Final = str.maketrans("OIQ", "010")


class Part(NamedTuple):
    """One part of a score: `kind` names the sentence, `what` are the values."""

    kind: str
    points: int
    what: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Two CIs that may be one; `score` is the sum of its parts, at most 100."""

    a: str
    b: str
    score: int
    parts: tuple[Part, ...]


PARTS: Final[Mapping[str, str]] = {
    "name": "called alike: {what}",
    "label": "one label: {what}",
    "address": "one address: {what}",
    "serial": "serials that one may have been read wrong: {what}",
    "mac": "MACs next to each other: {what}",
    "held": "what one had before it went missing, the other has now: {what}",
    "model": "one model: {what}",
    "serials": "serials that differ: {what}",
    "macs": "no MAC in common",
    "vendors": "vendors that differ: {what}",
}
"""The sentences of `Part`; pages say them from their catalogue."""


def duplicates(graph: Graph, apart: Callable[[str, str], bool]) -> list[Duplicate]:
    """The likely duplicates; those of whom a person said that they are different are not."""
    things = {ci.id: _Thing(ci) for ci in graph.cis.values() if _counts(ci)}
    found = [
        Duplicate(a, b, min(100, score), parts)
        for a, b in _pairs(things)
        if _may_be_one(things[a].ci, things[b].ci) and not apart(a, b)
        for parts in [tuple(_parts(things[a], things[b]))]
        if (score := sum(part.points for part in parts)) >= THRESHOLD
    ]
    return sorted(found, key=lambda one: (-one.score, number_of(one.a), number_of(one.b)))[:LISTED]


def _counts(ci: CI) -> bool:
    """Whether a CI may be a duplicate: what is inside another is told by its key there, a place by its label."""
    return ci.state is not State.RETIRED and ci.owner is None and not is_a(ci.cls, "location")


class _Thing:
    """A CI as it is compared."""

    def __init__(self, ci: CI) -> None:
        self.ci = ci
        self.squeezed = "".join(char for char in identifiers.name_key(ci.name) if char.isalnum())
        self.serials = {_canonical(one.value): one.value for one in ci.identifiers if one.scheme == "serial"}
        self.macs = {int(one.value.replace(":", ""), 16): one.value for one in ci.identifiers if one.scheme == "mac"}
        self.addresses = {found for part in ci.components if (found := component_address(part)) is not None}
        if isinstance(address := ci.attributes.get("address"), str):
            self.addresses.add(address)

    def blocks(self) -> Iterator[tuple[str, ...]]:
        """Where it meets those that are like it."""
        space = self.ci.space
        if self.squeezed:
            yield "name", space, self.squeezed
        if self.ci.label:
            yield "label", space, self.ci.label
        for address in self.addresses:
            yield "address", space, address
        for serial in self.serials:
            yield "serial", serial[:_PREFIX]
            yield "serial", serial[1 : 1 + _PREFIX]  # a barcode reads an S before the serial

    def near(self) -> Iterator[tuple[str, ...]]:
        """Where it meets those whose MACs are next to its own."""
        for mac in self.macs:
            yield "mac", str(mac >> 3)
            yield "mac", str((mac + _NEAR) >> 3)

    @property
    def held(self) -> frozenset[str]:
        """What it is known by, and the disks in it: of a board that was replaced these go on in the new one."""
        disks = {
            str(part.attributes[name])
            for part in self.ci.components
            if part.kind == "disk"
            for name in ("serial", "wwn")
            if name in part.attributes
        }
        return frozenset({one.value for one in self.ci.identifiers} | disks)

    @property
    def thin(self) -> bool:
        """Whether it is known by MACs alone: a neighbour told of it, by a MAC that it may not list itself."""
        return bool(self.macs) and len(self.macs) == len(self.ci.identifiers)


def _canonical(serial: str) -> str:
    """A serial without punctuation, with what people misread as one."""
    return "".join(char for char in serial if char.isalnum()).translate(_LOOKS_LIKE)


def _pairs(things: Mapping[str, _Thing]) -> list[tuple[str, str]]:
    blocks: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for id_, thing in things.items():
        for block in thing.blocks():
            blocks[block].add(id_)
    sought = {block for thing in things.values() if thing.thin for block in thing.near()}
    for id_, thing in things.items():
        for block in sought.intersection(thing.near()) if sought else ():
            blocks[block].add(id_)
    gone = {value for thing in things.values() if thing.ci.state is State.MISSING for value in thing.held}
    for id_, thing in things.items() if gone else ():
        for value in gone & thing.held:
            blocks["held", value].add(id_)
    found = {
        pair
        for members in blocks.values()
        if 2 <= len(members) <= _CROWD
        for pair in combinations(sorted(members, key=number_of), 2)
    }
    return sorted(found, key=lambda pair: (number_of(pair[0]), number_of(pair[1])))


def _may_be_one(a: CI, b: CI) -> bool:
    """Whether their classes let them be one; and they are no conflict already, which has a list of its own.

    What one had that is missing is in no conflict: it counts for who answers.
    """
    related = a.cls in lineage(b.cls) or b.cls in lineage(a.cls) or "unknown_device" in {a.cls, b.cls}
    machines = CI_CLASSES[a.cls].domain == CI_CLASSES[b.cls].domain == "machine"
    one_is_gone = (a.state is State.MISSING) is not (b.state is State.MISSING)
    return (related or machines) and (one_is_gone or a.identifiers.isdisjoint(b.identifiers))


def _parts(a: _Thing, b: _Thing) -> Iterator[Part]:
    one, other = a.ci, b.ci
    same_space = one.space == other.space
    if a.squeezed and a.squeezed == b.squeezed and same_space:
        yield Part("name", 50, " / ".join(dict.fromkeys((one.name, other.name))))
    if one.label and one.label == other.label and same_space:
        yield Part("label", 40, one.label)
    if same_space and (common := sorted(a.addresses & b.addresses)):
        yield Part("address", 30, ", ".join(common[:3]))
    if one.state is not other.state and (held := sorted(a.held & b.held)):
        yield Part("held", 40, ", ".join(held[:3]))
    yield from _by_serial(a, b)
    yield from _by_mac(a, b)
    yield from _by_make(one, other)


def _by_serial(a: _Thing, b: _Thing) -> Iterator[Part]:
    if not (a.serials and b.serials):
        return
    alike = [
        f"{mine} / {theirs}"
        for spelt, mine in a.serials.items()
        for written, theirs in b.serials.items()
        if _misread(spelt, written)
    ]
    both = [ci for ci in (a.ci, b.ci) if ci.state is State.PRESENT]
    if alike:
        yield Part("serial", 50, alike[0])
    else:
        texts = f"{next(iter(a.serials.values()))} / {next(iter(b.serials.values()))}"
        yield Part("serials", -60 if len(both) == 2 else -25, texts)


def _misread(one: str, other: str) -> bool:
    """Whether one serial may be the other read wrong: cut off, with a letter before it, or with O for 0."""
    short, long = sorted((one, other), key=len)
    if len(short) < _PREFIX:
        return False
    return short == long or (len(long) - len(short) <= 4 and (long.startswith(short) or long.endswith(short)))


def _by_mac(a: _Thing, b: _Thing) -> Iterator[Part]:
    if not (a.macs and b.macs) or not a.macs.keys().isdisjoint(b.macs):
        return
    near = [
        f"{a.macs[mine]} / {b.macs[theirs]}"
        for mine in sorted(a.macs)
        for theirs in sorted(b.macs)
        if abs(mine - theirs) <= _NEAR
    ]
    if near:
        yield Part("mac", 50 if a.thin != b.thin else 20, near[0])
    elif a.ci.state is State.PRESENT and b.ci.state is State.PRESENT:
        yield Part("macs", -20, "")


def _by_make(a: CI, b: CI) -> Iterator[Part]:
    vendors = [str(ci.attributes.get("vendor", "")).casefold() for ci in (a, b)]
    models = [str(ci.attributes.get("model", "")).casefold() for ci in (a, b)]
    if all(models) and models[0] == models[1]:
        yield Part("model", 10, str(a.attributes["model"]))
    if all(vendors) and vendors[0] != vendors[1]:
        yield Part("vendors", -20, f"{a.attributes['vendor']} / {b.attributes['vendor']}")


def sentences(parts: Iterable[Part]) -> list[str]:
    """The parts of a score in words."""
    return [PARTS[part.kind].format(what=part.what) for part in parts]
