"""By which rules the whole graph was projected last, so that a change of the settings is seen before it is applied."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from cmdb import codec
from cmdb.evidence import packed, unpacked
from cmdb.rules import Rules
from cmdb.store.base import Record

RULES: Final = "rules"


class KeptRules(NamedTuple):
    """The digest of the rules of the last full projection, since when they are in force, and who brought them."""

    digest: str
    since: datetime
    by: str


def rules_record(rules: Rules, now: datetime, actor: str) -> Record:
    """The one record of a store that says it."""
    return Record(RULES, RULES, packed({"digest": rules.digest, "since": codec.time_out(now), "by": actor}))


def kept(records: Callable[[str], list[Record]]) -> KeptRules | None:
    """What the store says; None where it was written by a version that did not say."""
    for record in records(RULES):
        document = unpacked(record.doc)
        return KeptRules(document["digest"], codec.time_in(document["since"]), document["by"])
    return None
