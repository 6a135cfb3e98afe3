"""The rows that a topology would be built from: what a snapshot keeps of one that followed the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cmdb.impact.kinds import Ints
from cmdb.impact.rows import Rows
from cmdb.impact.tables import GROUP, NOBODY

if TYPE_CHECKING:
    from cmdb.impact.topology import Topology

_DEAD: Final = 0xFFFF
_MADE: Final = 1 << 13
_SAID: Final = 0x7FF
"""The bits of a relation's code that `coding.relation_code` gives."""


def rows_of_topology(topology: Topology) -> Rows:
    """CIs and relations by key; words by their order; ids without a number by theirs."""
    nodes, strange_cis, keys = _numbered(
        np.flatnonzero(~np.isin(topology.cls[: topology.nodes], (GROUP, NOBODY))).astype(np.int32),
        topology.key,
        topology.strange_ids,
    )
    names = [topology.names[node].encode() for node in nodes.tolist()]
    code = topology.rcode[: topology.relations]
    relations, strange_relations, relation_keys = _numbered(
        np.flatnonzero((code != _DEAD) & (code & _MADE == 0)).astype(np.int32),
        topology.rkey,
        topology.strange_relation_ids,
    )
    key_of = np.zeros(topology.nodes, np.int32)
    key_of[nodes] = keys
    pairs = [topology.words_of(relation) for relation in relations.tolist()]
    worded = np.array([place for place, pair in enumerate(pairs) if pair != ("", "")], np.int32)
    gaps = [topology.words[gap] for gap in topology.gap[nodes].tolist()]
    texts = ["", *sorted({word for pair in pairs for word in pair}.union(gaps) - {""})]
    place_of = {text: place for place, text in enumerate(texts)}
    return Rows(
        revision=topology.revision,
        ci_keys=keys,
        ci_codes=topology.code[nodes],
        ci_gaps=np.array([place_of[text] for text in gaps], np.int32),
        names=b"".join(names),
        name_lengths=np.array([len(name) for name in names], np.int32),
        relation_keys=relation_keys,
        sources=key_of[topology.src[relations]],
        targets=key_of[topology.dst[relations]],
        relation_codes=topology.rcode[relations] & np.uint16(_SAID),
        worded=worded,
        word_a=np.array([place_of[pairs[place][0]] for place in worded.tolist()], np.int32),
        word_b=np.array([place_of[pairs[place][1]] for place in worded.tolist()], np.int32),
        words=texts,
        extras={int(key_of[node]): text for node, text in sorted(topology.extras.items())},
        strange_cis=strange_cis,
        strange_relations=strange_relations,
    )


def _numbered(numbers: Ints, key: Ints, ids: list[str]) -> tuple[Ints, list[str], Ints]:
    """Numbers by their keys, the strange ids among them in order, and the keys that these give."""
    keys = key[numbers].copy()
    strange = np.flatnonzero(keys < 0)
    known = [ids[-1 - found] for found in keys[strange].tolist()]
    inside = sorted(known)
    place_of = {id_: -1 - place for place, id_ in enumerate(inside)}
    keys[strange] = [place_of[id_] for id_ in known]
    order = np.argsort(keys)
    return numbers[order], inside, keys[order]
