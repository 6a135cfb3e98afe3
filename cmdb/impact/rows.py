"""Everything that the impact engine needs of one revision, as arrays; read from what a store gives, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cmdb.model import Graph
from cmdb.store.base import CI_WORD_SHIFT, WORD_A_SHIFT, WORD_B_SHIFT, Coded, CodedCIs, CodedRelations
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
    `name_lengths` in bytes. `worded` are the places of the relations that have words (`coding.relation_words`), and
    `word_a` and `word_b` the places of these in `words`. `extras` are `coding.extra_text` by the key of the CI.
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


class _Column:
    """An array that grows by blocks."""

    def __init__(self, kind: type[np.int32 | np.uint16] = np.int32) -> None:
        self._kind = kind
        self._blocks: list[NDArray[Any]] = []

    def add(self, numbers: Longs) -> None:
        self._blocks.append(numbers.astype(self._kind))  # of more bits than there are, the lower ones, as in C

    def joined(self) -> NDArray[Any]:
        blocks, self._blocks = self._blocks, []
        return np.concatenate(blocks) if blocks else np.empty(0, self._kind)


def rows_of(graph: Graph) -> Rows:
    """The rows of a graph in memory."""
    return read_rows(coded_of(graph))


def read_rows(coded: Coded) -> Rows:
    """The rows of what a store gives, the same for each store: words and strange ids are numbered anew, by their order.

    Raises ValueError where it is not what `Coded` says.
    """
    ci_keys, ci_codes, ci_gaps, names, name_lengths = _read_cis(coded.cis)
    relation_keys, sources, targets, relation_codes, worded, word_a, word_b = _read_relations(coded.relations)
    words, ci_gaps, word_a, word_b = _with_words(coded.words, ci_gaps, word_a, word_b)
    rows = Rows(
        coded.revision,
        ci_keys,
        ci_codes,
        ci_gaps,
        names,
        name_lengths,
        relation_keys,
        sources,
        targets,
        relation_codes,
        worded,
        word_a,
        word_b,
        words,
        dict(coded.extras),
        [],
        [],
    )
    rows = _in_order_of_cis(rows, dict(coded.strange_cis))
    return _in_order_of_relations(rows, dict(coded.strange_relations))


def _read_cis(blocks: Iterable[CodedCIs]) -> tuple[Ints, Codes, Ints, bytes, Ints]:
    keys, codes, gaps, lengths = _Column(), _Column(np.uint16), _Column(), _Column()
    names: list[bytes] = []
    for block in blocks:
        packed = _numbers(block.codes)
        keys.add(_numbers(block.keys))
        codes.add(packed & _CI_CODE)
        gaps.add(packed >> CI_WORD_SHIFT)
        lengths.add(_numbers(block.lengths))
        names.append(block.names)
    return keys.joined(), codes.joined(), gaps.joined(), b"".join(names), lengths.joined()


def _read_relations(blocks: Iterable[CodedRelations]) -> tuple[Ints, Ints, Ints, Codes, Ints, Ints, Ints]:
    keys, sources, targets, codes = _Column(), _Column(), _Column(), _Column(np.uint16)
    worded, word_a, word_b = _Column(), _Column(), _Column()
    before = 0
    for block in blocks:
        packed, ends = _numbers(block.codes), _numbers(block.ends)
        keys.add(_numbers(block.keys))
        sources.add(ends >> 32)
        targets.add(ends)
        codes.add(packed & _RELATION_CODE)
        places = np.flatnonzero(packed > _RELATION_CODE)
        worded.add(places + before)
        word_a.add(packed[places] >> WORD_A_SHIFT & _WORD)
        word_b.add(packed[places] >> WORD_B_SHIFT)
        before += len(packed)
    ends_of = sources.joined(), targets.joined()
    return keys.joined(), *ends_of, codes.joined(), worded.joined(), word_a.joined(), word_b.joined()


def _numbers(text: str) -> Longs:
    return np.fromstring(text, sep=",", dtype=np.int64) if text else np.empty(0, np.int64)


def _with_words(
    known: Iterable[tuple[int, str]], gaps: Ints, word_a: Ints, word_b: Ints
) -> tuple[list[str], Ints, Ints, Ints]:
    """The words that are used, and their places instead of the numbers that a store gave them."""
    used = np.unique(np.concatenate([np.zeros(1, np.int32), gaps[gaps > 0], word_a, word_b]))
    wanted = frozenset(used.tolist())
    texts = {0: ""} | {number: text for number, text in known if number in wanted}
    if len(texts) < len(used):
        raise ValueError(f"words are missing: {sorted(wanted - set(texts))[:10]}")
    words = sorted(texts.values())
    place_of = {text: place for place, text in enumerate(words)}
    places = np.fromiter((place_of[texts[number]] for number in used.tolist()), np.int32, len(used))
    gaps, word_a, word_b = (places[np.searchsorted(used, numbers)] for numbers in (gaps, word_a, word_b))
    return words, gaps, word_a, word_b


def _in_order_of_cis(rows: Rows, ids: Mapping[int, str]) -> Rows:
    """CIs by key; those whose ids have no number, numbered by the order of their ids."""
    if not ids and _in_order(rows.ci_keys):
        return rows
    strange, new = _renumbered(ids)
    keys = _mapped(rows.ci_keys, new)
    order = _order(keys)
    ends = np.cumsum(rows.name_lengths)
    names = [
        rows.names[end - length : end] for end, length in zip(ends.tolist(), rows.name_lengths.tolist(), strict=True)
    ]
    return replace(
        rows,
        ci_keys=keys[order],
        ci_codes=rows.ci_codes[order],
        ci_gaps=rows.ci_gaps[order],
        names=b"".join(names[place] for place in order.tolist()),
        name_lengths=rows.name_lengths[order],
        sources=_mapped(rows.sources, new),
        targets=_mapped(rows.targets, new),
        extras={new.get(key, key): text for key, text in rows.extras.items()},
        strange_cis=strange,
    )


def _in_order_of_relations(rows: Rows, ids: Mapping[int, str]) -> Rows:
    """Relations by key; those whose ids have no number, numbered by the order of their ids."""
    if not ids and _in_order(rows.relation_keys):
        return rows
    strange, new = _renumbered(ids)
    keys = _mapped(rows.relation_keys, new)
    order = _order(keys)
    places = np.full(len(keys), -1, np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    worded = places[rows.worded]
    by_place = np.argsort(worded)
    by_place = by_place[worded[by_place] >= 0]
    return replace(
        rows,
        relation_keys=keys[order],
        sources=rows.sources[order],
        targets=rows.targets[order],
        relation_codes=rows.relation_codes[order],
        worded=worded[by_place],
        word_a=rows.word_a[by_place],
        word_b=rows.word_b[by_place],
        strange_relations=strange,
    )


def _in_order(keys: Ints) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def _order(keys: Ints) -> Longs:
    """The places of keys by their order, of equal ones one."""
    order: Longs = np.argsort(keys, kind="stable")
    ordered = keys[order]
    last = np.ones(len(keys), np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    kept: Longs = order[last]
    return kept


def _renumbered(ids: Mapping[int, str]) -> tuple[list[str], dict[int, int]]:
    """Ids in order, and the key of each by the one that the store gave it."""
    old = sorted(ids, key=ids.__getitem__)
    return [ids[key] for key in old], {key: -1 - place for place, key in enumerate(old)}


def _mapped(keys: Ints, new: Mapping[int, int]) -> Ints:
    if not new:
        return keys
    return np.fromiter((new.get(key, key) for key in keys.tolist()), np.int32, len(keys))
