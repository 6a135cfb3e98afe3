"""WHAT looked up in a store: a few queries for a few CIs, since the graph of a large site is gigabytes in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Protocol

from cmdb import lookup
from cmdb.model import CI, Relation, State
from cmdb.store.base import Handle, Match, StoredCI
from cmdb.what import alike

_COMPARED: Final = 10_000
"""With so many names a misspelt one is compared; where there are more, with those that begin as it does."""

_CI_ID: Final = re.compile(r"ci-[0-9]+")
_RELATION_ID: Final = re.compile(r"rel-[0-9]+")


class Readable(Protocol):
    """What is needed of a store."""

    def get(self, ids: Iterable[str]) -> Mapping[str, StoredCI]: ...

    def lookup(self, handles: Iterable[Handle]) -> list[Match]: ...

    def relations(self, ids: Iterable[str]) -> list[Relation]: ...

    def get_at(self, ids: Iterable[str], revision: int) -> Mapping[str, StoredCI]: ...

    def relations_at(self, ids: Iterable[str], revision: int) -> list[Relation]: ...

    def relations_by_id(self, ids: Iterable[str]) -> Mapping[str, Relation]: ...

    def beginning(self, kind: str, prefix: str, limit: int) -> list[str]: ...


class InStore:
    """A directory (`cmdb.what`) over a store; what `texts` may mean is read in one go.

    With a revision ids and cables are those of then; names are those of now. Of the id of a relation nothing is read
    then: whoever knows the graph of that revision says whether there was one.
    """

    def __init__(self, store: Readable, texts: Sequence[str] = (), at: int | None = None) -> None:
        self._store = store
        self._at = at
        given = [text.strip() for text in texts]
        self._cis: dict[str, CI | None] = {}
        ids = self.cis(given)
        handles = {handle for text in given if text not in ids for handle in lookup.meanings(text)}
        self._matches: dict[Handle, list[Match]] = {handle: [] for handle in handles}
        for match in store.lookup(handles) if handles else ():
            self._matches[match.handle].append(match)
        self.cis({match.ci for matches in self._matches.values() for match in matches})
        self._relations = {text for text in given if _RELATION_ID.fullmatch(text)}
        if at is None and self._relations:
            self._relations = set(store.relations_by_id(self._relations))

    def cis(self, ids: Iterable[str]) -> Mapping[str, CI]:
        wanted = list(ids)
        if unread := [id_ for id_ in wanted if id_ not in self._cis]:
            found = dict(self._store.get(unread))
            if self._at is not None and (ids := [id_ for id_ in unread if _CI_ID.fullmatch(id_)]):
                found |= self._store.get_at(ids, self._at)
            self._cis |= {id_: found[id_].ci if id_ in found else None for id_ in unread}
        return {id_: ci for id_ in wanted if (ci := self._cis[id_]) is not None}

    def has_relation(self, id_: str) -> bool:
        return id_ in self._relations

    def holders(self, handles: Iterable[Handle]) -> Iterable[Match]:
        wanted = list(handles)
        if unread := [handle for handle in wanted if handle not in self._matches]:
            self._matches |= {handle: [] for handle in unread}
            for match in self._store.lookup(unread):
                self._matches[match.handle].append(match)
        return [match for handle in wanted for match in self._matches[handle]]

    def relations(self, ci: str) -> Iterable[Relation]:
        return self._store.relations([ci]) if self._at is None else self._store.relations_at([ci], self._at)

    def near(self, text: str) -> list[str]:
        close = alike(text, {value.casefold(): value for kind in ("name", "label") for value in self._like(kind, text)})
        handles = [Handle(kind, value) for value in close for kind in ("name", "label")]
        matches = sorted(self.holders(handles))
        cis = self.cis({match.ci for match in matches})
        found: dict[str, list[str]] = {}
        for match in matches:
            ci = cis[match.ci]
            if match.handle.kind == "label":
                found.setdefault(match.handle.value, []).append(match.handle.value)
            elif ci.state is not State.RETIRED:
                found.setdefault(match.handle.value, []).append(ci.name)
        return [found[value][0] for value in close if value in found]

    def _like(self, kind: str, text: str) -> Sequence[str]:
        """What may be meant: everything where that is little, else what begins with as many letters as it takes."""
        wanted = text.upper() if kind == "label" else text.casefold()
        for length in range(len(wanted) + 1):
            found = self._store.beginning(kind, wanted[:length], _COMPARED)
            if len(found) < _COMPARED:
                return found
        return []
