"""CIs and relations in memory as the integers that a store gives of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, TypeVar

from cmdb import coding
from cmdb.model import CI, Graph, Relation
from cmdb.store.base import CI_WORD_SHIFT, WORD_A_SHIFT, WORD_B_SHIFT, Coded, CodedCIs, CodedRelations

Item = TypeVar("Item")

ROWS: Final = 5_000
"""CIs or relations of one block."""


class Coder:
    """Codes block by block, and tells by the way what the codes leave out, in the fields of `Coded` of those names.

    Words and strange ids that are numbered already keep their numbers.
    """

    def __init__(
        self,
        words: Mapping[str, int] | None = None,
        strange_cis: Mapping[str, int] | None = None,
        strange_relations: Mapping[str, int] | None = None,
    ) -> None:
        self._words = {"": 0} | dict(words or {})
        self._ci_keys = dict(strange_cis or {})
        self._relation_keys = dict(strange_relations or {})
        self.words: list[tuple[int, str]] = []
        self.extras: list[tuple[int, str]] = []
        self.strange_cis: list[tuple[int, str]] = []
        self.strange_relations: list[tuple[int, str]] = []
        self._last_word = max(self._words.values())
        self._lowest_key = min([0, *self._ci_keys.values(), *self._relation_keys.values()])

    def cis(self, cis: Iterable[CI]) -> CodedCIs:
        keys, codes, names = [], [], []
        for ci in cis:
            key, extra = self._key(ci.id, coding.CI_IDS, self._ci_keys), coding.extra_text(ci)
            keys.append(key)
            codes.append(coding.ci_code(ci, extra) | self._word(coding.gaps_text(ci)) << CI_WORD_SHIFT)
            names.append(ci.name.encode())
            if extra:
                self.extras.append((key, extra))
            if key < 0:
                self.strange_cis.append((key, ci.id))
        return CodedCIs(_joined(keys), _joined(codes), _joined(map(len, names)), b"".join(names))

    def relations(self, relations: Iterable[Relation]) -> CodedRelations:
        keys, ends, codes = [], [], []
        for relation in relations:
            key = self._key(relation.id, coding.RELATION_IDS, self._relation_keys)
            source, target = (
                self._key(id_, coding.CI_IDS, self._ci_keys) for id_ in (relation.source, relation.target)
            )
            a, b = (self._word(word) for word in coding.relation_words(relation))
            keys.append(key)
            ends.append(packed_ends(source, target))
            codes.append(coding.relation_code(relation) | a << WORD_A_SHIFT | b << WORD_B_SHIFT)
            if key < 0:
                self.strange_relations.append((key, relation.id))
        return CodedRelations(_joined(keys), _joined(ends), _joined(codes))

    def _key(self, id_: str, prefix: str, strange: dict[str, int]) -> int:
        key = coding.key_of(id_, prefix) or strange.get(id_)
        if key is None:
            self._lowest_key -= 1
            key = strange[id_] = self._lowest_key
        return key

    def _word(self, text: str) -> int:
        number = self._words.get(text)
        if number is None:
            self._last_word += 1
            number = self._words[text] = self._last_word
            self.words.append((number, text))
        return number


def coded_of(graph: Graph, digest: str = "") -> Coded:
    """A graph in memory as a store gives it; `digest` is the hash of its revision."""
    coder = Coder()
    return Coded(
        graph.revision,
        digest,
        map(coder.cis, blocks(graph.cis.values())),
        map(coder.relations, blocks(graph.relations.values())),
        coder.words,
        coder.extras,
        coder.strange_cis,
        coder.strange_relations,
    )


def blocks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items, some at once."""
    rest = iter(items)
    while block := list(islice(rest, ROWS)):
        yield block


def packed_ends(source: int, target: int) -> int:
    """The keys of both ends as one number of 64 bits."""
    return source << 32 | target & 0xFFFFFFFF


def _joined(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
