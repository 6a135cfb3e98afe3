"""What was said and decided, as records. Pure.

What seldom changes is kept apart from the times, so that a rescan writes only its confirmation.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from cmdb import codec
from cmdb.codec import Json
from cmdb.evidence import Held, Kept, Place, Refusal, Sighting, World, head_in, head_out, in_order, ordered_runs
from cmdb.model import Completeness, Decision, RunSection
from cmdb.store.base import Record

SIGHTING: Final = "sighting"
CONFIRMATION: Final = "confirmation"
RUN: Final = "run"
DECISION: Final = "decision"


def packed(document: Json) -> bytes:
    return zlib.compress(codec.canonical(document), level=1)


def unpacked(doc: bytes) -> Json:
    return json.loads(zlib.decompress(doc))


def place_key(space: str, source: str) -> str:
    """What the records of one source are found by."""
    return f"{space}|{source}"


def sighting_record(sighting: Sighting) -> Record:
    """What one sighting says; of which CIs, its place's confirmation knows."""
    sections = {
        name: {
            "full": None if kept.full is None else _held_out(kept.full),
            "partials": [_held_out(held) for held in kept.partials],
        }
        for name, kept in sighting.sections.items()
    }
    document = {
        "space": sighting.space,
        "source": sighting.source,
        "head": head_out(sighting.head),
        "sections": sections,
    }
    key = place_key(sighting.space, sighting.source)
    return Record(SIGHTING, sighting.id, packed(document), frozenset({key}))


def _held_out(held: Held) -> Json:
    ages = {token: codec.time_out(time) for token, time in held.ages.items()}
    document = codec.section_out(held.section) | {"digest": held.digest, "since": codec.time_out(held.since)}
    return document | {"ages": ages} if ages else document


def confirmation_record(sightings: Iterable[Sighting], cis: frozenset[str]) -> Record:
    """When one source last said what: of all its sightings."""
    found = sorted(sightings, key=lambda one: one.id)
    space, source = found[0].space, found[0].source
    document = {one.id: _times_out(one) for one in found}
    return Record(
        CONFIRMATION,
        codec.digest([space, source])[:32],
        packed({"space": space, "source": source, "sightings": document}),
        frozenset({place_key(space, source)}),
        max(one.time for one in found),
        cis,
    )


def _times_out(sighting: Sighting) -> Json:
    sections = {}
    for name, kept in sighting.sections.items():
        refusal = kept.refusal
        sections[name] = {
            "held": {held.digest: [codec.time_out(held.confirmed), held.evidence] for held in kept.held},
            "refusal": None
            if refusal is None
            else [codec.time_out(refusal.time), refusal.completeness.value, refusal.problem],
        }
    return {
        "first": codec.time_out(sighting.first),
        "away": [[codec.time_out(start), codec.time_out(end)] for start, end in sighting.away],
        "time": codec.time_out(sighting.time),
        "port": sighting.port,
        "runs": sorted(sighting.runs),
        "sections": sections,
    }


def run_record(run: RunSection) -> Record:
    id_ = codec.digest([run.run, run.space, sorted(run.networks)])[:32]
    return Record(RUN, id_, packed(codec.run_section_out(run)), frozenset({run.space}), run.time)


def decision_record(decision: Decision) -> Record:
    return Record(DECISION, decision.id, packed(codec.decision_out(decision)), at=decision.time)


def world_of(
    sightings: Iterable[Record], confirmations: Iterable[Record], runs: Iterable[Record], decisions: Iterable[Record]
) -> World:
    """The world that the records hold."""
    times: dict[str, Json] = {}
    for record in confirmations:
        times.update(unpacked(record.doc)["sightings"])
    places: dict[Place, dict[str, Sighting]] = {}
    for record in sightings:
        one = _sighting(record, times[record.id])
        places.setdefault((one.space, one.source), {})[one.id] = one
    return World(
        places,
        ordered_runs(codec.run_section_in(unpacked(record.doc)) for record in runs),
        tuple(codec.decision_in(unpacked(record.doc)) for record in decisions),
    )


def _sighting(record: Record, times: Json) -> Sighting:
    document = unpacked(record.doc)
    sections = {}
    for name, said in times["sections"].items():
        bodies = document["sections"].get(name, {"full": None, "partials": []})
        refusal = said["refusal"]
        sections[name] = Kept(
            None if bodies["full"] is None else _held(bodies["full"], said["held"]),
            in_order(_held(body, said["held"]) for body in bodies["partials"]),
            None if refusal is None else Refusal(codec.time_in(refusal[0]), Completeness(refusal[1]), refusal[2]),
        )
    return Sighting(
        record.id, document["space"], document["source"], times["port"], head_in(document["head"]),
        codec.time_in(times["first"]), codec.time_in(times["time"]), frozenset(times["runs"]),
        MappingProxyType(sections),
        tuple((codec.time_in(start), codec.time_in(end)) for start, end in times.get("away", ())),
    )  # fmt: skip


def _held(body: Json, times: Json) -> Held:
    confirmed, evidence = times[body["digest"]]
    return Held(
        codec.section_in(body), body["digest"], codec.time_in(body["since"]), codec.time_in(confirmed), evidence,
        MappingProxyType({token: codec.time_in(time) for token, time in body.get("ages", {}).items()}),
    )  # fmt: skip
