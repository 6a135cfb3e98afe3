"""Unknown is not unaffected: who may be affected by what was never collected, and why nobody can tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cmdb.model import CI, State
from cmdb.schema import RELATION_TYPES, fits
from tests.naive.intact import Intact, Node, means_when_cut_off
from tests.naive.question import Question

_OF_ONE_BUILDING: Final = frozenset({"located_in", "powered_by", "connects_to"})
"""Places, power and cables do not lead out of a building."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why nobody can tell: `reason` in words, `root` the part of it that is counted, a list to work off."""

    reason: str
    root: str


def unknown(intact: Intact, question: Question, affected: Collection[str]) -> Mapping[str, Doubt]:
    """Everybody who is unknown: I, and whoever has too few legs outside it, less the affected."""
    touched = {*question.targets, *affected}
    classes = intact.places_of_classes(touched)
    network = network_in_question(intact, question, touched)
    doubts: dict[Node, Doubt] = {}
    for ci in intact.cis.values():
        found = _own_doubts(intact, ci, classes, network=network, down=question.down)
        if found:
            doubts[ci.id] = Doubt("; ".join(doubt.reason for doubt in found), found[0].root)
    _spread(intact, doubts)
    return {id_: doubt for id_, doubt in doubts.items() if isinstance(id_, str) and id_ not in affected}


def network_in_question(intact: Intact, question: Question, touched: Iterable[str]) -> bool:
    """Whether T or the affected hold a cable, a gateway or a CI that forwards ethernet."""
    return any(intact.relations[id_].type == "connects_to" for id_ in question.relations) or not (
        intact.ethernet.passes.isdisjoint(touched)
    )


def _own_doubts(
    intact: Intact, ci: CI, classes: Mapping[str, frozenset[frozenset[str]]], *, network: bool, down: Collection[str]
) -> list[Doubt]:
    found = []
    if ci.state is State.MISSING and ci.id not in down:
        since = "" if ci.missing_since is None else f" since {ci.missing_since:%Y-%m-%d %H:%M} UTC"
        found.append(Doubt(f"missing{since}", "missing"))
    if network and ci.id not in intact.ethernet.connected_intact and means_when_cut_off(ci) is not None:
        found.append(_not_connected(intact))
    types_by_reason: dict[str, list[str]] = defaultdict(list)
    for type_, reason in sorted(ci.gaps.items()):
        if type_ in RELATION_TYPES and _may_lead(intact, ci, type_, classes):
            types_by_reason[reason].append(type_)
    found += [Doubt(f"{reason} ({', '.join(types)})", reason) for reason, types in types_by_reason.items()]
    return found


def _not_connected(intact: Intact) -> Doubt:
    if not intact.ethernet.gateways:
        root = "no gateway is known: every question of the network is open"
    else:
        root = "no cable that is known connects it to a gateway"
    return Doubt(root, root)


def _may_lead(intact: Intact, ci: CI, type_: str, classes: Mapping[str, frozenset[frozenset[str]]]) -> bool:
    """Whether a relation of this type, did we know it, may lead from the CI to a class that is touched."""
    for class_, buildings in classes.items():
        if fits(type_, ci.cls, class_):
            if type_ not in _OF_ONE_BUILDING:
                return True
            here = intact.buildings(ci.id)
            # Who stands nobody knows where may stand in the same building.
            if not here or any(not there or here & there for there in buildings):
                return True
    return False


def _spread(intact: Intact, doubts: dict[Node, Doubt]) -> None:
    """Add whoever has a requirement with fewer than k legs outside, until nobody is added."""
    waiting: Iterable[Node] = intact.nodes
    while waiting:
        new = {node: doubt for node in waiting if node not in doubts and (doubt := _inherited(intact, node, doubts))}
        doubts.update(new)
        following = {other for node in new for other in intact.leaning_on.get(node, ())}
        waiting = [node for node in intact.nodes if node in following] if following else ()


def _inherited(intact: Intact, node: Node, doubts: Mapping[Node, Doubt]) -> Doubt | None:
    for requirement in intact.requirements[node]:
        inside = [leg.target for leg in requirement.legs if leg.target in doubts]
        if len(requirement.legs) - len(inside) < requirement.needs:
            first = min(inside, key=intact.name_of, default=None)
            if first is not None:
                return Doubt(f"{requirement.title}: {intact.name_of(first)} is unknown", "leans on what is unknown")
    return None
