"""A recording → what discovery makes of it: its family, facts and claims, as JSON that people can read line by line.

And a visit whose replies are kept → the report that today's families and parsers make of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from cmdb.model import Completeness, Report, Section
from discovery.collect import Collected, Collection, Collector
from discovery.family import Family, GetStep, RunStep, SectionStep, WalkStep
from discovery.host import refused_section
from discovery.kept import KeptReplies, KeptSection
from discovery.observe import observe
from discovery.recognise import Fingerprint, Recognition, recognise
from discovery.transport.base import Command, format_oid
from discovery.transport.recording import Ledger, RecordedShell, RecordedSnmp
from discovery.transport.replies import Replies
from discovery.visit import Visit

WHEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The time of every replay: what is expected holds no clock."""

SYS_DESCR = (1, 3, 6, 1, 2, 1, 1, 1, 0)  # SNMPv2-MIB sysDescr.0
SYS_OBJECT_ID = (1, 3, 6, 1, 2, 1, 1, 2, 0)  # SNMPv2-MIB sysObjectID.0
UNAME: Final = "uname -srm"
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Replayed:
    """`ledger` knows what of the recording was asked for."""

    recognition: Recognition
    collection: Collection
    sections: tuple[Section, ...]
    ledger: Ledger


def replay(replies: Replies, families: tuple[Family, ...]) -> Replayed:
    """Walk a recording through recognise, collect and observe. Raises LookupError where no family fits."""
    ledger = Ledger(replies)
    snmp = RecordedSnmp(replies, ledger) if replies.speaks_snmp else None
    shell = RecordedShell(replies, ledger) if replies.shell else None
    recognition = recognise(fingerprint(replies, shell), families)
    if recognition.family is None:
        raise LookupError("no family fits this recording")
    collection = Collector(snmp, shell, clock=lambda: 0.0).collect(recognition.family)
    host_key = replies.ssh.host_key.fingerprint if replies.ssh is not None else None
    sections = observe(recognition.family, collection.sections, WHEN, host_key)
    return Replayed(recognition, collection, sections, ledger)


@dataclass(frozen=True, slots=True)
class Revisited:
    """`report` has the time and run of the visit. `lacking`: section → what today's family asks and nobody asked then.

    A section that lacks something is partial: it takes nothing back. Where today's family asks it in the place of what
    was asked then, there is no report: other sections take names and keys from what this one would have said.
    """

    report: Report | None
    family: str
    lacking: Mapping[str, tuple[str, ...]]


def revisit(visit: Visit, kept: Iterable[KeptSection], families: tuple[Family, ...]) -> Revisited:
    """Walk the replies of a visit through recognise, collect and observe once more. Raises LookupError as `replay`."""
    said = tuple(kept)
    replies = KeptReplies.of(said)
    family = recognise(visit.fingerprint, families).family
    if family is None:
        raise LookupError("no family fits this visit")
    steps: list[SectionStep] = []
    lacking: dict[str, list[str]] = {}
    for step in family.steps:
        if not (visit.shell if isinstance(step, RunStep) else visit.snmp):
            continue
        known, unasked = _known_part(step, replies)
        if known is not None:
            steps.append(known)
        if unasked:
            lacking.setdefault(step.section, []).extend(unasked)
    words = {name: tuple(unasked) for name, unasked in lacking.items()}
    todays = {(step.section, asked) for step in family.steps for asked in _asked(step)}
    if any((one.section, asked) not in todays for one in said if one.section in words for asked in one.asked):
        return Revisited(None, family.name, words)
    collector = Collector(
        replies if visit.snmp else None, replies if visit.shell else None, clock=lambda: 0.0
    )  # fmt: skip
    collection = collector.collect(replace(family, steps=tuple(steps)))
    collected = [_as_known(each, visit, lacking.get(each.section, ())) for each in collection.sections]
    there = {each.section for each in collected}
    sections = (
        *observe(family, collected, visit.time, visit.host_key),
        *(refused_section(each, visit.time) for each in visit.refused if each.name not in there),
    )
    report = Report(
        source=visit.address, time=visit.time, sections=sections, space=visit.space, run=visit.run, port=visit.port
    )
    return Revisited(report, family.name, words)


def _asked(step: SectionStep) -> tuple[str, ...]:
    match step:
        case GetStep():
            return tuple(f"get {format_oid(oid)}" for oid in step.oids)
        case WalkStep():
            return tuple(f"walk {format_oid(root)}" for root in step.roots)
        case RunStep():
            return (step.command,)


def _known_part(step: SectionStep, replies: KeptReplies) -> tuple[SectionStep | None, list[str]]:
    """What of a step was asked then, and in words what was not."""
    match step:
        case GetStep():
            oids = tuple(oid for oid in step.oids if replies.knows_object(oid))
            known = replace(step, oids=oids)
            return known if oids else None, [one for one in _asked(step) if one not in _asked(known)]
        case WalkStep():
            roots = tuple(root for root in step.roots if replies.knows_root(root))
            part = replace(step, roots=roots)
            return part if roots else None, [one for one in _asked(step) if one not in _asked(part)]
        case RunStep():
            return (step, []) if replies.knows_command(step.command) else (None, list(_asked(step)))


def _as_known(collected: Collected, visit: Visit, unasked: Iterable[str]) -> Collected:
    """With the hash of the replies that it came from; partial where something was not asked then."""
    found = replace(collected, evidence=visit.sections.get(collected.section))
    words = "; ".join(f"not asked then: {one}" for one in unasked)
    if not words or found.completeness not in {Completeness.FULL, Completeness.PARTIAL}:
        return found
    problem = f"{found.problem}; {words}" if found.problem else words
    return replace(found, completeness=Completeness.PARTIAL, problem=problem)


def fingerprint(replies: Replies, shell: RecordedShell | None) -> Fingerprint:
    """What the recorded device shows of itself."""
    oid, descr = replies.gets.get(SYS_OBJECT_ID), replies.gets.get(SYS_DESCR)
    uname = shell.run([Command("uname", UNAME)])["uname"].text.strip() if shell is not None else ""
    return Fingerprint(
        oid if isinstance(oid, tuple) else None,
        descr.decode("utf-8", "replace") if isinstance(descr, bytes) else "",
        replies.ssh.banner if replies.ssh is not None else "",
        uname,
    )


def expectation(replayed: Replayed) -> str:
    """The text of an `expected.json`: facts and claims, section by section."""
    claims = {section.name: section for section in replayed.sections}
    document = {
        "family": replayed.recognition.family.name if replayed.recognition.family else None,
        "sections": {
            collected.section: {
                "completeness": claims[collected.section].completeness.value,
                "problem": claims[collected.section].problem,
                "facts": [{type(fact).__name__: plain(fact)} for fact in collected.facts],
                "statements": [plain(statement) for statement in claims[collected.section].statements],
                "relations": [plain(relation) for relation in claims[collected.section].relations],
            }
            for collected in replayed.collection.sections
        },
    }
    return _lines(_without_nothing(document), "") + "\n"


def _lines(value: Any, margin: str) -> str:
    """JSON with a line for what fits on one: a fact, a component, a relation."""
    whole = json.dumps(value, ensure_ascii=False)
    if len(whole) + len(margin) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return whole
    inner = margin + " "
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(name)}: {_lines(item, inner)}" for name, item in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{margin}}}"
    return "[\n" + ",\n".join(inner + _lines(item, inner) for item in value) + f"\n{margin}]"


def plain(value: Any) -> Any:
    """Frozen values as JSON: fields that say nothing are left out, sets are sorted."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case frozenset():
            return sorted((plain(item) for item in value), key=json.dumps)
        case tuple() if hasattr(value, "_fields"):
            return list(value)
        case tuple() | list():
            return [plain(item) for item in value]
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case _ if is_dataclass(value):
            named = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
            return _without_nothing(named)
        case _:
            return value


def _without_nothing(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out None, empty texts and empty containers; False and 0 say something, but for flags of a subject."""
    found: dict[str, Any] = {}
    for name, value in document.items():
        kept = _without_nothing(value) if isinstance(value, dict) and name not in {"attributes", "columns"} else value
        if kept not in (None, "", [], {}) and not (kept is False and name in {"itself", "declared"}):
            found[name] = kept
    return found
