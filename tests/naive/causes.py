"""Why a CI is as it is: what each level rests on, and the shortest chain of causes that leads there from a target."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.naive.fabric import lost_near
from tests.naive.intact import GroupKey, Intact, Leg, Node, Requirement, means_when_cut_off
from tests.naive.levels import (
    Failure,
    Levels,
    is_broken,
    is_shaky,
    is_short,
    is_unprotected,
    owner_of,
    parted_without,
    protecting,
    unmanaged_when_cut_off,
)
from tests.naive.question import Change, Question

CUT_OFF: Final = "cut_off"
CUT_OFF_FROM_MANAGEMENT: Final = "cut_off_from_management"


class Effect(NamedTuple):
    """A link of a chain of causes.

    `kind` is an axis (the level of `of` on it), `relation` (a target, or taken out with one), `cut_off`,
    `cut_off_from_management`, `fewer_ways` (some way from `of` to the gateways is lost or at risk), `no_path` and
    `fewer_paths` (the same of the fc paths from `of` to `to`).
    """

    kind: str
    of: Node
    to: str = ""


class Link(NamedTuple):
    """A direct cause, and how many relations lie between it and its effect."""

    cause: Effect
    relations: int


class Origin(NamedTuple):
    """The first cause of an effect: how far it is, and its name and id, which break ties."""

    distance: int
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One thing that a level rests on.

    `kind` is `target`, `assumed` (down already), `requirement`, `cut_off`, `cut_off_from_management`, `only_way` (one
    CI or cable newly is the only way to all gateways), `ways_at_risk`, `only_path` or `paths_at_risk` (the same of fc).
    """

    axis: str
    kind: str
    requirement: Requirement | None = None
    by: frozenset[str] = frozenset()
    links: tuple[Link, ...] = field(default=())


class Causes:
    """Of one L(X): the grounds of each level, and for each effect its first cause among the targets."""

    def __init__(self, intact: Intact, question: Question, changed: Change, state: Levels) -> None:
        self._intact = intact
        self._question = question
        self._changed = changed
        self._state = state
        self._targets = frozenset(question.targets)
        self._still_connected = intact.ethernet.connected(state.at_risk, state.now.out)
        self._parting = defaultdict(list)
        for (source, target), parting in state.parting.items():
            self._parting[source].append((target, parting))

    def grounds(self, node: Node, axis: str) -> list[Ground]:
        """What the level of a CI on an axis rests on; empty where the level is the best."""
        if axis == "protection":
            return self._of_protection(node)
        if axis == "management":
            return self._of_management(node)
        if node in self._state.down:
            return self._of_down(node)
        if node in self._state.degraded:
            return [self._short(one) for one in self._available(node) if self._is_short(one)]
        return self._of_risk(node) if node in self._state.at_risk else []

    def origins(self, effects: Iterable[Effect]) -> Mapping[Effect, Origin]:
        """The first cause of each of the effects, and of all that lead to them; those of no target are left out."""
        leads_to: dict[Effect, list[tuple[int, Effect]]] = defaultdict(list)
        seen = dict.fromkeys(effects)
        waiting = list(seen)
        for effect in waiting:
            for link in self._links(effect):
                leads_to[link.cause].append((link.relations, effect))
                if link.cause not in seen:
                    seen[link.cause] = None
                    waiting.append(link.cause)
        found: dict[Effect, Origin] = {}
        nearest = [(origin, number, effect) for number, effect in enumerate(seen) if (origin := self._origin(effect))]
        heapq.heapify(nearest)
        numbers = {effect: number for number, effect in enumerate(seen)}
        while nearest:
            origin, _, effect = heapq.heappop(nearest)
            if effect in found:
                continue
            found[effect] = origin
            for relations, following in leads_to[effect]:
                if following not in found:
                    further = origin._replace(distance=origin.distance + relations)
                    heapq.heappush(nearest, (further, numbers[following], following))
        return found

    def _origin(self, effect: Effect) -> Origin | None:
        """The origin of what is a target itself: a CI, a relation, or a cable of a CI that was disconnected."""
        if effect.kind != "relation":
            if isinstance(effect.of, str) and effect.of in self._targets:
                return Origin(0, self._intact.cis[effect.of].name, effect.of)
            return None
        relation = self._intact.relations[str(effect.of)]
        if relation.id in self._question.relations:
            return Origin(0, self._intact.title_of(relation), relation.id)
        ends = [self._intact.cis[end] for end in (relation.source, relation.target) if end in self._targets]
        return min((Origin(0, ci.name, ci.id) for ci in ends), default=None)

    def _links(self, effect: Effect) -> Iterator[Link]:
        match effect.kind:
            case "cut_off" | "cut_off_from_management":
                yield from self._cut_off_links(str(effect.of), effect.kind)
            case "fewer_ways":
                yield from self._fewer_ways_links(str(effect.of))
            case "no_path":
                yield from self._path_links(str(effect.of), effect.to, self._state.down)
            case "fewer_paths":
                yield from self._path_links(str(effect.of), effect.to, self._state.at_risk)
            case "relation":
                return
            case axis:
                for ground in self.grounds(effect.of, axis):
                    yield from ground.links

    # The grounds of the levels

    def _available(self, node: Node) -> list[Requirement]:
        return [one for one in self._intact.requirements[node] if one.axis == "availability"]

    def _is_short(self, requirement: Requirement) -> bool:
        return is_short(self._state.now, self._state.degraded, requirement)

    def _short(self, requirement: Requirement) -> Ground:
        lost = self._state.now.holding(requirement) < requirement.full
        return self._by_requirement(
            "availability", requirement, self._state.degraded, lost=lost, active=requirement.active
        )

    def _of_down(self, node: Node) -> list[Ground]:
        now, found = self._state.now, []
        if node in self._state.change.down:
            found.append(Ground("availability", "target" if node in self._changed.down else "assumed"))
        elif isinstance(node, str) and node in now.cut_off and means_when_cut_off(self._intact.cis[node]) == "down":
            found.append(self._by_cut(node, "availability", CUT_OFF))
        found += [self._by_requirement("availability", one) for one in self._available(node) if is_broken(now, one)]
        return found

    def _of_risk(self, node: Node) -> list[Ground]:
        state, found = self._state, []
        if node in state.change.at_risk:
            seeding = self._seeding(node)
            found.append(Ground("availability", "target", links=tuple(Link(one, 1) for one in seeding)))
        found += [
            self._by_requirement("availability", one, state.at_risk, lost=state.now.holding(one) == one.needs)
            for one in self._available(node)
            if is_shaky(state.now, state.at_risk, one)
        ]
        if isinstance(node, str):
            found += self._of_fewer_ways(node)
        return found + self._of_fewer_paths(node)

    def _seeding(self, node: Node) -> list[Effect]:
        """The relations whose configuration put a CI at risk."""
        relations = (self._intact.relations[id_] for id_ in self._question.relations)
        return [Effect("relation", one.id) for one in relations if node in (one.source, one.target)]

    def _of_fewer_ways(self, id_: str) -> list[Ground]:
        ethernet, state = self._intact.ethernet, self._state
        links = (Link(Effect("fewer_ways", id_), 0),)
        if by := state.singled_out.get(id_):
            return [Ground("availability", "only_way", by=by, links=links)]
        if means_when_cut_off(self._intact.cis[id_]) != "down" or id_ not in ethernet.connected_intact:
            return []
        held = id_ in ethernet.gateways or any(
            cable.id not in state.now.out and cable.other in self._still_connected and cable.other in ethernet.passes
            for cable in ethernet.cables[id_]
        )
        return [] if held else [Ground("availability", "ways_at_risk", links=links)]

    def _of_fewer_paths(self, node: Node) -> list[Ground]:
        state, found, owner = self._state, [], owner_of(node)
        fc_targets = {str(leg.target) for other, leg in self._state.fc_legs if other == node}
        for target, by in self._parting[owner]:
            if target in fc_targets:
                links = (Link(Effect("fewer_paths", owner, target), 0),)
                found.append(Ground("availability", "only_path", by=by, links=links))
        for other, leg in self._state.fc_legs:
            target = str(leg.target)
            if other != node or (owner, target) in state.parting:
                continue
            if parted_without(state.now, state.at_risk, owner, leg):
                links = (Link(Effect("fewer_paths", owner, target), 0),)
                found.append(Ground("availability", "paths_at_risk", links=links))
        return found

    def _of_protection(self, node: Node) -> list[Ground]:
        if node not in self._state.unprotected:
            return []
        return [
            self._by_requirement("protection", one, self._state.unprotected)
            for one in protecting(self._state.now, node)
            if is_unprotected(self._state.now, self._state.unprotected, one)
        ]

    def _of_management(self, node: Node) -> list[Ground]:
        now = self._state.now
        found = [
            self._by_requirement("management", one)
            for one in self._intact.requirements[node]
            if one.axis == "management" and is_broken(now, one)
        ]
        if isinstance(node, str) and node in unmanaged_when_cut_off(now):
            found.append(self._by_cut(node, "management", CUT_OFF_FROM_MANAGEMENT))
        return found

    def _by_requirement(
        self, axis: str, requirement: Requirement, bad: frozenset[Node] = frozenset(), *, lost: bool = True,
        active: tuple[Leg, ...] = (),
    ) -> Ground:  # fmt: skip
        """A requirement with the causes of each leg to blame.

        Those are, where too few are outside `bad`, the legs that fail or are in `bad`; where it `lost` too many, those
        that fail; and of the `active` ones those that do either.
        """
        passed_on = axis == "protection" and requirement.axis != "protection"
        short = passed_on or self._state.now.holding(requirement, bad) < requirement.needs
        links: list[Link] = []
        for leg in (*requirement.legs, *(leg for leg in active if leg not in requirement.legs)):
            step = 0 if isinstance(leg.target, GroupKey) else 1
            to_blame = short or leg in active
            if to_blame and leg.target in bad:
                links.append(Link(Effect(axis, leg.target), step))
            # What stands on something that lost its backup has lost it too, whether or not the leg fails.
            if (to_blame or lost) and not passed_on:
                links += self._failure_links(requirement, leg, step)
        return Ground(axis, "requirement", requirement, links=tuple(links))

    def _failure_links(self, requirement: Requirement, leg: Leg, step: int) -> Iterator[Link]:
        now = self._state.now
        failure = now.failure(requirement, leg)
        if failure is None:
            return
        if failure is Failure.DOWN:
            yield Link(Effect("availability", leg.target), step)
        target = str(leg.target)
        if requirement.axis == "management" and target in now.cut_off_from_management:
            yield Link(Effect(CUT_OFF_FROM_MANAGEMENT, target), step)
        yield from (Link(Effect("relation", one.id), 1) for one in leg.relations if one.id in now.out)
        if failure is Failure.CUT_OFF and (cut := now.cut_off_by(target)) is not None:
            yield Link(Effect(CUT_OFF, cut), step + self._intact.part_of(target)[cut])
        if failure is Failure.NO_PATH:
            yield Link(Effect("no_path", requirement.owner, target), 0)

    def _by_cut(self, id_: str, axis: str, kind: str) -> Ground:
        ethernet, now = self._intact.ethernet, self._state.now
        cables = (*ethernet.cables.get(id_, ()), *(ethernet.management.get(id_, ()) if axis == "management" else ()))
        by = {cable.id for cable in cables if cable.id in now.out}
        by |= {cable.other for cable in cables if cable.other in now.down and cable.other in ethernet.passes}
        if id_ in now.down and axis == "management":
            by = {id_}
        return Ground(axis, kind, by=frozenset(by), links=(Link(Effect(kind, id_), 0),))

    # The links of what happens in the networks

    def _cut_off_links(self, id_: str, kind: str) -> Iterator[Link]:
        """What cut it off: itself being down, a cable of its own taken out, or the next CI down or cut off."""
        ethernet, now = self._intact.ethernet, self._state.now
        if id_ in now.down:
            yield Link(Effect("availability", id_), 0)
        cables = list(ethernet.cables.get(id_, ()))
        if kind == CUT_OFF_FROM_MANAGEMENT:
            cables += ethernet.management.get(id_, ())
        for cable in cables:
            if cable.id in now.out:
                yield Link(Effect("relation", cable.id), 1)
            elif cable.other in ethernet.passes:
                if cable.other in now.down:
                    yield Link(Effect("availability", cable.other), 1)
                elif cable.other in now.cut_off:
                    yield Link(Effect(CUT_OFF, cable.other), 1)

    def _fewer_ways_links(self, id_: str) -> Iterator[Link]:
        """Along the ways of the intact graph to the nearest that is lost or at risk."""
        ethernet, state = self._intact.ethernet, self._state
        for cable in ethernet.cables.get(id_, ()):
            if cable.id in state.now.out:
                yield Link(Effect("relation", cable.id), 1)
            elif cable.other in ethernet.passes:
                if cable.other in state.at_risk:
                    yield Link(Effect("availability", cable.other), 1)
                if cable.other not in state.down and cable.other not in ethernet.gateways:
                    yield Link(Effect("fewer_ways", cable.other), 1)

    def _path_links(self, source: str, target: str, lost: frozenset[Node]) -> Iterator[Link]:
        """From both ends along the fabrics to what is lost (or at risk): cables, switches, the ends' own carriers."""
        steps = {id_: far + 1 for id_, far in self._intact.part_of(target).items()}
        steps |= self._intact.carriers(source)
        for id_, far in steps.items():
            if id_ != source and id_ in lost:
                yield Link(Effect("availability", id_), far)
        for cable, other, far in lost_near(self._intact.fabric, steps):
            if cable in self._state.now.out:
                yield Link(Effect("relation", cable), far)
            if other in lost and other in self._intact.fabric.switches:
                yield Link(Effect("availability", other), far)
        for zone in self._intact.fabric.zones_of(steps):
            if zone in self._state.now.out:
                yield Link(Effect("relation", zone), 1)
