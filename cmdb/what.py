"""WHAT: how people and programs name a CI, a cable or another relation, and what in the graph they mean by it.

ci-12                                   an id
D010210-009, CZ3A, 00-1b-21-0a-0b-0c    any identifier, in any spelling
web1                                    a name, if it is unique
sw1[Gi1/0/1]                            the cable in that port
depends_on:shop..web1                   a relation; several of them are told apart by
powered_by:web1..pdu1{feed=A}           its keys,
connects_to:sw1[Gi1/0/1]..web1          and cables by a port as well
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol, TypeAlias

from cmdb import lookup
from cmdb.model import CI, Component, Graph, ModelError, Relation, State, Value
from cmdb.schema import CABLE, RELATION_TYPES, relation_row
from cmdb.store.base import Handle, Match

Find: TypeAlias = Callable[[Iterable[Handle]], Iterable[Match]]
"""Who has one of these handles: a store's look-up, or `index` over a graph."""

_PORT = re.compile(r"(?P<ci>.+)\[(?P<port>[^\[\]]+)\]")
_RELATION = re.compile(r"(?P<type>[a-z_]+):(?P<ends>.+?)(?:\{(?P<keys>[^{}]*)\})?")
_FORMER: Final = frozenset({"former_label", "former_id"})
_SHOWN: Final = 10
"""So many candidates or ports stand in a message."""


class Candidate(NamedTuple):
    """One of several things that a text fits: a CI with its class, or a relation with its type."""

    id: str
    cls: str
    name: str


class NotFound(ModelError):
    """A text names nothing; `suggestions` are names near to it."""

    def __init__(self, message: str, suggestions: Sequence[str] = ()) -> None:
        hint = f"; did you mean {', '.join(suggestions)}?" if suggestions else ""
        super().__init__(message + hint)
        self.suggestions = tuple(suggestions)


class Ambiguous(ModelError):
    """A text names several; `candidates` are all of them."""

    def __init__(self, text: str, candidates: Sequence[Candidate]) -> None:
        listed = ", ".join(f"{one.name} ({one.cls}, {one.id})" for one in candidates[:_SHOWN])
        more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
        super().__init__(f"{text!r} fits {len(candidates)}: {listed}{more}; say which by its id")
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True)
class Target:
    """What was meant: ids of CIs and of relations, as a `Question` takes them."""

    cis: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()

    def __add__(self, other: Target) -> Target:
        return Target((*self.cis, *other.cis), (*self.relations, *other.relations))


def index(graph: Graph) -> Find:
    """A look-up over all CIs of a graph by what they have now."""
    holders: dict[Handle, list[str]] = {}
    for ci in graph.cis.values():
        for handle in lookup.handles(ci):
            holders.setdefault(handle, []).append(ci.id)
    return lambda handles: [Match(handle, id_) for handle in handles for id_ in holders.get(handle, ())]


class Directory(Protocol):
    """Where WHAT is looked up: a graph in memory, or a store, of which little is read (`cmdb.directory`)."""

    def cis(self, ids: Iterable[str]) -> Mapping[str, CI]:
        """Those that there are."""

    def has_relation(self, id_: str) -> bool: ...

    def holders(self, handles: Iterable[Handle]) -> Iterable[Match]:
        """Who has one of these handles."""

    def relations(self, ci: str) -> Iterable[Relation]:
        """The relations of a CI, both ways."""

    def near(self, text: str) -> list[str]:
        """Up to three names and labels that a misspelt text may mean."""


def meant(text: str, directory: Directory) -> Target:
    """What one WHAT means. Raises NotFound, or Ambiguous where it fits several."""
    return _Seeker(directory).target(text.strip())


def targets(text: str, graph: Graph, find: Find | None = None) -> Target:
    """The same in a graph; `find` is `index(graph)` by default."""
    return meant(text, _InGraph(graph, find))


def ci_of(text: str, graph: Graph, find: Find | None = None) -> CI:
    """The one CI that a text names. Raises NotFound or Ambiguous."""
    return _Seeker(_InGraph(graph, find)).ci(text.strip())


def fitting(text: str, graph: Graph, find: Find) -> list[CI]:
    """Every CI that a text names, for who wants to look elsewhere before saying that there is none."""
    return [graph.cis[text]] if text in graph.cis else _Seeker(_InGraph(graph, find)).fitting(text)


def near(text: str, graph: Graph) -> list[str]:
    """Up to three names and labels that a misspelt text may mean."""
    names = {ci.name.casefold(): ci.name for ci in graph.cis.values() if ci.state is not State.RETIRED}
    names |= {ci.label.casefold(): ci.label for ci in graph.cis.values() if ci.label is not None}
    return alike(text, names)


def alike(text: str, names: Mapping[str, str]) -> list[str]:
    """Up to three of some names (by how they compare) that are spelt much like a text."""
    return [names[name] for name in difflib.get_close_matches(text.casefold(), names, n=3, cutoff=0.7)]


class _InGraph:
    def __init__(self, graph: Graph, find: Find | None) -> None:
        self._graph = graph
        self._find = index(graph) if find is None else find

    def cis(self, ids: Iterable[str]) -> Mapping[str, CI]:
        return {id_: self._graph.cis[id_] for id_ in ids if id_ in self._graph.cis}

    def has_relation(self, id_: str) -> bool:
        return id_ in self._graph.relations

    def holders(self, handles: Iterable[Handle]) -> Iterable[Match]:
        return self._find(handles)

    def relations(self, ci: str) -> Iterable[Relation]:
        return [one for one in self._graph.relations.values() if ci in (one.source, one.target)]

    def near(self, text: str) -> list[str]:
        return near(text, self._graph)


class _Seeker:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def target(self, text: str) -> Target:
        if self._directory.has_relation(text):
            return Target(relations=(text,))
        # Brackets and colons may belong to a name, so a name is tried first.
        if text not in self._directory.cis([text]) and not self.fitting(text):
            if _is_relation(text):
                return self._only(text, self._relations(text))
            if _PORT.fullmatch(text):
                return self._only(text, self._cables(text))
        return Target(cis=(self.ci(text).id,))

    def ci(self, text: str) -> CI:
        if (known := self._directory.cis([text]).get(text)) is not None:
            return known
        found = self.fitting(text)
        if not found:
            raise NotFound(f"nothing is called {text!r}, nor has such an identifier", self._directory.near(text))
        if len(found) > 1:
            raise Ambiguous(text, [Candidate(ci.id, ci.cls, ci.name) for ci in found])
        return found[0]

    def fitting(self, text: str) -> list[CI]:
        """The CIs that a text fits: by identifier, and by name; who has it no more counts only where nobody has it."""
        matches = list(self._directory.holders(lookup.meanings(text)))
        known = self._directory.cis({match.ci for match in matches})
        matches = [match for match in matches if match.ci in known]
        by_identifier = {match.ci for match in matches if match.handle.kind not in {"name", *_FORMER}}
        by_name = {match.ci for match in matches if match.handle.kind == "name"}
        # Written exactly so counts more than in another case, or as the short form of a full host name.
        by_name = {id_ for id_ in by_name if known[id_].name == text} or by_name
        former = {match.ci for match in matches if match.handle.kind in _FORMER}
        ids = (by_identifier | by_name) or former
        cis = [known[id_] for id_ in sorted(ids)]
        cis = [ci for ci in cis if ci.state is not State.RETIRED] or cis
        return [ci for ci in cis if _by_more_than_a_disk(ci, text)] or cis

    def _cables(self, text: str) -> list[Relation]:
        parts = _PORT.fullmatch(text)
        if parts is None:
            return []
        ci, port = self.ci(parts["ci"].strip()), parts["port"].strip()
        cables = [(cable, _port_at(cable, ci.id)) for cable in self._directory.relations(ci.id) if cable.type == CABLE]
        found = [cable for cable, at in cables if at == port] or [
            cable for cable, at in cables if at is not None and _same_port(at, port)
        ]
        if not found:
            ports = sorted({at for _, at in cables if at is not None})
            known = f"its cabled ports are {', '.join(ports[:_SHOWN])}" if ports else "no cable of it names a port"
            raise NotFound(f"no cable in port {port!r} of {ci.name}: {known}")
        return found

    def _relations(self, text: str) -> list[Relation]:
        parts = _RELATION.fullmatch(text)
        if parts is None:
            return []
        type_ = relation_row(parts["type"])
        keys = _keys(text, parts["keys"], type_.name)
        source, source_port, target, target_port = self._ends(text, parts["ends"])
        ways = [(source, source_port, target, target_port, keys)]
        if type_.undirected:
            ways.append((target, target_port, source, source_port, _turned(keys)))
        found = [
            relation
            for relation in self._directory.relations(source.id)
            if relation.type == type_.name
            and any(
                (relation.source, relation.target) == (from_.id, to.id)
                and _has(relation, "from_port", from_port)
                and _has(relation, "to_port", to_port)
                and all(_has(relation, column, value) for column, value in wanted.items())
                for from_, from_port, to, to_port, wanted in ways
            )
        ]
        if not found:
            raise NotFound(
                f"no {type_.name} leads from {source.name} to {target.name}{f' with {keys}' if keys else ''}"
            )
        return found

    def _ends(self, text: str, ends: str) -> tuple[CI, str | None, CI, str | None]:
        """Both ends; where names themselves hold two dots, the one way to cut that leaves two that exist."""
        problem: ModelError | None = None
        for place in (found.start() for found in re.finditer(r"(?=\.\.)", ends)):
            try:
                return (*self._end(ends[:place].strip()), *self._end(ends[place + 2 :].strip()))
            except ModelError as error:
                problem = problem or error
        if problem is not None:
            raise problem
        raise NotFound(f"{text!r} names no relation: write TYPE:FROM..TO")

    def _end(self, text: str) -> tuple[CI, str | None]:
        try:
            return self.ci(text), None
        except NotFound:
            parts = _PORT.fullmatch(text)
            if parts is None:
                raise
            return self.ci(parts["ci"].strip()), parts["port"].strip()

    def _only(self, text: str, relations: Sequence[Relation]) -> Target:
        if len(relations) > 1:
            raise Ambiguous(text, [Candidate(one.id, one.type, self._title(one)) for one in relations])
        return Target(relations=(relations[0].id,))

    def _title(self, relation: Relation) -> str:
        keys = ",".join(f"{column}={value}" for column, value in sorted(relation.columns.items()))
        ends = self._directory.cis([relation.source, relation.target])
        source, target = ends[relation.source].name, ends[relation.target].name
        return f"{relation.type}:{source}..{target}{f'{{{keys}}}' if keys else ''}"


def _is_relation(text: str) -> bool:
    parts = _RELATION.fullmatch(text)
    return parts is not None and ".." in parts["ends"]


def _keys(text: str, written: str | None, type_: str) -> Mapping[str, str]:
    """The keys behind a relation, `{feed=A,port=80}`; an unknown one is refused with those that there are."""
    row = RELATION_TYPES[type_]
    found: dict[str, str] = {}
    for part in (written or "").split(","):
        column, equals, value = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if not equals or column not in {*row.keys, *row.attributes}:
            known = ", ".join((*row.keys, *row.attributes)) or "none"
            raise ModelError(f"{text!r}: {part.strip()!r} is no key of {type_}, written KEY=VALUE; known: {known}")
        found[column] = value
    return found


def _turned(keys: Mapping[str, str]) -> Mapping[str, str]:
    swap = {"from": "to", "to": "from"}
    turned = {}
    for column, value in keys.items():
        end, underscore, rest = column.partition("_")
        turned[f"{swap.get(end, end)}{underscore}{rest}"] = value
    return turned


def _has(relation: Relation, column: str, wanted: str | None) -> bool:
    return wanted is None or _same_port(_written(relation.columns.get(column)), wanted)


def _written(value: Value | None) -> str:
    """A column as people write it in WHAT."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _same_port(one: str, other: str) -> bool:
    """Ports compare without case, WWPNs in any spelling."""
    return one.casefold() == other.casefold() or (lookup.wwn(one) or one) == (lookup.wwn(other) or other)


def _port_at(cable: Relation, id_: str) -> str | None:
    """The port of a cable at one of its ends."""
    port = cable.columns.get("from_port" if cable.source == id_ else "to_port")
    return None if port is None else str(port)


def _by_more_than_a_disk(ci: CI, text: str) -> bool:
    """Whether a CI fits other than by one of its disks: a LUN is the volume first, and a disk of its servers second."""
    return not lookup.handles(replace(ci, components=tuple(_not_disks(ci)))).isdisjoint(lookup.meanings(text))


def _not_disks(ci: CI) -> Iterator[Component]:
    return (component for component in ci.components if component.kind != "disk")
