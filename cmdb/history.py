"""What the CMDB said at another time: points in its history, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from cmdb.codec import Json, component_out, time_out, value_out
from cmdb.graph_cache import changed
from cmdb.model import CI, Change, Graph, ModelError, Relation, Revision, State
from cmdb.store.base import GraphStore, StoredCI

_PAGE = 200


class Kind(StrEnum):
    """What became of a CI or relation between two points."""

    ADDED = "added"
    CHANGED = "changed"
    RETIRED = "retired"
    RETURNED = "returned"
    REMOVED = "removed"


class Cause(NamedTuple):
    """Who made revisions, in which run, and why."""

    actor: str
    run: str | None
    reason: str


class Edit(NamedTuple):
    """One thing that differs; absent is None, the rest as plain JSON.

    `part` is field (class, name, label, state, owner, key, space, missing_since), attribute, identifier (named
    `SCHEME VALUE`), component (named `KIND NAME`), gap, end (source, target, type of a relation) or column.
    """

    part: str
    name: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Differing:
    """A CI or relation that is not the same at both points; `revisions` are those between that touched it."""

    id: str
    kind: Kind
    before: CI | Relation | None
    after: CI | Relation | None
    edits: tuple[Edit, ...]
    revisions: tuple[int, ...]

    @property
    def image(self) -> CI | Relation:
        """How it is known: as it was last."""
        image = self.after if self.after is not None else self.before
        if image is None:
            raise ModelError(f"{self.id} is at neither point")
        return image


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between two revisions, net: what was changed and changed back is not there.

    `cis` and `relations` are ordered by id. `revisions` has each revision that is named by one of them, and its time
    and cause. `names` has the name of every CI that is named here, the ends of relations included.
    """

    a: int
    b: int
    cis: tuple[Differing, ...]
    relations: tuple[Differing, ...]
    revisions: Mapping[int, tuple[datetime, Cause]]
    names: Mapping[str, str]

    def by_kind(self) -> dict[Kind, tuple[Differing, ...]]:
        """CIs, then relations, by what became of them; a kind without any is not there."""
        found = (*self.cis, *self.relations)
        return {kind: rows for kind in Kind if (rows := tuple(row for row in found if row.kind is kind))}

    def by_ci(self) -> dict[str, tuple[Differing, ...]]:
        """What differs at each CI: itself and its relations. A relation stands at both its ends."""
        found: dict[str, list[Differing]] = {row.id: [row] for row in self.cis}
        for row in self.relations:
            for end in sorted(_ends(row)):
                found.setdefault(end, []).append(row)
        return {ci: tuple(rows) for ci, rows in sorted(found.items())}

    def by_cause(self) -> dict[Cause, tuple[Differing, ...]]:
        """What differs by who made it so; what several causes touched stands at each. In order of their revisions."""
        found: dict[Cause, dict[str, Differing]] = {}
        rows = {row.id: row for row in (*self.cis, *self.relations)}
        for revision, (_, cause) in sorted(self.revisions.items()):
            found.setdefault(cause, {}).update({id_: row for id_, row in rows.items() if revision in row.revisions})
        return {cause: tuple(rows.values()) for cause, rows in found.items()}


def point(store: GraphStore, text: str) -> int:
    """The revision that a text means: a number, `now`, or an ISO time (UTC where it names no zone).

    A time means the last revision committed at or before it. Raises ModelError for what is neither, is not there yet or
    lies before all history, and Gone for what lies before what is kept.
    """
    asked = text.strip()
    if asked == "now":
        return store.position().revision
    if asked.isascii() and asked.isdigit():
        return _known(store, int(asked[:19]))
    try:
        time = datetime.fromisoformat(asked)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ModelError(
            f"{text!r} is no point in time: give a revision (42), a time (2026-03-01T12:00Z) or now"
        ) from None
    revision = revision_at(store, time)
    if not revision:
        raise ModelError(f"nothing was known at {time_out(time)}: history begins later")
    return revision


def _known(store: GraphStore, revision: int) -> int:
    newest = store.position().revision
    if revision > newest:
        raise ModelError(f"revision {revision} is not there yet: the newest is {newest}")
    return revision


def revision_at(store: GraphStore, time: datetime) -> int:
    found = 0
    for revision in store.journal():
        if revision.at > time:
            break
        found = revision.n
    return found


def difference_between(store: GraphStore, a: int, b: int) -> Difference:
    """What is not the same at revision `b` as at `a`; `a` may be the later one. Raises ModelError and Gone."""
    first, last = sorted((_known(store, a), _known(store, b)))
    before: dict[str, CI | Relation | None] = {}
    after: dict[str, CI | Relation | None] = {}
    touched: dict[str, list[int]] = {}
    revisions: dict[int, tuple[datetime, Cause]] = {}
    for revision in _between(store, first, last):
        revisions[revision.n] = (revision.at, Cause(revision.actor, revision.run, revision.reason))
        for change in revision.changes:
            before.setdefault(change.id, change.before)
            after[change.id] = change.after
            touched.setdefault(change.id, []).append(revision.n)
    if a > b:
        before, after = after, before
    rows = [
        differing(Change(id_, before[id_], after[id_]), tuple(touched[id_]))
        for id_ in sorted(touched)
        if before[id_] != after[id_]
    ]
    named = {revision for row in rows for revision in row.revisions}
    relations = tuple(row for row in rows if isinstance(row.image, Relation))
    cis = tuple(row for row in rows if isinstance(row.image, CI))
    return Difference(
        a,
        b,
        cis,
        relations,
        {n: cause for n, cause in revisions.items() if n in named},
        _names(store, cis, relations),
    )


def _between(store: GraphStore, first: int, last: int) -> Iterator[Revision]:
    while first < last:
        for revision in store.changes(first, min(_PAGE, last - first)):
            yield revision
            first = revision.n


def _names(store: GraphStore, cis: Iterable[Differing], relations: Iterable[Differing]) -> dict[str, str]:
    names = {row.id: row.image.name for row in cis if isinstance(row.image, CI)}
    others = {end for row in relations for end in _ends(row)} - names.keys()
    names |= {id_: found.ci.name for id_, found in store.get(others).items()}
    return dict(sorted(names.items()))


def _ends(row: Differing) -> set[str]:
    images = (image for image in (row.before, row.after) if isinstance(image, Relation))
    return {end for image in images for end in (image.source, image.target)}


def differing(change: Change, revisions: tuple[int, ...]) -> Differing:
    """A change as what became of its CI or relation, each thing that differs by itself."""
    return Differing(
        change.id, _kind(change.before, change.after), change.before, change.after, _edits(change), revisions
    )


def _kind(before: CI | Relation | None, after: CI | Relation | None) -> Kind:
    if before is None:
        return Kind.ADDED
    if after is None:
        return Kind.REMOVED
    if isinstance(before, CI) and isinstance(after, CI) and before.state is not after.state:
        if after.state is State.RETIRED:
            return Kind.RETIRED
        if before.state is State.RETIRED:
            return Kind.RETURNED
    return Kind.CHANGED


def _edits(change: Change) -> tuple[Edit, ...]:
    """What differs; nothing of what is only there at one point, which the image tells."""
    if change.before is None or change.after is None:
        return ()
    old, new = _told(change.before), _told(change.after)
    return tuple(
        Edit(*key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    )


def _told(image: CI | Relation) -> dict[tuple[str, str], Json]:
    if isinstance(image, Relation):
        ends = {("end", "type"): image.type, ("end", "source"): image.source, ("end", "target"): image.target}
        return ends | {("column", name): value_out(value) for name, value in image.columns.items()}
    fields: dict[str, Json] = {
        "class": image.cls,
        "space": image.space,
        "name": image.name,
        "label": image.label,
        "state": image.state.value,
        "owner": image.owner,
        "key": image.key,
        "missing_since": time_out(image.missing_since) if image.missing_since else None,
    }
    told: dict[tuple[str, str], Json] = {("field", name): value for name, value in fields.items()}
    told |= {("attribute", name): value_out(value) for name, value in image.attributes.items()}
    told |= {("identifier", f"{scheme} {value}"): True for scheme, value in image.identifiers}
    told |= {("gap", name): reason for name, reason in image.gaps.items()}
    told |= {
        ("component", f"{part.kind} {part.name}"): component_out(part).get("attributes", {})
        for part in image.components
    }
    return told


def graph_at(store: GraphStore, revision: int) -> Graph:
    """All CIs and relations at a revision, the retired included."""
    graph = Graph(0, {}, {})
    for entry in store.journal():
        if entry.n > revision:
            break
        graph = changed(graph, entry.changes, entry.n)
    return graph


def stored_at(store: GraphStore, ci: str, revision: int) -> StoredCI | None:
    """A CI at a revision, with the revision of its last change then."""
    found = None
    for entry in store.journal():
        for change in entry.changes:
            if entry.n <= revision and change.id == ci:
                found = StoredCI(change.after, entry.n) if isinstance(change.after, CI) else None
    return found
