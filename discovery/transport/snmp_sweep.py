"""Finds out which of many addresses speak SNMP, with one socket for all of them.

Every datagram carries a request id that is its index; an answer counts only when the id and the source both fit. What
is left unanswered is asked once more. A dead network costs two waits, however large it is.
"""

from __future__ import annotations

import ipaddress
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from discovery.transport.base import Answered, Endpoint, Garbled, Oid, SnmpCommunity
from discovery.transport.snmp_codec import (
    GET,
    RESPONSE,
    Message,
    decode_engine,
    decode_message,
    encode_discovery,
    encode_message,
    request,
)

SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)  # SNMPv2-MIB
SYS_OBJECT_ID: Oid = (1, 3, 6, 1, 2, 1, 1, 2, 0)

_BURST = 50  # datagrams between two looks at what came
_LARGEST_DATAGRAM = 65535
_RECEIVE_BUFFER = 4 * 1024 * 1024
_IP_RECVERR, _IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h; Python 3.11 does not name them
_ICMP, _ICMP6 = 2, 3  # SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6 of linux/errqueue.h
_PORT_UNREACHABLE = {(_ICMP, 3, 3), (_ICMP6, 1, 4)}  # RFC 792; RFC 4443, 3.1


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask of one address: each of these communities, and whether an SNMPv3 engine is there."""

    endpoint: Endpoint
    communities: tuple[SnmpCommunity, ...] = ()
    engine: bool = True


@dataclass(frozen=True, slots=True)
class SweepLimits:
    """`per_second` datagrams are sent; each round waits `wait_s` after its last one."""

    per_second: int = 10_000
    wait_s: float = 1.0
    rounds: int = 2


@dataclass(slots=True)
class _Host:
    probe: Probe
    address: str
    indexes: range
    answered: Answered | None = None


def sweep(
    probes: Iterable[Probe], limits: SweepLimits | None = None, clock: Callable[[], float] = time.monotonic
) -> tuple[Answered, ...]:
    """Ask them all; return who answered, in the order given. Who is silent is not in it.

    An address that only answered with an ICMP error, port unreachable, is in it as refused. Addresses are numeric
    (ValueError otherwise): a name is resolved before. Takes, per family of addresses, rounds × (datagrams / per_second
    + wait_s) seconds at most.
    """
    hosts: list[_Host] = []
    questions = 0
    for probe in probes:
        count = len(probe.communities) + probe.engine
        address = str(ipaddress.ip_address(probe.endpoint.address))
        hosts.append(_Host(probe, address, range(questions, questions + count)))
        questions += count
    for family in (socket.AF_INET, socket.AF_INET6):
        of_family = [host for host in hosts if (":" in host.address) == (family == socket.AF_INET6)]
        if of_family:
            with _opened(family) as udp:
                _Sweep(udp, of_family, limits or SweepLimits(), clock).run()
    return tuple(host.answered for host in hosts if host.answered is not None)


class _Sweep:
    def __init__(self, udp: socket.socket, hosts: list[_Host], limits: SweepLimits, clock: Callable[[], float]) -> None:
        self._udp = udp
        self._limits = limits
        self._clock = clock
        self._host_of = {index: host for host in hosts for index in host.indexes}
        self._pending = dict.fromkeys(self._host_of)
        # Where the ids start is random, so that a late answer to an earlier sweep meets no question of this one.
        self._first_id = secrets.randbits(30)
        self._poll = select.poll()
        self._poll.register(udp, select.POLLIN)

    def run(self) -> None:
        for _ in range(self._limits.rounds):
            due = self._clock()
            for count, index in enumerate(tuple(self._pending), 1):
                if index not in self._pending:
                    continue
                self._send(index)
                if count % _BURST == 0:
                    due += _BURST / self._limits.per_second
                    self._listen(due)
            self._listen(self._clock() + self._limits.wait_s)

    def _send(self, index: int) -> None:
        host = self._host_of[index]
        request_id = self._first_id + index
        community = _community(host, index)
        if community is None:
            data = encode_discovery(request_id)
        else:
            pdu = request(GET, request_id, (SYS_DESCR, SYS_OBJECT_ID))
            data = encode_message(Message(community.version, community.community.reveal().encode(), pdu))
        # An error here belongs to an earlier datagram as a rule, and then this one was not sent. What cannot be sent
        # at all (no route, a full buffer) is left to the second round, and is silence after that.
        for _ in range(3):
            try:
                self._udp.sendto(data, (host.address, host.probe.endpoint.port))
            except OSError:
                self._take_errors()
            else:
                return

    def _listen(self, until: float) -> None:
        """Take what comes until then, or until nothing is pending; when that is past, take what is there already."""
        while self._pending:
            remaining_s = max(0.0, until - self._clock())
            if not self._poll.poll(remaining_s * 1000):
                return
            self._take_answers()
            self._take_errors()
            if remaining_s == 0.0:
                return

    def _take_answers(self) -> None:
        for _ in range(_BURST):
            try:
                data, source = self._udp.recvfrom(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # a pending ICMP error: the error queue has it, with its address
                continue
            try:
                self._answer(data, source)
            except Garbled:
                # Not SNMP, or not for us. The address is asked again in the second round.
                continue

    def _answer(self, data: bytes, source: tuple[str, int]) -> None:
        if _is_version_3(data):
            message = decode_engine(data)
            if (found := self._asked(message.message_id, source)) and message.engine_id:
                host, index = found
                host.answered = replace(_so_far(host), engine_id=message.engine_id)
                self._pending.pop(index, None)
            return
        pdu = decode_message(data).pdu
        if pdu.kind == RESPONSE and (found := self._asked(pdu.request_id, source)):
            host, index = found
            community = _community(host, index)
            if community is None or index not in self._pending:
                return
            del self._pending[index]
            before = _so_far(host)
            heard = {*before.communities, community}
            values = dict(pdu.varbinds)
            descr, object_id = values.get(SYS_DESCR), values.get(SYS_OBJECT_ID)
            host.answered = replace(
                before,
                communities=tuple(each for each in host.probe.communities if each in heard),
                sys_descr=descr if isinstance(descr, bytes) else before.sys_descr,
                sys_object_id=object_id if isinstance(object_id, tuple) else before.sys_object_id,
            )

    def _asked(self, request_id: int, source: tuple[str, int]) -> tuple[_Host, int] | None:
        index = request_id - self._first_id
        host = self._host_of.get(index)
        if host is None or (source[0], source[1]) != (host.address, host.probe.endpoint.port):
            return None
        return host, index

    def _take_errors(self) -> None:
        """Read the socket's error queue (ip(7), IP_RECVERR): which of our datagrams met a closed port."""
        for _ in range(_BURST):
            try:
                data, ancillary, _, destination = self._udp.recvmsg(_LARGEST_DATAGRAM, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return
            for _level, _type, payload in ancillary:
                _errno, origin, kind, code = struct.unpack_from("=IBBB", payload)
                if (origin, kind, code) in _PORT_UNREACHABLE:
                    self._refuse(data, destination)

    def _refuse(self, data: bytes, destination: tuple[str, int]) -> None:
        try:
            asked = decode_engine(data).message_id if _is_version_3(data) else decode_message(data).pdu.request_id
        except Garbled:  # the kernel keeps the head of our datagram only, when it is long
            return
        if found := self._asked(asked, destination):
            host, _ = found
            if host.answered is None:
                host.answered = Answered(host.probe.endpoint, refused=True)
            for index in host.indexes:
                self._pending.pop(index, None)


def _community(host: _Host, index: int) -> SnmpCommunity | None:
    """Return what this question asks with; None is the engine discovery, which is a host's last question."""
    at = index - host.indexes.start
    return host.probe.communities[at] if at < len(host.probe.communities) else None


def _so_far(host: _Host) -> Answered:
    if host.answered is None or host.answered.refused:
        return Answered(host.probe.endpoint)
    return host.answered


def _is_version_3(data: bytes) -> bool:
    # After the tag and length of the whole (2 to 4 octets): INTEGER, one octet, 3.
    return b"\x02\x01\x03" in data[2:9]


@contextmanager
def _opened(family: socket.AddressFamily) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        # Default buffers lose answers when more than about a hundred come at once.
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        if family == socket.AF_INET:
            udp.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        yield udp
