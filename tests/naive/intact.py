"""G, the intact graph, as impact.md reads it: what each CI requires, and what stands for what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from cmdb.model import CI, Component, Graph, Relation, State
from cmdb.schema import ALL, CI_CLASSES, RELATION_TYPES, is_a
from tests.naive.ethernet import Ethernet
from tests.naive.fabric import Fabric

GROUP = "group:"
"""What stands before the name of a group where a leg may be a CI or a group."""


class GroupKey(NamedTuple):
    """A group that stands as a leg of another: judged like a CI whose only requirement it is."""

    of: str
    name: str


Node: TypeAlias = str | GroupKey
"""What has a level: a CI, by its id, or a group that stands as a leg."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One of the things a requirement leans on, with the relations to it (none for a group)."""

    target: Node
    relations: tuple[Relation, ...] = ()
    active: bool = False

    @property
    def assumed(self) -> bool:
        """Whether it was only assumed, from connections seen, that this leg is needed."""
        return bool(self.relations) and all(relation.columns.get("assumed") is True for relation in self.relations)


@dataclass(frozen=True, slots=True)
class Requirement:
    """`needs` (k) of the legs are needed to serve at all, `full` (m) to serve in full.

    `name` is the group's name, or the role of a served_by. `beside` are legs that are in no k, but whose failure
    degrades: the server on which a virtual machine of a cluster runs now.
    """

    owner: str
    axis: str
    type: str
    name: str | None
    legs: tuple[Leg, ...]
    needs: int
    full: int
    grouped: bool = False
    beside: tuple[Leg, ...] = ()

    @property
    def active(self) -> tuple[Leg, ...]:
        return (*(leg for leg in self.legs if leg.active), *self.beside)

    @property
    def title(self) -> str:
        """How people call it: the type, with its group or role."""
        if self.name is None:
            return self.type
        return f"{self.type} (group {self.name})" if self.grouped else f"{self.type} ({self.name})"


class Intact:
    """The CIs and relations at one revision, without the retired, and what follows from them alone."""

    def __init__(self, graph: Graph) -> None:
        self.revision = graph.revision
        self.retired = frozenset(ci.id for ci in graph.cis.values() if ci.state is State.RETIRED)
        self.cis: Mapping[str, CI] = {id_: ci for id_, ci in sorted(graph.cis.items()) if id_ not in self.retired}
        self.relations: Mapping[str, Relation] = {
            id_: relation
            for id_, relation in sorted(graph.relations.items())
            if relation.source in self.cis and relation.target in self.cis
        }
        self.cables = tuple(relation for relation in self.relations.values() if relation.type == "connects_to")
        self.ethernet = Ethernet(self.cis, [cable for cable in self.cables if cable.columns.get("medium") != "fc"])
        self.fabric = Fabric(
            self.cis,
            [cable for cable in self.cables if cable.columns.get("medium") == "fc"],
            [relation for relation in self.relations.values() if relation.type == "zoned_to"],
        )
        self._joined: dict[tuple[str, str], bool] = {}
        self._reached: dict[tuple[str, frozenset[str]], Mapping[str, int]] = {}

    @cached_property
    def requirements(self) -> Mapping[Node, tuple[Requirement, ...]]:
        """What each CI requires, and each group that stands as a leg."""
        hosting = frozenset(
            relation.target
            for relation in self.relations.values()
            if relation.type == "hosted_on" and self.cis[relation.source].cls == "virtual_machine"
        )
        found: dict[Node, tuple[Requirement, ...]] = {}
        for ci in self.cis.values():
            found |= _requirements(ci, self._outgoing.get(ci.id, ()), self.cis, hosting)
        return found

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(self.requirements)

    @cached_property
    def leaning_on(self) -> Mapping[Node, frozenset[Node]]:
        """Who has a requirement with this leg."""
        found: dict[Node, set[Node]] = defaultdict(set)
        for node, requirements in self.requirements.items():
            for requirement in requirements:
                for leg in (*requirement.legs, *requirement.beside):
                    found[leg.target].add(node)
        return {target: frozenset(nodes) for target, nodes in found.items()}

    @cached_property
    def _outgoing(self) -> Mapping[str, list[Relation]]:
        found: dict[str, list[Relation]] = defaultdict(list)
        for relation in self.relations.values():
            if relation.source != relation.target:
                found[relation.source].append(relation)
        return found

    def part_of(self, id_: str) -> Mapping[str, int]:
        """The CI and all that it is part of, each with the number of relations on the way."""
        return self._above(id_, frozenset({"part_of"}))

    def carriers(self, id_: str) -> Mapping[str, int]:
        """The CI and all that it runs on, is hosted on, is served by or is composed of, with the relations between."""
        return self._above(id_, frozenset({"runs_on", "hosted_on", "served_by", "composed_of"}))

    def buildings(self, id_: str) -> frozenset[str]:
        """The buildings that a CI stands in, or is; empty where nothing says so."""
        places = self._above(id_, frozenset({"located_in"}))
        return frozenset(place for place in places if self.cis[place].cls == "building")

    def places_of_classes(self, ids: Iterable[str]) -> Mapping[str, frozenset[frozenset[str]]]:
        """The classes that occur among some CIs, each with the buildings in which."""
        found: dict[str, set[frozenset[str]]] = defaultdict(set)
        for id_ in ids:
            found[self.cis[id_].cls].add(self.buildings(id_))
        return {class_: frozenset(buildings) for class_, buildings in found.items()}

    def name_of(self, node: Node) -> str:
        """The name of a CI, or of a group that stands as a leg."""
        return self.cis[node].name if isinstance(node, str) else f"group {node.name} of {self.cis[node.of].name}"

    def title_of(self, relation: Relation) -> str:
        """How people write a relation: `TYPE:FROM..TO`, a cable with its ports."""
        ends = []
        for end, column in ((relation.source, "from_port"), (relation.target, "to_port")):
            port = relation.columns.get(column) if relation.type == "connects_to" else None
            ends.append(self.cis[end].name if port is None else f"{self.cis[end].name}[{port}]")
        return f"{relation.type}:{'..'.join(ends)}"

    def _above(self, id_: str, types: frozenset[str]) -> Mapping[str, int]:
        if (id_, types) in self._reached:
            return self._reached[id_, types]
        found = {id_: 0}
        waiting = [id_]
        for here in waiting:
            for relation in self._outgoing.get(here, ()):
                if relation.type in types and relation.target not in found:
                    found[relation.target] = found[here] + 1
                    waiting.append(relation.target)
        self._reached[id_, types] = found
        return found

    def joined(self, source: str, target: str) -> bool:
        """Whether an fc path joins the two in the intact graph; where none does, a leg is unknown, never failed."""
        if (source, target) not in self._joined:
            path = self.fabric.path(self.carriers(source), self.part_of(target))
            self._joined[source, target] = path is not None
        return self._joined[source, target]


def medium(relation: Relation) -> str | None:
    """The medium of a relation: what it says, else what its type says (depends_on: ethernet), else none."""
    said = relation.columns.get("medium")
    return said if isinstance(said, str) else RELATION_TYPES[relation.type].medium


def _requirements(
    ci: CI, outgoing: Iterable[Relation], cis: Mapping[str, CI], hosting: frozenset[str]
) -> dict[Node, tuple[Requirement, ...]]:
    """What one CI requires by its groups and, for the relations in none, by default; and its groups that are legs."""
    by_type: dict[str, list[Relation]] = defaultdict(list)
    for relation in outgoing:
        if RELATION_TYPES[relation.type].needs is not None:
            by_type[relation.type].append(relation)
    groups = {component.name: component for component in ci.components if component.kind == "group"}
    inner = {name for group in groups.values() for name in _group_names(group) if name in groups}
    named = {name: _of_group(ci, group, groups, by_type) for name, group in groups.items()}
    taken = {(group_type(group), leg) for group in groups.values() for leg in group_legs(group)}
    free = {
        type_: [relation for relation in relations if (type_, relation.target) not in taken]
        for type_, relations in by_type.items()
    }
    own = [one for type_, relations in free.items() for one in _by_default(ci, type_, relations, cis, hosting)]
    own += [one for name, one in named.items() if one is not None and name not in inner]
    found: dict[Node, tuple[Requirement, ...]] = {ci.id: tuple(own)}
    for name in sorted(inner):
        requirement = named[name]
        found[GroupKey(ci.id, name)] = () if requirement is None else (requirement,)
    return found


def group_type(group: Component) -> str:
    said = group.attributes.get("type")
    return said if isinstance(said, str) else "depends_on"


def group_legs(group: Component) -> tuple[str, ...]:
    """The legs of a group as they are stored: ids of CIs, or `group:NAME`; each once."""
    said = group.attributes.get("legs", ())
    return tuple(dict.fromkeys(str(leg) for leg in said)) if isinstance(said, tuple) else (str(said),)


def _group_names(group: Component) -> list[str]:
    return [leg.removeprefix(GROUP) for leg in group_legs(group) if leg.startswith(GROUP)]


def _of_group(
    ci: CI, group: Component, groups: Mapping[str, Component], by_type: Mapping[str, list[Relation]]
) -> Requirement | None:
    """A named group as a requirement; None where no leg is left.

    Legs that are gone (a retired CI, a relation that nobody says any more) cut k and m down to those left.
    """
    type_ = group_type(group)
    active = group.attributes.get("active")
    relations = by_type.get(type_, [])
    legs: list[Leg] = []
    for name in group_legs(group):
        if name.startswith(GROUP):
            inner = name.removeprefix(GROUP)
            if inner in groups:
                legs.append(Leg(GroupKey(ci.id, inner), active=name == active))
        elif to := tuple(relation for relation in relations if relation.target == name):
            legs.append(Leg(name, to, active=name == active or _marked_active(to)))
    if not legs:
        return None
    needs = _number(group, "needs", len(legs))
    full = _number(group, "full", needs)
    if len(legs) < len(group_legs(group)):
        needs, full = min(needs, len(legs)), min(full, len(legs))
    axis = RELATION_TYPES[type_].axis or ""
    return Requirement(ci.id, axis, type_, group.name, tuple(legs), needs, full, grouped=True)


def _number(group: Component, attribute: str, default: int) -> int:
    said = group.attributes.get(attribute)
    return said if isinstance(said, int) and not isinstance(said, bool) else default


def _by_default(
    ci: CI, type_: str, relations: list[Relation], cis: Mapping[str, CI], hosting: frozenset[str]
) -> list[Requirement]:
    """The default requirement of a type: one for all its relations, for `served_by` one per role."""
    if not RELATION_TYPES[type_].per_role:
        return _default(ci, type_, None, relations, cis, hosting)
    roles = sorted({str(relation.columns.get("role", "")) for relation in relations})
    return [
        requirement
        for role in roles
        for requirement in _default(
            ci, type_, role, [one for one in relations if str(one.columns.get("role", "")) == role], cis, hosting
        )
    ]


def _default(
    ci: CI, type_: str, role: str | None, relations: list[Relation], cis: Mapping[str, CI], hosting: frozenset[str]
) -> list[Requirement]:
    legs = _legs(relations)
    beside: tuple[Leg, ...] = ()
    if type_ == "hosted_on" and ci.cls == "virtual_machine":
        clusters = tuple(leg for leg in legs if _class_of(leg, cis) == "cluster")
        if clusters:
            beside = tuple(leg for leg in legs if leg.active and leg not in clusters)
            legs = clusters
    if not legs:
        return []
    needs = _needs(ci, type_, len(legs), hosting)
    return [Requirement(ci.id, RELATION_TYPES[type_].axis or "", type_, role, legs, needs, needs, beside=beside)]


def _legs(relations: Iterable[Relation]) -> tuple[Leg, ...]:
    """Several relations to one target are one leg."""
    by_target: dict[str, list[Relation]] = defaultdict(list)
    for relation in relations:
        by_target[relation.target].append(relation)
    return tuple(Leg(target, tuple(to), _marked_active(to)) for target, to in by_target.items())


def _marked_active(relations: Iterable[Relation]) -> bool:
    return any(relation.columns.get("active") is True for relation in relations)


def _class_of(leg: Leg, cis: Mapping[str, CI]) -> str | None:
    return cis[leg.target].cls if isinstance(leg.target, str) else None


def _needs(ci: CI, type_: str, legs: int, hosting: frozenset[str]) -> int:
    """What a default requirement needs: k of the table, for a cluster its quorum; never more than there are legs."""
    if type_ == "composed_of" and is_a(ci.cls, "cluster"):
        quorum = ci.attributes.get("quorum")
        if isinstance(quorum, int | float) and not isinstance(quorum, bool):
            return min(int(quorum), legs)
        return 1 if legs <= 2 or ci.id in hosting else legs // 2 + 1
    needs = RELATION_TYPES[type_].needs
    return legs if needs == ALL or not isinstance(needs, int) else min(needs, legs)


def means_when_cut_off(ci: CI) -> str | None:
    """What being cut off means for a CI: `down`, `unmanaged` (cut off from management), or nothing."""
    return CI_CLASSES[ci.cls].cut_off
