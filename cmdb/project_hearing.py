"""What one section says of whom, taken down once: it stays the same until the section does, or gets stale. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmdb.lines import Said
from cmdb.model import GroupClaim, RelationClaim, Statement, Subject
from cmdb.nodes import Key, Voice, is_inside, kind_of, subject_key
from cmdb.project_values import Utterance
from cmdb.schema import CABLE


@dataclass(slots=True)
class Words:
    """What concerns one node: what is said of it (None: it is only named), relations, groups, and whose leg it is."""

    told: list[Utterance | None] = field(default_factory=list)
    claims: list[tuple[Key, Key, RelationClaim, Utterance]] = field(default_factory=list)
    groups: list[tuple[GroupClaim, Utterance]] = field(default_factory=list)
    leg_of: list[Key] = field(default_factory=list)

    def of_it(self) -> list[object]:
        """What tells whether something else is said of a node itself: all but by whom, and when."""
        return [
            [None if one is None else (one.subject, one.statement, one.kind, one.stale) for one in self.told],
            [(claim, by.stale) for claim, by in self.groups],
        ]

    def led_from(self, key: Key) -> list[object]:
        """The same of the relations that lead from it, or are declared of either end."""
        return [
            (claim, by.kind, by.stale)
            for source, _, claim, by in self.claims
            if source == key or (claim.type == CABLE and by.kind == "declared")
        ]


@dataclass(slots=True)
class Heard:
    """What a section says, by the node that it concerns."""

    voice: Voice
    of: dict[Key, Words] = field(default_factory=dict)

    def at(self, key: Key) -> Words:
        return self.of.setdefault(key, Words())


def heard(voice: Voice, said: Said, *, stale: bool, aside: bool) -> Heard:
    """Listen to a section. In an aside what it says of the speaker itself does not count."""
    return _Ear(voice, said, stale=stale, aside=aside).heard()


class _Ear:
    def __init__(self, voice: Voice, said: Said, *, stale: bool, aside: bool) -> None:
        self._voice = voice
        self._said = said
        self._stale = stale
        self._aside = aside
        self._keys: dict[Subject, Key] = {}
        self._heard = Heard(voice)

    def heard(self) -> Heard:
        section = self._said.held.section
        for statement in section.statements:
            self._tell(statement.about, statement)
        for claim in section.relations:
            source, target = self._tell(claim.source), self._tell(claim.target)
            inside = is_inside(claim.source) or is_inside(claim.target)
            by = self._utterance(claim.source, None, kind_of(self._said.name, inside=inside))
            for key in {source, target}:
                self._heard.at(key).claims.append((source, target, claim, by))
        for group in section.groups:
            by = self._utterance(group.of, None, kind_of(self._said.name, inside=True))
            of = self._tell(group.of)
            self._heard.at(of).groups.append((group, by))
            for leg in (*group.legs, group.active):
                if isinstance(leg, Subject):
                    self._heard.at(self._key(leg)).leg_of.append(of)
        return self._heard

    def _key(self, subject: Subject) -> Key:
        return subject_key(subject, self._voice.space, self._voice.key)

    def _utterance(self, subject: Subject, statement: Statement | None, kind: str) -> Utterance:
        voice = self._voice
        return Utterance(
            subject, statement, kind, is_inside(subject), self._stale, voice.space, voice.source, self._said.name,
            self._said.held,
        )  # fmt: skip

    def _tell(self, subject: Subject, statement: Statement | None = None) -> Key:
        """Take down what is said; a subject that is only named again says nothing more."""
        known = self._keys.get(subject)
        if known is not None and statement is None:
            return known
        key = self._keys[subject] = self._key(subject)
        if subject.owner is not None:
            self._tell(subject.owner)
        kind = kind_of(self._said.name, inside=is_inside(subject))
        silent = self._aside and subject.itself
        says = statement is not None or subject.cls or subject.name or subject.identifiers or not subject.itself
        if silent or not says or (key[0] == "weak" and statement is None):
            self._heard.at(key).told.append(None)
        else:
            # By a name that only finds it a thing is not named anew.
            told = Subject(cls=subject.cls) if key[0] == "weak" else subject
            self._heard.at(key).told.append(self._utterance(told, statement, kind))
        return key
