"""`cmdb demo`: a laboratory on loopback, scanned, asked and served, all in a folder that goes when it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.impact import headline
from api.cli.output import Exit, fail, people, table
from api.cli.running import Stopped, ending_on_signals, scan_with_a_bar, summary
from api.cli.session import opened

if TYPE_CHECKING:
    from api.wiring import Services
    from cmdb.inventory import Inventory

_LAB_STOPS_S = 10.0
_LINK_LIFE = timedelta(hours=12)
_SHOWN = 8


def demo(
    *,
    port: Annotated[int | None, typer.Option(help="the port of the pages [8080, or a free one]")] = None,
    once: Annotated[bool, typer.Option("--once", help="end after the answers, serve nothing")] = False,
) -> None:
    """Show it all: a data centre on loopback, scanned over real SNMP and SSH, asked, then served for a browser."""
    with ending_on_signals(), tempfile.TemporaryDirectory(prefix="cmdb-demo-") as folder:
        with _laboratory(folder) as lab, _services(Path(folder), port) as services:
            _fill(services, lab)
            _found(services.inventory)
            _answers(services.inventory)
            if once:
                return
            with suppress(Stopped):
                _serve(services, port)
        people().print("stopped; nothing is left behind")


@contextmanager
def _laboratory(folder: str) -> Iterator[dict[str, Any]]:
    """The laboratory in a process of its own; it ends with the block, or when this process is gone, however it went."""
    people().print("starting the laboratory: a data centre on loopback")
    # -P: a folder called lab where somebody happens to stand is not ours.
    command = [sys.executable, "-P", "-m", "lab", "--json", "--until-eof", "--snmp-port", "0", "--ssh-port", "0"]
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": folder},
    )
    try:
        assert child.stdout is not None  # noqa: S101 - we asked for a pipe
        line = child.stdout.readline()
        if not line:
            fail(Exit.UNAVAILABLE, f"the laboratory did not start (exit code {child.wait(_LAB_STOPS_S)})")
        yield json.loads(line)
    finally:
        child.terminate()
        try:
            child.wait(_LAB_STOPS_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def _services(folder: Path, port: int | None) -> Iterator[Services]:
    """Everything in the temporary folder, whatever variables and settings file say."""
    with opened(
        store=f"sqlite:///{folder / 'cmdb.sqlite'}",
        operations=f"sqlite:///{folder / 'operations.sqlite'}",
        key="",
        key_file=folder / "cmdb.key",
        evidence=folder / "evidence",
        host_key_policy="pin",
        host="127.0.0.1",
        port=port,
    ) as services:
        yield services


def _fill(services: Services, lab: dict[str, Any]) -> None:
    """Enter the credentials, declare the estate, and scan."""
    from operations.runs import Scope

    for credential in lab["credentials"]:
        _enter(services, credential)
    estate = (resources.files("lab") / "estate.yaml").read_text(encoding="utf-8")
    declared = services.inventory.declare(estate, "estate.yaml", "demo")
    people().print(f"declared what no scan can know: {len(declared.changes)} changes (lab/estate.yaml)")
    scope = Scope(
        tuple(lab["networks"]),
        address_map=tuple(f"{site}={dialled}" for site, dialled in lab["address_map"].items()),
        snmp_port=lab["snmp_port"],
        ssh_port=lab["ssh_port"],
    )
    people().print(f"scanning {', '.join(scope.targets)} over SNMP and SSH")
    run, stopped_by = scan_with_a_bar(services, scope)
    if stopped_by:
        raise Stopped(128 + stopped_by)
    people().print(summary(run), markup=False)


def _enter(services: Services, credential: dict[str, Any]) -> None:
    from discovery.transport.base import Auth, Priv, Secret
    from operations.credentials import Options

    services.credentials.add(
        credential["name"],
        credential["kind"],
        credential["networks"],
        Secret("\n".join(credential["secrets"])),
        Options(
            credential["user"],
            Auth(credential["auth"] or Auth.SHA256),
            Priv(credential["priv"] or Priv.AES128),
            sudo=credential["sudo"],
        ),
    )


def _found(inventory: Inventory) -> None:
    graph = inventory.graph()
    classes = Counter(ci.cls.replace("_", " ") for ci in graph.cis.values())
    title = f"\nrevision {graph.revision}: {len(graph.cis)} configuration items, {len(graph.relations)} relations"
    people().print(title, markup=False)
    people().print(", ".join(f"{number} {name}" for name, number in classes.most_common()), markup=False)


def _answers(inventory: Inventory) -> None:
    """Three questions, as another service, a network change and a power change would ask them."""
    tag = "D010210-009"
    holder = inventory.tag(tag)
    people().print(f"\nWhich machine is {tag}?", style="bold", markup=False)
    if holder is not None:
        ci = holder.stored.ci
        told = ", ".join(str(ci.attributes[name]) for name in ("vendor", "model") if name in ci.attributes)
        people().print(f"{ci.name}, a {ci.cls.replace('_', ' ')}{f' ({told})' if told else ''}", markup=False)
    for question, what, kind in (
        ("What if access switch acc3 is rebooted?", "acc3", "reboot"),
        ("What if storage array array1 is powered off?", "array1", "power_off"),
    ):
        people().print(f"\n{question}", style="bold", markup=False)
        _print_answer(inventory.ask([what], kind).as_json())


def _print_answer(document: Any) -> None:
    people().print(headline(document), markup=False)
    rows = [
        (row["name"], row["class"], row["availability"], row["because"][0]["text"] if row["because"] else "")
        for row in document["affected"][:_SHOWN]
    ]
    table(("", "", "", ""), rows)
    if (more := len(document["affected"]) - _SHOWN) > 0:
        people().print(f"and {more} more")


def _serve(services: Services, port: int | None) -> None:
    """Serve at the port that was asked for; without one at the usual port, or a free one where that is taken."""
    from api.pages.entry import link_path
    from api.server import serve
    from api.settings import SettingsError

    def ready(base: str) -> None:
        link = services.sessions.make_link("demo", "admin", _LINK_LIFE)
        people().print("\nthe pages are open; this link logs you in, once (Ctrl-C ends everything):")
        people().print(f"{base}{link_path(link)}", markup=False, soft_wrap=True)
        sys.stdout.flush()

    settings = services.settings
    try:
        serve(services, settings.host, settings.port, ready)
    except SettingsError:
        if port is not None:
            raise
        serve(services, settings.host, 0, ready)
