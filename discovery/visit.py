"""One visit of one address: what it was recognised by, and under which hash each of its replies is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from discovery.recognise import Fingerprint
from discovery.transport.base import format_oid, parse_oid


@dataclass(frozen=True, slots=True)
class RefusedSection:
    """A protocol that answered and gave nothing: why, and the fingerprint of the host key that it showed."""

    name: str
    problem: str
    host_key: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """All that a replay needs beside the replies. `snmp` and `shell`: what was open. Nothing in it is a secret."""

    space: str
    address: str
    port: int
    time: datetime
    run: str | None
    family: str
    snmp: bool
    shell: bool
    fingerprint: Fingerprint
    host_key: str | None
    sections: Mapping[str, str]
    refused: tuple[RefusedSection, ...] = ()


def visit_out(visit: Visit) -> str:
    """A line of JSON."""
    shown = visit.fingerprint
    document = {
        "space": visit.space,
        "address": visit.address,
        "port": visit.port,
        "time": visit.time.isoformat(),
        "run": visit.run,
        "family": visit.family,
        "open": [name for name, is_open in (("snmp", visit.snmp), ("shell", visit.shell)) if is_open],
        "fingerprint": {
            "sys_object_id": None if shown.sys_object_id is None else format_oid(shown.sys_object_id),
            "sys_descr": shown.sys_descr,
            "ssh_banner": shown.ssh_banner,
            "uname": shown.uname,
        },
        "host_key": visit.host_key,
        "sections": dict(visit.sections),
        "refused": [[one.name, one.problem, one.host_key] for one in visit.refused],
    }
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def visit_in(line: str) -> Visit:
    """Read what `visit_out` wrote. Raises ValueError: a line that was cut short, or is none of ours."""
    try:
        row = json.loads(line)
        shown = row["fingerprint"]
        return Visit(
            space=row["space"],
            address=row["address"],
            port=row["port"],
            time=datetime.fromisoformat(row["time"]),
            run=row["run"],
            family=row["family"],
            snmp="snmp" in row["open"],
            shell="shell" in row["open"],
            fingerprint=Fingerprint(
                None if shown["sys_object_id"] is None else parse_oid(shown["sys_object_id"]),
                shown["sys_descr"],
                shown["ssh_banner"],
                shown["uname"],
            ),
            host_key=row["host_key"],
            sections=row["sections"],
            refused=tuple(RefusedSection(*each) for each in row["refused"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no visit: {error}") from error
