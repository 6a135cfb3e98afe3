"""`cmdb parked`: what scans said that is too much to be believed unasked, and a person's answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from api.cli.output import emit, people, plain, say, table
from api.cli.session import JSON, opened, user

app = typer.Typer(help="What scans said that would end too much: list, show, and answer with yes or no.")

QUESTION = Annotated[str, typer.Argument(help="such as parked-1; `cmdb parked` lists them")]
REASON = Annotated[str, typer.Option("--reason", help="why; kept with your name")]


@app.callback(invoke_without_command=True)
def parked(
    context: typer.Context,
    *,
    answered: Annotated[bool, typer.Option("--answered", help="with those that are answered")] = False,
    as_json: JSON = False,
) -> None:
    """List what waits for an answer: sections that would end too much, runs that would make too many missing."""
    if context.invoked_subcommand is not None:
        return
    from api import questions

    with opened() as services:
        found = [questions.brief(one) for one in services.inventory.parked(finished=answered)]
    if as_json:
        emit(found)
        return
    rows = [(row["id"], told(row), row["since"], " ".join(row["addresses"][:5]), _answer(row)) for row in found]
    table(("question", "a yes", "since", "said by", "answer"), rows)
    if not rows:
        say("nothing is parked")


@app.command()
def show(
    question: QUESTION,
    *,
    claims: Annotated[int, typer.Option(min=1, max=10_000, help="so many of each section at most")] = 100,
    as_json: JSON = False,
) -> None:
    """Show what a yes would end, by address and section, and who would be missing."""
    from api import questions

    with opened() as services:
        found = questions.full(services.inventory, services.inventory.parked_question(question), claims)
    if as_json:
        emit(found)
        return
    people().print(plain(f"{found['id']}: a yes {told(found)}; asked since {found['since']}; {_answer(found)}"),
                   markup=False)  # fmt: skip
    people().print(plain(f"runs: {' '.join(found['runs'])}"), markup=False)
    rows = [
        (place["address"], _name(place), section["section"], f"{section['ends']} of {section['of']}", claim["kind"],
         claim["text"])
        for place in found["places"]
        for section in place["sections"]
        for claim in section["claims"]
    ]  # fmt: skip
    table(("address", "CI", "section", "ends", "kind", "what"), rows)
    table(("silent", "CI", "last seen"), [(row["address"], _name(row), row["seen"]) for row in found["missing"]])


@app.command()
def yes(question: QUESTION, *, reason: REASON) -> None:
    """Apply what is parked."""
    with opened() as services:
        done = services.inventory.answer_parked(question, yes=True, by=user(), reason=reason)
    say(f"{question} is applied: " + ("nothing changed" if done.revision is None else f"revision {done.revision}"))


@app.command()
def no(question: QUESTION, *, reason: REASON) -> None:
    """Discard what is parked."""
    with opened() as services:
        services.inventory.answer_parked(question, yes=False, by=user(), reason=reason)
    say(f"{question} is discarded: nothing changed")


def told(row: dict[str, Any]) -> str:
    """What a yes does, in one line."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in row["kinds"].items())
    parts = [
        f"ends {row['ends']} of {row['stood']} claims ({kinds})" if row["ends"] else "",
        f"makes {row['silent']} of {row['covered']} devices missing" if row["silent"] else "",
    ]
    return " and ".join(filter(None, parts)) or "changes nothing any more"


def _answer(row: dict[str, Any]) -> str:
    if row["by"] is None:
        return str(row["answer"])
    return f"{row['answer']} by {row['by']}: {row['reason']}"


def _name(row: dict[str, Any]) -> str:
    return row["ci"]["name"] if row["ci"] is not None else ""
