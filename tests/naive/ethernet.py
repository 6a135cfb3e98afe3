"""The ethernet of a graph: who is connected to a gateway, and what alone separates whom from all gateways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from cmdb.model import CI, Relation
from cmdb.schema import CI_CLASSES


class Cable(NamedTuple):
    """A cable as one of its ends sees it."""

    id: str
    other: str


class Ethernet:
    """The undirected graph of the ethernet cables. VLANs are not told apart."""

    def __init__(self, cis: Mapping[str, CI], cables: Iterable[Relation]) -> None:
        self.gateways = frozenset(ci.id for ci in cis.values() if ci.attributes.get("gateway") is True)
        self.passes = self.gateways | {ci.id for ci in cis.values() if "ethernet" in CI_CLASSES[ci.cls].forwards}
        """Whom traffic passes through, or starts from: gateways, and classes that forward ethernet."""
        self.cables: dict[str, list[Cable]] = defaultdict(list)
        """Of each CI, its cables but those in a management port at either end."""
        self.management: dict[str, list[Cable]] = defaultdict(list)
        """Of each CI, the cables in its own management ports."""
        self.cabled: set[str] = set()
        """Every CI that has an ethernet cable of any kind."""
        for cable in cables:
            if cable.source != cable.target:
                self._add(cis, cable)

    def _add(self, cis: Mapping[str, CI], cable: Relation) -> None:
        ends = (cable.source, cable.target)
        self.cabled.update(ends)
        ports = (
            _is_management(cis[cable.source], cable, "from_port", "from_management"),
            _is_management(cis[cable.target], cable, "to_port", "to_management"),
        )
        for end, other, management in zip(ends, reversed(ends), ports, strict=True):
            if management:
                self.management[end].append(Cable(cable.id, other))
            elif not any(ports):
                self.cables[end].append(Cable(cable.id, other))

    @cached_property
    def connected_intact(self) -> frozenset[str]:
        """conn(∅): who is connected to a gateway when nothing is down and nothing taken out."""
        return self.connected((), ())

    @cached_property
    def managed_intact(self) -> frozenset[str]:
        return self.managed((), ())

    @cached_property
    def separators_intact(self) -> Separators:
        return Separators(self, (), ())

    def connected(self, down: Collection[object], out: Collection[str]) -> frozenset[str]:
        """conn(down): the gateways outside, and every CI outside with a cable to a member that passes traffic."""
        found = {gateway for gateway in self.gateways if gateway not in down}
        waiting = list(found)
        while waiting:
            for cable in self.cables[waiting.pop()]:
                if cable.id not in out and cable.other not in found and cable.other not in down:
                    found.add(cable.other)
                    if cable.other in self.passes:
                        waiting.append(cable.other)
        return frozenset(found)

    def managed(self, down: Collection[object], out: Collection[str]) -> frozenset[str]:
        """The same, with each management port's cable allowed as the last step to its CI."""
        connected = self.connected(down, out)
        last = {
            id_
            for id_, cables in self.management.items()
            if id_ not in down
            and any(c.id not in out and c.other in connected and c.other in self.passes for c in cables)
        }
        return connected | last


class Separators:
    """For each CI, every one CI and every one cable that all its ways to the gateways go through.

    These are the dominators in the graph that leads from a root to the gateways and on, with each cable a node of its
    own (K. Cooper, T. Harvey, K. Kennedy, "A Simple, Fast Dominance Algorithm"): taking one out at a time would cost a
    search of the whole network for each CI and each cable.
    """

    def __init__(self, ethernet: Ethernet, down: Collection[object], out: Collection[str]) -> None:
        self._ethernet = ethernet
        self._down = down
        self._out = out
        self._order = self._postorder()
        self._above = self._dominators()

    def of(self, id_: str) -> frozenset[str]:
        """Ids of the CIs and cables that separate this CI, itself left out; empty where it is not connected."""
        node = (id_, False)
        found = set()
        while (node := self._above.get(node, _ROOT)) != _ROOT:
            found.add(node[0])
        return frozenset(found)

    def _after(self, node: _Step) -> Iterator[_Step]:
        id_, is_cable = node
        if node == _ROOT:
            yield from ((gateway, False) for gateway in sorted(self._ethernet.gateways) if gateway not in self._down)
        elif is_cable:
            yield from ((end, False) for end in self._ends[id_] if end not in self._down)
        elif id_ in self._ethernet.passes:
            yield from ((cable.id, True) for cable in self._ethernet.cables[id_] if cable.id not in self._out)

    @cached_property
    def _ends(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for id_, cables in self._ethernet.cables.items():
            for cable in cables:
                found[cable.id].append(id_)
        return found

    def _postorder(self) -> list[_Step]:
        order: list[_Step] = []
        seen = {_ROOT}
        stack = [(_ROOT, self._after(_ROOT))]
        while stack:
            node, rest = stack[-1]
            following = next((step for step in rest if step not in seen), None)
            if following is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, self._after(following)))
        return order

    def _dominators(self) -> Mapping[_Step, _Step]:
        number = {node: place for place, node in enumerate(self._order)}
        before: dict[_Step, list[_Step]] = defaultdict(list)
        for node in self._order:
            for following in self._after(node):
                before[following].append(node)
        above: dict[_Step, _Step] = {_ROOT: _ROOT}

        def meet(one: _Step, other: _Step) -> _Step:
            while one != other:
                while number[one] < number[other]:
                    one = above[one]
                while number[other] < number[one]:
                    other = above[other]
            return one

        changed = True
        while changed:
            changed = False
            for node in reversed(self._order[:-1]):
                known = [step for step in before[node] if step in above]
                nearest = known[0]
                for step in known[1:]:
                    nearest = meet(nearest, step)
                if above.get(node) != nearest:
                    above[node] = nearest
                    changed = True
        return above


_Step = tuple[str, bool]
"""A node of the graph of ways: an id, and whether it is a cable's (the root has none)."""
_ROOT: _Step = ("", False)


def _is_management(ci: CI, cable: Relation, port: str, declared: str) -> bool:
    """Whether the end of a cable sits in a management port: declared so, or the component of that name is one."""
    if cable.columns.get(declared) is True:
        return True
    name = cable.columns.get(port)
    return name is not None and any(
        component.name == name and component.attributes.get("management") is True for component in ci.components
    )
