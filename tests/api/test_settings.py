"""Settings: a file, then variables, then flags; defaults in the user's data folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from api.settings import SettingsError, load
from api.wiring import Services


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CMDB_STORE", "CMDB_OPERATIONS", "CMDB_PORT", "CMDB_HOST", "CMDB_KEY_FILE", "CMDB_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def _file(home: Path, text: str) -> None:
    (home / "config" / "cmdb").mkdir(parents=True)
    (home / "config" / "cmdb" / "cmdb.yaml").write_text(text)


def test_flags_are_stronger_than_variables_and_those_than_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _file(home, "host: file\nport: 1\nlanguage: zh\n")
    monkeypatch.setenv("CMDB_HOST", "variable")
    monkeypatch.setenv("CMDB_PORT", "2")

    found = load(port=3, host=None)

    assert (found.port, found.host, found.language) == (3, "variable", "zh")


def test_everything_is_in_the_users_data_folder_unless_told_otherwise(home: Path) -> None:
    found = load()

    folder = home / "data" / "cmdb"
    assert found.store.get_secret_value() == f"sqlite:///{folder}/cmdb.sqlite"
    assert found.operations_url == f"sqlite:///{folder}/cmdb-operations.sqlite"
    assert (found.key_path, found.evidence_path) == (folder / "cmdb.key", folder / "evidence")


def test_what_belongs_to_an_embedded_store_is_beside_it(home: Path) -> None:
    found = load(store=f"sqlite:///{home}/x/site.sqlite")

    assert found.operations_url == f"sqlite:///{home}/x/site-operations.sqlite"
    assert found.key_path == home / "x" / "cmdb.key"


def test_what_belongs_to_a_server_of_neo4j_is_in_the_data_folder(home: Path) -> None:
    found = load(store="neo4j://neo4j:secret@127.0.0.1:7687")

    assert found.operations_url == f"sqlite:///{home}/data/cmdb/cmdb-operations.sqlite"
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("text", "word"), [("prot: 8080\n", "prot"), ("port: many\n", "port"), ("language: fr\n", "language")]
)
def test_a_setting_that_makes_no_sense_is_said_with_its_name(home: Path, text: str, word: str) -> None:
    _file(home, text)

    with pytest.raises(SettingsError, match=word):
        load()


def test_a_folder_of_any_name_will_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / "100% mine?" / "ü"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))

    services = Services(load())
    services.store.position()
    services.operations.rows("SELECT 1 AS one")
    services.close()

    made = sorted(file.name for file in (folder / "cmdb").iterdir() if file.suffix == ".sqlite")
    assert made == ["cmdb-operations.sqlite", "cmdb.sqlite"]
    assert services.settings.folder == folder / "cmdb"


def test_what_a_site_decides_about_truth_comes_from_the_file_and_from_variables(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _file(
        home,
        "trust: {device.model: [snmp, ssh]}\nstaleness_days: {ssh: 7, snmp: null}\nmissing_after: 2\n"
        "volatile: {power_unit.load_percent: false}\n",
    )
    monkeypatch.setenv("CMDB_RETIRED_DAYS", '{"printer": 5}')

    rules = Services(load()).rules

    assert rules.trusted("server", "model") == ("snmp", "ssh")
    assert (rules.staleness, rules.missing_after) == ({"ssh": timedelta(days=7)}, 2)
    assert rules.retired_after("printer") == timedelta(days=5)
    assert not rules.is_volatile("power_unit", "load_percent")
    assert rules.scans("server")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trust: {sever.model: [ssh]}", "trust: sever.model: unknown class 'sever'"),
        ("trust: {device.modle: [ssh]}", "trust: device.modle: unknown attribute 'modle' of device"),
        ("trust: {device.model: [shh]}", "trust: device.model: unknown kind of reporter 'shh'"),
        ("staleness_days: {smnp: 3}", "staleness_days: unknown kind of source 'smnp'; known: declared, ssh, snmp"),
        ("staleness_days: {ssh: -3}", "staleness_days.ssh"),
        ("retired_days: {printer: -1}", "retired_days: printer: -1 days"),
        ("retired_days: {printer: soon}", "retired_days.printer"),
        ("volatile: {power_unit.lod: true}", "volatile: power_unit.lod: unknown attribute 'lod' of power_unit"),
    ],
)
def test_rules_that_make_no_sense_are_said_before_anything_is_opened(home: Path, text: str, message: str) -> None:
    _file(home, text)

    with pytest.raises(SettingsError) as refused:
        load()

    assert message in str(refused.value)
    assert "cmdb.yaml" in str(refused.value)


def test_a_variable_of_several_values_that_is_no_json_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMDB_TRUST", "device.model=snmp")

    with pytest.raises(SettingsError, match=r'"trust".*JSON'):
        load()
