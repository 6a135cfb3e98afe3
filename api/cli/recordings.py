"""`cmdb record`, and `cmdb replay` of a recording: a device's replies as a test, and what discovery makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import Exit, fail, people, reason, say
from api.cli.running import MAP, SNMP_PORT, SPACE, SSH_PORT, scope_of
from api.cli.session import opened


def record(
    target: Annotated[str, typer.Argument(help="the address or name of one device, or HOST:PORT")],
    *,
    folder: Annotated[Path, typer.Option("--to", help="where FAMILY/MODEL/ goes")] = Path("tests/recordings"),
    space: SPACE = "default",
    address_map: MAP = None,
    snmp_port: SNMP_PORT = None,
    ssh_port: SSH_PORT = None,
) -> None:
    """Write a device's replies down as a test, with stand-ins for its names, serials, addresses and secrets."""
    from discovery.dialling import RealDialler
    from discovery.record import NothingRecorded
    from discovery.record import record as record_device
    from operations.scanning import targets_of

    with opened(snmp_port=snmp_port, ssh_port=ssh_port) as services:
        targets = targets_of(scope_of(services, [target], space, None, address_map, yes=False))
        if len(targets) != 1:
            fail(Exit.BAD_INPUT, f"{target!r} is {len(targets)} addresses; name one device")
        key = _recording_key(services.settings.folder / "recording.key")
        try:
            made = record_device(targets, services.credentials.book(), services.host_keys(space), RealDialler(), key)
        except NothingRecorded as error:
            fail(Exit.UNAVAILABLE, f"nothing recorded: {error}")
        except LookupError as error:
            fail(Exit.PROBLEMS, f"{target}: {error}; write a family file for it first")
        say(f"{made.write(folder)}: read expected.json line by line before you commit it")


def _recording_key(path: Path) -> bytes:
    """What stand-ins are made with: kept, so that one serial has one stand-in in all recordings made here."""
    import os
    import secrets

    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        key = secrets.token_bytes(32)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
        return key


def replay_recording(recording: Path) -> None:
    """Print the facts and claims of a recording. Exit code 1 where they are not those of its expected.json."""
    from discovery.family import load_families
    from discovery.replay import expectation
    from discovery.replay import replay as walk
    from discovery.transport.replies import read_replies

    file = recording / "replies.yaml" if recording.is_dir() else recording
    try:
        replies = read_replies(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        fail(Exit.BAD_INPUT, f"{file} cannot be read: {reason(error)}")
    try:
        replayed = walk(replies, load_families())
    except LookupError as error:
        fail(Exit.BAD_INPUT, f"{file}: {error}; write a family file for it first")
    family, folder = replayed.recognition.family, file.absolute().parent.parent.name
    if family is None or family.name != folder:
        name = family.name if family is not None else "unknown"
        told = f"{file} is recognised as {name!r}, but lies in the folder of {folder!r}"
        fail(Exit.BAD_INPUT, f"{told}: move it to {name}/, or make the rules of {folder}.yaml more specific")
    found, expected = expectation(replayed), file.with_name("expected.json")
    people().print(found, markup=False, end="")
    if not expected.exists() or expected.read_text(encoding="utf-8") != found:
        fail(Exit.PROBLEMS, f"{expected} says something else: read the difference line by line before you replace it")
