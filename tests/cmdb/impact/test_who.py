"""Whom an answer concerns: grouped, counted whole, listed in part, the worst first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from cmdb.impact import Answer, Item, Outline, Question, Standing
from cmdb.impact.who import LISTED, NAMED, Concerned, Group, Tally, who
from cmdb.model import CI, Relation, Value

UP = Standing("up", "kept", "kept")
DOWN = Standing("down", "kept", "kept")
AT_RISK = Standing("at_risk", "kept", "kept")
BARE = Standing("up", "unprotected", "unmanaged")
HOUSE = Item("ci-1", "building", "D01")
OTHER = Item("ci-2", "building", "D02")


def _row(id_: str, cls: str, now: Standing, site: Item | None = None, was: Standing = UP) -> Outline:
    return Outline(Item(id_, cls, f"n{id_}"), now, was, 1, None, site)


def _answer(*rows: Outline) -> Answer:
    question = Question((), (), "power_off")
    return Answer(7, "", "", question, {}, (), rows, (), {}, (), 0, temporary=False, notes=())


class _Inventory:
    """Documents and owners, with what was asked for."""

    def __init__(
        self, owned: Iterable[tuple[str, str]] = (), attributes: Mapping[str, Mapping[str, Value]] | None = None
    ) -> None:
        self._cis = {
            id_: CI(id_, "team" if id_.startswith("t") else "service", "default", f"n{id_}", attributes=given)
            for id_, given in (attributes or {}).items()
        }
        self._owned = [Relation(f"r{n}", "owned_by", ci, team, {}) for n, (ci, team) in enumerate(owned)]
        self.read: list[str] = []

    def cis(self, ids: Collection[str]) -> dict[str, CI]:
        self.read += sorted(ids)
        return {id_: ci for id_, ci in self._cis.items() if id_ in ids}

    def relations(self, ids: Collection[str], types: Collection[str]) -> list[Relation]:
        return [one for one in self._owned if one.type in types and {one.source, one.target} & set(ids)]


def test_services_stand_with_what_was_promised_and_whose_they_are() -> None:
    inventory = _Inventory(
        [("s2", "t1")],
        {
            "s1": {"sla": "gold", "audience": "everybody", "criticality": "high", "contact": "Ada", "notes": "x"},
            "s2": {"owner": "Bob"},
            "t1": {"email": "t@example.com", "phone": "1", "contact": "Eve"},
        },
    )

    found = who(
        _answer(_row("s1", "service", AT_RISK), _row("s2", "service", DOWN), _row("h1", "server", DOWN)),
        inventory.cis,
        inventory.relations,
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
    assert found.owners == (
        Group(None, "Bob", down, {}, (Item("s2", "service", "ns2"),)),
        Group(
            "t1",
            "nt1",
            down,
            {"email": "t@example.com", "phone": "1", "contact": "Eve"},
            (Item("s2", "service", "ns2"),),
        ),
        Group(None, "Ada", risk, {}, (Item("s1", "service", "ns1"),)),
    )
    assert (found.owners_in_all, found.unowned) == (3, down)
    assert inventory.read == ["s1", "s2", "t1"]


def test_an_owner_by_name_is_the_team_of_that_name() -> None:
    inventory = _Inventory([("h1", "t1")], {"s1": {"owner": "NT1"}, "t1": {"email": "e"}})

    found = who(_answer(_row("s1", "service", DOWN), _row("h1", "server", DOWN)), inventory.cis, inventory.relations)

    assert found.owners == (
        Group(
            "t1",
            "nt1",
            Tally(2, 2, 0, 0, 0, 0),
            {"email": "e"},
            (Item("s1", "service", "ns1"), Item("h1", "server", "nh1")),
        ),
    )
    assert found.unowned == Tally(0, 0, 0, 0, 0, 0)


def test_sites_are_counted_whole_and_the_worst_of_them_named_first() -> None:
    inventory = _Inventory()
    rows = [_row(f"h{n}", "server", AT_RISK, HOUSE) for n in range(50)]

    found = who(
        _answer(
            *rows, _row("x", "server", DOWN, OTHER), _row("y", "server", BARE), _row("a", "application", DOWN, HOUSE)
        ),
        inventory.cis,
        inventory.relations,
    )

    assert [(one.id, one.tally) for one in found.sites] == [
        ("ci-1", Tally(51, 1, 0, 50, 0, 0)),
        ("ci-2", Tally(1, 1, 0, 0, 0, 0)),
    ]
    assert [item.id for item in found.sites[0].worst] == ["a", "h0", "h1", "h2", "h3"][:NAMED]
    assert (found.nowhere, found.sites_in_all) == (Tally(1, 0, 0, 0, 1, 1), 2)
    assert (found.of_applications, [one.ci.id for one in found.applications]) == (Tally(1, 1, 0, 0, 0, 0), ["a"])


def test_lists_are_cut_and_counts_are_not() -> None:
    inventory = _Inventory(attributes={f"s{n:03}": {"owner": f"o{n:03}"} for n in range(LISTED + 7)})
    rows = [_row(f"s{n:03}", "service", DOWN, Item(f"b{n:03}", "building", f"b{n:03}")) for n in range(LISTED + 7)]

    found = who(_answer(*rows), inventory.cis, inventory.relations)

    assert (found.of_services.total, len(found.services)) == (LISTED + 7, LISTED)
    assert (found.owners_in_all, len(found.owners)) == (LISTED + 7, LISTED)
    assert (found.sites_in_all, len(found.sites)) == (LISTED + 7, LISTED)


def test_what_was_bad_before_does_not_count_as_worse() -> None:
    was_down = Standing("down", "kept", "kept")
    now = Standing("down", "unprotected", "kept")

    found = who(_answer(_row("h", "server", now, HOUSE, was_down)), _Inventory().cis, _Inventory().relations)

    assert found.sites[0].tally == Tally(1, 0, 0, 0, 1, 0)
