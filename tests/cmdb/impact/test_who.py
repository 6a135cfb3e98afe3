"""Whom an answer concerns: grouped, counted whole, listed in part, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from cmdb.impact import Item, Standing
from cmdb.impact.answer import Census, Concern, Located
from cmdb.impact.who import LISTED, READ, Concerned, Group, Tally, tally, ways_of, who
from cmdb.model import CI, Value

UP = Standing("up", "kept", "kept")
DOWN = Standing("down", "kept", "kept")
AT_RISK = Standing("at_risk", "kept", "kept")


def _one(id_: str, cls: str, now: Standing, *teams: str) -> Concern:
    owners = tuple(Item(team, "team", f"n{team}") for team in teams)
    return Concern(Item(id_, cls, f"n{id_}"), ways_of(now, UP), now, UP, owners, cls in {"service", "application"})


def _census(*concerned: Concern, others: Mapping[tuple[str, ...], int] | None = None,
            located: Sequence[Located] = ()) -> Census:  # fmt: skip
    every = Counter(one.ways for one in concerned) + Counter(others or {})
    by_class = {cls: Counter(one.ways for one in concerned if one.ci.cls == cls) for cls in ("service", "application")}
    return Census(every, by_class, tuple(located), concerned)


class _Documents:
    """What CIs say of themselves, and of which it was read."""

    def __init__(self, attributes: Mapping[str, Mapping[str, Value]] | None = None) -> None:
        self._cis = {
            id_: CI(id_, "team" if id_.startswith("t") else "service", "default", f"n{id_}", attributes=given)
            for id_, given in (attributes or {}).items()
        }
        self.read: list[str] = []

    def __call__(self, ids: Collection[str]) -> dict[str, CI]:
        self.read += sorted(ids)
        return {id_: ci for id_, ci in self._cis.items() if id_ in ids}


def test_services_stand_with_what_was_promised_and_whose_they_are() -> None:
    documents = _Documents(
        {
            "s1": {"sla": "gold", "audience": "everybody", "criticality": "high", "contact": "Ada", "notes": "x"},
            "s2": {"owner": "Bob"},
            "t1": {"email": "t@example.com", "phone": "1", "contact": "Eve"},
        }
    )

    found = who(
        _census(_one("s1", "service", AT_RISK), _one("s2", "service", DOWN, "t1"), others={("down",): 1}), documents
    )

    assert found.of_services == Tally(2, 1, 0, 1, 0, 0)
    assert found.services == (
        Concerned(Item("s2", "service", "ns2"), DOWN, UP, {"owner": "Bob"}, ("Bob", "nt1")),
        Concerned(
            Item("s1", "service", "ns1"),
            AT_RISK,
            UP,
            {"sla": "gold", "audience": "everybody", "criticality": "high", "contact": "Ada"},
            ("Ada",),
        ),
    )
    down, risk = Tally(1, 1, 0, 0, 0, 0), Tally(1, 0, 0, 1, 0, 0)
    reached = {"email": "t@example.com", "phone": "1", "contact": "Eve"}
    assert found.owners == (
        Group(None, "Bob", down, {}, (Item("s2", "service", "ns2"),)),
        Group("t1", "nt1", down, reached, (Item("s2", "service", "ns2"),)),
        Group(None, "Ada", risk, {}, (Item("s1", "service", "ns1"),)),
    )
    assert (found.owners_in_all, found.unowned) == (3, down)
    assert documents.read == ["s1", "s2", "t1"]


def test_an_owner_by_name_is_the_team_of_that_name() -> None:
    documents = _Documents({"s1": {"owner": "NT1"}, "t1": {"email": "e"}})

    found = who(_census(_one("s1", "service", DOWN), _one("h1", "server", DOWN, "t1")), documents)

    worst = (Item("s1", "service", "ns1"), Item("h1", "server", "nh1"))
    assert found.owners == (Group("t1", "nt1", Tally(2, 2, 0, 0, 0, 0), {"email": "e"}, worst),)
    assert found.unowned == Tally(0, 0, 0, 0, 0, 0)


def test_sites_are_ordered_by_what_is_down_there_and_whoever_stands_nowhere_is_counted() -> None:
    house, other = Item("ci-1", "building", "D01"), Item("ci-2", "building", "D02")
    ill = (Item("a", "application", "na"),)
    located = (
        Located(other, {("at_risk",): 50}, ill),
        Located(None, {("unprotected", "unmanaged"): 1}, ()),
        Located(house, {("down",): 1, ("at_risk",): 3}, ill),
    )

    found = who(_census(others={("down",): 1}, located=located), _Documents())

    assert found.sites == (
        Group("ci-1", "D01", Tally(4, 1, 0, 3, 0, 0), {}, ill),
        Group("ci-2", "D02", Tally(50, 0, 0, 50, 0, 0), {}, ill),
    )
    assert (found.nowhere, found.sites_in_all) == (Tally(1, 0, 0, 0, 1, 1), 2)


def test_lists_are_cut_and_counts_are_not() -> None:
    number = LISTED + 7
    documents = _Documents({f"s{n:03}": {"owner": f"o{n:03}"} for n in range(number)})
    located = [Located(Item(f"b{n}", "building", f"b{n}"), {("down",): 1}, ()) for n in range(number)]

    found = who(_census(*(_one(f"s{n:03}", "service", DOWN) for n in range(number)), located=located), documents)

    assert (found.of_services.total, len(found.services)) == (number, LISTED)
    assert (found.owners_in_all, len(found.owners)) == (number, LISTED)
    assert (found.sites_in_all, len(found.sites)) == (number, LISTED)


def test_of_very_many_only_some_documents_are_read_the_services_first() -> None:
    documents = _Documents()
    applications = (_one(f"a{n:05}", "application", DOWN) for n in range(READ))

    found = who(_census(*applications, _one("s", "service", AT_RISK)), documents)

    assert (len(documents.read), "s" in documents.read) == (READ, True)
    assert (found.of_applications.total, found.unowned.total) == (READ, READ + 1)


def test_what_was_bad_before_does_not_count_as_worse() -> None:
    assert ways_of(Standing("down", "unprotected", "kept"), Standing("down", "kept", "kept")) == ("unprotected",)
    assert ways_of(Standing("degraded", "unprotected", "unmanaged"), UP) == ("degraded", "unprotected", "unmanaged")
    assert tally({("degraded", "unmanaged"): 2, ("down",): 1}) == Tally(3, 1, 2, 0, 0, 2)
