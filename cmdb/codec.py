"""Model values as plain JSON and back, and the hashes over it: one spelling of what is stored and chained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from cmdb.model import (
    CI,
    EMPTY,
    Completeness,
    Component,
    Decision,
    GroupClaim,
    Identifier,
    Relation,
    RelationClaim,
    Revision,
    RunSection,
    Scalar,
    Section,
    State,
    Statement,
    Subject,
    Value,
)

Json: TypeAlias = Any
"""What `json` reads and writes; narrowed at once by the functions here."""

_TIME = "$time"
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(document: Json) -> bytes:
    """The one byte string of a JSON document: sorted keys, no spaces, UTF-8."""
    return _ENCODER.encode(document).encode()


def digest(document: Json) -> str:
    """SHA-256 of the canonical bytes, in hex."""
    return hashlib.sha256(canonical(document)).hexdigest()


def time_out(time: datetime) -> str:
    """ISO 8601 in UTC with microseconds, sortable as text."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_in(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)


def _scalar_out(value: Scalar) -> Json:
    return {_TIME: time_out(value)} if isinstance(value, datetime) else value


def _scalar_in(document: Json) -> Scalar:
    if isinstance(document, dict):
        return time_in(document[_TIME])
    scalar: Scalar = document
    return scalar


def value_out(value: Value) -> Json:
    return [_scalar_out(item) for item in value] if isinstance(value, tuple) else _scalar_out(value)


def value_in(document: Json) -> Value:
    return tuple(_scalar_in(item) for item in document) if isinstance(document, list) else _scalar_in(document)


def values_out(values: Mapping[str, Value]) -> Json:
    return {name: value_out(value) for name, value in sorted(values.items())}


def values_in(document: Json) -> Mapping[str, Value]:
    return {name: value_in(value) for name, value in document.items()} if document else EMPTY


def _given(**fields: Json) -> dict[str, Json]:
    """Leave out what is absent or empty, so that a new optional field changes no old hash."""
    return {
        name: value
        for name, value in fields.items()
        if value is not None and value is not False and value not in ([], {})
    }


def identifiers_out(identifiers: Iterable[Identifier]) -> Json:
    return [[scheme, value] for scheme, value in sorted(identifiers)]


def identifiers_in(document: Json) -> frozenset[Identifier]:
    return frozenset(Identifier(scheme, value) for scheme, value in document or ())


def subject_out(subject: Subject) -> Json:
    return _given(
        cls=subject.cls,
        identifiers=identifiers_out(subject.identifiers),
        name=subject.name,
        address=subject.address,
        port=subject.port,
        owner=subject_out(subject.owner) if subject.owner else None,
        key=subject.key,
        itself=subject.itself,
        declared=subject.declared,
    )


def subject_in(document: Json) -> Subject:
    return Subject(
        cls=document.get("cls"),
        identifiers=identifiers_in(document.get("identifiers")),
        name=document.get("name"),
        address=document.get("address"),
        port=document.get("port"),
        owner=subject_in(document["owner"]) if "owner" in document else None,
        key=document.get("key"),
        itself=document.get("itself", False),
        declared=document.get("declared", False),
    )


def component_out(component: Component) -> Json:
    return _given(kind=component.kind, name=component.name, attributes=values_out(component.attributes)) | {
        "name": component.name
    }


def component_in(document: Json) -> Component:
    return Component(document["kind"], document["name"], values_in(document.get("attributes")))


def _leg_out(leg: Subject | str) -> Json:
    return leg if isinstance(leg, str) else subject_out(leg)


def _leg_in(document: Json) -> Subject | str:
    return document if isinstance(document, str) else subject_in(document)


def section_out(section: Section) -> Json:
    return content_out(section) | _given(
        name=section.name,
        time=time_out(section.time),
        completeness=section.completeness.value,
        evidence=section.evidence,
        problem=section.problem,
    )


def content_out(section: Section) -> Json:
    """What a section says, without when, how completely and from which reply; equal claims are equal bytes."""
    statements = [
        _given(
            about=subject_out(statement.about),
            attributes=values_out(statement.attributes),
            components=sorted((component_out(component) for component in statement.components), key=canonical),
        )
        for statement in section.statements
    ]
    relations = [
        _given(
            type=claim.type,
            source=subject_out(claim.source),
            target=subject_out(claim.target),
            columns=values_out(claim.columns),
        )
        for claim in section.relations
    ]
    groups = [
        _given(
            of=subject_out(group.of),
            name=group.name,
            type=group.type,
            needs=group.needs,
            full=group.full,
            active=_leg_out(group.active) if group.active is not None else None,
            legs=sorted((_leg_out(leg) for leg in group.legs), key=canonical),
        )
        for group in section.groups
    ]
    return _given(
        statements=sorted(statements, key=canonical),
        relations=sorted(relations, key=canonical),
        groups=sorted(groups, key=canonical),
    )


def section_in(document: Json) -> Section:
    return Section(
        name=document["name"],
        time=time_in(document["time"]),
        completeness=Completeness(document["completeness"]),
        statements=tuple(
            Statement(
                subject_in(row.get("about", {})),
                values_in(row.get("attributes")),
                tuple(component_in(part) for part in row.get("components", ())),
            )
            for row in document.get("statements", ())
        ),
        relations=tuple(
            RelationClaim(
                row["type"],
                subject_in(row.get("source", {})),
                subject_in(row.get("target", {})),
                values_in(row.get("columns")),
            )
            for row in document.get("relations", ())
        ),
        groups=tuple(
            GroupClaim(
                subject_in(row["of"]),
                row["name"],
                row["needs"],
                tuple(_leg_in(leg) for leg in row["legs"]),
                row["type"],
                row.get("full"),
                _leg_in(row["active"]) if "active" in row else None,
            )
            for row in document.get("groups", ())
        ),
        evidence=document.get("evidence"),
        problem=document.get("problem"),
    )


def ci_out(ci: CI) -> Json:
    """The image of a CI in the journal, the stores and the feed."""
    return _given(
        id=ci.id,
        cls=ci.cls,
        space=ci.space,
        name=ci.name,
        label=ci.label,
        state=ci.state.value,
        attributes=values_out(ci.attributes),
        identifiers=identifiers_out(ci.identifiers),
        components=[component_out(component) for component in ci.components],
        owner=ci.owner,
        key=ci.key,
        gaps=dict(sorted(ci.gaps.items())),
        missing_since=time_out(ci.missing_since) if ci.missing_since else None,
    )


def ci_in(document: Json) -> CI:
    return CI(
        id=document["id"],
        cls=document["cls"],
        space=document["space"],
        name=document["name"],
        label=document.get("label"),
        state=State(document["state"]),
        attributes=values_in(document.get("attributes")),
        identifiers=identifiers_in(document.get("identifiers")),
        components=tuple(component_in(part) for part in document.get("components", ())),
        owner=document.get("owner"),
        key=document.get("key"),
        gaps=document.get("gaps", {}),
        missing_since=time_in(document["missing_since"]) if "missing_since" in document else None,
    )


def relation_out(relation: Relation) -> Json:
    return _given(
        id=relation.id,
        type=relation.type,
        source=relation.source,
        target=relation.target,
        columns=values_out(relation.columns),
    )


def relation_in(document: Json) -> Relation:
    return Relation(
        document["id"], document["type"], document["source"], document["target"], values_in(document.get("columns"))
    )


def image_out(image: CI | Relation | None) -> Json:
    if image is None:
        return None
    return ci_out(image) if isinstance(image, CI) else relation_out(image)


def image_in(document: Json) -> CI | Relation | None:
    if document is None:
        return None
    return ci_in(document) if "cls" in document else relation_in(document)


def revision_out(revision: Revision) -> Json:
    return _unhashed(revision) | {"hash": revision.hash}


def _unhashed(revision: Revision) -> Json:
    return {
        "n": revision.n,
        "at": time_out(revision.at),
        "actor": revision.actor,
        "run": revision.run,
        "reason": revision.reason,
        "changes": [
            {"id": change.id, "before": image_out(change.before), "after": image_out(change.after)}
            for change in revision.changes
        ],
        "prev_hash": revision.prev_hash,
    }


def revision_hash(revision: Revision) -> str:
    """The hash that a journal entry must carry: over everything in it but itself, its predecessor's hash included."""
    return digest(_unhashed(revision))


def run_section_out(run: RunSection) -> Json:
    return {
        "run": run.run,
        "space": run.space,
        "networks": list(run.networks),
        "time": time_out(run.time),
        "complete": run.complete,
    }


def run_section_in(document: Json) -> RunSection:
    return RunSection(
        document["run"], document["space"], tuple(document["networks"]), time_in(document["time"]), document["complete"]
    )


def decision_out(decision: Decision) -> Json:
    return {
        "id": decision.id,
        "verdict": decision.verdict,
        "a": identifiers_out(decision.a),
        "b": identifiers_out(decision.b),
        "by": decision.by,
        "reason": decision.reason,
        "time": time_out(decision.time),
    }


def decision_in(document: Json) -> Decision:
    return Decision(
        document["id"],
        document["verdict"],
        identifiers_in(document["a"]),
        identifiers_in(document["b"]),
        document["by"],
        document["reason"],
        time_in(document["time"]),
    )
