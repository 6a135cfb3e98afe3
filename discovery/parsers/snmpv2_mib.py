"""SNMPv2-MIB (RFC 3418), the system group."""

from __future__ import annotations

from collections.abc import Iterator

from discovery.facts import System
from discovery.parsers.octets import Rows, oid_text, scalar, text


def system(rows: Rows) -> Iterator[System]:
    """Read sysDescr, sysObjectID, sysContact, sysName and sysLocation."""
    if not rows:
        return
    yield System(
        description=text(scalar(rows, "1.3.6.1.2.1.1.1.0"), "sysDescr"),
        object_id=oid_text(scalar(rows, "1.3.6.1.2.1.1.2.0"), "sysObjectID"),
        contact=text(scalar(rows, "1.3.6.1.2.1.1.4.0"), "sysContact"),
        name=text(scalar(rows, "1.3.6.1.2.1.1.5.0"), "sysName"),
        location=text(scalar(rows, "1.3.6.1.2.1.1.6.0"), "sysLocation"),
    )
