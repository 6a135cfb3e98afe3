"""Readings: what is measured and flaps (free space, load, uptime, counters). The newest wins, and none makes history.

They are taken out of a report before it is compared with what was said before, so that a rescan in which only they
differ is a confirmation. Kept they are by source, beside its confirmation: never in a CI's image, the journal or the
canonical graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from cmdb import codec
from cmdb.claims import Part
from cmdb.codec import Json
from cmdb.evidence_records import packed, place_key, unpacked
from cmdb.model import CI, Component, Report, Section, Statement, Subject, Value
from cmdb.project_values import Utterance, attribute_claims
from cmdb.rules import Rules
from cmdb.schema import attribute_row
from cmdb.store.base import Record, Transaction

READING: Final = "reading"


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value of a CI, or of a part of it; `time` is when it was measured, `evidence` by which reply."""

    attribute: str
    value: Value
    unit: str
    source: str
    section: str
    time: datetime
    evidence: str | None
    part: Part | None = None


class _Row(NamedTuple):
    """What a section measured of one subject."""

    about: Subject
    part: Part | None
    values: Mapping[str, Value]


def put_aside(tx: Transaction, report: Report, rules: Rules) -> Report:
    """The (normalised) report without what flaps, which is kept as readings in this transaction."""
    itself = _class_of_itself(report)
    sections, measured = [], {}
    for section in report.sections:
        rows: list[_Row] = []
        sections.append(_calm(section, itself, rules, rows))
        if rows:
            measured[section.name] = {
                "time": codec.time_out(section.time),
                "evidence": section.evidence,
                "rows": [_row_out(row) for row in rows],
            }
    if not measured:
        return report
    key = place_key(report.space, report.source)
    for record in tx.records(READING, [key]):
        for name, old in unpacked(record.doc).items():
            if name not in measured or measured[name]["time"] < old["time"]:
                measured[name] = old
    id_ = codec.digest([report.space, report.source])[:32]
    tx.put([Record(READING, id_, packed(measured), frozenset({key}), report.time)])
    return replace(report, sections=tuple(sections))


def _class_of_itself(report: Report) -> str | None:
    """The class that what answered says it has."""
    abouts = (statement.about for section in report.sections for statement in section.statements)
    return next((about.cls for about in abouts if about.itself and about.cls is not None), None)


def _calm(section: Section, itself: str | None, rules: Rules, rows: list[_Row]) -> Section:
    """A section without what flaps, which goes to `rows`."""
    if not any(_may_flap(statement, rules) for statement in section.statements):
        return section
    statements = []
    for statement in section.statements:
        about = statement.about
        cls = about.cls or (itself if about.itself else None)
        flapping = {name: value for name, value in statement.attributes.items() if rules.is_volatile(cls, name)}
        if flapping:
            rows.append(_Row(about, None, flapping))
        parts = tuple(_calm_part(part, about, rules, rows) for part in statement.components)
        statements.append(replace(statement, attributes=_without(statement.attributes, flapping), components=parts))
    return replace(section, statements=tuple(statements))


def _calm_part(part: Component, about: Subject, rules: Rules, rows: list[_Row]) -> Component:
    flapping = {name: value for name, value in part.attributes.items() if rules.is_volatile_part(part.kind, name)}
    if not flapping:
        return part
    rows.append(_Row(about, Part(part.kind, part.name), flapping))
    return replace(part, attributes=_without(part.attributes, flapping))


def _may_flap(statement: Statement, rules: Rules) -> bool:
    return not rules.flapping.isdisjoint(statement.attributes) or any(
        not rules.flapping.isdisjoint(part.attributes) for part in statement.components
    )


def _without(values: Mapping[str, Value], flapping: Mapping[str, Value]) -> Mapping[str, Value]:
    return MappingProxyType({name: value for name, value in values.items() if name not in flapping})


def _row_out(row: _Row) -> Json:
    return [codec.subject_out(row.about), row.part, codec.values_out(row.values)]


def _row_in(document: Json) -> _Row:
    about, part, values = document
    return _Row(codec.subject_in(about), None if part is None else Part(*part), codec.values_in(values))


def places_of(said: Iterable[Utterance]) -> set[str]:
    """The keys of the records in which readings of a CI may be."""
    return {place_key(one.space, one.source) for one in said}


def readings_on(said: Sequence[Utterance], records: Iterable[Record], ci: CI, rules: Rules) -> list[Reading]:
    """The newest reading of each attribute of a CI, then of its parts; `records` are those of `places_of`."""
    kept = {key: unpacked(record.doc) for record in records for key in record.keys}
    newest: dict[Any, Reading] = {}
    for reading in (*_measured(said, kept, ci), *_said_before(said, ci, rules)):
        token = (reading.part, reading.attribute)
        old = newest.get(token)
        if old is None or (reading.time, reading.source) > (old.time, old.source):
            newest[token] = reading
    return sorted(newest.values(), key=lambda one: (one.part or ("", ""), one.attribute))


def _measured(said: Iterable[Utterance], kept: Mapping[str, Json], ci: CI) -> Iterator[Reading]:
    """What was measured when a section in force was said, or confirmed, of the same subject."""
    for by in said:
        section = kept.get(place_key(by.space, by.source), {}).get(by.section)
        if section is None:
            continue
        time = codec.time_in(section["time"])
        if not by.held.since <= time <= by.held.confirmed:
            continue
        for row in map(_row_in, section["rows"]):
            if row.about == by.subject:
                for name, value in row.values.items():
                    unit = _unit(ci, row.part, name)
                    yield Reading(name, value, unit, by.source, by.section, time, section["evidence"], row.part)


def _said_before(said: Iterable[Utterance], ci: CI, rules: Rules) -> Iterator[Reading]:
    """Values of sections from before the rules said that they flap."""
    for name, claims in attribute_claims(said).items():
        if rules.is_volatile(ci.cls, name):
            for value, by in claims:
                held = by.held
                yield Reading(
                    name, value, _unit(ci, None, name), by.source, by.section, held.confirmed, held.evidence
                )  # fmt: skip


def _unit(ci: CI, part: Part | None, name: str) -> str:
    row = None if part is not None else attribute_row(ci.cls, name)
    return "" if row is None else row.unit
