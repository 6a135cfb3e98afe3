"""Pages of what is known: home, search, the list, and one CI."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import views
from api.auth import Reader, ServicesOf
from api.pages.drawing import Drawing
from api.pages.views_of_changes import last_touches
from api.pages.views_of_evidence import last_replies
from api.pages.views_of_parked import of_questions
from api.paging import Pages
from api.routes.cis import known
from cmdb import schema
from cmdb.inventory import Inventory
from cmdb.model import CI, Change, Relation, Revision, State
from cmdb.store import base
from cmdb.store.base import StoredCI
from operations.tokens import Role

router = APIRouter(default_response_class=HTMLResponse)

_RECENT = 8
_SHOWN_CHANGES = 4
_HITS = 50


@router.get("/")
def home(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing) -> Response:
    """What there is, what changed, what is wrong, what was scanned."""
    inventory = services.inventory
    graph = inventory.graph()
    there = [ci for ci in graph.cis.values() if ci.state is not State.RETIRED]
    return drawing.page(
        request,
        "home.html",
        reader,
        rules_changed=inventory.rules_changed,
        total=len(there),
        revision=graph.revision,
        counts=sorted(Counter(ci.cls for ci in there).items()),
        missing=Counter(ci.cls for ci in there if ci.state is State.MISSING),
        changes=[_told(one, graph.cis) for one in recent(inventory, graph.revision)],
        problems=inventory.problems(),
        names=_names(graph.cis),
        runs=services.runs.newest(5),
        **of_questions(services, drawing.texts(request), reader),
    )


def recent(inventory: Inventory, revision: int) -> list[Revision]:
    """The last revisions, newest first."""
    return inventory.changes(max(inventory.oldest(), revision - _RECENT), _RECENT)[::-1]


@dataclass(frozen=True, slots=True)
class Told:
    """A revision in a few words: `some` are (came, went or changed; id of a CI or None; name, class)."""

    revision: Revision
    some: tuple[tuple[str, str | None, str, str], ...]
    more: int


def _told(revision: Revision, cis: Mapping[str, CI]) -> Told:
    of_cis = [change for change in revision.changes if isinstance(change.after or change.before, CI)]
    chosen = (of_cis or list(revision.changes))[:_SHOWN_CHANGES]
    some = tuple(_change(change, cis) for change in chosen)
    return Told(revision, some, len(revision.changes) - len(some))


def _change(change: Change, cis: Mapping[str, CI]) -> tuple[str, str | None, str, str]:
    how = "came" if change.before is None else "went" if change.after is None else "changed"
    match change.after or change.before:
        case CI(id=id_, name=name, cls=cls):
            return how, id_ if id_ in cis else None, name, cls
        case Relation(type=type_, source=source, target=target):
            ends = [cis[end].name if end in cis else end for end in (source, target)]
            return how, None, " – ".join(ends), type_
        case _:
            raise AssertionError(change)


def _names(cis: Mapping[str, CI]) -> dict[str, str]:
    return {id_: ci.name for id_, ci in cis.items()}


@router.get("/find")
def find(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    q: Annotated[str, Query(max_length=255)] = "",
) -> Response:
    """The one CI that a text names, at once; else all that it may mean."""
    inventory, text = services.inventory, q.strip()
    if not text:
        return RedirectResponse("/cis", status_code=303)
    matches: dict[str, tuple[StoredCI, str]] = {}
    for match in inventory.lookup(text):
        stored = inventory.stored(match.ci)
        if stored is not None and stored.ci.id not in matches:
            matches[stored.ci.id] = (stored, match.handle.kind)
    if len(matches) == 1:
        return RedirectResponse(f"/cis/{quote(next(iter(matches)))}", status_code=303)
    texts = inventory.find(base.Query(text=text[:200], limit=_HITS))
    others = [stored for stored in texts if stored.ci.id not in matches]
    return drawing.page(request, "find.html", reader, q=text, exact=list(matches.values()), others=others)


@router.get("/cis")
def cis(
    request: Request,
    reader: Reader,
    services: ServicesOf,
    drawing: Drawing,
    pages: Pages,
    cls: Annotated[str, Query(alias="class", max_length=100)] = "",
    state: Annotated[str, Query(max_length=100)] = "",
    place: Annotated[str, Query(max_length=255)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """CIs by class, state and place."""
    query = base.Query(
        classes=schema.subclasses(cls) if cls else None,
        states=frozenset({State(state)}) if state in set(State) else frozenset({State.PRESENT, State.MISSING}),
        places=services.inventory.within(place) if place else None,
        text=q or None,
        after=pages.after,
        limit=pages.limit + 1,
    )
    found = services.inventory.find(query)
    page = found[: pages.limit]
    going_on = pages.cursor((page[-1].ci.name, page[-1].ci.id)) if len(found) > len(page) else None
    asked = {"class": cls, "state": state, "place": place, "q": q}
    return drawing.page(
        request,
        "list.html",
        reader,
        found=page,
        next=going_on,
        asked=asked,
        classes=list(schema.CI_CLASSES),
        states=[one.value for one in State],
    )


@router.get("/cis/{ci}")
def one(request: Request, reader: Reader, services: ServicesOf, drawing: Drawing, ci: str) -> Response:
    """Each value with its source and age, its parts, its relations both ways, and what is wrong with it."""
    inventory = services.inventory
    stored = known(inventory, ci)
    document = views.full(inventory, stored)
    claims = [views.claim(row) for row in inventory.claims(stored.ci.id)]
    others = [end for end in document["relations"] if end["type"] != "connects_to"]
    problems = [problem for problem in inventory.problems() if stored.ci.id in problem.about]
    returned = reader.role.covers(Role.OPERATOR) and any(row.kind == "retired_answers" for row in problems)
    return drawing.page(
        request,
        "ci.html",
        reader,
        stored=stored,
        ci=document,
        formerly=views.formerly(inventory, stored),
        places=_places(document, inventory),
        values=_values(document, claims),
        identified=_identified(document, claims),
        contested=_contested(claims),
        disputed=_disputed(claims, document),
        readings=[views.reading(row) for row in inventory.readings(stored.ci.id)],
        parts_=_parts(document["components"]),
        outward=[end for end in others if end["direction"] == "out"],
        inward=[end for end in others if end["direction"] == "in"],
        cables=sorted((_cable(end) for end in document["relations"] if end["type"] == "connects_to"), key=_by_port),
        problems=problems,
        taking_back=reader.csrf if returned else None,
        legs=_names(inventory.graph().cis),
        history=last_touches(inventory, stored.ci.id, drawing.texts(request)),
        replies=last_replies(services, stored.ci.space, claims),
    )


def _values(document: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each value in force, with the claim that won and what others say, be it the same."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for claim in claims:
        if claim["component"] is None and claim["relation"] is None:
            by_name.setdefault(claim["attribute"], []).append(claim)
    in_force = {"class": document["class"], "name": document["name"], **document["attributes"]}
    if document["label"] is not None:
        in_force["label"] = document["label"]
    rows = []
    for name, value in in_force.items():
        said = by_name.get(name, [])
        won = next((claim for claim in said if claim["won"]), None)
        others = [claim for claim in said if claim is not won]
        differs = any(claim["value"] != value for claim in others)
        rows.append({"name": name, "value": value, "won": won, "others": others, "differs": differs})
    return rows


def _identified(document: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each identifier with who said it, the newest first."""
    said: dict[tuple[str, Any], list[Mapping[str, Any]]] = {}
    for claim in claims:
        if claim["component"] is None and claim["relation"] is None:
            said.setdefault((claim["attribute"], claim["value"]), []).append(claim)
    return [
        {
            **row,
            "said": sorted(
                said.get((row["scheme"], row["value"]), []), key=lambda claim: claim["confirmed"], reverse=True
            ),
        }
        for row in document["identifiers"]
    ]


def _contested(claims: Iterable[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The claims on attributes of parts of which there is more than one, the winner first of each."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for claim in claims:
        if (part := claim["component"]) is not None:
            found.setdefault((part["kind"], part["name"], claim["attribute"]), []).append(claim)
    return [said for said in found.values() if any(not claim["won"] for claim in said)]


def _disputed(
    claims: Iterable[Mapping[str, Any]], document: Mapping[str, Any]
) -> list[tuple[Mapping[str, Any], str, list[Mapping[str, Any]]]]:
    """(the relation as this end sees it, column, claims) where sources say different things of a relation."""
    ends = {end["relation"]: end for end in document["relations"]}
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for claim in claims:
        if claim["relation"] is not None:
            found.setdefault((claim["relation"], claim["attribute"]), []).append(claim)
    return [(ends[relation], column, said) for (relation, column), said in found.items() if relation in ends]


def _cable(end: Mapping[str, Any]) -> dict[str, Any]:
    """A cable as this end sees it."""
    here, there = ("from", "to") if end["direction"] == "out" else ("to", "from")
    key = dict(end["key"])
    port, its_port = key.pop(f"{here}_port", ""), key.pop(f"{there}_port", "")
    medium = key.pop("medium", schema.RELATION_TYPES["connects_to"].medium)
    return {"end": end, "port": port, "its_port": its_port, "medium": medium, "more": key}


def _by_port(cable: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Ports as people count them: 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", cable["port"])]


def _parts(components: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str], list[Mapping[str, Any]]]]:
    """Parts by kind, each with the columns that any of its kind has."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for part in components:
        kinds.setdefault(part["kind"], []).append(part)
    order = list(schema.COMPONENTS)
    return [
        (
            kind,
            [name for name in schema.COMPONENTS.get(kind, {}) if any(name in row["attributes"] for row in rows)],
            rows,
        )
        for kind, rows in sorted(kinds.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else 99)
    ]


def _places(document: Mapping[str, Any], inventory: Inventory) -> list[CI]:
    """The places that it stands in, the widest first."""
    found: list[CI] = []
    waiting = [end["id"] for end in document["relations"] if (end["type"], end["direction"]) == ("located_in", "out")]
    while waiting and len(found) < 10:
        stored = inventory.stored(waiting.pop())
        if stored is None or stored.ci in found:
            continue
        found.append(stored.ci)
        above = inventory.relations(stored.ci.id)
        waiting += [row.target for row in above if row.type == "located_in" and row.source == stored.ci.id]
    order = ("building", "floor", "room", "rack")
    return sorted(found, key=lambda place: order.index(place.cls) if place.cls in order else 9)
