"""Full asset codes: owner and category before the label."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naming import CATEGORIES, FullCode, Label, LabelError, category_of

SIGNS = string.ascii_uppercase + string.digits
PATTERN = (
    "; the pattern is OWNER-CCC-DZZXXXX-YYY, as in ACME-SRV-D010210-009 (owner ACME, category SRV, label D010210-009)"
)
KNOWN = "ENC, FCS, FWL, LBL, MGT, MID, PRN, PWR, RCK, RTR, SRV, STO, SWI, TAP, UNK, WLS"

labels = st.builds(Label, st.text(SIGNS, min_size=6, max_size=6).map("D".__add__), st.integers(1, 999))
codes = st.builds(
    FullCode, st.text(SIGNS, min_size=1, max_size=12), st.sampled_from(sorted(CATEGORIES.values())), labels
)


@given(codes)
def test_a_formatted_full_code_parses_to_itself(code: FullCode) -> None:
    assert FullCode.parse(str(code)) == code


@given(codes)
def test_a_full_code_is_made_from_the_class_that_it_stands_for(code: FullCode) -> None:
    assert FullCode.of(code.owner, code.ci_class, code.label) == code


def test_each_category_is_three_capitals_and_stands_for_one_class() -> None:
    assert len(set(CATEGORIES.values())) == len(CATEGORIES)
    assert [code for code in CATEGORIES.values() if len(code) != 3 or set(code) - set(string.ascii_uppercase)] == []


def test_a_full_code_is_read_in_any_width_and_case() -> None:
    expected = FullCode("ACME", "SWI", Label("D010210", 9))

    assert FullCode.parse(" acme-swi-\uff24010210-009\n") == expected


def test_a_sticker_shows_the_label_over_the_full_code() -> None:
    code = FullCode.of("ACME", "tape_library", Label("D010210", 9))

    assert code.sticker == "D010210-009\nACME-TAP-D010210-009"


@pytest.mark.parametrize(
    ("text", "part", "reason"),
    [
        ("", "code", "it is empty"),
        ("D010210-009", "code", "owner, category and label are not all there"),
        ("SRV-D010210-009", "code", "owner, category and label are not all there"),
        ("-SRV-D010210-009", "owner", "the owner is missing"),
        ("A.B-SRV-D010210-009", "owner", "the owner is 'A.B', which must be 1 to 12 of A to Z and 0 to 9"),
        (
            "ABCDEFGHIJKLM-SRV-D010210-009",
            "owner",
            "the owner is 'ABCDEFGHIJKLM', which must be 1 to 12 of A to Z and 0 to 9",
        ),
        ("ACME--D010210-009", "category", "the category is missing"),
        ("ACME-XYZ-D010210-009", "category", f"the category is 'XYZ', which must be one of {KNOWN}"),
        ("ACME-SRV-D0102-009", "room", "the room is missing"),
        ("ACME-SRV-D010210-9", "machine", "the machine is '9', which must be three digits"),
        ("ACME-SRV-D010210-009-1", "machine", "the machine is '009-1', which must be three digits"),
    ],
)
def test_a_malformed_full_code_is_told_which_part_is_wrong(text: str, part: str, reason: str) -> None:
    with pytest.raises(LabelError) as caught:
        FullCode.parse(text)

    assert (caught.value.part, str(caught.value)) == (part, f"{text!r} is not a full code: {reason}{PATTERN}")


def test_no_malformed_full_code_can_be_made() -> None:
    with pytest.raises(LabelError) as caught:
        FullCode("acme", "SRV", Label("D010210", 9))

    assert str(caught.value) == (
        "'acme-SRV-D010210-009' is not a full code: the owner is 'acme', which must be 1 to 12 of A to Z and 0 to 9"
        + PATTERN
    )


def test_a_class_without_a_category_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(LabelError) as caught:
        category_of("service")

    assert str(caught.value) == (
        "'service' is not a full code: no category stands for the class 'service'; those with one are "
        "server, midrange_server, enclosure, network_switch, router, firewall, load_balancer, wireless, fc_switch, "
        "storage, tape_library, power_unit, management_controller, printer, unknown_device, rack" + PATTERN
    )
