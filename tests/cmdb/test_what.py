"""What people may write to name a CI, a cable or a relation, and what they are told when it fits none or several."""

from __future__ import annotations

import pytest

from cmdb.model import CI, Component, Graph, Identifier, ModelError, Relation, State
from cmdb.store.base import Handle, Match
from cmdb.what import Ambiguous, NotFound, Target, targets

_WWN = "600508b1001c1234600508b1001c1234"
_CIS = (
    CI("ci-1", "server", "default", "web1", "D010210-009", identifiers=frozenset({Identifier("serial", "CZ3A")})),
    CI("ci-2", "server", "default", "Web1.example.com"),
    CI("ci-3", "network_switch", "default", "sw1", identifiers=frozenset({Identifier("mac", "00:1b:21:0a:0b:0c")})),
    CI("ci-4", "service", "default", "Shop"),
    CI("ci-5", "power_unit", "default", "pdu1"),
    CI("ci-6", "application", "default", "CZ3A"),
    CI("ci-7", "server", "default", "db1", components=(Component("disk", "sda", {"wwn": _WWN}),)),
    CI("ci-8", "volume", "default", "vol1", identifiers=frozenset({Identifier("wwn", _WWN)})),
    CI("ci-9", "server", "default", "odd [1]"),
    CI("ci-10", "server", "default", "twin"),
    CI("ci-11", "service", "default", "twin"),
    CI("ci-12", "server", "default", "sw1", state=State.RETIRED),
    CI("ci-13", "server", "default", "a..b"),
)
_RELATIONS = (
    Relation("r-1", "connects_to", "ci-1", "ci-3", {"from_port": "eth0", "to_port": "Gi1/0/1"}),
    Relation("r-2", "connects_to", "ci-1", "ci-3", {"from_port": "eth1", "to_port": "Gi1/0/2"}),
    Relation("r-3", "powered_by", "ci-1", "ci-5", {"feed": "A"}),
    Relation("r-4", "powered_by", "ci-1", "ci-5", {"feed": "B"}),
    Relation("r-5", "depends_on", "ci-4", "ci-1", {}),
    Relation("r-6", "depends_on", "ci-4", "ci-13", {}),
)
GRAPH = Graph(1, {ci.id: ci for ci in _CIS}, {relation.id: relation for relation in _RELATIONS})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ci-1", Target(cis=("ci-1",))),
        ("r-3", Target(relations=("r-3",))),
        ("web1", Target(cis=("ci-1",))),
        ("web1.EXAMPLE.com", Target(cis=("ci-2",))),
        (" d010210-009 ", Target(cis=("ci-1",))),
        ("001b.210a.0b0c", Target(cis=("ci-3",))),
        ("shop", Target(cis=("ci-4",))),
        ("sw1", Target(cis=("ci-3",))),
        (_WWN.upper(), Target(cis=("ci-8",))),
        ("odd [1]", Target(cis=("ci-9",))),
        ("sw1[Gi1/0/1]", Target(relations=("r-1",))),
        ("web1[ETH1]", Target(relations=("r-2",))),
        ("powered_by:web1..pdu1{feed=A}", Target(relations=("r-3",))),
        ("depends_on:Shop..web1", Target(relations=("r-5",))),
        ("depends_on:Shop..a..b", Target(relations=("r-6",))),
        ("connects_to:sw1[Gi1/0/2]..web1", Target(relations=("r-2",))),
        ("connects_to:sw1..web1{to_port=eth0}", Target(relations=("r-1",))),
    ],
)
def test_a_text_means_one_thing(text: str, meant: Target) -> None:
    assert targets(text, GRAPH) == meant


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("twin", ["ci-10", "ci-11"]),
        ("WEB1", ["ci-1", "ci-2"]),
        ("CZ3A", ["ci-1", "ci-6"]),
        ("connects_to:web1..sw1", ["r-1", "r-2"]),
        ("powered_by:web1..pdu1", ["r-3", "r-4"]),
    ],
)
def test_a_text_that_fits_several_is_refused_with_all_of_them(text: str, candidates: list[str]) -> None:
    with pytest.raises(Ambiguous) as refused:
        targets(text, GRAPH)

    assert [one.id for one in refused.value.candidates] == candidates


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wep1", "nothing is called 'wep1', nor has such an identifier; did you mean web1?"),
        ("sw1[Gi9]", "no cable in port 'Gi9' of sw1: its cabled ports are Gi1/0/1, Gi1/0/2"),
        ("Shop[Gi9]", "no cable in port 'Gi9' of Shop: no cable of it names a port"),
        ("depends_on:Shop..pdu1", "no depends_on leads from Shop to pdu1"),
        (
            "depends_on:Shop..zzz",
            "nothing is called 'zzz', nor has such an identifier",
        ),
    ],
)
def test_a_text_that_fits_nothing_says_what_there_is(text: str, message: str) -> None:
    with pytest.raises(NotFound) as refused:
        targets(text, GRAPH)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hangs_on:Shop..web1", "unknown relation type 'hangs_on'"),
        ("powered_by:web1..pdu1{fed=A}", "'fed=A' is no key of powered_by, written KEY=VALUE; known: feed"),
    ],
)
def test_a_relation_that_cannot_be_says_why(text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        targets(text, GRAPH)


def test_a_former_id_or_label_counts_where_nobody_has_it_now() -> None:
    moved = {
        Handle("former_label", "D010210-001"): "ci-2",
        Handle("former_label", "D010210-009"): "ci-2",
        Handle("former_id", "ci-77"): "ci-3",
        Handle("label", "D010210-009"): "ci-1",
    }

    def find(text: str) -> Target:
        return targets(text, GRAPH, lambda handles: [Match(one, moved[one]) for one in handles if one in moved])

    assert [find(text) for text in ("D010210-001", "D010210-009", "ci-77")] == [
        Target(cis=("ci-2",)),
        Target(cis=("ci-1",)),
        Target(cis=("ci-3",)),
    ]
