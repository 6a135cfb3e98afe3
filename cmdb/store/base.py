"""The store contract. A store keeps, finds and chains; it never decides: meaning stays in resolve, project, impact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from cmdb.model import CI, Change, Graph, Relation, Revision, Value

SCHEMA_VERSION = 3


class StoreError(Exception):
    """The store cannot do what was asked; says what, where, and what to do."""


class StoreUnavailable(StoreError):
    """The store does not answer (server down, wrong password, file not writable, lock not got in time)."""


class StoreTooNew(StoreError):
    """The store was written by a newer version of this program; it is not touched."""


class Gone(StoreError):
    """What was asked about lies before what is kept of history; `oldest` is the oldest revision to ask for."""

    def __init__(self, message: str, oldest: int) -> None:
        super().__init__(message)
        self.oldest = oldest


class Handle(NamedTuple):
    """What a CI is looked up by: `kind` is label, former_label, former_id, serial, uuid, member_serial, wwn, mac,
    host_key, address, name; `value` is normalised (`cmdb.lookup`)."""

    kind: str
    value: str


class Match(NamedTuple):
    """A CI found by a handle."""

    handle: Handle
    ci: str


class StoredCI(NamedTuple):
    """A CI and the revision of its last change."""

    ci: CI
    revision: int


class Past(NamedTuple):
    """How a CI or relation was from revision `since` on, until revision `until` changed or removed it."""

    since: int
    until: int
    image: CI | Relation


class Heading(NamedTuple):
    """What a revision says of itself, without its changes: of a first declaration those are many."""

    n: int
    at: datetime
    actor: str
    run: str | None
    reason: str


class Base(NamedTuple):
    """The oldest revision that can be asked for: 0 until history is trimmed, which had no time and no images.

    `hash` is what the first journal entry that is kept follows. `images` is the digest of the CIs and relations at this
    revision (`plan.digest_of`): what journal and past intervals give back is proven by it.
    """

    revision: int
    at: datetime | None
    hash: str
    images: str


@dataclass(frozen=True, slots=True)
class Record:
    """A document of evidence: a section, a sighting's head, a run section, a decision, an identity, a confirmation.

    `doc` is compressed JSON that only resolve and project read. `keys` are what it is found by inside its kind. `at` is
    a time that lists filter by (last confirmed). `cis` are the CIs it speaks of (`(:Section)-[:FROM]->(:CI)`).
    """

    kind: str
    id: str
    doc: bytes
    keys: frozenset[str] = frozenset()
    at: datetime | None = None
    cis: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """A change of the graph to be committed as one revision; `handles` is the full new set of each CI it names."""

    changes: tuple[Change, ...]
    handles: Mapping[str, frozenset[Handle]]
    actor: str
    reason: str
    at: datetime
    run: str | None = None


class CodedCIs(NamedTuple):
    """Some CIs, in any order. Numbers are decimal, with commas between.

    `codes` are `coding.ci_code` with the number of a word, the text of the gaps, from bit `CI_WORD_SHIFT` on; `names`
    are UTF-8, end to end, and `lengths` those of each in bytes.
    """

    keys: str
    codes: str
    lengths: str
    names: bytes


class CodedRelations(NamedTuple):
    """Some relations, in any order. Numbers as in CodedCIs.

    `ends` are the key of the source << 32 | that of the target; `codes` are `coding.relation_code` with the numbers of
    its two words from bits `WORD_A_SHIFT` and `WORD_B_SHIFT` on.
    """

    keys: str
    ends: str
    codes: str


CI_WORD_SHIFT: Final = 16
WORD_A_SHIFT: Final = 11
WORD_B_SHIFT: Final = 37


@dataclass(frozen=True, slots=True)
class Coded:
    """All CIs and relations of one revision as integers (`cmdb.coding`), to be read once, in the order of the fields.

    A CI or relation may come twice, equal both times.
    `hash` is that of the revision in the journal; empty where the revision was named. The key of `ci-N` or `rel-N` is
    N; ids of any other form have negative keys, which `strange_cis` and `strange_relations` tell. `words` are numbered
    from 1 on, some of them used by nobody; 0 is the empty one. `extras` are `coding.extra_text` by the key of the CI.
    """

    revision: int
    hash: str
    cis: Iterable[CodedCIs]
    relations: Iterable[CodedRelations]
    words: Iterable[tuple[int, str]]
    extras: Iterable[tuple[int, str]]
    strange_cis: Iterable[tuple[int, str]]
    strange_relations: Iterable[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Query:
    """A list of CIs: filters that must all hold, a sort, and where to go on.

    `classes` are concrete. `places` are ids: the CI has a located_in to one of them, or is one. `confirmed_before` and
    `confirmed_after` compare with the newest `at` of the `confirmation` records that name the CI. `text` is searched in
    name, label, handles and text attributes, case-insensitively, every word anywhere. `sort` is name, label, class, id
    or revision, the id breaking ties; `after` is the (sort value, id) of the last row seen.
    """

    classes: frozenset[str] | None = None
    attributes: tuple[tuple[str, Value], ...] = ()
    places: frozenset[str] | None = None
    label_prefix: str | None = None
    states: frozenset[str] | None = None
    space: str | None = None
    confirmed_before: datetime | None = None
    confirmed_after: datetime | None = None
    text: str | None = None
    sort: str = "name"
    after: tuple[str | int, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Position:
    """Where a store stands: the last revision, its time and hash, and a counter of every write of evidence."""

    revision: int
    at: datetime | None
    hash: str
    evidence: int = 0


class Transaction(Protocol):
    """A write transaction: it holds the revision lock, sees the present, and commits all or nothing."""

    @property
    def position(self) -> Position: ...

    def records(self, kind: str, keys: Iterable[str] | None = None, before: datetime | None = None) -> list[Record]:
        """The records of a kind, ordered by id: all, or those with any of the keys, or with an `at` up to `before`."""

    def put(self, records: Sequence[Record]) -> None:
        """Store records, replacing those of the same (kind, id). Counts as a write of evidence."""

    def drop(self, kind: str, ids: Sequence[str]) -> None: ...

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]: ...

    def relations(self, ids: Iterable[str]) -> list[Relation]: ...

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]: ...

    def reserve(self, sequence: str, count: int) -> int:
        """Take `count` numbers of a named sequence (`ci`, `relation`, `record`); returns the first, from 1 on."""

    def apply(self, batch: Batch) -> Revision | None:
        """Commit the batch as the next revision: gapless, its time max(previous + 1 µs, batch.at), chained by hash.

        A batch without changes takes no revision and returns None. Once per transaction at most.
        """

    # To copy a store into an empty one.

    def lay(self, base: Base, cis: Sequence[StoredCI], relations: Sequence[Relation]) -> None:
        """Begin where another store's trimmed history begins, with some of what was known there; before any revision.

        Relations are known as from the base on, CIs as from their own revisions.
        """

    def replay(self, revision: Revision) -> None:
        """Commit another store's next revision as it is, also several in one transaction. StoreError if it is none."""


class Records(Protocol):
    """Reads records, as a store and a transaction do."""

    def __call__(self, kind: str, keys: Iterable[str] | None = None) -> list[Record]: ...


class GraphStore(Protocol):
    """A store of either kind. Every method raises only StoreError or its subclasses."""

    def write(self) -> AbstractContextManager[Transaction]:
        """Take the revision lock, yield, commit; on an exception nothing of it is kept."""

    def position(self) -> Position: ...

    def records(
        self,
        kind: str,
        keys: Iterable[str] | None = None,
        cis: Iterable[str] | None = None,
        before: datetime | None = None,
    ) -> list[Record]:
        """Outside a transaction; `cis` narrows to the records that speak of one of these CIs."""

    def get(self, ids: Iterable[str]) -> dict[str, StoredCI]: ...

    def lookup(self, handles: Iterable[Handle], space: str | None = None) -> list[Match]:
        """Every CI that has one of the handles, ordered by (handle, CI id)."""

    def handles(self, ids: Iterable[str]) -> dict[str, frozenset[Handle]]: ...

    def find(self, query: Query) -> list[StoredCI]: ...

    def count(self, query: Query) -> int: ...

    def relations(self, ids: Iterable[str], types: Iterable[str] | None = None) -> list[Relation]:
        """The relations with an end among `ids`, ordered by id."""

    def relations_by_id(self, ids: Iterable[str]) -> dict[str, Relation]:
        """Those that there are now."""

    def beginning(self, kind: str, prefix: str, limit: int) -> list[str]:
        """The first values, in no set order, of handles of a kind that begin with a text."""

    def topology(self) -> Graph:
        """All CIs and relations at one revision, the retired included; never a torn state."""

    def coded(self, revision: int | None = None) -> AbstractContextManager[Coded]:
        """All CIs and relations of now, or of a revision, as integers, to be read before the context ends.

        A file gives them in little time and memory. A revision before the base raises Gone, one that is not there yet
        StoreError.
        """

    # At another time: a revision before the base raises Gone, one that is not there yet StoreError.

    def get_at(self, ids: Iterable[str], revision: int) -> dict[str, StoredCI]:
        """The CIs as they were at a revision, with the revision of their last change then."""

    def relations_at(self, ids: Iterable[str], revision: int) -> list[Relation]:
        """The relations that had an end among `ids` at a revision, ordered by id."""

    def topology_at(self, revision: int) -> Graph:
        """All CIs and relations of a revision."""

    def revision_at(self, time: datetime) -> int:
        """The last revision committed at or before a time; 0 before the first. Raises Gone for one before the base."""

    def base(self) -> Base: ...

    def kinds(self) -> list[str]:
        """The kinds of records that there are, in order."""

    def sequences(self) -> dict[str, int]:
        """The last number taken of each sequence."""

    def trim(self, before: int) -> Base:
        """Forget what was before a revision, which becomes the base: the journal up to it, what had ended by then.

        An earlier one than the base changes nothing. May stop half-way, at a base between, and be called again.
        """

    def past(self, first: int, last: int) -> list[Past]:
        """The intervals that ended in the revisions `first` to `last`, ordered by (until, id)."""

    def touches(self, ci: str, before: int, limit: int) -> list[Heading]:
        """The last revisions before one that changed a CI or a relation of it, newest first; those that are kept."""

    def changes(self, after: int, limit: int = 1000) -> list[Revision]:
        """The revisions after `after`, in order. Raises Gone where those that follow it were trimmed.

        What this process committed last comes from its memory, where the journal has the same hash.
        """

    def journal(self) -> Iterator[Revision]:
        """The whole chain from its base as it is stored, for verification."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Verification:
    """What `cmdb verify` found: how many revisions, and each break of the chain in words."""

    revisions: int
    problems: tuple[str, ...] = field(default=())
