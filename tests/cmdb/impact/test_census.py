"""The affected counted on arrays as they are counted one by one, on random estates with buildings, teams and groups."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from cmdb.impact import Answer, Outline, evaluate
from cmdb.impact.answer import NAMED, NOWHERE, WORSE, Census, Concern, Located
from cmdb.impact.question import KINDS, Question
from cmdb.impact.who import ways_of
from cmdb.model import CI, Graph, ModelError, Relation
from cmdb.schema import CONCRETE, is_a
from tests.cmdb.impact.worlds import world

_READ = ("service", "application")


def _furnished(random: Random) -> Graph:
    """A random estate, whose CIs stand in buildings, in several or in none, and belong to teams."""
    graph = world(random)
    cis, relations = dict(graph.cis), dict(graph.relations)
    for name in ("D01", "D02"):
        cis[name] = CI(name, "building", "default", name)
    for name in ("t1", "t2"):
        cis[name] = CI(name, "team", "default", name)
    for id_, ci in graph.cis.items():
        for place in ("D01", "D02"):
            if is_a(ci.cls, "device") and random.random() < 0.4:
                relations[f"in {id_} {place}"] = Relation(f"in {id_} {place}", "located_in", id_, place, {})
        for team in ("t1", "t2"):
            if random.random() < 0.2:
                relations[f"of {id_} {team}"] = Relation(f"of {id_} {team}", "owned_by", id_, team, {})
    return Graph(graph.revision, cis, relations)


def _asked(random: Random) -> tuple[Graph, Answer]:
    while True:
        graph = _furnished(random)
        targets = random.sample(sorted(graph.cis), random.randint(1, 3))
        down = tuple(random.sample(sorted(graph.cis), random.randint(0, 2)))
        try:
            return graph, evaluate(graph, Question(tuple(targets), (), random.choice(KINDS), down)).answer()
        except ModelError:
            continue


def _counted(graph: Graph, answer: Answer) -> Census:
    """The same from the rows."""
    rows = answer.outlines[:]
    teams = {
        one.ci.id: tuple(
            sorted(
                {team for r in graph.relations.values() for team in [r.target]
                 if (r.type, r.source) == ("owned_by", one.ci.id)}
            )
        )
        for one in rows
    }  # fmt: skip
    ways = {one.ci.id: ways_of(one.now, one.was) for one in rows}
    sites: dict[str, list[Outline]] = {}
    for one in rows:
        sites.setdefault("" if one.site is None else one.site.id, []).append(one)
    return Census(
        Counter(ways.values()),
        {cls: Counter(ways[one.ci.id] for one in rows if one.ci.cls == cls) for cls in _READ},
        tuple(
            Located(
                there[0].site,
                Counter(ways[one.ci.id] for one in there),
                tuple(
                    one.ci for one in sorted(there, key=lambda one: WORSE.index(ways[one.ci.id][0]))[:NAMED]
                ),
            )
            for there in sites.values()
        ),
        tuple(
            Concern(
                one.ci, ways[one.ci.id], one.now, one.was,
                tuple(type(one.ci)(team, "team", team) for team in teams[one.ci.id]), one.ci.cls in _READ,
            )
            for one in rows
            if one.ci.cls in _READ or teams[one.ci.id]
        ),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_counts_of_arrays_are_those_of_the_rows(seed: int) -> None:
    graph, answer = _asked(Random(seed))

    found = answer.census()

    expected = _counted(graph, answer)
    assert found._replace(located=()) == expected._replace(located=())
    assert sorted(found.located, key=str) == sorted(expected.located, key=str)


@pytest.mark.parametrize("seed", range(25))
def test_a_filter_chooses_what_it_would_choose_row_by_row(seed: int) -> None:
    random = Random(seed)
    _, answer = _asked(random)
    levels = frozenset(random.sample(WORSE, random.randint(0, 2)))
    classes = frozenset(random.sample(CONCRETE, random.choice((0, 20))))
    site = random.choice((None, NOWHERE, "D01"))

    places = answer.chosen(levels, classes, site)

    assert list(places) == [
        place
        for place, one in enumerate(answer.outlines[:])
        if (not levels or levels & set(ways_of(one.now, one.was)))
        and (not classes or one.ci.cls in classes)
        and (site is None or site == (NOWHERE if one.site is None else one.site.id))
    ]
