"""The command line: `cmdb`. Commands import what they need when they are called, so that `cmdb --help` is fast."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence

import typer

from api.cli import (
    access,
    conflicts,
    copying,
    demonstration,
    evidence,
    graph,
    history,
    impact,
    labels,
    mending,
    parked,
    recordings,
    running,
)
from api.cli.output import Exit, say

app = typer.Typer(
    name="cmdb",
    help="The CMDB that fills itself: scan, look up, and ask what breaks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (
    running.serve,
    demonstration.demo,
    running.scan,
    graph.declare,
    graph.show,
    graph.find,
    impact.impact,
    impact.why,
    impact.spof,
    running.runs,
    history.diff,
    history.history,
    history.trim,
    graph.export,
    graph.verify,
    copying.copy,
    mending.problems,
    conflicts.conflicts,
    conflicts.duplicates,
    conflicts.decisions,
    conflicts.same,
    conflicts.different,
    conflicts.back,
    conflicts.unmerge,
    mending.recompute,
    recordings.record,
    evidence.replay,
    evidence.evidence,
):
    app.command()(command)
app.add_typer(labels.app, name="label")
app.add_typer(parked.app, name="parked")
app.add_typer(access.credentials, name="credential")
app.add_typer(access.tokens, name="token")
app.add_typer(access.host_keys, name="host-key")
app.add_typer(running.schedules, name="schedule")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; every error of ours is one clear message and an exit code."""
    # The driver logs what it raises as well; whoever asked is told once.
    logging.getLogger("neo4j").addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot draw is spelt out, and ends nothing
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="cmdb")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        from api.cli.session import codes

        table = codes()
        code = next((table[kind] for kind in type(error).__mro__ if kind in table), None)
        if code is None:
            raise
        say(f"cmdb: {error}")
        sys.exit(int(code))


if __name__ == "__main__":
    main()


__all__ = ["Exit", "app", "main"]
