"""Prompts and pagers of many vendors, without a connection between."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from discovery.transport.base import Output, Refused, SshLimits
from discovery.transport.ssh_stream import Chunk
from discovery.transport.ssh_terminal import PromptTerminal, cleaned

LIMITS = SshLimits(login_s=2)


class ScriptedStream:
    """A Stream of a device that says the next of these at each thing it is sent."""

    def __init__(self, greeting: bytes, *answers: bytes) -> None:
        self._waiting = [greeting]
        self._answers = list(answers)
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        if self._answers:
            self._waiting.append(self._answers.pop(0))

    def hang_up(self) -> None:
        self._waiting.append(b"")

    def end_input(self) -> None:
        """Never happens at a prompt."""

    def receive(self, timeout_s: float) -> Chunk | None:  # noqa: ARG002 it never waits
        if not self._waiting:
            return Chunk(b"", b"")
        said = self._waiting.pop(0)
        return Chunk(said, b"") if said else None

    def close(self) -> None:
        """Nothing is held."""


@pytest.mark.parametrize(
    "prompts",
    [
        ["sw-1>", "sw-1#", "sw-1(config-if-range)#"],
        ["sw-1.example.net#"],
        ["<HUAWEI>", "[HUAWEI]", "[HUAWEI-GigabitEthernet0/0/1]"],
        ["admin@mx-1> ", "admin@mx-1# "],
        ["FGT60 # ", "FGT60 # "],
        ["(Cisco Controller) >"],
        ["fc-1:admin> "],
        ["RP/0/RSP0/CPU0:core-1#", "RP/0/RSP0/CPU0:core-1(config)#"],
        ["\x1b[1;13r\x1b[24;1H\x1b[?25hProCurve# ", "\x1b[2KProCurve# "],
        ["admin@db1:~$ "],
        ["> "],
    ],
    ids=lambda prompts: str(prompts[0]),
)
def test_the_prompt_of_a_vendor_is_known_in_its_modes(prompts: Sequence[str]) -> None:
    later = [prompts[-1 if "HUAWEI" not in prompts[0] else 1], prompts[0]]
    answers = [f"show x\r\nrow # {number}\r\n{prompt}".encode() for number, prompt in enumerate(later)]
    stream = ScriptedStream(f"\r\nAuthorised > only\r\n\r\n{prompts[0]}".encode(), *answers)
    terminal = PromptTerminal(stream, LIMITS)

    answered = [terminal.ask("show x"), terminal.ask("show x")]

    assert answered == [Output(b"row # 0\n"), Output(b"row # 1\n")]


@pytest.mark.parametrize(
    ("pager", "wipe"),
    [
        (" --More-- ", "\r          \r"),
        ("--More--", "\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b"),
        ("<--- More --->", "\r              \r"),
        ("---(more 42%)---", "\r                                        \r"),
        ("---- More ----", "\x1b[16D                \x1b[16D"),
        ("-- MORE --, next page: Space, next line: Enter, quit: Control-C", "\r\x1b[2K"),
        ("--More-- (<space> = next page, <CR> = one line, Q = quit)", "\r\x1b[K"),
    ],
)
def test_a_page_is_turned_and_leaves_no_trace(pager: str, wipe: str) -> None:
    stream = ScriptedStream(b"sw-1#", f"show x\r\nrow 1\r\n{pager}".encode(), f"{wipe}row 2\r\nsw-1#".encode())
    terminal = PromptTerminal(stream, LIMITS)

    answered = terminal.ask("show x")

    assert answered == Output(b"row 1\nrow 2\n")
    assert stream.sent == [b"show x\n", b" "]


def test_a_table_with_dashes_is_no_pager() -> None:
    table = "show x\r\nName   More\r\n------ ------\r\n-- more of it\r\nmore\r\nsw-1#"
    stream = ScriptedStream(b"sw-1#", table.encode())

    answered = PromptTerminal(stream, LIMITS).ask("show x")

    assert answered == Output(b"Name   More\n------ ------\n-- more of it\nmore\n")
    assert stream.sent == [b"show x\n"]


def test_a_key_is_pressed_where_one_is_wanted() -> None:
    stream = ScriptedStream(
        b"Licence terms\r\nPress any key to continue", b"\r\nProCurve# ", b"show x\r\n1\r\nProCurve# "
    )

    answered = PromptTerminal(stream, LIMITS).ask("show x")

    assert answered == Output(b"1\n")


def test_a_device_that_hangs_up_instead_of_a_prompt_refuses() -> None:
    stream = ScriptedStream(b"in maintenance\r\n")
    stream.hang_up()

    with pytest.raises(Refused, match="maintenance"):
        PromptTerminal(stream, LIMITS)


def test_only_one_line_is_asked_at_a_time() -> None:
    terminal = PromptTerminal(ScriptedStream(b"sw-1#"), LIMITS)

    with pytest.raises(ValueError, match="one line"):
        terminal.ask("show x\nreload")


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (b"a\r\nb\r\r\nc", b"a\nb\nc"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07x", b"red x"),
        (b"abc\b\b\bxyz", b"xyz"),
        (b"wiped\rnew", b"new"),
        (b"\x00bell\x07", b"bell"),
    ],
)
def test_what_a_terminal_prints_is_read_as_a_person_sees_it(raw: bytes, seen: bytes) -> None:
    assert cleaned(raw) == seen
