"""Rows hold of each CI and relation what its codes say, whatever the graph."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from cmdb import coding
from cmdb.impact.rows import Rows, read_rows, rows_of
from cmdb.model import Graph
from cmdb.store.base import Coded
from cmdb.store.coded import Coder
from tests.cmdb.impact.worlds import world
from tests.cmdb.store.coded_changes import plain


def ids(keys: list[int], prefix: str, strange: list[str]) -> list[str]:
    return [f"{prefix}{key}" if key > 0 else strange[-1 - key] for key in keys]


def cis_of(rows: Rows) -> list[tuple[str, int, str, str, str]]:
    """Id, code, gaps, name and extra document of each CI."""
    names, rest = [], rows.names
    for length in rows.name_lengths.tolist():
        names.append(rest[:length].decode())
        rest = rest[length:]
    keys = rows.ci_keys.tolist()
    gaps = [rows.words[place] for place in rows.ci_gaps.tolist()]
    extras = [rows.extras.get(key, "") for key in keys]
    return list(zip(ids(keys, "ci-", rows.strange_cis), rows.ci_codes.tolist(), gaps, names, extras, strict=True))


def relations_of(rows: Rows) -> list[tuple[str, str, str, int, tuple[str, str]]]:
    """Id, ends, code and words of each relation."""
    pairs = zip(rows.worded.tolist(), rows.word_a.tolist(), rows.word_b.tolist(), strict=True)
    words = {place: (rows.words[a], rows.words[b]) for place, a, b in pairs}
    sources, targets = (ids(keys.tolist(), "ci-", rows.strange_cis) for keys in (rows.sources, rows.targets))
    return [
        (id_, source, target, code, words.get(place, ("", "")))
        for place, (id_, source, target, code) in enumerate(
            zip(
                ids(rows.relation_keys.tolist(), "rel-", rows.strange_relations),
                sources,
                targets,
                rows.relation_codes.tolist(),
                strict=True,
            )
        )
    ]


def named_as_the_product_does(graph: Graph) -> Graph:
    """The same graph with ids of numbers, as far as every third stays strange."""
    cis = {id_: f"ci-{number * 7}" if number % 3 else id_ for number, id_ in enumerate(graph.cis)}
    relations = {id_: f"rel-{number * 5}" if number % 3 else id_ for number, id_ in enumerate(graph.relations)}
    return Graph(
        graph.revision,
        {cis[ci.id]: replace(ci, id=cis[ci.id]) for ci in graph.cis.values()},
        {
            relations[one.id]: replace(one, id=relations[one.id], source=cis[one.source], target=cis[one.target])
            for one in graph.relations.values()
        },
    )


@pytest.mark.parametrize("seed", range(40))
def test_rows_hold_what_the_codes_say(seed: int) -> None:
    graph = world(Random(seed))
    if seed % 2:
        graph = named_as_the_product_does(graph)

    rows = rows_of(graph)

    assert sorted(cis_of(rows)) == sorted(
        (ci.id, coding.ci_code(ci), coding.gaps_text(ci), ci.name, coding.extra_text(ci)) for ci in graph.cis.values()
    )
    assert sorted(relations_of(rows)) == sorted(
        (one.id, one.source, one.target, coding.relation_code(one), coding.relation_words(one))
        for one in graph.relations.values()
    )
    assert [keys.tolist() == sorted(keys.tolist()) for keys in (rows.ci_keys, rows.relation_keys)] == [True, True]
    assert rows.words == sorted({"", *rows.words})


@pytest.mark.parametrize("seed", range(4))
def test_what_a_store_gives_twice_is_there_once(seed: int) -> None:
    graph = world(Random(seed))
    if seed % 2:
        graph = named_as_the_product_does(graph)
    coder, cis, relations = Coder(), list(graph.cis.values()), list(graph.relations.values())

    rows = read_rows(
        Coded(
            graph.revision,
            "",
            map(coder.cis, (cis[1:], cis[:2], cis)),
            map(coder.relations, (relations[2:], relations[:4], relations[1:])),
            coder.words,
            coder.extras,
            coder.strange_cis,
            coder.strange_relations,
        )
    )

    assert plain(rows) == plain(rows_of(graph))
