"""Scans targets: sweeps them, visits who answers, a few at once, and yields a HostReport for every address.

Nothing raises through it. Traffic is bounded: so many hosts at once over all, so many in one network, one protocol
after the other at one host, a deadline for each host.
"""

from __future__ import annotations

import ipaddress
import math
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from discovery.credentials import Attempts
from discovery.dialling import RealDialler
from discovery.family import Family, load_families
from discovery.host import Signs, Surroundings, communities, scan_host
from discovery.host_report import HostReport, Outcome
from discovery.ports import Clock, CredentialSource, Dialler, EvidenceSink, HostKeys
from discovery.targets import Target, Targets
from discovery.transport.base import SnmpCommunity


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """How hard a scan presses. `per_network` counts hosts in one /24 (IPv4) or /64 (IPv6)."""

    hosts_at_once: int = 16
    per_network: int = 12
    host_deadline_s: float = 300.0
    addresses_per_sweep: int = 1024


def _now() -> datetime:
    return datetime.now(UTC)


class Scan:
    """One run over some targets. Iterate over it once; `cancel` may be called from any thread or signal handler."""

    def __init__(
        self,
        targets: Targets,
        settings: ScanSettings,
        credentials: CredentialSource,
        host_keys: HostKeys,
        evidence: EvidenceSink | None = None,
        *,
        run: str | None = None,
        dialler: Dialler | None = None,
        families: tuple[Family, ...] | None = None,
        clock: Clock = _now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._targets = targets
        self._settings = settings
        self._cancelled = threading.Event()
        self._attempts = Attempts(credentials)
        self._dialler = dialler or RealDialler()

        def seconds() -> float:
            """Past every deadline once the scan is cancelled: what runs then ends at its next question."""
            return math.inf if self._cancelled.is_set() else monotonic()

        self._around = Surroundings(
            targets, families if families is not None else load_families(), self._attempts, host_keys, self._dialler,
            evidence, clock, run, settings.host_deadline_s, seconds,
        )  # fmt: skip

    def cancel(self) -> None:
        """Begin nothing more, and end soon. Addresses that were not reached get no report."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def problems(self) -> tuple[str, ...]:
        """What concerns the run and no single host: credentials that were given up."""
        return tuple(self._attempts.problems)

    def __iter__(self) -> Iterator[HostReport]:
        addresses = iter(self._targets)
        try:
            while batch := list(islice(addresses, self._settings.addresses_per_sweep)):
                if self._cancelled.is_set():
                    return
                yield from self._visit(self._sweep(batch))
        finally:
            self._cancelled.set()

    def _sweep(self, batch: list[Target]) -> list[Signs]:
        """Ask all of them over SNMP, and knock at their SSH ports, at the same time."""
        snmp = {target: self._targets.endpoint(target.address, target.snmp_port) for target in batch}
        ssh = {target: self._targets.endpoint(target.address, target.ssh_port) for target in batch}
        probes = [(endpoint, self._communities(target)) for target, endpoint in snmp.items()]
        with ThreadPoolExecutor(1, "knock") as pool:
            knocking = pool.submit(self._dialler.knock, list(ssh.values()))
            answered = {answer.endpoint: answer for answer in self._dialler.sweep(probes)}
            knocked = {knock.endpoint: knock for knock in knocking.result()}
        return [Signs(target, answered.get(snmp[target]), knocked.get(ssh[target])) for target in batch]

    def _communities(self, target: Target) -> tuple[SnmpCommunity, ...]:
        bound = self._attempts.candidates(self._targets.space, target.address, "snmp")
        given = [each.credential for each in bound if isinstance(each.credential, SnmpCommunity)]
        return tuple(dict.fromkeys(form for credential in given for form in communities(credential)))

    def _visit(self, signs: Iterable[Signs]) -> Iterator[HostReport]:
        """Visit those who answered, each on a thread of its own that dies with the process."""
        waiting: deque[Signs] = deque()
        for each in signs:
            if each.speaks_snmp or each.speaks_ssh:
                waiting.append(each)
            else:
                yield scan_host(each, self._around)
        done: queue.SimpleQueue[tuple[str, HostReport]] = queue.SimpleQueue()
        busy: Counter[str] = Counter()
        while (waiting or busy.total()) and not self._cancelled.is_set():
            self._begin(waiting, busy, done)
            try:
                network, report = done.get(timeout=0.2)
            except queue.Empty:
                continue
            busy[network] -= 1
            yield report

    def _begin(
        self, waiting: deque[Signs], busy: Counter[str], done: queue.SimpleQueue[tuple[str, HostReport]]
    ) -> None:
        """Start as many as may run. One whose network is full waits, and lets the others pass."""
        for _ in range(len(waiting)):
            if busy.total() >= self._settings.hosts_at_once:
                return
            each = waiting.popleft()
            network = _network(each.target.address)
            if busy[network] >= self._settings.per_network:
                waiting.append(each)
                continue
            busy[network] += 1
            threading.Thread(
                target=lambda each=each, network=network: done.put((network, scan_host(each, self._around))),
                name=f"scan {each.target.address}", daemon=True,
            ).start()  # fmt: skip


def scan(
    targets: Targets,
    settings: ScanSettings,
    credentials: CredentialSource,
    host_keys: HostKeys,
    evidence: EvidenceSink | None = None,
    *,
    run: str | None = None,
    dialler: Dialler | None = None,
    families: tuple[Family, ...] | None = None,
    clock: Clock = _now,
) -> Scan:
    """Make a scan; iterating over it runs it. A HostReport comes for every address, as each is done."""
    return Scan(
        targets, settings, credentials, host_keys, evidence, run=run, dialler=dialler, families=families, clock=clock
    )


def _network(address: str) -> str:
    prefix = 24 if ipaddress.ip_address(address).version == 4 else 64
    return str(ipaddress.ip_network((address, prefix), strict=False))


__all__ = ["HostReport", "Outcome", "Scan", "ScanSettings", "scan"]
