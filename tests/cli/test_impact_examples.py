"""Every example of impact.md, declared and asked on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb
from tests.fixtures.examples import Example, examples, worse


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_an_example_is_declared_and_asked(cmdb: Cmdb, tmp_path: Path, example: Example) -> None:
    file = tmp_path / "example.yaml"
    file.write_text(example.text)
    declared = cmdb("declare", str(file))

    answer = cmdb("impact", *example.what, "--kind", example.kind, "--json")

    assert (declared.code, answer.code) == (0, 0)
    assert worse(answer.json) == dict(example.worse)
    assert answer.json.get("temporary", False) is example.temporary
