"""`cmdb evidence` and `cmdb replay`: the replies that values came from, and what they say to the parsers of today."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.output import Exit, emit, fail, people, plain, say, table
from api.cli.session import JSON, opened, user

if TYPE_CHECKING:
    from api.wiring import Services

_HASH = re.compile(r"[0-9a-f]{64}")


def evidence(
    what: Annotated[str, typer.Argument(help="the hash of a reply, or a CI: id, label, serial, MAC, address, name")],
    attribute: Annotated[str | None, typer.Argument(help="the value of that CI whose replies are meant")] = None,
    *,
    as_json: JSON = False,
) -> None:
    """Show a reply as the device gave it, or every reply that a value of a CI comes from; secrets are taken out."""
    from api import replies_shown

    with opened() as services:
        if attribute is None:
            if not _HASH.fullmatch(what):
                fail(Exit.BAD_INPUT, f"{what!r} is no hash of a reply; name an attribute, too, where a CI is meant")
            document = replies_shown.reply(services, what)
            emit(document) if as_json else _print_reply(document)
            return
        claims = _claims(services, what, attribute)
        if as_json:
            emit(claims)
        else:
            for claim in claims:
                _print_claim(claim)


def _claims(services: Services, what: str, attribute: str) -> list[dict[str, Any]]:
    from api import replies_shown

    target = services.inventory.target(what)
    if len(target.cis) != 1:
        fail(Exit.BAD_INPUT, f"{what!r} is a relation, not a CI: name one of its ends")
    return replies_shown.of_value(services, target.cis[0], attribute, what)


def _print_claim(claim: dict[str, Any]) -> None:
    won = "in force" if claim["won"] else "not in force"
    part = f" of {claim['component']['kind']} {claim['component']['name']}" if claim["component"] else ""
    words = f"{claim['attribute']}{part}: {claim['value']} ({won}: {claim['reason']})"
    people().print(plain(words), markup=False)
    said = f"said by {claim['source']} in {claim['section']}, first {claim['since']}, last {claim['confirmed']}"
    people().print(plain(f"  {said}"), markup=False)
    if claim["reply"] is None:
        people().print(plain(f"  {claim['no_reply']}"), markup=False)
    else:
        _print_reply(claim["reply"])


def _print_reply(document: dict[str, Any]) -> None:
    space = "" if document["space"] == "default" else f" in address space {document['space']}"
    people().print(plain(f"{document['section']} of {document['address']}{space}"), markup=False)
    people().print(plain(f"sha256 {document['hash']}"), markup=False)
    for said in document["said"][:1]:
        times = f", {len(document['said'])} times" if len(document["said"]) > 1 else ""
        people().print(plain(f"said {said['time']}, run {said['run'] or 'unknown'}{times}"), markup=False)
    for reply in document["replies"]:
        people().print(plain(f"\n> {reply['asked']}"), markup=False)
        table(("", ""), [(row["object"], row["value"]) for row in reply["rows"]])
        for name in ("stdout", "stderr"):
            if reply[name]:
                people().print(plain(reply[name].rstrip("\n")), markup=False)
        if reply["code"]:
            people().print(f"returned {reply['code']}", markup=False)
        if reply["problem"]:
            people().print(plain(reply["problem"]), markup=False)


def replay(
    recording: Annotated[
        Path | None, typer.Argument(help="a folder FAMILY/MODEL with replies.yaml, or that file, in place of a run")
    ] = None,
    *,
    run: Annotated[str | None, typer.Option("--run", help="the replies of this run")] = None,
    last: Annotated[bool, typer.Option("--last", help="the last replies of every address")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="take in what comes of it, as one revision")] = False,
    as_json: JSON = False,
) -> None:
    """Parse kept replies with today's families and parsers, and show what that would change. No device is asked.

    With a recording: print its facts and claims; exit code 1 where they are not those of its expected.json.
    """
    from api.cli.recordings import replay_recording

    if [recording is not None, run is not None, last].count(True) != 1:
        fail(Exit.BAD_INPUT, "name one of: --run ID, --last, or a recording")
    if recording is not None:
        if apply or as_json:
            fail(Exit.BAD_INPUT, "--apply and --json are for --run and --last: a recording is of no device of yours")
        replay_recording(recording)
        return
    from api import replies_shown

    with opened() as services:
        document = replies_shown.replay(services, run, by=user(), apply=apply)
    if as_json:
        emit(document)
        return
    for line in document["remarks"]:
        say(line)
    for line in document["difference"]:
        people().print(plain(line), markup=False)
    visits = f"{document['visits']} {'address' if document['visits'] == 1 else 'addresses'} read anew"
    if document["revision"] is not None:
        say(f"{visits}: {len(document['difference'])} changes, revision {document['revision']}")
    elif document["difference"]:
        say(f"{visits}: {len(document['difference'])} changes; nothing was applied: --apply takes them in")
    else:
        say(f"{visits}: no difference")
