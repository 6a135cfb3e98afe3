"""What a person should mend, with who should mend it: problems with owners, filtered as people ask for them.

The problems are the projection's (`cmdb.project_problems`); who owns what they are about is worked out when it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from cmdb import schema
from cmdb.claims import ClaimView
from cmdb.evidence import Held, Sighting, World
from cmdb.evidence_records import unpacked
from cmdb.model import CI, Graph, ModelError, Relation, Subject
from cmdb.store.base import Record

KINDS: Final = (
    "conflict", "unidentified", "declared_name", "label_twice", "name_twice", "address_twice", "unknown_room",
    "two_places", "one_sided_cable", "relation_unfit", "no_family", "retired_answers", "section_denied",
    "section_failed", "section_partial",
)  # fmt: skip
"""All kinds of problems, those that a person has to decide first."""

_VALUES: Final = {
    "label_twice": ("label",), "unknown_room": ("label",), "two_places": ("label",), "name_twice": ("name",),
    "declared_name": ("name",), "address_twice": ("address",), "no_family": ("class", "sys_object_id"),
}  # fmt: skip
"""Kinds that hang on values, and on which."""

_RELATIONS: Final = {"one_sided_cable": "connects_to", "relation_unfit": "", "two_places": "located_in"}
"""Kinds that hang on relations, and on which type; "": on that which the text begins with."""


@dataclass(frozen=True, slots=True)
class Mending:
    """Something that a person should mend: about which CIs (ids), since when, and the names of its owners.

    They are those of the CIs, or of what these are inside.
    """

    kind: str
    about: tuple[str, ...]
    text: str
    since: datetime
    owners: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """Which problems somebody asks for: any of a kind, about a class (subclasses included), in places, of an owner.

    An owner "" asks for what nobody owns.
    """

    kind: str | None = None
    cls: str | None = None
    places: frozenset[str] | None = None
    owner: str | None = None


class Witness(NamedTuple):
    """What a problem hangs on: which source said it in which section, when last, and by which reply."""

    source: str
    section: str
    confirmed: datetime
    evidence: str | None
    text: str


Relations = Callable[[Collection[str], Collection[str]], Iterable[Relation]]
"""The relations of some types with an end among some CIs."""


def mendings(problems: Iterable[Mending], graph: Graph, relations: Relations, wanted: Wanted) -> list[Mending]:
    """The problems that are wanted, with their owners. Raises ModelError for an unknown kind or class."""
    every = list(problems)
    kinds = [*KINDS, *sorted({one.kind for one in every} - set(KINDS))]
    if wanted.kind is not None and wanted.kind not in kinds:
        raise ModelError(f"unknown kind of problem {wanted.kind!r}; known: {', '.join(kinds)}")
    classes = None if wanted.cls is None else schema.subclasses(wanted.cls)
    found = [one for one in every if wanted.kind in {None, one.kind} and _is_of(one, graph, classes)]
    found.sort(key=lambda one: (kinds.index(one.kind), one.text, one.about))
    near = _Near(graph, found, relations)
    if wanted.places is not None:
        found = [one for one in found if not wanted.places.isdisjoint(near.places(one))]
    told = [replace(one, owners=near.owners(one)) for one in found]
    if wanted.owner is None:
        return told
    owner = wanted.owner.casefold()
    return [one for one in told if owner in {name.casefold() for name in one.owners or ("",)}]


def _is_of(problem: Mending, graph: Graph, classes: Collection[str] | None) -> bool:
    return classes is None or any(id_ in graph.cis and graph.cis[id_].cls in classes for id_ in problem.about)


class _Near:
    """What stands around the CIs that problems are about: whose they are and where they stand."""

    def __init__(self, graph: Graph, problems: Iterable[Mending], relations: Relations) -> None:
        self._cis: Mapping[str, CI] = graph.cis
        self._teams: dict[str, set[str]] = {}
        self._places: dict[str, set[str]] = {}
        every = {outer.id for one in problems for id_ in one.about for outer in self._outwards(id_)}
        for relation in relations(every, ("owned_by", "located_in")) if every else ():
            kept = self._teams if relation.type == "owned_by" else self._places
            kept.setdefault(relation.source, set()).add(relation.target)

    def _outwards(self, id_: str) -> Iterable[CI]:
        """A CI, then what it is inside."""
        seen: set[str] = set()
        at: str | None = id_
        while at is not None and at not in seen and at in self._cis:
            seen.add(at)
            yield self._cis[at]
            at = self._cis[at].owner

    def owners(self, problem: Mending) -> tuple[str, ...]:
        return tuple(sorted({owner for id_ in problem.about for owner in self._owners(id_)}))

    def _owners(self, id_: str) -> set[str]:
        """Its `owner` attribute and the teams it is owned by; else those of what it is inside."""
        for ci in self._outwards(id_):
            found = {self._cis[team].name for team in self._teams.get(ci.id, ()) if team in self._cis}
            given = ci.attributes.get("owner")
            if isinstance(given, str):
                found.add(given)
            if found:
                return found
        return set()

    def places(self, problem: Mending) -> set[str]:
        """Where the CIs stand, and those that are places."""
        return {
            place
            for id_ in problem.about
            for ci in self._outwards(id_)
            for place in (ci.id, *self._places.get(ci.id, ()))
        }


class Heard(NamedTuple):
    """What one source said, and whom all its words are about."""

    cis: frozenset[str]
    sighting: Sighting


def heard(confirmations: Iterable[Record], world: World) -> list[Heard]:
    """What the sources of some confirmation records said."""
    places = [(record.cis, unpacked(record.doc)) for record in confirmations]
    return [
        Heard(cis, sighting) for cis, place in places for sighting in world.at(place["space"], place["source"])
    ]  # fmt: skip


def witnesses(
    problem: Mending, claims: Mapping[str, Sequence[ClaimView]], said: Iterable[Heard]
) -> list[Witness]:  # fmt: skip
    """Who says what a problem hangs on; `claims` are those on each CI that it is about."""
    about = frozenset(problem.about)
    every = [claim for id_ in problem.about for claim in claims.get(id_, ())]
    own = {claim.source for claim in every if claim.own}
    found = {
        Witness(claim.source, claim.section, claim.confirmed, claim.evidence, f"{claim.attribute} {claim.value}")
        for claim in every
        if _hangs_on(problem, claim)
    }
    for cis, sighting in said:
        if problem.kind.startswith("section_"):
            if sighting.source in own or not own:
                found.update(_refusals(problem, sighting))
        elif problem.kind == "unidentified":
            found.update(_namings(problem, sighting))
        elif problem.kind in _RELATIONS and about <= cis:
            found.update(_related(problem, sighting))
    return sorted(found, key=lambda one: (one.source, one.section, one.text, one.confirmed))


def _hangs_on(problem: Mending, claim: ClaimView) -> bool:
    if problem.kind == "conflict":
        return f"the {claim.attribute} {claim.value} " in problem.text
    if problem.kind == "address_twice":
        part = claim.part
        return part is not None and part.kind == "address" and f" {claim.value} " in problem.text
    return claim.part is None and claim.won and claim.attribute in _VALUES.get(problem.kind, ())


def _refusals(problem: Mending, sighting: Sighting) -> Iterator[Witness]:
    """What was denied, what failed, and what came in part."""
    for name, kept in sighting.sections.items():
        if f" section {name} " not in problem.text:
            continue
        refusal = kept.refusal
        if refusal is not None and problem.kind == f"section_{refusal.completeness}":
            text = refusal.problem or refusal.completeness.value
            yield Witness(sighting.source, name, refusal.time, None, text)
        elif problem.kind == "section_partial":
            for held in kept.partials:
                text = held.section.problem or "in part"
                yield Witness(sighting.source, name, held.confirmed, held.evidence, text)


def _related(problem: Mending, sighting: Sighting) -> Iterator[Witness]:
    """The relations that a problem tells of: by their type, and cables by a port."""
    words = problem.text.split()
    type_ = words[0] if problem.kind == "relation_unfit" else _RELATIONS[problem.kind]
    for name, held in _held(sighting):
        for claim in held.section.relations:
            ports = {key: port for key in ("from_port", "to_port") if (port := claim.columns.get(key)) is not None}
            if claim.type == type_ and (not ports or any(port in words for port in ports.values())):
                text = " ".join((claim.type, *(f"{key}={port}" for key, port in ports.items())))
                yield Witness(sighting.source, name, held.confirmed, held.evidence, text)


def _namings(problem: Mending, sighting: Sighting) -> Iterator[Witness]:
    """Who names what nobody knows."""
    for name, held in _held(sighting):
        subjects = [statement.about for statement in held.section.statements]
        subjects += [end for claim in held.section.relations for end in (claim.source, claim.target)]
        if any(_is_named(problem, one) for one in subjects):
            yield Witness(sighting.source, name, held.confirmed, held.evidence, "names it")


def _is_named(problem: Mending, subject: Subject) -> bool:
    texts = [value for _, value in subject.identifiers] or [text for text in (subject.name, subject.address) if text]
    return not subject.itself and any(f" {text} " in f" {problem.text} " for text in texts)


def _held(sighting: Sighting) -> Iterator[tuple[str, Held]]:
    return ((name, held) for name, kept in sighting.sections.items() for held in kept.held)
