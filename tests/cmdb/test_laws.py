"""The laws of truth, of worlds that hypothesis makes; `LAWS_EXAMPLES` says how many (thousands, by hand)."""

from __future__ import annotations

import os
import random
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cmdb.store.opening import open_store
from tests.cmdb import laws
from tests.cmdb.laws import Law, Teller, sqlite_stores
from tests.cmdb.worlds import Told, world
from tests.fixtures.stores import empty_neo4j

EXAMPLES = int(os.environ.get("LAWS_EXAMPLES", "30"))
WORLDS = st.randoms(use_true_random=False).map(world)
BOUNDED = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A world that breaks a law is made smaller in `tests.cmdb.thousands`, event by event.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_a_law_holds(tmp_path_factory: pytest.TempPathFactory, law: Law) -> None:
    @settings(BOUNDED, max_examples=EXAMPLES)
    @given(WORLDS, st.randoms(use_true_random=False))
    def holds(told: Told, chance: random.Random) -> None:
        law(told, chance, sqlite_stores(tmp_path_factory.mktemp("law")))

    holds()


@pytest.mark.xdist_group("neo4j")
def test_both_stores_have_the_same_graph_revisions_and_answers(
    tmp_path_factory: pytest.TempPathFactory, neo4j_url: str
) -> None:
    """Law 8."""

    @settings(BOUNDED, max_examples=max(6, EXAMPLES // 20))
    @given(WORLDS)
    def same(told: Told) -> None:
        empty_neo4j(neo4j_url)
        with ExitStack() as stack:
            embedded = stack.enter_context(closing(sqlite_stores(tmp_path_factory.mktemp("law"))()))
            server = stack.enter_context(closing(open_store(neo4j_url)))
            tellers = [Teller(opened, told.rules) for opened in (embedded, server)]

            said = [(one.tell(told.events), one.problems(), one.journal(), one.answers()) for one in tellers]

        assert said[0] == said[1]

    same()
