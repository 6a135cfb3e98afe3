"""Runs the steps of a family over the transports that are open: replies → facts, section by section.

A step that fails costs its own facts: its section becomes partial, denied or failed, and says why in words; the others
stay whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cmdb.model import Completeness
from discovery.facts import Fact, ParseError
from discovery.family import SECTIONS, Family, Filling, GetStep, RunStep, SectionStep, WalkStep
from discovery.kept import Raw, got, ran, section_out, walked
from discovery.parsers.octets import Row, Rows, table, text
from discovery.ports import EvidenceSink
from discovery.transport.base import (
    Command,
    Oid,
    Output,
    Shell,
    Silent,
    Snmp,
    SnmpValue,
    TimedOut,
    TransportError,
    format_oid,
)

_MISSING_TOOL = 127  # what a shell returns for a command that it does not find (POSIX, 2.8.2)
_GIVE_UP_AFTER = 2  # requests in a row without an answer: the agent is gone


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one step: for the ledger of a run."""

    section: str
    name: str
    completeness: Completeness
    facts: int
    duration_s: float
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """One section: the facts of all its steps, and how much of it came."""

    section: str
    completeness: Completeness
    facts: tuple[Fact, ...]
    problem: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything that a device said, in the order of `SECTIONS`.

    `evidence` is what the raw replies are kept under, by section; those of tools that are not there are kept, too.
    """

    sections: tuple[Collected, ...]
    steps: tuple[Step, ...]
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reply:
    """What one step gave. `absent`: the tool is not there, so nothing was said."""

    step: Step
    facts: tuple[Fact, ...]
    raw: tuple[Raw, ...]
    absent: bool = False


@dataclass(slots=True)
class _Silence:
    """Counts requests without an answer, so that a dead agent costs a few time-outs and not one a step."""

    in_a_row: int = 0


@dataclass(frozen=True, slots=True)
class Collector:
    """Asks one device. `deadline` is on `clock`; what is not begun by then is given up.

    `origin` is the space and address of the device, which stand in the evidence.
    """

    snmp: Snmp | None
    shell: Shell | None
    sink: EvidenceSink | None = None
    deadline: float = float("inf")
    clock: Callable[[], float] = time.monotonic
    origin: tuple[str, str] = ("", "")
    _silence: _Silence = field(default_factory=_Silence)

    def collect(self, family: Family) -> Collection:
        """Run every step for which a transport is open. Only what is unexpected in a parser raises."""
        replies: list[_Reply] = []
        if self.snmp is not None:
            steps = [step for step in family.steps if not isinstance(step, RunStep)]
            replies += [self._asked(self.snmp, step) for step in steps]
        if self.shell is not None:
            replies += self._commands(self.shell, [step for step in family.steps if isinstance(step, RunStep)])
        said = {name: [reply for reply in replies if reply.step.section == name] for name in SECTIONS}
        evidence = self._kept(said)
        sections = [
            _section(name, given, evidence.get(name))
            for name, given in said.items()
            if any(not reply.absent for reply in given)
        ]
        return Collection(tuple(sections), tuple(reply.step for reply in replies), evidence)

    def _kept(self, said: Mapping[str, Sequence[_Reply]]) -> dict[str, str]:
        if self.sink is None:
            return {}
        return {
            name: self.sink.store(section_out(*self.origin, name, [raw for reply in given for raw in reply.raw]))
            for name, given in said.items()
            if given
        }

    def _asked(self, snmp: Snmp, step: SectionStep) -> _Reply:
        """One get or walk step."""
        began = self.clock()
        rows: list[tuple[Oid, SnmpValue]] = []
        raw: list[Raw] = []
        problem: str | None = None
        try:
            match step:
                case GetStep():
                    rows = self._get(snmp, step, raw)
                case WalkStep():
                    problem = self._walk(snmp, step, rows, raw)
                case RunStep():
                    raise TypeError("a command is no question of SNMP")
            failed = False
        except TransportError as error:
            self._silence.in_a_row += isinstance(error, Silent | TimedOut)
            problem, failed = str(error), not rows
        name = f"{'get' if isinstance(step, GetStep) else 'walk'} {_first_oid(step)}"
        if failed:
            return self._reply(step.section, name, began, Completeness.FAILED, (), problem, raw)
        completeness = Completeness.PARTIAL if problem else Completeness.FULL
        try:
            facts = _read(step, tuple(rows))
        except ParseError as error:
            return self._reply(step.section, name, began, Completeness.FAILED, (), str(error), raw)
        return self._reply(step.section, name, began, completeness, facts, problem, raw)

    def _get(self, snmp: Snmp, step: GetStep, raw: list[Raw]) -> list[tuple[Oid, SnmpValue]]:
        try:
            self._may_ask()
            rows = sorted(snmp.get(step.oids).items())
        except TransportError as error:
            raw.append(got(step.oids, (), error))
            raise
        self._silence.in_a_row = 0
        raw.append(got(step.oids, rows))
        return rows

    def _walk(self, snmp: Snmp, step: WalkStep, rows: list[tuple[Oid, SnmpValue]], raw: list[Raw]) -> str | None:
        """Walk all roots into `rows`; say why it is not all of it. Raises only where nothing came at all."""
        problems: list[str] = []
        for root in step.roots:
            try:
                self._may_ask()
                walk = snmp.walk(root)
            except TransportError as error:
                raw.append(walked(root, None, error))
                self._silence.in_a_row += isinstance(error, Silent | TimedOut)
                if not rows and root == step.roots[-1]:
                    raise
                problems.append(f"{format_oid(root)}: {error}")
                if self._silence.in_a_row >= _GIVE_UP_AFTER:
                    if not rows:
                        raise
                    break
                continue
            self._silence.in_a_row = 0
            rows += walk.rows
            raw.append(walked(root, walk))
            if not walk.complete:
                problems.append(f"{format_oid(root)}: {walk.reason or 'cut short'}")
        return "; ".join(problems) or None

    def _may_ask(self) -> None:
        if self._silence.in_a_row >= _GIVE_UP_AFTER:
            raise TimedOut("it has stopped answering")
        if self.clock() > self.deadline:
            raise TimedOut("the time for this host is over")

    def _commands(self, shell: Shell, steps: Sequence[RunStep]) -> list[_Reply]:
        """Every command, in one script."""
        began = self.clock()
        commands = [Command(step.name, step.command, root=step.root) for step in steps]
        try:
            outputs = shell.run(commands) if commands else {}
        except TransportError as error:
            return [
                self._reply(
                    step.section, step.command, began, Completeness.FAILED, (), str(error),
                    [ran(step.command, None, error)],
                )
                for step in steps
            ]  # fmt: skip
        # sudo says of a tool that is not there much the same as of one that it may not run.
        is_allowed = any(step.root and not outputs[step.name].denied for step in steps)
        return [self._command(step, outputs[step.name], began, is_allowed) for step in steps]

    def _command(self, step: RunStep, output: Output, began: float, is_allowed: bool) -> _Reply:
        raw = [ran(step.command, output)]
        is_missing = output.code == _MISSING_TOOL and step.optional
        if output.denied and not (is_missing and is_allowed):
            refusal = f"{step.command.split()[0]} needs root, and sudo -n was not allowed"
            return self._reply(step.section, step.command, began, Completeness.DENIED, (), refusal, raw)
        if is_missing:
            lack = f"{step.command.split()[0]} is not installed"
            return self._reply(step.section, step.command, began, Completeness.FAILED, (), lack, raw, absent=True)
        problem = _what_went_wrong(step, output)
        if problem is not None and not output.stdout.strip():
            return self._reply(step.section, step.command, began, Completeness.FAILED, (), problem, raw)
        try:
            facts = tuple(step.reader(output.text))
        except ParseError as error:
            why = f"{error} ({problem})" if problem else str(error)
            return self._reply(step.section, step.command, began, Completeness.FAILED, (), why, raw)
        completeness = Completeness.FULL if problem is None else Completeness.PARTIAL
        return self._reply(step.section, step.command, began, completeness, facts, problem, raw)

    def _reply(self, section: str, name: str, began: float, completeness: Completeness, facts: tuple[Fact, ...],
               problem: str | None, raw: Sequence[Raw], *, absent: bool = False) -> _Reply:  # fmt: skip
        step = Step(section, name, completeness, len(facts), self.clock() - began, problem)
        return _Reply(step, facts, tuple(raw), absent)


def _section(name: str, replies: Sequence[_Reply], evidence: str | None) -> Collected:
    completeness = _together([reply.step.completeness for reply in replies])
    problems = dict.fromkeys(reply.step.problem for reply in replies if reply.step.problem)
    facts = tuple(fact for reply in replies for fact in reply.facts)
    return Collected(name, completeness, facts, "; ".join(problems) or None, evidence)


def _together(parts: Iterable[Completeness]) -> Completeness:
    """A section is as whole as its steps: denied where one was denied, failed where all failed, else partial."""
    found = set(parts)
    if found == {Completeness.FULL}:
        return Completeness.FULL
    if Completeness.DENIED in found:
        return Completeness.DENIED
    return Completeness.FAILED if found == {Completeness.FAILED} else Completeness.PARTIAL


def _read(step: SectionStep, rows: Rows) -> tuple[Fact, ...]:
    if not isinstance(step.reader, Filling):
        return tuple(step.reader(rows))
    filling = step.reader
    if isinstance(step, WalkStep) and step.entry is not None:
        columns = {take.column for take in filling.fields.values() if take.column is not None}
        found = [_fill(filling, row, {}) for row in table(rows, format_oid(step.entry), *columns).values()]
    else:
        found = [_fill(filling, {}, dict(rows))]
    return tuple(fact for fact in found if fact is not None)


def _fill(filling: Filling, row: Row, objects: Mapping[Oid, SnmpValue]) -> Fact | None:
    """Make the fact; None where the device has none of the values."""
    texts: dict[str, str] = {}
    for name, take in filling.fields.items():
        value = (
            objects.get(take.oid) if take.oid is not None else row.get(take.column) if take.column is not None else None
        )
        if value is not None:
            texts[name] = take.found_in(_as_text(value))
    if not any(texts.values()):
        return None
    literals = {name: take.literal for name, take in filling.fields.items() if take.literal is not None}
    return filling.fact(**{**literals, **texts})


def _as_text(value: SnmpValue) -> str:
    match value:
        case bytes():
            return text(value)
        case int():
            return str(value)
        case _:
            return format_oid(value)


def _what_went_wrong(step: RunStep, output: Output) -> str | None:
    """Why this is not all that the command had to say; None where it is."""
    tool = step.command.split()[0]
    if output.timed_out:
        return f"{tool} did not finish in time"
    if output.truncated:
        return f"{tool} said more than may be read"
    if output.code is None:
        return f"the connection ended before {tool} did"
    if output.code not in step.codes:
        lines = output.stderr.decode("utf-8", "replace").strip().splitlines()
        return f"{tool} returned {output.code}" + (f": {lines[-1][:200]}" if lines else "")
    return None


def _first_oid(step: SectionStep) -> str:
    match step:
        case GetStep():
            return format_oid(step.oids[0])
        case WalkStep():
            return format_oid(step.roots[0])
        case RunStep():
            return ""
