"""Replays of a scan of the laboratory: nothing changes by itself, and a changed family changes what it says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import pytest

from cmdb.inventory import Inventory
from cmdb.model import Report, RunSection
from cmdb.rules import Rules
from cmdb.store.base import GraphStore
from cmdb.store.opening import open_store
from discovery.family import Family, load_families
from discovery.kept import section_in
from discovery.replay import revisit
from lab import Lab
from operations.database import Database
from operations.errors import NotKnown
from operations.evidence import EvidenceFolder
from operations.replaying import Replayed, replay
from operations.runs import Runs, Scope
from operations.scanning import Scanner
from tests.fixtures.laboratory import lab, running_lab
from tests.fixtures.scanning import AnyHostKey, LabCredentials
from tests.fixtures.stores import store, store_url

__all__ = ["lab", "running_lab", "store", "store_url"]

FAMILIES = load_families()


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Site:
    """One run over the laboratory: its reports, what it covered, and its evidence."""

    run: str
    runs: Runs
    evidence: EvidenceFolder
    reports: list[Report]
    covered: list[RunSection]

    def absorb(self, report: Report, actor: str = "discovery") -> None:
        del actor
        self.reports.append(report)

    def close_run(self, run: RunSection) -> None:
        self.covered.append(run)


@pytest.fixture(scope="module")
def site(running_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    database = Database(f"sqlite:///{folder / 'operations.sqlite'}")
    runs, evidence = Runs(database, now), EvidenceFolder(folder / "evidence")
    maps = tuple(f"{site}={dialled}" for site, dialled in running_lab.address_map.items())
    scope = Scope(
        tuple(running_lab.networks), address_map=maps, snmp_port=running_lab.snmp_port, ssh_port=running_lab.ssh_port
    )
    run = runs.begin(scope, "test")
    made = Site(run.id, runs, evidence, [], [])
    scanner = Scanner(runs, made, lambda: LabCredentials(running_lab), lambda _: AnyHostKey(), evidence, now)
    for _ in scanner.work(run):
        pass
    yield made
    database.close()


def told(store: GraphStore, site: Site) -> Inventory:
    """What that run told, as one revision."""
    made = Inventory(store, Rules(), now)
    made.rehearse(site.reports, "test", "the scan", apply=True)
    for covered in site.covered:
        made.close_run(covered)
    return made


def part_of(site: Site, folder: Path, *families: str) -> Site:
    """The devices of some families alone: a large graph takes its time on Neo4j."""
    evidence = EvidenceFolder(folder)
    addresses = set()
    for visits in site.evidence.all_visits():
        if visits[-1].family in families:
            addresses.add(visits[-1].address)
            for reply in visits[-1].sections.values():
                evidence.store(site.evidence.get(reply))
            evidence.visited(visits[-1])
    reports = [report for report in site.reports if report.source in addresses]
    return replace(site, evidence=evidence, reports=reports)


@pytest.fixture
def inventory(site: Site, tmp_path: Path) -> Iterator[Inventory]:
    embedded = open_store(f"sqlite:///{tmp_path / 'cmdb.sqlite'}")
    yield told(embedded, site)
    embedded.close()


def families(folder: Path, **changed: tuple[str, str]) -> tuple[Family, ...]:
    """Today's families, after somebody replaced a text in some of their files."""
    with resources.as_file(resources.files("discovery") / "families") as ours:
        shutil.copytree(ours, folder)
    for name, (old, new) in changed.items():
        file = folder / f"{name}.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
    return load_families(folder)


Told: TypeAlias = tuple[int | None, tuple[str, ...]]


def replayed(
    inventory: Inventory, site: Site, with_families: tuple[Family, ...] = FAMILIES, *, run: str | None = None,
    apply: bool = False, evidence: EvidenceFolder | None = None,
) -> Replayed[Told]:  # fmt: skip
    kept = evidence or site.evidence
    found = replay(inventory, kept, site.runs, with_families, run=run, by="ann", apply=apply)
    return Replayed(found.visits, found.remarks, (found.told.revision, found.told.difference))


def test_the_kept_replies_give_the_very_reports_that_the_scan_gave(site: Site) -> None:
    anew = {}
    for visits in site.evidence.all_visits():
        kept = [section_in(site.evidence.get(reply)) for reply in visits[-1].sections.values()]
        found = revisit(visits[-1], kept, FAMILIES)
        assert found.lacking == {}
        anew[visits[-1].address] = found.report

    assert anew == {report.source: report for report in site.reports}


@pytest.mark.parametrize("of_run", [True, False], ids=["run", "last"])
def test_unchanged_code_changes_nothing(inventory: Inventory, site: Site, of_run: bool) -> None:
    revision = inventory.graph().revision

    found = replayed(inventory, site, run=site.run if of_run else None, apply=True)

    assert found == Replayed(len(site.reports), (), (None, ()))
    assert inventory.graph().revision == revision


def test_a_changed_family_changes_exactly_what_it_says(store: GraphStore, site: Site, tmp_path: Path) -> None:
    site = part_of(site, tmp_path / "evidence", "arista_eos", "apc_pdu")
    inventory = told(store, site)
    said = {ci.name for ci in inventory.graph().cis.values() if ci.attributes.get("vendor") == "Arista"}
    changed = families(tmp_path / "families", arista_eos=("Arista", "Arista Networks"))
    before = inventory.graph()

    shown = replayed(inventory, site, changed)
    untouched = inventory.graph()
    applied = replayed(inventory, site, changed, apply=True)
    again = replayed(inventory, site, changed, apply=True)
    back = replayed(inventory, site, apply=True)

    assert said
    lines = {f"~ network_switch {name}: vendor Arista → Arista Networks" for name in said}
    assert {re.sub(r" \(.*?\)", "", line) for line in shown.told[1]} == lines
    assert untouched == before
    assert applied == Replayed(shown.visits, (), (before.revision + 1, shown.told[1]))
    assert again.told == (None, ())
    assert back.told[0] == before.revision + 2
    assert len(back.told[1]) == len(said)


def test_what_is_asked_anew_takes_nothing_back(inventory: Inventory, site: Site, tmp_path: Path) -> None:
    step = "  - {section: ssh.system, run: hostname, parse: linux.hostname}"
    more = "  - {section: ssh.system, run: cat /etc/serial, parse: linux.product_serial}"
    changed = families(tmp_path / "families", linux=(step, f"{step}\n{more}"))

    found = replayed(inventory, site, changed)

    assert (found.visits, found.told) == (len(site.reports), (None, ()))
    assert {remark.partition(": ")[2] for remark in found.remarks} == {"ssh.system: not asked then: cat /etc/serial"}


def test_a_visit_in_which_something_else_was_asked_is_left_out(
    inventory: Inventory, site: Site, tmp_path: Path
) -> None:
    """Without the name of the host all that runs on it would be called otherwise."""
    changed = families(tmp_path / "families", linux=("run: hostname,", "run: hostname -f,"))

    found = replayed(inventory, site, changed)

    hosts = len(site.reports) - found.visits
    why = "ssh.system: not asked then: hostname -f; nothing of this visit is replayed"
    assert found.told == (None, ())
    assert [remark.partition(": ")[2] for remark in found.remarks] == [why] * hosts


def test_a_reply_that_is_no_longer_kept_is_a_remark(inventory: Inventory, site: Site, tmp_path: Path) -> None:
    thinned = EvidenceFolder(tmp_path / "evidence")
    shutil.copytree(site.evidence.folder, thinned.folder)
    (first, *_), (second, *_), *_ = thinned.all_visits()
    section, reply = next(iter(first.sections.items()))
    thinned.path(reply).unlink()
    thinned.path_of_visits(second.space, second.address).unlink()

    found = replayed(inventory, site, run=site.run, evidence=thinned)

    assert found.told == (None, ())
    assert found.visits == len(site.reports) - 2
    assert set(found.remarks) == {
        f"{first.address}: {section}: the reply is no longer kept; nothing of this visit is replayed",
        f"{second.address}: the reply is no longer kept",
    }


def test_a_run_that_never_was_is_not_known(inventory: Inventory, site: Site) -> None:
    with pytest.raises(NotKnown, match="there is no run 'nowhere'"):
        replayed(inventory, site, run="nowhere")
