"""The `cis` and `rooms` of an estate file: what is declared of each CI, and whom a reference names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import yaml

from cmdb import lookup
from cmdb.estate_file import Bad, Place, Problems, Row, scalar, text_node, texts, value
from cmdb.identifiers import normalise
from cmdb.model import (
    CI,
    SCHEMES,
    SINGLE_VALUED,
    Component,
    Graph,
    Identifier,
    State,
    Statement,
    Subject,
    Value,
)
from cmdb.schema import CI_CLASSES, CONCRETE, attribute_row, is_a, lineage
from cmdb.store.base import Handle
from cmdb.what import fitting, index, near
from naming import FullCode, Label, LabelError, PlanError, RoomPlan
from naming import Place as PlaceCode

_SPELLINGS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "serial": lookup.serial,
    "uuid": lookup.uuid,
    "member_serial": lookup.serial,
    "wwn": lookup.wwn,
    "mac": lookup.mac,
    "host_key": lambda text: text.strip() or None,
}
_EXAMPLES: Final = {
    "uuid": "4c4c4544-0042-3510-8052-c4c04f4a3132",
    "wwn": "50:06:01:60:3b:a0:11:22",
    "mac": "00:1b:21:0a:0b:0c",
}


_NEW: Final = "\0"
"""What begins the id of an entry that is no known CI: nobody can write it."""

_HINTS: Final = 20
"""For so many dangling references near names are looked for: that takes a while in a large estate."""

_SHOWN: Final = 10
"""So many candidates stand in a message."""


@dataclass(slots=True)
class Entry:
    """A CI as the file describes it. `id` is that of the known CI that it is, if there is one."""

    id: str
    place: Place
    cls: str
    name: str
    label: str | None = None
    identifiers: frozenset[Identifier] = frozenset()
    attributes: dict[str, Value] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        return Subject(cls=self.cls, identifiers=self.identifiers, name=self.name, declared=True)

    @property
    def components(self) -> tuple[Component, ...]:
        return tuple(Component("address", address, {"address": address}) for address in self.addresses)

    @property
    def statement(self) -> Statement:
        label: dict[str, Value] = {} if self.label is None else {"label": self.label}
        return Statement(self.subject, {**self.attributes, **label}, self.components)

    def as_ci(self, space: str) -> CI:
        return CI(self.id, self.cls, space, self.name, self.label, attributes=self.attributes,
                  identifiers=self.identifiers, components=self.components)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a reference names: the subject to claim of, its class, and an id that tells it apart within the file."""

    id: str
    cls: str
    name: str
    subject: Subject


class Entries:
    """The CIs of a file, those of its rooms included, beside the CIs that are known already."""

    def __init__(self, known: Graph, space: str, problems: Problems) -> None:
        present = [ci for ci in known.cis.values() if ci.state is not State.RETIRED]
        self._known = Graph(known.revision, {ci.id: ci for ci in present if ci.space == space}, {})
        self._find_known = index(self._known)
        self._elsewhere = Graph(
            known.revision, {ci.id: ci for ci in present if ci.space != space and ci.identifiers}, {}
        )
        self._find_elsewhere = index(self._elsewhere)
        self._hints = _HINTS
        self._space = space
        self._problems = problems
        self._entries: dict[tuple[str, str], Entry] = {}
        self._taken: set[str] = set()
        self._file = Graph(0, {}, {})
        self._find = index(self._file)
        self._by_id: dict[str, Entry] = {}
        self.within: list[tuple[Place, str, str]] = []
        """Which place is in which by its label alone: (where, names of the inner and of the outer place)."""

    def read(self, cis: Iterable[Row], rooms: Iterable[Row]) -> None:
        for row in cis:
            self._add(self._entry(row))
        for row in rooms:
            self._add_room(row)
        self._refuse_shared()
        self._warn_of_unknown_rooms()
        self._file = Graph(0, {entry.id: entry.as_ci(self._space) for entry in self._entries.values()}, {})
        self._find = index(self._file)
        self._by_id = {entry.id: entry for entry in self._entries.values()}

    def statements(self) -> tuple[Statement, ...]:
        return tuple(entry.statement for entry in self._entries.values())

    def clusters(self) -> list[Entry]:
        return [entry for entry in self._entries.values() if entry.cls == "cluster"]

    def named(self, text: str, place: Place) -> Named | None:
        """Whom a reference names, in the file first, then among the known; None, and a problem, where it is nobody.

        Who is in another address space is named by identifiers only.
        """
        for graph, find, where in (
            (self._file, self._find, ""),
            (self._known, self._find_known, " among the known CIs"),
            (self._elsewhere, self._find_elsewhere, " among the CIs of other address spaces"),
        ):
            found = fitting(text, graph, find)
            if len(found) == 1:
                return self._named(found[0])
            if found:
                self._problems.add(place, f"the reference {text!r} is ambiguous{where}: {_listed(found)}")
                return None
        names = dict.fromkeys((*near(text, self._file), *near(text, self._known))) if self._hints else {}
        self._hints = max(0, self._hints - 1)
        hint = f"; did you mean {', '.join(names)}?" if names else ""
        self._problems.add(
            place, f"the reference {text!r} names no CI of this file and none that is known: declare it{hint}"
        )
        return None

    def by_name(self, cls: str, name: str) -> Named:
        """A place of the file by its class and name."""
        entry = self._entries[cls, name]
        return Named(entry.id, entry.cls, entry.name, entry.subject)

    def _named(self, ci: CI) -> Named:
        """A CI as the file names it: by its entry, where it has one."""
        entry = self._by_id.get(ci.id)
        if entry is not None:
            return Named(entry.id, entry.cls, entry.name, entry.subject)
        return Named(ci.id, ci.cls, ci.name, self._subject(ci))

    def _subject(self, ci: CI) -> Subject:
        """How to claim something of a known CI: by its strongest identifier that no other has, else by key or name."""
        for scheme in SCHEMES:
            for one in sorted(ci.identifiers):
                if one.scheme == scheme and self._is_its_alone(one, ci):
                    domain = CI_CLASSES[ci.cls].domain
                    # Without a class a serial counts as a machine's (truth.md), and says nothing of the class.
                    cls = ci.cls if scheme in SINGLE_VALUED and domain != "machine" else None
                    return Subject(cls=cls, identifiers=frozenset({one}))
        owner = None if ci.owner is None else self._known.cis.get(ci.owner)
        if owner is not None and ci.key is not None:
            return Subject(cls=ci.cls, owner=self._subject(owner), key=ci.key)
        return Subject(cls=ci.cls, name=ci.name, declared=True)

    def _is_its_alone(self, identifier: Identifier, ci: CI) -> bool:
        handles = [Handle(*identifier)]
        holders = {match.ci for find in (self._find_known, self._find_elsewhere) for match in find(handles)}
        return holders <= {ci.id}

    # Reading

    def _entry(self, row: Row) -> Entry | None:
        cls, name = self._class(row), self._text(row, "name", needed=True)
        if cls is None or name is None:
            return None
        entry = Entry("", row.place, cls, name)
        identifiers: set[Identifier] = set()
        for key, node in row.fields.items():
            try:
                if key in {"class", "name"}:
                    continue
                if key == "label":
                    entry.label = _label(node)
                elif key in SCHEMES:
                    identifiers |= self._identifying(key, _identifiers(key, node), row.at(key))
                elif key == "address" and not is_a(cls, "location"):
                    entry.addresses = _addresses(node)
                else:
                    entry.attributes[key] = self._attribute(cls, key, node, row.at(key))
            except Bad as error:
                self._problems.add(row.at(key), str(error))
        entry.identifiers = frozenset(identifiers)
        self._check_code(entry, row)
        return entry

    def _class(self, row: Row) -> str | None:
        cls = self._text(row, "class", needed=True)
        if cls is None or cls in CONCRETE:
            return cls
        near = difflib.get_close_matches(cls, CONCRETE, n=3)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        self._problems.add(row.at("class"), f"unknown class {cls!r}; {hint}known: {', '.join(sorted(CONCRETE))}")
        return None

    def _text(self, row: Row, key: str, *, needed: bool = False) -> str | None:
        if key not in row.fields:
            if needed:
                self._problems.add(row.place, f"{key!r} is missing")
            return None
        try:
            return str(scalar(row.fields[key], str))
        except Bad as error:
            self._problems.add(row.at(key), str(error))
            return None

    def _attribute(self, cls: str, key: str, node: yaml.Node, place: Place) -> Value:
        known = attribute_row(cls, key)
        if known is None and key != "gateway":
            near = difflib.get_close_matches(key, _attribute_names(cls), n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            self._problems.warn(place, f"a {cls} has no attribute {key!r}: it is kept as one of your own{hint}")
            return value(node, None)
        return value(node, bool if known is None else known.type)

    def _identifying(self, scheme: str, spelt: Iterable[str], place: Place) -> set[Identifier]:
        """The identifiers among the values of a scheme; a placeholder is left out with a warning."""
        found = set()
        for text in spelt:
            identifier = normalise(scheme, text)
            if identifier is None:
                self._problems.warn(place, f"{text!r} is a placeholder that many things have: it identifies nothing")
            else:
                found.add(identifier)
        return found

    def _check_code(self, entry: Entry, row: Row) -> None:
        code = entry.attributes.get("asset_code")
        if not isinstance(code, str):
            return
        try:
            parsed = FullCode.parse(code)
        except LabelError as error:
            self._problems.add(row.at("asset_code"), str(error))
            return
        if entry.label is not None and str(parsed.label) != entry.label:
            self._problems.add(
                row.at("asset_code"), f"it holds the label {parsed.label}, but the label is {entry.label}"
            )
        entry.attributes["asset_code"] = str(parsed)

    def _add_room(self, row: Row) -> None:
        label = self._text(row, "label", needed=True)
        if label is None:
            return
        entry = self._entry(Row(row.place, {**_as_room(row, label), **_rest_of_room(row)}))
        try:
            place = PlaceCode.parse(label)
            plan = self._plan(row, label)
        except LabelError as error:
            self._problems.add(row.at("label"), str(error))
            return
        except (PlanError, Bad) as error:
            self._problems.add(row.at("grid"), str(error))
            return
        if place.ci_class != "room":
            self._problems.add(row.at("label"), f"{place} is a {place.ci_class}, a room is called as in D010210")
        elif entry is not None:
            entry.name = str(place)
            if plan is not None:
                entry.attributes |= {"grid": plan.grid, "door": plan.door.value}
            self._add(entry)
            self._add_places_above(row.place, place)

    def _plan(self, row: Row, label: str) -> RoomPlan | None:
        """The plan of a room; a room may stand in the file without one."""
        given = [key for key in ("grid", "door") if key in row.fields]
        if not given:
            return None
        if len(given) == 1:
            raise Bad("a plan needs both: `grid`, lines of '.' and '#', north first; and `door`, the wall it is in")
        grid: str | Sequence[object] = texts(row.fields["grid"])
        if isinstance(row.fields["grid"], yaml.ScalarNode):
            grid = str(scalar(row.fields["grid"], str))
        return RoomPlan.parse(label, grid, str(scalar(row.fields["door"], str)))

    def _add_places_above(self, where: Place, place: PlaceCode) -> None:
        for inner, outer in zip((place, *place.ancestors), place.ancestors, strict=False):
            if (outer.ci_class, str(outer)) not in self._entries:
                self._add(Entry("", where, outer.ci_class, str(outer)))
            self.within.append((where, str(inner), str(outer)))

    def _add(self, entry: Entry | None) -> None:
        """Keep an entry; a second one of the same class and name adds to the first, and may not contradict it."""
        if entry is None:
            return
        first = self._entries.get((entry.cls, entry.name))
        if first is None:
            known = self._known_id(entry)
            entry.id = f"{_NEW}{len(self._entries)}" if known is None or known in self._taken else known
            self._taken.add(entry.id)
            self._entries[entry.cls, entry.name] = entry
            return
        for key, said, again in _contradictions(first, entry):
            self._problems.add(
                entry.place,
                f"{entry.cls} {entry.name!r} is declared twice, in line {first.place.line} with {key} {said!r} "
                f"and here with {again!r}: keep one",
            )
        first.attributes |= entry.attributes
        first.label = first.label or entry.label
        first.identifiers |= entry.identifiers
        first.addresses = tuple(dict.fromkeys((*first.addresses, *entry.addresses)))

    def _known_id(self, entry: Entry) -> str | None:
        """The one known CI that an entry certainly is: by an identifier, else by class and name."""
        handles = [Handle(*one) for one in sorted(entry.identifiers)]
        ids = {match.ci for match in self._find_known(handles)}
        if not ids:
            matches = self._find_known([handle for handle in lookup.meanings(entry.name) if handle.kind == "name"])
            cis = [self._known.cis[match.ci] for match in matches]
            ids = {ci.id for ci in cis if ci.name == entry.name and ci.cls == entry.cls}
        return ids.pop() if len(ids) == 1 else None

    def _refuse_shared(self) -> None:
        """Two CIs of one file cannot have one identifier of one domain, nor one label."""
        holders: dict[tuple[object, ...], Entry] = {}
        for entry in self._entries.values():
            domain = CI_CLASSES[entry.cls].domain
            unique: list[tuple[object, ...]] = [(*one, domain) for one in sorted(entry.identifiers)]
            if entry.label is not None:
                unique.append(("label", entry.label))
            for one in unique:
                other = holders.setdefault(one, entry)
                if other is not entry:
                    self._problems.add(
                        entry.place,
                        f"{entry.cls} {entry.name!r} and {other.cls} {other.name!r} (line {other.place.line}) both "
                        f"have the {one[0]} {one[1]}: it can be of one of them only",
                    )

    def _warn_of_unknown_rooms(self) -> None:
        rooms = {name for cls, name in self._entries if cls == "room"}
        rooms |= {ci.name for ci in self._known.cis.values() if ci.cls == "room"}
        for entry in self._entries.values():
            room = None if entry.label is None else Label.parse(entry.label).room
            if room is not None and room not in rooms:
                self._problems.warn(
                    entry.place,
                    f"the label {entry.label} names the room {room}, which is not declared: add it to rooms",
                )


def _as_room(row: Row, label: str) -> dict[str, yaml.Node]:
    """The fields that make an entry of a room: its class, and the label as its name."""
    return {"class": text_node("room", row.fields["label"]), "name": text_node(label, row.fields["label"])}


def _rest_of_room(row: Row) -> dict[str, yaml.Node]:
    return {key: node for key, node in row.fields.items() if key not in {"label", "grid", "door", "class", "name"}}


def _label(node: yaml.Node) -> str:
    try:
        return str(Label.parse(str(scalar(node, str))))
    except LabelError as error:
        raise Bad(str(error)) from error


def _identifiers(scheme: str, node: yaml.Node) -> tuple[str, ...]:
    """The values of a scheme, each in its one spelling. Raises Bad."""
    written = texts(node)
    if scheme in SINGLE_VALUED and len(set(written)) > 1:
        raise Bad(f"a thing has one {scheme}, not {len(written)}")
    found = []
    for text in written:
        spelt = _SPELLINGS[scheme](text)
        if spelt is None:
            example = f", which is written as in {_EXAMPLES[scheme]}" if scheme in _EXAMPLES else ""
            raise Bad(f"{text!r} is no {scheme}{example}")
        found.append(spelt)
    return tuple(dict.fromkeys(found))


def _addresses(node: yaml.Node) -> tuple[str, ...]:
    found = []
    for text in texts(node):
        spelt = lookup.address(text)
        if spelt is None:
            raise Bad(f"{text!r} is no address, which is written as in 10.0.0.1 or 2001:db8::1")
        found.append(spelt)
    return tuple(dict.fromkeys(found))


def _attribute_names(cls: str) -> list[str]:
    """All that an entry of a class may have, for the near misses."""
    names = {name for row in lineage(cls) for name in CI_CLASSES[row].attributes}
    return sorted({*names, *SCHEMES, "label", "gateway", "address", "description", "contact", "owner", "notes"})


def _contradictions(first: Entry, second: Entry) -> list[tuple[str, object, object]]:
    found: list[tuple[str, object, object]] = []
    if first.label is not None and second.label is not None and first.label != second.label:
        found.append(("label", first.label, second.label))
    found += [
        (key, first.attributes[key], second.attributes[key])
        for key in sorted(first.attributes.keys() & second.attributes.keys())
        if first.attributes[key] != second.attributes[key]
    ]
    for scheme in sorted(SINGLE_VALUED):
        one, other = ({i.value for i in entry.identifiers if i.scheme == scheme} for entry in (first, second))
        if one and other and one != other:
            found.append((scheme, min(one), min(other)))
    return found


def _listed(cis: Sequence[CI]) -> str:
    """Those that fit; who stands in the file only has no id yet."""
    shown = ", ".join(f"{ci.name} ({ci.cls}{'' if ci.id.startswith(_NEW) else f', {ci.id}'})" for ci in cis[:_SHOWN])
    more = f" and {len(cis) - _SHOWN} more" if len(cis) > _SHOWN else ""
    return f"it fits {shown}{more}; name it by an identifier"
