"""The laws on thousands of worlds, by hand: `python -m tests.cmdb.thousands [LAW] [FROM] [COUNT]`.

Where one breaks, events are left out as long as it still does, and what is left is printed.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random

from cmdb.model import Decision, Identifier, Report, RunSection, Section, Subject
from tests.cmdb.laws import LAWS, Law, sqlite_stores
from tests.cmdb.truth.saying import Event, at
from tests.cmdb.worlds import Told, world


def broken(law: Law, told: Told, seed: int) -> str | None:
    """How a world breaks a law."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            law(told, Random(seed), sqlite_stores(Path(folder)))
        except Exception:  # noqa: BLE001 - whatever goes wrong is what is looked for
            return traceback.format_exc(limit=-2)
    return None


def least(law: Law, told: Told, seed: int) -> Told:
    """A world that breaks a law still, and of which nothing can be left out."""
    for place in range(len(told.events)):
        fewer = replace(told, events=told.events[:place] + told.events[place + 1 :])
        if broken(law, fewer, seed):
            return least(law, fewer, seed)
    return told


def spelt(event: Event) -> str:
    """An event in one line, times as minutes."""
    match event:
        case Report():
            said = " | ".join(map(_section, event.sections))
            return f"{minute(event.time)} {event.space} {event.source}:{event.port} run={event.run} {said}"
        case RunSection():
            whole = "" if event.complete else " in part"
            return f"{minute(event.time)} {event.space} {event.run} ends{whole}: {', '.join(event.networks)}"
        case Decision():
            return f"{minute(event.time)} {event.id} {event.verdict}: {_identifiers(event.a)} / {_identifiers(event.b)}"


def minute(time: datetime) -> int:
    return round((time - at(0)).total_seconds() / 60)


def _section(section: Section) -> str:
    told = [
        f"{_subject(one.about)} {dict(one.attributes)} {[part.name for part in one.components]}"
        for one in section.statements
    ]
    told += [
        f"{one.type}({_subject(one.source)} > {_subject(one.target)} {dict(one.columns)})" for one in section.relations
    ]
    return f"{section.name}/{section.completeness}: {'; '.join(told)}"


def _subject(subject: Subject) -> str:
    words = ["itself" if subject.itself else "", subject.cls or "", subject.name or "", subject.address or ""]
    words += ["" if subject.port is None else f":{subject.port}", _identifiers(subject.identifiers)]
    inside = "" if subject.owner is None else f" {subject.key} in ({_subject(subject.owner)})"
    return " ".join(filter(None, words)) + inside


def _identifiers(identifiers: Iterable[Identifier]) -> str:
    return ",".join(f"{scheme}={value[-4:]}" for scheme, value in sorted(identifiers))


def main(only: str = "", first: str = "0", count: str = "1000") -> int:
    """Try them; the number of worlds that broke a law."""
    found = 0
    for law in LAWS:
        name = getattr(law, "__name__", "")
        if only not in name:
            continue
        bad = []
        for seed in range(int(first), int(first) + int(count)):
            told = world(Random(seed))
            if broken(law, told, seed):
                bad.append(seed)
        sys.stdout.write(f"{name}: {len(bad)} of {count} broken: {bad[:20]}\n")
        if bad:
            shrunk = min((least(law, world(Random(seed)), seed) for seed in bad[:10]), key=lambda one: len(one.events))
            sys.stdout.write("\n".join(map(spelt, shrunk.events)) + f"\n{shrunk.rules}\n")
            seed = next(seed for seed in bad[:10] if broken(law, shrunk, seed))
            sys.stdout.write(f"{broken(law, shrunk, seed)}\n")
        sys.stdout.flush()
        found += len(bad)
    return found


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))
