"""The CI that a name, an address or a port means (truth.md, "Names and addresses"). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cmdb.evidence import Place
from cmdb.index import Index
from cmdb.nodes import Key, Node, may_be


class Groups(Protocol):
    """What there is to find: groups by their roots."""

    def members(self, root: Key) -> Sequence[Node]: ...

    def class_of(self, root: Key) -> str: ...

    def root_of(self, key: Key) -> Key | None: ...

    def named(self, space: str, name: str) -> list[Key]: ...

    def listing(self, place: Place, *, declared: bool) -> set[Key]: ...

    def processes(self, host: Key) -> list[Key]: ...


class Seeker:
    """Finds the CI that a name, an address or a port means."""

    def __init__(self, groups: Groups, index: Index) -> None:
        self._groups = groups
        self._index = index
        self._hosts: dict[Place, Key | None] = {}
        self._inside: dict[Key, list[Key]] = {}

    def seek(self, key: Key) -> Key | None:
        """The root of the one CI that a weak key means."""
        _, space, cls, name, address, port = (str(part) for part in key)
        if name:
            fitting = [root for root in self._groups.named(space, name) if not cls or self._fits(root, cls)]
            if len(fitting) == 1:
                return fitting[0]
        if not address:
            return None
        place = (space, address)
        if place not in self._hosts:
            self._hosts[place] = self._at(place)
        host = self._hosts[place]
        return host if host is None or not port else self._listener(host, int(port))

    def _fits(self, root: Key, cls: str) -> bool:
        known = self._groups.class_of(root)
        return may_be(known, cls) or may_be(cls, known)

    def _at(self, place: Place) -> Key | None:
        """Who answered there last, else who lists the address, else what was declared with it."""
        lines = self._index.lines(place)
        if lines:
            return self._groups.root_of(max(lines, key=lambda line: (line.seen, line.sightings[0].id)).key)
        for declared in (False, True):
            holders = self._groups.listing(place, declared=declared)
            virtual = {root for root in holders if self._groups.class_of(root) == "virtual_address"}
            one = virtual if len(holders) > 1 and virtual else holders
            if len(one) == 1:
                return next(iter(one))
        return None

    def _listener(self, host: Key, port: int) -> Key:
        """The one process of a host that listens on a port, else the host."""
        if host not in self._inside:
            self._inside[host] = self._groups.processes(host)
        processes = self._inside[host]
        by_port = [root for root in processes if any(port in node.ports for node in self._groups.members(root))]
        if len(by_port) == 1:
            return by_port[0]
        commands = {node.listeners[port] for node in self._groups.members(host) if port in node.listeners}
        by_command = [
            root for root in processes if any(node.command in commands for node in self._groups.members(root))
        ]
        return by_command[0] if len(by_command) == 1 and not by_port else host
