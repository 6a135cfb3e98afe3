"""Commands for what only a person can tell: conflicts, duplicates, decisions, same, different, back, unmerge."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.output import emit, people, plain, say, table
from api.cli.session import JSON, opened, user

WHAT = Annotated[
    list[str], typer.Argument(help="two CIs (or more): id, label, serial, MAC, address, name; or one conflict's id")
]
RETIRED = Annotated[list[str], typer.Argument(help="retired CIs: id, label, serial, MAC, address, name")]
REASON = Annotated[str, typer.Option("--reason", help="why; kept with your name")]
REPLACE = Annotated[bool, typer.Option("--replace", help="take back the earlier decision that this contradicts")]


def conflicts(*, as_json: JSON = False) -> None:
    """List what a person should decide: things that share what only one thing should have, and contradict."""
    from api import judged

    with opened() as services:
        judging = services.inventory.judging
        found = [judged.conflict(judging.with_evidence(one)) for one in judging.conflicts()]
    if as_json:
        emit(found)
        return
    for row in found:
        _print_conflict(row)
    if not found:
        say("no conflicts")


def _print_conflict(row: dict[str, Any]) -> None:
    values = ", ".join(f"{one['scheme']} {one['value']}" for one in row["values"])
    people().print(plain(f"{row['id']}  {values}  on {row['total']} things"), markup=False)
    names = {one["id"]: one["name"] for one in row["candidates"]}
    table(
        ("", "candidate", "class", "label", "state", "said by", "confirmed"),
        [
            ("", f"{one['name']} ({one['id']})", one["class"], one["label"], one["state"],
             ", ".join(dict.fromkeys(f"{said['source']} {said['section']}" for said in one["said"])),
             max((said["confirmed"] for said in one["said"]), default=""))
            for one in row["candidates"]
        ],
    )  # fmt: skip
    if row["total"] > len(row["candidates"]):
        people().print(f"  and {row['total'] - len(row['candidates'])} more", markup=False)
    for pair in row["pairs"]:
        ends = f"{names[pair['a']]} ({pair['a']}) and {names[pair['b']]} ({pair['b']})"
        verdict = pair["suggestion"] or "nobody can tell"
        people().print(plain(f"  {ends}: {verdict}"), markup=False)
        for reason in pair["reasons"]:
            sign = "+" if reason["for"] == "same" else "-"
            people().print(plain(f"    {sign} {reason['text']}"), markup=False)


def duplicates(*, as_json: JSON = False) -> None:
    """List CIs that are similar and may be one, the likeliest first, with the parts of each score."""
    from api import judged

    with opened() as services:
        cis = services.inventory.graph().cis
        found = [judged.duplicate(one, cis) for one in services.inventory.judging.duplicates()]
    if as_json:
        emit(found)
        return
    rows = [
        (row["score"], *(f"{row[end]['name']} ({row[end]['id']})" for end in ("a", "b")),
         "; ".join(f"{part['text']} ({part['points']:+})" for part in row["parts"]))
        for row in found
    ]  # fmt: skip
    table(("score", "this", "and this", "because"), rows)
    if not rows:
        say("no likely duplicates")


def decisions(*, as_json: JSON = False) -> None:
    """List what people decided of who is who, the newest first, those that were taken back included."""
    from api import judged

    with opened() as services:
        found = [judged.decision(one) for one in services.inventory.judging.decisions()]
    if as_json:
        emit(found)
        return
    rows = [
        (row["id"], row["verdict"], ", ".join(row["cis"]), row["by"], row["time"], row["reason"], _taken_back(row))
        for row in found
    ]
    table(("decision", "verdict", "CIs now", "by", "time", "reason", "taken back"), rows)
    if not rows:
        say("nothing was decided yet")


def _taken_back(row: dict[str, Any]) -> str:
    back = row["withdrawn"]
    return "" if back is None else f"{back['by']}: {back['reason']}"


def same(what: WHAT, *, reason: REASON, replace: REPLACE = False, as_json: JSON = False) -> None:
    """Say that CIs are one thing: they are merged, and all their ids, labels and identifiers lead to the oldest."""
    _decide("same", what, reason, replace=replace, as_json=as_json)


def different(what: WHAT, *, reason: REASON, replace: REPLACE = False, as_json: JSON = False) -> None:
    """Say that CIs are different things: nothing that they share will join them."""
    _decide("different", what, reason, replace=replace, as_json=as_json)


def back(what: RETIRED, *, reason: REASON, as_json: JSON = False) -> None:
    """Say that a retired CI, which answers scans again, is back in use."""
    _decide("back", what, reason, replace=False, as_json=as_json)


def _decide(verdict: str, what: list[str], reason: str, *, replace: bool, as_json: bool) -> None:
    from api import judged

    with opened() as services:
        done = judged.decided(services.inventory.judging.decide(verdict, what, reason, user(), replaces=replace))
    _told(done, as_json=as_json)


def unmerge(
    decision: Annotated[str, typer.Argument(help="such as d-3; `cmdb decisions` lists them")],
    *,
    reason: REASON,
    as_json: JSON = False,
) -> None:
    """Take a decision back: what it merged is two again, each with what was reported of it, and kept apart."""
    from api import judged

    with opened() as services:
        done = judged.decided(services.inventory.judging.take_back(decision, reason, user()))
    _told(done, as_json=as_json)


def _told(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        emit(done)
        return
    for row in done["decisions"]:
        back = " taken back" if row["withdrawn"] else ""
        people().print(plain(f"{row['id']} {row['verdict']}{back}: {', '.join(row['cis'])}"), markup=False)
    say("nothing changed in the graph" if done["revision"] is None else f"revision {done['revision']}")
