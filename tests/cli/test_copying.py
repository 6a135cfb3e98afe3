"""A store moves to a server with all that it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cmdb, Done
from tests.cli.estates import SHOP
from tests.fixtures.stores import empty_neo4j

pytestmark = pytest.mark.xdist_group("neo4j")


def test_an_embedded_store_goes_on_in_neo4j_as_if_it_had_always_been_there(
    cmdb: Cmdb, neo4j_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_neo4j(neo4j_url)
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    cmdb("declare", str(file))
    file.write_text(SHOP.replace("web2", "web3"))
    cmdb("declare", str(file))

    def told() -> list[Done]:
        return [
            cmdb("export", "--canonical"),
            cmdb("diff", "0", "now", "--json"),
            cmdb("show", "web1", "--json"),
            cmdb("show", "web1", "--claims", "--json"),
            cmdb("verify"),
            cmdb("declare", str(file), "--dry-run"),
        ]

    monkeypatch.setenv("CMDB_COPY_TO", neo4j_url)
    before = told()
    copied, again = cmdb("copy", "--json"), cmdb("copy")
    monkeypatch.setenv("CMDB_STORE", neo4j_url)
    after = told()

    assert (copied.code, copied.json["revisions"]) == (0, 2)
    assert (again.code, again.err) == (
        2,
        "cmdb: the store to copy to is not empty: it stands at revision 2; name an empty one\n",
    )
    assert {done.code for done in before} == {0}
    assert after == before
