"""A kept reply for people: what it was, and when it was said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from discovery.kept import NotReadable, Readable, readable, section_in
from operations.errors import OperationsError
from operations.evidence import EvidenceFolder


@dataclass(frozen=True, slots=True)
class Said:
    """One visit in which it was said."""

    run: str | None
    time: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What one address said for one section; `said` are the visits that are still known, the newest first."""

    hash: str
    space: str
    address: str
    section: str
    said: tuple[Said, ...]
    replies: tuple[Readable, ...]


def reply(evidence: EvidenceFolder, name: str) -> Reply:
    """The reply of a hash. Raises NotKnown (NotKept), and OperationsError where it cannot be read."""
    try:
        kept = section_in(evidence.get(name))
        replies = tuple(readable(raw) for raw in kept.replies)
    except NotReadable as error:
        raise OperationsError(f"evidence {name}: {error}") from error
    visits = evidence.visits(kept.space, kept.address)
    said = tuple(Said(visit.run, visit.time) for visit in visits if visit.sections.get(kept.section) == name)
    return Reply(name, kept.space, kept.address, kept.section, said[::-1], replies)
