"""The history of one CI: the revisions that changed it or its relations, each with what it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cmdb.history import Differing, differing
from cmdb.model import CI, Change, Relation
from cmdb.store.base import GraphStore, Heading


@dataclass(frozen=True, slots=True)
class Touch:
    """What one revision changed of a CI: itself, and its relations, ordered by id, itself first."""

    heading: Heading
    changed: tuple[Differing, ...]


@dataclass(frozen=True, slots=True)
class Touches:
    """Revisions that changed a CI, newest first. `names` has those of the CIs at the ends of its relations.

    `before` is what to ask before next; None where nothing older is kept.
    """

    touches: tuple[Touch, ...]
    names: Mapping[str, str]
    before: int | None


def touches_of(store: GraphStore, ci: str, before: int, limit: int) -> Touches:
    """The last `limit` revisions before one that changed a CI."""
    headings = store.touches(ci, before, limit + 1)
    found = tuple(Touch(heading, _changed(store, ci, heading.n)) for heading in headings[:limit])
    ends = {
        end
        for touch in found
        for row in touch.changed
        if isinstance(row.image, Relation)
        for end in (row.image.source, row.image.target)
    }
    names = {id_: stored.ci.name for id_, stored in store.get(ends).items()}
    return Touches(found, names, headings[limit - 1].n if len(headings) > limit else None)


def _changed(store: GraphStore, ci: str, revision: int) -> tuple[Differing, ...]:
    before, after = _images(store, ci, revision - 1), _images(store, ci, revision)
    ids = sorted(before.keys() | after.keys(), key=lambda id_: (id_ != ci, id_))
    return tuple(
        differing(Change(id_, before.get(id_), after.get(id_)), (revision,))
        for id_ in ids
        if before.get(id_) != after.get(id_)
    )


def _images(store: GraphStore, ci: str, revision: int) -> dict[str, CI | Relation]:
    images: dict[str, CI | Relation] = {row.id: row for row in store.relations_at([ci], revision)}
    if (stored := store.get_at([ci], revision).get(ci)) is not None:
        images[ci] = stored.ci
    return images
