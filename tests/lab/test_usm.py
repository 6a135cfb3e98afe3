from __future__ import annotations

import pytest

from lab.usm import localised_key


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("md5", "526f5eed9fcce26f8964c2930787d82b"),
        ("sha1", "6695febc9288e36282235fc7151f128497b38f3f"),
        ("sha256", "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"),
    ],
)
def test_keys_are_those_of_the_standards(digest: str, expected: str) -> None:
    """RFC 3414, A.3.1 and A.3.2; SHA-256 by the same algorithm (RFC 7860, 9.3)."""
    key = localised_key(digest, "maplesyrup", bytes.fromhex("000000000000000000000002"))

    assert key.hex() == expected
