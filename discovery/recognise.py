"""A fingerprint → the family whose rule fits it most specifically. A tie is reported, never guessed at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from discovery.family import Family, Rule
from discovery.transport.base import Oid


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a device says before it is asked for anything in particular."""

    sys_object_id: Oid | None = None
    sys_descr: str = ""
    ssh_banner: str = ""
    uname: str = ""


@dataclass(frozen=True, slots=True)
class Recognition:
    """`family` is None where nothing fits. Where several fit equally well, it is the best that fits alone."""

    family: Family | None
    tied: tuple[str, ...] = ()


def recognise(fingerprint: Fingerprint, families: Iterable[Family]) -> Recognition:
    """Find the most specific match. On a tie the next best family is taken, and the tied ones are named."""
    scored = sorted(
        (
            (max(rule.specificity for rule in family.rules if fits(rule, fingerprint)), family)
            for family in families
            if any(fits(rule, fingerprint) for rule in family.rules)
        ),
        key=lambda pair: (tuple(-part for part in pair[0]), pair[1].name),
    )
    tied: list[str] = []
    while scored:
        best = [family for score, family in scored if score == scored[0][0]]
        if len(best) == 1:
            return Recognition(best[0], tuple(tied))
        tied = tied or [family.name for family in best]
        scored = scored[len(best) :]
    return Recognition(None, tuple(tied))


def fits(rule: Rule, fingerprint: Fingerprint) -> bool:
    """Whether all that the rule asks for is there. OIDs are compared by component: …318 is no prefix of …3180."""
    if rule.sys_object_id is not None:
        oid = fingerprint.sys_object_id
        if oid is None or oid[: len(rule.sys_object_id)] != rule.sys_object_id:
            return False
    texts = (
        (rule.sys_descr, fingerprint.sys_descr),
        (rule.ssh_banner, fingerprint.ssh_banner),
        (rule.uname, fingerprint.uname),
    )
    return all(pattern is None or pattern.search(text) for pattern, text in texts)
