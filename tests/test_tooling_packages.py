"""What a newcomer is told, and what is installed, where Debian packages are missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.fixtures.parts import REPOSITORY, missing

SCRIPT = REPOSITORY / "tools" / "debian-packages"


def _run(words: list[str], tmp_path: Path, *, python: str, user: int) -> subprocess.CompletedProcess[str]:
    """The script on a machine whose python3, user and apt-get are ours; apt-get records what it is asked for."""
    programs = {
        "newcomer-python": python,
        "id": f"echo {user}",
        "apt-get": f'echo "$@" >>{tmp_path}/apt; exit 100',
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHON": "newcomer-python"}
    command = [str(SCRIPT), *words]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


def test_nothing_is_said_or_installed_where_nothing_is_missing(tmp_path: Path) -> None:
    done = _run(["demo"], tmp_path, python="exit 0", user=1000)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "apt").exists()


def test_who_is_not_root_is_told_the_line_to_run(tmp_path: Path) -> None:
    done = _run(["demo"], tmp_path, python="exit 1", user=1000)

    said = """\
Debian packages are missing: python3-venv
Run this, then make again; it installs them and leaves no service of theirs running:
    sudo tools/debian-packages demo
"""
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
    assert not (tmp_path / "apt").exists()


def test_root_is_told_first_what_will_be_installed_and_a_failure_stops_it(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        missing("root", "the script writes /usr/sbin/policy-rc.d")
    policy = Path("/usr/sbin/policy-rc.d")
    before = policy.exists()

    done = _run(["demo"], tmp_path, python="exit 1", user=0)

    said = "Installing these Debian packages, no service of theirs will run: python3-venv\n"
    assert (done.returncode, done.stdout, (tmp_path / "apt").read_text()) == (100, said, "update -qq\n")
    assert policy.exists() == before


def test_an_unknown_word_is_bad_input(tmp_path: Path) -> None:
    done = _run(["everything"], tmp_path, python="exit 0", user=1000)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"usage: {SCRIPT} demo|test\n"
