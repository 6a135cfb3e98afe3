"""The shortest chain of causes from a target to one CI, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cmdb.impact.answer import Step
from cmdb.impact.levels import AT_RISK, CUT_OFF, DOWN
from cmdb.impact.origins import NEVER, STEP
from cmdb.impact.reasons import Cause, standing

if TYPE_CHECKING:
    from cmdb.impact.engine import Case

_STEP: Final = int(STEP)
_LONGEST: Final = 1000
"""A chain is told up to so many steps."""


def path(case: Case, node: int, axes: Sequence[str]) -> tuple[Step, ...]:
    """From the first cause to a CI: each step with its state, and the relations from the step before."""
    causes = [cause for axis in axes for ground in case.reasons.grounds(node, axis) for cause in ground.causes]
    steps: list[Step] = []
    here, state = node, _state(case, node, next(iter(axes)))
    value = case.origins.target_nodes.get(node)
    # Who is down because it was cut off is also cut off because it is down: that leads no further.
    seen = {(node, axis) for axis in axes}
    causes = [one for one in causes if (one.node, one.effect) not in seen]
    while value is None and causes and len(steps) < _LONGEST:
        at = here  # of equal causes one that lies elsewhere leads on
        cause = min(causes, key=lambda one: (one.value, one.node == at, one.effect, one.node or 0))
        if cause.node != here:
            _step(case, steps, here, state, cause)
        if cause.node is None:
            return tuple(reversed(steps))
        seen.add((cause.node, cause.effect))
        here, state = cause.node, _state(case, cause.node, cause.effect)
        value = case.origins.target_nodes.get(here)
        causes = [one for one in _behind(case, here, cause) if (one.node, one.effect) not in seen]
    _step(case, steps, here, state, None)
    return tuple(reversed(steps))


def _step(case: Case, steps: list[Step], node: int, state: str, cause: Cause | None) -> None:
    """A node on the way, with the relations to its cause; those of a group that is a leg are its owner's."""
    topology = case.topology
    relations = () if cause is None else tuple(sorted(topology.relation_id(one) for one in cause.relations))
    if node not in topology.group_of:
        steps.append(Step(topology.item(node), state, relations))
    elif steps:
        steps[-1] = replace(steps[-1], relations=relations)


def _state(case: Case, node: int, effect: str) -> str:
    now = standing(int(case.after.mark[node]))
    if effect == "protection":
        return now.protection
    if effect == "management":
        return now.management
    return effect if effect in {"cut_off", "cut_off_from_management"} else now.availability


def _behind(case: Case, node: int, cause: Cause) -> Iterator[Cause]:
    match cause.effect:
        case "cut_off" | "cut_off_from_management":
            yield from _of_cut(case, node, cause.effect)
        case "fewer_ways":
            yield from _of_ways(case, node)
        case "no_path" | "fewer_paths":
            yield from _of_paths(case, node, cause)
        case axis:
            for ground in case.reasons.grounds(node, axis):
                yield from ground.causes


def _cables(case: Case, node: int, *, management: bool = False) -> Iterator[tuple[int, int]]:
    networks = case.engine.networks
    cables = [*networks.ethernet.cables_of(node)]
    if management:
        cables += networks.ethernet.management_cables_of(node)
    for cable, other in cables:
        yield int(networks.cables[cable]), other


def _of_cut(case: Case, node: int, effect: str) -> Iterator[Cause]:
    after, origins = case.after, case.origins
    if after.mark[node] & DOWN:
        yield Cause(int(origins.availability[node]), node, "availability")
    for relation, other in _cables(case, node, management=effect == "cut_off_from_management"):
        rank = origins.taken(relation)
        if rank is not None:
            yield Cause(rank + _STEP, None, "relation", (relation,))
        elif case.engine.networks.passes[other]:
            if after.mark[other] & DOWN:
                yield _further(int(origins.availability[other]), other, "availability", relation)
            elif after.mark[other] & CUT_OFF:
                yield _further(origins.value(origins.cut_off, other), other, "cut_off", relation)


def _of_ways(case: Case, node: int) -> Iterator[Cause]:
    after, origins, networks = case.after, case.origins, case.engine.networks
    for relation, other in _cables(case, node):
        rank = origins.taken(relation)
        if rank is not None:
            yield Cause(rank + _STEP, None, "relation", (relation,))
        elif networks.passes[other]:
            if after.mark[other] & AT_RISK:
                yield _further(int(origins.availability[other]), other, "availability", relation)
            if not after.mark[other] & DOWN and other not in networks.ethernet.gateways:
                yield _further(origins.value(origins.fewer_ways, other), other, "fewer_ways", relation)


def _of_paths(case: Case, node: int, cause: Cause) -> Iterator[Cause]:
    """The lost thing that is nearest on the ways of one fc leg: a cable, a switch, a carrier of either end."""
    topology, origins = case.topology, case.origins
    lost = DOWN if cause.effect == "no_path" else AT_RISK
    pairs = origins.no_path if cause.effect == "no_path" else origins.fewer_paths
    for pair, value in pairs.items():
        if pair[0] == node and value == cause.value:
            for far, other, relation in origins.lost_near(pair, lost):
                if other is None:
                    yield Cause(far, None, "relation", (relation,) if relation is not None else ())
                elif other != node and topology.live[other]:
                    yield Cause(far, other, "availability", ())
            return


def _further(value: int, node: int, effect: str, relation: int) -> Cause:
    return Cause(min(value + _STEP, int(NEVER)), node, effect, (relation,))
