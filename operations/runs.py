"""Runs and their ledger: what was asked for, who works on it, how it ended, what became of each host and section."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from cmdb.codec import time_in, time_out
from cmdb.model import DEFAULT_SPACE
from operations.database import Database, Row, Writing
from operations.errors import NotKnown, RunRefused
from operations.processes import Process

STALE_ELSEWHERE = timedelta(minutes=2)
"""A run whose process cannot be seen from here counts as lost when it was silent for so long."""
STALE_HERE = timedelta(minutes=10)
"""A run whose process lives counts as lost when it was silent for so long: its thread died."""

NO_COUNTS: Mapping[str, int] = MappingProxyType({})


class RunState(StrEnum):
    """`done`: all went well. `problems`: it went through, and something wants a person. `interrupted`: it was ended or
    its process died. `failed`: it could not go on, or nothing could be stored."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    PROBLEMS = "problems"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self not in {RunState.QUEUED, RunState.RUNNING}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scan is to cover, as people write it (`discovery.targets`); `address_map` holds SITE=DIALLED texts.

    `confirmed`: somebody said that so many addresses are meant.
    """

    targets: tuple[str, ...]
    space: str = DEFAULT_SPACE
    exclude: tuple[str, ...] = ()
    address_map: tuple[str, ...] = ()
    snmp_port: int = 161
    ssh_port: int = 22
    confirmed: bool = False

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Scope:
        row = json.loads(text)
        lists = {name: tuple(row[name]) for name in ("targets", "exclude", "address_map")}
        return cls(**{**row, **lists})


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `done` of `total` addresses are finished; `counts` says how many ended with which outcome."""

    id: str
    kind: str
    scope: Scope
    state: RunState
    requested_by: str
    requested: datetime
    schedule: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    heartbeat: datetime | None = None
    done: int = 0
    total: int = 0
    counts: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What became of one section of one address; `section` is empty for the address as a whole."""

    address: str
    section: str
    outcome: str
    at: datetime
    duration_s: float = 0.0
    completeness: str | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: NO_COUNTS)
    error: str | None = None


class Runs:
    def __init__(self, database: Database, clock: Callable[[], datetime], me: Process | None = None) -> None:
        self._database = database
        self._clock = clock
        self._me = me or Process.this()

    def request(self, scope: Scope, by: str, kind: str = "scan") -> Run:
        """Queue a run for the worker of a server."""
        with self._database.write() as writing:
            run = insert_queued(writing, scope, by, self._clock(), kind=kind)
        return self.get(run)

    def begin(self, scope: Scope, by: str, kind: str = "scan") -> Run:
        """Make a run of this process, which works on it at once: no worker ever sees it queued."""
        with self._database.write() as writing:
            run = insert_queued(writing, scope, by, self._clock(), kind=kind)
            self._take(writing, run)
        return self.get(run)

    def take(self) -> Run | None:
        """The run that was queued first, which now is this process' to work on; None where nothing is queued."""
        self.mend()
        with self._database.write() as writing:
            rows = writing.rows("SELECT id FROM runs WHERE state = 'queued' ORDER BY requested, id LIMIT 1")
            if not rows:
                return None
            self._take(writing, rows[0]["id"])
        return self.get(rows[0]["id"])

    def beat(self, run: str, done: int, total: int, counts: Mapping[str, int]) -> None:
        """Say that the run lives, and how far it is. One that was thought lost lives again. Raises RunRefused."""
        self._mine(
            run,
            "SET state = 'running', heartbeat = :now, ended = NULL, error = NULL, done = :done, total = :total,"
            " counts = :counts",
            done=done,
            total=total,
            counts=json.dumps(dict(counts)),
        )

    def close(
        self, run: str, state: RunState, done: int, total: int, counts: Mapping[str, int], error: str | None = None
    ) -> Run:
        """End a run of this process. Raises RunRefused."""
        self._mine(
            run,
            "SET state = :state, heartbeat = :now, ended = :now, done = :done, total = :total, counts = :counts,"
            " error = :error",
            state=state.value,
            done=done,
            total=total,
            counts=json.dumps(dict(counts)),
            error=error,
        )
        return self.get(run)

    def withdraw(self, run: str) -> Run:
        """Take a run out of the queue. Raises NotKnown, and RunRefused where it began already."""
        with self._database.write() as writing:
            changed = writing.run(
                "UPDATE runs SET state = 'interrupted', ended = :now, error = 'taken out of the queue'"
                " WHERE id = :run AND state = 'queued'",
                now=time_out(self._clock()),
                run=run,
            )
        found = self.get(run)
        if not changed:
            raise RunRefused(f"run {run} is {found.state}: only a queued run can be taken out")
        return found

    def get(self, run: str) -> Run:
        """Raises NotKnown."""
        self.mend()
        rows = self._database.rows("SELECT * FROM runs WHERE id = :run", run=run)
        if not rows:
            raise NotKnown(f"there is no run {run!r}")
        return _run(rows[0])

    def newest(self, limit: int = 50, before: str | None = None) -> list[Run]:
        """The newest first; `before` is the id of the last run seen. Runs whose process died show as interrupted."""
        self.mend()
        rows = self._database.rows(
            "SELECT * FROM runs WHERE (:before = '' OR id < :before) ORDER BY id DESC LIMIT :limit",
            before=before or "",
            limit=limit,
        )
        return [_run(row) for row in rows]

    def record(self, run: str, rows: Sequence[LedgerRow]) -> None:
        """Write what became of an address; a second time replaces the first."""
        with self._database.write() as writing:
            writing.run_many(
                "INSERT INTO ledger (run, address, section, outcome, completeness, at, duration_s, counts, error)"
                " VALUES (:run, :address, :section, :outcome, :completeness, :at, :duration_s, :counts, :error)"
                " ON CONFLICT (run, address, section) DO UPDATE SET outcome = excluded.outcome,"
                " completeness = excluded.completeness, at = excluded.at, duration_s = excluded.duration_s,"
                " counts = excluded.counts, error = excluded.error",
                [
                    {**_row_values(row), "run": run, "at": time_out(row.at), "counts": json.dumps(dict(row.counts))}
                    for row in rows
                ],
            )

    def ledger(self, run: str, limit: int = 1000, after: tuple[str, str] = ("", "")) -> list[LedgerRow]:
        """The rows of a run, ordered by address and section as text; `after` is the (address, section) last seen."""
        rows = self._database.rows(
            "SELECT * FROM ledger WHERE run = :run"
            " AND (address > :address OR (address = :address AND section > :section))"
            " ORDER BY address, section LIMIT :limit",
            run=run,
            address=after[0],
            section=after[1],
            limit=limit,
        )
        return [_ledger(row) for row in rows]

    def mend(self) -> tuple[str, ...]:
        """Show the runs whose process is gone as interrupted; returns which were found now."""
        now = self._clock()
        running = self._database.rows("SELECT id, worker, heartbeat FROM runs WHERE state = 'running'")
        lost = [row for row in running if self._is_lost(row, now)]
        if not lost:
            return ()
        with self._database.write() as writing:
            writing.run_many(
                "UPDATE runs SET state = 'interrupted', ended = :ended, error = :error"
                " WHERE id = :id AND state = 'running' AND worker = :worker AND heartbeat = :heartbeat",
                [
                    {**row, "ended": row["heartbeat"], "error": "the process that worked on it ended half-way"}
                    for row in lost
                ],
            )
        return tuple(row["id"] for row in lost)

    def _is_lost(self, row: Row, now: datetime) -> bool:
        is_there = Process.read(row["worker"]).is_there(self._me)
        silent = now - time_in(row["heartbeat"])
        if is_there is None:
            return silent > STALE_ELSEWHERE
        return not is_there or silent > STALE_HERE

    def _take(self, writing: Writing, run: str) -> None:
        writing.run(
            "UPDATE runs SET state = 'running', worker = :worker, started = :now, heartbeat = :now WHERE id = :run",
            worker=self._me.text(),
            now=time_out(self._clock()),
            run=run,
        )

    def _mine(self, run: str, change: str, **values: object) -> None:
        with self._database.write() as writing:
            changed = writing.run(
                f"UPDATE runs {change} WHERE id = :run AND worker = :worker AND state IN ('running', 'interrupted')",
                run=run,
                worker=self._me.text(),
                now=time_out(self._clock()),
                **values,
            )
        if not changed:
            raise RunRefused(f"run {run} is not being worked on by this process")


def insert_queued(
    writing: Writing, scope: Scope, by: str, now: datetime, kind: str = "scan", schedule: int | None = None
) -> str:
    """Write a queued run in a transaction of somebody else; returns its id, which sorts by time."""
    run = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}-{secrets.token_hex(3)}"
    writing.run(
        "INSERT INTO runs (id, kind, scope, space, state, schedule, requested_by, requested, done, total, counts)"
        " VALUES (:run, :kind, :scope, :space, 'queued', :schedule, :by, :now, 0, 0, '{}')",
        run=run,
        kind=kind,
        scope=scope.text(),
        space=scope.space,
        schedule=schedule,
        by=by,
        now=time_out(now),
    )
    return run


def _row_values(row: LedgerRow) -> dict[str, object]:
    return {
        "address": row.address,
        "section": row.section,
        "outcome": row.outcome,
        "completeness": row.completeness,
        "duration_s": row.duration_s,
        "error": row.error,
    }


def _run(row: Row) -> Run:
    return Run(
        row["id"],
        row["kind"],
        Scope.read(row["scope"]),
        RunState(row["state"]),
        row["requested_by"],
        time_in(row["requested"]),
        row["schedule"],
        _time(row["started"]),
        _time(row["ended"]),
        _time(row["heartbeat"]),
        row["done"],
        row["total"],
        json.loads(row["counts"]),
        row["error"],
    )


def _ledger(row: Row) -> LedgerRow:
    return LedgerRow(
        row["address"],
        row["section"],
        row["outcome"],
        time_in(row["at"]),
        row["duration_s"],
        row["completeness"],
        json.loads(row["counts"]),
        row["error"],
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else time_in(text)
