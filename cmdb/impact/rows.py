"""Everything that the impact engine needs of one revision, as arrays; read from what a store gives, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cmdb.model import Graph
from cmdb.store.base import CI_WORD_SHIFT, WORD_A_SHIFT, WORD_B_SHIFT, Coded
from cmdb.store.coded import coded_of

Ints: TypeAlias = NDArray[np.int32]
Codes: TypeAlias = NDArray[np.uint16]
Longs: TypeAlias = NDArray[np.int64]

_CI_CODE: Final = (1 << CI_WORD_SHIFT) - 1
_RELATION_CODE: Final = (1 << WORD_A_SHIFT) - 1
_WORD: Final = (1 << WORD_B_SHIFT - WORD_A_SHIFT) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """CIs and relations of a revision, each ordered by key.

    The key of `ci-N` is N; ids of any other form are -1, -2, … in the order of `strange_cis`, which is that of the ids;
    with relations alike. Codes are `coding.ci_code` and `coding.relation_code`. `ci_gaps` are the places of
    `coding.gaps_text` in `words`, which begins with "" and goes on in order. `names` are UTF-8, end to end, and
    `name_lengths` in bytes. `worded` are the places of the relations that have words (`coding.relation_words`), `word_a`
    and `word_b` the places of these in `words`. `extras` are `coding.extra_text` by the key of the CI, where there is one.
    """

    revision: int
    ci_keys: Ints
    ci_codes: Codes
    ci_gaps: Ints
    names: bytes
    name_lengths: Ints
    relation_keys: Ints
    sources: Ints
    targets: Ints
    relation_codes: Codes
    worded: Ints
    word_a: Ints
    word_b: Ints
    words: list[str]
    extras: dict[int, str]
    strange_cis: list[str]
    strange_relations: list[str]


def rows_of(graph: Graph) -> Rows:
    """The rows of a graph in memory."""
    return read_rows(coded_of(graph))


def read_rows(coded: Coded) -> Rows:
    """The rows of what a store gives. The same for each store: what is its own, as numbers of words, is numbered anew."""
    ci_keys: list[Ints] = []
    ci_codes: list[Codes] = []
    ci_gaps: list[Ints] = []
    names: list[bytes] = []
    lengths: list[Ints] = []
    for cis in coded.cis:
        codes = _numbers(cis.codes)
        ci_keys.append(_numbers(cis.keys).astype(np.int32))
        ci_codes.append((codes & _CI_CODE).astype(np.uint16))
        ci_gaps.append((codes >> CI_WORD_SHIFT).astype(np.int32))
        lengths.append(_numbers(cis.lengths).astype(np.int32))
        names.append(cis.names)
    relation_keys: list[Ints] = []
    sources: list[Ints] = []
    targets: list[Ints] = []
    relation_codes: list[Codes] = []
    worded: list[Ints] = []
    word_a: list[Ints] = []
    word_b: list[Ints] = []
    before = 0
    for relations in coded.relations:
        codes = _numbers(relations.codes)
        ends = _numbers(relations.ends)
        relation_keys.append(_numbers(relations.keys).astype(np.int32))
        sources.append((ends >> 32).astype(np.int32))
        targets.append(ends.astype(np.int32))  # the lower half, with its sign
        relation_codes.append((codes & _RELATION_CODE).astype(np.uint16))
        places = np.flatnonzero(codes > _RELATION_CODE)
        worded.append((places + before).astype(np.int32))
        word_a.append((codes[places] >> WORD_A_SHIFT & _WORD).astype(np.int32))
        word_b.append((codes[places] >> WORD_B_SHIFT).astype(np.int32))
        before += len(codes)
    rows = Rows(
        coded.revision,
        _joined(ci_keys),
        _joined(ci_codes, np.uint16),
        _joined(ci_gaps),
        b"".join(names),
        _joined(lengths),
        _joined(relation_keys),
        _joined(sources),
        _joined(targets),
        _joined(relation_codes, np.uint16),
        _joined(worded),
        _joined(word_a),
        _joined(word_b),
        [""],
        {},
        [],
        [],
    )
    rows = _with_words(rows, coded.words)
    rows = replace(rows, extras=dict(coded.extras))
    return _with_strange(rows, dict(coded.strange_cis), dict(coded.strange_relations))
