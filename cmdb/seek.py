"""The CI that a name, an address or a port means (truth.md, "Names and addresses"). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cmdb.nodes import Key, Node, may_be


class Groups(Protocol):
    """What there is to find: groups by their roots."""

    @property
    def cis(self) -> frozenset[Key]: ...

    def members(self, root: Key) -> Sequence[Node]: ...

    def class_of(self, root: Key) -> str: ...

    def names(self) -> Mapping[tuple[str, str], list[Key]]: ...

    def owner_root(self, key: Key) -> Key | None: ...


class Seeker:
    """Finds the CI that a name, an address or a port means."""

    def __init__(self, finder: Groups) -> None:
        self._finder = finder
        self._names = finder.names()
        self._answered: dict[tuple[str, str], Key] = {}
        self._listing: dict[tuple[str, str], set[Key]] = {}
        self._declared: dict[tuple[str, str], set[Key]] = {}
        self._processes: dict[Key, list[Key]] = {}
        answered: dict[tuple[str, str], tuple[datetime, str]] = {}
        for root in finder.cis:
            for node in finder.members(root):
                if node.line is not None:
                    place = (node.space, node.line.source)
                    last = (node.line.seen, node.line.sightings[0].id)
                    if place not in answered or last > answered[place]:
                        answered[place] = last
                        self._answered[place] = root
                listing = self._declared if node.key[0] == "declared" else self._listing
                for address in node.addresses:
                    listing.setdefault((node.space, address), set()).add(root)
                if node.key[0] == "owned" and any(claim.cls == "process" for claim in node.classes):
                    top = self._top(node.key)
                    if top is not None:
                        self._processes.setdefault(top, []).append(root)

    def _top(self, key: Key) -> Key | None:
        """The machine in which something is, through whatever is between."""
        root: Key | None = self._finder.owner_root(key)
        seen: set[Key] = set()
        while root is not None and root not in seen:
            seen.add(root)
            inner = next((node.key for node in self._finder.members(root) if node.key[0] == "owned"), None)
            if inner is None:
                return root
            root = self._finder.owner_root(inner)
        return root

    def seek(self, key: Key) -> Key | None:
        """The root of the one CI that a weak key means."""
        _, space, cls, name, address, port = (str(part) for part in key)
        if name:
            named = self._names.get((space, name), [])
            fitting = [root for root in named if not cls or self._fits(root, cls)]
            if len(fitting) == 1:
                return fitting[0]
        if not address:
            return None
        host = self._at((space, address))
        return host if host is None or not port else self._listener(host, int(port))

    def _fits(self, root: Key, cls: str) -> bool:
        known = self._finder.class_of(root)
        return may_be(known, cls) or may_be(cls, known)

    def _at(self, place: tuple[str, str]) -> Key | None:
        """Who answered there last, else who lists the address, else what was declared with it."""
        if place in self._answered:
            return self._answered[place]
        for holders in (self._listing.get(place, set()), self._declared.get(place, set())):
            virtual = {root for root in holders if self._finder.class_of(root) == "virtual_address"}
            one = virtual if len(holders) > 1 and virtual else holders
            if len(one) == 1:
                return next(iter(one))
        return None

    def _listener(self, host: Key, port: int) -> Key:
        """The one process of a host that listens on a port, else the host."""
        processes = sorted(set(self._processes.get(host, ())))
        by_port = [root for root in processes if any(port in node.ports for node in self._finder.members(root))]
        if len(by_port) == 1:
            return by_port[0]
        commands = {
            node.listeners[port] for node in self._finder.members(host) if port in node.listeners
        }  # fmt: skip
        by_command = [
            root for root in processes if any(node.command in commands for node in self._finder.members(root))
        ]
        return by_command[0] if len(by_command) == 1 and not by_port else host
