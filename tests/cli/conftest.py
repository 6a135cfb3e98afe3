"""`cmdb` as people and scripts use it: in this process where that is the same, as a process where it is not."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from api.commandline import main
from tests.fixtures.laboratory import lab, running_lab

__all__ = ["lab", "running_lab"]

COMMAND = Path(sys.executable).with_name("cmdb")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which is JSON and nothing else."""
        return json.loads(self.out)


Cmdb = Callable[..., Done]
"""`cmdb("show", "web1", stdin="")`: runs a command, whatever its exit code."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a newcomer's stores; nobody's settings get in."""
    for name in ("CMDB_CONFIG", "CMDB_OPERATIONS", "CMDB_KEY", "CMDB_KEY_FILE", "CMDB_EVIDENCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("CMDB_STORE", f"sqlite:///{tmp_path / 'store' / 'cmdb.sqlite'}")
    return tmp_path


@pytest.fixture
def cmdb(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cmdb:
    """Run commands on the stores of `home`, one after the other."""
    del home

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        written = capsys.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, written.out, written.err)

    return run


@pytest.fixture
def process(home: Path) -> Cmdb:
    """Run commands through the console entry, each as a process of its own."""
    del home

    def run(*arguments: str, stdin: str = "") -> Done:
        done = subprocess.run(
            [COMMAND, *arguments], input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run
