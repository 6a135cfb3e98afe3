"""By which rules the whole graph was projected last, so that a change of the settings is seen before it is applied."""

from __future__ import annotations

from typing import Final

from cmdb.evidence_records import packed, unpacked
from cmdb.rules import Rules
from cmdb.store.base import Record, Records

RULES: Final = "rules"


def rules_record(rules: Rules) -> Record:
    """The one record of a store that says it."""
    return Record(RULES, RULES, packed({"digest": rules.digest}))


def kept_digest(records: Records) -> str | None:
    """The digest of the rules of the last full projection; None where a version wrote the store that did not say."""
    return next((unpacked(record.doc)["digest"] for record in records(RULES)), None)
