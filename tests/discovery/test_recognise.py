from __future__ import annotations

import re

import pytest

from discovery.family import Family, Rule, load_families
from discovery.recognise import Fingerprint, Recognition, recognise
from discovery.transport.base import parse_oid


def family(name: str, *rules: Rule) -> Family:
    return Family(name, "network_switch", rules)


def oid(text: str) -> Rule:
    return Rule(sys_object_id=parse_oid(text))


ANYTHING = family("anything", Rule())
VENDOR = family("vendor", oid("1.3.6.1.4.1.318"))
MODEL = family("model", oid("1.3.6.1.4.1.318.1.3.4"))
TEXT = family("text", Rule(sys_descr=re.compile("^Acme")))


@pytest.mark.parametrize(
    ("fingerprint", "expected"),
    [
        pytest.param(Fingerprint(parse_oid("1.3.6.1.4.1.318.1.3.4.6")), MODEL, id="the longest prefix"),
        pytest.param(Fingerprint(parse_oid("1.3.6.1.4.1.318.1.3.27")), VENDOR, id="a shorter prefix"),
        pytest.param(Fingerprint(parse_oid("1.3.6.1.4.1.3180.1")), ANYTHING, id="318 is no prefix of 3180"),
        pytest.param(Fingerprint(None, "Acme 7"), TEXT, id="a text is better than nothing"),
        pytest.param(Fingerprint(parse_oid("1.3.6.1.4.1.318"), "Acme 7"), VENDOR, id="an OID is better than a text"),
        pytest.param(Fingerprint(), ANYTHING, id="nothing known"),
    ],
)
def test_the_most_specific_match_wins(fingerprint: Fingerprint, expected: Family) -> None:
    assert Recognition(expected) == recognise(fingerprint, [ANYTHING, VENDOR, MODEL, TEXT])


def test_a_rule_with_two_conditions_needs_both() -> None:
    both = family("both", Rule(parse_oid("1.3.6.1.4.1.9.1"), re.compile("Catalyst")))
    families = [both, family("vendor", oid("1.3.6.1.4.1.9.1"))]

    switch = recognise(Fingerprint(parse_oid("1.3.6.1.4.1.9.1.7"), "Catalyst 9300"), families)
    router = recognise(Fingerprint(parse_oid("1.3.6.1.4.1.9.1.7"), "ISR 4331"), families)

    assert (Recognition(families[0]), Recognition(families[1])) == (switch, router)


def test_a_tie_is_reported_and_the_next_best_is_taken() -> None:
    twins = [family("b", Rule(sys_descr=re.compile("switch"))), family("a", Rule(sys_descr=re.compile("fast")))]

    assert Recognition(ANYTHING, ("a", "b")) == recognise(Fingerprint(None, "a fast switch"), [ANYTHING, *twins])


def test_nothing_fits_where_no_family_fits() -> None:
    assert Recognition(None) == recognise(Fingerprint(), [VENDOR])


def test_what_a_host_says_when_logged_in_counts_more_than_its_agent() -> None:
    found = recognise(
        Fingerprint(
            parse_oid("1.3.6.1.4.1.8072.3.2.10"), "Linux web1 6.1.0 x86_64", "SSH-2.0-OpenSSH_9.2", "Linux 6.1.0 x86_64"
        ),
        load_families(),
    )

    assert found.family is not None
    assert (found.family.name, found.tied) == ("linux", ())
