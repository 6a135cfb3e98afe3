"""Who is who, where only a person can tell: the queue, what is decided, and taking it back; on both stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations
from math import comb
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb.conflicts import ConflictView
from cmdb.inventory import Inventory, Refused
from cmdb.model import Component, ModelError, RelationClaim, Report, Section, Statement, Subject
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from cmdb.store.sqlite import SqliteStore
from cmdb.what import NotFound
from tests.cmdb.laws import Teller, sqlite_stores
from tests.cmdb.truth.saying import (
    FULL,
    ITSELF,
    at,
    ids,
    interfaces,
    mac,
    report,
    run,
    system,
    thing,
)
from tests.cmdb.truth.saying import estate as declared
from tests.cmdb.worlds import world
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

OLD_UUID = "4c4c4544-0037-4810-8051-c7c04f4e3531"
NEW_UUID = "4c4c4544-0037-4810-8051-c7c04f4e3532"


def now() -> datetime:
    return at(1000)


@pytest.fixture
def inventory(store: GraphStore) -> Inventory:
    return Inventory(store, Rules(), now)


@pytest.fixture
def light(tmp_path: Path) -> Inventory:
    """One on SQLite, for what the stores have no part in."""
    return Inventory(SqliteStore(tmp_path / "light.sqlite"), Rules(), now)


def disks(time: float, *serials: str) -> Section:
    parts = tuple(Component("disk", f"sd{place}", {"serial": serial}) for place, serial in enumerate(serials))
    return Section("ssh.disks", at(time), FULL, (Statement(ITSELF, {}, parts),))


def old_board(time: float = 1) -> Report:
    return report(
        "10.0.0.1", time,
        system(time, name="web", serial="S1", uuid=OLD_UUID, values={"label": "D010210-001"}),
        interfaces(time, 1, 2), disks(time, "WD1", "WD2"), inside(time, "linux"),
    )  # fmt: skip


def new_board(time: float = 2, name: str = "web") -> Report:
    return report(
        "10.0.0.1", time,
        system(time, name=name, serial="S2", uuid=NEW_UUID, values={"label": "D010210-002"}),
        interfaces(time, 2, 3), disks(time, "WD1", "WD2"), inside(time, "linux"),
    )  # fmt: skip


def inside(time: float, key: str) -> Section:
    """An operating system, known by its key in its host."""
    runs = Subject("operating_system", owner=ITSELF, key=key, name=f"{key} on it")
    claim = RelationClaim("runs_on", runs, ITSELF)
    return Section("ssh.system", at(time), FULL, (Statement(runs, {"kernel": "6.1"}),), (claim,))


def clone(source: str, number: int, name: str = "vm") -> Report:
    return report(source, 1, system(1, "virtual_machine", name, uuid=OLD_UUID), interfaces(1, number))


def replaced(inventory: Inventory) -> None:
    inventory.absorb(old_board())
    inventory.absorb(new_board())


def shape(view: ConflictView) -> tuple[list[tuple[str, str]], list[str], str | None]:
    return [(one.scheme, one.value) for one in view.values], [one.ci.id for one in view.candidates], view.suggestion


def found(inventory: Inventory, text: str) -> list[str]:
    """The CIs that a text finds."""
    return sorted({match.ci for match in inventory.lookup(text)})


def holder(inventory: Inventory, tag: str) -> tuple[str, bool, tuple[str, ...]] | None:
    one = inventory.tag(tag)
    return None if one is None else (one.stored.ci.id, one.former, one.formerly)


# The queue


def test_a_replaced_board_suggests_the_same_machine_and_says_why(inventory: Inventory) -> None:
    replaced(inventory)

    (row,) = [inventory.judging.with_evidence(one) for one in inventory.judging.conflicts()]

    assert shape(row) == ([("mac", mac(2))], ["ci-1", "ci-3"], "same")
    (pair,) = row.pairs
    assert [(one.kind, one.weight > 0, one.what) for one in pair.reasons] == [
        ("one_place", True, "10.0.0.1"),
        ("disk", True, "WD1, WD2"),
        ("labels", False, "D010210-001 / D010210-002"),
        ("mac", True, mac(2)),
        ("name", True, "web"),
        ("identifiers", False, "serial, uuid"),
    ]
    assert {trait.kind: trait.common for trait in pair.shared} == {
        "mac": (mac(2),), "name": ("web",), "disk": ("WD1", "WD2"), "answers": ("10.0.0.1",),
    }  # fmt: skip
    assert {trait.kind: (trait.a, trait.b) for trait in pair.contradicts} == {
        "serial": (("S1",), ("S2",)),
        "uuid": ((OLD_UUID,), (NEW_UUID,)),
        "label": (("D010210-001",), ("D010210-002",)),
    }
    assert [[(one.source, one.section, one.confirmed) for one in side.said] for side in row.candidates] == [
        [("10.0.0.1", "snmp.interfaces", at(1))],
        [("10.0.0.1", "snmp.interfaces", at(2))],
    ]
    assert row.since == at(2)


def test_clones_that_both_answer_are_suggested_to_be_different(light: Inventory) -> None:
    light.absorb(clone("10.0.0.1", 1))
    light.absorb(clone("10.0.0.2", 2))

    (row,) = light.judging.conflicts()

    assert shape(row) == ([("uuid", OLD_UUID)], ["ci-1", "ci-2"], "different")
    assert [reason.kind for reason in row.pairs[0].reasons] == ["both_answer", "macs", "name"]


def test_several_values_of_the_same_things_are_one_question(light: Inventory) -> None:
    light.absorb(report("10.0.0.1", 1, system(1, serial="S1", mac=[mac(7), mac(8)], host_key="SHA256:" + "k" * 43)))
    light.absorb(report("10.0.0.2", 1, system(1, serial="S2", mac=[mac(7), mac(8)], host_key="SHA256:" + "k" * 43)))

    (row,) = light.judging.conflicts()

    assert [tuple(value) for value in row.values] == [
        ("mac", mac(7)), ("mac", mac(8)), ("host_key", "SHA256:" + "k" * 43),
    ]  # fmt: skip


def test_three_hundred_devices_of_one_serial_are_one_question(light: Inventory) -> None:
    for number in range(300):
        given = {"mac": f"00:1b:22:00:{number // 256:02x}:{number % 256:02x}"}
        about = Subject(identifiers=ids(**given), itself=True)
        ports = Section("snmp.interfaces", at(1), FULL, (Statement(about, {}, (Component("interface", "e0", given),)),))
        light.absorb(report(f"10.1.{number // 250}.{number % 250 + 1}", 1, system(1, serial="123456789"), ports))

    (row,) = light.judging.conflicts()
    done = light.judging.decide("different", [row.id], "the factory gave all of them this serial", "Ada")

    assert (row.total, len(row.candidates), len(row.pairs), row.suggestion) == (300, 20, 3, "different")
    assert (len(done.decisions), light.judging.conflicts(), light.graph().revision) == (1, [], 300)


# Same, and taking it back


def test_all_that_led_to_either_leads_to_the_survivor_of_a_merge(inventory: Inventory) -> None:
    replaced(inventory)
    inventory.judging.decide("same", ["S1", "D010210-002"], "board replaced", "Ada")

    led = {text: found(inventory, text) for text in ("S1", "S2", OLD_UUID, NEW_UUID, mac(1), mac(2), mac(3), "ci-3")}

    assert {text: cis for text, cis in led.items() if cis != ["ci-1"]} == {}
    assert [stored.ci.id for id_ in ("ci-1", "ci-3") if (stored := inventory.stored(id_))] == ["ci-1", "ci-1"]
    assert holder(inventory, "D010210-001") == ("ci-1", True, ("D010210-001",))
    assert holder(inventory, "D010210-002") == ("ci-1", False, ("D010210-001",))
    assert inventory.judging.conflicts() == []
    assert inventory.verify().problems == ()


def test_what_runs_in_merged_hosts_follows_by_its_key_and_is_back_with_them(light: Inventory) -> None:
    replaced(light)
    before = {id_: (ci.cls, ci.owner, ci.key) for id_, ci in light.graph().cis.items()}
    (merged,) = light.judging.decide("same", ["S1", "S2"], "board replaced", "Ada").decisions

    during = {id_: (ci.cls, ci.owner, ci.key) for id_, ci in light.graph().cis.items()}
    light.judging.take_back(merged.id, "it was another machine", "Bo")

    assert before == {
        "ci-1": ("server", None, None), "ci-2": ("operating_system", "ci-1", "linux"),
        "ci-3": ("server", None, None), "ci-4": ("operating_system", "ci-3", "linux"),
    }  # fmt: skip
    assert during == {"ci-1": ("server", None, None), "ci-2": ("operating_system", "ci-1", "linux")}
    assert {id_: (ci.cls, ci.owner, ci.key) for id_, ci in light.graph().cis.items()} == before


def test_both_are_back_with_what_was_reported_in_between(inventory: Inventory) -> None:
    replaced(inventory)
    (merged,) = inventory.judging.decide("same", ["ci-1", "ci-3"], "board replaced", "Ada").decisions
    inventory.absorb(new_board(3, name="web-new"))
    done = inventory.judging.take_back(merged.id, "it was another machine", "Bo")

    names = {id_: ci.name for id_, ci in inventory.graph().cis.items() if ci.cls == "server"}
    later = [inventory.absorb(old_board(4)), inventory.absorb(new_board(5, name="web-new"))]

    assert names == {"ci-1": "web", "ci-3": "web-new"}
    assert [(one.id, one.verdict, one.withdrawn is not None) for one in done.decisions] == [
        ("d-2", "different", False), ("d-1", "same", True),
    ]  # fmt: skip
    assert later[-1].revision is None
    assert {id_: ci.name for id_, ci in inventory.graph().cis.items() if ci.cls == "server"} == names
    assert {text: found(inventory, text) for text in ("S1", "S2", "ci-1", "ci-3")} == {
        "S1": ["ci-1"], "S2": ["ci-3"], "ci-1": [], "ci-3": [],
    }  # fmt: skip
    assert holder(inventory, "D010210-001") == ("ci-1", False, ())
    assert holder(inventory, "D010210-002") == ("ci-3", False, ())
    assert inventory.judging.conflicts() == []
    assert inventory.verify().problems == ()


def test_those_that_were_unmerged_stay_apart_when_they_share_a_new_value(light: Inventory) -> None:
    light.absorb(report("10.0.0.1", 1, system(1, name="one", mac=mac(1))))
    light.absorb(report("10.0.0.2", 1, system(1, name="two", mac=mac(2))))
    (merged,) = light.judging.decide("same", ["one", "two"], "two cards of one", "Ada").decisions
    light.judging.take_back(merged.id, "they are two", "Ada")

    light.absorb(report("10.0.0.1", 3, system(3, name="one", mac=[mac(1), mac(9)])))
    light.absorb(report("10.0.0.2", 3, system(3, name="two", mac=[mac(2), mac(9)])))

    assert sorted(ci.name for ci in light.graph().cis.values()) == ["one", "two"]


def test_a_decision_outlives_the_process_that_took_it(store: GraphStore) -> None:
    first = Inventory(store, Rules(), now)
    replaced(first)
    first.judging.decide("same", ["S1", "S2"], "board replaced", "Ada")

    (decision,) = Inventory(store, Rules(), now).judging.decisions()

    assert (decision.id, decision.verdict, decision.a, decision.b, decision.cis) == (
        "d-1", "same", ids(serial="S1"), ids(serial="S2"), ("ci-1",),
    )  # fmt: skip
    assert (decision.by, decision.reason, decision.time, decision.withdrawn) == (
        "Ada",
        "board replaced",
        at(1000),
        None,
    )


def test_three_can_be_said_to_be_one_at_once(light: Inventory) -> None:
    for number in (1, 2, 3):
        light.absorb(report(f"10.0.0.{number}", 1, system(1, name=f"n{number}", serial=f"S{number}")))

    done = light.judging.decide("same", ["n1", "n2", "n3"], "one blade with three cards", "Ada")

    assert [one.id for one in done.decisions] == ["d-2", "d-1"]
    assert [ci.id for ci in light.graph().cis.values()] == ["ci-1"]


def test_one_of_three_that_were_merged_one_after_the_other_can_be_taken_out(light: Inventory) -> None:
    for number in (1, 2, 3):
        light.absorb(report(f"10.0.0.{number}", 1, system(1, name=f"n{number}", serial=f"S{number}")))
    light.judging.decide("same", ["S1", "S2"], "one blade with two cards", "Ada")
    light.judging.decide("same", ["S1", "S3"], "and a third", "Ada")

    light.judging.take_back("d-1", "that card was another's", "Bo")

    assert {text: found(light, text) for text in ("S1", "S2", "S3")} == {
        "S1": ["ci-1"], "S2": ["ci-2"], "S3": ["ci-1"],
    }  # fmt: skip


# Different


def test_a_conflict_that_is_answered_leaves_the_queue_and_stays_a_decision(light: Inventory) -> None:
    light.absorb(clone("10.0.0.1", 1))
    light.absorb(clone("10.0.0.2", 2))
    before = light.canonical()

    done = light.judging.decide("different", ["ci-1", "ci-2"], "cloned from one template", "Ada")

    assert [(one.verdict, one.a, one.b) for one in done.decisions] == [
        ("different", ids(mac=mac(1)), ids(mac=mac(2)))
    ]  # fmt: skip
    assert light.judging.conflicts() == []
    assert [problem.kind for problem in light.problems()] == ["name_twice"]
    assert light.canonical() == before


def test_a_third_clone_is_a_new_question(light: Inventory) -> None:
    light.absorb(clone("10.0.0.1", 1))
    light.absorb(clone("10.0.0.2", 2))
    light.judging.decide("different", ["ci-1", "ci-2"], "cloned from one template", "Ada")

    light.absorb(clone("10.0.0.3", 3))

    assert [shape(row)[1] for row in light.judging.conflicts()] == [["ci-1", "ci-2", "ci-3"]]


def test_one_that_was_joined_by_a_shared_card_is_split_by_what_each_has(light: Inventory) -> None:
    light.absorb(report("10.0.0.1", 1, system(1, name="one", mac=[mac(1), mac(5)])))
    light.absorb(report("10.0.0.2", 2, system(2, name="two", mac=[mac(2), mac(5)])))

    light.judging.decide("different", [mac(1), mac(2)], "a shared adapter", "Ada")

    assert sorted(ci.name for ci in light.graph().cis.values()) == ["one", "two"]


def test_what_one_thing_says_of_itself_cannot_be_split(light: Inventory) -> None:
    light.absorb(report("10.0.0.1", 1, system(1, name="one", mac=[mac(1), mac(2)])))

    with pytest.raises(
        Refused, match=r"they would stay one CI \(ci-1\): one source says of one thing that it has both"
    ):
        light.judging.decide("different", [mac(1), mac(2)], "two", "Ada")

    assert light.judging.decisions() == []


def test_taking_back_a_difference_brings_the_question_back(light: Inventory) -> None:
    light.absorb(clone("10.0.0.1", 1))
    light.absorb(clone("10.0.0.2", 2))
    (apart,) = light.judging.decide("different", ["ci-1", "ci-2"], "cloned", "Ada").decisions

    light.judging.take_back(apart.id, "not sure any more", "Bo")

    assert len(light.judging.conflicts()) == 1
    assert [one.verdict for one in light.judging.decisions() if one.withdrawn is None] == []


# What is refused


@pytest.mark.parametrize(
    ("verdict", "texts", "reason", "error", "words"),
    [
        ("equal", ["ci-1", "ci-3"], "x", ModelError, "verdict: 'equal' is none of same, different, back"),
        ("same", ["ci-1", "nobody"], "x", NotFound, "nothing is called 'nobody'"),
        ("same", ["ci-1"], "x", ModelError, "name two CIs, or up to 10; these are 1"),
        ("same", [], "x", ModelError, "name two CIs, or up to 10; these are 0"),
        ("same", ["ci-1", "S1"], "x", ModelError, "ci-1 and S1 are one CI already: web (ci-1)"),
        ("different", ["ci-1", "web-old"], "x", NotFound, "nothing is called 'web-old'"),
        ("different", ["ci-1", "S1"], "x", ModelError, "name each by an identifier that only it has"),
        ("same", ["ci-1", "ci-3", "S2"], "x", ModelError, "web (ci-3) is named twice; name each CI once"),
        ("same", ["ci-1", "ci-3"], "  ", ModelError, "reason: say why, for those who ask later"),
        ("same", ["ci-1", "ci-3"], "x" * 1001, ModelError, "reason: at most 1000 characters, got 1001"),
        ("same", ["ci-1", "ci-2"], "x", ModelError, "their classes never are"),
        ("same", ["ci-1", "core"], "x", ModelError, "nothing that only core (network switch, ci-5) has tells it"),
        ("same", ["conflict-0"], "x", NotFound, "there is no conflict 'conflict-0'"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_words_and_changes_nothing(
    light: Inventory, verdict: str, texts: Sequence[str], reason: str, error: type[Exception], words: str
) -> None:
    replaced(light)
    light.absorb(declared(3, thing("network_switch", "core")))
    before = light.graph().revision

    with pytest.raises(error) as raised:
        light.judging.decide(verdict, texts, reason, "Ada")

    assert words in str(raised.value)
    assert (light.judging.decisions(), light.graph().revision) == ([], before)


def test_a_decision_against_an_earlier_one_names_it_and_replaces_it_only_when_asked(light: Inventory) -> None:
    replaced(light)
    light.judging.decide("different", ["S1", "S2"], "two machines", "Ada")

    with pytest.raises(Refused, match="d-1, different, of Ada: two machines"):
        light.judging.decide("same", ["S1", "S2"], "one after all", "Bo")
    done = light.judging.decide("same", ["S1", "S2"], "one after all", "Bo", replaces=True)

    assert [(one.id, one.verdict, one.withdrawn and one.withdrawn.by) for one in done.decisions] == [
        ("d-2", "same", None), ("d-1", "different", "Bo"),
    ]  # fmt: skip
    assert found(light, "S2") == ["ci-1"]


def test_a_difference_between_those_that_a_person_merged_names_that_decision(light: Inventory) -> None:
    replaced(light)
    light.judging.decide("same", ["S1", "S2"], "board replaced", "Ada")

    with pytest.raises(Refused, match=r"because a person said so \(d-1 of Ada: board replaced\); take it back"):
        light.judging.decide("different", ["S1", "S2"], "two after all", "Bo")
    light.judging.decide("different", ["S1", "S2"], "two after all", "Bo", replaces=True)

    assert (found(light, "S1"), found(light, "S2")) == (["ci-1"], ["ci-3"])


def test_what_was_taken_back_cannot_be_taken_back_again(light: Inventory) -> None:
    replaced(light)
    light.judging.decide("same", ["S1", "S2"], "board replaced", "Ada")
    light.judging.take_back("d-1", "wrong", "Ada")

    with pytest.raises(Refused, match="decision d-1 was taken back already"):
        light.judging.take_back("d-1", "wrong", "Ada")
    with pytest.raises(NotFound, match="there is no decision 'd-9'"):
        light.judging.take_back("d-9", "wrong", "Ada")


# Law 6


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_merging_and_taking_it_back_gives_the_same_graph(
    tmp_path_factory: pytest.TempPathFactory, chance: Random
) -> None:
    told = world(chance)
    teller = Teller(sqlite_stores(tmp_path_factory.mktemp("law"))(), told.rules)
    before = teller.tell(told.events)
    inventory = teller.inventory
    ids_before = set(inventory.graph().cis)

    for pair in chance.sample(list(combinations(sorted(ids_before), 2)), min(4, comb(len(ids_before), 2))):
        try:
            done = inventory.judging.decide("same", pair, "merged", "Ada")
        except (ModelError, Refused):
            continue
        assert len({stored.ci.id for id_ in pair if (stored := inventory.stored(id_)) is not None}) == 1
        inventory.judging.take_back(done.decisions[0].id, "not so", "Ada")
        assert set(inventory.graph().cis) == ids_before
        assert teller.canonical() == before
        # They are told apart from now on, which is another world.
        inventory.judging.take_back(inventory.judging.decisions()[0].id, "forgotten", "Ada")
        assert teller.canonical() == before

    assert inventory.verify().problems == ()
    teller.close()


def test_a_run_that_ends_while_they_are_merged_changes_nothing_of_that(light: Inventory) -> None:
    replaced(light)
    (merged,) = light.judging.decide("same", ["S1", "S2"], "board replaced", "Ada").decisions
    for number in (1, 2, 3):
        light.close_run(run(number, 10 + number))
    light.judging.take_back(merged.id, "two", "Ada")

    assert {ci.id: ci.state.value for ci in light.graph().cis.values() if ci.cls == "server"} == {
        "ci-1": "missing", "ci-3": "missing",
    }  # fmt: skip


def test_merged_those_that_are_declared_by_name_alone_are_one_with_both_labels(light: Inventory) -> None:
    for address, name, number in (("10.0.0.1", "app1", "S1"), ("10.0.0.2", "app2", "S2")):
        light.absorb(report(address, 1, system(1, name=name, serial=number)))
    light.declare(
        "cis:\n  - {class: server, name: app1, label: D010110-001}\n"
        "  - {class: server, name: app2, label: D010110-002}\n", "estate.yaml", "Ada",
    )  # fmt: skip
    before = light.canonical()

    done = light.judging.decide("same", ["S1", "S2"], "one machine", "Ada")

    assert [ci.id for ci in light.graph().cis.values()] == ["ci-1"]
    assert {one.stored.ci.id for tag in ("D010110-001", "D010110-002") if (one := light.tag(tag))} == {"ci-1"}
    light.judging.take_back(done.decisions[0].id, "two after all", "Ada")
    assert light.canonical() == before
