"""Talks to network gear at its prompt: types a line, pages on, and knows when the prompt is back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from discovery.transport.base import Output, Refused, SshLimits, TimedOut, TransportError
from discovery.transport.ssh_stream import Stream

_SETTLE_S = 0.3  # a prompt is only a prompt when nothing follows it
_FLOOD = 8  # times the byte cap: what a line may bring before the terminal is given up

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Za-z0-9]|[=>78A-Zc])")
_CURSOR_BACK = re.compile(rb"\x1b\[(\d{1,3})D")
_BACKSPACED = re.compile(rb"[^\x08\n]\x08")
# One line up to its end, which a device uses to wipe what it wrote: `--More--\r        \r`.
_WIPED = re.compile(rb"[^\n]*\r(?=[^\n])")
# IOS `--More--`, NX-OS `--More--`, ASA `<--- More --->`, Junos `---(more 10%)---`, Huawei `---- More ----`,
# ProCurve `-- MORE --, next page: Space, next line: Enter, quit: Control-C`, FortiOS `--More--`.
_PAGER = re.compile(rb"(?:^|\n|\r)[ \t]*<?-{2,}[ (]{0,2}more\b[^\n]{0,60}$", re.IGNORECASE)
_PROMPT = re.compile(rb"^[^\s#>$%][^#>$%\n]{0,78}[#>$%\]] ?$|^[#>$%] ?$")
_ANY_KEY = re.compile(rb"press (?:any key|return|enter)[^\n]{0,40}$", re.IGNORECASE)


class PromptTerminal:
    """A Terminal over one stream. Learns the prompt at the first use; one caller at a time."""

    def __init__(self, stream: Stream, limits: SshLimits, clock: Callable[[], float] = time.monotonic) -> None:
        """Wait for the first prompt; TimedOut where none comes, Refused where the session is closed instead."""
        self._stream = stream
        self._limits = limits
        self._clock = clock
        self._prompt: re.Pattern[bytes] = _PROMPT
        self._is_lost = False
        greeting, came = self._read_to_prompt(limits.login_s)
        if not came:
            said = cleaned(greeting)[-200:].decode("utf-8", "replace").strip()
            stream.close()
            if self._is_lost:
                raise Refused(f"it closed the session instead of showing a prompt: {said!r}")
            raise TimedOut(f"no prompt came: {said!r}")
        self._prompt = _prompt_like(cleaned(greeting).rpartition(b"\n")[2].rstrip())

    def ask(self, line: str, timeout_s: float = 20.0) -> Output:
        if "\n" in line or "\r" in line:
            raise ValueError("one line at a time")
        if self._is_lost:
            raise TransportError("the session is lost")
        self._stream.send(line.encode() + b"\n")
        data, came = self._read_to_prompt(timeout_s)
        if not came:
            # What follows would be taken for the answer to the next line.
            self._is_lost = True
            self.close()
        lines = cleaned(data).split(b"\n")
        if lines and lines[0].strip().endswith(line.strip().encode()):
            del lines[0]
        if came and lines:
            lines[-1] = b""
        text = b"\n".join(lines)
        cap = self._limits.command_bytes
        truncated = len(text) > cap or not came
        return Output(text[:cap], b"", 0 if came else None, truncated=truncated, timed_out=not came)

    def close(self) -> None:
        self._stream.close()

    def _read_to_prompt(self, timeout_s: float) -> tuple[bytes, bool]:
        """Return what came, and whether the prompt is its last line. Each page gets a space."""
        until = self._clock() + timeout_s
        data = bytearray()
        settled = False
        nudged = False
        while (remaining := until - self._clock()) > 0 and len(data) <= self._limits.command_bytes * _FLOOD:
            last = cleaned(bytes(data[-2048:])).rpartition(b"\n")[2]
            if self._prompt is not _PROMPT and self._prompt.match(last):
                return bytes(data), True
            chunk = self._stream.receive(min(_SETTLE_S, remaining))
            if chunk is None:
                self._is_lost = True
                return bytes(data), False
            data += chunk.stdout + chunk.stderr
            if chunk.stdout or chunk.stderr:
                settled = False
                if pager := _PAGER.search(data[-256:]):
                    del data[len(data) - len(pager[0].lstrip(b"\r\n")) :]
                    self._stream.send(b" ")
                continue
            if not settled:
                settled = True
                if self._prompt is _PROMPT and _PROMPT.match(last):
                    return bytes(data), True
            if not nudged and _ANY_KEY.search(data[-256:]):
                nudged = True
                self._stream.send(b"\n")
        return bytes(data), False


def _prompt_like(first: bytes) -> re.Pattern[bytes]:
    """Return what this prompt and its other modes look like: `sw1>`, `sw1#`, `sw1(config)#`; `<sw1>`, `[sw1]`."""
    name = re.split(rb"[(#>$%\]]", first.lstrip(b"[<"), maxsplit=1)[0]
    if not name.strip():  # `(Cisco Controller) >` has its name where others have the mode
        return re.compile(rb"^" + re.escape(first) + rb" ?$")
    return re.compile(rb"^[\[<]?" + re.escape(name) + rb"(?:\([^()\n]{1,40}\))?[#>$%\]] ?$")


def cleaned(data: bytes) -> bytes:
    """Return it as a person sees it: no escape sequences, backspaces and wiped lines applied, lines end in LF."""
    text = _CURSOR_BACK.sub(lambda match: b"\x08" * int(match[1]), data)
    text = _ESCAPES.sub(b"", text).replace(b"\x00", b"").replace(b"\x07", b"")
    text = re.sub(rb"\r+\n", b"\n", text)
    while (shorter := _BACKSPACED.sub(b"", text)) != text:
        text = shorter
    return _WIPED.sub(b"", text.replace(b"\x08", b"")).replace(b"\r", b"")
