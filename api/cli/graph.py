"""Commands that ask the graph: show, find, export, verify; and declare, which tells it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.output import Exit, emit, fail, people, plain, reason, say, table, tell_difference
from api.cli.session import JSON, opened, user

if TYPE_CHECKING:
    from cmdb.inventory import Inventory
    from cmdb.store.base import StoredCI


def show(
    what: Annotated[str, typer.Argument(help="id, label, serial, MAC, WWN, address, or a name that is unique")],
    *,
    claims: Annotated[
        bool, typer.Option("--claims", help="every claim on its values, why it won, and readings")
    ] = False,
    at: Annotated[str | None, typer.Option(help="as it was: at a revision or a time (2026-03-01T12:00Z)")] = None,
    as_json: JSON = False,
) -> None:
    """Show one CI: its values, components and relations."""
    from api import views
    from api.histories import moment

    if claims and at is not None:
        fail(Exit.BAD_INPUT, "--claims: they are known of now alone; leave out --at")
    with opened() as services:
        inventory = services.inventory
        stored, then = one(inventory, what), moment(inventory, at, "--at")
        if then is not None:
            was = inventory.stored_at(stored.ci.id, then)
            if was is None:
                fail(Exit.NOT_FOUND, f"{stored.ci.name!r} was not there at revision {then}")
            stored = was
        document = views.full(inventory, stored, then)
        # Both read all that was said, which takes its time in a large estate.
        told = [views.claim(row) for row in inventory.claims(stored.ci.id)] if claims else None
        measured = [views.reading(row) for row in inventory.readings(stored.ci.id)] if claims else []
    if as_json:
        emit(_as_promised(document) | ({} if told is None else {"claims": told, "readings": measured}))
    else:
        _print_ci(document, told)
        rows = [(_attribute(row), f"{_text(row['value'])} {row['unit']}", row["time"]) for row in measured]
        table(("reading", "value", "measured"), rows)


_SHOWN = ("id", "class", "name", "label", "state", "revision", "attributes", "identifiers", "components")
_END = ("type", "direction", "id", "name", "class", "key")


def _as_promised(document: dict[str, Any]) -> dict[str, Any]:
    """The JSON of `show`, which is fixed for programs; the API says more."""
    ends = [{name: row[name] for name in _END} for row in document["relations"]]
    return {name: document[name] for name in _SHOWN} | {"relations": ends}


def one(inventory: Inventory, what: str) -> StoredCI:
    """The CI of a WHAT; ends the command where it is none."""
    target = inventory.target(what)
    if len(target.cis) != 1:
        fail(Exit.BAD_INPUT, f"{what!r} is a relation, not a CI: name one of its ends")
    stored = inventory.stored(target.cis[0])
    if stored is None:
        fail(Exit.NOT_FOUND, f"nothing is known as {what!r}")
    return stored


def _print_ci(document: dict[str, Any], claims: list[dict[str, Any]] | None) -> None:
    from cmdb.model import DEFAULT_SPACE

    since = f" since {document['missing_since']}" if document["missing_since"] else ""
    space = () if document["space"] == DEFAULT_SPACE else (f"address space {document['space']}",)
    head = [document["class"], f"{document['state']}{since}", f"revision {document['revision']}", *space]
    named = (document["name"], document["label"] or "", f"({', '.join(head)})", document["id"])
    people().print(plain("  ".join(word for word in named if word)), markup=False)
    table(("attribute", "value"), [(name, _text(value)) for name, value in document["attributes"].items()])
    table(("identifier", "value"), [(row["scheme"], row["value"]) for row in document["identifiers"]])
    parts = [
        (row["kind"], row["name"], " ".join(f"{name}={_text(value)}" for name, value in row["attributes"].items()))
        for row in document["components"]
    ]
    table(("component", "name", ""), parts)
    ends = [
        (row["as"], row["name"], row["class"], " ".join(f"{name}={_text(value)}" for name, value in row["key"].items()))
        for row in document["relations"]
    ]
    table(("relation", "with", "class", "key"), ends)
    if claims is not None:
        columns = ("value", "source", "by", "section", "since", "confirmed", "won", "reason", "evidence")
        table(
            ("attribute", *columns),
            [[_attribute(row), *(_text(row[column]) for column in columns)] for row in claims],
        )


def _attribute(claim: dict[str, Any]) -> str:
    """What a claim is about: an attribute of the CI, of a part of it, or a column of a relation."""
    part = claim["component"]
    if claim.get("relation") is not None:
        return f"{claim['relation']}: {claim['attribute']}"
    return claim["attribute"] if part is None else f"{part['kind']} {part['name']}: {claim['attribute']}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def find(
    words: Annotated[
        list[str] | None, typer.Argument(help="any tag, serial, MAC …, or words that all occur in it")
    ] = None,
    *,
    cls: Annotated[str | None, typer.Option("--class", help="of this class or a subclass")] = None,
    state: Annotated[str | None, typer.Option(help="present, missing or retired")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
    as_json: JSON = False,
) -> None:
    """Find CIs: by anything that names them, else by words in their texts."""
    from api import views
    from cmdb import schema
    from cmdb.model import ModelError, State
    from cmdb.store.base import Query

    if state is not None and state not in set(State):
        raise ModelError(f"unknown state {state!r}; known: {', '.join(State)}")
    text = " ".join(words or ())
    with opened() as services:
        inventory = services.inventory
        query = Query(
            classes=schema.subclasses(cls) if cls else None,
            states=frozenset({state}) if state else None,
            text=text or None,
            limit=limit,
        )
        found = {stored.ci.id: stored for stored in inventory.find(query)}
        if text:
            # A MAC or WWN is found in any spelling, which a search for words cannot do.
            named = [inventory.stored(match.ci) for match in inventory.lookup(text)]
            fitting = [one for one in named if one and (not query.classes or one.ci.cls in query.classes)]
            found |= {one.ci.id: one for one in fitting if not state or one.ci.state.value == state}
    rows = [views.row(stored) for stored in found.values()]
    if as_json:
        emit(rows)
    else:
        table(
            ("name", "class", "label", "state", "id"),
            [(row["name"], row["class"], row["label"], row["state"], row["id"]) for row in rows],
        )
    if not rows:
        fail(Exit.NOT_FOUND, "nothing fits")


def declare(
    file: Annotated[Path, typer.Argument(help="an estate file (YAML)")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show the difference")] = False,
    name: Annotated[
        str | None, typer.Option("--as", help="who says it: a later file of this name replaces it [the file's path]")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Declare what no scan can know. What was taken out of a file declared before is no longer said."""
    from api import views

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(Exit.BAD_INPUT, f"{file} cannot be read: {reason(error)}")
    with opened() as services:
        declared = services.inventory.declare(text, name or str(file.resolve()), user(), dry_run=dry_run)
    for warning in declared.warnings:
        say(f"{file}: {warning}")
    if as_json:
        changes = [views.change(change) for change in declared.changes]
        emit(
            {
                "revision": declared.revision,
                "changes": changes,
                "difference": list(declared.difference),
                "warnings": list(declared.warnings),
            }
        )
        return
    tell_difference(declared, dry_run=dry_run)


def export(
    *,
    canonical: Annotated[bool, typer.Option("--canonical", help="by identifiers: equal for equal graphs")] = False,
    scratch: Annotated[
        bool, typer.Option("--from-scratch", help="with --canonical: as all that was said projects now, not as stored")
    ] = False,
) -> None:
    """Write the whole graph to standard output as JSON."""
    from api import views
    from cmdb.model import ModelError

    with opened() as services:
        if scratch and not canonical:
            raise ModelError("--from-scratch has no ids to show: ask for --canonical with it")
        if canonical:
            emit(services.inventory.canonical(scratch=scratch))
            return
        graph = services.inventory.graph()
        found = [services.inventory.stored(ci) for ci in graph.cis]
        emit(
            {
                "revision": graph.revision,
                "cis": [views.row(stored) for stored in found if stored is not None],
                "relations": [views.relation(relation) for relation in graph.relations.values()],
            }
        )


def verify(*, as_json: JSON = False) -> None:
    """Prove the journal: gapless, chained by hash, and its replay is the graph that is stored."""
    with opened() as services:
        found = services.inventory.verify()
    if as_json:
        emit({"revisions": found.revisions, "problems": list(found.problems)})
    else:
        for problem in found.problems:
            say(problem)
        say(f"{found.revisions} revisions, {len(found.problems) or 'no'} problems")
    if found.problems:
        raise typer.Exit(int(Exit.PROBLEMS))
