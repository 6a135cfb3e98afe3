from __future__ import annotations

import pytest

from api.cli.output import plain, say, table


def test_what_a_device_says_steers_no_terminal() -> None:
    said = "web\x1b[2J\x1b]0;pwned\x07\x9b31m\x00 \u202egpj.exe\u2028 <b>机房 ü\nnext"

    assert plain(said) == "web\\x1b[2J\\x1b]0;pwned\\x07\\x9b31m\\x00 \\u202egpj.exe\\u2028 <b>机房 ü\nnext"


def test_a_name_of_two_lines_is_one_row_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    table(("name", "class"), [("web\r\ncore1  router", "server"), ("[red]db\x1b[31m", None)])

    assert capsys.readouterr().out.splitlines() == [
        "name                  class",
        "web\\r\\ncore1  router  server",
        "[red]db\\x1b[31m",
    ]


def test_messages_quote_devices_harmlessly(capsys: pytest.CaptureFixture[str]) -> None:
    say("fits several:", "web\x1b[31m")

    assert capsys.readouterr().err == "fits several: web\\x1b[31m\n"


def test_a_table_in_a_file_is_drawn_as_on_a_terminal_but_no_row_is_ever_wrapped(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table(("name", ""), [("机房", 7), ("r" * 2000, None)])

    assert capsys.readouterr().out == f"name\n机房{' ' * 1998}7\n{'r' * 2000}\n"
