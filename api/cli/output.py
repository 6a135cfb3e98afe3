"""What the command line prints: tables and words for people, JSON alone on standard output for programs."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from cmdb.inventory import Declared


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    PROBLEMS = 1
    BAD_INPUT = 2
    NOT_FOUND = 3
    REFUSED = 4
    UNAVAILABLE = 5


_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's general categories of control and format characters, half characters, line and paragraph ends."""

_WIDE = 1000
"""Columns of what is no terminal: each row of a table stays one line for grep."""


def people() -> Console:
    """Where tables go; made anew each time, so that a redirected standard output is seen."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDE, soft_wrap=True)


def messages() -> Console:
    """Where progress and messages go: standard error, so that they never disturb what a program reads."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def plain(text: str) -> str:
    r"""Text for a terminal: what would steer it or turn the reading direction is shown as an escape (`\x1b`).

    A device may say anything, and what it says must not look like ours. Line feeds stay.
    """
    return "".join(char if char == "\n" or not _steers(char) else _escaped(char) for char in text)


def _steers(char: str) -> bool:
    return unicodedata.category(char) in _STEERING


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def say(*words: str) -> None:
    """Say something to a person without disturbing what a program reads."""
    sys.stderr.write(plain(" ".join(words)) + "\n")


def fail(code: Exit, message: str) -> NoReturn:
    """End the command with one clear message."""
    say(f"cmdb: {message}")
    raise typer.Exit(int(code))


def reason(error: OSError | UnicodeDecodeError) -> str:
    """Why a file cannot be read, without the path, which the message says already."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is no UTF-8 text"


def emit(document: Any) -> None:
    """Print JSON for a program."""
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=not readable) + "\n")


def table(columns: Sequence[str], rows: Iterable[Iterable[Any]], title: str | None = None) -> None:
    """Print a table for a person, if it has a row; what devices say is text, never markup."""
    drawn = Table(
        *columns,
        title=title,
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
        show_header=any(columns),
    )
    cells = [[cell if isinstance(cell, Text) else _cell(cell) for cell in row] for row in rows]
    if not cells:
        return
    console = people()
    if title is None and not console.is_terminal:
        sys.stdout.write(_aligned([list(columns)] * any(columns) + [[cell.plain for cell in row] for row in cells]))
        return
    for row in cells:
        drawn.add_row(*row)
    with console.capture() as capture:
        console.print(drawn)
    lines = (line.rstrip() if console.width == _WIDE else line for line in capture.get().splitlines())
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """The table for what is no terminal, of tens of thousands of rows: rich takes half a millisecond for each."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        + "\n"
        for row in rows
    )


def _cell(value: Any) -> Text:
    """A cell of one line: a line feed in a name would show as a row of its own."""
    return Text("" if value is None else plain(str(value)).replace("\n", r"\n"))


def tell_difference(done: Declared, *, dry_run: bool) -> None:
    """What a write changed, or would change, in words; then in which revision."""
    for line in done.difference:
        people().print(plain(line), markup=False)
    if dry_run:
        say("nothing was applied (--dry-run)")
    elif done.revision is None:
        say("nothing changed")
    else:
        say(f"revision {done.revision}: {len(done.changes)} changes")
