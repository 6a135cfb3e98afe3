"""The laws of the issue “Truth”, each of a world and a way to empty stores; AssertionError where one is broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import combinations, count
from pathlib import Path
from random import Random
from typing import Final, Protocol, TypeAlias

from cmdb import absorb as absorbing
from cmdb.export import canonical
from cmdb.impact import Question
from cmdb.inventory import Inventory, Refused
from cmdb.model import CI, SCHEMES, Decision, Identifier, ModelError, Report, Revision, RunSection, Section, State
from cmdb.project import Projected, utterances
from cmdb.rules import Rules
from cmdb.schema import CI_CLASSES
from cmdb.store.base import GraphStore
from cmdb.store.sqlite import SqliteStore
from tests.cmdb.truth.saying import PARTIAL, Event, at, graph_of, told
from tests.cmdb.worlds import NOW, Told

Open: TypeAlias = Callable[[], GraphStore]
"""Opens an empty store, another one at each call."""

_HALF: Final = 0.5


class Law(Protocol):
    """A law of the issue; `chance` is for what it chooses itself."""

    def __call__(self, world: Told, chance: Random, opened: Open) -> None: ...


def sqlite_stores(folder: Path) -> Open:
    """Empty stores in a folder."""
    numbers = count()
    return lambda: SqliteStore(folder / f"{next(numbers)}.sqlite")


class Teller:
    """Tells events to a store, through the one door."""

    def __init__(self, store: GraphStore, rules: Rules, now: float = NOW) -> None:
        self._store = store
        self._rules = rules
        self._now = at(now)
        self.inventory = self.stranger()

    def stranger(self) -> Inventory:
        """The same store as another process sees it."""
        return Inventory(self._store, self._rules, lambda: self._now)

    def by_turns(self, events: Iterable[Event], chance: Random) -> str:
        """Tell them by several processes, one after the other at random; each has to follow what the others wrote."""
        inventories = [self.inventory, self.stranger(), self.stranger()]
        for event in events:
            self.inventory = chance.choice(inventories)
            self.tell([event])
        return self.canonical()

    def at_their_times(self, events: Iterable[Event]) -> str:
        """Tell them as time passes, with a clock pass after each; the last is at the end of time."""
        end = self._now
        for event in sorted(events, key=lambda one: one.time):
            self._now = event.time
            self.tell([event])
            self.inventory.tick()
        self._now = end
        self.inventory.tick()
        return self.canonical()

    def tell(self, events: Iterable[Event]) -> str:
        """Tell them, one by one; the canonical graph after that."""
        for event in events:
            match event:
                case Report():
                    self.inventory.absorb(event)
                case RunSection():
                    self.inventory.close_run(event)
                case Decision():
                    self._decide(event)
        return self.canonical()

    def _decide(self, decision: Decision) -> None:
        graph = self.inventory.graph()
        with self._store.write() as tx:
            known = absorbing.load(tx.records, graph, self._rules, tx.position.evidence)
            absorbing.decide(tx, known, [decision], self._rules, self._now, decision.by, decision.reason)

    def canonical(self) -> str:
        return json.dumps(self.inventory.canonical(), sort_keys=True)

    def problems(self) -> list[tuple[str, list[str]]]:
        """Each problem, with the names of whom it is about."""
        cis = self.inventory.graph().cis
        return sorted((one.kind, sorted(cis[id_].name for id_ in one.about)) for one in self.inventory.problems())

    def journal(self) -> list[Revision]:
        """Every revision with all that changed in it, and the hashes that chain them."""
        return self.inventory.changes(0)

    def answers(self) -> list[object]:
        """What it says of each CI: by look-up of all that it is known by, its relations, and what its loss would do."""
        found: list[object] = []
        for id_, ci in sorted(self.inventory.graph().cis.items()):
            known_by = [ci.name, *sorted(one.value for one in ci.identifiers)]
            found.append([self.inventory.lookup(text) for text in known_by])
            found.append(sorted(self.inventory.relations(id_), key=lambda one: one.id))
            if ci.state is not State.RETIRED:
                found.append(self.inventory.impact(Question((id_,), (), "remove")).answer().as_json())
        return found

    def close(self) -> None:
        self._store.close()


def the_store_equals_the_projection_from_scratch(world: Told, chance: Random, opened: Open) -> None:
    """Law 1, after every event: CIs, relations and problems; and another process finds nothing to do."""
    del chance
    teller = Teller(opened(), world.rules)
    for number, event in enumerate(world.events, start=1):
        stored = teller.tell([event])
        said = world.events[:number]
        assert stored == json.dumps(canonical(graph_of(said, world.rules, NOW)), sort_keys=True)
        problems, expected = teller.problems(), _problems(told(said, world.rules, NOW)[1])
        if any(isinstance(one, Decision) and one.verdict == "different" for one in said):
            # Whoever said so answered conflicts, and those are no problem any more.
            problems, expected = ([one for one in found if one[0] != "conflict"] for found in (problems, expected))
        assert problems == expected, (problems, expected)
    revision = teller.inventory.graph().revision
    teller.stranger().tick()
    assert teller.inventory.graph().revision == revision
    teller.close()


def _problems(projected: Projected) -> list[tuple[str, list[str]]]:
    return sorted(
        (one.kind, sorted(projected.cis[group].name for group in one.about if group in projected.cis))
        for one in projected.problems
    )


def processes_that_take_turns_give_the_graph_of_one(world: Told, chance: Random, opened: Open) -> None:
    """Law 1, where what one process has in memory is what another wrote."""
    teller = Teller(opened(), world.rules)
    stored = teller.by_turns(world.events, chance)
    assert stored == json.dumps(canonical(graph_of(world.events, world.rules, NOW)), sort_keys=True)
    teller.close()


def time_that_passes_gives_the_graph_of_its_end(world: Told, chance: Random, opened: Open) -> None:
    """Law 1, where claims get stale, and things missing and retired, between the reports and after them."""
    del chance
    teller = Teller(opened(), world.rules)
    stored = teller.at_their_times(world.events)
    assert stored == json.dumps(canonical(graph_of(world.events, world.rules, NOW)), sort_keys=True)
    assert teller.inventory.verify().problems == ()
    teller.close()


def any_order_repetition_and_delay_gives_the_same_graph(world: Told, chance: Random, opened: Open) -> None:
    """Law 2."""
    straight, shuffled = Teller(opened(), world.rules), Teller(opened(), world.rules)
    expected = straight.tell(world.events)
    order = [*world.events, *chance.sample(world.events, len(world.events) // 2)]
    chance.shuffle(order)
    assert shuffled.tell(order) == expected, [world.events.index(one) for one in order]
    assert shuffled.problems() == straight.problems(), [world.events.index(one) for one in order]
    straight.close()
    shuffled.close()


def absorbing_again_takes_no_revision(world: Told, chance: Random, opened: Open) -> None:
    """Laws 3 and 7: told again in time or out of it; the journal gives the present, and so does `at` now."""
    teller = Teller(opened(), world.rules)
    teller.tell(world.events)
    before = teller.inventory.graph()
    teller.tell(world.events)
    teller.tell(chance.sample(world.events, len(world.events)))
    after = teller.inventory.graph()
    assert after.revision == before.revision, teller.journal()[before.revision :]
    assert after == before
    assert teller.inventory.verify().problems == ()
    assert teller.inventory.graph(at=before.revision) == before
    teller.close()


def a_partial_report_ends_no_claim(world: Told, chance: Random, opened: Open) -> None:
    """Law 4: a part of a report that was said already, once more and in part."""
    del opened
    reports = [one for one in world.events if isinstance(one, Report) and not one.declared]
    if not reports:
        return
    partial = _in_part(max(reports, key=lambda one: one.time), chance)
    before, after = (_in_force(events, world.rules) for events in (world.events, [*world.events, partial]))
    assert before <= after


def _in_part(report: Report, chance: Random) -> Report:
    time = at(50)
    sections = [_section_in_part(one, chance) for one in report.sections]
    kept = chance.sample(sections, chance.randint(1, len(sections)))
    return replace(report, time=time, sections=tuple(replace(one, time=time) for one in kept))


def _section_in_part(section: Section, chance: Random) -> Section:
    relations = chance.sample(section.relations, chance.randint(0, len(section.relations)))
    completeness = PARTIAL if section.completeness != "denied" else section.completeness
    return replace(section, completeness=completeness, relations=tuple(relations))


def _in_force(events: Sequence[Event], rules: Rules) -> frozenset[tuple[str, str, str, str]]:
    """Which sections of whom say something that is in force."""
    resolution, projected = told(events, rules, NOW)
    return frozenset(
        (one.space, one.source, one.section, one.held.digest)
        for group in projected.cis
        for one in utterances(resolution, group, rules, at(NOW))
    )


def no_two_have_the_same_strongest_key(world: Told, chance: Random, opened: Open) -> None:
    """Law 5: of those that are not missing, and in one domain, unless it is burnt or a person said *different*."""
    del chance, opened
    resolution, projected = told(world.events, world.rules, NOW)
    different = any(isinstance(one, Decision) and one.verdict == "different" for one in world.events)
    present = [ci for ci in projected.cis.values() if ci.state is State.PRESENT]
    for one, other in combinations(present, 2):
        key = _strongest(one)
        if not key or key != _strongest(other) or _domain(one) != _domain(other):
            continue
        burnt = {(scheme, value) for scheme, value, _ in resolution.burnt}
        assert different or key & burnt, (one, other)


def merge_then_un_merge_gives_the_same_graph(world: Told, chance: Random, opened: Open) -> None:
    """Law 6, of two CIs that a person may call the same; whatever is said in between goes to whom it identifies."""
    teller = Teller(opened(), world.rules)
    before = teller.tell(world.events)
    problems, ids = _data_problems(teller), set(teller.inventory.graph().cis)
    pairs = [sorted(pair) for pair in combinations(sorted(ids), 2)]
    for pair in chance.sample(pairs, min(3, len(pairs))):
        try:
            merged = teller.inventory.judging.decide("same", pair, "one machine", "ann")
        except (ModelError, Refused):
            # Nothing that only one of them has tells who is meant.
            continue
        if chance.random() < _HALF:
            teller.tell(world.events)
        for decision in merged.decisions:
            teller.inventory.judging.take_back(decision.id, "two after all", "ann")
        assert teller.canonical() == before, pair
        assert _data_problems(teller) == problems, pair
        assert {id_ for id_ in ids if (found := teller.inventory.stored(id_)) is not None and found.ci.id == id_} == ids
    assert teller.inventory.verify().problems == ()
    teller.close()


def _data_problems(teller: Teller) -> list[tuple[str, list[str]]]:
    """All but conflicts: that two are told apart answers one."""
    return [one for one in teller.problems() if one[0] != "conflict"]


def _strongest(ci: CI) -> frozenset[Identifier]:
    scheme = next((each for each in SCHEMES if any(one.scheme == each for one in ci.identifiers)), None)
    return frozenset(one for one in ci.identifiers if one.scheme == scheme)


def _domain(ci: CI) -> str | None:
    return CI_CLASSES[ci.cls].domain or "machine"


LAWS: Final[tuple[Law, ...]] = (
    the_store_equals_the_projection_from_scratch,
    processes_that_take_turns_give_the_graph_of_one,
    time_that_passes_gives_the_graph_of_its_end,
    any_order_repetition_and_delay_gives_the_same_graph,
    absorbing_again_takes_no_revision,
    a_partial_report_ends_no_claim,
    no_two_have_the_same_strongest_key,
    merge_then_un_merge_gives_the_same_graph,
)
