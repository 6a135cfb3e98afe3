"""Commands that work for a while: serve and scan; what became of it: runs; and schedules for the next."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from api.cli.output import Exit, emit, fail, messages, people, plain, say, table
from api.cli.session import JSON, opened, user

if TYPE_CHECKING:
    from api.wiring import Services
    from operations.runs import Run, Scope
    from operations.scanning import Progress

schedules = typer.Typer(help="Scans that a server begins by itself.", no_args_is_help=True)

TARGETS = Annotated[list[str], typer.Argument(help="10.0.0.0/24, 10.0.0.1-9, an address, a name, or HOST:PORT")]
SPACE = Annotated[str, typer.Option(help="the address space of the targets")]
EXCLUDE = Annotated[list[str] | None, typer.Option(help="leave this network, range or host out; may be repeated")]
MAP = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="SITE=DIALLED", help="where a network is dialled, 10.0.0.0/16=192.168.0.0/16"),
]
SNMP_PORT = Annotated[int | None, typer.Option(help="UDP port of SNMP [161]")]
SSH_PORT = Annotated[int | None, typer.Option(help="TCP port of SSH [22]")]
YES = Annotated[bool, typer.Option("--yes", help="so many addresses are meant")]
NOBODY = frozenset({"silent", "closed"})
"""The outcomes of an address where nobody speaks SNMP or SSH: counted, and not listed."""


class Stopped(SystemExit):
    """A signal asked the program to end; `code` is the shell's 128 + number."""


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the block through its `finally` clauses, once.

    What comes after the first signal is ignored: it would cut short the clearing up.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(128 + number)

    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="the address to listen at [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="the port to listen at, 0 for a free one [8080]")] = None,
) -> None:
    """Serve the API and the pages, and run the schedules, until Ctrl-C or SIGTERM."""
    from api.server import serve as serve_app

    with ending_on_signals(), opened(host=host, port=port) as services:
        # Opened now: a store that does not answer is said here, and not to whoever asks first.
        services.inventory.graph()
        if services.inventory.rules_changed:
            say("the rules have changed: `cmdb recompute --dry-run` shows what that changes, `cmdb recompute` does it")
        services.runs.mend()
        settings = services.settings
        try:
            serve_app(services, settings.host, settings.port, lambda base: say(f"serving at {base}; Ctrl-C ends it"))
        except Stopped:
            say("stopped")


def scan(
    targets: TARGETS,
    *,
    space: SPACE = "default",
    exclude: EXCLUDE = None,
    address_map: MAP = None,
    snmp_port: SNMP_PORT = None,
    ssh_port: SSH_PORT = None,
    yes: YES = False,
    as_json: JSON = False,
) -> None:
    """Scan targets now and wait for the end. Exit code 1 where a host ended in a problem."""
    from operations.runs import RunState

    with opened(snmp_port=snmp_port, ssh_port=ssh_port) as services:
        scope = scope_of(services, targets, space, exclude, address_map, yes=yes)
        hosts: list[Progress] = []
        run, stopped_by = scan_with_a_bar(services, scope, hosts.append)
        if as_json:
            emit(run_document(run) | {"hosts": [_host(one) for one in hosts if one.outcome not in NOBODY]})
        else:
            say(summary(run))
    codes = {RunState.DONE: Exit.DONE, RunState.FAILED: Exit.UNAVAILABLE}
    raise typer.Exit(128 + stopped_by if stopped_by else int(codes.get(run.state, Exit.PROBLEMS)))


def scope_of(
    services: Services,
    targets: list[str],
    space: str,
    exclude: list[str] | None,
    address_map: list[str] | None,
    *,
    yes: bool,
) -> Scope:
    """What is to be scanned; bad input shows here, before there is a run. Raises TargetError."""
    from operations.runs import Scope
    from operations.scanning import targets_of

    settings = services.settings
    scope = Scope(
        tuple(targets),
        space,
        tuple(exclude or ()),
        tuple(address_map or ()),
        settings.snmp_port,
        settings.ssh_port,
        yes,
    )
    try:
        len(targets_of(scope))
    except OverflowError:
        fail(Exit.BAD_INPUT, f"{' '.join(targets)}: nobody can ask that many addresses; name a smaller network")
    return scope


def scan_with_a_bar(
    services: Services, scope: Scope, told: Callable[[Progress], None] | None = None
) -> tuple[Run, int]:
    """Scan as a run of this process, with a progress bar for people; `told` gets each Progress.

    Returns the run as it ended, and the signal that stopped it, else 0. The first signal closes the run as
    interrupted; the next one ends the program as it would any other.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    services.inventory.graph()  # a store that does not answer is no run
    ends = (TextColumn("scanning"), TextColumn("{task.fields[at]}", markup=False))
    columns = (ends[0], BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), ends[1])
    with Stop() as stop:
        work = services.scanner.work(services.runs.begin(scope, user()))
        stop.cancels(work.cancel)
        with Bar(*columns, console=messages()) as bar:
            task = bar.add_task("scanning", total=None, at="")
            with closing(iter(work)) as steps:
                for step in steps:
                    bar.update(task, completed=step.done, total=step.total, at=plain(step.name or step.address))
                    if step.problems:
                        where = f"{step.address} {step.name or ''}".rstrip()
                        bar.console.print(Text(plain(f"{where}: {step.outcome}: {'; '.join(step.problems)}")))
                    if told is not None:
                        told(step)
    return services.runs.get(work.run), stop.number


class Stop:
    """Within the block the first Ctrl-C or SIGTERM cancels what `cancels` named; the next is as it was before.

    `number` is that of the signal, 0 where none came. One that came before `cancels` counts, too.
    """

    _NUMBERS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.number = 0
        self._cancel: Callable[[], None] | None = None
        self._before = [signal.getsignal(number) for number in self._NUMBERS]

    def __enter__(self) -> Self:
        for number in self._NUMBERS:
            signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()

    def cancels(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        if self.number:
            cancel()

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._restore()
        self.number = number
        if self._cancel is not None:
            self._cancel()

    def _restore(self) -> None:
        for number, handler in zip(self._NUMBERS, self._before, strict=True):
            signal.signal(number, handler)


def summary(run: Run) -> str:
    """One line for people: how the run ended, and how many addresses with which outcome."""
    counts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(run.counts.items()))
    error = f"; {run.error}" if run.error else ""
    return f"run {run.id}: {run.state.value}: {run.done} of {run.total} addresses ({counts or 'none'}){error}"


def _host(step: Progress) -> dict[str, Any]:
    return {"address": step.address, "name": step.name, "outcome": step.outcome, "problems": list(step.problems)}


def run_document(run: Run) -> dict[str, Any]:
    """A run as JSON."""
    from cmdb.codec import time_out

    times = {name: getattr(run, name) for name in ("requested", "started", "ended")}
    return {
        "run": run.id,
        "state": run.state.value,
        "targets": list(run.scope.targets),
        "space": run.scope.space,
        "by": run.requested_by,
        **{name: time_out(time) if time else None for name, time in times.items()},
        "done": run.done,
        "total": run.total,
        "counts": dict(run.counts),
        "error": run.error,
    }


def runs(
    run: Annotated[str | None, typer.Argument(help="one run: what became of each host and section")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="so many of the newest")] = 20,
    as_json: JSON = False,
) -> None:
    """List the runs, the newest first; or one with its ledger."""
    with opened() as services:
        if run is not None:
            _show_run(services, run, as_json=as_json)
            return
        found = [run_document(each) for each in services.runs.newest(limit)]
    if as_json:
        emit(found)
    else:
        rows = [
            (r["run"], r["state"], f"{r['done']}/{r['total']}", " ".join(r["targets"]), r["by"], r["error"])
            for r in found
        ]
        table(("run", "state", "done", "targets", "by", "error"), rows)


def _show_run(services: Services, id_: str, *, as_json: bool) -> None:
    from cmdb.codec import time_out

    run = services.runs.get(id_)
    rows: list[dict[str, Any]] = []
    after = ("", "")
    while page := services.runs.ledger(id_, after=after):
        after = page[-1].address, page[-1].section
        rows += [
            {
                "address": row.address,
                "section": row.section,
                "outcome": row.outcome,
                "completeness": row.completeness,
                "at": time_out(row.at),
                "duration_s": row.duration_s,
                "counts": dict(row.counts),
                "error": row.error,
            }
            for row in page
        ]
    if as_json:
        emit(run_document(run) | {"ledger": rows})
        return
    people().print(plain(summary(run)), markup=False)
    shown = [row for row in rows if row["outcome"] not in NOBODY]
    table(
        ("address", "section", "outcome", "seconds", "error"),
        [
            (r["address"], r["section"], r["outcome"], f"{r['duration_s']:.2f}", (r["error"] or "").replace("\n", "; "))
            for r in shown
        ],
    )


@schedules.command("add")
def add_schedule(
    name: Annotated[str, typer.Argument(help="its name")],
    targets: TARGETS,
    *,
    cron: Annotated[str, typer.Option("--at", help="minute hour day month weekday in UTC, such as '0 2 * * *'")],
    space: SPACE = "default",
    exclude: EXCLUDE = None,
    address_map: MAP = None,
    snmp_port: SNMP_PORT = None,
    ssh_port: SSH_PORT = None,
    yes: YES = False,
) -> None:
    """Scan targets again and again; a running `cmdb serve` does it."""
    with opened(snmp_port=snmp_port, ssh_port=ssh_port) as services:
        scope = scope_of(services, targets, space, exclude, address_map, yes=yes)
        added = services.schedules.add(name, scope, cron, user())
    say(f"schedule {added.name!r}: next at {added.due:%Y-%m-%d %H:%M} UTC")


@schedules.command("list")
def list_schedules(*, as_json: JSON = False) -> None:
    """List the schedules."""
    from cmdb.codec import time_out

    with opened() as services:
        found: list[dict[str, Any]] = [
            {
                "name": row.name,
                "targets": list(row.scope.targets),
                "space": row.scope.space,
                "cron": row.cron,
                "enabled": row.enabled,
                "due": time_out(row.due),
            }
            for row in services.schedules.all()
        ]
    if as_json:
        emit(found)
    else:
        rows = [(r["name"], " ".join(r["targets"]), r["cron"], r["due"] if r["enabled"] else "paused") for r in found]
        table(("name", "targets", "at", "next"), rows)


@schedules.command("pause")
def pause_schedule(name: Annotated[str, typer.Argument(help="its name")]) -> None:
    """Let a schedule rest; what it misses is not made up for."""
    with opened() as services:
        services.schedules.enable(name, enabled=False)
    say(f"schedule {name!r} is paused")


@schedules.command("resume")
def resume_schedule(name: Annotated[str, typer.Argument(help="its name")]) -> None:
    """Go on with a schedule from now."""
    with opened() as services:
        row = services.schedules.enable(name, enabled=True)
    say(f"schedule {name!r}: next at {row.due:%Y-%m-%d %H:%M} UTC")


@schedules.command("remove")
def remove_schedule(name: Annotated[str, typer.Argument(help="its name")]) -> None:
    """Remove a schedule; its runs stay."""
    with opened() as services:
        services.schedules.remove(name)
    say(f"schedule {name!r} is removed")
