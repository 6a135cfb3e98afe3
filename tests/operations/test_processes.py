from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from operations.processes import Process
from tests.fixtures.parts import REPOSITORY

ASKS_ITSELF = "from operations.processes import Process; print(Process.this().text(), flush=True); input()"


def test_this_process_is_there() -> None:
    me = Process.this()

    assert me.is_there(me) is True


def test_it_is_the_same_after_writing_and_reading() -> None:
    me = Process.this()

    assert Process.read(me.text()) == me


def test_a_number_that_was_used_again_is_somebody_else() -> None:
    me = Process.this()

    assert replace(me, started=me.started - 1).is_there(me) is False


def test_a_process_of_an_earlier_boot_is_gone() -> None:
    me = Process.this()

    assert replace(me, numbers=f"earlier {me.numbers.split()[1]}").is_there(me) is False


def test_nobody_can_tell_of_another_host_or_namespace() -> None:
    me = Process.this()
    elsewhere = [
        replace(me, host="elsewhere", numbers="another pid:[1]"),
        replace(me, numbers=f"{me.numbers.split()[0]} pid:[1]"),
    ]

    assert [process.is_there(me) for process in elsewhere] == [None, None]


def test_a_killed_process_is_gone_even_before_anybody_reaps_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ASKS_ITSELF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as child:
        assert child.stdout is not None
        process = Process.read(child.stdout.readline())
        alive = process.is_there(Process.this())
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now, and stays one
        zombie = process.is_there(Process.this())

    assert (alive, zombie, process.is_there(Process.this())) == (True, False, False)
