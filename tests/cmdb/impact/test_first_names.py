"""The first names of a great many, without putting all of them in order."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from cmdb.impact.names import Names


def _names(random: Random, number: int) -> list[str]:
    letters = random.choice(("ab", "aé☃😀z", "server-00000"))
    return [random.choice(("", "x" * 70, "srv-eu-")) + "".join(random.choices(letters, k=random.randint(0, 20)))
            for _ in range(number)]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_first_names_are_those_of_the_whole_order(seed: int) -> None:
    random = Random(seed)
    texts = _names(random, 6_000)
    encoded = [text.encode() for text in texts]
    names = Names(b"".join(encoded), np.array([len(one) for one in encoded], np.int32))
    for number in random.sample(range(6_000), 50):
        texts[number] = names[number] if random.random() < 0.3 else random.choice(("", "a", "zz", "é"))
        names[number] = texts[number]
    for number in range(6_000, 6_020):  # which came later
        texts.append(f"b{number}")
        names[number] = texts[number]
    some = np.array(random.sample(range(6_020), 5_500), np.int32)
    count = random.choice((1, 100, 2_500, 5_500, 9_000))

    found = names.first(some, count).tolist()

    order = sorted(some.tolist(), key=lambda number: texts[number])
    ordered = sorted(found, key=lambda number: texts[number])
    assert len(set(found)) == len(found) >= min(count, len(order))
    assert [texts[number] for number in ordered] == [texts[number] for number in order[: len(found)]]
