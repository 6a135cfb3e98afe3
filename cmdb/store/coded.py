"""A graph as the integers that a store gives of it, where the store does not keep them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from cmdb import coding
from cmdb.model import CI, Graph, Relation
from cmdb.store.base import CI_WORD_SHIFT, WORD_A_SHIFT, WORD_B_SHIFT, Coded, CodedCIs, CodedRelations

Item = TypeVar("Item", CI, Relation)

ROWS = 20_000
"""CIs or relations of one block."""


def coded_of(graph: Graph, digest: str = "") -> Coded:
    """A graph in memory as integers, as a store gives it; `digest` is the hash of its revision."""
    cis = _keyed(graph.cis, coding.CI_IDS)
    relations = _keyed(graph.relations, coding.RELATION_IDS)
    keys = {ci.id: key for key, ci in cis.items()}
    words: dict[str, int] = {"": 0}
    return Coded(
        graph.revision,
        digest,
        (_cis(block, words) for block in _blocks(cis)),
        (_relations(block, keys, words) for block in _blocks(relations)),
        _numbered(words),
        ((key, text) for key, ci in cis.items() if (text := coding.extra_text(ci))),
        [(key, ci.id) for key, ci in cis.items() if key < 0],
        [(key, relation.id) for key, relation in relations.items() if key < 0],
    )


def packed_ends(source: int, target: int) -> int:
    """The keys of both ends as one number of 64 bits."""
    return source << 32 | target & 0xFFFFFFFF


def _keyed(items: Mapping[str, Item], prefix: str) -> dict[int, Item]:
    """CIs or relations by key, in its order."""
    keyed: dict[int, Item] = {}
    strange = 0
    for id_, item in items.items():
        key = coding.key_of(id_, prefix)
        if not key:
            strange -= 1
            key = strange
        keyed[key] = item
    return dict(sorted(keyed.items()))


def _blocks(items: Mapping[int, Item]) -> Iterator[dict[int, Item]]:
    rest = iter(items.items())
    while block := dict(islice(rest, ROWS)):
        yield block


def _cis(block: Mapping[int, CI], words: dict[str, int]) -> CodedCIs:
    names = [ci.name.encode() for ci in block.values()]
    codes = [coding.ci_code(ci) | _number(coding.gaps_text(ci), words) << CI_WORD_SHIFT for ci in block.values()]
    return CodedCIs(_joined(block), _joined(codes), _joined(map(len, names)), b"".join(names))


def _relations(block: Mapping[int, Relation], keys: Mapping[str, int], words: dict[str, int]) -> CodedRelations:
    codes = []
    for relation in block.values():
        a, b = coding.relation_words(relation)
        code = coding.relation_code(relation)
        codes.append(code | _number(a, words) << WORD_A_SHIFT | _number(b, words) << WORD_B_SHIFT)
    ends = (packed_ends(keys[relation.source], keys[relation.target]) for relation in block.values())
    return CodedRelations(_joined(block), _joined(ends), _joined(codes))


def _numbered(words: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    for text, number in words.items():
        if number:
            yield number, text


def _number(word: str, words: dict[str, int]) -> int:
    return words.setdefault(word, len(words))


def _joined(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
