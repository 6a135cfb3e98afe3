from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import ber
from lab.ber import BerError, Reader

OIDS = st.tuples(st.integers(0, 2), st.integers(0, 39)).flatmap(
    lambda head: st.lists(st.integers(0, 2**32 - 1), max_size=20).map(lambda rest: (*head, *rest))
)


@given(st.integers(-(2**63), 2**64 - 1))
def test_reading_an_integer_gives_what_was_written(value: int) -> None:
    assert Reader(ber.integer(value)).integer() == value


@given(OIDS)
def test_reading_an_object_identifier_gives_what_was_written(oid: ber.Oid) -> None:
    assert Reader(ber.oid(oid)).oid() == oid


@given(st.binary(max_size=400))
def test_octets_of_any_length_are_kept(value: bytes) -> None:
    assert Reader(ber.octets(value)).octets() == value


def test_integers_take_as_few_octets_as_they_can() -> None:
    written = [ber.integer(value) for value in (0, 127, 128, 255, 256, -1, -128, -129)]

    assert written == [
        bytes.fromhex(text)
        for text in ("020100", "02017f", "02020080", "020200ff", "02020100", "0201ff", "020180", "0202ff7f")
    ]


@given(st.binary(max_size=60))
def test_noise_is_refused_and_never_crashes_the_reader(noise: bytes) -> None:
    reader = Reader(noise)

    with suppress(BerError):
        while not reader.done:
            reader.element()


@pytest.mark.parametrize("text", ["30", "3080", "3085ffffffffff", "3005020101", "0200"])
def test_a_length_that_does_not_fit_says_where(text: str) -> None:
    with pytest.raises(BerError):
        Reader(bytes.fromhex(text)).inside().integer()
