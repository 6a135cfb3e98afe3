"""What a CI calls its ports, whatever others call them. Pure."""

from __future__ import annotations

from cmdb import lookup
from cmdb.model import CI, Component, Value


class Ports:
    """The ports of one CI by all that they are called; of several that are called the same the physical one."""

    def __init__(self, ci: CI) -> None:
        self._management = {part.name for part in ci.components if part.attributes.get("management") is True}
        self._ports = [part for part in ci.components if part.kind in {"interface", "fc_port"}]
        self._names = {part.name for part in self._ports}
        self._others: dict[tuple[str, Value | None], str] | None = None

    def named(self, text: str) -> str:
        """What the CI calls the port that somebody else calls `text`: by name, MAC, WWPN, alias, description, or index.

        A text that fits nothing stays as it is.
        """
        spelt = text.strip()
        if spelt in self._names:
            return spelt
        if self._others is None:
            self._others = {}
            for part in sorted(self._ports, key=_physical_first):
                for spelling in _spellings(part):
                    self._others.setdefault(spelling, part.name)
        others = self._others
        meanings: tuple[tuple[str, Value | None], ...] = (
            ("folded", spelt.casefold()), ("mac", lookup.mac(spelt)), ("wwn", lookup.wwn(spelt)),
            ("alias", spelt), ("description", spelt), ("index", int(spelt) if spelt.isdecimal() else None),
        )  # fmt: skip
        return next((found for meaning in meanings if meaning[1] is not None and (found := others.get(meaning))), spelt)

    def is_management(self, port: str | None) -> bool:
        """Whether a port is one for management."""
        return port in self._management


def _spellings(part: Component) -> list[tuple[str, Value | None]]:
    values = part.attributes
    mac = values.get("mac")
    return [
        ("folded", part.name.casefold()),
        ("mac", lookup.mac(mac) if isinstance(mac, str) else None), ("wwn", values.get("wwpn")), ("wwn", part.name),
        ("alias", values.get("alias")), ("description", values.get("description")),
        ("index", values.get("index") if part.kind == "interface" else None),
    ]  # fmt: skip


def _physical_first(part: Component) -> tuple[bool, bool, int, str]:
    """Bonds and VLAN interfaces have the MAC of a port below them: a cable is in the port."""
    index = part.attributes.get("index")
    return (
        part.attributes.get("type") not in {"ethernet", "port", None}, "." in part.name,
        index if isinstance(index, int) else 0, part.name,
    )  # fmt: skip
