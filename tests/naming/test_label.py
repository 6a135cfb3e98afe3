"""Labels and places: read, written, ordered, refused with reasons, and found in free text."""

from __future__ import annotations

import copy
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from naming import Label, LabelError, Place, find_label, is_label

SIGNS = string.ascii_uppercase + string.digits
PATTERN = "; the pattern is DZZXXXX-YYY, as in D010210-009 (building D01, floor 02, room 10, machine 009)"
PLACE_PATTERN = "; the pattern is DZZ, DZZXX or DZZXXXX, as in D01 (building), D0102 (floor) or D010210 (room)"

pairs = st.text(SIGNS, min_size=2, max_size=2)
rooms = st.tuples(pairs, pairs, pairs).map(lambda parts: "D" + "".join(parts))
labels = st.builds(Label, rooms, st.integers(1, 999))
places = st.builds(lambda room, length: Place(room[:length]), rooms, st.sampled_from([3, 5, 7]))


@given(labels)
def test_a_formatted_label_parses_to_itself(label: Label) -> None:
    assert Label.parse(str(label)) == label


@given(st.from_regex(r"\AD[0-9A-Z]{6}-(?!000)[0-9]{3}\Z"))
def test_a_parsed_label_formats_to_its_text(text: str) -> None:
    assert str(Label.parse(text)) == text


@given(labels, labels)
def test_labels_are_ordered_as_they_are_written(one: Label, other: Label) -> None:
    assert (one < other) == (str(one) < str(other))


@given(st.text())
def test_any_other_text_is_refused_with_the_pattern(text: str) -> None:
    assume(not is_label(text))

    with pytest.raises(LabelError) as caught:
        Label.parse(text)

    assert str(caught.value).endswith(PATTERN)


@given(places)
def test_a_formatted_place_parses_to_itself(place: Place) -> None:
    assert Place.parse(str(place)) == place


def test_a_label_names_its_room_floor_and_building() -> None:
    label = Label.parse("D01B110-009")

    assert (label.building, label.floor, label.room, label.machine) == ("D01", "D01B1", "D01B110", 9)
    assert label.places == (Place("D01B110"), Place("D01B1"), Place("D01"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("D010210-009", id="exact"),
        pytest.param("d010210-009", id="lower case"),
        pytest.param("\t D010210-009\r\n", id="blanks around it"),
        pytest.param("\u00a0D010210-009\u3000", id="wide and unbroken blanks around it"),
        pytest.param("\uff24\uff10\uff11\uff10\uff12\uff11\uff10\uff0d\uff10\uff10\uff19", id="full width"),
    ],
)
def test_a_label_is_read_in_any_width_and_case(text: str) -> None:
    assert Label.parse(text) == Label("D010210", 9)


@pytest.mark.parametrize(
    ("text", "part", "said"),
    [
        ("", "label", "'' is not a label: it is empty"),
        (" \n", "label", "' \\n' is not a label: it is empty"),
        ("D" * 201, "label", f"'{'D' * 40}...' is not a label: it is 201 characters long"),
        (
            "X010210-009",
            "building",
            "'X010210-009' is not a label: the building is 'X01', which must be D and two of A to Z and 0 to 9",
        ),
        (
            "D0_0210-009",
            "building",
            "'D0_0210-009' is not a label: the building is 'D0_', which must be D and two of A to Z and 0 to 9",
        ),
        (
            "D0-009",
            "building",
            "'D0-009' is not a label: the building is 'D0', which must be D and two of A to Z and 0 to 9",
        ),
        ("-009", "building", "'-009' is not a label: the building is missing"),
        ("D01", "floor", "'D01' is not a label: the floor is missing"),
        (
            "D010 10-009",
            "floor",
            "'D010 10-009' is not a label: the floor is '0 ', which must be two of A to Z and 0 to 9",
        ),
        ("D0102-009", "room", "'D0102-009' is not a label: the room is missing"),
        ("D01021-009", "room", "'D01021-009' is not a label: the room is '1', which must be two of A to Z and 0 to 9"),
        (
            "D0102100-009",
            "room",
            "'D0102100-009' is not a label: the room is '100', which must be two of A to Z and 0 to 9",
        ),
        (
            "D01021\u00e9-009",
            "room",
            "'D01021\u00e9-009' is not a label: the room is '1\u00c9', which must be two of A to Z and 0 to 9",
        ),
        ("D010210", "hyphen", "'D010210' is not a label: no hyphen stands between the room and the machine"),
        ("D010210009", "hyphen", "'D010210009' is not a label: no hyphen stands between the room and the machine"),
        (
            "D010210\u2013009",
            "hyphen",
            "'D010210\u2013009' is not a label: the hyphen is EN DASH (U+2013), which must be '-' (U+002D)",
        ),
        ("D010210-", "machine", "'D010210-' is not a label: the machine is missing"),
        ("D010210-9", "machine", "'D010210-9' is not a label: the machine is '9', which must be three digits"),
        ("D010210-0009", "machine", "'D010210-0009' is not a label: the machine is '0009', which must be three digits"),
        ("D010210-00A", "machine", "'D010210-00A' is not a label: the machine is '00A', which must be three digits"),
        (
            "D010210-\u0660\u0660\u0669",
            "machine",
            (
                "'D010210-\u0660\u0660\u0669' is not a label: "
                "the machine is '\u0660\u0660\u0669', which must be three digits"
            ),
        ),
        ("D010210-000", "machine", "'D010210-000' is not a label: the machine is '000', which must be 001 to 999"),
        (
            "ACME-SRV-D010210-009",
            "building",
            (
                "'ACME-SRV-D010210-009' is not a label: "
                "the building is 'ACM', which must be D and two of A to Z and 0 to 9"
            ),
        ),
    ],
)
def test_a_malformed_label_is_told_which_part_is_wrong(text: str, part: str, said: str) -> None:
    with pytest.raises(LabelError) as caught:
        Label.parse(text)

    assert (caught.value.part, str(caught.value)) == (part, said + PATTERN)


@pytest.mark.parametrize(
    ("room", "machine", "said"),
    [
        (
            "d010210",
            9,
            "'d010210-009' is not a label: the building is 'd01', which must be D and two of A to Z and 0 to 9",
        ),
        ("D0102", 9, "'D0102-009' is not a label: the room is missing"),
        ("D010210", 0, "'D010210-000' is not a label: the machine is 0, which must be 001 to 999"),
        ("D010210", 1000, "'D010210-1000' is not a label: the machine is 1000, which must be 001 to 999"),
    ],
)
def test_no_malformed_label_can_be_made(room: str, machine: int, said: str) -> None:
    with pytest.raises(LabelError) as caught:
        Label(room, machine)

    assert str(caught.value) == said + PATTERN


@pytest.mark.parametrize(
    ("text", "part", "said"),
    [
        ("", "place", "'' is not a place: it is empty"),
        ("D0", "building", "'D0' is not a place: the building is 'D0', which must be D and two of A to Z and 0 to 9"),
        (
            "E01",
            "building",
            "'E01' is not a place: the building is 'E01', which must be D and two of A to Z and 0 to 9",
        ),
        ("D010", "floor", "'D010' is not a place: the floor is '0', which must be two of A to Z and 0 to 9"),
        ("D01021", "room", "'D01021' is not a place: the room is '1', which must be two of A to Z and 0 to 9"),
        (
            "D010210-009",
            "room",
            "'D010210-009' is not a place: the room is '10-009', which must be two of A to Z and 0 to 9",
        ),
    ],
)
def test_a_malformed_place_is_told_which_part_is_wrong(text: str, part: str, said: str) -> None:
    with pytest.raises(LabelError) as caught:
        Place.parse(text)

    assert (caught.value.part, str(caught.value)) == (part, said + PLACE_PATTERN)


def test_no_malformed_place_can_be_made() -> None:
    with pytest.raises(LabelError) as caught:
        Place("d01")

    assert str(caught.value) == (
        "'d01' is not a place: the building is 'd01', which must be D and two of A to Z and 0 to 9" + PLACE_PATTERN
    )


@pytest.mark.parametrize(
    ("text", "ci_class", "ancestors"),
    [
        (" d01 ", "building", ()),
        ("D0102", "floor", (Place("D01"),)),
        ("D010210", "room", (Place("D0102"), Place("D01"))),
    ],
)
def test_a_place_knows_its_class_and_what_is_above_it(text: str, ci_class: str, ancestors: tuple[Place, ...]) -> None:
    place = Place.parse(text)

    assert (place.ci_class, place.ancestors) == (ci_class, ancestors)
    assert place.parent == (ancestors[0] if ancestors else None)


def test_an_error_can_be_copied_whole_as_between_processes() -> None:
    with pytest.raises(LabelError) as caught:
        Label.parse("D010210")

    same = copy.copy(caught.value)

    expected = (str(caught.value), caught.value.part, caught.value.reason)
    assert (str(same), same.part, same.reason) == expected


@pytest.mark.parametrize(("text", "expected"), [(" d010210-009", True), ("at D010210-009", False), ("", False)])
def test_a_text_is_a_label_only_as_a_whole(text: str, *, expected: bool) -> None:
    assert is_label(text) is expected


@given(labels, st.text("\t ,;:/()[]_\u673a\u623f\u4f4d", max_size=9), st.text("\t ,;:/()[]_\u673a\u67dc", max_size=9))
def test_a_label_is_found_in_free_text(label: Label, before: str, after: str) -> None:
    assert find_label(f"{before}{str(label).lower()}{after}") == label


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Berlin, room D010210-009, 2nd rack", Label("D010210", 9), id="in a sentence"),
        pytest.param("ACME-SRV-D010210-009", Label("D010210", 9), id="in a full code"),
        pytest.param("D010210-009 (was: d010210-009)", Label("D010210", 9), id="said twice"),
        pytest.param("D010210-009.", Label("D010210", 9), id="at the end of a sentence"),
        pytest.param("D010210-009 or D010210-010", None, id="several different ones"),
        pytest.param("D010210-000", None, id="nobody's number"),
        pytest.param("D010210-000 D010210-001", Label("D010210", 1), id="nobody's number beside a label"),
        pytest.param("SND010210-009", None, id="letters before it"),
        pytest.param("D010210-0091", None, id="more digits"),
        pytest.param("D010210-009-X2", None, id="a part number"),
        pytest.param("", None, id="empty"),
        pytest.param("unknown", None, id="no label"),
    ],
)
def test_free_text_names_one_label_or_none(text: str, expected: Label | None) -> None:
    assert find_label(text) == expected
