"""Evidence over HTTP and on pages: from a value to the reply that it came from, and replays."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from api.wiring import Services
from discovery.family import load_families
from discovery.scan import Scan, ScanSettings
from discovery.targets import read_targets
from tests.discovery.parts import Credentials, Keys, Network, community, only_ssh, password, recorded

API = "/api/v1"
SWITCH, HOST = "192.0.2.1", "192.0.2.2"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def scanned(services: Services) -> Services:
    """A switch and a host, scanned from recordings."""
    network = Network(
        {SWITCH: recorded("arista_eos", "dcs_7050sx3_48yc8"), HOST: only_ssh(recorded("linux", "dell_database"))}
    )
    credentials = Credentials([("0.0.0.0/0", community()), ("0.0.0.0/0", password("login"))])
    scan = Scan(
        read_targets(["192.0.2.0/29"]), ScanSettings(), credentials, Keys(), services.evidence, run="run-1",
        dialler=network, families=load_families(), clock=lambda: NOON,
    )  # fmt: skip
    for host in scan:
        if host.report is not None:
            services.inventory.absorb(host.report)
    return services


def ci_at(services: Services, address: str) -> str:
    """The device that answered at an address."""
    cls = {SWITCH: "network_switch", HOST: "server"}[address]
    devices = [ci.id for ci in services.inventory.graph().cis.values() if ci.cls == cls]
    return next(ci for ci in devices if any(one.source == address and one.own for one in services.inventory.claims(ci)))


def winner(services: Services, address: str, attribute: str) -> str:
    """The hash of the reply that a value comes from."""
    claims = services.inventory.claims(ci_at(services, address))
    return next(one.evidence or "" for one in claims if one.attribute == attribute and one.won and one.part is None)


def test_a_value_leads_to_the_reply_that_it_came_from(scanned: Services, reader: TestClient) -> None:
    ci = scanned.inventory.stored(ci_at(scanned, SWITCH))
    assert ci is not None
    name = winner(scanned, SWITCH, "name")

    answer = reader.get(f"{API}/evidence/{name}")

    document = answer.json()
    assert answer.status_code == 200
    assert {key: document[key] for key in ("hash", "space", "address", "section", "said")} == {
        "hash": name,
        "space": "default",
        "address": SWITCH,
        "section": "snmp.system",
        "said": [{"run": "run-1", "time": "2026-03-01T12:00:00.000000Z"}],
    }
    rows = {row["object"]: row["value"] for reply in document["replies"] for row in reply["rows"]}
    assert rows["1.3.6.1.2.1.1.5.0"].strip('"').partition(".")[0].lower() == ci.ci.name


def test_what_a_command_printed_is_shown_with_the_command(scanned: Services, reader: TestClient) -> None:
    document = reader.get(f"{API}/evidence/{winner(scanned, HOST, 'name')}").json()

    (uname,) = [reply for reply in document["replies"] if reply["asked"] == "uname -srm"]
    assert re.fullmatch(r"Linux \S+ x86_64\n", uname["stdout"])
    assert {name: uname[name] for name in ("rows", "stderr", "code", "problem")} == {
        "rows": [], "stderr": "", "code": 0, "problem": None,
    }  # fmt: skip


def test_every_claim_on_a_value_comes_with_its_reply(scanned: Services, reader: TestClient) -> None:
    claims = reader.get(f"{API}/cis/{ci_at(scanned, SWITCH)}/evidence?attribute=vendor").json()["claims"]

    assert {(one["won"], one["source"], one["reply"]["section"], one["no_reply"]) for one in claims} == {
        (True, SWITCH, "snmp.system", None)
    }


def test_a_reply_that_retention_removed_is_said_to_be_gone(scanned: Services, reader: TestClient) -> None:
    name = winner(scanned, SWITCH, "vendor")
    scanned.evidence.path(name).unlink()

    of_value = reader.get(f"{API}/cis/{ci_at(scanned, SWITCH)}/evidence?attribute=vendor").json()["claims"]
    by_hash = reader.get(f"{API}/evidence/{name}")

    assert [(one["reply"], one["no_reply"]) for one in of_value] == [(None, "the reply is no longer kept")]
    assert by_hash.status_code == 404
    assert "retention removed it" in by_hash.json()["detail"]


def test_a_value_that_nobody_gave_is_not_found(scanned: Services, reader: TestClient) -> None:
    answer = reader.get(f"{API}/cis/{ci_at(scanned, SWITCH)}/evidence?attribute=colour")

    assert answer.status_code == 404
    assert "nobody says anything of 'colour'" in answer.json()["detail"]
    assert "vendor" in answer.json()["detail"]


def test_a_declared_value_has_no_reply_and_says_so(estate: Services, reader: TestClient) -> None:
    (ci,) = estate.inventory.target("web1").cis

    claims = reader.get(f"{API}/cis/{ci}/evidence?attribute=vendor").json()["claims"]

    assert [one["no_reply"] for one in claims] == ["it was declared: no device said it"]


def test_a_replay_of_the_last_of_all_changes_nothing_by_itself(scanned: Services, operator: TestClient) -> None:
    revision = scanned.inventory.graph().revision

    shown = operator.post(f"{API}/replay", json={}).json()
    applied = operator.post(f"{API}/replay", json={"apply": True}).json()
    unknown = operator.post(f"{API}/replay", json={"run": "run-1"})

    assert shown == applied == {"visits": 2, "revision": None, "difference": [], "remarks": []}
    assert scanned.inventory.graph().revision == revision
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "there is no run 'run-1'")


def test_the_page_of_a_ci_leads_to_the_page_of_the_reply(scanned: Services, reader: TestClient) -> None:
    name = winner(scanned, SWITCH, "vendor")

    ci = reader.get(f"/cis/{ci_at(scanned, SWITCH)}")
    page = reader.get(f"/evidence/{name}")

    assert f'<a href="/evidence/{name}">snmp.system</a>' in ci.text.partition('id="replies"')[0]
    assert re.search('<a href="/evidence/[0-9a-f]{64}">snmp.lldp</a>', ci.text.partition('id="replies"')[2])
    assert page.status_code == 200
    for words in (SWITCH, "snmp.system", 'href="/runs/run-1"', "1.3.6.1.2.1.1.5.0", name):
        assert words in page.text
