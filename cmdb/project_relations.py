"""The relations of the claims in force; what is said of one cable from both ends is one cable. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from cmdb.model import CI, EMPTY, Value
from cmdb.ports import Ports
from cmdb.project_values import Claim, Utterance, best, order_key
from cmdb.schema import CABLE, RELATION_TYPES, REPORTERS, RelationType, fits

_SWAP: Final = {
    "from_port": "to_port", "to_port": "from_port", "from_management": "to_management",
    "to_management": "from_management",
}  # fmt: skip


class Bond(NamedTuple):
    """A relation between two groups; a cable's ends may stand either way."""

    type: str
    source: int
    target: int
    columns: Mapping[str, Value]


class Said(NamedTuple):
    """A relation that a section in force claims; `speaker` is the group that says it, None for declared ones."""

    type: str
    source: int
    target: int
    columns: Mapping[str, Value]
    speaker: int | None
    by: Utterance


@dataclass(slots=True)
class Bonds:
    """The relations, which claims do not fit the tables, and the cables that the other end should know of."""

    found: list[Bond]
    unfit: list[Said]
    one_sided: list[Bond]


def turned(columns: Mapping[str, Value]) -> dict[str, Value]:
    """The columns of a cable seen from its other end."""
    return {_SWAP.get(name, name): value for name, value in columns.items()}


def bonds(claims: Iterable[Said], cis: Mapping[int, CI]) -> Bonds:
    """The union of the claims; self-loops are dropped, and what the tables do not allow is left out."""
    plain: dict[Any, list[Said]] = {}
    cables: dict[tuple[int, int], list[Said]] = {}
    unfit = []
    for claim in claims:
        if claim.source == claim.target:
            continue
        row = RELATION_TYPES[claim.type]
        source, target = cis[claim.source].cls, cis[claim.target].cls
        if not _fits(row.name, source, target):
            unfit.append(claim)
        elif row.undirected:
            turn = claim.source > claim.target
            ends = (claim.target, claim.source) if turn else (claim.source, claim.target)
            columns = turned(claim.columns) if turn else claim.columns
            cables.setdefault(ends, []).append(claim._replace(source=ends[0], target=ends[1], columns=columns))
        else:
            keys = tuple(order_key(claim.columns[key]) if key in claim.columns else () for key in row.keys)
            plain.setdefault((claim.type, claim.source, claim.target, keys), []).append(claim)
    found = [_bond(said, RELATION_TYPES[said[0].type]) for said in plain.values()]
    one_sided: list[Bond] = []
    ports = {end: Ports(cis[end]) for end in {end for ends in cables for end in ends}}
    for ends, said in sorted(cables.items()):
        near, far = (ports[end] for end in ends)
        for cable in _cables(said, near, far):
            bond = _cable_bond(cable, near, far)
            found.append(bond)
            if bond.columns.get("one_sided") is True:
                one_sided.append(bond)
    return Bonds(found, unfit, one_sided)


@lru_cache(maxsize=4096)
def _fits(type_: str, source: str, target: str) -> bool:
    """Whether the tables allow a relation; a cable either way."""
    return fits(type_, source, target) or (RELATION_TYPES[type_].undirected and fits(type_, target, source))


def _bond(said: Sequence[Said], row: RelationType) -> Bond:
    """One relation of all that is said of it. What somebody declares is not assumed."""
    first = said[0]
    if not any(one.columns for one in said):
        return Bond(first.type, first.source, first.target, EMPTY)
    columns = _columns(said)
    if any(one.by.kind == "declared" and "assumed" not in one.columns for one in said):
        columns.pop("assumed", None)
    kept = {*row.keys, *row.attributes}
    return Bond(
        first.type, first.source, first.target, {name: value for name, value in columns.items() if name in kept}
    )


def _columns(said: Iterable[Said]) -> dict[str, Value]:
    claims: dict[str, list[Claim]] = {}
    for one in said:
        for name, value in one.columns.items():
            claims.setdefault(name, []).append(Claim(value, one.by))
    return {name: best(claims[name], REPORTERS) for name in sorted(claims)}


class _Cable(NamedTuple):
    """A cable between two groups, by its ports (None: not known), with all that is said of it."""

    ports: tuple[str | None, str | None]
    said: list[Said]


def _cables(said: Sequence[Said], near: Ports, far: Ports) -> list[_Cable]:
    """Put together what is said of the cables between two CIs."""
    by_ports: dict[tuple[str | None, str | None], list[Said]] = {}
    for one in said:
        ports = (_port(near, one.columns.get("from_port")), _port(far, one.columns.get("to_port")))
        by_ports.setdefault(ports, []).append(one)
    whole = {ports: rows for ports, rows in by_ports.items() if None not in ports}
    halves = [{ports: rows for ports, rows in by_ports.items() if _only(ports, side)} for side in (0, 1)]
    for side, half in enumerate(halves):
        for ports in sorted(half, key=str):
            known = [cable for cable in whole if cable[side] == ports[side]]
            if len(known) == 1:
                whole[known[0]] = [*whole[known[0]], *half.pop(ports)]
    if len(halves[0]) == len(halves[1]) == 1:
        # Each end names its own port, and there is one cable left: it is this one.
        (near_ports, first), (far_ports, second) = (next(iter(half.items())) for half in halves)
        whole[near_ports[0], far_ports[1]] = [*first, *second]
        halves = [{}, {}]
    found = [_Cable(ports, rows) for ports, rows in [*whole.items(), *halves[0].items(), *halves[1].items()]]
    bare = by_ports.get((None, None), [])
    if not found:
        return [_Cable((None, None), bare)]
    if bare and len(found) == 1:
        # With parallel cables nobody can tell which of them was meant, and that there is one is known.
        return [_Cable(found[0].ports, [*found[0].said, *bare])]
    return found


def _only(ports: tuple[str | None, str | None], side: int) -> bool:
    return ports[side] is not None and ports[1 - side] is None


def _port(of: Ports, text: Value | None) -> str | None:
    return of.named(text) if isinstance(text, str) and text else None


def _cable_bond(cable: _Cable, near: Ports, far: Ports) -> Bond:
    first = cable.said[0]
    columns = _columns(cable.said)
    for name in ("from_port", "to_port", "one_sided"):
        columns.pop(name, None)
    for name, port, ports in (("from", cable.ports[0], near), ("to", cable.ports[1], far)):
        if port is not None:
            columns[f"{name}_port"] = port
        if ports.is_management(port):
            columns[f"{name}_management"] = True
    speakers = {one.speaker for one in cable.said}
    if None not in speakers and not {first.source, first.target} <= speakers:
        columns["one_sided"] = True
    return Bond(CABLE, first.source, first.target, columns)
