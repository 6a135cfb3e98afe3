"""Which person stands behind what is declared: a value that was entered by hand, or a file.

A section says what a source says; who brought it is kept beside it, by source and, of values by hand, by attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from cmdb import codec
from cmdb.claims import ClaimView
from cmdb.evidence_records import packed, place_key, unpacked
from cmdb.store.base import Record, Transaction

SPEAKER: Final = "speaker"
_ALL: Final = ""
"""The attribute under which it is kept who declared a file."""


def note(tx: Transaction, space: str, source: str, values: Iterable[str], actor: str, now: datetime) -> None:
    """Keep who entered these values of a source; without any, who declared all that it says."""
    key = place_key(space, source)
    said = {name: [actor, codec.time_out(now)] for name in values} or {_ALL: [actor, codec.time_out(now)]}
    known: Mapping[str, list[str]] = next((unpacked(record.doc) for record in tx.records(SPEAKER, [key])), {})
    if any(known.get(name, [None])[0] != actor or name != _ALL for name in said):
        id_ = codec.digest([space, source])[:32]
        tx.put([Record(SPEAKER, id_, packed({**known, **said}), frozenset({key}))])


def named(
    claims: Iterable[ClaimView], space: str, records: Callable[[str, Iterable[str]], list[Record]]
) -> list[ClaimView]:
    """The claims, those of declared sources with who declared them; one by hand is as old as it was entered."""
    every = list(claims)
    sources = {claim.source for claim in every if claim.source.startswith("declared:")}
    if not sources:
        return every
    keys = {place_key(space, source): source for source in sources}
    by: dict[str, Mapping[str, list[str]]] = {
        keys[key]: unpacked(record.doc) for record in records(SPEAKER, keys) for key in record.keys if key in keys
    }
    return [_named(claim, by.get(claim.source, {})) for claim in every]


def _named(claim: ClaimView, by: Mapping[str, list[str]]) -> ClaimView:
    if claim.attribute in by:
        actor, time = by[claim.attribute]
        return replace(claim, by=actor, since=codec.time_in(time))
    return replace(claim, by=by[_ALL][0]) if _ALL in by else claim
