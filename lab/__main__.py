"""`python -m lab`: start the laboratory and keep it until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from dataclasses import asdict

from lab.access import SNMP_PORT, SSH_PORT, LabCredential
from lab.behaviour import Behaviour, parse
from lab.laboratory import Lab
from lab.site import SITE


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal. Exit code 5 where the ports are in use."""
    parser = argparse.ArgumentParser(prog="python -m lab", description="A data centre on loopback, for demo and tests.")
    parser.add_argument("--snmp-port", type=int, default=SNMP_PORT, help="UDP port of all agents (default %(default)s)")
    parser.add_argument(
        "--ssh-port", type=int, default=SSH_PORT, help="TCP port of all SSH servers (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="say what was started as one line of JSON")
    parser.add_argument("--set", type=_setting, action="append", default=[], metavar="DEVICE=HOW",
                        help="silent, refusing, slow:SECONDS or lying:LIE; may be repeated")  # fmt: skip
    parser.add_argument("--until-eof", action="store_true", help="end with standard input: with whoever holds its pipe")
    options = parser.parse_args(arguments)
    try:
        lab = Lab.start(options.snmp_port, options.ssh_port)
    except OSError as error:
        sys.stderr.write(f"the laboratory cannot start: {error}; choose other ports: --snmp-port, --ssh-port\n")
        return 5
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    if options.until_eof:
        threading.Thread(target=_wait_for_eof, args=(stopping,), daemon=True).start()
    with lab:
        for name, behaviour in options.set:
            lab.set_behaviour(name, behaviour)
        sys.stdout.write(_announcement(lab, options.json) + "\n")
        sys.stdout.flush()
        stopping.wait()
    return 0


def _wait_for_eof(stopping: threading.Event) -> None:
    # Not through sys.stdin: its lock, held by a thread that waits, is fatal when the interpreter ends.
    while os.read(0, 4096):
        pass
    stopping.set()


def _setting(text: str) -> tuple[str, Behaviour]:
    name, _, how = text.partition("=")
    known = [device.id for device in SITE.devices if device.snmp or device.ssh]
    if name not in known:
        raise argparse.ArgumentTypeError(f"no device {name!r} answers; known: {' '.join(known)}")
    try:
        return name, parse(how)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _announcement(lab: Lab, as_json: bool) -> str:
    if as_json:
        return json.dumps({
            "snmp_port": lab.snmp_port, "ssh_port": lab.ssh_port, "networks": list(lab.networks),
            "address_map": dict(lab.address_map), "addresses": lab.addresses,
            "credentials": [asdict(credential) for credential in lab.credentials],
        })  # fmt: skip
    ((site, dialled),) = lab.address_map.items()
    lines = [
        f"{len(lab.addresses)} devices of {site}, dialled at {dialled}",
        f"  SNMP on UDP {lab.snmp_port}, SSH on TCP {lab.ssh_port}",
        *(_opening(credential) for credential in lab.credentials if credential.kind != "ssh-key"),
        "Ctrl-C ends it",
    ]
    return "\n".join(lines)


def _opening(credential: LabCredential) -> str:
    who = f", user {credential.user}" if credential.user else ""
    return f"  {credential.kind}{who}: {' '.join(credential.secrets)}"


if __name__ == "__main__":
    sys.exit(main())
