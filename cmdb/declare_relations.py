"""The `relations` and `groups` of an estate file, with the gates of impact.md at which a group is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import yaml

from cmdb.declare_entries import Entries, Named
from cmdb.estate_file import Bad, Place, Problems, Row, items, named_group, scalar
from cmdb.groups import GROUP, group_legs, group_type
from cmdb.model import CI, Graph, GroupClaim, ModelError, RelationClaim, Subject, Value
from cmdb.schema import COLUMN_TYPES, RELATION_TYPES, RelationType, fits, relation_row

_TURNED = {"from": "to", "to": "from"}
_MEDIA = ("ethernet", "fc")


@dataclass(slots=True)
class Link:
    """A relation as the file describes it."""

    place: Place
    row: RelationType
    source: Named
    target: Named
    columns: dict[str, Value]

    @property
    def natural_key(self) -> tuple[object, ...]:
        """(type, ends, key columns); a cable is the same from either end."""
        keys = {column: self.columns.get(column) for column in self.row.keys}
        straight = (self.source.id, self.target.id, *(str(value) for value in keys.values()))
        if not self.row.undirected:
            return (self.row.name, *straight)
        turned = (self.target.id, self.source.id, *(str(keys.get(_turn(column))) for column in keys))
        return (self.row.name, *min(straight, turned))


class Links:
    """The relations of a file, those between its places included."""

    def __init__(self, entries: Entries, known: Graph, problems: Problems) -> None:
        self._entries = entries
        self._known = known
        self._problems = problems
        self._links: dict[tuple[object, ...], Link] = {}

    def read(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._add(self._link(row))
        located = relation_row("located_in")
        for place, inner, outer in self._entries.within:
            ends = [self._entries.by_name(_PLACES[len(name)], name) for name in (inner, outer)]
            self._add(Link(place, located, ends[0], ends[1], {}))

    def claims(self) -> tuple[RelationClaim, ...]:
        return tuple(
            RelationClaim(link.row.name, link.source.subject, link.target.subject, link.columns)
            for link in self._links.values()
        )

    def targets(self, source: str, type_: str) -> set[str]:
        """The ids of all that a CI has a relation of this type to, in the file or known already."""
        declared = {
            link.target.id for link in self._links.values() if link.row.name == type_ and link.source.id == source
        }
        return declared | self._known_targets[source, type_]

    @cached_property
    def _known_targets(self) -> Mapping[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for relation in self._known.relations.values():
            found[relation.source, relation.type].add(relation.target)
        return found

    def _link(self, row: Row) -> Link | None:
        type_ = _type(row, "type", self._problems)
        source, target = (
            _end(row, "from", self._entries, self._problems),
            _end(row, "to", self._entries, self._problems),
        )
        if type_ is None:
            return None
        columns = {
            key: value
            for key in row.fields
            if key not in {"type", "from", "to"} and (value := self._column(row, type_, key)) is not None
        }
        if source is None or target is None or not self._fit(row, type_, source, target):
            return None
        return Link(row.place, type_, source, target, columns)

    def _column(self, row: Row, type_: RelationType, key: str) -> Value | None:
        if key not in {*type_.keys, *type_.attributes}:
            known = ", ".join((*type_.keys, *type_.attributes)) or "none"
            self._problems.add(row.at(key), f"{type_.name} has no key {key!r}; its keys are: {known}")
            return None
        try:
            value = scalar(row.fields[key], COLUMN_TYPES[key])
        except Bad as error:
            self._problems.add(row.at(key), str(error))
            return None
        if key == "medium" and value not in _MEDIA:
            self._problems.warn(row.at(key), f"no rule knows the medium {value!r}; known are {' and '.join(_MEDIA)}")
        return value

    def _fit(self, row: Row, type_: RelationType, source: Named, target: Named) -> bool:
        if source.id == target.id:
            self._problems.add(row.place, f"{source.name} cannot have a {type_.name} to itself")
            return False
        if fits(type_.name, source.cls, target.cls) or (type_.undirected and fits(type_.name, target.cls, source.cls)):
            return True
        self._problems.add(
            row.place,
            f"{type_.name} cannot lead from {source.name} ({source.cls}) to {target.name} ({target.cls}); "
            f"it leads {_allowed(type_)}",
        )
        return False

    def _add(self, link: Link | None) -> None:
        if link is None:
            return
        first = self._links.setdefault(link.natural_key, link)
        if first is link:
            return
        turned = first.source.id != link.source.id
        columns = {_turn(key) if turned else key: value for key, value in link.columns.items()}
        if link.row.undirected and not link.columns.keys() & set(link.row.keys) and columns != first.columns:
            self._problems.add(
                link.place,
                f"nothing tells this cable from the one in line {first.place.line}, also from {link.source.name} to "
                f"{link.target.name}: give both their {' and '.join(link.row.keys)}",
            )
        for key in sorted(first.columns.keys() & columns.keys()):
            if first.columns[key] != columns[key]:
                self._problems.add(
                    link.place,
                    f"{link.row.name} from {link.source.name} to {link.target.name} is declared twice, in line "
                    f"{first.place.line} with {key} {first.columns[key]!r} and here with {columns[key]!r}: keep one",
                )
        first.columns = {**columns, **first.columns}


@dataclass(slots=True)
class Group:
    """A redundancy group as the file, or the graph, describes it. Legs are (id, or `group:NAME`)."""

    place: Place
    type: str
    legs: dict[str, Subject | str] = field(default_factory=dict)


class Groups:
    """The groups of a file, each beside the other groups of its CI that are known."""

    def __init__(self, entries: Entries, links: Links, known: Graph, problems: Problems) -> None:
        self._entries = entries
        self._links = links
        self._known = known
        self._problems = problems
        self._groups: dict[tuple[str, str], Group] = {}
        self._claims: dict[tuple[str, str], GroupClaim] = {}

    def read(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._read(row)
        self._refuse_cycles()
        self._check_quorums()

    def claims(self) -> tuple[GroupClaim, ...]:
        return tuple(self._claims.values())

    def _read(self, row: Row) -> None:
        before = len(self._problems.errors)
        for key in row.fields.keys() - {"of", "name", "type", "needs", "full", "active", "legs"}:
            self._problems.add(row.at(key), "unknown key; a group has of, name, type, needs, full, active and legs")
        of = _end(row, "of", self._entries, self._problems)
        name = _given(row, "name", str, self._problems, needed=True)
        type_ = _type(row, "type", self._problems, default="depends_on")
        needs = _given(row, "needs", int, self._problems, needed=True)
        full = _given(row, "full", int, self._problems)
        legs = self._legs(row)
        if len(self._problems.errors) > before or of is None or type_ is None or not isinstance(needs, int):
            return
        group = Group(row.place, type_.name, {id_: leg for id_, (leg, _) in legs.items()})
        self._check(row, of, group, needs, full if isinstance(full, int) else None)
        active = self._active(row, legs)
        claim = GroupClaim(
            of.subject, str(name), needs, tuple(group.legs.values()), type_.name,
            full if isinstance(full, int) else None, active,
        )  # fmt: skip
        first = self._claims.setdefault((of.id, str(name)), claim)
        if first != claim:
            self._problems.add(row.place, f"the group {name!r} of {of.name} is declared twice, and not alike: keep one")
        self._groups.setdefault((of.id, str(name)), group)

    def _legs(self, row: Row) -> dict[str, tuple[Subject | str, str]]:
        """The legs by id, or `group:NAME`, each with what to claim and what the file calls it."""
        found: dict[str, tuple[Subject | str, str]] = {}
        if "legs" not in row.fields:
            self._problems.add(row.place, "'legs' is missing: name the CIs, or {group: NAME}, that it is made of")
            return found
        try:
            nodes = items(row.fields["legs"])
        except Bad as error:
            self._problems.add(row.at("legs"), str(error))
            return found
        for node in nodes:
            leg = self._leg(row, node)
            if leg is not None:
                found.setdefault(leg[0], leg[1])
        if not nodes:
            self._problems.add(row.at("legs"), "a group needs at least one leg")
        return found

    def _leg(self, row: Row, node: yaml.Node) -> tuple[str, tuple[Subject | str, str]] | None:
        try:
            group = named_group(node)
            text = group if group is not None else str(scalar(node, str))
        except Bad as error:
            self._problems.add(row.at("legs"), str(error))
            return None
        if group is not None:
            return f"{GROUP}{group}", (group, group)
        named = self._entries.named(text, row.at("legs"))
        return None if named is None else (named.id, (named.subject, named.name))

    def _active(self, row: Row, legs: Mapping[str, tuple[Subject | str, str]]) -> Subject | str | None:
        if "active" not in row.fields:
            return None
        place = row.at("active")
        try:
            group = named_group(row.fields["active"])
            text = group if group is not None else str(scalar(row.fields["active"], str))
        except Bad as error:
            self._problems.add(place, str(error))
            return None
        if f"{GROUP}{text}" in legs:
            return legs[f"{GROUP}{text}"][0]
        named = self._entries.named(text, place) if group is None else None
        if named is not None and named.id in legs:
            return named.subject
        if group is not None or named is not None:
            known = ", ".join(name for _, name in legs.values())
            self._problems.add(place, f"{text!r} is no leg of the group; its legs are {known}")
        return None

    def _check(self, row: Row, of: Named, group: Group, needs: int, full: int | None) -> None:
        """The gates of impact.md, "Requirements": k > legs, k < 1, m < k, and legs without a relation."""
        count = len(group.legs)
        if needs < 1:
            self._problems.add(row.at("needs"), f"a group needs at least 1 leg, not {needs}")
        if needs > count:
            self._problems.add(row.at("needs"), f"the group needs {needs} of its {count} legs: it could never serve")
        if full is not None and full < needs:
            self._problems.add(row.at("full"), f"{full} legs in full are fewer than the {needs} that it needs at all")
        if full is not None and full > count:
            self._problems.warn(
                row.at("full"), f"the group has {count} legs, and could never serve with {full} in full"
            )
        if RELATION_TYPES[group.type].needs is None:
            self._problems.add(row.at("type"), f"nothing is needed by {group.type}, so it makes no group")
        targets = self._links.targets(of.id, group.type)
        for leg, claimed in group.legs.items():
            if not leg.startswith(GROUP) and leg not in targets:
                name = claimed if isinstance(claimed, str) else _title(claimed)
                self._problems.add(
                    row.at("legs"), f"{of.name} has no {group.type} to the leg {name}: add that relation to the file"
                )

    def _all_of(self, of: str) -> dict[str, Group]:
        """The groups of a CI: those known, and over them those of the file."""
        ci = self._known.cis.get(of)
        known = {} if ci is None else _known_groups(ci)
        return known | {name: group for (owner, name), group in self._groups.items() if owner == of}

    def _refuse_cycles(self) -> None:
        for (of, name), group in self._groups.items():
            groups = self._all_of(of)
            for leg in group.legs:
                inner = leg.removeprefix(GROUP)
                if leg.startswith(GROUP) and inner not in groups:
                    known = ", ".join(sorted(groups))
                    self._problems.add(
                        group.place, f"the leg is a group {inner!r}, which is none of this CI's: {known}"
                    )
            cycle = _cycle(name, groups)
            if cycle and min(cycle) == name:
                self._problems.add(group.place, f"the groups {' → '.join((*cycle, name))} are legs of each other")

    def _check_quorums(self) -> None:
        for entry in self._entries.clusters():
            quorum = entry.attributes.get("quorum")
            if not isinstance(quorum, int):
                continue
            place = Place(entry.place.line, f"{entry.place.where}, quorum")
            grouped = {
                leg for group in self._all_of(entry.id).values() if group.type == "composed_of" for leg in group.legs
            }
            members = self._links.targets(entry.id, "composed_of") - grouped
            if quorum < 1:
                self._problems.add(place, f"a quorum is at least 1, not {quorum}")
            elif members and quorum > len(members):
                self._problems.add(place, f"a quorum of {quorum} is more than the {len(members)} members")


def _known_groups(ci: CI) -> dict[str, Group]:
    return {
        component.name: Group(Place(0, ""), group_type(component), dict.fromkeys(group_legs(component), ""))
        for component in ci.components
        if component.kind == "group"
    }


def _cycle(name: str, groups: Mapping[str, Group]) -> list[str]:
    """The names on a way from a group over its legs back to itself; empty where there is none."""
    ways = {name: [name]}
    waiting = [name]
    for here in waiting:
        for leg in groups[here].legs if here in groups else ():
            inner = leg.removeprefix(GROUP)
            if leg.startswith(GROUP) and inner == name:
                return ways[here]
            if leg.startswith(GROUP) and inner not in ways:
                ways[inner] = [*ways[here], inner]
                waiting.append(inner)
    return []


_PLACES = {3: "building", 5: "floor", 7: "room"}


def _type(row: Row, key: str, problems: Problems, default: str | None = None) -> RelationType | None:
    name = _given(row, key, str, problems, needed=default is None)
    if name is None and (default is None or key in row.fields):
        return None
    try:
        return relation_row(str(name) if name is not None else str(default))
    except ModelError as error:
        problems.add(row.at(key), str(error))
        return None


def _given(row: Row, key: str, type_: type, problems: Problems, *, needed: bool = False) -> Value | None:
    if key not in row.fields:
        if needed:
            problems.add(row.place, f"{key!r} is missing")
        return None
    try:
        return scalar(row.fields[key], type_)
    except Bad as error:
        problems.add(row.at(key), str(error))
        return None


def _end(row: Row, key: str, entries: Entries, problems: Problems) -> Named | None:
    text = _given(row, key, str, problems, needed=True)
    return None if text is None else entries.named(str(text), row.at(key))


def _allowed(type_: RelationType) -> str:
    """Which ends go together, as a sentence has it."""
    if type_.pairs:
        return "from " + ", ".join(f"{source} to {target}" for source, target in type_.pairs)
    return f"from {', '.join(type_.sources)} to {', '.join(type_.targets)}"


def _turn(column: str) -> str:
    end, underscore, rest = column.partition("_")
    return f"{_TURNED.get(end, end)}{underscore}{rest}"


def _title(subject: Subject) -> str:
    return subject.name or next((value for _, value in sorted(subject.identifiers)), subject.key or "?")
