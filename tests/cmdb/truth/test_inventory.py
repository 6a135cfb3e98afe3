"""Through the one door, on both stores: ids, revisions, look-ups, claims, hand-entered values, problems."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from cmdb.evidence_records import packed, unpacked
from cmdb.export import canonical
from cmdb.inventory import Absorbed, Inventory, Refused
from cmdb.model import CI, ModelError, Relation, RelationClaim, Report, Section, State, Statement, Subject, Value
from cmdb.rules import Rules
from cmdb.store.base import GraphStore, Query
from cmdb.what import NotFound
from tests.cmdb.truth.saying import (
    DENIED,
    FULL,
    ITSELF,
    Clock,
    at,
    estate,
    graph_of,
    ids,
    interfaces,
    mac,
    named,
    neighbours,
    report,
    run,
    system,
    thing,
)
from tests.fixtures.stores import store, store_url

__all__ = ["store", "store_url"]

UUID = "4c4c4544-0037-4810-8051-c7c04f4e3531"
ESTATE = """\
cis:
  - {class: service, name: shop, sla: gold}
  - {class: server, name: web1}
relations:
  - {type: depends_on, from: shop, to: web1}
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inventory(store: GraphStore, clock: Clock) -> Inventory:
    return Inventory(store, Rules(), clock)


def opened_again(store: GraphStore, clock: Callable[[], datetime]) -> Inventory:
    """As another process sees it: with nothing in memory."""
    return Inventory(store, Rules(), clock)


def seen(inventory: Inventory) -> dict[str, tuple[str, str]]:
    """(name, state) by id."""
    return {id_: (ci.name, ci.state.value) for id_, ci in inventory.graph().cis.items()}


def host(time: float, source: str = "10.0.0.1", name: str = "web1", serial: str = "S1", number: int = 1) -> Report:
    return report(source, time, system(time, name=name, serial=serial), interfaces(time, number))


def test_a_report_makes_its_cis_and_the_same_again_takes_no_revision_and_touches_none(
    inventory: Inventory, store: GraphStore
) -> None:
    first = inventory.absorb(host(1))
    again = inventory.absorb(host(2))
    stranger = opened_again(store, Clock()).absorb(host(3))

    assert first == Absorbed(1, ("ci-1",))
    assert (again, stranger) == (Absorbed(None, ()), Absorbed(None, ()))
    assert seen(inventory) == {"ci-1": ("web1", "present")}
    assert [record.at for record in store.records("confirmation")] == [at(3)]


def test_an_unchanged_rescan_writes_its_confirmation_alone(inventory: Inventory, store: GraphStore) -> None:
    inventory.absorb(host(1))
    before = {kind: store.records(kind) for kind in ("sighting", "identity", "problem", "run")}

    inventory.absorb(host(2))

    assert {kind: store.records(kind) for kind in before} == before
    assert [(record.at, record.cis) for record in store.records("confirmation")] == [(at(2), frozenset({"ci-1"}))]


def test_a_rescan_ends_a_staleness_and_an_absence(store: GraphStore, clock: Clock) -> None:
    inventory = Inventory(store, Rules(staleness={"snmp": timedelta(days=1)}, missing_after=1), clock)
    inventory.absorb(host(1))
    inventory.close_run(run(1, 2))
    missing = seen(inventory)
    clock.now = at(3000)

    ended = inventory.absorb(host(2999))

    assert (missing, seen(inventory)) == ({"ci-1": ("web1", "missing")}, {"ci-1": ("web1", "present")})
    assert ended == Absorbed(3, ("ci-1",))


def test_a_join_keeps_the_older_id_and_the_other_leads_to_it(inventory: Inventory) -> None:
    inventory.absorb(host(1, "10.0.0.1", "a", "S1", 1))
    inventory.absorb(report("10.0.0.2", 2, system(2, name="b", mac=mac(2))))
    inventory.absorb(report("10.0.0.2", 3, system(3, name="b", serial="S1", mac=[mac(1), mac(2)])))

    stored = inventory.stored("ci-2")

    assert set(inventory.graph().cis) == {"ci-1"}
    assert stored is not None
    assert stored.ci.id == "ci-1"
    assert [match.ci for match in inventory.lookup("ci-2")] == ["ci-1"]


def test_when_one_becomes_two_the_id_stays_with_what_it_was_first_known_by(inventory: Inventory) -> None:
    inventory.absorb(report("10.0.0.1", 1, system(1, name="one", uuid=UUID), interfaces(1, 1)))
    inventory.absorb(report("10.0.0.2", 2, system(2, name="two", uuid=UUID), interfaces(2, 2)))

    assert seen(inventory) == {"ci-1": ("one", "present"), "ci-2": ("two", "present")}
    assert [problem.kind for problem in inventory.problems()] == ["conflict"]
    assert {match.ci for match in inventory.lookup(UUID)} == {"ci-1", "ci-2"}


def test_what_runs_in_two_hosts_that_are_joined_is_joined_and_keeps_its_older_id(inventory: Inventory) -> None:
    def with_sshd(source: str, time: float, *given: str) -> Report:
        sshd = Subject("process", owner=ITSELF, key="sshd:22", name="sshd:22")
        said = Section("ssh.processes", at(time), FULL, (Statement(sshd),))
        return report(source, time, system(time, name="h", kind="ssh", mac=list(given)), said)

    inventory.absorb(with_sshd("10.0.0.1", 1, mac(1)))
    inventory.absorb(with_sshd("10.0.0.2", 2, mac(2)))
    apart = set(inventory.graph().cis)

    inventory.absorb(with_sshd("10.0.0.2", 3, mac(2), mac(1)))

    kept = inventory.graph().cis
    assert len(apart) == 4
    assert sorted((ci.cls, ci.owner) for ci in kept.values()) == [("process", "ci-1"), ("server", None)]
    assert {found.ci.id for id_ in apart if (found := inventory.stored(id_)) is not None} == set(kept)


def test_what_nobody_names_any_more_is_retired_and_comes_back_as_itself(inventory: Inventory) -> None:
    shop, web = thing("service", "shop"), thing("server", "web1")
    both = estate(1, shop, web, relations=[RelationClaim("depends_on", shop, web)])
    inventory.absorb(both)
    inventory.absorb(estate(2, shop))
    gone = seen(inventory), dict(inventory.graph().relations)

    inventory.absorb(replace(both, time=at(3), sections=(replace(both.sections[0], time=at(3)),)))

    names = {name: id_ for id_, (name, _) in seen(inventory).items()}
    assert gone == ({names["shop"]: ("shop", "present"), names["web1"]: ("web1", "retired")}, {})
    assert seen(inventory) == {names["shop"]: ("shop", "present"), names["web1"]: ("web1", "present")}
    assert [(one.type, one.source, one.target) for one in inventory.graph().relations.values()] == [
        ("depends_on", names["shop"], names["web1"])
    ]


def test_a_cables_ends_are_sorted_and_its_id_stays_when_its_columns_change(inventory: Inventory) -> None:
    def said(source: str, time: float, name: str, number: int, far: Subject, port: str) -> Report:
        return report(source, time, system(time, "network_switch", name, serial=name), interfaces(time, number),
                      neighbours(time, (f"eth{number}", far, port)))  # fmt: skip

    inventory.absorb(said("10.0.0.1", 1, "SA", 1, Subject("network_switch", ids(mac=mac(2)), "SB"), mac(2)))
    (before,) = inventory.graph().relations.values()
    inventory.absorb(said("10.0.0.2", 2, "SB", 2, Subject("network_switch", ids(mac=mac(1)), "SA"), mac(1)))
    (after,) = inventory.graph().relations.values()

    one_sided: dict[str, Value] = {"from_port": "eth1", "to_port": mac(2), "medium": "ethernet", "one_sided": True}
    assert before == Relation("rel-1", "connects_to", "ci-1", "ci-2", one_sided)
    assert (after.source, after.target) == ("ci-1", "ci-2")
    assert after.columns == {"from_port": "eth1", "to_port": "eth2", "medium": "ethernet"}


def test_a_dry_run_says_what_would_change_and_changes_nothing(inventory: Inventory) -> None:
    dry = inventory.declare(ESTATE, "estate.yaml", "ann", dry_run=True)
    nothing = seen(inventory)
    done = inventory.declare(ESTATE, "estate.yaml", "ann")
    again = inventory.declare(ESTATE, "estate.yaml", "ann")

    assert nothing == {}
    assert (dry.revision, done.revision, again.revision) == (None, 1, None)
    assert dry.difference == done.difference == (
        "+ depends_on shop .. web1", "+ server web1", "+ service shop: sla gold",
    )  # fmt: skip
    assert (again.changes, again.difference) == ((), ())


def test_a_value_entered_by_hand_survives_scans_and_beats_a_file_until_it_is_taken_back(inventory: Inventory) -> None:
    file = estate(1, thing("server", "web1", serial="S1"), values={"web1": {"vendor": "file", "owner": "file"}})
    inventory.absorb(file)
    inventory.absorb(report("10.0.0.1", 2, system(2, name="web1", serial="S1", values={"vendor": "snmp"})))

    inventory.amend("ci-1", {"vendor": "hand", "notes": "mine"}, "ann", None)
    inventory.absorb(report("10.0.0.1", 3, system(3, name="web1", serial="S1", values={"vendor": "snmp2"})))
    entered = inventory.graph().cis["ci-1"].attributes
    inventory.amend("ci-1", {"vendor": None}, "ann", None)

    assert entered == {"vendor": "hand", "notes": "mine", "owner": "file"}
    assert inventory.graph().cis["ci-1"].attributes == {"vendor": "file", "notes": "mine", "owner": "file"}


def test_nobody_overwrites_by_hand_what_he_has_not_seen(inventory: Inventory) -> None:
    inventory.absorb(host(1))

    with pytest.raises(Refused, match="'web1' has changed: its revision is 1 now, not 7; look again, then repeat"):
        inventory.amend("ci-1", {"notes": "x"}, "ann", 7)
    with pytest.raises(NotFound, match="there is no CI 'ci-9'"):
        inventory.amend("ci-9", {"notes": "x"}, "ann", None)
    with pytest.raises(ModelError, match=r"web1, memory: must be a whole number, not .much."):
        inventory.amend("ci-1", {"memory": "much"}, "ann", None)


def test_every_claim_on_a_value_says_who_when_and_why(inventory: Inventory) -> None:
    inventory.absorb(estate(1, thing("server", "web1", serial="S1"), values={"web1": {"vendor": "file"}}))
    inventory.absorb(report("10.0.0.1", 2, system(2, name="web1", serial="S1", values={"vendor": "snmp"})))
    inventory.absorb(report("10.0.0.1", 5, system(5, name="web1", serial="S1", values={"vendor": "snmp"})))

    claims = [claim for claim in inventory.claims("ci-1") if claim.attribute == "vendor"]

    assert [(one.value, one.source, one.section, one.since, one.confirmed, one.won, one.reason) for one in claims] == [
        ("file", "declared:estate", "declared", at(1), at(1), True, "ranks first"),
        ("snmp", "10.0.0.1", "snmp.system", at(2), at(5), False, "its reporter is less trusted"),
    ]


def test_a_tag_leads_to_todays_holder_else_to_the_last(inventory: Inventory) -> None:
    def labelled(time: float, label: str, serial: str = "S1", source: str = "10.0.0.1") -> Report:
        return report(source, time, system(time, name=serial, serial=serial, values={"label": label}))

    inventory.absorb(labelled(1, "D010210-001"))
    inventory.absorb(labelled(2, "D010210-002"))
    former = inventory.tag("d010210-001")
    inventory.absorb(labelled(3, "D010210-001", "S2", "10.0.0.2"))
    handed_on, mover = inventory.tag("D010210-001"), inventory.tag("D010210-002")

    assert former is not None
    assert handed_on is not None
    assert mover is not None
    assert (former.tag, former.former, former.stored.ci.id) == ("D010210-001", True, "ci-1")
    assert (handed_on.former, handed_on.stored.ci.id, handed_on.formerly) == (False, "ci-2", ())
    assert (mover.former, mover.stored.ci.id, mover.formerly) == (False, "ci-1", ("D010210-001",))
    assert inventory.tag("D010210-099") is None
    assert inventory.labels("D010210-") == ["D010210-001", "D010210-002"]


def test_a_problem_has_its_time_and_goes_when_it_is_mended(inventory: Inventory, clock: Clock) -> None:
    inventory.absorb(report("10.0.0.1", 1, system(1, name="h", serial="S1", values={"label": "D010210-001"})))
    clock.now = at(2000)
    inventory.absorb(host(2, "10.0.0.2", "x", "S2", 2))
    found = inventory.problems()

    inventory.absorb(estate(3, thing("room", "D010210")))

    assert [(one.kind, one.about, one.since) for one in found] == [("unknown_room", ("ci-1",), at(1000))]
    assert inventory.problems() == []


def test_time_alone_makes_stale_and_retired(inventory: Inventory, clock: Clock) -> None:
    inventory.absorb(host(1))
    for number in (1, 2, 3):
        inventory.close_run(run(number, 1 + number))
    still = inventory.tick()
    clock.now = at(60 * 24 * 120)

    late = inventory.tick()

    assert (still, late) == (Absorbed(None, ()), Absorbed(3, ("ci-1",)))
    assert inventory.graph().cis["ci-1"].state is State.RETIRED


def test_what_is_stored_is_the_projection_from_scratch_and_the_chain_holds(
    inventory: Inventory, store: GraphStore, clock: Clock
) -> None:
    events = [
        host(1), host(2, "10.0.0.2", "b", "S2", 2), estate(3, thing("server", "web1"), thing("room", "D010210")),
        report("10.0.0.1", 4, Section("snmp.interfaces", at(4), DENIED)), host(5, "10.0.0.2", "b", "S1", 1),
    ]  # fmt: skip
    for event in events:
        inventory.absorb(event)

    assert json.dumps(inventory.canonical()) == json.dumps(canonical(graph_of(events, now=1000)))
    assert opened_again(store, clock).tick() == Absorbed(None, ())
    assert inventory.verify().problems == ()


def test_two_processes_see_each_others_writes(inventory: Inventory, store: GraphStore, clock: Clock) -> None:
    other = opened_again(store, clock)
    inventory.absorb(host(1))
    joined = other.absorb(report("10.0.0.2", 2, system(2, name="web1", serial="S1", values={"model": "m"})))

    inventory.absorb(host(3))

    assert joined == Absorbed(2, ("ci-1",))
    assert named(inventory.graph(), "web1").attributes == {"model": "m"}
    assert inventory.graph() == other.graph()


def test_who_was_away_while_history_was_trimmed_reads_and_writes_on(
    inventory: Inventory, store: GraphStore, clock: Clock
) -> None:
    reader, other = opened_again(store, clock), opened_again(store, clock)
    inventory.absorb(host(1))
    reader.claims("ci-1")
    other.absorb(host(2, "10.0.0.2", "web2", "S2", 2))
    other.absorb(host(3, "10.0.0.3", "web3", "S3", 3))
    other.trim(3)

    claimed = {claim.attribute for claim in reader.claims("ci-2")}
    done = inventory.absorb(host(4, "10.0.0.4", "web4", "S4", 4))

    assert claimed == {claim.attribute for claim in other.claims("ci-2")} != set()
    assert done == Absorbed(4, ("ci-4",))
    assert inventory.graph() == other.graph()


def test_a_bad_report_is_refused_whole(inventory: Inventory) -> None:
    bad = report("10.0.0.1", 1, system(1, "toaster", "t", serial="S1"))

    with pytest.raises(ModelError, match="unknown class 'toaster'"):
        inventory.absorb(bad)

    assert seen(inventory) == {}


def test_what_stands_around_a_ci_and_in_a_place(inventory: Inventory) -> None:
    ends = [thing("building", "D01"), thing("floor", "D0102"), thing("room", "D010210"), thing("server", "h")]
    inside = [RelationClaim("located_in", inner, outer) for outer, inner in pairwise(ends)]
    inventory.absorb(estate(1, *ends, relations=inside))
    by_name: dict[str, CI] = {ci.name: ci for ci in inventory.graph().cis.values()}

    around = inventory.neighbourhood(by_name["D010210"].id, 1, 100)

    assert {ci.name for ci in around.cis.values()} == {"D0102", "D010210", "h"}
    assert {by_name[name].id for name in ("D01", "D0102", "D010210")} == inventory.within("D01")
    found = inventory.find(Query(places=inventory.within("D01"), classes=frozenset({"server"})))
    assert [row.ci.name for row in found] == ["h"]


def test_a_section_that_was_denied_is_a_problem_until_it_is_collected(inventory: Inventory) -> None:
    denied = Section("ssh.connections", at(1), DENIED, problem="needs root, and sudo -n was not allowed")
    inventory.absorb(report("10.0.0.1", 1, system(1, name="h", serial="S1"), denied))
    found = inventory.problems()

    inventory.absorb(report("10.0.0.1", 2, system(2, name="h", serial="S1"), Section("ssh.connections", at(2), FULL)))

    assert [(one.kind, one.about, one.text) for one in found] == [
        (
            "section_denied",
            ("ci-1",),
            "h: section ssh.connections denied: needs root, and sudo -n was not allowed",
        )
    ]
    assert inventory.problems() == []


def test_a_room_that_two_estates_declare_keeps_who_stands_in_it(inventory: Inventory) -> None:
    labelled = system(1, "printer", "lp", serial="S1", values={"label": "D010210-009"})
    room = thing("room", "D010210")

    for one in (report("10.0.0.1", 1, labelled), estate(2, room), estate(3, room, name="more")):
        inventory.absorb(one)

    assert [one.type for one in inventory.graph().relations.values()] == ["located_in"]


def test_a_run_that_is_closed_twice_counts_once_and_when_it_first_was(store: GraphStore) -> None:
    inventory = Inventory(store, Rules(missing_after=2), lambda: at(100))
    inventory.absorb(report("10.0.0.1", 0, system(0, name="web1", serial="S1")))
    late, early = run(1, 60), run(1, 30)

    for one in (late, early, late):
        inventory.close_run(one)

    assert {ci.state for ci in inventory.graph().cis.values()} == {State.PRESENT}
    assert Inventory(store, Rules(missing_after=2), lambda: at(100)).canonical(scratch=True) == inventory.canonical()
    assert inventory.canonical(scratch=True) == inventory.canonical()


@pytest.mark.parametrize("year", [1, 9999])
def test_a_report_of_a_time_that_no_clock_shows_is_refused(store: GraphStore, year: int) -> None:
    inventory = Inventory(store, Rules(), lambda: at(100))
    odd = datetime(year, 12, 31, tzinfo=UTC)
    told = report("10.0.0.1", 0, system(0, name="web1", serial="S1"))

    with pytest.raises(ModelError, match=r"report of 10\.0\.0\.1: \d+-12-31 is no time of a scan"):
        inventory.absorb(replace(told, time=odd))
    with pytest.raises(ModelError, match=r"run run-1: \d+-12-31 is no time of a scan"):
        inventory.close_run(replace(run(1, 5), time=odd))

    inventory.absorb(told)
    assert [ci.name for ci in inventory.graph().cis.values()] == ["web1"]


def test_a_problem_that_an_earlier_version_kept_stays_while_it_is_one(store: GraphStore) -> None:
    inventory = Inventory(store, Rules(), lambda: at(100))
    for number in (1, 2):
        inventory.absorb(report(f"10.0.0.{number}", 1, system(1, name="twin", serial=f"S{number}")))
    before = [(one.kind, one.text) for one in inventory.problems()]
    with store.write() as tx:
        (kept,) = tx.records("problem")
        document = {**unpacked(kept.doc), "homes": []}
        tx.put([replace(kept, id="earlier", doc=packed(document))])
        tx.drop("problem", [kept.id])

    later = Inventory(store, Rules(), lambda: at(100))
    later.absorb(report("10.0.0.3", 2, system(2, name="other", serial="S3")))

    assert before == [("name_twice", "the name twin is on 2 CIs")]
    assert [(one.kind, one.text) for one in later.problems()] == before
