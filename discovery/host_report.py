"""How a scan of one address ended: a value, whatever happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cmdb.model import Report
from discovery.collect import Step


class Outcome(StrEnum):
    """`SILENT` and `CLOSED` make no report: nobody is there, or nobody who speaks SNMP or SSH.

    `REFUSED`: it answers, and no credential opens it. `PARTIAL`: some section is not whole (one that was denied for
    want of root is). `FAILED`: our own mistake; the problems hold the traceback.
    """

    COLLECTED = "collected"
    PARTIAL = "partial"
    REFUSED = "refused"
    SILENT = "silent"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HostReport:
    """`report` is the sighting to absorb; `problems` say in words what went wrong, `steps` what was asked."""

    space: str
    address: str
    outcome: Outcome
    report: Report | None = None
    steps: tuple[Step, ...] = ()
    problems: tuple[str, ...] = ()
    name: str | None = None
    family: str | None = None
    duration_s: float = 0.0

    @property
    def is_a_problem(self) -> bool:
        """Whether somebody should look: it answered, and something went wrong."""
        return self.outcome in {Outcome.PARTIAL, Outcome.REFUSED, Outcome.FAILED} or bool(self.problems)
