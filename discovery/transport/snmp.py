"""Asks one SNMP agent, in any version, with plain blocking calls.

Two engines stand behind it. pysnmp asks one question at a time and gives exactly what the agent says: it speaks
SNMPv3, and it settles, for SNMPv1 and v2c, whatever gufo-snmp leaves open. gufo-snmp, a hundred times faster, reads
their tables.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from discovery.transport.base import (
    CredentialRefused,
    Endpoint,
    Oid,
    Refused,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    SnmpLimits,
    SnmpUser,
    SnmpValue,
    TransportError,
    Walk,
    format_oid,
)
from discovery.transport.snmp_codec import GET, GET_BULK, GET_NEXT, Absent, ErrorStatus, Pdu
from discovery.transport.snmp_gufo import FastReader
from discovery.transport.snmp_link import Patience
from discovery.transport.snmp_pysnmp import CommunityChannel, UserChannel

Clock = Callable[[], float]
"""Seconds that only ever go forward, such as time.monotonic."""

Varbinds = Sequence[tuple[Oid, SnmpValue | Absent]]

_ABSENT_STATUS = frozenset({ErrorStatus.NO_SUCH_NAME, ErrorStatus.NO_ACCESS})


def open_snmp(
    endpoint: Endpoint,
    credential: SnmpCredential,
    limits: SnmpLimits | None = None,
    clock: Clock = time.monotonic,
) -> Snmp:
    """Make a session. Nothing is sent before the first request, so a wrong credential shows only then."""
    limits = limits or SnmpLimits()
    patience = Patience(endpoint, limits, clock)
    match credential:
        case SnmpCommunity():
            fast = FastReader(patience, credential, limits.bulk_rows)
            channel = CommunityChannel(patience, credential)
            return Session(endpoint, channel, limits, clock, bulk=credential.version == 2, fast=fast)
        case SnmpUser():
            return Session(endpoint, UserChannel(patience, credential, limits, clock), limits, clock)


class Channel(Protocol):
    """One request, one response."""

    def ask(self, kind: int, oids: Sequence[Oid], repetitions: int = 0, deadline: float | None = None) -> Pdu:
        """Return the response; whatever its error-status says. Raises TransportError."""

    def close(self) -> None: ...


class Session:
    """Get and walk over a channel: splits what is too big, and tells the end of a table from its being cut short.

    `fast`, where there is one, is asked first; what it leaves open goes over the channel.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        channel: Channel,
        limits: SnmpLimits,
        clock: Clock,
        *,
        bulk: bool = True,
        fast: FastReader | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._channel = channel
        self._limits = limits
        self._clock = clock
        self._bulk = bulk
        self._fast = fast

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        wanted = tuple(dict.fromkeys(oids))
        size = self._limits.bulk_rows
        found: dict[Oid, SnmpValue] = {}
        for start in range(0, len(wanted), size):
            part = wanted[start : start + size]
            if self._fast is not None:
                found |= self._fast.get(part)
            # What is missing may be absent, or the whole request may have failed: only the channel can tell.
            found |= self._get(tuple(oid for oid in part if oid not in found))
        return found

    def _get(self, oids: tuple[Oid, ...]) -> dict[Oid, SnmpValue]:
        if not oids:
            return {}
        answer = self._channel.ask(GET, oids)
        if answer.error_status == ErrorStatus.NO_ERROR:
            asked = frozenset(oids)
            return {oid: value for oid, value in answer.varbinds if oid in asked and not isinstance(value, Absent)}
        if len(oids) == 1:
            if answer.error_status in _ABSENT_STATUS:
                return {}
            raise self._refusal(answer, oids[0])
        at = answer.error_index - 1
        if answer.error_status in _ABSENT_STATUS and 0 <= at < len(oids):
            # SNMPv1 fails the whole request for one object that it does not have, and says which (RFC 1157, 4.1.2).
            return self._get(oids[:at] + oids[at + 1 :])
        half = len(oids) // 2
        return self._get(oids[:half]) | self._get(oids[half:])

    def walk(self, root: Oid) -> Walk:
        deadline = self._clock() + self._limits.walk_deadline_s
        rows: list[tuple[Oid, SnmpValue]] = []
        try:
            for page in self._pages(root, rows, deadline):
                ended = self._take(page, root, rows)
                if ended is not None:
                    return ended
                if self._clock() >= deadline:
                    reason = f"it took longer than {self._limits.walk_deadline_s:g} s"
                    return Walk(tuple(rows), complete=False, reason=self._cut_short(rows, reason))
        except TransportError as error:
            if not rows:
                raise
            return Walk(tuple(rows), complete=False, reason=self._cut_short(rows, str(error)))
        return Walk(tuple(rows))

    def _cut_short(self, rows: Sequence[tuple[Oid, SnmpValue]], reason: str) -> str:
        return f"cut short after {format_oid(rows[-1][0])}: {reason}"

    def _pages(self, root: Oid, rows: Sequence[tuple[Oid, SnmpValue]], deadline: float) -> Iterator[Varbinds]:
        """Yield a response after the other, each from the last of `rows` on, which grow meanwhile."""
        repetitions = self._limits.bulk_rows
        proving = self._fast is not None
        if self._fast is not None:
            yield from self._fast.pages(root, deadline)
            # It stopped, and does not say why: one row more proves that this was the end, or finds what it was.
            repetitions = 1
        while True:
            last = rows[-1][0] if rows else root
            answer = self._next(last, repetitions, deadline)
            if answer.error_status == ErrorStatus.TOO_BIG and self._bulk and repetitions > 1:
                repetitions //= 2
                continue
            if answer.error_status == ErrorStatus.NO_SUCH_NAME:  # the end, in SNMPv1 (RFC 1157, 4.1.3)
                return
            if answer.error_status != ErrorStatus.NO_ERROR:
                raise self._refusal(answer, last)
            yield answer.varbinds
            if proving:  # it was not the end: the rest comes this way
                repetitions, proving = self._limits.bulk_rows, False

    def _next(self, last: Oid, repetitions: int, deadline: float) -> Pdu:
        if self._bulk:
            return self._channel.ask(GET_BULK, (last,), repetitions, deadline)
        return self._channel.ask(GET_NEXT, (last,), deadline=deadline)

    def _take(self, page: Varbinds, root: Oid, rows: list[tuple[Oid, SnmpValue]]) -> Walk | None:
        """Add the rows of one response; return the Walk where it ended here."""
        depth = len(root)
        last = rows[-1][0] if rows else root
        for oid, value in page:
            if value is Absent.END_OF_MIB_VIEW or (oid[:depth] != root and oid > root):
                return Walk(tuple(rows))
            if oid <= last:
                reason = f"{format_oid(oid)} came after {format_oid(last)}: the agent runs in circles"
                return Walk(tuple(rows), complete=False, reason=reason)
            if isinstance(value, Absent):
                reason = f"{format_oid(oid)} came without a value ({value.name.lower()})"
                return Walk(tuple(rows), complete=False, reason=reason)
            if len(rows) >= self._limits.max_rows:
                return Walk(tuple(rows), complete=False, reason=f"more than {self._limits.max_rows} rows")
            rows.append((oid, value))
            last = oid
        if not page:
            return Walk(tuple(rows), complete=False, reason=f"an empty response after {format_oid(last)}")
        return None

    def _refusal(self, answer: Pdu, oid: Oid) -> Refused:
        try:
            name = ErrorStatus(answer.error_status).name.lower().replace("_", " ")
        except ValueError:
            name = f"error {answer.error_status}"
        text = f"{self._endpoint} answers {name} for {format_oid(oid)}"
        if answer.error_status == ErrorStatus.AUTHORIZATION_ERROR:
            return CredentialRefused(text)
        return Refused(text)

    def close(self) -> None:
        self._channel.close()
        if self._fast is not None:
            self._fast.close()
