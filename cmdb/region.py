"""How far a change reaches: what must be resolved anew together (truth.md, "Absorbing a report")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from cmdb.index import Index, ValueKey
from cmdb.join import WITNESSES
from cmdb.model import Decision, Identifier
from cmdb.nodes import Key, Node, value_keys
from cmdb.resolution import Part
from cmdb.settled import Conflict, Settled

_FEW: Final = 8
"""While so few carry a burnt value, it is judged anew until there are enough witnesses."""


class Region:
    """Nodes whose CIs may become others: closed under their CIs, what is inside, and who carries their values.

    A burnt value leads no further while two that carry it outside the region contradict each other: it stays burnt.
    """

    def __init__(self, index: Index, settled: Settled, decisions: Iterable[Decision]) -> None:
        self.keys: set[Key] = set()
        self.sought: set[Key] = set()
        self.values: set[ValueKey] = set()
        self._index = index
        self._settled = settled
        self._skipped: set[ValueKey] = set()
        self._entered: set[str] = set()
        self._asked: set[tuple[str, str, str]] = set()
        self._todo: list[Key] = []
        self._decided: dict[Identifier, list[Decision]] = {}
        for decision in decisions:
            for one in (*decision.a, *decision.b):
                self._decided.setdefault(one, []).append(decision)

    @property
    def part(self) -> Part:
        burnt = self._settled.burnt
        left = {value: conflict for value in self._skipped if (conflict := self.left(value)) != burnt[value]}
        for key in self.sought:
            if key[0] == "subject" and key in self._index.nodes:
                # Whom a name finds for it is a witness, too.
                for value in value_keys(self._index.nodes[key]):
                    if value in burnt and (value not in self.values or value in self._skipped):
                        left.setdefault(value, burnt[value])
        told = tuple(conflict for _, conflict in sorted(left.items()))
        return Part(frozenset(self.keys), frozenset(self.sought), frozenset(self._skipped), told)

    @property
    def cis(self) -> set[str]:
        """The CIs that the nodes were."""
        return {ci for key in self.keys if (ci := self._settled.ci_of.get(key)) is not None}

    def take_all(self) -> None:
        """Make everything one region."""
        self.keys = {key for key in self._index.nodes if key[0] != "weak"} | {
            key for card in self._settled.cards.values() for key in card.keys
        }
        self.sought = {key for key in self._index.nodes if key[0] == "weak"}
        self.values = {*self._index.carriers, *self._settled.burnt}

    def take(self, keys: Iterable[Key], before: Mapping[Key, Node | None] | None = None) -> None:
        """Take nodes in, with all that follows; `before` are nodes as they were."""
        self._todo.extend(keys)
        for key, node in (before or {}).items():
            self._todo.append(key)
            if node is not None:
                self._reach(node)
        while self._todo:
            while self._todo:
                self._enter(self._todo.pop())
            for value in [value for value in self._skipped if self.outside(value) is None]:
                self._skipped.discard(value)
                self._todo.extend(self._index.carriers.get(value, ()))

    def seek(self, keys: Iterable[Key]) -> None:
        """Have those of these nodes sought again that are in no CI."""
        for key in keys:
            if key[0] == "weak":
                self._todo.append(key)
            elif key[0] == "subject" and key not in self._settled.ci_of and key not in self.keys:
                node = self._index.nodes.get(key)
                if node is not None and any(value not in self._settled.burnt for value in value_keys(node)):
                    # So far only a section named it that another line of a CI had replaced.
                    self._todo.append(key)
                else:
                    self.sought.add(key)

    def outside(self, value: ValueKey) -> Sequence[tuple[Key, Key]] | None:
        """The pairs outside the region that keep a value burnt; None where there is none."""
        conflict = self._settled.burnt.get(value)
        if conflict is None or not conflict.direct:
            return None
        return [pair for pair in conflict.witnesses if all(self._is_witness(key, value) for key in pair)] or None

    def left(self, value: ValueKey) -> Conflict:
        """The conflict of a skipped value, with the witnesses that are left."""
        return Conflict(value, tuple(self.outside(value) or ()))

    @property
    def skipped(self) -> frozenset[ValueKey]:
        return frozenset(self._skipped)

    def _is_witness(self, key: Key, value: ValueKey) -> bool:
        """Whether somebody outside still carries a value, and is not gone by the time others did."""
        ci = self._settled.ci_of.get(key)
        if key in self.keys or key not in self._index.nodes or ci is None:
            return False
        carriers = self._index.carriers.get(value, set())
        carrying = carriers.intersection(self._settled.keys(ci))
        return bool(carrying) and carrying.isdisjoint(self._index.past.get(value, set()))

    def _enter(self, key: Key) -> None:
        if key in self.keys or (key[0] == "weak" and key in self.sought):
            return
        self._todo.extend(self._index.inner.get(key, ()))
        if key[0] == "weak":
            self.sought.add(key)
            return
        self.keys.add(key)
        self.sought.discard(key)
        self._index.freshen(key)
        self._todo.extend(self._index.twins(key))
        if key[0] == "owned" and isinstance(owner := key[3], tuple) and owner[0] != "weak":
            self._todo.append(owner)
        if key[0] == "line":
            self._todo.extend(line.key for line in self._index.lines((str(key[1]), str(key[2]))))
            if key in self._index.nodes:
                self.seek(self._index.named(self._index.voice(key)))
        node = self._index.nodes.get(key)
        if node is not None:
            self._reach(node)
        ci = self._settled.ci_of.get(key)
        if ci is not None:
            self._enter_ci(ci)

    def _enter_ci(self, ci: str) -> None:
        if ci in self._entered:
            return
        self._entered.add(ci)
        card = self._settled.cards[ci]
        self._todo.extend(card.keys)
        for inner in self._settled.inside.get(ci, ()):
            self._todo.extend(self._settled.keys(inner))
        if card.owner is not None:
            self._todo.extend(self._settled.keys(card.owner[0]))
        self._todo.extend(key for key in card.found if key[0] == "weak")
        self.sought |= {key for key in card.found if key[0] != "weak" and key not in self.keys}
        for space, name in card.names:
            self._named(space, name)
        for space, address in (*card.listing, *card.declared):
            self._seek("address", space, address)

    def _reach(self, node: Node) -> None:
        """Follow what a node carries, and is found by."""
        for value in value_keys(node):
            self._follow(value)
        for name in node.names:
            self._named(node.space, name)
        for address in node.addresses:
            self._seek("address", node.space, address)
        if self._decided:
            for one in node.identifiers:
                for decision in self._decided.get(one, ()):
                    for meant in (*decision.a, *decision.b):
                        self._todo.extend(self._index.holders(meant))

    def _follow(self, value: ValueKey) -> None:
        if value in self.values:
            return
        self.values.add(value)
        pairs, carriers = self.outside(value) or (), self._index.carriers.get(value, ())
        if pairs and (len(pairs) >= WITNESSES or len(carriers) > _FEW):
            self._skipped.add(value)
        else:
            self._todo.extend(carriers)

    def _named(self, space: str, name: str) -> None:
        self._todo.extend(self._index.declared.get((space, name), ()))
        self._seek("name", space, name)

    def _seek(self, by: str, space: str, text: str) -> None:
        """Have those sought again that are known by a name or an address alone."""
        if (by, space, text) in self._asked:
            return
        self._asked.add((by, space, text))
        for key in self._index.seekers.get((by, space, text), ()):
            if key[0] == "weak":
                self._todo.append(key)
            elif key not in self.keys and (key not in self._settled.ci_of or key in self._settled.fallen_back):
                self.sought.add(key)
