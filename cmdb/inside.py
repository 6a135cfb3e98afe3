"""What answers from inside another (a context, a blade) is not identified by what identifies the other. Pure.

Firewall contexts, VDCs and blades often answer with the serial of the chassis. They are things of their own, known by
their key inside it (a context's name, a slot), and by what they have for themselves.
"""

from __future__ import annotations

from dataclasses import replace

from cmdb.model import Identifier, Report, Section, Subject

_SERIALS = frozenset({"serial", "member_serial"})


def told_apart(report: Report) -> Report:
    """The report without the identifiers of owners in what is inside them; of an unchanged one the same object."""
    own = [one.about for section in report.sections for one in section.statements if one.about.itself]
    outer = frozenset(one for about in own if about.owner is not None for one in about.owner.identifiers)
    sections = tuple(_section(section, outer) for section in report.sections)
    return report if sections == report.sections else replace(report, sections=sections)


def _section(section: Section, outer: frozenset[Identifier]) -> Section:
    statements = tuple(replace(one, about=_subject(one.about, outer)) for one in section.statements)
    relations = tuple(
        replace(one, source=_subject(one.source, outer), target=_subject(one.target, outer))
        for one in section.relations
    )
    return replace(section, statements=statements, relations=relations)


def _subject(subject: Subject, outer: frozenset[Identifier]) -> Subject:
    """A subject by what is its own: what answered itself gives in one section what another says whose it is."""
    of_others = outer if subject.itself else frozenset[Identifier]()
    if subject.owner is not None:
        of_others |= subject.owner.identifiers
    if not (of_others and subject.identifiers):
        return subject
    serials = {one.value for one in of_others if one.scheme in _SERIALS}
    own = frozenset(
        one
        for one in subject.identifiers - of_others
        if not (one.scheme in _SERIALS and one.value in serials)
    )  # fmt: skip
    return subject if own == subject.identifiers else replace(subject, identifiers=own)
