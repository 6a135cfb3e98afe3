"""The command that moves a whole store to another server or file."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.output import emit, say
from api.cli.session import JSON, opened


def copy(
    to: Annotated[
        str,
        typer.Option(
            envvar="CMDB_COPY_TO",
            show_envvar=True,
            help="the empty store to fill: neo4j://USER:PASSWORD@HOST:PORT or sqlite:///PATH; better by the variable,"
            " because others on this machine see what is on a command line",
        ),
    ],
    *,
    as_json: JSON = False,
) -> None:
    """Copy the store to another one with ids, history and revisions. Stop what writes to it first."""
    with opened() as services:
        copied = services.copy_store(to, lambda n, of: say(f"revision {n} of {of}"))
    if as_json:
        emit(
            {
                "cis": copied.cis,
                "relations": copied.relations,
                "revisions": copied.revisions,
                "records": copied.records,
            }
        )
    else:
        say(
            f"{copied.cis} configuration items, {copied.relations} relations, {copied.revisions} revisions and"
            f" {copied.records} records are copied, compared and verified; set CMDB_STORE to go on with the copy"
        )
