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

_RELATION_ID: Final = re.compile(r"rel-[0-9]+")


class Readable(Protocol):
    """What is needed of a store."""

    def get(self, ids: Iterable[str]) -> Mapping[str, StoredCI]: ...

    def lookup(self, handles: Iterable[Handle]) -> list[Match]: ...

    def relations(self, ids: Iterable[str]) -> list[Relation]: ...

    def relations_by_id(self, ids: Iterable[str]) -> Mapping[str, Relation]: ...

    def beginning(self, kind: str, prefix: str, limit: int) -> list[str]: ...


class InStore:
    """A directory (`cmdb.what`) over a store; what `texts` may mean is read in one go."""

    def __init__(self, store: Readable, texts: Sequence[str] = ()) -> None:
        self._store = store
        given = [text.strip() for text in texts]
        self._cis: dict[str, CI | None] = {}
        ids = self.cis(given)
        handles = {handle for text in given if text not in ids for handle in lookup.meanings(text)}
        self._matches: dict[Handle, list[Match]] = {handle: [] for handle in handles}
        for match in store.lookup(handles) if handles else ():
            self._matches[match.handle].append(match)
        self.cis({match.ci for matches in self._matches.values() for match in matches})
        named = {text for text in given if _RELATION_ID.fullmatch(text)}
        self._relations: Mapping[str, Relation] = store.relations_by_id(named) if named else {}

    def cis(self, ids: Iterable[str]) -> Mapping[str, CI]:
        wanted = list(ids)
        if unread := [id_ for id_ in wanted if id_ not in self._cis]:
            found = self._store.get(unread)
            self._cis |= {id_: found[id_].ci if id_ in found else None for id_ in unread}
        return {id_: ci for id_ in wanted if (ci := self._cis[id_]) is not None}

    def relation(self, id_: str) -> Relation | None:
        return self._relations.get(id_)

    def holders(self, handles: Iterable[Handle]) -> Iterable[Match]:
        wanted = list(handles)
        if unread := [handle for handle in wanted if handle not in self._matches]:
            self._matches |= {handle: [] for handle in unread}
            for match in self._store.lookup(unread):
                self._matches[match.handle].append(match)
        return [match for handle in wanted for match in self._matches[handle]]

    def relations(self, ci: str) -> Iterable[Relation]:
        return self._store.relations([ci])

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
