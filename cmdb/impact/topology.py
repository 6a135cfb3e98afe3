"""G, the intact graph of impact.md, in arrays: what each CI requires, edited in place as the journal goes on.

Nodes are CIs and the groups that stand as legs; relations are numbered, too. A relation is a *leg* of at most one
requirement: further relations of one source, type and target belong to the first one, the head of the leg; a relation
that a second group names has a copy. Numbers are given again when what had them is gone.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cmdb import coding
from cmdb.coding import CLASSES, STATE_SHIFT, STATES, TYPE_BITS, TYPES, Extra
from cmdb.groups import GROUP as GROUP_LEG
from cmdb.groups import group_legs
from cmdb.impact import tables
from cmdb.impact.adjacency import Adjacency
from cmdb.impact.answer import Item
from cmdb.impact.editing import edit
from cmdb.impact.keys import NO_KEY, Keys
from cmdb.impact.kinds import Bools, Bytes, Counts, Ints, Words
from cmdb.impact.names import Names
from cmdb.impact.requirements import settle_all
from cmdb.impact.rows import Rows
from cmdb.impact.settle import BESIDE, FROM_SIDE, HAS_PROTECTION, MADE, MULTI, OF_NONE, TO_SIDE, sorted_by
from cmdb.impact.tables import GROUP, NOBODY
from cmdb.impact.unloading import rows_of_topology
from cmdb.model import Change, Relation, State

if TYPE_CHECKING:
    from cmdb.impact.engine import Engine

RETIRED: Final = STATES.index(State.RETIRED)
MISSING: Final = STATES.index(State.MISSING)
STATE_BITS: Final = 3 << STATE_SHIFT

_GROUPS: Final = '"groups":'
"""In the extra document of a CI that has groups."""
_OF_NODES: Final = ("key", "code", "cls", "live", "flags", "gap")
_OF_RELATIONS: Final = ("rkey", "src", "dst", "rcode", "req", "leg")
"""Arrays that grow together."""
DEAD: Final = 0xFFFF
_MOST: Final = 2**14
"""So many legs a requirement may have before they are counted in 32 bits: sums of two counts fit in 16, too."""


class Topology:
    """The arrays, and what is looked up by id. Not safe for threads: `LiveTopology` holds the lock."""

    def __init__(self, rows: Rows) -> None:
        nodes, relations = len(rows.ci_keys), len(rows.relation_keys)
        self.revision = rows.revision
        self.words = list(rows.words)
        self._first_words = len(self.words)
        self._later_words_known: dict[str, int] = {}
        self._laying = True
        self.nodes = nodes
        """How many numbers of nodes were given, the free ones included."""
        self.key: Ints = rows.ci_keys.astype(np.int32, copy=False)
        self.code: Words = rows.ci_codes.astype(np.uint16, copy=False)
        self.cls: Bytes = (self.code & coding.CLASS_BITS).astype(np.uint8)
        self.live: Bools = (self.code & STATE_BITS) != RETIRED << STATE_SHIFT
        self.flags: Bytes = np.zeros(nodes, np.uint8)
        self.gap: Ints = rows.ci_gaps.astype(np.int32, copy=False)
        self.names = Names(rows.names, rows.name_lengths)
        self.rkey: Ints = rows.relation_keys.astype(np.int32, copy=False)
        self._keys = Keys(self.key)
        self._rkeys = Keys(self.rkey)
        self.src: Ints = self._keys.replace(rows.sources)
        self.dst: Ints = self._keys.replace(rows.targets)
        self.rcode: Words = rows.relation_codes.astype(np.uint16, copy=False)
        self.req: Ints = np.full(relations, OF_NONE, np.int32)
        self.leg: Bytes = np.zeros(relations, np.uint8)
        self.relations = relations
        self.owner: Ints = np.empty(0, np.int32)
        self.legs: Counts = np.empty(0, np.int16)
        self.margin: Counts = np.empty(0, np.int16)
        self.spare: Counts = np.empty(0, np.int16)
        self.rtype: Bytes = np.empty(0, np.uint8)
        self.requirements = 0
        self.titles: dict[int, tuple[str, bool]] = {}
        """Of the requirements that are a group's or a role's: its name, and whether it is a group's."""
        self.group_of: dict[int, tuple[int, str]] = {}
        """Of the groups that stand as legs: whose they are, and their name."""
        self.short_at_birth: set[int] = set()
        """Requirements that need more than they have."""
        self.copies: dict[int, list[int]] = {}
        self.worded: Ints = rows.worded
        self.word_a: Ints = rows.word_a
        self.word_b: Ints = rows.word_b
        self.later_words: dict[int, tuple[int, int]] = {}
        self._strange = {id_: -1 - place for place, id_ in enumerate(rows.strange_cis)}
        self.strange_ids = list(rows.strange_cis)
        self._strange_relations = {id_: -1 - place for place, id_ in enumerate(rows.strange_relations)}
        self.strange_relation_ids = list(rows.strange_relations)
        self.free_nodes: list[int] = []
        self.free_relations: list[int] = []
        self.free_requirements: list[int] = []
        """`coding.extra_text` of the few that have one."""
        having = self._keys.replace(np.fromiter(rows.extras, np.int32, len(rows.extras))).tolist()
        self.extras = dict(zip(having, rows.extras.values(), strict=True))
        self.grouped = {node for node, text in self.extras.items() if _GROUPS in text}
        self.networks_changed = True
        self.fabrics_changed = True
        self.resettled: set[int] = set()
        """Whose relations, or requirements, changed since the fabrics were read."""
        self.places_changed = True
        self.regapped: set[int] = set()
        """Whose gaps, class, state or place changed since somebody looked."""
        self.paths_end_at: Bools | None = None
        self.engine: Engine | None = None
        """What was derived from it (`engine.engine_of`)."""
        self.out = Adjacency.laid(nodes, np.empty(0, np.int32), np.empty(0, np.int32))
        self.into = Adjacency.laid(nodes, np.empty(0, np.int32), np.empty(0, np.int32))
        self._lay()

    @classmethod
    def of(cls, rows: Rows) -> Topology:
        """Build from rows. The topology takes their arrays, and changes them."""
        return cls(rows)

    def _lay(self) -> None:
        self._reserve()
        room = len(self.dst) - self.relations
        order, often = sorted_by(self.dst[: self.relations], len(self.key), room)
        self.into = Adjacency.of_lengths(often, order, self.relations)
        order = order[: self.relations]
        self.rcode |= ((self.rcode & np.uint16(coding.FROM_MANAGEMENT | coding.TO_MANAGEMENT)) << 2).astype(np.uint16)
        settle_all(self, order)
        self._laying = False
        for node, text in self.extras.items():
            if '"management"' in text:
                self.mark_management(node)

    # Ids and names

    def numbers(self, ids: Sequence[str]) -> Ints:
        """The nodes of CIs, -1 of those that are not there."""
        keys = [_key(id_, coding.CI_IDS, self._strange) or 0 for id_ in ids]
        return self._keys.held(keys, self.key)

    def _number_of_key(self, key: int) -> int:
        number = self._keys.number(key)
        return number if number >= 0 and self.key[number] == key else -1

    def number(self, id_: str) -> int:
        """The node of a CI, or -1."""
        key = _key(id_, coding.CI_IDS, self._strange)
        return -1 if key is None else self._number_of_key(key)

    def relation_number(self, id_: str) -> int:
        """The number of a relation, or -1."""
        key = _key(id_, coding.RELATION_IDS, self._strange_relations)
        return -1 if key is None else self._relation_of_key(key)

    def relation_numbers(self, ids: Sequence[str]) -> Ints:
        """The numbers of relations, -1 of those that are not there."""
        keys = [_key(id_, coding.RELATION_IDS, self._strange_relations) or 0 for id_ in ids]
        found = self._rkeys.held(keys, self.rkey)
        found[self.rcode[found] == DEAD] = -1
        return found

    def _relation_of_key(self, key: int) -> int:
        number = self._rkeys.number(key)
        return number if number >= 0 and self.rkey[number] == key and self.rcode[number] != DEAD else -1

    def id(self, number: int) -> str:
        key = int(self.key[number])
        return f"ci-{key}" if key >= 0 else self.strange_ids[-1 - key]

    def relation_id(self, number: int) -> str:
        return self.relation_id_of(int(self.rkey[number]))

    def relation_id_of(self, key: int) -> str:
        return f"rel-{key}" if key >= 0 else self.strange_relation_ids[-1 - key]

    def name(self, number: int) -> str:
        """The name of a CI, or of a group that stands as a leg."""
        if number in self.group_of:
            owner, name = self.group_of[number]
            return f"group {name} of {self.names[owner]}"
        return self.names[number]

    def class_name(self, number: int) -> str:
        return "group" if self.cls[number] == GROUP else CLASSES[int(self.cls[number])]

    def item(self, number: int) -> Item:
        return Item(self.id(number), CLASSES[int(self.cls[number])], self.names[number])

    def type_name(self, relation: int) -> str:
        return TYPES[int(self.rcode[relation]) & TYPE_BITS]

    def title(self, relation: int) -> str:
        """How people write a relation: `TYPE:FROM..TO`, a cable with its ports."""
        type_ = self.type_name(relation)
        ports = self.words_of(relation) if type_ == "connects_to" else ("", "")
        ends = [
            f"{self.names[end]}[{port}]" if port else self.names[end]
            for end, port in zip((int(self.src[relation]), int(self.dst[relation])), ports, strict=True)
        ]
        return f"{type_}:{'..'.join(ends)}"

    def requirement_title(self, requirement: int) -> str:
        """How people call a requirement: the type, with its group or role."""
        type_ = TYPES[int(self.rtype[requirement])]
        if requirement not in self.titles:
            return type_
        name, grouped = self.titles[requirement]
        return f"{type_} (group {name})" if grouped else f"{type_} ({name})"

    def words_of(self, relation: int) -> tuple[str, str]:
        """The two words of a relation (`coding.relation_words`)."""
        if relation in self.later_words:
            a, b = self.later_words[relation]
            return self.words[a], self.words[b]
        place = _place(self.worded, relation)
        if place < len(self.worded) and self.worded[place] == relation:
            return self.words[self.word_a[place]], self.words[self.word_b[place]]
        return "", ""

    def count(self) -> int:
        """How many CIs G has."""
        return int(np.count_nonzero(self.live[: self.nodes])) - len(self.group_of)

    # What follows from the graph

    def requirements_of(self, node: int) -> list[int]:
        """The requirements of a node. A group's legs are relations of the CI whose group it is."""
        of = self.group_of[node][0] if node in self.group_of else node
        found = dict.fromkeys(int(number) for number in self.req[self.out.row(of)] if number >= 0)
        return [number for number in found if self.owner[number] == node]

    def heads(self, requirement: int) -> list[int]:
        """The legs of a requirement, those beside included, each by its head."""
        node = int(self.owner[requirement])
        row = self.out.row(self.group_of[node][0] if node in self.group_of else node)
        return [int(leg) for leg in row[self.req[row] == requirement]]

    def ordered_requirements(self, node: int) -> list[int]:
        """The requirements of a node: default ones in the order of their first relations, then groups as told."""
        return sorted(self.requirements_of(node), key=self._order_of_requirement)

    def _order_of_requirement(self, requirement: int) -> tuple[bool, str, str]:
        name, grouped = self.titles.get(requirement, ("", False))
        owner = int(self.owner[requirement])
        if grouped:
            groups = [group.name for group in self.extra_of(self.group_of.get(owner, (owner, ""))[0]).groups]
            return True, f"{groups.index(name):06}", name
        row = self.out.row(owner)
        of_type = row[(self.rcode[row] & TYPE_BITS) == self.rtype[requirement]].tolist()
        return False, min((self.relation_id(one) for one in of_type if self.in_graph(one)), default=""), name

    def ordered_legs(self, requirement: int) -> list[int]:
        """The legs of a requirement as told: a group's as it names them, else by their first relations; beside last."""
        return sorted(self.heads(requirement), key=self.order_of_leg)

    def order_of_leg(self, leg: int) -> tuple[bool, int, str]:
        relations = self.relations_of_leg(leg)
        first = min((self.relation_id(one) for one in relations), default="")
        return bool(self.leg[leg] & BESIDE), self._place_in_group(leg), first

    def _place_in_group(self, leg: int) -> int:
        name, grouped = self.titles.get(int(self.req[leg]), ("", False))
        if not grouped:
            return 0
        target = int(self.dst[leg])
        told = GROUP_LEG + self.group_of[target][1] if target in self.group_of else self.id(target)
        group = next(one for one in self.extra_of(int(self.src[leg])).groups if one.name == name)
        return group_legs(group).index(told)

    def missing(self) -> Ints:
        """The CIs that are missing, and count."""
        found = (self.code & STATE_BITS) == MISSING << STATE_SHIFT
        return np.flatnonzero(found & self.live).astype(np.int32)

    def is_missing(self, node: int) -> bool:
        return int(self.code[node]) & STATE_BITS == MISSING << STATE_SHIFT

    def relations_of_leg(self, head: int) -> list[int]:
        """The relations that make a leg; none for a group."""
        if self.leg[head] & MULTI:
            row = self.out.row(int(self.src[head]))
            return [head, *(int(one) for one in row[self.req[row] == -2 - head])]
        return [] if self.cls[self.dst[head]] == GROUP else [head]

    def above(self, node: int, types: frozenset[int]) -> dict[int, int]:
        """The CI and all that relations of these types lead to from it, with how many relations away, nearest first."""
        found = {node: 0}
        waiting = [node]
        for here in waiting:
            for relation in self._by_id(self.out.row(here)):
                other = int(self.dst[relation])
                if int(self.rcode[relation] & TYPE_BITS) in types and other not in found and self.in_graph(relation):
                    found[other] = found[here] + 1
                    waiting.append(other)
        return found

    def _by_id(self, relations: Ints) -> Sequence[int]:
        if len(relations) < 2:
            return [int(one) for one in relations]
        return sorted((int(one) for one in relations if not self.rcode[one] & MADE), key=self.relation_id)

    def leads(self, relation: int) -> bool:
        """Whether both ends of a relation are in G."""
        return bool(self.live[self.src[relation]] and self.live[self.dst[relation]])

    def cables_of(self, node: int) -> list[int]:
        """All cables of a CI, of any medium."""
        row = np.concatenate((self.out.row(node), self.into.row(node)))
        row = row[(self.rcode[row] & (TYPE_BITS | MADE)) == tables.CABLE]
        return [one for one in row.tolist() if self.leads(one)]

    def in_graph(self, relation: int) -> bool:
        """Whether a relation is in G: one of the graph, not made by us, between two that are not retired."""
        return bool(
            not self.rcode[relation] & MADE
            and self.live[self.src[relation]]
            and self.live[self.dst[relation]]
            and self.src[relation] != self.dst[relation]
        )

    def part_of(self, node: int) -> Mapping[int, int]:
        return self.above(node, frozenset({tables.PART_OF}))

    def carriers(self, node: int) -> Mapping[int, int]:
        """The CI and all that it runs on, is hosted on, is served by or is composed of, with the relations between."""
        return self.above(node, tables.CARRYING)

    def of_type(self, type_: int, medium: int | None = None) -> Ints:
        """All relations of a type (and medium) in G."""
        mask, wanted = TYPE_BITS | MADE, type_
        if medium is not None:
            mask, wanted = mask | 3 << coding.MEDIUM_SHIFT, wanted | medium << coding.MEDIUM_SHIFT
        found = np.flatnonzero((self.rcode[: self.relations] & np.uint16(mask)) == wanted).astype(np.int32)
        source, target = self.src[found], self.dst[found]
        kept: Ints = found[self.live[source] & self.live[target]]
        return kept

    def extra_of(self, node: int) -> Extra:
        """What few CIs have."""
        return coding.read_extra(self.extras.get(node, ""))

    def gaps_of(self, node: int) -> dict[str, str]:
        """What was never collected of a CI, and why, by relation type (`CI.gaps`)."""
        text = self.words[self.gap[node]]
        return json.loads(text) if text else {}

    def stale(self, relation: int) -> str | None:
        """In the words of the gap of its source, since when nobody confirmed a relation; None for one in force."""
        if not self.gap[self.src[relation]]:
            return None
        reason = self.gaps_of(int(self.src[relation])).get(self.type_name(relation), "")
        return reason if reason.startswith("stale") else None

    def host_machines(self, nodes: Ints) -> Bools:
        """Of each CI whether virtual machines are hosted on it."""
        rows = self.into.gather(nodes)
        source = self.src[rows]
        hosted = (self.rcode[rows] & TYPE_BITS) == tables.HOSTED_ON
        hosted &= (self.cls[source] == tables.VIRTUAL_MACHINE) & self.live[source]
        found = np.zeros(len(nodes), np.bool_)
        found[np.repeat(np.arange(len(nodes)), self.into.lengths(nodes))[hosted]] = True
        return found

    def quorum_of(self, node: int) -> int | None:
        """What a cluster says that it needs."""
        text = self.extras.get(node, "")
        return coding.read_extra(text).quorum if '"quorum"' in text else None

    def mark_management(self, node: int) -> None:
        """Mark the cables that sit in management ports of a CI."""
        ports = self.extra_of(node).management
        for row, side, place in ((self.out.row(node), FROM_SIDE, 0), (self.into.row(node), TO_SIDE, 1)):
            said = coding.FROM_MANAGEMENT if side == FROM_SIDE else coding.TO_MANAGEMENT
            for relation in row.tolist():
                if int(self.rcode[relation]) & (TYPE_BITS | MADE) == tables.CABLE:
                    marked = bool(self.rcode[relation] & said) or self.words_of(relation)[place] in ports
                    self.rcode[relation] = int(self.rcode[relation]) & ~side | (side if marked else 0)

    def apply(self, changes: Iterable[Change], revision: int) -> None:
        """Follow the graph to a revision by what changed; of each CI or relation one change."""
        edit(self, changes, revision)

    def copy(self) -> Topology:
        """Another one, equal now, that may go elsewhere."""
        made = copy(self)
        made.engine = None
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray | Names | Keys | Adjacency | dict | list | set):
                setattr(made, name, value.copy())
        made.copies = {relation: list(found) for relation, found in self.copies.items()}
        return made

    def rows(self) -> Rows:
        """What it would be built from now: CIs and relations by key, words by their order, numbers given anew."""
        return rows_of_topology(self)

    # Numbers given and taken back

    def _reserve(self) -> None:
        """Make room for what will come, before anything lies beside."""
        for name in _OF_NODES:
            setattr(self, name, self._grown(getattr(self, name), _more(self.nodes)))
        for name in _OF_RELATIONS:
            setattr(self, name, self._grown(getattr(self, name), _more(self.relations)))

    def _grown(self, array: Any, size: int) -> Any:
        if self._laying and array.flags.owndata:
            # Nobody else has it yet, and where it is, it needs no second one beside it.
            array.resize(size, refcheck=False)
            return array
        made = np.zeros(size, array.dtype)
        made[: len(array)] = array[:size]
        return made

    def new_requirements(self, owners: Ints, types: Bytes, legs: Ints, k: Ints, m: Ints) -> Ints:
        """Numbers of new requirements."""
        numbers = self._take_requirements(len(owners))
        if len(legs) and self.legs.dtype == np.int16 and max(legs.max(), k.max(), m.max()) > _MOST:
            for name in ("legs", "margin", "spare"):
                setattr(self, name, getattr(self, name).astype(np.int32))
        self.owner[numbers], self.rtype[numbers], self.legs[numbers] = owners, types, legs
        self.margin[numbers], self.spare[numbers] = legs - k, legs - m
        protecting = owners[tables.AXES[types] == tables.PROTECTION]
        self.flags[protecting] |= np.uint8(HAS_PROTECTION)
        return numbers

    def _take_requirements(self, count: int) -> Ints:
        old = _popped(self.free_requirements, count)
        first, more = self.requirements, count - len(old)
        if first + more > len(self.owner):
            size = first + more + len(self.owner) // 8 + 256
            for name in ("owner", "legs", "margin", "spare", "rtype"):
                setattr(self, name, self._grown(getattr(self, name), size))
        self.requirements += more
        return np.concatenate((old, np.arange(first, first + more, dtype=np.int32)))

    def trim_requirements(self) -> None:
        """Leave no more room for requirements than there are."""
        for name in ("owner", "legs", "margin", "spare", "rtype"):
            setattr(self, name, self._grown(getattr(self, name), self.requirements))

    def drop_requirements(self, numbers: Ints) -> None:
        self.owner[numbers] = -1
        dropped = numbers.tolist()
        self.free_requirements += dropped
        for number in self.titles.keys() & set(dropped):
            del self.titles[number]
            self.short_at_birth.discard(number)

    def _take_nodes(self, count: int) -> Ints:
        old = _popped(self.free_nodes, count)
        first = self.nodes
        self.nodes += count - len(old)
        if self.nodes > len(self.key):
            size = _more(self.nodes)
            for name in _OF_NODES:
                setattr(self, name, self._grown(getattr(self, name), size))
            self.out.grow(size)
            self.into.grow(size)
        return np.concatenate((old, np.arange(first, self.nodes, dtype=np.int32)))

    def new_relations(self, sources: Ints, targets: Ints, codes: Ints, keys: Ints) -> Ints:
        """Numbers of new relations, in their rows."""
        old = _popped(self.free_relations, len(sources))
        first, more = self.relations, len(sources) - len(old)
        self.relations += more
        if self.relations > len(self.src):
            size = _more(self.relations)
            for name in _OF_RELATIONS:
                setattr(self, name, self._grown(getattr(self, name), size))
        numbers = np.concatenate((old, np.arange(first, self.relations, dtype=np.int32)))
        self.src[numbers], self.dst[numbers] = sources, targets
        self.rcode[numbers], self.rkey[numbers] = codes, keys
        self.req[numbers], self.leg[numbers] = OF_NONE, 0
        self.out.add_all(sources, numbers)
        self.into.add_all(targets, numbers)
        return numbers

    def drop_relations(self, relations: Ints) -> None:
        """Take relations out of their rows; their numbers are free."""
        if not len(relations):
            return
        self.out.remove_all(self.src[relations], relations)
        self.into.remove_all(self.dst[relations], relations)
        later = self._rkeys.later
        for key in self.rkey[relations[(self.rcode[relations] & MADE) == 0]].tolist():
            later.pop(key, None)
        self.rcode[relations], self.req[relations], self.leg[relations] = DEAD, OF_NONE, 0
        dropped = relations.tolist()
        self.later_words.update(dict.fromkeys(dropped, (0, 0)))
        self.free_relations += dropped

    def new_cis(self, ids: Sequence[str], codes: Sequence[int]) -> Ints:
        """Take in CIs of the graph, by their `coding.ci_code`."""
        nodes, code = self._take_nodes(len(ids)), np.array(codes, np.int32)
        keys = [_key(id_, coding.CI_IDS, self._strange) or self._strange_key(id_) for id_ in ids]
        self.key[nodes], self.code[nodes], self.cls[nodes] = keys, code, code & coding.CLASS_BITS
        self.live[nodes] = (code & STATE_BITS) != RETIRED << STATE_SHIFT
        self.flags[nodes], self.gap[nodes] = 0, 0
        self._keys.later.update(zip(keys, nodes.tolist(), strict=True))
        return nodes

    def _strange_key(self, id_: str) -> int:
        self.strange_ids.append(id_)
        key = self._strange[id_] = -len(self.strange_ids)
        return key

    def recode(self, node: int, code: int) -> None:
        """Another class or state, gateway or no more."""
        self.code[node], self.cls[node] = code, code & coding.CLASS_BITS
        self.live[node] = code & STATE_BITS != RETIRED << STATE_SHIFT

    def take_extra(self, node: int, text: str) -> None:
        """What few CIs have, as `coding.extra_text` writes it."""
        self.extras.pop(node, None)
        self.grouped.discard(node)
        if text:
            self.extras[node] = text
            if _GROUPS in text:
                self.grouped.add(node)

    def word(self, text: str) -> int:
        """The place of a text among the words, of which those of the beginning are in order."""
        later = self._later_words_known.get(text)
        if later is not None:
            return later
        place = bisect_left(self.words, text, 0, self._first_words)
        if place < self._first_words and self.words[place] == text:
            return place
        self.words.append(text)
        self._later_words_known[text] = len(self.words) - 1
        return len(self.words) - 1

    def drop_ci(self, node: int) -> None:
        key = int(self.key[node])
        self._keys.later.pop(key, None)
        if key < 0:
            del self._strange[self.strange_ids[-1 - key]]
        self.take_extra(node, "")
        self._drop_node(node)

    def new_named_relations(self, relations: Sequence[Relation]) -> Ints:
        """Take in relations of the graph."""
        if not relations:
            return np.empty(0, np.int32)
        keys = [self._new_relation_key(one.id) for one in relations]
        code = np.array([coding.relation_code(one) for one in relations], np.int32)
        code |= (code & (coding.FROM_MANAGEMENT | coding.TO_MANAGEMENT)) << 2
        words = [coding.relation_words(one) for one in relations]
        ends = self.numbers([*(one.source for one in relations), *(one.target for one in relations)])
        source, target = ends[: len(relations)], ends[len(relations) :]
        made = self.new_relations(source, target, code, np.array(keys, np.int32))
        numbers = made.tolist()
        self._rkeys.later.update(zip(keys, numbers, strict=True))
        for number, (a, b) in zip(numbers, words, strict=True):
            self.later_words[number] = (self.word(a) if a else 0, self.word(b) if b else 0)
        cables = (code & TYPE_BITS) == tables.CABLE
        for node in self.extras.keys() & {*source[cables].tolist(), *target[cables].tolist()}:
            self.mark_management(node)
        return made

    def _new_relation_key(self, id_: str) -> int:
        key = _key(id_, coding.RELATION_IDS, self._strange_relations)
        if key is None:
            self.strange_relation_ids.append(id_)
            key = self._strange_relations[id_] = -len(self.strange_relation_ids)
        return key

    def in_fabrics(self, node: int) -> bool:
        """Whether fc paths may begin or end at a CI, or at what stands on it."""
        return self.paths_end_at is not None and node < len(self.paths_end_at) and bool(self.paths_end_at[node])

    def new_groups(self, named: Sequence[tuple[int, str]]) -> Ints:
        """Nodes of groups that stand as legs: of each the CI and the name."""
        nodes = self._take_nodes(len(named))
        self.cls[nodes], self.live[nodes], self.flags[nodes], self.gap[nodes] = GROUP, True, 0, 0
        self.code[nodes], self.key[nodes] = GROUP, NO_KEY
        self.group_of.update(zip(nodes.tolist(), named, strict=True))
        return nodes

    def new_group_legs(self, owners: Ints, groups: Ints, types: Ints) -> Ints:
        return self.new_relations(owners, groups, types | MADE, np.full(len(owners), NO_KEY, np.int32))

    def copy_leg(self, head: int) -> int:
        """The leg again, by its head, for a second group that names it."""
        relations = self.relations_of_leg(head)
        some = np.array(relations, np.int32)
        code = self.rcode[some].astype(np.int32) | MADE
        made: list[int] = self.new_relations(self.src[some], self.dst[some], code, self.rkey[some]).tolist()
        self.leg[made[0]] = self.leg[head]
        self.req[made[1:]] = -2 - made[0]
        for one, copied in zip(relations, made, strict=True):
            self.copies.setdefault(one, []).append(copied)
        return made[0]

    def drop_made(self, relations: Ints) -> None:
        """Drop what was made of CIs' relations and groups: of each CI all."""
        if not len(relations):
            return
        target = self.dst[relations]
        to_group = self.cls[target] == GROUP
        for key in self.rkey[relations[~to_group]].tolist():
            self.copies.pop(self._relation_of_key(key), None)
        self.drop_relations(relations)
        for group in np.unique(target[to_group]).tolist():
            self._drop_node(group)

    def _drop_node(self, node: int) -> None:
        self.group_of.pop(node, None)
        self.cls[node], self.live[node], self.key[node] = NOBODY, False, NO_KEY
        self.free_nodes.append(node)


def _place(numbers: Ints, number: int) -> int:
    """Where a number is among numbers in order; given as one of their kind, since they would be copied as its."""
    return int(numbers.searchsorted(np.int32(number)))


def _popped(free: list[int], count: int) -> Ints:
    """So many of the free numbers, the last ones, or as many as there are."""
    first = max(0, len(free) - count)
    found = np.array(free[first:], np.int32)
    del free[first:]
    return found


def _more(count: int) -> int:
    return count + count // 32 + 1024


def _key(id_: str, prefix: str, strange: Mapping[str, int]) -> int | None:
    """The key of an id: its number, or that of a strange id; None for one that is not known."""
    return coding.key_of(id_, prefix) or strange.get(id_)
