"""What a site decides: whom it trusts, what is stale, missing, retired or flaps; and what makes no sense is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cmdb.model import ModelError
from cmdb.rules import Rules
from cmdb.schema import REPORTERS


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        ({}, REPORTERS),
        ({"model": ("ssh",)}, ("ssh",)),
        ({"model": ("ssh",), "device.model": ("snmp", "ssh")}, ("snmp", "ssh")),
        ({"device.model": ("snmp",), "server.model": ("neighbour",)}, ("neighbour",)),
        ({"router.model": ("snmp",)}, REPORTERS),
    ],
    ids=["the table", "by attribute", "by a parent class", "by the class itself", "of another class"],
)
def test_who_is_trusted_is_said_most_closely_first(trust: dict[str, tuple[str, ...]], expected: object) -> None:
    assert Rules(trust=trust).trusted("server", "model") == expected


def test_the_table_trusts_an_agent_for_what_it_alone_can_know() -> None:
    assert Rules().trusted("router", "sys_object_id") == ("snmp", "ssh", "declared", "neighbour")


def test_a_deadline_is_that_of_the_class_or_of_one_above_it() -> None:
    rules = Rules(retired_days={"device": 10, "printer": 0})

    assert [rules.retired_after(cls).days for cls in ("server", "printer", "partition")] == [10, 0, 90]


@pytest.mark.parametrize(
    ("volatile", "cls", "attribute", "expected"),
    [
        ({}, "power_unit", "load_percent", True),
        ({}, "server", "uptime", True),
        ({}, "server", "model", False),
        ({}, None, "uptime", True),
        ({}, None, "model", False),
        ({}, "server", "a_sites_own", False),
        ({"load_percent": False}, "power_unit", "load_percent", False),
        ({"load_percent": False, "power_unit.load_percent": True}, "power_unit", "load_percent", True),
        ({"device.status": True}, "power_unit", "status", True),
        ({"device.status": True}, "pool", "status", False),
    ],
)
def test_what_flaps_is_said_by_the_table_and_more_closely_by_the_site(
    volatile: dict[str, bool], cls: str | None, attribute: str, expected: bool
) -> None:
    assert Rules(volatile=volatile).is_volatile(cls, attribute) is expected


def test_parts_have_what_flaps_too() -> None:
    rules = Rules(volatile={"interface.oper_up": True, "disk.free": False})
    asked = [("interface", "oper_up"), ("interface", "in_errors"), ("interface", "mac"), ("disk", "free")]

    assert [rules.is_volatile_part(*one) for one in asked] == [True, True, False, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"trust": {"sever.model": ("ssh",)}}, "trust: sever.model: unknown class 'sever'; known: application, "),
        ({"trust": {"server.modle": ("ssh",)}}, "trust: server.modle: unknown attribute 'modle' of server; known: "),
        ({"trust": {"modle": ("ssh",)}}, "trust: modle: unknown attribute 'modle'; known: "),
        (
            {"trust": {"model": ("shh",)}},
            "trust: model: unknown kind of reporter 'shh'; known: declared, ssh, snmp, neighbour",
        ),
        ({"trust": {"model": ("ssh", "ssh")}}, "trust: model: name each kind of reporter once, the most trusted first"),
        ({"trust": {"model": ()}}, "trust: model: name each kind of reporter once, the most trusted first"),
        (
            {"staleness": {"neighbour": timedelta(1)}},
            "staleness: unknown kind of reporter 'neighbour'; known: declared, ssh, snmp",
        ),
        ({"staleness": {"ssh": timedelta(-1)}}, "staleness: ssh: -1 days; say more than 0 and at most 36500"),
        ({"missing_after": 0}, "missing_after: 0; say after how many complete scans, 1 or more"),
        ({"retired_days": {"sever": 1}}, "retired_days: unknown class 'sever'; known: "),
        ({"retired_days": {"server": -1}}, "retired_days: server: -1 days; say 0 to 36500"),
        ({"volatile": {"disk.fre": True}}, "volatile: disk.fre: unknown attribute 'fre' of disk; known: "),
        ({"volatile": {"name": True}}, "volatile: name: what things are told apart by always makes history"),
        ({"volatile": {"interface.mac": True}}, "volatile: interface.mac: what things are told apart by always "),
        ({"scanned": frozenset({"sever"})}, "scanned: unknown class 'sever'; known: "),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as refused:
        Rules(**given)

    assert str(refused.value).startswith(message)


def test_rules_that_say_the_same_have_one_digest_and_others_another() -> None:
    some = [
        Rules(), Rules(trust={"model": ("ssh",)}), Rules(staleness={}), Rules(missing_after=4),
        Rules(retired_days={"server": 1}), Rules(volatile={"status": True}), Rules(scanned=frozenset({"server"})),
    ]  # fmt: skip

    assert Rules().digest == Rules(trust={}).digest
    assert len({one.digest for one in some}) == len(some)
