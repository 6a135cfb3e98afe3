"""Scans: start one, list them, see how far one is and what became of each host; and the schedules that ask for them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from api.auth import Operator, Reader, ServicesOf
from api.paging import Pages
from api.routes.shapes import (
    LedgerList,
    RunList,
    RunOut,
    ScanRequest,
    ScheduleChange,
    ScheduleList,
    ScheduleOut,
    ScheduleRequest,
)
from api.settings import Settings
from cmdb.codec import time_out
from operations.runs import LedgerRow, Run, Scope
from operations.scanning import targets_of
from operations.schedules import Schedule

router = APIRouter(tags=["scans"])

RUN = Annotated[str, Path(max_length=100, examples=["20260102T030405.678-1a2b3c"])]
NAME = Annotated[str, Path(max_length=200, examples=["nightly"])]


@router.post("/scans", status_code=202, response_model=RunOut)
def start_scan(scan: ScanRequest, operator: Operator, services: ServicesOf, response: Response) -> dict[str, Any]:
    """Ask for a scan; a server's worker takes it. `Location` is where to see how far it is."""
    scope = _scope(scan, services.settings)
    targets_of(scope)
    run = services.runs.request(scope, operator.name)
    response.headers["Location"] = f"/api/v1/scans/{run.id}"
    services.clock.wake()
    return run_out(run)


@router.get("/scans", response_model=RunList)
def list_scans(reader: Reader, services: ServicesOf, pages: Pages) -> dict[str, Any]:
    """The runs, newest first."""
    del reader
    found = services.runs.newest(pages.limit + 1, str(pages.after[0]) if pages.after else None)
    page = found[: pages.limit]
    going_on = pages.cursor((page[-1].id, "")) if len(found) > len(page) else None
    return {"items": [run_out(run) for run in page], "next": going_on}


@router.get("/scans/{run}", response_model=RunOut)
def one_scan(run: RUN, reader: Reader, services: ServicesOf) -> dict[str, Any]:
    """One run: `done` of `total` addresses are finished."""
    del reader
    return run_out(services.runs.get(run))


@router.get("/scans/{run}/ledger", response_model=LedgerList)
def ledger_of(run: RUN, reader: Reader, services: ServicesOf, pages: Pages) -> dict[str, Any]:
    """What became of each address and each of its sections, ordered by both as text."""
    del reader
    found_run = services.runs.get(run)
    after = (str(pages.after[0]), pages.after[1]) if pages.after else ("", "")
    found = services.runs.ledger(found_run.id, pages.limit + 1, after)
    page = found[: pages.limit]
    going_on = pages.cursor((page[-1].address, page[-1].section)) if len(found) > len(page) else None
    return {"items": [ledger_row(row) for row in page], "next": going_on}


@router.delete("/scans/{run}", response_model=RunOut)
def withdraw_scan(run: RUN, operator: Operator, services: ServicesOf) -> dict[str, Any]:
    """Take a run out of the queue. One that began cannot be."""
    del operator
    return run_out(services.runs.withdraw(run))


@router.get("/schedules", response_model=ScheduleList)
def list_schedules(reader: Reader, services: ServicesOf, pages: Pages) -> Any:
    """The schedules, by name."""
    del reader
    return pages.cut(services.schedules.all(), lambda one: (one.name, ""), schedule_out)


@router.post("/schedules", status_code=201, response_model=ScheduleOut)
def add_schedule(
    schedule: ScheduleRequest, operator: Operator, services: ServicesOf, response: Response
) -> dict[str, Any]:
    """Scan these targets whenever the cron text says so: five fields, in UTC."""
    scope = _scope(schedule, services.settings)
    targets_of(scope)
    added = services.schedules.add(schedule.name, scope, schedule.cron, operator.name)
    services.clock.wake()
    response.headers["Location"] = f"/api/v1/schedules/{added.name}"
    return schedule_out(added)


@router.get("/schedules/{name:path}", response_model=ScheduleOut)
def one_schedule(name: NAME, reader: Reader, services: ServicesOf) -> dict[str, Any]:
    """One schedule."""
    del reader
    return schedule_out(services.schedules.get(name))


@router.patch("/schedules/{name:path}", response_model=ScheduleOut)
def enable_schedule(name: NAME, change: ScheduleChange, operator: Operator, services: ServicesOf) -> dict[str, Any]:
    """Pause a schedule, or let it go on."""
    del operator
    changed = services.schedules.enable(name, enabled=change.enabled)
    services.clock.wake()
    return schedule_out(changed)


@router.delete("/schedules/{name:path}", status_code=204)
def remove_schedule(name: NAME, operator: Operator, services: ServicesOf) -> None:
    """Remove a schedule. Its runs stay."""
    del operator
    services.schedules.remove(name)
    services.clock.wake()


def _scope(scan: ScanRequest, settings: Settings) -> Scope:
    return Scope(
        targets=tuple(scan.targets),
        space=scan.space,
        exclude=tuple(scan.exclude),
        address_map=tuple(scan.address_map),
        snmp_port=scan.snmp_port or settings.snmp_port,
        ssh_port=scan.ssh_port or settings.ssh_port,
        confirmed=scan.confirmed,
    )


def run_out(run: Run) -> dict[str, Any]:
    """A run as JSON."""
    times = {name: getattr(run, name) for name in ("requested", "started", "ended")}
    return {
        "id": run.id,
        "kind": run.kind,
        "state": run.state.value,
        "targets": list(run.scope.targets),
        "exclude": list(run.scope.exclude),
        "space": run.scope.space,
        "requested_by": run.requested_by,
        **{name: None if time is None else time_out(time) for name, time in times.items()},
        "done": run.done,
        "total": run.total,
        "counts": dict(run.counts),
        "error": run.error,
    }


def ledger_row(row: LedgerRow) -> dict[str, Any]:
    """A row of the ledger as JSON."""
    return {
        "address": row.address,
        "section": row.section,
        "outcome": row.outcome,
        "completeness": row.completeness,
        "at": time_out(row.at),
        "duration_s": row.duration_s,
        "counts": dict(row.counts),
        "error": row.error,
    }


def schedule_out(schedule: Schedule) -> dict[str, Any]:
    """A schedule as JSON."""
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "enabled": schedule.enabled,
        "targets": list(schedule.scope.targets),
        "exclude": list(schedule.scope.exclude),
        "space": schedule.scope.space,
        "created_by": schedule.created_by,
        "created": time_out(schedule.created),
        "due": time_out(schedule.due),
    }
