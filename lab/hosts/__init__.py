"""A Linux host of the description → its recordings: files as they stand on it, and rows that its commands print."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.description import Device, Site
from lab.hosts import commands, files


@dataclass(frozen=True, slots=True)
class Recordings:
    """By path below a host's recordings. `files` everybody may read, `private` root alone, `commands` are replies."""

    files: dict[str, str]
    private: dict[str, str]
    commands: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write the recordings where the shims of `lab/shims` look for them."""
        for kind, contents in (("files", self.files), ("private", self.private), ("commands", self.commands)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            for name, text in contents.items():
                path = folder / kind / name.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")


def record(site: Site, device: Device) -> Recordings:
    """Everything that a scanner may ask a host on the command line."""
    if device.linux is None:
        raise ValueError(f"{device.id} is no Linux host")
    return Recordings(files.public(device, device.linux), files.private(device, device.linux),
                      commands.replies(site, device, device.linux))  # fmt: skip
