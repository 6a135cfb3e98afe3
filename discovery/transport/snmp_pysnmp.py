"""Asks with pysnmp: one request, one response, and exactly what the agent says.

SNMPv1 and v2c need its messages only. SNMPv3 needs an engine (RFC 3411), which is asyncio: all engines run on one loop
on one background thread. Each session has an engine of its own, because an engine keeps users by name and clocks
by engine id: two secrets for one name, or two machines cloned with one engine id, would disturb each other.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import univ
from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdgen
from pysnmp.error import PySnmpError
from pysnmp.proto import errind
from pysnmp.proto.api import v1, v2c
from pysnmp.proto.rfc1902 import ObjectName

from discovery.transport import snmp_codec as codec
from discovery.transport.base import (
    Auth,
    CredentialRefused,
    Garbled,
    Oid,
    Priv,
    Refused,
    SnmpCommunity,
    SnmpLimits,
    SnmpUser,
    SnmpValue,
    TransportError,
)
from discovery.transport.snmp_codec import Absent, Pdu, decode_engine, encode_discovery
from discovery.transport.snmp_link import Link, Patience, connected, translated

T = TypeVar("T")

Clock = Callable[[], float]
Outcome = Pdu | errind.ErrorIndication | OSError

_NULL = univ.Null("")
_ABSENT = (
    (v2c.EndOfMibView, Absent.END_OF_MIB_VIEW),
    (v2c.NoSuchObject, Absent.NO_SUCH_OBJECT),
    (v2c.NoSuchInstance, Absent.NO_SUCH_INSTANCE),
    (univ.Null, Absent.NULL),  # the others derive from it
)


class CommunityChannel:
    """SNMPv1 and v2c, one datagram each way."""

    def __init__(self, patience: Patience, credential: SnmpCommunity) -> None:
        self._link = Link(patience)
        self._api = v1 if credential.version == 1 else v2c
        self._community = credential.community.reveal().encode()
        self._last_id = secrets.randbits(30)

    def ask(self, kind: int, oids: Sequence[Oid], repetitions: int = 0, deadline: float | None = None) -> Pdu:
        self._last_id = asked = (self._last_id + 1) % 2**31
        message = self._api.Message()
        self._api.apiMessage.set_defaults(message)
        self._api.apiMessage.set_community(message, self._community)
        self._api.apiMessage.set_pdu(message, self._request(kind, asked, oids, repetitions))

        def accept(data: bytes) -> Pdu | None:
            pdu = self._response(data)
            return pdu if pdu is not None and pdu.request_id == asked else None

        return self._link.exchange(encoder.encode(message), accept, deadline)

    def _request(self, kind: int, asked: int, oids: Sequence[Oid], repetitions: int) -> univ.Sequence:
        if kind == codec.GET_BULK:
            pdu = v2c.GetBulkRequestPDU()
            v2c.apiBulkPDU.set_defaults(pdu)
            v2c.apiBulkPDU.set_max_repetitions(pdu, repetitions)
        else:
            pdu = self._api.GetRequestPDU() if kind == codec.GET else self._api.GetNextRequestPDU()
            self._api.apiPDU.set_defaults(pdu)
        self._api.apiPDU.set_request_id(pdu, asked)
        self._api.apiPDU.set_varbinds(pdu, [(oid, _NULL) for oid in oids])
        return pdu

    def _response(self, data: bytes) -> Pdu | None:
        try:
            message, _ = decoder.decode(data, asn1Spec=self._api.Message())
            pdu = self._api.apiMessage.get_pdu(message)
            if not isinstance(pdu, self._api.GetResponsePDU):
                return None
            return Pdu(
                codec.RESPONSE,
                int(self._api.apiPDU.get_request_id(pdu)),
                int(self._api.apiPDU.get_error_status(pdu)),
                int(self._api.apiPDU.get_error_index(pdu, muteErrors=True)),
                _varbinds(self._api.apiPDU.get_varbinds(pdu)),
            )
        except (PyAsn1Error, PySnmpError, LookupError, ValueError, TypeError) as error:  # pyasn1 lets some through
            raise Garbled("not a message of this version of SNMP, or a damaged one") from error

    def close(self) -> None:
        self._link.close()


def _varbinds(varbinds: Sequence[tuple[Any, Any]]) -> tuple[tuple[Oid, SnmpValue | Absent], ...]:
    return tuple((tuple(oid), _value(value)) for oid, value in varbinds)


def _value(value: Any) -> SnmpValue | Absent:
    for kind, absent in _ABSENT:  # before all others: Null is an OctetString to pyasn1
        if isinstance(value, kind):
            return absent
    match value:
        case univ.Integer():
            return int(value)
        case univ.OctetString():  # IpAddress and Opaque, too
            return value.asOctets()
        case univ.ObjectIdentifier():
            return tuple(value)
    raise Garbled(f"an SNMP value of unknown type {type(value).__name__}")


_AUTH = {
    Auth.NONE: config.USM_AUTH_NONE,
    Auth.MD5: config.USM_AUTH_HMAC96_MD5,
    Auth.SHA1: config.USM_AUTH_HMAC96_SHA,
    Auth.SHA224: config.USM_AUTH_HMAC128_SHA224,
    Auth.SHA256: config.USM_AUTH_HMAC192_SHA256,
    Auth.SHA384: config.USM_AUTH_HMAC256_SHA384,
    Auth.SHA512: config.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {
    Priv.NONE: config.USM_PRIV_NONE,
    Priv.DES: config.USM_PRIV_CBC56_DES,
    Priv.AES128: config.USM_PRIV_CFB128_AES,
    Priv.AES192: config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    Priv.AES256: config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    Priv.AES192_CISCO: config.USM_PRIV_CFB192_AES,  # pysnmp's plain names mean Reeder's draft
    Priv.AES256_CISCO: config.USM_PRIV_CFB256_AES,
}
_UNDECRYPTED = "cannot decrypt: the privacy secret or protocol of user {user} is wrong"
_REFUSALS = (
    (errind.UnsupportedSecurityLevel, "does not let user {user} read at this level of security"),
    (errind.UnknownUserName, "knows no user {user}"),
    (errind.WrongDigest, "finds the authentication secret or protocol of user {user} wrong"),
    (errind.DecryptionError, _UNDECRYPTED),
)
_TARGET, _PARAMETERS = "agent", "user"
# The socket is connected, so that this is never looked at. IPv6 goes the same way.
_DOMAIN, _ADDRESS = udp.DOMAIN_NAME, udp.UdpTransportAddress(("127.0.0.1", 161))
_STEPS = 4  # what one request may take: learning the engine, then its clock, then the response; one to spare
_making, _starting = threading.Lock(), threading.Lock()


class UserChannel:
    """SNMPv3: learns the agent's engine and clock at the first request, and again when the agent says so."""

    def __init__(self, patience: Patience, user: SnmpUser, limits: SnmpLimits, clock: Clock) -> None:
        self._patience = patience
        self._user = user
        self._limits = limits
        self._clock = clock
        self._proven = False  # whether a response came that this user could read
        self._engine: SnmpEngine | None = None
        self._wire: _Wire | None = None

    def ask(self, kind: int, oids: Sequence[Oid], repetitions: int = 0, deadline: float | None = None) -> Pdu:
        request = _Request(kind, oids, repetitions)
        # Once in the life of a session an agent may lawfully be replaced, or restarted.
        for _ in range(2):
            if self._engine is None or self._wire is None:
                self._engine = self._made()
                self._wire = _on_loop(_opened(self._engine, connected(self._patience.endpoint)))
            wire = self._wire
            outcome = _on_loop(self._ask(self._engine, wire, request, deadline))
            match outcome:
                case Pdu():
                    self._proven = self._patience.heard = True
                    return outcome
                case errind.UnknownEngineID() | errind.NotInTimeWindow():
                    self.close()  # an engine does not forget whom it knows at an address
                case errind.ErrorIndication():
                    raise self._refusal(outcome)
                case OSError():
                    with translated(self._patience.endpoint):
                        raise outcome
                case _:
                    raise self._silence(wire)
        raise Refused(f"{self._patience.endpoint} and we cannot agree on its engine or its time")

    def _made(self) -> SnmpEngine:
        """Make an engine with one user and one target. Takes 70 ms."""
        user, limits = self._user, self._limits
        level = "noAuthNoPriv" if user.auth == Auth.NONE else "authNoPriv" if user.priv == Priv.NONE else "authPriv"
        with _making:  # it loads MIB modules, and nothing says that this may be done twice at a time
            engine = SnmpEngine()
            config.add_v3_user(
                engine,
                user.user,
                _AUTH[user.auth],
                user.auth_secret.reveal().encode() or None,
                _PRIV[user.priv],
                user.priv_secret.reveal().encode() or None,
            )
            config.add_target_parameters(engine, _PARAMETERS, user.user, level)
            # Time-outs are counted here, not in the engine's ticks: it may forget a request when nobody waits any more.
            forget_cs = 100 * (1 + int(_STEPS * limits.timeout_s))
            config.add_target_address(engine, _TARGET, _DOMAIN, _ADDRESS, _PARAMETERS, forget_cs, 0)
        return engine

    async def _ask(self, engine: SnmpEngine, wire: _Wire, request: _Request, deadline: float | None) -> Outcome | None:
        outcome = wire.begin()

        def respond(
            _engine: object, _handle: object, problem: Any, status: Any, index: Any, varbinds: Any, _context: object
        ) -> None:
            if outcome.done() or isinstance(problem, str | errind.RequestTimedOut):  # or a "badResponse"
                return
            try:
                outcome.set_result(problem or Pdu(codec.RESPONSE, 0, int(status), int(index), _varbinds(varbinds)))
            except Garbled as error:
                wire.garbled = error

        for _ in range(1 + self._limits.retries):
            try:
                request.send(engine, respond)
            except PySnmpError as error:
                # The engine could not even write it: it is about this user, not about the agent.
                raise Refused(
                    f"{self._patience.endpoint} cannot be asked as user {self._user.user}: {error}"
                ) from error
            if await self._settled(wire, outcome, deadline):
                return outcome.result()
        return None

    async def _settled(self, wire: _Wire, outcome: asyncio.Future[Outcome], deadline: float | None) -> bool:
        """Wait for the outcome. Whatever brings the exchange on has the whole time-out again."""
        for _ in range(_STEPS):
            heard = wire.readable
            wait_s = self._limits.timeout_s
            if deadline is not None:
                wait_s = min(wait_s, deadline - self._clock())
            done, _ = await asyncio.wait({outcome}, timeout=max(0.0, wait_s))
            if done:
                return True
            if wire.readable == heard:
                return False
        return False

    def _refusal(self, problem: errind.ErrorIndication) -> Refused:
        for kind, text in _REFUSALS:
            if isinstance(problem, kind):
                return CredentialRefused(f"{self._patience.endpoint} {text.format(user=self._user.user)}")
        return Refused(f"{self._patience.endpoint} and we cannot agree: {problem}")

    def _silence(self, wire: _Wire) -> TransportError:
        """Say what no answer means."""
        if wire.readable:
            self._patience.heard = True
        if wire.readable and not self._proven and self._user.priv != Priv.NONE and self._is_there():
            # It answers the discovery and not this: most agents drop what decrypts to nonsense without a word.
            return CredentialRefused(f"{self._patience.endpoint} {_UNDECRYPTED.format(user=self._user.user)}")
        return self._patience.failure(wire.garbled)

    def _is_there(self) -> bool:
        asked = secrets.randbits(30)

        def accept(data: bytes) -> bytes | None:
            message = decode_engine(data)
            return message.engine_id if message.message_id == asked else None

        link = Link(Patience(self._patience.endpoint, self._limits, self._clock))
        with closing(link):
            try:
                return bool(link.exchange(encode_discovery(asked), accept))
            except TransportError:
                return False

    def close(self) -> None:
        engine, self._engine, self._wire = self._engine, None, None
        if engine is not None:
            _on_loop(_closed(engine))


@dataclass(frozen=True, slots=True)
class _Request:
    kind: int
    oids: Sequence[Oid]
    repetitions: int

    def send(self, engine: SnmpEngine, respond: Callable[..., None]) -> None:
        varbinds = [(ObjectName(oid), _NULL) for oid in self.oids]
        match self.kind:
            case codec.GET:
                cmdgen.GetCommandGenerator().send_varbinds(engine, _TARGET, None, "", varbinds, respond)
            case codec.GET_NEXT:
                cmdgen.NextCommandGeneratorSingleRun().send_varbinds(engine, _TARGET, None, "", varbinds, respond)
            case _:
                cmdgen.BulkCommandGeneratorSingleRun().send_varbinds(
                    engine, _TARGET, None, "", 0, self.repetitions, varbinds, respond
                )


class _Wire(udp.UdpTransport):
    """A connected socket: it hears of a closed port, and of nobody but the agent. Lives on the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.readable = 0  # how many messages of SNMPv3 came
        self.garbled: Garbled | None = None
        self._engine_id = b""
        self._outcome: asyncio.Future[Outcome] = loop.create_future()

    def begin(self) -> asyncio.Future[Outcome]:
        """Start a request, and return the future that its response, or an error of the socket, is put into."""
        self.garbled = None
        self._outcome = self.loop.create_future()
        return self._outcome

    def send_message(self, data: bytes, _address: object) -> None:
        if self.transport is not None:
            self.transport.sendto(data)

    def datagram_received(self, data: bytes, _address: object) -> None:
        try:
            message = decode_engine(data)
        except Garbled as error:
            self.garbled = error
            return
        self.readable += 1
        # The engine would go on writing to the one that it knows at this address.
        if self._engine_id and message.engine_id and message.engine_id != self._engine_id:
            self._finish(errind.unknownEngineID)
            return
        self._engine_id = message.engine_id
        super().datagram_received(data, _ADDRESS)

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self._finish(exc)

    def _finish(self, problem: Outcome) -> None:
        if not self._outcome.done():
            self._outcome.set_result(problem)


async def _opened(engine: SnmpEngine, connection: socket.socket) -> _Wire:
    loop = asyncio.get_running_loop()
    wire = _Wire(loop)
    await loop.create_datagram_endpoint(lambda: wire, sock=connection)
    config.add_transport(engine, _DOMAIN, wire)
    return wire


async def _closed(engine: SnmpEngine) -> None:
    engine.close_dispatcher()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.SelectorEventLoop()
    threading.Thread(target=loop.run_forever, name="snmp", daemon=True).start()
    return loop


def _on_loop(work: Coroutine[Any, Any, T]) -> T:
    with _starting:  # two threads at once must not make two loops
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(work, loop).result()
