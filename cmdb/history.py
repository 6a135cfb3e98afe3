"""What the CMDB said at another time: points in its history, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cmdb.codec import Json, component_out, time_out, value_out
from cmdb.model import CI, Change, Graph, ModelError, Relation, State
from cmdb.store.base import Gone, GraphStore
from cmdb.store.past import between, check_revision
from cmdb.what import NotFound


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
        found: dict[Cause, dict[str, Differing]] = {cause: {} for _, (_, cause) in sorted(self.revisions.items())}
        for row in (*self.cis, *self.relations):
            for revision in row.revisions:
                found[self.revisions[revision][1]][row.id] = row
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
        return _known(store, int(asked[:18]))
    try:
        time = datetime.fromisoformat(asked)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ModelError(
            f"{text!r} is no point in time: give a revision (42), a time (2026-03-01T12:00Z) or now"
        ) from None
    revision = store.revision_at(time)
    if not revision:
        raise ModelError(f"nothing was known at {time_out(time)}: history begins later")
    return revision


def _known(store: GraphStore, revision: int) -> int:
    newest = store.position().revision
    if not 0 <= revision <= newest:
        raise ModelError(f"revision {revision} is not there yet: the newest is {newest}")
    check_revision(revision, store.base().revision, newest)
    return revision


def difference_between(store: GraphStore, a: int, b: int) -> Difference:
    """What is not the same at revision `b` as at `a`; `a` may be the later one. Raises ModelError and Gone."""
    first, last = sorted((_known(store, a), _known(store, b)))
    before: dict[str, CI | Relation | None] = {}
    after: dict[str, CI | Relation | None] = {}
    touched: dict[str, list[int]] = {}
    revisions: dict[int, tuple[datetime, Cause]] = {}
    for revision in between(store, first, last):
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


def trimmed(store: GraphStore, before: int | timedelta, now: datetime) -> int:
    """Forget what was before a revision, or longer ago than an age; returns the oldest revision that is left.

    Raises ModelError for a revision that is not there yet.
    """
    if isinstance(before, timedelta):
        try:
            revision = store.revision_at(now - before)
        except (Gone, OverflowError):
            return store.base().revision
    else:
        revision = max(before, store.base().revision)
    return store.trim(_known(store, revision)).revision


def neighbourhood(store: GraphStore, ci: str, depth: int, limit: int, at: int | None) -> Graph:
    """What stands around a CI, up to `depth` relations away, at most `limit` CIs, the nearest first.

    One revision of it, whatever is committed meanwhile. Raises NotFound and Gone.
    """
    revision = store.position().revision if at is None else at
    found = {id_: row.ci for id_, row in store.get_at([ci], revision).items()}
    if not found:
        raise NotFound(f"there is no CI {ci!r}" if at is None else f"there was no CI {ci!r} at revision {at}")
    relations: dict[str, Relation] = {}
    edge = {ci}
    for _ in range(depth):
        around = store.relations_at(edge, revision)
        relations |= {relation.id: relation for relation in around}
        near = sorted({end for relation in around for end in (relation.source, relation.target)} - found.keys())
        edge = set(near[: max(0, limit - len(found))])
        found |= {id_: row.ci for id_, row in store.get_at(edge, revision).items()}
    relations |= {relation.id: relation for relation in store.relations_at(edge, revision)}
    inside = {
        id_: relation
        for id_, relation in sorted(relations.items())
        if relation.source in found and relation.target in found
    }
    return Graph(revision, found, inside)
