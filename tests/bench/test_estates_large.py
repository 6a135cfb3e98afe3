"""The estates that benches measure on: what they are made of fits the model, and needs no store for the engine."""

from __future__ import annotations

import numpy as np

from bench.estates_large import LargeEstate
from bench.filled import rows
from cmdb.impact.rows import rows_of
from cmdb.model import CI, Graph, Relation
from cmdb.schema import CABLE, RELATION_TYPES, RelationType, fits


def test_every_relation_fits_its_ends_and_is_told_apart_by_its_keys() -> None:
    classes: dict[str, str] = {}
    relations: list[Relation] = []
    for one in LargeEstate(800).things():
        if isinstance(one, CI):
            classes[one.id] = one.cls
        else:
            relations.append(one)

    wrong = [one for one in relations if not fits(one.type, classes[one.source], classes[one.target])]
    unknown = [one for one in relations if set(one.columns) - {*_row(one).keys, *_row(one).attributes}]
    natural = {
        (one.type, one.source, one.target, *(str(one.columns.get(key)) for key in _row(one).keys)) for one in relations
    }

    assert (wrong, unknown, len(natural)) == ([], [], len(relations))
    assert set(RELATION_TYPES) - {one.type for one in relations} == set()
    assert all((one.source, one.target) == tuple(sorted((one.source, one.target))) for one in _cables(relations))


def test_the_rows_made_without_a_store_are_those_of_the_graph() -> None:
    things = list(LargeEstate(800).things())
    graph = Graph(
        1,
        {one.id: one for one in things if isinstance(one, CI)},
        {one.id: one for one in things if isinstance(one, Relation)},
    )

    made, estate = rows(800)

    expected = rows_of(graph)
    assert (estate.cis, estate.relations) == (len(graph.cis), len(graph.relations))
    for name in expected.__slots__:
        assert np.array_equal(getattr(expected, name), getattr(made, name)), name


def _row(relation: Relation) -> RelationType:
    return RELATION_TYPES[relation.type]


def _cables(relations: list[Relation]) -> list[Relation]:
    return [one for one in relations if one.type == CABLE]
