"""Asks one SNMP agent, in any version, with plain blocking calls.

Get and walk are the same for every version; what differs is how one request becomes one datagram, and that is a
Channel. There is no engine and no loop that is shared: a session is a socket and some numbers, used by one thread.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from discovery.transport.base import (
    CredentialRefused,
    Endpoint,
    Garbled,
    Oid,
    Priv,
    Refused,
    Snmp,
    SnmpCommunity,
    SnmpCredential,
    SnmpLimits,
    SnmpUser,
    SnmpValue,
    TimedOut,
    TransportError,
    Walk,
    format_oid,
)
from discovery.transport.snmp_codec import (
    GET,
    GET_BULK,
    GET_NEXT,
    REPORT,
    RESPONSE,
    Absent,
    ErrorStatus,
    Message,
    Pdu,
    SecureMessage,
    decode_message,
    decode_secure,
    encode_discovery,
    encode_message,
    request,
)
from discovery.transport.snmp_link import Link
from discovery.transport.snmp_usm import Guard

Clock = Callable[[], float]
"""Seconds that only ever go forward, such as time.monotonic."""

_USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)  # SNMP-USER-BASED-SM-MIB usmStats
_UNSUPPORTED_LEVELS, _NOT_IN_TIME_WINDOWS, _UNKNOWN_USERS, _UNKNOWN_ENGINES, _WRONG_DIGESTS, _DECRYPTION = range(1, 7)
_REFUSALS = {
    _UNSUPPORTED_LEVELS: "does not let user {user} read at this level of security",
    _UNKNOWN_USERS: "knows no user {user}",
    _WRONG_DIGESTS: "finds the authentication secret or protocol of user {user} wrong",
    _DECRYPTION: "cannot decrypt: the privacy secret or protocol of user {user} is wrong",
}
_ABSENT_STATUS = frozenset({ErrorStatus.NO_SUCH_NAME, ErrorStatus.NO_ACCESS})


def open_snmp(
    endpoint: Endpoint,
    credential: SnmpCredential,
    limits: SnmpLimits | None = None,
    clock: Clock = time.monotonic,
) -> Snmp:
    """Make a session. Nothing is sent before the first request, so a wrong credential shows only then."""
    limits = limits or SnmpLimits()
    link = Link(endpoint, limits, clock)
    match credential:
        case SnmpCommunity():
            return Session(CommunityChannel(link, credential), limits, clock, bulk=credential.version == 2)
        case SnmpUser():
            return Session(UserChannel(link, credential, clock), limits, clock, bulk=True)


class Channel(Protocol):
    """One request, one response."""

    @property
    def endpoint(self) -> Endpoint: ...

    def ask(self, kind: int, oids: Sequence[Oid], repetitions: int = 0, deadline: float | None = None) -> Pdu:
        """Return the response; whatever its error-status says. Raises TransportError."""

    def close(self) -> None: ...


class CommunityChannel:
    """SNMPv1 and v2c."""

    def __init__(self, link: Link, credential: SnmpCommunity) -> None:
        self._link = link
        self._version = credential.version
        self._community = credential.community.reveal().encode()
        self._last_id = secrets.randbits(30)

    @property
    def endpoint(self) -> Endpoint:
        return self._link.endpoint

    def ask(self, kind: int, oids: Sequence[Oid], repetitions: int = 0, deadline: float | None = None) -> Pdu:
        self._last_id = asked = (self._last_id + 1) % 2**31
        message = Message(self._version, self._community, request(kind, asked, oids, repetitions))

        def accept(data: bytes) -> Pdu | None:
            pdu = decode_message(data).pdu
            return pdu if pdu.kind == RESPONSE and pdu.request_id == asked else None

        return self._link.exchange(encode_message(message), accept, deadline)

    def close(self) -> None:
        self._link.close()


class UserChannel:
    """SNMPv3: learns the agent's engine and clock at the first request, and again when the agent says so."""

    def __init__(self, link: Link, user: SnmpUser, clock: Clock) -> None:
        self._link = link
        self._user = user
        self._clock = clock
        self._guard: Guard | None = None
        self._engine_id = b""
        self._boots = 0
        self._booted_at = 0.0  # when, on our clock, the agent's time was zero
        self._proven = False  # whether a response came that this user could read
        self._last_id = secrets.randbits(30)

    @property
    def endpoint(self) -> Endpoint:
        return self._link.endpoint

    def ask(self, kind: int, oids: Sequence[Oid], repetitions: int = 0, deadline: float | None = None) -> Pdu:
        # Each of the two is lawful once: a new engine (it was replaced), then a new clock (it was restarted).
        for _ in range(3):
            guard = self._guard or self._discover(deadline)
            message, pdu = self._exchange(guard, kind, oids, repetitions, deadline)
            if pdu.kind == RESPONSE:
                self._proven = True
                return pdu
            oid = pdu.varbinds[0][0] if pdu.varbinds else ()
            arc = oid[len(_USM_STATS)] if oid[: len(_USM_STATS)] == _USM_STATS and len(oid) > len(_USM_STATS) else 0
            if arc in _REFUSALS:
                raise CredentialRefused(f"{self.endpoint} {_REFUSALS[arc].format(user=self._user.user)}")
            if arc == _UNKNOWN_ENGINES:
                self._guard = None
            elif arc == _NOT_IN_TIME_WINDOWS:
                self._follow(message)
            else:
                raise Refused(f"{self.endpoint} reports {format_oid(oid)}")
        raise Refused(f"{self.endpoint} and we cannot agree on its engine or its time")

    def _discover(self, deadline: float | None) -> Guard:
        asked = self._next_id()

        def accept(data: bytes) -> SecureMessage | None:
            message = decode_secure(data)
            return message if message.message_id == asked and message.engine_id else None

        message = self._link.exchange(encode_discovery(asked), accept, deadline)
        self._follow(message)
        self._guard = Guard(self._user, message.engine_id)
        return self._guard

    def _follow(self, message: SecureMessage) -> None:
        self._boots = message.boots
        self._booted_at = self._clock() - message.time_s

    def _exchange(
        self, guard: Guard, kind: int, oids: Sequence[Oid], repetitions: int, deadline: float | None
    ) -> tuple[SecureMessage, Pdu]:
        asked = self._next_id()
        time_s = max(0, int(self._clock() - self._booted_at))

        def accept(data: bytes) -> tuple[SecureMessage, Pdu] | None:
            message = decode_secure(data)
            if message.message_id != asked:
                return None
            pdu = guard.open(message, data)
            if pdu.kind == REPORT:
                return message, pdu
            return (message, pdu) if pdu.request_id == asked and guard.is_as_protected(message) else None

        data = guard.seal(asked, request(kind, asked, oids, repetitions), self._boots, time_s)
        try:
            return self._link.exchange(data, accept, deadline)
        except (TimedOut, Garbled) as error:
            if self._proven or self._user.priv == Priv.NONE:
                raise
            # It answers the discovery and not this: most agents drop what decrypts to nonsense without a word.
            self._discover(deadline)
            raise CredentialRefused(f"{self.endpoint} {_REFUSALS[_DECRYPTION].format(user=self._user.user)}") from error

    def _next_id(self) -> int:
        self._last_id = (self._last_id + 1) % 2**31
        return self._last_id

    def close(self) -> None:
        self._link.close()


class Session:
    """Get and walk over a channel: splits what is too big, and tells the end of a table from its being cut short."""

    def __init__(self, channel: Channel, limits: SnmpLimits, clock: Clock, *, bulk: bool) -> None:
        self._channel = channel
        self._limits = limits
        self._clock = clock
        self._bulk = bulk

    def get(self, oids: Iterable[Oid]) -> dict[Oid, SnmpValue]:
        wanted = tuple(dict.fromkeys(oids))
        size = self._limits.bulk_rows
        found: dict[Oid, SnmpValue] = {}
        for start in range(0, len(wanted), size):
            found |= self._get(wanted[start : start + size])
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
        repetitions = self._limits.bulk_rows
        last = root
        while True:
            try:
                answer = self._next(last, repetitions, deadline)
            except TransportError as error:
                if not rows:
                    raise
                return Walk(tuple(rows), complete=False, reason=f"cut short after {format_oid(last)}: {error}")
            if answer.error_status == ErrorStatus.TOO_BIG and self._bulk and repetitions > 1:
                repetitions //= 2
                continue
            if answer.error_status == ErrorStatus.NO_SUCH_NAME:  # the end, in SNMPv1 (RFC 1157, 4.1.3)
                return Walk(tuple(rows))
            if answer.error_status != ErrorStatus.NO_ERROR:
                refusal = self._refusal(answer, last)
                if not rows:
                    raise refusal
                return Walk(tuple(rows), complete=False, reason=str(refusal))
            ended = self._take(answer, root, rows)
            if ended is not None:
                return ended
            last = rows[-1][0]
            if self._clock() >= deadline:
                reason = f"cut short after {format_oid(last)}: it took longer than {self._limits.walk_deadline_s:g} s"
                return Walk(tuple(rows), complete=False, reason=reason)

    def _next(self, last: Oid, repetitions: int, deadline: float) -> Pdu:
        if self._bulk:
            return self._channel.ask(GET_BULK, (last,), repetitions, deadline)
        return self._channel.ask(GET_NEXT, (last,), deadline=deadline)

    def _take(self, answer: Pdu, root: Oid, rows: list[tuple[Oid, SnmpValue]]) -> Walk | None:
        """Add the rows of one response; return the Walk where it ended here."""
        depth = len(root)
        last = rows[-1][0] if rows else root
        for oid, value in answer.varbinds:
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
        if not answer.varbinds:
            return Walk(tuple(rows), complete=False, reason=f"an empty response after {format_oid(last)}")
        return None

    def _refusal(self, answer: Pdu, oid: Oid) -> Refused:
        try:
            name = ErrorStatus(answer.error_status).name.lower().replace("_", " ")
        except ValueError:
            name = f"error {answer.error_status}"
        text = f"{self._channel.endpoint} answers {name} for {format_oid(oid)}"
        if answer.error_status == ErrorStatus.AUTHORIZATION_ERROR:
            return CredentialRefused(text)
        return Refused(text)

    def close(self) -> None:
        self._channel.close()
