"""Commands that ask what breaks: impact, why, spof."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.output import Exit, emit, fail, people, plain, say, table
from api.cli.session import JSON, opened

if TYPE_CHECKING:
    from cmdb.impact import Item, Step

_KINDS = "power_off, remove, reboot, disconnect, configure or patch"
_WHAT = "CIs, CI[PORT] for a cable, or TYPE:FROM..TO for a relation"
_SHOWN = 200
"""So many rows are shown to people who name no number."""
_LEVELS = {
    "up": "● up",
    "at_risk": "◔ at risk",
    "degraded": "◑ degraded",
    "down": "✖ down",
    "kept": "",
    "unprotected": "unprotected",
    "unmanaged": "unmanaged",
}
_WORSE = ("down", "degraded", "at_risk", "unprotected", "unmanaged")

DOWN = Annotated[list[str] | None, typer.Option(help="a CI that is down already; may be repeated")]
RESTARTS = Annotated[bool, typer.Option("--restarts", help="with patch: it restarts what it patches")]
AT = Annotated[str | None, typer.Option(help="as it was: at a revision or a time (2026-03-01T12:00Z)")]
SECONDS = Annotated[float, typer.Option(min=0, help="how long to look; what is cut short says so")]


class Level(StrEnum):
    """What rows may be chosen by."""

    DOWN = "down"
    DEGRADED = "degraded"
    AT_RISK = "at_risk"
    UNPROTECTED = "unprotected"
    UNMANAGED = "unmanaged"


def impact(
    what: Annotated[list[str], typer.Argument(help=_WHAT)],
    *,
    kind: Annotated[str, typer.Option(help=_KINDS)],
    down: DOWN = None,
    restarts: RESTARTS = False,
    at: AT = None,
    level: Annotated[list[Level] | None, typer.Option(help="only CIs that are so; may be repeated")] = None,
    cls: Annotated[list[str] | None, typer.Option("--class", help="only of this class or a subclass")] = None,
    site: Annotated[str | None, typer.Option(help="only in this building; - for none that is known")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help=f"at most so many rows of a list [{_SHOWN}; with --json all]")
    ] = None,
    tree: Annotated[bool, typer.Option("--tree/--table", help="each CI under what makes it so, or as a table")] = False,
    as_json: JSON = False,
) -> None:
    """Say what a change would do: what goes down, is degraded, loses its spare or its backup, why, and how sure."""
    from api import impacts
    from api.histories import moment

    if tree and as_json:
        fail(Exit.BAD_INPUT, "--tree is for people, --json for programs: leave out one of them")
    most = limit if as_json or limit is not None else _SHOWN
    with opened() as services:
        inventory = services.inventory
        wanted = impacts.wanted(inventory, level or (), cls or (), site)
        then = moment(inventory, at, "--at")
        question = inventory.question(what, kind, down or (), restarts=restarts, at=then)
        evaluation = inventory.impact(question, then)
        with evaluation.held():
            answer = evaluation.answer()
            affected = impacts.page_of_affected(answer, wanted, 0, most)
            unknown = impacts.page_of_unknown(answer, wanted, 0, most)
            taken = impacts.taken(answer, affected, unknown)
            stems = {one.ci.id: evaluation.why(one.ci.id).path for one in taken.affected} if tree else {}
        document = impacts.document(taken, inventory.who(answer), {})
    if as_json:
        emit({name: value for name, value in document.items() if name != "next"})
        return
    people().print(plain(f"{document['head']}\n{headline(document)}; revision {document['revision']}"), markup=False)
    if tree:
        _print_tree(document["affected"], stems)
    else:
        _print_table(document["affected"])
    _print_more(affected.next, answer.counts["affected"], len(document["affected"]), "affected")
    table(
        ("unknown", "class", "reason"),
        [(row["name"], row["class"], row["reason"]) for row in document["unknown"]],
    )
    _print_more(unknown.next, answer.counts["unknown"], len(document["unknown"]), "unknown")
    _print_who(document["who"])
    for note in document["notes"]:
        people().print(plain(f"note: {note}"), markup=False)


def headline(document: Mapping[str, Any]) -> str:
    """An answer in one line: how many are worse and how, then how many are not, and of how many that is unknown."""
    counts = document["counts"]
    worse = ", ".join(f"{counts[level]} {level.replace('_', ' ')}" for level in _WORSE if counts[level])
    temporary = " (temporary: a reboot)" if document.get("temporary") else ""
    return f"{worse or 'nothing affected'}{temporary}; {counts['unaffected']} unaffected, {counts['unknown']} unknown"


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    table(
        ("affected", "class", "availability", "also", "distance", "because"),
        [
            (
                row["name"],
                row["class"],
                _LEVELS[row["availability"]],
                _also(row),
                row["distance"],
                "; ".join(reason["text"] for reason in row["because"]),
            )
            for row in rows
        ],
    )


def _also(row: Mapping[str, Any]) -> str:
    return " ".join(word for word in (_LEVELS[row["protection"]], _LEVELS[row["management"]]) if word)


def _print_more(following: int | None, in_all: int, shown: int, what: str) -> None:
    """Never silence: a list that is cut says so."""
    if following is not None:
        people().print(f"… {shown} of {in_all} {what}: --limit shows more, --json all", markup=False)


def _print_who(who: Mapping[str, Any]) -> None:
    worse = tuple(word.replace("_", " ") for word in _WORSE)
    for name in ("services", "applications"):
        rows = [
            (
                row["name"],
                _LEVELS[row["availability"]],
                _also(row),
                *(row["values"].get(value, "") for value in ("sla", "audience", "criticality")),
                ", ".join(row["owners"]),
                row["values"].get("contact", ""),
            )
            for row in who[name]["listed"]
        ]
        _print_filled((name, "availability", "also", "sla", "audience", "criticality", "owners", "contact"), rows)
        _and_more(who[name]["more"])
    for name, rest in (("owners", "unowned"), ("sites", "nowhere")):
        listed = who[name]["listed"]
        rows = [(row["name"], *_counted(row["counts"]), ", ".join(row["values"].values())) for row in listed]
        if rows and who[name][rest]["affected"]:
            rows.append((f"({rest})", *_counted(who[name][rest]), ""))
        _print_filled((name, "affected", *worse, "reached by"), rows)
        _and_more(who[name]["more"])


def _print_filled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table without the columns that nobody has anything in."""
    kept = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    table([columns[place] for place in kept], [[row[place] for place in kept] for row in rows])


def _counted(counts: Mapping[str, int]) -> tuple[str, ...]:
    return (str(counts["affected"]), *(str(counts[word] or "") for word in _WORSE))


def _and_more(more: int) -> None:
    if more:
        people().print(f"… and {more} more", markup=False)


def _print_tree(rows: Sequence[Mapping[str, Any]], stems: Mapping[str, Sequence[Step]]) -> None:
    """Each CI under what makes it so: the first causes at the roots."""
    shown = {row["id"]: row for row in rows}
    above: dict[str, str] = {}
    names: dict[str, Item] = {}
    for id_ in sorted(stems, key=lambda id_: len(stems[id_])):
        for cause, step in pairwise(stems[id_]):
            if cause.ci.id != step.ci.id and not _is_under(cause.ci.id, step.ci.id, above):
                above.setdefault(step.ci.id, cause.ci.id)
        names |= {step.ci.id: step.ci for step in stems[id_]}
    below: dict[str | None, list[str]] = {}
    for id_ in dict.fromkeys([*shown, *names]):
        below.setdefault(above.get(id_), []).append(id_)
    _print_branches(below, lambda id_: _branch(shown.get(id_), names.get(id_)))


def _is_under(id_: str, of: str, above: Mapping[str, str]) -> bool:
    at: str | None = id_
    while at is not None:
        if at == of:
            return True
        at = above.get(at)
    return False


def _branch(row: Mapping[str, Any] | None, named: Item | None) -> str:
    if row is None:
        return "" if named is None else f"{named.name}  {named.cls}"
    words = [row["name"], row["class"], _LEVELS[row["availability"]], _also(row)]
    because = "; ".join(reason["text"] for reason in row["because"])
    return "  ".join(word for word in (*words, because) if word)


def _print_branches(below: Mapping[str | None, Sequence[str]], drawn: Callable[[str], str]) -> None:
    """Depth first, with a stack of our own: a chain of causes may be longer than Python's."""
    waiting = [(id_, "", "") for id_ in reversed(below.get(None, ()))]
    while waiting:
        id_, lead, under = waiting.pop()
        people().print(plain(f"{lead}{drawn(id_)}").replace("\n", " "), markup=False, soft_wrap=True)
        children = below.get(id_, ())
        for place, child in reversed(list(enumerate(children))):
            last = place == len(children) - 1
            waiting.append((child, f"{under}{'└─ ' if last else '├─ '}", f"{under}{'   ' if last else '│  '}"))


def why(
    what: Annotated[str, typer.Argument(help="the CI that is asked about")],
    *,
    change: Annotated[
        list[str], typer.Option(help=f"what is changed, as KIND:WHAT or with --kind as WHAT ({_WHAT}); may be repeated")
    ],
    kind: Annotated[str | None, typer.Option(help=_KINDS)] = None,
    down: DOWN = None,
    restarts: RESTARTS = False,
    at: AT = None,
    next_failures: Annotated[
        bool, typer.Option("--next", help="with what would take it down next, after the change")
    ] = False,
    seconds: SECONDS = 30.0,
    as_json: JSON = False,
) -> None:
    """Say why a change affects a CI or does not, or why nobody can tell: what decided, by how much, who says so."""
    from api import reasons
    from api.histories import moment
    from api.wiring import now

    changed, how = _change(change, kind)
    with opened() as services:
        inventory = services.inventory
        of = inventory.ci_of(what)
        then = moment(inventory, at, "--at")
        question = inventory.question(changed, how, down or (), restarts=restarts, at=then)
        evaluation = inventory.impact(question, then)
        document = reasons.why(inventory, evaluation, of, now())
        if next_failures:
            following = reasons.next_failures(inventory, evaluation, [of], reasons.within(seconds))
            document["next_failures"] = following["items"][0] if following["items"] else None
    if as_json:
        emit(document)
    else:
        _print_why(document)


def _change(texts: Sequence[str], kind: str | None) -> tuple[list[str], str]:
    """What is changed, and its one kind, from KIND:WHAT or --kind."""
    from cmdb.impact import KINDS

    kinds = {kind} if kind is not None else set()
    found = []
    for text in texts:
        before, colon, rest = text.partition(":")
        named = bool(colon) and before.strip() in KINDS
        kinds |= {before.strip()} if named else set()
        found.append(rest.strip() if named else text)
    if not kinds:
        fail(Exit.BAD_INPUT, f"--change: name the kind as well, KIND:WHAT or --kind; it is one of {', '.join(KINDS)}")
    if len(kinds) > 1:
        fail(Exit.BAD_INPUT, f"--change: a question has one kind of change, not {' and '.join(sorted(kinds))}")
    return found, kinds.pop()


def _print_why(document: Mapping[str, Any]) -> None:
    def line(text: str) -> None:
        people().print(plain(text).replace("\n", r"\n"), markup=False, soft_wrap=True)

    ci = document["ci"]
    relations = {one["id"]: one for one in document["relations"]}
    line(f"{ci['name']} ({ci['class']}, {ci['id']}): {document['text']}")
    for reason in document["because"]:
        line(f"  {reason['axis']}: {reason['text']}")
        for leg in reason.get("legs", ()):
            marks = [leg["class"], *(mark for mark in ("active", "assumed") if leg.get(mark)), leg.get("stale")]
            state = _LEVELS.get(leg["state"], leg["state"].replace("_", " "))
            line(f"    {state}  {leg['name']} ({', '.join(mark for mark in marks if mark)})")
            for id_ in leg["relations"]:
                line(f"      {_said(relations[id_])}" if id_ in relations else f"      {id_}")
    if len(document["path"]) > 1:
        line("  path:")
        for place, step in enumerate(document["path"]):
            line(f"    {'  ' * place}{step['name']} ({step['class']}) {step['state'].replace('_', ' ')}")
            for id_ in step["relations"]:
                line(f"    {'  ' * place}  by {_said(relations[id_])}" if id_ in relations else f"      {id_}")
    if "next_failures" in document:
        _print_next(document["next_failures"], line)
    line(f"revision {document['revision']}: {document['head']}")


def _said(relation: Mapping[str, Any]) -> str:
    """A relation, and who says that it is there."""
    keys = ",".join(f"{name}={value}" for name, value in relation["key"].items())
    name = (
        f"{relation['type']}:{relation['source']['name']}..{relation['target']['name']}{f'{{{keys}}}' if keys else ''}"
    )
    who = []
    for one in relation["said"]:
        by = f" by {one['by']}" if one["by"] else ""
        stale = " (stale)" if one["stale"] else ""
        section = "" if one["section"] == "declared" else f" {one['section']}"
        who.append(f"{one['source']}{section}{by}, {_age(one['age_s'])} ago{stale}")
    return f"{name}: {'; '.join(who) or 'who says so is not known any more'}"


_AGES = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def _age(seconds: int) -> str:
    length, name = next((row for row in _AGES if seconds >= row[0]), _AGES[-1])
    count = seconds // length
    return f"{count} {name}{'' if count == 1 else 's'}"


def _print_next(found: Mapping[str, Any] | None, line: Callable[[str], None]) -> None:
    if found is None:
        line("  next failures: no time was left to look")
        return
    named = [*(f"{one['name']} ({one['class']})" for one in found["cis"]), *(one["name"] for one in found["cables"])]
    total = found["cis_in_all"] + found["cables_in_all"]
    line(f"  {total} next failures{'' if found['complete'] else ' found before the time was up; there may be more'}")
    for name in named:
        line(f"    {name}")
    if total > len(named):
        line(f"    and {total - len(named)} more")


def spof(
    *,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 100,
    seconds: SECONDS = 60.0,
    as_json: JSON = False,
) -> None:
    """List the single points of failure: CIs and cables whose loss alone takes a service down, the worst first."""
    from api import reasons

    with opened() as services:
        document = reasons.single_points(services.inventory.single_points(reasons.within(seconds)), limit)
    if as_json:
        emit(document)
        return
    rows = document["items"]
    table(
        ("alone", "class", "services", "takes down", "such as"),
        [
            (
                row["name"],
                row["class"],
                row["services_in_all"],
                row["takes_down"],
                ", ".join(service["name"] for service in row["services"][:5])
                + (f" and {row['services_in_all'] - 5} more" if row["services_in_all"] > 5 else ""),
            )
            for row in rows
        ],
    )
    _and_more(document["in_all"] - len(rows))
    if not document["complete"]:
        say(f"the time was up after {seconds:g} seconds: there may be more; --seconds gives it more")
    elif not rows:
        say("no CI and no cable takes a service down alone")
