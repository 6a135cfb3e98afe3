"""Schedules: `scan NETWORKS at CRON`. What stands here is the truth; the clock of a server only follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cmdb.codec import time_in, time_out
from operations.database import Database, Row, Writing
from operations.errors import AlreadyThere, NotKnown, OperationsError
from operations.runs import Scope, insert_queued

NextTime = Callable[[str, datetime], datetime]
"""The first time after this one that a cron text means, in UTC; raises OperationsError for a text that means none."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """`cron`: five fields, in UTC. `due`: when it is to run next; one that is past was missed, and is made up for."""

    id: int
    name: str
    scope: Scope
    cron: str
    enabled: bool
    created_by: str
    created: datetime
    due: datetime


class Schedules:
    def __init__(self, database: Database, clock: Callable[[], datetime], next_time: NextTime) -> None:
        self._database = database
        self._clock = clock
        self._next_time = next_time

    def add(self, name: str, scope: Scope, cron: str, by: str) -> Schedule:
        """Raises OperationsError for a cron text that means no time, AlreadyThere."""
        name, cron, now = name.strip(), " ".join(cron.split()), self._clock()
        if not name:
            raise OperationsError("a schedule needs a name")
        due = self._next_time(cron, now)
        try:
            with self._database.write() as writing:
                writing.run(
                    "INSERT INTO schedules (name, scope, cron, enabled, created_by, created, due)"
                    " VALUES (:name, :scope, :cron, 1, :by, :now, :due)",
                    name=name,
                    scope=scope.text(),
                    cron=cron,
                    by=by,
                    now=time_out(now),
                    due=time_out(due),
                )
        except AlreadyThere as error:
            raise AlreadyThere(
                f"there is a schedule {name!r} already: remove it first, or take another name"
            ) from error
        return self.get(name)

    def all(self) -> list[Schedule]:
        return [_schedule(row) for row in self._database.rows("SELECT * FROM schedules ORDER BY name")]

    def get(self, name: str) -> Schedule:
        """Raises NotKnown."""
        return _schedule(_one(self._database.rows("SELECT * FROM schedules WHERE name = :name", name=name), name))

    def remove(self, name: str) -> Schedule:
        """Remove a schedule; its runs stay. Raises NotKnown."""
        with self._database.write() as writing:
            rows = writing.rows("DELETE FROM schedules WHERE name = :name RETURNING *", name=name)
        return _schedule(_one(rows, name))

    def enable(self, name: str, *, enabled: bool) -> Schedule:
        """Pause a schedule, or go on from now: what a pause missed is not made up for. Raises NotKnown."""
        found = self.get(name)
        due = self._next_time(found.cron, self._clock())
        with self._database.write() as writing:
            writing.run(
                "UPDATE schedules SET enabled = :enabled, due = :due WHERE name = :name",
                enabled=int(enabled),
                due=time_out(due),
                name=name,
            )
        return self.get(name)

    def fire(self, schedule: int) -> str | None:
        """Queue the run of a schedule that is due, and say when the next is; both or neither.

        Returns the run's id. None: it is gone, paused, not due any more (another process fired it), or its last run has
        not ended yet, for a scan must not chase itself.
        """
        now = self._clock()
        with self._database.write() as writing:
            rows = writing.rows("SELECT * FROM schedules WHERE id = :id AND enabled = 1", id=schedule)
            if not rows or (found := _schedule(rows[0])).due > now:
                return None
            writing.run(
                "UPDATE schedules SET due = :due WHERE id = :id",
                due=time_out(self._next_time(found.cron, now)),
                id=schedule,
            )
            if _is_busy(writing, schedule):
                return None
            return insert_queued(writing, found.scope, f"schedule {found.name}", now, schedule=schedule)


def _is_busy(writing: Writing, schedule: int) -> bool:
    return bool(
        writing.rows(
            "SELECT id FROM runs WHERE schedule = :schedule AND state IN ('queued', 'running') LIMIT 1",
            schedule=schedule,
        )
    )


def _one(rows: list[Row], name: str) -> Row:
    if not rows:
        raise NotKnown(f"there is no schedule {name!r}")
    return rows[0]


def _schedule(row: Row) -> Schedule:
    return Schedule(
        row["id"],
        row["name"],
        Scope.read(row["scope"]),
        row["cron"],
        bool(row["enabled"]),
        row["created_by"],
        time_in(row["created"]),
        time_in(row["due"]),
    )
