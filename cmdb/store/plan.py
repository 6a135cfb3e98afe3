"""What a batch, a record or a query asks of a store, checked and worked out the same for every store."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring

from cmdb import codec
from cmdb.codec import Json
from cmdb.model import CI, Change, ModelError, Relation, Revision, Value, check_value
from cmdb.store.base import Base, Batch, Handle, Position, Query, Record, StoredCI, StoreError

START = Position(0, None, "0" * 64)
"""Where an empty store stands; its hash is the `prev_hash` of the first revision."""

SORTS = ("name", "label", "class", "id", "revision")
_LONGEST_KEY = 200
_WORD = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked batch: `cis` and `relations` are stored, `dropped` and `cut` removed.

    `was` holds the images before; `before` and `after` the JSON of each image.
    """

    cis: tuple[CI, ...]
    dropped: tuple[str, ...]
    relations: tuple[Relation, ...]
    cut: tuple[Relation, ...]
    was: Mapping[str, CI | Relation]
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    handles: Mapping[str, frozenset[Handle]]

    @property
    def named(self) -> frozenset[str]:
        """CIs that must be there already: ends of relations and owners of handles that the batch does not store."""
        ends = {end for relation in self.relations for end in (relation.source, relation.target)}
        return frozenset((ends | set(self.handles)) - {ci.id for ci in self.cis})


def plan(batch: Batch) -> Plan:
    """Check a batch and sort its changes. ModelError says which change is not allowed, and why."""
    twice = sorted(name for name, times in Counter(change.id for change in batch.changes).items() if times > 1)
    if twice:
        raise ModelError(f"batch {batch.reason!r}: changed more than once: {', '.join(twice)}")
    cis: list[CI] = []
    dropped: list[str] = []
    relations: list[Relation] = []
    cut: list[Relation] = []
    for change in batch.changes:
        _check_change(change)
        if isinstance(change.after, CI):
            cis.append(change.after)
        elif isinstance(change.after, Relation):
            relations.append(change.after)
        elif isinstance(change.before, Relation):
            cut.append(change.before)
        else:
            dropped.append(change.id)
    for ci, handles in batch.handles.items():
        check_text([ci, *(value for _, value in handles)], f"handles of CI {ci}")
    return Plan(
        tuple(cis),
        tuple(dropped),
        tuple(relations),
        tuple(cut),
        {change.id: change.before for change in batch.changes if change.before is not None},
        {change.id: image_json(change.before) for change in batch.changes if change.before is not None},
        {change.id: image_json(change.after) for change in batch.changes if change.after is not None},
        {ci: frozenset(handles) for ci, handles in batch.handles.items() if ci not in dropped},
    )


def _check_change(change: Change) -> None:
    images = {(type(image), image.id) for image in (change.before, change.after) if image is not None}
    if images not in ({(CI, change.id)}, {(Relation, change.id)}):
        raise ModelError(f"change of {change.id!r}: before and after must be images of one CI or relation of this id")
    _check_id(change.id, "change")
    if isinstance(change.after, CI):
        _check_word(change.after.cls, f"CI {change.id}, class")
        for part in change.after.components:
            _check_word(part.kind, f"CI {change.id}, component {part.name!a}, kind")
    elif isinstance(change.after, Relation):
        _check_word(change.after.type, f"relation {change.id}, type")
    if isinstance(change.after, CI):
        _check_values(change.after.attributes, f"CI {change.id}")
        for part in change.after.components:
            _check_values(part.attributes, f"CI {change.id}, {part.kind} {part.name}")
    elif isinstance(change.after, Relation):
        _check_values(change.after.columns, f"relation {change.id}")


def _check_values(values: Mapping[str, Value], where: str) -> None:
    for name, value in values.items():
        check_value(value, f"{where}, {name}")


def _check_word(name: str, where: str) -> None:
    # Such words become labels and types of a graph database, where they cannot be bound as values are.
    if not _WORD.fullmatch(name):
        raise ModelError(f"{where}: {name!a} is not a word of lower-case letters, digits and underscores")


def _check_id(name: str, where: str) -> None:
    if not name or "\0" in name:
        raise ModelError(f"{where}: an id must be text without NUL, got {name!a}")


def check_text(texts: Iterable[str], where: str) -> None:
    """ModelError for text that is no Unicode (half a surrogate pair): no database and no hash can take it."""
    try:
        "\n".join(texts).encode()
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise ModelError(f"{where}: {bad!r} is not valid Unicode") from None


def refuse_dangling(work: Plan, known: Iterable[str], left: Iterable[str]) -> None:
    """StoreError where a batch names CIs that are not there, or drops CIs that relations still lead to or from.

    `known` are those of `work.named` that are stored, `left` the ids of stored relations of the dropped CIs.
    """
    missing = (work.named - set(known)) | (work.named & set(work.dropped))
    if missing:
        raise StoreError(f"the batch names CIs that are not stored: {', '.join(sorted(missing))}")
    hanging = set(left) - {relation.id for relation in (*work.cut, *work.relations)}
    if hanging:
        raise StoreError(f"the batch drops CIs that relations still lead to or from: {', '.join(sorted(hanging))}")


def check_records(records: Sequence[Record]) -> None:
    """ModelError for records that a store could not keep as they are."""
    twice = [name for name, times in Counter((row.kind, row.id) for row in records).items() if times > 1]
    if twice:
        raise ModelError(f"records stored more than once in one call: {sorted(twice)}")
    for record in records:
        where = f"record {record.kind} {record.id!a}"
        check_text([record.kind, record.id, *record.keys, *record.cis], where)
        _check_id(record.id, where)
        _check_word(record.kind, f"{where}, kind")
        if record.at is not None:
            check_value(record.at, f"{where}, at")


def image_json(image: CI | Relation) -> bytes:
    """The one byte string of an image. ModelError where it holds what is no text."""
    try:
        return codec.canonical(codec.image_out(image))
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise ModelError(f"{image.id!a}: {bad!r} is not valid Unicode") from None


def ci_of(image: str | bytes) -> CI:
    """The CI of its stored image."""
    return codec.ci_in(json.loads(image))


def draft(batch: Batch, work: Plan, position: Position) -> tuple[Revision, bytes]:
    """The revision that follows `position`, with its hash, and its changes as a store keeps them."""
    at = batch.at.astimezone(UTC)
    if position.at is not None:
        at = max(at, position.at + timedelta(microseconds=1))
    n = position.revision + 1
    changes = b"[" + b",".join(_change_json(change.id, work) for change in batch.changes) + b"]"
    try:
        head = codec.canonical({"actor": batch.actor, "at": codec.time_out(at)})
        tail = codec.canonical({"n": n, "prev_hash": position.hash, "reason": batch.reason, "run": batch.run})
    except UnicodeEncodeError as error:
        bad = error.object[error.start : error.end]
        raise ModelError(f"batch {batch.reason!a}: {bad!r} is not valid Unicode") from None
    # This is codec.revision_hash: put together from parts, because a first load has 20,000 images, written once.
    digest = hashlib.sha256(b'%b,"changes":%b,%b' % (head[:-1], changes, tail[1:])).hexdigest()
    revision = Revision(n, at, batch.actor, batch.run, batch.reason, batch.changes, position.hash, digest)
    return revision, zlib.compress(changes, level=1)


def batch_of(revision: Revision) -> Batch:
    """What another store's revision did, without handles, which are no part of history."""
    return Batch(revision.changes, {}, revision.actor, revision.reason, revision.at, revision.run)


def check_replayed(made: Revision | None, revision: Revision) -> None:
    """StoreError where a revision did not become the same one here."""
    if made is None or made.hash != revision.hash:
        raise StoreError(f"revision {revision.n} cannot be the next one of this store")


def check_laid(base: Base, position: Position) -> None:
    """StoreError where another store's base is to be laid over something."""
    if position.revision not in {0, base.revision}:
        raise StoreError(f"the store stands at revision {position.revision}: only an empty one can be begun")


def laid(base: Base, cis: Sequence[StoredCI], relations: Sequence[Relation]) -> Plan:
    """What is known at another store's base, to be stored without a revision."""
    images: list[CI | Relation] = [*(row.ci for row in cis), *relations]
    changes = tuple(Change(image.id, None, image) for image in images)
    return plan(Batch(changes, {}, "", f"base at revision {base.revision}", datetime.min.replace(tzinfo=UTC)))


def _change_json(name: str, work: Plan) -> bytes:
    nothing = b"null"
    before, after = work.before.get(name, nothing), work.after.get(name, nothing)
    return b'{"after":%b,"before":%b,"id":%b}' % (after, before, encode_basestring(name).encode())


def changes_of(stored: bytes) -> tuple[Change, ...]:
    """The changes of a revision as `draft` packed them."""
    return tuple(
        Change(row["id"], codec.image_in(row["before"]), codec.image_in(row["after"]))
        for row in json.loads(zlib.decompress(stored))
    )


def fold(text: str) -> str:
    """The spelling that searches compare: compatibility forms and case do not count."""
    return unicodedata.normalize("NFKC", text.casefold()).replace("\0", " ")


def words(text: str) -> list[str]:
    """The words of a search, each of which must occur."""
    return fold(text).split()


def search_text(ci: CI, handles: Iterable[Handle]) -> str:
    """What a text search of a CI looks through: name, label, handles and text attributes, one a line."""
    lines = {ci.name, ci.label or "", *(handle.value for handle in handles)}
    for value in ci.attributes.values():
        lines.update(item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, str))
    return fold("\n".join(sorted(lines - {""})))


def attribute_key(name: str, value: Value) -> str:
    """An attribute as one line of text that is equal exactly for equal names, types and values; long ones by hash."""
    plain = 0.0 if isinstance(value, float) and not value else value
    return index_key(name, codec.value_out(plain))


def attribute_keys(ci: CI) -> list[str]:
    """The keys that `Query.attributes` finds a CI by."""
    return [attribute_key(name, value) for name, value in sorted(ci.attributes.items())]


def index_key(*parts: Json) -> str:
    """One line of text for some JSON, equal exactly for equal parts; by its hash where an index would refuse it."""
    try:
        if all(isinstance(part, str) for part in parts):  # most are: the same bytes, several times as fast
            key = f"[{','.join(map(encode_basestring, parts))}]".encode()
        else:
            key = codec.canonical(parts)
    except UnicodeEncodeError as error:
        raise StoreError(f"{error.object[error.start : error.end]!a} is not valid Unicode") from None
    return key.decode() if len(key) <= _LONGEST_KEY else "sha256:" + hashlib.sha256(key).hexdigest()


def check_query(query: Query) -> None:
    """StoreError for a query that no store can answer."""
    if query.sort not in SORTS:
        raise StoreError(f"cannot sort by {query.sort!r}; known: {', '.join(SORTS)}")
    if query.limit < 1:
        raise StoreError(f"limit must be at least 1, got {query.limit}")
    if query.after is not None and isinstance(query.after[0], int) is not (query.sort == "revision"):
        raise StoreError(f"cannot go on after {query.after[0]!r} in a list sorted by {query.sort}")


def check_count(sequence: str, count: int) -> None:
    """StoreError for a reservation of less than nothing."""
    if count < 0:
        raise StoreError(f"cannot reserve {count} numbers of sequence {sequence!r}")
