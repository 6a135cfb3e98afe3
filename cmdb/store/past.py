"""What was: past intervals, the base that trimming leaves, and points in time, the same for every store."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from cmdb import codec
from cmdb.model import CI, Change, Relation, Revision
from cmdb.store.base import Base, Gone, GraphStore, StoreError
from cmdb.store.plan import START, image_json

NO_IMAGES = "0" * 64
GENESIS = Base(0, None, START.hash, NO_IMAGES)
"""The base of a store of which nothing was trimmed."""

STEP = 20_000
"""About how many changes one transaction of a trim forgets: other writers wait for it."""

_REVISIONS = 200

PAGE = 10
"""How many journal entries are read at once where they may be large."""


def packed(image: bytes) -> bytes:
    """An image as past intervals keep it: those of one CI are many, and much alike inside."""
    return zlib.compress(image, level=1)


def unpacked(stored: bytes) -> CI | Relation:
    """The image that `packed` made small."""
    image = codec.image_in(json.loads(zlib.decompress(stored)))
    if image is None:
        raise StoreError("a past interval holds no image: restore the store from a backup")
    return image


def check_revision(revision: int, base: int, newest: int) -> None:
    """Gone for a revision before the base, StoreError for one that is not there yet."""
    if revision < base:
        raise Gone(f"revision {revision} is not kept any more: the oldest that is kept is {base}", base)
    if revision > newest:
        raise StoreError(f"revision {revision} is not there yet: the newest is {newest}")


def check_kept(after: int, base: int) -> None:
    """Gone for changes after a revision before the base."""
    if after < base:
        raise Gone(f"the changes after revision {after} are not kept any more: go on from revision {base}", base)


def between(store: GraphStore, after: int, last: int) -> Iterator[Revision]:
    """The revisions after one and up to another. Raises Gone, and StoreError where one is missing."""
    while after < last:
        page = store.changes(after, min(_REVISIONS, last - after))
        missing = next((n for n, revision in enumerate(page, after + 1) if revision.n != n), None)
        if not page or missing is not None:
            raise StoreError(f"revision {missing or after + 1} is missing from the journal: see what verify says")
        yield from page
        after = page[-1].n


def net(revisions: Iterable[Revision]) -> list[Change]:
    """Many revisions as one change for each CI or relation, those that came and went within left out."""
    first: dict[str, CI | Relation | None] = {}
    last: dict[str, CI | Relation | None] = {}
    for revision in revisions:
        for change in revision.changes:
            first.setdefault(change.id, change.before)
            last[change.id] = change.after
    return [Change(id_, before, last[id_]) for id_, before in first.items() if before != last[id_]]


def chain(read: Callable[[int, int], list[Revision]], after: int) -> Iterator[Revision]:
    """The whole journal after its base, gaps and all: whoever proves it finds them. `read` takes (after, limit)."""
    while page := read(after, _REVISIONS):
        yield from page
        after = page[-1].n


def check_time(time: datetime, base: Base) -> None:
    """Gone for a time before the base."""
    if base.at is not None and time < base.at:
        raise Gone(
            f"what was known at {codec.time_out(time)} is not kept any more: the oldest that is kept is revision"
            f" {base.revision} of {codec.time_out(base.at)}",
            base.revision,
        )


def digest_of(images: Iterable[CI | Relation], start: str = NO_IMAGES) -> str:
    """A digest of a set of images, whatever their order, added to that of others: so it follows a journal."""
    return _sum(start, plus=images)


def paged(read: Callable[[int, int], list[Revision]], after: int) -> Iterator[Revision]:
    """The journal after a revision, page by page, as far as somebody wants it; `read` takes (after, limit)."""
    while page := read(after, PAGE):
        yield from page
        after = page[-1].n


def later_base(base: Base, entries: Iterable[Revision], before: int, most: int) -> Base:
    """The base after some journal entries that follow `base`: those up to `before`, and to about `most` changes."""
    count = 0
    for entry in entries:
        if entry.n > before or count >= most:
            break
        count += len(entry.changes)
        gone = [change.before for change in entry.changes if change.before is not None]
        come = [change.after for change in entry.changes if change.after is not None]
        base = Base(entry.n, entry.at, entry.hash, _sum(base.images, plus=come, minus=gone))
    return base


def _sum(start: str, plus: Iterable[CI | Relation], minus: Iterable[CI | Relation] = ()) -> str:
    total = int(start, 16)
    for sign, images in ((1, plus), (-1, minus)):
        for image in images:
            total += sign * int.from_bytes(hashlib.sha256(image_json(image)).digest())
    return f"{total % 2**256:064x}"


def base_out(base: Base) -> str:
    """A base as text, for a store that keeps it so."""
    return json.dumps([base.revision, codec.time_out(base.at) if base.at else None, base.hash, base.images])


def base_in(text: str) -> Base:
    revision, at, digest, images = json.loads(text)
    return Base(revision, codec.time_in(at) if at else None, digest, images)
