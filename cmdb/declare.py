"""Declared facts: an estate file, or the same in an API write, becomes a report of the reporter `declared`.

Nothing is taken of a file that has a mistake in it; all its mistakes are said at once, each with its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cmdb.codec import Json
from cmdb.declare_entries import Entries
from cmdb.declare_relations import Groups, Links
from cmdb.difference import difference
from cmdb.estate_file import Problems, read_rows
from cmdb.model import DEFAULT_SPACE, Completeness, Graph, Report, Section

__all__ = ["Estate", "difference", "read_document", "read_estate"]


@dataclass(frozen=True, slots=True)
class Estate:
    """What a file says, as the report that says it; and what in it is odd, though not wrong."""

    report: Report
    warnings: tuple[str, ...]


def read_estate(text: str, name: str, known: Graph, now: datetime, space: str = DEFAULT_SPACE) -> Estate:
    """Read an estate file; `name` is what the file is called: what it said before under that name is replaced.

    References are looked for in the file, then among the CIs `known`. Raises ModelError with all that is wrong: file,
    line, entry, what it is and what to do.
    """
    return _read(text, Problems(name), known, now, space)


def read_document(document: Mapping[str, Json], name: str, known: Graph, now: datetime,
                  space: str = DEFAULT_SPACE) -> Estate:  # fmt: skip
    """Read the same from JSON, as an API write brings it; problems name the entry, there are no lines."""
    return _read(json.dumps(document, ensure_ascii=False), Problems(name, lined=False), known, now, space)


def _read(text: str, problems: Problems, known: Graph, now: datetime, space: str) -> Estate:
    sheets = read_rows(text, problems)
    entries = Entries(known, space, problems)
    entries.read(sheets["cis"], sheets["rooms"])
    links = Links(entries, known, problems)
    links.read(sheets["relations"])
    groups = Groups(entries, links, known, problems)
    groups.read(sheets["groups"])
    problems.raise_if_any()
    section = Section(
        name="declared",
        time=now,
        completeness=Completeness.FULL,
        statements=entries.statements(),
        relations=links.claims(),
        groups=groups.claims(),
    )
    report = Report(source=f"declared:{problems.file}", time=now, sections=(section,), space=space)
    return Estate(report, tuple(problems.warnings))
