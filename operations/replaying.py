"""Kept replies, read with today's families and parsers: what that would change, and, where it is wanted, the change.

Nobody is asked anything. What is not kept any more is a line for people, and takes nothing back.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cmdb.model import DEFAULT_SPACE, Report
from discovery.family import Family
from discovery.host_report import Outcome
from discovery.kept import KeptSection, NotReadable, section_in
from discovery.replay import revisit
from discovery.visit import Visit
from operations.errors import OperationsError, OperationsUnavailable
from operations.evidence import EvidenceFolder, NotKept
from operations.runs import LedgerRow, Runs
from operations.scanning import NOT_STORED

NO_LONGER = "the reply is no longer kept"

_MADE_A_REPORT = frozenset({Outcome.COLLECTED, Outcome.PARTIAL, Outcome.REFUSED, NOT_STORED})
_PAGE = 1000

Told_co = TypeVar("Told_co", covariant=True)
T = TypeVar("T")


class Rehearsing(Protocol[Told_co]):
    """Who takes reports in, or says what they would change: `cmdb.inventory.Inventory`."""

    def rehearse(self, reports: Sequence[Report], actor: str, reason: str, *, apply: bool) -> Told_co: ...


@dataclass(frozen=True, slots=True)
class Replayed(Generic[T]):
    """`visits` were read anew; `remarks` say what could not be, address by address; `told` is what that changes."""

    visits: int
    remarks: tuple[str, ...]
    told: T


def replay(
    inventory: Rehearsing[T], evidence: EvidenceFolder, runs: Runs, families: tuple[Family, ...], *,
    run: str | None, by: str, apply: bool,
) -> Replayed[T]:  # fmt: skip
    """Replay a run, or, without one, the last visit of every address. Raises NotKnown for a run that never was."""
    remarks: list[str] = []
    visits = _of_all(evidence) if run is None else _of_run(run, evidence, runs, remarks)
    reports = []
    for visit in visits:
        report = _read_anew(visit, evidence, families, remarks)
        if report is not None:
            reports.append(report)
    told = inventory.rehearse(
        reports, by, f"replay of {'the last of all' if run is None else f'run {run}'}", apply=apply
    )
    return Replayed(len(reports), tuple(remarks), told)


def _of_all(evidence: EvidenceFolder) -> Iterator[Visit]:
    for visits in evidence.all_visits():
        yield visits[-1]


def _of_run(run: str, evidence: EvidenceFolder, runs: Runs, remarks: list[str]) -> Iterator[Visit]:
    space = runs.get(run).scope.space
    for row in _rows(run, runs):
        if row.section == "" and row.outcome in _MADE_A_REPORT:
            found = [visit for visit in evidence.visits(space, row.address) if visit.run == run]
            if found:
                yield found[-1]
            else:
                remarks.append(f"{_named(space, row.address)}: {NO_LONGER}")


def _rows(run: str, runs: Runs) -> Iterator[LedgerRow]:
    after = ("", "")
    while page := runs.ledger(run, _PAGE, after):
        yield from page
        after = (page[-1].address, page[-1].section)


def _read_anew(
    visit: Visit, evidence: EvidenceFolder, families: tuple[Family, ...], remarks: list[str]
) -> Report | None:
    """The report of a visit; None, and a remark, where its replies cannot be read any more.

    All of its replies are needed: what one section says takes its names from the others.
    """
    name = _named(visit.space, visit.address)
    kept: list[KeptSection] = []
    for section, reply in visit.sections.items():
        try:
            kept.append(section_in(evidence.get(reply)))
        except NotKept:
            remarks.append(f"{name}: {section}: {NO_LONGER}; nothing of this visit is replayed")
            return None
        except OperationsUnavailable:
            raise
        except (NotReadable, OperationsError) as error:
            remarks.append(f"{name}: {section}: {error}; nothing of this visit is replayed")
            return None
    try:
        found = revisit(visit, kept, families)
    except Exception as error:  # noqa: BLE001 - around one host, as in a scan: its parsers fail on what it said
        (said,) = traceback.format_exception_only(error)[-1:]
        remarks.append(f"{name}: today's families and parsers fail on it: {said.strip()}")
        return None
    left_out = "" if found.report is not None else "; nothing of this visit is replayed"
    for section, words in sorted(found.lacking.items()):
        remarks.append(f"{name}: {section}: not asked then: {', '.join(words)}{left_out}")
    return found.report


def _named(space: str, address: str) -> str:
    return address if space == DEFAULT_SPACE else f"{space} {address}"
