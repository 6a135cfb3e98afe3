"""Takes secrets out of what a device says, before anything reads it or keeps it: what is parsed is what is kept.

What a secret looks like is data (`secrets.yaml`). The credentials that may open the device are taken out as they are
written, wherever they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import quote

import yaml

from discovery.ports import NamedCredential
from discovery.transport.base import (
    Command,
    Oid,
    Output,
    Secret,
    Shell,
    Snmp,
    SnmpCommunity,
    SnmpUser,
    SnmpValue,
    SshKey,
    SshPassword,
    Walk,
    parse_oid,
)

MARK: Final = "***"
"""What stands in the place of a secret. It is the same for all of them: two that are equal are not told."""

_CERTAIN_LENGTH: Final = 8
"""A shorter credential is taken out where it is a whole word: it may be part of a name."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a secret looks like: what its groups match is taken out, where one of the hints stands in the text."""

    name: str
    hints: tuple[str, ...]
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Secrets:
    """`secrets.yaml`. `secret_below`: objects of SNMP whose values are secrets."""

    patterns: tuple[Pattern, ...]
    known_to_all: frozenset[str]
    secret_below: tuple[Oid, ...]


@cache
def known_secrets() -> Secrets:
    """What secrets look like. Raises ValueError where the file is wrong."""
    document = yaml.safe_load((resources.files("discovery") / "secrets.yaml").read_text(encoding="utf-8"))
    parts: Mapping[str, str] = document["parts"]
    return Secrets(
        tuple(_pattern(row, parts) for row in document["patterns"]),
        frozenset(document["known_to_all"]),
        tuple(parse_oid(text) for text in document["in_oids"]),
    )


def _pattern(row: Mapping[str, Any], parts: Mapping[str, str]) -> Pattern:
    """Fill in the parts; a part may hold others."""
    text = row["pattern"]
    while found := re.search(r"<<(\w+)>>", text):
        text = text.replace(found[0], parts[found[1]])
    regex = re.compile(text)
    if not regex.groups or not row["hints"]:
        raise ValueError(f"secrets.yaml: {row['name']}: a pattern has hints, and a group for what is taken out")
    return Pattern(row["name"], tuple(row["hints"]), regex)


class Scrubber:
    """Takes out what looks like a secret, and the given ones wherever they stand."""

    def __init__(self, given: Iterable[Secret] = (), secrets: Secrets | None = None) -> None:
        self._secrets = secrets or known_secrets()
        texts = {part for secret in given for part in _spellings(secret.reveal())} - self._secrets.known_to_all
        words = [_verbatim(text) for text in sorted(texts, key=len, reverse=True)]
        self._given = re.compile("|".join(words)) if words else None
        self._hints = frozenset(hint for pattern in self._secrets.patterns for hint in pattern.hints)

    @classmethod
    def against(cls, credentials: Iterable[NamedCredential]) -> Scrubber:
        """One that knows the secrets of these credentials."""
        return cls(secret for named in credentials for secret in _secrets_of(named))

    def text(self, text: str) -> str:
        """The text without secrets; JSON stays JSON."""
        scrubbed = self._words(text)
        if scrubbed == text or _is_json(scrubbed) or not _is_json(text):
            return scrubbed
        # A pattern took a quotation mark of JSON's for one of its own.
        return json.dumps(self._member(json.loads(text)), ensure_ascii=False)

    def _words(self, text: str) -> str:
        if self._given is not None:
            text = self._given.sub(MARK, text)
        lower = text.lower()
        if not any(hint in lower for hint in self._hints):
            return text
        for pattern in self._secrets.patterns:
            if any(hint in lower for hint in pattern.hints):
                text = pattern.regex.sub(_without_groups, text)
        return text

    def _member(self, value: Any) -> Any:
        """A value of JSON, every text in it taken by itself and with its name."""
        match value:
            case str():
                return self._words(value)
            case list():
                return [self._member(item) for item in value]
            case dict():
                return {self._words(name): self._named(name, item) for name, item in value.items()}
            case _:
                return value

    def _named(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            pair = f"{json.dumps(name)}:{json.dumps(value)}"
            return MARK if self._words(pair).endswith(f':"{MARK}"') else self._words(value)
        return self._member(value)

    def octets(self, octets: bytes) -> bytes:
        """The same for octets, if they are text; others hold no words."""
        try:
            text = octets.decode("utf-8")
        except UnicodeDecodeError:
            return self._latin(octets)
        scrubbed = self.text(text)
        return octets if scrubbed == text else scrubbed.encode()

    def _latin(self, octets: bytes) -> bytes:
        """Octets that are no UTF-8 throughout may still hold words: each byte is taken as one character."""
        text = octets.decode("latin-1")
        scrubbed = self.text(text)
        return octets if scrubbed == text else scrubbed.encode("latin-1")

    def value(self, oid: Oid, value: SnmpValue) -> SnmpValue:
        """A value of SNMP."""
        if not isinstance(value, bytes):
            return value
        if any(oid[: len(root)] == root for root in self._secrets.secret_below):
            return MARK.encode()
        return self.octets(value)

    def output(self, output: Output) -> Output:
        """What a command printed, both ways."""
        return replace(output, stdout=self.octets(output.stdout), stderr=self.octets(output.stderr))


def _is_json(text: str) -> bool:
    """Whether it is an object or array of JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _spellings(text: str) -> Iterable[str]:
    """A secret as it is given, as it stands in a URL, and as it stands in JSON; a key of several lines by its lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("-----")]
    for line in lines:
        yield from (line, quote(line, safe=""), line.replace("\\", "\\\\").replace('"', '\\"'))


def _verbatim(text: str) -> str:
    escaped = re.escape(text)
    return escaped if len(text) >= _CERTAIN_LENGTH else rf"(?<!\w){escaped}(?!\w)"


def _secrets_of(named: NamedCredential) -> Iterable[Secret]:
    match named.credential:
        case SnmpCommunity(community=community):
            return (community,)
        case SnmpUser() as user:
            return (user.auth_secret, user.priv_secret)
        case SshPassword(password=password):
            return (password,)
        case SshKey() as key:
            return (key.key_text, key.passphrase)


def _without_groups(match: re.Match[str]) -> str:
    """What was matched, with the mark in the place of each group that took part."""
    whole, start, at = match[0], match.start(), 0
    pieces: list[str] = []
    for number in range(1, match.re.groups + 1):
        low, high = (place - start for place in match.span(number))
        if low >= at and high > low:
            pieces += [whole[at:low], MARK]
            at = high
    return "".join((*pieces, whole[at:]))


@dataclass(frozen=True, slots=True)
class ScrubbedSnmp:
    """An Snmp whose answers hold no secrets."""

    live: Snmp
    scrubber: Scrubber

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        return {oid: self.scrubber.value(oid, value) for oid, value in self.live.get(oids).items()}

    def walk(self, root: Oid) -> Walk:
        walk = self.live.walk(root)
        return replace(walk, rows=tuple((oid, self.scrubber.value(oid, value)) for oid, value in walk.rows))

    def close(self) -> None:
        self.live.close()


@dataclass(frozen=True, slots=True)
class ScrubbedShell:
    """A Shell whose outputs hold no secrets."""

    live: Shell
    scrubber: Scrubber

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        return {name: self.scrubber.output(output) for name, output in self.live.run(commands).items()}

    def close(self) -> None:
        self.live.close()
