"""One scan as a run: the glue that the command line, the scheduler and the API share.

For each host in this order: its evidence is on disk (discovery writes it before it reports), then the graph is told,
then the ledger. Whatever dies in between, the next run ends right: absorbing is idempotent, and nothing spans two
databases.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Protocol, TypeAlias

from cmdb.model import ModelError, Report, RunSection, Section
from cmdb.store.base import StoreError, StoreUnavailable
from discovery.host_report import HostReport, Outcome
from discovery.ports import CredentialSource, EvidenceSink, HostKeys
from discovery.scan import ScanSettings
from discovery.scan import scan as discover
from discovery.targets import AddressMap, Network, Targets, read_targets
from operations.runs import LedgerRow, Run, Runs, RunState, Scope

if TYPE_CHECKING:
    from cmdb.inventory import Absorbed

NOT_STORED = "not_stored"
"""The outcome of an address whose report the store did not take."""

WAITS = "waits"
"""The outcome of a section that would end something: it is taken in, or parked, when the run ends."""
PARKED = "parked"
"""The outcome of a section that would end too much: a person is asked."""

_POLL_S = 0.2
_BEAT_S = 5.0
_LEDGER_ROWS = 200
_WAITING_REPORTS = 64
_STORE_FAILURES = 3


class Told(Protocol):
    """Whom a scan tells what it found: `cmdb.inventory.Inventory`."""

    def absorb(self, report: Report, actor: str = "discovery") -> Absorbed | None: ...

    def close_run(self, run: RunSection) -> Absorbed | None: ...


class Underway(Protocol):
    """A scan that runs while it is iterated over: `discovery.scan.Scan`."""

    def __iter__(self) -> Iterator[HostReport]: ...

    def cancel(self) -> None: ...

    @property
    def problems(self) -> tuple[str, ...]: ...


class BeginScan(Protocol):
    """`discovery.scan.scan`."""

    def __call__(
        self,
        targets: Targets,
        settings: ScanSettings,
        credentials: CredentialSource,
        host_keys: HostKeys,
        evidence: EvidenceSink | None,
        *,
        run: str | None,
    ) -> Underway: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """One address is finished: the `done`th of `total`. `problems` are words for people."""

    run: str
    done: int
    total: int
    address: str
    outcome: str
    name: str | None
    problems: tuple[str, ...] = ()


_Ended: TypeAlias = tuple[RunState, str | None]


@dataclass(frozen=True, slots=True)
class Scanner:
    """What every scan needs. `credentials` opens those of the moment; `host_keys` gives those of an address space."""

    runs: Runs
    inventory: Told
    credentials: Callable[[], CredentialSource]
    host_keys: Callable[[str], HostKeys]
    evidence: EvidenceSink
    clock: Callable[[], datetime]
    settings: ScanSettings = field(default_factory=ScanSettings)
    begin: BeginScan = discover

    def work(self, run: Run) -> ScanRun:
        """The scan of a run that this process has taken; iterate over it once."""
        return ScanRun(run, self)


def targets_of(scope: Scope) -> Targets:
    """What a scope means now (names are resolved). Raises discovery's TargetError: ask before a run is made."""
    return read_targets(
        scope.targets,
        exclude=scope.exclude,
        space=scope.space,
        snmp_port=scope.snmp_port,
        ssh_port=scope.ssh_port,
        address_map=AddressMap.read(scope.address_map),
        confirmed=scope.confirmed,
    )


class ScanRun:
    """Iterating scans, and yields a Progress for each address. However that ends, the run is closed.

    A host's failure is a row of the ledger. What concerns all of it (no key, targets that cannot be read) closes the
    run as failed and raises. `cancel` may be called from any thread or signal handler.
    """

    def __init__(self, run: Run, scanner: Scanner) -> None:
        self._run = run
        self._with = scanner
        self._cancelled = threading.Event()
        self._done = self._total = 0
        self._counts: Counter[str] = Counter()
        self._problems = 0
        self._not_covered: list[str] = []
        self._store_error = ""
        self._rows: list[LedgerRow] = []
        self._waiting: dict[tuple[str, str], LedgerRow] = {}
        self._beaten = time.monotonic()

    @property
    def run(self) -> str:
        return self._run.id

    def cancel(self) -> None:
        """End at once: the run is closed as interrupted, and what is under way at hosts is dropped."""
        self._cancelled.set()

    def __iter__(self) -> Generator[Progress, None, None]:
        try:
            ended = yield from self._scanned()
        except (GeneratorExit, KeyboardInterrupt, SystemExit):
            self._close(RunState.INTERRUPTED, "stopped")
            raise
        except Exception as error:
            self._close(RunState.FAILED, str(error) or type(error).__name__)
            raise
        self._close(*ended)

    def _scanned(self) -> Generator[Progress, None, _Ended]:
        targets = targets_of(self._run.scope)
        self._total = len(targets)
        scan = self._with.begin(
            targets,
            self._with.settings,
            self._with.credentials(),
            self._with.host_keys(targets.space),
            self._with.evidence,
            run=self._run.id,
        )
        self._beat()
        in_a_row = 0
        with closing(_reports(scan)) as reports:
            for host in reports:
                if self._cancelled.is_set():
                    return RunState.INTERRUPTED, "stopped"
                if time.monotonic() - self._beaten >= _BEAT_S:
                    self._beat()
                if host is None:
                    continue
                error = self._absorb(host)
                in_a_row = in_a_row + 1 if isinstance(error, StoreUnavailable) else 0
                yield self._note(host, error)
                if in_a_row >= _STORE_FAILURES:
                    return RunState.FAILED, f"{self._not_stored()}; gave up: {error}"
        return self._finish(targets, scan.problems)

    def _absorb(self, host: HostReport) -> Exception | None:
        """Tell the graph. What one host's report does to it is that host's failure alone."""
        if host.report is None:
            return None
        try:
            taken = self._with.inventory.absorb(host.report)
        except Exception as error:  # noqa: BLE001 - around one host; it is kept in the ledger, and the run says so
            return error
        if taken is not None and taken.waits:
            now = self._with.clock()
            names = {loss.section for loss in taken.waits}
            rows = [_section_row(host, one, now) for one in host.report.sections if one.name in names]
            self._waiting |= {(row.address, row.section): row for row in rows}
        return None

    def _note(self, host: HostReport, error: Exception | None) -> Progress:
        """Count the host, and write its ledger rows: those of one who said something at once, the others in batches."""
        outcome = host.outcome.value if error is None else NOT_STORED
        problems = host.problems if error is None else (*host.problems, _told(error))
        self._done += 1
        self._counts[outcome] += 1
        if error is not None or host.outcome is Outcome.FAILED:
            self._not_covered.append(host.address)
        if error is not None:
            self._store_error = self._store_error or str(error) or type(error).__name__
        if error is not None or host.is_a_problem:
            self._problems += 1
        now = self._with.clock()
        counts = {"sections": len(host.report.sections)} if host.report is not None else {}
        told = "\n".join(problems) or None
        self._rows.append(LedgerRow(host.address, "", outcome, now, host.duration_s, None, counts, told))
        if host.report is not None:
            rows = [_section_row(host, section, now) for section in host.report.sections]
            self._rows += [_waits(row) if (row.address, row.section) in self._waiting else row for row in rows]
        if host.report is not None or len(self._rows) >= _LEDGER_ROWS:
            self._flush()
        return Progress(self._run.id, self._done, self._total, host.address, outcome, host.name, problems)

    def _finish(self, targets: Targets, problems: Sequence[str]) -> _Ended:
        """Say what was covered: the addresses where it was found out who answers, and stored."""
        covered = _without(targets.networks, self._not_covered)
        words = [*problems]
        try:
            taken = self._with.inventory.close_run(
                RunSection(self._run.id, targets.space, covered, self._with.clock(), complete=True)
            )
        except (ModelError, StoreError) as error:
            words.append(f"what the run covered could not be stored: {error}")
        else:
            words += self._judged(taken)
        if self._counts[NOT_STORED]:
            words.append(f"{self._not_stored()}: {self._store_error}")
        if self._problems:
            words.insert(0, f"{self._problems} of {self._total} addresses ended in a problem")
        return RunState.PROBLEMS if words else RunState.DONE, "; ".join(words) or None

    def _judged(self, taken: Absorbed | None) -> Iterator[str]:
        """Say in the ledger what became of the sections that waited, and in words what a person is asked."""
        parked = {
            (one.report.source, loss.section): len(loss.claims)
            for one in (() if taken is None else taken.parked)
            for loss in one.losses
        }
        for place, row in self._waiting.items():
            if place in parked and taken is not None:
                told = f"it would end {parked[place]} claims; {taken.question} waits for an answer"
                row = replace(row, outcome=PARKED, error=told)  # noqa: PLW2901 - the same row, as it ended
            self._rows.append(row)
        self._flush()
        if taken is not None and taken.question is not None:
            ends = [f"{sum(parked.values())} claims would end"] if parked else []
            silent = [f"{len(taken.silent)} devices would be missing"] if taken.silent else []
            yield f"{taken.question} waits for an answer: {', '.join(ends + silent)}"

    def _not_stored(self) -> str:
        shown = ", ".join(self._not_covered[:10])
        more = len(self._not_covered) - 10
        return f"not stored: {shown}{f' and {more} more' if more > 0 else ''}"

    def _beat(self) -> None:
        self._beaten = time.monotonic()
        self._with.runs.beat(self._run.id, self._done, self._total, self._counts)

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        self._with.runs.record(self._run.id, rows)

    def _close(self, state: RunState, error: str | None) -> None:
        self._flush()
        self._with.runs.close(self._run.id, state, self._done, self._total, self._counts, error)


def _reports(scan: Underway) -> Generator[HostReport | None, None, None]:
    """The reports of a scan, and None now and then while none comes; closing it cancels the scan.

    The scan runs on a thread of its own, so that a slow host keeps nobody from noticing a cancellation.
    """
    waiting: queue.Queue[HostReport | _End] = queue.Queue(_WAITING_REPORTS)
    dropped = threading.Event()
    threading.Thread(target=_feed, args=(scan, waiting, dropped), name="scan", daemon=True).start()
    try:
        while True:
            try:
                found = waiting.get(timeout=_POLL_S)
            except queue.Empty:
                yield None
                continue
            if isinstance(found, _End):
                if found.error is not None:
                    raise found.error
                return
            yield found
    finally:
        dropped.set()
        scan.cancel()


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None = None


def _feed(scan: Underway, waiting: queue.Queue[HostReport | _End], dropped: threading.Event) -> None:
    end = _End()
    try:
        for report in scan:
            if not _put(waiting, report, dropped):
                return
    except Exception as error:  # noqa: BLE001 - it is raised on the thread that waits
        end = _End(error)
    _put(waiting, end, dropped)


def _put(waiting: queue.Queue[HostReport | _End], item: HostReport | _End, dropped: threading.Event) -> bool:
    """Put it, waiting while the graph is slower than the scan; False where nobody wants it any more."""
    while not dropped.is_set():
        try:
            waiting.put(item, timeout=_POLL_S)
        except queue.Full:
            continue
        return True
    return False


def _section_row(host: HostReport, section: Section, now: datetime) -> LedgerRow:
    counts = {
        "statements": len(section.statements),
        "components": sum(len(statement.components) for statement in section.statements),
        "relations": len(section.relations),
    }
    duration_s = sum(step.duration_s for step in host.steps if step.section == section.name)
    state = section.completeness.value
    return LedgerRow(host.address, section.name, state, now, duration_s, state, counts, section.problem)


def _waits(row: LedgerRow) -> LedgerRow:
    return replace(row, outcome=WAITS, error="it would end something: taken in, or parked, when the run ends")


def _told(error: Exception) -> str:
    """What people need: the message of an error of ours, the traceback of a mistake of ours."""
    if isinstance(error, ModelError | StoreError):
        return f"not stored: {error}"
    return "not stored: " + "".join(traceback.format_exception(error)).rstrip()


def _without(networks: Sequence[str], addresses: Sequence[str]) -> tuple[str, ...]:
    """The networks less single addresses, as the fewest networks."""
    left: list[Network] = [ip_network(text) for text in networks]
    for text in addresses:
        address = ip_network(text)
        left = [part for network in left for part in _cut(network, address)]
    return tuple(str(network) for network in sorted(left, key=lambda network: (network.version, network)))


def _cut(network: Network, address: Network) -> Iterator[Network]:
    match network, address:
        case IPv4Network() as whole, IPv4Network() as part if part.subnet_of(whole):
            yield from whole.address_exclude(part)
        case IPv6Network() as whole, IPv6Network() as part if part.subnet_of(whole):
            yield from whole.address_exclude(part)
        case _:
            yield network
