from __future__ import annotations

import subprocess
import sys

from tests.cli.conftest import Cmdb

HEAVY = ("alembic", "apscheduler", "fastapi", "neo4j", "numpy", "paramiko", "pydantic", "sqlalchemy", "uvicorn")


def test_every_command_of_the_line_is_there_and_says_what_it_does(cmdb: Cmdb) -> None:
    done = cmdb("--help")

    listed = done.out.partition("Commands:")[2].splitlines()
    commands = {line.split()[0]: line.split(maxsplit=1)[1:] for line in listed if line.strip()}
    assert done.code == 0
    assert all(commands.values())
    assert set(commands) == {
        "serve", "demo", "scan", "declare", "show", "find", "impact", "label", "credential", "token", "runs",
        "schedule", "export", "verify", "problems", "parked", "recompute", "record", "replay", "evidence", "host-key",
        "diff", "history", "trim", "copy", "conflicts", "duplicates", "decisions", "same", "different", "back",
        "unmerge", "why", "spof",
    }  # fmt: skip


def test_help_loads_nothing_heavy() -> None:
    program = f"import sys, api.commandline; print([name for name in {HEAVY!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_console_entry_is_installed(process: Cmdb) -> None:
    done = process("label", "parse", "D010210-009", "--json")

    assert (done.code, done.json["machine"], done.err) == (0, 9, "")
