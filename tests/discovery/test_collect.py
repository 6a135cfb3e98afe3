"""A step that fails costs its own facts: what becomes of each section."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cmdb.model import Completeness
from discovery.collect import Collected, Collector
from discovery.facts import Address, OperatingSystem, System
from discovery.family import Family, GetStep, Rule, RunStep, WalkStep
from discovery.parsers import ip_mib, linux, lldpd, snmpv2_mib, sockets
from discovery.transport.base import Command, Oid, Output, Silent, SnmpValue, TimedOut, TransportError, Walk, parse_oid
from tests.discovery.parts import Evidence

NAME = parse_oid("1.3.6.1.2.1.1.5.0")
INDEX, MASK = parse_oid("1.3.6.1.2.1.4.20.1.2"), parse_oid("1.3.6.1.2.1.4.20.1.3")
ROW, MASK_ROW = (*INDEX, 192, 0, 2, 1), (*MASK, 192, 0, 2, 1)
FAMILY = Family(
    "test",
    "network_switch",
    (Rule(),),
    (
        GetStep("snmp.system", (NAME,), snmpv2_mib.system),
        WalkStep("snmp.addresses", (INDEX, MASK), ip_mib.addresses),
        RunStep("ssh.system", "hostname", "hostname", linux.hostname),
        RunStep("ssh.system", "uname", "uname -srm", linux.uname),
        RunStep("ssh.hardware", "serial", "cat serial", linux.product_serial, root=True),
        RunStep("ssh.listeners", "ss", "ss -H -tln", sockets.listeners),
        RunStep("ssh.lldp", "lldp", "lldpcli", lldpd.neighbours, root=True, optional=True),
    ),
)


@dataclass(slots=True)
class Agent:
    """An Snmp that answers, or fails, by OID."""

    replies: dict[Oid, dict[Oid, SnmpValue] | Walk | TransportError]
    asked: list[Oid] = field(default_factory=list)

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        (oid,) = oids
        reply = self._reply(oid)
        assert isinstance(reply, dict)
        return reply

    def walk(self, root: Oid) -> Walk:
        reply = self._reply(root)
        assert isinstance(reply, Walk)
        return reply

    def _reply(self, oid: Oid) -> dict[Oid, SnmpValue] | Walk:
        self.asked.append(oid)
        reply = self.replies[oid]
        if isinstance(reply, TransportError):
            raise reply
        return reply

    def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class Host:
    """A Shell that gives these outputs by name."""

    outputs: dict[str, Output] | TransportError

    def run(self, commands: Sequence[Command]) -> dict[str, Output]:
        if isinstance(self.outputs, TransportError):
            raise self.outputs
        return {command.name: self.outputs[command.name] for command in commands}

    def close(self) -> None:
        """Nothing is held."""


WHOLE = Walk(((ROW, 1),))
MASKS = Walk(((MASK_ROW, b"\xff\xff\xff\x00"),))
GOOD = {
    "hostname": Output(b"web1\n"),
    "uname": Output(b"Linux 6.1.0 x86_64\n"),
    "serial": Output(b"CZ1\n"),
    "ss": Output(b""),
    "lldp": Output(b'{"lldp": []}'),
}


def asked(replies: dict[Oid, dict[Oid, SnmpValue] | Walk | TransportError]) -> dict[str, Collected]:
    collection = Collector(Agent({NAME: {NAME: b"sw1"}, **replies}), None).collect(FAMILY)
    return {section.section: section for section in collection.sections}


def ran(**outputs: Output) -> dict[str, Collected]:
    collection = Collector(None, Host(GOOD | outputs)).collect(FAMILY)
    return {section.section: section for section in collection.sections}


def test_what_came_whole_is_full() -> None:
    found = asked({INDEX: WHOLE, MASK: MASKS})

    assert {
        "snmp.system": Collected("snmp.system", Completeness.FULL, (System(name="sw1"),)),
        "snmp.addresses": Collected("snmp.addresses", Completeness.FULL, (Address("192.0.2.1", 24, index=1),)),
    } == found


def test_a_walk_that_was_cut_short_is_partial_and_says_why() -> None:
    found = asked({INDEX: Walk(((ROW, 1),), complete=False, reason="the OID does not increase"), MASK: MASKS})

    assert (
        Collected(
            "snmp.addresses",
            Completeness.PARTIAL,
            (Address("192.0.2.1", 24, index=1),),
            "1.3.6.1.2.1.4.20.1.2: the OID does not increase",
        )
        == found["snmp.addresses"]
    )


def test_a_walk_that_fails_after_another_leaves_what_came() -> None:
    found = asked({INDEX: WHOLE, MASK: TimedOut("no answer within 2 s")})["snmp.addresses"]

    assert (Completeness.PARTIAL, (Address("192.0.2.1", None, index=1),)) == (found.completeness, found.facts)


def test_a_section_of_which_nothing_came_failed_and_the_others_stay() -> None:
    found = asked({INDEX: TransportError("broken"), MASK: TransportError("broken")})

    assert Completeness.FULL == found["snmp.system"].completeness
    assert (Completeness.FAILED, ()) == (found["snmp.addresses"].completeness, found["snmp.addresses"].facts)


def test_a_reply_that_is_recognised_as_wrong_fails_its_section() -> None:
    found = asked({INDEX: Walk(((ROW, b"one"),)), MASK: MASKS})["snmp.addresses"]

    assert Collected("snmp.addresses", Completeness.FAILED, (), "ipAdEntIfIndex is not a number: b'one'") == found


def test_an_agent_that_is_gone_costs_two_time_outs_and_no_more() -> None:
    agent = Agent({NAME: Silent("no answer"), INDEX: Silent("no answer"), MASK: WHOLE})

    collection = Collector(agent, None).collect(FAMILY)

    assert [NAME, INDEX] == agent.asked
    assert [Completeness.FAILED, Completeness.FAILED] == [section.completeness for section in collection.sections]


def test_what_is_not_begun_by_the_hosts_deadline_is_given_up() -> None:
    ticks = iter(range(100))
    agent = Agent({NAME: {NAME: b"sw1"}, INDEX: WHOLE, MASK: MASKS})

    collection = Collector(agent, None, deadline=2.5, clock=lambda: float(next(ticks))).collect(FAMILY)

    assert [NAME] == agent.asked
    assert "the time for this host is over" in str(collection.sections[1].problem)


def test_commands_that_end_well_are_full() -> None:
    found = ran()

    assert {
        "ssh.system": Completeness.FULL,
        "ssh.hardware": Completeness.FULL,
        "ssh.listeners": Completeness.FULL,
        "ssh.lldp": Completeness.FULL,
    } == {name: section.completeness for name, section in found.items()}
    assert (OperatingSystem(hostname="web1"), OperatingSystem(kernel="Linux 6.1.0", architecture="x86_64")) == found[
        "ssh.system"
    ].facts


def test_what_needs_root_and_was_not_given_it_is_denied() -> None:
    denied = Output(b"", b"Permission denied\n", 1, denied=True)

    found = ran(serial=denied, lldp=Output(b"", b"", 127, denied=True))

    assert (
        Collected("ssh.hardware", Completeness.DENIED, (), "cat needs root, and sudo -n was not allowed")
        == found["ssh.hardware"]
    )
    assert Completeness.DENIED == found["ssh.lldp"].completeness


def test_a_tool_that_is_missing_where_root_was_given_says_nothing() -> None:
    found = ran(lldp=Output(b"", b"sh: lldpcli: not found", 127, denied=True))

    assert "ssh.lldp" not in found


def test_one_of_two_commands_that_fails_makes_the_section_partial() -> None:
    found = ran(hostname=Output(b"", b"hostname: no such thing\n", 1))["ssh.system"]

    assert (
        Collected(
            "ssh.system",
            Completeness.PARTIAL,
            (OperatingSystem(kernel="Linux 6.1.0", architecture="x86_64"),),
            "hostname returned 1: hostname: no such thing",
        )
        == found
    )


def test_output_that_was_cut_off_is_partial() -> None:
    line = b"LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n"

    cut = ran(ss=Output(line, truncated=True))["ssh.listeners"]
    slow = ran(ss=Output(line, code=None, timed_out=True))["ssh.listeners"]

    assert (Completeness.PARTIAL, "ss said more than may be read") == (cut.completeness, cut.problem)
    assert (Completeness.PARTIAL, "ss did not finish in time") == (slow.completeness, slow.problem)


def test_a_connection_that_breaks_fails_every_section_of_the_shell() -> None:
    collection = Collector(None, Host(TimedOut("the host went away"))).collect(FAMILY)

    assert {"ssh.system", "ssh.hardware", "ssh.listeners", "ssh.lldp"} == {each.section for each in collection.sections}
    assert {(Completeness.FAILED, "the host went away")} == {(e.completeness, e.problem) for e in collection.sections}


def test_the_raw_replies_of_each_section_are_kept_as_evidence() -> None:
    evidence = Evidence()

    collection = Collector(Agent({NAME: {NAME: b"sw1"}, INDEX: WHOLE, MASK: MASKS}), None, evidence).collect(FAMILY)

    assert ["hash-0", "hash-1"] == [section.evidence for section in collection.sections]
    assert (
        b'{"address":"","replies":[{"get":["1.3.6.1.2.1.1.5.0"],"rows":[["1.3.6.1.2.1.1.5.0",{"octets":"737731"}]]}],'
        b'"section":"snmp.system","space":""}'
    ) == evidence.kept["hash-0"]
