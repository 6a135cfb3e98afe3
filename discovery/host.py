"""One host from its first answer to its report: log in, recognise, collect, observe."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cmdb.model import Completeness, Identifier, Report, Section, Statement, Subject
from discovery.collect import Collection, Collector
from discovery.credentials import Attempts
from discovery.family import Family
from discovery.host_report import HostReport, Outcome
from discovery.observe import observe
from discovery.ports import Clock, Dialler, EvidenceSink, HostKeys, Knocked, NamedCredential
from discovery.recognise import Fingerprint, recognise
from discovery.scrub import ScrubbedShell, ScrubbedSnmp, Scrubber
from discovery.targets import Target, Targets
from discovery.transport.base import (
    Answered,
    Command,
    CredentialRefused,
    Shell,
    Snmp,
    SnmpCommunity,
    SnmpUser,
    Ssh,
    SshKey,
    SshPassword,
    TransportError,
)
from discovery.visit import RefusedSection, Visit

_SYS_DESCR = (1, 3, 6, 1, 2, 1, 1, 1, 0)  # SNMPv2-MIB sysDescr.0
_SYS_OBJECT_ID = (1, 3, 6, 1, 2, 1, 1, 2, 0)  # SNMPv2-MIB sysObjectID.0
_UNAME = "uname -srm"
_REFUSALS_PER_HOST = 3
"""Log-ins that a host may decline before it is left alone: lock-out limits begin at three."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What an address showed in the sweep."""

    target: Target
    snmp: Answered | None = None
    ssh: Knocked | None = None

    @property
    def speaks_snmp(self) -> bool:
        return self.snmp is not None and not self.snmp.refused

    @property
    def speaks_ssh(self) -> bool:
        return self.ssh is not None and self.ssh.open

    @property
    def is_silent(self) -> bool:
        return self.snmp is None and self.ssh is None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all hosts of a run share."""

    targets: Targets
    families: tuple[Family, ...]
    attempts: Attempts
    host_keys: HostKeys
    dialler: Dialler
    evidence: EvidenceSink | None
    clock: Clock
    run: str | None
    deadline_s: float
    monotonic: Callable[[], float] = time.monotonic


@dataclass(slots=True)
class _Visit:
    """What is open at one host, and what went wrong so far. Nothing that the host says gets past the scrubber."""

    scrubber: Scrubber
    snmp: Snmp | None = None
    ssh: Ssh | None = None
    shell: Shell | None = None
    fingerprint: Fingerprint = field(default_factory=Fingerprint)
    problems: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """Section → why nothing came of this protocol at all."""


def scan_host(signs: Signs, around: Surroundings) -> HostReport:
    """Scan one host. Raises nothing: this holds the one broad `except` of discovery."""
    began = around.monotonic()
    target, space = signs.target, around.targets.space
    if not (signs.speaks_snmp or signs.speaks_ssh):
        outcome = Outcome.SILENT if signs.is_silent else Outcome.CLOSED
        return HostReport(space, target.address, outcome)
    visit = _Visit(Scrubber())
    try:
        visit.scrubber = Scrubber.against(around.attempts.bound(space, target.address))
        return _visited(signs, around, visit, began)
    except Exception:  # noqa: BLE001 one host must never spoil a run; the traceback is kept for people
        return HostReport(
            space, target.address, Outcome.FAILED, problems=(*visit.problems, traceback.format_exc()),
            duration_s=around.monotonic() - began,
        )  # fmt: skip
    finally:
        for transport in (visit.snmp, visit.shell, visit.ssh):
            if transport is not None:
                with contextlib.suppress(TransportError):
                    transport.close()


def _visited(signs: Signs, around: Surroundings, visit: _Visit, began: float) -> HostReport:
    space, address = around.targets.space, signs.target.address
    time_now = around.clock()
    if signs.ssh is not None:
        visit.fingerprint = Fingerprint(ssh_banner=signs.ssh.banner)
    if signs.speaks_snmp:
        _open_snmp(signs, around, visit)
    family = _recognised(around, visit)
    if signs.speaks_ssh and (family.shell or (visit.snmp is None and family.runs_commands)):
        _open_ssh(signs, around, visit)
        family = _recognised(around, visit)
    elif signs.speaks_ssh and visit.snmp is None and not visit.refusals:
        visit.refusals["ssh.system"] = f"it answers SSH ({visit.fingerprint.ssh_banner}), with nothing to be run there"
    if visit.shell is not None and not family.runs_commands:
        visit.refusals["ssh.system"] = f"it runs {visit.fingerprint.uname}, and no family says what to ask there"
    collected = Collection((), ())
    if visit.snmp is not None or visit.shell is not None:
        collector = Collector(
            visit.snmp, visit.shell, around.evidence, began + around.deadline_s, around.monotonic, (space, address)
        )  # fmt: skip
        collected = collector.collect(family)
    host_key = visit.ssh.host_key.fingerprint if visit.ssh is not None else None
    refused = _refused(signs, around, visit, collected)
    sections = (
        *observe(family, collected.sections, time_now, host_key),
        *(refused_section(each, time_now) for each in refused),
    )
    port = signs.target.snmp_port if signs.speaks_snmp else signs.target.ssh_port
    report = Report(source=address, time=time_now, sections=sections, space=space, run=around.run, port=port)
    if around.evidence is not None:
        kept = Visit(
            space, address, port, time_now, around.run, family.name, visit.snmp is not None, visit.shell is not None,
            visit.fingerprint, host_key, collected.evidence, tuple(refused),
        )  # fmt: skip
        around.evidence.visited(kept)
    problems = (*visit.problems, *_problems_of(sections))
    return HostReport(
        space, address, _outcome(visit, sections), report, collected.steps, tuple(dict.fromkeys(problems)),
        _name(sections), family.name, around.monotonic() - began,
    )  # fmt: skip


def _recognised(around: Surroundings, visit: _Visit) -> Family:
    recognition = recognise(visit.fingerprint, around.families)
    if recognition.tied:
        text = f"recognised as {' and as '.join(recognition.tied)} equally well: none of them was taken"
        visit.problems = [each for each in visit.problems if each != text] + [text]
    if recognition.family is None:
        raise LookupError("no family fits anything: families/generic_snmp.yaml is missing")
    return recognition.family


def _open_snmp(signs: Signs, around: Surroundings, visit: _Visit) -> None:
    """Find a credential that the agent answers to. A community that it does not know is silence, and no refusal."""
    space, target = around.targets.space, signs.target
    endpoint = around.targets.endpoint(target.address, target.snmp_port)
    tried = False
    for named in around.attempts.candidates(space, target.address, "snmp"):
        for credential in _answered(named, signs):
            with around.attempts.attempt(space, target.address, "snmp", named) as may_try:
                if not may_try:
                    continue
                tried = True
                try:
                    snmp = ScrubbedSnmp(around.dialler.open_snmp(endpoint, credential), visit.scrubber)
                    visit.snmp = snmp
                    said = snmp.get((_SYS_DESCR, _SYS_OBJECT_ID))
                except CredentialRefused as error:
                    around.attempts.refused(space, target.address, "snmp", named)
                    visit.refusals["snmp.system"] = f"credential {named.name!r}: {error}"
                except TransportError as error:
                    visit.refusals["snmp.system"] = f"credential {named.name!r}: {error}"
                else:
                    around.attempts.worked(space, target.address, "snmp", named)
                    visit.refusals.pop("snmp.system", None)
                    visit.fingerprint = _with_snmp(visit.fingerprint, said)
                    return
            if visit.snmp is not None:
                visit.snmp.close()
                visit.snmp = None
    if not tried:
        visit.refusals["snmp.system"] = "it answers SNMP, but to no community or user bound to this address"


def _answered(named: NamedCredential, signs: Signs) -> Iterable[SnmpCommunity | SnmpUser]:
    """The forms of a credential to which the agent may answer: a community that it did answer, in v2c or else in v1."""
    match named.credential:
        case SnmpCommunity() as credential:
            heard = signs.snmp.communities if signs.snmp is not None else ()
            return [each for each in communities(credential) if each in heard][:1]
        case SnmpUser() as credential:
            return [credential] if signs.snmp is not None and signs.snmp.engine_id is not None else []
        case _:
            return []


def communities(credential: SnmpCommunity) -> tuple[SnmpCommunity, ...]:
    """A community as it is asked with: what is given for v2c is tried in v1, too, which some cards speak alone."""
    if credential.version == 1:
        return (credential,)
    return (credential, SnmpCommunity(1, credential.community))


def _with_snmp(fingerprint: Fingerprint, said: dict[tuple[int, ...], int | bytes | tuple[int, ...]]) -> Fingerprint:
    oid, descr = said.get(_SYS_OBJECT_ID), said.get(_SYS_DESCR)
    return Fingerprint(
        oid if isinstance(oid, tuple) else None,
        descr.decode("utf-8", "replace") if isinstance(descr, bytes) else "",
        fingerprint.ssh_banner,
    )


def _open_ssh(signs: Signs, around: Surroundings, visit: _Visit) -> None:
    """Log in, and see whether a shell is there."""
    space, target = around.targets.space, signs.target
    endpoint = around.targets.endpoint(target.address, target.ssh_port)
    refusals = 0
    for named in around.attempts.candidates(space, target.address, "ssh"):
        if not isinstance(named.credential, SshPassword | SshKey) or refusals >= _REFUSALS_PER_HOST:
            continue
        with around.attempts.attempt(space, target.address, "ssh", named) as may_try:
            if not may_try:
                continue
            try:
                visit.ssh = around.dialler.open_ssh(endpoint, named.credential, around.host_keys)
            except CredentialRefused as error:
                refusals += 1
                around.attempts.refused(space, target.address, "ssh", named)
                visit.refusals["ssh.system"] = f"credential {named.name!r}: {error}"
                continue
            except TransportError as error:
                visit.refusals["ssh.system"] = str(error)
                return
            around.attempts.worked(space, target.address, "ssh", named)
        visit.refusals.pop("ssh.system", None)
        _look(visit)
        return
    if not refusals and (visit.snmp is None or around.attempts.is_bound(space, target.address, "ssh")):
        visit.refusals["ssh.system"] = "it answers SSH, and no credential that may be tried is bound to this address"


def _look(visit: _Visit) -> None:
    """Ask for the kernel's name: what answers that has a shell."""
    if visit.ssh is None:
        return
    try:
        shell = ScrubbedShell(visit.ssh.shell(), visit.scrubber)
        said = shell.run([Command("uname", _UNAME)])["uname"]
    except TransportError as error:
        visit.refusals["ssh.system"] = str(error)
        return
    if said.code == 0 and said.text.strip():
        visit.shell = shell
        old = visit.fingerprint
        visit.fingerprint = Fingerprint(old.sys_object_id, old.sys_descr, old.ssh_banner, said.text.strip())
    else:
        visit.refusals["ssh.system"] = "the log-in works, and there is no shell behind it"


def _refused(signs: Signs, around: Surroundings, visit: _Visit, collected: Collection) -> list[RefusedSection]:
    """For each protocol that answered and gave nothing: why.

    The host key is shown to anybody, and identifies the host as well without a log-in.
    """
    found: list[RefusedSection] = []
    there = {section.section for section in collected.sections}
    for name, problem in visit.refusals.items():
        if name in there:
            continue
        shown: str | None = None
        if name.startswith("ssh"):
            with contextlib.suppress(TransportError):
                endpoint = around.targets.endpoint(signs.target.address, signs.target.ssh_port)
                key = visit.ssh.host_key if visit.ssh is not None else around.dialler.host_key(endpoint)
                shown = key.fingerprint
        found.append(RefusedSection(name, problem, shown))
    return found


def refused_section(refused: RefusedSection, time_now: datetime) -> Section:
    """What is reported of it."""
    if refused.host_key is None:
        return Section(refused.name, time_now, Completeness.FAILED, problem=refused.problem)
    shown = frozenset({Identifier("host_key", refused.host_key)})
    statements = (Statement(Subject(identifiers=shown, itself=True)),)
    return Section(refused.name, time_now, Completeness.PARTIAL, statements, problem=refused.problem)


def _problems_of(sections: Sequence[Section]) -> list[str]:
    """What people should look at. Denied for want of root is as it was set up."""
    wanting = {Completeness.PARTIAL, Completeness.FAILED}
    return [f"{section.name}: {section.problem}" for section in sections if section.completeness in wanting]


def _outcome(visit: _Visit, sections: Sequence[Section]) -> Outcome:
    if visit.snmp is None and visit.shell is None:
        return Outcome.REFUSED
    whole = {Completeness.FULL, Completeness.DENIED}
    return Outcome.COLLECTED if all(section.completeness in whole for section in sections) else Outcome.PARTIAL


def _name(sections: Iterable[Section]) -> str | None:
    names = (statement.about.name for section in sections for statement in section.statements if statement.about.itself)
    return next((name for name in names if name), None)
