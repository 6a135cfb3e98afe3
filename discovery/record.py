"""`cmdb record`: asks one device all that its family asks, and writes it down with stand-ins for a test."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from discovery.anonymise import anonymise
from discovery.family import Family, load_families
from discovery.host_report import HostReport
from discovery.ports import CredentialSource, Dialler, HostKeys, Knocked
from discovery.replay import Replayed, expectation, replay
from discovery.scan import Scan, ScanSettings
from discovery.scrub import Scrubber
from discovery.targets import Targets
from discovery.transport.base import (
    Answered,
    Endpoint,
    HostKey,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    Ssh,
    SshCredential,
)
from discovery.transport.recording import Recorder
from discovery.transport.replies import Replies, write_replies


class NothingRecorded(Exception):
    """The device gave nothing to write down; the text says why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """The two files of a recording, and where they belong below `tests/recordings`."""

    family: str
    model: str
    replies: str
    expected: str

    def write(self, folder: Path) -> Path:
        """Write `FAMILY/MODEL/replies.yaml` and `expected.json` below a folder; return theirs."""
        own = folder / self.family / self.model
        own.mkdir(parents=True, exist_ok=True)
        (own / "replies.yaml").write_text(self.replies, encoding="utf-8")
        (own / "expected.json").write_text(self.expected, encoding="utf-8")
        return own


@dataclass(frozen=True, slots=True)
class RecordingDialler:
    """Dials as another one does, and writes down what is answered."""

    live: Dialler
    recorder: Recorder

    def sweep(self, probes: Iterable[tuple[Endpoint, tuple[SnmpCommunity, ...]]]) -> Sequence[Answered]:
        return self.live.sweep(probes)

    def knock(self, endpoints: Iterable[Endpoint]) -> Sequence[Knocked]:
        return self.live.knock(endpoints)

    def open_snmp(self, endpoint: Endpoint, credential: SnmpCredential) -> Snmp:
        return self.recorder.snmp(self.live.open_snmp(endpoint, credential))

    def open_ssh(self, endpoint: Endpoint, credential: SshCredential, host_keys: HostKeys) -> Ssh:
        return self.recorder.ssh(self.live.open_ssh(endpoint, credential, host_keys))

    def host_key(self, endpoint: Endpoint) -> HostKey:
        return self.live.host_key(endpoint)


def record(
    targets: Targets, credentials: CredentialSource, host_keys: HostKeys, dialler: Dialler, key: bytes,
    families: tuple[Family, ...] | None = None,
) -> Recording:  # fmt: skip
    """Record the one address of `targets`. `key` makes the stand-ins: keep it, and joins between recordings survive.

    Raises NothingRecorded.
    """
    known = families or load_families()
    recorder = Recorder()
    scan = Scan(
        targets, ScanSettings(), credentials, host_keys, dialler=RecordingDialler(dialler, recorder), families=known
    )
    report = next(iter(scan), None)
    if report is None or not (recorder.replies.speaks_snmp or recorder.replies.shell):
        raise NothingRecorded(_why(report))
    address = next(iter(targets)).address
    given = [each for protocol in ("snmp", "ssh") for each in credentials.candidates(targets.space, address, protocol)]
    return recording(scrubbed(recorder.replies, Scrubber.against(given)), key, known)


def scrubbed(replies: Replies, scrubber: Scrubber) -> Replies:
    """A copy of replies without secrets, as a scan keeps them."""
    return Replies(
        gets={oid: scrubber.value(oid, value) for oid, value in replies.gets.items()},
        walks={
            root: replace(walk, rows=tuple((oid, scrubber.value(oid, value)) for oid, value in walk.rows))
            for root, walk in replies.walks.items()
        },
        shell={line: scrubber.output(output) for line, output in replies.shell.items()},
        terminal={line: scrubber.output(output) for line, output in replies.terminal.items()},
        ssh=replies.ssh,
    )


def recording(replies: Replies, key: bytes, families: tuple[Family, ...]) -> Recording:
    """Make a recording of replies: swap stand-ins in, and say what discovery makes of that."""
    original = replay(replies, families)
    facts = [fact for collected in original.collection.sections for fact in collected.facts]
    swapped = anonymise(replies, facts, key)
    replayed = replay(swapped, families)
    family = replayed.recognition.family
    return Recording(
        family.name if family is not None else "unknown",
        _model(replayed),
        write_replies(swapped),
        expectation(replayed),
    )


def _model(replayed: Replayed) -> str:
    """A folder's name: the model that the device says it is."""
    models = (
        str(statement.attributes["model"])
        for section in replayed.sections
        for statement in section.statements
        if "model" in statement.attributes
    )
    return re.sub(r"[^a-z0-9]+", "_", next(models, "any").lower()).strip("_") or "any"


def _why(report: HostReport | None) -> str:
    if report is None:
        return "there is no address to record"
    problems = "; ".join(report.problems)
    return f"{report.address} is {report.outcome}" + (f": {problems}" if problems else "")
