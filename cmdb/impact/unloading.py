"""The rows that a topology would be built from: what a snapshot keeps of one that followed the graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    names, name_lengths = topology.names.encoded(nodes)
    code = topology.rcode[: topology.relations]
    relations, strange_relations, relation_keys = _numbered(
        np.flatnonzero((code != _DEAD) & (code & _MADE == 0)).astype(np.int32),
        topology.rkey,
        topology.strange_relation_ids,
    )
    key_of = np.zeros(topology.nodes, np.int32)
    key_of[nodes] = keys
    words = _words_of(topology, relations)
    worded = np.flatnonzero(words.any(axis=0)).astype(np.int32)
    gaps = topology.gap[nodes]
    texts, places = _sorted_words(topology.words, (gaps, words[:, worded]))
    return Rows(
        revision=topology.revision,
        ci_keys=keys,
        ci_codes=topology.code[nodes],
        ci_gaps=places[gaps],
        names=names,
        name_lengths=name_lengths,
        relation_keys=relation_keys,
        sources=key_of[topology.src[relations]],
        targets=key_of[topology.dst[relations]],
        relation_codes=topology.rcode[relations] & np.uint16(_SAID),
        worded=worded,
        word_a=places[words[0, worded]],
        word_b=places[words[1, worded]],
        words=texts,
        extras={int(key_of[node]): text for node, text in sorted(topology.extras.items())},
        strange_cis=strange_cis,
        strange_relations=strange_relations,
    )


def _words_of(topology: Topology, relations: Ints) -> Ints:
    """The numbers of the two words of each relation, 0 where it has none, in two rows."""
    words = np.zeros((2, topology.relations), np.int32)
    words[0, topology.worded], words[1, topology.worded] = topology.word_a, topology.word_b
    later = np.fromiter(topology.later_words, np.int32, len(topology.later_words))
    words[:, later] = np.array(list(topology.later_words.values()), np.int32).reshape(-1, 2).T
    return words[:, relations]


def _sorted_words(words: Sequence[str], used: Iterable[Ints]) -> tuple[list[str], Ints]:
    """The words that are used, in order, and the place of each by its number."""
    numbers = np.flatnonzero(np.bincount(np.concatenate([np.zeros(1, np.int32), *(one.ravel() for one in used)])))
    ordered = sorted(numbers.tolist(), key=words.__getitem__)
    places = np.zeros(len(words), np.int32)
    places[ordered] = np.arange(len(ordered), dtype=np.int32)
    return [words[number] for number in ordered], places


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
