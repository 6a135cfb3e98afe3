"""util-linux: `lsblk --json --bytes --nodeps`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from discovery.facts import Disk, ParseError


def disks(text: str) -> Iterator[Disk]:
    """Yield the devices of type disk; loop devices, CD drives, RAM disks and what lies on a disk are left out."""
    if not text.strip():
        return
    try:
        devices = json.loads(text)["blockdevices"]
    except (ValueError, KeyError, TypeError) as error:
        raise ParseError("not the JSON of lsblk") from error
    for device in devices:
        if device.get("type") != "disk" or device["name"].startswith(("zram", "ram", "nbd")):
            continue
        size = device.get("size")
        wwn = device.get("wwn") or ""
        yield Disk(
            name=device["name"],
            size=int(size) if size is not None else None,  # a text before util-linux 2.33
            model=(device.get("model") or "").strip(),
            serial=(device.get("serial") or "").strip(),
            wwn=wwn.lower().removeprefix("0x"),
            transport=device.get("tran") or "",
        )
