"""Identifiers in their one spelling, and the placeholders that identify nothing (truth.md, "Identifiers")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import yaml

from cmdb import lookup
from cmdb.model import SCHEMES, Identifier, ModelError

DATA: Final = "placeholders.yaml"
_HOST_KEY = re.compile(r"SHA256:[0-9A-Za-z+/]{43}=?")
_HOST_NAME = re.compile(
    r"[0-9a-z_](?:[0-9a-z_-]*[0-9a-z_])?(?:\.[0-9a-z_](?:[0-9a-z_-]*[0-9a-z_])?)*\.[a-z][0-9a-z-]*\.?"
)


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What identifies nothing: whole texts (for serials), patterns by scheme, networks of addresses."""

    texts: frozenset[str]
    patterns: Mapping[str, re.Pattern[str]]
    networks: tuple[IPv4Network | IPv6Network, ...]

    def hold(self, scheme: str, value: str) -> bool:
        """Whether a normalised value of a scheme is a placeholder."""
        serial = scheme in {"serial", "member_serial"}
        if serial and _bare(value) in self.texts:
            return True
        pattern = self.patterns.get("serial" if serial else scheme)
        return pattern is not None and pattern.fullmatch(value) is not None


def _bare(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@lru_cache(maxsize=1)
def placeholders() -> Placeholders:
    """The data file, read once. ModelError for a key or a pattern that is wrong in it."""
    document = yaml.safe_load(resources.files("cmdb").joinpath(DATA).read_text(encoding="utf-8"))
    if unknown := set(document) - {"texts", "address", *SCHEMES}:
        raise ModelError(f"cmdb/{DATA}: unknown keys {', '.join(sorted(unknown))}")
    patterns = {}
    for scheme in SCHEMES:
        rows = document.get(scheme) or []
        try:
            for row in rows:
                re.compile(row)
        except re.error as error:
            raise ModelError(f"cmdb/{DATA}: {scheme}: {row!r} is no pattern: {error}") from error
        if rows:
            # Each row keeps its own groups: (.)\1 counts from the row's start.
            patterns[scheme] = re.compile("|".join(_renumbered(rows)))
    networks = tuple(ip_network(row) for row in document.get("address", ()))
    return Placeholders(frozenset(_bare(text) for text in document["texts"]), patterns, networks)


def _renumbered(rows: list[str]) -> list[str]:
    """Join-ready rows: a reference to a row's only group becomes one to a group with a name of its own."""
    found = []
    for number, row in enumerate(rows):
        named = re.sub(r"(?<!\\)\((?!\?)", f"(?P<g{number}>", row)
        found.append(f"(?:{named.replace(chr(92) + '1', f'(?P=g{number})')})")
    return found


def _host_key(text: str) -> str | None:
    spelt = text.strip()
    return spelt.removesuffix("=") if _HOST_KEY.fullmatch(spelt) else None


_SPELLINGS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "serial": lookup.serial,
    "uuid": lookup.uuid,
    "member_serial": lookup.serial,
    "wwn": lookup.wwn,
    "mac": lookup.mac,
    "host_key": _host_key,
}


@lru_cache(maxsize=65536)
def normalise(scheme: str, text: str) -> Identifier | None:
    """The identifier that a device's text is, or None for a placeholder and for what is none of that scheme.

    Raises ModelError for an unknown scheme: that is a mistake of ours, not of the device.
    """
    if scheme not in _SPELLINGS:
        raise ModelError(f"unknown identifier scheme {scheme!r}; known: {', '.join(SCHEMES)}")
    value = _SPELLINGS[scheme](text)
    if value is None or placeholders().hold(scheme, value):
        return None
    return Identifier(scheme, value)


@lru_cache(maxsize=65536)
def address(text: str) -> str | None:
    """An address in its one spelling; None for what is no address, and for one that everybody has."""
    spelt = lookup.address(text)
    if spelt is None:
        return None
    parsed = ip_address(spelt)
    shared = any(parsed.version == network.version and parsed in network for network in placeholders().networks)
    return None if shared else spelt


@lru_cache(maxsize=65536)
def name_key(text: str) -> str:
    """A name as names compare: without case, and a full host name by its first part."""
    spelt = lookup.name(text) or ""
    return spelt.partition(".")[0] if _HOST_NAME.fullmatch(spelt) else spelt
