"""The commands of a Linux host as tiny shell scripts that print its recordings; `install` fills a host's PATH."""

from __future__ import annotations

import shutil
from pathlib import Path

_HERE = Path(__file__).parent
_ANSWERING = ("cat", "ip", "ss", "lsblk", "lldpcli", "sudo", "dmidecode", "hostname", "uname", "id", "ps", "nproc")
_ON_FILES = ("grep", "head", "tail", "ls", "find", "readlink", "sed", "awk", "cut", "sort", "wc", "stat", "od")
_REAL = (
    "sh", "timeout", "env", "printf", "echo", "test", "[", "true", "false", "tr", "uniq", "sleep", "date", "base64",
    "md5sum", "sha256sum", "dd", "xargs", "tee", "basename", "dirname", "expr", "seq", "kill", "nice", "paste",
)  # fmt: skip


def install(folder: Path, lldpd: bool) -> None:
    """Fill `folder` with what a host has on its PATH: shims for what could tell hosts apart, the real tool else."""
    folder.mkdir(parents=True)
    for name in _ANSWERING:
        if name != "lldpcli" or lldpd:
            _script(folder / name, _HERE / f"{name}.sh")
    if lldpd:
        (folder / "lldpctl").symlink_to(folder / "lldpcli")
    for name in _ON_FILES:
        _script(folder / name, _HERE / "onfiles.sh")
    (folder / "whoami").write_text("#!/bin/sh\nexec id -un\n", encoding="utf-8")
    (folder / "whoami").chmod(0o755)
    for name in _REAL:
        if real := shutil.which(name, path="/usr/bin:/bin"):
            (folder / name).symlink_to(real)


def _script(path: Path, source: Path) -> None:
    path.write_bytes(source.read_bytes())
    path.chmod(0o755)
