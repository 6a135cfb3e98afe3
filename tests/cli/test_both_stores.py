"""What the command line says does not depend on the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb, Done
from tests.cli.estates import SHOP
from tests.fixtures.stores import empty_neo4j

pytestmark = pytest.mark.xdist_group("neo4j")


def test_neo4j_and_the_embedded_store_say_the_same(
    cmdb: Cmdb, neo4j_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_neo4j(neo4j_url)
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)

    def told() -> list[Done]:
        return [
            cmdb("declare", str(file)),
            cmdb("declare", str(file), "--dry-run"),
            cmdb("export", "--canonical"),
            cmdb("show", "D010210-009"),
            cmdb("show", "001b.210a.0b0c", "--json"),
            cmdb("impact", "core[Gi1/0/1]", "--kind", "disconnect", "--json"),
            cmdb("impact", "ups", "--kind", "power_off", "--down", "web2", "--json"),
            cmdb("impact", "ups", "--kind", "power_off", "--tree"),
            cmdb("spof"),
            cmdb("find", "web"),
            cmdb("label", "next", "D010210"),
            cmdb("verify"),
        ]

    embedded = told()
    monkeypatch.setenv("CMDB_OPERATIONS", f"sqlite:///{tmp_path / 'operations.sqlite'}")
    monkeypatch.setenv("CMDB_STORE", neo4j_url)
    production = told()

    assert {done.code for done in embedded} == {0}
    assert production == embedded
