"""A scan that says what the test wrote, and a graph that takes it or does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cmdb.model import Completeness, Component, Report, RunSection, Section, Statement, Subject
from discovery.collect import Step
from discovery.host_report import HostReport, Outcome
from discovery.ports import CredentialSource, EvidenceSink, HostKeys
from discovery.scan import ScanSettings
from discovery.targets import Targets

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def answering(address: str, name: str = "sw1", *problems: str) -> HostReport:
    section = Section(
        "snmp.system",
        NOON,
        Completeness.PARTIAL if problems else Completeness.FULL,
        (Statement(Subject(name=name, itself=True), {}, (Component("interface", "eth0"),)),),
        problem="; ".join(problems) or None,
    )
    outcome = Outcome.PARTIAL if problems else Outcome.COLLECTED
    report = Report(address, NOON, (section,), port=161)
    steps = (Step("snmp.system", "get", section.completeness, 1, 0.25),)
    return HostReport("default", address, outcome, report, steps, problems, name, "generic_snmp", 0.5)


def silent(address: str) -> HostReport:
    return HostReport("default", address, Outcome.SILENT)


def failed(address: str) -> HostReport:
    return HostReport("default", address, Outcome.FAILED, problems=("Traceback: a mistake of ours",))


@dataclass
class Scripted:
    """Yields its reports; before one, it may do something, such as wait. `cancelled` is set by `cancel`."""

    script: Sequence[HostReport]
    before: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    given_up: tuple[str, ...] = ()
    cancelled: threading.Event = field(default_factory=threading.Event)
    targets: Targets | None = None
    run: str | None = None

    def __call__(
        self,
        targets: Targets,
        settings: ScanSettings,
        credentials: CredentialSource,
        host_keys: HostKeys,
        evidence: EvidenceSink | None,
        *,
        run: str | None,
    ) -> Scripted:
        del settings, credentials, host_keys, evidence  # nothing is dialled
        self.targets, self.run = targets, run
        return self

    def __iter__(self) -> Iterator[HostReport]:
        for report in self.script:
            self.before.get(report.address, lambda: None)()
            if self.cancelled.is_set():
                return
            yield report

    def cancel(self) -> None:
        self.cancelled.set()

    @property
    def problems(self) -> tuple[str, ...]:
        return self.given_up


@dataclass
class Taken:
    """A graph that remembers what it was told, and raises what the test says for an address."""

    raises: Mapping[str, BaseException] = field(default_factory=dict)
    at_the_end: Exception | None = None
    reports: list[str] = field(default_factory=list)
    covered: list[RunSection] = field(default_factory=list)
    ticks: int = 0
    trimmed: list[timedelta] = field(default_factory=list)

    def absorb(self, report: Report, actor: str = "discovery") -> None:
        assert actor == "discovery"
        if report.source in self.raises:
            raise self.raises[report.source]
        self.reports.append(report.source)

    def close_run(self, run: RunSection) -> None:
        if self.at_the_end is not None:
            raise self.at_the_end
        self.covered.append(run)

    def tick(self) -> None:
        self.ticks += 1

    def trim(self, before: timedelta) -> int:
        self.trimmed.append(before)
        return 0
